from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from disentangle_metrics import InputError
from reference_models.models.ada_gvae import AdaGVAE, build_encoder, shared
from tests.reference_models.conftest import Squares
from tests.reference_models.models.conftest import array, draws_at, kl_to_prior, log_likelihood_loss


def test_objective_by_hand(images: torch.Tensor, spread: Callable[[AdaGVAE], AdaGVAE]) -> None:
    model = spread(build_encoder({"image_shape": [1, 32, 32], "latents": 3, "beta": 2.0}))
    draws = draws_at(model, 0, 2)  # two pairs: images 0 and 2, 1 and 3
    terms = model.objective(images, **draws)

    mean, logvar = (array(t) for t in model.network.posterior(images))
    variance = np.exp(logvar)
    averaged = 0
    for first, second in ((0, 2), (1, 3)):
        delta = [
            np.log(np.sqrt(variance[second, d] / variance[first, d]))
            + (variance[first, d] + (mean[first, d] - mean[second, d]) ** 2) / (2 * variance[second, d])
            - 0.5
            for d in range(3)
        ]
        for d in range(3):
            if delta[d] < (min(delta) + max(delta)) / 2:
                averaged += 1
                mean[[first, second], d] = mean[[first, second], d].mean()
                variance[[first, second], d] = variance[[first, second], d].mean()
    assert 0 < averaged < 6
    z = mean + np.sqrt(variance) * array(draws["noise"])
    reconstruction = log_likelihood_loss(model.network.decode(torch.tensor(z, dtype=torch.float32)), images)
    kl = kl_to_prior(mean, np.log(variance))
    assert terms["kl"].item() == pytest.approx(kl, rel=1e-4)
    assert terms["loss"].item() == pytest.approx(reconstruction + 2 * kl, rel=1e-5)


def test_equal_images_share_every_latent_but_those_at_the_threshold() -> None:
    mean, logvar = torch.tensor([[0.0, 1.0], [0.0, 3.0]]), torch.zeros(2, 2)
    new_mean, new_logvar = shared(mean, logvar)
    torch.testing.assert_close(new_mean, mean)  # the first is shared and equal, the second is not shared
    torch.testing.assert_close(new_logvar, logvar)


@pytest.mark.parametrize("changed", [0, 1, 2])
def test_pairs_differ_in_the_factors_asked_for(changed: int) -> None:
    model = AdaGVAE(image_shape=(1, 32, 32), latents=3, changed_factors=changed)
    rows = model.rows(Squares(), 400, np.random.default_rng(0))
    first, second = Squares.grid.factors(rows).reshape(2, 400, 2)
    differ = (first != second).sum(1)
    # A factor is drawn anew, so that now and then it comes out as it was.
    most = {0: 1, 1: 1, 2: 2}[changed]
    assert differ.max() == most
    assert (differ == most).mean() > 0.85
    if changed == 1:
        assert 0.3 < (first[:, 0] != second[:, 0]).mean() < 0.6  # either factor, as often


def test_a_data_set_without_a_grid_is_refused() -> None:
    class Photographs:
        name = "photographs"

    with pytest.raises(InputError, match=r"every combination of factors.*photographs has none"):
        AdaGVAE(image_shape=(1, 32, 32)).rows(Photographs(), 4, np.random.default_rng(0))  # type: ignore[arg-type]
    one_factor = Squares()
    one_factor.factor_sizes = (625,)
    with pytest.raises(
        InputError, match="changed_factors is 0, .*; squares has one factor alone: set it to 1"
    ):
        AdaGVAE(changed_factors=0).rows(one_factor, 4, np.random.default_rng(0))
    with pytest.raises(InputError, match="changed_factors is 3; squares has 2 factors"):
        AdaGVAE(changed_factors=3).rows(Squares(), 4, np.random.default_rng(0))
