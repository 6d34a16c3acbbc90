"""Check latents and factors once, at the door, and turn them into what every metric reads.

Anything that can become a NumPy array is taken (NumPy, PyTorch on any device, JAX, TensorFlow,
CuPy, SciPy's sparse arrays, lists), and any data frame (pandas, polars, PyArrow, Modin, xarray and
others), and no framework is imported to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check, texts_of
from disentangle_metrics.errors import InputError, NotApplicable
from disentangle_metrics.estimators.counts.binning import chunks, column_ranges
from disentangle_metrics.estimators.namespaces import is_on_accelerator
from disentangle_metrics.inputs import findings
from disentangle_metrics.inputs.declared import KINDS, Declared, facts_of_latents
from disentangle_metrics.inputs.factor import MISSING_ADVICE, Factor, read_each
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.hierarchy import Hierarchy, none_of, tree_of, with_switches
from disentangle_metrics.inputs.latent_groups import Groups, read_groups, text_of
from disentangle_metrics.inputs.posterior_tables import read_posterior
from disentangle_metrics.inputs.reading import Kind, Rule
from disentangle_metrics.inputs.row_labels import matching_rows, row_mismatch
from disentangle_metrics.inputs.tables import identifiers, left_out, read_factors, read_latents, rows_of

LATENT_KINDS: tuple[Kind, ...] = ("continuous", "categorical", "circular")
Missing = Literal["raise", "drop"]
LARGEST = 1e150  # squares of larger numbers overflow


@dataclass(frozen=True)
class Inputs:
    """Checked input: `latents` (N, D) floating, `logvar` (N, D) or None, and K factors (none: K = 0).

    Factors may lack values in some rows if `missing` is "drop". `origin` (N,) has the place of each
    row among the `given` ones, and is None if they are all there. `facts` are what signatures add on them.
    `latent_types` are what was declared of each latent, None where nothing was. `checks` are what to know.
    `incomplete` says whether a factor lacks values in some rows.
    `groups` are the columns of each latent where latents are groups of columns: `latent_names` are then
    theirs, and `column_names` those of the columns. D counts groups, and each column by itself else.
    `on_device` is the posterior where it was given, if that is a device with float64 other than the host.
    """

    latents: NDArray[np.floating]
    logvar: NDArray[np.floating] | None
    latent_names: tuple[str, ...]
    factors: tuple[Factor, ...]
    checks: tuple[Check, ...] = ()
    missing: Missing = "raise"
    origin: NDArray[np.int64] | None = None
    given: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    on_device: GaussianPosterior | None = None
    latent_types: tuple[Declared | None, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    column_names: tuple[str, ...] = ()
    incomplete: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "incomplete", any(factor.present is not None for factor in self.factors))
        for name, array in (("latents", self.latents), ("logvar", self.logvar)):
            if array is not None:  # closed to writing: they may be the caller's, and every metric reads them
                object.__setattr__(self, name, view := array.view())
                view.flags.writeable = False

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """The checks that are more than a note, as text."""
        return texts_of(self.checks) if self.checks else ()

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """(N, D, K)."""
        rows, columns = self.latents.shape
        return rows, len(self.groups) or columns, len(self.factors)

    @cached_property
    def factor_names(self) -> tuple[str, ...]:
        """Names of the factors."""
        return tuple(factor.name for factor in self.factors)

    def grouped(self, groups: Groups) -> Inputs:
        """The same with groups of columns as latents; groups of one column each only name them."""
        units = read_groups(groups, self.latent_names)
        names = tuple(name for name, _ in units)
        columns = tuple(columns for _, columns in units)
        if len(columns) == self.latents.shape[1]:
            return replace(self, latent_names=names)
        return replace(
            self,
            latent_names=names,
            column_names=self.latent_names,
            groups=columns,
            facts={**self.facts, "groups": text_of(columns)},
        )

    def ungrouped(self) -> Inputs:
        """The same with each column by itself."""
        if not self.groups:
            return self
        return replace(self, latent_names=self.column_names, column_names=(), groups=())

    def latents_of(self, kind: Kind) -> tuple[int, ...]:
        """The latents that were declared to be of this kind."""
        return tuple(j for j, said in enumerate(self.latent_types) if said is not None and said.kind == kind)

    def latent_angles(self) -> dict[int, NDArray[np.float64]]:
        """The angles in radians (N,) of each circular latent."""
        return {
            j: self.latents[:, j].astype(np.float64) * (2 * np.pi / said.turn)
            for j, said in enumerate(self.latent_types)
            if said is not None and said.kind == "circular"
        }

    def rows(self, index: NDArray[np.integer]) -> Inputs:
        """These rows, in this order."""
        return replace(
            self,
            latents=self.latents[index],
            logvar=None if self.logvar is None else self.logvar[index],
            on_device=None if self.on_device is None else self.on_device.rows(index),
            factors=tuple(factor.rows(index) for factor in self.factors),
            origin=None,
            given=len(index),
        )

    def take(self, index: NDArray[np.int64], factors: Iterable[int]) -> Inputs:
        """These rows, which have a value of each of these factors, with these factors alone."""
        return replace(
            self,
            latents=self.latents[index],
            logvar=None if self.logvar is None else self.logvar[index],
            on_device=None if self.on_device is None else self.on_device.rows(index),
            factors=tuple(self.factors[k].kept(index) for k in factors),
            origin=index if self.origin is None else self.origin[index],
            given=self.given or len(self.latents),
        )

    def present(self, factors: Iterable[int]) -> NDArray[np.bool_]:
        """Which rows (N,) have a value of each of these factors."""
        masks = [mask for k in factors if (mask := self.factors[k].present) is not None]
        return np.asarray(np.logical_and.reduce([np.ones(len(self.latents), dtype=bool), *masks]))

    def having(self, factors: Sequence[int]) -> Inputs:
        """The rows that have a value of each of these factors, with these factors alone.

        Raises
        ------
        NotApplicable
            If there is none.
        """
        rows = np.flatnonzero(self.present(factors))
        if not len(rows):
            raise NotApplicable(f"no row has a value of {', '.join(self.factors[k].name for k in factors)}")
        return self.take(rows, factors)

    def complete(self) -> Inputs:
        """The rows that have a value of every factor.

        Raises
        ------
        NotApplicable
            If there is none.
        """
        return self.having(range(len(self.factors))) if self.incomplete else self

    def by_factor(self) -> list[tuple[tuple[int, ...], Inputs]]:
        """The factors that have values in the same rows, and those rows with those factors alone."""
        found: dict[bytes, list[int]] = {}
        for k, factor in enumerate(self.factors):
            found.setdefault(b"" if factor.present is None else factor.present.tobytes(), []).append(k)
        return [(tuple(factors), self.having(factors)) for factors in found.values()]

    def shuffled(self, order: NDArray[np.integer]) -> Inputs:
        """The same latents with the rows of the factors in another order."""
        return replace(self, factors=tuple(factor.rows(order) for factor in self.factors))


def check(
    latents: Any,
    factors: Any,
    *,
    factor_names: Iterable[str] | None = None,
    factor_types: Iterable[str] | Mapping[str, str] | None = None,
    latent_names: Iterable[str] | None = None,
    latent_types: Iterable[str] | Mapping[str, str] | None = None,
    missing: Missing = "raise",
    rule: Rule = "measurements",
    groups: Groups | None = None,
    hierarchy: Hierarchy | None = None,
    whole: bool = True,
) -> Inputs:
    """Check latents (N, D) or a :class:`GaussianPosterior`, and factors (N, K).

    Parameters
    ----------
    latents
        Floating numbers, finite.
    factors
        An array or DataFrame; None for metrics that read the latents alone. How columns are read is
        in :mod:`.reading`. A FactorTable that several calls share is read once.
    factor_names, latent_names
        Names; by default those of the DataFrame's columns, else ``factor_0`` and ``z_0`` onwards.
    factor_types
        For each factor, or by name, "categorical", "ordinal", "continuous", or "circular" with its
        period, as in "circular:360".
    latent_types
        For each latent, or by name, "continuous" (what they are by default), "categorical" for codes
        such as those of vector quantisation, or "circular:PERIOD".
    missing
        "raise": refuse missing and infinite numbers. "drop": leave out rows whose latents have one,
        and mark the values that a factor lacks.
    rule
        "whole_numbers": every whole number is a category, as published protocols take it.
    groups
        Names of groups, and the columns of each; see :mod:`.latent_groups`.
    hierarchy
        Which factors exist only under one value of another; see :mod:`.hierarchy`.
    whole
        False: there are more rows, so that a text which is different in each of these may come again.

    Raises
    ------
    InputError
        If something cannot be used; the message names the argument, what was found and the fix.
    """
    if missing not in get_args(Missing):
        raise InputError(f"`missing` must be 'raise' or 'drop', got {missing!r}")
    if hierarchy is not None:
        hierarchy = tree_of(hierarchy, factors)
    by_column, frame, notes = _latents(latents, latent_names, latent_types, missing)
    mean, latent_labels, types = by_column.latents, by_column.latent_names, by_column.latent_types
    given, kept = by_column.given, by_column.origin
    inputs = by_column if groups is None else by_column.grouped(groups)
    if factors is None:
        checks = findings.of_input(mean, latent_labels, (), given, None, types)
        return replace(inputs, checks=(*notes, *checks))
    columns = read_factors(factors)
    if (rows := len(columns.columns[0])) != given:
        frames = (None if isinstance(latents, GaussianPosterior) else frame, columns.frame)
        shapes = ((given, mean.shape[1]), (rows, len(columns.columns)))
        raise InputError(row_mismatch(*shapes, factors, frames))
    order = None
    if frame is not None and columns.frame is not None:
        order = matching_rows(frame, columns.frame, ("latents", columns.argument))
    if order is not None:
        columns = columns.ordered(order)
        text = "the rows of `factors` are put in the order of `latents`, by their labels"
        notes.append(Check("rows_matched", text))
    factor_labels = _names(
        factor_names, _columns_of(columns.frame), "factor", len(columns.columns), "factor_names"
    )
    kinds = _declared(factor_types, factor_labels, "factor_types", KINDS)
    plain = not whole or all(column.dtype.kind in "biuf" for column in columns.columns)
    unread = {} if plain else identifiers(columns, factor_labels, kinds)
    notes += [left_out(factor_labels[place], text, given) for place, text in unread.items()]
    lacking = missing if hierarchy is None else "drop"
    key = (*(None if rows is None else rows.tobytes() for rows in (order, kept)), factor_labels, tuple(kinds),
           lacking, rule)  # fmt: skip
    if (checked := columns.read_as.get(key)) is None:
        kept_columns = [
            (column if kept is None else rows_of(column, kept), name, declared)
            for place, (column, name, declared) in enumerate(
                zip(columns.columns, factor_labels, kinds, strict=True)
            )
            if place not in unread
        ]
        checked = columns.read_as[key] = read_each(kept_columns, lacking, rule)
    if hierarchy is not None:
        left = [factor_labels[place] for place in unread]
        checked, of_tree = with_switches(hierarchy, checked, missing, kept, left)
        notes += of_tree
        inputs = replace(inputs, facts={**inputs.facts, "missing": "by_design"})
    inputs = replace(inputs, factors=checked)
    complete = inputs.present(range(len(checked))) if inputs.incomplete else None
    checks = findings.of_input(mean, latent_labels, checked, given, complete, types)
    return replace(inputs, checks=(*notes, *checks))


def _latents(
    latents: Any, names: Iterable[str] | None, types: Any, missing: Missing
) -> tuple[Inputs, Any, list[Check]]:
    """The usable rows of the latents alone, by column; the data frame they came from, if any; and notes."""
    logvar: NDArray[np.floating] | None = None
    on_device: GaussianPosterior | None = None
    kept = None
    notes: list[Check] = []
    if isinstance(latents, GaussianPosterior):
        table, logvar, notes = read_posterior(latents)
        mean = table.array
        good = _usable(mean, "latents.mean", missing) & _usable(logvar, "latents.logvar", missing)
        if is_on_accelerator(latents.mean) and is_on_accelerator(latents.logvar):
            on_device = GaussianPosterior(latents.mean.detach(), latents.logvar.detach())
    else:
        table = read_latents(latents, "latents")
        mean = table.array
        good = _usable(mean, "latents", missing)
    given = len(mean)
    labels = _names(names, _columns_of(table.frame), "z", mean.shape[1], "latent_names")
    if not good.all():
        kept = np.flatnonzero(good)
        if not len(kept):
            raise InputError("`latents`: every row has a missing or infinite value")
        mean, logvar = mean[kept], None if logvar is None else logvar[kept]
        on_device = None if on_device is None else on_device.rows(kept)
    declared = _declared(types, labels, "latent_types", LATENT_KINDS)
    inputs = Inputs(
        mean,
        logvar,
        labels,
        (),
        missing=missing,
        origin=kept,
        given=given,
        on_device=on_device,
        latent_types=tuple(declared),
        facts={} if types is None else facts_of_latents(declared),
    )
    return inputs, table.frame, notes


def _usable(array: NDArray[np.floating], argument: str, missing: Missing) -> NDArray[np.bool_]:
    """Which rows are finite; with "raise" all must be. No number may be too large to be squared."""
    usable = np.ones(len(array), dtype=bool)
    if (np.abs(column_ranges(array)) <= LARGEST).all():  # nor is there a NaN, which no number bounds
        return usable
    for rows in chunks(len(array)):
        part = array[rows]
        finite = np.isfinite(part)
        usable[rows] = finite.all(axis=1)
        good = finite if missing == "raise" else np.ones_like(finite)
        if array.dtype.itemsize == 8:  # in whatever byte order
            good &= ~(finite & (np.abs(part) > LARGEST))
        if not good.all():
            row, column = (int(i[0]) for i in np.nonzero(~good))
            found = part[row, column]
            fix = "rescale the latents" if np.isfinite(found) else MISSING_ADVICE
            raise InputError(
                f"`{argument}` must be finite and below {LARGEST:g}; found {found} in row "
                f"{rows.start + row}, column {column}: {fix}"
            )
    return usable


def _columns_of(frame: Any) -> list[str] | None:
    """The names of a data frame's columns."""
    return None if frame is None else [str(name) for name in frame.columns]


