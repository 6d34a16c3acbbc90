"""Neighbours of groups of columns, on lines and circles, against pairs of all points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma

import disentangle_metrics as dm
from disentangle_metrics.estimators.group_information import group_with_categories, group_with_continuous
from disentangle_metrics.estimators.nearest_neighbours import TURN, jittered, on_circle

ROWS = 70
AROUND = [(True, False), (True, True), (False, False), (False, True, False)]


def places(around: bool, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=ROWS)
    return on_circle(rng.uniform(0, 7, ROWS), noise) if around else jittered(rng.normal(size=ROWS), noise)


def distances(column: np.ndarray, around: bool) -> np.ndarray:
    straight = np.abs(column[:, None] - column)
    return np.minimum(straight, TURN - straight) if around else straight


def group_of(around: tuple[bool, ...], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns, and the distances of all pairs: the largest over the columns."""
    columns = [places(goes_round, seed + place) for place, goes_round in enumerate(around)]
    return np.column_stack(columns), np.max([*map(distances, columns, around)], axis=0)


@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("factor_around", [True, False])
def test_continuous_factors_by_pairs_of_all_points(
    around: tuple[bool, ...], factor_around: bool, k: int
) -> None:
    for seed in range(0, 50, 10):
        group, near = group_of(around, seed)
        factor = places(factor_around, seed + 9)
        apart = distances(factor, factor_around)
        both = np.maximum(near, apart)
        np.fill_diagonal(both, np.inf)
        radius = np.sort(both, axis=1)[:, k - 1]
        counts = [np.sum(side < radius[:, None], axis=1) for side in (near, apart)]  # the point itself too
        want = digamma(ROWS) + digamma(k) - sum(np.mean(digamma(count)) for count in counts)
        found = group_with_continuous(group, factor, k, around, factor_around)
        assert found == pytest.approx(want, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 20])
@pytest.mark.parametrize("around", AROUND)
def test_categories_by_pairs_of_all_points(around: tuple[bool, ...], k: int) -> None:
    for seed in range(0, 50, 10):
        group, near = group_of(around, seed)
        codes = np.random.default_rng(seed).integers(3, size=ROWS)
        np.fill_diagonal(near, np.inf)
        terms = []
        for i in range(ROWS):
            own = np.sort(near[i, codes == codes[i]])[:-1]
            used = min(k, len(own))
            terms.append(digamma(used) - digamma(len(own) + 1) - digamma(np.sum(near[i] <= own[used - 1])))
        want = digamma(ROWS) + np.mean(terms)
        assert group_with_categories(group, codes, k, around) == pytest.approx(want, abs=1e-12)


def test_a_group_with_an_angle_tells_the_same_wherever_the_circle_is_cut() -> None:
    """I = log(2 pi) - h(noise) of the angle; the other column of the group is noise."""
    rng = np.random.default_rng(8)
    angle = rng.uniform(0, 360, 3_000)
    turned = angle + np.rad2deg(0.3) * rng.normal(size=3_000)
    noise = rng.normal(size=(3_000, 2))
    want = math.log(2 * math.pi) - 0.5 * math.log(2 * math.pi * math.e * 0.3**2)
    told = []
    for cut in (0, 90, 181.5):
        score = dm.mig(
            np.column_stack([(turned + cut) % 360, noise]),
            ((angle + cut) % 360)[:, None],
            groups={"heading": [0, 1]},
            factor_types=["circular:360"],
            latent_types=["circular:360", "continuous", "continuous"],
        )
        assert "estimator:nearest_neighbours" in score.signature
        told.append(score.details["mutual_information"].loc["heading", "factor_0"])
    assert told[0] == pytest.approx(want, abs=0.15)
    assert told == pytest.approx([told[0]] * 3, abs=1e-6)


def test_a_group_of_one_column_that_goes_round_is_that_column() -> None:
    rng = np.random.default_rng(9)
    angle = rng.uniform(0, 360, 400)
    latents = np.column_stack([(angle + 20 * rng.normal(size=400)) % 360, rng.normal(size=(400, 2))])
    factors = np.column_stack([angle, angle // 120])
    options = {
        "factor_types": ["circular:360", "categorical"],
        "latent_types": ["circular:360", "continuous", "continuous"],
        "estimator": "nearest_neighbours",
    }
    alone = dm.mig(latents, factors, **options).details["mutual_information"].iloc[0]
    grouped = dm.mig(latents, factors, groups={"rest": [1, 2]}, **options)
    assert grouped.details["mutual_information"].loc["z_0"].tolist() == alone.tolist()


@pytest.mark.parametrize("step", [1, -1])
def test_many_columns_of_codes_beside_a_codebook_keep_every_cell(step: int) -> None:
    """512 to the power of 9 is 2 to that of 81: joint cells numbered so would lose the first columns."""
    rng = np.random.default_rng(10)
    bits, codebook = rng.integers(2, size=(5_200, 9)), rng.integers(512, size=5_200)
    codebook[:512] = np.arange(512)
    score = dm.mig(
        np.column_stack([bits[:, ::step], codebook]),
        bits[:, :1],
        latent_types="categorical",
        groups={"bits": range(9)},
    )
    assert "estimator:histogram" in score.signature
    share = bits[:, 0].mean()
    entropy = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    told = score.details["mutual_information"].loc["bits", "factor_0"]
    assert told == pytest.approx(entropy, abs=1e-12)
