"""EDI from its formula, to show why it is no metric here: it divides by information that noise has not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
EPSILON = 1e-10


def exclusivity_scores(information: Floats, held: Floats) -> tuple[float, float]:
    """EDI's modularity and compactness, before both are cut to [0, 1].

    Parameters
    ----------
    information
        Mutual information of each latent with each factor, (D, K).
    held
        What all latents together tell of each factor, (K,). The peer estimates it by a neural network.
    """
    shares = information / (held + EPSILON)
    credit = np.zeros(shares.shape[1])
    for row in shares:
        credit[row.argmax()] += exclusivity(row)
    return float(np.minimum(credit, 1).mean()), float(np.mean([exclusivity(c) for c in shares.T]))


def exclusivity(shares: Floats) -> float:
    """The largest, minus the root of the mean square of the others."""
    others = np.delete(shares, shares.argmax())
    return float(shares.max() - np.sqrt(np.square(others).mean()))
