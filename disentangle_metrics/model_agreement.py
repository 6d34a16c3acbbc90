"""UDR: how well several models of the same data agree, up to order and sign of their latents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.correlation import ranks
from disentangle_metrics.estimators.counts.binning import column_ranges, numerically_constant
from disentangle_metrics.estimators.scaling import comparable
from disentangle_metrics.inputs.inputs import Inputs, check
from disentangle_metrics.kit import gaussian_kl

SIMILARITIES = ("lasso", "spearman")
MOST_LOGVAR = 600  # of a posterior; the exponential of more may overflow

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """What :func:`udr` returns, for M models.

    Attributes
    ----------
    scores
        Shape (M,): the UDR of each model, its median agreement with the others.
    pairwise
        Shape (M, M): agreement of the row's model with the column's; the diagonal is NaN.
    informative
        For each model a mask (D,) of the latents that take part.
    """

    scores: Table
    pairwise: Table
    informative: tuple[NDArray[np.bool_], ...]


def udr(
    models: Iterable[Any], *, similarity: str = "lasso", alpha: float = 0.1, threshold: float = 0.01
) -> Agreement:
    """Unsupervised disentanglement ranking (UDR): do models trained alike find the same latents?

    Disentangled models are expected to agree with each other up to the order, the sign and the scale
    of their latents, while entangled ones are entangled each in its own way. For two models, R_ab is
    how strongly latent a of the first predicts latent b of the second. Their agreement is the mean of

        (1/B) sum over b of max_a R_ab^2 / sum_a R_ab   and   (1/A) sum over a of max_b R_ab^2 / sum_b R_ab,

    over their informative latents, and a model's score is the median over the other models. It
    needs no factors, and is meant for models of the same settings and different seeds.

    Parameters
    ----------
    models
        For each model its latents of the same rows, in the same order: arrays (N, D), where D may
        differ, or GaussianPosteriors. A mapping from names stands for its values.
    similarity
        "lasso": R_ab is the absolute weight of latent a in a Lasso regression of latent b on all
        latents of the first model, all standardised. "spearman": the absolute rank correlation.
    alpha
        Penalty of the Lasso.
    threshold
        With posteriors, latents are informative if their mean divergence from a standard normal
        exceeds this, in nats. Plain arrays know no divergence, and all latents that are not constant
        count.

    Returns
    -------
    Agreement
        Scores from 0, higher is better. They are at most 1 with "spearman", and with "lasso" if no model's
        latents are correlated. Of correlated latents a Lasso with a small `alpha` has weights above 1, so
        that scores may be above 1 too: 6.3 was measured with ``alpha=0``. Lasso shrinks: two equal models
        of uncorrelated latents agree by 1 - `alpha`, not 1.

    Raises
    ------
    InputError
        If there are fewer than two models, or they have different numbers of rows.

    Chance level
    ------------
    About 0: exactly 0 with "lasso" once the penalty exceeds every correlation. With "spearman" 0.02 was
    measured on 1,000 rows of 5 unrelated models of 5 normal latents, 0.006 on 10,000.

    Degenerate cases
    ----------------
    A latent that nothing predicts counts 0, and a model without informative latents agrees with none: 0.

    Cost
    ----
    Every ordered pair of M models is compared: time O(M^2 N D^2) for each sweep of the Lasso; with "spearman"
    once, and O(M N D log N) for the ranks. Memory O(M N D), since all models are kept, standardised. All
    rows are read.

    References
    ----------
    Duan et al. Unsupervised model selection for variational disentangled representation learning. ICLR
    2020; computed as in disentanglement_lib.

    Examples
    --------
    >>> import numpy as np
    >>> import disentangle_metrics as dm
    >>> z = np.random.default_rng(0).normal(size=(500, 3))
    >>> dm.udr([z, -z[:, ::-1], 2 * z]).scores.round(2)
    array([0.9, 0.9, 0.9])
    """
    if similarity not in SIMILARITIES:
        names = ", ".join(map(repr, SIMILARITIES))
        raise InputError(f"`similarity` must be one of {names}, got {similarity!r}")
    if isinstance(alpha, bool) or not alpha >= 0:
        raise InputError(f"`alpha` must be at least 0, got {alpha!r}")
    checked = _models(models)
    informative = tuple(_informative(model, threshold) for model in checked)
    tables = [_standardised(model, mask) for model, mask in zip(checked, informative, strict=True)]
    count = len(tables)
    pairwise = np.full((count, count), np.nan)
    ranked = [ranks(table) for table in tables] if similarity == "spearman" else []
    for i in range(count):
        for j in range(count):
            if i == j:
                continue
            if not informative[i].any() or not informative[j].any():
                pairwise[i, j] = 0.0
            elif similarity == "lasso":
                pairwise[i, j] = _agreement(_lasso(tables[i], tables[j], alpha))
            else:
                pairwise[i, j] = _agreement(_correlation(ranked[i], ranked[j]))
    return Agreement(np.nanmedian(pairwise, axis=1), pairwise, informative)


def _models(models: Iterable[Any]) -> list[Inputs]:
    models = models.values() if isinstance(models, Mapping) else models  # in their order, as scores are
    found = [] if hasattr(models, "ndim") else list(models)
    if len(found) < 2:
        raise InputError(
            "`models` must be a list with the latents of at least two models, such as "
            f"[latents_a, latents_b]; got {type(models).__name__}" + (f" of {len(found)}" if found else "")
        )
    checked = [check(latents, None) for latents in found]
    rows = [model.shape[0] for model in checked]
    if len(set(rows)) > 1:
        raise InputError(f"`models` must all encode the same rows, but they have {', '.join(map(str, rows))}")
    return checked


def _informative(model: Inputs, threshold: float) -> NDArray[np.bool_]:
    latents = model.latents
    moving = ~numerically_constant(*column_ranges(latents), latents.dtype)
    if model.logvar is None:
        return moving
    mean, logvar = latents.astype(np.float64), np.minimum(model.logvar.astype(np.float64), MOST_LOGVAR)
    divergence = gaussian_kl(mean, logvar).mean(axis=0)
    return np.asarray(moving & (divergence > threshold))


def _standardised(model: Inputs, mask: NDArray[np.bool_]) -> Table:
    latents = model.latents[:, mask]
    table = comparable(latents, *column_ranges(latents))[0].astype(np.float64)
    return np.asarray((table - table.mean(axis=0)) / table.std(axis=0))


def _lasso(first: Table, second: Table, alpha: float) -> Table:
    from sklearn.linear_model import Lasso, LinearRegression

    model = Lasso(alpha=alpha) if alpha > 0 else LinearRegression()
    weights = np.atleast_2d(model.fit(first, second).coef_)
    return np.asarray(np.abs(weights).T)


def _correlation(first: Table, second: Table) -> Table:
    first, second = (
        (table - table.mean(axis=0)) / table.std(axis=0) / np.sqrt(len(table)) for table in (first, second)
    )
    return np.asarray(np.abs(first.T @ second))


def _agreement(strength: Table) -> float:
    """Half the sum of how far each column, and each row, is held by one entry."""
    return 0.5 * sum(_held_by_one(table) for table in (strength, strength.T))


def _held_by_one(strength: Table) -> float:
    total = strength.sum(axis=0)
    share = np.divide(strength.max(axis=0) ** 2, total, out=np.zeros_like(total), where=total > 0)
    return float(share.mean())
