"""Whether a run can begin in a folder, or its checkpoint comes from the run that is to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from disentangle_metrics import InputError
from reference_models.trained import checkpoints
from reference_models.training.settings import DECISIVE, Settings


def check_same_run(last: Path, description: Mapping[str, Any]) -> None:
    """Raise InputError unless the checkpoint `last` comes from the run that is described, and can go on.

    A run cannot go on to fewer steps than it has taken.
    """
    if not last.exists():
        raise InputError(f"there is nothing to resume: {last} does not exist")
    saved = checkpoints.read_description(last)

    def facts(of: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(of.get("settings"), dict):
            raise InputError(f"{last} does not say the settings of its run")
        settings = asdict(Settings()) | of["settings"]  # an older checkpoint may lack some
        decisive = {name: settings[name] for name in DECISIVE}
        return {"model": of["architecture"], "dataset": of["dataset"]} | dict(of["arguments"]) | decisive

    before, now = facts(saved), facts(description)
    changed = [
        f"{k} {before.get(k)!r} -> {now.get(k)!r}"
        for k in {**before, **now}
        if plain(before.get(k)) != plain(now.get(k))
    ]
    if changed:
        advice = "resume it as it was started"
        if untrained(last):
            advice = "it has taken no step: start this one in its place, without resuming"
        raise InputError(f"{last} is another run ({'; '.join(changed)}); {advice}")
    steps = description["settings"]["steps"]
    if saved["step"] > steps:
        raise InputError(
            f"{last} has taken {saved['step']} steps, and steps is {steps}; resume it with at least as many "
            "as it has taken, or train another run"
        )


def check_no_run(folder: Path, description: Mapping[str, Any]) -> None:
    """Raise InputError if the folder holds a run, or what is left of one that cannot go on.

    One that has taken no step may be begun anew, with other settings too: it may have failed by its own.
    """
    last = folder / "last.safetensors"
    if last.exists() and not untrained(last):
        try:
            check_same_run(last, description)
        except InputError as error:
            raise InputError(
                f"{folder} already holds a run; choose another folder for this one, since {error}"
            ) from error
        raise InputError(f"{folder} already holds a run; resume it, or choose another folder")
    weights = kept_weights(folder)
    if weights:
        raise InputError(
            f"{folder} already holds {weights[0].name} of a run, which cannot go on without its "
            "last.safetensors; choose another folder"
        )


def kept_weights(folder: Path) -> list[Path]:
    """The weights alone, at the end of a run and of its stages."""
    return [*folder.glob("model.safetensors"), *sorted(folder.glob("step-*.safetensors"))]


def untrained(last: Path) -> bool:
    """Whether the run of a checkpoint has taken no step, as far as its folder shows."""
    try:
        taken = checkpoints.read_description(last)["step"]
    except InputError:
        return False
    logs = (last.with_name(f"{name}.jsonl") for name in ("log", "scores"))
    return not (
        taken or kept_weights(last.parent) or any(log.exists() and log.stat().st_size for log in logs)
    )


def plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value
