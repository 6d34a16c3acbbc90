"""Small networks and the files that people save them in."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("torch")
import torch
from torch import nn

from disentangle_metrics.encoders import ENCODERS


class TinyNetwork(nn.Module):
    """Means of 4x4 images with one channel; the registered architecture of these tests."""

    def __init__(self, latents: int = 3) -> None:
        super().__init__()
        self.layer = nn.Linear(16, latents)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.layer(images.flatten(1))


STRANGERS_CODE = """
    import torch
    from torch import nn

    class Stranger(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)
            self.norm = nn.BatchNorm2d(2)
            self.mean, self.logvar = nn.Linear(8, 3), nn.Linear(8, 3)

        def forward(self, x):
            h = self.norm(self.conv(x)).flatten(1)
            return self.mean(h), self.logvar(h)

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.vae = Stranger()

        def forward(self, x):
            return self.vae(x)

    class Talkative(Stranger):
        def forward(self, x):
            return x, *super().forward(x)

    def build():
        return Stranger()

    def broken():
        raise RuntimeError("no weights here")

    def sized(z_dim, width):
        return Stranger()

    def number():
        return 7
"""


@pytest.fixture
def architecture():
    """The name of a registered architecture."""
    ENCODERS.add("tiny-net", lambda arguments: TinyNetwork(**arguments))
    yield "tiny-net"
    ENCODERS.remove("tiny-net")


@pytest.fixture
def network() -> TinyNetwork:
    torch.manual_seed(0)
    return TinyNetwork()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Someone else's module on the path, and its network with settled batch statistics."""
    (tmp_path / "strangers_models.py").write_text(textwrap.dedent(STRANGERS_CODE))
    monkeypatch.syspath_prepend(str(tmp_path))
    import strangers_models

    torch.manual_seed(2)
    network = strangers_models.build()
    network(torch.rand(32, 1, 4, 4))
    yield network.eval()
    sys.modules.pop("strangers_models", None)
