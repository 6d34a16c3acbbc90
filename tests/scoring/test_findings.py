"""Checks that need scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS

RNG = np.random.default_rng(0)
N = 2_000
FACTORS = RNG.integers(4, size=(N, 2))
CODE = FACTORS + 0.1 * RNG.normal(size=(N, 2))
CHEAP = ["mig", "mig_sup", "modularity", "jemmig", "dcimig", "mcc"]


def codes_of(report: dm.Report) -> list[str]:
    return [check.code for check in report.checks()]


def test_rows_that_do_not_belong_together() -> None:
    assert codes_of(dm.score(CODE, FACTORS, metrics=CHEAP)) == []
    with pytest.warns(dm.ScoreWarning, match="5 of 6 scores are at their chance level"):
        report = dm.score(CODE, FACTORS[::-1], metrics=CHEAP)
    assert codes_of(report) == ["rows_unrelated"]
    assert report.checks()[0].severity == "serious"


def test_one_score_at_chance_is_a_note() -> None:
    merged = (FACTORS[:, :1] * 4 + FACTORS[:, 1:]) + 0.1 * RNG.normal(size=(N, 1))
    report = dm.score(np.c_[merged, merged], FACTORS, metrics=["mig", "mcc", "dcimig"])
    notes = [check for check in report.checks() if check.code == "at_chance"]
    assert [check.about for check in notes] == ["mig", "dcimig"]
    assert str(notes[0]).startswith("mig 0.000 is at its chance level 0.0")


def test_one_outlier_hides_a_latent_in_equal_bins() -> None:
    code = CODE.copy()
    code[0] = 1_000
    with pytest.warns(dm.ScoreWarning, match="equal bins of latent"):
        report = dm.score(code, FACTORS, metrics=["mig", "mcc"], anchors=False)
    assert codes_of(report) == ["heavy_tails"]
    numbers = report.checks()[0].numbers
    assert numbers == {"share": round((N - 1) / N, 4), "latents": 2}
    assert any("equal bins" in text for text in report["mig"].warnings)
    assert not report["mcc"].warnings
    quantile = dm.Metric("mig", strategy="quantile")
    assert codes_of(dm.score(code, FACTORS, metrics=[quantile], anchors=False)) == []


def test_a_number_for_missing_values_hides_a_factor_in_equal_bins() -> None:
    factors = pd.DataFrame({"pressure": RNG.normal(120, 15, N), "shape": FACTORS[:, 0]})
    assert "heavy_tails" not in codes_of(dm.score(CODE, factors, metrics="mig", anchors=False))
    factors.loc[::20, "pressure"] = -999
    report = dm.score(CODE, factors, metrics=["mig", "mcc", "mean_pairwise_mi"], anchors=False)
    (found,) = [check for check in report.checks() if check.code == "heavy_tails"]
    assert found.message.endswith("fall in one of the 20 equal bins of factor 'pressure'")
    assert any("equal bins" in text for text in report["mig"].warnings)
    assert not report["mean_pairwise_mi"].warnings
    missing = factors.replace({"pressure": {-999: np.nan}})
    report = dm.score(CODE, missing, metrics="mig", anchors=False, missing="drop")
    assert "heavy_tails" not in codes_of(report)


def test_a_latent_that_is_mostly_one_value_has_no_tail() -> None:
    rare = (RNG.random((N, 2)) < 0.05).astype(float)
    assert "heavy_tails" not in codes_of(dm.score(rare, FACTORS, metrics="mig", anchors=False))


def test_checks_and_readings_survive_json() -> None:
    report = dm.score(CODE[:50], FACTORS[:50], metrics="mig", anchors=False)
    again = dm.Report.from_dict(report.to_dict())
    assert again.checks() == report.checks()
    assert again.readings == dict.fromkeys(report.factor_names, "4 whole numbers, read as categories")
    assert [check["code"] for check in report.to_dict()["checks"]] == ["few_rows"]


def test_metrics_that_would_take_long_are_left_out_of_the_suite_and_say_how_to_be_had():
    wide = RNG.normal(size=(150, 600))
    with pytest.warns(dm.ScoreWarning, match=r"600 latents|too few|fewer"):
        report = dm.score(wide, RNG.integers(3, size=(150, 2)), anchors=False, metrics=None)
    left = {check.about for check in report.checks() if check.code == "costly"}
    assert {"beta_vae", "dci", "sap"} <= left
    assert "mig" not in left
    assert np.isnan(report["sap"].value)
    assert "ask for it by name, `metrics=['sap']`" in report["sap"].reason
    assert not np.isnan(dm.sap(wide[:, :4], RNG.integers(3, size=(150, 2))).value)


def test_a_probe_has_the_best_guess_without_latents_beside_it():
    """Naming the frequent value is right in 95 of 100 rows: 0.95 says nothing of a code."""
    flag = np.arange(1_000) % 20 == 0
    noise = RNG.normal(size=(1_000, 2))
    metrics = ["dci", "info_explicitness", "explicitness"]
    report = dm.score(noise, flag[:, None], metrics=metrics, factor_names=["flag"])
    assert report["dci_informativeness"].chance == pytest.approx(0.95)
    assert report["info_explicitness"].chance == report["explicitness"].chance == 0
    assert report["dci_disentanglement"].chance is None
    assert dm.dci(noise, flag[:, None])["dci_informativeness"].chance is None


@pytest.mark.parametrize(
    ("probe", "settings", "chance"),
    # R2 of the mean is 0; of 0 and 1, of which one in 20 is 1, it is off by a variance of 0.05 * 0.95.
    [("lasso", {"alpha": 0.1}, 0), ("review_lasso", {}, 1 - 12 * 0.0475), ("boosted_trees", {}, 0.95)],
)  # fmt: skip
def test_the_best_guess_without_latents_is_that_of_the_probe(probe, settings, chance):
    flag = np.arange(300) % 20 == 0
    noise = RNG.normal(size=(300, 2))
    report = dm.score(noise, flag[:, None], metrics=dm.Metric("dci", probe=probe, **settings))
    assert report["dci_informativeness"].chance == pytest.approx(chance)


def test_metrics_that_read_codes_as_numbers_are_named():
    codes = np.c_[CODE[:, 0].round(), CODE[:, 1:]]
    types = ["categorical", "continuous"]
    report = dm.score(codes, FACTORS, metrics=["mig", "mcc"], latent_types=types, anchors=False)
    assert [check.code for check in report.checks()] == ["latents_as_numbers"]
    assert report.checks()[0].message.startswith("mcc read the codes")
    assert (
        codes_of(dm.score(codes.round(), FACTORS, metrics="mig", latent_types="categorical", anchors=False))
        == []
    )


def test_a_posterior_without_an_active_latent_is_serious():
    flat = dm.GaussianPosterior(0.001 * CODE, np.zeros_like(CODE))
    report = dm.score(flat, FACTORS, metrics=["active_units"], anchors=False)
    assert codes_of(report) == ["input_scale"]


def test_a_constant_latent_is_said_once():
    dead = np.c_[CODE, np.ones(N)]
    report = dm.score(dead, FACTORS, metrics=["mig_sup", "modularity"], anchors=False)
    assert codes_of(report) == ["constant_latent"]
    assert report["mig_sup"].warnings == ()


def test_what_a_metric_remarks_has_a_code_and_a_remedy():
    means = CODE * [1.0, 0.005]
    posterior = dm.GaussianPosterior(np.c_[10 * means, CODE[:, 0]], np.zeros((N, 3)))
    words = np.array(["red", "green", "blue", "grey"])[FACTORS]
    metrics = ["mig_sup", "mcc", "rmig", dm.Metric("infomec", max_iter=1)]
    report = dm.score(posterior, words, metrics=metrics, anchors=False)
    found = {check.code: check for check in report.checks()}
    assert set(found) == {"inactive_latents", "no_order", "outside_limits", "not_converged"}
    assert found["inactive_latents"].message == "latent z_1: inactive, left out"
    assert found["inactive_latents"].severity == "note"
    assert "limits=(-8, 8)" in found["outside_limits"].remedy
    assert all(check.remedy and check.about for check in found.values())
    assert str(found["no_order"]) in report["mcc"].warnings


def test_labels_that_are_merged_by_the_alphabet_are_named():
    codes = np.column_stack([RNG.integers(12, size=600), RNG.integers(4, size=600)])
    latents = codes + 0.1 * RNG.normal(size=codes.shape)

    def scored(names, metrics=("mig", "irs", "mig_sup"), **settings):
        factors = pd.DataFrame({"name": names, "other": codes[:, 1]})
        chosen = [dm.Metric(metric, **settings) for metric in metrics]
        return dm.score(latents, factors, metrics=chosen, protocol="carbonneau2022", anchors=False)

    names = np.array([f"n{place:02d}" for place in range(12)])
    report = scored(names[codes[:, 0]])
    (check,) = report.checks()
    assert (check.code, check.about, check.severity) == ("no_order", "name", "warning")
    assert check.message.endswith("for mig, irs, mig_sup")
    assert all(score.warnings == (str(check),) for score in report.values())
    other = scored(np.roll(names, 5)[codes[:, 0]])
    assert abs(other["mig"].value - report["mig"].value) > 0.01  # what the check is for
    with pytest.warns(dm.ScoreWarning, match="by the alphabet"):
        dm.mig(latents, {"name": names[codes[:, 0]]}, factor_bins=10)
    # Categories keep the order in which they are listed, which is none of theirs either.
    categories = scored(pd.Categorical(names[codes[:, 0]], np.roll(names, 5)))
    assert categories["mig"].value != report["mig"].value
    assert "(by the alphabet, or as their categories are)" in str(categories.checks()[0])
    # Nothing is merged, or in an order that was given.
    for silent in (
        scored(names[codes[:, 0]], factor_bins=12),
        scored(names[codes[:, 0]], factor_bins=None),
        scored(pd.Categorical(names[codes[:, 0]], names, ordered=True)),
        scored(names[codes[:, 0]], ["explicitness"]),
    ):
        assert silent.checks() == ()


def test_labels_are_said_to_be_merged_by_the_metrics_alone_that_merge_them():
    twelve, many = np.arange(600) % 12, RNG.integers(25, size=600)
    factors = pd.DataFrame({"few": [f"f{code:02d}" for code in twelve], "many": [f"m{c:02d}" for c in many]})
    metrics = [dm.Metric("mig", factor_bins=10), dm.Metric("irs", factor_bins=20)]
    report = dm.score(RNG.normal(size=(600, 2)), factors, metrics=metrics, anchors=False)
    both, one = report.checks()
    assert "labels of few, many as" in both.message
    assert both.message.endswith("for mig")
    assert "labels of many as" in one.message
    assert one.message.endswith("for irs")
    assert (both.numbers, one.numbers) == ({"factors": 2}, {"factors": 1})
    assert report["mig"].warnings == (str(both),)
    assert report["irs"].warnings == (str(one),)


def test_labels_that_no_row_read_by_a_metric_has_are_not_merged():
    # Rows with a value of both factors have ten names: irs reads these alone, mig all twelve.
    twelve = np.arange(600) % 12
    factors = {"name": [f"n{code:02d}" for code in twelve], "half": np.where(twelve < 10, twelve % 2, np.nan)}
    metrics = [dm.Metric("mig", factor_bins=10), dm.Metric("irs", factor_bins=10)]
    report = dm.score(RNG.normal(size=(600, 2)), factors, metrics=metrics, missing="drop", anchors=False)
    (check,) = [check for check in report.checks() if check.code == "no_order"]
    assert check.message.endswith("for mig")
    assert str(check) in report["mig"].warnings
    assert str(check) not in report["irs"].warnings


def test_scores_of_information_that_read_codes_as_numbers_are_named():
    posterior = dm.GaussianPosterior(CODE, np.zeros_like(CODE))
    metrics = ["mig", "rmig", "infomec", dm.Metric("jemmig", strategy="quantile")]
    report = dm.score(posterior, FACTORS, metrics=metrics, latent_types="categorical", anchors=False)
    (check,) = [check for check in report.checks() if check.code == "latents_as_numbers"]
    assert check.message.startswith("rmig, info_explicitness read the codes")


def test_a_metric_that_gives_no_number_gets_a_reason():
    @dm.metric(property="size")
    def empty_mean(relations: dm.Relations) -> dm.MetricValue:
        return dm.MetricValue(float("nan"))

    try:
        report = dm.score(CODE, FACTORS, metrics="empty_mean", anchors=False)
    finally:
        METRICS.remove("empty_mean")
    assert report["empty_mean"].reason == "empty_mean is not a number on this input (nan)"


def test_probes_that_are_tested_on_rows_that_trained_them_are_told() -> None:
    mask = np.arange(N) < N // 2

    def found(*split: object, **options: object) -> list[Any]:
        asked = [dm.Metric(name, split=split) for name in ("explicitness", "sap")]
        report = dm.score(CODE, FACTORS, metrics=asked, anchors=False, **options)
        return [check for check in report.checks() if check.code == "split_overlaps"]

    assert not found(mask, ~mask)
    (check,) = found(range(N), np.arange(N - 500, N))
    assert check.message.startswith("500 of the 500 test rows of `split` are training rows too")
    assert check.about == "explicitness, sap"
    (check,) = found(mask, np.arange(N // 2 - 1, N), groups={"a": [0], "b": [1]})
    assert check.numbers == {"rows": 1}
