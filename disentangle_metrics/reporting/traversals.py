"""What a decoder makes of the latents: reconstructions, and traversals of single latents, as PNG."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.encoders import Encoder
from disentangle_metrics.encoders.input_scale import InputScale, input_scale
from disentangle_metrics.encoders.reading import decoder_of, inputs_of, reading
from disentangle_metrics.errors import InputError
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


def pictures(
    encoder: Any, dataset: Any, latent_names: tuple[str, ...], *, scale: str | None = None, seed: int = 0
) -> Pictures | None:
    """What the decoder of an encoder draws; None if it has no decoder.

    Parameters
    ----------
    encoder
        What was scored: what :func:`load_encoder` returns, a network, or its method that encodes.
    dataset
        What :func:`load_dataset` or :func:`.datasets.from_arrays` returns.
    latent_names
        Names of the latents.
    scale
        The range in which the encoder was scored, as its record has it; None: that of the encoder.
    seed
        Of the images.

    Raises
    ------
    InputError
        If pillow is not installed, the images are not of the size that the model takes, or the encoder or the
        data set is not what was scored.
    """
    decode = decoder_of(encoder)
    if decode is None:
        return None
    if not hasattr(dataset, "images"):
        raise InputError(
            f"`dataset` must be a data set to draw pictures of, got {type(dataset).__name__}; of your own "
            "images pass `dm.datasets.from_arrays(images, factors)`"
        )
    need("PIL", "a picture")
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(dataset), min(ROWS, len(dataset)), replace=False)
    with reading(encoder, _scale(encoder, scale), images=True) as (read, _, _):
        means = read(inputs_of(dataset, rows)).mean.astype(np.float64)
    if len(latent_names) != means.shape[1]:
        raise InputError(
            f"the report is of {len(latent_names)} latents and `encoder` gives {means.shape[1]}; pass the "
            "encoder that was scored"
        )
    shown = np.sort(np.argsort(-means.std(axis=0), kind="stable")[:MOST_LATENTS])
    count = min(IMAGES, len(rows))
    reconstructed = decode(means[:count])
    values = np.quantile(means, np.linspace(*QUANTILES, COLUMNS), axis=0)  # (columns, latents)
    traversals = []
    for latent in shown:
        codes = np.repeat(means[:1], COLUMNS, axis=0)
        codes[:, latent] = values[:, latent]
        low, high = values[0, latent], values[-1, latent]
        traversals.append(
            _strip(
                decode(codes),
                latent_names[latent],
                f"{COLUMNS} images as latent {latent_names[latent]} goes from {low:.2f} to {high:.2f}",
            )
        )
    return Pictures(
        reconstructions=(
            _strip(dataset.images(rows[:count]), "originals", f"{count} images of {dataset.name}"),
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


def _scale(encoder: Any, scored: str | None) -> InputScale | None:
    """The range to bring images into before the encoder, which may bring them into one of its own."""
    own = encoder.scale if isinstance(encoder, Encoder) else None
    if own is None:
        return input_scale(scored)
    if scored not in (None, own.text):
        raise InputError(
            f"the report is of images in {scored} and `encoder` has `scale={own.text!r}`; pass the encoder "
            "that was scored"
        )
    return None


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
