"""Own data in .npz and HDF5, written here in every form, and damaged in every way."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disentangle_metrics import DatasetError, InputError, evaluate, load_dataset
from disentangle_metrics.datasets.own.archives import MappedRows

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 8, 8, 3), np.uint8)
FACTORS = np.stack([np.arange(20) % 2, np.arange(20) % 5], axis=1)
ORDER = np.array([7, 3, 3, 19, 0])


def npz(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


@pytest.mark.parametrize("form", ["npz", "h5"])
def test_arrays_that_may_be_the_factors_are_named(form: str, tmp_path: Path) -> None:
    arrays = {"x_train": IMAGES, "y_train": FACTORS[:, 0], "boxes": FACTORS, "more": np.arange(3)}
    path = str(tmp_path / f"mine.{form}")
    if form == "npz":
        npz(tmp_path / "mine.npz", **arrays)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array
    told = "if (y_train or boxes|boxes or y_train) holds them, say so, as in `dm.load_dataset"
    with pytest.raises(InputError, match=told):
        evaluate(lambda images: images.reshape(len(images), -1)[:, :2], load_dataset(path))
    assert load_dataset(path, factors="y_train").factor_sizes == (2,)
    assert load_dataset(path, factors="boxes").factor_sizes == (2, 5)
    dataset = load_dataset(npz(tmp_path / "images.npz", images=IMAGES))
    with pytest.raises(InputError, match="some metrics need none: encode the images"):
        evaluate(lambda images: images.reshape(len(images), -1)[:, :2], dataset)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "keys", [("images", "factors"), ("imgs", "latents_classes"), ("x", "y"), ("pictures", "labels")]
)
def test_npz(save: Any, keys: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    save(path, **{keys[0]: IMAGES, keys[1]: FACTORS, "more": np.arange(3)})
    dataset = load_dataset(str(path))
    assert (len(dataset), dataset.name, dataset.factor_sizes) == (20, str(path), (2, 5))
    np.testing.assert_array_equal(dataset.images(ORDER), IMAGES[ORDER])
    np.testing.assert_array_equal(dataset.factors(ORDER), FACTORS[ORDER])
    assert dataset.facts["images"] == keys[0]
    assert dataset.facts["factors"] == keys[1]
    assert len(dataset.facts["sha256"]) == 64
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again.images(ORDER), IMAGES[ORDER])


def test_an_uncompressed_npz_is_mapped(tmp_path: Path) -> None:
    dataset = load_dataset(npz(tmp_path / "mine.npz", factors=FACTORS, images=IMAGES))
    rows = dataset._read.rows  # type: ignore[attr-defined]
    assert isinstance(rows, MappedRows)
    assert len(pickle.dumps(rows)) < 2000  # the images do not travel


def test_columns_first_arrays_are_not_mixed_up(tmp_path: Path) -> None:
    path = npz(tmp_path / "mine.npz", images=np.asfortranarray(IMAGES), factors=FACTORS)
    np.testing.assert_array_equal(load_dataset(path).images(ORDER), IMAGES[ORDER])


def test_a_dsprites_like_archive_with_a_pickle_is_read_without_it(tmp_path: Path) -> None:
    metadata = np.array({"author": "nobody"}, dtype=object)
    values = FACTORS / 10
    path = npz(
        tmp_path / "d.npz",
        imgs=IMAGES[..., 0] // 128,
        latents_classes=FACTORS,
        latents_values=values,
        metadata=metadata,
    )
    dataset = load_dataset(path)
    np.testing.assert_array_equal(dataset.images([2])[0, ..., 0], IMAGES[2, ..., 0] // 128 * 255)
    assert dataset.facts["factors"] == "latents_classes"
    assert load_dataset(path, factors="latents_values").labels([3])["factor_1"][0] == pytest.approx(0.3)


def test_names_of_factors_in_the_archive(tmp_path: Path) -> None:
    path = npz(tmp_path / "mine.npz", images=IMAGES, factors=FACTORS, factor_names=np.array(["hue", "size"]))
    assert load_dataset(path).factor_names == ("hue", "size")


def test_a_table_beside_an_archive(tmp_path: Path) -> None:
    path = npz(tmp_path / "mine.npz", images=IMAGES)
    (tmp_path / "v.csv").write_text("hue\n" + "\n".join(str(i % 3) for i in range(20)))
    dataset = load_dataset(path, factors=str(tmp_path / "v.csv"))
    assert dataset.factors([4]).tolist() == [[1]]
    (tmp_path / "v.csv").write_text("hue\n" + "\n".join(str(i % 3) for i in range(19)))
    with pytest.raises(InputError, match="19 rows of factors but 20 images"):
        load_dataset(path, factors=str(tmp_path / "v.csv"))


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_hdf5(compression: str | None, tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data/imgs", data=IMAGES / np.float32(255), compression=compression)
        file.create_dataset("latents/classes", data=FACTORS)
    dataset = load_dataset(str(path))
    np.testing.assert_array_equal(dataset.images(ORDER), IMAGES[ORDER])
    np.testing.assert_array_equal(dataset.factors(ORDER), FACTORS[ORDER])
    assert dataset.facts["value_range"] == "0..1"
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again.network_input(ORDER), dataset.network_input(ORDER))
    assert dataset.images([]).shape == (0, 8, 8, 3)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def a_body_cut_short(path: Path) -> None:
    """An archive whose images have fewer bytes than their header says."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content[:-100] if name == "images.npy" else content)


