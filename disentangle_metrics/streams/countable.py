"""Which scores can be computed from counts of rows by latent bin and factor value, without the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.definition import setting_text
from disentangle_metrics.scoring.requests import BoundMetric

SUPPORTED = (
    "mig", "mig_sup", "jemmig", "dcimig", "modularity", "active_units",
    "sufficiency", "minimality", "med", "xmig",
)  # fmt: skip


def countable(requests: list[BoundMetric], choose: bool, bins: int | None) -> list[BoundMetric]:
    """The requests with this number of bins; those that counts cannot serve are refused, or left out."""
    chosen = []
    for request in requests:
        settings = dict(request.settings)
        if bins is not None and "bins" in settings:
            settings["bins"] = bins
        plain = settings.get("estimator", "histogram"), settings.get("strategy", "uniform")
        if request.definition.name in SUPPORTED and plain == ("histogram", "uniform"):
            size = settings.get("bins", 2)
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 2:
                raise InputError(f"`bins` must be a whole number of at least 2, got {size!r}")
            chosen.append(replace(request, settings=settings))
        elif not choose:
            raise InputError(
                f"{request.definition.name} with these settings cannot be computed from counts; "
                f"an Accumulator has {', '.join(SUPPORTED)}, all by histogram with strategy='uniform'"
            )
    if not chosen:
        raise InputError(
            f"no metric of the protocol can be computed from counts: pass {', '.join(SUPPORTED)}"
        )
    return chosen


def as_text(request: BoundMetric) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """What one was asked for, comparable also after pickling."""
    settings = {name: setting_text(value) for name, value in request.settings.items()}
    return request.definition.name, request.keys, settings
