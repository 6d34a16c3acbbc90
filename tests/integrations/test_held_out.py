"""What all callbacks share: which options they take, and what they look at before training."""

from __future__ import annotations

import numpy as np
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
    assert sum(seen[1:]) == {2: 256, 100: 300}[size]  # the first batch is encoded twice
