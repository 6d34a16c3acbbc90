"""What dm-eval says of itself, what the shell completes, and names that are refused before anything is read."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from disentangle_metrics.cli import doctor as module
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.version import __version__

COMMANDS = {
    "dm-eval": "disentangle_metrics.cli.evaluate",
    "dm-data": "disentangle_metrics.cli.data",
    "dm-train": "reference_models.cli.train",
    "dm-reproduce": "reference_models.cli.reproduce",
}


def run_fresh(command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, as a shell starts it."""
    code = f"from {COMMANDS[command]} import main; main()"
    started = [sys.executable, "-c", code, *arguments]
    if bash := shutil.which("bash"):  # completion asks which shell is its parent
        started = [bash, "-c", '"$@"; exit $?', "bash", *started]
    return subprocess.run(
        started,
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
        timeout=120,
    )


def test_the_version_is_one_line(dm_eval):
    assert dm_eval("--version").out == f"dm-eval {__version__}\n"


def test_the_list_of_protocols_has_year_paper_and_scores(dm_eval):
    done = dm_eval("--protocol list")
    assert (done.code, done.err) == (0, "")
    blocks = dict(block.split("\n", 1) for block in done.out.rstrip().split("\n\n"))
    assert list(blocks) == list(PROTOCOLS)
    assert blocks["khemakhem2020"].startswith("  year    2020\n  source  Khemakhem, Monti, Kingma, Hyv")
    assert blocks["eastwood2018"].endswith("\n  scores  dci_disentanglement, dci_completeness")
    assert "year" not in blocks["default"]
    assert max(map(len, done.out.splitlines())) <= 100


def test_doctor_says_what_a_report_of_a_fault_needs(dm_eval, folder, monkeypatch):
    cache = folder / "cache"
    cache.mkdir()
    (cache / "sprites-1.bits").write_bytes(bytes(2_500_000))
    monkeypatch.setattr(module, "data_folder", lambda root: cache)
    monkeypatch.setattr(Path, "home", lambda: folder)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    done = dm_eval("doctor")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"disentangle-metrics {__version__}\n\nsystem\n  Python 3.")
    assert f"\n  numpy {version('numpy')}\n" in done.out
    assert re.search(r"\n  onnx +onnx \d", done.out)
    assert "\n  OMP_NUM_THREADS=3\n" in done.out
    assert re.search(r"\ndevices\n  cpu, \d+ threads of PyTorch\n", done.out)
    assert (
        f"\n  ~{os.sep}cache: 1 files, 2.5 MB\n    sprites-1.bits, 2.5 MB\n\nplug-ins\n  none\n" in done.out
    )


def test_doctor_gives_the_line_that_installs_what_is_missing(monkeypatch):
    lines = [
        "numpy>=2",
        "torch>=2; extra == 'models'",
        "no-such-thing>=1; extra == 'onnx'",
        "x; extra == 'all'",
    ]
    monkeypatch.setattr(module, "requires", lambda name: lines)
    shown = module.diagnosis()
    assert re.search(r'\n  onnx    no-such-thing missing: .*pip install .*\[onnx\]"\n', shown)
    assert re.search(r"\n  models  torch \d", shown)
    assert "  all" not in shown


def test_a_size_has_the_unit_that_suits_it():
    assert [module._size(count) for count in (0, 999, 1000, 377_487_360, 5e12)] == [
        "0 B",
        "999 B",
        "1 kB",
        "377.5 MB",
        "5000 GB",
    ]


def test_a_model_may_be_called_doctor(dm_eval):
    assert "no such file: doctor" in dm_eval("doctor --dataset sprites").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--latents none.npy --metrics MIG", "unknown metric 'MIG'; did you mean 'mig'?"),
        ("--latents none.npy --metrics DCI_Completeness", "did you mean 'dci_completeness'?"),
        (
            "--latents none.npy --protocol locatello",
            "unknown protocol 'locatello'; did you mean 'locatello2019'?",
        ),
        (
            "none.pt --dataset none --metrics factorvae",
            "unknown metric 'factorvae'; did you mean 'factor_vae'",
        ),
        ("none.pt --dataset none --protocol Li2020", "unknown protocol 'Li2020'; did you mean 'li2020'?"),
    ],
)
def test_a_wrong_name_is_answered_with_the_near_one_before_anything_is_read(dm_eval, arguments, message):
    done = dm_eval(arguments)
    assert done.code == 2
    assert message in done.err
    assert len(done.err_lines) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_completion_is_installed(command, tmp_path):
    done = run_fresh(command, "--install-completion", "bash", HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    script = (tmp_path / ".bash_completions" / f"{command}.sh").read_text()
    assert f"complete -o default -F _{command.replace('-', '_')}_completion {command}" in script
    assert f"{command}.sh" in (tmp_path / ".bashrc").read_text()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("dm-eval --prot", ["--protocol"]),
        ("dm-eval --protocol l", ["locatello2019", "li2020"]),
        ("dm-eval --dataset ro", ["rooms"]),
        ("dm-eval --metrics mig,dci", ["mig,dcimig", "mig,dci", "mig,dci_es"]),
        ("dm-eval --arch pro", ["pro-vlae"]),
        ("dm-train pro", ["pro-vlae"]),
        ("dm-reproduce --pl", ["--plan"]),
    ],
)
def test_the_shell_is_offered_names(line, offered):
    command = line.split()[0]
    variable = f"_{command.replace('-', '_').upper()}_COMPLETE"
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), variable: "complete_bash"}
    done = run_fresh(command, **words)
    assert done.stdout.split() == offered, done.stderr
