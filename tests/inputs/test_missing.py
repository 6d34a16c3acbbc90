"""Missing values: refused by name, or dropped for the factor that lacks them, and never a category."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.relations.relate import relate

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(3)
V = RNG.integers([4, 3, 5], size=(300, 3))
Z = V + 0.3 * RNG.normal(size=V.shape) @ np.array([[1, 0.5, 0], [0, 1, 0], [0.5, 0, 1]])
HOLES = RNG.random(V.shape) < [0.2, 0.0, 0.1]
HOLEY = np.where(HOLES, np.nan, V)
COMPLETE = ~HOLES.any(axis=1)

QUICK = {
    "infomec": {"max_iter": 20},
    "factor_vae": {"votes": (300, 150), "rows": 8},
    "z_max_variance": {"votes": (300, 150), "rows": 8},
    "beta_vae": {"votes": (200, 100), "rows": 8},
    "dci": {"probe": "lasso", "alpha": 0.1},
}
TOGETHER = [name for name in dm.list_metrics() if (d := find_metric(name)).needs_factors and not d.by_factor]


def scored(name, latents, factors, **options):
    metric = dm.Metric(name, **QUICK.get(name, {}))
    return dm.score(latents, factors, metrics=metric, anchors=False, **options)


def posterior(latents):
    return dm.GaussianPosterior(latents, np.full(latents.shape, -4.0))


@pytest.mark.parametrize("name", TOGETHER)
def test_a_metric_of_several_factors_scores_the_complete_rows(name):
    found = scored(name, Z, HOLEY, missing="drop")
    filtered = scored(name, Z[COMPLETE], V[COMPLETE])
    assert {key: score.value for key, score in found.items()} == pytest.approx(
        {key: score.value for key, score in filtered.items()}, abs=0, nan_ok=True
    )


@pytest.mark.parametrize(
    "name", ["mig", "jemmig", "rmig", "sufficiency", "dci", "explicitness", "sap", "infomec"]
)
def test_a_metric_by_factor_scores_each_factor_in_its_own_rows(name):
    found = scored(name, posterior(Z), HOLEY, missing="drop")
    compared = 0
    for k in range(3):
        rows = ~HOLES[:, k]
        alone = scored(name, posterior(Z[rows]), V[rows][:, [k]])
        for key, score in alone.items():
            # Disentanglement weighs factors against each other, and is no mean over factors.
            if score.per_factor is not None and found[key].per_factor is not None:
                assert found[key].per_factor.iloc[k] == score.per_factor.iloc[0]
                compared += 1
    assert compared >= 3


@pytest.mark.parametrize("estimator", ["histogram", "nearest_neighbours", "posterior"])
def test_the_columns_of_the_table_are_those_of_each_factors_own_rows(estimator):
    table = relate(check(posterior(Z), HOLEY, missing="drop")).mutual_information(estimator=estimator)
    for k in range(3):
        rows = ~HOLES[:, k]
        alone = relate(check(posterior(Z[rows]), V[rows][:, [k]])).mutual_information(estimator=estimator)
        assert_array_equal(table.mutual_information[:, k], alone.mutual_information[:, 0])
        assert_array_equal(table.joint_entropy[:, k], alone.joint_entropy[:, 0])
        assert table.factor_entropy[k] == alone.factor_entropy[0]
        assert table.factor_values[k] == alone.factor_values[0]


def test_factors_with_holes_in_the_same_rows_keep_their_places():
    first_and_last = np.column_stack([HOLES[:, 0], HOLES[:, 2], HOLES[:, 0]])
    relations = relate(check(posterior(Z), np.where(first_and_last, np.nan, V), missing="drop"))
    information = relations.mutual_information()
    for k in range(3):
        rows = ~first_and_last[:, k]
        alone = relate(check(Z[rows], V[rows][:, [k]])).mutual_information()
        for name in ("mutual_information", "joint_entropy", "latent_entropy"):
            column = getattr(alone, name).reshape(3)
            assert_array_equal(getattr(information, name)[:, k], column)
        assert information.factor_entropy[k] == alone.factor_entropy[0]
        assert information.factor_values[k] == alone.factor_values[0]


@pytest.mark.parametrize("name", ["mig_sup", "modularity", "dcimig", "med", "mcc"])
def test_with_holes_in_the_same_rows_every_metric_scores_the_others(name):
    together = np.where(HOLES[:, [0]], np.nan, V)
    rows = ~HOLES[:, 0]
    found = scored(name, Z, together, missing="drop")[name]
    assert found.value == scored(name, Z[rows], V[rows])[name].value
    assert math.isfinite(found.value)


def test_the_normaliser_of_the_latents_takes_their_entropy_in_each_factors_rows():
    found = dm.mig(Z, HOLEY, missing="drop", normaliser="latent").per_factor
    rows = ~HOLES[:, 0]
    assert found.iloc[0] == dm.mig(Z[rows], V[rows][:, [0]], normaliser="latent").value


def test_rows_without_a_latent_are_left_out_for_all():
    broken = Z.copy()
    broken[[3, 10], [1, 0]] = np.nan, np.inf
    kept = np.delete(np.arange(len(Z)), [3, 10])
    found = dm.score(broken, V, metrics=["mig", "irs", "total_correlation"], missing="drop")
    filtered = dm.score(Z[kept], V[kept], metrics=["mig", "irs", "total_correlation"])
    for key, score in filtered.items():
        assert (found[key].value, found[key].chance, found[key].ceiling) == (
            score.value, score.chance, score.ceiling
        )  # fmt: skip
    assert "2 of 300 rows are left out: latents are missing or infinite there" in found.warnings
    assert "|n:298|" in found["mig"].signature


def test_a_row_without_a_log_variance_is_left_out():
    logvar = np.full(Z.shape, -4.0)
    logvar[7, 2] = np.nan
    kept = np.delete(np.arange(len(Z)), 7)
    found = dm.rmig(dm.GaussianPosterior(Z, logvar), V, missing="drop")
    assert found.value == dm.rmig(posterior(Z[kept]), V[kept]).value


def test_warnings_count_the_rows_and_signatures_say_that_rows_may_be_dropped():
    report = dm.score(Z, HOLEY, metrics=["mig", "irs", "total_correlation"], missing="drop")
    first = int(HOLES[:, 0].sum())
    assert f"factor 'factor_0' has no value in {first} of 300 rows, left out for it" in report.warnings
    assert any(f"read the {int(COMPLETE.sum())} rows that have a value of every factor" in w
               for w in report["irs"].warnings)  # fmt: skip
    assert all("|missing:drop|" in score.signature for score in report.values())
    assert "missing" not in dm.mig(Z, V).signature


@pytest.mark.parametrize("options", [{"missing": "drop"}, {"hierarchy": {"size": ("lit", 1)}}])
def test_a_factor_that_is_constant_in_the_complete_rows_is_named(options):
    rng = np.random.default_rng(3)
    lit, size, hue = rng.integers(2, size=400), rng.integers(3, size=400), rng.integers(3, size=400)
    factors = pd.DataFrame({"size": np.where(lit == 1, size, np.nan), "lit": lit, "hue": hue})
    latents = np.column_stack([size, lit, hue]) + 0.1 * rng.normal(size=(400, 3))
    metric = dm.Metric("factor_vae", votes=(60, 30))
    report = dm.score(latents, factors, metrics=metric, anchors=False, **options)
    assert np.isnan(report["factor_vae"].per_factor["lit"])
    (text,) = [text for text in report.warnings if "is constant in the rows that have" in text]
    assert text.startswith("factor 'lit' is constant")
    alone = dm.score(latents, factors, metrics=["mig", "total_correlation"], anchors=False, **options)
    assert not any("is constant in" in text for text in alone.warnings)  # each factor has its own rows there
    whole = dm.score(latents, factors[["lit", "hue"]], metrics=metric, anchors=False)
    assert not whole.warnings


def test_dropping_where_nothing_is_missing_changes_nothing():
    assert dm.mig(Z, V, missing="drop").value == dm.mig(Z, V).value
    assert not dm.score(Z, V, metrics="mig", missing="drop").warnings


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1, None, 2] * 100, dtype="Int64"),
        pd.array([True, None, False] * 100, dtype="boolean"),
        pd.Categorical(["a", None, "b"] * 100),
        pd.Categorical(["a", None, "b"] * 100, categories=["b", "unused", "a"], ordered=True),
        ["a", None, "b"] * 100,
        ["a", math.nan, "b"] * 100,
        np.array([5, None, 7] * 100, dtype=object),
        [0.5, math.nan, math.inf] * 100,
        pd.array(["a", pd.NA, "b"] * 100, dtype="string"),
    ],
    ids=lambda column: str(getattr(column, "dtype", type(column[0]).__name__)),
)
def test_whatever_stands_for_no_value_is_none(column):
    frame = pd.DataFrame({"a": column})
    factor = check(Z, frame, missing="drop").factors[0]
    assert not factor.present[1::3].any()
    assert factor.present[::3].all()
    assert len(factor.levels) == len({v for v in column if not pd.isna(v) and v != math.inf})
    with pytest.raises(dm.InputError, match=r"factor 'a' .* in row 1 .*missing=\"drop\""):
        check(Z, frame)


def test_lists_that_mix_strings_and_numbers_do_not_hide_a_missing_one():
    rows = [["a", 1.0], ["b", math.nan], ["a", 2.0]] * 100
    with pytest.raises(dm.InputError, match="'factor_1' has a missing or infinite value in row 1"):
        check(Z, rows)
    assert check(Z, rows, missing="drop").factors[1].levels == (1, 2)


def test_masked_entries_are_no_values():
    masked = np.ma.MaskedArray(V, HOLES)
    assert dm.mig(Z, masked, missing="drop").value == dm.mig(Z, HOLEY, missing="drop").value
    with pytest.raises(dm.InputError, match="missing or infinite value in row"):
        dm.mig(Z, masked)
    hidden = np.ma.MaskedArray(Z, np.arange(900).reshape(300, 3) == 31)
    assert check(hidden, V, missing="drop").shape[0] == 299
    with pytest.raises(dm.InputError, match=r"row 10, column 1: pass `missing=.drop.`"):
        check(hidden, V)


def test_values_that_only_incomplete_rows_have_are_no_values_of_the_complete_ones():
    extra = HOLEY.copy()
    extra[~COMPLETE & ~HOLES[:, 0], 0] = 9
    complete = check(Z, extra, missing="drop").complete()
    assert complete.factors[0].levels == (0, 1, 2, 3)
    assert_array_equal(complete.factors[0].as_numbers(), V[COMPLETE, 0])


def test_factors_that_no_row_has_together_are_scored_apart():
    half = np.arange(300) < 150
    apart = np.column_stack([np.where(half, V[:, 0], np.nan), np.where(half, np.nan, V[:, 1])])
    report = dm.score(Z, apart, metrics=["mig", "irs"], missing="drop", anchors=False)
    assert_allclose(
        report["mig"].per_factor,
        [dm.mig(Z[half], V[half][:, [0]]).value, dm.mig(Z[~half], V[~half][:, [1]]).value],
        rtol=0,
        atol=0,
    )
    assert report["irs"].reason == "no row has a value of factor_0, factor_1"


def test_a_split_that_is_given_speaks_of_the_rows_that_are_given():
    train, test = np.arange(0, 300, 2), np.arange(1, 300, 2)
    rows = np.flatnonzero(~HOLES[:, 0])
    split = tuple(np.flatnonzero(np.isin(rows, part)) for part in (train, test))
    settings = {"probe": "lasso", "alpha": 0.1}
    found = dm.dci(Z, HOLEY[:, [0]], missing="drop", split=(train, test), **settings)
    filtered = dm.dci(Z[rows], V[rows][:, [0]], split=split, **settings)
    assert found["dci_informativeness"].value == filtered["dci_informativeness"].value


def test_chance_and_ceiling_are_there_with_missing_values():
    score = dm.mig(Z, HOLEY, missing="drop", anchors=True)
    assert 0 <= score.chance < 0.1
    assert score.ceiling == dm.mig(Z[COMPLETE], V[COMPLETE], anchors=True).ceiling


def test_intervals_are_drawn_with_missing_values_too():
    report = dm.score(
        Z, HOLEY, metrics=["mig", "irs"], missing="drop", anchors=False, confidence=0.9, replicates=20
    )
    for score in report.values():
        low, high = score.interval
        assert low < high
        assert abs((low + high) / 2 - score.value) < 0.2


@pytest.mark.parametrize(
    ("latents", "factors", "message"),
    [
        (np.full_like(Z, np.nan), V, "`latents`: every row has a missing or infinite value"),
        (Z, np.where([True, False, False], np.nan, V), "'factor_0' has no value in any row"),
    ],
)
def test_nothing_left_is_refused(latents, factors, message):
    with pytest.raises(dm.InputError, match=message):
        dm.score(latents, factors, missing="drop")


def test_an_unknown_choice_is_refused():
    with pytest.raises(dm.InputError, match="`missing` must be 'raise' or 'drop', got 'ignore'"):
        dm.score(Z, V, missing="ignore")


def test_codes_with_holes_are_never_handed_out():
    with pytest.raises(ValueError, match="no code"):
        relate(check(Z, HOLEY, missing="drop")).factor_codes(20, "uniform")


@pytest.mark.parametrize("name", ["mig", "modularity", "irs"])
def test_order_of_rows_and_factors_changes_nothing(name):
    rows, factors = RNG.permutation(300), [2, 0, 1]
    found = scored(name, Z, HOLEY, missing="drop")[name].value
    assert scored(name, Z[rows], HOLEY[rows], missing="drop")[name].value == pytest.approx(found, abs=1e-12)
    assert scored(name, Z, HOLEY[:, factors], missing="drop")[name].value == pytest.approx(found, abs=1e-12)


def test_two_factors_that_no_row_has_both_of_have_scores_of_their_own_and_no_ceiling():
    factors = V[:, :2].astype(float)
    factors[:150, 0], factors[150:, 1] = np.nan, np.nan
    report = dm.score(Z, factors, missing="drop", metrics=["mig", "mcc", "omes"])
    for k, rows in ((0, slice(150, None)), (1, slice(0, 150))):
        alone = dm.mig(Z[rows], V[rows, k : k + 1])
        assert report["mig"].per_factor.iloc[k] == pytest.approx(alone.value, abs=1e-12)
    assert report["mig"].ceiling is None
    assert report["mig"].chance < report["mig"].value
    assert "no row has a value of factor_0, factor_1" in report["omes"].reason
    (check,) = [check for check in report.checks() if check.code == "no_complete_rows"]
    assert check.numbers == {"rows": 150}
    assert "leave out a factor that few rows have" in check.remedy


def test_factors_that_share_their_holes_with_a_later_one_keep_their_columns():
    holes, values = HOLES[:, [0, 2, 1, 0]], V[:, [0, 1, 2, 1]]  # 0 and 3 are estimated first, together
    found = relate(check(Z, np.where(holes, np.nan, values), missing="drop")).mutual_information()
    for k in range(4):
        rows = ~holes[:, k]
        alone = relate(check(Z[rows], values[rows][:, [k]])).mutual_information()
        assert_array_equal(found.mutual_information[:, k], alone.mutual_information[:, 0])
        assert found.factor_entropy[k] == alone.factor_entropy[0]


def test_a_given_split_speaks_of_the_rows_given_where_latents_lack_values_too():
    train, test = np.arange(0, 300, 2), np.arange(1, 300, 2)
    latents = Z.copy()
    latents[[0, 7, 8], 0] = np.nan
    rows = np.flatnonzero(~HOLES[:, 0] & np.isfinite(latents[:, 0]))
    split = tuple(np.flatnonzero(np.isin(rows, part)) for part in (train, test))
    settings = {"probe": "lasso", "alpha": 0.1}
    found = dm.dci(latents, HOLEY[:, [0]], missing="drop", split=(train, test), **settings)
    filtered = dm.dci(Z[rows], V[rows][:, [0]], split=split, **settings)
    assert found["dci_informativeness"].value == filtered["dci_informativeness"].value
