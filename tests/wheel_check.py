"""Checks of an installed wheel without extras: arrays are scored, from Python and from the shell.

Run in a folder away from the sources, so that what is tested is what was installed.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

import disentangle_metrics as dm

assert importlib.util.find_spec("torch") is None, "this check is for the base install"
assert importlib.util.find_spec("matplotlib") is None, "this check is for the base install"
assert "site-packages" in dm.__file__, f"the sources were imported: {dm.__file__}"
assert (Path(dm.__file__).parent / "py.typed").exists()

rng = np.random.default_rng(0)
factors = rng.integers(4, size=(500, 3))
latents = factors + 0.1 * rng.normal(size=factors.shape)
report = dm.score(latents, factors)
assert report["mig"].value > 0.9

np.save("latents.npy", latents)
np.savetxt("factors.csv", factors, fmt="%d", delimiter=",", header="a,b,c", comments="")
command = [Path(sys.executable).parent / "dm-eval", "--latents", "latents.npy", "--factors", "factors.csv"]
done = subprocess.run([*command, "--json", "report.json"], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
assert dm.Report.from_json("report.json")["mig"].value == report["mig"].value

model = subprocess.run(
    [command[0], "pro-vlae-sprites", "--dataset", "sprites"], capture_output=True, text=True
)
assert model.returncode == 2
wheel = json.loads(distribution("disentangle-metrics").read_text("direct_url.json"))["url"]
assert f'pip install "disentangle-metrics[models] @ {wheel}"' in model.stderr, model.stderr
for name in ("dm-eval", "dm-train", "dm-reproduce", "dm-data"):
    script = subprocess.run(
        [command[0].with_name(name), "--show-completion", "bash"], capture_output=True, text=True
    )
    assert f"-F _{name.replace('-', '_')}_completion {name}" in script.stdout, script.stderr
doctor = subprocess.run([command[0], "doctor"], capture_output=True, text=True)
assert doctor.returncode == 0, doctor.stderr
assert "torch missing: " in doctor.stdout, doctor.stdout
listed = subprocess.run([command[0].with_name("dm-data"), "list"], capture_output=True, text=True)
assert listed.returncode == 0, listed.stderr
assert "mpi3d_toy" in listed.stdout
print("the wheel scores arrays and lists data sets without torch and matplotlib")
