"""Small machines that the toolkit, its models and plug-ins share, so that nobody writes them again.

Public: these names do not drift. Everything is resolved on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from disentangle_metrics.kit.arrays import gaussian_kl as gaussian_kl
    from disentangle_metrics.kit.arrays import network_input as network_input
    from disentangle_metrics.kit.commands import run_command as run_command
    from disentangle_metrics.kit.commands import run_supervised as run_supervised
    from disentangle_metrics.kit.entries import own_first as own_first
    from disentangle_metrics.kit.files import remove_unfinished as remove_unfinished
    from disentangle_metrics.kit.files import same_file as same_file
    from disentangle_metrics.kit.files import whole_file as whole_file
    from disentangle_metrics.kit.files import write_whole as write_whole
    from disentangle_metrics.kit.given_once import OnceCommand as OnceCommand
    from disentangle_metrics.kit.given_once import OnceGroup as OnceGroup
    from disentangle_metrics.kit.installing import install_line as install_line
    from disentangle_metrics.kit.limits import limited as limited
    from disentangle_metrics.kit.limits import reading as reading
    from disentangle_metrics.kit.limits import refuse_growth as refuse_growth
    from disentangle_metrics.kit.many_tests import holm as holm
    from disentangle_metrics.kit.near_names import did_you_mean as did_you_mean
    from disentangle_metrics.kit.precision import full_float32 as full_float32
    from disentangle_metrics.kit.progress import LateProgress as LateProgress
    from disentangle_metrics.kit.starting import start as start
    from disentangle_metrics.kit.workers import end_with as end_with

_WHERE = {
    "LateProgress": "progress",
    "OnceCommand": "given_once",
    "OnceGroup": "given_once",
    "did_you_mean": "near_names",
    "end_with": "workers",
    "full_float32": "precision",
    "gaussian_kl": "arrays",
    "holm": "many_tests",
    "install_line": "installing",
    "limited": "limits",
    "network_input": "arrays",
    "own_first": "entries",
    "reading": "limits",
    "refuse_growth": "limits",
    "remove_unfinished": "files",
    "run_command": "commands",
    "run_supervised": "commands",
    "same_file": "files",
    "start": "starting",
    "whole_file": "files",
    "write_whole": "files",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
