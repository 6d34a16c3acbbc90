"""What a decoder makes of the latents: reconstructions, and traversals of single latents, as PNG."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit import network_input
from disentangle_metrics.reporting.extras import need

IMAGES = 8  # reconstructed
ROWS = 512  # images that the range of each latent is taken from
COLUMNS = 9  # values of a traversed latent
MOST_LATENTS = 16  # those that spread most
QUANTILES = (0.02, 0.98)  # the outermost values, of the means of these images
SIDE = 64  # pixels of a tile at most
GAP = 2

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Strip:
    """A row of tiles as one picture.

    Attributes
    ----------
    title
        What it shows: "originals", "reconstructions", or the latent.
    description
        The same in words, for those who do not see it.
    png
        A data URI.
    width, height
        Pixels.
    """

    title: str
    description: str
    png: str
    width: int
    height: int


@dataclass(frozen=True)
class Pictures:
    """Reconstructions beside their originals, and one traversal for each latent shown."""

    reconstructions: tuple[Strip, ...]
    traversals: tuple[Strip, ...]
    note: str


def pictures(encoder: Any, dataset: Any, latent_names: tuple[str, ...], *, seed: int = 0) -> Pictures | None:
    """What the decoder of an encoder draws; None if it has no decoder.

    Parameters
    ----------
    encoder
        What :func:`load_encoder` returns.
    dataset
        What :func:`load_dataset` returns.
    latent_names
        Names of the latents.
    seed
        Of the images.

    Raises
    ------
    InputError
        If pillow is not installed, or the images are not of the size that the model takes.
    """
    if not getattr(encoder, "decodes", False):
        return None
    need("PIL", "a picture")
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(dataset), min(ROWS, len(dataset)), replace=False)
    originals = dataset.images(rows)
    means = _means(encoder(network_input(originals)))
    if len(latent_names) != means.shape[1]:
        raise InputError(
            f"the report is of {len(latent_names)} latents and `encoder` gives {means.shape[1]}; pass the "
            "encoder that was scored"
        )
    shown = np.sort(np.argsort(-means.std(axis=0), kind="stable")[:MOST_LATENTS])
    count = min(IMAGES, len(rows))
    reconstructed = encoder.decode(means[:count])
    values = np.quantile(means, np.linspace(*QUANTILES, COLUMNS), axis=0)  # (columns, latents)
    traversals = []
    for latent in shown:
        codes = np.repeat(means[:1], COLUMNS, axis=0)
        codes[:, latent] = values[:, latent]
        low, high = values[0, latent], values[-1, latent]
        traversals.append(
            _strip(
                encoder.decode(codes),
                latent_names[latent],
                f"{COLUMNS} images as latent {latent_names[latent]} goes from {low:.2f} to {high:.2f}",
            )
        )
    return Pictures(
        reconstructions=(
            _strip(originals[:count], "originals", f"{count} images of {dataset.name}"),
            _strip(reconstructed, "reconstructions", f"the same {count} images, encoded and decoded"),
        ),
        traversals=tuple(traversals),
        note=_note(len(shown), means.shape[1]),
    )


def _note(shown: int, latents: int) -> str:
    low, high = QUANTILES
    note = (
        f"Each row changes one latent from its {low:.0%} to its {high:.0%} quantile; "
        "all others stay as in the first image."
    )
    return (
        note if shown == latents else f"{note} The {shown} of {latents} latents that spread most are shown."
    )


def _means(output: Any) -> NDArray[np.float64]:
    return np.asarray(output[0] if isinstance(output, tuple) else output, dtype=np.float64)


def _strip(images: Images, title: str, description: str) -> Strip:
    """Images (n, height, width, channels) side by side."""
    from PIL import Image

    count, height, width, _ = images.shape
    scale = max(1, -(-SIDE // (2 * max(height, width))))
    shrink = -(-max(height, width) // SIDE)
    tiles = [
        np.broadcast_to(image[::shrink, ::shrink], (*image[::shrink, ::shrink].shape[:2], 3))
        for image in images
    ]
    tiles = [tile.repeat(scale, 0).repeat(scale, 1) for tile in tiles]
    high, wide = tiles[0].shape[:2]
    sheet = np.full((high, count * (wide + GAP) - GAP, 3), 127, np.uint8)
    for column, tile in enumerate(tiles):
        left = column * (wide + GAP)
        sheet[:, left : left + wide] = tile
    written = io.BytesIO()
    Image.fromarray(sheet).save(written, "PNG", optimize=True)
    encoded = base64.b64encode(written.getvalue()).decode()
    return Strip(title, description, f"data:image/png;base64,{encoded}", sheet.shape[1], sheet.shape[0])
