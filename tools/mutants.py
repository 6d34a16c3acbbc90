"""Mutation testing by sample: small changes of the source at random places, and whether tests notice.

    python -m tools.mutants cover        # which tests reach which line, and how long each takes
    python -m tools.mutants run --sample 60 --seed 0 FOLDER ...

`cover` runs the suite once (it needs the package coverage) and keeps what it found in the folder
`--store`. `run` changes a copy of the repository, one place at a time, and runs the tests that reach the
line, the fastest first, until one fails. A mutant that makes them take far longer counts as killed too. Tests
beyond `--most` seconds of recorded time are not tried, so that a survivor may be one that slower tests kill.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tools.mutation_sites import Site, sites

ROOT = Path(__file__).parents[1]
PACKAGES = ("disentangle_metrics", "reference_models")


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant: "killed", "timeout", "survived" or "uncovered"."""

    file: str
    line: int
    old: str
    new: str
    outcome: str
    tests: int
    seconds: float
    by: str = ""


class Reached:
    """A plugin of pytest: which lines each test reaches, and how many seconds it takes."""

    def __init__(self, data: Path) -> None:
        import coverage

        self.coverage = coverage.Coverage(source=list(PACKAGES), data_file=str(data))
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        began = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - began
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:  # without any mutant
            self.seconds.pop(report.nodeid, None)
            self.failed.add(report.nodeid)

    def lines(self) -> dict[str, dict[str, list[str]]]:
        """For each file and line the tests that reach it."""
        data = self.coverage.get_data()
        return {
            Path(path).relative_to(ROOT).as_posix(): {
                str(line): [test for test in tests if test and test not in self.failed]
                for line, tests in data.contexts_by_lineno(path).items()
            }
            for path in data.measured_files()
        }


def cover(store: Path, arguments: list[str]) -> None:
    """Run the tests, and keep what each reaches and takes."""
    store.mkdir(parents=True, exist_ok=True)
    reached = Reached(store / "coverage")
    reached.coverage.start()
    pytest.main(["-q", *arguments], plugins=[reached])
    reached.coverage.stop()
    reached.coverage.save()
    (store / "reached.json").write_text(json.dumps({"lines": reached.lines(), "seconds": reached.seconds}))


def run(store: Path, folders: list[str], sample: int, seed: int, most: float) -> list[Verdict]:
    """Try `sample` mutants of the files in `folders`, drawn at random, and print each as it is decided."""
    reached = json.loads((store / "reached.json").read_text())
    lines, seconds = reached["lines"], reached["seconds"]
    places = [
        (path.relative_to(ROOT).as_posix(), site)
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        for site in sites(path.read_text(encoding="utf-8"))
    ]
    drawn = random.Random(seed).sample(places, min(sample, len(places)))
    verdicts = []
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "copy"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache"))
        for number, (file, site) in enumerate(drawn, 1):
            # A line that only an import reaches, such as a default, is reached by all tests of its file.
            tests = set(lines.get(file, {}).get(str(site.line), ())) or set().union(
                *lines.get(file, {}).values()
            )
            tests = sorted(tests, key=seconds.__getitem__)
            verdict = _try(copy, file, site, _within(tests, seconds, most), seconds)
            verdicts.append(verdict)
            change = f"{file}:{site.line} {site.old!r} -> {site.new!r}"
            print(f"{number}/{len(drawn)} {verdict.outcome:9} {change} {verdict.by}", flush=True)
    return verdicts


def _within(tests: list[str], seconds: dict[str, float], most: float) -> list[str]:
    kept, spent = [], 0.0
    for test in tests:
        spent += seconds[test]
        if spent > most:
            break
        kept.append(test)
    return kept or tests[:1]


def _try(copy: Path, file: str, site: Site, tests: list[str], seconds: dict[str, float]) -> Verdict:
    if not tests:
        return Verdict(file, site.line, site.old, site.new, "uncovered", 0, 0.0)
    path = copy / file
    source = path.read_text(encoding="utf-8")
    path.write_text(site.applied(source), encoding="utf-8")
    began = time.monotonic()
    limit = 90 + 4 * sum(seconds[test] for test in tests)
    try:
        outcome, by = _pytest(copy, tests, limit)
    finally:
        path.write_text(source, encoding="utf-8")
    return Verdict(
        file, site.line, site.old, site.new, outcome, len(tests), round(time.monotonic() - began, 1), by
    )


def _pytest(copy: Path, tests: list[str], limit: float) -> tuple[str, str]:
    """Whether a test fails, in a child that has the large libraries loaded already, and which."""
    listed, report = copy / "tests_to_run.txt", copy / "report.txt"
    listed.write_text("\n".join(tests))
    child = os.fork()
    if child == 0:
        try:
            _run_tests(copy, listed, report)
        finally:  # never back into what the parent does
            os._exit(3)
    return _waited(child, limit, report)


def _run_tests(copy: Path, listed: Path, report: Path) -> None:
    os.setsid()
    output = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(copy)
    sys.path[:] = [str(copy), *(entry for entry in sys.path if entry not in ("", str(ROOT)))]
    os.environ["PYTHONPATH"] = str(copy)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    for name in [name for name in sys.modules if name.split(".")[0] in (*PACKAGES, "tests", "tools")]:
        del sys.modules[name]
    os._exit(int(pytest.main([*["-x", "-q", "--tb=no", "-n0", "-p", "no:cacheprovider"], f"@{listed}"])))


def _waited(child: int, limit: float, report: Path) -> tuple[str, str]:
    ends = time.monotonic() + limit
    while time.monotonic() < ends:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            if code == pytest.ExitCode.USAGE_ERROR and "usage:" in report.read_text(errors="replace"):
                raise SystemExit(report.read_text(errors="replace"))
            failed = [
                line
                for line in report.read_text(errors="replace").splitlines()
                if line.startswith(("FAILED", "ERROR"))
            ]
            return ("survived" if code == 0 else "killed"), (
                failed[0].split(" - ")[0] if failed else f"exit {code}" if code else ""
            )
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout", ""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--store", type=Path, default=Path(tempfile.gettempdir()) / "mutants")
    commands = parser.add_subparsers(dest="command", required=True)
    covering = commands.add_parser("cover", help="run the suite once")
    covering.add_argument("arguments", nargs="*", help="of pytest, after --")
    running = commands.add_parser("run", help="try mutants")
    running.add_argument("folders", nargs="+")
    running.add_argument("--sample", type=int, default=60)
    running.add_argument("--seed", type=int, default=0)
    running.add_argument("--most", type=float, default=60.0)
    options = parser.parse_args()
    if options.command == "cover":
        cover(options.store, options.arguments)
        return
    for library in ("scipy.stats", "scipy.spatial", "sklearn.ensemble", "pandas", "torch"):
        __import__(library)
    verdicts = run(options.store, options.folders, options.sample, options.seed, options.most)
    with (options.store / "verdicts.jsonl").open("a") as lines:
        lines.writelines(json.dumps(asdict(verdict)) + "\n" for verdict in verdicts)
    killed = sum(verdict.outcome in ("killed", "timeout") for verdict in verdicts)
    print(f"{killed} of {len(verdicts)} killed")


if __name__ == "__main__":
    main()
