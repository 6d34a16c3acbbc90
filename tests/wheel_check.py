"""Checks of installed wheels: python wheel_check.py [checkpoints | models].

Without an argument of a base install: arrays are scored, from Python and from the shell. With ``checkpoints``
of the wheel of checkpoints beside it. With ``models`` of the extra `models`: a bundled model is scored without a
network. Run in a folder away from the sources, so that what is tested is what was installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from importlib.metadata import distribution, entry_points
from pathlib import Path

import numpy as np

import disentangle_metrics as dm

PACKAGE = "disentangle-metrics"
MOST_BYTES = 10_000_000  # of a base install, compiled files included
SCRIPTS = Path(sys.executable).parent
OFFLINE = """
import sys

def guard(event, arguments):
    if event in ("socket.getaddrinfo", "socket.connect"):
        raise SystemExit(f"network used: {event} {arguments}")

sys.addaudithook(guard)
from disentangle_metrics.cli.evaluate import main
main()
"""


def run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPTS / command, *arguments], capture_output=True, text=True)


def check_base() -> None:
    for name in ("torch", "matplotlib"):
        assert importlib.util.find_spec(name) is None, "this check is for the base install"
    packages = Path(dm.__file__).parents[1]
    files = [
        path for name in ("disentangle_metrics", "reference_models") for path in packages.glob(f"{name}/**/*")
    ]
    size = sum(path.stat().st_size for path in files if path.is_file())
    assert size <= MOST_BYTES, f"the base install has {size:,} bytes"
    assert not [path for path in files if path.suffix == ".safetensors"]

    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(500, 3))
    latents = factors + 0.1 * rng.normal(size=factors.shape)
    report = dm.score(latents, factors)
    assert report["mig"].value > 0.9
    np.save("latents.npy", latents)
    np.savetxt("factors.csv", factors, fmt="%d", delimiter=",", header="a,b,c", comments="")
    done = run("dm-eval", "--latents", "latents.npy", "--factors", "factors.csv", "--json", "report.json")
    assert done.returncode == 0, done.stderr
    assert dm.Report.from_json("report.json")["mig"].value == report["mig"].value

    model = run("dm-eval", "pro-vlae-sprites", "--dataset", "sprites")
    assert model.returncode == 2
    wheel = json.loads(distribution(PACKAGE).read_text("direct_url.json"))["url"]
    assert f'"disentangle-metrics[models] @ {wheel}"' in model.stderr, model.stderr
    assert "the bundled checkpoint pro-vlae-sprites is not installed" in model.stderr, model.stderr
    assert model.stderr.count("\n") == 1, model.stderr
    for name in ("dm-eval", "dm-train", "dm-reproduce", "dm-data"):
        script = run(name, "--show-completion", "bash")
        assert f"-F _{name.replace('-', '_')}_completion {name}" in script.stdout, script.stderr
    doctor = run("dm-eval", "doctor")
    assert doctor.returncode == 0, doctor.stderr
    missing = next(line for line in doctor.stdout.splitlines() if line.startswith("  models "))
    assert "disentangle-metrics-checkpoints, " in missing, missing
    assert "torch missing: " in missing, missing
    listed = run("dm-data", "list")
    assert listed.returncode == 0, listed.stderr
    assert "mpi3d_toy" in listed.stdout
    names = run("dm-eval", "--list")
    assert "pro-vlae-sprites  not installed; the extra models has it" in names.stdout, names.stdout
    print(f"a base install of {size / 1e6:.1f} MB scores arrays and lists data sets")


def check_checkpoints() -> None:
    points = entry_points(group="disentangle_metrics.checkpoints")
    assert len(points) == 4
    for point in points:
        path = point.load()()
        assert "site-packages" in str(path), path
        report = dm.Report.from_json(path.with_suffix(".scores.json"))
        assert hashlib.sha256(path.read_bytes()).hexdigest() == report.provenance["encoder"]["sha256"], path
        assert path.with_suffix(".json").exists()
        assert path.with_suffix(".csv").exists()
    installed = distribution(f"{PACKAGE}-checkpoints")
    assert installed.version == dm.__version__
    assert any(path.name == "LICENSE" for path in installed.files)
    print(f"{len(points)} bundled checkpoints are installed, with the digests of their scores")


def check_models() -> None:
    arguments = ["pro-vlae-sprites", "--dataset", "sprites", "--samples", "500", "--metrics", "mig"]
    done = subprocess.run([sys.executable, "-c", OFFLINE, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "mig" in done.stdout
    print("a bundled model is scored without a network")


assert "site-packages" in dm.__file__, f"the sources were imported: {dm.__file__}"
assert (Path(dm.__file__).parent / "py.typed").exists()
wanted = sys.argv[1] if len(sys.argv) > 1 else "base"
{"base": check_base, "checkpoints": check_checkpoints, "models": check_models}[wanted]()
if wanted == "models":
    check_checkpoints()
