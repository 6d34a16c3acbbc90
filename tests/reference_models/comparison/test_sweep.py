"""The sweep: nothing twice, nothing lost."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import joblib
import pytest

from disentangle_metrics import InputError
from reference_models.comparison import on_card
from reference_models.comparison import sweep as module
from reference_models.comparison.on_card import a_card, groups_of, rows_on_card
from reference_models.comparison.rows import append_row, read_rows
from reference_models.comparison.runs import Comparison
from reference_models.comparison.sweep import WorkersLostError, do, sweep
from reference_models.trained.checkpoints import read_description
from reference_models.training.locks import turn
from reference_models.training.train import TimeIsUpError, TrainingInterruptedError
from tests.reference_models.comparison.fake_work import (
    AlwaysLost,
    DyingOnce,
    FakeWork,
    InterruptedAtSecond,
    NotMeasured,
    calls,
)
from tests.reference_models.comparison.test_runs import TABLE

COMPARISON = Comparison("test", "sprites", TABLE)
RUNS = COMPARISON.runs({"vlae": 1e-4, "pro-vlae": 1e-4})
KEYS = sorted(run.key for run in RUNS)


def test_a_sweep_does_pilots_and_then_all_runs_once(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "Work", lambda folder, root, device, until: FakeWork(folder))
    seen = []
    rows = sweep(COMPARISON, tmp_path, advance=seen.append)
    assert sorted(row["key"] for row in rows) == sorted([*KEYS, *(run.key for run in COMPARISON.pilots())])
    assert len(seen) == len(rows)
    assert [row["purpose"] for row in seen[:4]] == ["pilot"] * 4
    assert {row["learning_rate"] for row in rows if row["purpose"] != "pilot"} == {1e-4}
    assert sweep(COMPARISON, tmp_path) == rows
    assert len(calls(tmp_path)) == len(rows)


def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path):
    with pytest.raises(TrainingInterruptedError, match=r"rows\.jsonl .* goes on from here"):
        do(InterruptedAtSecond(tmp_path), RUNS, 1, False, print)
    before = read_rows(tmp_path / "rows.jsonl")
    assert 0 < len(before) < len(RUNS)
    do(FakeWork(tmp_path), RUNS, 1, False, print)
    assert read_rows(tmp_path / "rows.jsonl")[: len(before)] == before
    assert sorted(row["key"] for row in read_rows(tmp_path / "rows.jsonl")) == KEYS
    assert len(calls(tmp_path)) == len(RUNS) + 1


def test_a_failed_run_is_recorded_and_tried_again_only_on_request(tmp_path, monkeypatch):
    def fail(*arguments):
        raise ValueError("no luck")

    monkeypatch.setattr(module, "do_run", fail)
    do(module.Work(tmp_path, None, "cpu"), RUNS[:1], 1, False, print)
    row = read_rows(tmp_path / "rows.jsonl")[0]
    assert row["error"] == "ValueError: no luck"
    assert (row["model"], row["beta"], row["seed"]) == (RUNS[0].model, RUNS[0].beta, RUNS[0].seed)
    do(FakeWork(tmp_path), RUNS[:1], 1, False, print)
    assert not (tmp_path / "calls").exists()
    do(FakeWork(tmp_path), RUNS[:1], 1, True, print)
    assert "error" not in read_rows(tmp_path / "rows.jsonl")[0]


@pytest.mark.parametrize("device", ["abacus", "cuda"])
def test_a_device_that_is_not_there_is_refused_before_anything_begins(tmp_path, device, monkeypatch):
    monkeypatch.setattr(module.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(module, "has_cards", lambda device: False)
    if device == "cuda" and module.torch.backends.cuda.is_built():
        pytest.skip("its card may be there")
    with pytest.raises(InputError, match=f"device '{device}' cannot be used here"):
        sweep(COMPARISON, tmp_path / "sweep", device=device)
    assert not (tmp_path / "sweep").exists()


def test_a_row_that_cannot_be_written_is_no_lost_worker(tmp_path, monkeypatch):
    def full(path, row):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "append_row", full)
    with pytest.raises(OSError, match="No space left"):
        do(FakeWork(tmp_path), RUNS, 1, False, print)
    assert calls(tmp_path) == [RUNS[0].key]


@pytest.mark.slow
def test_a_killed_worker_costs_no_row(tmp_path):
    do(DyingOnce(tmp_path), RUNS, 2, False, print)
    rows = read_rows(tmp_path / "rows.jsonl")
    assert sorted(row["key"] for row in rows) == KEYS
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == len(RUNS)


ENDLESS_SCRIPT = """
import sys
from pathlib import Path

