"""PyTorch's own formats are told apart, for files that PyTorch itself wrote."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
from torch import nn

from disentangle_metrics.encoders.sniffing import FileKind, file_kind


def test_pytorch_formats(tmp_path: Path, network: nn.Module, images: torch.Tensor) -> None:
    path = tmp_path / "model.pt"
    torch.save(network.state_dict(), path)
    assert file_kind(path) is FileKind.TORCH_SAVE
    torch.save(network.state_dict(), path, _use_new_zipfile_serialization=False)
    assert file_kind(path) is FileKind.TORCH_SAVE_LEGACY
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(network, images).save(str(path))
        assert file_kind(path) is FileKind.TORCHSCRIPT
        torch.export.save(torch.export.export(network, (images,)), tmp_path / "model.pt2")
    (tmp_path / "model.pt2").rename(path)
    assert file_kind(path) is FileKind.EXPORTED_PROGRAM
