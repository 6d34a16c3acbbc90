"""One try: start a command in a folder, stop it at a random moment, look at what is there, and go on with it."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.faults.subjects import SUBJECTS, Subject

ROOT = Path(__file__).parents[2]
SIGNALS = {"kill -9": signal.SIGKILL, "Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}
DISK = "full disk"
FAULTS = (*SIGNALS, DISK)
WAITING = 0.06  # seconds that a file takes to get to the disk here, so that some tries hit it
ENDING = 30.0  # seconds that a command and its workers may take to end
ENOUGH = 2**30  # bytes of a disk on which everything fits
EXECUTED = 0.25  # share of the signals for which Python is started too, and may be loading libraries
IN_A_FILE = 0.7  # share of the others that come while a file is written
CODES = {"kill -9": {-signal.SIGKILL}, "Ctrl-C": {130}, "SIGTERM": {130, 143}, DISK: {1}}
ALONE = {
    "Ctrl-C": -signal.SIGINT,
    "SIGTERM": -signal.SIGTERM,
}  # before Python has begun, or after it has ended
CONSOLE = {  # what the console scripts do; the plan of a comparison is that of these tests
    "dm-train": "from reference_models.cli import dm_train as main",
    "dm-eval": "from disentangle_metrics.cli import dm_eval as main",
    "dm-reproduce": """
