"""dm-eval tells on stderr what it left out or decided in reading, and takes the user's choices."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm

N = 300
RNG = np.random.default_rng(0)
V = pd.DataFrame(RNG.integers(0, 4, (N, 2)), columns=["shape", "size"])
Z = pd.DataFrame(V.to_numpy() + RNG.normal(size=(N, 2)) * 0.1, columns=["z1", "z2"])
NAMES = [f"s{i}" for i in range(N)]
COMMON = "--metrics mig --anchors none --json r.json"


def mig(folder: Path) -> float:
    return json.loads((folder / "r.json").read_text())["scores"]["mig"]["value"]


@pytest.fixture
def right(dm_eval, folder) -> float:
    """MIG of the plain tables."""
    Z.to_csv("z.csv", index=False)
    V.to_csv("v.csv", index=False)
    assert dm_eval(f"--latents z.csv --factors v.csv {COMMON}").code == 0
    return mig(folder)


def test_left_out_columns_are_named(dm_eval, folder, right) -> None:
    V.set_axis(NAMES).assign(file=[f"{n}.png" for n in NAMES]).to_csv("v.csv")
    result = dm_eval(f"--latents z.csv --factors v.csv {COMMON}")
    assert "the first column, which has no name, holds row labels (s0, s299) and is left out" in result.err
    assert "column 'file' is different in every row (s0.png), an identifier, and is left out" in result.err
    assert "only v.csv has row labels, so row i of both files is taken for the same sample" in result.err
    assert mig(folder) == right
    assert "left out" in json.loads((folder / "r.json").read_text())["provenance"]["factors"]["notes"][0]
    checks = json.loads((folder / "r.json").read_text())["checks"]
    left_out = [check for check in checks if check["code"] == "column_left_out"]
    assert [check["about"] for check in left_out] == ["factors", "factors"]
    assert left_out[1]["message"].endswith("(s0.png), an identifier, and is left out")
    assert left_out[1]["remedy"] == "to keep it, name the columns to read: --factors v.csv:NAME,NAME"
    assert dm_eval(f"--latents z.csv --factors v.csv {COMMON} --quiet").err == ""


def test_rows_are_matched_by_label(dm_eval, folder, right) -> None:
    order = RNG.permutation(N)
    Z.set_axis(NAMES).iloc[order].to_csv("z.csv")
    V.set_axis(NAMES).to_csv("v.csv")
    assert dm_eval(f"--latents z.csv --factors v.csv {COMMON}").code == 0
    assert mig(folder) == pytest.approx(right)
    V.set_axis([f"other{i}" for i in range(N)]).to_csv("v.csv")
    result = dm_eval(f"--latents z.csv --factors v.csv {COMMON}")
    assert result.code == 2
    assert "disagree" in result.err_lines[-1]


def test_choices(dm_eval, folder, right) -> None:
    order = RNG.permutation(N)
    Z.assign(key=np.arange(N) * 7 % 1000, loss=1.5).iloc[order].to_csv("z.csv", index=False)
    V.assign(key=np.arange(N) * 7 % 1000).to_csv("v.csv", index=False)
    result = dm_eval(f"--latents z.csv --factors v.csv --index-col key --drop-columns loss {COMMON}")
    assert result.code == 0, result.err
    assert mig(folder) == pytest.approx(right)
    result = dm_eval(f"--latents z.csv --factors v.csv --drop-columns lost {COMMON}")
    assert result.code == 2
    assert "--drop-columns: no file has a column 'lost'; the columns are" in result.err
    result = dm_eval(f"--latents z.csv:z1,z2 --factors v.csv:size,shape --index-col key {COMMON}")
    assert mig(folder) == pytest.approx(right)


@pytest.mark.parametrize("other", ["z.csv", "z.csv same=z.csv"])
def test_counts_that_index_col_names_are_matched(other, dm_eval, folder, right) -> None:
    order = RNG.permutation(N)
    Z.set_axis(np.arange(1, N + 1)).to_csv("z.csv")
    V.set_axis(np.arange(1, N + 1)).iloc[order].to_csv("v.csv")
    result = dm_eval(f"--latents {other} --factors v.csv --index-col 0 {COMMON}")
    assert result.code == 0, result.err
    content = json.loads((folder / "r.json").read_text())
    for report in content["reports"].values() if "same" in other else [content]:
        assert report["scores"]["mig"]["value"] == pytest.approx(right)
    V.to_csv("v.csv")  # counts from 0, the latents from 1: both say no more than places do
    assert dm_eval(f"--latents z.csv --factors v.csv --index-col 0 {COMMON}").code == 0
    assert mig(folder) == right
    result = dm_eval(f"--latents {other} --factors v.csv --index-col 0 {COMMON}")
    assert result.code == 0
    assert "only" not in result.err


def test_labels_without_a_partner_are_named(dm_eval, folder) -> None:
    Z.assign(id=NAMES).to_csv("z.csv", index=False)
    V.assign(id=NAMES)[::-1][:-20].to_csv("v.csv", index=False)
    result = dm_eval(f"--latents z.csv --factors v.csv --index-col id {COMMON}")
    assert result.code == 2
    assert result.err.endswith(
        "(20 of the row labels of z.csv, such as 's0', are in no row of the other file; --missing drop leaves "
        "these rows out)\n"
    )


@pytest.mark.parametrize(("of_latents", "of_factors"), [(0, 20), (20, 0), (20, 30), (20, 20)])
def test_rows_without_a_partner_are_dropped_with_a_remark(dm_eval, folder, of_latents, of_factors) -> None:
    common = slice(of_latents, N - of_factors)
    expected = dm.score(Z[common], V[common], metrics="mig", anchors=False)["mig"].value
    Z.assign(id=NAMES)[of_latents:].to_csv("z.csv", index=False)
    V.assign(id=NAMES)[::-1][of_factors:].to_csv("v.csv", index=False)  # lacks the last ones
    asked = f"--latents z.csv --factors v.csv --index-col id {COMMON}"
    assert dm_eval(asked).err_lines[-1].endswith("; --missing drop leaves these rows out)")
    result = dm_eval(f"{asked} --missing drop")
    assert result.code == 0
    assert mig(folder) == pytest.approx(expected)
    checks = json.loads((folder / "r.json").read_text())["checks"]
    told = [check["message"] for check in checks if check["code"] == "missing_values"]
    lacking = {"z.csv": (of_factors, N - of_latents), "v.csv": (of_latents, N - of_factors)}
    for path, (count, rows) in lacking.items():
        text = f"{count} of {rows} rows of {path}, such as "
        assert sum(text in line for line in result.err_lines) == (count > 0)
        assert sum(text in line for line in told) == (count > 0)


@pytest.mark.parametrize("first", [0, 1, 1000, None])
def test_whole_numbers_that_name_the_rows_of_both_files_are_labels(dm_eval, folder, right, first) -> None:
    labels = np.arange(N) + first if first is not None else RNG.choice(10**6, N, replace=False)
    of_both = pd.Index(labels, name="patient")
    Z.set_axis(of_both).to_csv("z.csv")
    V.set_axis(of_both).sample(frac=1, random_state=0).to_csv("v.csv")
    result = dm_eval(f"--latents z.csv --factors v.csv {COMMON}")
    assert result.code == 0
    assert mig(folder) == pytest.approx(right)
    assert "v.csv: column 'patient' holds row labels" in result.err
    assert dm_eval(f"--latents z.csv same=z.csv --factors v.csv {COMMON}").code == 0
    for report in json.loads((folder / "r.json").read_text())["reports"].values():
        assert report["scores"]["mig"]["value"] == pytest.approx(right)
    V.set_axis(of_both + 7 * N).to_csv("v.csv")  # other numbers: a factor, which a check asks about
    dm_eval(f"--latents z.csv --factors v.csv {COMMON}")
    assert json.loads((folder / "r.json").read_text())["shape"][2] == 3


def test_labels_that_only_count_are_not_joined(dm_eval, folder) -> None:
    Z.assign(id=range(N)).to_csv("z.csv", index=False)
    V[:-20].assign(id=range(1, N - 19)).to_csv("v.csv", index=False)
    result = dm_eval(f"--latents z.csv --factors v.csv --index-col id --missing drop {COMMON}")
    assert result.code == 2
    assert "--missing drop" not in result.err


def test_labels_asked_for_that_one_file_has_are_a_remark(dm_eval, folder) -> None:
    V.assign(id=NAMES).to_csv("v.csv", index=False)
    assert dm_eval(f"--latents z.npy --factors v.csv --index-col id {COMMON}").code == 0
    checks = json.loads((folder / "r.json").read_text())["checks"]
    assert [check["message"] for check in checks if check["code"] == "rows_by_place"] == [
        "only v.csv has row labels, so row i of both files is taken for the same sample"
    ]
    assert dm_eval(f"--latents z.npy --factors v.csv {COMMON}").code == 0
    assert "rows_by_place" not in (folder / "r.json").read_text()


@pytest.mark.parametrize("factors", ["joint.csv", "./joint.csv:size"])
def test_words_in_a_table_of_both_ask_for_the_columns_of_each(factors, dm_eval, folder) -> None:
    pd.concat([Z, V.assign(shape=np.array(list("abcd"))[V["shape"]])], axis=1).to_csv(
        "joint.csv", index=False
    )
    result = dm_eval(f"--latents joint.csv --factors {factors} {COMMON}")
    assert result.code == 2
    assert (
        "name the columns of each: --latents joint.csv:NAME,NAME --factors joint.csv:NAME,NAME" in result.err
    )
    assert dm_eval(f"--latents joint.csv:z1,z2 --factors joint.csv:shape,size {COMMON}").code == 0


def test_european_files_score_the_same(dm_eval, folder, right) -> None:
    Z.to_csv("z.csv", index=False, sep=";", decimal=",")
    V.to_csv("v.csv", index=False, sep=";", decimal=",")
    assert dm_eval(f"--latents z.csv --factors v.csv {COMMON}").code == 0
    assert mig(folder) == right


@pytest.mark.parametrize("word", ["None", "NA", "null", "n/a", "none", "NULL"])
def test_categories_called_like_missing(word, dm_eval, folder, right) -> None:
    V.assign(shape=np.array([word, "a", "b", "c"])[V["shape"]]).to_csv("v.csv", index=False)
    assert dm_eval(f"--latents z.csv --factors v.csv {COMMON}").code == 0
    assert mig(folder) == pytest.approx(right)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("m.pt --dataset sprites --index-col a", "--index-col and --drop-columns are for the files"),
        ("--latents z.npy --outputs mean=a", "takes no --outputs"),
        ("--latents z.npy --model-args a=1", "takes no --model-args"),
        ("m.pt --dataset sprites --outputs mean", "--outputs must be ROLE=NAME"),
        ("m.pt --dataset sprites --model-code a:b --model-args 3", "--model-args must be NAME=VALUE"),
        (f"--latents {'x' * 5000}", "is no path|no such file"),
    ],
)
def test_options_that_do_not_go_together(options, message, dm_eval) -> None:
    result = dm_eval(options)
    assert result.code == 2
    assert pytest.importorskip("re").search(message, result.err)
    assert len(result.err_lines) == 1


def test_a_network_with_options(dm_eval, folder) -> None:
    torch = pytest.importorskip("torch")
    (folder / "my_vae.py").write_text(
        "import torch\nfrom torch import nn\nclass VAE(nn.Module):\n"
        "    def __init__(self, latent_dim=3, sides=(64, 64)):\n"
        "        super().__init__()\n        self.mu = nn.Linear(sides[0] * sides[1], latent_dim)\n"
        "    def encode(self, x):\n        mu = self.mu(x.flatten(1))\n        return mu, torch.exp(-mu ** 2) + 0.1\n"
        "    def forward(self, x):\n        mu, std = self.encode(x)\n        return x, mu, std\n"
    )
    torch.save({"net": {"mu.weight": torch.randn(5, 4096) / 64, "mu.bias": torch.zeros(5)}}, "w.pt")
    common = "w.pt --dataset sprites --samples 200 --metrics active_units --anchors none --json r.json"
    code = "--model-code my_vae.py:VAE --model-args latent_dim=5,sides=(64,64) --state-key net"
    result = dm_eval(f"{common} {code}")
    assert result.code == 2
    assert "output 2 is positive everywhere" in result.err_lines[-1]
    for choice in ("--outputs mean=1,std=2", "--encode-with encode --outputs mean=0,std=1"):
        result = dm_eval(f"{common} {code} {choice}")
        assert result.code == 0, result.err
        assert len(json.loads((folder / "r.json").read_text())["latent_names"]) == 5


def test_ids_in_the_last_columns_match_the_rows(dm_eval, folder, right) -> None:
    z, v = pd.read_csv(folder / "z.csv"), pd.read_csv(folder / "v.csv")
    ids = [f"s{i:04d}" for i in range(len(z))]
    z.assign(sample_id=ids).to_csv(folder / "z.csv", index=False)
    v.assign(sample_id=ids).sample(frac=1, random_state=0).to_csv(folder / "v.csv", index=False)
    assert dm_eval(f"--latents z.csv --factors v.csv {COMMON}").code == 0
    assert mig(folder) == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize("form", ["json", "split.json"])
def test_rows_of_json_are_matched_by_label(form, dm_eval, folder, right) -> None:
    orient = "split" if form == "split.json" else "columns"
    Z.set_axis(NAMES).iloc[RNG.permutation(N)].to_json("z.json", orient=orient, double_precision=15)
    V.set_axis(NAMES).to_json("v.json", orient=orient)
    assert dm_eval(f"--latents z.json --factors v.json {COMMON}").code == 0
    assert mig(folder) == pytest.approx(right)


@pytest.mark.parametrize(
    ("form", "first"), [("csv", 0), ("csv", 1), ("json", 0), ("parquet", 1)]
)  # as pandas and R count
def test_counts_in_another_order_are_refused(form, first, dm_eval, folder, right) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    counts = np.arange(first, N + first)
    shuffled = Z.set_axis(counts).iloc[RNG.permutation(N)]
    getattr(shuffled, f"to_{form}")(f"z.{form}")
    V.to_csv("v.csv")
    result = dm_eval(f"--latents z.{form} --factors v.csv {COMMON}")
    assert result.code == 2
    assert result.err_lines[-1] == (
        "dm-eval: error: the row labels of --latents are those of --factors in another order, "
        f"{first} to {N - 1 + first} shuffled; say which rows belong together: pass --latents sorted by row "
        "label if labels do, or --latents without row labels if places do"
    )
    result = dm_eval(f"--latents z.{form} other=z.csv --factors v.csv {COMMON}")
    assert result.code == 1
    assert "failed: z: the row labels of --latents are those of --factors in another order" in result.err
    shuffled.sort_index().to_csv("sorted.csv")
    assert dm_eval(f"--latents sorted.csv --factors v.csv {COMMON}").code == 0
    assert mig(folder) == pytest.approx(right)


def test_numbers_that_two_forms_of_file_keep_are_matched(dm_eval, folder, right) -> None:
    pytest.importorskip("pyarrow")
    rows = np.arange(N) * 7 + 5
    Z.set_axis(rows).iloc[RNG.permutation(N)].to_csv("z.csv")
    V.set_axis(rows).to_parquet("v.parquet")
    result = dm_eval(f"--latents z.csv --factors v.parquet {COMMON}")
    assert result.code == 0
    assert "only" not in result.err
    assert mig(folder) == pytest.approx(right)
