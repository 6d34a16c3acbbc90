"""What a decoder makes of the latents: reconstructions, and traversals of single latents, as PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.encoders import Encoder
from disentangle_metrics.encoders.encoder import CallableEncoder
from disentangle_metrics.encoders.input_scale import InputScale, input_scale
from disentangle_metrics.encoders.reading import as_encoder, choices_of, decoder_of, inputs_of, reading
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
    encoder: Any, dataset: Any, latent_names: tuple[str, ...], scored: Mapping[str, Any], *, seed: int = 0
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
    scored
        What the report's provenance says of how it was scored: the range, and the part and the outputs of
        the encoder. Those of the encoder, where it says nothing.
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
    encoder = _as_scored(encoder, scored)
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(dataset), min(ROWS, len(dataset)), replace=False)
    with reading(encoder, _scale(encoder, scored.get("scale")), images=True) as (read, _, _):
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


def _as_scored(encoder: Any, scored: Mapping[str, Any]) -> Any:
    """The encoder with the part that encodes and the outputs that were scored."""
    if "encoder" not in scored:  # the report is of latents, and says nothing of them
        return encoder
    chosen = {name: scored[name] for name in ("encode_with", "outputs") if name in scored}
    if isinstance(encoder, Encoder | CallableEncoder):
        own = choices_of(encoder)
        if own != chosen:
            raise InputError(
                f"the report is of {_told(chosen)} and `encoder` has {_told(own)}; pass the encoder "
                "that was scored"
            )
        return encoder
    part, outputs = chosen.get("encode_with"), chosen.get("outputs")
    method = getattr(encoder, str(scored["encoder"]).rpartition(".")[2], None)
    if getattr(method, "__qualname__", None) == scored["encoder"]:  # which was scored, and not the network
        return as_encoder(method, None, outputs)
    is_part = hasattr(encoder, "__self__") and getattr(encoder, "__name__", None) == part
    return as_encoder(encoder, None if is_part else part, outputs)


def _told(chosen: Mapping[str, Any]) -> str:
    return (
        " and ".join(f"`{name}={choice!r}`" for name, choice in chosen.items()) or "no choice of its outputs"
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
