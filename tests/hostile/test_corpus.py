"""Every hostile file ends in one line, in seconds and little memory; nothing it holds is run or written."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("h5py")
pytest.importorskip("pyarrow")

from disentangle_metrics.encoders import load_encoder
from disentangle_metrics.errors import InputError
from disentangle_metrics.files.arrays import read_array
from tests.hostile import arrays, graphs, tables, weights
from tests.hostile.cases import Case

SECONDS, GIGABYTE = 5.0, 10**9
FAMILIES = (
    arrays.array_files, arrays.archives, arrays.compressed, tables.texts, tables.jsons, tables.frames,
    weights.safetensors_files, weights.torch_files, weights.pickles, graphs.graphs,
)  # fmt: skip
SUPERVISED = list(graphs.endless())
IN_DEFAULT_RUN = ("onnx_endless", "onnx_twelve_gigabytes")  # the others of their kind take seconds each, too
ENDLESS = [
    pytest.param(case, marks=[] if case.name in IN_DEFAULT_RUN else [pytest.mark.slow]) for case in SUPERVISED
]
CASES = [case for family in FAMILIES for case in family()]


def test_there_are_enough_and_each_is_another() -> None:
    names = [case.name for case in [*CASES, *SUPERVISED]]
    assert len(names) == len(set(names))
    assert len(names) >= 200


@contextmanager
def little_memory() -> Iterator[None]:
    """Refuse memory that makes this process a gigabyte larger."""
    data = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (data + GIGABYTE, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def outcome(case: Case, path: Path) -> str:
    """The message of a refusal; empty if the file was read."""
    try:
        if case.reader == "model":
            encoder = load_encoder(path, device="cpu")
            encoder(np.zeros((4, 1, 8, 8), np.float32))
        else:
            read_array(f"{path}{case.option}", case.reader)
    except InputError as error:
        return str(error) or "an empty message"
    return ""


def check_message(message: str) -> None:
    assert len(message) <= 3000
    assert message.isprintable(), "control codes, or more than one line"
    assert "--trust-file" not in message


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited as Linux does")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file_is_refused_or_read(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / case.name
    case.make(path)
    before = sorted(tmp_path.iterdir())
    began = time.process_time()
    with little_memory():
        message = outcome(case, path)
    assert time.process_time() - began < SECONDS
    assert sorted(tmp_path.iterdir()) == before
    assert bool(message) == (case.outcome == "refused") or case.outcome == "either", message
    if message:
        check_message(message)
    assert "\x1b" not in "".join(capfd.readouterr())


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read as Linux tells it")
@pytest.mark.parametrize("case", ENDLESS, ids=lambda case: case.name)
def test_what_never_ends_is_ended(case: Case, tmp_path: Path) -> None:
    case.make(tmp_path / case.name)
    command = [sys.executable, "-c", COMMAND, case.name, "--dataset", "dots", "--samples", "40"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment(tmp_path))
    assert ended.returncode == 2, ended.stderr
    assert ended.stderr.count("\n") == 1
    check_message(ended.stderr.rstrip("\n"))
    seconds, most = map(float, ended.stdout.split())
    assert seconds < SECONDS + IMPORTS
    assert most < 1.1 * GIGABYTE


@pytest.mark.skipif(sys.platform != "linux", reason="memory is refused as Linux does")
@pytest.mark.parametrize("case", ENDLESS, ids=lambda case: case.name)
def test_what_never_ends_is_stopped_in_a_program(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DM_TIME_LIMIT", "0.1")
    case.make(tmp_path / case.name)
    began = time.monotonic()
    message = outcome(case, tmp_path / case.name)
    assert time.monotonic() - began < 4 * SECONDS
    assert message
    check_message(message)


IMPORTS = 4.0  # processor seconds that Python and the runtime take on a slow machine before they begin
COMMAND = """
import os, resource
import numpy as np
from disentangle_metrics.cli.evaluate import main
from disentangle_metrics.datasets import DATASETS, FactorDataset, FactorGrid
grid = FactorGrid(("a", "b"), (8, 8), ("ordinal", "ordinal"))
images = lambda rows: np.zeros((len(rows), 8, 8, 1), np.uint8)
DATASETS.add("dots", lambda root=None: FactorDataset("dots", grid, (8, 8, 1), images))
supervisor = os.getpid()
try:
    main()
finally:
    if os.getpid() == supervisor:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, flush=True)
"""


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "HOME": str(folder)}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name")
def test_what_is_no_file_is_refused_without_being_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "folder").mkdir()
    for path in ("pipe", "circle", "folder"):
        for case in (Case(path, lambda path: None), Case(path, lambda path: None, "model")):
            check_message(outcome(case, tmp_path / path) or "read")
            assert outcome(case, tmp_path / path)
    assert "device" in outcome(Case("zero", lambda path: None), Path("/dev/zero"))
    for name in ("a" * 300, "a/" * 3000, "a\0b"):
        assert outcome(Case("name", lambda path: None), tmp_path / name)
        assert outcome(Case("name", lambda path: None, "model"), tmp_path / name)


def test_ctrl_c_ends_a_model_that_never_ends(tmp_path: Path) -> None:
    SUPERVISED[0].make(tmp_path / "loop")
    command = [sys.executable, "-c", COMMAND, "loop", "--dataset", "dots", "--time-limit", "1000"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    )
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert process.stderr is not None
    assert process.stderr.read() == "dm-eval: interrupted\n"
