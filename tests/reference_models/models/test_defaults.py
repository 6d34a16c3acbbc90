"""The defaults of each model: what a model file, a recipe or a command means where it leaves a setting out."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from disentangle_metrics import InputError
from reference_models.models import MODELS, defaults_of, model_class
from reference_models.training.settings import Settings
from reference_models.training.train import check
from tests.reference_models.conftest import Squares

LADDER: dict[str, Any] = {"latents_per_layer": 3, "layers": 3, "beta": 1.0, "affine": False}
DEFAULTS: dict[str, dict[str, Any]] = {
    "pro-vlae": {**LADDER, "gamma": 0.5, "wake_steps": [0, 5_000, 10_000], "fade_in_steps": 5_000},
    "vlae": LADDER,
    "beta-vae": {"latents": 10, "beta": 4.0, "capacity": 0.0, "capacity_steps": 100_000},
    "teacher-student": {
        "latents": 9,
        "beta": 1.0,
        "first_latents": 2,
        "grow_steps": [2_000, 4_000, 6_000, 8_000, 10_000, 12_000, 14_000],
        "lambda_z": 0.25,
        "lambda_jac": 0.1,
        "lambda_xcov": 0.001,
    },
    "factor-vae": {"latents": 10, "gamma": 35.0, "discriminator_rate": 1.0},
    "beta-tcvae": {"latents": 10, "beta": 6.0},
    "dip-vae-i": {"latents": 10, "lambda_od": 10.0, "lambda_d": 100.0},
    "dip-vae-ii": {"latents": 10, "lambda_od": 10.0, "lambda_d": 10.0},
    "ada-gvae": {"latents": 10, "beta": 1.0, "changed_factors": 1},
    "autoencoder": {"latents": 10},
}
SETTINGS = Settings(steps=20_000, batch_size=2, device="cpu")


@pytest.mark.parametrize("name", MODELS)
def test_defaults(name: str) -> None:
    assert defaults_of(name) == DEFAULTS[name]
    assert inspect.signature(model_class(name)).parameters["image_shape"].default == (1, 64, 64)
    assert model_class(name).name == name


@pytest.mark.parametrize(
    ("model", "name"),
    [(model, name) for model, own in DEFAULTS.items() for name in own if isinstance(own[name], float)],
)
def test_no_model_is_trained_with_a_weight_below_0(model: str, name: str) -> None:
    """It would reward what it is to penalise. A model trained so elsewhere is still read and scored."""
    for value in (-1.0, -1e-9, float("nan"), float("inf")):
        built = model_class(model)(image_shape=(1, 32, 32), **{name: value})
        with pytest.raises(InputError, match=f"^{name} is {value}; it must be at least 0"):
            check(built, Squares(), SETTINGS)
    check(model_class(model)(image_shape=(1, 32, 32), **{name: 0.0}), Squares(), SETTINGS)


def test_another_name_is_refused() -> None:
    with pytest.raises(InputError, match="unknown model 'vae'; known: pro-vlae, vlae, beta-vae"):
        model_class("vae")
