"""Evaluate one's own PyTorch network: any callable from images to latents is an encoder.

Needs the extra `models`. Run: python examples/evaluate_own_network.py
"""

import torch
from torch import nn

import disentangle_metrics as dm


class Encoder(nn.Module):
    """A small convolutional encoder with 6 latents.

    An encoder that knows its uncertainty returns the pair (mean, logvar) instead; then only latents
    whose mean varies enough count as active.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 4, stride=4), nn.ReLU(), nn.Conv2d(8, 16, 4, stride=4), nn.ReLU(), nn.Flatten()
        )
        self.head = nn.Linear(16 * 4 * 4, 6)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(images))


torch.manual_seed(0)
network = Encoder()  # untrained: put your trained network here

dataset = dm.load_dataset("sprites")
report = dm.evaluate(network, dataset, samples=2_000, metrics=["mig", "mig_sup", "factor_vae"])
print(report)
report.to_json("own_network.json")
print("The whole report, with settings and signatures, is in own_network.json")
