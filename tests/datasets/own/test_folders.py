"""Folders of pictures: with a table, with a folder for each class, with images.npy."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from disentangle_metrics import DatasetError, InputError, load_dataset
from disentangle_metrics.datasets import from_folder
from disentangle_metrics.datasets.storage.picture_folders import names_below

Image = pytest.importorskip("PIL.Image")

SHADES = {"a.png": 10, "b.png": 20, "deep/c.png": 30}
TABLE = "file,shape,weight\nb.png,square,0.5\ndeep/c.png,heart,\na.png,heart,1.5\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three grey pictures of 6 x 4 pixels, and a table of their factors in another order."""
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    for name, shade in SHADES.items():
        Image.fromarray(np.full((4, 6), shade * 8, np.uint8)).save(folder / name)
    (folder / "labels.csv").write_text(TABLE)
    return folder


@pytest.mark.parametrize(
    "spell", [str, lambda name: Path(name).name, lambda name: Path(name).stem, lambda name: f"./{name}"]
)
def test_pictures_go_with_their_rows(spell: Callable[[str], str], folder: Path) -> None:
    names = ["b.png", "deep/c.png", "a.png"]
    table = pd.DataFrame({"shape": ["square", "heart", "heart"], "picture": [spell(name) for name in names]})
    table.to_csv(folder / "labels.csv", index=False)
    dataset = load_dataset(str(folder))
    assert (len(dataset), dataset.image_shape) == (3, (4, 6, 1))
    assert dataset.images([0, 2, 1, 0])[:, 0, 0, 0].tolist() == [160, 80, 240, 160]
    assert dataset.labels([0, 1])["shape"].tolist() == ["square", "heart"]
    assert dataset.factor_names == ("shape",)
    again = pickle.loads(pickle.dumps(dataset))
    assert again.images([2])[0, 0, 0, 0] == 80


def test_values_may_be_missing_in_a_table(folder: Path) -> None:
    dataset = from_folder(folder, "labels.csv", factor_names=["weight"])
    assert dataset.factor_names == ("weight",)
    assert dataset.factors([0, 1, 2]).tolist() == [[0], [-1], [1]]
    assert dataset.facts["factors"] == str(folder / "labels.csv")


@pytest.mark.parametrize("suffix", ["parquet", "tsv", "json"])
def test_other_tables(suffix: str, folder: Path, tmp_path: Path) -> None:
    (folder / "labels.csv").unlink()
    frame = pd.DataFrame({"name": list(SHADES), "hue": [3, 1, 3]})
    path = tmp_path / f"factors.{suffix}"
    if suffix == "parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    elif suffix == "tsv":
        frame.to_csv(path, sep="\t", index=False)
    else:
        frame.to_json(path, orient="records")
    assert from_folder(folder, path).labels([0, 1, 2])["hue"].tolist() == [3, 1, 3]


def test_pictures_that_the_table_leaves_out_are_said(folder: Path) -> None:
    (folder / "labels.csv").write_text("file,hue\nb.png,1\na.png,2\n")
    dataset = load_dataset(str(folder))
    assert len(dataset) == 2
    assert "does not name 1 pictures" in dataset.notes[1]


