"""Pictures of a decoder are of the code that was scored: the same images, bits, range and network."""

from __future__ import annotations

import re

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.encoders.encoder import Encoder

torch = pytest.importorskip("torch")
pytest.importorskip("PIL")
pytest.importorskip("jinja2")

FACTORS = np.stack(np.meshgrid(np.arange(8), np.arange(8)), axis=-1).reshape(-1, 2)


class Halves(torch.nn.Module):
    """Latents are what the upper and the lower half show, times `size`."""

    def __init__(self, size: float = 1.0) -> None:
        super().__init__()
        self.size = size

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([images[:, 0, :2, 1:].mean((1, 2)), images[:, 0, 2:].mean((1, 2))], 1) * self.size

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        return self(images)

    def other(self, images: torch.Tensor) -> torch.Tensor:
        return 2 * self(images)

    def several(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self(images), self.other(images)

    def decode_images(self, latents: torch.Tensor) -> torch.Tensor:
        return (latents / self.size).clamp(0, 1).repeat_interleave(2, 1)[:, None, :, None].expand(-1, 1, 4, 4)


def halves(step: int, dtype: type) -> np.ndarray:
    """Images (64, 4, 4, 1) whose halves are the two factors, times `step`; the first pixel is the brightest."""
    images = np.repeat(FACTORS * step, 2, axis=1)[:, :, None, None].repeat(4, axis=2).astype(dtype)
    images[:, 0, 0] = np.iinfo(dtype).max
    return images


def ends(encoder: object, images: np.ndarray, report: dm.Report) -> list[tuple[str, ...]]:
    """From where to where each latent is traversed, as the page says."""
    page = report.to_html(encoder=encoder, dataset=dm.datasets.from_arrays(images, FACTORS))
    return re.findall(r'alt="9 images as latent \w+ goes from (\S+) to (\S+)"', page)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_traversals_are_of_all_bits_of_the_images():
    network, images = Halves(65535.0), halves(16, np.uint16)  # 7 * 16 of 65535: less than one of 255
    report = dm.evaluate(network, dm.datasets.from_arrays(images, FACTORS), metrics=["mig"], anchors=False)
    assert ends(Encoder(network), images, report) == [("0.00", "112.00")] * 2


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_traversals_are_in_the_range_that_was_scored():
    network, images = Halves(), halves(36, np.uint8)
    dataset = dm.datasets.from_arrays(images, FACTORS)
    report = dm.evaluate(network, dataset, metrics=["mig"], scale="-1..1", anchors=False)
    expected = [("-1.00", f"{2 * 252 / 255 - 1:.2f}")] * 2
    for encoder in (network, network.encode, Encoder(network), Encoder(network, scale="-1..1")):
        assert ends(encoder, images, report) == expected
    with pytest.raises(
        dm.InputError, match="report is of images in -1..1 and `encoder` has `scale='0..255'`"
    ):
        report.to_html(encoder=Encoder(network, scale="0..255"), dataset=dataset)
    with pytest.raises(dm.InputError, match=r"got ndarray; of your own images pass `dm.datasets.from_arrays"):
        report.to_html(encoder=network, dataset=images)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_traversals_are_of_the_part_and_the_output_that_were_scored():
    network, images = Halves(), halves(36, np.uint8)
    dataset = dm.datasets.from_arrays(images, FACTORS)
    twice = [("0.00", f"{2 * 252 / 255:.2f}")] * 2

    def scored(encoder: object, **choices: object) -> dm.Report:
        report = dm.evaluate(encoder, dataset, metrics=["mig"], anchors=False, **choices)
        return dm.Report.from_dict(report.to_dict())

    by_part, by_output = {"encode_with": "other"}, {"encode_with": "several", "outputs": {"mean": 1}}
    for choices in (by_part, by_output):
        report = scored(network, **choices)
        assert {name: report.provenance[name] for name in choices} == choices
        assert scored(Encoder(network, **choices)).provenance["encode_with"] == choices["encode_with"]
        for encoder in (network, Encoder(network, **choices)):
            assert ends(encoder, images, report) == twice
        with pytest.raises(
            dm.InputError, match="has no choice of its outputs; pass the encoder that was scored"
        ):
            ends(Encoder(network), images, report)
    assert ends(network.other, images, scored(network, **by_part)) == twice
    for method, choices in ((network.other, {}), (network.several, {"outputs": {"mean": 1}})):
        for encoder in (network, method):
            assert ends(encoder, images, scored(method, **choices)) == twice
    with pytest.raises(
        dm.InputError, match="of no choice of its outputs and `encoder` has `encode_with='other'`"
    ):
        ends(Encoder(network, encode_with="other"), images, scored(network))
