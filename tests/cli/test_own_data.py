"""dm-eval on own data and on variants; dm-train trains on them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.kit import run_command

torch = pytest.importorskip("torch")

NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(1))

    def forward(self, images):
        assert images.max() <= 1
        return images.flatten(1)[:, :2] * self.gain
"""


@pytest.fixture
def own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images of 0 and 1 whose first two pixels are the factors, and a network that reads these."""
    (folder / "reads_pixels.py").write_text(NET)
    monkeypatch.delitem(sys.modules, "reads_pixels", raising=False)  # of the test before
    torch.save({"gain": torch.ones(1)}, "net.pt")
    factors = np.random.default_rng(0).integers(0, 2, (300, 2))
    images = np.zeros((300, 4, 4), np.uint8)
    images[:, 0, :2] = factors
    np.savez("mine.npz", images=images, factors=factors, factor_names=np.array(["left", "right"]))
    return folder


EVAL = "net.pt --model-code reads_pixels.py:Net --metrics mig --device cpu"


def test_own_data_to_a_report_in_one_command(own: Path, dm_eval: Callable) -> None:
    result = dm_eval(f"{EVAL} --dataset mine.npz --json report.json")
    assert result.code == 0
    assert "mine.npz: images: 300 images (n, height, width) of uint8, values 0..1 as found" in result.err
    values = json.loads((own / "report.json").read_text())
    assert values["scores"]["mig"]["value"] == pytest.approx(1, abs=0.02)
    assert values["provenance"]["dataset"] == "mine.npz"
    assert values["provenance"]["data"]["value_range"] == "0..1"
    assert values["provenance"]["scale"] == "0..1"


@pytest.mark.parametrize("scale", ["--scale -1..1", "--scale=-1..1"])
def test_scale_and_kinds(scale: str, own: Path, dm_eval: Callable) -> None:
    result = dm_eval(f"{EVAL} --dataset mine.npz {scale} --factor-types left=ordinal --json report.json")
    assert result.code == 0
    values = json.loads((own / "report.json").read_text())
    assert values["provenance"]["scale"] == "-1..1"
    assert "|kinds:oc|" in values["scores"]["mig"]["signature"]


def test_options_of_own_data(own: Path, dm_eval: Callable) -> None:
    np.savez(
        "odd.npz",
        a=np.full((60, 4, 4), 16.0) * (np.arange(60) % 2)[:, None, None],
        b=np.arange(60) % 2,
        c=np.zeros((60, 4, 4)),
    )
    result = dm_eval(f"{EVAL} --dataset odd.npz")
    assert (result.code, len(result.err_lines)) == (2, 1)
    assert "images=NAME" in result.err
    result = dm_eval(f"{EVAL} --dataset odd.npz --data-options images=a,factors=b")
    assert (result.code, len(result.err_lines)) == (2, 1)
    assert "--data-options value_range=0..16" in result.err
    assert dm_eval(f"{EVAL} --dataset odd.npz --data-options images=a,factors=b,value_range=0..16").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (f"{EVAL} --dataset no.npz", "there is no file or folder no.npz"),
        (f"{EVAL} --dataset mine.npz --root here", "leave out --root"),
        (f"{EVAL} --dataset mine.npz --scale bright", "--scale must be"),
        (f"{EVAL} --dataset sprites|color", "did you mean 'colour'"),
        ("--latents z.npy --factors v.csv --scale 0..1", "takes no --scale"),
    ],
)
def test_bad_input_is_one_line_and_code_2(arguments: str, message: str, own: Path, dm_eval: Callable) -> None:
    result = dm_eval(arguments)
    assert (result.code, result.out) == (2, "")
    assert len(result.err_lines) == 1
    assert message in result.err


def test_a_variant_by_its_name(own: Path, dm_eval: Callable) -> None:
    name = "mine.npz|restricted:left=1|colour:seed=2"
    result = dm_eval(f"{EVAL} --dataset {name} --json report.json")
    assert result.code == 0
    assert json.loads((own / "report.json").read_text())["provenance"]["dataset"] == name


def test_dm_train_trains_on_own_data_and_goes_on(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from reference_models.cli.train import run

    images = (np.arange(64)[:, None, None] % 8 * 32 > np.arange(32 * 32).reshape(32, 32) % 256).astype(
        np.uint8
    )
    np.savez("train.npz", images=images[:, :28, :28], factors=np.arange(64) % 8)
    common = ["--preset", "smoke", "--steps", "2", "--batch-size", "4", "--quiet", "--device", "cpu"]
    assert run(["beta-vae", "--dataset", "train.npz", *common]) == 2
    assert "--dataset 'NAME|padded:side=64' puts black margins" in capsys.readouterr().err
    name = "train.npz|padded:side=32"
    assert run(["beta-vae", "--dataset", name, *common]) == 0
    weights = Path(capsys.readouterr().out.strip())
    assert weights.parent.name == "beta-vae-train-padded-side=32-smoke-0"
    assert run(["traverse", str(weights), "--out", "t.png"]) == 0
    from disentangle_metrics.cli.evaluate import NAME
    from disentangle_metrics.cli.evaluate import app as evaluate

    assert (
        run_command(evaluate, NAME, [str(weights), "--dataset", name, "--metrics", "mig", "--device", "cpu"])
        == 0
    )
