"""Row labels and identifiers are no latents and no factors; what is left out is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.arrays import Choices, read_array
from disentangle_metrics.files.row_pairs import goes_by_place

N = 60
RNG = np.random.default_rng(0)
Z = pd.DataFrame(RNG.normal(size=(N, 2)), columns=["z1", "z2"])
V = pd.DataFrame(RNG.integers(0, 4, (N, 2)), columns=["shape", "size"])
LABELS = {
    "pandas": ("", np.arange(N)),
    "R": ("", np.arange(1, N + 1)),
    "R read back": ("X", np.arange(1, N + 1)),
    "a later part": ("", np.arange(400, 400 + N)),
    "shuffled": ("", RNG.permutation(N)),
    "filtered": ("", np.sort(RNG.choice(1000, N, replace=False))),
    "barcodes": ("", [f"CELL{i:05d}-1" for i in range(N)]),
    "barcodes with a name": ("barcode", [f"CELL{i:05d}-1" for i in range(N)]),
    "file names": ("picture", [f"{i:06d}.png" for i in range(N)]),
    "index": ("index", RNG.permutation(N)),
    "saved twice": ("Unnamed: 0", np.arange(N)),
    "sample_id": ("sample_id", RNG.choice(10_000, N, replace=False)),
}


@pytest.mark.parametrize("case", LABELS)
@pytest.mark.parametrize("role", ["latents", "factors"])
def test_row_labels_are_left_out_and_told(case: str, role: str, tmp_path: Path) -> None:
    name, labels = LABELS[case]
    frame = Z if role == "latents" else V
    frame.set_axis(pd.Index(labels, name=name or None)).to_csv(tmp_path / "t.csv")
    file = read_array(str(tmp_path / "t.csv"), role)
    assert list(file.value.columns) == list(frame.columns)
    np.testing.assert_allclose(file.value, frame)
    assert "row labels" in file.notes[0]
    assert "left out" in file.notes[0]


def test_r_writes_one_name_fewer(tmp_path: Path) -> None:
    body = "".join(f'"{i + 1}" {a} {b}\n' for i, (a, b) in enumerate(V.to_numpy()))
    (tmp_path / "t.txt").write_text('"shape" "size"\n' + body)
    file = read_array(str(tmp_path / "t.txt"), "factors")
    pd.testing.assert_frame_equal(file.value, V)


@pytest.mark.parametrize(
    "extra",
    [
        {"file": [f"{i}.png" for i in range(N)]},
        {"note": [f"text {i}" for i in range(N)]},
        {"cell_id": RNG.choice(10_000, N, replace=False)},
        {"uuid": [2**60 + i for i in range(N)]},
    ],
    ids=lambda extra: next(iter(extra)),
)
def test_identifiers_among_factors(extra: dict, tmp_path: Path) -> None:
    V.assign(**extra).to_csv(tmp_path / "t.csv", index=False)
    file = read_array(str(tmp_path / "t.csv"), "factors")
    assert list(file.value.columns) == ["shape", "size"]
    (note,) = file.notes
    (name,) = extra
    assert f"column {name!r} is different in every row" in note
    kept = read_array(f"{tmp_path / 't.csv'}:shape,{name}", "factors")
    assert list(kept.value.columns) == ["shape", name], "a column asked for by name stays"


@pytest.mark.parametrize("name", ["position", "weight", "time"])
def test_measurements_stay(name: str, tmp_path: Path) -> None:
    V.assign(**{name: RNG.permutation(N) * 3 + 5}).to_csv(tmp_path / "t.csv", index=False)
    assert list(read_array(str(tmp_path / "t.csv"), "factors").value.columns) == ["shape", "size", name]


def test_a_person_that_comes_again_is_a_factor(tmp_path: Path) -> None:
    pd.DataFrame({"id": RNG.integers(0, 5, N), "size": V["size"]}).to_csv(tmp_path / "t.csv", index=False)
    assert list(read_array(str(tmp_path / "t.csv"), "factors").value.columns) == ["id", "size"]


def test_a_first_column_without_name_that_is_no_label(tmp_path: Path) -> None:
    Z.set_axis(RNG.integers(0, 3, N)).to_csv(tmp_path / "t.csv")
    with pytest.raises(InputError, match="first column has no name.*--index-col 0 or --drop-columns 0"):
        read_array(str(tmp_path / "t.csv"), "latents")
    dropped = read_array(str(tmp_path / "t.csv"), "latents", Choices(drop_columns=("0",)))
    np.testing.assert_allclose(dropped.value, Z)


def test_the_users_choices(tmp_path: Path) -> None:
    V.assign(who=[f"p{i}" for i in range(N)], weight=1.5).to_csv(tmp_path / "t.csv", index=False)
    file = read_array(str(tmp_path / "t.csv"), "factors", Choices("who", ("weight",)))
    assert list(file.value.columns) == ["shape", "size"]
    assert file.value.index[3] == "p3"
    assert file.labelled


def test_words_among_latents_are_refused_by_column(tmp_path: Path) -> None:
    Z.assign(label=["a", "b"] * (N // 2)).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="'a' in row 0, column label; .*--drop-columns label"):
        read_array(str(tmp_path / "t.csv"), "latents")


def test_an_index_that_repeats_is_a_factor_and_other_row_labels_are_told(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = tmp_path / "t.parquet"
    kinds = pd.Series(["star", "moon", "ship"] * (N // 3), dtype="category")
    V.assign(kind=kinds).set_index("kind").to_parquet(path)
    file = read_array(str(path), "factors")
    assert list(file.value.columns) == ["kind", "shape", "size"]
    assert file.value["kind"].tolist() == kinds.tolist()
    assert not file.labelled
    assert file.notes == ()
    assert list(read_array(f"{path}:size,kind", "factors").value.columns) == ["size", "kind"]
    assert read_array(f"{path}:size", "factors").notes == ()
    assert list(read_array(str(path), "factors", Choices(drop_columns=("kind",))).value.columns) == [
        "shape",
        "size",
    ]
    V.assign(kind=kinds, who=[f"p{i}" for i in range(N)]).set_index(["who", "kind"]).to_parquet(path)
    file = read_array(str(path), "factors")
    assert list(file.value.columns) == ["kind", "shape", "size"]
    assert file.left_out == (f"{path}: the index 'who' holds row labels (p0, p{N - 1}) and is left out",)
    assert file.notes == file.left_out
    assert list(read_array(f"{path}:who,size", "factors").value.columns) == ["who", "size"]
    Z.set_axis(kinds.rename("kind")).to_parquet(path)
    assert list(read_array(str(path), "latents").value.columns) == ["z1", "z2"]


def test_an_index_that_repeats_in_both_files_is_compared(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    z, v = tmp_path / "z.parquet", tmp_path / "v.parquet"
    kinds = pd.Index(["star", "moon", "ship"] * (N // 3), name="kind")
    Z.set_axis(kinds).to_parquet(z)
    V.set_axis(kinds).to_parquet(v)
    assert goes_by_place(read_array(str(z), "latents"), read_array(str(v), "factors")) == (False, "")


def test_indices_that_pandas_saved_three_times_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    V.to_csv(path)
    for _ in range(2):
        pd.read_csv(path).to_csv(path)
    assert "Unnamed: 0.1" in path.read_text()
    for role in ("latents", "factors"):
        assert list(read_array(str(path), role).value.columns) == list(V.columns)
