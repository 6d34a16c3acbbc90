"""Tables beside pictures and arrays: which column names the pictures, and what is no factor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disentangle_metrics import DatasetError, load_dataset
from disentangle_metrics.datasets import from_folder

Image = pytest.importorskip("PIL.Image")

ORDER = [3, 0, 4, 1, 5, 2]  # row i of the table describes picture ORDER[i]
SHAPES = ["moon", "star", "moon", "ship", "ship", "star"]  # of pictures 0 to 5


def pictures(folder: Path, digits: int = 1) -> Path:
    """Picture i has the shade 40 i."""
    for number in range(6):
        Image.fromarray(np.full((4, 4), 40 * number, np.uint8)).save(folder / f"{number:0{digits}d}.png")
    return folder


def shuffled(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({**columns, "shape": [SHAPES[picture] for picture in ORDER]})


def check_rows(folder: Path) -> tuple[str, ...]:
    """Hold every row to its picture; the notes."""
    dataset = load_dataset(str(folder))
    assert dataset.factor_names == ("shape",)
    shades = dataset.images(np.arange(6))[:, 0, 0, 0] // 40
    assert shades.tolist() == ORDER
    assert dataset.labels(np.arange(6))["shape"].tolist() == [SHAPES[picture] for picture in ORDER]
    return dataset.notes


@pytest.mark.parametrize("names", [ORDER, [f"{picture}.png" for picture in ORDER]])
@pytest.mark.parametrize("index", [None, "index", "Unnamed: 0"])
def test_row_labels_name_no_pictures_and_are_no_factor(
    names: list, index: str | None, tmp_path: Path
) -> None:
    shuffled(file=names).rename_axis(index).to_csv(pictures(tmp_path) / "v.csv")
    notes = check_rows(tmp_path)
    assert any("holds row labels (0, 5) and is left out" in note for note in notes)


@pytest.mark.parametrize("label", ["{}", "{}.png"])
def test_row_labels_that_name_the_pictures_do(label: str, tmp_path: Path) -> None:
    frame = shuffled()
    frame.index = pd.Index([label.format(picture) for picture in ORDER])
    frame.to_csv(pictures(tmp_path) / "v.csv")
    check_rows(tmp_path)


def test_names_with_leading_zeros_need_no_ending(tmp_path: Path) -> None:
    pictures(tmp_path, 4)
    shuffled(file=[f"{picture:04d}" for picture in ORDER]).to_csv(tmp_path / "v.csv", index=False)
    check_rows(tmp_path)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "03.png")
    with pytest.raises(DatasetError, match=r"row 0 names '3' .* 0003\.png and 03\.png are called so"):
        load_dataset(str(tmp_path))


@pytest.mark.parametrize(
    "path", ["{folder}/{}.png", "{root}/{folder}/{}.png", r"C:\images\{}.png", "images/{}"]
)
def test_paths_name_the_pictures_rather_than_numbers(path: str, tmp_path: Path) -> None:
    pictures(tmp_path)
    paths = [path.format(picture, folder=tmp_path.name, root=tmp_path.parent) for picture in ORDER]
    shuffled(file=paths, trial=ORDER[::-1]).to_csv(tmp_path / "v.csv", index=False)
    dataset = load_dataset(str(tmp_path))
    assert (dataset.images(np.arange(6))[:, 0, 0, 0] // 40).tolist() == ORDER
    assert dataset.labels(np.arange(6))["trial"].tolist() == ORDER[::-1]
    moved = "images" in path
    assert any("column 'file' names pictures of another folder" in note for note in dataset.notes) is moved


def test_paths_end_in_the_paths_of_pictures_or_in_names_of_their_own(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
    for place, number in (("a", 0), ("b", 0), ("b", 1)):
        Image.fromarray(np.full((4, 4), 255 * number, np.uint8)).save(tmp_path / place / f"{number}.png")
    frame = pd.DataFrame({"file": ["old/b/1.png", "old/a/0.png", "old/b/0.png"], "size": [3, 4, 5]})
    frame.to_csv(tmp_path / "v.csv", index=False)
    assert from_folder(tmp_path).labels([1])["size"].tolist() == [4]
    assert from_folder(tmp_path).images([0])[0, 0, 0, 0] == 255
    frame["file"] = ["old/c/1.png", "old/0.png", "old/d/0.png"]  # two pictures have the last name
    frame.to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(DatasetError, match=r"row 0 names 'old/c/1\.png' in column 'file', and there is no"):
        from_folder(tmp_path)
    (tmp_path / "b" / "0.png").unlink()
    frame[:2].to_csv(tmp_path / "v.csv", index=False)
    assert from_folder(tmp_path).images([0])[0, 0, 0, 0] == 255


@pytest.mark.parametrize(
    ("column", "cell"), [("file", "scan_{}"), ("path", "x/{}.jpeg"), ("scan", "scan_{}.png")]
)
def test_numbers_do_not_win_over_names_that_fit_no_picture(column: str, cell: str, tmp_path: Path) -> None:
    shuffled(trial=ORDER, **{column: [cell.format(row + 9) for row in range(6)]}).to_csv(
        pictures(tmp_path) / "v.csv", index=False
    )
    with pytest.raises(DatasetError, match=f"row 0 names '{cell.format(9)}' in column '{column}', and there"):
        load_dataset(str(tmp_path))


def test_columns_of_endings_that_disagree_are_told_apart_by_a_name(tmp_path: Path) -> None:
    pictures(tmp_path)
    endings = [f"{picture}.png" for picture in ORDER]
    frame = shuffled(left=endings, right=sorted(endings))
    frame.to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(DatasetError, match="orders; call the right one `file`, or leave the other out$"):
        load_dataset(str(tmp_path))
    frame.rename(columns={"left": "file"}).to_csv(tmp_path / "v.csv", index=False)
    assert from_folder(tmp_path).images([0, 5])[:, 0, 0, 0].tolist() == [40 * ORDER[0], 40 * ORDER[5]]
    frame.rename(columns={"left": "file", "right": "image"}).to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(DatasetError, match="different orders; leave the wrong one out$"):
        load_dataset(str(tmp_path))


def test_columns_that_disagree_about_the_pictures_are_refused(tmp_path: Path) -> None:
    pictures(tmp_path)
    frame = shuffled(rank=[0, 1, 2, 3, 5, 4], number=ORDER)
    frame.to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(DatasetError, match=r"'rank' and 'number' name the pictures .* such as 0\.png"):
        load_dataset(str(tmp_path))
    frame.drop(columns="number").to_csv(tmp_path / "v.csv")
    with pytest.raises(DatasetError, match="a column without a name and 'rank' name the pictures"):
        load_dataset(str(tmp_path))
    frame["number"] = [f"{picture}.png" for picture in ORDER]  # as the message says
    frame.to_csv(tmp_path / "v.csv", index=False)
    assert from_folder(tmp_path).labels([0, 4])["rank"].tolist() == [0, 5]
    assert from_folder(tmp_path).images([0, 4])[:, 0, 0, 0].tolist() == [120, 200]


@pytest.mark.parametrize(
    ("column", "names", "wrong"),
    [
        ("file", [*ORDER[:5], 9], "row 5 names '9'"),
        ("file", [picture + 10 for picture in ORDER], "row 0 names '13'"),
        ("scan", [f"{picture}.jpg" for picture in ORDER], r"row 0 names '3\.jpg'"),
    ],
)
def test_wrong_names_do_not_make_row_labels_names(
    column: str, names: list, wrong: str, tmp_path: Path
) -> None:
    shuffled(**{column: names}).to_csv(pictures(tmp_path) / "v.csv")
    with pytest.raises(DatasetError, match=f"{wrong} in column '{column}', and there is no such picture"):
        load_dataset(str(tmp_path))


def test_row_labels_beside_an_array_are_no_factor(tmp_path: Path) -> None:
    images = np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4)
    np.save(tmp_path / "images.npy", images)
    np.savez(tmp_path / "mine.npz", images=images)
    table = tmp_path / "v.csv"
    frame = pd.DataFrame({"shape": SHAPES, "sample_id": [7, 3, 9, 1, 4, 2]})
    frame.to_csv(table)
    for dataset in (
        load_dataset(str(tmp_path / "mine.npz"), factors=str(table)),
        load_dataset(str(tmp_path)),
    ):
        assert dataset.factor_names == ("shape",)
        assert dataset.labels([1, 3])["shape"].tolist() == ["star", "ship"]
        assert dataset.notes[1:] == (
            f"{table}: the first column, which has no name, holds row labels (0, 5) and is left out",
            f"{table}: column 'sample_id' is different in every row (7), an identifier, and is left out",
        )
        assert dataset.facts["notes"] == list(dataset.notes[1:])
    assert from_folder(tmp_path, factor_names=["sample_id"]).factor_names == ("sample_id",)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 0, 2, 3, 4, 5], r"row labels count the images in another order \(1, 0, \.\.\.\); sort the rows"),
        ([0, 1, 2, 0, 1, 2], "the first column has no name, and its values are not those of row labels"),
    ],
)
def test_row_labels_that_may_mean_another_order_are_refused(
    labels: list[int], message: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "images.npy", np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4))
    pd.DataFrame({"shape": SHAPES}, index=labels).to_csv(tmp_path / "v.csv")
    with pytest.raises(DatasetError, match=message):
        load_dataset(str(tmp_path))


def test_a_nameless_column_beside_pictures_is_refused(tmp_path: Path) -> None:
    frame = shuffled(file=[f"{picture}.png" for picture in ORDER]).set_axis([0, 1, 2, 0, 1, 2])
    frame.to_csv(pictures(tmp_path) / "v.csv")
    with pytest.raises(DatasetError, match="has no name, and its values are not those of row labels"):
        load_dataset(str(tmp_path))
