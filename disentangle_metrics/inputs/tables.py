"""Latents as one array of numbers and factors as columns, with their names and row labels."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import as_numbers, no_table, shape_of, to_numpy
from disentangle_metrics.inputs.frames import as_frame, unmasked
from disentangle_metrics.inputs.row_labels import labels_of, matching_rows

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.inputs.factor import Factor

FEWEST_IDENTIFIERS = 20
"""Rows from which on a text that never comes again is no category."""


@dataclass(frozen=True)
class LatentTable:
    """Numbers (N, D), and the data frame they came from if they came from one."""

    array: NDArray[np.floating]
    frame: pd.DataFrame | None


@dataclass(frozen=True)
class FactorTable:
    """K columns of N rows, and the data frame they came from if they came from one.

    `read_as` keeps the factors that were read from it, by which rows and how, for whoever asks again.
    `argument` is a frame of what was given, as messages call it.
    """

    columns: list[Any]
    frame: pd.DataFrame | None
    argument: str = "factors"
    read_as: dict[Hashable, tuple[Factor, ...]] = field(default_factory=dict)

    def ordered(self, rows: NDArray[np.int64]) -> FactorTable:
        """These rows, in this order."""
        return replace(self, columns=[rows_of(column, rows) for column in self.columns])


def read_latents(value: Any, argument: str) -> LatentTable:
    """Latents (N, D) as floating numbers; single precision is kept.

    Raises
    ------
    InputError
        If they are not real numbers in a table; in a data frame the message names the column.
    """
    frame, array = _frame_or_array(value, argument)
    if frame is not None:
        array = _frame_numbers(frame, argument)
    if array.dtype.kind in "iub":
        array = _as_floats(array, argument)
    if array.ndim == 0:
        raise InputError(
            f"`{argument}` must have shape (N, D), got {no_table(value, array, argument, 'latent')}"
        )
    if array.dtype.kind == "O":
        try:
            array = _as_floats(array, argument)
        except InputError:
            raise
        except (TypeError, ValueError):
            pass
    if array.dtype.kind != "f":
        parts = "; pass .real, .imag or numpy.abs(...) of them" if array.dtype.kind == "c" else ""
        if array.dtype.kind == "O" and array.size and np.ndim(array.flat[0]) == 1:
            parts = "; for arrays in its cells pass numpy.stack(...) of them"
        raise InputError(f"`{argument}` must be real numbers, got dtype {array.dtype}{parts}")
    if isinstance(array, np.ma.MaskedArray):
        array = array.filled(np.nan)
    if array.dtype.itemsize not in (4, 8):
        with np.errstate(over="ignore"):  # what no float64 holds is infinite, and refused as such
            array = array.astype(np.float64 if array.dtype.itemsize > 8 else np.float32)
    if array.ndim != 2:
        raise InputError(
            f"`{argument}` must have shape (N, D), got {no_table(value, array, argument, 'latent')}"
        )
    if 0 in array.shape:
        raise InputError(f"`{argument}` is empty: shape {array.shape}")
    return LatentTable(array, frame)


def _as_floats(array: NDArray[Any], argument: str) -> NDArray[np.float64]:
    """Whole numbers, or Python's numbers, as floats.

    Raises
    ------
    InputError
        If that rounds a whole number, so that two might become one.
    """
    try:
        floats = array.astype(np.float64)
    except OverflowError:
        raise InputError(f"`{argument}` holds a whole number beyond 1e308: rescale it") from None
    large = np.flatnonzero(np.abs(floats) >= 2**53) if array.dtype.itemsize == 8 else ()
    for place in large:
        value = array.flat[place]
        if isinstance(value, int | np.integer) and int(floats.flat[place]) != int(value):
            raise InputError(
                f"`{argument}` holds the whole number {value}, which a float would round; subtract the "
                "smallest number of each column, or number the codes from 0"
            )
    return floats


def _frame_or_array(value: Any, argument: str) -> tuple[pd.DataFrame | None, NDArray[Any]]:
    """The data frame that `value` is, or its array."""
    if type(value) is np.ndarray and value.dtype.names is None:
        return None, value
    frame = as_frame(value, argument)
    return frame, np.empty((0, 0)) if frame is not None else to_numpy(value, argument)


def _frame_numbers(frame: pd.DataFrame, argument: str) -> NDArray[Any]:
    if all(isinstance(kind, np.dtype) and kind.kind in "iubfc" for kind in frame.dtypes):
        if len(set(frame.dtypes)) > 1:  # one type for all would round long integers before they are read
            for place, kind in enumerate(frame.dtypes):
                if kind.kind in "iu":
                    _as_floats(frame.iloc[:, place].to_numpy(), argument)
        plain: NDArray[Any] = frame.to_numpy()
        return plain
    columns = []
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        try:
            if column.dtype.kind in "iuO":
                _as_floats(column.dropna().to_numpy(), argument)
            numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
            if column.dtype.kind in "mM":
                raise TypeError
        except InputError:
            raise
        except (TypeError, ValueError):
            cell = next((cell for cell in column if not _is_number(cell)), column.iloc[0])
            raise InputError(
                f"`{argument}` must be numbers, but column {name!r} holds {_shown(cell)}; leave the "
                "column out"
            ) from None
        columns.append(numbers)
    return np.stack(columns, axis=1) if columns else np.empty((len(frame), 0))


def _shown(cell: Any) -> str:
    return (
        repr(cell) if np.ndim(cell) == 0 else "arrays (pass numpy.stack(...) of them), which are no numbers"
    )


def _is_number(cell: Any) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        float(cell)
        return not isinstance(cell, str)
    return False


def read_factors(value: Any) -> FactorTable:
    """Factors (N, K), or one of them (N,), as columns of anything; a table made of them is taken as it is.

    Raises
    ------
    InputError
        If they are no table.
    """
    if isinstance(value, FactorTable):
        return value
    frame, array = _frame_or_array(_columns(value), "factors")
    if frame is None and (frame := _one_column(value, array)) is not None:
        value = frame
    if frame is not None:
        if not frame.shape[1]:
            raise InputError("`factors` has no columns")
        if not len(frame):
            raise InputError("`factors` is empty: it has no rows")
        named = "pandas.DataFrame(factors)" if isinstance(value, Mapping) else "factors"
        return FactorTable([frame.iloc[:, place] for place in range(frame.shape[1])], frame, named)
    plain = not isinstance(array, np.ma.MaskedArray)
    if plain and array.dtype.kind in "USf" and not hasattr(value, "dtype") and not hasattr(value, "columns"):
        # A list: NumPy makes a string of a missing one, and a float of integers from 2 ** 63 on.
        array = np.asarray(value, dtype=object)
    if _is_one_factor(array):
        array = array[:, None]
    if array.ndim != 2:
        raise InputError(
            f"`factors` must have shape (N, K), got {no_table(value, array, 'factors', 'factor')}"
        )
    if 0 in array.shape:
        raise InputError(f"`factors` is empty: shape {array.shape}")
    return FactorTable(list(array.T), None)


def _is_one_factor(array: NDArray[Any]) -> bool:
    """Whether it is one column (N,) of values, and not of arrays or records."""
    if array.ndim != 1:
        return False
    first: Any = next(iter(array), None)
    return not isinstance(first, Mapping | list | tuple) and np.ndim(first) == 0


def _one_column(value: Any, array: NDArray[Any]) -> pd.DataFrame | None:
    """One factor (N,) that knows its name, categories or row labels as a data frame; else None."""
    if not _is_one_factor(array):
        return None
    if type(value).__module__.partition(".")[0] == "pandas" and not hasattr(value, "to_frame"):
        import pandas as pd

        value = pd.Series(value)  # such as a Categorical
    frame = _own_frame(value)
    if frame is None or getattr(value, "name", None) not in (None, ""):
        return frame
    return frame.set_axis(["factor_0"], axis=1)


def _columns(value: Any) -> Any:
    """A mapping of columns by name as a data frame; anything else as it is."""
    if (
        not isinstance(value, Mapping)
        or hasattr(value, "shape")
        or hasattr(value, "columns")
        or not len(value)
    ):
        return value
    frames = {name: _own_frame(column) for name, column in value.items()}
    columns: dict[Any, Any] = {
        name: _unlabelled(value[name]) if frame is None else frame.iloc[:, 0].array
        for name, frame in frames.items()
    }
    shapes = {shape_of(column) for column in columns.values()}
    if len(shapes) > 1 or len(shapes.pop()) != 1:
        return value
    import pandas as pd

    first = next((name for name, frame in frames.items() if labels_of(frame) is not None), None)
    if first is None:
        return pd.DataFrame(columns)
    for name, frame in frames.items():
        names = (f"factors[{first!r}]", f"factors[{name!r}]")
        if matching_rows(frames[first], frame, names) is not None:
            raise InputError(
                f"`{names[0]}` and `{names[1]}` have their rows in different orders, by their labels; pass "
                "pandas.DataFrame(...) of `factors`, which has one order"
            )
    return pd.DataFrame(columns, index=labels_of(frames[first]))


def _own_frame(column: Any) -> pd.DataFrame | None:
    """One column as its library's data frame, with its row labels if it has any; None if there is none."""
    package, table = type(column).__module__.partition(".")[0], None
    if hasattr(column, "to_frame"):
        table = column.to_frame()
    elif package == "pyarrow":
        import pyarrow

        table = pyarrow.table({"factor": column})
    frame = None if table is None else as_frame(table, "factors")
    if frame is None or hasattr(column, "index"):
        return frame
    return frame.reset_index(drop=True)  # an index would label its rows with itself


