"""Groups of latents: a unit may have several columns."""

from __future__ import annotations

import re

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.estimators.group_information import (
    countable,
    group_with_categories,
    group_with_continuous,
)
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.inputs.joint_cells import JointCells
from disentangle_metrics.inputs.latent_groups import read_groups, text_of
from disentangle_metrics.relations.grouped import told
from disentangle_metrics.relations.relate import relate

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
ROWS = 3_000
FACTORS = RNG.integers(6, size=(ROWS, 3))
ANGLE = FACTORS[:, 0] * np.pi / 3


def noisy(columns: np.ndarray) -> np.ndarray:
    return columns + 0.05 * np.random.default_rng(1).normal(size=columns.shape)


CIRCLE = noisy(np.column_stack([np.cos(ANGLE), np.sin(ANGLE), FACTORS[:, 1], FACTORS[:, 2]]).astype(float))
GROUPS = {"angle": [0, 1]}
SUITE = ["mig", "mig_sup", "dcimig", "modularity", "factor_vae", "dci", "sap", "mcc", "infomec"]


def scores(groups, metrics=SUITE, latents=CIRCLE, **options):
    return dm.score(latents, FACTORS, metrics=metrics, groups=groups, anchors=False, **options)


def test_a_circle_of_two_latents_is_one_clean_unit():
    apart, together = scores(None), scores(GROUPS)
    assert apart["mig"].value < 0.75
    for key in ("mig", "mig_sup", "dcimig", "info_compactness", "dci_completeness"):
        assert together[key].value > 0.98, key
    assert together["mig"].per_factor.min() > 0.98
    assert list(together["mig_sup"].per_latent.index) == ["angle", "z_2", "z_3"]
    assert together["dci_informativeness"].value == apart["dci_informativeness"].value


def test_groups_of_one_column_each_are_names_alone():
    named = {name: [place] for place, name in enumerate("abcd")}
    for (key, plain), other in zip(scores(None).items(), scores(named).values(), strict=True):
        assert other.value == plain.value, key
        assert other.signature == plain.signature, key
    assert list(scores(named)["mig_sup"].per_latent.index) == list("abcd")


def test_the_order_of_groups_and_of_columns_does_not_matter():
    one = scores({"a": [0, 2], "b": [1, 3]}, ["mig", "factor_vae", "mcc"])
    other = scores({"b": ["z_3", "z_1"], "a": [2, 0]}, ["mig", "factor_vae", "mcc"])
    assert [s.value for s in one.values()] == [s.value for s in other.values()]
    assert one["mig"].signature == other["mig"].signature


def test_joint_cells_hold_what_counting_by_hand_gives():
    codes = np.random.default_rng(2).integers(3, size=(ROWS, 2)).astype(float)
    factor = (codes[:, 0] + codes[:, 1]) % 3  # neither column alone knows anything of it
    report = dm.score(
        codes,
        factor.astype(int)[:, None],
        metrics=[dm.Metric("mig", bins=3)],
        groups={"both": [0, 1]},
        anchors=False,
    )
    cells = np.bincount((codes[:, 0] * 9 + codes[:, 1] * 3 + factor).astype(int), minlength=27) / ROWS
    pair, value = cells.reshape(9, 3).sum(1), cells.reshape(9, 3).sum(0)

    def h(p: np.ndarray) -> float:
        return float(-(p[p > 0] * np.log(p[p > 0])).sum())

    expected = h(pair) + h(value) - h(cells)
    table = report["mig"].details["mutual_information"]
    assert table.loc["both", "factor_0"] == pytest.approx(expected, abs=1e-12)
    assert report["mig"].value == pytest.approx(1.0, abs=1e-12)
    assert "estimator:histogram" in report["mig"].signature
    assert dm.mig(codes, factor.astype(int)[:, None], bins=3).value < 0.01