def _names(
    given: Iterable[str] | None, found: list[str] | None, stem: str, count: int, argument: str
) -> tuple[str, ...]:
    if isinstance(given, str):
        raise InputError(f"`{argument}` must be a list of names, got the single string {given!r}")
    names = tuple(str(name) for name in (given if given is not None else found or []))
    if not names and given is None:
        names = tuple(f"{stem}_{index}" for index in range(count))
    if len(names) != count:
        raise InputError(f"`{argument}` has {len(names)} names for {count} columns: {', '.join(names)}")
    if len(set(names)) < count:
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"`{argument}` must be distinct, got {twice!r} more than once")
    return names


def _declared(
    given: Any, names: Sequence[str], argument: str, kinds: tuple[Kind, ...]
) -> list[Declared | None]:
    """What was declared of each column, by place or by name."""
    if given is None:
        return [None] * len(names)
    if isinstance(given, Mapping):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise InputError(f"`{argument}` names {unknown[0]!r}{none_of(unknown[0], names)}")
        texts = [given.get(name) for name in names]
    else:
        texts = [given] * len(names) if isinstance(given, str) else list(given)
    if len(texts) != len(names):
        raise InputError(f"`{argument}` has {len(texts)} entries for {len(names)} columns")
    return [
        None if text is None else Declared.parse(text, argument, name, kinds)
        for name, text in zip(names, texts, strict=True)
    ]
