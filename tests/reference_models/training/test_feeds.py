"""Batches made on a device, tried on the CPU: the images are the data set's, wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import disentangle_metrics as dm
from disentangle_metrics import FactorDataset
from reference_models.models import MODELS, model_class
from reference_models.models.ada_gvae import AdaGVAE
from reference_models.models.parts.model import Model
from reference_models.models.vlae import VLAE
from reference_models.training import images_on_device
from reference_models.training.devices import Team
from reference_models.training.feeds import DeviceFeed, drawn_on_host, key
from reference_models.training.images_on_device import ResidentImages, StreamedImages, fits, resident_size
from reference_models.training.settings import Settings
from reference_models.training.step import Step
from tests.reference_models.conftest import Squares

CPU = torch.device("cpu")
SQUARES = FactorDataset("squares", Squares.grid, (32, 32, 1), Squares().images)
SETTINGS = Settings(batch_size=4, steps=6, device="cpu", warmup_steps=3, seed=2)


def built(name: str) -> Model:
    torch.manual_seed(0)
    return model_class(name)(image_shape=(1, 32, 32))


def feed_of(
    model: Model, settings: Settings = SETTINGS, start: int = 0, streamed: bool = False
) -> DeviceFeed:
    images = None if streamed else ResidentImages(SQUARES, CPU)
    return DeviceFeed(model, SQUARES, settings, start, CPU, torch.contiguous_format, images)


def losses(name: str, settings: Settings = SETTINGS, start: int = 0, streamed: bool = False) -> list[float]:
    """Of the steps from `start` on, taken on a fresh model."""
    model = built(name)
    model.enter(start)
    feed = feed_of(model, settings, start, streamed)
    step = Step(model, settings, Team(CPU), capturable=False)
    step.begin(feed, start)
    found = []
    for number in range(start, settings.steps):
        step.load(number)
        step.take()
        found.append(step.terms()["loss"])
    feed.close()
    return found


@pytest.fixture(autouse=True)
def few_steps_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images_on_device, "STEPS_AHEAD", 4)


@pytest.mark.parametrize("name", list(MODELS))
def test_every_model_takes_the_same_steps_wherever_the_images_lie(name: str) -> None:
    assert drawn_on_host(built(name), SQUARES, SETTINGS, CPU) == ""
    found = losses(name)
    assert np.isfinite(found).all()
    assert len(set(found)) == len(found)
    assert losses(name, streamed=True) == found
    halves = replace(SETTINGS, batch_size=2, accumulate=2)
    assert losses(name, halves, streamed=True) == losses(name, halves)


def test_accumulated_parts_are_the_batch_they_are_cut_from() -> None:
    small = replace(SETTINGS, batch_size=2, accumulate=2)
    assert losses("vlae", small) == pytest.approx(losses("vlae"), rel=1e-4)
    other = replace(SETTINGS, batch_size=2)
    assert losses("vlae", other) != pytest.approx(losses("vlae"), rel=1e-4)


def parts_at(step: int, feed: DeviceFeed) -> list[Any]:
    feed.load(step)
    return [(images.clone(), {k: v.clone() for k, v in draws.items()}) for images, draws in feed.parts()]


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    model = built("factor-vae")
    ((images, draws),) = parts_at(5, feed_of(model))
    torch.rand(7)
    feed = feed_of(model)
    parts_at(4, feed)
    ((again, draws_again),) = parts_at(5, feed)
    assert torch.equal(images, again)
    assert all(torch.equal(draws[name], draws_again[name]) for name in draws)
    ((other, _),) = parts_at(5, feed_of(model, replace(SETTINGS, seed=5)))
    assert not torch.equal(images, other)
    assert len({key(seed, step) for seed in range(50) for step in range(50)}) == 2_500


def test_images_are_those_of_the_rows_that_are_drawn() -> None:
    feed = feed_of(built("vlae"))
    rows = feed.rows_at(3, torch.Generator())
    ((images, _),) = parts_at(3, feed)
    expected = SQUARES.images(rows.numpy()).transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(images.numpy(), expected, rtol=1e-6)


def test_pairs_drawn_on_a_device_differ_in_one_factor() -> None:
    model = AdaGVAE(image_shape=(1, 32, 32), latents=3)
    rows = model.rows(SQUARES, 400, torch.Generator().manual_seed(1)).numpy()
    first, second = SQUARES.factors(rows).reshape(2, 400, 2)
    differ = (first != second).sum(1)
    assert differ.max() == 1
    assert (differ == 1).mean() > 0.85
    assert 0.3 < (first[:, 0] != second[:, 0]).mean() < 0.6
    free = AdaGVAE(image_shape=(1, 64, 64), changed_factors=0)
    sprites = dm.load_dataset("sprites", cache=False)
    first, second = sprites.factors(free.rows(sprites, 400, torch.Generator()).numpy()).reshape(2, 400, 5)
    differ = (first != second).sum(1)
    assert (differ.min(), differ.max()) == (0, 4)  # one factor at least is shared


def test_what_draws_on_the_host_is_said() -> None:
    class Table(Squares):
        def index(self, factors: Any) -> Any:
            return 624 - super().index(factors)

    pairs = AdaGVAE(image_shape=(1, 32, 32))
    assert "pairs of squares come from a table" in drawn_on_host(pairs, Table(), SETTINGS, CPU)

    class OldStyle(VLAE):
        def draw(self, step: int, batch_size: int, rng: Any) -> Any:
            return {"noise": rng.standard_normal((batch_size, 3, 3), dtype=np.float32)}

    class OnHost(VLAE):
        def rows(self, dataset: Any, batch_size: int, rng: Any) -> Any:
            return rng.integers(len(dataset), size=batch_size)

    assert "a draw() of its own" in drawn_on_host(OldStyle((1, 32, 32)), SQUARES, SETTINGS, CPU)
    assert "no attribute 'integers'" in drawn_on_host(OnHost((1, 32, 32)), SQUARES, SETTINGS, CPU)


def test_a_data_set_fits_where_its_packed_form_does() -> None:
    size = 625 * 32 * 32
    assert resident_size(SQUARES) == size
    assert fits(SQUARES, free=2 * size, share=0.5)
    assert not fits(SQUARES, free=2 * size - 2, share=0.5)
    assert not fits(Squares(), free=10**12, share=1.0)  # it does not say how it is packed


def test_a_data_set_is_copied_part_by_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images_on_device, "COPIED_AT_ONCE", 10_000)  # nine images and a bit
    tensor = ResidentImages(SQUARES, CPU).tensors["images"]
    np.testing.assert_array_equal(tensor.numpy(), SQUARES.images(np.arange(625)))


def test_what_the_reading_thread_raises_comes_out() -> None:
    class Broken(Squares):
        def images(self, indices: Any) -> Any:
            raise OSError("the disk is gone")

    def rows_at(step: int, generator: torch.Generator) -> torch.Tensor:
        return torch.zeros(2, dtype=torch.long)

    images = StreamedImages(Broken(), CPU, 0, 3, rows_at)
    with pytest.raises(OSError, match="the disk is gone"):
        images.load(0)
    images.close()


def steps_around(model: Model) -> Iterator[int]:
    for milestone in (0, *model.milestones(), 20_000):
        yield from (max(0, milestone - 1), milestone, milestone + 1)


@pytest.mark.parametrize("name", list(MODELS))
def test_what_depends_on_the_step_keeps_its_names_and_shapes(name: str) -> None:
    """And buffers change at milestones alone, since nothing else is told of a step."""
    model, followed = built(name), built(name)
    first = model.schedule(0)
    followed.enter(0)
    for step in steps_around(model):
        values = model.schedule(step)
        assert {k: (v.shape, v.dtype) for k, v in values.items()} == {
            k: (v.shape, np.dtype(np.float32)) for k, v in first.items()
        }
        model.enter(step)
        if step in followed.milestones():
            followed.enter(step)
        for (place, buffer), other in zip(model.named_buffers(), followed.buffers(), strict=True):
            assert torch.equal(buffer, other), (place, step)
        assert model.variant(step) == (getattr(model, "taught", None))
