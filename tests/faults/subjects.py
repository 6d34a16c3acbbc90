"""The commands that are stopped: how each is started and gone on with, and what it leaves when it is whole."""

from __future__ import annotations

import copy
import csv
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib.externals.loky import get_reusable_executor

TIMES = ("seconds", "cpu_seconds", "measuring_seconds")  # of a log or a row, never the same twice
TRAIN = (
    "--dataset ../mine.npz --preset smoke --batch-size 4 --steps 6 --log-every 1 --save-every 2 "
    "--score-every 3 --device cpu --threads 1 --quiet --out run"
)
EVALUATE = (
    "--latents ../z.npy --factors ../v.npy --metrics mig,mcc --confidence 0.9 --quiet --format json --json r.json "
    "--csv r.csv --html r.html"
)
PLAN = {
    "steps": 4,
    "batch_size": 4,
    "warmup_steps": 2,
    "learning_rates": [1e-3],
    "pilot_beta": 4.0,
    "pilot_seed": 100,
    "betas": [1.0],
    "seeds": [0, 1],
    "samples": 40,
    "information_images": 20,
    "factors": ["scale", "posX"],
    "models": {"pro-vlae": {"wake_steps": [0, 1, 3], "fade_in_steps": 1}},
}


@dataclass(frozen=True)
class Subject:
    """A command that is stopped.

    Attributes
    ----------
    name : str
        The command, as it begins its lines on stderr.
    title : str
        What it is called in the table.
    runs : int
        How many it trains.
    writes : int
        About as many files as it writes; 0 where workers write them, and no fault waits for one.
    begin : tuple of str
        Its arguments.
    again : callable of Path -> tuple of str
        The arguments that go on with what is in the folder.
    outcome : callable of Path -> dict
        All that it leaves but times. Raises where a file is damaged.
    partial : callable of Path
        Raises where a file that it leaves at any moment is damaged.
    """

    name: str
    title: str
    runs: int
    writes: int
    begin: tuple[str, ...]
    again: Callable[[Path], tuple[str, ...]]
    outcome: Callable[[Path], dict[str, Any]]
    partial: Callable[[Path], None]

    def run(self, arguments: tuple[str, ...]) -> None:
        """Run the command in this process, as its console script does. It exits."""
        _commands()[self.name](list(arguments))

    def warm_up(self) -> None:
        """Run it in the current folder, without a supervisor, so that this process has all it loads."""
        from disentangle_metrics.cli import evaluate
        from disentangle_metrics.kit import run_command

        try:
            if self.name == "dm-eval":
                raise SystemExit(run_command(evaluate.app, self.name, self.begin))
            self.run(self.begin)
        except SystemExit as end:
            if end.code:
                raise AssertionError(f"{self.title} undisturbed ended with {end.code}") from end
        finally:
            # A forked child has no threads that talk to these workers, and would wait for them for ever.
            get_reusable_executor().shutdown(wait=True)


def _commands() -> dict[str, Callable[[list[str]], None]]:
    return {"dm-train": _dm_train, "dm-reproduce": _dm_reproduce, "dm-eval": _dm_eval}


def _dm_train(arguments: list[str]) -> None:
    from reference_models.cli.train import main

    main(arguments)


def _dm_reproduce(arguments: list[str]) -> None:
    from reference_models.cli.reproduce import main

    patch_plan()
    main(arguments)


def patch_plan() -> None:
    """Let dm-reproduce take the plan of these tests, whatever plan it is asked for."""
    from reference_models.comparison import runs

    runs.read_comparison = lambda plan, dataset: runs.Comparison("test", dataset, copy.deepcopy(PLAN))


def _dm_eval(arguments: list[str]) -> None:
    from disentangle_metrics.cli.evaluate import main

    sys.argv = ["dm-eval", *arguments]
    main()


def make_inputs(folder: Path) -> None:
    """What the commands read, in the folder above those that they work in."""
    rng = np.random.default_rng(0)
    factors = np.stack(np.unravel_index(np.arange(64), (4, 4, 4)), axis=1)
    images = rng.integers(0, 2, (64, 32, 32), np.uint8) * 255
    np.savez(folder / "mine.npz", images=images, factors=factors)
    labels = rng.integers(0, 4, (200, 2))
    np.save(folder / "z.npy", labels + rng.normal(size=(200, 2)) * 0.1)
    np.save(folder / "v.npy", labels)


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """The row without its times."""
    return {name: value for name, value in row.items() if name not in TIMES}


def of_run(folder: Path) -> dict[str, Any]:
    """What a training run leaves: the names of its files, tensors, rows of logs and descriptions."""
    return {"names": sorted(file.name for file in folder.iterdir()), **contents(folder)}


