"""Own images and factors from arrays in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.columns import FactorColumns, factor_columns
from disentangle_metrics.datasets.factors.no_factors import NoFactors
from disentangle_metrics.datasets.own.pixels import IN_MEMORY, ArrayRows, ImageRows, own_images
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import to_numpy

FactorTypes = Iterable[str] | Mapping[str, str] | str | None


def from_arrays(
    images: Any,
    factors: Any = None,
    *,
    factor_names: Iterable[str] | None = None,
    factor_types: FactorTypes = None,
    channels: str | None = None,
    value_range: tuple[float, float] | str | None = None,
    name: str = "arrays",
) -> FactorDataset:
    """A data set of your own images and the factors they were made from.

    Parameters
    ----------
    images : array
        (n, height, width), (n, height, width, channels) or (n, channels, height, width), of 1 or 3
        channels; NumPy arrays, memory maps, tensors. They are not copied.
    factors : array or DataFrame (n, n_factors), optional
        Row i describes image i. Numbers, words, categories; values may be missing, and are scored
        with ``missing="drop"``. Without factors the images are for training and for looking at.
    factor_names : iterable of str, optional
        By default the columns' names, else ``factor_0`` onwards.
    factor_types : mapping, iterable or str, optional
        "categorical", "ordinal", "continuous" or "circular:PERIOD", for some factors or all.
    channels : str, optional
        "first" or "last", where the shape could be read in both ways.
    value_range : (low, high), optional
        The values of black and white. By default 0..1, -1..1, 0..255 or 0..65535, as a sample of the
        images shows. Images read later that leave the range are refused.
    name : str
        What reports call the data set.

    Returns
    -------
    FactorDataset
        Its `notes` and `facts` say how the images are read.

    Raises
    ------
    InputError
        If the images or the factors cannot be used, or it must be said how.
    """
    array = to_numpy(images, "images")
    if np.ma.is_masked(array):
        raise InputError(
            "`images` has masked pixels: fill them, as by images.filled(0), or leave such images out"
        )
    return assembled(
        ArrayRows(array),
        factors,
        name=name,
        what=IN_MEMORY,
        factor_names=factor_names,
        factor_types=factor_types,
        channels=channels,
        value_range=value_range,
    )


def assembled(
    rows: ImageRows,
    factors: Any,
    *,
    name: str,
    what: str,
    factor_names: Iterable[str] | None = None,
    factor_types: FactorTypes = None,
    channels: str | None = None,
    value_range: Any = None,
    facts: Mapping[str, Any] | None = None,
    notes: tuple[str, ...] = (),
    candidates: tuple[str, ...] = (),
) -> FactorDataset:
    """A data set of images that something reads, and their factors; `what` is what errors call the images.

    Without factors `candidates` are arrays that may hold them.
    """
    read, found, note = own_images(rows, what, channels, value_range)
    grid: FactorColumns | NoFactors
    left_out: tuple[str, ...] = ()
    if factors is None:
        grid = NoFactors(rows.shape[0], candidates=candidates)
    else:
        grid, left_out = factor_columns(factors, rows.shape[0], factor_names, factor_types)
    said = (*notes, *left_out)
    return FactorDataset(
        name,
        grid,
        read.layout.image_shape,
        read,
        facts={**(facts or {}), **found, **({"notes": list(said)} if said else {})},
        notes=(note, *said),
    )
