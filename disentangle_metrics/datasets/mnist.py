"""`mnist`: 70,000 handwritten digits, in the four published idx files.

It has one factor, the digit, so scores that compare factors have nothing to say here. It is for
looking at what latents do to real images. `mnist5k` has 5,000 of them without a download.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits". CC BY-SA 3.0.
"""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.description import Description, described
from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.factors.table import FactorTable
from disentangle_metrics.datasets.mnist5k import DIGITS, SIDE
from disentangle_metrics.datasets.storage.pixels import HeldImages
from disentangle_metrics.datasets.storage.published import PublishedFile, folder_of, locate
from disentangle_metrics.errors import DatasetError, InputError

BYTES = 0x08  # the idx format's name of unsigned bytes
FILES = tuple(
    PublishedFile(
        dataset="mnist",
        name=f"{name}-ubyte.gz",
        url=f"https://ossci-datasets.s3.amazonaws.com/mnist/{name}-ubyte.gz",
        algorithm="sha256",
        digest=digest,
        home="the buckets ossci-datasets (Amazon S3) or cvdf-datasets (Google Cloud Storage)",
        twin="mnist5k",
        size=size,
    )
    for name, size, digest in (
        ("train-images-idx3", 9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        ("train-labels-idx1", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ("t10k-images-idx3", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        ("t10k-labels-idx1", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    )
)


@described(
    Description(
        summary="handwritten digits",
        factors=(("digit", 10),),
        count=70_000,
        image_shape=(SIDE, SIDE, 1),
        licence="CC BY-SA 3.0",
        files=FILES,
    )
)
def load(root: str | PathLike[str] | None = None, *, pad: int = 0) -> FactorDataset:
    """Open `mnist`: the 60,000 digits for training, then the 10,000 for testing.

    Parameters
    ----------
    root : path, optional
        The folder that the four published files are in or shall be fetched to. By default the package's
        folder in the platform's cache. The images are held in memory, 55 MB.
    pad : int
        Rows and columns of black to put on each side; 2 makes images of 32x32, for networks that
        need a power of two.

    Raises
    ------
    DatasetError
        If a file is not the published one, or is not there and cannot be fetched.
    InputError
        If `pad` is negative.
    """
    if pad < 0:
        raise InputError(f"pad is {pad}; accepted: 0 or more pixels")
    folder = folder_of(root)
    return read_idx_files([locate(file, folder) for file in FILES], pad)


def read_idx_files(paths: Sequence[Path], pad: int = 0) -> FactorDataset:
    """A data set from idx files of images and of their labels, in turns."""
    images, digits = [], []
    for pictures, labels in zip(paths[0::2], paths[1::2], strict=True):
        images.append(read_idx(pictures, (None, SIDE, SIDE)))
        digits.append(read_idx(labels, (len(images[-1]),)))
        if digits[-1].max() > 9:
            raise DatasetError(f"mnist: {labels} has the label {digits[-1].max()}, which is no digit")
    pixels = np.pad(np.concatenate(images)[..., None], ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    table = FactorTable(np.concatenate(digits)[:, None].astype(np.int64), DIGITS)
    return FactorDataset("mnist", table, pixels.shape[1:], HeldImages(pixels))


def read_idx(path: Path, shape: tuple[int | None, ...]) -> NDArray[np.uint8]:
    """The bytes of an idx file: two zeros, the type, the number of dimensions, the dimensions, the rest."""
    try:
        with gzip.open(path) as file:
            start = file.read(4)
            if start != bytes([0, 0, BYTES, len(shape)]):
                raise ValueError(f"it begins with {start.hex(' ')}")
            header = file.read(4 * len(shape))
            if len(header) < 4 * len(shape):
                raise EOFError("it ends too early")
            found = tuple(np.frombuffer(header, ">u4").tolist())
            if any(wanted not in (None, size) for size, wanted in zip(found, shape, strict=True)):
                expected = "x".join("n" if size is None else str(size) for size in shape)
                raise DatasetError(
                    f"mnist: {path} has the shape {'x'.join(map(str, found))}; expected {expected}"
                )
            content = file.read(math.prod(found) + 1)
            if len(content) != math.prod(found) or not content:
                raise EOFError("it does not end where it should")
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DatasetError(f"mnist: {path} is damaged or of another kind ({error})") from error
    return np.frombuffer(content, np.uint8).reshape(found)
