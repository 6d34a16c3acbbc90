"""The reader of Isaac3D and Falcor3D, on small folders of the same layout."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disentangle_metrics.datasets import FactorGrid, load_dataset, numbered_pictures
from disentangle_metrics.datasets.numbered_pictures import read_folder
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.testing import check_dataset

GRID = FactorGrid(("a", "b"), (3, 4), ("ordinal", "ordinal"))
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(tmp_path / f"{index:06d}.png")
    return tmp_path


def test_images_and_factors_are_read(folder: Path) -> None:
    dataset = read_folder(folder, "isaac3d", GRID)
    indices = [11, 0, 7, 7]
    np.testing.assert_array_equal(dataset.images(indices), PIXELS[indices])
    assert dataset.images([]).shape == (0, 16, 16, 3)
    assert dataset.factors([1, 4]).tolist() == [[0, 1], [1, 0]]
    assert (dataset.name, len(dataset), dataset.image_shape) == ("isaac3d", 12, (16, 16, 3))
    check_dataset(dataset)


def test_smaller_ones_are_pillows(folder: Path) -> None:
    dataset = read_folder(folder, "isaac3d", GRID, 8)
    expected = Image.fromarray(PIXELS[5]).resize((8, 8), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(dataset.images([5])[0], np.asarray(expected))


def test_pictures_may_be_links_and_a_dangling_one_is_named(folder: Path, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "picture.png"
    (folder / "000003.png").rename(elsewhere)
    (folder / "000003.png").symlink_to(elsewhere)
    dataset = read_folder(folder, "isaac3d", GRID)
    np.testing.assert_array_equal(dataset.images([3]), PIXELS[[3]])
    elsewhere.unlink()
    np.testing.assert_array_equal(dataset.images([2]), PIXELS[[2]])
    with pytest.raises(DatasetError, match=r"isaac3d: .*000003.png cannot be read .*; repair it"):
        dataset.images([3])


def test_broken_pictures_are_named(folder: Path) -> None:
    whole = (folder / "000001.png").read_bytes()
    (folder / "000001.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(PIXELS[2, :8]).save(folder / "000002.png")
    Image.fromarray(np.zeros((16, 16), np.uint16)).save(folder / "000004.png")
    (folder / "000005.png").unlink()
    dataset = read_folder(folder, "isaac3d", GRID)
    for index, message in (
        (1, "000001.png cannot be read"),
        (2, "000002.png is of 16x8, where the first picture is of 16x16"),
        (4, "000004.png cannot be read .it has more than 8 bits"),
        (5, "000005.png cannot be read"),
    ):
        with pytest.raises(DatasetError, match=f"isaac3d: {folder}/{message}"):
            dataset.images([0, index])


def test_a_folder_without_its_last_picture_is_refused(folder: Path) -> None:
    (folder / "000011.png").unlink()
    with pytest.raises(
        DatasetError, match=f"isaac3d: there is no picture 000011.png in {folder}, which has to have 12"
    ):
        read_folder(folder, "isaac3d", GRID)


def test_sizes_are_checked(folder: Path) -> None:
    with pytest.raises(DatasetError, match="pictures in .* are of 16x16; expected squares of 17 or more"):
        read_folder(folder, "isaac3d", GRID, 17)
    with pytest.raises(InputError, match="side is -1"):
        read_folder(folder, "isaac3d", GRID, -1)
    Image.fromarray(PIXELS[0, :8]).save(folder / "000000.png")
    with pytest.raises(DatasetError, match="pictures in .* are of 16x8; expected squares"):
        read_folder(folder, "isaac3d", GRID)


@pytest.mark.parametrize(("name", "inner"), [("isaac3d", "Isaac3D"), ("falcor3d", "Falcor3D")])
def test_the_public_loader_looks_where_the_archive_is_unpacked(tmp_path: Path, name: str, inner: str) -> None:
    with pytest.raises(
        DatasetError, match=rf"{name}: there is no picture 000000.png in .*; get {inner} from Google Drive"
    ):
        load_dataset(name, tmp_path)
    place = tmp_path / inner / "images"
    place.mkdir(parents=True)
    Image.fromarray(PIXELS[0]).save(place / "000000.png")
    last = {"isaac3d": 737_279, "falcor3d": 233_279}[name]
    for root in (tmp_path, tmp_path / inner, place):
        with pytest.raises(DatasetError, match=f"there is no picture {last}.png in {place}"):
            load_dataset(name, root)
    Image.fromarray(PIXELS[1]).save(place / f"{last}.png")
    np.testing.assert_array_equal(load_dataset(name, tmp_path).images([last, 0]), PIXELS[[1, 0]])
    np.testing.assert_array_equal(load_dataset(name, tmp_path, side=8).image_shape, (8, 8, 3))


def test_the_order_of_falcor3d_is_that_of_its_page() -> None:
    factors = [4, 3, 2, 1, 5, 0, 2]
    steps = [46656, 7776, 1296, 216, 36, 6, 1]  # of the formula on the page
    assert numbered_pictures.FALCOR3D_GRID.index([factors]).tolist() == [np.dot(factors, steps)]


def test_the_order_of_isaac3d_is_that_of_its_authors_program() -> None:
    """Factor sizes of the program, and the steps of the formula on the page, which fit to each other."""
    sizes, steps = (3, 8, 5, 4, 4, 4, 6, 4, 4), [245760, 30720, 6144, 1536, 384, 96, 16, 4, 1]
    factors = [2, 7, 1, 3, 0, 2, 5, 1, 3]
    assert numbered_pictures.ISAAC3D_GRID.sizes == sizes
    assert numbered_pictures.ISAAC3D_GRID.index([factors]).tolist() == [np.dot(factors, steps)]
    assert numbered_pictures.ISAAC3D_GRID.names[:5] == (
        "object_shape", "robot_x-move", "robot_y-move", "camera_height", "object_scale"
    )  # fmt: skip
