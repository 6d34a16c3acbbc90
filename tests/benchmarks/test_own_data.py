"""Images a second, and memory, of own data and of variants.

Own data are 20,000 images of `sprites` (64x64), written in each form. A process of its own opens them and reads
batches of 256 random images for two seconds. Its memory is the anonymous resident memory (RssAnon) beyond that of
the imports; pages of files that are mapped are no part of it.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import disentangle_metrics as dm

COUNT = 20_000
READ = """
import re, sys, time
import numpy as np, h5py, pyarrow.parquet, PIL.PngImagePlugin, pandas
import disentangle_metrics.datasets as datasets
def anonymous():
    return int(re.search(r"RssAnon:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
before = anonymous()
dataset = datasets.load_dataset(sys.argv[1])
dataset.images([0])
rng = np.random.default_rng(0)
read, most, start = 0, 0, time.perf_counter()
while (seconds := time.perf_counter() - start) < 2:
    read += len(dataset.images(rng.integers(len(dataset), size=256)))
    most = max(most, anonymous())
print(read / seconds, most - before)
"""


def write(form: str, folder: Path) -> str:
    """The path of the images in this form."""
    sprites = dm.load_dataset("sprites")
    rows = np.random.default_rng(0).choice(len(sprites), COUNT, replace=False)
    images, factors = sprites.images(rows)[..., 0], sprites.factors(rows)
    path = folder / form
    if form == "mine.npz":
        np.savez(path, images=images, factors=factors)
    elif form == "compressed.npz":
        np.savez_compressed(path, images=images, factors=factors)
    elif form == "mine.h5":
        import h5py

        with h5py.File(path, "w") as file:
            file["images"], file["factors"] = images, factors
    elif form == "pictures":
        path.mkdir()
        for i, image in enumerate(images):
            Image.fromarray(image).save(path / f"{i}.png")
        table = np.column_stack([np.arange(COUNT), factors])
        np.savetxt(path / "v.csv", table, "%d", ",", header="picture,a,b,c,d,e", comments="")
    else:
        import pyarrow
        from pyarrow import parquet

        path.mkdir()
        cells = []
        for image in images:
            content = io.BytesIO()
            Image.fromarray(image).save(content, "PNG")
            cells.append({"bytes": content.getvalue(), "path": None})
        table = pyarrow.table({"image": cells, "shape": factors[:, 0]})
        parquet.write_table(table, path / "train-00000-of-00001.parquet")
    return str(path)


FORMS = ("mine.npz", "compressed.npz", "mine.h5", "pictures", "parquet")
VARIANTS = (
    "colour",
    "noisy",
    "background",
    "padded:side=80",
    "correlated:factors=posX+posY",
    "split:part=train",
)


@pytest.mark.parametrize("name", [*FORMS, *(f"sprites|{variant}" for variant in VARIANTS)])
def test_reading(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = write(name, tmp_path) if name in FORMS else name
    done = subprocess.run(
        [sys.executable, "-c", READ, place], capture_output=True, text=True, timeout=120, check=True
    )
    images, mebibytes = map(float, done.stdout.split())
    with capsys.disabled():
        print(f"\n{name}: {images:,.0f} images a second, {mebibytes:.0f} MiB")
    assert images > 100
