"""Full float32 while an encoder is evaluated, so that its latents are the same on every device.

On NVIDIA GPUs, PyTorch lets convolutions round float32 to TF32, with 10 bits instead of 23 for the
fraction. That is enough to change a score in its third digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

FULL = "ieee"  # PyTorch's word for float32 that is not rounded to fewer bits


@contextmanager
def full_float32(device_type: str) -> Iterator[None]:
    """Float32 is computed as float32 inside the block; the user's own choices hold again afterwards.

    It switches off TF32 in convolutions, recurrent layers and matrix products, their counterparts on
    CPUs, and a surrounding autocast. A network in half precision stays in half precision.

    Parameters
    ----------
    device_type : str
        Of the device that computes, such as ``"cuda"``.
    """
    import torch

    backends: Any = torch.backends
    operations: list[Any] = [backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul]
    operations += [backends.mkldnn.conv, backends.mkldnn.rnn, backends.mkldnn.matmul]
    before = [operation.fp32_precision for operation in operations]
    try:
        older = torch.get_float32_matmul_precision()  # what reads this setting wants the two to agree
    except RuntimeError:  # they do not agree, by the user's own choice
        older = None
    with ExitStack() as stack:
        if torch.amp.is_autocast_available(device_type):
            stack.enter_context(torch.autocast(device_type, enabled=False))
        try:
            if older is not None:
                torch.set_float32_matmul_precision("highest")
            for operation in operations:
                operation.fp32_precision = FULL
            yield
        finally:
            if older is not None:
                torch.set_float32_matmul_precision(older)
            for operation, choice in zip(operations, before, strict=True):
                operation.fp32_precision = choice
