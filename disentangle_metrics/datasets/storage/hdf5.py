"""HDF5 files need h5py, which is not always there."""

from __future__ import annotations

import importlib

from disentangle_metrics.errors import DatasetError
from disentangle_metrics.kit.installing import install_line


def require_h5py(dataset: str, instead: str) -> None:
    """Refuse to go on without h5py; the message says what works `instead`."""
    try:
        importlib.import_module("h5py")
    except ImportError as error:
        raise DatasetError(
            f"{dataset} is read with h5py, which is not installed: {install_line('data')}; {instead}"
        ) from error
