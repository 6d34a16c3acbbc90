"""LMS, MSAS and MSGS by hand: rare classes, ties, classes of one row, few latents."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from tests.agreement.reference import arrays

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

SIMILARITIES = ("smi", "spn", "bmmi", "asc")


def scores(latents, factors, **settings):
    types = {"factor_types": "categorical"}
    return dm.latent_matching(latents, factors, **types, **settings)


def test_one_latent_for_each_class_is_perfect_however_rare():
    cells = np.repeat(["B cell", "T cell", "dendritic"], [600, 390, 10])
    latents = np.stack([cells == name for name in ("B cell", "T cell", "dendritic")], axis=1).astype(float)
    report = scores(latents, cells[:, None])
    assert {key: score.value for key, score in report.items()} == pytest.approx(
        {"lms": 1.0, "msas": 1.0, "msgs": report["msgs"].value}
    )
    # The second best latent of the 10 rows is that of the 600, where none of them is: by hand.
    p, q = 0.01, 0.6
    rest = 1 - p - q
    both = -(p * np.log(p) + q * np.log(q) + rest * np.log(rest))
    binary = [-(x * np.log(x) + (1 - x) * np.log(1 - x)) for x in (p, q)]
    table = report["msgs"].details["similarity"]
    rare = "factor_0=dendritic"
    assert table.loc["z_0", rare] == pytest.approx((sum(binary) - both) / binary[0])
    assert list(table.columns) == ["factor_0=B cell", "factor_0=T cell", rare]


def test_few_latents_reach_what_they_can():
    latents, factors = arrays("p01_perfect")
    report = scores(latents, factors)
    assert report["lms"].value == pytest.approx(4 / 27)
    assert report["lms"].details["of_reachable"] == pytest.approx(1.0)
    assert report["lms"].per_factor.sum() > 0
    assert report["lms"].per_latent.to_numpy() == pytest.approx([1, 1, 1, 1])


def test_the_matching_gives_each_latent_one_class():
    # One latent tells both classes of a balanced factor: LMS counts it once.
    factor = np.repeat([0, 1], 50)[:, None]
    latents = np.column_stack([factor[:, 0], np.tile([0, 1], 50)]).astype(float)
    report = scores(latents, factor)
    assert report["msas"].value == pytest.approx(1.0)
    assert report["lms"].value == pytest.approx(0.5)
    assert report["msgs"].value == pytest.approx(1.0)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_class_of_one_row_is_left_out_with_a_check(similarity):
    rng = np.random.default_rng(1)
    factor = np.append(np.repeat([0, 1, 2], [80, 17, 2]), 3)[:, None]
    latents = rng.normal(size=(100, 3)) + (factor == np.arange(3))
    report = dm.score(
        latents,
        factor,
        metrics=[dm.Metric("latent_matching", similarity=similarity)],
        factor_types="categorical",
        anchors=False,
    )
    assert report["lms"].details["similarity"].shape == (3, 3)
    assert [check.code for check in report.checks() if check.code == "rare_class"] == ["rare_class"]
    assert all(np.isfinite(score.value) for score in report.values())


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_constant_latent_scores_nothing_in_any_order_of_rows(similarity):
    factor = np.repeat([0, 1], [30, 10])[:, None]
    for order in (np.arange(40), np.random.default_rng(0).permutation(40)):
        report = scores(np.zeros((40, 1)), factor[order], similarity=similarity)
        assert [score.value for score in report.values()] == [0, 0, 0]


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_tied_rows_have_no_order(similarity):
    rng = np.random.default_rng(2)
    factor = rng.choice(3, p=[0.8, 0.15, 0.05], size=(200, 1))
    latents = np.round(factor + rng.normal(size=(200, 2)), 1)
    by_class, order = np.argsort(factor[:, 0], kind="stable"), rng.permutation(200)
    one, other = (scores(latents[rows], factor[rows], similarity=similarity) for rows in (by_class, order))
    for key in one:
        assert one[key].value == pytest.approx(other[key].value, abs=1e-12)


def test_continuous_factors_have_no_classes():
    rng = np.random.default_rng(3)
    measured = rng.normal(size=(100, 1))
    report = dm.score(measured, measured, metrics=["lms"], anchors=False)
    assert "classes of at least two rows" in report["lms"].reason
    both = np.column_stack([measured, rng.integers(2, size=100)])
    report = dm.score(both[:, 1:], both, metrics=["lms"], anchors=False)
    assert report["lms"].value == pytest.approx(0.5)
    assert np.isnan(report["lms"].per_factor.iloc[0])


def test_the_signature_names_bins_where_they_matter():
    latents, factors = arrays("pg_rare")
    assert "|bins:10|similarity:smi|" in scores(latents, factors)["lms"].signature
    assert "bins" not in scores(latents, factors, similarity="spn")["lms"].signature


def test_groups_have_no_definition():
    latents, factors = arrays("pg_rare")
    report = scores(latents, factors, groups={"pair": [0, 1]})
    assert "no definition for groups" in report["lms"].reason


def test_there_is_no_ceiling_for_a_latent_for_each_class_exceeds_that_of_one_for_each_factor():
    cells = np.repeat([0, 1, 2], 40)
    report = dm.score(np.eye(3)[cells], cells[:, None], metrics=["latent_matching", "mig"])
    assert report["lms"].value == pytest.approx(1.0)
    assert [report[key].ceiling for key in ("lms", "msas", "msgs")] == [None, None, None]
    assert report["lms"].chance is not None
    assert report["mig"].ceiling is not None
    assert "3 latents, 1 factor;" in str(report)
