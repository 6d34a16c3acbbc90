"""Scores and their tables as the plain values that JSON can hold, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any


def plain(value: Any) -> Any:
    """`value` for JSON: tables as dicts of names and numbers, NaN and infinities as None."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) or (isinstance(value, Real) and not hasattr(value, "__index__")):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if hasattr(value, "columns"):  # a DataFrame
        return {"index": plain(list(value.index)), "columns": plain(list(value.columns)),
                "data": plain(value.to_numpy().tolist())}  # fmt: skip
    if hasattr(value, "index") and hasattr(value, "to_numpy"):  # a Series
        return {"index": plain(list(value.index)), "data": plain(value.to_numpy().tolist())}
    if hasattr(value, "tolist"):  # a NumPy scalar, or an array
        return plain(value.tolist())
    return str(value)


def revived(value: Any) -> Any:
    """What :func:`plain` flattened, with tables as pandas objects again."""
    if not isinstance(value, dict):
        return value
    if set(value) == {"index", "data"} or set(value) == {"index", "data", "columns"}:
        import numpy as np
        import pandas as pd

        data = np.array(value["data"])
        data = data.astype(float) if data.dtype == object else data  # None stood for NaN
        if "columns" in value:
            columns = value["columns"]
            if columns and isinstance(columns[0], list):  # of two levels
                columns = pd.MultiIndex.from_tuples(list(map(tuple, columns)))
            return pd.DataFrame(data, index=value["index"], columns=columns)
        return pd.Series(data, index=value["index"])
    return {key: revived(item) for key, item in value.items()}
