"""Each form of file gives the arrays that were saved in it, or names the library or the remedy."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.arrays import read_array
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.inputs import check

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(40, 2))
V = RNG.integers(0, 3, (40, 2))
FRAME = pd.DataFrame(Z, columns=["z1", "z2"])


def latents(path: Path | str) -> np.ndarray:
    return np.asarray(read_array(str(path), "latents").value)


def npy_bytes(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


WRITERS = {
    "csv.gz": lambda p: p.write_bytes(gzip.compress(FRAME.to_csv(index=False).encode())),
    "csv.xz": lambda p: p.write_bytes(lzma.compress(FRAME.to_csv(index=False).encode())),
    "csv.bz2": lambda p: FRAME.to_csv(p, index=False, compression="bz2"),
    "csv.zip": lambda p: FRAME.to_csv(p, index=False, compression={"method": "zip", "archive_name": "z.csv"}),
    "npy.gz": lambda p: p.write_bytes(gzip.compress(npy_bytes(Z), mtime=0)),
    "records.json": lambda p: FRAME.to_json(p, orient="records", double_precision=15),
    "columns.json": lambda p: FRAME.to_json(p, double_precision=15),
    "split.json": lambda p: FRAME.to_json(p, orient="split", double_precision=15),
    "lines.json": lambda p: FRAME.to_json(p, orient="records", lines=True, double_precision=15),
    "rows.json": lambda p: p.write_text(json.dumps(Z.tolist())),
    "mat": lambda p: scipy.io.savemat(p, {"z": Z}),
    "sparse mat": lambda p: scipy.io.savemat(p, {"z": sp.csc_matrix(Z)}),
    "csr.npz": lambda p: sp.save_npz(p, sp.csr_matrix(Z)),
    "coo.npz": lambda p: sp.save_npz(p, sp.coo_array(Z)),
    "structured.npy": lambda p: np.save(p, np.array([*map(tuple, Z)], dtype=[("a", float), ("b", float)])),
    "mu.npz": lambda p: np.savez(p, z_mean=Z, labels=V[:, 0]),
    "embeddings.npz": lambda p: np.savez(p, embeddings=Z, labels=V),
}


@pytest.mark.parametrize("form", WRITERS)
def test_forms_that_need_nothing_more(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    with path.open("wb") as file:
        WRITERS[form](file if form.endswith(("npz", "structured.npy", "mat")) else path)
    np.testing.assert_allclose(latents(path), Z, rtol=1e-12)


@pytest.mark.parametrize("form", ["parquet", "feather", "arrows", "indexed.parquet"])
def test_arrow_forms(form: str, tmp_path: Path, monkeypatch) -> None:
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / f"z.{form}"
    if form == "arrows":
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_stream(sink, pa.Table.from_pandas(FRAME).schema) as out,
        ):
            out.write_table(pa.Table.from_pandas(FRAME))
    elif form == "feather":
        FRAME.to_feather(path)
    else:
        labels = [f"s{i}" for i in range(40)]
        (FRAME if form == "parquet" else FRAME.set_axis(labels)).to_parquet(path)
    np.testing.assert_array_equal(latents(path), Z)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"pyarrow; install it with: .*pip install .*\[data\]"):
        latents(path)


@pytest.mark.parametrize("form", ["parquet", "rows.json", "lines.json", "columns.json"])
def test_huge_whole_numbers_beside_missing_ones_stay_apart(form: str, tmp_path: Path) -> None:
    numbers = [None, *(2**60 + int(code) for code in V[1:, 0])]
    path = tmp_path / f"v.{form}"
    if form == "parquet":
        pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pa.table({"id": numbers, "size": V[:, 1]}), path)
    elif form == "rows.json":
        path.write_text(json.dumps(list(zip(numbers, V[:, 1].tolist(), strict=True))))
    elif form == "lines.json":
        lines = [json.dumps({"id": n, "size": int(v)}) for n, v in zip(numbers, V[:, 1], strict=True)]
        path.write_text("\n".join(lines))
    else:
        path.write_text(json.dumps({"id": numbers, "size": V[:, 1].tolist()}))
    factors = read_array(str(path), "factors").value
    number, size = check(Z, factors, missing="drop").factors
    assert number.levels == (2**60, 2**60 + 1, 2**60 + 2)
    assert [number.levels[code] for code in number.codes[1:]] == numbers[1:]
    assert size.levels == (0, 1, 2)


def test_json_keeps_what_was_read_of_ordinary_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"a": [1, None, 3], "b": [0.5, None, 2], "c": ["x", None, "y"]}))
    frame = read_array(str(path), "factors").value
    pd.testing.assert_frame_equal(
        frame, pd.DataFrame({"a": [1, None, 3], "b": [0.5, None, 2], "c": ["x", None, "y"]})
    )
    path.write_text(json.dumps({"a": [0.5, 2**60 + 1]}))
    with pytest.raises(InputError, match="mixes whole numbers beyond 2"):
        check(Z[:2], read_array(str(path), "factors").value)


@pytest.mark.parametrize(
    ("names", "spread"),
    [
        (("mean", "logvar"), lambda s: 2 * np.log(s)),
        (("mu", "log_var"), lambda s: 2 * np.log(s)),
        (("z_mean", "z_log_var"), lambda s: 2 * np.log(s)),
        (("mu", "log_sigma_sq"), lambda s: 2 * np.log(s)),
        (("loc", "scale"), lambda s: s),
        (("z_mu", "z_std"), lambda s: s),
        (("qz_loc", "qz_scale"), lambda s: s),
        (("mu", "log_std"), np.log),
        (("means", "variances"), np.square),
        (("mu", "sigma2"), np.square),
    ],
)
def test_pairs_are_posteriors_by_their_names(names, spread, tmp_path: Path) -> None:
    deviation = np.exp(RNG.normal(size=Z.shape))
    np.savez(tmp_path / "q.npz", **{names[1]: spread(deviation), names[0]: Z, "z": Z + 1})
    posterior = read_array(str(tmp_path / "q.npz"), "latents").value
    assert isinstance(posterior, GaussianPosterior)
    np.testing.assert_array_equal(posterior.mean, Z)
    np.testing.assert_allclose(posterior.logvar, 2 * np.log(deviation), atol=1e-12)
    asked = read_array(f"{tmp_path / 'q.npz'}:{names[0]}", "latents").value
    np.testing.assert_array_equal(asked, Z)


def test_pairs_that_cannot_be_posteriors(tmp_path: Path) -> None:
    np.savez(tmp_path / "q.npz", mu=Z, std=Z)
    with pytest.raises(
        InputError, match=r"'std' is read as a standard deviation, which must be above 0.*:mu"
    ):
        latents(tmp_path / "q.npz")
    np.savez(tmp_path / "q.npz", mu_1=Z, mu_2=Z)
    with pytest.raises(InputError, match=r"several are called like a mean \(mu_1, mu_2\); say which as"):
        latents(tmp_path / "q.npz")


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32", "float64"])
def test_safetensors_of_every_precision(dtype: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    tensor = torch.tensor(Z).to(getattr(torch, dtype))
    save_file({"latents": tensor, "factors": torch.tensor(V)}, tmp_path / "z")
    np.testing.assert_array_equal(latents(tmp_path / "z"), tensor.double().numpy())
    np.testing.assert_array_equal(read_array(f"{tmp_path / 'z'}:factors", "factors").value, V)


@pytest.mark.parametrize("legacy", [False, True])
def test_tensors_of_pytorch(legacy: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    path, how = tmp_path / "z.pt", {"_use_new_zipfile_serialization": not legacy}
    for content in (torch.tensor(Z), {"z": torch.tensor(Z), "labels": torch.tensor(V)}, [torch.tensor(Z)]):
        torch.save(content, path, **how)
        np.testing.assert_array_equal(latents(path), Z)
    torch.save({"mu": torch.tensor(Z), "logvar": torch.tensor(Z)}, path, **how)
    assert isinstance(read_array(str(path), "latents").value, GaussianPosterior)
    if not legacy:
        torch.save({"z": Z}, path)
        np.testing.assert_array_equal(latents(path), Z)


def test_objects_beside_tensors_are_not_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    fuse = tmp_path / "exploded"

    class Bomb:
        def __reduce__(self):
            return Path.touch, (fuse,)

    torch.save({"z": torch.tensor(Z), "bomb": Bomb()}, tmp_path / "z.pt")
    with pytest.raises(InputError, match="holds more than tensors.*torch.save, or the array with numpy.save"):
        latents(tmp_path / "z.pt")
    assert not fuse.exists()


def test_hdf5(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "z.h5"
    with h5py.File(path, "w") as file:
        file["run/mu"], file["run/logvar"] = Z, Z - 3
        file["labels/shape"] = np.array(["a", "b", "a", "c"] * 10, dtype="S1")
        file["elsewhere"] = h5py.ExternalLink("secret.h5", "/x")
    posterior = read_array(str(path), "latents").value
    np.testing.assert_array_equal(posterior.logvar, Z - 3)
    np.testing.assert_array_equal(latents(f"{path}:run/mu"), Z)
    assert read_array(f"{path}:shape", "factors").value["shape"].tolist() == ["a", "b", "a", "c"] * 10
    with pytest.raises(InputError, match="has no 'elsewhere'"):
        latents(f"{path}:elsewhere")


def test_hdf5_that_says_more_than_it_has(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "z.h5", "w") as file:
        file.create_dataset("z", shape=(10**9, 10**3), chunks=(1000, 10), dtype=float)
    with pytest.raises(InputError, match="far more than the file"):
        latents(tmp_path / "z.h5")


def test_matlab_7_3_keeps_columns_first(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "z.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["z"] = Z.T  # as MATLAB lays a 40 by 2 matrix out
    content = bytearray(path.read_bytes())
    content[:19] = b"MATLAB 7.3 MAT-file"
    path.write_bytes(content)
    np.testing.assert_array_equal(latents(path), Z)


def anndata_file(path: Path, order: np.ndarray) -> None:
    """A .h5ad file as AnnData writes it: an obsm of arrays and a table of observations."""
    h5py = pytest.importorskip("h5py")
    names = np.array([f"cell{i}" for i in range(40)], dtype=object)[order]
    with h5py.File(path, "w") as file:
        file.attrs["encoding-type"] = "anndata"
        file["X"] = np.zeros((40, 3))
        file["obsm/X_vae"] = Z[order]
        obs = file.create_group("obs")
        obs.attrs["encoding-type"], obs.attrs["_index"] = "dataframe", "_index"
        obs["_index"] = names
        obs["batch"] = V[order, 1]
        kind = obs.create_group("cell_type")
        kind.attrs["encoding-type"], kind.attrs["ordered"] = "categorical", False
        kind["codes"], kind["categories"] = V[order, 0], np.array(["B", "T", "NK"], dtype=object)


def test_anndata_files(tmp_path: Path) -> None:
    path = tmp_path / "a.h5ad"
    anndata_file(path, np.arange(40))
    found = read_array(str(path), "latents")
    np.testing.assert_array_equal(found.value, Z)
    assert found.value.index[1] == "cell1"
    factors = read_array(f"{path}:obs/cell_type,batch", "factors").value
    assert list(factors.columns) == ["cell_type", "batch"]
    assert factors["cell_type"].tolist() == np.array(["B", "T", "NK"])[V[:, 0]].tolist()
    np.testing.assert_array_equal(latents(f"{path}:obsm/X_vae"), Z)
    np.testing.assert_array_equal(latents(f"{path}:X_vae"), Z)
    with pytest.raises(InputError, match="has no 'X_pca'; it has obs/batch"):
        latents(f"{path}:X_pca")


def test_anndata_files_whose_strings_may_be_missing(tmp_path: Path) -> None:
    """With pandas 3, names of rows and of categories are a group of values and a mask each."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "a.h5ad"
    anndata_file(path, np.arange(40))
    with h5py.File(path, "a") as file:
        for name in ("obs/_index", "obs/cell_type/categories"):
            strings = file[name][()]
            del file[name]
            group = file.create_group(name)
            group.attrs["encoding-type"] = "nullable-string-array"
            group["values"], group["mask"] = strings, np.zeros(len(strings), dtype=bool)
    factors = read_array(f"{path}:cell_type,batch", "factors").value
    assert factors["cell_type"].tolist() == np.array(["B", "T", "NK"])[V[:, 0]].tolist()
    assert str(factors["cell_type"].dtype) == "category"
    assert read_array(str(path), "latents").value.index[1] == "cell1"


