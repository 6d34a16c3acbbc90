from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from reference_models.models.parts import losses


def test_reconstruction_is_the_bernoulli_log_likelihood_summed_over_pixels() -> None:
    logits = torch.tensor([[[[0.0, 2.0]]], [[[-1.0, 3.0]]]])
    images = torch.tensor([[[[1.0, 0.25]]], [[[0.0, 1.0]]]])
    p = 1 / (1 + np.exp(-logits.numpy().astype(float)))
    x = images.numpy()
    by_hand = -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum() / 2
    assert float(losses.reconstruction(logits, images)) == pytest.approx(by_hand, rel=1e-6)


def test_kl_to_the_prior() -> None:
    kl = losses.gaussian_kl(torch.tensor([[0.0, 1.5]]), torch.tensor([[0.0, math.log(0.25)]]))
    # KL(N(1.5, 0.5^2) || N(0, 1)) = log(1 / 0.5) + (0.25 + 2.25) / 2 - 1/2
    torch.testing.assert_close(kl, torch.tensor([[0.0, math.log(2) + 1.25 - 0.5]]))


def test_sample_scales_noise_by_the_standard_deviation() -> None:
    drawn = losses.sample(torch.tensor([1.0]), torch.tensor([math.log(9.0)]), torch.tensor([-2.0]))
    assert float(drawn) == pytest.approx(1 - 6)
