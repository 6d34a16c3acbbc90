"""The reader of SmallNORB's six files, on small files of the same format."""

import ast
import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disentangle_metrics.datasets import FactorGrid, load_dataset, smallnorb
from disentangle_metrics.datasets.smallnorb import read_matrices
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.testing import check_dataset

GRID = FactorGrid(smallnorb.GRID.names, (2, 4, 2, 3, 1), smallnorb.GRID.types)
ORDER = np.random.default_rng(0).permutation(48)  # the files are in no order
PAIRS = np.random.default_rng(1).integers(0, 256, (48, 2, 16, 16), np.uint8)
MAGIC = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54, "float32": 0x1E3D4C51}


def matrix(values: np.ndarray) -> bytes:
    """The format: magic, number of dimensions, at least three dimensions, the numbers, all little-endian."""
    shape = [*values.shape, *[1] * (3 - values.ndim)]
    return struct.pack(f"<ii{len(shape)}i", MAGIC[str(values.dtype)], values.ndim, *shape) + values.tobytes()


def files(folder: Path, labels: np.ndarray | None = None, **changes: bytes) -> list[Path]:
    factors = GRID.factors(ORDER).astype(np.int32) if labels is None else labels
    factors = factors * np.array([1, 1, 1, 2, 1], np.int32)  # azimuths are numbered 0, 2, ...
    contents = {}
    for name, rows in (("training", slice(0, 20)), ("testing", slice(20, 48))):
        contents[f"{name}-dat"] = matrix(PAIRS[rows])
        contents[f"{name}-cat"] = matrix(factors[rows, 0].copy())
        contents[f"{name}-info"] = matrix(factors[rows, 1:].copy())
    for name, content in {**contents, **changes}.items():
        (folder / f"{name}.mat.gz").write_bytes(gzip.compress(content))
    return [folder / f"{name}.mat.gz" for name in contents]


def open_small(paths: list[Path], side: int = 16, camera: int = 0):
    return read_matrices(paths, GRID, side, camera, 16)


@pytest.mark.parametrize("camera", [0, 1])
def test_images_and_factors_are_read(tmp_path: Path, camera: int) -> None:
    dataset = open_small(files(tmp_path), camera=camera)
    indices = [47, 0, 7, 7]
    np.testing.assert_array_equal(dataset.images(ORDER)[..., 0], PAIRS[:, camera])
    np.testing.assert_array_equal(dataset.images(indices), [dataset.images([i])[0] for i in indices])
    assert dataset.factors([1, 3, 6]).tolist() == [[0, 0, 0, 1, 0], [0, 0, 1, 0, 0], [0, 1, 0, 0, 0]]
    assert (dataset.name, len(dataset), dataset.image_shape) == ("smallnorb", 48, (16, 16, 1))
    check_dataset(dataset)


@pytest.mark.parametrize("place", ["the docstring", "docs/datasets.md"])
def test_the_factors_of_published_scores_are_said(place: str) -> None:
    """disentanglement_lib's norb.py has `latent_factor_indices = [0, 2, 3, 4]` of these five."""
    page = Path(__file__).parents[2] / "docs" / "datasets.md"
    text = smallnorb.load.__doc__ if place == "the docstring" else page.read_text(encoding="utf-8")
    said = re.search(r"dm\.evaluate\(model, dataset, factors=(\[.*?\])\)", text or "")
    assert said is not None
    assert ast.literal_eval(said[1]) == [smallnorb.GRID.names[factor] for factor in (0, 2, 3, 4)]


def test_smaller_ones_are_pillows(tmp_path: Path) -> None:
    dataset = open_small(files(tmp_path), 8)
    picture = Image.fromarray(PAIRS[30, 0]).resize((8, 8), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(dataset.images([ORDER[30]])[0, ..., 0], np.asarray(picture))


def test_pairs_come_in_blocks_and_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smallnorb, "AT_ONCE", 7)
    paths = files(tmp_path)
    images = open_small(paths).images(ORDER)
    np.testing.assert_array_equal(images[..., 0], PAIRS[:, 0])
    monkeypatch.setattr(smallnorb, "pixel_rows", pytest.fail)
    np.testing.assert_array_equal(open_small(paths).images(ORDER), images)


