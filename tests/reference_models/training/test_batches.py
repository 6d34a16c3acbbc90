from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from reference_models.models import MODELS, model_class
from reference_models.models.pro_vlae import ProVLAE
from reference_models.training.batches import Batch, batch_at, batches
from reference_models.training.feeds import as_images
from reference_models.training.settings import Settings
from tests.reference_models.conftest import Squares

MODEL = ProVLAE(image_shape=(1, 32, 32), latents_per_layer=2)


def same(a: object, b: object) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(flat(a), flat(b), strict=True))


def flat(batch: object) -> list[object]:
    step, parts = batch  # type: ignore[misc]
    return [step, *(value for part in parts for value in (part.images, *part.draws.values()))]


def test_a_batch_depends_on_seed_and_step_alone(squares: Squares) -> None:
    def batch(step: int, seed: int) -> Batch:
        return batch_at(step, MODEL, squares, Settings(batch_size=16, seed=seed))

    first = batch(5, seed=1)
    np.random.default_rng().random(100)
    assert same(first, batch(5, seed=1))
    assert not same(first, batch(6, seed=1))
    assert not same(first, batch(5, seed=2))
    # Swapping seed and step gives another stream, not the same one.
    assert not np.array_equal(batch(1, seed=5).parts[0].draws["noise"], first.parts[0].draws["noise"])


def test_batches_made_ahead_are_those_of_their_steps(squares: Squares) -> None:
    settings = Settings(batch_size=4, seed=3, steps=6)
    ahead = list(batches(MODEL, squares, settings, start=2))
    assert [batch.step for batch in ahead] == [2, 3, 4, 5]
    assert all(same(batch, batch_at(batch.step, MODEL, squares, settings)) for batch in ahead)
    assert list(batches(MODEL, squares, settings, start=6)) == []


@pytest.mark.parametrize("name", list(MODELS))
def test_parts_are_the_batch_they_are_cut_from(squares: Squares, name: str) -> None:
    model = model_class(name)(image_shape=(1, 32, 32))
    (whole,) = batch_at(2_001, model, squares, Settings(batch_size=12)).parts
    small = Settings(batch_size=4, accumulate=3)
    of_rank = [batch_at(2_001, model, squares, small, rank, size=2).parts for rank in (0, 1)]
    parts = [of_rank[rank][part] for part in range(3) for rank in (0, 1)]
    blocks = len(whole.images) // 12  # 2 where each entry of a batch has two images

    def joined(values: list[Any]) -> Any:
        return np.concatenate([v.reshape(blocks, 2, *v.shape[1:]) for v in values], axis=1)

    assert np.array_equal(joined([p.images for p in parts]).reshape(whole.images.shape), whole.images)
    for draw, value in whole.draws.items():
        cuts = [part.draws[draw] for part in parts]
        if draw in model.per_row:
            assert np.array_equal(joined(cuts).reshape(value.shape), value)
        elif draw in model.orders:  # each shuffles its own two rows
            assert all((np.sort(cut, axis=0).T == [0, 1]).all() for cut in cuts)
            assert not all((cut.T == [0, 1]).all() for cut in cuts)
        else:
            assert all(np.array_equal(cut, value) for cut in cuts)


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_that_compares_no_images_has_the_terms_of_its_parts(squares: Squares, name: str) -> None:
    """The others say that they compare them."""
    torch.manual_seed(0)
    model = model_class(name)(image_shape=(1, 32, 32))
    for step in model.milestones()[:1]:
        model.enter(step)  # teacher-student has a student

    def terms(settings: Settings) -> dict[str, float]:
        parts = []
        for images, draws in batch_at(2_001, model, squares, settings).parts:
            pixels = as_images(images, torch.device("cpu"), torch.contiguous_format)
            parts.append(model.objective(pixels, **{k: torch.from_numpy(v) for k, v in draws.items()}))
        return {key: float(np.mean([part[key].item() for part in parts])) for key in parts[0]}

    whole, split = (terms(Settings(batch_size=n, accumulate=12 // n)) for n in (12, 4))
    alike = [split[key] == pytest.approx(whole[key], rel=2e-5) for key in whole]
    assert all(alike) != model.compares_images


def test_rows_cover_the_data_set_evenly(squares: Squares) -> None:
    noise, places = [], np.zeros((25, 25))
    for step in range(100):
        (batch,) = batch_at(step, MODEL, squares, Settings(batch_size=100)).parts
        noise.append(batch.draws["noise"])
        # The first bright pixel of each picture gives its place away.
        first = batch.images.reshape(100, -1).argmax(1)
        np.add.at(places, (first // 32, first % 32), 1)
    expected = 10_000 / 625
    chi_square = ((places - expected) ** 2 / expected).sum()
    assert abs(chi_square - 624) < 5 * np.sqrt(2 * 624)
    drawn = np.concatenate(noise)
    assert abs(drawn.mean()) < 5 / np.sqrt(drawn.size)
    assert abs(drawn.var() - 1) < 5 * np.sqrt(2 / drawn.size)
