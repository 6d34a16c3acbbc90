"""Images a second, and memory, of each reader of a data set.

A file in the layout of the published one, with pictures of its size, is written first: what is drawn in `rooms`,
in other sizes. Then a process of its own reads it: once for what is unpacked and kept, then random batches.
Seconds are those of the processor, so that what else the machine does matters little. Counted is the
anonymous resident memory (RssAnon in ``/proc``) beyond that of the imports; pages of files that are
mapped are no part of it.
"""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

import disentangle_metrics as dm
from disentangle_metrics.datasets import FactorDataset, FactorGrid, cars3d, mpi3d, smallnorb
from disentangle_metrics.datasets.celeba import read_zip
from disentangle_metrics.datasets.dsprites import read_h5
from disentangle_metrics.datasets.dsprites import read_npz as read_dsprites
from disentangle_metrics.datasets.mnist import read_idx_files
from disentangle_metrics.datasets.numbered_pictures import read_folder
from disentangle_metrics.datasets.shapes3d import read_h5 as read_shapes
from tests.benchmarks.arrays import rounded

BATCH, SECONDS, LOOK_EVERY = 256, 2.0, 0.002
READ = f"""
import pickle, sys, time
import numpy as np, PIL.Image, scipy.io, h5py, disentangle_metrics.datasets
import disentangle_metrics.datasets.storage.pictures
print("ready", flush=True)
sys.stdin.readline()
dataset = pickle.load(open(sys.argv[1], "rb"))
start = time.process_time()
dataset.images([0])
first = time.process_time() - start
rng = np.random.default_rng(0)
read, start = 0, time.process_time()
while (seconds := time.process_time() - start) < {SECONDS}:
    read += len(dataset.images(rng.integers(len(dataset), size={BATCH})))
print(first, read / seconds)
"""


def pictures(count: int, height: int, width: int) -> np.ndarray:
    """Pictures (count, height, width, 3) of `rooms`, brought to another size."""
    rooms = dm.load_dataset("rooms")
    images = rooms.images(np.random.default_rng(0).integers(len(rooms), size=count))
    if (height, width) == (64, 64):
        return images
    return np.stack([np.asarray(Image.fromarray(image).resize((width, height))) for image in images])


def grid(names: tuple[str, ...], sizes: tuple[int, ...], types: tuple[str, ...] | None = None) -> FactorGrid:
    return FactorGrid(names, sizes, types or ("ordinal",) * len(sizes))


def sprites(folder: Path, few: bool) -> FactorDataset:
    return dm.load_dataset("sprites")


def rooms(folder: Path, few: bool) -> FactorDataset:
    return dm.load_dataset("rooms")


def mnist5k(folder: Path, few: bool) -> FactorDataset:
    return dm.load_dataset("mnist5k")


def small_dsprites(few: bool) -> tuple[FactorGrid, np.ndarray, np.ndarray]:
    sizes = grid(("shape", "scale", "orientation", "posX", "posY"), (3, 6, 2 if few else 40, 4, 4))
    images = dm.load_dataset("sprites").images(np.arange(len(sizes)) * 31)[..., 0] // 255
    return sizes, images, np.column_stack([np.zeros(len(sizes), int), sizes.factors(np.arange(len(sizes)))])


def dsprites_npz(folder: Path, few: bool) -> FactorDataset:
    sizes, images, classes = small_dsprites(few)
    np.savez_compressed(folder / "d.npz", imgs=images, latents_classes=classes)
    return read_dsprites(folder / "d.npz", "", sizes)


def dsprites_hdf5(folder: Path, few: bool) -> FactorDataset:
    import h5py

    sizes, images, classes = small_dsprites(few)
    with h5py.File(folder / "d.hdf5", "w") as file:
        file.create_dataset("imgs", data=images, chunks=True, compression="gzip")
        file.create_dataset("latents/classes", data=classes)
    return read_h5(folder / "d.hdf5", "", sizes)


def shapes3d(folder: Path, few: bool) -> FactorDataset:
    import h5py

    sizes = grid(tuple("abcdef"), (2, 2, 2, 8, 4, 15 if few else 60))
    with h5py.File(folder / "s.h5", "w") as file:
        images = pictures(len(sizes), 64, 64)
        file.create_dataset("images", data=images, chunks=(1024, 8, 8, 3), compression="gzip")
        file.create_dataset("labels", data=sizes.factors(np.arange(len(sizes))).astype(float))
    return read_shapes(folder / "s.h5", "", sizes)


def mpi3d_stored(folder: Path, few: bool, save: Callable[..., None] = np.savez) -> FactorDataset:
    sizes = grid(mpi3d.NAMES, (2, 2, 2, 3, 3, 4 if few else 40, 4), mpi3d.TYPES)
    save(folder / "m.npz", images=pictures(len(sizes), 64, 64))
    return mpi3d.read_npz(folder / "m.npz", "mpi3d", sizes)


def mpi3d_compressed(folder: Path, few: bool) -> FactorDataset:
    return mpi3d_stored(folder, few, np.savez_compressed)


