"""Scores where you work already; each module needs its library, and loads it when it is first used.

| module | gives |
|---|---|
| ``torchmetrics`` | ``DisentanglementScore``, a Metric |
| ``lightning`` | ``ScoreCallback`` |
| ``keras`` | ``ScoreCallback`` |
| ``transformers`` | ``ScoreCallback`` for the Trainer |
| ``sklearn`` | ``make_scorer`` for model selection |
| ``anndata`` | ``benchmark`` of several embeddings |

Each is installed with an extra of its name: ``pip install ".[lightning]"`` in a clone.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["anndata", "keras", "lightning", "sklearn", "torchmetrics", "transformers"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
