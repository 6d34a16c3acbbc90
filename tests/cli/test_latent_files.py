"""dm-eval with several files of latents: one table, its forms, its exit codes, and a folder to go on from."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli.latent_files import names_of
from disentangle_metrics.errors import InputError

MANY = "--latents z.npy other.npy --factors v.csv --metrics mig,mcc"


@pytest.fixture(autouse=True)
def _other(folder: Path) -> None:
    np.save("other.npy", np.load("z.npy") @ [[1.0, 0.5], [-0.5, 1.0]])
    np.save("short.npy", np.zeros((10, 2)))


def test_the_scores_are_those_of_each_alone(dm_eval) -> None:
    done = dm_eval(f"{MANY} --format csv")
    assert done.code == 0
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["representation"] for row in rows] == ["z", "other"]
    for row in rows:
        alone = dm_eval(
            f"--latents {row['representation']}.npy --factors v.csv --metrics mig,mcc --format csv"
        )
        scores = {line["metric"]: line["value"] for line in csv.DictReader(io.StringIO(alone.out))}
        assert {key: row[key] for key in ("mig", "mcc")} == scores


@pytest.mark.parametrize(
    "files", ["--latents z.npy --latents other.npy", "--latents=z.npy other.npy", "--latents z.npy other.npy"]
)
def test_files_can_be_given_in_several_ways(dm_eval, files: str) -> None:
    done = dm_eval(f"--factors v.csv --metrics mig {files}")
    assert done.code == 0
    assert re.search(r"^other +0\.", done.out, re.M)


def test_every_format_has_both_names(dm_eval) -> None:
    for form in ("table", "markdown", "latex", "csv", "json"):
        done = dm_eval(f"{MANY} --format {form}")
        assert done.code == 0, done.err
        assert "other" in done.out


def test_json_says_where_everything_came_from(dm_eval) -> None:
    assert dm_eval(f"{MANY} --json r.json --csv r.csv").code == 0
    values = json.loads(Path("r.json").read_text())
    assert values["provenance"]["command"].startswith("dm-eval --latents z.npy other.npy")
    assert values["provenance"]["latents"]["other"]["path"] == "other.npy"
    assert len(values["provenance"]["factors"]["sha256"]) == 64
    assert list(dm.Benchmark.from_json("r.json")) == ["z", "other"]
    assert list(pd.read_csv("r.csv")["representation"]) == ["z", "other"]


def test_one_that_fails_is_told_by_the_exit_code(dm_eval) -> None:
    done = dm_eval("--latents z.npy short.npy gone.npy --factors v.csv --metrics mig")
    assert done.code == 1
    assert re.search(r"^z +0\.", done.out, re.M)
    assert re.search(r"^short +failed", done.out, re.M)
    assert len(done.err_lines) == 2
    assert done.err_lines[0].startswith("dm-eval: failed: short: the latents of short.npy have 10 rows")
    assert done.err_lines[1] == "dm-eval: failed: gone: --latents: no such file: gone.npy"


def test_the_citation_of_several_files_describes_each(dm_eval) -> None:
    np.save("wide.npy", np.hstack([np.load("z.npy"), np.load("other.npy")]))
    np.savez("posterior.npz", mean=np.load("z.npy"), logvar=np.full((300, 2), -2.0))
    files = (
        "--latents z.npy wide.npy other.npy posterior.npz --factors v.csv --metrics mig_sup --anchors none"
    )
    printed = dm_eval(f"{files} --cite").out
    sentences = [line for line in printed.splitlines() if line.startswith(("% ", "We computed"))]
    assert sentences[::2] == ["% z and other", "% wide", "% posterior"]
    for sentence, says in zip(
        sentences[1::2], ("active varying", "of 4 latents", "active auto, bins 20"), strict=True
    ):
        assert says in sentence
    assert printed.count("@inproceedings{") == 1
    alike = dm_eval("--latents z.npy other.npy --factors v.csv --metrics mig --anchors none --cite").out
    alone = dm_eval("--latents z.npy --factors v.csv --metrics mig --anchors none --cite").out
    assert alike[alike.index("We computed") :] == alone[alone.index("We computed") :]
    assert alone.endswith(f"\n\n{dm.cite(dm.score(np.load('z.npy'), pd.read_csv('v.csv'), metrics='mig'))}\n")


def test_a_column_to_leave_out_may_be_in_some_files_alone(dm_eval) -> None:
    latents = pd.DataFrame(np.load("z.npy"), columns=["a", "b"])
    latents.to_csv("plain.csv", index=False)
    latents.assign(loss=1.5 * np.arange(300)).to_csv("logged.csv", index=False)
    files = "--latents logged.csv plain.csv --factors v.csv --metrics mig --format csv --quiet"
    done = dm_eval(f"{files} --drop-columns loss")
    assert (done.code, done.err) == (0, "")
    scores = {row["mig"] for row in csv.DictReader(io.StringIO(done.out))}
    alone = dm_eval("--latents z.npy --factors v.csv --metrics mig --format csv --quiet").out
    assert scores == {row["value"] for row in csv.DictReader(io.StringIO(alone))}
    told = dm_eval(f"{files.removesuffix(' --quiet')} --drop-columns loss")
    assert (told.code, told.err_lines) == (0, ["dm-eval: plain: --drop-columns: no column 'loss'"])


def test_a_column_to_leave_out_is_looked_for_before_anything_is_scored(dm_eval) -> None:
    latents = pd.DataFrame(np.load("z.npy"), columns=["a", "b"])
    latents.assign(loss=1.5 * np.arange(300)).to_csv("one.csv", index=False)
    latents.assign(Loss=1.5 * np.arange(300)).to_csv("two.csv", index=False)
    files = "--latents one.csv two.csv --factors v.csv --metrics mig --format csv"
    unknown = "--drop-columns: no file has a column 'los'; the columns are shape, scale, a, b, loss"
    done = dm_eval(f"{files} --drop-columns los --out runs")
    assert (done.code, done.out) == (2, "")
    assert done.err_lines == [f"dm-eval: error: {unknown}, Loss"]
    assert not Path("runs").exists()
    done = dm_eval(f"{files.replace('two', 'gone')} --drop-columns los")  # which may have it
    assert done.code == 1
    assert done.err_lines == [
        f"dm-eval: {unknown}; gone cannot be read",
        "dm-eval: one: --drop-columns: no column 'los'; did you mean 'loss'?",
        "dm-eval: failed: gone: --latents: no such file: gone.csv",
    ]
    done = dm_eval(f"{files} --drop-columns loss")
    assert done.code == 0
    assert done.err_lines == ["dm-eval: two: --drop-columns: no column 'loss'; did you mean 'Loss'?"]
    done = dm_eval(f"{files} --drop-columns loss,Loss")
    assert done.err_lines == [
        "dm-eval: one: --drop-columns: no column 'Loss'",
        "dm-eval: two: --drop-columns: no column 'loss'",
    ]


def test_out_goes_on_where_it_was(dm_eval) -> None:
    assert dm_eval("--latents z.npy --factors v.csv --metrics mig,mcc --out runs").code == 0
    done = dm_eval(f"{MANY} --out runs")
    assert done.err_lines == ["dm-eval: read from runs: z"]
    assert sorted(path.name for path in Path("runs").iterdir()) == ["other.json", "z.json"]
    done = dm_eval(f"{MANY} --out runs --seed 5")
    assert [line for line in done.err_lines if "seed was 0, now 5" in line] == done.err_lines
    assert len(done.err_lines) == 2


def test_a_picture(dm_eval) -> None:
    pytest.importorskip("matplotlib")
    assert dm_eval(f"{MANY} --plot p.png").code == 0
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")
    assert dm_eval("--latents z.npy --factors v.csv --metrics mig --plot p.pdf").code == 0
    assert Path("p.pdf").read_bytes().startswith(b"%PDF")


def test_a_picture_that_cannot_be_drawn_takes_nothing_with_it(dm_eval, monkeypatch) -> None:
    pytest.importorskip("matplotlib")

    def plot(self) -> None:
        raise InputError("nothing to draw")

    monkeypatch.setattr(dm.Benchmark, "plot", plot)
    done = dm_eval(f"{MANY} --csv r.csv --plot p.png --format csv")
    assert (done.code, done.err_lines) == (2, ["dm-eval: error: nothing to draw"])
    assert done.out == Path("r.csv").read_text(encoding="utf-8")
    assert [line.partition(",")[0] for line in done.out.splitlines()[1:3]] == ["z", "other"]
    failed = dm_eval("--latents gone.npy lost.npy --factors v.csv --metrics mig --plot p.png")
    assert failed.code == 1
    assert [line[:21] for line in failed.err_lines] == ["dm-eval: failed: gone", "dm-eval: failed: lost"]
    assert re.search(r"^gone +--latents: no such file", failed.out, re.M)


def test_a_picture_is_there_where_the_reader_of_the_table_stops(dm_eval, monkeypatch) -> None:
    pytest.importorskip("matplotlib")

    def show(result, shown) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("disentangle_metrics.cli.results.show", show)
    dm_eval(f"{MANY} --plot p.png")
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")


def test_latents_alone(dm_eval) -> None:
    done = dm_eval("--latents z.npy other.npy")
    assert done.code == 0
    assert "no --factors, so the latents alone are scored: total_correlation" in done.err
    rows = list(csv.DictReader(io.StringIO(dm_eval("--latents z.npy other.npy --format csv").out)))
    assert list(rows[0])[1:3] == ["total_correlation", "wasserstein_correlation"]


def test_only_the_factors_have_row_labels(dm_eval) -> None:
    labels = pd.Index([f"row{place}" for place in range(300)], name="id")
    pd.read_csv("v.csv").set_axis(labels).to_csv("labelled.csv")
    latents = pd.DataFrame(np.load("z.npy"), columns=["z_0", "z_1"])
    latents.to_csv("plain.csv", index=False)
    latents.set_axis(labels).iloc[::-1].to_csv("turned.csv")
    done = dm_eval("--latents z.npy plain.csv turned.csv --factors labelled.csv --metrics mig --format csv")
    assert done.code == 0, done.err
    scores = {row["representation"]: row["mig"] for row in csv.DictReader(io.StringIO(done.out))}
    assert len(set(scores.values())) == 1  # by place, by place and by label
    assert "plain: only labelled.csv has row labels" in done.err


def test_only_the_latents_have_row_labels(dm_eval) -> None:
    labels = pd.Index([f"row{place}" for place in range(300)], name="id")
    pd.DataFrame(np.load("z.npy"), index=labels, columns=["z_0", "z_1"]).to_csv("labelled.csv")
    done = dm_eval("--latents z.npy labelled.csv --factors v.csv --metrics mig --format csv")
    scores = [row["mig"] for row in csv.DictReader(io.StringIO(done.out))]
    assert scores[0] == scores[1]
    assert "labelled: only labelled.csv has row labels" in done.err


def test_factors_in_place_of_latents_are_told(dm_eval) -> None:
    both = "--latents v.csv --factors v.csv --metrics mig"
    done = dm_eval(both)
    assert done.code == 0
    assert (
        "latents and factors are the same columns of v.csv; name those of each: v.csv:NAME,NAME" in done.err
    )
    columns = pd.read_csv("v.csv").columns
    assert len(columns) == 2
    apart = dm_eval(f"--latents v.csv:{columns[0]} --factors v.csv:{columns[1]} --metrics mig")
    assert "the same columns" not in apart.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "--latents z.npy --factors shape,size",
            "no such file: shape,size; columns of a table are FILE:shape,size",
        ),
        (f"z.npy {MANY}", "takes no MODEL"),
        ("z.npy other.npy --dataset sprites", "one MODEL at a time, got z.npy, other.npy"),
        ("z.npy v.csv", "arrays go with --latents FILE --factors FILE"),
        (
            "--latents z.npy --factors v.csv --metrics mig sap",
            "'sap' stands apart from --metrics; write --metrics mig,sap",
        ),
        (
            "--latents z.npy --factors v.csv other.npy",
            "--factors takes one file, and 'other.npy' stands after --factors v.csv; put the columns into one "
            "table, or write a file of latents after --latents",
        ),
        (
            "--latents z.npy --factors=v.csv other.npy",
            "--factors takes one file, and 'other.npy' stands after",
        ),
        ("--latents z.npy --factors v.csv gone.csv", "--factors takes one file, and 'gone.csv' stands after"),
        ("--latents z.npy --factors v.csv:shape size", "write --factors v.csv:shape,size"),
        (f"{MANY} --html r.html", "--html shows one report"),
        (f"{MANY} --plot r.txt", "--plot must end in one of"),
        ("--latents a=z.npy a=other.npy --factors v.csv", "two files are called 'a'"),
        ("--latents z.npy other.npy --factors gone.csv", "--factors: no such file: gone.csv"),
        ("model.pt --dataset sprites --out runs", "--out is for the files of --latents"),
        (f"{MANY} --out v.csv", "cannot write to v.csv"),
    ],
)
def test_bad_usage_is_one_line(dm_eval, arguments: str, message: str) -> None:
    done = dm_eval(arguments)
    assert done.code == 2
    assert len(done.err_lines) == 1
    assert message in done.err
    assert not done.out


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["a.npy", "runs/b.npy"], ["a", "b"]),
        (["x/z.npy", "y/z.npy"], ["x/z", "y/z"]),
        (["pca=x/z.npy", "y/z.npy"], ["pca", "z"]),
        (["a.npz:z1", "a.npz:z2"], ["a.npz:z1", "a.npz:z2"]),
        (["all.csv", "=odd.npy"], ["all", "=odd"]),
    ],
)
def test_names_are_those_of_the_files(files: list[str], names: list[str]) -> None:
    assert list(names_of(files)) == names


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["runs/beta=1/z.npz:mean", "runs/beta=4/z.npz:mean"], ["beta=1/z", "beta=4/z"]),
        (["run=1.npz:mean", "two=run=1.npz:mean"], ["run=1", "two"]),
        (["seed=1/gone.npz:mean", "two=seed=1/z.npz"], ["gone", "two"]),  # of the folder seed=1
        (["runs/beta=9/z.npz"], ["z"]),  # which is not there: its whole path is what is missing
    ],
)
def test_an_equals_sign_of_a_path_names_nothing(files: list[str], names: list[str], folder: Path) -> None:
    for path in ("runs/beta=1/z.npz", "runs/beta=4/z.npz", "run=1.npz", "seed=1/z.npz"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    assert names_of(files) == dict(zip(names, (text.removeprefix("two=") for text in files), strict=True))


def test_one_file_may_be_named_too(dm_eval) -> None:
    done = dm_eval("--latents a=z.npy --factors v.csv --metrics mig --format csv")
    assert (done.code, done.err) == (0, "")
    assert done.out == dm_eval("--latents z.npy --factors v.csv --metrics mig --format csv").out


def test_the_same_file_twice_needs_names() -> None:
    with pytest.raises(InputError, match=r"called 'z.npy'; name them, as NAME=FILE"):
        names_of(["z.npy", "z.npy"])
    assert names_of(["a=z.npy", "b=z.npy"]) == {"a": "z.npy", "b": "z.npy"}
