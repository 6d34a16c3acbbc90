from __future__ import annotations

import json
import subprocess
import sys

import torch

from reference_models import bundled, checkpoints
from reference_models.models.pro_vlae import build_encoder


def test_the_bundled_checkpoint_is_complete_and_small() -> None:
    path = bundled.pro_vlae_sprites()
    assert path.stat().st_size <= 12_000_000
    description = checkpoints.read_description(path)
    assert json.loads(path.with_suffix(".json").read_text()) == description
    assert description["architecture"] == "pro-vlae"
    assert description["dataset"] == "sprites"
    assert description["command"].startswith("dm-train pro-vlae --dataset sprites")
    assert description["step"] == description["settings"]["steps"]
    log = path.with_suffix(".csv").read_text().splitlines()
    assert log[0].startswith("step,loss,reconstruction,kl_1")
    assert path.with_suffix(".csv").stat().st_size < 200_000
    assert int(log[-1].split(",")[0]) == description["step"]


def test_the_bundled_checkpoint_reconstructs_sprites() -> None:
    from disentangle_metrics.datasets.sprites import render  # drawn directly: no cache is made by a test

    path = bundled.pro_vlae_sprites()
    description = checkpoints.read_description(path)
    model = build_encoder(description["arguments"])
    model.load_state_dict(checkpoints.read_tensors(path, "model."), strict=True)
    indices = torch.randint(737_280, (64,), generator=torch.Generator().manual_seed(0)).numpy()
    images = torch.from_numpy(render(indices)).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        mean, logvar = model(images)
        shown = torch.sigmoid(model.decode(mean))
    assert mean.shape == logvar.shape == (64, 9)
    error = (shown - images).square().mean()
    assert error < 0.25 * images.var()  # far better than any constant picture


def test_its_path_needs_no_torch() -> None:
    script = (
        "import sys; from reference_models.bundled import pro_vlae_sprites; pro_vlae_sprites();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
