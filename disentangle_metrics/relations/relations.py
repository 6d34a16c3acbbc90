"""What latents and factors have to do with each other: tables made once per call and shared.

A :class:`Relations` is what every metric reads. Each relation is computed when first asked for and
kept, so that the number, the plot and the report are drawn from the same object.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from threading import RLock
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, assert_never, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError, NotApplicable
from disentangle_metrics.estimators import correlation
from disentangle_metrics.estimators.counts import binning
from disentangle_metrics.estimators.counts.binning import Bins
from disentangle_metrics.estimators.counts.counts import count
from disentangle_metrics.estimators.counts.entropy import Information, bounded_by_entropy, counted_information
from disentangle_metrics.estimators.pairing import Groups, fixed_factor_variances, joint_groups
from disentangle_metrics.estimators.posteriors.quadrature import information_about_rows, posterior_information
from disentangle_metrics.estimators.posteriors.quantised import quantised_information
from disentangle_metrics.estimators.posteriors.sampling import sampled_information
from disentangle_metrics.estimators.probes import probes
from disentangle_metrics.estimators.probes.probes import ProbeTables, Target
from disentangle_metrics.estimators.probes.splits import split_rows
from disentangle_metrics.estimators.scaling import bounded_units, comparable
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.relations.active import POSTERIOR_THRESHOLD, ActiveLatents, active_latents
from disentangle_metrics.relations.circles import with_circles
from disentangle_metrics.relations.neighbours import information_by_neighbours
from disentangle_metrics.relations.predictions import fit_each
from disentangle_metrics.settings import (
    Active,
    Correction,
    InformationEstimator,
    Mass,
    Probe,
    Split,
    Strategy,
)

P = ParamSpec("P")
T = TypeVar("T")
Floats = NDArray[np.float64]
OF_FACTORS = ("varying_factors", "factor_bins", "_codes_of", "groups", "groups_of_others")  # alone


def _relation(method: Callable[Concatenate[Relations, P], T]) -> Callable[Concatenate[Relations, P], T]:
    """Compute once for each set of arguments, defaults included, whichever thread asks first."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def cached(self: Relations, *args: P.args, **kwargs: P.kwargs) -> T:
        import joblib

        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        key = joblib.hash((method.__name__, list(bound.arguments.items())[1:]))
        made = self._of_factors if method.__name__ in OF_FACTORS else self._made
        with self._lock:
            if key not in made:
                made[key] = _closed(method(self, *args, **kwargs))
        return cast(T, made[key])

    return cast("Callable[Concatenate[Relations, P], T]", cached)


def _closed(made: T) -> T:
    """The same, with its arrays closed to writing: what one metric wrote, the others would read."""
    if isinstance(made, np.ndarray):
        made.flags.writeable = False
    elif isinstance(made, tuple | list) or is_dataclass(made):
        for part in vars(made).values() if is_dataclass(made) else made:
            _closed(part)
    return made


