"""Small tensors that stay where they are and are overwritten from the host when their values change."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Values = Mapping[str, NDArray[np.float32]]


class Overwritten:
    """What changes from step to step, at addresses that a captured step can read from.

    Parameters
    ----------
    values : mapping of str to ndarray of float32
        Their names and shapes stay the same.
    device : torch.device

    Attributes
    ----------
    tensors : dict of str to Tensor
        Float32, in the shapes of `values`.
    """

    def __init__(self, values: Values, device: torch.device) -> None:
        self._written = flat(values)
        self._memory = torch.from_numpy(self._written).to(device)
        self.tensors: dict[str, Tensor] = {}
        first = 0
        for name, value in values.items():
            count = np.size(value)
            self.tensors[name] = self._memory[first : first + count].view(np.shape(value))
            first += count

    def set(self, values: Values) -> None:
        """Overwrite what the tensors hold, behind the work that the device has been given so far."""
        new = flat(values)
        if np.array_equal(new, self._written):  # in most steps; a copy would cost more than the look
            return
        host = torch.from_numpy(new)
        if self._memory.is_cuda:
            host = host.pin_memory()  # else the host waits for the device
        self._memory.copy_(host, non_blocking=True)
        self._written = new


def flat(values: Values) -> NDArray[np.float32]:
    """All values one behind the other."""
    nothing = np.empty(0, np.float32)  # most models have no values
    return np.concatenate([nothing, *(np.ravel(value) for value in values.values())], dtype=np.float32)
