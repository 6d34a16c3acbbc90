"""dm-train's commands that look at trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("PIL")
from PIL import Image

from disentangle_metrics.cli import evaluate
from disentangle_metrics.kit import run_command as run_tool
from reference_models import datasets
from reference_models.cli import train as cli
from reference_models.trained import checkpoints
from tests.reference_models.conftest import Squares
from tests.reference_models.trained.test_export import saved
from tests.reference_models.trained.test_information_flow import saved_stages


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets, "load_dataset", lambda name, root=None: Squares())


def dm_train(line: str) -> int:
    return cli.run(line.split())


def test_information_prints_a_table_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved_stages(tmp_path)
    assert dm_train("information . --samples 100 --draws 200 --csv flow.csv --quiet") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "pro-vlae, step 16" in out
    assert "at most log N = 4.61" in out
    assert "N = 100 images of squares" in out
    frame = pd.read_csv("flow.csv", dtype={"layer": str})
    assert list(frame["layer"]) == ["1", "2", "3", "all"] * 3
    for value in frame["upper_bound"]:
        assert f"{value:.3f}" in out
    assert dm_train("information model.safetensors step-5.safetensors --samples 100 --draws 200 --quiet") == 0
    out, _ = capsys.readouterr()
    assert out.index("step 16") < out.index("step 5")


def test_traverse_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved_stages(tmp_path)
    assert dm_train("traverse step-5.safetensors --out one.png --image 3") == 0
    assert dm_train("traverse . --out all.png --gif --redraw --quantiles --image 3 --columns 4") == 0
    assert capsys.readouterr().out.split() == ["one.png", "all.png", "all.gif"]
    one, everything, gif = (Image.open(name) for name in ("one.png", "all.png", "all.gif"))
    assert everything.height > 3 * one.height
    assert one.width > everything.width
    assert gif.n_frames > 1
    assert dm_train("traverse step-5.safetensors --out two.gif --columns 3") == 0
    assert Image.open("two.gif").format == "GIF"
    assert not Path("two.png").exists()


def test_export_writes_both_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    saved(tmp_path, "vlae", (1, 64, 64))
    assert dm_train("export . --out e.onnx") == 0
    assert dm_train("export last.safetensors --format safetensors --precision float16 --out w.bin") == 0
    assert capsys.readouterr().out.split() == ["e.onnx", "w.bin"]
    for file in ("e.onnx", "w.bin"):
        line = f"{file} --dataset sprites --samples 60 --metrics mig --anchors none --quiet"
        assert run_tool(evaluate.app, "dm-eval", line.split()) == 0
    content = Path("e.onnx").read_bytes()
    Path("half.onnx").write_bytes(content[: len(content) // 2])
    Path("torn.onnx").write_bytes(content[:3000] + bytes(np.full(3000, 255)) + content[6000:])
    capsys.readouterr()
    for file in ("half.onnx", "torn.onnx"):
        assert run_tool(evaluate.app, "dm-eval", [file, "--dataset", "sprites"]) == 2
        _, err = capsys.readouterr()
        assert err.count("\n") == 1
        assert err.startswith(f"dm-eval: error: {file} is ")


@pytest.mark.parametrize(
    "line", ["information --samples 9 --draws 9 --quiet", "traverse --out a.png --columns 2"]
)
def test_models_of_several_data_sets_need_the_name_of_one(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for folder, dataset in ((own, "squares"), (other, "circles")):
        path = saved(folder, "beta-vae")
        tensors = checkpoints.read_tensors(path, "")
        checkpoints.write(path, tensors, {**checkpoints.read_description(path), "dataset": dataset})
    assert dm_train(f"{line} own other") == 2
    err = capsys.readouterr().err
    assert "last.safetensors was trained on 'squares' and other" in err
    assert "on 'circles'; give --dataset" in err
    assert dm_train(f"{line} own other --dataset squares") == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("information . auto", "auto/last.safetensors has a deterministic encoder"),
        ("information . --draws 1", "draws is 1"),
    ],
)
def test_information_is_refused_before_a_data_set_is_encoded(
    line: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    images, encoded = Squares.images, []

    def counted(self: Squares, indices: Any) -> Any:
        encoded.append(len(indices))
        return images(self, indices)

    monkeypatch.setattr(Squares, "images", counted)
    saved_stages(tmp_path)
    (tmp_path / "auto").mkdir()
    saved(tmp_path / "auto", "autoencoder")
    assert dm_train(f"{line} --dataset squares --samples 100 --quiet") == 2
    assert said in capsys.readouterr().err
    assert set(encoded) == {1}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("information none.safetensors", "there is no checkpoint none.safetensors"),
        ("information pro-vlae-sprits", "no checkpoint pro-vlae-sprits; did you mean 'pro-vlae-sprites'?"),
        ("information empty", "empty holds no checkpoint"),
        ("information . --csv no/folder.csv", "there is no folder no"),
        (
            "information . --csv ./step-5.safetensors",
            "--csv step-5.safetensors would replace a checkpoint that is read",
        ),
        ("information . --seed -1", "--seed"),
        ("information . --draws 1", "draws is 1"),
        ("traverse . --out a.jpg", "must end in .png or .gif"),
        ("traverse . --out a.png --image 625", "squares has images 0 to 624"),
        ("traverse . --out a.png --extent 0", "--extent is 0"),
        (
            "traverse . --out a.png --extent 2 --quantiles",
            "--quantiles and --extent both say how far latents go",
        ),
        (
            "traverse . --out a.gif --redraw",
            "--redraw needs a picture, and --out a.gif is an animation alone",
        ),
        ("export . --out a.bin", "give --format, or a name that ends in .onnx"),
        ("export . --out a.onnx --precision float16", "ONNX files are written in float32"),
        ("export . --out a.safetensors --precision int8", "precision is 'int8'"),
        ("export . --out empty", "give --format"),
        ("export . --out empty --format onnx", "it is a folder"),
        ("export . --out step-5.safetensors", "--out step-5.safetensors would replace the checkpoint itself"),
    ],
)
def test_misuse(line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    saved_stages(tmp_path)
    assert dm_train(line) == 2
    _, err = capsys.readouterr()
    assert said in err
    assert err.count("\n") == 1
