"""Which latents are active, and so take part in scores that are averaged over latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.settings import Active
from disentangle_metrics.text import some_of

POSTERIOR_THRESHOLD = 0.01  # variance of the posterior mean, Li et al. 2020; the prior's is 1
MOST_NAMED = 8  # latents in a message
FAINT = 0.01  # of the largest variance: such a latent counts as active, with a remark


@dataclass(frozen=True)
class ActiveLatents:
    """Which latents take part: `mask` (D,), and remarks for the user."""

    mask: NDArray[np.bool_]
    warnings: tuple[Check, ...] = ()


def active_latents(
    rule: Active,
    names: Sequence[str],
    variance: NDArray[np.float64],
    constant: NDArray[np.bool_],
    spread: NDArray[np.float64],
) -> ActiveLatents:
    """Apply a rule to D latents.

    Parameters
    ----------
    rule
        ``"varying"``, and ``"auto"``: those that are not numerically constant. ``"range"``: those whose
        range is above a twentieth of the largest (Hsu et al. 2023). A number: those with a variance above
        it. None: all.
    names, variance, constant, spread
        Of each latent: its name, variance, whether it is numerically constant, and its range.

    Raises
    ------
    NotApplicable
        If no latent is active.
    """
    if rule is None:
        return ActiveLatents(np.ones(len(names), dtype=bool))
    warnings = []
    if rule == "range":
        mask = ~constant & (spread > spread.max() / 20)
    elif rule in ("auto", "varying"):
        mask = ~constant
        faint = mask & (variance < FAINT * variance.max())
        if faint.any():
            warnings.append(
                Check(
                    "idle_latents",
                    f"{_list(names, faint)}: variance below 1 percent of the largest, and counted as active",
                    "if the latents' scale has a meaning, "
                    f"pass `dm.Metric(..., active={float(variance[faint].max())!r})`, which leaves them out",
                    numbers={"latents": int(faint.sum())},
                )
            )
    else:
        mask = variance > float(rule)
    if not mask.any():
        raise NotApplicable("no latent is active")
    still = ~mask & ~constant  # of constant ones the check of the input speaks
    if still.any():
        warnings.insert(
            0,
            Check(
                "inactive_latents",
                f"{_list(names, still)}: inactive, left out",
                "pass `dm.Metric(..., active=None)` to count every latent",
                numbers={"latents": int(still.sum())},
            ),
        )
    return ActiveLatents(mask, tuple(warnings))


def _list(names: Sequence[str], mask: NDArray[np.bool_]) -> str:
    listed = [name for name, marked in zip(names, mask, strict=True) if marked]
    return f"latent{'s' if len(listed) > 1 else ''} {some_of(listed, MOST_NAMED)}"
