"""The signature of a score: one line that pins everything which can change the number, and how it is read.

``mig|bins:20|estimator:histogram|strategy:uniform|n:400|D:3|K:2|kinds:cc|def:2|dm:0.1.0`` names the score,
its settings in alphabetical order, and facts of the input and of the call. A signature can be run again: see
:meth:`.requests.Metric.parse`.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from disentangle_metrics import settings as types
from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.definition import MetricDefinition
from disentangle_metrics.version import __version__

# Facts that a signature may hold beside settings, and the option of a call that each is decided by.
OF_INPUT = {
    "n": "rows",
    "D": "latents",
    "K": "factors",
    "variant": "`variant`",
    "ranges": "`ranges`",
    "kinds": "`factor_types`",
    "periods": "`factor_types`",
    "latent_kinds": "`latent_types`",
    "groups": "`groups`",
    "latent_periods": "`latent_types`",
}
OF_CALL = {
    "missing": "`missing`",
    "seed": "`seed`",
    "confidence": "`confidence`",
    "interval": "`confidence`",
    "replicates": "`replicates`",
}
OF_PROGRAM = ("def", "dm", "sklearn")


@cache
def sklearn_version() -> str:
    """The version of scikit-learn that is installed."""
    from importlib.metadata import version

    return version("scikit-learn")


def matters(definition: MetricDefinition, name: str, settings: Mapping[str, Any]) -> bool:
    """Whether a setting, or "seed", can change the number while the others have these values."""
    if name not in definition.conditions:
        return True
    return any(settings.get(other) in values for other, values in definition.conditions[name])


def spoken(definition: MetricDefinition, settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings as text, without those that are silent at their defaults or do not matter.

    One that is always named has its default where it does not matter.
    """
    texts, defaults = types.texts_of(settings, definition.types), definition.default_texts
    said = {}
    for name, text in texts.items():
        if not matters(definition, name, settings):
            if name in definition.always_named:
                said[name] = defaults[name]
        elif not (name in definition.silent and text == defaults[name]):
            said[name] = text
    return said


