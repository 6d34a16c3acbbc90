"""What one NVIDIA GPU gives: training beside the bare captured step and the eager loop, and scoring.

Steps a second of the paper's pro-VLAE on sprites (batches of 128 images of 64x64, float32), after the
first steps, in which kernels are chosen and graphs made. The bare step is a graph that is replayed
and nothing else: no log, no checkpoint, no schedule, the same random numbers again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import disentangle_metrics as dm
from reference_models.trained.load import stage_ends
from reference_models.training import recipe
from reference_models.training.devices import Team
from reference_models.training.feeds import DeviceFeed
from reference_models.training.images_on_device import ResidentImages, on_stream
from reference_models.training.replay import WARM_UP, captured
from reference_models.training.step import Step
from reference_models.training.train import Job, train_each

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

MANY = 16
PLAN = recipe.fitted(recipe.read_preset("pro-vlae", "sprites", "paper"), (64, 64, 1))
SETTINGS = replace(PLAN.settings, device="cuda", batch_size=128, save_every=1_000, log_every=100)


def bare_step(images: ResidentImages, seed: int) -> tuple[Callable[[], None], torch.cuda.Stream, Step]:
    """A captured step, the stream to replay it on, and what its memory belongs to."""
    device = torch.device("cuda")
    stream = torch.cuda.Stream(device)
    settings = replace(SETTINGS, seed=seed)
    with on_stream(stream):
        model = recipe.build(replace(PLAN, settings=settings))
        model = model.to(device=device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        feed = DeviceFeed(model, dm.load_dataset("sprites"), settings, 0, device, torch.channels_last, images)
        step = Step(model, settings, Team(device), capturable=True)
        step.begin(feed, 0)
        for number in range(WARM_UP):
            step.load(number)
            step.take()
        replay = captured(step.take, stream, feed.generator)
    return replay, stream, step


def rate_of_bare_steps(runs: int, steps: int) -> float:
    """Steps a second, all runs together."""
    images = ResidentImages(dm.load_dataset("sprites"), torch.device("cuda"))
    bare = [bare_step(images, seed) for seed in range(runs)]
    for timed in (50, steps):  # the first ones to get going
        torch.cuda.synchronize()
        began = time.perf_counter()
        for _ in range(timed):
            for replay, stream, _ in bare:
                with on_stream(stream):
                    replay()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - began
    return runs * steps / seconds


def rate_of_the_loop(folder: Path, runs: int, steps: int, **changes: Any) -> float:
    """The same by the training loop, over all but the first fifth of its steps."""
    first = steps // 5 // SETTINGS.log_every * SETTINGS.log_every
    jobs = {}
    for seed in range(runs):
        plan = replace(PLAN, settings=replace(SETTINGS, seed=seed, steps=steps, **changes))
        jobs[seed] = Job(
            partial(recipe.build, plan),
            dm.load_dataset("sprites"),
            plan.settings,
            folder / f"{runs}-{seed}-{'-'.join(changes)}",
            {"arguments": plan.arguments},
        )
    ends = dict(filter(None, train_each(jobs, runs, progress=False)))
    began, ended = [], []
    for path in ends.values():
        lines = [json.loads(line) for line in (path.parent / "log.jsonl").read_text().splitlines()]
        seconds = {line["step"]: line["seconds"] for line in lines}
        began.append(seconds[first])
        ended.append(seconds[steps])
    return runs * (steps - first) / (np.mean(ended) - np.mean(began))


def said(name: str, ratio: float, target: str, of: str) -> None:
    print(
        f"\n{torch.cuda.get_device_name()}, PyTorch {torch.__version__}: {name}: {ratio:.2f} ({target}); {of}"
    )


@pytest.mark.parametrize(("runs", "gain"), [(1, 3), (MANY, 7)])
def test_training(runs: int, gain: int, tmp_path: Path, quick: bool) -> None:
    steps = 500 if quick else 5_000 if runs == 1 else 2_000
    bare = rate_of_bare_steps(runs, steps)
    loop = rate_of_the_loop(tmp_path, runs, steps)
    eager = rate_of_the_loop(tmp_path, 1, 500, capture=False)
    rates = f"{loop:.0f} and {bare:.0f} steps a second"
    said(f"{runs} run(s), the loop / the bare captured step", loop / bare, "at least 0.9", rates)
    rates = f"{loop:.0f} and {eager:.0f} steps a second"
    said(f"{runs} run(s), the loop / the eager loop of one run", loop / eager, f"at least {gain}", rates)
    assert np.isfinite([bare, loop, eager]).all()


@pytest.mark.parametrize("runs", [1, MANY])
def test_options(runs: int, tmp_path: Path, quick: bool) -> None:
    steps = 500 if quick else 2_000
    plain = rate_of_the_loop(tmp_path, runs, steps)
    for name, changes in {
        "bfloat16": {"precision": "bfloat16"},
        "batches of 32": {"batch_size": 32},
        "deterministic": {"deterministic": True},
        "streamed from the host": {"data_share": 0.0},
    }.items():
        rate = rate_of_the_loop(tmp_path, runs, steps, **changes)  # type: ignore[arg-type]
        rates = f"{rate:.0f} and {plain:.0f} steps a second"
        said(f"{runs} run(s), {name} / as it comes", rate / plain, "no target", rates)
        assert np.isfinite(rate)


def test_scoring_and_quadrature(quick: bool) -> None:
    (path,) = stage_ends(Path("pro-vlae-sprites"))
    dataset = dm.load_dataset("sprites")
    seconds: dict[str, dict[str, float]] = {}
    for device in ("cpu", "cuda", "cuda"):  # the second time without the start of CUDA
        report = dm.evaluate(dm.load_encoder(path, device=device), dataset, anchors=False)
        seconds[device] = {part: report.provenance[f"{part}_seconds"] for part in ("encode", "score")}
    for part in ("encode", "score"):
        host, card = seconds["cpu"][part], seconds["cuda"][part]
        said(f"dm.evaluate, {part}: CPU / GPU", host / card, "no target", f"{host:.2f} s and {card:.2f} s")

    rows = 50_000 if quick else 737_280
    rng = np.random.default_rng(0)
    factors = dataset.factors(rng.choice(len(dataset), rows, replace=False))
    mean = factors[:, rng.integers(5, size=10)] + rng.normal(size=(rows, 10))
    logvar = 2 * np.log(rng.uniform(0.1, 0.5, size=(rows, 10)))
    metrics = [dm.Metric("mig", estimator="posterior")]
    took = {}
    for device in ("cpu", "cuda", "cuda"):
        posterior = dm.GaussianPosterior(*(torch.from_numpy(a).to(device) for a in (mean, logvar)))
        began = time.perf_counter()
        score = dm.score(posterior, factors, metrics=metrics, anchors=False)["mig"].value
        took[device] = time.perf_counter() - began, score
    (host, expected), (card, found) = took["cpu"], took["cuda"]
    said(
        "quadrature of posteriors: CPU / GPU",
        host / card,
        "no target",
        f"{host:.2f} s and {card:.2f} s, {rows} rows",
    )
    assert found == pytest.approx(expected, abs=1e-10)
