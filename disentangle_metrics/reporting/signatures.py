"""What the signatures of scores must share before one can be called better than another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from disentangle_metrics.metrics.lookup import score_keys
from disentangle_metrics.settings import setting_text
from disentangle_metrics.text import listed

# They belong to the representation that is scored.
OF_LATENTS = ("D", "ranges", "latent_kinds", "latent_periods")
OF_INTERVAL = ("confidence", "interval", "replicates")  # they do not change the score


def shared(signature: str) -> dict[str, str]:
    """What a signature says that those of comparable scores say too, by name.

    That is all but what belongs to the representation, as the number of its latents, and what says how an
    interval was made. The seed counts where the score itself draws. Of the package the version of the
    definition counts, which rises when a number would be another.
    """
    key, *parts = signature.split("|")
    said = {"score": key}
    said.update({name: text for name, _, text in (part.partition(":") for part in parts)})
    if "replicates" in said and not _draws(key, said):  # the seed is that of the resamples
        said.pop("seed", None)
    for name in (*OF_LATENTS, *OF_INTERVAL, *(["dm"] if "def" in said else [])):
        said.pop(name, None)
    if "groups" in said:  # which columns make a unit belongs to the representation, that there are units not
        said["groups"] = "given"
    return said


def _draws(key: str, said: Mapping[str, str]) -> bool:
    """Whether a score of this key draws or splits rows, by what its signature says; True if it may."""
    definition = score_keys().get(key)
    if definition is None or definition.takes_rng or "split" in definition.settings:
        return True
    settings = {**definition.default_texts, **said}
    conditions = definition.conditions.get("seed", ())
    return any(settings[other] in map(setting_text, values) for other, values in conditions)


def differing(said: Mapping[str, Iterable[Mapping[str, str]]]) -> str:
    """What differs among :func:`shared` facts of several owners, in words; empty if nothing does."""
    names = dict.fromkeys(part for runs in said.values() for facts in runs for part in facts)
    parts = []
    for part in names:
        values: dict[str, str] = {}
        for name, runs in said.items():
            for facts in runs:
                values.setdefault(facts.get(part, "not set"), name)
        if len(values) > 1:
            parts.append(f"{part} is {listed(f'{value} in {name}' for value, name in values.items())}")
    return ", ".join(parts)
