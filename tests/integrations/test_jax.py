"""Encoders of JAX and Flax as callables: their arrays are converted at the door."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm

jax = pytest.importorskip("jax")
jnp = jax.numpy
CHEAP = {"metrics": ["mig"], "anchors": False}
pytestmark = pytest.mark.filterwarnings("ignore")


def rows() -> tuple[np.ndarray, np.ndarray]:
    factors = np.random.default_rng(0).integers(0, [3, 4], (60, 2))
    return factors * 1.0, factors


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16", "float8_e4m3fn", "int4"])
def test_arrays_of_every_precision_are_scored(precision) -> None:
    latents, factors = rows()  # small whole numbers, which every precision holds
    report = dm.score(jnp.asarray(latents).astype(precision), jnp.asarray(factors), **CHEAP)
    assert report["mig"].value == dm.mig(latents, factors).value


def test_a_posterior_of_jax_arrays() -> None:
    latents, factors = rows()
    logvar = np.full_like(latents, -2.0)
    found = dm.rmig(dm.GaussianPosterior(jnp.asarray(latents), jnp.asarray(logvar)), jnp.asarray(factors))
    expected = dm.rmig(dm.GaussianPosterior(np.float32(latents), np.float32(logvar)), factors)
    assert found.value == expected.value


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_jitted_function_is_an_encoder_of_images(precision) -> None:
    dataset = dm.load_dataset("sprites")

    @jax.jit
    def encode(images):
        flat = images.reshape(len(images), -1)[:, ::512].astype(precision)
        return flat, jnp.zeros_like(flat)

    report = dm.evaluate(encode, dataset, samples=30, **CHEAP)
    assert report.shape[:2] == (30, 8)


def test_modules_of_flax_are_encoders() -> None:
    nnx = pytest.importorskip("flax.nnx")
    linen_modules = pytest.importorskip("flax.linen")
    latents, factors = rows()
    batches = [(latents[:32], factors[:32]), (latents[32:], factors[32:])]
    module = nnx.Linear(2, 3, rngs=nnx.Rngs(0))
    expected = dm.mig(np.asarray(module(jnp.asarray(latents))), factors).value
    assert dm.evaluate(module, batches, **CHEAP)["mig"].value == pytest.approx(expected)
    linen = linen_modules.Dense(3)
    weights = linen.init(jax.random.key(0), jnp.zeros((1, 2)))
    report = dm.evaluate(lambda inputs: linen.apply(weights, inputs), batches, **CHEAP)
    assert report["mig"].value == pytest.approx(
        dm.mig(np.asarray(linen.apply(weights, latents)), factors).value
    )
