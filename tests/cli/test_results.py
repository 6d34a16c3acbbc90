"""What dm-eval prints and writes of a report."""

from __future__ import annotations

import json
import sys

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.cli.evaluate import main

METRICS = "mig,mig_sup,factor_vae,modularity,irs,jemmig,mcc"
ARRAYS = "--latents z.npy --factors v.csv"


@pytest.fixture
def dm_eval(tmp_path, monkeypatch, capsys):
    """The command with these arguments, in a folder with two arrays: its code, stdout and stderr."""
    rng = np.random.default_rng(0)
    v = pd.DataFrame({"<b>shape</b>": rng.integers(3, size=200), "scale": rng.integers(4, size=200)})
    np.save(
        tmp_path / "z.npy", np.column_stack([v["scale"] + 0.1 * rng.normal(size=200), rng.normal(size=200)])
    )
    v.to_csv(tmp_path / "v.csv", index=False)
    monkeypatch.chdir(tmp_path)

    def call(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["dm-eval", *line.split()])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return call


def test_formats_are_those_of_the_report(dm_eval):
    scored = f"{ARRAYS} --metrics {METRICS} --quiet"
    code, text, _ = dm_eval(f"{scored} --format json")
    assert code == 0
    report = dm.Report.from_dict(json.loads(text))
    assert dm_eval(f"{scored} --format table")[1] == str(report)
    assert dm_eval(f"{scored} --format markdown")[1] == report.to_markdown()
    assert dm_eval(f"{scored} --format latex --brief")[1] == report.to_latex(brief=True)
    assert dm_eval(f"{scored} --format csv")[1] == report.to_frame().to_csv()


def test_brief_prints_the_headline(dm_eval):
    _, text, _ = dm_eval(f"{ARRAYS} --metrics {METRICS} --quiet --brief")
    assert "mig (compactness)" in text
    assert "jemmig" not in text


def test_the_table_is_as_wide_as_asked_for(dm_eval):
    _, text, _ = dm_eval(f"{ARRAYS} --metrics {METRICS} --quiet --width 40")
    assert 30 < max(map(len, text.splitlines())) <= 40


def test_a_page_with_the_command_that_made_it(dm_eval, tmp_path):
    pytest.importorskip("jinja2")
    line = f"{ARRAYS} --metrics {METRICS} --quiet --html report.html"
    code, text, _ = dm_eval(line)
    assert code == 0
    assert "mig" in text
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"dm-eval {line}" in page
    assert "<b>shape" not in page
    assert "z.npy against v.csv" in page


def test_a_bundled_models_page_has_its_pictures(dm_eval, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("jinja2")
    code, _, err = dm_eval(
        "beta-vae-sprites --dataset sprites --samples 60 --metrics mig,mcc --anchors none --quiet --html m.html"
    )
    assert code == 0, err
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") >= 3
    assert "images as latent" in page
    assert len(page.encode()) < 2_000_000


def test_cite_follows_the_table_or_stands_alone(dm_eval):
    _, text, _ = dm_eval(f"{ARRAYS} --metrics mig --quiet --cite")
    assert "We computed MIG (bins 20" in text
    assert "@inproceedings{chen2018isolating," in text
    _, alone, _ = dm_eval("--cite --metrics sap,dci")
    assert alone.strip() == str(dm.cite("sap", "dci")).strip()
    _, suite, _ = dm_eval("--cite --protocol hsu2023")
    assert "protocol \\texttt{hsu2023}~\\cite{hsu2023disentanglement}" in suite
    _, named, _ = dm_eval("--cite --protocol locatello2019 --metrics mig")
    assert named.strip() == str(dm.cite("mig", protocol="locatello2019")).strip()
    _, two, _ = dm_eval("--cite --protocol eastwood2018")  # which has no informativeness
    assert "We computed DCI disentanglement and DCI completeness~" in two
    for forgotten in ("--dataset sprites", "--factors v.csv", "--json r.json", "--plot p.png"):
        code, text, err = dm_eval(f"--cite --metrics mig {forgotten}")
        assert (code, text) == (2, "")
        assert "give a MODEL with --dataset, or --latents with --factors" in err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--format csv --brief", "--brief does not go with --format csv"),
        ("--format json --cite", "--cite does not go with --format json"),
        ("--format latex --width 70", "--width is for --format table, not latex"),
        ("--width 3", "--width must be at least 20, got 3"),
        ("--html out --json out", "must go to different places"),
        ("--html nowhere/out.html", "there is no folder nowhere"),
        ("--format xml", "xml"),
    ],
)
def test_options_that_do_not_go_together_are_named(options, message, dm_eval):
    code, text, err = dm_eval(f"{ARRAYS} --metrics mig {options}")
    assert code == 2
    assert message in err
    assert text == ""
