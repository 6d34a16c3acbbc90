"""The laws a metric must obey, for the built-in ones and for plug-in authors alike.

``check_metric("my_metric")`` draws small tables of latents and factors and checks every law that
the metric's definition claims. It raises AssertionError with the law that is broken.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.inputs import Missing
from disentangle_metrics.metrics.definition import MetricDefinition
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric
from disentangle_metrics.scoring.score import score
from disentangle_metrics.settings import Only, marks, setting_text
from disentangle_metrics.settings import choices as listed

SEEDS = range(6)  # runs of a metric that draws, on each side of a comparison


@dataclass(frozen=True)
class Example:
    """A small table to try a metric on: latents (N, D), factors (N, K), and a generator for the law."""

    latents: NDArray[np.float64]
    factors: NDArray[np.int64]
    rng: np.random.Generator


@dataclass(frozen=True)
class Subject:
    """The metric under test, with the settings to test it at."""

    definition: MetricDefinition
    settings: dict[str, Any]

    def report(
        self, latents: Any, factors: Any, seed: int = 0, n_jobs: int = 1, missing: Missing = "raise"
    ) -> Report:
        """Its scores on these arrays; of posteriors around the latents, if it needs posteriors.

        A metric that ends with an error of its own breaks whatever law it is tried for.
        """
        if self.definition.needs_posterior or str(self.settings.get("estimator")).startswith("posterior"):
            latents = GaussianPosterior(latents, _widths(latents))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ScoreWarning)
            metric = Metric(self.definition.name, **self.settings)
            report = score(
                latents, factors, metrics=metric, missing=missing, seed=seed, n_jobs=n_jobs, anchors=False
            )
        for check in report.checks():
            _hold(check.code != "failed", check.message)
        return report

    def alike(self, law: str, one: tuple[Any, Any], other: tuple[Any, Any]) -> None:
        """Both pairs (latents, factors) score the same: to 1e-12, or within sampling error if it draws."""
        draws = any("|seed:" in score.signature for score in self.report(*one).values())
        seeds = SEEDS if draws else range(1)
        runs = [[self.report(*pair, seed=seed) for seed in seeds] for pair in (one, other)]
        for key in self.definition.keys:
            first, second = (np.array([report[key].value for report in reports]) for reports in runs)
            if np.isnan(first).all() and np.isnan(second).all():
                continue
            tolerance = 1e-12
            if len(seeds) > 1:
                spread = math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / len(seeds))
                tolerance = 6 * spread + 1e-9
            difference = abs(first.mean() - second.mean())
            _hold(
                difference <= tolerance,
                f"{key} breaks the law '{law}': {first.mean()} became {second.mean()}, "
                f"a difference of {difference:.3g} where {tolerance:.3g} is allowed",
            )


NO_REASON = "is not a number on this input"  # what score() says where the metric says nothing

Law = Callable[[Subject, Example], None]


def plain_number_in_range(subject: Subject, example: Example) -> None:
    """Every score is a float inside the stated range, or NaN with a reason."""
    report = subject.report(example.latents, example.factors)
    for facts in subject.definition.scores_with({**subject.definition.settings, **subject.settings}):
        found = report[facts.key]
        _hold(type(found.value) is float, f"{facts.key} is a {type(found.value).__name__}, not a float")
        if math.isnan(found.value):
            own = bool(found.reason) and NO_REASON not in found.reason
            _hold(own, f"{facts.key} is NaN without a reason")
        else:
            low, high = facts.range
            _hold(
                low - 1e-12 <= found.value <= high + 1e-12,
                f"{facts.key} = {found.value} leaves {facts.range}",
            )


def order_of_latents(subject: Subject, example: Example) -> None:
    """The order of the latents changes nothing."""
    order = example.rng.permutation(example.latents.shape[1])
    changed = (example.latents[:, order], example.factors)
    subject.alike("order of latents", (example.latents, example.factors), changed)


def order_of_factors(subject: Subject, example: Example) -> None:
    """The order of the factors changes nothing."""
    order = example.rng.permutation(example.factors.shape[1])
    changed = (example.latents, example.factors[:, order])
    subject.alike("order of factors", (example.latents, example.factors), changed)


def order_of_rows(subject: Subject, example: Example) -> None:
    """The order of the rows changes nothing."""
    order = example.rng.permutation(len(example.latents))
    changed = (example.latents[order], example.factors[order])
    subject.alike("order of rows", (example.latents, example.factors), changed)


def relabelled_factors(subject: Subject, example: Example) -> None:
    """Other labels for the factors' values change nothing, if that is claimed."""
    if not subject.definition.label_free:
        return
    columns = []
    for column in example.factors.T:
        levels, codes = np.unique(column, return_inverse=True)
        labels = example.rng.choice(np.arange(-1000, 1000), size=len(levels), replace=False)
        columns.append(labels[codes])
    changed = (example.latents, np.stack(columns, axis=1))
    subject.alike("relabelled factors", (example.latents, example.factors), changed)


