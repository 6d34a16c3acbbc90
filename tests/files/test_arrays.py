"""Arrays from files, and the errors of files that are not what they should be."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.arrays import read_array
from disentangle_metrics.files.row_pairs import check_rows
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior

Z = np.random.default_rng(0).normal(size=(6, 2))
V = np.array([[0, 5], [1, 6], [2, 5], [0, 6], [1, 5], [2, 6]])


def test_npy_with_any_name(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", Z)
    (tmp_path / "z.npy").rename(tmp_path / "z.csv")
    np.testing.assert_array_equal(read_array(str(tmp_path / "z.csv"), "latents").value, Z)


def test_a_vector_is_one_column(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", V[:, 0])
    file = read_array(str(tmp_path / "v.npy"), "factors")
    assert file.value.shape == (6, 1)
    assert file.rows == 6


def test_npz(tmp_path: Path) -> None:
    path = tmp_path / "a:b.npz"
    np.savez(path, latents=Z, factors=V, shape=V[:, 0], x=V[:, 1])
    np.testing.assert_array_equal(read_array(str(path), "latents").value, Z)
    np.testing.assert_array_equal(read_array(str(path), "factors").value, V)
    np.testing.assert_array_equal(read_array(f"{path}:x", "factors").value, V[:, 1:])
    both = read_array(f"{path}:x,shape", "factors").value
    assert list(both.columns) == ["x", "shape"]
    np.testing.assert_array_equal(both, V[:, ::-1])
    with pytest.raises(InputError, match=r"has no 'y'; it has latents, factors, shape, x"):
        read_array(f"{path}:y", "factors")
    with pytest.raises(InputError, match=r"must be columns of one length"):
        read_array(f"{path}:x,latents", "factors")
    np.savez(path, a=Z, b=V)
    with pytest.raises(InputError, match=r"several arrays \(a, b\); say which one as .*:NAME"):
        read_array(str(path), "latents")


def test_posterior_from_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "q.npz", mean=Z, logvar=Z - 3)
    posterior = read_array(str(tmp_path / "q.npz"), "latents").value
    assert isinstance(posterior, GaussianPosterior)
    np.testing.assert_array_equal(posterior.logvar, Z - 3)
    np.testing.assert_array_equal(read_array(f"{tmp_path / 'q.npz'}:mean", "latents").value, Z)


def test_safetensors(tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.numpy").save_file
    save_file({"mean": Z, "logvar": Z - 3}, tmp_path / "q")
    np.testing.assert_array_equal(read_array(str(tmp_path / "q"), "latents").value.mean, Z)
    content = (tmp_path / "q").read_bytes()
    (tmp_path / "q").write_bytes(content[:-8])
    with pytest.raises(InputError, match="cannot be read"):
        read_array(str(tmp_path / "q"), "latents")


@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
@pytest.mark.parametrize("header", [True, False])
def test_csv(separator: str, header: bool, tmp_path: Path) -> None:
    pd.DataFrame(Z, columns=["a", "b"]).to_csv(tmp_path / "z", sep=separator, index=False, header=header)
    file = read_array(str(tmp_path / "z"), "latents")
    np.testing.assert_allclose(file.value, Z)
    assert list(file.value.columns) == (["a", "b"] if header else ["z_0", "z_1"])
    assert file.has_header is header


def test_numpy_savetxt(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "z.txt", Z)
    np.testing.assert_allclose(read_array(str(tmp_path / "z.txt"), "latents").value, Z)


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        ("shape,x\nsquare,1\nheart,2\n", ["shape", "x"], 2),
        ("square,1\nheart,2\n", ["factor_0", "factor_1"], 2),
        ("shape,colour\nsquare,red\nheart,blue\nsquare,red\n", ["shape", "colour"], 3),
        ("square,red\nheart,blue\nsquare,blue\n", ["factor_0", "factor_1"], 3),
        ("\ufeffshape\n0\n1\n", ["shape"], 2),
        ("0\n1\n2\n", ["factor_0"], 3),
        (",shape,x\n0,1,5\n1,2,5\n", ["shape", "x"], 2),
        ("0,1\n0.5,2.5\n1.5,1\n", ["0", "1"], 2),
        ("x, y\n1, 2\n\n3, 4\n", ["x", "y"], 2),
        ("x,y\n1,2", ["x", "y"], 1),
        ("1,2", ["factor_0", "factor_1"], 1),
    ],
)
def test_what_is_a_header(text: str, names: list[str], rows: int, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(text, encoding="utf-8")
    file = read_array(str(tmp_path / "v.csv"), "factors")
    assert list(map(str, file.value.columns)) == names
    assert file.rows == len(file.value) == rows


def test_columns_of_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    pd.DataFrame({"id": range(6), "x": V[:, 1], "shape": list("abcabc")}).to_csv(path, index=False)
    chosen = read_array(f"{path}:shape,x", "factors").value
    assert list(chosen.columns) == ["shape", "x"]
    assert list(chosen["shape"]) == list("abcabc")
    with pytest.raises(InputError, match="has no 'y'; it has id, x, shape"):
        read_array(f"{path}:y", "factors")
    with pytest.raises(InputError, match="has 'a' in row 0, column shape; latents must be numbers"):
        read_array(str(path), "latents")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"a,b\n", "has no rows below its header"),
        (b"0,1\n2,1\n0,3\n", "may be data or the numbers of the columns"),
        (b"a,b\n1,2\n1,2,3\n", "is not a table"),
        (b"\x93NUMPY\x01\x00v\x00{'descr'", "truncated or damaged"),
        (b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f8',\n", "truncated or damaged"),
        (b"PK\x03\x04abc", "truncated or damaged"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "an HDF5 file"),
        (b"PAR1" + bytes(60), "a Parquet file that cannot be read"),
        (bytes(range(1, 200)), "unknown format; accepted: .npy"),
    ],
)
def test_bad_files(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "v.npy").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_array(str(tmp_path / "v.npy"), "factors")


def test_truncated_npy_and_npz(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", Z)
    np.savez(tmp_path / "a.npz", Z)
    for name in ("a.npy", "a.npz"):
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) - 40])
        with pytest.raises(InputError, match="truncated or damaged"):
            read_array(str(tmp_path / name), "latents")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--latents: no such file: .*none\.npy"):
        read_array(str(tmp_path / "none.npy"), "latents")


def test_objects_and_pickles_are_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "exploded",)

    objects = np.array([[Bomb()]], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", z=objects)
    (tmp_path / "a.csv").write_bytes(pickle.dumps(Bomb()))
    for name, message in [
        ("a.npy", "Python objects"),
        ("a.npz", "Python objects"),
        ("a.csv", "a pickle can run code"),
    ]:
        with pytest.raises(InputError, match=message):
            read_array(str(tmp_path / name), "latents")
    assert not (tmp_path / "exploded").exists()
    np.load(tmp_path / "a.npy", allow_pickle=True)
    assert (tmp_path / "exploded").exists(), "the bomb is a dud, and this test shows nothing"


def test_rows_that_differ_by_a_header(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", Z)
    (tmp_path / "v.csv").write_text("square\nheart\noval\nstar\nmoon\nsun\n")
    latents = read_array(str(tmp_path / "z.npy"), "latents")
    factors = read_array(str(tmp_path / "v.csv"), "factors")
    with pytest.raises(
        InputError, match=r"have 6 rows but .* have 5; .*first line of .*v\.csv was taken for names"
    ):
        check_rows(latents, factors)


def test_messages_that_name_the_remedy(tmp_path):
    """A list of batches, arrays in groups of a file, a table that lies on its side."""
    import h5py
    import torch

    torch.save([torch.zeros(5, 2), torch.zeros(5, 2)], tmp_path / "batches.pt")
    with pytest.raises(InputError, match="a list of 2 arrays, such as batches; save one array"):
        read_array(str(tmp_path / "batches.pt"), "latents")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["x/latents"], file["x/labels"], file["images"] = (
            np.ones((6, 2)),
            np.zeros((6, 1)),
            np.zeros((6, 4, 4)),
        )
    assert read_array(str(tmp_path / "m.h5"), "latents").rows == 6
    np.save(tmp_path / "z.npy", np.zeros((2, 6)))
    np.save(tmp_path / "v.npy", np.zeros((6, 1), int))
    latents, factors = (
        read_array(str(tmp_path / "z.npy"), "latents"),
        read_array(str(tmp_path / "v.npy"), "factors"),
    )
    with pytest.raises(InputError, match="they may be transposed"):
        check_rows(latents, factors)
    for rows, found in ((6, "the factors have as many columns"), (2, "both have as many columns")):
        np.save(tmp_path / "z.npy", np.zeros((rows, 3 if rows == 6 else 6)))
        np.save(tmp_path / "v.npy", np.zeros((3, 6), int))  # as many rows as there are latents
        latents, factors = (
            read_array(str(tmp_path / "z.npy"), "latents"),
            read_array(str(tmp_path / "v.npy"), "factors"),
        )
        with pytest.raises(InputError, match=found):
            check_rows(latents, factors)
