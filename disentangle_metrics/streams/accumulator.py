"""Accumulator: scores of rows that come in batches, or from several machines; only counts are kept.

Everything that is kept is a whole number, a smallest or a largest value, so that neither the order of
rows, batches and merges nor their sizes can change a bit of a score.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.estimators.counts.binning import column_ranges, uniform_bins
from disentangle_metrics.estimators.counts.counts import count
from disentangle_metrics.inputs.findings import on_counts
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.inputs.tables import read_factors
from disentangle_metrics.relations.counted import CountedRelations
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric, Options, choose
from disentangle_metrics.scoring.score import score_inputs
from disentangle_metrics.settings import setting_text
from disentangle_metrics.streams.countable import as_text, countable
from disentangle_metrics.streams.dask_blocks import is_dask, map_reduce, row_blocks
from disentangle_metrics.streams.layout import factor_of_levels, in_common, layout_of, refuse_order
from disentangle_metrics.streams.moments import step_sums, variance_of
from disentangle_metrics.streams.ranges import checked_ranges, is_batch, ranges_of, wider
from disentangle_metrics.streams.whole_rows import NO_HIERARCHY, declares, read_batch, read_types, row_names


class Accumulator:
    """Score rows that come in batches or from several machines; memory does not grow with the rows.

    It keeps counts of rows by latent bin and factor value, and each latent's extremes and moments. If
    `ranges` are those of all rows, each score's `value`, `per_factor` and `per_latent` are, to the
    last bit, those of :func:`score` on the same rows together, whatever their order, their batches
    and the order of merges. There are two exceptions.

    Whole numbers that nobody declares are categories here, since a batch does not show how many there are.
    `score` may measure them (docs/checks.md). Its signature then has another letter in ``kinds``, and a check
    asks here. Declare such a factor "categorical" to have one reading in both. A declared circle of so many
    has one signature, and is refused.

    Latents near a threshold of the setting `active` that is a number (with posteriors also "auto", 0.01) may
    be active in one and not in the other, and the remark on faint ones may differ. Variances are summed in
    steps of 2**-22 of each range, and so differ from `score`'s by about 1e-7 * range * deviation / sqrt(N)
    and rounding. No check says here whether factors depend on one another, or are one in one-hot code, or
    whether latents hold codes.

    Parameters
    ----------
    ranges
        Shape (D, 2): smallest and largest value of each latent, known beforehand or from
        :meth:`find_ranges`. They are the ends of the bins, so wider ones than the rows' give other,
        also valid, scores: these carry a warning, and ``ranges:`` in their signature.
    metrics
        As for :func:`score`: of those that can be computed from counts, as their cards say (see
        :func:`describe`), with the histogram and equal-width bins. None: those of the protocol's suite
        that can be had.
    protocol
        As for :func:`score`.
    bins
        Number of bins for all metrics; None: each metric's own.
    factor_values
        Names of factors, and all values that each may take: others are refused. Else values are taken
        as they come, and counts grow with their number.
    factor_names, factor_types, latent_names
        As for :func:`score`. Factors must be categories, and a circular one has its period declared, as in
        "circular:360", and at most 64 values. Whole numbers that nobody declares are categories however many.
    hierarchy
        Refused. :func:`score` cuts latents anew in the rows in which a factor exists, and the ends of these
        bins are not known while rows are counted.

    Raises
    ------
    InputError
        If an argument cannot be used, or a metric cannot be computed from counts.

    Examples
    --------
    >>> import numpy as np
    >>> import disentangle_metrics as dm
    >>> factors = np.indices((4, 5)).reshape(2, -1).T
    >>> batches = [(factors[rows] * 1.0, factors[rows]) for rows in (slice(0, 7), slice(7, 20))]
    >>> ranges = dm.Accumulator.find_ranges(latents for latents, _ in batches)
    >>> accumulator = dm.Accumulator(ranges=ranges, metrics=["mig", "modularity"])
    >>> for latents, values in batches:
    ...     accumulator.update(latents, values)
    >>> print(accumulator.compute()["mig"])
    mig 1.000
    """

    def __init__(
        self,
        *,
        ranges: ArrayLike,
        metrics: Iterable[str | Metric] | str | Metric | None = None,
        protocol: str = "default",
        bins: int | None = None,
        factor_values: Mapping[str, Iterable[Any]] | None = None,
        factor_names: Iterable[str] | None = None,
        factor_types: Iterable[str] | Mapping[str, str] | None = None,
        latent_names: Iterable[str] | None = None,
        hierarchy: None = None,
    ) -> None:
        if hierarchy is not None:
            raise InputError(NO_HIERARCHY)
        self._protocol = protocol
        self._ranges = checked_ranges(ranges)
        self._choices = countable(choose(metrics, protocol), metrics is None, bins)
        self._allowed = {name: set(values) for name, values in (factor_values or {}).items()}
        self._labels: dict[str, Any] = {
            "factor_names": None if factor_names is None else list(factor_names),
            "factor_types": read_types(factor_types),
            "latent_names": None if latent_names is None else list(latent_names),
        }
        sizes = (choice.settings["bins"] for choice in self._choices if "bins" in choice.settings)
        self._sizes: tuple[int, ...] = tuple(sorted(set(sizes)))
        self._forget()

    def _forget(self) -> None:
        """As before the first row."""
        self._layout: dict[str, Any] = {}  # what all batches have in common; the first one says it
        self._levels: list[dict[Any, int]] = []  # of each factor, in the order in which they came
        self._tables: dict[int, list[NDArray[np.int64]]] = {}  # bins -> factors of (D, values, bins)
        self._rows = 0
        latents = len(self._ranges)
        self._low, self._high = np.full(latents, np.inf), np.full(latents, -np.inf)
        self._sums = np.zeros((2, latents), dtype=object)  # of steps, and of their squares: exact

    @staticmethod
    def find_ranges(batches: Iterable[Any]) -> NDArray[np.float64]:
        """Smallest and largest value of each latent, from a first pass over the batches.

        Parameters
        ----------
        batches
            Latents (N, D) or GaussianPosteriors, one after the other, or one alone; of a Dask array each
            block is read where it lies. Ranges of several machines are merged by the smaller of the smallest
            and the larger of the largest.

        Returns
        -------
        Shape (D, 2), for `ranges`.

        Raises
        ------
        InputError
            If there is no batch, or one cannot be used.
        """
        found: NDArray[np.float64] | None = None
        for batch in [batches] if is_dask(batches) or is_batch(batches) else batches:
            ranges = ranges_of(batch)
            found = ranges if found is None else wider(found, ranges)
        if found is None:
            raise InputError("`batches` is empty, so that there are no ranges to find")
        return found

    def update(self, latents: Any, factors: Any) -> None:
        """Count some more rows. What is refused changes nothing.

        Parameters
        ----------
        latents
            Shape (N, D), or a GaussianPosterior; of one precision in all batches. Of a Dask array, or
            a posterior of two, the blocks are counted where they lie, and the counts merged.
        factors
            Shape (N, K), categories; decimals of one precision in all batches. With Dask latents a Dask
            array or DataFrame, of the same rows.

        Raises
        ------
        InputError
            If the rows cannot be used, a value lies outside of `ranges` or is none of
            `factor_values`, or the rows are not like those before.
        """
        if factors is None:
            raise InputError("`factors` must be given: an Accumulator counts rows by the factors' values")
        if is_dask(latents) or is_dask(factors):
            blocks = row_blocks(latents, factors)
            self.merge(map_reduce(blocks, self._empty()._counted, Accumulator._merged))
            return
        table = read_factors(factors)
        batch = read_batch(latents, table, **self._labels)
        low, high = self._checked_latents(batch)
        layout = in_common(self._layout, layout_of(batch, table))
        self._check_levels(layout, [factor.levels for factor in batch.factors])
        codes = [factor.codes for factor in batch.factors if factor.codes is not None]
        levels = [factor.levels for factor in batch.factors]
        found: dict[int, list[NDArray[np.int64]]] = {}
        for bins in self._sizes:
            cut = uniform_bins(self._ranges[:, 0], self._ranges[:, 1], bins, batch.latents.dtype)
            tables = count(batch.latents, cut, codes, [len(part) for part in levels])
            found[bins] = [np.swapaxes(table, 1, 2) for table in tables.joint]
        self._layout = layout
        self._add(levels, found, len(batch.latents), low, high, step_sums(batch.latents, self._ranges))

    def merge(self, other: Accumulator) -> None:
        """Add the rows that another accumulator counted, perhaps in another process.

        Raises
        ------
        InputError
            If it was made with other arguments, or counted rows of another kind; nothing changes then.
        """
        if not isinstance(other, Accumulator):
            raise InputError(f"`other` must be an Accumulator, got {type(other).__name__}")
        mine, theirs = ([as_text(choice) for choice in each._choices] for each in (self, other))
        if mine != theirs or self._protocol != other._protocol:
            raise InputError(
                "`other` was made for other `metrics`, `protocol` or `bins`; use the same for all"
            )
        if not np.array_equal(self._ranges, other._ranges):
            raise InputError(
                "`other` was made with other `ranges`; find them over all batches, and use these"
            )
        if not other._rows:
            return
        layout = in_common(self._layout, other._layout)
        levels = [tuple(part) for part in other._levels]
        self._check_levels(other._layout, levels)
        self._layout = layout
        self._add(levels, other._tables, other._rows, other._low, other._high, other._sums)

    def compute(self) -> Report:
        """The scores of all rows so far; without anchors and intervals, which need the rows themselves.

        Raises
        ------
        InputError
            If there are no rows yet, or `score` measures a circular factor of all rows.
        """
        if not self._rows:
            raise InputError("there are no rows to score yet: call `update` first")
        inputs, order = self._inputs()
        tables = {
            bins: [
                np.add.reduceat(np.take(parts[k], places, axis=1), starts, axis=1)
                for k, (places, starts) in order.items()
            ]
            for bins, parts in self._tables.items()
        }
        variance = variance_of(self._sums, self._ranges, self._rows)
        relations = CountedRelations(inputs, tables, self._low, self._high, variance)
        report = score_inputs(
            inputs, self._choices, Options(anchors=False), protocol=self._protocol, relations=relations
        )  # fmt: skip
        for text in report.warnings:
            warnings.warn(text, ScoreWarning, stacklevel=2)
        return report

    def _empty(self) -> Accumulator:
        """One like this, before the first row."""
        new = copy(self)
        new._forget()
        return new

    def _counted(self, latents: Any, factors: Any) -> Accumulator:
        """One like this, of these rows."""
        new = self._empty()
        new.update(latents, factors)
        return new

    def _merged(self, other: Accumulator) -> Accumulator:
        """One of the rows of both, which stay as they are: a cluster may read them again."""
        new = self._empty()
        new.merge(self)
        new.merge(other)
        return new

    def _checked_latents(self, batch: Inputs) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Smallest and largest value of each latent, which lie within the ranges."""
        if batch.shape[1] != len(self._ranges):
            raise InputError(f"`latents` has {batch.shape[1]} columns, but `ranges` {len(self._ranges)} rows")
        low, high = column_ranges(batch.latents)
        for name, found, (smallest, largest) in zip(
            batch.latent_names, zip(low, high, strict=True), self._ranges, strict=True
        ):
            outside = [float(value) for value in found if not smallest <= value <= largest]
            if outside:
                raise InputError(
                    f"`latents`: latent {name} has the value {outside[0]!r}, outside of its range "
                    f"{smallest:.17g} .. {largest:.17g}: find `ranges` over all batches, or widen them"
                )
        return low, high

    def _check_levels(self, layout: Mapping[str, Any], levels: Sequence[tuple[Any, ...]]) -> None:
        """Levels are allowed, comparable with those before, and not too many to keep their order."""
        names, kinds = layout["factor names"], layout["factor kinds"]
        unknown = [name for name in self._allowed if name not in names]
        if unknown:
            raise InputError(f"`factor_values` names {unknown[0]!r}, which is none of {', '.join(names)}")
        for k, (name, found) in enumerate(zip(names, levels, strict=True)):
            odd = [level for level in found if name in self._allowed and level not in self._allowed[name]]
            if odd:
                raise InputError(
                    f"factor {name!r} has the value {odd[0]!r}, which is none of `factor_values`"
                )
            known = next(iter(self._levels[k]), found[0]) if self._levels else found[0]
            if any(_family(level) is not _family(known) for level in found):
                raise InputError(
                    f"factor {name!r} mixes {known!r} with {found[0]!r}; use one type in all batches"
                )
            values = len({*found, *(self._levels[k] if self._levels else ())})
            if kinds[k] == "ordinal":
                refuse_order(name, values)

    def _add(
        self,
        levels: Sequence[Sequence[Any]],
        tables: Mapping[int, Sequence[NDArray[np.int64]]],
        rows: int,
        low: NDArray[np.float64],
        high: NDArray[np.float64],
        sums: NDArray[Any],
    ) -> None:
        if not self._levels:
            self._levels = [{} for _ in levels]
            self._tables = {
                bins: [np.zeros((len(low), 0, bins), dtype=np.int64) for _ in levels] for bins in self._sizes
            }
        for k, found in enumerate(levels):
            places = [self._levels[k].setdefault(level, len(self._levels[k])) for level in found]
            for bins, parts in self._tables.items():
                more = len(self._levels[k]) - parts[k].shape[1]
                parts[k] = np.pad(parts[k], ((0, 0), (0, more), (0, 0)))
                parts[k][:, places] += tables[bins][k]
        self._rows += rows
        self._low, self._high = np.minimum(self._low, low), np.maximum(self._high, high)
        self._sums = self._sums + sums

    def _inputs(self) -> tuple[Inputs, dict[int, tuple[list[int], NDArray[np.int64]]]]:
        """What is known of the rows, and the places of each factor's levels in the order `score` has.

        With them goes where each begins that is one up to rounding. Factors that name the rows are left out.
        """
        factors, order = [], {}
        given, types = self._layout["factor names"], self._labels["factor_types"]
        unread = row_names(given, [[*known] for known in self._levels], types, self._rows)
        for k, known in enumerate(self._levels):
            if k in unread:
                continue
            rule = PROTOCOLS[self._protocol].reading
            said = declares(types, given, k)
            factor, levels, starts = factor_of_levels(self._layout, k, known, self._rows, rule, said)
            factors.append(factor)
            order[k] = [known[level] for level in levels], starts
        names = self._layout["latent names"]
        shape = (self._rows, len(self._ranges))
        nothing = np.broadcast_to(np.zeros(1, dtype=self._layout["precision"]), shape)
        logvar = nothing if self._layout["posteriors"] else None
        inputs = Inputs(nothing, logvar, names, tuple(factors))
        seen = on_counts(self._low, self._high, names, self._rows, factors, nothing.dtype)
        checks, facts = [*unread.values(), *seen], {}
        too_wide = np.any(self._ranges != np.stack([self._low, self._high], axis=1), axis=1)
        if too_wide.any():
            first = names[int(np.argmax(too_wide))]
            facts["ranges"] = setting_text(self._ranges)
            wide_bins = (
                "bins span the given ranges, which are wider than the rows' for "
                f"{int(too_wide.sum())} of {shape[1]} latents (first {first}); score() would bin them by the "
                "rows' own"
            )
            checks.append(Check("wide_ranges", wide_bins, "find the ranges with Accumulator.find_ranges"))
        return replace(inputs, checks=tuple(checks), facts=facts), order


def _family(level: Any) -> type:
    """What a level can be sorted with."""
    return type(level) if isinstance(level, str | bytes) else float
