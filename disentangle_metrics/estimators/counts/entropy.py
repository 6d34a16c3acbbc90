"""Entropies and mutual information of counted data, plug-in or with Miller-Madow's correction, in nats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.estimators.counts.counts import ContingencyTables
from disentangle_metrics.settings import Correction

OVERSHOOT = 0.01  # share of a factor's entropy by which estimates exceed it without a remark


def entropy(
    counts: NDArray[np.integer | np.floating], axis: int | tuple[int, ...] = -1
) -> NDArray[np.float64]:
    """Plug-in (maximum-likelihood) entropy of counts along `axis`, in nats: log n - sum(c log c) / n.

    Rows may be counted in parts. An empty table has entropy 0. The estimate is biased downward by about
    (number of occupied cells - 1) / (2 n).
    """
    counts = np.asarray(counts)
    total = counts.sum(axis=axis, dtype=np.float64)
    safe = np.where(counts > 0, counts, 1).astype(np.float64)
    weighted = (counts * np.log(safe)).sum(axis=axis)
    n = np.where(total > 0, total, 1.0)
    return np.asarray(np.maximum(np.log(n) - weighted / n, 0.0))


def corrected_entropy(
    counts: NDArray[np.integer | np.floating], axis: int | tuple[int, ...] = -1
) -> NDArray[np.float64]:
    """Entropy of counts along `axis` with the Miller-Madow correction: plug-in + (cells - 1) / (2 n).

    Cells are those with a count above 0. An empty table has entropy 0.
    """
    counts = np.asarray(counts)
    total = counts.sum(axis=axis, dtype=np.float64)
    cells = np.count_nonzero(counts, axis=axis)
    bias = np.divide(cells - 1, 2 * total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(entropy(counts, axis) + bias)


@dataclass(frozen=True)
class Information:
    """Entropies and mutual information of every latent with every factor, in nats.

    ``mutual_information`` and ``joint_entropy`` have shape (D, K), ``latent_entropy`` (D,);
    ``factor_entropy`` and ``factor_values``, the number of values that occur, (K,). The entropies of
    latents are those of binned latents if `counted`; otherwise differential ones (posteriors) or NaN
    (nearest neighbours). They are (D, K) where each factor has rows of its own. `remarks` are for the
    user. `of_groups` says that latents are groups of columns.
    """

    mutual_information: NDArray[np.float64]
    joint_entropy: NDArray[np.float64]
    latent_entropy: NDArray[np.float64]
    factor_entropy: NDArray[np.float64]
    factor_values: NDArray[np.int64]
    counted: bool = True
    remarks: tuple[Check, ...] = ()
    of_groups: bool = False


def counted_information(tables: ContingencyTables, correction: Correction = "none") -> Information:
    """Information of every latent with every factor from counts: I = H(z) + H(v) - H(z, v).

    With the `correction` "miller_madow" each entropy is larger than the plug-in one by (occupied
    cells - 1) / (2 n), which is its bias to first order (Miller 1955). I lies in
    [0, min(H(z), H(v))]; rounding, and what a correction takes outside of that, is cut off.
    """
    estimate = entropy if correction == "none" else corrected_entropy
    joint = np.stack([estimate(table, axis=(1, 2)) for table in tables.joint], axis=1)
    latent = estimate(tables.joint[0].sum(axis=2))
    rows_by_value = [table[0].sum(axis=0) for table in tables.joint]
    factor = np.array([estimate(rows) for rows in rows_by_value])
    information = latent[:, None] + factor[None, :] - joint
    information = np.clip(information, 0.0, np.minimum(latent[:, None], factor[None, :]))
    # Rounding of three sums of order log n leaves a few units in the last place where I is 0.
    information[information < 1e-14 * (1 + joint)] = 0.0
    return Information(information, joint, latent, factor, present(rows_by_value))


def side_by_side(parts: Sequence[tuple[Sequence[int], Information]]) -> Information:
    """The information about factors that were estimated apart, on different rows.

    `parts` holds the places of a part's factors and the information about them. The entropies of the
    latents become (D, K), since they are those of each factor's rows.
    """
    order = np.argsort([k for columns, _ in parts for k in columns])
    found = [information for _, information in parts]
    latent = [np.broadcast_to(part.latent_entropy[:, None], part.mutual_information.shape) for part in found]
    return Information(
        np.concatenate([part.mutual_information for part in found], axis=1)[:, order],
        np.concatenate([part.joint_entropy for part in found], axis=1)[:, order],
        np.concatenate(latent, axis=1)[:, order],
        np.concatenate([part.factor_entropy for part in found])[order],
        np.concatenate([part.factor_values for part in found])[order],
        counted=all(part.counted for part in found),
        remarks=tuple({remark.message: remark for part in found for remark in part.remarks}.values()),
    )


def bounded_by_entropy(information: Information, names: Sequence[str]) -> Information:
    """The information cut at the factors' entropies, with a remark where that is more than scatter."""
    limit = information.factor_entropy
    excess = information.mutual_information.max(axis=0) / np.where(limit > 0, limit, np.inf) - 1
    remarks = tuple(
        Check(
            "estimates_cut",
            f"factor {name!r}: the estimates exceed its entropy by {share:.0%} and are cut there",
            "score more rows",
            name,
            {"excess": round(float(share), 4)},
        )
        for name, share in zip(names, excess, strict=True)
        if share > OVERSHOOT
    )
    return replace(
        information,
        mutual_information=np.minimum(information.mutual_information, limit),
        remarks=information.remarks + remarks,
    )


def present(rows_by_value: Sequence[NDArray[np.integer]]) -> NDArray[np.int64]:
    """For each factor the number of values that any row has."""
    return np.array([np.count_nonzero(rows) for rows in rows_by_value], dtype=np.int64)
