"""One file per model, and their names. No model is imported before it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from disentangle_metrics import InputError

if TYPE_CHECKING:
    from reference_models.model import Model

MODELS = {
    "pro-vlae": "reference_models.models.pro_vlae:ProVLAE",
    "vlae": "reference_models.models.vlae:VLAE",
}


def model_class(name: str) -> type[Model]:
    """The class of the model called `name` on the command line."""
    if name not in MODELS:
        raise InputError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    module, _, attribute = MODELS[name].partition(":")
    found: type[Model] = getattr(importlib.import_module(module), attribute)
    return found
