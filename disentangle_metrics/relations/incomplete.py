"""Relations where factors lack values in some rows: each factor is read in the rows that have one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar, Unpack

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.counts.entropy import Information, side_by_side
from disentangle_metrics.estimators.probes.probes import Target
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import InformationSettings, Mass, Split, Strategy

T = TypeVar("T")


class IncompleteRelations(Relations):
    """Tables whose columns come from different rows: those with a value of the column's factor.

    Each column is the one of that factor's rows alone. What has no such columns, as the rows that
    share a value of one factor and not of another, has to be read from :meth:`complete_cases`.
    """

    def complete_cases(self) -> Relations:
        """The relations in the rows that have a value of every factor."""
        return self._complete

    @functools.cached_property
    def _complete(self) -> Relations:
        edges = None if self.edges_of is None else self.edges_of.complete_cases()
        return Relations(self.inputs.complete(), seed=self.seed, n_jobs=self.n_jobs, edges_of=edges)

    @functools.cached_property
    def parts(self) -> list[tuple[tuple[int, ...], Relations]]:
        """The factors that have values in the same rows, and the relations in those rows."""
        if isinstance(self.edges_of, IncompleteRelations):
            # A resample keeps the parts of the rows it was drawn from, and the edges of their bins.
            return [
                (factors, Relations(self.inputs.having(factors), seed=self.seed, n_jobs=self.n_jobs,
                                    edges_of=part))
                for factors, part in self.edges_of.parts
            ]  # fmt: skip
        return [
            (factors, Relations(part, seed=self.seed, n_jobs=self.n_jobs))
            for factors, part in self.inputs.by_factor()
        ]

    def factor_codes(
        self, bins: int, strategy: Strategy, factor_bins: int | None = None
    ) -> tuple[list[NDArray[np.integer]], list[int]]:
        """Refused, so that no metric can take a value that is not there for one more category."""
        raise ValueError("rows without a value have no code: read the complete cases")

    def mutual_information(self, **settings: Unpack[InformationSettings]) -> Information:
        """As for complete factors, each in its own rows; bins too are those of these rows."""
        return side_by_side([(factors, part.mutual_information(**settings)) for factors, part in self.parts])

    def quantised_information(
        self, edges: tuple[float, ...], bins: int, strategy: Strategy, mass: Mass
    ) -> tuple[Information, NDArray[np.float64]]:
        """As for complete factors, each in its own rows; the mass beyond is the largest of any."""
        results = [
            (factors, part.quantised_information(edges, bins, strategy, mass)) for factors, part in self.parts
        ]
        outside = np.max([beyond for _, (_, beyond) in results], axis=0)
        return side_by_side([(factors, information) for factors, (information, _) in results]), outside

    def squared_correlation(
        self,
        rows: Literal["all", "train"] = "all",
        split: Split = None,
        max_rows: int | None = 15_000,
        *,
        ranks: bool = False,
    ) -> NDArray[np.float64]:
        """As for complete factors, each in its own rows."""
        correlations = np.zeros(self.inputs.shape[1:])
        for factors, part in self.parts:
            correlations[:, factors] = part.squared_correlation(rows, split, max_rows, ranks=ranks)
        return correlations

    def per_factor(
        self,
        function: Callable[[NDArray[np.floating], NDArray[np.floating], Target], T],
        split: Split,
        max_rows: int | None,
        wanted: NDArray[np.bool_],
        as_categories: Sequence[bool] | NDArray[np.bool_],
        as_given: bool = False,
    ) -> dict[int, T]:
        """As for complete factors, each with a split of its own rows."""
        categories = np.asarray(as_categories)
        results: dict[int, T] = {}
        for factors, part in self.parts:
            columns = list(factors)
            if wanted[columns].any():
                settings = split, max_rows, wanted[columns], categories[columns], as_given
                own = part.per_factor(function, *settings)
                results |= {factors[k]: result for k, result in own.items()}
        return dict(sorted(results.items()))
