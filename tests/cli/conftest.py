"""dm-eval run in this process, in a folder with some files."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.cli.evaluate import NAME, app
from disentangle_metrics.kit import run_command as run


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def err_lines(self) -> list[str]:
        return self.err.splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with latents z.npy that are near the factors v.csv."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 5, size=(300, 2))
    np.save("z.npy", factors + rng.normal(size=(300, 2)) * 0.1)
    np.savetxt("v.csv", factors, fmt="%d", delimiter=",", header="shape,scale", comments="")
    return tmp_path


@pytest.fixture
def dm_eval(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """dm-eval with a line of arguments."""

    def call(arguments: str) -> Result:
        code = run(app, NAME, arguments.split())
        return Result(code, *capsys.readouterr())

    return call
