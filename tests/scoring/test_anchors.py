"""What the factors look like to a metric whose chance level is measured."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
ONE = RNG.integers(5, size=200)
FACTORS = np.column_stack([ONE, 4 - ONE, ONE])
LATENTS = ONE[:, None] + RNG.normal(size=(200, 2))


@pytest.fixture
def seen():
    """The inputs that a metric was given, in order, while its anchors were measured."""
    inputs = []

    def spy_on_anchors(relations):
        inputs.append(relations.inputs)
        return dm.MetricValue(0.5)

    dm.metric()(spy_on_anchors)
    try:
        dm.score(LATENTS, FACTORS, metrics="spy_on_anchors", anchors="all")
        yield inputs
    finally:
        METRICS.remove("spy_on_anchors")


def test_chance_keeps_what_factors_have_to_do_with_each_other(seen):
    _scored, *shuffled, _ceiling = seen
    assert len(shuffled) == 5
    for inputs in shuffled:
        first, mirrored, same = (factor.codes for factor in inputs.factors)
        np.testing.assert_array_equal(first, same)
        np.testing.assert_array_equal(mirrored, 4 - first)


def test_chance_breaks_the_link_to_the_latents(seen):
    scored, *shuffled, _ceiling = seen
    orders = [inputs.factors[0].codes.tolist() for inputs in shuffled]
    assert all(sorted(order) == sorted(ONE) for order in orders)
    assert len({tuple(order) for order in [ONE.tolist(), *orders]}) == 6
    for inputs in shuffled:
        np.testing.assert_array_equal(inputs.latents, scored.latents)


@pytest.mark.parametrize("posterior", [False, True])
def test_the_ceiling_of_a_circle_is_the_circle_with_a_posterior_too(posterior):
    degrees = 5 * RNG.integers(72, size=300)
    circle = np.column_stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    latents = dm.GaussianPosterior(circle, np.full(circle.shape, -6.0)) if posterior else circle
    metrics = ["mcc", dm.Metric("sap", kind="regression"), "linear_recovery", "d_lsbd"]
    report = dm.score(latents, degrees[:, None], factor_types="circular:360", metrics=metrics, anchors="all")
    ceilings = {key: score.ceiling for key, score in report.items()}
    assert ceilings == pytest.approx(
        {"mcc": 1, "sap": 1, "r2_from_latents": 1, "r2_from_factors": 1, "cca": 1,
         "orthogonality": 0, "procrustes": 0, "d_lsbd": 0}, abs=1e-9
    )  # fmt: skip


def test_the_ceiling_is_of_the_factors_as_code(seen):
    np.testing.assert_array_equal(seen[-1].latents, FACTORS)
    np.testing.assert_array_equal(seen[-1].factors[0].codes, ONE)


def ceilings(latents, factors, metrics=None, **options):
    report = dm.score(latents, factors, metrics=metrics, **options)
    return {key: score.ceiling for key, score in report.items()}


def test_the_latent_assigned_to_a_factor_is_its_own_column_in_the_ceiling():
    # Latents 5 and 6 of seven: the code of the two factors that vary has two columns.
    factors = np.column_stack([ONE, np.zeros(200, dtype=int), RNG.integers(3, size=200)])
    latents = np.column_stack([RNG.normal(size=(200, 5)), factors[:, 2], factors[:, 0]])
    assigned = [dm.Metric(name, assignment=(6, 0, 5)) for name in ("dmig", "dlig")]
    assert ceilings(latents, factors, assigned) == pytest.approx({"dmig": 1, "dlig": 1}, abs=0.05)


@pytest.mark.parametrize("away", [0, 290])
def test_the_ceiling_of_posteriors_does_not_depend_on_where_a_factor_lies(away):
    temperature = np.arange(200.0)[:, None] / 10 - 9.95
    posterior = dm.GaussianPosterior(temperature / 5.8, np.full((200, 1), -6.0))
    report = dm.score(posterior, temperature + away, metrics=["rmig", "rjemmig"])
    for score in report.values():  # a point in place of each posterior: no two cells less
        assert score.value < score.ceiling


@pytest.mark.parametrize("limits", [(-4, 4), (-2, 2)])
def test_the_ceiling_of_posteriors_over_categories_is_perfect(limits):
    # Each pair of values once: a code has no cell more than its factor has values, and no factor tells of
    # the other. 2 and 3 values lie on both sides of the prior's mean, and on it.
    grid = np.indices((2, 3)).reshape(2, -1).T.repeat(20, axis=0)
    posterior = dm.GaussianPosterior((grid - grid.mean(axis=0)) / grid.std(axis=0), np.full(grid.shape, -6.0))
    metrics = [dm.Metric(name, limits=limits) for name in ("rmig", "rjemmig")]
    assert ceilings(posterior, grid, metrics) == pytest.approx({"rmig": 1, "rjemmig": 1}, abs=1e-6)


def test_a_circle_keeps_its_start_in_the_ceiling_but_where_bins_lie_in_fixed_places():
    # Four directions around 120 degrees: 40 deviations from 0, and a narrow arc of its circle.
    degrees = np.tile([117.0, 119.0, 121.0, 123.0], 50)
    posterior = dm.GaussianPosterior(degrees[:, None] / 3, np.full((200, 1), -6.0))
    metrics = ["rmig", "rjemmig", "linear_recovery"]
    perfect = ceilings(posterior, degrees[:, None], metrics, factor_types="circular:360", anchors="all")
    assert (perfect["rmig"], perfect["rjemmig"]) == pytest.approx((1, 1), abs=1e-6)
    assert (perfect["orthogonality"], perfect["procrustes"]) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_metric_from_elsewhere_finds_latent_k_beside_factor_k_in_the_ceiling(place):
    factors = np.column_stack([ONE, RNG.integers(3, size=200)])
    factors = np.insert(factors, place, 7, axis=1)

    def paired(relations, *, assignment: tuple[int, ...] = (0, 1, 2)):
        columns = np.column_stack([factor.as_numbers() for factor in relations.inputs.factors])
        pairs = [(assignment[k], k) for k in np.flatnonzero(relations.varying_factors())]
        shares = [abs(np.corrcoef(relations.latents[:, j], columns[:, k])[0, 1]) for j, k in pairs]
        return dm.MetricValue(float(np.mean(shares)))

    dm.metric()(paired)
    try:
        assert ceilings(
            factors + RNG.normal(size=factors.shape), factors, ["paired", "mcc"]
        ) == pytest.approx({"paired": 1, "mcc": 1})
    finally:
        METRICS.remove("paired")


def test_xmig_has_no_ceiling_since_the_factors_as_code_have_no_spare_latent():
    factors = np.column_stack([ONE, RNG.integers(3, size=200)])
    spare = np.column_stack([factors, np.zeros(200)])
    # Of two factors that are one, each has the latent of the other to spare, which is no ceiling either.
    for wanted in (factors, np.column_stack([factors, np.full(200, 7)]), FACTORS[:, :2]):
        score = dm.score(spare, wanted, metrics=["xmig"])["xmig"]
        assert score.value == pytest.approx(1, abs=0.05)
        assert score.ceiling is None


@pytest.mark.parametrize("protocol", ["locatello2019", "hsu2023"])
def test_the_ceiling_does_not_depend_on_the_units_of_factors(protocol):
    # Thresholds on latents: a variance of 0.01 or 0.0025, a twentieth of the largest range.
    factors = RNG.uniform(size=(2_000 if protocol == "locatello2019" else 300, 2))
    metrics = ["factor_vae", "mig_sup"] if protocol == "locatello2019" else ["infomec"]
    small, large = (
        ceilings(factors, factors * units, metrics, protocol=protocol, anchors="all")
        for units in ([0.03, 0.0003], [3.0, 3.0])
    )
    assert small == pytest.approx(large, abs=1e-6)
    assert min(small.values()) > 0.9


@pytest.mark.parametrize("protocol", ["default", "locatello2019", "carbonneau2022"])
def test_a_constant_factor_changes_no_ceiling(protocol):
    factors = np.column_stack([ONE, RNG.integers(3, size=200)])
    with_constant = np.column_stack([factors, np.full(200, 7)])
    metrics = ["mig", "mig_sup", "modularity", "dcimig", "mcc", "omes", "linear_recovery", "minimality"]
    alone = ceilings(LATENTS, factors, metrics, protocol=protocol)
    assert ceilings(LATENTS, with_constant, metrics, protocol=protocol) == pytest.approx(alone, abs=1e-12)
    assert alone["modularity"] == pytest.approx(1, abs=0.02)


def test_settings_that_only_an_anchor_cannot_have_cost_the_anchor_alone():
    # No row that has a value of both factors has "rare", so that the ideal code has nothing to weigh.
    names = np.array(["a", "b", "rare"])[np.arange(200) % 3]
    factors = {"name": names, "other": np.where(names == "rare", np.nan, ONE)}
    weighted = dm.Metric("explicitness", class_weight={"rare": 50})
    report = dm.score(LATENTS, factors, metrics=["mig", weighted], missing="drop", anchors="all")
    assert np.isfinite([report["explicitness"].value, report["explicitness"].chance]).all()
    assert report["explicitness"].ceiling is None
    assert report["mig"].ceiling > 0.9
    with pytest.raises(dm.InputError, match="'absent', which no factor of categories has"):
        dm.score(LATENTS, FACTORS, metrics=dm.Metric("explicitness", class_weight={"absent": 2}))
