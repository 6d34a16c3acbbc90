"""Killed, interrupted, or on a full disk: a result is there whole or not at all, and nothing is left behind.

Training, sweeps and caches have such tests beside theirs (test_train.py, test_sweep.py, test_cached_rows.py).
"""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.datasets.storage.cached_rows import RowsKind, open_rows
from disentangle_metrics.kit import files

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
ROOT = Path(__file__).parents[1]
SLOW_DISK = """
import os, sys, time
real = os.fsync
def fsync(descriptor):
    print("writing", flush=True)
    time.sleep(0.2)
    real(descriptor)
os.fsync = fsync
"""
EVAL = SLOW_DISK + "from disentangle_metrics.cli.evaluate import main\nmain()\n"
ARGUMENTS = "--latents z.npy --factors v.npy --metrics mig --quiet --format json --json r.json --csv r.csv --html r.html"


def start(program: str, *arguments: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 4, (200, 2))
    np.save(tmp_path / "z.npy", factors + rng.normal(size=(200, 2)) * 0.1)
    np.save(tmp_path / "v.npy", factors)
    return tmp_path


def check_whole(folder: Path) -> list[str]:
    """The names of the results that are there, each of which is whole."""
    for file in folder.glob("r.*"):
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            assert set(json.loads(text)["scores"]) == {"mig"}
        elif file.suffix == ".csv":
            assert re.fullmatch(r"metric,[^\n]*\nmig,[^\n]*\n", text)
        else:
            assert text.endswith("</html>")
    return [file.name for file in folder.glob("r.*")]


def interrupt(number: int, folder: Path, rng: np.random.Generator) -> None:
    """Send a signal to dm-eval while it writes one of its three files; what was there stays whole."""
    began = time.monotonic()
    process = start(EVAL, *ARGUMENTS.split(), folder=folder)
    assert process.stdout is not None
    for _ in range(int(rng.integers(1, 4))):
        process.stdout.readline()
    time.sleep(rng.uniform(0, 0.25))
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    endings = {  # the last: between the end of its work and the end of its process
        signal.SIGINT: [(130, "dm-eval: interrupted\n"), (-signal.SIGINT, "")],
        signal.SIGTERM: [(143, "dm-eval: terminated\n"), (-signal.SIGTERM, "")],
        signal.SIGKILL: [(-signal.SIGKILL, "")],
    }
    assert (process.returncode, said) in [(0, ""), *endings[number]]  # it may have ended before
    check_whole(folder)
    if number != signal.SIGKILL:
        assert not list(folder.glob(".*"))
    assert time.monotonic() - began < 60


