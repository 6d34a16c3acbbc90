"""Batches of inputs with their factors, such as those of a ``torch.utils.data.DataLoader``, encoded."""

from __future__ import annotations

import contextlib
import itertools
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.encoders.outputs import Encoded, Posterior
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import to_numpy
from disentangle_metrics.inputs.tables import are_texts, read_factors
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.kit.progress import LateProgress

if TYPE_CHECKING:
    import pandas as pd

BATCHES = (
    "accepted: batches (inputs, factors), with factors (n, K), (n,), a list of columns (n,), a dictionary of "
    'them or a data frame; or dictionaries of "factors", "labels" or "targets" and the inputs'
)
FACTORS = ("factors", "labels", "label", "targets", "target")  # what dictionaries call them


def in_batches(value: Any, batch_size: int, samples: int | None, seed: int) -> Any:
    """A data set of PyTorch as a loader of its rows that are scored; anything else as it is."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(value, torch.utils.data.Dataset):
        return value
    data = torch.utils.data
    if not isinstance(value, data.IterableDataset) and samples is not None and samples < len(value):
        value = data.Subset(value, drawn_rows(len(value), samples, seed).tolist())
    return data.DataLoader(value, batch_size=batch_size)


def drawn_rows(available: int, samples: int | None, seed: int) -> NDArray[np.int64]:
    """The rows that are scored: `samples` of them without replacement; all in order if there are no more."""
    if samples is None or samples >= available:
        return np.arange(available)
    return np.random.default_rng(seed).choice(available, samples, replace=False)


def name_of(loader: Any) -> str:
    """The class of the data that a loader goes through, or its own."""
    data = getattr(loader, "dataset", loader)
    return type(getattr(data, "dataset", data) if type(data).__name__ == "Subset" else data).__qualname__


def is_loader(value: Any) -> TypeGuard[Iterable[Any]]:
    """Whether it gives batches one after the other: a loader, a list of batches or a generator; no array."""
    if isinstance(value, Mapping) or hasattr(value, "shape") or hasattr(value, "images"):
        return False
    if isinstance(value, tuple | list) and len(value) and not isinstance(value[0], tuple | list | Mapping):
        return False  # such as a list of images
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes))


def is_pair_of_arrays(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether it is (inputs, factors) of all rows."""
    return (
        isinstance(value, (tuple, list)) and len(value) == 2 and all(hasattr(part, "shape") for part in value)
    )


