"""One-to-one matching of latents and factors by correlation, on all rows or held out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.estimators.correlation import ranks
from disentangle_metrics.estimators.linear import FOLDS, canonical_directions, standardised

Floats = NDArray[np.float64]
Columns = NDArray[np.floating]

Correlate = Callable[[Columns, Columns, Columns, Columns], tuple[Floats, Floats]]
"""Signed correlations (D, K) on the rows (latents, factors) that are seen, and on those that are not."""


class Matched(NamedTuple):
    """A matching of latents and factors.

    Attributes
    ----------
    strengths
        Shape (D, K): the correlation of each pair that was matched; NaN for all other pairs.
    signs
        Shape (D, K): its sign, 0 for other pairs; held out, the sum of the folds' signs by their share of
        the rows.
    """

    strengths: Floats
    signs: Floats


def one_to_one(strengths: Floats) -> Floats:
    """The strengths (D, K) of the matching whose sum is largest; NaN for pairs that are not in it."""
    from scipy.optimize import linear_sum_assignment

    latents, factors = linear_sum_assignment(strengths, maximize=True)
    matched = np.full(strengths.shape, np.nan)
    matched[latents, factors] = strengths[latents, factors]
    return matched


def matches(signed: Floats) -> Matched:
    """The matching of signed correlations (D, K) whose absolute values have the largest sum."""
    strengths = one_to_one(np.abs(signed))
    return Matched(strengths, np.where(np.isnan(strengths), 0.0, np.sign(signed)))


def held_out_matches(
    latents: Columns, factors: Columns, folds: NDArray[np.integer], correlate: Correlate | None = None
) -> Matched:
    """Correlations of matched pairs on rows that neither the matching nor its signs have seen.

    Parameters
    ----------
    latents, factors
        Shapes (N, D) and (N, K).
    folds
        Shape (N,): the fold of each row.
    correlate
        None: Pearson's correlation.

    Returns
    -------
    The strength of a pair is the sum over the folds that matched it of its correlation there, signed as on
    the other rows, each weighted by the fold's share of the rows. A pair that all folds match has the mean
    of its held-out correlations; one of unrelated columns is about 0.
    """
    signs: list[Floats] = []
    held_out: list[Floats] = []
    pairs: list[NDArray[np.bool_]] = []
    for fold in range(FOLDS):
        test = folds == fold
        seen, unseen = (correlate or pearson)(latents[~test], factors[~test], latents[test], factors[test])
        matched = matches(seen)
        pairs.append(~np.isnan(matched.strengths))  # also one whose correlation is 0, which has no sign
        signs.append(matched.signs * test.mean())
        held_out.append(signs[-1] * unseen)
    ever = np.any(pairs, axis=0)
    return Matched(np.where(ever, np.sum(held_out, axis=0), np.nan), np.sum(signs, axis=0))


def correlations(latents: Columns, factors: Columns) -> Floats:
    """Pearson's correlation (D, K); 0 where a column is constant."""
    return np.asarray(standardised(latents).T @ standardised(factors) / len(latents))


def pearson(latents: Columns, factors: Columns, *unseen: Columns) -> tuple[Floats, Floats]:
    """Pearson's correlations of the rows that are seen, and of those that are not."""
    return correlations(latents, factors), correlations(*unseen)


def spearman(latents: Columns, factors: Columns, *unseen: Columns) -> tuple[Floats, Floats]:
    """The same of ranks, which are those among the rows of each part."""
    return pearson(ranks(latents), ranks(factors), *map(ranks, unseen))


def up_to_linear_maps(correlate: Correlate) -> Correlate:
    """The same correlations of canonical variables, whose directions are those of the rows that are seen."""

    def of_variables(latents: Columns, factors: Columns, *unseen: Columns) -> tuple[Floats, Floats]:
        left, right = canonical_directions(latents, factors)
        return correlate(latents @ left, factors @ right, unseen[0] @ left, unseen[1] @ right)

    return of_variables
