"""Convolution and ladder blocks, and the ladder network that VLAE and pro-VLAE share.

The network is the one that Li, Murkute, Gyawali and Wang published with "Progressive Learning and
Disentanglement of Hierarchical Representations" (ICLR 2020), for 64x64 images and three layers; it
follows the image's side to other powers of two. Layer 1 is the lowest, nearest to the pixels.

::

    images -> trunk 1 -> trunk 2 -> trunk 3
                |          |          |
             branch 1   branch 2   branch 3        (means and log-variances)
                :          :          :
            features 1 features 2 features 3       (from the sampled latents)
                |          |          |
    logits <- generator 1 <- generator 2 <- generator 3
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from disentangle_metrics import InputError

ImageShape = Sequence[int]  # channels, height, width


class Affine(nn.Module):
    """A learned scale and shift per channel.

    The authors' code applies batch normalisation that never sees training mode, so that all it
    does is this.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1) + (1,) * (x.dim() - 2)
        return x * self.scale.view(shape) + self.shift.view(shape)


def activated(layer: nn.Module, channels: int, affine: bool) -> nn.Sequential:
    """`layer`, then ELU, then the affine map if it is wanted."""
    return nn.Sequential(layer, nn.ELU(), *([Affine(channels)] if affine else []))


def halve(channels_in: int, channels_out: int, affine: bool) -> nn.Sequential:
    """Convolution 4x4, stride 2: half the side. Padding 1 is what "same" means for an even side."""
    return activated(nn.Conv2d(channels_in, channels_out, 4, 2, padding=1), channels_out, affine)


def double(channels_in: int, channels_out: int, affine: bool) -> nn.Sequential:
    """Transposed convolution 4x4, stride 2: twice the side."""
    return activated(nn.ConvTranspose2d(channels_in, channels_out, 4, 2, padding=1), channels_out, affine)


def dense(units_in: int, units_out: int, affine: bool) -> nn.Sequential:
    """A fully connected layer with its activation."""
    return activated(nn.Linear(units_in, units_out), units_out, affine)


class Branch(nn.Module):
    """One layer's posterior: what the trunk sees at this depth -> means and log-variances (n, latents)."""

    def __init__(self, channels: int, side: int, latents: int, hidden: int, affine: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            halve(channels, channels, affine),
            nn.Flatten(),
            dense(channels * (side // 2) ** 2, hidden, affine),
        )
        self.mean = nn.Linear(hidden, latents)
        self.logvar = nn.Linear(hidden, latents)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(x)
        return self.mean(hidden), self.logvar(hidden)


def features(latents: int, channels: int, side: int, hidden: int, affine: bool) -> nn.Sequential:
    """One layer's latents -> its feature map (n, channels, side, side) for the generator."""
    return nn.Sequential(
        dense(latents, hidden, affine),
        dense(hidden, channels * side * side, affine),
        nn.Unflatten(1, (channels, side, side)),
    )


def initialise(network: nn.Module) -> None:
    """Glorot-uniform weights and zero biases, TensorFlow's defaults.

    PyTorch's own defaults start convolutions and biases differently, which shows in short schedules.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class LadderNetwork(nn.Module):
    """An encoder with a posterior at every depth, and a decoder that takes the latents in again.

    Parameters
    ----------
    image_shape : (channels, height, width)
        A square image whose side is a power of two, at least 32; 1 or 3 channels.
    latents_per_layer, layers : int
    affine : bool
        Add the learned scale and shift of the authors' code after each activation.
    channels, hidden : int
        Width of every convolution, and of the dense layers.

    Raises
    ------
    InputError
        If the image or the layers do not fit.
    """

    def __init__(
        self,
        image_shape: ImageShape,
        latents_per_layer: int,
        layers: int,
        affine: bool = False,
        channels: int = 32,
        hidden: int = 256,
    ) -> None:
        super().__init__()
        check_image_shape(image_shape)
        if latents_per_layer < 1:
            raise InputError(f"latents_per_layer is {latents_per_layer}; it must be at least 1")
        if not 1 <= layers <= 3:
            raise InputError(f"layers is {layers}; this network has 1 to 3")
        self.image_shape = tuple(image_shape)
        self.latents_per_layer, self.layers = latents_per_layer, layers
        colours, side, _ = image_shape
        sides = [side // 2 ** (depth + 1) for depth in range(layers)]  # of the trunk, lowest layer first

        self.trunk = nn.ModuleList(
            halve(colours if depth == 0 else channels, channels, affine) for depth in range(layers)
        )
        self.branches = nn.ModuleList(Branch(channels, s, latents_per_layer, hidden, affine) for s in sides)
        self.features = nn.ModuleList(
            features(latents_per_layer, channels, s // 2, hidden, affine) for s in sides
        )
        self.generators = nn.ModuleList(
            double(channels if depth == layers - 1 else 2 * channels, channels, affine)
            for depth in range(layers)
        )
        self.output = nn.ConvTranspose2d(channels, colours, 4, 2, padding=1)
        initialise(self)

    def posterior(self, images: Tensor, gates: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Means and log-variances, each (n, layers, latents_per_layer), the lowest layer first.

        `gates` (layers,) multiply what each branch sees of the trunk; None leaves all open.
        """
        means, logvars, x = [], [], images
        for layer, (step, branch) in enumerate(zip(self.trunk, self.branches, strict=True)):
            x = step(x)
            mean, logvar = branch(x if gates is None else x * gates[layer])
            means.append(mean)
            logvars.append(logvar)
        return torch.stack(means, 1), torch.stack(logvars, 1)

    def decode(self, latents: Tensor, gates: Tensor | None = None) -> Tensor:
        """Logits (n, channels, height, width) from latents (n, layers, latents_per_layer).

        `gates` (layers,) multiply each layer's feature map; 0 cuts a layer off.
        """
        above: Tensor | None = None
        for layer in reversed(range(self.layers)):
            own = self.features[layer](latents[:, layer])
            if gates is not None:
                own = own * gates[layer]
            above = self.generators[layer](own if above is None else torch.cat([own, above], 1))
        logits: Tensor = self.output(above)
        return logits


def check_image_shape(image_shape: ImageShape) -> None:
    """Refuse what the networks cannot take: see :class:`LadderNetwork`."""
    shape = tuple(image_shape)
    side = shape[-1]
    if len(shape) != 3 or shape[0] not in (1, 3) or shape[1] != side or side < 32 or side & (side - 1):
        raise InputError(
            f"image_shape is {shape}; it must be (channels, height, width) with 1 or 3 channels and "
            f"height = width = a power of two from 32, such as (1, 64, 64)"
        )