class ArrayBatches:
    """Two arrays of the same rows as batches."""

    def __init__(self, inputs: Any, factors: Any, batch_size: int) -> None:
        if len(inputs) != len(factors):
            raise InputError(f"`data` has {len(inputs)} inputs but the factors of {len(factors)}")
        self._inputs, self._factors, self._batch_size = inputs, factors, batch_size

    def __len__(self) -> int:
        return -(-len(self._inputs) // self._batch_size)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        by_place = getattr(self._factors, "iloc", self._factors)  # of a data frame
        for start in range(0, len(self._inputs), self._batch_size):
            rows = slice(start, start + self._batch_size)
            yield self._inputs[rows], by_place[rows]


def encode_batches(
    read: Callable[[Any], Posterior], loader: Iterable[Any], progress: bool = False
) -> tuple[Any, Any]:
    """Latents and factors of every row of a loader, in its order.

    Inputs go to `read` as the loader gives them.

    Returns
    -------
    Latents (N, D), or a GaussianPosterior, and factors (N, K): a data frame if the batches name them.

    Raises
    ------
    InputError
        If there is no batch, or one is not inputs with their factors.
    """
    encoded = Encoded()
    columns: list[Any] = []
    steps = operator.length_hint(loader)  # 0 where its len() fails, as that of a DataLoader of a stream
    torch = sys.modules.get("torch")
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(LateProgress("encoding", steps, "steps", shown=progress and steps > 0))
        if torch is not None:
            stack.enter_context(torch.no_grad())
        for batch in loader:
            inputs, factors = parts_of(batch)
            posterior = read(inputs)
            encoded.add(posterior)
            if rows := len(posterior.mean):
                columns.append(factor_columns(factors, rows))
            bar.update(1)
    if not columns:
        raise InputError("the loader gave no batch")
    return encoded.latents(), together(columns)


def parts_of(batch: Any) -> tuple[Any, Any]:
    """Inputs and factors of one batch.

    Raises
    ------
    InputError
        If it is something else.
    """
    if isinstance(batch, Mapping):
        factors = [name for name in FACTORS if name in batch]
        others = [name for name in batch if name not in factors]
        if len(factors) == 1 and others:
            inputs = {name: batch[name] for name in others}
            return (inputs if len(others) > 1 else inputs[others[0]]), batch[factors[0]]
        raise InputError(f"a batch of the loader has the entries {', '.join(map(str, batch))}; {BATCHES}")
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        return batch[0], batch[1]
    found = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else f"a {type(batch).__name__}"
    raise InputError(f"a batch of the loader is {found}; {BATCHES}")


def factor_columns(factors: Any, rows: int) -> NDArray[Any] | pd.DataFrame:
    """The factors (n, K) of one batch, in memory of their own: a data frame if they are columns or a table.

    Raises
    ------
    InputError
        If they are no such thing, or of another number of rows than the latents.
    """
    if _is_one_column(factors):
        factors = {"factor_0": factors}
    elif _is_list_of_columns(factors, rows):  # how a DataLoader collates a tuple of numbers and texts
        factors = {f"factor_{place}": column for place, column in enumerate(factors)}
    elif not isinstance(factors, (tuple, list)) and not hasattr(factors, "shape") and np.ndim(factors) == 1:
        factors = {"factor_0": np.asarray(factors)}  # such as pyarrow's
    if isinstance(factors, Mapping):
        factors = {str(name): _column(column) for name, column in factors.items()}
    table = read_factors(factors)
    if (found := len(table.columns[0])) != rows:
        raise InputError(f"the factors of a batch are {found} rows beside {rows} inputs; {BATCHES}")
    if table.frame is not None:
        return table.frame.set_axis([str(name) for name in table.frame.columns], axis=1).copy()
    masked = any(isinstance(column, np.ma.MaskedArray) for column in table.columns)
    return (np.ma.stack if masked else np.stack)(table.columns, axis=1)


def together(batches: Sequence[Any]) -> NDArray[Any] | pd.DataFrame:
    """The factors of all batches as one table, whose columns are what they are in each batch.

    Raises
    ------
    InputError
        If they are not the same in each.
    """
    import pandas as pd

    names = _names(batches[0])
    if any(_names(batch) != names for batch in batches):
        raise InputError("the batches of the loader have different factors; give all the same")
    if any(isinstance(batch, pd.DataFrame) for batch in batches):
        batches = [_as_frame(batch, names) for batch in batches]
        columns = [
            _joined(name, [batch.iloc[:, place] for batch in batches]) for place, name in enumerate(names)
        ]
        return pd.DataFrame(dict(enumerate(columns))).set_axis(names, axis=1)
    for place, name in enumerate(names):
        _refuse_mixed(name, [batch[:, place] for batch in batches])
    masked = any(isinstance(batch, np.ma.MaskedArray) for batch in batches)
    return (np.ma.concatenate if masked else np.concatenate)(batches)


def _names(factors: Any) -> list[str]:
    given = getattr(factors, "columns", None)
    return [f"factor_{place}" for place in range(factors.shape[1])] if given is None else list(given)


def _as_frame(factors: Any, names: Sequence[str]) -> pd.DataFrame:
    """The factors of a batch as columns, where other batches have such: (n,) beside (n, 1), for instance."""
    if hasattr(factors, "columns"):
        return cast("pd.DataFrame", factors)
    columns = dict(zip(names, factors.T, strict=True))
    return cast("pd.DataFrame", read_factors(columns).frame)


def _joined(name: str, columns: Sequence[pd.Series[Any]]) -> Any:
    """One column of all batches; categories that no batch has all of are those of all together."""
    import pandas as pd

    dtypes = [column.dtype for column in columns]
    _refuse_mixed(name, columns)
    if not isinstance(dtypes[0], pd.CategoricalDtype) or len(set(dtypes)) == 1:
        return pd.concat(columns, ignore_index=True)
    try:
        return pd.api.types.union_categoricals(columns, sort_categories=True)
    except TypeError:  # they are ordered, or cannot be sorted
        raise InputError(
            f"factor {name!r} has other categories in some batches of the loader; give all of them in each"
        ) from None


def _refuse_mixed(name: str, columns: Sequence[Any]) -> None:
    """Refuse numbers that would become texts, categories none, and decimals rounded in two ways."""
    by_dtype: dict[Any, list[Any]] = {}
    for column in columns:
        by_dtype.setdefault(column.dtype, []).append(column)
    for one, other in itertools.combinations(by_dtype, 2):
        kinds = one.kind + other.kind
        precisions = kinds == "ff" and one.itemsize != other.itemsize
        precisions = precisions and all(any(map(_has_decimals, by_dtype[dtype])) for dtype in (one, other))
        texts = "O" not in kinds and (one.kind in "US") != (other.kind in "US")
        if precisions or texts or (one.name == "category") != (other.name == "category"):
            raise InputError(
                f"factor {name!r} is {one} in one batch of the loader and {other} in another; give one type"
            )


def _has_decimals(column: Any) -> bool:
    series = hasattr(column, "iloc")
    values = column.to_numpy(np.float64, na_value=np.nan) if series else np.ma.filled(column, np.nan)
    with np.errstate(invalid="ignore"):  # of infinities
        return bool((values % 1 > 0).any())


def _column(column: Any) -> Any:
    """A column (n,) as it is; one of shape (n, 1) as such."""
    shape = np.shape(column)
    return to_numpy(column, "factors")[:, 0] if len(shape) == 2 and shape[1] == 1 else column


def _is_one_column(factors: Any) -> bool:
    if isinstance(factors, (tuple, list)):
        return all(np.ndim(cell) == 0 for cell in factors)
    fields = getattr(getattr(factors, "dtype", None), "names", None)
    return len(getattr(factors, "shape", ())) == 1 and not fields


def _is_list_of_columns(factors: Any, rows: int) -> bool:
    """Whether each entry of a list is a column, of texts or with a shape; or else it is a list of rows."""
    if not isinstance(factors, (tuple, list)) or not len(factors):
        return False
    shaped = [len(getattr(column, "shape", ())) == 1 for column in factors]
    texts = [isinstance(column, (tuple, list)) and are_texts(column) for column in factors]
    if not all(texts):
        return any(shaped) and all(map(operator.or_, shaped, texts))
    whole = all(len(column) == rows for column in factors)
    if whole and 1 < len(factors) == rows and isinstance(factors[0], tuple):  # as a DataLoader collates
        raise InputError(
            f"the factors of a batch are {rows} times {rows} texts, which may be rows or columns; give a "
            "dictionary of columns, or other sizes of batches"
        )
    return whole and len(factors) != rows


def factor_places(
    table: Any, wanted: Iterable[str] | None, factor_names: Iterable[str] | None
) -> tuple[list[str], list[int]]:
    """Names and places of the factors of a loader to score against."""
    given = table.columns if hasattr(table, "columns") else [f"factor_{k}" for k in range(table.shape[1])]
    known = list(given) if factor_names is None else list(factor_names)
    if len(known) != table.shape[1]:
        raise InputError(f"`factor_names` has {len(known)} names for {table.shape[1]} factors of the loader")
    places = places_of(known, wanted, "the loader")
    return [known[place] for place in places], places


def places_of(known: list[str], wanted: Iterable[str] | None, source: str) -> list[int]:
    """The places of the factors wanted among those known."""
    if wanted is None:
        return list(range(len(known)))
    if isinstance(wanted, str):
        raise InputError(f"`factors` must be a list of names, got the single string {wanted!r}")
    names = list(wanted)
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"`factors` must be names of factors of {source}, got {type(wanted).__name__}")
        if name not in known:
            hint = did_you_mean(name, known)
            raise InputError(f"`factors`: {source} has no factor {name!r}; {hint}known: {', '.join(known)}")
        if names.count(name) > 1:
            raise InputError(f"`factors` names {name!r} twice")
    if not names:
        raise InputError(f"`factors` is empty; pass None for all, or some of {', '.join(known)}")
    return [known.index(name) for name in names]