import typer

from disentangle_metrics.kit import run_command
from reference_models.comparison import sweep as module
from tests.reference_models.comparison.fake_work import Endless
from tests.reference_models.comparison.test_sweep import COMPARISON

module.Work = lambda folder, *rest: Endless(folder)
folder = Path(sys.argv[1])
app = typer.Typer()
app.command()(lambda: module.sweep(COMPARISON, folder, n_jobs=2))
sys.exit(run_command(app, "dm-reproduce", []))
"""


@pytest.mark.slow
def test_sigterm_ends_the_sweep_and_its_workers(tmp_path):
    command = [sys.executable, "-c", ENDLESS_SCRIPT, str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        workers = wait_for(lambda: [int(path.stem) for path in tmp_path.glob("*.worker")], 2)
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "goes on from here" in said
    assert wait_for(lambda: [number for number in workers if ended(number)], 2)


def kill_a_sweep(folder):
    """Kill a sweep while its two workers are at work; they end soon, and let its pipes go."""
    folder.mkdir()
    script = ENDLESS_SCRIPT.replace("Endless", "EndlessRun")
    with subprocess.Popen([sys.executable, "-c", script, str(folder)], stderr=subprocess.PIPE) as process:
        workers = wait_for(lambda: [int(path.stem) for path in folder.glob("*.worker")], 2)
        process.kill()
        process.communicate(timeout=20)
    assert wait_for(lambda: [number for number in workers if ended(number)], 2)
    assert read_rows(folder / "rows.jsonl") == []


@pytest.mark.slow
def test_a_killed_sweep_leaves_no_worker_behind(tmp_path):
    kill_a_sweep(tmp_path / "0")


@pytest.mark.slow
def test_twenty_killed_sweeps_leave_no_worker_behind(tmp_path):
    for number in range(20):
        kill_a_sweep(tmp_path / str(number))


@pytest.mark.parametrize("name", ["__call__", "measured"])
def test_a_run_waits_for_a_worker_that_outlived_its_sweep(tmp_path, monkeypatch, name):
    monkeypatch.setattr(module, "do_run", lambda run, *rest: {"key": run.key})
    monkeypatch.setattr(module, "row_of", lambda run, *rest: {"key": run.key})
    answers = []
    do_it = getattr(module.Work(tmp_path, None, "cpu"), name)
    waiting = threading.Thread(target=lambda: answers.append(do_it(RUNS[0])))
    with turn(tmp_path / "runs" / RUNS[0].key):
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert not answers
    waiting.join(60)
    assert answers == [{"key": RUNS[0].key}]


def wait_for(found, count):
    """What `found` gives, once that are `count` things."""
    until = time.monotonic() + 60
    while len(things := found()) < count:
        assert time.monotonic() < until
        time.sleep(0.05)
    return things


def ended(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    return False


def test_workers_that_are_lost_again_and_again_end_the_sweep(tmp_path):
    with pytest.raises(WorkersLostError, match="3 times a worker was lost .*the worker is gone"):
        do(AlwaysLost(tmp_path), RUNS, 1, False, print)
    assert calls(tmp_path) == [RUNS[0].key] * 3


@pytest.mark.slow
def test_a_sweep_moves_to_a_dask_cluster_and_survives_the_death_of_a_worker(tmp_path):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        do(DyingOnce(tmp_path), RUNS, 2, False, print)
    assert sorted(row["key"] for row in read_rows(tmp_path / "rows.jsonl")) == KEYS
    assert len(calls(tmp_path)) > len(RUNS)  # one worker did die


@pytest.mark.slow
def test_a_sweep_moves_to_ray_and_survives_the_death_of_a_worker(tmp_path):
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    register_ray()
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        with joblib.parallel_config(backend="ray"):
            do(DyingOnce(tmp_path), RUNS, 2, False, print)
    finally:
        ray.shutdown()
    assert sorted(row["key"] for row in read_rows(tmp_path / "rows.jsonl")) == KEYS
    assert len(calls(tmp_path)) > len(RUNS)


def test_a_sweep_whose_time_is_up_says_what_is_left_and_goes_on(tmp_path):
    work = FakeWork(tmp_path)
    work.until = time.time() + 1000
    work.answer = lambda run, count: (setattr(work, "until", 0.0), None)[1]  # as a run that was stopped
    with pytest.raises(TimeIsUpError, match=rf"time is up: {len(RUNS)} runs of this round are left.*goes on"):
        do(work, RUNS, 1, False, print)
    do(FakeWork(tmp_path), RUNS, 1, False, print)
    assert sorted(row["key"] for row in read_rows(tmp_path / "rows.jsonl")) == KEYS


def test_no_run_begins_when_the_time_is_up(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "do_run", lambda *arguments: pytest.fail("it began"))
    work = module.Work(tmp_path, None, "cpu")
    work.until = time.time() - 1
    with pytest.raises(TimeIsUpError):
        do(work, RUNS, 1, False, print)


def test_a_real_run_is_stopped_in_time_and_goes_on(tmp_path):
    work = module.Work(tmp_path, None, "cpu")
    run = dataclasses.replace(RUNS[0], settings={**RUNS[0].settings, "steps": 10_000})
    work.until = time.time() + 1
    began = time.monotonic()
    assert work(run) is None
    assert time.monotonic() - began < 20
    step = read_description(work.run_folder(run) / "last.safetensors")["step"]
    assert 0 < step < 10_000
    work.until = time.time() + 1
    assert work(run) is None
    assert read_description(work.run_folder(run) / "last.safetensors")["step"] > step


def test_a_run_that_is_trained_when_the_time_is_up_is_measured_next_time(tmp_path, monkeypatch):
    """Measuring can take half an hour."""

    def trained(model, dataset, settings, folder, **options):
        folder.mkdir(parents=True)
        for suffix in (".safetensors", ".json"):
            (folder / f"model{suffix}").touch()
        time.sleep(max(0.0, options["until"] - time.time()))

    monkeypatch.setattr(module, "train", trained)
    monkeypatch.setattr(module, "row_of", lambda *rest: pytest.fail("it was measured"))
    work = module.Work(tmp_path, None, "cpu")
    work.until = time.time() + 0.3
    with pytest.raises(TimeIsUpError, match="1 runs of this round are left"):
        do(work, RUNS[:1], 1, False, print)
    work.until = None
    monkeypatch.setattr(module, "train", lambda *rest, **options: pytest.fail("it was trained again"))
    monkeypatch.setattr(module, "row_of", lambda run, *rest: {"key": run.key})
    do(work, RUNS[:1], 1, False, print)
    assert read_rows(tmp_path / "rows.jsonl") == [{"key": RUNS[0].key}]


def test_a_process_that_measures_ends_with_the_one_that_made_it(tmp_path, monkeypatch):
    class Here:
        def __init__(self, processes):
            self.shutdown = lambda **how: None

        def submit(self, function, *arguments):
            future = Future()
            future.set_result(function(*arguments))
            return future

    watched = []
    monkeypatch.setattr(on_card, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(on_card, "end_with", watched.append)
    work = NotMeasured(tmp_path, None, "cpu")
    work.began_in = -1  # a sweep elsewhere, as of a worker's group of runs
    measuring = on_card.Measuring(work, 1)
    measuring.submit(RUNS[0])
    assert [row["key"] for row in measuring.ready()] == [RUNS[0].key]
    assert watched == [os.getpid()]


MEASURING_SCRIPT = """
import sys, time
from pathlib import Path

