"""The functions for an array, from the library it comes from, so that dense arithmetic stays on its device.

NumPy and PyTorch spell what the quadrature of posteriors needs alike, but for what is here. PyTorch
is never imported: who has a tensor has done that.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_tensor(value: Any) -> bool:
    """Whether this is PyTorch's."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_on_accelerator(value: Any) -> bool:
    """Whether this is a tensor on a device other than the host that knows float64, which MPS does not."""
    return is_tensor(value) and value.device.type not in ("cpu", "mps")


def namespace(array: Any) -> Any:
    """The library of this array, NumPy or PyTorch."""
    return sys.modules["torch"] if is_tensor(array) else np


def ascending(array: Any) -> Any:
    """A sorted copy of one dimension."""
    return array.sort().values if is_tensor(array) else np.sort(array)


def on_host(array: Any) -> NDArray[Any]:
    """The array as NumPy's."""
    return np.asarray(array.cpu() if is_tensor(array) else array)
