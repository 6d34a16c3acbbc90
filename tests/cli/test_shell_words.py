"""What dm-eval says names its options; what it stores, and Python, name arguments."""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm

HEAVY = (
    "use `dm.Metric(..., strategy='quantile')` or `dm.Metric(..., estimator='nearest_neighbours')`, or look for "
    "outliers"
)
IN_SHELL = (
    "use --metrics 'METRIC|strategy:quantile' or --metrics 'METRIC|estimator:nearest_neighbours', or look for "
    "outliers"
)


@pytest.fixture
def heavy(folder: Path) -> Path:
    """Latents of which one has heavy tails, in two files, and factors."""
    latents = np.load(folder / "z.npy")
    latents[:, 0] = np.exp(3 * np.random.default_rng(1).normal(size=len(latents)))
    np.save(folder / "heavy.npy", latents)
    return folder


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_remarks_name_options_in_every_table_and_arguments_in_what_is_stored(heavy, dm_eval) -> None:
    arguments = "--latents heavy.npy --factors v.csv --metrics mig,rmig,d_lsbd"
    result = dm_eval(f"{arguments} --json r.json --html r.html")
    said = squeezed(result.out)
    assert IN_SHELL in said
    assert "- d_lsbd: D_LSBD needs a circular factor, as in --factor-types angle=circular:360" in said
    assert "- rmig: needs posteriors: pass a file with the arrays mean and logvar" in said
    assert IN_SHELL.replace("|", "\\|").replace("_", "\\_") in dm_eval(f"{arguments} --format markdown").out
    several = dm_eval("--latents heavy.npy z.npy --factors v.csv --metrics mig,rmig,d_lsbd --width 200")
    assert IN_SHELL in squeezed(several.out)
    stored = json.loads((heavy / "r.json").read_text())
    assert HEAVY in {check["remedy"] for check in stored["checks"]}
    again = dm.Report.from_json(heavy / "r.json")
    assert HEAVY in squeezed(str(again))
    assert HEAVY in again.to_markdown()  # between backticks: code as it is
    assert html.escape(IN_SHELL) in (heavy / "r.html").read_text()  # a command made it
    in_python = dm.score(np.load(heavy / "heavy.npy"), pd.read_csv(heavy / "v.csv"), metrics="mig")
    assert "use <code>dm.Metric(..., strategy=&#x27;quantile&#x27;)</code>" in in_python.to_html()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--latents z.npy --metrics mig", "mig cannot be scored without --factors"),
        ("--factor-types form=ordinal", "--factor-types names 'form', which is none of shape, scale"),
        ("--confidence 95", "--confidence must lie between 0 and 1, got 95.0; for 95 percent pass 0.95"),
        ("--permutations 9 --anchors none", "--permutations gives each score with a chance level its p"),
        ("--metrics udr", "call dm.udr(list_of_latents) in Python"),
    ],
)
def test_errors_name_options(dm_eval, arguments: str, said: str) -> None:
    whole = arguments if "--latents" in arguments else f"--latents z.npy --factors v.csv {arguments}"
    result = dm_eval(whole)
    assert result.code == 2
    assert said in result.err


def test_what_is_advised_is_taken(dm_eval) -> None:
    advised = "mig|strategy:quantile,mig|estimator:nearest_neighbours,mig_sup|active:None"
    assert dm_eval(f"--latents z.npy --factors v.csv --anchors none --metrics {advised}").code == 0
