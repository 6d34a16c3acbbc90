"""Score a network on a DataLoader of your own: batches of (inputs, factors).

Needs the extra `models`. Run: python examples/integrations/torch_data_loader.py
"""

import torch
from torch.utils.data import DataLoader, Dataset

import disentangle_metrics as dm


class Discs(Dataset):
    """Grey images of a disc, with its place as factors by name."""

    def __len__(self) -> int:
        return 1024

    def __getitem__(self, i: int):
        x, y = i % 32, i // 32
        grid = torch.arange(32)
        distance = (grid[None, :] - x) ** 2 + (grid[:, None] - y) ** 2
        return (distance < 16).float()[None], {"x": x, "y": y}


class Encoder(torch.nn.Module):
    """The centre of mass, turned by 20 degrees: put your trained network here."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        grid = torch.linspace(-1, 1, 32)
        mass = images[:, 0].sum((1, 2))
        centre = torch.stack([(images[:, 0].sum(dim) * grid).sum(1) / mass for dim in (1, 2)], dim=1)
        angle = torch.tensor(20.0).deg2rad()
        turn = torch.tensor([[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]])
        return centre @ turn


loader = DataLoader(Discs(), batch_size=128)
print(dm.evaluate(Encoder(), loader, metrics=["mig", "mig_sup", "sap"]))
