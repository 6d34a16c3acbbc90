"""The arrays of what an encoder returned, by their names or places, whatever holds them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from disentangle_metrics.inputs.arrays import is_distribution, mean_and_deviation, to_numpy
from disentangle_metrics.inputs.posterior_names import role_of

DEPTH = 3  # of tuples in tuples


@dataclasses.dataclass(frozen=True)
class Output:
    """One array of what an encoder returned; `name` is its own, or its place."""

    name: str
    value: Any
    named: bool


@dataclasses.dataclass(frozen=True)
class Held:
    """Copies of what an encoder returned: it may write its next output into the same memory."""

    parts: tuple[Output, ...]

    @classmethod
    def of(cls, output: Any) -> Held:
        """Each array as one of NumPy, and what is no array as it is."""
        return cls(
            tuple(
                part
                if getattr(part.value, "shape", None) is None
                else dataclasses.replace(
                    part, value=to_numpy(part.value, "the encoder's output").copy(order="K")
                )
                for part in listed(output)
            )
        )


def listed(output: Any) -> Iterator[Output]:
    """Every array of what an encoder returned, by name or place; of tokens alone also first and mean.

    A map of one pixel, (n, n_latents, 1, 1) or (n, 1, 1, n_latents), is a table.
    """
    if isinstance(output, Held):
        yield from output.parts
        return
    for part in _parts(output):
        shape = tuple(getattr(part.value, "shape", ()))
        if len(shape) == 4 and (1, 1) in (shape[2:], shape[1:3]):
            part = dataclasses.replace(part, value=part.value.reshape(shape[0], shape[1] * shape[3]))
        yield part


def _parts(output: Any) -> Iterator[Output]:
    named = _fields(output)
    if named is not None:
        found = {str(name): value for name, value in named.items() if value is not None}
        tokens: Any = found.get("last_hidden_state", 0)
        if len(np.shape(tokens)) == 3 and not any(len(np.shape(value)) == 2 for value in found.values()):
            found |= {"first_token": tokens[:, 0], "mean_token": tokens.mean(axis=1)}
        spelled = any(role_of(name) == "mean" for name in found)
        for name, value in found.items():
            inner = None if spelled else _distribution(value)
            if inner is None:
                yield Output(name, value, True)
            else:
                yield from (Output(f"{name}.{part}", table, True) for part, table in inner.items())
    elif isinstance(output, (tuple, list)):
        values = list(_flat(output, DEPTH))
        several = sum(_distribution(value) is not None for value in values) > 1
        for place, value in enumerate(values):
            inner = _fields(value)
            if inner is None:
                yield Output(str(place), value, False)
                continue
            of = f"{place}." if several and _distribution(value) is not None else ""
            yield from (Output(f"{of}{name}", part, True) for name, part in inner.items() if part is not None)
    else:
        yield Output("0", output, False)


def _flat(values: Any, depth: int) -> Iterator[Any]:
    for value in values:
        plain = isinstance(value, (tuple, list)) and not hasattr(value, "_fields")
        if plain and depth and len(value):
            yield from _flat(value, depth - 1)
        else:
            yield value


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Names and values of an output whose parts have names."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "_asdict"):
        fields: Mapping[str, Any] = value._asdict()
        return fields
    if (distribution := _distribution(value)) is not None:
        return distribution
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if type(value).__name__ == "SimpleNamespace":
        return dict(vars(value))
    return None


def _distribution(value: Any) -> Mapping[str, Any] | None:
    """Mean and spread of a distribution of PyTorch, or of one like that of diffusers."""
    if is_distribution(value) and (known := mean_and_deviation(value)) is not None:
        return dict(zip(("mean", "std"), known, strict=True))
    if all(hasattr(value, name) for name in ("sample", "logvar", "mean")) and hasattr(value.mean, "shape"):
        return {"mean": value.mean, "logvar": value.logvar}
    return None


def shown(found: list[Output]) -> str:
    """The first outputs, with their shapes."""
    texts = [f"{output.name} {tuple(getattr(output.value, 'shape', ()))}" for output in found[:8]]
    return f"outputs: {', '.join(texts)}{' ...' if len(found) > 8 else ''}"
