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
        raise InputError(f"{last} is another run ({'; '.join(changed)}); resume it as it was started")
    steps = description["settings"]["steps"]
    if saved["step"] > steps:
        raise InputError(
            f"{last} has taken {saved['step']} steps, and steps is {steps}; resume it with at least as many "
            "as it has taken, or train another run"
        )


def check_no_run(folder: Path) -> None:
    """Raise InputError if the folder holds a run, or what is left of one that cannot go on."""
    if (folder / "last.safetensors").exists():
        raise InputError(f"{folder} already holds a run; resume it, or choose another folder")
    weights = [*folder.glob("model.safetensors"), *sorted(folder.glob("step-*.safetensors"))]
    if weights:
        raise InputError(
            f"{folder} already holds {weights[0].name} of a run, which cannot go on without its "
            "last.safetensors; choose another folder"
        )


def plain(value: Any) -> Any:
    """A value as JSON gives it back."""
    return list(value) if isinstance(value, tuple) else value
