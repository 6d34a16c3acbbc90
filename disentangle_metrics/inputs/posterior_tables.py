"""Means and log-variances of a posterior as two arrays, whose rows and columns belong together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.row_labels import matching_rows
from disentangle_metrics.inputs.tables import LatentTable, read_latents

if TYPE_CHECKING:
    import pandas as pd

ARGUMENTS = ("latents.mean", "latents.logvar")


def read_posterior(posterior: GaussianPosterior) -> tuple[LatentTable, NDArray[np.floating], list[Check]]:
    """The means, the log-variances (N, D) in their order, and what is to be known of it.

    Raises
    ------
    InputError
        If one is no table of numbers, or it cannot be told what belongs together.
    """
    means, spread = (
        read_latents(posterior.mean, ARGUMENTS[0]),
        read_latents(posterior.logvar, ARGUMENTS[1]),
    )
    logvar = spread.array
    notes: list[Check] = []
    if means.array.shape != logvar.shape:
        raise InputError(f"`latents.mean` has shape {means.array.shape} but `latents.logvar` {logvar.shape}")
    if logvar.min() > 0:  # each wider than the usual prior, which no training asks for
        text = "all log-variances are above 0, as standard deviations are"
        remedy = "if they are these, pass `dm.GaussianPosterior(mean, 2 * numpy.log(std))`"
        notes.append(Check("network_outputs", text, remedy))
    if means.frame is None or spread.frame is None:
        return means, logvar, notes
    names, others = ([str(name) for name in frame.columns] for frame in (means.frame, spread.frame))
    counted = _counts(means.frame) or _counts(spread.frame)
    columns = None if counted else _matching_columns(names, others)
    if columns is not None:
        logvar = logvar[:, columns]
        text = "the columns of `latents.logvar` are put in the order of `latents.mean`, by their names"
        if names[0] != others[columns[0]]:
            text = f"{text} ({others[columns[0]]!r} beside {names[0]!r})"
        notes.append(Check("columns_matched", text))
    rows = matching_rows(means.frame, spread.frame, ARGUMENTS)
    if rows is not None:
        logvar = logvar[rows]
        text = "the rows of `latents.logvar` are put in the order of `latents.mean`, by their labels"
        notes.append(Check("rows_matched", text))
    return means, logvar, notes


def _counts(frame: pd.DataFrame) -> bool:
    """Whether its columns are numbered, as pandas does where nobody gave names."""
    import pandas as pd

    return isinstance(frame.columns, pd.RangeIndex)


def _matching_columns(names: Sequence[str], others: Sequence[str]) -> list[int] | None:
    """For each name the place of its like among the others, as mu_2 and logvar_2 are.

    None: they are in the same order, or go by place, as names do that have nothing in common.

    Raises
    ------
    InputError
        If some names are the same and others are not.
    """
    ours, theirs = _distinct_parts(names), _distinct_parts(others)
    if ours == theirs:
        return None
    if len(set(ours)) == len(ours) and set(ours) == set(theirs):
        return [theirs.index(part) for part in ours]
    lacking = [name for name in names if name not in others]
    if lacking and len(lacking) < len(names):
        shared = next(name for name in names if name in others)
        raise InputError(
            f"`latents.logvar` has no column {lacking[0]!r}, but {shared!r} as `latents.mean` has; "
            "give both the same names, or pass arrays"
        )
    return None


def _distinct_parts(names: Sequence[str]) -> list[str]:
    """The names without what all begin or end with."""
    rest = [name[_shared(names) :] for name in names]
    after = _shared([name[::-1] for name in rest])
    return [name[: len(name) - after] for name in rest]


def _shared(names: Sequence[str]) -> int:
    """How many letters at their beginning all have in common."""
    letters = enumerate(zip(*names, strict=False))
    return next((place for place, held in letters if len(set(held)) > 1), min(map(len, names)))