def test_too_many_cells_are_not_counted_and_the_report_says_so():
    assert countable([(10, 10), (10,)], [6], [3_000])
    assert not countable([(10, 10), (10,)], [6], [2_999])
    assert countable([(20,), (20,)], [6], [10])
    assert countable([(4, 15), (50,)], [6, 3], [1_800, 900])
    assert not countable([(4, 15), (50,)], [6, 3], [1_800, 899])
    report = scores(GROUPS, ["minimality", "mig", dm.Metric("jemmig", bins=5)])
    assert np.isnan(report["minimality"].value)  # so that nothing is estimated for it
    assert "estimator:nearest_neighbours|k:3" in report["mig"].signature
    assert "groups:0-1+2+3" in report["mig"].signature
    assert "D:3" in report["mig"].signature
    assert "estimator:histogram" in report["jemmig"].signature
    (found,) = [check for check in report.checks() if check.code == "groups_by_neighbours"]
    assert found.about == "mig"
    (bins,) = re.findall(r"as in `dm.Metric\('mig', bins=(\d+)\)`", found.remedy)
    for taken, estimator in ((int(bins), "histogram"), (int(bins) + 1, "nearest_neighbours")):
        metric = dm.Metric("mig", bins=taken)
        assert f"estimator:{estimator}" in scores(GROUPS, [metric])["mig"].signature


def test_a_correction_that_cells_are_too_many_for_costs_its_own_score_alone():
    report = scores(GROUPS, ["mcc", dm.Metric("mig", correction="miller_madow")])
    assert report["mcc"].value > 0.9
    assert np.isnan(report["mig"].value)
    assert "groups have too many joint cells to count: use fewer `bins`" in report["mig"].reason
    assert "groups_by_neighbours" not in {check.code for check in report.checks()}
    assert scores(GROUPS, [dm.Metric("mig", correction="miller_madow", bins=5)])["mig"].value > 0.8
    with pytest.raises(dm.InputError, match="`correction`"):
        dm.Metric("mig", correction="miller_madow", estimator="nearest_neighbours")


@pytest.mark.parametrize("missing", ["raise", "drop"])
def test_the_reason_of_groups_too_wide_to_count_can_be_followed(missing):
    factors = FACTORS.astype(float)
    if missing == "drop":
        factors[:100, 0] = np.nan
    wide = {"jemmig": {}, "minimality": {}, "mig": {"normaliser": "latent"}}
    for bins in (20, 5):
        report = dm.score(
            CIRCLE,
            factors,
            metrics=[dm.Metric(name, bins=bins, **settings) for name, settings in wide.items()],
            groups=GROUPS,
            missing=missing,
            anchors=False,
        )
        for score in report.values():
            assert np.isnan(score.value) == (bins == 20)
            assert ("the entropy of joint cells" in score.reason) == (bins == 20)
            assert ("use fewer `bins`" in score.reason) == (bins == 20)
    single = dm.score(CIRCLE, FACTORS, metrics=dm.Metric("jemmig", estimator="nearest_neighbours"))
    assert "use `dm.Metric(..., estimator='histogram')`" in single["jemmig"].reason


def test_rows_are_those_of_the_factor_they_are_too_few_for():
    # 20 x 20 cells and 4 values want 8,000 rows: all have b, and one in ten has a.
    rng = np.random.default_rng(4)
    latents, groups = rng.normal(size=(8_000, 4)), {"g": [0, 1], "h": [2, 3]}
    factors = rng.integers(4, size=(8_000, 2)).astype(float)
    whole = dm.score(latents, factors, groups=groups, metrics=["sufficiency", "modularity"], anchors=False)
    assert all("|estimator:histogram|" in score.signature for score in whole.values())
    factors[800:, 0] = np.nan
    sparse = dm.score(
        latents, factors, groups=groups, missing="drop", metrics=["sufficiency", "modularity"], anchors=False
    )
    assert all("|estimator:nearest_neighbours|" in score.signature for score in sparse.values())
    assert sparse["sufficiency"].value < 0.1  # of noise; cells of half a row hold 0.4
    assert any("too many joint cells for 800 rows" in check.message for check in sparse.checks())


def test_a_constant_factor_that_few_rows_have_leaves_cells_to_be_counted():
    # Cells as above: 8,000 rows are enough for a; c has one value in 201 rows, and is left out of every score.
    rng = np.random.default_rng(6)
    a = rng.integers(4, size=8_000)
    latents = rng.normal(size=(8_000, 4)) + a[:, None]
    factors = np.column_stack([a, np.where(np.arange(8_000) < 201, 1.0, np.nan)])
    options = {"groups": {"g": [0, 1], "h": [2, 3]}, "metrics": ["jemmig", "mig"], "anchors": False}
    alone = dm.score(latents, factors[:, :1], **options)
    beside = dm.score(latents, factors, missing="drop", **options)
    for key, score in alone.items():
        assert "|estimator:histogram|" in beside[key].signature
        assert beside[key].value == score.value
    # The last factor varies only where c is missing: 4 x 4 x 2 cells of the other want 160 of the 201 rows.
    factors = np.column_stack([factors[:, 1], rng.integers(2, size=8_000), rng.integers(50, size=8_000)])
    factors[:201, 2] = 7
    cells = JointCells(check(latents, factors, groups=options["groups"], missing="drop"))
    assert cells.can_be_counted(4, None, complete=True)
    assert not cells.can_be_counted(5, None, complete=True)  # 250 rows


