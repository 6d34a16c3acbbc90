"""What to say of an option that score() does not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.scoring.requests import choose


def refuse_unknown(options: Mapping[str, Any], accepted: Iterable[str]) -> None:
    """Refuse an option that is not among those `accepted`, with the setting or the name that may be meant.

    Raises
    ------
    InputError
        If there is such an option.
    """
    known = list(accepted)
    if not (unknown := [name for name in options if name not in known]):
        return
    name = unknown[0]
    choices = choose(options.get("metrics"), options.get("protocol", "default"))
    owner = next((choice.definition.name for choice in choices if name in choice.settings), None)
    hint = f"it is a setting of a metric: `dm.Metric({owner!r}, {name}=...)`; " if owner else ""
    raise InputError(
        f"there is no option {name!r}; {hint or did_you_mean(name, known)}the options are {', '.join(known)}"
    )
