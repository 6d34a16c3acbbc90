"""Encoders that can decode: the optional method `decode_images` of their network."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm

torch = pytest.importorskip("torch")


class Network(torch.nn.Module):
    """Two latents, the first of which is the brightness of all pixels; dropout shows the mode."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.dropout = torch.nn.Dropout(0.9)

    def forward(self, images):
        return images.mean((1, 2, 3))[:, None].repeat(1, 2)

    def decode_images(self, latents):
        return self.dropout(self.scale * latents[:, :1, None, None].expand(-1, 3, 2, 4))


def test_images_come_as_bytes_with_channels_last():
    network = Network().train()
    encoder = dm.Encoder(network)
    assert encoder.decodes
    images = encoder.decode([[0.2, 9.0], [1.7, 9.0], [-1.0, 9.0]])
    assert images.dtype == np.uint8
    assert images.shape == (3, 2, 4, 3)
    assert np.unique(images[0]).tolist() == [51]
    assert np.unique(images[1]).tolist() == [255]  # cut at the ends of [0, 1]
    assert np.unique(images[2]).tolist() == [0]
    assert network.training


def test_a_network_without_a_decoder_says_so():
    encoder = dm.Encoder(torch.nn.Flatten())
    assert not encoder.decodes
    with pytest.raises(dm.InputError, match="no method decode_images"):
        encoder.decode([[0.0]])


def test_bundled_models_reconstruct_what_they_encode():
    encoder = dm.load_encoder("beta-vae-sprites", device="cpu")
    images = dm.load_dataset("sprites").images([5, 500])
    mean, _ = encoder(images.transpose(0, 3, 1, 2).astype(np.float32) / 255)
    again = encoder.decode(mean)
    assert again.shape == images.shape
    for own, other in ((0, 1), (1, 0)):
        errors = [((again[own].astype(float) - images[i]) ** 2).mean() for i in (own, other)]
        assert errors[0] < errors[1]
