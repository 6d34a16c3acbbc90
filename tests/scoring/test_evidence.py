"""What a report with intervals keeps."""

from __future__ import annotations

import json

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.reporting.view import KEPT
from disentangle_metrics.scoring.evidence import digest_of_rows

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = np.column_stack([RNG.integers(n, size=200) for n in (3, 4)])
Z = V + 0.4 * RNG.normal(size=V.shape)
OPTIONS = {"metrics": ["mig", "sap", "factor_vae", "modularity"], "anchors": False, "replicates": 8}


@pytest.fixture(scope="module")
def report():
    return dm.score(Z, V, confidence=0.9, **OPTIONS)


def test_the_resamples_are_those_of_the_interval(report):
    kept = report.evidence.resampled
    assert set(kept) == {"mig", "sap"}  # modularity has no interval
    assert (kept["mig"].interval, kept["mig"].probes) == ("bootstrap", False)
    assert (kept["sap"].interval, kept["sap"].probes) == ("subsample", True)
    scores = np.array(kept["mig"].scores)
    assert len(scores) == 8
    # So few resamples give a normal interval around 2 e - mean.
    assert report["mig"].corrected == pytest.approx(2 * report["mig"].value - scores.mean(), abs=1e-8)


def test_votes_are_kept_as_counts(report):
    count = report.evidence.votes["factor_vae"]
    assert count.right / count.votes == report["factor_vae"].value
    assert count.votes == 5_000


def test_it_is_small_and_comes_back_from_json(report, tmp_path):
    report.to_json(tmp_path / "report.json")
    again = dm.Report.from_json(tmp_path / "report.json")
    assert again.evidence == report.evidence
    line = json.loads(report.to_json())["evidence"]["resampled"]["mig"]["scores"]
    assert len(line) <= 8 * 16
    assert line.split()[0] == f"{report.evidence.resampled['mig'].scores[0]:.9g}"


def test_the_report_says_that_it_is_kept(report):
    assert KEPT in " ".join(str(report).split())
    bare = dm.score(Z, V, metrics=["mig"], anchors=False)
    assert bare.evidence is None
    assert "evidence" not in bare.to_dict()
    assert KEPT not in " ".join(str(bare).split())


def test_rows_are_known_by_their_factors():
    digest = digest_of_rows(check(Z, V))
    assert digest == digest_of_rows(check(Z + 1, V.astype(float)))
    assert digest == digest_of_rows(check(Z, V[:, :].tolist()))
    assert digest != digest_of_rows(check(Z, V[::-1]))
    assert digest_of_rows(check(Z, None)) == ""
    numbers = V + RNG.normal(size=V.shape)
    types = ["continuous", "continuous"]
    one, other = (check(Z, values, factor_types=types) for values in (numbers, numbers + 1e-9))
    assert digest_of_rows(one) != digest_of_rows(other)


def test_two_codes_are_resampled_by_the_same_rows(report):
    # Bins do not change with the scale, so the scores do not either, if the rows are the same ones.
    scaled = dm.score(4 * Z, V, confidence=0.9, **OPTIONS).evidence
    own = report.evidence.resampled["mig"].scores
    assert scaled.resampled["mig"].scores == own
    assert len(set(own)) == len(own)
    other = dm.score(Z, V, confidence=0.9, seed=1, **OPTIONS).evidence
    assert not set(other.resampled["mig"].scores) & set(own)
    more = dm.score(Z, V, confidence=0.9, **{**OPTIONS, "metrics": ["mig"], "replicates": 12}).evidence
    assert more.resampled["mig"].scores[:8] == own
