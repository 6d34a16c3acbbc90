"""Batches of inputs with their factors, such as those of a ``torch.utils.data.DataLoader``, encoded."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.encoders.outputs import Array, Posterior
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import to_numpy
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.kit.progress import LateProgress

BATCHES = (
    "accepted: batches (inputs, factors), with factors (n, K), (n,), or a dictionary of columns (n,) by "
    'name; or dictionaries with "factors" and one other entry'
)


def is_loader(value: Any) -> TypeGuard[Iterable[Any]]:
    """Whether it gives batches one after the other: a loader, a list of batches or a generator; no array."""
    if isinstance(value, Mapping) or hasattr(value, "shape") or hasattr(value, "images"):
        return False
    return hasattr(value, "__iter__") and not isinstance(value, (str, bytes))


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
    posteriors: list[Posterior] = []
    columns: list[Any] = []
    steps = len(loader) if isinstance(loader, Sized) else 0
    torch = sys.modules.get("torch")
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(LateProgress("encoding", steps, "steps")) if progress and steps else None
        if torch is not None:
            stack.enter_context(torch.no_grad())
        for batch in loader:
            inputs, factors = parts_of(batch)
            posterior = read(inputs).held()
            if posteriors and not _alike(posteriors[0], posterior):
                raise InputError(
                    f"the encoder returned {posteriors[0].mean.shape[1]} latents for the first batch and "
                    f"{posterior.mean.shape[1]} for a later one, or variances for only some; it must return "
                    "the same for every batch"
                )
            posteriors.append(posterior)
            columns.append(factor_columns(factors, len(posterior.mean)))
            if bar is not None:
                bar.update(1)
    if not posteriors:
        raise InputError("the loader gave no batch")
    means = np.concatenate([part.mean for part in posteriors])
    logvars = [part.logvar for part in posteriors if part.logvar is not None]
    latents = GaussianPosterior(means, np.concatenate(logvars)) if logvars else means
    return latents, together(columns)


def parts_of(batch: Any) -> tuple[Any, Any]:
    """Inputs and factors of one batch.

    Raises
    ------
    InputError
        If it is something else.
    """
    if isinstance(batch, Mapping):
        others = [name for name in batch if name != "factors"]
        if "factors" in batch and len(others) == 1:
            return batch[others[0]], batch["factors"]
        raise InputError(f"a batch of the loader has the entries {', '.join(map(str, batch))}; {BATCHES}")
    if isinstance(batch, (tuple, list)) and len(batch) == 2:
        return batch[0], batch[1]
    found = f"{len(batch)} parts" if isinstance(batch, (tuple, list)) else f"a {type(batch).__name__}"
    raise InputError(f"a batch of the loader is {found}; {BATCHES}")


def factor_columns(factors: Any, rows: int) -> NDArray[Any] | Mapping[str, NDArray[Any]]:
    """The factors of one batch, in memory of their own: a table (n, K), or columns (n,) by name.

    Raises
    ------
    InputError
        If they are no such thing, or of another number of rows than the latents.
    """
    result: NDArray[Any] | Mapping[str, NDArray[Any]]
    if isinstance(factors, Mapping):
        result = {str(name): _column(column) for name, column in factors.items()}
        lengths = {len(column) for column in result.values()}
    elif hasattr(factors, "columns") and hasattr(factors, "iloc"):
        result = {str(name): _column(factors[name]) for name in factors.columns}
        lengths = {len(factors)}
    else:
        if _is_list_of_columns(factors):  # how a DataLoader collates a tuple of numbers
            factors = np.stack([_column(column) for column in factors], axis=1)
        table = to_numpy(factors, "factors").copy(order="K")
        result = table[:, None] if table.ndim == 1 else table
        lengths = {len(result)} if result.ndim == 2 else set()
    if lengths != {rows}:
        shape = "no table" if not lengths else f"{sorted(lengths)[0]} rows"
        raise InputError(f"the factors of a batch are {shape} beside {rows} inputs; {BATCHES}")
    return result


def together(columns: Sequence[Any]) -> Any:
    """The factors of all batches: one table, or one data frame."""
    first = columns[0]
    if not isinstance(first, Mapping):
        if any(isinstance(part, Mapping) or part.shape[1] != first.shape[1] for part in columns):
            raise InputError("the batches of the loader have different factors; give all the same")
        return np.concatenate(columns)
    import pandas as pd

    if any(not isinstance(part, Mapping) or list(part) != list(first) for part in columns):
        raise InputError("the batches of the loader have different factors; give all the same")
    return pd.DataFrame({name: np.concatenate([part[name] for part in columns]) for name in first})


def _alike(one: Posterior, other: Posterior) -> bool:
    return one.mean.shape[1] == other.mean.shape[1] and (one.logvar is None) == (other.logvar is None)


def _column(column: Any) -> Array | NDArray[Any]:
    array = to_numpy(column, "factors").copy()
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _is_list_of_columns(factors: Any) -> bool:
    return (
        isinstance(factors, (tuple, list))
        and len(factors) > 0
        and all(len(getattr(column, "shape", ())) == 1 for column in factors)
    )


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
        if name not in known:
            hint = did_you_mean(name, known)
            raise InputError(f"`factors`: {source} has no factor {name!r}; {hint}known: {', '.join(known)}")
        if names.count(name) > 1:
            raise InputError(f"`factors` names {name!r} twice")
    if not names:
        raise InputError(f"`factors` is empty; pass None for all, or some of {', '.join(known)}")
    return [known.index(name) for name in names]
