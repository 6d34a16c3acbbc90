"""Stop commands at random moments: ``python -m tests.faults --tries 20 --seed 0``.

Each command is stopped by kill -9, Ctrl-C, SIGTERM and a full disk. Then it goes on, and must give the bits
of a run that was never stopped. Where this process may mount a disk, the full disk is a small one that is
mounted for this process alone; elsewhere no file may be larger than a limit.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from tests.faults.subjects import SUBJECTS, make_inputs
from tests.faults.tries import FAULTS, Place, Tried, attempt, executed

CLONE_NEWNS = 0x00020000


def own_mounts() -> bool:
    """Let mounts be seen by this process and its children alone; False where it may not mount."""
    try:
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
            return False
        subprocess.run(["mount", "--make-rprivate", "/"], check=True, capture_output=True)
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["mount", "-t", "tmpfs", "full", folder], check=True, capture_output=True)
            subprocess.run(["umount", folder], check=True, capture_output=True)
    except (OSError, AttributeError, subprocess.CalledProcessError):
        return False
    return True


def load_libraries() -> None:
    """Import what the commands import, so that a fork of this process need not."""
    import torch

    torch.set_num_threads(1)
    import sklearn.ensemble  # noqa: F401


def main() -> int:
    """Try, print how each try went, and then a table; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--tries", type=int, default=20, help="of each fault on each command")
    parser.add_argument("--first", type=int, default=0, help="number of the first try")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--commands", nargs="*", default=list(SUBJECTS), choices=list(SUBJECTS))
    parser.add_argument("--faults", nargs="*", default=list(FAULTS), choices=list(FAULTS))
    parser.add_argument("--limit-files", action="store_true", help="do not mount a disk")
    parser.add_argument("--rows", type=Path, help="append how each try went to this file of JSON lines")
    given = parser.parse_args()
    on_disk = not given.limit_files and own_mounts()
    load_libraries()
    tried: list[Tried] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as name:
        place = Place(Path(name), on_disk)
        make_inputs(place.folder)
        began = time.monotonic()
        with place.empty() as folder:
            executed(SUBJECTS["dm-train"], ("list",), folder).end()
        place.starting = time.monotonic() - began
        for title in given.commands:
            for number in range(given.first, given.first + given.tries):
                for fault in given.faults:
                    tried.append(attempt(place, SUBJECTS[title], fault, number, given.seed))
                    show(tried[-1], given.rows)
    print(f"\nfull disk: {'a disk of limited size, mounted' if on_disk else 'no file larger than a limit'}")
    for title in given.commands:
        for fault in given.faults:
            of_both = [one for one in tried if (one.subject, one.fault) == (title, fault)]
            codes = Counter(one.code for one in of_both)
            failed = sum(bool(one.problem) for one in of_both)
            print(
                f"{title}, {fault}: {len(of_both)} tries, {failed} failed; exit codes {dict(sorted(codes.items()))}"
            )
    return int(any(one.problem for one in tried))


def show(one: Tried, rows: Path | None) -> None:
    """Print a line for a try, and keep it."""
    end = f"FAILED: {one.problem}" if one.problem else f"exit code {one.code} {one.said.strip()[:120]!r}"
    print(f"{one.subject}, {one.fault}, try {one.number}, {one.moment}: {end}", flush=True)
    if rows is not None:
        with rows.open("a") as file:
            file.write(json.dumps(asdict(one)) + "\n")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