from reference_models.comparison.on_card import Measuring
from tests.reference_models.comparison.fake_work import EndlessRun
from tests.reference_models.comparison.test_sweep import RUNS

measuring = Measuring(EndlessRun(Path(sys.argv[1])), 1)
measuring.submit(RUNS[0])
time.sleep(600)
"""


@pytest.mark.slow
def test_a_killed_sweep_on_a_card_leaves_no_process_that_measures(tmp_path):
    command = [sys.executable, "-c", MEASURING_SCRIPT, str(tmp_path)]
    with subprocess.Popen(command) as process:
        (child,) = wait_for(lambda: [int(path.stem) for path in tmp_path.glob("*.worker")], 1)
        process.kill()
    assert wait_for(lambda: [child] if ended(child) else [], 1)


@pytest.mark.slow
def test_runs_that_share_a_card_train_in_one_process_and_fail_alone(tmp_path):
    """On the CPU; the GPU only computes."""
    work = NotMeasured(tmp_path, None, "cpu")
    bad = dataclasses.replace(RUNS[2], arguments={"latents_per_layer": 0})
    runs = [*RUNS[:2], bad, *RUNS[3:6]]
    rows = {row["key"]: row for row in rows_on_card(work, runs, 3)}
    assert sorted(rows) == sorted(run.key for run in runs)
    failed = {key for key, row in rows.items() if "error" in row}
    unmeasured = {run.key for run in runs if run.seed == 1 and run.model == "vlae"}
    assert failed == {bad.key} | unmeasured
    assert "latents_per_layer is 0" in rows[bad.key]["error"]
    assert all(row["trained"] and row["process"] != os.getpid() for k, row in rows.items() if k not in failed)

    work.until = time.time() - 1
    more = RUNS[6:8]
    assert list(rows_on_card(work, more, 2)) == [None] * len(more)
    assert not work.run_folder(more[0]).exists()
    work.until = None
    trained = work.run_folder(runs[0]) / "model.safetensors"
    written = trained.stat().st_mtime_ns
    assert [row["key"] for row in rows_on_card(work, runs[:1], 2)] == [runs[0].key]  # only measured again
    assert trained.stat().st_mtime_ns == written


def test_workers_take_groups_of_runs_and_a_card_each(tmp_path, monkeypatch):
    assert [len(group) for group in groups_of(RUNS[:9], 4, 1)] == [4, 4, 1]
    assert [len(group) for group in groups_of(RUNS[:9], 16, 2)] == [5, 4]  # no card idles
    monkeypatch.setattr(on_card.torch.cuda, "device_count", lambda: 2)
    with a_card("cuda", tmp_path) as first, a_card("auto", tmp_path) as second:
        assert {first, second} == {"cuda:0", "cuda:1"}
    with a_card("cuda:1", tmp_path) as chosen:
        assert chosen == "cuda:1"


@pytest.mark.slow
def test_groups_go_through_joblib(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "has_cards", lambda device: True)
    monkeypatch.setattr(module.torch.cuda, "device_count", lambda: 2)
    work = NotMeasured(tmp_path, None, "cpu")
    runs = [run for run in RUNS if not (run.seed == 1 and run.model == "vlae")][:4]
    do(work, runs, 2, False, print)
    rows = read_rows(tmp_path / "rows.jsonl")
    assert sorted(row["key"] for row in rows) == sorted(run.key for run in runs)
    assert all(row["trained"] for row in rows)


@pytest.fixture(scope="module")
def two_models(tmp_path_factory):
    table = copy.deepcopy(TABLE) | {"learning_rates": [1e-3], "betas": [4.0], "seeds": [0], "samples": 200}
    del table["ablation"]
    table["models"] = {"beta-vae": {"latents": 9}, "pro-vlae": table["models"]["pro-vlae"]}
    folder = tmp_path_factory.mktemp("sweep")
    return Comparison("test", "sprites", table), folder, sweep(Comparison("test", "sprites", table), folder)


def test_a_real_run_is_trained_and_measured(two_models):
    _, folder, rows = two_models
    flat, progressive = sorted(rows, key=lambda row: row["model"])
    for row in rows:
        assert "error" not in row
        assert row["cpu_seconds"] > 0
        assert row["objective"] == pytest.approx(row["reconstruction"] + 4 * sum(row["kl"]))
        assert math.isfinite(row["metrics"]["mig"]["value"])
        assert row["metrics"]["mig"]["signature"].startswith("mig|")
        assert "posterior" in row["published"]["mig"]["signature"]
        assert set(row["published"]) == {"mig", "mig_sup", "factor_vae"}
        assert (folder / "runs" / row["key"] / "model.safetensors").exists()
    assert len(flat["kl"]) == 1
    assert "stages" not in flat
    assert [stage["step"] for stage in progressive["stages"]] == [3, 6]
    assert progressive["stages"][0]["kl"][:2] == [0, 0]
    assert [layer["layer"] for layer in progressive["information"]] == ["1", "2", "3", "all"]
    assert json.loads((folder / "rows.jsonl").read_text().splitlines()[0])["key"] in {
        row["key"] for row in rows
    }


def test_a_run_killed_between_training_and_its_row_is_only_measured_again(two_models):
    comparison, folder, rows = two_models
    path = folder / "rows.jsonl"
    weights = folder / "runs" / rows[0]["key"] / "model.safetensors"
    written = weights.stat().st_mtime_ns
    path.write_text("")
    append_row(path, rows[1])
    again = {row["key"]: row for row in sweep(comparison, folder)}
    assert weights.stat().st_mtime_ns == written
    assert again[rows[0]["key"]]["metrics"] == rows[0]["metrics"]
