"""The checkpoints that come with the package: complete, small, and able to reconstruct."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import torch

from disentangle_metrics import Report, load_dataset, load_encoder
from reference_models.models import MODELS
from reference_models.trained import checkpoints

POINTS = {point.name: point for point in entry_points(group="disentangle_metrics.checkpoints")}


@pytest.fixture(params=sorted(POINTS))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_is_complete_and_small(name: str) -> None:
    path = POINTS[name].load()()
    assert path.name == f"{name}.safetensors"
    assert path.stat().st_size <= 12_000_000
    description = checkpoints.read_description(path)
    assert json.loads(path.with_suffix(".json").read_text()) == description
    assert name == f"{description['architecture']}-{description['dataset']}"
    trained = f"dm-train {description['architecture']} --dataset {description['dataset']}"
    compared = f"dm-reproduce --plan gpu --dataset {description['dataset']}"
    assert description["command"].startswith((trained, compared))
    assert description["step"] == description["settings"]["steps"]
    log = path.with_suffix(".csv").read_text().splitlines()
    assert log[0].startswith("step,loss,reconstruction,kl")
    assert path.with_suffix(".csv").stat().st_size < 200_000
    assert int(log[-1].split(",")[0]) == description["step"]


def test_it_reconstructs_far_better_than_any_constant_picture(name: str, tmp_path: Path) -> None:
    path = POINTS[name].load()()
    description = checkpoints.read_description(path)
    # Neither touches the user's cache: sprites are drawn directly, the rooms' geometry goes to tmp_path.
    options = {"sprites": {"cache": False}, "rooms": {"root": tmp_path}}[description["dataset"]]
    dataset = load_dataset(description["dataset"], **options)
    module, _, attribute = MODELS[description["architecture"]].partition(":")
    model = getattr(importlib.import_module(module), attribute)(**description["arguments"])
    model.load_state_dict(checkpoints.read_tensors(path, "model."), strict=True)
    indices = torch.randint(len(dataset), (64,), generator=torch.Generator().manual_seed(0)).numpy()
    images = torch.from_numpy(dataset.images(indices)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        mean, logvar = model(images)
        shown = torch.sigmoid(model.decode(mean))
    assert mean.shape == logvar.shape
    error = (shown - images).square().mean()
    assert error < 0.25 * images.var(dim=0).mean()


def test_it_is_loaded_by_name(name: str) -> None:
    assert load_encoder(name, device="cpu").source.architecture == name.rpartition("-")[0]


def test_its_path_needs_no_torch() -> None:
    script = (
        "import sys; from reference_models.bundled import pro_vlae_sprites; pro_vlae_sprites();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_its_scores_are_those_of_this_file_and_those_the_docs_show(name: str) -> None:
    path = POINTS[name].load()()
    report = Report.from_json(path.with_suffix(".scores.json"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert report.provenance["encoder"]["sha256"] == digest
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
    shown = [f"{report[key].value:.3f}" for key in ("mig", "mig_sup", "factor_vae")]
    assert row.split(" | ")[4:7] == shown
