"""Write ``disentangle_metrics/__init__.pyi``, what type checkers and editors see of the lazy package.

The package resolves its names on first use, and makes ``dm.mig`` and its siblings from the metrics'
definitions; this file spells them out. Run ``python -m tools.public_stub`` after adding a public
name or a setting; a test compares.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import disentangle_metrics as dm
from disentangle_metrics import settings
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.scoring.functions import arguments, common_options
from tools.made_file import deliver

TARGET = Path(dm.__file__).with_suffix(".pyi")

HEAD = '''\
"""Made by tools/public_stub.py from the running package; do not edit."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

'''

TYPING = ("Annotated", "Any", "Literal", "Mapping")

COMMON = {
    "protocol": 'str = "default"',
    "factor_names": "Iterable[str] | None = None",
    "factor_types": "Iterable[str] | Mapping[str, str] | None = None",
    "latent_names": "Iterable[str] | None = None",
    "latent_types": "Iterable[str] | Mapping[str, str] | None = None",
    "hierarchy": "Mapping[str, tuple[str, Any]] | None = None",
    "groups": "Mapping[str, Iterable[int | str]] | None = None",
    "missing": 'Literal["raise", "drop"] = "raise"',
    "seed": "int = 0",
    "n_jobs": "int | None = 1",
    "confidence": "float | None = None",
    "replicates": "int | None = None",
    "anchors": 'bool | Literal["all"] = False',
    "permutations": "int | None = None",
}


def stub() -> str:
    """The text of the stub."""
    functions = "".join(_function(name) for name in dm._METRICS)
    types = [name for name in vars(settings) if name[0].isupper() and name not in TYPING]
    used = sorted(name for name in types if re.search(rf"\b{name}\(?", functions))
    lines = [f"{HEAD}from disentangle_metrics.settings import {', '.join(used)}"]
    lines.append("from disentangle_metrics.version import __version__ as __version__")
    imports = sorted((f"disentangle_metrics.{module}", name) for name, module in dm._WHERE.items())
    lines += [f"from {module} import {name} as {name}" for module, name in imports]
    lines += [f"from disentangle_metrics import {name} as {name}" for name in dm._MODULES]
    return "\n".join(lines) + "\n" + functions


def _function(name: str) -> str:
    definition = find_metric(name)
    parameters = inspect.signature(definition.compute).parameters
    lines = [f"{array}: Any" for array in arguments(definition)] + ["*"]
    lines += [
        f"{setting}: {parameters[setting].annotation} = {_literal(default)}"
        for setting, default in definition.settings.items()
    ]
    lines += [f"{option}: {COMMON[option]}" for option in common_options(definition)]
    result = "Report" if len(definition.keys) > 1 else "Score"
    return f"\ndef {name}(\n" + "".join(f"    {line},\n" for line in lines) + f") -> {result}: ...\n"


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    deliver(TARGET, stub())
