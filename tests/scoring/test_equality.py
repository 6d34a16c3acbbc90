"""Scores and reports compare as values: equal if what they say is."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

import disentangle_metrics as dm

FACTORS = np.random.default_rng(0).integers(0, 4, (200, 2))


def made(seed: int = 0) -> dm.Report:
    return dm.score(FACTORS + 0.1, FACTORS, metrics=["mig", "factor_vae"], anchors=False, seed=seed)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_reports_of_equal_scores_are_equal_and_of_one_hash():
    one, again, other = made(), made(), made(seed=1)
    reloaded = dm.Report.from_dict(one.to_dict())
    assert one == again == reloaded
    assert len({one, again, reloaded, other}) == 2
    assert one != other  # its signatures have another seed
    assert one["mig"] == again["mig"] != one["factor_vae"]
    assert one["mig"] != replace(one["mig"], per_factor=one["mig"].per_factor * 2)
    assert len({one["mig"], again["mig"]}) == 1
    assert one["mig"] != "mig"
    assert one["mig"] == mock.ANY  # the other side is asked


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_reports_in_another_order_are_equal_and_of_one_hash():
    one = made()
    other = dm.Report(dict(reversed(one.scores.items())))
    assert one == other
    assert len({one, other}) == 1


def test_a_score_without_a_value_equals_itself():
    one, again = (dm.Report({"mig": dm.Score("mig", float("nan"), "mig|n:2", reason="none")}) for _ in "ab")
    assert one == again


def test_a_score_is_rounded_and_written_as_its_number():
    score = made()["mig"]
    assert f"{score:.3f} {score:8.2%}" == f"{score.value:.3f} {score.value:8.2%}"
    assert (round(score, 2), round(score)) == (round(score.value, 2), round(score.value))
    assert f"{score}" == str(score)
    assert np.isnan(round(replace(score, value=np.nan), 2))
