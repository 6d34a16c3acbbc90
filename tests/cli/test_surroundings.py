"""dm-eval where things are not as usual: full or closed outputs, odd names, no home, no folder, other Pythons."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="as POSIX systems are")
slow = pytest.mark.slow  # each starts Python; one of a kind is in the default run


@pytest.fixture
def here(tmp_path: Path) -> Path:
    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(50, 2)))
    return tmp_path


def shell(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell gives for a line in which DM is the command."""
    command = f"{sys.executable} -m disentangle_metrics"
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(
        ["bash", "-c", line.replace("DM", command)], cwd=folder, capture_output=True, env=settings
    )


FULL = b"dm-eval: failed: the output cannot be written: No space left on device\n"
CLOSED = b"dm-eval: failed: the output cannot be written: standard output is closed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        pytest.param("DM --latents z.npy --quiet > /dev/full", 1, FULL, marks=slow),
        ("DM --latents z.npy --quiet --json - > /dev/full", 1, FULL),
        pytest.param("DM --latents z.npy --quiet --format csv > /dev/full", 1, FULL, marks=slow),
        ("DM --version > /dev/full", 1, FULL),
        pytest.param("DM --list > /dev/full", 1, FULL, marks=slow),
        ("DM --latents z.npy --quiet >&-", 1, CLOSED),
        pytest.param("DM --latents z.npy --quiet --json r.json >&-; cat r.json | head -c 1", 0, CLOSED, marks=slow),
        pytest.param("DM --latents z.npy --quiet --json - | head -c 1; exit ${PIPESTATUS[0]}", 0, b"", marks=slow),
        ("DM --help | head -c 1; exit ${PIPESTATUS[0]}", 0, b""),
        pytest.param("DM --list | true; exit ${PIPESTATUS[0]}", 0, b"", marks=slow),
        pytest.param("DM --latents z.npy 2> /dev/full > out.txt", 0, b"", marks=slow),
        pytest.param("DM --latents z.npy 2>&- > out.txt", 0, b"", marks=slow),
        pytest.param("DM --latents nothing 2>&-", 2, b"", marks=slow),
        pytest.param("DM --latents z.npy --quiet <&- > out.txt", 0, b"", marks=slow),
        ("ulimit -f 0; DM --latents z.npy --quiet --json r.json > /dev/null", 1, b"dm-eval: failed: cannot write r.json: File too large\n"),
    ],
)  # fmt: skip
def test_an_output_that_cannot_be_written(line: str, code: int, said: bytes, here: Path) -> None:
    ended = shell(line, here)
    assert (ended.returncode, ended.stderr) == (code, said)
    assert not list(here.glob(".*"))


def test_names_that_a_file_system_takes(here: Path) -> None:
    """Of 250 characters, or not UTF-8."""
    long, odd = "x" * 245 + ".json", os.fsdecode(b"\xff\xfe.json")
    (here / os.fsdecode(b"\xffz.npy")).write_bytes((here / "z.npy").read_bytes())
    for name, written in ((long, long), (odd, "$'\\xff\\xfe.json'")):
        ended = shell(f"DM --latents $'\\xffz.npy' --quiet --json {written} > /dev/null", here)
        assert (ended.returncode, ended.stderr) == (0, b"")
        values = json.loads((here / name).read_bytes())
        assert values["provenance"]["latents"]["path"] == "\udcffz.npy"
    ended = shell("DM --latents $'\\xff\\x1bnone'", here)
    assert ended.stderr == b"dm-eval: error: --latents: no such file: \\udcff\\x1bnone\n"


@slow
@pytest.mark.parametrize("home", ["/nonexistent", "/proc", ""])
def test_a_home_that_is_not_there(home: str, here: Path) -> None:
    assert shell("DM --latents z.npy --quiet --html p.html", here, HOME=home).returncode == 0
    ended = shell("unset HOME; DM --latents '~nobody-of-this-name/z.npy'", here)
    assert ended.returncode == 2
    assert ended.stderr == b"dm-eval: error: --latents: no such file: ~nobody-of-this-name/z.npy\n"


@slow
def test_a_folder_that_is_deleted_meanwhile(here: Path) -> None:
    line = "mkdir gone; cd gone; rmdir ../gone; DM {}"
    assert shell(line.format(f"--latents {here}/z.npy --quiet"), here).returncode == 0
    ended = shell(line.format(f"{here}/w.pt --dataset sprites --model-code a:b"), here)
    assert ended.returncode == 2
    assert ended.stderr == b"dm-eval: error: the current folder has been deleted; change into another one\n"


def test_python_m_and_optimised_python(here: Path) -> None:
    explained = shell("DM --explain mig", here).stdout
    for optimised in ("1", "2"):
        assert shell("DM --explain mig", here, PYTHONOPTIMIZE=optimised).stdout == explained
    for module in ("disentangle_metrics", "disentangle_metrics.cli.evaluate"):
        ended = subprocess.run(
            [sys.executable, "-m", module, "--version"], capture_output=True, text=True, cwd=ROOT
        )
        assert ended.stdout.startswith("dm-eval ")


@slow
@pytest.mark.parametrize("encoding", ["ascii", "latin1", "cp1252", "utf-16"])
def test_an_output_of_another_encoding(encoding: str, here: Path) -> None:
    ended = shell("DM --latents z.npy --quiet --json - --seed 0", here, PYTHONIOENCODING=encoding)
    assert ended.returncode == 0
    assert json.loads(ended.stdout.decode("utf-8"))["format"] == 1


CODE = {
    "exits": ("raise SystemExit(0)", "cannot be imported: SystemExit: 0"),
    "exits_inside": ("import sys\ndef build(): sys.exit(0)", "failed when called without arguments: SystemExit: 0"),
    "other": ("class E(BaseException): pass\ndef build(): raise E", "failed when called without arguments: E"),
    "ends": ("import os\ndef build(): os._exit(0)", "something that was called ended the process with code 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["exits", *(pytest.param(name, marks=slow) for name in list(CODE)[1:])])
def test_code_that_exits_is_an_error(name: str, here: Path) -> None:
    torch: Any = pytest.importorskip("torch")
    torch.save({"a": torch.zeros(2)}, here / "w.pt")
    (here / f"{name}.py").write_text(CODE[name][0])
    ended = shell(f"DM w.pt --dataset sprites --model-code {name}.py:build", here)
    assert ended.returncode == (1 if name == "ends" else 2)
    assert CODE[name][1] in ended.stderr.decode()
    assert ended.stderr.count(b"\n") == 1
