"""dm-eval compare."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli.compare import short_names, sorted_by_name
from disentangle_metrics.cli.evaluate import main
from disentangle_metrics.kit.commands import UsageError

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = np.column_stack([RNG.integers(n, size=300) for n in (3, 4)])
NOISE = RNG.normal(size=V.shape)
METRICS = ["mig", "mig_sup", "mcc"]


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """dm-eval compare with a line of arguments, in a folder with two reports and three runs of each."""
    for name, scale in (("a", 0.6), ("b", 0.3)):
        options = {"metrics": METRICS, "anchors": False}
        report = dm.score(V + scale * NOISE, V, confidence=0.95, replicates=20, **options)
        report.to_json(tmp_path / f"{name}.json")
        for seed in range(3):
            noise = np.random.default_rng(seed).normal(size=V.shape)
            run = dm.score(V + scale * noise, V, **options)
            folder = tmp_path / name / f"seed{seed}"
            folder.mkdir(parents=True)
            run.to_json(folder / "report.json")
    monkeypatch.chdir(tmp_path)

    def run(line):
        monkeypatch.setattr("sys.argv", ["dm-eval", "compare", *line.split()])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code or 0, *capsys.readouterr()

    return run


def test_is_b_better_than_a(call):
    code, text, err = call("a.json b.json")
    assert (code, err) == (0, "")
    assert text.startswith("b is better than a in 3 of 3 scores.\n")
    reports = {name: dm.Report.from_json(f"{name}.json") for name in "ab"}
    assert text == str(dm.compare(reports))


def test_formats_and_files_are_those_of_the_comparison(call, tmp_path):
    pytest.importorskip("matplotlib")
    comparison = dm.compare({name: dm.Report.from_json(f"{name}.json") for name in "ab"})
    assert call("a.json b.json --format markdown")[1] == comparison.to_markdown()
    assert call("a.json b.json --format latex")[1] == comparison.to_latex()
    assert call("a.json b.json --format csv")[1] == comparison.to_frame().to_csv()
    assert call("a.json b.json --format json")[1] == comparison.to_json()
    assert call("a.json b.json --json c.json --csv c.csv --plot c.png")[0] == 0
    assert (tmp_path / "c.json").read_text(encoding="utf-8") == comparison.to_json()
    assert (tmp_path / "c.csv").read_text(encoding="utf-8") == comparison.to_frame().to_csv()
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")
    assert call("a.json b.json --plot c.pdf --quiet")[0] == 0
    assert (tmp_path / "c.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads(call("a.json b.json --json -")[1])["names"] == ["a", "b"]


def test_several_runs_of_each(call):
    for line in (
        "vlae=a/*/report.json pro=b/*/report.json",
        "vlae=a/seed0/report.json,a/seed1/report.json,a/seed2/report.json pro=b/*/report.json",
        "vlae=a/seed0/report.json vlae=a/seed1/report.json vlae=a/seed2/report.json pro=b/*/report.json",
    ):
        code, text, _ = call(f"{line} --format json")
        assert code == 0
        comparison = json.loads(text)
        assert comparison["runs"] == {"vlae": 3, "pro": 3}
        assert comparison["scores"]["mig"]["differences"][0]["method"] == "paired runs"
    text = call("vlae=a/*/report.json pro=b/*/report.json --unpaired --format json")[1]
    assert json.loads(text)["scores"]["mig"]["differences"][0]["method"] == "runs"


def test_results_of_one_name_are_told_apart_by_their_folders(call):
    text = call("a/seed0/report.json b/seed0/report.json --format json")[1]
    assert json.loads(text)["names"] == ["a/seed0/report", "b/seed0/report"]
    assert json.loads(call("a/*/report.json --format json")[1])["names"] == [
        "seed0/report",
        "seed1/report",
        "seed2/report",
    ]
    assert json.loads(call("a.json first=b.json --format json")[1])["names"] == ["a", "first"]
    shutil.copytree("a", "beta=4")
    shutil.copytree("b", "x/beta=1")
    text = call("four=./beta=4/*/report.json x/beta=1/seed0/report.json --format json")[1]
    assert json.loads(text)["runs"] == {"four": 3, "report": 1}
    assert sorted_by_name(["x/beta=1/*/report.json"]).keys() == {f"seed{n}/report" for n in range(3)}
    assert short_names(["x/one.json", "y/two.json"]) == ["one", "two"]


def test_metrics_and_alignment(call):
    assert json.loads(call("a.json b.json --metrics mig,mcc --format json")[1])["scores"].keys() == {
        "mig",
        "mcc",
    }
    for asked in ("mig|bins:20,mcc|correlation:pearson", "mig|factor_bins:None|n:300,mcc"):
        scores = json.loads(call(f"a.json b.json --metrics {asked} --format json")[1])["scores"]
        assert scores.keys() == {"mig", "mcc"}
    dm.score(V + NOISE, V, metrics=[dm.Metric("mig", bins=5), "mcc"], anchors=False).to_json("c.json")
    code, _, err = call("a.json c.json")
    assert code == 2
    assert "bins is 20 in a and 5 in c (of mig); score all alike, or pass --align" in err
    assert list(json.loads(call("a.json c.json --align --format json")[1])["scores"]) == ["mcc"]
    left_out = "dm-eval compare: - not compared: mig: bins is 20 in a and 5 in c"
    for output in ("--format latex", "--format csv", "--csv -"):  # which have no place for remarks
        _, out, err = call(f"a.json c.json --align {output}")
        assert left_out in err.splitlines()
        assert "bins is" not in out
        assert call(f"a.json c.json --align {output} --quiet")[2] == ""
    for output in ("", "--format markdown", "--format json", "--json -"):
        _, out, err = call(f"a.json c.json --align {output}")
        assert "bins is 20 in a and 5 in c" in " ".join(out.split())
        assert err == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.json", "error: give at least two representations, got 1"),
        ("x=a.json x=b.json", "got 1, 'x' with 2 runs; NAME=FILE tells several apart"),
        ("a.json missing.json", "missing.json cannot be read as a report"),
        (
            "a.json model.pt",
            "model.pt is no report (a file that ends in .json); to score a model give --dataset",
        ),
        (
            "a/seed0 b.json",
            "a/seed0 is a folder; if its reports are runs of one representation, write "
            "seed0='a/seed0/*.json', else a/seed0/*.json",
        ),
        ("a b.json", "a is no report (a file that ends in .json)"),
        ("a.json b.json --dataset sprites", "--dataset is for models, and all results are reports"),
        ("a.json b.json --seed 3", "--seed is for models, and all results are reports"),
        ("a.json x=nothing*.json", "no file fits 'nothing*.json'"),
        ("x=a.json,./a.json y=b.json", "'x' has ./a.json twice; give each run once"),
        ("x=a/*/report.json,a/seed1/report.json y=b.json", "'x' has a/seed1/report.json twice"),
        ("x=a.json x=a.json y=b.json", "'x' has a.json twice"),
        ("a.json a=b.json", "two results are called 'a'; name them, as NAME=a.json"),
        ("a.json b.json --plot picture.doc", "--plot must end in one of "),
        ("a.json b.json --plot nowhere/picture.png", "there is no folder nowhere"),
        ("a.json b.json --confidence 95", "--confidence must lie between 0 and 1"),
        ("a.json b.json --metrics mgi", "unknown metric 'mgi'"),
        ("a.json b.json --metrics=", "--metrics needs at least one name"),
        ("a.json b.json --metrics mig|bins:7", "no report has a score 'mig|bins:7'"),
        ("a.json b.json --metrics mig|n:7", "no report has a score 'mig|n:7'"),
        ("a.pt b.pt --dataset sprites --metrics mig|bin:7", "'mig' has no setting 'bin'"),
        ("", "Missing argument 'RESULT"),
    ],
)
def test_what_cannot_be_done_is_one_line(call, line, message):
    code, out, err = call(line)
    assert (code, out) == (2, "")
    assert message in err
    assert err.startswith("dm-eval compare: ")
    assert len(err.splitlines()) == 1


def test_what_is_no_report_is_named(call, tmp_path):
    reports = {name: dm.Report.from_json(f"{name}.json") for name in "ab"}
    dm.benchmark({"a": V + NOISE, "b": V}, V, metrics="mig", anchors=False).to_json("both.json")
    dm.compare(reports).to_json("compared.json")
    (tmp_path / "settings.json").write_text('{"format": 1}')
    several = "both.json: not a report but a benchmark, which holds several: "
    assert several in call("a.json both.json")[2]
    assert "dm-eval writes a report each with --out DIR" in call("a.json both.json")[2]
    assert "settings.json: not a report of format 1: it has no 'scores'" in call("a.json settings.json")[2]
    assert "compared.json: not a report" in call("a.json compared.json")[2]


def test_reports_that_out_kept_have_the_names_of_their_representations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["β-VAE 50%", "plain", "runs/z"]
    dm.benchmark(dict.fromkeys(names, V + NOISE), V, metrics="mig", anchors=False, folder="o")
    assert list(sorted_by_name(["o/*.json"])) == names
    for own in ("x%41.json", "50%.json", "%0A.json"):  # no file of a folder is called so
        (tmp_path / own).touch()
        assert list(sorted_by_name([own])) == [own.removesuffix(".json")]


def test_an_equals_sign_of_a_pattern_names_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("beta=1/a.json", "beta=1/b.json", "beta=4_a.json", "beta=4_b.json"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    assert sorted_by_name(["beta=1/*.json", "beta=4_*.json"]) == {
        "a": ["beta=1/a.json"],
        "b": ["beta=1/b.json"],
        "beta=4_a": ["beta=4_a.json"],
        "beta=4_b": ["beta=4_b.json"],
    }
    assert sorted_by_name(["one=beta=4_*.json"]) == {"one": ["beta=4_a.json", "beta=4_b.json"]}
    with pytest.raises(UsageError, match=r"no file fits 'beta=1/\*.jsn'"):
        sorted_by_name(["beta=1/*.jsn"])


def test_models_are_scored_first(call):
    pytest.importorskip("torch")
    options = "--dataset sprites --samples 60 --metrics mig,factor_vae|votes:(40,40) --device cpu --quiet --format json"
    code, text, err = call(f"vlae-sprites beta-vae-sprites {options}")
    assert code == 0, err
    comparison = json.loads(text)
    assert comparison["names"] == ["vlae-sprites", "beta-vae-sprites"]
    assert comparison["dataset"] == "sprites"
    assert list(comparison["scores"]) == ["mig", "factor_vae"]
    assert comparison["scores"]["mig"]["differences"][0]["method"] == "same rows"
