"""Smallest and largest value of each latent: found in batches, joined, and checked where they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.counts.binning import column_ranges
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.inputs import LARGEST
from disentangle_metrics.streams.dask_blocks import is_dask, map_reduce, row_blocks
from disentangle_metrics.streams.whole_rows import read_batch


def is_batch(batches: Any) -> bool:
    """Whether it is one table of latents, or one posterior, and not several of them."""
    return isinstance(batches, GaussianPosterior) or len(getattr(batches, "shape", ())) == 2


def ranges_of(batch: Any) -> NDArray[np.float64]:
    """Smallest and largest value of each latent of a batch, or of a Dask array. Shape (D, 2)."""
    if is_dask(batch):
        return map_reduce(row_blocks(batch), ranges_of, wider)
    if isinstance(batch, tuple | list) and len(batch) == 2 and all(hasattr(part, "shape") for part in batch):
        raise InputError("a batch has two parts; pass its latents alone, as in `(z for z, _ in batches)`")
    return np.stack(column_ranges(read_batch(batch, None).latents), axis=1)


def wider(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ranges that hold both."""
    if len(one) != len(other):
        raise InputError(f"`batches` have {len(one)} latents, then {len(other)}")
    return np.stack([np.minimum(one[:, 0], other[:, 0]), np.maximum(one[:, 1], other[:, 1])], axis=1)


def checked_ranges(ranges: ArrayLike) -> NDArray[np.float64]:
    """The ranges that were given, (D, 2).

    Raises
    ------
    InputError
        If they cannot be used.
    """
    try:
        array = np.array(ranges, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"`ranges` must be numbers of shape (D, 2): {error}") from error
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        fix = "; pass `numpy.transpose(ranges)`" if array.ndim == 2 and len(array) == 2 else ""
        raise InputError(
            f"`ranges` must have shape (D, 2), smallest and largest each, got {array.shape}{fix}"
        )
    if not np.isfinite(array).all() or (array[:, 0] > array[:, 1]).any():
        raise InputError("`ranges` must be finite, and the smallest value not above the largest")
    if np.abs(array).max() > LARGEST:
        raise InputError(f"`ranges` must be below {LARGEST:g}, as latents must: rescale the latents")
    return array
