"""Convolution blocks, and the two kinds of network that the models are made of.

`FlatNetwork` has one latent layer. `LadderNetwork`, which VLAE and pro-VLAE share, has one at every
depth. Layer 1 is the lowest, nearest to the pixels.

::

    images -> trunk 1 -> trunk 2 -> trunk 3
                |          |          |
             branch 1   branch 2   branch 3        (means and log-variances)
                :          :          :
            features 1 features 2 features 3       (from the sampled latents)
                |          |          |
    logits <- generator 1 <- generator 2 <- generator 3

The ladders are those that Li, Murkute, Gyawali and Wang published with "Progressive Learning and
Disentanglement of Hierarchical Representations" (ICLR 2020), for images of 64x64. They have three
layers for dSprites and 3DShapes, and four wide ones for CelebA. They follow the image's side to
other powers of two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from disentangle_metrics import InputError

ImageShape = Sequence[int]  # channels, height, width
Activation = Callable[[], nn.Module]


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


class Crop(nn.Module):
    """Cuts what a 4x4 transposed convolution of stride 1 has beyond "same": 1 before, 2 behind."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, 1:-2, 1:-2]


class Blocks:
    """Makers of layers with one activation, and the affine map behind it if it is wanted."""

    def __init__(self, activation: Activation, affine: bool = False) -> None:
        self.activation, self.affine = activation, affine

    def activated(self, channels: int, *layers: nn.Module) -> nn.Sequential:
        """`layers`, then the activation, then the affine map."""
        return nn.Sequential(*layers, self.activation(), *([Affine(channels)] if self.affine else []))

    def halve(self, inputs: int, outputs: int) -> nn.Sequential:
        """Convolution 4x4, stride 2: half the side. Padding 1 is what "same" means for an even side."""
        return self.activated(outputs, nn.Conv2d(inputs, outputs, 4, 2, padding=1))

    def keep(self, inputs: int, outputs: int) -> nn.Sequential:
        """Convolution 4x4, stride 1, "same": the same side."""
        return self.activated(outputs, nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(inputs, outputs, 4))

    def double(self, inputs: int, outputs: int) -> nn.Sequential:
        """Transposed convolution 4x4, stride 2: twice the side."""
        return self.activated(outputs, nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1))

    def keep_transposed(self, inputs: int, outputs: int) -> nn.Sequential:
        """Transposed convolution 4x4, stride 1, "same": the same side."""
        return self.activated(outputs, nn.ConvTranspose2d(inputs, outputs, 4), Crop())

    def dense(self, inputs: int, outputs: int) -> nn.Sequential:
        """A fully connected layer."""
        return self.activated(outputs, nn.Linear(inputs, outputs))

    def feature_map(self, inputs: int, channels: int, side: int) -> nn.Sequential:
        """A fully connected layer whose output is a map (n, channels, side, side)."""
        return nn.Sequential(self.dense(inputs, channels * side**2), nn.Unflatten(1, (channels, side, side)))


class Posterior(nn.Module):
    """Means and log-variances (n, latents) from what `body` makes of its input."""

    def __init__(self, body: nn.Module, hidden: int, latents: int) -> None:
        super().__init__()
        self.body = body
        self.mean = nn.Linear(hidden, latents)
        self.logvar = nn.Linear(hidden, latents)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.body(x)
        return self.mean(hidden), self.logvar(hidden)


