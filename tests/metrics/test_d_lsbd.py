"""D_LSBD by hand: circles of either direction, on and off the grid, of objects, of groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.estimators.equivariance import turning_error, turning_plane

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
HUE = {"hue": "circular:360"}


def angles(rows, rng=RNG):
    return rng.uniform(0, 360, size=rows)


def ring(degrees, turns=1):
    radians = np.radians(turns * np.asarray(degrees))
    return np.column_stack([np.cos(radians), np.sin(radians)])


def error(latents, hue, others=None, **settings):
    factors = pd.DataFrame({"hue": hue, **(others or {})})
    types = {"hue": "circular:360", **dict.fromkeys(others or {}, "categorical")}
    return dm.d_lsbd(latents, factors, factor_types=types, **settings)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("turns", [1, 2, 5])
def test_a_plane_that_turns_is_perfect_either_way_on_any_rows(sign, turns):
    hue = RNG.beta(2, 5, size=500) * 360  # far from even
    ellipse = ring(hue, sign * turns) * [3.0, 0.2] + [5.0, -1.0]
    found = error(ellipse, hue)
    assert found.value == pytest.approx(0, abs=1e-9)
    assert found.details["turns"].loc["hue"] == turns
    mixed = np.column_stack([ellipse, RNG.normal(size=(500, 3))]) @ RNG.normal(size=(5, 5))
    assert error(mixed, hue).value == pytest.approx(0, abs=1e-9)


def test_more_turns_than_are_tried():
    hue = np.arange(360.0)
    assert error(ring(hue, 6), hue).value == pytest.approx(1, abs=1e-9)
    assert error(ring(hue, 6), hue, turns=6).value == pytest.approx(0, abs=1e-9)


def test_noise_by_hand():
    # On a full grid each axis is a c + b n, c and n orthogonal: r = a / sqrt(a^2 + b^2) for both, and 1 - r^2.
    hue = np.arange(0, 360, 15.0)
    circle, noise = ring(hue), ring(hue, 7)
    assert error(circle + 0.5 * noise, hue).value == pytest.approx(1 - 1 / 1.25)
    # One latent follows, the other is its noise: r is the mean of 1 and 0.
    half = np.column_stack([circle[:, 0], noise[:, 1]])
    assert error(half, hue).value == pytest.approx(3 / 4)
    assert error(circle[:, :1], hue).value == pytest.approx(3 / 4)
    assert error(circle[:, :1] * 0, hue).value == 1


def test_a_circular_latent_is_a_circle():
    hue = angles(200)
    turned = np.mod(hue + 40, 360)[:, None]
    found = dm.d_lsbd(turned, hue[:, None], factor_types="circular:360", latent_types="circular:360")
    assert found.value == pytest.approx(0, abs=1e-9)


def test_each_object_has_its_own_circle():
    shape, hue = np.repeat([0, 1, 2], 60), np.tile(np.arange(0, 360, 6.0), 3)
    direction, radius = np.array([1, -1, 1])[shape], np.array([1.0, 4.0, 0.3])[shape]
    latents = (
        np.column_stack([np.cos(np.radians(hue)), direction * np.sin(np.radians(hue))]) * radius[:, None]
    )
    latents += np.array([[0, 0], [3, 1], [-2, 5]])[shape]
    assert error(latents, hue, {"shape": shape}).value == pytest.approx(0, abs=1e-9)
    together = error(latents, hue, {"shape": shape}, objects="together")
    assert together.value > 0.3
    assert "objects:together" in together.signature
    assert np.isnan(together.per_factor["shape"])


def test_objects_of_too_few_rows():
    shape = np.repeat([0, 1], [100, 11])  # 12 rows are the least for two latents
    hue = angles(111)
    factors = pd.DataFrame({"hue": hue, "shape": shape})
    types = {**HUE, "shape": "categorical"}
    report = dm.score(ring(hue), factors, metrics=["d_lsbd"], factor_types=types, anchors=False)
    assert [check.numbers for check in report.checks() if check.code == "objects_left_out"] == [
        {"objects": 1}
    ]
    assert report["d_lsbd"].value == pytest.approx(0, abs=1e-9)
    few = error(ring(hue), hue, {"shape": np.arange(111) // 10})
    assert 'objects="together"' in few.reason
    assert error(ring(hue), hue, {"shape": np.arange(111) // 10}, objects="together").value < 1e-9
    continuous = dm.d_lsbd(ring(hue), np.column_stack([hue, RNG.normal(size=111)]), factor_names=["hue", "size"],
                           factor_types=HUE)  # fmt: skip
    assert "'size' is continuous" in continuous.reason


def test_no_circle_no_score():
    assert "circular factor" in dm.d_lsbd(ring(angles(50)), RNG.integers(3, size=(50, 1))).reason
    two = np.repeat([0.0, 180.0], 30)
    assert "three different angles" in error(ring(two) + RNG.normal(size=(60, 2)), two).reason


def test_groups_are_planes():
    hue, tilt = angles(400), angles(400)
    latents = np.column_stack([ring(hue), ring(tilt, 2), RNG.normal(size=(400, 2))])
    groups = {
        "one": [0, 1],
        "other": [2, 3],
        "idle": [4, 5],
    }
    factors = pd.DataFrame({"tilt": tilt, "hue": hue})
    found = dm.d_lsbd(latents, factors, factor_types="circular:360", groups=groups)
    assert found.value == pytest.approx(0, abs=1e-9)
    table = found.details["error"]
    assert table.idxmin().to_dict() == {"tilt": "other", "hue": "one"}
    assert (table.loc["idle"] > 0.9).all()
    assert found.details["turns"].to_dict() == {"tilt": 2, "hue": 1}
    across = dm.d_lsbd(latents, factors, factor_types="circular:360", groups={"a": [0, 2], "b": [1, 3]})
    assert across.value > 0.7  # together they hold both circles, and no group holds one


def test_laws_on_circles():
    hue, shape = angles(300), RNG.integers(2, size=300)
    latents = ring(hue) + 0.4 * RNG.normal(size=(300, 2))
    first = error(latents, hue, {"shape": shape}).value
    order = RNG.permutation(300)
    assert error(latents[order], hue[order], {"shape": shape[order]}).value == pytest.approx(first, abs=1e-12)
    assert error(latents[:, ::-1] * [1e3, -1e-3] + 7, hue, {"shape": shape}).value == pytest.approx(
        first, abs=1e-9
    )
    assert error(latents, np.mod(hue + 123, 360), {"shape": shape}).value == pytest.approx(first, abs=1e-12)
    assert error(latents, 360 - hue, {"shape": shape}).value == pytest.approx(first, abs=1e-12)
    dead = np.column_stack([latents, np.ones(300)])
    assert error(dead, hue, {"shape": shape}).value == pytest.approx(first, abs=1e-12)


def test_chance_ceiling_and_interval():
    hue = angles(1_000)
    noise = RNG.normal(size=(1_000, 5))
    assert error(noise, hue, anchors=True).value == pytest.approx(0.99, abs=0.01)
    found = error(ring(hue) + 0.5 * RNG.normal(size=(1_000, 2)), hue, anchors=True, confidence=0.95)
    assert found.chance == pytest.approx(0.99, abs=0.01)
    assert found.ceiling == pytest.approx(0, abs=1e-9)
    truth = 1 - 0.5 / (0.5 + 0.25)  # variance of each axis of a circle is 1/2
    assert found.interval[0] < truth < found.interval[1]


def test_the_ceiling_of_a_circle_of_levels_is_a_whole_circle():
    hue = RNG.integers(24, size=600) * 15.0
    report = dm.score(ring(hue), hue[:, None], metrics=["d_lsbd", "mcc"], factor_types="circular:360")
    assert report["d_lsbd"].ceiling == pytest.approx(0, abs=1e-9)
    assert report["mcc"].ceiling == pytest.approx(1, abs=1e-9)


def test_the_plane_of_the_picture_is_the_one_that_is_scored():
    radians = RNG.uniform(0, 2 * np.pi, size=500)
    latents = (ring(np.degrees(radians), 2) + 0.3 * RNG.normal(size=(500, 2))) @ [[2.0, 1.0], [0.0, 0.1]]
    plane = turning_plane(latents, radians, 2)
    (scored,) = turning_error(latents, radians, [2])
    np.testing.assert_allclose(np.cov(plane.T, ddof=0), np.eye(2) / 2, atol=1e-9)
    turned = (plane[:, 0] + 1j * plane[:, 1]) * np.exp(-2j * radians)
    assert np.mean(np.abs(turned - turned.mean()) ** 2) == pytest.approx(
        scored, abs=0.02
    )  # not quite even rows
    grid = np.arange(24) * np.pi / 12
    latents = ring(np.degrees(grid)) + 0.3 * RNG.normal(size=(24, 2))
    plane = turning_plane(latents, grid, 1)
    turned = (plane[:, 0] + 1j * plane[:, 1]) * np.exp(-1j * grid)
    assert np.mean(np.abs(turned - turned.mean()) ** 2) == pytest.approx(turning_error(latents, grid, [1])[0])


def test_a_circular_factor_of_two_angles_is_left_out_with_a_check():
    hue, flip = angles(300), RNG.choice([0.0, 180.0], size=300)
    factors = pd.DataFrame({"hue": hue, "flip": flip})
    report = dm.score(ring(hue), factors, metrics="d_lsbd", factor_types="circular:360", anchors=False)
    assert report["d_lsbd"].value == pytest.approx(0, abs=1e-9)
    assert np.isnan(report["d_lsbd"].per_factor["flip"])
    assert [check.about for check in report.checks() if check.code == "factor_left_out"] == ["flip"]


def test_an_object_of_two_angles_is_left_out_with_a_check():
    shape = np.repeat([0, 1], 100)
    hue = np.concatenate([angles(100), RNG.choice([0.0, 180.0], size=100)])
    factors = pd.DataFrame({"hue": hue, "shape": shape})
    types = {**HUE, "shape": "categorical"}
    report = dm.score(ring(hue), factors, metrics="d_lsbd", factor_types=types, anchors=False)
    found = [check.numbers for check in report.checks() if check.code == "objects_left_out"]
    assert found == [{"objects": 1}]
    assert report["d_lsbd"].value == pytest.approx(0, abs=1e-9)