def test_codes_have_their_own_values_as_cells():
    rng = np.random.default_rng(5)
    codes, factors = rng.integers(4, size=(400, 2)).astype(float), rng.integers(2, size=(400, 1))
    joint = dm.score(
        codes, factors, groups={"g": [0, 1]}, latent_types="categorical", metrics="mig", anchors=False
    )
    assert "|estimator:histogram|" in joint["mig"].signature  # 4 x 4 x 2 cells
    many = rng.integers(40, size=(400, 2)).astype(float)
    joint = dm.score(
        many, factors, groups={"g": [0, 1]}, latent_types="categorical", metrics="mig", anchors=False
    )
    assert np.isnan(joint["mig"].value)
    assert "a histogram needs 5 rows for each joint value" in joint["mig"].reason
    # 6 x 20 x 2 cells want 1,200 rows; 6 x 5 x 2 want 300.
    mixed = np.column_stack([np.arange(400) % 6, rng.normal(size=400)])
    options = {"groups": {"g": [0, 1]}, "latent_types": ["categorical", "continuous"], "anchors": False}
    with_bins = dm.score(mixed, factors, metrics=["mig", dm.Metric("mig", bins=5)], **options)
    assert "or fewer `bins` of columns that are no codes" in with_bins["mig"].reason
    assert not np.isnan(with_bins["mig|bins:5"].value)


def test_neighbours_in_several_axes_find_the_known_information():
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=(4_000, 2)), rng.normal(size=4_000)
    v = x.sum(axis=1) + noise  # Gaussian: I = -log(1 - R2) / 2, R2 = 2/3
    assert group_with_continuous(x, v, 3) == pytest.approx(-0.5 * np.log(1 / 3), abs=0.05)
    codes = (x[:, 0] > 0).astype(int) * 2 + (x[:, 1] > 0)
    assert group_with_categories(x, codes, 3) == pytest.approx(np.log(4), abs=0.05)
    assert group_with_categories(x, rng.permutation(codes), 3) == pytest.approx(0.0, abs=0.05)


def test_votes_take_the_mean_over_the_columns_of_a_group():
    relations = relate(check(CIRCLE, FACTORS).grouped(GROUPS))
    columns = relate(check(CIRCLE, FACTORS))
    draws = (columns.groups(), np.zeros(50, dtype=int), 16)
    alone = columns.relative_variances(*draws, np.random.default_rng(5))
    grouped = relations.relative_variances(*draws, np.random.default_rng(5))
    np.testing.assert_array_equal(grouped[:, 0], alone[:, :2].mean(axis=1))
    np.testing.assert_array_equal(grouped[:, 1:], alone[:, 2:])


def test_correlations_of_a_group_are_multiple_and_cross_fitted():
    rng = np.random.default_rng(6)
    columns = rng.normal(size=(500, 2))
    target = columns @ [[2.0], [-1.0]] + 3.0
    folds = np.arange(500) % 5
    assert told(columns, target, folds) == pytest.approx(1.0)
    assert told(columns, rng.normal(size=(500, 1)), folds) < 0.01
    assert told(columns[:, :0], target, folds) == 0.0
    mixed = np.column_stack([FACTORS[:, 0] + FACTORS[:, 1], FACTORS[:, 0] - FACTORS[:, 1], FACTORS[:, 2]])
    report = dm.score(mixed, FACTORS[:, [0, 2]], metrics=["mcc"], groups={"mix": [0, 1]}, anchors=False)
    assert report["mcc"].value == pytest.approx(1.0, abs=1e-6)


def test_metrics_without_a_definition_say_so_and_the_others_have_values():
    report = scores(GROUPS, None)
    for key in ("irs", "beta_vae", "total_correlation", "mean_pairwise_mi"):
        assert np.isnan(report[key].value)
        assert "no definition for groups" in report[key].reason
    assert np.isfinite([report[key].value for key in ("mig", "factor_vae", "z_max_variance", "sap")]).all()
    assert report["active_units"].value == 3