def initialise(network: nn.Module) -> None:
    """Glorot-uniform weights and zero biases, TensorFlow's defaults.

    PyTorch's own defaults start convolutions and biases differently, which shows in short schedules.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


class FlatNetwork(nn.Module):
    """The field's usual convolutional encoder and decoder, with one latent layer.

    Halving convolutions with ReLU down to 4x4, the last two of 64 channels and those before of 32,
    then a dense layer of 256; the decoder mirrors it. On 64x64 images it is the network of
    F. Locatello et al., "Challenging Common Assumptions in the Unsupervised Learning of
    Disentangled Representations", ICML 2019, but for the encoder's last two convolutions: their
    library, disentanglement_lib, has kernels of 2x2 there, and all kernels here are 4x4.

    Parameters
    ----------
    image_shape : (channels, height, width)
        A square image whose side is a power of two, at least 32; 1 or 3 channels.
    latents : int

    Raises
    ------
    InputError
        If the image or the number of latents cannot be used.
    """

    def __init__(self, image_shape: ImageShape, latents: int) -> None:
        super().__init__()
        check_image_shape(image_shape)
        if latents < 1:
            raise InputError(f"latents is {latents}; it must be at least 1")
        self.latents = latents
        colours, side, _ = image_shape
        make, hidden = Blocks(nn.ReLU), 256
        halvings = side.bit_length() - 3  # down to 4x4
        widths = [colours, *[32] * (halvings - 2), 64, 64]
        steps = list(pairwise(widths))
        body = nn.Sequential(
            *(make.halve(a, b) for a, b in steps), nn.Flatten(), make.dense(64 * 4 * 4, hidden)
        )
        self.posterior = Posterior(body, hidden, latents)
        self.decode = nn.Sequential(
            make.dense(latents, hidden),
            *make.feature_map(hidden, 64, 4),
            *(make.double(b, a) for a, b in reversed(steps[1:])),
            nn.ConvTranspose2d(widths[1], colours, 4, 2, padding=1),
        )
        initialise(self)


class LadderNetwork(nn.Module):
    """An encoder with a posterior at every depth, and a decoder that takes the latents in again.

    Parameters
    ----------
    image_shape : (channels, height, width)
        A square image whose side is a power of two, at least 32; 1 or 3 channels.
    latents_per_layer : int
    layers : int
        Up to 3: the authors' network for dSprites and 3DShapes, its top layers left out for fewer.
        4: their network for CelebA.
    affine : bool
        Add the learned scale and shift of the authors' code after each activation.

    Raises
    ------
    InputError
        If the image or the layers do not fit.
    """

    def __init__(
        self, image_shape: ImageShape, latents_per_layer: int, layers: int, affine: bool = False
    ) -> None:
        super().__init__()
        check_image_shape(image_shape)
        if latents_per_layer < 1:
            raise InputError(f"latents_per_layer is {latents_per_layer}; it must be at least 1")
        if not 1 <= layers <= 4:
            raise InputError(f"layers is {layers}; it must be 1 to 4")
        self.image_shape = tuple(image_shape)
        self.latents_per_layer, self.layers = latents_per_layer, layers
        # Every list has the lowest layer first.
        self.trunk, self.branches = nn.ModuleList(), nn.ModuleList()
        self.features, self.generators = nn.ModuleList(), nn.ModuleList()
        if layers < 4:
            self._build_narrow(Blocks(nn.ELU, affine))
        else:
            self._build_wide(Blocks(lambda: nn.LeakyReLU(0.2), affine))
        initialise(self)

    def _build_narrow(self, make: Blocks) -> None:
        """32 channels everywhere, and dense layers of 256."""
        colours, side, _ = self.image_shape
        z, channels, hidden = self.latents_per_layer, 32, 256
        for depth in range(self.layers):
            side //= 2
            half = side // 2
            top = depth == self.layers - 1
            self.trunk.append(make.halve(colours if depth == 0 else channels, channels))
            body = nn.Sequential(
                make.halve(channels, channels), nn.Flatten(), make.dense(channels * half**2, hidden)
            )
            self.branches.append(Posterior(body, hidden, z))
            self.features.append(
                nn.Sequential(make.dense(z, hidden), *make.feature_map(hidden, channels, half))
            )
            self.generators.append(make.double(channels if top else 2 * channels, channels))
        self.output = nn.ConvTranspose2d(channels, colours, 4, 2, padding=1)

    def _build_wide(self, make: Blocks) -> None:
        """64 to 512 channels; dense layers only at the top, whose features start the generators."""
        colours, side, _ = self.image_shape
        z, hidden = self.latents_per_layer, 1024
        for inputs, outputs in ((colours, 64), (64, 128), (128, 256), (256, 512)):
            self.trunk.append(make.halve(inputs, outputs))
        bodies = (
            nn.Sequential(make.halve(64, 64), make.keep(64, 64), nn.Flatten()),
            nn.Sequential(make.halve(128, 128), make.halve(128, 256), nn.Flatten()),
            nn.Sequential(make.halve(256, 256), make.halve(256, 512), nn.Flatten()),
            nn.Sequential(
                nn.Flatten(), make.dense(512 * (side // 16) ** 2, hidden), make.dense(hidden, hidden)
            ),
        )
        sizes = (64 * (side // 4) ** 2, 256 * (side // 16) ** 2, 512 * (side // 32) ** 2, hidden)
        self.branches.extend(Posterior(body, n, z) for body, n in zip(bodies, sizes, strict=True))
        self.features.append(make.feature_map(z, 64, side // 4))
        self.features.append(make.feature_map(z, 256, side // 8))
        self.features.append(make.feature_map(z, 512, side // 16))
        top = (make.dense(z, hidden), make.dense(hidden, hidden))
        self.features.append(nn.Sequential(*top, *make.feature_map(hidden, 512, side // 16)))
        self.generators.append(make.double(64 + 64, 64))
        self.generators.append(nn.Sequential(make.double(256 + 256, 128), make.keep_transposed(128, 64)))
        self.generators.append(nn.Sequential(make.keep_transposed(512 + 512, 512), make.double(512, 256)))
        self.generators.append(nn.Identity())
        self.output = nn.ConvTranspose2d(64, colours, 4, 2, padding=1)

    @property
    def latent_groups(self) -> dict[str, list[int]]:
        """The latents of each layer, the lowest first."""
        each = self.latents_per_layer
        return {
            f"layer {layer + 1}": list(range(layer * each, (layer + 1) * each))
            for layer in range(self.layers)
        }

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
            f"height = width = a power of two from 32, such as (1, 64, 64): "
            f"--dataset 'NAME|padded:side=64' puts black margins around the images"
        )
