"""Which scores can be computed from counts of rows by latent bin and factor value, without the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from disentangle_metrics import settings as types
from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.scoring.requests import Choice


def countable(choices: Sequence[Choice], choose: bool, bins: int | None) -> list[Choice]:
    """The choices with this number of bins; those that counts cannot serve are refused, or left out."""
    if bins is not None:
        types.check({"bins": bins}, {"bins": types.Bins}, {})
    counted = []
    for choice in choices:
        settings = dict(choice.settings)
        if bins is not None and "bins" in settings:
            settings["bins"] = bins
        plain = settings.get("estimator", "histogram"), settings.get("strategy", "uniform")
        if choice.definition.from_counts and plain == ("histogram", "uniform"):
            counted.append(replace(choice, settings=settings))
        elif not choose:
            raise InputError(
                f"{choice.definition.name} with these settings cannot be computed from counts; "
                f"an Accumulator has {', '.join(supported())}, all by histogram with `strategy='uniform'`"
            )
    if not counted:
        raise InputError(
            f"no metric of the protocol can be computed from counts: pass {', '.join(supported())}"
        )
    return counted


def supported() -> list[str]:
    """The metrics that can be computed from counts."""
    return [name for name, definition in METRICS.load_all().items() if definition.from_counts]


def as_text(choice: Choice) -> tuple[str, tuple[str, ...], dict[str, str]]:
    """What one was asked for, comparable also after pickling."""
    return choice.definition.name, choice.keys, types.texts_of(choice.settings, choice.definition.types)
