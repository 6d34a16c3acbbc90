"""What a console script does before the command's libraries are there."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_while_a_library_is_loaded_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "heavy.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)"
    )
    # As at a terminal: a process that a script starts in the background may ignore Ctrl-C.
    terminal = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{terminal}; from disentangle_metrics.kit import start; start('dm-heavy', 'heavy')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr) == (130, "dm-heavy: interrupted\n")


@pytest.mark.parametrize("script", ["dm-eval", "dm-data", "disentangle-metrics", "dm-train", "dm-reproduce"])
def test_a_console_script_loads_nothing_heavy_before_it_can_be_interrupted(script: str) -> None:
    place = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"][script]
    module, _, function = place.partition(":")
    program = (
        f"import sys; from {module} import {function}; print(sorted({{'typer', 'numpy'}} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"