import os
def main():
    try:
        from tests.faults.subjects import patch_plan
        patch_plan()
        from reference_models.cli import dm_reproduce
        dm_reproduce()
    except KeyboardInterrupt:
        print("dm-reproduce: interrupted", file=sys.stderr)
        os._exit(130)""",
}
UNBEGUN = "Fatal Python error: init_"  # a signal that comes while Python itself starts
BEGUN = "starting.py"  # of a traceback: before, Python alone answers Ctrl-C


@dataclass
class Tried:
    """How one try went; `problem` is empty if all was as it must be."""

    subject: str
    fault: str
    number: int
    moment: str
    code: int = 0
    said: str = ""
    problem: str = ""
    hit: bool = False  # whether the fault came before the command had ended


@dataclass
class Place:
    """A folder for tries, with the inputs beside it, and what an uninterrupted command leaves."""

    folder: Path
    on_disk: bool  # whether a disk of a limited size may be mounted
    wanted: dict[str, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    starting: float = 0.0  # seconds until Python has the libraries

    def measure(self, subject: Subject) -> None:
        """Run the command undisturbed: once so that this process has all it loads, once for its time."""
        if subject.title in self.wanted:
            return
        with (
            self.empty() as place,
            contextlib.chdir(place),
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            subject.warm_up()
        with self.empty() as place:
            began = time.monotonic()
            code, said = forked(subject, subject.begin, place).end()
            self.seconds[subject.title] = time.monotonic() - began
            if code:
                raise AssertionError(f"{subject.title} undisturbed ended with {code}: {said}")
            self.wanted[subject.title] = subject.outcome(place)
            self.bytes[subject.title] = sum(f.stat().st_size for f in place.rglob("*") if f.is_file())

    def empty(self) -> tempfile.TemporaryDirectory[str] | Any:
        """An empty folder to work in."""
        return _Emptied(self.folder / "at")


class _Emptied:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Path:
        self.folder.mkdir()
        return self.folder

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.folder)


class Started:
    """A process that leads a session of its own, and what it has said on stderr."""

    def __init__(self, number: int, folder: Path, writing: int = -1) -> None:
        self.number, self.errors, self.writing = number, folder.parent / "errors", writing
        self.began = time.monotonic()

    def wait_for_writing(self, times: int) -> bool:
        """Whether it has begun to put a file on the disk so many times; False if it ended before."""
        for _ in range(times):
            if not select.select([self.writing], [], [], 120)[0] or not os.read(self.writing, 1):
                return False
        return True

    def signal(self, number: int) -> bool:
        """Send a signal; whether it was there to get it."""
        try:
            ended = os.waitid(os.P_PID, self.number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                os.kill(self.number, number)
            return ended is None
        except ProcessLookupError:
            return False

    def end(self, within: float = 240.0) -> tuple[int, str]:
        """Its exit code, and what it said. Ends what is left of its session, and raises if anything is."""
        until = time.monotonic() + within
        try:
            while not (ended := os.waitpid(self.number, os.WNOHANG))[0]:
                if time.monotonic() > until:
                    raise AssertionError(f"it has not ended after {within:.0f} s")
                time.sleep(0.01)
            until = time.monotonic() + ENDING
            while left := members(self.number):
                if time.monotonic() > until:
                    raise AssertionError(f"processes are left: {left}")
                time.sleep(0.05)
        finally:
            for process in members(self.number):
                os.kill(process, signal.SIGKILL)
            if self.writing >= 0:
                os.close(self.writing)
        return os.waitstatus_to_exitcode(ended[1]), self.errors.read_text(encoding="utf-8", errors="replace")


def members(session: int) -> list[int]:
    """The living processes of a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def forked(
    subject: Subject, arguments: tuple[str, ...], folder: Path, *, slow: bool = False, limit: int = 0
) -> Started:
    """The command in a fork of this process, which has the libraries already."""
    heard, told = os.pipe()
    child = os.fork()
    if child:
        os.close(told)
        return Started(child, folder, heard)
    code = 70
    try:  # whatever happens, this process does not go on as the one that tries
        os.setsid()
        os.chdir(folder)
        os.close(heard)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.environ["PYTHONWARNINGS"] = "ignore"  # of workers; a few rows are scored here
        output = os.open(os.devnull, os.O_WRONLY)
        errors = os.open(folder.parent / "errors", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        if slow:
            _slow_disk(told)
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        subject.run(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 71
    except BaseException:
        import traceback

        os.write(2, traceback.format_exc().encode())
        code = 72
    finally:
        os._exit(code)


def _slow_disk(told: int) -> None:
    """Tell of each file that is about to be on the disk, and take a while over it."""
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        os.write(told, b".")
        time.sleep(WAITING)
        fsync(descriptor)

    os.fsync = slow


def executed(subject: Subject, arguments: tuple[str, ...], folder: Path) -> Started:
    """The command as a shell starts it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    with (folder.parent / "errors").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", f"import sys\n{CONSOLE[subject.name]}\nsys.exit(main())", *arguments],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
        )  # fmt: skip
    process.returncode = 0  # waited for by its number
    return Started(process.pid, folder)


def attempt(place: Place, subject: Subject, fault: str, number: int, seed: int) -> Tried:
    """Try one fault on one command. Everything random comes from `seed` and the number of the try."""
    rng = np.random.default_rng([seed, number, list(SUBJECTS).index(subject.title), FAULTS.index(fault)])
    place.measure(subject)
    with place.empty() as folder:
        disk = Disk(folder, place, subject, rng) if fault == DISK else None
        try:
            tried = _stopped(place, subject, fault, number, rng, folder, disk)
            if disk is not None:
                disk.give_room()
            if not tried.problem:
                tried.problem = _gone_on(place, subject, tried, folder)
        finally:
            if disk is not None:
                disk.end()
    return tried


def _stopped(
    place: Place,
    subject: Subject,
    fault: str,
    number: int,
    rng: np.random.Generator,
    folder: Path,
    disk: Disk | None,
) -> Tried:
    """Start the command, let the fault happen, and look at what is there then."""
    if disk is not None:
        process = forked(subject, subject.begin, folder, limit=disk.limit)
        tried = Tried(subject.title, fault, number, disk.moment, hit=True)
    elif rng.random() < EXECUTED:
        moment = rng.uniform(0, place.starting + place.seconds[subject.title])
        process = executed(subject, subject.begin, folder)
        tried = Tried(subject.title, fault, number, f"{moment:.2f} s after Python was started")
        time.sleep(moment)
        tried.hit = process.signal(SIGNALS[fault])
    else:
        process = forked(subject, subject.begin, folder, slow=True)
        if subject.writes and rng.random() < IN_A_FILE:
            writes, moment = int(rng.integers(1, subject.writes + 1)), rng.uniform(0, WAITING)
            tried = Tried(subject.title, fault, number, f"{1000 * moment:.0f} ms into writing file {writes}")
            process.wait_for_writing(writes)
        else:
            moment = rng.uniform(0, place.seconds[subject.title])
            tried = Tried(subject.title, fault, number, f"{moment:.2f} s after it began")
        time.sleep(moment)
        tried.hit = process.signal(SIGNALS[fault])
    try:
        tried.code, tried.said = process.end()
        tried.problem = _wrong_end(subject, fault, tried)
        subject.partial(folder)
        left = sorted(path.name for path in folder.rglob(".*"))
        if left and fault != "kill -9" and not tried.problem:
            tried.problem = f"{left} are left"
    except Exception as error:
        tried.problem = tried.problem or f"{type(error).__name__}: {error}"
    return tried


def _wrong_end(subject: Subject, fault: str, tried: Tried) -> str:
    """What is wrong with the exit code or the line on stderr; empty if nothing is."""
    if tried.code == 0:  # it had done its work
        return f"it said {tried.said!r}" if tried.said else ""
    by_python = tried.code == ALONE.get(fault) or (fault in ALONE and UNBEGUN in tried.said)
    if by_python and BEGUN not in tried.said:
        return ""
    if tried.code not in CODES[fault]:
        return f"exit code {tried.code}, {tried.said[-600:]!r}"
    if fault == "kill -9":
        return f"it said {tried.said!r}" if tried.said else ""
    # Of several runs each that failed has a line, and then the command one.
    lines = 1 + (subject.runs + 1 if subject.runs > 1 else 0)
    if not re.fullmatch(rf"(?:[^\n]+\n){{1,{lines}}}", tried.said) or "Traceback" in tried.said:
        return f"it said {tried.said!r}"
    return ""


def _gone_on(place: Place, subject: Subject, tried: Tried, folder: Path) -> str:
    """What is wrong after the command has gone on from what was left; empty if nothing is."""
    for left in folder.rglob(".*"):  # as if some seconds had passed
        os.utime(left, (time.time() - 10, time.time() - 10))
    try:
        code, said = forked(subject, subject.again(folder), folder).end()
        if code:
            return f"going on ended with {code}: {said[-600:]!r}"
        if left := sorted(path.name for path in folder.rglob(".*")):
            return f"{left} are left after it went on"
        found = subject.outcome(folder)
    except Exception as error:
        return f"going on: {type(error).__name__}: {error}"
    return difference(found, place.wanted[subject.title])


def difference(found: Any, wanted: Any, where: str = "the result") -> str:
    """Where two outcomes differ first; empty if they are alike to the last bit."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        if found.keys() != wanted.keys():
            return f"{where} has {sorted(found.keys() ^ wanted.keys())} on one side alone"
        different = (difference(found[name], wanted[name], f"{where}, {name}") for name in found)
        return next(filter(None, different), "")
    if isinstance(found, list) and isinstance(wanted, list) and len(found) == len(wanted):
        pairs = enumerate(zip(found, wanted, strict=True))
        return next(filter(None, (difference(a, b, f"{where}[{i}]") for i, (a, b) in pairs)), "")
    if found == wanted:
        return ""
    shown = "" if isinstance(found, bytes) else f": {str(found)[:200]} for {str(wanted)[:200]}"
    return f"{where} differs{shown}"


class Disk:
    """A disk that gets full: a mounted one of a limited size, or a limit on the size of each file."""

    def __init__(self, folder: Path, place: Place, subject: Subject, rng: np.random.Generator) -> None:
        self.folder, self.mounted = folder, place.on_disk
        size = int(rng.uniform(0, 1.1) * place.bytes[subject.title])
        largest = int(2 ** rng.uniform(4, np.log2(place.bytes[subject.title])))
        self.limit = 0 if self.mounted else largest
        self.moment = f"a disk of {size:,} bytes" if self.mounted else f"files of at most {largest:,} bytes"
        if self.mounted:
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={max(size, 4096)}", "full", folder], check=True
            )

    def give_room(self) -> None:
        """Let everything fit from now on."""
        if self.mounted:
            subprocess.run(["mount", "-o", f"remount,size={ENOUGH}", self.folder], check=True)

    def end(self) -> None:
        """Take the disk away."""
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.folder], check=True)
