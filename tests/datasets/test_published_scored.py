"""Every published layout, in small: opened by its name, encoded, and scored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import disentangle_metrics as dm
from disentangle_metrics.datasets import (
    PublishedFile,
    cars3d,
    celeba,
    dsprites,
    mnist,
    mpi3d,
    numbered_pictures,
    shapes3d,
    smallnorb,
)
from tests.datasets import (
    test_cars3d,
    test_celeba,
    test_dsprites,
    test_dsprites_h5,
    test_mnist,
    test_mpi3d,
    test_numbered_pictures,
    test_shapes3d,
    test_smallnorb,
)

Patch = pytest.MonkeyPatch


def known(file: PublishedFile, path: Path) -> PublishedFile:
    """The same published file, as if the one at `path` were it; that is put under its name."""
    digest = hashlib.new(file.algorithm or "md5", path.read_bytes(), usedforsecurity=False).hexdigest()
    path.rename(path.parent / file.name)
    return replace(file, digest=digest if file.digest else "")


def of_dsprites(folder: Path, patch: Patch) -> None:
    patch.setattr(dsprites, "NPZ", known(dsprites.NPZ, test_dsprites.archive(folder / "a.npz")))
    patch.setattr(dsprites, "read_npz", partial(dsprites.read_npz, grid=test_dsprites.GRID, side=8))


def of_dsprites_h5(folder: Path, patch: Patch) -> None:
    patch.setattr(dsprites, "HDF5", known(dsprites.HDF5, test_dsprites_h5.published(folder / "a.h5")))
    patch.setattr(dsprites, "read_h5", partial(dsprites.read_h5, grid=test_dsprites_h5.GRID, side=8))


def of_shapes3d(folder: Path, patch: Patch) -> None:
    patch.setattr(shapes3d, "FILE", known(shapes3d.FILE, test_shapes3d.published(folder / "a.h5")))
    patch.setattr(shapes3d, "read_h5", partial(shapes3d.read_h5, grid=test_shapes3d.GRID, side=8))


def of_mpi3d(name: str, folder: Path, patch: Patch) -> None:
    np.savez(folder / "a.npz", images=test_mpi3d.IMAGES)
    patch.setattr(mpi3d, name, known(getattr(mpi3d, name), folder / "a.npz"))
    read = mpi3d.read_npz
    patch.setattr(mpi3d, "read_npz", lambda path, dataset, grid=None: read(path, dataset, test_mpi3d.GRID, 8))


def of_cars3d(folder: Path, patch: Patch) -> None:
    patch.setattr(cars3d, "FILE", known(cars3d.FILE, test_cars3d.archive(folder / "a.tar.gz")))
    patch.setattr(cars3d, "read_tar", partial(cars3d.read_tar, grid=test_cars3d.GRID, published_side=16))


def of_smallnorb(folder: Path, patch: Patch) -> None:
    files = zip(smallnorb.FILES, test_smallnorb.files(folder), strict=True)
    patch.setattr(smallnorb, "FILES", tuple(known(file, path) for file, path in files))
    patch.setattr(
        smallnorb,
        "read_matrices",
        partial(smallnorb.read_matrices, grid=test_smallnorb.GRID, published_side=16),
    )


def of_mnist(folder: Path, patch: Patch) -> None:
    files = zip(mnist.FILES, test_mnist.files(folder), strict=True)
    patch.setattr(mnist, "FILES", tuple(known(file, path) for file, path in files))


def of_celeba(folder: Path, patch: Patch) -> None:
    pictures, labels = test_celeba.files(folder)
    patch.setattr(celeba, "PICTURES", known(celeba.PICTURES, pictures))
    patch.setattr(celeba, "LABELS", known(celeba.LABELS, labels))
    patch.setattr(celeba, "read_zip", partial(celeba.read_zip, count=5, attributes=3))


def of_numbered_pictures(name: str, folder: Path, patch: Patch) -> None:
    for index, pixels in enumerate(test_numbered_pictures.PIXELS):
        Image.fromarray(pixels).save(folder / f"{index:06d}.png")
    patch.setattr(numbered_pictures, f"{name}_GRID", test_numbered_pictures.GRID)


def encoder(images: np.ndarray) -> np.ndarray:
    """Two latents: the mean of the left and of the right half."""
    pixels = np.asarray(images, float).reshape(len(images), -1)
    return np.stack([half.mean(axis=1) for half in np.array_split(pixels, 2, axis=1)], axis=1)


@pytest.mark.parametrize(
    ("name", "make", "options"),
    [
        ("dsprites", of_dsprites, {}),
        ("dsprites", of_dsprites_h5, {}),
        ("shapes3d", of_shapes3d, {}),
        ("mpi3d_toy", partial(of_mpi3d, "TOY"), {}),
        ("mpi3d_realistic", partial(of_mpi3d, "REALISTIC"), {"pool": 2}),
        ("mpi3d_real", partial(of_mpi3d, "REAL"), {}),
        ("mpi3d_complex", partial(of_mpi3d, "COMPLEX"), {}),
        ("cars3d", of_cars3d, {"side": 8}),
        ("smallnorb", of_smallnorb, {"side": 8, "camera": 1}),
        ("isaac3d", partial(of_numbered_pictures, "ISAAC3D"), {"side": 8}),
        ("falcor3d", partial(of_numbered_pictures, "FALCOR3D"), {}),
        ("celeba", of_celeba, {"side": 16, "crop": 148}),
        ("mnist", of_mnist, {"pad": 2}),
    ],
)
@pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.ScoreWarning")
def test_a_published_layout_is_opened_encoded_and_scored(
    tmp_path: Path,
    monkeypatch: Patch,
    name: str,
    make: Callable[[Path, Patch], None],
    options: dict[str, int],
) -> None:
    pytest.importorskip("h5py")
    make(tmp_path, monkeypatch)
    dataset = dm.load_dataset(name, tmp_path, **options)
    assert dataset.name == name
    report = dm.evaluate(encoder, dataset, samples=None, metrics=["mig", "mcc"], anchors=False)
    assert report.provenance["dataset"] == name
    assert report.provenance["images"] == len(dataset)
    assert 0 <= report["mcc"].value <= 1
