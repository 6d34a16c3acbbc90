"""Of the second nine implementations: known disagreements with both numbers, and what is not reproduced."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

import disentangle_metrics as dm
from tests.agreement.comparison import EVERY_CASE, of
from tests.agreement.comparisons_further import (
    BOILARD,
    BY_EDGE,
    CEBRA,
    GUARD,
    HIERARCHY,
    LEJEPA,
    VAETC,
    VARIANT,
)
from tests.agreement.explanations import Explanation, Shown
from tests.agreement.pairs_further import binary
from tests.agreement.reference import FOLDERS, arrays, found, recorded
from tests.agreement.test_posterior import posterior

ANY = ("p",)  # the first letter of every case
P14 = "p14_posterior"


def full(case: str) -> str:
    return next(name for name in EVERY_CASE if name.startswith(case))


def number(case: str, peer: str, metric: str, name: str, **parameters: object) -> float | str:
    """A recorded value, of several seeds their mean; what happened instead where the peer failed."""
    for record in of(full(case), peer, metric):
        if all(record["params"].get(key) == value for key, value in parameters.items()):
            if "error" in record:
                return f"raises {record['error'].split(':')[0]}"
            value = record["values"][name]
            return value["mean"] if isinstance(value, dict) else value
    raise LookupError(f"no record of {peer} {metric} {parameters} for {case}")


def recorded_defect(text: str) -> dict[str, float]:
    """What was recorded of an input that shows a defect."""
    every = recorded(FOLDERS[1])["probes"]
    return dict(next(entry["result"] for entry in every if entry["probe"].startswith(text)))


def recovery(case: str, key: str) -> float:
    return float(dm.linear_recovery(*arrays(full(case)))[key].value)


def _no_intercept() -> Iterator[Shown]:
    for case in ("p01", "p13", "pg_lin_perm"):
        theirs = number(case, GUARD, "R2", "R2")
        yield Shown(case, "R2 of factors from latents", recovery(case, "r2_from_latents"), theirs)


def _without_full_rank() -> Iterator[Shown]:
    for case in ("p08", "p09"):
        for record in found(full(case), LEJEPA, "bidirectional linear R2"):
            data = record["params"]["data"][:8].replace("factors", "z-scored")
            theirs = record["values"]["R2_latents_to_factors"]
            yield Shown(
                case, f"R2 of factors from latents, {data}", recovery(case, "r2_from_latents"), theirs
            )


def _constant_stops_mcc() -> Iterator[Shown]:
    ours = dm.mcc(*arrays(full("p09")), normalisation="matched").value
    yield Shown("p09", "MCC", ours, number("p09", "icebeem", "MCC (strong)", "MCC"))


def _within_rounding_of_an_edge() -> Iterator[Shown]:
    for case, peer in (
        ("pg_lin_warp", GUARD),
        ("pg_hier_nested_clean", HIERARCHY),
        ("pg_hier_nested_mixed", HIERARCHY),
    ):
        ours = dm.mig(*arrays(case), factor_bins=20).value
        yield Shown(case, f"{peer} MIG", ours, number(case, peer, "MIG", "MIG"))


def _information_plus_entropy() -> Iterator[Shown]:
    latents, factors = posterior(P14)[0], binary(P14, 4)
    for metric, name, function in (
        ("MIG-sup", "mean", dm.mig_sup),
        ("modularity", "mean", dm.modularity),
        ("DCIMIG", "DCIMIG", dm.dcimig),
    ):
        ours = function(latents, factors, estimator="posterior").value
        yield Shown("p14", f"{metric}, binary columns", ours, number("p14", VAETC, metric, name, columns=4))


def _without_the_half() -> Iterator[Shown]:
    latents, factors = posterior(P14)
    ours = dm.informativeness(latents).per_latent
    theirs = found(P14, VAETC, "informativeness")[0]["values"]["per_latent"]
    for j in (0, 5):
        yield Shown("p14", f"informativeness of latent {j}, nats", float(ours.iloc[j]), theirs[j])
    ours = dm.score(latents, factors, metrics=["wsepin"], anchors=False)["windin"].value
    yield Shown("p14", "WINDIN", ours, number("p14", VAETC, "WINDIN", "WINDIN"))


def _compact_noise() -> Iterator[Shown]:
    rng = np.random.default_rng(0)
    latents, factors = rng.uniform(size=(1_000, 4)), rng.uniform(size=(1_000, 4))
    compactness = dm.mig(latents, factors, estimator="nearest_neighbours").value
    modularity = dm.mig_sup(latents, factors, estimator="nearest_neighbours").value
    for seed in (0, 1):
        theirs = recorded_defect(f"InnVariant: EDI of pure noise, seed {seed}")
        yield Shown("noise", f"compactness, seed {seed}; ours: MIG by neighbours", compactness, theirs["C"])
        yield Shown("noise", f"modularity, seed {seed}; ours: MIG-sup by neighbours", modularity, theirs["D"])


def _rounding_lifts() -> Iterator[Shown]:
    ours = dm.mcc(*arrays(full("p05")), correlation="rdc", normalisation="matched").value
    theirs = found(full("p05"), GUARD, "MCC", method="rdc")[0]["values"]["mcc_matched"]["each"]
    for seed, value in enumerate(theirs):
        yield Shown("p05", f"MCC by RDC of noise, seed {seed}", ours, value)


def _constant_is_explained() -> Iterator[Shown]:
    ours = dm.linear_recovery(*arrays(full("p09")), cross_fitted=False)["r2_from_factors"].value
    theirs = number("p09", CEBRA, "consistency of two embeddings", "R2_factors_to_latents")
    yield Shown("p09", "R2 of latents from factors", ours, theirs)


FURTHER_DEFECTS = (
    Explanation(
        "A constant latent is explained in full",
        "CEBRA's R2 is scikit-learn's, which gives a constant column 1. Here such a latent counts 0: no factor "
        "is in it.",
        ((CEBRA, "consistency of two embeddings"),),
        ("p09",),
        _constant_is_explained,
    ),
    Explanation(
        "R2 without an intercept",
        "identifiability-guard fits its line through the origin. A code that is the factors plus 1 then "
        "scores 0.003, plus 3 scores 0. With both sides centred by the caller it agrees with ours.",
        ((GUARD, "R2"), (GUARD, "R2 out of sample")),
        ANY,
        _no_intercept,
    ),
    Explanation(
        "A regression without full rank",
        "With a copied latent (p08) or a constant one (p09) several maps fit equally well. The solver of "
        "lejepa-identifiability then returns one that does not fit best. Ours is NumPy's least squares to "
        "1e-9 there.",
        ((LEJEPA, "bidirectional linear R2"),),
        ("p08", "p09"),
        _without_full_rank,
    ),
    Explanation(
        "RDC of noise, lifted by rounding",
        "The 20 random waves of identifiability-guard's RDC are nearly dependent, and rounding lifts its "
        "largest correlation on some seeds. It also breaks ties by the order of the rows. Ours leaves out what "
        "is rounding, and gives ties their average rank.",
        ((GUARD, "MCC"),),
        ("p05",),
        _rounding_lifts,
    ),
    Explanation(
        "A constant latent stops MCC",
        "A constant latent has no correlation in icebeem, and its matching refuses NaN. Here its "
        "correlation is 0.",
        (("icebeem", "MCC (strong)"), ("icebeem", "MCC (strong) out of sample")),
        ("p09",),
        _constant_stops_mcc,
    ),
    Explanation(
        "Numbers within rounding of an edge",
        "One to three numbers of each of these columns lie within rounding of an edge of 20 bins. NumPy's "
        "histogram puts some below it. Here such numbers count as on the edge, so that rescaling moves none.",
        ((GUARD, "MIG"), (HIERARCHY, "MIG")),
        ("pg_lin_warp", *BY_EDGE),
        _within_rounding_of_an_edge,
    ),
    Explanation(
        "Information plus the factor's entropy",
        "vaetc calls a conditional entropy the joint one. Its information is therefore I + H(y). A noise "
        "latent has 0.69 nats with a fair bit. Its gap over latents (RMIG) cancels H(y), and agrees. Its gap over "
        'factors does not. Its modularity besides lacks the "1 -", and takes a fourth power for a square. The '
        "information that its own code holds on the way agrees with ours to 1e-6.",
        tuple((VAETC, metric) for metric in ("MIG-sup", "modularity", "DCIMIG")),
        ("p14",),
        _information_plus_entropy,
    ),
    Explanation(
        "An entropy without its half",
        "vaetc's entropy by sampling leaves out the factor one half: a standard normal gets 2.88 nats instead "
        "of 1.42. Its informativeness and WINDIN are made of it. Latent 5 of p14 is the prior itself and "
        "tells nothing.",
        ((VAETC, "informativeness"), (VAETC, "WINDIN")),
        ("p14",),
        _without_the_half,
    ),
    Explanation(
        "EDI: pure noise is compact",
        "EDI divides the information of one latent by that of all latents. All latents of noise tell about 0: "
        "its neural network finds 0.0004 of the factors' 3.3 nats, so 0.0013. A neighbour estimate of 0.02 for "
        "one latent is then a share of 15, and the cut to [0, 1] makes a perfect 1 of it. tests/agreement/test_edi.py "
        "does the division again. So EDI is no metric here.",
        ((VARIANT, "EDI"),),
        ANY,
        _compact_noise,
    ),
)


def _raw_order() -> Iterator[Shown]:
    for case in ("p04", "p05", "p06", "p13"):
        ours = dm.mig_sup(*arrays(full(case)), active=None).value
        yield Shown(case, "MIG-sup, 20 bins", ours, number(case, BOILARD, "MIG-sup", "MIG_sup", bins=20))


def _mean_of_ratios() -> Iterator[Shown]:
    for case in ("p02", "p04", "p16"):
        theirs = number(case, BOILARD, "DCIMIG", "DCIMIG_normalised", bins=20)
        yield Shown(case, "DCIMIG, 20 bins", dm.dcimig(*arrays(full(case))).value, theirs)


def _matched() -> Iterator[Shown]:
    for name, peer, metric in (("MCC", "icebeem", "MCC (strong)"), ("mcc_matched", GUARD, "MCC")):
        theirs = number("p15", peer, metric, name, method="pearson")
        yield Shown(
            "p15", f"MCC of 2 latents and 5 factors, {peer}", dm.mcc(*arrays(full("p15"))).value, theirs
        )


def _held_out() -> Iterator[Shown]:
    held_out = dm.mcc(*arrays(full("p05")), normalisation="matched", cross_fitted=True).value
    theirs = number("p05", "icebeem", "MCC (strong) out of sample", "MCC", method="pearson")
    yield Shown("p05", "MCC of noise; icebeem out of sample", held_out, theirs)
    theirs = number("p05", GUARD, "MCC", "raw_score", method="pearson", crossfit=True)
    yield Shown("p05", "the same; identifiability-guard cross-fitted", held_out, theirs)


def _weak() -> Iterator[Shown]:
    for case in ("p05", "pg_mix_040"):
        theirs = number(case, "icebeem", "MCC (weak, CCA)", "weak_out")
        metric = dm.Metric("mcc", affine=True, normalisation="matched", cross_fitted=True)
        ours = dm.score(*arrays(full(case)), metrics=metric, anchors=False)["mcc"].value
        yield Shown(case, "weak MCC, held out", ours, theirs)


def _fourth_pair() -> Iterator[Shown]:
    case = "pg_mix_050"
    ours = dm.mcc(*arrays(case), affine=True, normalisation="matched").value
    yield Shown(case, "weak MCC, in sample", ours, number(case, "icebeem", "MCC (weak, CCA)", "weak_in"))


def _penalised() -> Iterator[Shown]:
    for case, metric, name in (
        ("p01", "InfoE", "InfoE"),
        ("p07", "InfoE", "InfoE"),
        ("p05", "InfoM", "InfoM"),
    ):
        report = dm.infomec(*arrays(full(case)), protocol="hsu2023")
        ours = report["info_explicitness" if name == "InfoE" else "info_modularity"].value
        yield Shown(case, metric, ours, number(case, GUARD, "InfoMEC", name))


def _pooled() -> Iterator[Shown]:
    for case, metric, name, key in (
        ("p15", "bidirectional linear R2", "R2_latents_to_factors", "r2_from_latents"),
        ("pg_lin_affine", "orthogonality error", "orth_err_normalised", "orthogonality"),
        ("pg_lin_affine", "Procrustes and covariance", "procrustes_mse", "procrustes"),
    ):
        yield Shown(case, metric, recovery(case, key), number(case, LEJEPA, metric, name, data="as given"))


def _dense_mix() -> Iterator[Shown]:
    for case in ("p01", "p06", "pg_lin_perm"):
        ours = dm.t_mex(*arrays(full(case))).value
        for name in ("alignment", "error_count_score"):
            yield Shown(case, f"ours; {name}", ours, number(case, GUARD, "T-MEX", name))


FURTHER_CHOICES = (
    Explanation(
        "MIG-sup in the order of raw information",
        "jboilard1994 takes the two factors that a latent tells most of in nats, and divides each by its own "
        "entropy afterwards. The second can then be the larger, and a latent counts below 0. "
        '`order="information"` does so too.',
        ((BOILARD, "MIG-sup"),),
        (),
        _raw_order,
    ),
    Explanation(
        "DCIMIG: a mean of ratios, or a ratio of sums",
        "jboilard1994 takes the mean over factors, ubisoft and InnVariant divide the sums, as here. "
        '`weights="equal"` has the mean.',
        ((BOILARD, "DCIMIG"),),
        (),
        _mean_of_ratios,
    ),
    Explanation(
        "MCC over matched pairs, or over all factors",
        "icebeem and identifiability-guard divide by the matched pairs. Of five factors and two latents three "
        'are then never missed. Ours counts them 0 by default; `normalisation="matched"` has theirs.',
        (("icebeem", "MCC (strong)"), (GUARD, "MCC")),
        (),
        _matched,
    ),
    Explanation(
        "MCC held out: with or without the sign",
        "icebeem takes absolute correlations of the held-out rows, so noise keeps a floor. Ours and "
        "identifiability-guard's keep the sign that was learned. These two differ by their folds, and rank each "
        "fold apart or all rows at once.",
        (("icebeem", "MCC (strong) out of sample"), (GUARD, "MCC")),
        (),
        _held_out,
    ),
    Explanation(
        "Weak MCC held out",
        "icebeem fits the canonical directions on one part of the rows and takes absolute correlations on the "
        "rest. Ours is signed, over five folds. A linear mix has 1 either way. In sample they agree to 1e-6.",
        (("icebeem", "MCC (weak, CCA)"),),
        (),
        _weak,
    ),
    Explanation(
        "A canonical pair of rounding alone",
        "A latent of this code is a sum of the others, but for rounding. icebeem has a fourth pair, made of the "
        "rounding. Ours leaves it out: three of four pairs are 1.",
        (("icebeem", "MCC (weak, CCA)"),),
        ("pg_mix_050",),
        _fourth_pair,
    ),
    Explanation(
        "InfoE with a penalty, InfoM without idle latents",
        "identifiability-guard asks for a classifier without penalty, but the argument is dropped on the way. "
        "Ours and the authors' have none. On p05 it leaves out latents that tell nothing, which count 0 here.",
        ((GUARD, "InfoMEC"),),
        (),
        _penalised,
    ),
    Explanation(
        "Linear recovery of columns as given",
        "lejepa-identifiability pools the columns by their variances, in sample: "
        '`cross_fitted=False, weights="variance"` has its R2. Its distances change with the scale of both sides, its '
        "Procrustes error with their origin too. Ours are of z-scored columns, where they agree. Shown are our "
        "defaults.",
        tuple(
            (LEJEPA, metric)
            for metric in ("bidirectional linear R2", "orthogonality error", "Procrustes and covariance")
        ),
        (),
        _pooled,
    ),
    Explanation(
        "One number from the table of T-MEX",
        "The tables agree cell by cell, but for one or two cells of chance. identifiability-guard's `alignment` gives a "
        "dense mix (p06) 1. Its `error_count_score` expects latent i at factor i, so an order is punished. "
        "Ours takes the best assignment, and counts every further dependent cell.",
        ((GUARD, "T-MEX"),),
        (),
        _dense_mix,
    ),
)