def test_anndata_files_whose_values_may_be_missing(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path, lacks = tmp_path / "a.h5ad", np.arange(40) % 10 == 3
    anndata_file(path, np.arange(40))
    columns = {"age": V[:, 0] + 2**60, "ill": V[:, 1] > 0, "site": np.array(["n", "s", "w"], object)[V[:, 0]]}
    kinds = {"age": "nullable-integer", "ill": "nullable-boolean", "site": "nullable-string-array"}
    with h5py.File(path, "a") as file:
        for name, values in columns.items():
            group = file["obs"].create_group(name)
            group.attrs["encoding-type"] = kinds[name]
            group["values"], group["mask"] = values, lacks
    factors = read_array(f"{path}:age,ill,site", "factors").value
    for name, values in columns.items():
        assert factors[name].isna().tolist() == lacks.tolist()
        assert factors[name][~lacks].tolist() == values[~lacks].tolist()
    one = read_array(f"{path}:age", "factors").value
    assert list(one.columns) == ["age"]
    assert one["age"].isna().tolist() == lacks.tolist()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(40), "an Excel workbook; save the sheet as CSV"),
        (gzip.compress(b"X\n\x00\x00\x00\x03" + bytes(40), mtime=0), r"R's own format .* write\.csv"),
        (b"ORC\x00" + bytes(40), "an ORC file; save the table as Parquet"),
        (b"\x28\xb5\x2f\xfd" + bytes(40), "unzstd"),
        (gzip.compress(b"z\n1\n2\n", mtime=0)[:-12], "compressed by gzip that is truncated or damaged"),
        (b'{"a": [1, 2], "b": [1]}', "different lengths"),
        (b'[{"a": 1}, {"b": 1}]', "record 1 has other names"),
        (b'{"a": 3}', "JSON that is no table"),
        (b"\x80\x04K\x01.", "a pickle can run code"),
    ],
)
def test_refusals_say_what_to_do(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "z.bin").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        latents(tmp_path / "z.bin")
    assert str(caught.value).startswith("--latents: ")
    assert "\n" not in str(caught.value)


