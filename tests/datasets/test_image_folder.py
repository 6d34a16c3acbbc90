"""A user's own folder of pictures."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics import DatasetError, InputError
from disentangle_metrics.cli import evaluate
from disentangle_metrics.datasets import FactorDataset, image_folder, load_dataset
from disentangle_metrics.kit import run_command

Image = pytest.importorskip("PIL.Image")

RED, GREEN, BLUE = (250, 0, 0), (0, 250, 0), (0, 0, 250)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, their names out of order: b.png, a.PNG and deep/c.jpeg."""
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    Image.new("RGB", (12, 12), GREEN).save(folder / "b.png")
    Image.new("RGB", (12, 12), RED).save(folder / "a.PNG")
    Image.new("L", (20, 30), 200).save(folder / "deep" / "c.jpeg")
    (folder / "notes.txt").write_text("no picture")
    (folder / "._b.png").write_bytes(b"what some file systems leave")
    return folder


@pytest.fixture
def load(folder: Path, tmp_path: Path) -> Callable[..., FactorDataset]:
    return lambda side=8: load_dataset("images", folder, side=side, cache=tmp_path / "cache")


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").iterdir())


def test_pictures_are_rows_in_the_order_of_their_names(load: Callable[..., FactorDataset]) -> None:
    dataset = load()
    assert (len(dataset), dataset.image_shape, dataset.name) == (3, (8, 8, 3), "images")
    images = dataset.images([2, 0, 1, 0])
    assert (images.shape, images.dtype) == ((4, 8, 8, 3), np.uint8)
    assert images[1:, 4, 4].tolist() == [list(RED), list(GREEN), list(RED)]
    assert np.abs(images[0].astype(int) - 200).max() <= 2  # grey, whatever the codec rounds
    with pytest.raises(InputError, match=r"indices\[0\] is 3, and the data set has the images 0 to 2"):
        dataset.images([3])


def test_linked_folders_are_read_and_those_of_the_system_are_not(
    folder: Path, load: Callable[..., FactorDataset], tmp_path: Path
) -> None:
    (tmp_path / "else").mkdir()
    Image.new("RGB", (8, 8), BLUE).save(tmp_path / "else" / "d.png")
    (folder / "z").symlink_to(tmp_path / "else", target_is_directory=True)
    (folder / "up").symlink_to("..", target_is_directory=True)
    (folder / "lost+found").mkdir(mode=0)
    dataset = load()
    assert len(dataset) == 4
    assert dataset.images([3])[0, 4, 4].tolist() == list(BLUE)


@pytest.mark.parametrize("turned", [False, True])
def test_the_square_in_the_middle_is_cut_and_resized(turned: bool, tmp_path: Path) -> None:
    pixels = np.zeros((16, 28, 3), np.uint8)
    pixels[:, :6], pixels[:, 6:22], pixels[:, 22:] = RED, GREEN, BLUE
    pixels[:8, 6:14] = RED
    expected = np.full((4, 4, 3), GREEN, np.uint8)
    expected[:2, :2] = RED
    if turned:
        pixels, expected = pixels.transpose(1, 0, 2), expected.transpose(1, 0, 2)
    path = tmp_path / "a.png"
    Image.fromarray(np.ascontiguousarray(pixels)).save(path)
    cut = image_folder.square(path, 4).astype(int)
    np.testing.assert_array_equal(cut > 125, expected > 125)  # edges blur
    assert cut[..., 2].max() == 0  # nothing from outside the square
    np.testing.assert_array_equal(
        image_folder.square(path, 16)[..., 0] > 0, np.kron(expected[..., 0], np.ones((4, 4))) > 0
    )


def test_a_turned_photograph_stands_upright(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[0] = 255
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=turned)
    np.testing.assert_array_equal(image_folder.square(tmp_path / "a.png", 8), pixels[::-1])