def test_missing_values_are_left_out_factor_by_factor():
    holes = FACTORS.astype(float)
    holes[:1_000, 0] = np.nan
    part = dm.score(CIRCLE, holes, metrics=["mig"], missing="drop", groups=GROUPS, anchors=False)["mig"]
    alone = dm.score(CIRCLE[1_000:], FACTORS[1_000:], metrics=["mig"], groups=GROUPS, anchors=False)["mig"]
    row = "mutual_information"
    assert part.details[row].loc["angle", "factor_0"] == alone.details[row].loc["angle", "factor_0"]


def test_intervals_and_anchors_are_those_of_groups():
    report = dm.score(CIRCLE, FACTORS, metrics=[dm.Metric("mig", bins=8)], groups=GROUPS, confidence=0.9)
    low, high = report["mig"].interval
    assert low <= high
    assert report["mig"].chance < 0.05
    assert report["mig"].ceiling > 0.99


def test_the_same_bits_for_any_number_of_jobs():
    one, two = (scores(GROUPS, ["dci", "mig"], n_jobs=jobs) for jobs in (1, 2))
    assert [s.value for s in one.values()] == [s.value for s in two.values()]


NAMES = ("z_0", "z_1", "z_2")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([[0, 1]], "must map names to columns"),
        ({}, "must map names to columns"),
        ({"a": []}, "'a' has no column"),
        (
            {"a": slice(0, 2)},
            r"'a' has slice\(0, 2, None\); pass the places of its columns, such as \[0, 1\]",
        ),
        ({"a": np.array([True, False, True])}, r"'a' has a mask; pass .* `np\.flatnonzero\(mask\)`"),
        ({"a": [0, 3]}, "the column 3, which is none of the 3 latents"),
        ({"a": [-1]}, "the column -1"),
        ({"a": ["x"]}, "the column 'x'"),
        ({"a": [True]}, "the column True"),
        ({"a": [0.5]}, "the column 0.5"),
        ({"a": [0, 1], "b": [1]}, "'z_1' is in 'a' and 'b'"),
        ({"a": [0, 0]}, "'z_0' is in 'a' twice"),
        ({"z_2": [0, 1]}, "'z_2' is also the name of a latent"),
    ],
)
def test_groups_that_cannot_be(given, message):
    with pytest.raises(dm.InputError, match=message) as caught:
        read_groups(given, NAMES)
    assert "\n" not in str(caught.value)


def test_columns_are_named_or_numbered():
    units = read_groups({"b": ["z_2", 1]}, NAMES)
    assert units == (("z_0", (0,)), ("b", (1, 2)))
    assert read_groups({"a": np.array([0, 1])}, NAMES)[0] == ("a", (0, 1))
    assert text_of([columns for _, columns in units]) == "0+1-2"


def test_each_group_alone_is_the_score_of_its_columns():
    table = dm.per_group(
        CIRCLE, FACTORS, {"angle": [0, 1]}, metrics=["mig", "mig_sup", "dci_informativeness"]
    )
    assert list(table.index) == ["angle", "z_2", "z_3"]
    assert table.loc["angle", ("mig", "score")] == dm.mig(CIRCLE[:, :2], FACTORS).value
    alone = dm.dci(CIRCLE[:, :2], FACTORS)["dci_informativeness"]
    assert table.loc["angle", ("dci_informativeness", "factor_0")] == alone.per_factor["factor_0"]
    assert table.loc["angle", ("dci_informativeness", "factor_1")] < 0.4
    assert table.loc["z_2", ("dci_informativeness", "factor_1")] > 0.9


def test_the_metrics_of_each_group_are_given_as_for_a_score():
    assert dm.per_group(CIRCLE, FACTORS, {"angle": [0, 1]}, metrics="mig").equals(
        dm.per_group(CIRCLE, FACTORS, {"angle": [0, 1]}, metrics=(name for name in ["mig"]))
    )
    fine = dm.per_group(CIRCLE, FACTORS, {"angle": [0, 1]}, metrics=dm.Metric("mig", bins=10))
    assert fine.loc["z_2", ("mig", "score")] == dm.mig(CIRCLE[:, 2:3], FACTORS, bins=10).value
    some = dm.per_group(CIRCLE[:100], FACTORS[:100], {"angle": [0, 1]}, metrics=None)
    assert some.columns.levels[0].tolist() == ["dci_informativeness", "mig", "mig_sup"]


