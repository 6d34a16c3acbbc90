"""The defaults of each model: what a model file, a recipe or a command means where it leaves a setting out."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from disentangle_metrics import InputError
from reference_models.models import MODELS, defaults_of, model_class

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


@pytest.mark.parametrize("name", MODELS)
def test_defaults(name: str) -> None:
    assert defaults_of(name) == DEFAULTS[name]
    assert inspect.signature(model_class(name)).parameters["image_shape"].default == (1, 64, 64)
    assert model_class(name).name == name


def test_another_name_is_refused() -> None:
    with pytest.raises(InputError, match="unknown model 'vae'; known: pro-vlae, vlae, beta-vae"):
        model_class("vae")
