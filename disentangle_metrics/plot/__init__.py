"""Pictures of scores: ``dm.plot.scores(report)``, ``dm.plot.table(score)``, ...; needs the extra ``report``.

Every function returns a matplotlib figure, takes axes to draw on, and sets no style of yours. Figures are
3.3 inches wide, one column of a paper, or wider if several tables, many scores or long names need it. Letters
have at least 6 points. Colours differ for the colour-blind, and marks differ in grey. Several
representations go in as a mapping from names, where a picture can hold several.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from disentangle_metrics.reporting.details import latents_by_factors
from disentangle_metrics.reporting.extras import need

if TYPE_CHECKING:
    from disentangle_metrics.plot.capacity_curves import capacity as capacity
    from disentangle_metrics.plot.circle_ring import circle as circle
    from disentangle_metrics.plot.difference_bars import differences as differences
    from disentangle_metrics.plot.heat_map import table as table
    from disentangle_metrics.plot.latent_bins import latent as latent
    from disentangle_metrics.plot.part_bars import parts as parts
    from disentangle_metrics.plot.rank_map import ranks as ranks
    from disentangle_metrics.plot.score_dots import scores as scores
    from disentangle_metrics.plot.step_lines import steps as steps
    from disentangle_metrics.plot.unit_maps import units as units
    from disentangle_metrics.scoring.report import Score

__all__ = [
    "capacity",
    "circle",
    "differences",
    "has_table",
    "latent",
    "parts",
    "ranks",
    "scores",
    "steps",
    "table",
    "units",
]
_WHERE = {
    "capacity": "capacity_curves",
    "circle": "circle_ring",
    "differences": "difference_bars",
    "latent": "latent_bins",
    "parts": "part_bars",
    "ranks": "rank_map",
    "scores": "score_dots",
    "steps": "step_lines",
    "table": "heat_map",
    "units": "unit_maps",
}


def has_table(score: Score) -> bool:
    """Whether a score was read from a table of latents by factors, which :func:`table` draws."""
    return bool(latents_by_factors(score))


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    need("matplotlib", "a picture")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
