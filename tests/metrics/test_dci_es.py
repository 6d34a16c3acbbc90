"""DCI-ES by hand: the area under a curve of losses, and codes whose curve is known."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold

import disentangle_metrics as dm
from disentangle_metrics.estimators.capacity import capacities, losses
from disentangle_metrics.metrics.dci_es import ease

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = RNG.normal(size=(1_000, 3))


def curve(score):
    return np.stack([line.to_numpy() for line in score.details.values()])


def test_the_area_by_hand():
    explicit = [0.2, 0.2, 0.2, 0.2]
    straight = [1.0, 0.75, 0.5, 0.25]
    late = [1.0, 1.0, 1.0, 0.0]  # area (1 + 1 + 1/2) / 3 = 5/6, so 1 - 2 * 5/6
    nothing = [1.0, 1.0, 1.0, 0.995]
    halved = [0.6, 0.2, 0.2, 0.2]  # area 0.2 / 3 beside 0.8 / 2
    table = np.array([explicit, straight, late, nothing, halved]).T
    assert ease(table) == pytest.approx([1, 0, -2 / 3, 0, 1 - (0.2 / 3) / 0.4])


def test_probes_double_up_to_the_largest():
    assert capacities(256) == [0, 4, 8, 16, 32, 64, 128, 256]
    assert capacities(100) == [0, 4, 8, 16, 32, 64, 100]
    assert capacities(8) == [0, 4, 8]


def test_a_linear_code_is_explicit_at_the_smallest_capacity():
    report = dm.dci_es(V @ [[2, 1, 0], [0, 2, 1], [0, 0, 2]] + 1, V)
    assert report["dci_explicitness"].value == pytest.approx(1, abs=1e-3)
    assert curve(report["dci_explicitness"])[0] == pytest.approx(np.zeros(3), abs=1e-3)


def test_half_of_a_linear_code_is_as_explicit_as_the_whole():
    """E asks how easily what is held is read, not how much: v + noise of equal variance leaves 1/2."""
    score = dm.dci_es(V + RNG.normal(size=V.shape), V)["dci_explicitness"]
    assert curve(score)[-1] == pytest.approx(np.full(3, 0.5), abs=0.06)
    assert score.value > 0.9


def test_a_bent_code_needs_capacity():
    bent = dm.dci_es(V, V**2)["dci_explicitness"]  # of a symmetric factor a line tells nothing
    assert curve(bent)[0] == pytest.approx(np.ones(3), abs=0.05)
    assert curve(bent)[-1] == pytest.approx(np.zeros(3), abs=0.02)
    assert bent.value < 0.7
    mild = dm.dci_es(V, V + 0.2 * V**2)["dci_explicitness"]
    assert bent.value < mild.value < 1


def test_noise_counts_0_and_is_named():
    report = dm.score(RNG.normal(size=V.shape), V, metrics=["dci_es"], anchors=False)
    assert report["dci_explicitness"].value == 0.0
    assert [check.code for check in report.checks()].count("unread_factor") == 1


def test_size_is_factors_over_latents():
    latents = np.column_stack([V, V, np.ones(1_000)])
    report = dm.dci_es(latents, np.column_stack([V, np.ones(1_000)]))
    assert report["dci_size"].value == 3 / 7
    assert np.isnan(report["dci_explicitness"].per_factor.iloc[3])


def test_the_first_probe_is_linear_regression_held_out():
    folds = np.repeat(np.arange(5), 200)
    latents = V @ RNG.normal(size=(3, 2)) + RNG.normal(size=(1_000, 2))
    found = losses(latents, V, [0, 4], folds, np.random.default_rng(0))[0]
    error = np.zeros(3)
    for train, test in KFold(5).split(latents):
        fit = LinearRegression().fit(latents[train], V[train])
        error += np.square(V[test] - fit.predict(latents[test])).sum(axis=0)
    assert found == pytest.approx(error / np.square(V - V.mean(axis=0)).sum(axis=0), abs=1e-4)


def test_categories_and_circles():
    labels = RNG.integers(2, size=(1_000, 2))
    separate = dm.dci_es(labels + 0.05 * RNG.normal(size=labels.shape), labels.astype(str))
    assert separate["dci_explicitness"].value > 0.95
    angle = RNG.uniform(0, 360, size=1_000)
    circle = np.column_stack([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    report = dm.score(
        circle, angle[:, None], metrics=["dci_es"], factor_types=["circular:360"], anchors=False
    )
    assert report["dci_explicitness"].value == pytest.approx(1, abs=1e-3)


def test_the_same_bits_for_a_seed_whatever_the_processes():
    first, second, other = (
        dm.score(V, V**2, metrics=["dci_es"], seed=seed, n_jobs=jobs, anchors=False)["dci_explicitness"].value
        for seed, jobs in ((5, 1), (5, 2), (6, 1))
    )
    assert first == second
    assert first != other


def test_few_rows_have_no_score():
    assert "needs 20 rows" in dm.dci_es(V[:19], V[:19])["dci_explicitness"].reason


def test_groups_change_the_size_alone():
    plain = dm.dci_es(V**3, V)
    groups = dm.dci_es(V**3, V, groups={"pair": [0, 1]})
    assert groups["dci_explicitness"].value == pytest.approx(plain["dci_explicitness"].value, abs=1e-12)
    units = V.shape[1] - 1
    assert groups["dci_size"].value == V.shape[1] / units


def test_a_circular_latent_is_as_easy_to_read_as_its_plane():
    angle = RNG.uniform(0, 360, size=1_000)[:, None]
    circular = {"factor_types": "circular:360", "latent_types": "circular:360"}
    turned = dm.dci_es((angle + 70) % 360, angle, **circular)
    assert turned["dci_explicitness"].value == pytest.approx(1, abs=1e-3)
    report = dm.score(angle, angle, metrics=["dci_es"], factor_types="circular:360", anchors="all")
    assert report["dci_explicitness"].ceiling == pytest.approx(1, abs=1e-3)


def test_a_probe_that_is_worse_than_the_mean_leaves_what_the_mean_leaves():
    rng = np.random.default_rng(1)
    latents, factor = rng.normal(size=(60, 20)), rng.normal(size=(60, 1))
    curves = dm.dci_es(latents, factor)["dci_explicitness"].details
    assert losses(latents, factor, [0, 8], np.arange(60) % 5, rng).min() > 1
    assert [curve.iloc[0] for curve in curves.values()] == [1.0] * len(curves)


def test_losses_are_those_of_ridge_regressions_solved_fold_by_fold():
    rng = np.random.default_rng(3)
    latents = rng.normal(size=(200, 2)) * [1, 50] + [3, 0]
    targets = np.column_stack([latents[:, 0] ** 2, latents.sum(axis=1)])
    folds = rng.permutation(200) % 5
    found = losses(latents, targets, [0, 4, 8], folds, np.random.default_rng(4))
    drawn = np.random.default_rng(4)
    directions, phases = drawn.normal(size=(2, 8)), drawn.uniform(0, 2 * np.pi, size=8)
    z, v = ((side - side.mean(axis=0)) / side.std(axis=0) for side in (latents, targets))
    waves = np.sqrt(2) * np.cos(z @ directions + phases)  # of deviation sqrt(2 / D), here 1
    for place, width in enumerate((0, 4, 8)):
        columns = np.column_stack([np.ones(200), z, waves[:, :width]])
        left = np.zeros(2)
        for fold in range(5):
            seen = columns[folds != fold]
            penalty = (
                1e-4 * len(seen) * np.diag([0.0, *[1.0] * (columns.shape[1] - 1)])
            )  # none of the intercept
            weights = np.linalg.solve(seen.T @ seen + penalty, seen.T @ v[folds != fold])
            left += np.square(v[folds == fold] - columns[folds == fold] @ weights).sum(axis=0)
        np.testing.assert_allclose(found[place], left / 200, rtol=1e-9, atol=1e-12)


def test_the_losses_of_categories_are_pooled_by_their_variance():
    rng = np.random.default_rng(5)
    factor = rng.choice(3, p=[0.7, 0.25, 0.05], size=2_000)
    latents = (factor == 0)[:, None] + 0.01 * rng.normal(size=(2_000, 1))  # tells the first, parts no others
    curve = dm.dci_es(latents, factor[:, None], factor_types="categorical")["dci_explicitness"].details[
        "curve_0"
    ]
    shares = np.bincount(factor) / 2_000
    p, q = shares[1:] / shares[1:].sum()
    left = 2 * p * q * shares[1:].sum()  # squared error of both indicators where the first is not
    assert curve.iloc[0] == pytest.approx(left / (shares * (1 - shares)).sum(), abs=0.01)


def test_a_factor_of_which_one_percent_is_read_has_a_curve():
    np.testing.assert_allclose(ease(np.array([[0.985, 0.995], [0.985, 0.995]])), [1, 0])


def test_a_size_is_not_said_to_be_at_chance():
    report = dm.score(V, V, metrics=["dci_es"])
    assert report["dci_size"].chance == report["dci_size"].value
    assert "at_chance" not in {check.code for check in report.checks()}
    assert "≈" not in str(report)


def test_the_card_says_how_far_seeds_scatter():
    study = runpy.run_path(str(ROOT / "examples" / "studies" / "seeds_of_dci_es.py"))
    measured = []
    for rows in (500, 2_000):
        scores = [study["explicitness"](*study["code"](rows), seed) for seed in study["SEEDS"]]
        measured.append(f"{min(scores):.2f} to {max(scores):.2f}")
    card = " ".join(dm.describe("dci_es").split())
    assert f"scored {measured[0]} with ten seeds, 2,000 rows {measured[1]}." in card
    page = (ROOT / "docs" / "intervals.md").read_text(encoding="utf-8")
    assert f"ten seeds scored the same 500 rows {measured[0]}, and 2,000 rows {measured[1]}" in page
