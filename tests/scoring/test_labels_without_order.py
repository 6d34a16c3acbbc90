"""Labels that metrics read as numbers: which metrics do so, and what is said of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.catalogue import BUILTIN

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
N = 400
V = RNG.integers(4, size=(N, 2))
Z = np.column_stack([V, RNG.normal(size=N)]) + 0.3 * RNG.normal(size=(N, 3))
MIXED = [2, 0, 3, 1]  # what 0, 1, 2, 3 are called: their numbers are uncorrelated with the values
QUICK = {key: {"votes": (200, 100), "rows": 16} for key in ("factor_vae", "beta_vae", "z_max_variance")}
REGRESSIONS = [dm.Metric("sap", kind="regression"), dm.Metric("dci", probe="lasso", alpha=0.02)]
AS_NUMBERS = ["mcc", "linear_recovery", "t_mex", *REGRESSIONS]


def named(letters: str) -> np.ndarray:
    """The factors as texts, one letter for each of their values."""
    return np.array(list(letters))[V]


def order_checks(factors, metrics=AS_NUMBERS, latents=Z, **options) -> list[dm.Check]:
    """What is said of the order of these factors' values."""
    report = dm.score(latents, factors, metrics=metrics, **{"anchors": False, **options})
    return [check for check in report.checks() if check.code in ("no_order", "order_uncertain")]


@pytest.mark.parametrize(
    "metric",
    [
        *(dm.Metric(name, **QUICK.get(name, {})) for name in BUILTIN if METRICS.load(name).needs_factors),
        dm.Metric("mcc", correlation="spearman"),
        dm.Metric("mcc", affine=True, cross_fitted=True),
        *REGRESSIONS,
        dm.Metric("dci", probe="review_lasso"),
        dm.Metric("dci", probe=Ridge()),
        dm.Metric("dci", probe=LogisticRegression()),
        dm.Metric("sap", kind="classification"),
    ],
    ids=str,
)
def test_a_metric_whose_score_hangs_on_the_order_of_labels_says_so(metric):
    posterior = dm.GaussianPosterior(Z - Z.mean(axis=0), np.full(Z.shape, -2.0))
    one, other = (
        dm.score(posterior, named(letters), metrics=[metric], anchors=False) for letters in ("abcd", "cadb")
    )
    # Votes are drawn in the order of the values: another order is another seed.
    moved = np.nanmax([0.0, *(abs(one[key].value - other[key].value) for key in one)])
    said = [[check.code for check in report.checks() if "order" in check.code] for report in (one, other)]
    assert said == [["no_order"] if moved > 0.2 else []] * 2


def test_labels_that_are_read_as_numbers_are_named_once_with_their_metrics():
    factors = pd.DataFrame({"colour": named("cadb")[:, 0], "size": V[:, 1], "flag": V[:, 1] > 1})
    report = dm.score(Z, factors, metrics=[*AS_NUMBERS, "mig"], anchors=False)
    (check,) = [check for check in report.checks() if check.code == "no_order"]
    assert (check.about, check.severity, check.numbers) == ("colour", "warning", {"factors": 1})
    assert check.message.startswith(
        "mcc, linear_recovery, t_mex, sap, dci read the labels of colour as numbers, as they are listed"
    )
    for key, score in report.items():
        assert (str(check) in score.warnings) == (key != "mig")
    with pytest.warns(dm.ScoreWarning, match="mcc reads the labels of colour as numbers"):
        dm.mcc(Z, factors)


def test_metrics_with_several_settings_are_named_by_their_keys():
    (check,) = order_checks(named("cadb"), ["mcc", dm.Metric("mcc", correlation="spearman")])
    assert check.message.startswith("mcc, mcc|correlation:spearman read the labels of factor_0, factor_1 as")


@pytest.mark.parametrize(
    "factors",
    [
        V,
        V.astype(float),
        pd.DataFrame({"v": pd.Categorical(named("cadb")[:, 0], list("cadb"), ordered=True), "w": V[:, 1]}),
        {"two": np.where(V[:, 0] > 1, "yes", "no"), "w": V[:, 1]},
    ],
    ids=["whole numbers", "floats", "an order that is given", "two labels"],
)
@pytest.mark.parametrize("protocol", ["default", "carbonneau2022"])
def test_values_with_an_order_bring_no_check(factors, protocol):
    assert order_checks(factors, protocol=protocol) == []


@pytest.mark.parametrize(
    ("factors", "types"),
    [(V, "categorical"), (pd.DataFrame(V).astype("category"), None)],
    ids=["declared", "a categorical"],
)
def test_numbers_that_are_declared_categories_are_noted(factors, types):
    options = {"factor_names": ["p", "q"], "factor_types": types}
    (check,) = order_checks(factors, **options)
    assert (check.code, check.severity, check.about) == ("order_uncertain", "note", "p")
    assert "read the declared categories of p, q as numbers, and they may have no order" in check.message
    report = dm.score(Z, factors, metrics=AS_NUMBERS, anchors=False, **options)
    assert report.warnings == ()
    assert all(score.warnings == () for score in report.values())


def test_a_metric_without_a_score_and_rows_that_are_not_read_bring_no_check():
    factors = {"name": named("cadb")[:, 0], "half": np.where(V[:, 0] < 2, V[:, 1], np.nan)}
    # Only two names are left in the rows with a value of both: enough for mcc alone, which reads each by itself.
    (check,) = order_checks(factors, ["mcc", "t_mex"], missing="drop")
    assert check.message.startswith("mcc reads the labels of name")
    circle = {"hue": V[:, 0], "name": named("cadb")[:, 1]}
    affine = dm.Metric("mcc", affine=True)
    assert order_checks(circle, [affine], factor_types={"hue": "circular:4"}) == []


def test_scores_at_chance_for_want_of_an_order_do_not_say_that_rows_are_unrelated():
    def codes(latents, factors, metrics=AS_NUMBERS, **options):
        return {check.code for check in dm.score(latents, factors, metrics=metrics, **options).checks()}

    assert "rows_unrelated" not in codes(Z, named("cadb"))
    assert "rows_unrelated" not in codes(Z, named("cadb"), [*AS_NUMBERS, "mig"])
    # Metrics of information need no order, so that they do say it.
    assert "rows_unrelated" in codes(Z[::-1], named("cadb"), [*AS_NUMBERS, "mig"])
    # So do numbers that are declared categories, since they may have an order, and one that is known.
    assert "rows_unrelated" in codes(Z[::-1], V, factor_types="categorical")
    assert "rows_unrelated" in codes(Z[::-1], {"name": named("cadb")[:, 0], "size": V[:, 1]})
