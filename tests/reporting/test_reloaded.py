"""A report that was stored and read again shows what the fresh one shows, in every output."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.benchmarking.results import Benchmark
from disentangle_metrics.reporting.terminal import as_text
from disentangle_metrics.reporting.view import report_view

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
WITHOUT = "mig_sup"  # it needs two factors that vary, and has neither a value, nor chance, nor ceiling


@pytest.fixture(scope="module")
def fresh() -> dm.Report:
    """A factor and a latent are constant, so that some scores and some of their parts have no value."""
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(4, size=120), np.zeros(120, dtype=int)], axis=1)
    latents = np.stack(
        [factors[:, 0] + 0.1 * rng.normal(size=120), np.zeros(120), rng.normal(size=120)], axis=1
    )
    metrics = ["mig", WITHOUT, "mcc", "beta_vae", "total_correlation", "sap"]
    return dm.score(latents, factors, metrics=metrics, confidence=0.9, replicates=4, permutations=3)


def texts(report: dm.Report) -> dict[str, str]:
    """What each output shows."""
    several = Benchmark({"one": report, "other": report})
    tracker = dm.Tracker(metrics=["mig"])
    tracker.log(1, report)
    shown = {
        "text": str(report),
        "repr": repr(report),
        "narrow": as_text(report_view(report), 40),
        "brief": as_text(report_view(report, brief=True)),
        "markdown": report.to_markdown(),
        "latex": report.to_latex(),
        "page": report.to_html(),
        "frame": str(report.to_frame()),
        "csv": report.to_frame().to_csv(),
        "units": report.units().to_csv(),
        "scalars": str(report.scalars("val/", chance=True)),
        "json": report.to_json(),
        "citation": str(dm.cite(report)),
        "tracker": str(tracker),
        "tracker in a notebook": tracker._repr_html_(),
        "several": str(several),
        "several in a notebook": several._repr_html_(),
        "several in markdown": several.to_markdown(),
        "several in latex": several.to_latex(),
        "several in a frame": several.to_frame(long=True).to_csv(),
        "steps": tracker.to_csv(chance=True),
    }
    for key, score in report.items():
        shown |= {
            f"{key}: text": str(score),
            f"{key}: repr": repr(score),
            f"{key}: notebook": score._repr_html_(),
            f"{key}: parts": f"{score.per_factor}\n{score.per_latent}",
            f"{key}: tables": "\n".join(f"{name}\n{item}" for name, item in score.details.items()),
        }
    return shown


def test_every_output_is_the_same_after_reloading(fresh):
    again = dm.Report.from_dict(json.loads(fresh.to_json()))
    expected, found = texts(fresh), texts(again)
    assert {name: found[name] for name in found if found[name] != expected[name]} == {}


def test_what_has_no_value_is_a_dash_for_readers_and_null_for_programs(fresh):
    score = fresh[WITHOUT]
    assert math.isnan(score.value)
    assert (score.chance, score.ceiling, score.corrected, score.p) == (None, None, None, None)
    stored = json.loads(fresh.to_json())["scores"][WITHOUT]
    assert {stored[name] for name in ("value", "chance", "ceiling", "corrected", "p")} == {None}
    assert str(score).startswith("mig_sup –: ")
    assert re.search(r"mig_sup \(modularity\) +– +– +– +– +– +–\n", as_text(report_view(fresh), 120))
    shown = texts(fresh)
    for name in ("text", "markdown", "latex", "page", "narrow", "tracker", "several", "several in latex"):
        assert not re.search(r"\bnan\b", shown[name], re.IGNORECASE), name
    for output in (fresh.to_markdown(), fresh.to_latex()):
        row = next(line for line in output.splitlines() if re.match(r"\W*mig.{0,2}sup", line, re.IGNORECASE))
        assert len(re.findall(r"(?<=[|&]) *(?:–|--) *(?=[|&\\])", row)) == 6


def test_a_score_made_by_hand_follows_the_rule_too():
    score = dm.Score("mig", 0.5, "", chance=math.nan, ceiling=math.inf, p=math.nan)
    assert (score.chance, score.ceiling, score.p) == (None, None, None)
    assert str(score) == "mig 0.500"