def test_what_to_know_of_the_rows_is_said_once_for_all_groups():
    names = {"file": [f"{k}.png" for k in range(40)], "shape": [k % 3 for k in range(40)]}
    with pytest.warns(dm.ScoreWarning) as said:
        dm.per_group(CIRCLE[:40], names, {"angle": [0, 1]}, metrics=["mig"])
    left_out, few = (str(warning.message) for warning in said)
    assert left_out.startswith("factor 'file' has a different text in every row")
    assert few.startswith("40 rows are too few")


def test_what_only_one_group_is_told_has_its_name():
    heavy = np.where(np.arange(len(CIRCLE)) == 0, 1e6, CIRCLE[:, 2])
    latents = np.column_stack([CIRCLE[:, :2], heavy])
    with pytest.warns(dm.ScoreWarning, match="^z_2: .* rows fall in one of the 20 equal bins"):
        dm.per_group(latents, FACTORS, {"angle": [0, 1]}, metrics=["mig"])


@pytest.mark.parametrize("name", [name for name in dm.list_metrics() if name not in ("udr",)])
def test_the_card_says_whether_a_metric_reads_groups(name):
    (line,) = [line for line in dm.describe(name).splitlines() if line.startswith("Groups of latents: ")]
    posterior = dm.GaussianPosterior(CIRCLE[:300], np.full((300, 4), -6.0))
    report = dm.score(posterior, FACTORS[:300, :2], metrics=[name], groups=GROUPS, anchors=False)
    reasons = {score.reason for score in report.values()}
    if "no definition" in line:
        assert all("no definition for groups" in str(reason) for reason in reasons)
    else:
        assert not any("no definition" in str(reason) for reason in reasons)


def test_neighbours_of_groups_go_round_circles():
    angle = np.random.default_rng(8).uniform(0, 360, size=(600, 1))
    circle = np.column_stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    options = {"factor_types": ["circular:360"], "groups": {"angle": [0, 1]}, "anchors": False}
    by_neighbours = dm.score(circle, angle, metrics=["mig"], **options)["mig"]
    assert by_neighbours.value == pytest.approx(1.0)  # two exact copies: at the entropy of 20 bins, and cut
    counted = dm.score(circle, angle, metrics=[dm.Metric("mig", bins=4)], **options)["mig"]
    assert counted.value > 0.6


def test_an_angle_in_a_group_is_correlated_by_its_cosine_and_sine():
    rng = np.random.default_rng(3)
    turns = rng.uniform(0, 360, size=(1_000, 1))
    latents = np.column_stack([(turns + 90) % 360, rng.normal(size=1_000)])
    options = {
        "metrics": "mcc",
        "factor_types": ["circular:360"],
        "latent_types": {"z_0": "circular:360"},
        "anchors": False,
    }
    found = dm.score(latents, turns, groups={"pose": [0, 1]}, **options)["mcc"].value
    # The same two columns written out: cosine and sine of the angle, and the noise beside them.
    radians = np.deg2rad(latents[:, 0])
    written = np.column_stack([np.cos(radians), np.sin(radians), latents[:, 1]])
    by_hand = dm.score(written, turns, groups={"pose": [0, 1, 2]}, **{**options, "latent_types": None})[
        "mcc"
    ].value
    assert found == pytest.approx(by_hand, abs=1e-12)
    assert found > 0.999


def test_an_idle_column_takes_nothing_from_its_group():
    idle, metrics = np.column_stack([CIRCLE[:600], np.full(600, 0.5)]), ["mig_sup", "factor_vae"]
    options = {"metrics": metrics, "anchors": False}
    beside = dm.score(idle, FACTORS[:600], groups={"angle": [0, 1, 4]}, **options)
    without = dm.score(CIRCLE[:600], FACTORS[:600], groups=GROUPS, **options)
    for key in metrics:
        assert beside[key].value == without[key].value > 0.9


def test_a_group_is_active_if_one_of_its_columns_is():
    latents = CIRCLE * [1, 0.01, 1, 1]
    assert scores(GROUPS, [dm.Metric("active_units", active=0.1)], latents)["active_units"].value == 3


def test_importances_of_a_group_are_the_sum_of_its_columns():
    inputs = check(CIRCLE[:300], FACTORS[:300])
    settings = {"probe": "lasso", "alpha": 0.01, "split": None, "max_rows": None}
    alone, together = (relate(i).probes(**settings).importances for i in (inputs, inputs.grouped(GROUPS)))
    np.testing.assert_allclose(together, [alone[0] + alone[1], alone[2], alone[3]])
