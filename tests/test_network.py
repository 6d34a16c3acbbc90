"""Nothing touches the network, unless the file of a published data set is to be fetched.

The guard holds for every test of the suite (conftest.py). Here it also holds in commands of their own, and
the system's own list of calls shows what compiled libraries do.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm
from tests.network_guard import NetworkUsed

ROOT = Path(__file__).parents[1]
GUARDED = """
import sys
from tests import network_guard
network_guard.install()
from {module} import main
main()
"""
EVAL, TRAIN = "disentangle_metrics.cli.evaluate", "reference_models.cli.train"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Arrays, and an ONNX model where its package is."""
    folder = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 4, (200, 2))
    np.save(folder / "z.npy", factors + rng.normal(size=(200, 2)) * 0.1)
    np.save(folder / "v.npy", factors)
    return folder


def command(module: str, arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", GUARDED.format(module=module), *arguments.split()],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


COMMANDS = [
    (EVAL, "--version"),
    (EVAL, "--list"),
    (
        EVAL,
        "--latents z.npy --factors v.npy --metrics mig,dci --json r.json --csv r.csv --html r.html --cite",
    ),
    (EVAL, "beta-vae-sprites --dataset sprites --samples 64 --metrics mig"),
    (EVAL, "nothing --dataset dsprites --root nowhere.npz"),
    (TRAIN, "list"),
]


@pytest.mark.parametrize(("module", "arguments"), COMMANDS, ids=[arguments for _, arguments in COMMANDS])
def test_a_command_touches_no_network(module: str, arguments: str, folder: Path) -> None:
    ended = command(module, arguments, folder)
    assert "network used" not in ended.stderr
    assert ended.returncode == (2 if "nothing" in arguments else 0), ended.stderr


def test_the_guard_sees_what_is_fetched(tmp_path: Path) -> None:
    """A data set that others publish, and that is not there, is what the network is for."""
    ended = command(EVAL, f"beta-vae-sprites --dataset dsprites --root {tmp_path} --samples 10", tmp_path)
    assert "network used: socket.getaddrinfo github.com" in ended.stderr
    assert ended.returncode != 0


def test_the_guard_holds_in_every_test(tmp_path: Path) -> None:
    with pytest.raises(NetworkUsed):
        socket.create_connection(("example.org", 80), timeout=1)
    with pytest.raises(NetworkUsed):
        socket.getaddrinfo("example.org", 80)
    with pytest.raises(NetworkUsed):
        dm.load_dataset("dsprites", root=tmp_path)


def onnx_file(path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    from tests.hostile.graphs import FLAT, model

    path.write_bytes(model([FLAT, onnx.helper.make_node("Identity", ["f"], ["y"])]))


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_no_compiled_library_opens_a_connection_or_keeps_an_identifier(tmp_path: Path) -> None:
    """ONNX Runtime's telemetry writes into the user's cache, and asks the network later."""
    onnx_file(tmp_path / "m.onnx")
    (tmp_path / "home").mkdir()
    (tmp_path / "temporary").mkdir()
    program = (
        "import sys, time; from pathlib import Path; import numpy as np\n"
        "from disentangle_metrics.encoders import load_encoder\n"
        "load_encoder('m.onnx')(np.zeros((2, 1, 8, 8), np.float32)); time.sleep(2)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "GITHUB_ACTIONS")}
    environment |= {
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
        "PYTHONPATH": str(ROOT),
    }
    traced = ["strace", "-f", "-qq", "-e", "trace=connect", "-o", "calls.txt", sys.executable, "-c", program]
    subprocess.run(traced, cwd=tmp_path, env=environment, check=True)
    calls = (tmp_path / "calls.txt").read_text()
    assert not re.search(r"connect\(.*AF_INET", calls)
    assert not [
        file for place in ("home", "temporary") for file in (tmp_path / place).rglob("*") if file.is_file()
    ]
