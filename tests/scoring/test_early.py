"""Options of score() at doors that call it later, or several times."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, 3, (120, 2))
LATENTS = FACTORS + 0.1 * RNG.normal(size=(120, 2))


def once():
    """Options that are iterators, which can be read once."""
    return {
        "metrics": iter(["mig"]),
        "factor_names": iter(["shape", "hue"]),
        "factor_types": iter(["categorical", "ordinal"]),
        "latent_names": iter(["a", "b"]),
    }


def test_an_iterator_is_read_at_each_step_of_a_tracker():
    tracker = dm.Tracker(**once())
    reports = [tracker.log(step, LATENTS, FACTORS) for step in (0, 1)]
    assert reports[0] == reports[1]
    assert reports[1].factor_names == ("shape", "hue")


def test_an_iterator_in_groups_is_read_at_each_step():
    tracker = dm.Tracker(metrics="mig", latent_names=["a", "b"], groups={"both": iter(["a", "b"])})
    for step in (0, 1):
        assert tracker.log(step, LATENTS, FACTORS).groups == {"both": (0, 1)}


def test_an_iterator_is_read_for_each_representation_that_is_compared():
    comparison = dm.compare({"x": LATENTS, "y": LATENTS[:, ::-1]}, factors=FACTORS, replicates=3, **once())
    assert list(comparison) == ["mig"]


def test_a_metric_with_settings_is_compared_with_them():
    of = {"x": LATENTS, "y": LATENTS[:, ::-1]}
    fine = dm.compare(of, factors=FACTORS, replicates=3, metrics=dm.Metric("mig", bins=10))
    assert all("|bins:10|" in signature for signature in fine["mig"].signatures.values())
    assert list(dm.compare(of, factors=FACTORS, replicates=3, metrics=[dm.Metric("mig"), "mcc"])) == [
        "mig",
        "mcc",
    ]


@pytest.mark.parametrize("own_images", [False, True])
def test_an_iterator_is_read_before_encoding_and_after(own_images):
    images = np.repeat(FACTORS.astype(np.uint8)[:, :, None] * 100, 2, axis=2)
    rows = (images, FACTORS) if own_images else ([(LATENTS, FACTORS)],)
    report = dm.evaluate(lambda inputs: np.asarray(inputs).reshape(120, -1)[:, :2], *rows, **once())
    assert list(report) == ["mig"]
    assert (report.factor_names, report.latent_names) == (("shape", "hue"), ("a", "b"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bins": 10}, r"no option 'bins'; it is a setting of a metric: `dm\.Metric\('mig', bins=\.\.\.\)`"),
        ({"factor_type": "ordinal"}, "no option 'factor_type'; did you mean 'factor_types'"),
        ({"random_state": 1}, "no option 'random_state'; did you mean 'seed'"),
        ({"cuda": 1}, "no option 'cuda'; the options are latents, factors"),
    ],
)
def test_options_that_are_none_are_refused_with_what_is_meant(options, message):
    with pytest.raises(dm.InputError, match=message):
        dm.score(LATENTS, FACTORS, **options)
    if "bins" not in options:
        near = message.partition("; ")[2].partition("the options")[0]
        with pytest.raises(dm.InputError, match=f"'dci' has no setting '{next(iter(options))}'; {near}"):
            dm.dci(LATENTS, FACTORS, **options)
