"""Grids of tiles as PNG and GIF files, every pixel of a tile as the decoder made it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics import InputError
from disentangle_metrics.kit import install_line, write_whole
from reference_models.trained.traversals import Grid

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

SMALLEST_TILE = 64  # pixels; smaller images are enlarged by whole numbers
LABELS, TITLE, LINE, GAP, GROUP_GAP, MARGIN = 76, 26, 17, 2, 10, 12  # pixels
FONT, TITLE_FONT = 13, 15
FRAME_MILLISECONDS = 150


def write_png(path: Path, grids: Sequence[Grid]) -> None:
    """Draw the grids one below the other."""
    written = io.BytesIO()
    draw(grids).save(written, "PNG")
    write_whole(path, written.getvalue())


def write_gif(path: Path, frames: Sequence[Sequence[Grid]]) -> None:
    """Draw each frame's grids one below the other, and loop over the frames."""
    adaptive = pillow().Palette.ADAPTIVE
    images = [draw(grids).convert("P", palette=adaptive) for grids in frames]
    written = io.BytesIO()
    images[0].save(
        written, "GIF", save_all=True, append_images=images[1:], duration=FRAME_MILLISECONDS, loop=0
    )
    write_whole(path, written.getvalue())


def draw(grids: Sequence[Grid]) -> Image:
    """The grids one below the other, on white, with their labels."""
    blocks = [_block(grid) for grid in grids]
    width = max(block.width for block in blocks)
    height = sum(block.height + MARGIN for block in blocks)
    sheet = _blank(width + 2 * MARGIN, height + MARGIN)
    top = MARGIN
    for block in blocks:
        sheet.paste(block, (MARGIN, top))
        top += block.height + MARGIN
    return sheet


def pillow() -> ModuleType:
    """The module PIL.Image; raises InputError if pillow is not installed."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise InputError(
            "pictures need the package pillow, which is not installed; install it with: "
            f"{install_line('report')}"
        ) from None
    return Image


def _block(grid: Grid) -> Image:
    """One grid: its title, the original beside its reconstruction, then the rows."""
    from PIL import ImageDraw

    rows, columns, height, width, _ = grid.tiles.shape
    scale = max(1, -(-SMALLEST_TILE // max(height, width)))
    height, width = height * scale, width * scale
    left = [LABELS + column * (width + GAP) for column in range(max(columns, 2))]
    font, title_font = _font(FONT), _font(TITLE_FONT)

    original_top = TITLE
    top = original_top + height + LINE // 2
    tops = []
    for row in range(rows):
        top += GROUP_GAP if row and grid.groups[row] != grid.groups[row - 1] else 0
        top += LINE if row < len(grid.column_labels) else 0
        tops.append(top)
        top += height + GAP
    title_width = int(title_font.getlength(grid.title)) + 1
    block = _blank(max(left[-1] + width, title_width), top)
    pen = ImageDraw.Draw(block)

    pen.text((0, 2), grid.title, "black", title_font)
    pen.multiline_text((0, original_top), "image,\nrecon-\nstruction", "black", font, spacing=2)
    for column, tile in enumerate(grid.original):
        block.paste(_tile(tile, scale), (left[column], original_top))
    for row, label in enumerate(grid.row_labels):
        pen.multiline_text((0, tops[row]), label, "black", font, spacing=2)
        for column in range(columns):
            block.paste(_tile(grid.tiles[row, column], scale), (left[column], tops[row]))
    for row, labels in enumerate(grid.column_labels):
        for column, label in enumerate(labels):
            middle = (left[column] + width // 2, tops[row] - 4)
            pen.text(middle, label, "black", font, anchor="ms")
    return block


def _blank(width: int, height: int) -> Image:
    blank: Image = pillow().new("RGB", (width, height), "white")
    return blank


def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _tile(pixels: NDArray[np.uint8], scale: int) -> Image:
    """Pixels (height, width, channels), each drawn as a square of `scale` by `scale`."""
    colours = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    tile: Image = pillow().fromarray(colours.repeat(scale, 0).repeat(scale, 1))
    return tile
