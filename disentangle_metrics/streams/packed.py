"""The counts of an accumulator as bytes, for what can send and store only bytes; nothing in them is run.

Records follow one another: the length of a header, the header in JSON, the arrays one after the other.
"""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
from numpy.lib import format as npy

from disentangle_metrics.streams.accumulator import Accumulator

LENGTH = 8  # bytes of a header's length


def pack(accumulator: Accumulator) -> bytes:
    """What it has counted, without the arguments that it was made with."""
    arrays = [accumulator._low, accumulator._high]
    arrays += [table for size in accumulator._sizes for table in accumulator._tables.get(size, [])]
    header = {
        "layout": accumulator._layout,
        "levels": [list(levels) for levels in accumulator._levels],
        "rows": accumulator._rows,
        "sums": [[int(value) for value in row] for row in accumulator._sums],
        "arrays": len(arrays),
    }
    text = json.dumps(header).encode()
    stream = io.BytesIO()
    stream.write(len(text).to_bytes(LENGTH, "little") + text)
    for array in arrays:
        npy.write_array(stream, np.ascontiguousarray(array), allow_pickle=False)
    return stream.getvalue()


def merge_packed(accumulator: Accumulator, packed: bytes) -> None:
    """Add every record to an accumulator that was made with the same arguments.

    Raises
    ------
    InputError
        If the rows of one are not like those of another.
    """
    stream = io.BytesIO(packed)
    while length := int.from_bytes(stream.read(LENGTH), "little"):
        header = json.loads(stream.read(length))
        arrays = [npy.read_array(stream, allow_pickle=False) for _ in range(header["arrays"])]
        if not header["rows"]:
            continue
        other = accumulator._empty()
        other._layout = _tuples(header["layout"])
        other._levels = [{level: place for place, level in enumerate(levels)} for levels in header["levels"]]
        other._low, other._high, *tables = arrays
        factors = len(other._levels)
        other._tables = {
            size: tables[place * factors : (place + 1) * factors]
            for place, size in enumerate(accumulator._sizes)
        }
        other._rows = header["rows"]
        other._sums = np.array(header["sums"], dtype=object)
        accumulator.merge(other)


def _tuples(layout: dict[str, Any]) -> dict[str, Any]:
    """The layout with tuples where JSON has lists, as batches have it."""
    for name in ("latent names", "factor names"):
        layout[name] = tuple(layout[name])
    layout["categories"] = [None if part is None else tuple(part) for part in layout["categories"]]
    return layout