def test_a_compressed_file_is_called_by_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "v.csv.gz"
    path.write_bytes(gzip.compress(FRAME.set_axis([f"s{i}" for i in range(40)]).to_csv().encode()))
    assert read_array(str(path), "latents").notes[0].startswith(f"{path}: the first column")
    path.write_bytes(gzip.compress(b"a,b\n1,2\n1\n", mtime=0))
    with pytest.raises(InputError, match=f"^--latents: {path} is not a table"):
        latents(path)


def test_an_excel_workbook_is_told_by_its_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
        archive.writestr("xl/worksheets/sheet1.xml", "")
    with pytest.raises(InputError, match="an Excel workbook; save the sheet as CSV"):
        latents(tmp_path / "z.xlsx")


def test_a_large_sparse_file_is_not_written_out(tmp_path: Path) -> None:
    sp.save_npz(tmp_path / "z.npz", sp.csr_matrix((10**6, 10**4)))
    with pytest.raises(InputError, match=r"takes 74\.5 GiB, and at most 2 GiB"):
        latents(tmp_path / "z.npz")


def test_labels_that_read_like_a_pickle(tmp_path: Path) -> None:
    for letter in "FI":
        text = "".join(f"{letter}{i % 3}\n" for i in range(20_000))
        (tmp_path / "v.csv").write_text(text)
        assert read_array(str(tmp_path / "v.csv"), "factors").rows == 20_000