def test_decoded_once(
    load: Callable[..., FactorDataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load().images([0, 1, 2])
    (file,) = files(tmp_path)
    assert file.stat().st_size == 4096 + 3 * 8 * 8 * 3

    def again(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr(image_folder, "square", again)
    dataset = load()
    np.testing.assert_array_equal(dataset.images([0, 1, 2]), first)
    sent = pickle.dumps(dataset)
    np.testing.assert_array_equal(pickle.loads(sent).images([0, 1, 2]), first)


def test_a_damaged_file_is_made_again(load: Callable[..., FactorDataset], tmp_path: Path) -> None:
    first = load().images([0, 1, 2])
    (file,) = files(tmp_path)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.warns(UserWarning, match=r"decoding images: .*is damaged \(its checksum does not match\)"):
        np.testing.assert_array_equal(load().images([0, 1, 2]), first)


@pytest.mark.parametrize("change", ["another picture", "one less", "touched", "renamed"])
@pytest.mark.filterwarnings("error")
def test_a_changed_folder_is_decoded_again(
    change: str, folder: Path, load: Callable[..., FactorDataset], tmp_path: Path
) -> None:
    load().images([0])
    load(side=4).images([0])
    before = files(tmp_path)
    if change == "another picture":
        Image.new("RGB", (12, 12), BLUE).save(folder / "0.png")
    elif change == "one less":
        (folder / "a.PNG").unlink()
    elif change == "touched":
        os.utime(folder / "a.PNG", ns=(1, 1))
    else:
        (folder / "a.PNG").rename(folder / "z.png")
    colours = load().images([0, 1])[:, 4, 4].tolist()
    new = {
        "another picture": [BLUE, RED],
        "one less": [GREEN, None],
        "touched": [RED, GREEN],
        "renamed": [GREEN, None],
    }
    for found, expected in zip(colours, new[change], strict=True):
        assert expected is None or found == list(expected)
    (fresh,) = set(files(tmp_path)) - set(before)
    kept = set(files(tmp_path)) & set(before)
    assert [file.name.split("-")[3] for file in kept] == ["4"]  # of the other size; the outdated file is gone
    assert fresh.exists()


def test_folders_without_pictures_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        DatasetError, match=r"images: there is no picture in .*empty; accepted: .jpg, .jpeg, .png"
    ):
        load_dataset("images", tmp_path / "empty")
    with pytest.raises(DatasetError, match=r"images: there is no folder .*other; `root` must be a folder"):
        load_dataset("images", tmp_path / "other")
    with pytest.raises(DatasetError, match="images: pass `root` with your folder of pictures"):
        load_dataset("images")
    with pytest.raises(InputError, match="side is 0; accepted: 1 or more"):
        load_dataset("images", folder, side=0)


@pytest.mark.parametrize("damage", ["torn", "no picture", "16 bits"])
def test_a_picture_that_cannot_be_read_is_named(
    damage: str, folder: Path, load: Callable[..., FactorDataset], tmp_path: Path
) -> None:
    path = folder / "bad.png"
    if damage == "16 bits":
        Image.fromarray(np.full((9, 9), 40_000, np.uint16)).save(path)
    else:
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).save(path)
        path.write_bytes(path.read_bytes()[:2000] if damage == "torn" else b"text")
    with pytest.raises(
        DatasetError, match=rf"images: {path} cannot be read \(.*\); repair it or take it away"
    ):
        load().images([0])
    assert files(tmp_path) == []


def test_a_transparent_picture_is_named(folder: Path, load: Callable[..., FactorDataset]) -> None:
    Image.new("RGBA", (12, 12), (*BLUE, 100)).save(folder / "clear.png")
    with pytest.raises(DatasetError, match=rf"images: {folder / 'clear.png'} has transparent pixels"):
        load().images([0])


def test_where_nothing_can_be_written_pictures_stay_in_memory(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    dataset = load_dataset("images", folder, side=8, cache=tmp_path / "file")
    with pytest.warns(UserWarning, match="keeping it in memory. Pass `cache` with a folder"):
        assert dataset.images([0])[0, 4, 4].tolist() == list(RED)


def test_there_are_no_factors(load: Callable[..., FactorDataset]) -> None:
    dataset = load()
    assert (dataset.factor_names, dataset.factor_sizes, dataset.factor_types) == ((), (), ())
    assert dataset.factors([0, 2]).shape == (2, 0)
    assert repr(dataset) == "<data set images: 3 images (8, 8, 3); factors unknown>"
    with pytest.raises(InputError, match="no known factors"):
        dataset.index([[0]])
    with pytest.raises(InputError, match="scores need known factors, and the data set images has none"):
        dm.evaluate(lambda batch: batch[:, :2, 0, 0], dataset)


def test_dm_eval_says_so_in_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["beta-vae-sprites", "--dataset", "images", "--root", str(folder), "--quiet"]
    assert run_command(evaluate.app, "dm-eval", options) == 2
    assert (
        capsys.readouterr().err
        == "dm-eval: error: scores need known factors, and the data set images has none; some metrics need "
        "none: encode the images and pass the latents alone, --latents LATENTS\n"
    )