class Relations:
    """The relations between the latents and the factors of one checked input.

    Attributes
    ----------
    inputs
        The checked input.
    seed
        Seed of every draw made for a relation (the split of the rows).
    n_jobs
        Processes for the probes; it never changes a result.
    edges_of
        Relations whose bins these are counted in: those of all rows, for a resample of some of them.
    of_factors
        What is made of the factors alone, shared by the relations of several latents with the same factors.
    """

    def __init__(
        self,
        inputs: Inputs,
        *,
        seed: int = 0,
        n_jobs: int | None = 1,
        edges_of: Relations | None = None,
        of_factors: dict[Any, Any] | None = None,
    ) -> None:
        self.inputs, self.seed, self.n_jobs, self.edges_of = inputs, seed, n_jobs, edges_of
        _closed([(factor.codes, factor.numbers, factor.values, factor.present) for factor in inputs.factors])
        self._made: dict[Any, Any] = {}
        self._of_factors, self._lock = {} if of_factors is None else of_factors, RLock()

    def generator(self, purpose: str) -> np.random.Generator:
        """A generator that depends on the seed and the purpose, not on what was drawn before."""
        return np.random.default_rng([self.seed, *purpose.encode()])

    @property
    def latents(self) -> NDArray[np.floating]:
        """The latents (N, D) as :func:`.scaling.comparable` has them."""
        return self._comparable[0]

    @property
    def given(self) -> NDArray[np.floating]:
        """The latents (N, D) in their own units: those are cut into bins, and go with `logvar`."""
        return self.inputs.latents

    @functools.cached_property
    def _comparable(self) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
        return _closed(comparable(self.given, *self.ends()))

    def exponents(self) -> NDArray[np.int64]:
        """The powers of two by which `latents` were divided. Shape (D,)."""
        return self._comparable[1]

    def complete_cases(self) -> Relations:
        """The relations in the rows that have a value of every factor: here all rows."""
        return self

    @_relation
    def ends(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Smallest and largest value of each latent. Shape (D,) each."""
        return binning.column_ranges(self.given)

    @_relation
    def constant(self) -> NDArray[np.bool_]:
        """Which latents are numerically constant. Shape (D,)."""
        return binning.numerically_constant(*self.ends(), self.inputs.latents.dtype)

    @_relation
    def variances(self) -> NDArray[np.float64]:
        """Unbiased variance of each of `latents`, 0 where it is numerically constant. Shape (D,)."""
        return np.where(self.constant(), 0.0, correlation.variances(self.latents))

    def variances_in_units(self) -> NDArray[np.float64]:
        """Those of the latents as given, above 0 where a latent varies by however little. Shape (D,)."""
        moving = np.where(self.variances() > 0, np.finfo(np.float64).tiny, 0.0)
        return np.asarray(np.maximum(np.ldexp(self.variances(), 2 * self.exponents()), moving))

    @_relation
    def varying_factors(self) -> NDArray[np.bool_]:
        """Which factors have more than one value. Shape (K,)."""
        return np.array([factor.varies for factor in self.inputs.factors])

    def need_factors(self, count: int, what: str) -> NDArray[np.bool_]:
        """The factors that vary, if there are at least `count`.

        Raises NotApplicable if there are fewer.
        """
        varying = self.varying_factors()
        if int(varying.sum()) < count:
            number = "a factor" if count == 1 else "two factors"
            raise NotApplicable(f"{what} needs {number} with more than one value, got {int(varying.sum())}")
        return varying

    @_relation
    def active(self, rule: Active) -> ActiveLatents:
        """Which latents are active: see :func:`.active.active_latents`.

        With a posterior ``"auto"`` means those whose mean has a variance above 0.01 (Li et al. 2020); the
        scale of plain arrays means nothing, and it is ``"varying"``.
        Raises NotApplicable if no latent is active.
        """
        if rule == "auto" and self.inputs.logvar is not None:
            rule = POSTERIOR_THRESHOLD
        names = self.inputs.latent_names
        return active_latents(rule, names, self.variances_in_units(), self.constant(), self.ranges())

    def ranges(self) -> NDArray[np.float64]:
        """Largest minus smallest value of each latent. Shape (D,)."""
        low, high = self.ends()
        return high - low

    def bins(self, bins: int, strategy: Strategy) -> Bins:
        """The bins that latents are cut into."""
        return (self.edges_of or self)._own_bins(bins, strategy)

    @_relation
    def _own_bins(self, bins: int, strategy: Strategy) -> Bins:
        cut = binning.make_bins(self.given, bins, strategy)
        categorical = self.inputs.latents_of("categorical") if any(self.inputs.latent_types) else ()
        return binning.own_values(cut, self.given, categorical) if categorical else cut

    @_relation
    def factor_bins(self, k: int, bins: int, strategy: Strategy) -> Bins:
        """The bins that a continuous factor is cut into."""
        factor = self.inputs.factors[k]
        if factor.period is not None:  # the bins of a circle do not depend on where its values end
            return binning.uniform_bins(np.zeros(1), np.array([factor.period]), bins, np.dtype(np.float64))
        return binning.make_bins(factor.given_numbers()[:, None], bins, strategy)

    def factor_codes(
        self, bins: int, strategy: Strategy, factor_bins: int | None = None
    ) -> tuple[list[NDArray[np.integer]], list[int]]:
        """Each factor as codes (N,), and each one's number of codes.

        Continuous factors are cut like latents; categories are the codes, unless there are more of
        them than `factor_bins`: then their values are cut into as many bins of equal width.
        """
        coded = [self._codes_of(k, bins, strategy, factor_bins) for k in range(self.inputs.shape[2])]
        return [codes for codes, _ in coded], [size for _, size in coded]

    @_relation
    def _codes_of(
        self, k: int, bins: int, strategy: Strategy, factor_bins: int | None
    ) -> tuple[NDArray[np.integer], int]:
        factor = self.inputs.factors[k]
        if factor.codes is None:
            cut = (self.edges_of or self).factor_bins(k, bins, strategy)
            return cut.encode(0, factor.given_numbers()), bins
        if factor_bins is None or len(factor.levels) <= factor_bins:
            return factor.codes, len(factor.levels)
        merged, size = factor.merged_levels(factor_bins)
        return merged[factor.codes], size

    @_relation
    def mutual_information(
        self,
        *,
        bins: int = 20,
        strategy: Strategy = "uniform",
        estimator: InformationEstimator = "histogram",
        factor_bins: int | None = None,
        k: int = 3,
        bounded: bool = True,
        correction: Correction = "none",
        samples: int = 10_000,
    ) -> Information:
        """Mutual information of every latent with every factor, in nats.

        Raises NotApplicable with an estimator for posteriors, if the input has none.

        Parameters
        ----------
        bins, strategy
            How latents, and continuous factors, are cut; see :mod:`.counts.binning`.
        estimator
            ``"histogram"``: plug-in on the binned latents. ``"nearest_neighbours"``: Ross 2014 for
            factors of categories, Kraskov et al. 2004 for continuous ones. ``"posterior"``: from the
            density of the posteriors; with ``"_monte_carlo"``, by `samples` for each entropy.
        factor_bins
            Most values a categorical factor may keep; see :meth:`factor_codes`.
        k, bounded
            Number of neighbours; cut estimates that scatter at the factor's entropy, a bound.
        correction
            ``"miller_madow"``: of the entropies of counts, for their bias; with the histogram only.
        """
        if correction != "none" and estimator != "histogram":
            raise InputError(f"`correction` is of counts, which the estimator {estimator!r} has not")
        codes, sizes = self.factor_codes(bins, strategy, factor_bins)
        if estimator == "posterior":
            return posterior_information(*self._posterior(), codes, sizes)
        if estimator == "histogram":
            tables = count(self.given, self.bins(bins, strategy), codes, sizes)
            return counted_information(tables, correction)
        if estimator == "nearest_neighbours":
            rng = self.generator("nearest neighbours")
            information = information_by_neighbours(self.inputs, self.latents, self.constant(), codes, k, rng)
        elif estimator == "posterior_monte_carlo":
            rng = self.generator("posterior samples")
            information = sampled_information(self.given, self.need_logvar(), codes, sizes, samples, rng)
        else:
            assert_never(estimator)
        return bounded_by_entropy(information, self.inputs.factor_names) if bounded else information

    def need_logvar(self) -> NDArray[np.floating]:
        """The posteriors' log-variances (N, D). Raises NotApplicable if plain arrays were given."""
        if self.inputs.logvar is None:
            raise NotApplicable("needs posteriors: pass `dm.GaussianPosterior(mean, logvar)` as latents")
        return self.inputs.logvar

    def _posterior(self) -> tuple[Any, Any]:
        """Means and log-variances, on the device they were given on."""
        logvar, given = self.need_logvar(), self.inputs.on_device
        return (self.given, logvar) if given is None else (given.mean, given.logvar)

    @_relation
    def quantised_information(
        self, edges: tuple[float, ...], bins: int, strategy: Strategy, mass: Mass
    ) -> tuple[Information, NDArray[np.float64]]:
        """Information of posteriors cut at `edges`, and each latent's mass beyond them (D,)."""
        codes, sizes = self.factor_codes(bins, strategy)
        return quantised_information(self.given, self.need_logvar(), codes, sizes, np.array(edges), mass)

    @_relation
    def information_about_rows(self) -> NDArray[np.float64]:
        """I(x; z_j) of each latent, in nats, from the posteriors. Shape (D,)."""
        return information_about_rows(*self._posterior())

    @_relation
    def groups(
        self, bins: int = 20, strategy: Strategy = "uniform", factor_bins: int | None = None
    ) -> tuple[Groups, ...]:
        """For each factor the rows sorted by its value (binned as in :meth:`factor_codes`)."""
        codes, sizes = self.factor_codes(bins, strategy, factor_bins)
        return tuple(Groups.of(c, s) for c, s in zip(codes, sizes, strict=True))

    @_relation
    def groups_of_others(self, bins: int = 20, strategy: Strategy = "uniform") -> tuple[Groups, ...]:
        """For each factor the rows sorted by the joint value of all other factors."""
        codes, sizes = self.factor_codes(bins, strategy)
        return tuple(
            joint_groups(codes[:k] + codes[k + 1 :], sizes[:k] + sizes[k + 1 :]) for k in range(len(codes))
        )

    def relative_variances(self, *draws: Any) -> NDArray[np.float64]:
        """:func:`.pairing.fixed_factor_variances` over those of all rows (draws, D); NaN if constant."""
        everywhere = self.variances()
        return fixed_factor_variances(self.latents, *draws) / np.where(everywhere > 0, everywhere, np.nan)

    @_relation
    def scatter_root(self) -> NDArray[np.float64]:
        """Upper triangular R (D, D): R'R is the scatter matrix of the latents, constant ones as 0."""
        return correlation.scatter_root(self.latents, self.constant())

    @_relation
    def squared_correlation(
        self,
        rows: Literal["all", "train"] = "all",
        split: Split = None,
        max_rows: int | None = 15_000,
        *,
        ranks: bool = False,
    ) -> NDArray[np.float64]:
        """Squared correlation of every latent with every factor (D, K), on all rows or the train rows.

        Pearson's, or with `ranks` Spearman's.
        """
        index = slice(None) if rows == "all" else self.split(split, max_rows)[0]
        latents = self.latents[index]
        factors = np.stack([factor.as_numbers()[index] for factor in self.inputs.factors], axis=1)
        if ranks:
            latents, factors = correlation.ranks(latents), correlation.ranks(factors)
        squared = correlation.squared_pearson(latents, factors, self.constant())
        return with_circles(squared, self.inputs, self.constant(), (latents, factors), index)

    @_relation
    def split(self, split: Split, max_rows: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows to train a probe on, and rows to test it on; see :func:`.splits.split_rows`."""
        total, given, origin = len(self.latents), self.inputs.given, self.inputs.origin
        return split_rows(split, total, max_rows, self.generator("split"), given or total, origin)

    @_relation
    def probes(self, *, probe: Probe, alpha: float | None, split: Split, max_rows: int | None) -> ProbeTables:
        """One probe per factor that varies: its importances and its quality on the test rows."""
        named = isinstance(probe, str)
        classified = not (named and probe in probes.REGRESSIONS)
        categories = [f.codes is not None and classified for f in self.inputs.factors]
        fit_one = functools.partial(probes.fit, probe, alpha=alpha, seed=self.seed)
        fitted = self.per_factor(fit_one, split, max_rows, self.varying_factors(), categories, not named)
        return ProbeTables.of(fitted, self.inputs.shape[1:])

    @_relation
    def svm_accuracy(self, *, split: Split, max_rows: int | None, balanced: bool = False) -> Floats:
        """Test accuracy of a linear SVM on each latent alone, for factors of categories (D, K)."""
        categories = np.array([factor.codes is not None for factor in self.inputs.factors])
        accuracy, wanted = np.zeros(self.inputs.shape[1:]), self.varying_factors() & categories
        fit = functools.partial(probes.svm_accuracies, balanced=balanced)
        columns = self.per_factor(fit, split, max_rows, wanted, categories, as_given=True)
        for k, column in columns.items():
            accuracy[:, k] = column
        return accuracy

    def per_factor(
        self,
        function: Callable[[NDArray[np.floating], NDArray[np.floating], Target], T],
        split: Split,
        max_rows: int | None,
        wanted: NDArray[np.bool_],
        as_categories: Sequence[bool] | NDArray[np.bool_],
        as_given: bool = False,
    ) -> dict[int, T]:
        """``function(train, test, target)`` for each wanted factor; see :func:`.predictions.fit_each`.

        It reads `latents`; with `as_given` those of the input, of which only extreme sizes are bounded.
        """
        rows = self.split(split, max_rows)
        latents = bounded_units(self.given) if as_given else self.latents
        return fit_each(function, latents, self.inputs.factors, rows, wanted, as_categories, self.n_jobs)
