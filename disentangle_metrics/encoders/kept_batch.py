"""A batch of inputs for several passes, whatever an encoder does to its arrays in place."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np


class KeptBatch:
    """Inputs that :meth:`again` gives as they were first, if there are `more_passes`.

    Arrays and tensors are copied, also in lists, tuples and dictionaries. Anything else, such as a picture
    or an open file, is given as it is. The copies go as soon as a pass is seen to have changed nothing.
    """

    def __init__(self, inputs: Any, more_passes: bool) -> None:
        self._inputs, self._copies = inputs, copied(inputs) if more_passes else inputs

    def again(self) -> Any:
        """The inputs of one more pass, to be called when the pass before is over."""
        if self._inputs is self._copies:
            return self._inputs
        if _equal(self._inputs, self._copies):
            self._copies = self._inputs
            return self._inputs
        return copied(self._copies)


def row_count(inputs: Any) -> int:
    """The rows of a batch; of a dictionary of inputs those of the first."""
    return len(next(iter(inputs.values()))) if isinstance(inputs, Mapping) and inputs else len(inputs)


def copied(inputs: Any) -> Any:
    """The inputs with arrays and tensors in memory of their own."""
    if isinstance(inputs, np.ndarray):
        return inputs if inputs.dtype.hasobject else inputs.copy(order="K")
    if hasattr(inputs, "clone") and hasattr(inputs, "detach"):  # a tensor, or a dictionary of them
        return inputs.clone()
    if hasattr(inputs, "__array__") and hasattr(inputs, "copy"):  # a data frame, or an array of a GPU
        return inputs.copy()
    if type(inputs) in (list, tuple):
        return type(inputs)(map(copied, inputs))
    if type(inputs) is dict:
        return {name: copied(value) for name, value in inputs.items()}
    return inputs


def _equal(inputs: Any, copies: Any) -> bool:
    """Whether inputs are those that were copied, value by value; not where that cannot be told."""
    if inputs is copies:
        return True
    if type(inputs) in (list, tuple):
        return len(inputs) == len(copies) and all(map(_equal, inputs, copies))
    if type(inputs) is dict:
        return inputs.keys() == copies.keys() and all(_equal(inputs[name], copies[name]) for name in copies)
    with contextlib.suppress(Exception):  # not every kind of tensor can be compared
        return bool((inputs == copies).all())
    return False
