"""Data sets opened in the size that the networks here take: squares whose side is a power of two."""

from __future__ import annotations

import re
from pathlib import Path

from disentangle_metrics import FactorDataset, load_dataset

SAME_GRID = {"dsprites": "sprites", "shapes3d": "rooms"}  # a real data set, and its twin that is drawn here
DIGIT_SIDE, PADDED_DIGIT_SIDE = 28, 32  # pixels, of mnist and mnist5k


def open_dataset(name: str, root: Path | None = None, side: int | None = None) -> FactorDataset:
    """Open a data set for training a model, or for looking at one.

    Parameters
    ----------
    name : str
        As :func:`disentangle_metrics.load_dataset` knows it, or the path of your own images.
    root : path, optional
        Where its files are.
    side : int, optional
        Height and width of the images that the model takes, where there is one already. The digits
        of `mnist` and `mnist5k` get a black margin up to it, 32x32 by default; `images` are resized
        to it. All other data sets are pooled down to a half, a third and so on of their size.

    Raises
    ------
    DatasetError
        If the data set is unknown, missing or damaged, or one of the `images` cannot be read.
    """
    options: dict[str, int] = {}
    base = name.partition("|")[0]
    if base in ("mnist", "mnist5k"):
        options["pad"] = max(0, (side or PADDED_DIGIT_SIDE) - DIGIT_SIDE) // 2
    elif base == "images" and side is not None:
        options["side"] = side
    dataset = load_dataset(name, root, **options)
    if side is not None and (pool := dataset.image_shape[0] // side) > 1:
        dataset = load_dataset(name, root, pool=pool, **options)
    if base == "images":
        dataset.images([0])  # decodes them all: what cannot be read is named before a run's folder is made
    return dataset


def family(name: str) -> tuple[str, ...]:
    """The data sets on which one trains alike: this one without its variants, and its twin."""
    base = name.partition("|")[0]
    twins = SAME_GRID | {twin: real for real, twin in SAME_GRID.items()}
    return (base, twins[base]) if base in twins else (base,)


def short_name(dataset: str) -> str:
    """What a folder of runs on a data set may be called: the end of a path, in plain characters."""
    name, _, variants = dataset.partition("|")
    name = name.replace("\\", "/").rstrip("/").rpartition("/")[2].removesuffix(".npz") or "images"
    return re.sub(r"[^\w.=+-]+", "-", f"{name}|{variants}" if variants else name)
