"""What the metrics made of mutual information share: its normalisation, and the gap at the top."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.counts.entropy import Information
from disentangle_metrics.estimators.group_information import FEWER_CELLS
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.settings import Normaliser

# What matters to some estimators only.
NEIGHBOURS: dict[str, tuple[str, Any]] = {
    "k": ("estimator", "nearest_neighbours"),
    "seed": ("estimator", ("nearest_neighbours", "posterior_monte_carlo")),
}
SAMPLES: dict[str, tuple[str, Any]] = {"samples": ("estimator", "posterior_monte_carlo")}

TIE = 1e-9  # relative; rounding separates exact ties by less


def gap(table: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Largest minus second largest along `axis`; with one entry the second largest is 0.

    NaN entries take no part; a line of NaN alone gives NaN.
    """
    lines = np.moveaxis(table, axis, -1)
    absent = np.isnan(lines)
    # Values here are never negative, so an absent entry can stand at 0 beside a present one.
    ordered = np.sort(np.where(absent, 0.0, lines), axis=-1)
    second = ordered[..., -2] if lines.shape[-1] > 1 else 0.0
    return np.where(absent.all(axis=-1), np.nan, ordered[..., -1] - second)


def gap_in_order_of(keys: NDArray[np.float64], table: NDArray[np.float64]) -> NDArray[np.float64]:
    """The entry of a row (D,) where `keys` are largest, minus that where they are second largest.

    Both are (D, K), K at least 2. Entries that are NaN in `table` take no part. Of keys that tie, within
    rounding, the larger entry comes first.
    """
    places = np.arange(len(keys))
    absent = np.isnan(table)
    keys, table = np.where(absent, -np.inf, keys), np.where(absent, -np.inf, table)
    entries = []
    for _ in range(2):
        tied = keys >= keys.max(axis=1, keepdims=True) * (1 - TIE)
        best = np.where(tied, table, -np.inf).argmax(axis=1)
        entries.append(table[places, best])
        keys[places, best] = -np.inf
    return np.asarray(entries[0] - entries[1])


def joint_entropy_minus_gap(
    information: Information,
    log_cells: NDArray[np.float64],
    varying: NDArray[np.bool_],
    warnings: tuple[Check, ...],
) -> MetricValue:
    """JEMMIG, the mean over factors of 1 - (H(z*, v) - gap) / (H(v) + log of the number of cells of z*).

    Of latents tied for the largest information z* is the one with the smallest joint entropy, and of those
    tied for that the one of the fewest cells. `log_cells` (D, K) are logarithms of their numbers.
    """
    mutual, joint = information.mutual_information, information.joint_entropy
    tied = mutual >= mutual.max(axis=0) * (1 - TIE)
    smallest = np.where(tied, joint, np.inf).min(axis=0)
    excess = smallest - gap(mutual, axis=0)
    cells = np.where(tied & (joint <= smallest * (1 + TIE)), log_cells, np.inf).min(axis=0)
    per_factor = np.where(varying, 1 - excess / (information.factor_entropy + cells), np.nan)
    # A corrected joint entropy may exceed the largest that there is.
    per_factor = np.maximum(per_factor, 0.0)
    return MetricValue(
        value=float(np.nanmean(per_factor)),
        per_factor=per_factor,
        details={
            "mutual_information": Labelled(mutual, ("latents", "factors")),
            "joint_entropy": Labelled(joint, ("latents", "factors")),
            "factor_entropy": Labelled(information.factor_entropy, ("factors",)),
        },
        warnings=warnings,
    )


def normalised(
    information: Information, normaliser: Normaliser, varying: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Mutual information (D, K) over the factor's or the binned latent's entropy, or log of the values.

    A latent without entropy has none to share and counts 0; a factor that does not vary is NaN.
    """
    table = information.mutual_information
    if normaliser == "factor":
        return table / divisor(information, varying)
    if normaliser == "values":
        # Corrected for bias, information may exceed the logarithm by a little.
        values = np.log(np.maximum(information.factor_values, 2))
        return np.minimum(table / np.where(varying, values, np.nan), 1.0)
    need_counted(information, "the normaliser 'latent'")
    entropy = information.latent_entropy
    entropy = np.broadcast_to(entropy if entropy.ndim == 2 else entropy[:, None], table.shape)
    shares = np.divide(table, entropy, out=np.zeros_like(table), where=entropy > 0)
    shares[:, ~varying] = np.nan
    return shares


def divisor(information: Information, varying: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What information about each factor (K,) is divided by: its entropy, NaN where it does not vary.

    Rows of a resample may have one value of a factor that varies in the rows they were drawn from.

    Raises
    ------
    NotApplicable
        If none varies in these rows.
    """
    entropy = information.factor_entropy
    moving = varying & (entropy > 0)
    if not moving.any():
        raise NotApplicable("no factor has more than one value in these rows")
    return np.where(moving, entropy, np.nan)


def need_counted(information: Information, what: str) -> None:
    """Refuse estimates whose entropies are not those of binned latents.

    Raises
    ------
    NotApplicable
        If they are not.
    """
    if information.counted:
        return
    if information.of_groups:
        raise NotApplicable(
            f"{what} needs the entropy of joint cells, which are counted if there are rows enough for them: "
            f"{FEWER_CELLS}"
        )
    raise NotApplicable(
        f"{what} needs the entropy of binned latents: use `dm.Metric(..., estimator='histogram')`"
    )
