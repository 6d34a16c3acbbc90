"""Data sets with known factors: procedural ones, readers of the published files, and your own images."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.datasets.own.arrays import from_arrays
from disentangle_metrics.datasets.own.folders import from_folder
from disentangle_metrics.datasets.own.opening import check_whole, is_path, open_path
from disentangle_metrics.datasets.pooled import pooled
from disentangle_metrics.datasets.storage.published import PublishedFile, locate
from disentangle_metrics.datasets.variants.choices import correlated, restricted, split
from disentangle_metrics.datasets.variants.looks import background, colour, noisy
from disentangle_metrics.datasets.variants.margins import padded
from disentangle_metrics.datasets.variants.naming import varied
from disentangle_metrics.errors import DatasetError, DisentangleMetricsError, InputError, PluginError
from disentangle_metrics.registry import Registry

__all__ = [
    "DATASETS",
    "Description",
    "FactorDataset",
    "FactorGrid",
    "FactorTable",
    "PublishedFile",
    "background",
    "colour",
    "correlated",
    "described",
    "from_arrays",
    "from_folder",
    "load_dataset",
    "locate",
    "noisy",
    "padded",
    "restricted",
    "split",
]

# A plug-in's entry is, like these, a function of `root` and options of its own that gives a data set.
DATASETS = Registry(
    "data set",
    "disentangle_metrics.datasets",
    {
        "sprites": "disentangle_metrics.datasets.sprites:load",
        "dsprites": "disentangle_metrics.datasets.dsprites:load",
        "rooms": "disentangle_metrics.datasets.rooms:load",
        "shapes3d": "disentangle_metrics.datasets.shapes3d:load",
        "switches": "disentangle_metrics.datasets.switches:load",
        "mpi3d_toy": "disentangle_metrics.datasets.mpi3d:load_toy",
        "mpi3d_realistic": "disentangle_metrics.datasets.mpi3d:load_realistic",
        "mpi3d_real": "disentangle_metrics.datasets.mpi3d:load_real",
        "mpi3d_complex": "disentangle_metrics.datasets.mpi3d:load_complex",
        "cars3d": "disentangle_metrics.datasets.cars3d:load",
        "smallnorb": "disentangle_metrics.datasets.smallnorb:load",
        "isaac3d": "disentangle_metrics.datasets.numbered_pictures:load_isaac3d",
        "falcor3d": "disentangle_metrics.datasets.numbered_pictures:load_falcor3d",
        "celeba": "disentangle_metrics.datasets.celeba:load",
        "mnist": "disentangle_metrics.datasets.mnist:load",
        "mnist5k": "disentangle_metrics.datasets.mnist5k:load",
        "images": "disentangle_metrics.datasets.image_folder:load",
    },
    error=DatasetError,
)


def load_dataset(
    name: str | PathLike[str], root: str | PathLike[str] | None = None, *, pool: int = 1, **options: Any
) -> FactorDataset:
    """Open a data set by name, or your own by its path.

    Parameters
    ----------
    name : str or path
        A name that :data:`DATASETS` knows, such as ``"sprites"``; or the path of your own images and
        factors: an .npz or .h5 file, or a folder (docs/own_data.md). A name wins over a path that is
        text: write ``"./sprites"`` or ``Path("sprites")`` for a folder of that name. Variants follow,
        each after a bar: ``"sprites|colour:seed=1"``.
    root : path, optional
        The folder of the data set's files, or the file itself; by default the package's folder in
        the platform's cache.
    pool : int
        Smaller images, each pixel the mean of pool x pool: 2 makes 32x32 of 64x64.
    **options
        Passed on to the data set's own loader.

    Raises
    ------
    DatasetError
        If the name is unknown (near names are suggested), or the data set's file is missing,
        damaged or cannot be fetched. The message names the file and what is wrong with it.
    InputError
        If the data set has no such option, or `pool` does not divide its images.
    PluginError
        If a plug-in's data set fails, or its function gives something else.
    """
    if not isinstance(name, str | PathLike):
        raise InputError(
            f"`name` must be the name of a data set or a path, got {type(name).__name__}; for arrays call "
            "`dm.datasets.from_arrays(images, factors)`"
        )
    text, bar, variants = fspath(name).partition("|")
    if bar:
        base = text if isinstance(name, str) else Path(text)
        return pooled(varied(load_dataset(base, root, **options), variants), pool)
    if not isinstance(name, str) or (name not in DATASETS and is_path(name)):
        if root is not None:
            raise InputError(f"{text} is a path, so leave out `root`")
        return pooled(_at_path(text, options), pool)
    load = DATASETS.load(name)
    if not callable(load):
        raise PluginError(f"{_origin(name)} is a {type(load).__name__}; expected a function that opens it")
    try:
        inspect.signature(load).bind(root=root, **options)
        check_whole(load, options)
    except TypeError as error:
        parameters = inspect.signature(load).parameters
        if "root" not in parameters and name not in DATASETS.builtin:
            raise PluginError(
                f"{_origin(name)} is opened by a function that takes no `root`; give it one: `root=None`"
            ) from None
        accepted = [p for p in parameters if p != "root"]
        raise InputError(
            f"load_dataset({name!r}): {error}; accepted: {', '.join(['root', 'pool', *accepted])}"
        ) from None
    try:
        dataset = load(root=root, **options)
    except (Exception, SystemExit) as error:
        if isinstance(error, DisentangleMetricsError) or name in DATASETS.builtin:
            raise
        raise PluginError(f"{_origin(name)} fails: {type(error).__name__}: {error}") from error
    if not isinstance(dataset, FactorDataset):
        raise PluginError(f"{_origin(name)} gave a {type(dataset).__name__}; expected a FactorDataset")
    return pooled(dataset, pool)


def _at_path(path: str, options: Mapping[str, Any]) -> FactorDataset:
    """The user's own data set; its name opens it again, even if another data set is called so."""
    dataset = open_path(path, **options)
    if dataset.name in DATASETS:  # a path as text has lost its ./
        dataset.name = f"./{dataset.name}"
    return dataset


def _origin(name: str) -> str:
    """The data set and what it comes from, as an error says it."""
    point = DATASETS.plugins.get(name)
    return f"the data set {name!r}" + (f" of the plug-in {point.value!r}" if point is not None else "")