def test_factors_that_look_like_pictures_are_not_taken_for_their_names(tmp_path: Path) -> None:
    for number in range(3):
        Image.fromarray(np.full((4, 6), number * 100, np.uint8)).save(tmp_path / f"{number}.png")
    table = tmp_path / "labels.csv"
    table.write_text("place,file\n2,0.png\n0,1.png\n1,2.png\n")
    dataset = load_dataset(str(tmp_path))
    assert dataset.factor_names == ("place",)
    assert dataset.labels([0, 1, 2])["place"].tolist() == [2, 0, 1]
    assert dataset.images([0, 1, 2])[:, 0, 0, 0].tolist() == [0, 100, 200]
    table.write_text("place,file\n0,0.png\n1,1.png\n0,gone.png\n1,2.png\n")
    with pytest.raises(DatasetError, match=r"row 2 names 'gone.png' in column 'file'"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            "file,hue\nb.png,1\nz.png,2\n",
            r"row 1 names 'z.png' in column 'file', and there is no such picture .*\(1 rows",
        ),
        (
            "file,hue\nb.png,1\nb.png,2\n",
            "row 1 names 'b.png' in column 'file', as an earlier row does; give each picture one row",
        ),
        ("hue,size\n1,2\n3,4\n", "no column names the pictures of .*, such as a.png; add a column"),
        ("file\nb.png\na.png\n", "no column beside"),
        ("", "is an empty file"),
    ],
)
def test_a_table_that_does_not_match_is_named(table: str, message: str, folder: Path) -> None:
    (folder / "labels.csv").write_text(table)
    with pytest.raises(DatasetError, match=message):
        load_dataset(str(folder))


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for name, shade in {"cat/1.png": 100, "dog/1.png": 200, "cat/2.png": 110}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((4, 4, 3), shade, np.uint8)).save(tmp_path / name)
    dataset = load_dataset(str(tmp_path))
    assert dataset.factor_names == ("class",)
    assert dataset.labels([0, 1, 2])["class"].tolist() == ["cat", "cat", "dog"]
    assert dataset.images([2])[0, 0, 0].tolist() == [200, 200, 200]
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "loose.png")
    with pytest.raises(DatasetError, match=r"one beside them, loose\.png"):
        load_dataset(str(tmp_path))


def tree(folder: Path, *names: str) -> str:
    """A folder of black pictures of these names, as text."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / name)
    return str(folder)


def test_a_class_may_be_a_link_to_a_folder(tmp_path: Path) -> None:
    mine = tree(tmp_path / "mine", "cat/1.png", "dog/2.png")
    tree(tmp_path / "else", "3.png", "deep/4.png")
    (tmp_path / "mine/emu").symlink_to(tmp_path / "else", target_is_directory=True)
    (tmp_path / "mine/cat/up").symlink_to(tmp_path / "mine", target_is_directory=True)  # goes in circles
    (tmp_path / "else/deep/up").symlink_to(tmp_path / "else", target_is_directory=True)
    dataset = load_dataset(mine)
    assert dataset.labels(range(4))["class"].tolist() == ["cat", "dog", "emu", "emu"]
    assert len(dataset) == 4


def test_a_path_object_is_a_path_whatever_is_called_so(monkeypatch: Any, tmp_path: Path) -> None:
    tree(tmp_path / "sprites", "cat/1.png", "dog/2.png")
    monkeypatch.chdir(tmp_path)
    for mine in (load_dataset(Path("./sprites")), load_dataset("./sprites")):
        assert (len(mine), mine.name) == (2, "./sprites")  # as a name, sprites opens another data set
        assert len(load_dataset(mine.name)) == 2
    chosen = load_dataset(Path("sprites|restricted:class=1"))
    assert (len(chosen), chosen.name) == (1, "./sprites|restricted:class=1")
    with pytest.raises(DatasetError, match="there is no file or folder rooms"):
        load_dataset(Path("rooms"))
    assert len(load_dataset("sprites")) > 100_000


def link(place: Path, to: Path | str) -> None:
    place.symlink_to(to, target_is_directory=True)


def test_no_picture_is_listed_twice_where_links_lead_up(tmp_path: Path) -> None:
    mine = tree(tmp_path / "up/mine", "cat/1.png", "dog/2.png", "cat/in/0.png")
    tree(tmp_path / "up/else/deep", "3.png")
    tree(tmp_path / "up/else", "4.png")
    link(tmp_path / "up/mine/emu", tmp_path / "up/else/deep")
    link(tmp_path / "up/else/deep/back", tmp_path / "up/else")  # holds the folder that it is in
    link(tmp_path / "up/mine/dog/around", tmp_path / "up")
    names = ["cat/1.png", "cat/in/0.png", "dog/2.png", "emu/3.png", "emu/back/4.png"]
    assert names_below(Path(mine), (".png",)) == names
    assert load_dataset(mine).labels(range(5))["class"].tolist() == [name[:3] for name in names]
    for around in ("..", "/", "cat"):
        link(tmp_path / "up/mine/up", around)
        assert names_below(Path(mine), (".png",)) == names
        with pytest.raises(
            DatasetError, match=r"mine/up is a link to a folder around it or in it; take it aw"
        ):
            load_dataset(mine)
        (tmp_path / "up/mine/up").unlink()


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda emu: emu.mkdir(), "holds no picture; accepted: .png, "),
        (lambda emu: emu.mkdir() or (emu / "1.ppm").write_bytes(b"P6"), "holds no picture; accepted: .png, "),
        (lambda emu: emu.symlink_to("nowhere"), "holds no picture"),
    ],
    ids=["an empty folder", "other endings", "a broken link"],
)
def test_a_class_without_pictures_is_named(add: Any, message: str, tmp_path: Path) -> None:
    mine = tree(tmp_path, "cat/1.png", "dog/2.png", ".hidden/3.png")
    assert len(load_dataset(mine)) == 2
    add(tmp_path / "emu")
    with pytest.raises(DatasetError, match=f"emu {message}"):
        load_dataset(mine)


@pytest.mark.parametrize(
    "names",
    [
        ("train/cat/1.png", "train/dog/2.png", "test/cat/3.png"),
        ("one/cat/1.png", "one/dog/2.png", "two/cat/deep/3.png"),
        ("Train/cat/1.png", "val/2.png"),
        ("train/1.png", "test/2.png"),
    ],
)
def test_a_split_is_no_class(names: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="name the folder of one split, or give a table"):
        load_dataset(tree(tmp_path, *names))


def test_one_folder_in_each_class_is_no_split(tmp_path: Path) -> None:
    dataset = load_dataset(tree(tmp_path, "cat/images/1.png", "dog/images/2.png", "emu/pictures/3.png"))
    assert dataset.labels(range(3))["class"].tolist() == ["cat", "dog", "emu"]


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of folders that cannot be read."""
    names, scandir = set(), os.scandir

    def guarded(place: Any) -> Any:
        if Path(place).name in names:
            raise PermissionError(13, "Permission denied", str(place))
        return scandir(place)

    monkeypatch.setattr(os, "scandir", guarded)
    return names