def test_one_factor_keeps_the_name_it_was_asked_for_by(tmp_path: Path) -> None:
    path = tmp_path / "v.npz"
    np.savez(path, shape=np.arange(4), size=np.arange(4.0))
    factors = read_array(f"{path}:shape", "factors").value
    assert list(factors.columns) == ["shape"]
    assert factors["shape"].tolist() == [0, 1, 2, 3]
    assert read_array(f"{path}:size", "latents").value.shape == (4, 1)


def test_a_list_in_json_is_one_column(tmp_path: Path) -> None:
    for content, values in (("[0, 1, 2]", [0, 1, 2]), ('["a", "b"]', ["a", "b"])):
        (tmp_path / "v.json").write_text(content)
        assert read_array(str(tmp_path / "v.json"), "factors").value.to_numpy().ravel().tolist() == values
    (tmp_path / "v.json").write_text("[1, [2]]")
    with pytest.raises(InputError, match="JSON that is no table"):
        read_array(str(tmp_path / "v.json"), "factors")


def test_several_columns_are_chosen_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "columns.npz"
    np.savez(path, shape=np.arange(4), size=np.arange(4.0))
    with pytest.raises(InputError, match=r"say which one as (.*):NAME or, of columns, \1:NAME,NAME$"):
        read_array(str(path), "factors")
    assert list(read_array(f"{path}:shape,size", "factors").value.columns) == ["shape", "size"]
