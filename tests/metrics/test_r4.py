"""R4 and R4c where their values follow by hand, and the step functions beside boosted trees."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingRegressor

import disentangle_metrics as dm
from disentangle_metrics.estimators.probes import one_column
from disentangle_metrics.estimators.probes.one_column import category, held_out_quality, measurement

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

N = 4_000
RNG = np.random.default_rng(0)
U = RNG.uniform(-1, 1, size=(N, 3))
FOLDS = np.arange(N) % 5


def r4(latents, factors, **options):
    return dm.r4(np.column_stack(latents), np.column_stack(factors), **options)


def test_invertible_maps_of_each_factor_are_a_perfect_code() -> None:
    report = r4([np.exp(U[:, 1]), -U[:, 0], np.cbrt(U[:, 2])], U.T)
    assert report["r4"].value == pytest.approx(1, abs=1e-3)
    assert report["r4_assigned"].value == report["r4"].value
    assert np.asarray(report["r4"].details["both_ways"]).argmax(axis=0).tolist() == [1, 0, 2]
    assert dm.r4c(np.exp(U), U).value == pytest.approx(1, abs=1e-3)


def test_a_map_that_cannot_be_undone_counts_one_way_only() -> None:
    score = r4([np.abs(U[:, 0])], [U[:, 0]])["r4"]
    assert np.asarray(score.details["latents_from_factors"])[0, 0] == pytest.approx(1, abs=1e-3)
    assert np.asarray(score.details["factors_from_latents"])[0, 0] < 0.01  # v is u or -u, equally likely
    assert score.value < 0.1


def test_a_rotation_by_45_degrees_scores_a_half() -> None:
    # E[a | a + b] = (a + b) / 2 explains half of a's variance, and a half of that of a + b.
    report = r4([U[:, 0] + U[:, 1], U[:, 0] - U[:, 1]], [U[:, 0], U[:, 1]])
    assert report["r4"].value == pytest.approx(0.5, abs=0.02)


def test_noise_of_known_size() -> None:
    # Normal columns of correlation r explain r^2 of one another.
    v, e = RNG.normal(size=(2, 20_000))
    assert r4([0.8 * v + 0.6 * e], [v])["r4"].value == pytest.approx(0.64, abs=0.015)


def test_accuracy_counts_beyond_guessing() -> None:
    quarters = RNG.permutation(np.arange(N) % 4)
    halves = quarters // 2
    # The half tells the quarter in 1 of 2 rows, 1 of 4 by guessing: (1/2 - 1/4) / (3/4) = 1/3.
    quality = held_out_quality([category(halves)], [category(quarters), category(halves)], FOLDS)
    np.testing.assert_allclose(quality, [[1 / 3, 1]], atol=0.03)
    # Nine of ten rows are guessed by a latent that says nothing, and count 0.
    rare = (np.arange(N) % 10 == 0).astype(int)
    assert r4([U[:, 0]], [rare], factor_types=["categorical"])["r4"].value == pytest.approx(0, abs=0.01)
    assert r4([np.zeros(N), U[:, 0]], [rare, U[:, 1]])["r4"].value == pytest.approx(0, abs=0.01)


def test_a_category_has_no_order() -> None:
    codes = RNG.integers(5, size=N)
    shuffled = np.array([3, 0, 4, 1, 2])[codes]
    perfect = r4([shuffled], [codes], factor_types=["categorical"], latent_types=["categorical"])
    assert perfect["r4"].value == 1
    # Bins of equally many rows mix two neighbours at each of four edges.
    clusters = codes + RNG.uniform(-0.3, 0.3, size=N)
    assert r4([clusters], [codes], factor_types=["categorical"])["r4"].value == pytest.approx(1, abs=0.01)


def test_a_rare_category_has_no_neighbours() -> None:
    # Values of one or two rows are often missing from the rows of the fit: no name may tell them.
    codes = RNG.integers(400, size=800)
    names, shuffled = (
        np.char.add("a", np.char.zfill(c.astype(str), 3)) for c in (codes, RNG.permutation(400)[codes])
    )
    one, other = (
        r4([codes.astype(float)], [labels], factor_types=["categorical"])["r4"].details[
            "latents_from_factors"
        ]
        for labels in (names, shuffled)
    )
    np.testing.assert_allclose(one, other, atol=1e-12)
    # Every value is of one row: the mean of all others is all that is known.
    single = category(np.arange(100))
    assert held_out_quality([single], [measurement(np.arange(100.0))], np.arange(100) % 5)[0, 0] == 0


def test_values_of_two_rows_can_each_be_a_step() -> None:
    # Powers of two of bins would merge some of 300 values: 256 bins of 720 rows, and 512 are too many.
    values = np.repeat(np.arange(300.0), 3)
    told = RNG.permutation(300).astype(float)[values.astype(int)]
    folds = np.arange(900) % 5  # which part the three rows of a value
    assert held_out_quality([measurement(values)], [measurement(told)], folds)[0, 0] == pytest.approx(1)


def test_many_values_take_no_more_memory_and_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    codes = rng.permutation(np.arange(2_000) % 200)
    number = codes + 0.1 * rng.normal(size=2_000)
    angle = rng.uniform(0, 2 * np.pi, size=2_000)
    circle = measurement(angle, np.column_stack([np.cos(angle), np.sin(angle)]))
    sides = [category(codes), measurement(number)], [circle, category(codes), category(codes % 7)]
    at_once = held_out_quality(*sides, FOLDS[:2_000])
    assert at_once[1, 1] > 0.8
    monkeypatch.setattr(one_column, "CELLS", 1 << 14)  # 10 columns at a time
    tracemalloc.start()
    few = held_out_quality(*sides, FOLDS[:2_000])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert few.tobytes() == at_once.tobytes()
    assert peak < 2_000 * 200 * 8 / 2, peak  # half of one table of rows by values


def test_a_circle_has_no_end() -> None:
    angle = RNG.uniform(0, 360, size=N)
    turned = (angle + 100) % 360
    circular = {"factor_types": ["circular:360"], "latent_types": ["circular:360"]}
    assert r4([turned], [angle], **circular)["r4"].value == pytest.approx(1, abs=1e-3)


def test_a_latent_serves_one_factor_where_it_is_assigned() -> None:
    report = r4([U[:, 0], U[:, 1]], [U[:, 0], 2 * U[:, 0] + 1])
    assert report["r4"].value == pytest.approx(1, abs=1e-3)
    assert report["r4_assigned"].value == pytest.approx(0.5, abs=0.01)
    fewer = r4([U[:, 0]], U.T)
    assert fewer["r4_assigned"].value == pytest.approx(1 / 3, abs=0.01)


def test_factors_that_never_exist_together_may_share_a_latent() -> None:
    switch = RNG.integers(2, size=N)
    own = U[:, 0]
    factors = np.column_stack(
        [switch, np.where(switch == 0, own, np.nan), np.where(switch == 1, own, np.nan)]
    )
    latents = np.column_stack([switch, own])
    options = {
        "factor_names": ["switch", "left", "right"],
        "factor_types": {"switch": "categorical"},
        "hierarchy": {"left": ("switch", 0), "right": ("switch", 1)},
    }
    assert dm.r4c(latents, factors, **options).value == pytest.approx(1, abs=1e-3)
    report = dm.score(latents, factors, metrics=["r4", "r4c"], anchors=False, **options)
    assert np.isnan(report["r4"].value)
    assert "no row has a value of" in report["r4"].reason


def test_too_few_rows_and_groups_have_no_score() -> None:
    assert "needs 20 rows, and factor 'factor_0' has 19" in dm.r4c(U[:19], U[:19, :1]).reason
    lacking = U[:100, :2].copy()
    lacking[19:, 1] = np.nan  # which r4c reads apart, and r4 with the other
    few = dm.score(U[:100], lacking, metrics=["r4", "r4c"], missing="drop", anchors=False)
    assert "needs 20 rows, and factor 'factor_1' has 19" in few["r4c"].reason
    assert "needs 20 rows, and 2 factors together have 19" in few["r4"].reason
    report = dm.score(U, U, metrics=["r4"], groups={"both": [0, 1]}, anchors=False)
    assert "no definition for groups" in report["r4"].reason


@pytest.mark.parametrize(("correlation", "least", "most"), [(0.5, 0.0, 0.08), (0.995, -0.01, 0.01)])
def test_steps_are_as_good_as_boosted_trees(correlation: float, least: float, most: float) -> None:
    """Where columns tell much of one another they agree; where little, boosted trees learn noise."""
    rng = np.random.default_rng(5)
    v, e = rng.normal(size=(2, 600))
    z = correlation * v + np.sqrt(1 - correlation**2) * e
    folds = np.arange(600) % 5
    trees = np.empty(600)
    for fold in range(5):
        test = folds == fold
        model = GradientBoostingRegressor(random_state=0).fit(v[~test, None], z[~test])
        trees[test] = model.predict(v[test, None])
    boosted = 1 - np.square(z - trees).sum() / np.square(z - z.mean()).sum()
    steps = held_out_quality([measurement(v)], [measurement(z)], folds)[0, 0]
    assert least <= steps - boosted <= most
    assert abs(steps - correlation**2) < 0.06
