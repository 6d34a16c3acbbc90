"""Whole signatures that say ``active:auto``, where plain arrays are scored: theirs say ``active:varying``."""

from __future__ import annotations

from collections.abc import Sequence

from disentangle_metrics.errors import InputError
from disentangle_metrics.relations.active import POSTERIOR_THRESHOLD
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.scoring.requests import Choice
from disentangle_metrics.settings import Active


def refuse_rule_of_posteriors(choices: Sequence[Choice], whole: Relations) -> None:
    """Refuse what gives another number than its signature is of, if that is of a posterior.

    Older signatures of plain arrays say "auto" too. Where the rule of posteriors leaves out no latent that
    varies, both mean one number, and it is given.

    Raises
    ------
    InputError
        If the rules differ on these rows.
    """
    asked = [
        key
        for choice in choices
        if choice.settings.get("active") == "auto" and choice.definition.types.get("active") == Active
        for key, pinned in choice.pins.items()
        if "def" in pinned  # the whole signature
    ]
    if not asked or whole.inputs.logvar is not None:
        return
    faint = ~whole.constant() & (whole.variances_in_units() <= POSTERIOR_THRESHOLD)
    if whole.inputs.incomplete or faint.any():
        raise InputError(
            f"the signature of {asked[0]!r} says active:auto, the rule for posteriors, and this call has "
            "plain latents: pass `dm.GaussianPosterior(mean, logvar)` as latents, or write active:varying, "
            "the rule for plain latents, whose older signatures say auto"
        )
