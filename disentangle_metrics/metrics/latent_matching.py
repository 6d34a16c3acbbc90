"""LMS, MSAS and MSGS: is there a latent for each class, rare ones among them?"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators import one_against_rest
from disentangle_metrics.estimators.matching import one_to_one
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue, ScoreDefinition
from disentangle_metrics.metrics.shared.gap import gap
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.settings import Bins

LEAST_ROWS = 2  # of a class


@metric(
    scores=(
        ScoreDefinition(
            "lms",
            property="compactness and modularity",
            meaning="How far each class has a latent of its own, each latent serving one class.",
            has_ceiling=False,
        ),
        ScoreDefinition(
            "msas",
            property="explicitness of the best latent",
            meaning="How well the best latent of each class singles it out from all other rows.",
            has_ceiling=False,
        ),
        ScoreDefinition(
            "msgs",
            property="compactness",
            meaning="How far the best latent of a class is ahead of the second best.",
            has_ceiling=False,
        ),
    ),
    relation="similarity of each latent with each class, one against the rest",
    source="Moinfar and Theis 2024",
    only_with={"bins": ("similarity", "smi")},
    interval="subsample",
)
def latent_matching(
    relations: Relations, *, similarity: Literal["smi", "spn", "bmmi", "asc"] = "smi", bins: Bins = 10
) -> dict[str, MetricValue]:
    """Latent matching: does a latent single out each class from all other rows, however rare the class is?

    Every value of every categorical factor is a class c, C of them in all. S_jc is the similarity of latent j
    with the indicator of class c, from 0 to 1. The scores are

        lms = the largest sum of S_jc over pairs of one latent and one class each, over C
        msas = mean over classes c of S_(1)c
        msgs = mean over classes c of S_(1)c - S_(2)c

    where (1), (2) are the latents most similar to class c. Classes weigh alike: one of 6 rows in 3,000 counts
    as much as one of half the rows. So they suit cell types, whose frequencies differ by orders of magnitude.

    Parameters
    ----------
    similarity
        "smi", scaled mutual information: I(binned z_j; c) / H(c). "spn": of the rows of c, how many are
        followed by another row of c in the order of z_j, chance taken off. "bmmi": I / H(c) of the best
        single threshold of z_j. "asc": the absolute Spearman correlation of z_j with the indicator.
    bins
        Of each latent, in equal width, for "smi". One row far out can merge all others in one bin: see
        the check `heavy_tails`, and take "spn" or "bmmi" then.

    Returns
    -------
    `lms`, `msas`, `msgs`: range [0, 1], higher is better. Parts: `per_factor`, over the classes of each
    factor, and `per_latent` of `lms`, NaN for a latent without a class. Details: `similarity` (D, C); of
    `lms` also `of_reachable`: the same sum over min(D, C) in place of C. D latents match D classes at most,
    so a perfect code of 4 latents and 27 classes has `lms` 0.148 and `of_reachable` 1. `lms` is the
    published score, and compares codes on the same classes only.

    Chance level
    ------------
    About 0 for each: with "smi" `lms` 0.004, `msas` 0.015 and `msgs` 0.004 were measured on 1,000 rows of 5
    normal latents and 5 factors of 5 values, all independent, and a tenth of it on 10,000. A class of few
    rows has more.

    Degenerate cases
    ----------------
    Rows tied in a latent are in no order: "spn" is the mean over all their orders, whatever the order of
    the rows. A constant latent has similarity 0. A class of one row is left out, with a check. A constant
    factor, and a continuous one, are left out; no class left: NaN. With one latent the second best is 0.
    A report has no ceiling: that of other metrics is of one latent for each factor, and a code of one for
    each class exceeds it.
    A middle value of an ordinal factor has low "bmmi" and "asc", since no threshold cuts it out.

    Cost
    ----
    "smi": one pass, time O(N D K), memory O(D B C). The others sort each latent once: time O(D (N log N +
    K N)), memory O(N + D C). The matching is cubic in the smaller of D and C. All rows are read.

    References
    ----------
    Moinfar, Theis. Unsupervised deep disentangled representation of single-cell omics. bioRxiv 2024.
    """
    varying = relations.need_factors(1, "latent matching")
    latents = relations.latents
    tables, names, owner, warnings = [], [], [], []
    for k in np.flatnonzero(varying):
        factor = relations.inputs.factors[k]
        if factor.codes is None:
            text = f"latent matching leaves out {factor.name}, which is continuous and has no classes"
            warnings.append(Check("factor_left_out", text, "cut it into classes first", factor.name))
            continue
        rows = np.bincount(factor.codes, minlength=len(factor.levels))
        if (single := int((rows == 1).sum())) > 0:
            warnings.append(_rare(factor.name, single))
        kept = np.flatnonzero((rows >= LEAST_ROWS) & (rows < len(latents)))
        table = _similarities(relations, similarity, bins, factor.codes, len(rows))
        tables.append(table[:, kept])
        names += [f"{factor.name}={factor.levels[value]}" for value in kept]
        owner += [int(k)] * len(kept)
    if not names:
        raise NotApplicable("latent matching needs classes of at least two rows, and no factor has any")
    table = np.concatenate(tables, axis=1)
    table[relations.constant()] = 0.0
    matched = one_to_one(table)
    of_class = np.nansum(matched, axis=0)
    best, lead = table.max(axis=0), gap(table, axis=0)
    details = {"similarity": Labelled(table, ("latents", "classes"), tuple(names))}
    reachable = float(of_class.sum() / min(table.shape))
    has_class = ~np.isnan(matched).all(axis=1)

    def score(values: NDArray[np.float64]) -> MetricValue:
        rows = np.bincount(owner, minlength=len(varying))
        sums = np.bincount(owner, values, len(varying))
        per_factor = np.divide(sums, rows, out=np.full(len(varying), np.nan), where=rows > 0)
        return MetricValue(float(values.mean()), per_factor, details=details, warnings=tuple(warnings))

    lms = score(of_class)
    per_latent = np.where(has_class, np.nansum(matched, axis=1), np.nan)
    return {
        "lms": MetricValue(
            lms.value, lms.per_factor, per_latent, {**details, "of_reachable": reachable}, lms.warnings
        ),
        "msas": score(best),
        "msgs": score(lead),
    }


def _similarities(
    relations: Relations, similarity: str, bins: int, codes: NDArray[np.integer], classes: int
) -> NDArray[np.float64]:
    """Of every latent with every class of one factor. Shape (D, classes)."""
    if similarity == "smi":
        return one_against_rest.scaled_information(
            relations.given, relations.bins(bins, "uniform"), codes, classes
        )
    functions = {
        "spn": one_against_rest.neighbour_shares,
        "bmmi": one_against_rest.threshold_information,
        "asc": one_against_rest.rank_correlations,
    }
    return functions[similarity](relations.latents, codes, classes)


def _rare(factor: str, classes: int) -> Check:
    left_out = "a class of one row is" if classes == 1 else f"{classes:,} classes of one row are"
    return Check(
        "rare_class",
        f"factor {factor!r}: {left_out} left out of latent matching",
        "score more rows, or merge classes",
        factor,
        {"classes": classes},
    )