def check_that_the_next_run_cleans_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("r.json", "r.csv", "r.html"):
        for left in folder.glob(f".{name}.*"):
            os.utime(left, (time.time() - 10, time.time() - 10))
    process = start(EVAL, *ARGUMENTS.split(), folder=folder)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert sorted(check_whole(folder)) == ["r.csv", "r.html", "r.json"]
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_results_are_whole_after_a_signal(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(number, folder, np.random.default_rng(0))
    check_that_the_next_run_cleans_up(folder, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_results_are_whole_after_twenty_signals(
    number: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(number)
    for _ in range(20):
        interrupt(number, folder, rng)
    check_that_the_next_run_cleans_up(folder, monkeypatch)


def limited(limit: int, program: str) -> str:
    """The program where no file may be larger than so many bytes, as on a disk that is full by then."""
    return f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n{program}"


def fill(limit: int, folder: Path) -> int:
    """Run dm-eval where no file may be larger than so many bytes; its exit code."""
    process = start(limited(limit, EVAL), *ARGUMENTS.split(), folder=folder)
    _, said = process.communicate(timeout=60)
    if process.returncode:
        assert process.returncode == 1
        assert re.fullmatch(r"dm-eval: failed: cannot write r\.\w+: File too large\n", said)
    check_whole(folder)
    assert not list(folder.glob(".*"))
    return process.returncode


def test_a_full_disk_is_told_in_a_line(folder: Path) -> None:
    assert fill(100, folder) == 1


@pytest.mark.slow
def test_twenty_full_disks_are_told_in_a_line(folder: Path) -> None:
    codes = [fill(2**size, folder) for size in range(2, 22)]
    assert codes[0] == 1
    assert codes[-1] == 0


CACHE = (
    SLOW_DISK
    + """
from pathlib import Path
import numpy as np
from disentangle_metrics.datasets.storage.cached_rows import RowsKind, write_rows

def rows():
    for i in range(10):
        print("making", flush=True)
        time.sleep(0.02)
        yield np.full((10, 512), i, np.uint8)

write_rows(Path("rows.bits"), RowsKind("rows 1", 100, 512), rows, "rows")
"""
)
KIND = RowsKind("rows 1", 100, 512)


def check_cache(folder: Path) -> None:
    """The cache is not there, or is whole; it is taken away."""
    if (folder / "rows.bits").exists():
        assert open_rows(folder / "rows.bits", KIND).sum() == 512 * 10 * sum(range(10))
        (folder / "rows.bits").unlink()


def stop_a_maker(number: int, folder: Path, rng: np.random.Generator) -> None:
    """Send what makes a cache a signal, at any moment."""
    process = start(CACHE, folder=folder)
    assert process.stdout is not None
    for _ in range(int(rng.integers(0, 12))):
        process.stdout.readline()
    process.send_signal(number)
    process.communicate(timeout=60)
    check_cache(folder)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_cache_is_whole_after_twenty_signals(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        stop_a_maker(number, tmp_path, rng)
    monkeypatch.setattr(files, "LOCKED_AFTER", -1.0)
    both = [start(CACHE, folder=tmp_path) for _ in range(2)]  # two may make it at once
    for process in both:
        process.communicate(timeout=60)
        assert process.returncode == 0
    files.write_whole(tmp_path / "rows.bits", (tmp_path / "rows.bits").read_bytes())
    assert [file.name for file in tmp_path.iterdir()] == ["rows.bits"]
    assert open_rows(tmp_path / "rows.bits", KIND).sum() == 512 * 10 * sum(range(10))


@pytest.mark.slow
def test_a_cache_is_whole_after_twenty_full_disks(tmp_path: Path) -> None:
    codes = []
    for limit in np.random.default_rng(3).integers(1, 2 * 100 * 512, size=20):
        process = start(limited(limit, CACHE), folder=tmp_path)
        process.communicate(timeout=60)
        codes.append(process.returncode)
        assert (tmp_path / "rows.bits").exists() == (process.returncode == 0)
        check_cache(tmp_path)
        assert not list(tmp_path.iterdir())
    assert 0 < codes.count(0) < 20


def test_a_living_writer_keeps_its_unfinished_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that writes the same file meanwhile takes it for abandoned only when nobody has it."""
    monkeypatch.setattr(files, "LOCKED_AFTER", -1.0)
    path = tmp_path / "a.txt"
    with files.whole_file(path) as unfinished:
        program = "import sys; from pathlib import Path; from disentangle_metrics.kit import files; files.LOCKED_AFTER = -1.0; files.write_whole(Path('a.txt'), 'theirs')"
        assert start(program, folder=tmp_path).wait(60) == 0
        assert unfinished.exists()
        assert path.read_text() == "theirs"
        unfinished.write_text("mine")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


FETCH = """
import sys
from pathlib import Path
from disentangle_metrics.datasets.storage.published import PublishedFile, locate
locate(PublishedFile("pictures", "p.npz", sys.argv[1], "sha256", sys.argv[2], "the museum", "sketches"), Path("."))
"""


@pytest.fixture
def museum() -> Iterator[tuple[str, bytes]]:
    """Address and content of a file on a slow server."""
    content = np.random.default_rng(0).bytes(2**18)

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for place in range(0, len(content), 2**14):
                self.wfile.write(content[place : place + 2**14])
                time.sleep(0.02)

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/p.npz", content
        server.shutdown()


def check_download(folder: Path, content: bytes) -> None:
    """The file is not there, or is whole; it is taken away."""
    if (folder / "p.npz").exists():
        assert (folder / "p.npz").read_bytes() == content
        (folder / "p.npz").unlink()


def check_that_the_next_download_ends(folder: Path, url: str, content: bytes) -> None:
    for left in folder.glob(".*"):
        os.utime(left, (time.time() - 10, time.time() - 10))
    assert start(FETCH, url, hashlib.sha256(content).hexdigest(), folder=folder).wait(60) == 0
    assert (folder / "p.npz").read_bytes() == content
    assert [file.name for file in folder.iterdir()] == ["p.npz"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_download_is_whole_or_not_there_after_twenty_signals(
    number: int, tmp_path: Path, museum: tuple[str, bytes]
) -> None:
    url, content = museum
    rng = np.random.default_rng(1)
    for _ in range(20):
        process = start(FETCH, url, hashlib.sha256(content).hexdigest(), folder=tmp_path)
        time.sleep(rng.uniform(0.4, 1.2))
        process.send_signal(number)
        process.communicate(timeout=60)
        check_download(tmp_path, content)
    check_that_the_next_download_ends(tmp_path, url, content)


@pytest.mark.slow
def test_a_download_is_whole_or_not_there_after_twenty_full_disks(
    tmp_path: Path, museum: tuple[str, bytes]
) -> None:
    url, content = museum
    codes = []
    for limit in np.random.default_rng(4).integers(1, 2 * len(content), size=20):
        process = start(limited(limit, FETCH), url, hashlib.sha256(content).hexdigest(), folder=tmp_path)
        process.communicate(timeout=60)
        codes.append(process.returncode)
        assert (tmp_path / "p.npz").exists() == (process.returncode == 0)
        check_download(tmp_path, content)
    assert 0 < codes.count(0) < 20
    check_that_the_next_download_ends(tmp_path, url, content)