def test_a_folder_that_cannot_be_read_is_named(
    unreadable: set[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mine = tree(tmp_path, "cat/1.png", "dog/2.png")
    unreadable.add("dog")
    with pytest.raises(DatasetError, match=r"dog cannot be read \(Permission denied\)"):
        load_dataset(mine)
    monkeypatch.setattr(os, "access", lambda place, _: str(place) != mine)
    for opened in (load_dataset, from_folder):
        with pytest.raises(DatasetError, match=rf"^{mine} cannot be read"):
            opened(mine)


def test_a_table_needs_only_the_folders_of_its_pictures(unreadable: set[str], folder: Path) -> None:
    tree(folder / "other", "d.png")
    unreadable.add("other")
    assert len(load_dataset(str(folder))) == 3
    unreadable.add("deep")
    with pytest.raises(
        DatasetError, match=r"names 'deep/c.png' .* no such picture .*; .*/deep.* cannot be read"
    ):
        load_dataset(str(folder))


@pytest.mark.parametrize("system", ["lost+found", "__MACOSX"])
def test_a_folder_of_the_system_is_no_class(system: str, unreadable: set[str], tmp_path: Path) -> None:
    mine = tree(tmp_path, "cat/1.png", "dog/2.png")
    (tmp_path / system / "cat").mkdir(parents=True)
    assert load_dataset(mine).labels(range(2))["class"].tolist() == ["cat", "dog"]
    unreadable.add(system)
    assert len(load_dataset(mine)) == 2


def test_pictures_alone_are_for_training(folder: Path) -> None:
    (folder / "labels.csv").unlink()
    (folder / "deep" / "c.png").unlink()
    dataset = load_dataset(str(folder))
    assert (len(dataset), dataset.factor_names) == (2, ())


def test_pictures_of_several_sizes_are_cut_when_asked(folder: Path) -> None:
    Image.fromarray(np.full((9, 5), 240, np.uint8)).save(folder / "a.png")
    with pytest.raises(
        DatasetError,
        match=r"a\.png has 5x9 pixels, and .*b\.png has 6x4; `dm.load_dataset\(..., side=64\)` cuts",
    ):
        load_dataset(str(folder)).images([0, 2])
    assert load_dataset(str(folder), side=3).images([0, 2]).shape == (2, 3, 3, 1)


def test_grey_and_coloured_pictures_are_not_mixed_in_silence(folder: Path) -> None:
    Image.fromarray(np.full((4, 6, 3), (250, 0, 0), np.uint8)).save(folder / "a.png")
    with pytest.raises(DatasetError, match=r"a\.png is in colour, and .*b\.png is grey.*channels=3"):
        load_dataset(str(folder)).images([0, 2])
    images = load_dataset(str(folder), channels=3).images([0, 2])
    assert images[:, 0, 0].tolist() == [[160, 160, 160], [250, 0, 0]]


def test_masks_of_0_and_1_are_black_and_white(folder: Path) -> None:
    for name in SHADES:
        Image.fromarray(np.eye(4, 6, dtype=np.uint8)).save(folder / name)
    dataset = load_dataset(str(folder))
    assert dataset.facts["value_range"] == "0..1"
    assert sorted(set(dataset.images([0]).ravel().tolist())) == [0, 255]


def disc(mode: str, outside: int) -> Any:
    """A white picture of 6 x 4 pixels; those of the left column have the alpha `outside`."""
    white = Image.new(mode.removesuffix("A"), (6, 4), "white")
    alpha = np.full((4, 6), 255, np.uint8)
    alpha[:, 0] = outside
    white.putalpha(Image.fromarray(alpha))
    return white


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_shapes_in_the_alpha_channel_are_refused(mode: str, folder: Path) -> None:
    for name in SHADES:
        disc(mode, 255).save(folder / name)
    assert (load_dataset(str(folder)).images([0, 1, 2]) == 255).all()  # nothing is transparent
    disc(mode, 254).save(folder / "a.png")  # the picture of the last row
    dataset = from_folder(folder, value_range="0..255")
    with pytest.raises(DatasetError, match=r"a\.png has transparent pixels, .*; draw it on a background and"):
        dataset.images([2])


def test_transparent_colours_of_a_palette_are_refused(folder: Path) -> None:
    palette = Image.new("P", (6, 4), 1)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    palette.save(folder / "b.png", transparency=1)
    with pytest.raises(DatasetError, match=r"b\.png has transparent pixels"):
        load_dataset(str(folder))


def test_a_broken_picture_is_named(folder: Path) -> None:
    path = folder / "a.png"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(DatasetError, match=r"a\.png cannot be read"):
        load_dataset(str(folder)).images([2])


def test_an_array_of_images_beside_a_table(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "v.csv").write_text("hue,size\n1,2\n2,1\n1,1\n2,2\n")
    dataset = load_dataset(str(tmp_path))
    np.testing.assert_array_equal(dataset.images([3, 1])[..., 0], images[[3, 1]])
    assert dataset.labels([3]).to_dict("list") == {"hue": [2], "size": [2]}
    (tmp_path / "images.npy").write_bytes((tmp_path / "images.npy").read_bytes()[:100])
    with pytest.raises(DatasetError, match=r"images\.npy is damaged"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    ("prepare", "options", "message"),
    [
        (lambda folder: (folder / "b.csv").write_text(TABLE), {}, "several tables .* factors="),
        (lambda folder: None, {"factors": "no.csv"}, "there is no file no.csv"),
        (lambda folder: None, {"side": "big"}, "side must be a whole number"),
        (lambda folder: None, {"side": 0}, "side is 0"),
        (lambda folder: None, {"channels": 2}, "channels is 2"),
        (lambda folder: None, {"images": "x"}, "accepted options: pool, factors, side"),
    ],
)
def test_wrong_options_are_named(prepare: Any, options: dict, message: str, folder: Path) -> None:
    prepare(folder)
    with pytest.raises((DatasetError, InputError), match=message):
        load_dataset(str(folder), **options)


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no picture in"):
        load_dataset(str(tmp_path))
    with pytest.raises(DatasetError, match="there is no folder"):
        from_folder(tmp_path / "nothing")


@pytest.mark.parametrize("channels", ["last", "first", "colour", 2])
def test_channels_of_pictures_are_a_number(channels, tmp_path):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"pictures have 1 \(grey\) or 3 \(colour\)"):
        from_folder(tmp_path, channels=channels)
