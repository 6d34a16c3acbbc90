"""Two formulas that models and scores must agree on."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray


def network_input(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (n, height, width, channels) in 0 .. 255 as float32 (n, channels, height, width) in [0, 1]."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2), dtype=np.float32) / np.float32(255)


def gaussian_kl(mean: Any, logvar: Any) -> Any:
    """KL(Normal(mean, exp(logvar)) || Normal(0, 1)) in nats, elementwise; NumPy arrays or PyTorch tensors.

    D. Kingma, M. Welling, "Auto-Encoding Variational Bayes", 2014, appendix B. Range [0, inf).
    """
    torch = sys.modules.get("torch")
    library = torch if torch is not None and isinstance(logvar, torch.Tensor) else np
    return 0.5 * (mean**2 + library.exp(logvar) - 1 - logvar)
