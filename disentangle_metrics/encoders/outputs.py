"""What an encoder gave back, as checked arrays; frameworks are recognised by what they can do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError

Array = NDArray[np.floating[Any]]

EXPECTED = "means (n, n_latents), or a pair (mean, logvar) of that shape"


def posterior_arrays(output: Any, rows: int) -> tuple[Array, Array | None]:
    """Mean, and logvar or None, from what an encoder returned for `rows` images.

    Parameters
    ----------
    output : array (n, n_latents), or a pair of them
        NumPy arrays, tensors of any device (also with gradients), or anything with ``__array__``.
    rows : int
        How many images were encoded.

    Raises
    ------
    InputError
        If the shape is another, or a value is not finite.
    """
    if isinstance(output, (tuple, list)):
        if len(output) != 2:
            raise InputError(
                f"the encoder returned {len(output)} values; accepted: {EXPECTED}; wrap a network that "
                f"also returns reconstructions or samples so that it returns only these"
            )
        mean, logvar = (_array(part, rows) for part in output)
        if mean.shape != logvar.shape:
            raise InputError(
                f"the encoder returned a pair of the shapes {mean.shape} and {logvar.shape}; accepted: "
                f"{EXPECTED}"
            )
        return mean, logvar
    return _array(output, rows), None


def _array(value: Any, rows: int) -> Array:
    if hasattr(value, "detach"):  # a PyTorch tensor; NumPy has no bfloat16, hence float()
        value = value.detach().cpu().float().numpy()
    if isinstance(value, (dict, str)) or value is None or not hasattr(value, "__array__"):
        raise InputError(f"the encoder returned {type(value).__name__}; accepted: {EXPECTED}")
    array = np.asarray(value)
    if array.ndim != 2 or array.shape[0] != rows or array.shape[1] == 0:
        raise InputError(
            f"the encoder returned the shape {array.shape} for {rows} images; accepted: {EXPECTED}, here "
            f"({rows}, D)"
        )
    if array.dtype.kind not in "fiu":
        raise InputError(f"the encoder returned {array.dtype} values; accepted: real numbers")
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    if not (finite := np.isfinite(array)).all():
        row, latent = np.argwhere(~finite)[0]
        raise InputError(
            f"the encoder returned {array[row, latent]} for latent {latent} of image {row} in a batch; "
            f"the network may be badly trained, or its weights damaged"
        )
    return array
