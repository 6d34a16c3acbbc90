from __future__ import annotations

import math
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import norm

from disentangle_metrics import InputError
from reference_models.models.pro_vlae import ProVLAE
from reference_models.trained import checkpoints
from reference_models.trained.information_flow import StageInformation, information, information_flow, table
from reference_models.trained.load import TrainedModel, load, load_all
from tests.reference_models.conftest import Squares


def grid(levels: int, spacing: float) -> np.ndarray:
    """Means of every combination of two evenly spaced latents, (levels^2, 2)."""
    line = spacing * np.arange(levels)
    return np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)


def test_posteriors_that_stand_alone_tell_the_image() -> None:
    layers = information(grid(20, 1.0), np.full((400, 2), -12.0), 2)
    for layer, certain in zip(layers, (math.log(20), math.log(20), math.log(400)), strict=True):
        assert layer.information == pytest.approx(certain, abs=1e-9)
        assert layer.standard_error == pytest.approx(0, abs=1e-9)
    assert (layers[0].images, layers[0].draws) == (400, 2_000)
    assert [layer.layer for layer in layers] == ["1", "2", "all"]
    assert [layer.latents for layer in layers] == [1, 1, 2]


def test_a_code_that_ignores_the_image_tells_nothing() -> None:
    for mean, logvar in ((0.0, 0.0), (3.0, -4.0)):
        *_, everything = information(np.full((300, 4), mean), np.full((300, 4), logvar), 2)
        assert everything.information == pytest.approx(0, abs=1e-12)
    assert everything.upper_bound == pytest.approx(4 * 0.5 * (9 + math.exp(-4) - 1 + 4))


@pytest.mark.parametrize(("signal", "noise"), [(1.0, 0.5), (0.6, 0.3), (1.0, 3.0)])
def test_gaussian_channels(signal: float, noise: float) -> None:
    """Means spread like Normal(0, signal^2) and noise of variance noise^2: 1/2 log(1 + signal^2 / noise^2)."""
    line = signal * np.array([NormalDist().inv_cdf((i + 0.5) / 40) for i in range(40)])
    mean = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    logvar = np.full_like(mean, 2 * math.log(noise))
    one, other, both = information(mean, logvar, 2, draws=6_400, seed=1)
    # The quantiles' own variance, since 40 of them do not reach far into the tails.
    known = 0.5 * math.log(1 + line.var() / noise**2)
    for layer, truth in ((one, known), (other, known), (both, 2 * known)):
        assert layer.standard_error < 0.03
        assert layer.information == pytest.approx(truth, abs=4 * layer.standard_error)
    kl = 0.5 * (line.var() + noise**2 - 1 - 2 * math.log(noise))
    assert one.upper_bound == pytest.approx(kl)
    assert one.upper_bound > one.information - 4 * one.standard_error


def test_independent_layers_add_up() -> None:
    one, other, both = information(grid(15, 0.4), np.tile([-1.0, -3.0], (225, 1)), 2)
    assert both.information == pytest.approx(one.information + other.information, abs=1e-9)
    assert other.information > one.information + 0.5


def test_layers_that_say_the_same_do_not_add_up() -> None:
    same = np.repeat(np.arange(50.0)[:, None], 2, axis=1)
    one, other, both = information(same, np.full((50, 2), -12.0), 2)
    assert both.information == pytest.approx(one.information) == pytest.approx(other.information)


def test_layers_of_several_latents_are_taken_together() -> None:
    mean = np.random.default_rng(0).normal(size=(200, 6))
    logvar = np.random.default_rng(1).normal(-2, 0.5, size=(200, 6))
    layers = information(mean, logvar, 3, draws=10_000)
    for part, found in ((slice(0, 2), layers[0]), (slice(4, 6), layers[2])):
        alone = information(mean[:, part], logvar[:, part], draws=10_000)[-1]
        assert found.upper_bound == pytest.approx(alone.upper_bound)
        both = math.hypot(found.standard_error, alone.standard_error)
        assert found.information == pytest.approx(alone.information, abs=4 * both)


def test_the_standard_error_is_that_of_repeated_estimates() -> None:
    estimates, errors = [], []
    mean = np.random.default_rng(0).normal(size=(2_000, 1))
    for seed in range(60):
        layer = information(mean, np.full((2_000, 1), -3.0), draws=200, seed=seed)[-1]
        estimates.append(layer.information)
        errors.append(layer.standard_error)
    assert 0.7 < np.std(estimates, ddof=1) / np.mean(errors) < 1.4


def test_the_seed_decides_and_the_chunks_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    mean = np.random.default_rng(0).normal(size=(100, 4))
    logvar = np.full((100, 4), -1.0)
    first = information(mean, logvar, 2, seed=5)
    assert information(mean, logvar, 2, seed=5) == first
    assert information(mean, logvar, 2, seed=6) != first
    done = []
    monkeypatch.setattr("reference_models.trained.information_flow.CELLS_AT_ONCE", 700)
    assert information(mean, logvar, 2, seed=5, advance=done.append) == first
    assert len(done) > 10
    assert sum(done) == 2_000


