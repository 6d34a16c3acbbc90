"""The formulas that models and scores share, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from disentangle_metrics import kit


def test_kl_of_a_normal_from_the_standard_one() -> None:
    # KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1) / 2 - log s
    kl = kit.gaussian_kl(np.array([0.0, 3.0]), np.array([0.0, 2 * math.log(0.5)]))
    assert kl == pytest.approx([0.0, (9 + 0.25 - 1) / 2 + math.log(2)])


def test_kl_of_tensors_keeps_their_gradient() -> None:
    mean = torch.tensor([2.0], requires_grad=True)
    kit.gaussian_kl(mean, torch.zeros(1)).sum().backward()
    assert mean.grad is not None
    assert mean.grad.item() == pytest.approx(2.0)


def test_images_become_network_input() -> None:
    images = np.arange(2 * 2 * 3 * 1, dtype=np.uint8).reshape(2, 2, 3, 1) * 20
    batch = kit.network_input(images)
    assert batch.shape == (2, 1, 2, 3)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    assert batch[1, 0, 0, 2] == np.float32(160) / np.float32(255)


def test_every_name_of_the_kit_can_be_had() -> None:
    assert all(hasattr(kit, name) for name in kit.__all__)
    with pytest.raises(AttributeError, match="no attribute 'hammer'"):
        _ = kit.hammer
