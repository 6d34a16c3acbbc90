"""The reader of CelebA's archive and attributes, on small files of the same layout."""

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disentangle_metrics.datasets import celeba, load_dataset
from disentangle_metrics.datasets.celeba import read_zip
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.testing import check_dataset

COLOURS = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 255, 255]], np.uint8)
VALUES = np.array([[1, -1, -1], [-1, -1, 1], [1, 1, 1], [1, -1, -1], [-1, 1, 1]])
LIST = "5\nBald Smiling Young\n" + "".join(
    f"{i + 1:06d}.jpg {' '.join(f'{value:2d}' for value in row)}\n" for i, row in enumerate(VALUES)
)


def jpeg(colour: np.ndarray, size: tuple[int, int] = (178, 218)) -> bytes:
    """A picture that is white at its upper and lower edge, as far as the largest square leaves away."""
    pixels = np.full((size[1], size[0], 3), 255, np.uint8)
    pixels[20:-20] = colour
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=95)
    return content.getvalue()


def files(folder: Path, text: str = LIST, **changes: bytes | None) -> tuple[Path, Path]:
    members = {f"img_align_celeba/{i + 1:06d}.jpg": jpeg(colour) for i, colour in enumerate(COLOURS)}
    with zipfile.ZipFile(folder / "faces.zip", "w") as archive:
        archive.writestr("img_align_celeba/", b"")
        for name, content in sorted({**members, **changes}.items(), reverse=True):
            if content is not None:
                archive.writestr(name, content)
    (folder / "list.txt").write_text(text)
    return folder / "faces.zip", folder / "list.txt"


def open_small(paths: tuple[Path, Path], side: int = 8, crop: int = 178):
    return read_zip(*paths, "abc", 5, side, crop, 3)


def test_images_and_attributes_are_read(tmp_path: Path) -> None:
    dataset = open_small(files(tmp_path))
    indices = [4, 0, 2, 2]
    middle = dataset.images(indices)[:, 4, 4].astype(int)
    assert np.abs(middle - COLOURS[indices]).max() < 6  # JPEG is not exact
    assert dataset.factors(indices).tolist() == [[0, 1, 1], [1, 0, 0], [1, 1, 1], [1, 1, 1]]
    assert dataset.index([[1, 0, 0], [0, 0, 1]]).tolist() == [0, 1]
    assert dataset.factor_names == ("Bald", "Smiling", "Young")
    assert (dataset.name, len(dataset), dataset.image_shape) == ("celeba", 5, (8, 8, 3))
    check_dataset(dataset)


def test_the_middle_is_cut(tmp_path: Path) -> None:
    paths = files(tmp_path)
    for crop in (178, 148):
        assert open_small(paths, crop=crop).images([2])[0, 0, :, :2].max() < 30  # the white edges are gone
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "celeba-1-8-148.pixels", "celeba-1-8-178.pixels", "faces.zip", "list.txt"
    ]  # fmt: skip


def test_forty_attributes_have_an_index(tmp_path: Path) -> None:
    """Of 2 to the 40 combinations nothing is kept but those that are there."""
    names = " ".join(f"a{i}" for i in range(40))
    rows = np.where(np.random.default_rng(0).random((5, 40)) < 0.5, -1, 1)
    text = f"5\n{names}\n" + "".join(
        f"{i + 1:06d}.jpg {' '.join(map(str, row))}\n" for i, row in enumerate(rows)
    )
    dataset = read_zip(*files(tmp_path, text), "abc", 5, 8)
    assert dataset.index((rows + 1) // 2).tolist() == [0, 1, 2, 3, 4]


FACE = "img_align_celeba/000003.jpg"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({FACE: None}, "is damaged or of another kind .*000003.jpg"),
        (
            {FACE: None, "../img_align_celeba/000003.jpg": jpeg(COLOURS[2])},
            "is damaged or of another kind .*000003.jpg",
        ),
        ({FACE: b"no picture"}, "img_align_celeba/000003.jpg cannot be read"),
        ({FACE: jpeg(COLOURS[2])[:200]}, "img_align_celeba/000003.jpg cannot be read"),
    ],
)
def test_an_archive_of_another_layout_is_refused(tmp_path: Path, changes, message: str) -> None:
    paths = files(tmp_path, **changes)
    with pytest.raises(DatasetError, match=f"celeba: {paths[0]}.*{message}"):
        open_small(paths).images([0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces.zip", "list.txt"]


def test_a_link_in_the_archive_leads_nowhere(tmp_path: Path) -> None:
    """What a link names is not opened: its text is read as the picture, which it is not."""
    (tmp_path / "secret.jpg").write_bytes(jpeg(COLOURS[0]))
    paths = files(tmp_path, **{FACE: None})
    link = zipfile.ZipInfo(FACE)
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(paths[0], "a") as archive:
        archive.writestr(link, str(tmp_path / "secret.jpg"))
    with pytest.raises(DatasetError, match="img_align_celeba/000003.jpg cannot be read"):
        open_small(paths).images([0])


@pytest.mark.parametrize("change", [lambda content: content[:-300], lambda content: b"no archive"])
def test_a_damaged_archive_is_named(tmp_path: Path, change) -> None:
    paths = files(tmp_path)
    paths[0].write_bytes(change(paths[0].read_bytes()))
    with pytest.raises(DatasetError, match=f"celeba: {paths[0]} is damaged or of another kind"):
        open_small(paths).images([0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LIST.replace("5\n", "6\n", 1), "has 5 rows and 3 attributes; expected 5 and 3"),
        (LIST.rsplit("\n", 2)[0] + "\n", "has 4 rows"),
        (LIST.replace(" Young", ""), "has 5 rows and 2 attributes"),
        (LIST.replace("-1", "0"), "other numbers than -1 and 1"),
        (LIST.replace("000003.jpg  1", "000003.jpg one"), "is damaged or of another kind"),
        (LIST.replace("000003.jpg  1", "000003.jpg"), "is damaged or of another kind"),
        ("", "is damaged or of another kind"),
        ("5\nBärtig\n", "is damaged or of another kind"),
    ],
)
def test_another_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    paths = files(tmp_path, text)
    with pytest.raises(DatasetError, match=f"celeba: {paths[1]} .*{message}"):
        open_small(paths)


def test_the_public_loader_says_where_people_get_the_files_and_checks_them(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError,
        match="no program can fetch it; get img_align_celeba.zip from the folder on Google Drive",
    ):
        load_dataset("celeba", tmp_path)
    paths = files(tmp_path)
    paths[0].rename(tmp_path / celeba.PICTURES.name)
    with pytest.raises(DatasetError, match="celeba: .* is not the published file: its sha256 is"):
        load_dataset("celeba", tmp_path)
    with pytest.raises(InputError, match="side is 64 and crop 179"):
        load_dataset("celeba", tmp_path, crop=179)