def with_rule_of_arrays(definition: MetricDefinition, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings with the rule for active latents that "auto" is for arrays: the signature says it."""
    of_latents = definition.types.get("active") == types.Active
    return {**settings, "active": "varying"} if of_latents else settings


def as_read(
    definition: MetricDefinition, asked: Mapping[str, Any], said: Mapping[str, Any], by_neighbours: bool
) -> Mapping[str, Any]:
    """The settings asked for as a signature that says `said` has them where the input decides what they are.

    Parameters
    ----------
    by_neighbours
        Whether groups of this input had too many joint cells to be counted.
    """
    if (asked.get("active"), said.get("active")) == ("auto", "varying"):
        asked = with_rule_of_arrays(definition, asked)
    if by_neighbours and asked.get("estimator") == "histogram":
        asked = {**asked, "estimator": said["estimator"]}
    return asked


def told_apart(definition: MetricDefinition, settings: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    """The settings that are not the defaults, or not the protocol's `usual`, as a signature has them.

    As "|bins:10"; empty if all are. Under the protocol or the default one it asks for the same again.
    """
    others = (definition.default_texts, types.texts_of(usual, definition.types))
    texts = types.texts_of(settings, definition.types)
    return "".join(
        f"|{name}:{text}"
        for name, text in texts.items()
        if matters(definition, name, settings) and any(text != other[name] for other in others)
    )


def written(
    definition: MetricDefinition,
    settings: Mapping[str, Any],
    facts: Mapping[str, Mapping[str, str]],
    seed: int,
    pins: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """The signature of each score that was asked for.

    Parameters
    ----------
    facts
        For each score's key, what it says of the input and the call.
    seed
        Named where it can change the number: the metric draws, or splits the rows.
    pins
        For some keys, what a signature that was given says; it must say what comes out.

    Raises
    ------
    InputError
        If it does not: the call cannot give the score that the signature is of.
    """
    texts = spoken(definition, settings)
    program = {"def": str(definition.version), "dm": __version__}
    if definition.sklearn:
        program["sklearn"] = sklearn_version()
    seeded = _seeded(definition, settings)
    lines = {}
    for key, of_key in facts.items():
        said = dict(of_key)
        if seeded:
            said.setdefault("seed", str(seed))
        parts = [*texts.items(), *said.items(), *program.items()]
        lines[key] = "|".join([key, *(f"{name}:{text}" for name, text in parts)])
        if key in pins:
            _honour(key, pins[key], {**said, **program})
    return lines


def variant_fact(variant: str) -> dict[str, str]:
    """What a signature says of a variant of a data set, as its attribute ``variant`` has it.

    Raises
    ------
    InputError
        If a signature cannot hold that text.
    """
    if not isinstance(variant, str) or not variant.isprintable() or set("| ") & set(variant):
        raise InputError(
            f"`variant` must be what the data set's `variant` says, such as 'colour(seed=1)'; got {variant!r}"
        )
    return {"variant": variant}


def difference(before: str, now: str) -> str:
    """What differs between two signatures of one score, as "bins was 20, now 10"; empty if nothing."""
    one, other = (
        {name: text for name, _, text in (part.partition(":") for part in signature.split("|")[1:])}
        for signature in (before, now)
    )
    return ", ".join(
        f"{name} was {one.get(name, 'not there')}, now {other.get(name, 'not there')}"
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    )


def _seeded(definition: MetricDefinition, settings: Mapping[str, Any]) -> bool:
    """Whether the seed can change the score: it draws, or splits the rows."""
    if definition.takes_rng or "split" in settings:
        return True
    return "seed" in definition.conditions and matters(definition, "seed", settings)


def fits(wanted: str, signature: str, definition: MetricDefinition, by_neighbours: bool = False) -> bool:
    """Whether a score has the settings and the facts that a signature, or a part of one, names.

    Parameters
    ----------
    by_neighbours
        Whether groups of the score's input had too many joint cells to be counted.

    Raises
    ------
    InputError
        If `wanted` cannot be read.
    """
    settings, pinned = parsed(wanted, definition)
    try:
        own, facts = parsed(signature, definition)
    except InputError:  # a setting that no text brings back
        return False
    has = {**definition.settings, **own}
    settings = {**as_read(definition, settings, has, by_neighbours)}
    return spoken(definition, {**has, **settings}) == spoken(definition, has) and all(
        facts.get(name) == text for name, text in pinned.items() if name not in ("dm", "sklearn")
    )


def _honour(key: str, pinned: Mapping[str, str], facts: Mapping[str, str]) -> None:
    """Refuse a call whose facts are not those that are pinned, of a whole signature not exactly those."""
    names = [*pinned, *facts] if "def" in pinned else [*pinned]
    for name in names:
        pin, fact = pinned.get(name), facts.get(name)
        if name in ("dm", "sklearn") or pin == fact:
            continue
        if name == "def":
            raise InputError(
                f"the signature of {key!r} is of definition {pin}, and this package has {fact}: "
                "take the version of the package that it names, or leave `def` out"
            )
        says = f"says {name}:{pin}" if pin is not None else f"says nothing of {name}"
        has = f"has {name}:{fact}" if fact is not None else f"has no {name}"
        option = OF_CALL.get(name) or OF_INPUT.get(name, name)
        fix = f"pass the same {option}"
        if name in OF_INPUT and (pin is None or not option.endswith("_types`")):
            fix = "score such input"
        elif pin is None:
            fix = f"leave {option} out"
        raise InputError(
            f"the signature of {key!r} {says}, and this call {has}: {fix}, "
            f"or give only the settings of the signature, as {key}|...:..."
        )


def parsed(signature: str, definition: MetricDefinition) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings of a metric that its signature, or a part of one, names; and the facts it pins.

    Raises
    ------
    InputError
        If it has other parts, or a value that a line of text cannot hold.
    """
    _, *parts = signature.strip().split("|")
    settings: dict[str, Any] = {}
    pinned: dict[str, str] = {}
    for part in parts:
        name, colon, text = part.partition(":")
        if not (name and colon):
            raise InputError(f"a signature is KEY|name:value|..., and {signature!r} has the part {part!r}")
        if name in definition.settings and name not in settings:
            settings[name] = value_of(definition, name, text)
        elif name in OF_INPUT or name in OF_CALL or name in OF_PROGRAM:
            pinned[name] = text
        else:
            known = ", ".join([*definition.settings, *OF_INPUT, *OF_CALL, *OF_PROGRAM])
            raise InputError(f"{definition.name!r} has no setting {name!r}; the signature may hold {known}")
    return settings, pinned


def value_of(definition: MetricDefinition, name: str, text: str) -> Any:
    """The value of a setting whose text this is.

    Raises
    ------
    InputError
        If there is none that the setting may have.
    """
    candidates: list[Any] = []
    with contextlib.suppress(ValueError, SyntaxError):
        candidates.append(ast.literal_eval(text))
    with contextlib.suppress(ValueError):
        candidates.append(float(text))  # inf, which is no literal
    candidates.append(text)
    default, kind = definition.settings[name], definition.types.get(name)
    if isinstance(default, str) or kind is str:
        candidates.reverse()
    for value in candidates:
        if types.setting_text(value) == text and (
            kind is None or value == default or types.allows(kind, value)
        ):
            return value
    if text.startswith("sha256-") or any(mark in text for mark in "(<"):
        raise InputError(
            f"the signature names {name}:{text}, which a line of text cannot bring back: "
            f"pass `dm.Metric({definition.name!r}, {name}=...)` in Python"
        )
    raise InputError(f"`{name}` must be {types.described(kind)}, got {text!r}")
