"""One door for tables with named columns: whatever library they are of, a pandas.DataFrame comes out.

Narwhals knows polars, PyArrow, Modin, cuDF, and the lazy frames of polars, Dask, DuckDB and others.
Everything else with ``__arrow_c_stream__`` or ``__dataframe__`` is taken through these interfaces.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import to_numpy
from disentangle_metrics.kit.installing import install_line

if TYPE_CHECKING:
    import pandas as pd

ONE_COLUMN = ("Series", "Index", "ChunkedArray", "Array")
NOT_VALUES = {
    "List": "lists",
    "Array": "lists",
    "Struct": "records",
    "Binary": "bytes",
    "Object": "Python objects",
}
TIMES = ("Datetime", "Date", "Duration", "Time")


def as_frame(value: Any, argument: str) -> pd.DataFrame | None:
    """`value` as a data frame if it is a table with named columns; else None.

    Row labels are kept where the library has them. Categories stay categories, ordered ones ordered,
    and integers stay integers beside missing values.

    Raises
    ------
    InputError
        If a column holds what is neither numbers nor categories, or a package is missing.
    """
    package, name = type(value).__module__.partition(".")[0], type(value).__name__
    if package == "xarray":
        return _from_xarray(value, name, argument)
    if isinstance(value, np.ndarray):
        return _from_records(value, argument) if value.dtype.names else None
    if (pandas := sys.modules.get("pandas")) is not None and isinstance(value, pandas.DataFrame):
        return value
    if name.endswith(ONE_COLUMN) and not hasattr(type(value), "columns"):
        return None
    table = hasattr(value, "__dataframe__") or hasattr(value, "__arrow_c_stream__")
    if not table and not (hasattr(type(value), "columns") and not isinstance(value, Mapping)):
        return None
    try:
        return _from_narwhals(value, argument)
    except InputError:
        raise
    except Exception as error:  # each library refuses in its own way
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"`{argument}` ({package}.{name}) cannot become a data frame: {type(error).__name__}: {reason}; "
            "pass a pandas.DataFrame of it"
        ) from error


def _from_narwhals(value: Any, argument: str) -> pd.DataFrame | None:
    import narwhals as nw

    frame: Any = nw.from_native(value, pass_through=True)
    if not isinstance(frame, (nw.DataFrame, nw.LazyFrame)):
        frame = _through_an_interface(value, argument)
        if frame is None:
            return None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    if frame.implementation.is_pandas_like():
        native = frame.to_native()
        pandas_frame: pd.DataFrame = (
            native if frame.implementation.is_pandas() else frame.to_pandas()  # with its row labels
        )
        return pandas_frame
    import pandas as pd

    columns = [_column(frame[name], f"column {name!r} of `{argument}`") for name in frame.columns]
    return pd.DataFrame(dict(enumerate(columns))).set_axis(list(frame.columns), axis=1)


def _through_an_interface(value: Any, argument: str) -> Any:
    """A narwhals frame of an object that it does not know by name, or None if it is no table."""
    import narwhals as nw

    backend: Any = next((name for name in ("pyarrow", "polars") if _installed(name)), None)
    if hasattr(value, "__arrow_c_stream__"):
        if backend is None:
            raise InputError(
                f"`{argument}` ({type(value).__name__}) is an Arrow table, and reading it needs the package "
                f"pyarrow (or polars): {install_line('data')}"
            )
        return nw.from_arrow(value, backend=backend)
    if not hasattr(value, "__dataframe__"):
        return None
    if backend == "pyarrow":
        from pyarrow.interchange import from_dataframe
    else:
        from pandas.api.interchange import from_dataframe
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas deprecates the protocol, not the objects that speak it
        return nw.from_native(from_dataframe(value))


def _installed(name: str) -> bool:
    import importlib.util

    return name in sys.modules or importlib.util.find_spec(name) is not None


def _column(series: Any, where: str) -> Any:
    """A narwhals column as what pandas holds."""
    import pandas as pd

    kind = type(series.dtype).__name__
    if kind in NOT_VALUES:
        raise InputError(
            f"{where} holds {NOT_VALUES[kind]}; pass one number or category a cell"
            + ("; for arrays in cells pass numpy.stack(...) of them" if kind in ("List", "Array") else "")
        )
    if kind in TIMES:
        raise InputError(f"{where} holds dates or times; pass a number, such as days since the first")
    if kind in ("Categorical", "Enum"):
        return pd.Categorical(series.to_list(), **_categories(series))
    missing = bool(series.is_null().any())
    if kind == "Decimal":
        cells = series.to_list()
        whole = all(cell is None or cell == cell.to_integral_value() for cell in cells)
        number = int if whole else float
        return pd.Series([None if cell is None else number(cell) for cell in cells], dtype=object)
    if kind == "Boolean" or series.dtype.is_integer():
        if missing:
            return pd.array(series.to_list(), dtype="boolean" if kind == "Boolean" else "Int64")
        return series.to_numpy()
    if series.dtype.is_float():
        return series.to_numpy()
    return pd.Series(series.to_list(), dtype=object)


def _categories(series: Any) -> dict[str, Any]:
    """The categories in their order, if they have one."""
    if type(series.dtype).__name__ == "Enum":
        return {"categories": list(series.dtype.categories), "ordered": True}
    native = series.to_native()
    if getattr(getattr(native, "type", None), "ordered", False) and native.num_chunks:
        return {"categories": native.unify_dictionaries().chunk(0).dictionary.to_pylist(), "ordered": True}
    return {}


def _from_records(value: Any, argument: str) -> pd.DataFrame:
    """A structured array; each of its fields is a column."""
    import pandas as pd

    for name in value.dtype.names:
        shape = value.dtype[name].shape
        if np.prod(shape) != 1:  # or the cells of a row would be rows
            raise InputError(
                f"field {name!r} of `{argument}` holds arrays of shape {shape}; pass it alone, as "
                f"`{argument}[{name!r}]`"
            )
    return pd.DataFrame(
        {name: unmasked(to_numpy(value[name], name).reshape(-1)) for name in value.dtype.names}
    )


def unmasked(column: NDArray[Any]) -> Any:
    """A masked column (n,) as pandas holds it; whole numbers stay whole beside missing ones."""
    import pandas as pd

    if not np.ma.is_masked(column) or column.dtype.kind not in "biu":
        return column  # pandas knows the masks of others
    cells = pd.array(np.ma.getdata(column))
    cells[np.ma.getmaskarray(column)] = pd.NA
    return cells


def _from_xarray(value: Any, name: str, argument: str) -> pd.DataFrame | None:
    """A DataArray of two dimensions, or a Dataset whose variables all lie along one."""
    if name == "DataArray":
        frame: pd.DataFrame | None = value.to_pandas() if value.ndim == 2 else None
        return frame
    dimensions = {variable.dims for variable in value.data_vars.values()}
    if len(dimensions) != 1 or len(next(iter(dimensions))) != 1:
        shown = ", ".join(f"{key} {variable.dims}" for key, variable in value.data_vars.items())
        raise InputError(
            f"`{argument}` is an xarray.Dataset whose variables do not all lie along one dimension "
            f"({shown}); pass one DataArray of two dimensions, or the variables that do"
        )
    names = list(value.data_vars)
    whole: pd.DataFrame = value[names].to_dataframe()[names]
    return whole
