"""What every model shares: the part of a batch that one of several devices, or passes, works on."""

from __future__ import annotations

import numpy as np

from reference_models.models.beta_vae import BetaVAE
from reference_models.models.factor_vae import FactorVAE


def test_shares_are_equal_parts_of_each_block_of_a_batch() -> None:
    model = BetaVAE(image_shape=(1, 32, 32), latents=2)
    # Two blocks of six rows, one behind the other; each row's noise holds its number.
    rows = np.arange(12) + 100
    draws = {"noise": np.arange(12)[:, None].repeat(2, axis=1), "weight": np.array(0.5)}
    expected = [[0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11]]
    for share, places in enumerate(expected):
        own, own_draws = model.share(rows, draws, 6, share, 3)
        assert own.tolist() == [100 + place for place in places]
        assert own_draws["noise"].tolist() == [[place, place] for place in places]
        assert own_draws["weight"] == 0.5


def test_a_single_share_is_everything() -> None:
    model, rows, draws = BetaVAE(image_shape=(1, 32, 32), latents=2), np.arange(4), {"noise": np.arange(4)}
    own, own_draws = model.share(rows, draws, 4, 0, 1)
    assert own is rows
    assert own_draws is draws


def test_orders_stay_permutations_of_each_share() -> None:
    model = FactorVAE(image_shape=(1, 32, 32), latents=2)
    order = np.array([[3, 0], [1, 2], [2, 3], [0, 1]])
    draws = {"noise": np.zeros((8, 2)), "order": order}
    # Of each share's two rows, which comes first in each column.
    assert model.share(np.arange(8), draws, 4, 0, 2)[1]["order"].tolist() == [[1, 0], [0, 1]]
    assert model.share(np.arange(8), draws, 4, 1, 2)[1]["order"].tolist() == [[1, 1], [0, 0]]
