"""How much memory metrics need: mutual information and `factor_vae` on ten million rows in files, and R4 of
a category of many values.

Latents (float32) and factors (int64) are memory-mapped. What is counted is the anonymous resident memory
of a process that does nothing else (RssAnon in ``/proc``, looked at every few milliseconds): pages
of the mapped files, which the system takes back when it likes, are no part of it, while the
interpreter and all libraries' own memory are.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.format import open_memmap
from pytest_benchmark.fixture import BenchmarkFixture

from tests.benchmarks.arrays import LATENTS, SIZES, latents_and_factors, rounded

ROWS, FEW_ROWS = 10_000_000, 200_000
CHUNK = 100_000
TARGET = 1.5  # GB
LOOK_EVERY = 0.003  # seconds
SCORE = """
import sys
import numpy as np
import disentangle_metrics as dm
latents, factors = (np.load(path, mmap_mode="r") for path in sys.argv[1:3])
dm.score(latents, factors, metrics=sys.argv[3:], anchors=False)
"""

VALUES, ROWS_OF_VALUES = 1_000, 50_000
R4 = """
import resource, sys
import numpy as np
import disentangle_metrics as dm
rows, values = map(int, sys.argv[1:])
rng = np.random.default_rng(0)
codes = rng.integers(values, size=rows)
latents = (codes + 5 * rng.normal(size=rows))[:, None]
dm.score(latents, codes[:, None], metrics=["r4"], factor_types=["categorical"], anchors=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, quick: bool) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("rows")
    rows = FEW_ROWS if quick else ROWS
    paths = folder / "latents.npy", folder / "factors.npy"
    latents = open_memmap(paths[0], "w+", np.float32, (rows, LATENTS))
    factors = open_memmap(paths[1], "w+", np.int64, (rows, len(SIZES)))
    for start in range(0, rows, CHUNK):
        part = slice(start, start + CHUNK)
        latents[part], factors[part] = latents_and_factors(CHUNK, seed=start)
    return paths


def peak(arguments: list[str]) -> float:
    """The most anonymous memory that a process had, in GB."""
    most = 0
    with subprocess.Popen([sys.executable, "-c", SCORE, *arguments]) as process:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            for line in status.read_text().splitlines():
                if line.startswith("RssAnon:"):
                    most = max(most, int(line.split()[1]))
            time.sleep(LOOK_EVERY)
    assert process.returncode == 0
    return most * 1024 / 1e9


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize(
    "metrics",
    [["mig", "mig_sup", "modularity", "dcimig", "jemmig"], ["factor_vae"]],
    ids=["information", "votes"],
)
def test_memory(benchmark: BenchmarkFixture, files: tuple[Path, Path], metrics: list[str]) -> None:
    most = benchmark.pedantic(peak, args=([*map(str, files), *metrics],), rounds=1)
    benchmark.extra_info |= rounded(
        {
            "rows": len(np.load(files[0], mmap_mode="r")),
            "peak, GB": most,
            "target, GB": TARGET,
            "peak / target": most / TARGET,
        }
    )
    print(f"\n{metrics}: {benchmark.extra_info}")


def resident(rows: int, values: int) -> float:
    """The most memory that a process had which scores R4 of so many values, in GB."""
    command = [sys.executable, "-c", R4, str(rows), str(values)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, timeout=600).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count the resident memory in other units")
def test_memory_of_many_values(benchmark: BenchmarkFixture, quick: bool) -> None:
    rows, values = (ROWS_OF_VALUES // 10, VALUES // 10) if quick else (ROWS_OF_VALUES, VALUES)
    most = benchmark.pedantic(resident, args=(rows, values), rounds=1)
    table = rows * values * 8 / 1e9
    benchmark.extra_info |= rounded(
        {"rows": rows, "values": values, "peak, GB": most, "rows x values, GB": table}
    )
    print(f"\nr4: {benchmark.extra_info}")
