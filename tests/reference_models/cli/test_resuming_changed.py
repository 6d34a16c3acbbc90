"""A checkpoint whose description someone changed, gone on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from reference_models import datasets
from reference_models.cli import train as cli
from tests.reference_models.conftest import Squares

pytestmark = pytest.mark.usefixtures("only_squares")
SHORT = "beta-vae --dataset squares --preset smoke --steps 2 --batch-size 2 --device cpu --quiet"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load_dataset", lambda name, root=None: Squares())
        assert cli.run([*SHORT.split(), "--out", str(folder)]) == 0
    return folder


def test_another_size_is_another_run(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And not weights that do not fit what is said of them."""
    again = ["beta-vae", "--resume", "--device", "cpu", "--quiet", "--set", "latents=5"]
    assert cli.run([*again, "--out", str(trained)]) == 2
    assert "is another run (latents 10 -> 5); resume it as it was started" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place",
    [
        ("arguments", "1e999", 1), ("arguments", "latents", 10**9), ("arguments", "latents", "x"),
        ("arguments", "beta", None), ("settings", "steps", "9"), ("settings", "seed", [1]),
        ("settings", "log_every", {}), ("arguments", "image_shape", [1, 2**20, 2**20]),
    ],
    ids=str,
)  # fmt: skip
def test_it_is_refused_in_one_line(
    place: tuple[str, str, Any], trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained, tmp_path / "run")
    last = tmp_path / "run" / "last.safetensors"
    data = last.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    metadata = header["__metadata__"]
    (key,) = (key for key, text in metadata.items() if text.startswith("{"))
    description = json.loads(metadata[key])
    of, name, value = place
    description[of][name] = value
    metadata[key] = json.dumps(description)
    text = json.dumps(header).encode()
    last.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size :])
    assert (
        cli.run(["beta-vae", "--resume", "--device", "cpu", "--quiet", "--out", str(tmp_path / "run")]) == 2
    )
    err = capsys.readouterr().err
    assert err.startswith("dm-train: error: ")
    assert err.count("\n") == 1
