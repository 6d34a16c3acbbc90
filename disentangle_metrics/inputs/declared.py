"""What a caller says of a factor or a latent, rather than leave it to be found out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.reading import Kind

KINDS: tuple[Kind, ...] = ("categorical", "ordinal", "continuous", "circular")


@dataclass(frozen=True)
class Declared:
    """The kind of a factor or a latent, and the period of a circular one."""

    kind: Kind
    period: float | None = None

    @property
    def turn(self) -> float:
        """The period, 2 pi where none was said."""
        return 2 * math.pi if self.period is None else self.period

    @classmethod
    def parse(cls, text: Any, argument: str, name: str, kinds: tuple[Kind, ...] = KINDS) -> Declared:
        """From "continuous", "circular:360" and their like.

        Raises
        ------
        InputError
            If it is none of these.
        """
        kind, colon, number = str(text).partition(":")
        accepted = ", ".join("circular or circular:PERIOD" if k == "circular" else k for k in kinds)
        if kind not in kinds or (colon and kind != "circular"):
            raise InputError(f"`{argument}` of {name!r} must be one of {accepted}, got {text!r}")
        if not colon:
            return cls(kind)
        try:
            period = float(number)
        except ValueError:
            period = math.nan
        if not 0 < period < math.inf:
            raise InputError(f"`{argument}` of {name!r}: a period must be a number above 0, got {number!r}")
        return cls(kind, period)


def facts_of_latents(types: Sequence[Declared | None]) -> dict[str, str]:
    """What signatures say of declared latents: the letter of each, as for factors, and the periods."""
    if not any(said is not None and said.kind != "continuous" for said in types):
        return {}
    letters = {"continuous": "r", "categorical": "c", "circular": "p"}
    facts = {"latent_kinds": "".join("r" if said is None else letters[said.kind] for said in types)}
    periods = [f"{said.turn:.12g}" for said in types if said is not None and said.kind == "circular"]
    return {**facts, "latent_periods": ",".join(periods)} if periods else facts