def rescaled_latents(subject: Subject, example: Example) -> None:
    """Another scale and origin for each latent change nothing, if that is claimed."""
    if not subject.definition.scale_free:
        return
    count = example.latents.shape[1]
    scale, origin = 10 ** example.rng.uniform(-3, 3, count), example.rng.uniform(-1, 1, count)
    changed = ((example.latents + origin) * scale, example.factors)
    subject.alike("rescaled latents", (example.latents, example.factors), changed)


def same_bits(subject: Subject, example: Example) -> None:
    """The same seed and input give the same bits, also with two processes."""
    reports = [subject.report(example.latents, example.factors, seed=3, n_jobs=jobs) for jobs in (1, 1, 2)]
    first = reports[0].to_dict()["scores"]
    for report in reports[1:]:
        _hold(report.to_dict()["scores"] == first, f"{subject.definition.name}: same seed, other bits")


def place_of_a_dead_latent(subject: Subject, example: Example) -> None:
    """A constant latent may stand first or last."""
    dead = np.full((len(example.latents), 1), 0.25)
    first = np.hstack([dead, example.latents])
    last = np.hstack([example.latents, dead])
    subject.alike("place of a dead latent", (first, example.factors), (last, example.factors))
    if not (example.latents.std(axis=0) > 0).any():
        return
    for key in subject.definition.keys:
        alive = subject.report(example.latents, example.factors)[key].value
        value = subject.report(last, example.factors)[key].value
        _hold(math.isnan(alive) or not math.isnan(value), f"{key}: a dead latent makes the score NaN")


def constant_factor(subject: Subject, example: Example) -> None:
    """A constant factor is left out, with a warning."""
    constant = np.full((len(example.factors), 1), 7)
    wider = np.hstack([example.factors, constant])
    subject.alike("constant factor", (example.latents, example.factors), (example.latents, wider))
    for found in subject.report(example.latents, wider).values():
        said = any("is constant" in warning for warning in found.warnings)
        _hold(said, f"{found.key} does not warn of a constant factor")


def nan_refused(subject: Subject, example: Example) -> None:
    """A NaN among the latents is refused, and its row is named."""
    latents = example.latents.copy()
    row = int(example.rng.integers(len(latents)))
    latents[row, 0] = math.nan
    try:
        subject.report(latents, example.factors)
    except InputError as error:
        _hold(f"row {row}," in str(error), f"the error does not name row {row}: {error}")
    else:
        _hold(False, f"{subject.definition.name} accepts NaN")


def missing_rows_dropped(subject: Subject, example: Example) -> None:
    """With missing="drop", rows without latents or without factors are as if they were not there."""
    latents, factors = example.latents.copy(), example.factors.astype(np.float64)
    rows = example.rng.permutation(len(latents))[: len(latents) // 4]
    latents[rows[::2], -1] = math.nan
    factors[rows[1::2]] = math.nan
    kept = np.ones(len(latents), dtype=bool)
    kept[rows if subject.definition.needs_factors else rows[::2]] = False
    found = subject.report(latents, factors, missing="drop")
    filtered = subject.report(example.latents[kept], example.factors[kept])
    for key in subject.definition.keys:
        values = found[key].value, filtered[key].value
        _hold(
            values[0] == values[1] or (math.isnan(values[0]) and math.isnan(values[1])),
            f"{key} is {values[0]} with rows dropped and {values[1]} without them",
        )


LAWS: tuple[Law, ...] = (
    plain_number_in_range,
    order_of_latents,
    order_of_factors,
    order_of_rows,
    relabelled_factors,
    rescaled_latents,
    same_bits,
    place_of_a_dead_latent,
    constant_factor,
    nan_refused,
    missing_rows_dropped,
)


def make_example(rows: int, sizes: list[int], latents: int, noise: float, seed: int) -> Example:
    """A table in which latents follow mixtures of factors, with some noise; one latent may be discrete."""
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(size, size=rows) for size in sizes], axis=1)
    mixing = rng.normal(size=(len(sizes), latents)) * (rng.random((len(sizes), latents)) < 0.5)
    table = factors @ mixing + noise * rng.normal(size=(rows, latents))
    if rng.random() < 0.5:
        table[:, 0] = factors[:, 0]  # a code that is exactly the factor
    if rng.random() < 0.3:
        table[:, -1] = np.exp(table[:, -1] / 2)
    return Example(table, factors.astype(np.int64), rng)


