"""The range in which a network gets its images, and the check that notices another one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics import InputError
from disentangle_metrics.encoders.input_scale import input_scale

torch = pytest.importorskip("torch")

UNIT = np.array([0, 0.25, 1], np.float32).reshape(1, 3, 1, 1) * np.ones((2, 1, 2, 2), np.float32)


@pytest.mark.parametrize(
    ("scale", "expected", "text"),
    [
        ("0..1", [0, 0.25, 1], "0..1"),
        ("-1..1", [-1, -0.5, 1], "-1..1"),
        ((-1, 1), [-1, -0.5, 1], "-1..1"),
        ("0..255", [0, 63.75, 255], "0..255"),
        ("imagenet", [-0.485 / 0.229, (0.25 - 0.456) / 0.224, (1 - 0.406) / 0.225], "imagenet"),
        ("mean=0.5,std=0.5", [-1, -0.5, 1], "mean=0.5,std=0.5"),
        ("mean=0,0.25,0.5,std=1,2,0.5", [0, 0, 1], "mean=0,0.25,0.5,std=1,2,0.5"),
        ({"mean": [0, 0.25, 0.5], "std": 0.5}, [0, 0, 1], "mean=0,0.25,0.5,std=0.5"),
    ],
)
def test_forms_of_a_scale(scale: object, expected: list[float], text: str) -> None:
    wanted = input_scale(scale)
    assert wanted is not None
    assert wanted.text == text
    np.testing.assert_allclose(wanted(UNIT)[1, :, 0, 1], expected, rtol=1e-6, atol=1e-7)
    tensor = wanted(torch.from_numpy(UNIT))
    assert tensor.dtype == torch.float32
    np.testing.assert_array_equal(tensor.numpy(), wanted(UNIT))


@pytest.mark.parametrize(
    "scale",
    [
        "1..0",
        "0..1..2",
        "bright",
        "mean=0.5",
        "mean=0.5,std=0",
        "mean=a,std=1",
        (1,),
        (0, np.inf),
        255,
        {"mean": 1},
    ],
)
def test_what_is_no_scale_is_refused(scale: object) -> None:
    with pytest.raises(InputError, match=r"`scale` must be 0\.\.1, -1\.\.1 or another LOW\.\.HIGH, imagenet"):
        input_scale(scale)


def test_a_value_per_channel_needs_the_channels() -> None:
    wanted = input_scale("imagenet")
    assert wanted is not None
    with pytest.raises(InputError, match="has 3 values and the images have 1 channels"):
        wanted(UNIT[:, :1])


class Centred(torch.nn.Module):
    """The posterior of a VAE trained on images in [low, high] of four pixels, each 0 or 1, a latent each.

    In that range the means are -0.9 and 0.9, and the variances 0.19: together the prior's 0 and 1.
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.middle, self.half = torch.nn.Parameter(torch.tensor([(low + high) / 2, (high - low) / 2]))

    def forward(self, images):
        mean = 0.9 * (images.flatten(1) - self.middle) / self.half
        return {"mean": mean, "logvar": torch.full_like(mean, float(np.log(0.19)))}


def images_and_factors() -> tuple[np.ndarray, np.ndarray]:
    factors = np.random.default_rng(0).integers(0, 2, (400, 4))
    return factors.reshape(-1, 2, 2).astype(np.uint8), factors


CHEAP = {"metrics": "mig", "anchors": False}


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 255)])
def test_a_network_that_wants_another_scale_is_noticed(low: float, high: float) -> None:
    images, factors = images_and_factors()
    right = f"{low:g}..{high:g}"
    for scale in ("0..1", "-1..1", "0..255"):
        report = dm.evaluate(Centred(low, high), images, factors, scale=scale, **CHEAP)
        found = [check for check in report.checks() if check.code == "other_scale"]
        if scale == right:
            assert not found
        else:
            assert [check.remedy for check in found] == [f"pass `scale={right!r}`"]
            assert f"seems to expect images in {right}" in found[0].message
            assert found[0].severity == "warning"
        assert report.provenance["scale"] == scale


def test_an_untrained_network_is_not_accused() -> None:
    torch.manual_seed(0)

    class Untrained(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(4, 8)

        def forward(self, images):
            return dict(zip(("mean", "logvar"), self.layer(images.flatten(1)).chunk(2, 1), strict=True))

    images, factors = images_and_factors()
    report = dm.evaluate(Untrained(), images, factors, **CHEAP)
    assert "other_scale" not in [check.code for check in report.checks()]


def test_a_bundled_model_fits_its_own_scale_alone() -> None:
    encoder = dm.load_encoder("beta-vae-sprites", device="cpu")
    dataset = dm.load_dataset("sprites", cache=False)
    report = dm.evaluate(encoder, dataset, samples=128, **CHEAP)
    assert "other_scale" not in [check.code for check in report.checks()]
    report = dm.evaluate(encoder, dataset, samples=128, scale="-1..1", **CHEAP)
    assert [check.remedy for check in report.checks() if check.code == "other_scale"] == [
        "pass `scale='0..1'`"
    ]


def test_a_scale_at_loading_is_kept(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.gain = torch.nn.Parameter(torch.ones(1))\n"
        "    def forward(self, x):\n"
        "        return x.flatten(1) * self.gain\n"
    )
    torch.save({"gain": torch.ones(1)}, tmp_path / "net.pt")
    encoder = dm.load_encoder(
        tmp_path / "net.pt", model_code=f"{tmp_path / 'net.py'}:Net", scale="-1..1", device="cpu"
    )
    assert encoder(np.zeros((2, 1, 1, 2), np.float32)).tolist() == [[-1, -1], [-1, -1]]
    images, factors = images_and_factors()
    report = dm.evaluate(encoder, images, factors, **CHEAP)
    assert report.provenance["scale"] == "-1..1"
    with pytest.raises(
        InputError, match=r"loaded with `scale='-1\.\.1'` and evaluate\(\) has `scale='0\.\.1'`; give one"
    ):
        dm.evaluate(encoder, images, factors, scale="0..1", **CHEAP)


def test_a_function_gets_scaled_images_too() -> None:
    seen = []

    def encode(images):
        seen.append((images.min(), images.max()))
        return images.reshape(len(images), -1)

    dm.evaluate(encode, *images_and_factors(), scale="0..255", **CHEAP)
    assert set(seen) == {(0.0, 255.0)}
