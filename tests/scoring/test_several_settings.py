"""One metric with several settings in one report: its keys, and every way out of it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import disentangle_metrics as dm

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = RNG.normal(size=(300, 2))
Z = np.exp(V) + 0.1 * RNG.normal(size=(300, 2))
BOTH = ["mcc", dm.Metric("mcc", correlation="spearman")]
KEYS = ["mcc", "mcc|correlation:spearman"]


def test_each_has_its_own_key_and_the_number_of_its_own_call():
    report = dm.score(Z, V, metrics=BOTH)
    assert list(report) == KEYS
    pearson, spearman = (dm.mcc(Z, V, correlation=name, anchors=True) for name in ("pearson", "spearman"))
    for score, alone in zip(report.values(), (pearson, spearman), strict=True):
        assert (score.value, score.chance, score.ceiling) == (alone.value, alone.chance, alone.ceiling)
        assert score.signature == alone.signature
    assert set(report.timing().index) == set(KEYS)


def test_a_key_names_what_is_no_default_and_can_be_asked_for():
    metrics = [dm.Metric("mig", bins=5), dm.Metric("mig", bins=10, strategy="quantile"), "mig_sup"]
    report = dm.score(Z, V, metrics=metrics, anchors=False)
    assert list(report) == ["mig|bins:5", "mig|bins:10|strategy:quantile", "mig_sup"]
    again = dm.score(Z, V, metrics=list(report), anchors=False)
    assert [score.value for score in again.values()] == [score.value for score in report.values()]
    assert list(again) == list(report)
    # One setting alone keeps the plain key, as ever; the same settings twice are one score.
    assert list(dm.score(Z, V, metrics=dm.Metric("mig", bins=5), anchors=False)) == ["mig"]
    twice = [dm.Metric("mig", bins=5), "mig|bins:5", dm.Metric("mig", bins=5, k=9)]
    assert list(dm.score(Z, V, metrics=twice, anchors=False)) == ["mig"]


def test_a_key_asks_for_the_same_again_under_its_protocol_and_the_default_one():
    metrics = ["mig", dm.Metric("mig", bins=20), dm.Metric("mig", bins=12, factor_bins=None)]
    report = dm.score(Z, V, metrics=metrics, protocol="carbonneau2022", anchors=False)
    assert len(report) == 3
    for protocol in ("carbonneau2022", "default"):
        again = dm.score(Z, V, metrics=list(report), protocol=protocol, anchors=False)
        assert [(score.value, score.signature) for score in again.values()] == [
            (score.value, score.signature) for score in report.values()
        ]
        assert protocol == "default" or list(again) == list(report)


def test_several_scores_of_one_metric_and_single_ones_of_them():
    wanted = ["cca", dm.Metric("linear_recovery", ranks=True)]
    report = dm.score(Z, V, metrics=wanted, anchors=False)
    names = ("r2_from_latents", "r2_from_factors", "cca", "orthogonality", "procrustes")
    assert list(report) == ["cca", *(f"{name}|ranks:True" for name in names)]
    assert report["cca|ranks:True"].value > report["cca"].value


def test_every_form_of_the_report_has_both(tmp_path):
    report = dm.score(Z, V, metrics=BOTH, confidence=0.9, replicates=19)
    path = tmp_path / "report.json"
    report.to_json(path)
    back = dm.Report.from_json(path)
    assert list(back) == KEYS
    assert back.to_dict() == report.to_dict()
    assert set(back.evidence.resampled) == set(KEYS)
    assert back[KEYS[1]].interval == report[KEYS[1]].interval != report["mcc"].interval
    for text in (str(report), report.to_html(), report.to_frame().to_csv()):
        assert KEYS[1] in text
    assert r"mcc\|correlation:spearman" in report.to_markdown()
    assert "MCC (correlation spearman)" in report.to_latex()
    methods = dm.cite(report).methods
    assert "correlation pearson" in methods
    assert "correlation spearman" in methods
    assert set(report.scalars("val/")) == {f"val/{key}" for key in KEYS}


def test_reports_are_compared_setting_by_setting():
    noisy = Z + RNG.normal(size=Z.shape)
    reports = {
        name: dm.score(latents, V, metrics=BOTH, confidence=0.9, replicates=19)
        for name, latents in (("clean", Z), ("noisy", noisy))
    }
    comparison = dm.compare(reports)
    assert list(comparison.scores) == KEYS
    for key in KEYS:
        (difference,) = comparison.scores[key].differences
        assert difference.value == pytest.approx(reports["noisy"][key].value - reports["clean"][key].value)
        assert difference.interval is not None


def test_from_the_shell(tmp_path):
    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "v.npy", V)
    arrays = ["--latents", "z.npy", "--factors", "v.npy"]
    command = ["--metrics", "mcc,mcc|correlation:spearman", "--json", "r.json"]
    done = subprocess.run(
        [sys.executable, "-m", "disentangle_metrics.cli.evaluate", *arrays, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert KEYS[1] in done.stdout
    expected = dm.score(Z, V, metrics=BOTH)
    assert {key: score.value for key, score in dm.Report.from_json(tmp_path / "r.json").items()} == {
        key: score.value for key, score in expected.items()
    }