# Choices under which the built-in metrics do not claim a law: a posterior's width is not rescaled with its
# mean here, some look at the latents' scale on purpose, and regressions read the numbers of factors.
UNCLAIMED: dict[Law, tuple[tuple[str, Any], ...]] = {
    rescaled_latents: (
        ("active", "range"),
        ("estimator", "posterior"),
        ("estimator", "posterior_monte_carlo"),
        ("kernel", "exponential"),
        ("scaling", "none"),
        ("weights", "variance"),
    ),
    relabelled_factors: (
        ("kind", "regression"),
        ("probe", "lasso"),
        ("probe", "review_forest"),
        ("probe", "review_lasso"),
    ),
}


def choices_of(name: str) -> list[dict[str, Any]]:
    """Settings that try each value which a registered metric's settings list, other than the defaults.

    One value at a time, with what it needs of another setting.
    """
    definition = find_metric(name)
    return [
        {setting: value, **_company(definition, setting)}
        for setting, kind in definition.types.items()
        for value in listed(kind)
        if setting_text(value) != definition.default_texts[setting]
    ]


def _company(definition: MetricDefinition, setting: str) -> dict[str, Any]:
    """What another setting must be for this one to matter, or to be allowed; empty if it always does."""
    for mark in marks(definition.types[setting]):
        if isinstance(mark, Only):
            return {mark.other: mark.values[0]}
    return {other: values[0] for other, values in definition.conditions.get(setting, ())[:1]}


def check_metric(
    name: str,
    *,
    laws: tuple[Law, ...] = LAWS,
    examples: int = 20,
    choices: bool = True,
    **settings: Any,
) -> None:
    """Check that a registered metric obeys the laws, on tables drawn by hypothesis.

    Parameters
    ----------
    name
        Its name, as in ``score(..., metrics=[name])``.
    laws
        The laws to check; by default all that its definition claims.
    examples
        Tables drawn for each law.
    choices
        Whether to try each value that a setting's type lists, such as the words of a Literal, as well: one
        at a time, the others as given or at their defaults, on a tenth of the tables.
    **settings
        Settings of the metric to check it at, e.g. fewer votes for speed. They are kept.

    Raises
    ------
    AssertionError
        With the law that is broken, on the smallest table that was found to break it.
    """
    from hypothesis import HealthCheck, given
    from hypothesis import settings as hypothesis_settings
    from hypothesis import strategies as st

    tables = st.builds(
        make_example,
        rows=st.integers(40, 150),
        sizes=st.lists(st.integers(2, 5), min_size=1, max_size=3),
        latents=st.integers(1, 4),
        noise=st.sampled_from([0.0, 0.05, 0.5]),
        seed=st.integers(0, 2**16),
    )
    tried: list[tuple[dict[str, Any], int]] = [({}, examples)]
    if choices:
        rest = [chosen for chosen in choices_of(name) if not chosen.keys() & settings.keys()]
        tried += [(chosen, max(1, examples // 10)) for chosen in rest]
    for chosen, tables_drawn in tried:
        subject = Subject(find_metric(name), {**settings, **chosen})
        rules = hypothesis_settings(
            max_examples=tables_drawn,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        for law in laws:
            if not any(pair in subject.settings.items() for pair in UNCLAIMED.get(law, ())):
                rules(given(tables)(_bound(law, subject)))()


def _bound(law: Law, subject: Subject) -> Callable[[Example], None]:
    def check(example: Example) -> None:
        law(subject, example)

    return check


def _widths(latents: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-variances that vary over the rows, by a rule that knows no order of rows or latents."""
    return np.cos(3 * latents) - 2.5


def _hold(truth: bool, message: str) -> None:
    if not truth:
        raise AssertionError(message)