def test_more_images_than_fit_at_once_are_summed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 images against the definition, each q(z) summed at once."""
    mean = np.random.default_rng(0).normal(size=(1_000, 2))
    logvar = np.random.default_rng(1).normal(-3, 1, size=(1_000, 2))
    monkeypatch.setattr("reference_models.trained.information_flow.IMAGES_AT_ONCE", 64)
    measured = information(mean, logvar, 2, draws=200, seed=3)

    rng = np.random.default_rng(3)
    rows, noise = rng.permutation(1_000)[:200], rng.standard_normal((200, 2))
    codes, deviation = mean[rows] + np.exp(logvar[rows] / 2) * noise, np.exp(logvar / 2)
    logs = norm.logpdf(codes[:, None], mean, deviation)  # (codes, images, latents)
    own = norm.logpdf(codes, mean[rows], deviation[rows])
    for part, layer in ((slice(0, 1), measured[0]), (slice(1, 2), measured[1]), (slice(0, 2), measured[2])):
        together = logsumexp(logs[:, :, part].sum(2), axis=1) - math.log(1_000)
        assert layer.information == pytest.approx((own[:, part].sum(1) - together).mean(), abs=1e-10)


def test_an_estimate_near_log_n_is_marked() -> None:
    apart = information(grid(20, 1.0), np.full((400, 2), -12.0), 2)
    assert [layer.saturated for layer in apart] == [False, False, True]
    assert apart[-1].ceiling == pytest.approx(math.log(400))
    frame = table([StageInformation("vlae", 3, "run", apart)])
    assert list(frame["saturated"]) == [False, False, True]
    assert list(frame["ceiling"]) == pytest.approx([math.log(400)] * 3)


def test_narrow_posteriors_keep_their_precision() -> None:
    mean = 1e3 + np.arange(30.0)[:, None]
    layer = information(mean, np.full((30, 1), 2 * math.log(1e-7)))[-1]
    assert layer.information == pytest.approx(math.log(30), abs=1e-6)


@pytest.mark.parametrize(
    ("mean", "logvar", "options", "message"),
    [
        (np.zeros((3, 2)), np.zeros((3, 3)), {}, r"found \(3, 2\) and \(3, 3\)"),
        (np.zeros(3), np.zeros(3), {}, "must both have the shape"),
        (np.zeros((3, 4)), np.zeros((3, 4)), {"layers": 3}, "layers is 3; it must divide .* 4"),
        (np.full((3, 2), np.nan), np.zeros((3, 2)), {}, "must be finite"),
        (np.zeros((3, 2)), np.zeros((3, 2)), {"draws": 1}, "draws is 1"),
    ],
)
def test_bad_input(mean, logvar, options, message) -> None:
    with pytest.raises(InputError, match=message):
        information(mean, logvar, **options)


def saved_stages(folder: Path) -> Path:
    """A pro-VLAE's checkpoints after each stage, with untrained weights."""
    arguments = {"image_shape": [1, 32, 32], "latents_per_layer": 2, "wake_steps": [0, 5, 11]}
    model = ProVLAE(**arguments)
    for name, step in (("step-11", 10), ("step-5", 4), ("model", 15)):
        model.enter(step)
        description = {
            "architecture": "pro-vlae",
            "arguments": arguments,
            "dataset": "squares",
            "step": step + 1,
        }
        checkpoints.write(folder / f"{name}.safetensors", checkpoints.model_tensors(model), description)
    return folder


def test_layers_that_wait_know_nothing(tmp_path: Path, squares: Squares) -> None:
    stages = list(information_flow(load_all([saved_stages(tmp_path)]), squares, samples=100))
    assert [stage.step for stage in stages] == [5, 11, 16]
    awake = [[layer.upper_bound > 1e-9 for layer in stage.layers] for stage in stages]
    assert awake == [[False, False, True, True], [False, True, True, True], [True] * 4]
    assert awake == [[layer.information != 0 for layer in stage.layers] for stage in stages]
    frame = table(stages)
    assert list(frame["layer"]) == ["1", "2", "3", "all"] * 3
    assert frame["information"][3] == stages[0].layers[3].information
    assert set(frame["estimator"]) == {"aggregate posterior, Monte Carlo"}
    again = list(information_flow(load_all([tmp_path]), squares, samples=100))
    assert again == stages


class OnMPS(torch.Tensor):
    """As PyTorch's tensors on a Mac's GPU, which cannot be float64 there."""

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = super().__torch_function__(function, types, args, kwargs or {})
        if function is torch.Tensor.cpu:
            return found.as_subclass(torch.Tensor)
        if isinstance(found, OnMPS) and found.dtype == torch.float64:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        return found


def test_a_model_on_mps_is_encoded_and_its_information_summed_on_the_cpu(squares: Squares) -> None:
    class Model(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            codes = images.flatten(1)[:, :2].as_subclass(OnMPS)
            return codes, codes - 1

    trained = TrainedModel(Path("x"), Model(), "squares", 0, (1, 32, 32), 1)  # type: ignore[arg-type]
    mean, logvar = trained.encode(squares, np.array([0, 624]))
    assert logvar is not None
    assert (mean.dtype, logvar.dtype) == (np.float64, np.float64)
    assert mean.tolist() == [[1, 1], [0, 0]]
    assert logvar.tolist() == [[0, 0], [-1, -1]]
    on_mps = information(mean, logvar, 2, device=torch.device("mps"))
    assert on_mps == information(mean, logvar, 2)


def test_other_images_are_refused(tmp_path: Path, squares: Squares) -> None:
    trained = load(saved_stages(tmp_path) / "model.safetensors")
    squares.image_shape = (32, 32, 3)
    with pytest.raises(InputError, match=r"with the shape \(1, 32, 32\) .* of squares have \(3, 32, 32\)"):
        trained.encode(squares, np.arange(3))
    with pytest.raises(InputError, match="holds no checkpoint"):
        list(load_all([tmp_path / ".."]))


def test_the_seed_reaches_the_draws(tmp_path: Path, squares: Squares) -> None:
    trained = load(saved_stages(tmp_path) / "model.safetensors")
    one, other = (list(information_flow([trained], squares, draws=50, seed=seed)) for seed in (0, 1))
    assert one[0].layers[0].upper_bound == other[0].layers[0].upper_bound  # of all images, both times
    assert one[0].layers[0].information != other[0].layers[0].information