twice = GRID.factors(ORDER).astype(np.int32)
twice[3] = twice[4]
outside = GRID.factors(ORDER).astype(np.int32)
outside[3, 0] = 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training-dat": matrix(PAIRS[:19])}, "training-dat.mat.gz has the shape 19x2x16x16; expected 20x2x16x16"),
        ({"training-dat": matrix(PAIRS[:20, :, :8])}, "has the shape 20x2x8x16"),
        ({"training-dat": matrix(PAIRS[:20].astype(np.int32))}, "training-dat.mat.gz has whole numbers; expected bytes"),
        ({"training-dat": matrix(PAIRS[:20].astype(np.float32))}, "damaged or of another kind .it begins with 0x1e3d4c51"),
        ({"training-dat": matrix(PAIRS[:20])[:-9]}, "damaged or of another kind .it ends too early"),
        ({"training-dat": matrix(PAIRS[:20]) + b"x"}, "damaged or of another kind .it does not end where it should"),
        ({"testing-cat": matrix(np.zeros(28, np.uint8))}, "testing-cat.mat.gz has bytes; expected whole numbers"),
        ({"testing-cat": matrix(np.zeros((28, 1), np.int32))}, "testing-cat.mat.gz has the shape 28x1; expected n"),
        ({"testing-info": matrix(np.zeros((27, 4), np.int32))}, "testing-info.mat.gz has the shape 27x4; expected 28x4"),
        ({"testing-info": b""}, "testing-info.mat.gz is damaged or of another kind .it ends too early"),
        ({"testing-info": struct.pack("<ii", MAGIC["int32"], 2_000_000_000)}, "it begins with 0x1e3d4c54 and 2000000000"),
        ({"testing-info": struct.pack("<iiiii", MAGIC["int32"], 2, 28, -4, 1)}, "has the shape 28x-4"),
    ],
)  # fmt: skip
def test_files_of_another_format_are_refused(tmp_path: Path, changes: dict[str, bytes], message: str) -> None:
    paths = files(tmp_path, **changes)
    with pytest.raises(DatasetError, match=f"smallnorb: {tmp_path}/.*{message}"):
        open_small(paths).images([0])
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (twice, "has not one image for each combination of category, instance"),
        (outside, "labels outside those of"),
    ],
)
def test_labels_that_are_no_grid_are_refused(tmp_path: Path, labels: np.ndarray, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        open_small(files(tmp_path, labels))


@pytest.mark.parametrize("name", ["training-dat", "testing-cat"])
@pytest.mark.parametrize("content", [b"no gzip", b""])
def test_a_file_that_is_no_gzip_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    paths = files(tmp_path)
    (tmp_path / f"{name}.mat.gz").write_bytes(content)
    with pytest.raises(
        DatasetError, match=f"smallnorb: {tmp_path}/{name}.mat.gz is damaged or of another kind"
    ):
        open_small(paths).images([0])


def test_a_truncated_gzip_is_named(tmp_path: Path) -> None:
    paths = files(tmp_path)
    paths[0].write_bytes(paths[0].read_bytes()[:-200])
    with pytest.raises(DatasetError, match="training-dat.mat.gz is damaged or of another kind"):
        open_small(paths).images([0])


def test_the_public_loader_checks_its_files_and_options(tmp_path: Path) -> None:
    for file in smallnorb.FILES:
        (tmp_path / file.name).write_bytes(b"other")
    with pytest.raises(
        DatasetError, match="smallnorb: .*-training-dat.mat.gz is not the published file: its sha256"
    ):
        load_dataset("smallnorb", tmp_path)
    for options, message in (({"side": 97}, "side is 97; accepted: 1 to 96"), ({"camera": 2}, "camera is 2")):
        with pytest.raises(InputError, match=message):
            load_dataset("smallnorb", tmp_path, **options)


def test_the_grid_is_that_of_the_published_files() -> None:
    assert len(smallnorb.GRID) == 2 * 24_300
    assert smallnorb.GRID.sizes == (5, 10, 9, 18, 6)