def cars3d_tar(folder: Path, few: bool) -> FactorDataset:
    from scipy.io import savemat

    cars = 4 if few else 183
    content = io.BytesIO()
    savemat(content, {"im": pictures(96, 128, 128).reshape(4, 24, 128, 128, 3).transpose(2, 3, 4, 1, 0)})
    with tarfile.open(folder / "c.tar.gz", "w:gz", compresslevel=1) as tar:
        for car in range(cars):
            info = tarfile.TarInfo(f"data/cars/{car:03d}_mesh.mat")
            info.size = len(content.getvalue())
            tar.addfile(info, io.BytesIO(content.getvalue()))
    return cars3d.read_tar(
        folder / "c.tar.gz", "", FactorGrid(cars3d.GRID.names, (4, 24, cars), cars3d.GRID.types)
    )


def smallnorb_matrices(folder: Path, few: bool) -> FactorDataset:
    sizes = FactorGrid(smallnorb.GRID.names, (5, 2, 9, 2 if few else 18, 6), smallnorb.GRID.types)
    factors = sizes.factors(np.arange(len(sizes))).astype("<i4") * np.array([1, 1, 1, 2, 1], "<i4")
    pairs = np.repeat(pictures(len(sizes), 96, 96)[:, None, :, :, 0], 2, axis=1)
    paths = []
    for part, rows in enumerate(np.array_split(np.arange(len(sizes)), 2)):
        arrays = {"dat": pairs[rows], "cat": factors[rows, 0].copy(), "info": factors[rows, 1:].copy()}
        for name, values in arrays.items():
            shape = [*values.shape, *[1] * (3 - values.ndim)]
            magic = 0x1E3D4C55 if name == "dat" else 0x1E3D4C54
            header = struct.pack(f"<ii{len(shape)}i", magic, values.ndim, *shape)
            paths.append(folder / f"{part}-{name}.mat.gz")
            paths[-1].write_bytes(gzip.compress(header + values.tobytes(), 1))
    return smallnorb.read_matrices(paths, sizes)


def mnist_idx(folder: Path, few: bool) -> FactorDataset:
    digits = dm.load_dataset("mnist5k")
    paths = []
    for part, repeats in enumerate((2, 1) if few else (12, 2)):
        places = np.tile(np.arange(len(digits)), repeats)
        for name, values in (
            ("images", digits.images(places)[..., 0]),
            ("labels", digits.factors(places)[:, 0].astype(np.uint8)),
        ):
            header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
            paths.append(folder / f"{part}-{name}.gz")
            paths[-1].write_bytes(gzip.compress(header + values.tobytes(), 1))
    return read_idx_files(paths)


def celeba_zip(folder: Path, few: bool) -> FactorDataset:
    count = 200 if few else 4000
    values = np.where(np.random.default_rng(0).random((count, 40)) < 0.5, -1, 1)
    lines = [f"{i + 1:06d}.jpg {' '.join(map(str, row))}" for i, row in enumerate(values)]
    names = " ".join(f"a{i}" for i in range(40))
    (folder / "list.txt").write_text("\n".join([str(count), names, *lines, ""]))
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        for i, picture in enumerate(pictures(count, 218, 178)):
            content = io.BytesIO()
            Image.fromarray(picture).save(content, "JPEG", quality=90)
            archive.writestr(f"img_align_celeba/{i + 1:06d}.jpg", content.getvalue())
    return read_zip(folder / "faces.zip", folder / "list.txt", "", count)


def isaac3d_128(folder: Path, few: bool, side: int = 128) -> FactorDataset:
    sizes = grid(("a", "b"), (20, 10 if few else 50))
    for i, picture in enumerate(pictures(len(sizes), side, side)):
        Image.fromarray(picture).save(folder / f"{i:06d}.png")
    return read_folder(folder, "isaac3d", sizes)


def isaac3d_512(folder: Path, few: bool) -> FactorDataset:
    return isaac3d_128(folder, few, 512)


def anonymous(process: subprocess.Popen[str]) -> int:
    """RssAnon of a process, in bytes; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def reading(path: Path) -> dict[str, float]:
    with subprocess.Popen(
        [sys.executable, "-c", READ, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            before = most = anonymous(process)
            process.stdin.write("go\n")
            process.stdin.flush()
            while process.poll() is None:
                most = max(most, anonymous(process))
                time.sleep(LOOK_EVERY)
            first, rate = map(float, process.stdout.read().split())
        finally:
            process.kill()
    return {"images a second": rate, "first image, s": first, "memory, MB": (most - before) / 1e6}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    "make",
    [
        sprites,
        rooms,
        mnist5k,
        dsprites_npz,
        dsprites_hdf5,
        shapes3d,
        mpi3d_stored,
        mpi3d_compressed,
        cars3d_tar,
        smallnorb_matrices,
        isaac3d_128,
        isaac3d_512,
        celeba_zip,
        mnist_idx,
    ],
)
def test_reader(
    make: Callable[[Path, bool], FactorDataset], benchmark: BenchmarkFixture, tmp_path: Path, quick: bool
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    dataset = make(files, quick)
    (tmp_path / "dataset.pickle").write_bytes(pickle.dumps(dataset))
    found = benchmark.pedantic(reading, args=(tmp_path / "dataset.pickle",), rounds=1)
    benchmark.extra_info |= rounded({"images": len(dataset), **found})
    print(f"\n{make.__name__}: {benchmark.extra_info}")
    assert found["images a second"] > 0
