"""A plug-in package, really installed, is found by name; a broken one is named and stops nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm

EXAMPLE = Path(__file__).parents[1] / "examples" / "plugin_package"
BROKEN = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "dm-broken-plugin"
version = "1.0"
[project.entry-points."disentangle_metrics.metrics"]
bad = "dm_broken_plugin:bad"
[tool.hatch.build.targets.wheel]
only-include = ["dm_broken_plugin.py"]
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A folder on the path into which both plug-ins were installed by pip, from their sources."""
    folder = tmp_path_factory.mktemp("plugins")
    broken = folder / "source"
    broken.mkdir()
    (broken / "pyproject.toml").write_text(BROKEN)
    (broken / "dm_broken_plugin.py").write_text("raise RuntimeError('this plug-in is broken')\n")
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--no-index", "--target", site, EXAMPLE, broken], check=True, capture_output=True)
    np.save(folder / "z.npy", np.random.default_rng(0).random((300, 2)))
    np.save(folder / "v.npy", np.random.default_rng(1).integers(3, size=(300, 2)))
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return folder, {**os.environ, "PYTHONPATH": path}


def dm_eval(environment, *arguments):
    folder, variables = environment
    code = "from disentangle_metrics.cli.evaluate import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)


def test_the_plug_ins_metric_is_scored(environment):
    arrays = ("--latents", "z.npy", "--factors", "v.npy")
    done = dm_eval(environment, *arrays, "--metrics", "spread,mig", "--json", "report.json")
    assert done.returncode == 0, done.stderr
    report = dm.Report.from_json(environment[0] / "report.json")
    assert 0.9 < report["spread"].value <= 1
    assert report["spread"].signature.startswith("spread|bins:20|n:300|D:2|K:2|")


def test_its_card_is_printed(environment):
    done = dm_eval(environment, "--explain", "spread")
    assert done.returncode == 0
    assert "how evenly each latent's values fill its range" in done.stdout


def test_the_plug_ins_data_set_is_listed_drawn_and_obeys_the_laws(environment):
    folder, variables = environment
    listed = dm_eval(environment, "--list")
    assert "stripes" in listed.stdout
    assert (
        "one white stripe on black; 64 images 32x32x1; factors: direction 2, width 4, place 8"
        in listed.stdout
    )
    code = (
        "from disentangle_metrics.testing import check_dataset; check_dataset('stripes'); "
        "from disentangle_metrics.cli.data import main; main()"
    )
    command = [sys.executable, "-c", code, "preview", "stripes"]
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (folder / "stripes.png").read_bytes().startswith(b"\x89PNG")


def test_the_broken_one_is_named_with_its_exception_and_stops_nothing(environment):
    # An unknown key makes it look through every metric's scores.
    done = dm_eval(environment, "--explain", "dci_completeness")
    assert done.returncode == 0
    assert "'bad'" in done.stderr
    assert "RuntimeError: this plug-in is broken" in done.stderr


def test_asking_for_the_broken_one_is_an_error_of_one_line(environment):
    done = dm_eval(environment, "--latents", "z.npy", "--factors", "v.npy", "--metrics", "bad")
    assert done.returncode == 2
    assert "RuntimeError: this plug-in is broken" in done.stderr
    assert "Traceback" not in done.stderr
