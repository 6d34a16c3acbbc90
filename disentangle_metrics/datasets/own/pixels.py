"""Images of any layout and range of values, read as the toolkit needs them.

The order of the axes is found from the shape, and the range of the values from a sample of the images.
What cannot be told is refused with what to say instead. Images read later are held to what was found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.datasets.factor_dataset import Images
from disentangle_metrics.errors import DatasetError, InputError

Channels = Literal["first", "last", "none"]
Range = tuple[float, float]

IN_MEMORY = "images"  # what errors call the images of an array
COUNTS = (1, 3)  # channels of a picture
SAMPLED = 512  # images that the range of the values is found from
LEAST_BRIGHT = 64  # largest value that is plausible for 8 bits
DIM = 1 / 64  # no image in 0..1 is as dim; those divided by 255 twice are
SLACK = 1e-5  # of a range: what rounding, also of a declared end to six digits, puts beyond its ends
SHIFTED = 1 + 1 / 64  # the most that one pixel, or one image, of images in 0..1 less a mean spans
ROUNDED = 5e-7  # what is this close to -1 or 1 reaches it
AT_ONCE = 64


class ImageRows(Protocol):
    """Images in a file or in memory, read by checked indices in any order."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __call__(self, indices: NDArray[np.int64], /) -> NDArray[Any]: ...


