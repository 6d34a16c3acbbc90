"""What DMIG, XMIG and DLIG share: which latent stands for which factor, and how factors depend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.counts.entropy import entropy
from disentangle_metrics.metrics.shared.gap import TIE
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Strategy


def standing(
    information: NDArray[np.float64], varying: NDArray[np.bool_], assignment: tuple[int, ...] | None
) -> NDArray[np.bool_]:
    """Which latent stands for which factor (D, K): the assigned one, or the best one, or several tied for it.

    Raises
    ------
    InputError
        If `assignment` is not one latent for each factor.
    """
    latents, factors = information.shape
    if assignment is None:
        best = information.max(axis=0)
        return np.asarray(varying & (best > 0) & (information >= best * (1 - TIE)))
    given = np.asarray(assignment)
    if given.shape != (factors,) or given.dtype.kind not in "iu":
        raise InputError(
            f"`assignment` must name one latent by number for each of {factors} factors, got {assignment!r}"
        )
    if given.min() < 0 or given.max() >= latents:
        odd = given.min() if given.min() < 0 else given.max()
        raise InputError(f"`assignment` names latent {odd}, but they are numbered 0 to {latents - 1}")
    stands = np.zeros((latents, factors), dtype=bool)
    stands[given, np.arange(factors)] = True
    return stands & varying


def conditional_entropies(
    relations: Relations, bins: int, strategy: Strategy, factor_bins: int | None
) -> NDArray[np.float64]:
    """H(v_i | v_l) of each factor i, given each factor l, in nats. Shape (K, K)."""
    codes, sizes = relations.factor_codes(bins, strategy, factor_bins)
    alone = [entropy(np.bincount(column, minlength=size)) for column, size in zip(codes, sizes, strict=True)]
    conditional = np.zeros((len(codes), len(codes)))
    for i in range(len(codes)):
        for other in range(i):
            pair = codes[i].astype(np.int64) * sizes[other] + codes[other]
            both = entropy(np.bincount(pair, minlength=sizes[i] * sizes[other]))
            conditional[i, other] = both - alone[other]
            conditional[other, i] = both - alone[i]
    conditional[conditional < TIE] = 0.0  # a factor that another one determines, but for rounding
    return conditional


def tied_for_largest(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of these values, not negative, are within rounding of the largest."""
    if not len(values):
        return np.zeros(0, dtype=bool)
    return np.asarray(values >= values.max() * (1 - TIE))


def determined(names: Sequence[str], which: Sequence[int]) -> tuple[Check, ...]:
    """The check of each factor that another one determines."""
    return tuple(
        Check(
            "factor_left_out",
            f"factor {names[k]}: determined by another factor, so that nothing is left to divide by; "
            "left out",
            "leave out one of the two factors",
            names[k],
        )
        for k in which
    )
