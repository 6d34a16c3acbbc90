"""Relations of groups of latents: each group is one latent, made of several columns."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar, Unpack

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators import circular, correlation, linear
from disentangle_metrics.estimators.counts.entropy import (
    Information,
    bounded_by_entropy,
    counted_information,
    side_by_side,
)
from disentangle_metrics.estimators.group_information import (
    FEWER_CELLS,
    joint_tables,
    neighbour_information_of_groups,
)
from disentangle_metrics.estimators.probes import probes
from disentangle_metrics.estimators.probes.probes import ProbeTables, Target
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.relations.incomplete import IncompleteRelations
from disentangle_metrics.relations.neighbours import places
from disentangle_metrics.relations.relations import Floats, Relations
from disentangle_metrics.settings import InformationSettings, Mass, Probe, Split, Strategy

T = TypeVar("T")


class GroupedRelations(Relations):
    """The tables of groups, from those of `columns` where that is what a group's entry is made of.

    - Mutual information: joint cells, or neighbours in all columns of a group, by arc length on circles.
    - Variances within votes: the mean over the group's columns, each over its own variance.
    - Importances of probes: their sum over the group's columns.
    - Squared correlation: of the best linear map of the group's columns, cross-fitted.

    What reads single columns is refused with a reason, so that the score is NaN rather than another one.
    """

    def __init__(self, inputs: Inputs, columns: Relations) -> None:
        super().__init__(inputs, seed=columns.seed, n_jobs=columns.n_jobs)
        self.columns = columns

    @property
    def latents(self) -> NDArray[np.floating]:
        """Refused: a group is not a column."""
        raise NotApplicable("reads single latents, and has no definition for groups of them")

    @property
    def given(self) -> NDArray[np.floating]:
        """Refused, as `latents`."""
        return self.latents

    def complete_cases(self) -> Relations:
        """The relations in the rows that have a value of every factor."""
        return self._complete if self.inputs.incomplete else self

    @functools.cached_property
    def _complete(self) -> Relations:
        return GroupedRelations(self.inputs.complete(), self.columns.complete_cases())

    def constant(self) -> NDArray[np.bool_]:
        """Which groups have only columns that are numerically constant."""
        columns = self.columns.constant()
        return np.array([columns[list(group)].all() for group in self.inputs.groups])

    def variances_in_units(self) -> NDArray[np.float64]:
        """The largest variance of each group's columns: a group is active if a column is."""
        return self._largest(self.columns.variances_in_units())

    def ranges(self) -> NDArray[np.float64]:
        """The largest range of each group's columns."""
        return self._largest(self.columns.ranges())

    def _largest(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([values[list(group)].max() for group in self.inputs.groups])

    def relative_variances(self, *draws: Any) -> NDArray[np.float64]:
        """The mean over a group's columns that vary; NaN where none does."""
        columns = self.columns.relative_variances(*draws)
        moving = ~self.columns.constant()
        result = np.full((len(columns), len(self.inputs.groups)), np.nan)
        for place, group in enumerate(self.inputs.groups):
            own = [column for column in group if moving[column]]
            if own:
                result[:, place] = columns[:, own].mean(axis=1)
        return result

    def factor_codes(
        self, bins: int, strategy: Strategy, factor_bins: int | None = None
    ) -> tuple[list[NDArray[np.integer]], list[int]]:
        """Those of the columns: factors are what they are."""
        return self.columns.factor_codes(bins, strategy, factor_bins)

    def mutual_information(self, **settings: Unpack[InformationSettings]) -> Information:
        """Mutual information of every group with every factor, in nats.

        Raises
        ------
        NotApplicable
            With an estimator for posteriors.
        """
        columns = self.columns
        if isinstance(columns, IncompleteRelations):
            parts = [(factors, self._information(part, **settings)) for factors, part in columns.parts]
            return replace(side_by_side(parts), of_groups=True)
        return replace(self._information(columns, **settings), of_groups=True)

    def _information(self, columns: Relations, **settings: Unpack[InformationSettings]) -> Information:
        """From the rows of these columns."""
        bins, strategy = settings.get("bins", 20), settings.get("strategy", "uniform")
        estimator, correct = settings.get("estimator", "histogram"), settings.get("correction", "none")
        codes, sizes = columns.factor_codes(bins, strategy, settings.get("factor_bins"))
        units = self.inputs.groups
        if estimator == "histogram":
            tables = joint_tables(columns.given, units, columns.bins(bins, strategy), codes, sizes)
            return counted_information(tables, correct)
        if correct != "none":  # it was asked for with the histogram: other estimators are refused at the door
            raise NotApplicable(
                f"`correction` is of counts, and groups have too many joint cells to count: {FEWER_CELLS}"
            )
        if estimator != "nearest_neighbours":
            raise NotApplicable(f"the estimator {estimator!r} reads single latents: use 'nearest_neighbours'")
        if columns.inputs.latents_of("categorical"):
            raise NotApplicable(
                "categories have no neighbours, and a histogram needs 5 rows for each joint value: score "
                "more rows, groups of fewer latents, or fewer `bins` of columns that are no codes"
            )
        information = neighbour_information_of_groups(
            columns.latents,
            columns.constant(),
            units,
            [None if factor.values is None else places(factor) for factor in columns.inputs.factors],
            codes,
            settings.get("k", 3),
            columns.generator("nearest neighbours"),
            angles=columns.inputs.latent_angles(),
            circular=[k for k, factor in enumerate(columns.inputs.factors) if factor.period is not None],
        )
        if not settings.get("bounded", True):
            return information
        return bounded_by_entropy(information, columns.inputs.factor_names)

    def quantised_information(
        self, edges: tuple[float, ...], bins: int, strategy: Strategy, mass: Mass
    ) -> tuple[Information, NDArray[np.float64]]:
        """Refused."""
        raise NotApplicable("reads the posterior of single latents, and has no definition for groups of them")

    def information_about_rows(self) -> NDArray[np.float64]:
        """Refused."""
        raise NotApplicable("reads the posterior of single latents, and has no definition for groups of them")

    def scatter_root(self) -> NDArray[np.float64]:
        """Refused."""
        raise NotApplicable("reads single latents, and has no definition for groups of them")

    def squared_correlation(
        self,
        rows: Literal["all", "train"] = "all",
        split: Split = None,
        max_rows: int | None = 15_000,
        *,
        ranks: bool = False,
    ) -> NDArray[np.float64]:
        """Squared correlation of every group with every factor: multiple R2, cross-fitted in 5 folds.

        A group of one column has the squared correlation of that column.
        """
        if isinstance(self.columns, IncompleteRelations):
            table = np.zeros(self.inputs.shape[1:])
            for factors, part in self.columns.parts:
                table[:, factors] = self._squared(part, rows, split, max_rows, ranks)
            return table
        return self._squared(self.columns, rows, split, max_rows, ranks)

    def _squared(
        self, columns: Relations, rows: Any, split: Split, max_rows: int | None, ranks: bool
    ) -> NDArray[np.float64]:
        alone = columns.squared_correlation(rows, split, max_rows, ranks=ranks)
        index = slice(None) if rows == "all" else columns.split(split, max_rows)[0]
        latents = columns.latents[index]
        latents = correlation.ranks(latents) if ranks else latents
        around = columns.inputs.latent_angles()
        planes = {j: circular.as_plane(angles[index]) for j, angles in around.items()}
        targets = []
        for factor in columns.inputs.factors:
            target = factor.columns()[index]
            targets.append(correlation.ranks(target) if ranks and factor.period is None else target)
        folds = linear.folds_of(len(latents), columns.generator("folds"))
        table = np.empty((len(self.inputs.groups), len(targets)))
        moving = ~columns.constant()
        for place, group in enumerate(self.inputs.groups):
            if len(group) == 1:
                table[place] = alone[group[0]]
                continue
            own = [column for column in group if moving[column]]
            given = latents[:, own]
            if planes.keys() & own:  # an angle is told by its cosine and sine
                given = np.hstack([planes.get(column, latents[:, [column]]) for column in own])
            for k, target in enumerate(targets):
                table[place, k] = told(given, target, folds)
        return table

    def split(self, split: Split, max_rows: int | None) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """That of the columns."""
        return self.columns.split(split, max_rows)

    def probes(self, *, probe: Probe, alpha: float | None, split: Split, max_rows: int | None) -> ProbeTables:
        """Those of all columns, with the importances of a group's columns summed."""
        found = self.columns.probes(probe=probe, alpha=alpha, split=split, max_rows=max_rows)
        summed = np.stack([found.importances[list(group)].sum(axis=0) for group in self.inputs.groups])
        return ProbeTables(summed, found.quality, found.balanced)

    def svm_accuracy(self, *, split: Split, max_rows: int | None, balanced: bool = False) -> Floats:
        """Test accuracy of a linear SVM on each group's columns together."""
        categories = np.array([factor.codes is not None for factor in self.inputs.factors])
        accuracy = np.zeros(self.inputs.shape[1:])
        fit = functools.partial(probes.svm_accuracies, units=self.inputs.groups, balanced=balanced)
        wanted = self.varying_factors() & categories
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
        """With all columns."""
        return self.columns.per_factor(function, split, max_rows, wanted, as_categories, as_given)


def told(latents: NDArray[np.floating], target: NDArray[np.floating], folds: NDArray[np.integer]) -> float:
    """Share of a target (N, M) that these latents (N, D) tell linearly; the mean of its M columns."""
    if not latents.shape[1]:
        return 0.0
    columns, targets = linear.standardised(latents), linear.standardised(target)
    return float(linear.linear_r2(columns, targets, folds).mean())