class ArrayRows:
    """Images (n, ...) of an array in memory."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __call__(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        return self.array[indices]


@dataclass(frozen=True)
class Layout:
    """Which axis of the images holds the channels, and the shape of one image."""

    channels: Channels
    image_shape: tuple[int, int, int]

    @property
    def axes(self) -> str:
        """The axes in words, such as "n, height, width"."""
        return {
            "none": "n, height, width",
            "first": "n, channels, height, width",
            "last": "n, height, width, channels",
        }[self.channels]

    def arranged(self, values: NDArray[Any]) -> NDArray[Any]:
        """The same values as (n, height, width, channels)."""
        if self.channels == "none":
            return values[..., None]
        return values.transpose(0, 2, 3, 1) if self.channels == "first" else values


def find_layout(shape: tuple[int, ...], what: str, channels: str | None = None) -> Layout:
    """The layout of images of this shape.

    Raises
    ------
    InputError
        If it is no shape of images, or could be read in two ways and `channels` does not say which.
    """
    if channels not in (None, "first", "last"):
        raise InputError(f"channels must be 'first' or 'last', got {channels!r}")
    shown = f"{what} has the shape {tuple(shape)}"
    if len(shape) == 2:
        side = round(shape[1] ** 0.5)
        form = f"(-1, {side}, {side})" if side * side == shape[1] else "(-1, height, width)"
        raise InputError(
            f"{shown}; images have rows and columns of pixels: pass images.reshape{form}; other inputs "
            "go in batches: `dm.evaluate(model, [(inputs, factors)])`"
        )
    if len(shape) not in (3, 4):
        raise InputError(
            f"{shown}; accepted: (n, height, width), (n, height, width, channels) and "
            f"(n, channels, height, width)"
        )
    if 0 in shape:
        raise InputError(f"{shown}, and holds no image")
    if len(shape) == 3:
        return Layout("none", (shape[1], shape[2], 1))
    fits = {"first": shape[1] in COUNTS, "last": shape[3] in COUNTS}
    if channels is None and fits["first"] and fits["last"]:
        last = _declaration(what, "channels='last'")
        raise InputError(f"{shown}, so the channels could be first or last; pass {last}, or 'first'")
    found = channels or next((place for place, fit in fits.items() if fit), None)
    if found is None or not fits[found]:
        raise InputError(
            f"{shown}; images have 1 or 3 channels, in the last place or right after n: leave out other "
            f"channels, such as an alpha channel"
        )
    if found == "first":
        return Layout("first", (shape[2], shape[3], shape[1]))
    return Layout("last", (shape[1], shape[2], shape[3]))


def _declaration(what: str, setting: str) -> str:
    """The call that says of these images what cannot be told."""
    if what == IN_MEMORY:
        return f"`dm.datasets.from_arrays(images, factors, {setting})`"
    return f"`dm.load_dataset(..., {setting})`"


def find_range(rows: ImageRows, layout: Layout, what: str) -> Range:
    """The value of black and of white, from a sample of the images over the whole length.

    Raises
    ------
    InputError
        If the values are no real numbers, or fit none of the usual ranges.
    """
    if rows.dtype.kind == "b":
        return 0.0, 1.0
    if rows.dtype.kind not in "iuf":
        raise InputError(f"{what} has the dtype {rows.dtype}; accepted: integers, floating numbers, booleans")
    count = rows.shape[0]
    sampled = np.unique(np.linspace(0, count - 1, min(count, SAMPLED)).astype(np.int64))
    lows, highs, within = [], [], 0.0  # of each pixel, batch by batch; and the most that an image spans
    for first in range(0, len(sampled), AT_ONCE):
        values = layout.arranged(rows(sampled[first : first + AT_ONCE]))
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            place = int(np.argmax(~np.isfinite(values.reshape(len(values), -1)).all(axis=1)))
            raise InputError(f"{what}: image {sampled[first + place]} has a value that is not finite")
        lows.append(values.min(axis=0).astype(np.float64))
        highs.append(values.max(axis=0).astype(np.float64))
        if values.dtype.kind == "f":
            within = max(within, float((values.max(axis=(1, 2)) - values.min(axis=(1, 2))).max()))
    darkest, brightest = np.min(lows, axis=0), np.max(highs, axis=0)
    low, high = float(darkest.min()), float(brightest.max())
    if low >= 0 and (high in (0, 1) or DIM < high < 1):
        return 0.0, 1.0
    if -1 <= low < 0 and high <= 1:
        reached = low <= ROUNDED - 1 or (high >= 1 - ROUNDED and high - low > SHIFTED)
        # Less the mean of its channel or place, no pixel spans more than 1; less its own, no image does.
        if reached or (within > SHIFTED and (brightest - darkest).max() > SHIFTED):
            return -1.0, 1.0
    if low >= 0 and LEAST_BRIGHT <= high <= 255:
        return 0.0, 255.0
    if rows.dtype == np.uint16 and high > 255:
        return 0.0, 65535.0
    raise InputError(
        f"{what} has values from {low:g} to {high:g}, which is none of the usual ranges (0..1, -1..1, "
        f"0..255); save them in one of these; or say what black and white are: "
        f"{_declaration(what, f'value_range=({low:g}, {high:g})')}; a network gets them as 0 and 1, "
        f"or as `scale` says, such as `scale='{low:g}..{high:g}'`"
    )


def parse_range(value: Any) -> Range | None:
    """`value_range` as a pair: None, (low, high), or the text "low..high".

    Raises
    ------
    InputError
        If it is none of these.
    """
    if value is None:
        return None
    parts = value.split("..") if isinstance(value, str) else value
    try:
        low, high = (float(part) for part in parts)
    except (TypeError, ValueError):
        low = high = np.nan
    if not low < high:
        raise InputError(f"value_range must be black and white, such as (0, 255) or '0..255', got {value!r}")
    return low, high


class OwnImages:
    """Reads images of any layout and range as the toolkit needs them.

    Parameters
    ----------
    rows : ImageRows
    layout : Layout
    value_range : (low, high)
        The values of black and white.
    what : str
        What errors call the images.
    """

    def __init__(self, rows: ImageRows, layout: Layout, value_range: Range, what: str) -> None:
        self.rows, self.layout, self.value_range, self.what = rows, layout, value_range, what
        whole = rows.dtype == np.uint8 and value_range == (0.0, 255.0)
        self._as_they_are = whole
        self.over_8_bits = rows.dtype.kind == "f" or value_range not in ((0.0, 1.0), (0.0, 255.0))

    def __call__(self, indices: NDArray[np.int64]) -> Images:
        values = self.layout.arranged(self.rows(indices))
        if self._as_they_are:
            return np.ascontiguousarray(values)
        images: Images = np.rint(self._unit(values, indices) * 255).astype(np.uint8)
        return images

    def network_input(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """Images as float32 (n, channels, height, width) in [0, 1], not rounded to 8 bits."""
        values = self.layout.arranged(self.rows(indices))
        return np.ascontiguousarray(self._unit(values, indices).transpose(0, 3, 1, 2))

    def _unit(self, values: NDArray[Any], indices: NDArray[np.int64]) -> NDArray[np.float32]:
        low, high = self.value_range
        if not values.size:
            return values.astype(np.float32)
        slack = SLACK * (high - low) if values.dtype.kind == "f" else 0.0
        if not (values.min() >= low - slack and values.max() <= high + slack):  # a NaN is not, either
            flat = values.reshape(len(values), -1)
            within = (flat >= low - slack) & (flat <= high + slack)
            row = int(np.argmax(~within.all(axis=1)))
            odd = flat[row][~within[row]][0]
            raise DatasetError(
                f"{self.what}: image {indices[row]} has the value {odd:g}, outside of {low:g}..{high:g}; "
                f"say what black and white are: {_declaration(self.what, 'value_range=(LOW, HIGH)')}"
            )
        unit: NDArray[np.float32] = values.astype(np.float32)
        if (low, high) != (0.0, 1.0):
            unit = (unit - np.float32(low)) / np.float32(high - low)
        return unit.clip(0, 1) if slack and (values.min() < low or values.max() > high) else unit


def own_images(
    rows: ImageRows, what: str, channels: str | None = None, value_range: Any = None
) -> tuple[OwnImages, dict[str, Any], str]:
    """The reader of own images; what it found, for the record; and the same in a sentence.

    Raises
    ------
    InputError
        If the order of the axes or the range of the values cannot be told.
    """
    layout = find_layout(rows.shape, what, channels)
    given = parse_range(value_range)
    found = given or find_range(rows, layout, what)
    text = f"{found[0]:g}..{found[1]:g}"
    facts = {"axes": layout.axes, "dtype": str(rows.dtype), "value_range": text}
    said = "as declared" if given else "as found"
    note = f"{what}: {rows.shape[0]:,} images ({layout.axes}) of {rows.dtype}, values {text} {said}"
    return OwnImages(rows, layout, found, what), facts, note