def contents(folder: Path) -> dict[str, Any]:
    """Every file in the folder of a run by its content, whole."""
    from safetensors.numpy import load_file

    content: dict[str, Any] = {}
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.suffix == ".lock":
            continue
        if file.suffix == ".safetensors":
            # PyTorch's own generator, which no step draws from, begins elsewhere in every process.
            content[file.name] = {
                name: array.tobytes() for name, array in load_file(file).items() if name != "random.torch"
            }
        elif file.suffix == ".json":
            content[file.name] = json.loads(file.read_text()) | {"command": ""}
        elif file.suffix == ".jsonl":
            content[file.name] = [plain(row) for row in lines(file)]
        elif file.suffix == ".csv":
            rows = file.read_text().splitlines(keepends=True)
            content[file.name] = [plain(row) for row in csv.DictReader(whole(rows))]
        else:
            raise AssertionError(f"nobody knows {file}")
    return content


def whole(rows: list[str]) -> list[str]:
    """The lines but a last one that a kill or a full disk cut off."""
    return [row for row in rows if row.endswith("\n")]


def lines(file: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines, of which a kill may have cut the last."""
    return [json.loads(line) for line in whole(file.read_text().splitlines(keepends=True))]


def of_seeds(folder: Path) -> dict[str, Any]:
    """What several runs leave."""
    return {run.name: of_run(run) for run in sorted((folder / "run").iterdir())}


def check_runs(folder: Path) -> None:
    """Raise unless each run's checkpoints, logs and descriptions can be read."""
    for run in [folder, *folder.rglob("*")]:
        if run.is_dir() and (run / "last.safetensors.lock").exists():
            contents(run)


def of_sweep(folder: Path) -> dict[str, Any]:
    """What a comparison leaves: its rows in any order, and each run."""
    from reference_models.comparison.rows import read_rows

    kept = read_rows(folder / "run" / "rows.jsonl")  # the last of each run: a failed one may stand before
    rows = sorted(map(plain, kept), key=lambda row: str(row["key"]))
    assert (folder / "run" / "rows.jsonl").read_text().endswith("\n")
    assert not [row for row in rows if "error" in row]
    names = sorted(path.name for path in (folder / "run").iterdir())
    runs = sorted(path for path in (folder / "run" / "runs").iterdir() if path.is_dir())
    return {"rows": rows, "names": names, **{run.name: of_run(run) for run in runs}}


def check_sweep(folder: Path) -> None:
    """Raise unless the rows can be read, and what runs have left."""
    from reference_models.comparison.rows import read_rows

    read_rows(folder / "run" / "rows.jsonl")
    check_runs(folder)


def of_results(folder: Path) -> dict[str, Any]:
    """The files of dm-eval, each whole."""
    check_results(folder)
    scores = json.loads((folder / "r.json").read_text())["scores"]
    return {"names": sorted(path.name for path in folder.iterdir()), "scores": scores}


def check_results(folder: Path) -> None:
    """Raise unless each result that is there is whole."""
    for file in folder.glob("r.*"):
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            assert set(json.loads(text)["scores"]) >= {"mig"}
        elif file.suffix == ".csv":
            assert re.fullmatch(r"metric,[^\n]*\n(\w+,[^\n]*\n)+", text), text
        else:
            assert text.endswith("</html>")


def _train(title: str, *more: str, outcome: Callable[[Path], dict[str, Any]]) -> Subject:
    begin = ("pro-vlae", *TRAIN.split(), *more)

    def again(folder: Path) -> tuple[str, ...]:
        resumed = "--seeds" in more or (folder / "run" / "last.safetensors").exists()
        return (*begin, "--resume") if resumed else begin

    runs = 2 if "--seeds" in more else 1
    return Subject("dm-train", title, runs, 11 * runs, begin, again, outcome, check_runs)


def _reproduce(title: str, jobs: int) -> Subject:
    begin = ("--dataset", "sprites", "--out", "run", "--device", "cpu", "--quiet", "--jobs", str(jobs))
    writes = 20 if jobs == 1 else 0  # workers write the files, and nothing says when
    return Subject(
        "dm-reproduce",
        title,
        2,
        writes,
        begin,
        lambda folder: (*begin, "--retry-failed"),
        of_sweep,
        check_sweep,
    )


def _evaluate() -> Subject:
    begin = tuple(EVALUATE.split())
    return Subject("dm-eval", "dm-eval", 1, 3, begin, lambda folder: begin, of_results, check_results)


SUBJECTS = {
    subject.title: subject
    for subject in (
        _train("dm-train", outcome=lambda folder: of_run(folder / "run")),
        _train("dm-train --seeds", "--seeds", "0-1", outcome=of_seeds),
        _reproduce("dm-reproduce", 1),
        _reproduce("dm-reproduce --jobs 2", 2),
        _evaluate(),
    )
}
