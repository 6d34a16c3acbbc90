from __future__ import annotations

import numpy as np

from reference_models.batches import batch_at, batches
from reference_models.models.pro_vlae import ProVLAE
from tests.reference_models.conftest import Squares

MODEL = ProVLAE(image_shape=(1, 32, 32), latents_per_layer=2)


def same(a: object, b: object) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(flat(a), flat(b), strict=True))


def flat(batch: object) -> list[object]:
    step, images, draws = batch  # type: ignore[misc]
    return [step, images, *draws.values()]


def test_a_batch_depends_on_seed_and_step_alone(squares: Squares) -> None:
    first = batch_at(5, MODEL, squares, 16, seed=1)
    np.random.default_rng().random(100)
    assert same(first, batch_at(5, MODEL, squares, 16, seed=1))
    assert not same(first, batch_at(6, MODEL, squares, 16, seed=1))
    assert not same(first, batch_at(5, MODEL, squares, 16, seed=2))
    # Swapping seed and step gives another stream, not the same one.
    assert not np.array_equal(batch_at(1, MODEL, squares, 16, seed=5).draws["noise"], first.draws["noise"])


def test_batches_made_ahead_are_those_of_their_steps(squares: Squares) -> None:
    ahead = list(batches(MODEL, squares, 4, seed=3, start=2, stop=6))
    assert [batch.step for batch in ahead] == [2, 3, 4, 5]
    assert all(same(batch, batch_at(batch.step, MODEL, squares, 4, seed=3)) for batch in ahead)
    assert list(batches(MODEL, squares, 4, seed=3, start=6, stop=6)) == []


def test_rows_cover_the_data_set_evenly(squares: Squares) -> None:
    noise, places = [], np.zeros((25, 25))
    for step in range(100):
        batch = batch_at(step, MODEL, squares, 100, seed=0)
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
