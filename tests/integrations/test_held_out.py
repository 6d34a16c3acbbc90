"""What all callbacks share: which options they take, and what they look at before training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.integrations.held_out import HeldOut

SPRITES = dm.load_dataset("sprites")
OPTIONS = {"samples": 100, "scale": "-1..1"}
LOADER = [(np.zeros((5, 3)), np.arange(5) % 2)]


class Lowest:
    """Codes of two pixels, with the smallest value of all images so far."""

    def __init__(self):
        self.value, self.rows = 1.0, 0

    def __call__(self, images):
        self.value, self.rows = min(self.value, float(images.min())), max(self.rows, len(images))
        return images[:, 0, 32, 30:34].astype(float)


def test_the_scale_of_images_is_an_option_before_training_and_at_each_score():
    held_out, encode = HeldOut(SPRITES, ("mcc",), 1, "", OPTIONS), Lowest()
    held_out.check(encode)
    assert (encode.value, encode.rows) == (-1, 256)
    encode.value = 1.0
    scores = held_out.score(encode, 1)
    assert encode.value == -1
    assert held_out.reports[1].provenance["scale"] == "-1..1"
    assert (
        scores["mcc"] == dm.evaluate(Lowest(), SPRITES, metrics="mcc", anchors=False, **OPTIONS)["mcc"].value
    )


def test_images_of_more_than_8_bits_are_not_rounded_before_training():
    images = np.full((300, 2, 2), 65535, np.uint16) - np.arange(300, dtype=np.uint16)[:, None, None] % 100
    dataset = dm.datasets.from_arrays(images, FACTORS[:300])
    seen = []

    def encode(batch):
        seen.append(len(np.unique(batch)))
        return batch[:, 0, :, 0].astype(float)

    HeldOut(dataset, ("mig",), 1, "", {}).check(encode)
    assert max(seen) == 100  # 1 in 8 bits


@pytest.mark.parametrize(
    ("data", "scale", "message"),
    [(LOADER, "-1..1", "`scale` is for images"), (SPRITES, "wide", "`scale` must be 0..1")],
)
def test_a_scale_that_cannot_be_used_is_refused_at_once(data, scale, message):
    with pytest.raises(dm.InputError, match=message):
        HeldOut(data, ("mig",), 1, "", {"scale": scale})


@pytest.mark.parametrize("size", [2, 100])
def test_the_first_rows_of_a_loader_are_looked_at_and_no_more(size):
    seen = []

    def encode(inputs):
        seen.append(len(inputs))
        return inputs

    rows = np.random.default_rng(0).normal(size=(1000, 3))
    loader = [(rows[k : k + size], np.arange(size) % 2) for k in range(0, 1000, size)]
    HeldOut(loader, ("mig",), 1, "", {}).check(encode)
    half = {2: 2, 100: 50}[
        size
    ]  # once more, to see whether codes depend on their batch; of 2 one image twice
    assert seen[:3] == [size, size, half]
    assert sum(seen[2:]) == {2: 256, 100: 300}[size] - size + half


RNG = np.random.default_rng(0)
FACTORS = RNG.integers(0, 4, (600, 2))
CODES = FACTORS + 0.3 * RNG.normal(size=(600, 2))
IMAGES = np.repeat(FACTORS.astype(np.uint8)[:, :, None] * 60, 2, axis=2)
LACKING = np.where(np.arange(600)[:, None] == 500, np.nan, FACTORS)


TEXTS = pd.DataFrame({"a": np.array(list("wxyz"))[FACTORS[:, 0]], "b": FACTORS[:, 1]})
TEXTS.loc[:300, "a"] = TEXTS.loc[:300, "a"].replace("z", "w")  # z is in later rows alone


def batches(factors=FACTORS):
    return [(CODES[k : k + 100], factors[k : k + 100]) for k in range(0, 600, 100)]


def first_pixels(inputs):
    return np.asarray(inputs).reshape(len(inputs), -1)[:, :2]


def test_a_pair_of_arrays_is_read_as_its_batches():
    pairs = batches()
    inputs, factors = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    reports = [HeldOut(data, "mig", 1, "", {}).score(first_pixels, 1) for data in ((inputs, factors), pairs)]
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    "data", [{"images": IMAGES, "factors": LACKING}, "sprites", IMAGES, lambda: batches()]
)
def test_other_data_are_refused(data):
    call = "function; call it$" if callable(data) else f"got {type(data).__name__}$"
    with pytest.raises(dm.InputError, match=rf"^`data` must be a pair of arrays .*{call}"):
        HeldOut(data, "mig", 1, "", {})


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (batches(), {"factor_names": ["a"]}, "`factor_names` has 1 names for 2 factors"),
        (batches(), {"factor_types": {"nosuch": "ordinal"}}, "`factor_types` names 'nosuch'"),
        (batches(), {"factor_types": ["ordinal", "foo"]}, "`factor_types` of 'factor_1' must be one of"),
        (batches(), {"factor_types": ["ordinal"] * 3}, "`factor_types` has 3 entries for 2 columns"),
        (batches(), {"latent_names": ["a"]}, "`latent_names` has 1 names for 2 columns"),
        (batches(), {"latent_types": ["foo", "bar"]}, "`latent_types` of 'latent_0' must be one of"),
        (batches(), {"latent_types": ["circular:1"] * 3}, "`latent_types` has 3 entries for 2 columns"),
        (batches(), {"groups": {"a": [0, 7]}}, "`groups`: 'a' has the column 7"),
        (batches(), {"groups": "layers"}, "`groups='layers'` needs a network"),
        (batches(), {"hierarchy": {"x": ("y", 1)}}, "`hierarchy` names 'x'"),
        (batches(), {"factors": ["nosuch"]}, "the loader has no factor 'nosuch'"),
        (batches(), {"missing": "dropp"}, "`missing` must be 'raise' or 'drop', got 'dropp'"),
        (batches(), {"samples": 0}, "`samples` must be a whole number of at least 1, or None for all, got 0"),
        (batches(), {"seed": -1}, "`seed` must be a whole number of at least 0, got -1"),
        (batches(TEXTS), {"factor_types": {"a": "continuous"}}, "'a' holds strings and cannot be continuous"),
        (batches(TEXTS), {"factor_types": {"a": "circular"}}, "'a' holds strings and cannot be circular"),
        (batches(TEXTS), {"factor_types": {"a": "circular:4"}, "missing": "drop"}, "cannot be circular"),
        (batches(TEXTS), {"hierarchy": {"b": ("a", "x")}}, "'b' has a value in row .* only where 'a' is 'x'"),
        (
            batches(TEXTS),
            {"hierarchy": {"b": ("a", "z")}},
            "'b' has a value in row 0, .* only where 'a' is 'z'",
        ),
        (batches(LACKING[::-1]), {}, "factor 'factor_0' has a missing or infinite value in row 99"),
        (SPRITES, {"batch_size": 0}, "`batch_size` must be a whole number of at least 1, got 0"),
        (SPRITES, {"factors": ["nosuch"]}, "the data set sprites has no factor 'nosuch'"),
        (SPRITES, {"latent_types": {"z_9": "categorical"}}, "`latent_types` names 'z_9'"),
        (SPRITES, {"factor_names": ["a"]}, "there is no option 'factor_names'"),
        (dm.datasets.from_arrays(IMAGES, pd.DataFrame(LACKING)), {}, "missing or infinite value in row 500"),
    ],
)
def test_what_no_score_could_be_of_is_refused_before_training(data, options, message):
    with pytest.raises(dm.InputError, match=message):
        HeldOut(data, ("mig",), 1, "", options).check(first_pixels)


def test_what_only_later_rows_decide_is_not_refused_by_the_first():
    """Sorted rows: the first lack a switch's value, a factor that others have, and most of a circle."""
    moon = np.repeat([0, 1], 300)
    phase = np.where(moon == 1, np.arange(600) % 4, np.nan)
    hue = np.sort(RNG.uniform(0, 2 * np.pi, 600))
    table = pd.DataFrame({"moon": moon, "phase": phase, "hue": hue})
    loader = [(CODES[k : k + 100], table[k : k + 100]) for k in range(0, 600, 100)]
    options = {"hierarchy": {"phase": ("moon", 1)}, "factor_types": {"hue": "circular"}}
    held_out = HeldOut(loader, ("mig",), 1, "", options)
    held_out.check(first_pixels)
    assert 0 <= held_out.score(first_pixels, 1)["mig"] <= 1
    crater = np.where(moon == 1, np.arange(600) % 3, np.nan)
    numbered = pd.DataFrame({"place": np.arange(600), "crater": crater, "phase": phase})
    of_numbers = [(CODES[k : k + 100], numbered[k : k + 100]) for k in range(0, 600, 100)]
    options = {"factor_types": {"place": "categorical"}, "missing": "drop"}
    dropped = HeldOut(of_numbers, ("mig",), 1, "", options)
    dropped.check(first_pixels)
    assert 0 <= dropped.score(first_pixels, 1)["mig"] <= 1
    without = HeldOut(
        loader, ("mig",), 1, "", {"factors": ["moon", "hue"], "factor_types": {"hue": "circular"}}
    )
    without.check(first_pixels)
    assert 0 <= without.score(first_pixels, 1)["mig"] <= 1
