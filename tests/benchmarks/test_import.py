"""How long `import disentangle_metrics` takes, in fresh interpreters, beside `import numpy`."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.arrays import rounded


def seconds_of(statement: str) -> float:
    """Of an interpreter that does this alone."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - start


def test_import(benchmark: BenchmarkFixture, quick: bool) -> None:
    """Both with the start of the interpreter, and beyond it."""
    taken: dict[str, list[float]] = {"pass": [], "import numpy": [], "import disentangle_metrics": []}

    def others() -> None:
        for statement in ("pass", "import numpy"):
            taken[statement].append(seconds_of(statement))

    def ours() -> None:
        taken["import disentangle_metrics"].append(seconds_of("import disentangle_metrics"))

    benchmark.pedantic(ours, setup=others, rounds=3 if quick else 21)
    start, numpy, own = (median(times) for times in taken.values())
    benchmark.extra_info |= rounded(
        {
            "import disentangle_metrics, s": own,
            "import numpy, s": numpy,
            "interpreter alone, s": start,
            "ratio": own / numpy,
            "ratio beyond the interpreter's start": (own - start) / (numpy - start),
            "target": 1.5,
        }
    )
    print(f"\n{benchmark.extra_info}")