@pytest.mark.parametrize("harm", [truncated, a_body_cut_short])
def test_a_damaged_npz_is_named(harm: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    npz(path, images=IMAGES, factors=FACTORS)
    harm(path)
    with pytest.raises(DatasetError, match=r"mine\.npz is truncated or damaged"):
        load_dataset(str(path))


@pytest.mark.parametrize("header", ["{'descr': (", "{'descr': 'V0', 'fortran_order': 1}", "[" * 300])
def test_a_header_that_is_no_header_is_named(header: str, tmp_path: Path) -> None:
    """NumPy has an exception of another kind for each; found by changing files at random."""
    path = tmp_path / "mine.npz"
    text = header.encode().ljust(117) + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(DatasetError, match=r"mine\.npz is truncated or damaged"):
        load_dataset(str(path))


def test_a_damaged_hdf5_is_named(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "mine.h5"
    with h5py.File(path, "w") as file:
        file["images"], file["factors"] = IMAGES, FACTORS
    truncated(path)
    with pytest.raises(DatasetError, match=r"mine\.h5 is truncated or damaged"):
        load_dataset(str(path))


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (
            {"a": IMAGES, "b": IMAGES},
            {},
            r"no array called images \(or imgs\), but a \(20, 8, 8, 3\), b .*: call .* so; or .* images='NAME'",
        ),
        ({"a": FACTORS}, {}, "no array called images"),
        ({"images": IMAGES, "factors": FACTORS[:19]}, {}, "19 rows of factors but 20 images"),
        ({"images": IMAGES.reshape(20, -1), "factors": FACTORS}, {}, r"shape \(20, 192\)"),
        ({"images": IMAGES * 1j, "factors": FACTORS}, {}, "the dtype complex128"),
        ({"images": IMAGES, "factors": FACTORS * 1j}, {}, "complex"),
        (
            {"images": IMAGES, "factors": FACTORS},
            {"images": "pictures"},
            "no array 'pictures' to read as images",
        ),
        (
            {"images": IMAGES, "factors": FACTORS},
            {"factors": "v"},
            "no array 'v' to read as factors; it has images, factors",
        ),
        (
            {"images": IMAGES},
            {"colour": "red"},
            "accepted options: pool, images, factors, channels, value_range",
        ),
        ({"images": IMAGES}, {"root": "there"}, "is a path, so leave out `root`"),
    ],
)
def test_wrong_content_is_named(arrays: dict, options: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises((DatasetError, InputError), match=message):
        load_dataset(npz(tmp_path / "mine.npz", **arrays), **options)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("z.npy", None, "is a NumPy array .*; put it in a folder as images.npy"),
        ("m.npz", b"", "is an empty file"),
        ("m.h5", b"not an archive", "is a text file; accepted: .npz and .h5"),
    ],
)
def test_other_files_are_named(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    np.save(path, FACTORS) if content is None else path.write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        load_dataset(str(path))


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is no file or folder"):
        load_dataset(str(tmp_path / "mine.npz"))
    with pytest.raises(DatasetError, match="did you mean 'sprites'"):
        load_dataset("sprite")


@pytest.mark.parametrize("name", ["a" * 5000, "a" * 300 + ".npz", "a\0b", "a\0b.npz", "~nobody/x.npz"])
def test_what_is_no_path_is_an_unknown_data_set(name: str) -> None:
    with pytest.raises(DatasetError):
        load_dataset(name)
