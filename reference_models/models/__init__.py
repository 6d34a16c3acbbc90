"""One file per model, and their names. No model is imported before it is asked for."""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

from disentangle_metrics import InputError

if TYPE_CHECKING:
    from reference_models.models.parts.model import Model

MODELS = {
    "pro-vlae": "reference_models.models.pro_vlae:ProVLAE",
    "vlae": "reference_models.models.vlae:VLAE",
    "beta-vae": "reference_models.models.beta_vae:BetaVAE",
    "teacher-student": "reference_models.models.teacher_student:TeacherStudent",
    "factor-vae": "reference_models.models.factor_vae:FactorVAE",
    "beta-tcvae": "reference_models.models.beta_tcvae:BetaTCVAE",
    "dip-vae-i": "reference_models.models.dip_vae:DIPVAEI",
    "dip-vae-ii": "reference_models.models.dip_vae:DIPVAEII",
    "ada-gvae": "reference_models.models.ada_gvae:AdaGVAE",
    "autoencoder": "reference_models.models.autoencoder:Autoencoder",
}


def model_class(name: str) -> type[Model]:
    """The class of the model called `name` on the command line."""
    if name not in MODELS:
        raise InputError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    module, _, attribute = MODELS[name].partition(":")
    found: type[Model] = getattr(importlib.import_module(module), attribute)
    return found


def defaults_of(model: str) -> dict[str, Any]:
    """A model's own settings and their defaults, sequences as lists; the image's shape is none of them."""
    parameters = inspect.signature(model_class(model)).parameters
    return {
        name: list(parameter.default) if isinstance(parameter.default, tuple) else parameter.default
        for name, parameter in parameters.items()
        if name != "image_shape"
    }