def _unlabelled(column: Any) -> Any:
    """One column that is no data frame's; a list keeps its missing values."""
    package = type(column).__module__.partition(".")[0]
    return (
        column if package == "pandas" or isinstance(column, list) else unmasked(to_numpy(column, "factors"))
    )


def rows_of(column: Any, index: NDArray[np.int64]) -> Any:
    """These rows of a column of a data frame or an array."""
    if hasattr(column, "iloc"):
        return column.iloc[index]
    return to_numpy(column, "factors")[index]


def identifiers(table: FactorTable, names: Sequence[str], kinds: Sequence[Any]) -> Mapping[int, str]:
    """Places of the columns whose text is different in every row, and an example of it.

    Such a column names the rows and measures nothing. One whose kind is given is taken at its word.

    Raises
    ------
    InputError
        If there is no other column.
    """
    found = {
        place: text
        for place, (column, kind) in enumerate(zip(table.columns, kinds, strict=True))
        if kind is None and (text := _identifier(column)) is not None
    }
    refuse_names_alone(found, names)
    return found


def refuse_names_alone(found: Mapping[int, str], names: Sequence[str]) -> None:
    """Refuse factors that are all names of the rows.

    Raises
    ------
    InputError
        If they are.
    """
    if found and len(found) == len(names):
        raise InputError(
            f"`factors` has a different text in every row of {', '.join(names)}; these are "
            "identifiers and no factors"
        )


def _identifier(column: Any) -> str | None:
    import pandas as pd

    if len(column) < FEWEST_IDENTIFIERS or getattr(column.dtype, "kind", "O") not in "OUS":
        return None
    cells = pd.Series(column)
    first = cells.iloc[0]
    if not isinstance(first, (str, bytes)) or not cells.is_unique:
        return None
    return str(first) if are_texts(cells) else None


def are_texts(cells: Iterable[Any]) -> bool:
    """Whether each is a text."""
    return all(isinstance(cell, (str, bytes)) for cell in cells)


def left_out(name: str, example: str, rows: int) -> Check:
    """What is to be known of a column of names of the rows."""
    what, kind = (
        ("category", "categorical") if as_numbers([example]) is None else ("measurement", "continuous")
    )
    return Check(
        "identifier",
        f"factor {name!r} has a different text in every row, such as {example!r}, and is left out",
        f'if it is a {what}, pass `factor_types={{{name!r}: "{kind}"}}`',
        name,
        {"rows": rows},
    )
