"""What single latents and whole layers do to an image: traversals and draws, as grids of tiles.

A traversal starts from the posterior means of one image and sets one latent to a series of values,
all others staying where they are. A draw replaces all latents of one layer by draws from the prior,
all other layers staying where they are. `pictures` turns grids into files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics import InputError
from disentangle_metrics.kit import gaussian_kl
from reference_models.models.parts.model import ImageDataset
from reference_models.trained.load import TrainedModel, rows_of

Tiles = NDArray[np.uint8]  # (rows, columns, height, width, channels)
Floats = NDArray[np.float64]

ROWS_OF_STATISTICS = 1_000  # images that quantiles and KL terms are taken from
QUANTILES = (0.02, 0.98)  # the outermost


@dataclass(frozen=True)
class Grid:
    """Tiles with their labels.

    Attributes
    ----------
    title : str
    row_labels : tuple of str
        One for each row; line breaks are kept.
    column_labels : tuple of tuple of str
        One line of labels over each row of tiles, or a single one over the first row.
    tiles : uint8 array (rows, columns, height, width, channels)
    original : uint8 array (2, height, width, channels)
        The image, and the model's reconstruction of it.
    groups : tuple of int
        The layer of each row; where it changes, there is a gap.
    """

    title: str
    row_labels: tuple[str, ...]
    column_labels: tuple[tuple[str, ...], ...]
    tiles: Tiles
    original: NDArray[np.uint8]
    groups: tuple[int, ...]


@dataclass(frozen=True)
class Subject:
    """A model and what all its grids need: the image's code, and how the latents lie over a data set.

    Attributes
    ----------
    trained : TrainedModel
    name : str
        Of the image, for titles.
    original : uint8 array (2, height, width, channels)
    code : array (latents,)
        The image's posterior means.
    means : array (images, latents)
    kl : array (latents,) or None
        E_x KL(q(z_j | x) || Normal(0, 1)), nats: 0 for a latent that is not used. None if the
        encoder is deterministic.
    """

    trained: TrainedModel
    name: str
    original: NDArray[np.uint8]
    code: Floats
    means: Floats
    kl: Floats | None

    @property
    def layer_of_latent(self) -> NDArray[np.int64]:
        """The number of each latent's layer, 1 for the lowest."""
        return np.repeat(np.arange(self.trained.layers) + 1, len(self.code) // self.trained.layers)


def subject(trained: TrainedModel, dataset: ImageDataset, row: int, *, seed: int = 0) -> Subject:
    """A model looked at through image `row` of `dataset`.

    Raises
    ------
    InputError
        If there is no such row, or the model takes other images.
    """
    if not 0 <= row < len(dataset):
        raise InputError(f"there is no image {row}; {dataset.name} has images 0 to {len(dataset) - 1}")
    code = trained.encode(dataset, np.array([row]))[0][0]
    mean, logvar = trained.encode(dataset, rows_of(dataset, ROWS_OF_STATISTICS, seed))
    return Subject(
        trained=trained,
        name=f"{dataset.name} image {row:,}",
        original=np.concatenate([dataset.images(np.array([row])), trained.draw(code[None])]),
        code=code,
        means=mean,
        kl=None if logvar is None else gaussian_kl(mean, logvar).mean(0),
    )


def even_values(of: Subject, columns: int, extent: float = 2.0) -> Floats:
    """The same `columns` values from -extent to extent for every latent, (latents, columns)."""
    return np.tile(np.linspace(-extent, extent, columns), (len(of.code), 1))


def quantile_values(of: Subject, columns: int) -> Floats:
    """For each latent evenly spaced quantiles of its posterior means, (latents, columns)."""
    return np.quantile(of.means, np.linspace(*QUANTILES, columns), axis=0).T


def traverse(of: Subject, values: Floats) -> Tiles:
    """The image with latent j at values[j, c] in row j and column c."""
    latents, columns = values.shape
    codes = np.tile(of.code, (latents, columns, 1))
    codes[np.arange(latents), :, np.arange(latents)] = values
    images = of.trained.draw(codes.reshape(latents * columns, latents))
    return images.reshape(latents, columns, *images.shape[1:])


def redraw(of: Subject, columns: int, *, seed: int = 0) -> Tiles:
    """The image with all latents of layer l + 1 drawn from Normal(0, 1), in row l, `columns` times."""
    rng = np.random.default_rng(seed)
    codes = np.tile(of.code, (of.trained.layers, columns, 1))
    for layer, row in enumerate(codes):
        own = of.layer_of_latent == layer + 1
        row[:, own] = rng.standard_normal((columns, own.sum()))
    images = of.trained.draw(codes.reshape(-1, len(of.code)))
    return images.reshape(of.trained.layers, columns, *images.shape[1:])


def traversal_grid(of: Subject, values: Floats) -> Grid:
    """One row for each latent, and its values above: one line of them if they are all latents' values."""
    shared = bool((values == values[0]).all())
    labels = tuple(tuple(map(_number, row)) for row in (values[:1] if shared else values))
    layers = of.layer_of_latent
    return Grid(
        title=f"{of.trained.label}: {of.name}",
        row_labels=tuple(_latent_label(of, latent, layer) for latent, layer in enumerate(layers)),
        column_labels=labels,
        tiles=traverse(of, values),
        original=of.original,
        groups=tuple(int(layer) for layer in layers),
    )


def redrawn_grid(of: Subject, columns: int, *, seed: int = 0) -> Grid:
    """One row for each layer, which is drawn anew in each column."""
    layers = range(1, of.trained.layers + 1)
    return Grid(
        title=f"{of.trained.label}: {of.name}, one layer drawn from the prior",
        row_labels=tuple(_layer_label(of, layer) for layer in layers),
        column_labels=(tuple(f"draw {column + 1}" for column in range(columns)),),
        tiles=redraw(of, columns, seed=seed),
        original=of.original,
        groups=tuple(layers),
    )


def animation_grids(of: Subject, values: Floats) -> list[Grid]:
    """One grid for each column of `values`: a row for each layer, a tile for each of its latents."""
    tiles = traverse(of, values)
    layers = of.trained.layers
    names = np.array([f"z{latent}" for latent in range(len(of.code))]).reshape(layers, -1)
    return [
        Grid(
            title=f"{of.trained.label}: {of.name}",
            row_labels=tuple(_layer_label(of, layer) for layer in range(1, layers + 1)),
            column_labels=tuple(
                tuple(f"{name} {_number(value)}" for name, value in zip(*row, strict=True))
                for row in zip(names, values[:, column].reshape(layers, -1), strict=True)
            ),
            tiles=tiles[:, column].reshape(layers, -1, *tiles.shape[2:]),
            original=of.original,
            groups=tuple(range(1, layers + 1)),
        )
        for column in range(values.shape[1])
    ]


def back_and_forth(frames: Sequence[list[Grid]]) -> list[list[Grid]]:
    """The frames, then those between the last and the first again, so that a loop does not jump."""
    return [*frames, *frames[-2:0:-1]]


def _number(value: float) -> str:
    return f"{value:+.2f}" if abs(value) >= 0.005 else "0.00"


def _latent_label(of: Subject, latent: int, layer: int) -> str:
    lines = [f"z{latent}"]
    if of.trained.layers > 1:
        lines.append(f"layer {layer}")
    if of.kl is not None:
        lines.append(f"KL {of.kl[latent]:.2f}")
    return "\n".join(lines)


def _layer_label(of: Subject, layer: int) -> str:
    lines = [f"layer {layer}" if of.trained.layers > 1 else "all latents"]
    if of.kl is not None:
        lines.append(f"KL {of.kl[of.layer_of_latent == layer].sum():.2f}")
    return "\n".join(lines)
