"""A model is trained on switches, scored on the way, measured factor by factor, and scored by dm-eval."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from disentangle_metrics.cli.evaluate import app
from disentangle_metrics.kit import run_command
from reference_models.cli.train import run as dm_train
from reference_models.comparison.measurement import in_hierarchy
from reference_models.comparison.runs import read_comparison
from reference_models.datasets import open_dataset
from reference_models.trained.load import load
from reference_models.training import scores as on_the_way


def test_the_plan_has_three_models_two_betas_and_three_seeds() -> None:
    comparison = read_comparison("mini", "switches")
    assert comparison.pilots() == []
    runs = comparison.runs(comparison.learning_rates([]))
    assert [(run.model, run.beta, run.seed) for run in runs] == [
        (model, beta, seed)
        for seed in (0, 1, 2)
        for beta in (0.25, 1.0)
        for model in ("beta-vae", "vlae", "pro-vlae")
    ]
    assert {(run.settings["steps"], run.side) for run in runs} == {(9000, 32)}


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_scores_of_a_tree_on_the_way_after_training_and_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_the_way, "ROWS", 300)
    run = tmp_path / "run"
    few = "--steps 2 --batch-size 2 --device cpu --quiet --score-every 2"
    assert dm_train(["beta-vae", "--dataset", "switches", *few.split(), "--out", str(run)]) == 0
    with (run / "scores.csv").open() as file:
        (scores,) = csv.DictReader(file)
    assert 0 <= float(scores["mig"]) <= 1
    trained = load(run / "model.safetensors", torch.device("cpu"))
    dataset = open_dataset("switches", side=64)
    rows = np.arange(0, len(dataset), 2_000)
    mean, _ = trained.encode(dataset, rows)
    found = in_hierarchy(mean, dataset.labels(rows), dataset)
    assert list(found) == ["r4c", "mig"]
    for values in found.values():
        assert set(values) == set(dataset.factor_names)
        assert all(0 <= value <= 1 for value in values.values())
    out = tmp_path / "report.json"
    line = [
        "--dataset",
        "switches",
        "--samples",
        "500",
        "--metrics",
        "r4c,mig",
        "--quiet",
        "--json",
        str(out),
    ]
    assert run_command(app, "dm-eval", [str(run / "model.safetensors"), *line]) == 0
    report = json.loads(out.read_text())
    assert not math.isnan(report["scores"]["r4c"]["value"])
    codes = [check["code"] for check in report["checks"]]
    assert codes.count("missing_by_design") == 5
