"""What is compared of the second nine implementations, whose numbers are in tests/data/reference2."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

import disentangle_metrics as dm
from disentangle_metrics.estimators import linear
from disentangle_metrics.estimators.correlation import ranks
from disentangle_metrics.estimators.matching import correlations, one_to_one
from tests.agreement.comparison import Comparison, Pair, Pairs, Record
from tests.agreement.edi import exclusivity_scores
from tests.agreement.reference import arrays, first_rows_train, numbers
from tests.agreement.test_posterior import posterior

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
EXACT, SINGLE, PENALISED = 1e-9, 1e-6, 1e-5
SEEDS = (0, 1, 2)


def raw_order(record: Record) -> Floats:
    """Boilard's MIG-sup of each latent: its own order by raw information, each over its factor's entropy."""
    return boilard(
        numbers(record["intermediates"]["mi_matrix_latents_by_factors"]),
        numbers(record["intermediates"]["factor_entropy"]),
    )


def boilard(information: Floats, entropy: Floats) -> Floats:
    """The arithmetic: the two largest raw values of a latent, divided after they were chosen. Shape (D,)."""
    order = np.argsort(-information, axis=1, kind="stable")[:, :2]
    first, second = (
        np.take_along_axis(information, order[:, [i]], 1)[:, 0] / entropy[order[:, i]] for i in (0, 1)
    )
    return np.asarray(first - second)


def same_order(record: Record) -> bool:
    """Whether raw and normalised information name the same two factors, in the same order, of every latent."""
    if record["params"]["bins"] is None:
        return False
    information = numbers(record["intermediates"]["mi_matrix_latents_by_factors"])
    shares = information / numbers(record["intermediates"]["factor_entropy"])
    raw, normalised = (np.argsort(-table, axis=1, kind="stable")[:, :2] for table in (information, shares))
    return bool((raw == normalised).all())


def equal_bins(record: Record) -> bool:
    return record["params"]["bins"] is not None


def boilard_mig_sup(case: str, record: Record) -> Iterator[Pair]:
    score = dm.mig_sup(*arrays(case), bins=record["params"]["bins"], active=None)
    yield Pair(score.value, record["values"]["MIG_sup"], EXACT)


def boilard_by_hand(case: str, record: Record) -> Iterator[Pair]:
    details = dm.mig(*arrays(case), bins=record["params"]["bins"]).details
    information = details["mutual_information"].to_numpy()
    per_latent = boilard(information, details["factor_entropy"].to_numpy())
    yield Pair(information, numbers(record["intermediates"]["mi_matrix_latents_by_factors"]), EXACT)
    yield Pair(per_latent, numbers(record["values"]["per_latent_recomputed"]), EXACT)
    yield Pair(per_latent.mean(), record["values"]["MIG_sup"], EXACT)


def boilard_dcimig(case: str, record: Record) -> Iterator[Pair]:
    score = dm.dcimig(*arrays(case), bins=record["params"]["bins"])
    yield Pair(score.per_factor.mean(), record["values"]["DCIMIG_normalised"], EXACT)


def boilard_jemmig(case: str, record: Record) -> Iterator[Pair]:
    score = dm.jemmig(*arrays(case), bins=record["params"]["bins"])
    yield Pair(score.value, record["values"]["JEMMIG_normalised"], EXACT)


def variant_settings(record: Record) -> dict[str, Any]:
    return {"bins": 30, "factor_bins": None if record["params"]["discrete_factors"] else 30}


def variant_mig(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(dm.mig(*arrays(case), **variant_settings(record)).value, record["values"]["MIG"], EXACT)


def variant_mig_sup(case: str, record: Record) -> Iterator[Pair]:
    score = dm.mig_sup(*arrays(case), normaliser="latent", active=None, **variant_settings(record))
    yield Pair(score.value, record["values"]["MIG_sup"], EXACT)
    if "per_latent_recomputed" in record["values"]:
        yield Pair(score.per_latent, numbers(record["values"]["per_latent_recomputed"]), EXACT)


def variant_dcimig(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(dm.dcimig(*arrays(case), **variant_settings(record)).value, record["values"]["DCIMIG"], EXACT)


def variant_modularity(case: str, record: Record) -> Iterator[Pair]:
    score = dm.modularity(*arrays(case), active=None, **variant_settings(record))
    yield Pair(score.value, record["values"]["modularity"], EXACT)


def variant_modularity_by_neighbours(case: str, record: Record) -> Iterator[Pair]:
    """Noise latents have estimates around 0, and ties are told apart by jitter: three seeds of ours."""
    metric = dm.Metric("modularity", estimator="nearest_neighbours", active=None)
    ours = [
        dm.score(*arrays(case), metrics=metric, factor_types="continuous", seed=seed, anchors=False)
        for seed in SEEDS
    ]
    each = [report["modularity"].value for report in ours]
    theirs = record["values"]["modularity"]
    allowed = max(2e-3, 5 * float(np.hypot(np.std(each, ddof=1), numbers(theirs["std"]))))
    yield Pair(np.mean(each), theirs["mean"], allowed)


def variant_sap(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(dm.sap(*arrays(case), kind="regression").value, record["values"]["SAP"], EXACT)


def variant_edi(case: str, record: Record) -> Iterator[Pair]:
    information = dm.mig(*arrays(case), **variant_settings(record)).details["mutual_information"].to_numpy()
    modularity, compactness = exclusivity_scores(information, information.max(axis=0))
    yield Pair(modularity, record["values"]["D"], EXACT)
    yield Pair(compactness, record["values"]["C"], EXACT)


def guard_mcc(case: str, record: Record) -> Iterator[Pair]:
    for normalisation, name in (("matched", "mcc_matched"), ("factors", "mcc_coverage")):
        score = dm.mcc(*arrays(case), correlation=record["params"]["method"], normalisation=normalisation)
        yield Pair(score.value, record["values"][name], EXACT)


def matched_elsewhere(
    case: str, train: Rows, test: Rows, *, ranked: bool, signed: bool = True
) -> float:
    """Mean correlation, on `test`, of the pairs that our matching makes on `train`; ranks are of each apart."""
    sides = [np.asarray(side, dtype=float) for side in arrays(case)]
    seen, unseen = (
        correlations(*(ranks(side[rows]) if ranked else side[rows] for side in sides)) for rows in (train, test)
    )
    pairs = ~np.isnan(one_to_one(np.abs(seen)))
    each = np.sign(seen) * unseen if signed else np.abs(unseen)
    return float(each[pairs].mean())


def guard_mcc_held_out(case: str, record: Record) -> Iterator[Pair]:
    """Our matching in the peer's own folds."""
    order = np.random.default_rng(0).permutation(len(arrays(case)[0]))
    folds = np.array_split(order, 5)
    ranked = record["params"]["method"] == "spearman"
    each = [matched_elsewhere(case, np.setdiff1d(order, fold), fold, ranked=ranked) for fold in folds]
    ours = np.average(each, weights=[len(fold) for fold in folds])
    yield Pair(ours, record["values"]["raw_score"], EXACT)


def guard_mcc_of_one_split(case: str, record: Record) -> Iterator[Pair]:
    split = first_rows_train(len(arrays(case)[0]))
    ours = matched_elsewhere(case, *split, ranked=record["params"]["method"] == "spearman")
    yield Pair(ours, record["values"]["mcc_matched_signed"], EXACT)


def icebeem_mcc_of_one_split(case: str, record: Record) -> Iterator[Pair]:
    split = first_rows_train(len(arrays(case)[0]))
    ranked = record["params"]["method"] == "spearman"
    yield Pair(
        matched_elsewhere(case, *split, ranked=ranked, signed=False), record["values"]["MCC"], EXACT
    )


def guard_mig(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(dm.mig(*arrays(case), factor_bins=20).value, record["values"]["MIG"], EXACT)


def guard_infomec(case: str, record: Record) -> Iterator[Pair]:
    """Their two seeds beside our three; both cut information at the entropy."""
    reports = [dm.infomec(*arrays(case), protocol="hsu2023", seed=seed) for seed in SEEDS]
    for key, name in (("info_modularity", "InfoM"), ("info_compactness", "InfoC")):
        each = [report[key].value for report in reports]
        theirs = record["values"][name]
        spread = np.hypot(np.std(each, ddof=1), np.nan_to_num(numbers(theirs["std"])))
        yield Pair(np.mean(each), numbers(theirs["mean"]), max(2e-3, 5 * float(spread)))


def guard_t_mex(case: str, record: Record) -> Iterator[Pair]:
    """The number of dependent cells, means over seeds; some records have one seed, ours always three."""
    cells = [dm.t_mex(*arrays(case), seed=seed).details["dependent"].to_numpy().sum() for seed in SEEDS]
    yield Pair(np.mean(cells), record["values"]["rejections"]["mean"], 1.0)


def icebeem_mcc(case: str, record: Record) -> Iterator[Pair]:
    score = dm.mcc(*arrays(case), correlation=record["params"]["method"], normalisation="matched")
    yield Pair(score.value, record["values"]["MCC"], EXACT)


@functools.cache
def standardised(case: str) -> tuple[Floats, Floats]:
    latents, factors = arrays(case)
    return linear.standardised(latents), linear.standardised(np.asarray(factors, dtype=float))


def unexplained(columns: Floats, targets: Floats) -> Floats:
    """Share of the variance of each target that a ridge fit on the same rows leaves."""
    weights, intercepts = linear.ridge(columns, targets)
    return np.asarray(np.square(targets - columns @ weights - intercepts).mean(axis=0))


def in_sample_r2(case: str, record: Record) -> Iterator[Pair]:
    """Columns as given are pooled by their variances, columns of deviation 1 are averaged."""
    latents, factors = standardised(case)
    given = [np.asarray(side, dtype=float).var(axis=0) for side in arrays(case)]
    if not record["params"]["data"].startswith("as given"):
        given = [side.var(axis=0) for side in (latents, factors)]
    back, forth = unexplained(latents, factors), unexplained(factors, latents)
    theirs = record["values"]
    yield Pair(1 - np.average(back, weights=given[1]), theirs["R2_latents_to_factors"], PENALISED)
    yield Pair(1 - np.average(forth, weights=given[0]), theirs["R2_factors_to_latents"], PENALISED)


def guard_r2(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(1 - unexplained(*standardised(case)).mean(), record["values"]["R2"], PENALISED)


def recovery(case: str) -> dm.Report:
    return dm.linear_recovery(*arrays(case))


def held_out_r2(case: str, record: Record) -> Iterator[Pair]:
    report, theirs = recovery(case), record["values"]
    yield Pair(report["r2_from_latents"].value, theirs["R2_latents_to_factors"], 0.01)
    yield Pair(report["r2_from_factors"].value, theirs["R2_factors_to_latents"], 0.01)


def orthogonality(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(recovery(case)["orthogonality"].value, record["values"]["orth_err_normalised"], PENALISED)


def procrustes(case: str, record: Record) -> Iterator[Pair]:
    """Both from the sum s of singular values: theirs is 2 K - 2 s, ours 1 - (s / K)^2."""
    factors = arrays(case)[1].shape[1]
    ours = 2 * factors * (1 - np.sqrt(1 - recovery(case)["procrustes"].value))
    yield Pair(ours, record["values"]["procrustes_mse"], EXACT)


def binary(case: str, columns: int) -> npt.NDArray[np.int64]:
    """The peer's binary columns: each factor at or above its median, or an indicator of each value."""
    factors = posterior(case)[1]
    if columns == factors.shape[1]:
        return np.asarray(factors >= np.median(factors, axis=0), dtype=np.int64)
    return np.concatenate([(c[:, None] == np.unique(c)).astype(np.int64) for c in factors.T], axis=1)


def spread_posterior(case: str, record: Record) -> tuple[Floats, Floats]:
    """Our mutual information (D, columns) of the posterior in 100 bins, and the columns' entropies."""
    details = dm.rmig(posterior(case)[0], binary(case, record["params"]["columns"])).details
    return details["mutual_information"].to_numpy(), details["factor_entropy"].to_numpy()


def vaetc_rmig(case: str, record: Record) -> Iterator[Pair]:
    score = dm.rmig(posterior(case)[0], binary(case, record["params"]["columns"]))
    ours = score.per_factor * score.details["factor_entropy"]
    yield Pair(ours, numbers(record["values"]["RMIG_per_column"]), SINGLE)


def vaetc_mig_sup(case: str, record: Record) -> Iterator[Pair]:
    """Their table is ours; their score is the gap of that table plus each column's entropy."""
    information, entropy = spread_posterior(case, record)
    yield Pair(information, numbers(record["intermediates"]["conditional_mi_latents_by_columns"]), SINGLE)
    ordered = np.sort(information + entropy, axis=1)
    ours = ordered[:, -1] - ordered[:, -2]
    yield Pair(ours, numbers(record["values"]["MIG_sup_per_latent"]), SINGLE)


def hierarchical_mig(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(dm.mig(*arrays(case), factor_bins=20).value, record["values"]["MIG"], EXACT)


def hierarchical_sap(case: str, record: Record) -> Iterator[Pair]:
    """Factors of at most ten distinct integers are classes, others measurements; in sample."""
    latents, factors = arrays(case)
    integers = [len(np.unique(c)) <= 10 and bool((c == np.round(c)).all()) for c in factors.T]
    types = ["categorical" if integer else "continuous" for integer in integers]
    metric = dm.Metric("sap", split=None, max_rows=None)
    report = dm.score(latents, factors, metrics=metric, factor_types=types, anchors=False)
    yield Pair(report["sap"].value, record["values"]["SAP"], EXACT)


def _row(
    peer: str, metric: str, what: str, call: str, pairs: Pairs, tolerance: str = "1e-9", **more: Any
) -> Comparison:
    call = call if call.startswith("our ") else f"`{call}`"
    return Comparison(peer, metric, what, call, tolerance, pairs, **more)


def _is(**wanted: Any) -> Any:
    return lambda record: all(record["params"].get(name) == value for name, value in wanted.items())


def _as_given(record: Record) -> bool:
    return bool(record["params"]["data"].startswith("as given"))


def _scaled(record: Record) -> bool:
    return not _as_given(record)


def _large(rows: int) -> bool:
    return rows > 2_500


def _variant(metric: str, what: str, call: str, pairs: Pairs, **more: Any) -> Iterator[Comparison]:
    for discrete in (True, False):
        merged = "" if discrete else ", factor_bins=30"
        more["where"] = _is(discrete_factors=discrete, estimator="bins")
        more["parameters"] = "factors as given" if discrete else "factors in 30 bins"
        yield _row(VARIANT, metric, what, call.format(f"bins=30{merged}"), pairs, **more)


BOILARD, VARIANT, GUARD = "jboilard1994", "InnVariant", "identifiability-guard"
VAETC, HIERARCHY, LEJEPA = "vaetc", "hierarchical-disentanglement", "lejepa-identifiability"
RIDGE = "1e-5, for our penalty of 1e-6 a row"
CONSTANT = ("p09",)
BY_EDGE = ("pg_hier_nested",)

WITNESSES = (
    _row(
        BOILARD,
        "MIG-sup",
        "per latent, score, table of I",
        "our table of I and H, in its order: by raw I, each divided by its own H(v)",
        boilard_by_hand,
        where=equal_bins,
        parameters="10 and 20 bins",
    ),
    _row(
        BOILARD,
        "MIG-sup",
        "score",
        "dm.mig_sup(z, v, bins=..., active=None)",
        boilard_mig_sup,
        where=same_order,
        parameters="where raw and divided information have one order",
    ),
    _row(
        BOILARD,
        "DCIMIG",
        "normalised score",
        "dm.dcimig(z, v, bins=...).per_factor.mean()",
        boilard_dcimig,
        where=equal_bins,
        parameters="10 and 20 bins",
    ),
    _row(
        BOILARD,
        "JEMMIG",
        "normalised score",
        "dm.jemmig(z, v, bins=...)",
        boilard_jemmig,
        where=equal_bins,
        parameters="10 and 20 bins",
    ),
    *_variant("MIG", "score", "dm.mig(z, v, {})", variant_mig),
    *_variant(
        "MIG-sup",
        "score, per latent",
        'dm.mig_sup(z, v, {}, normaliser="latent", active=None)',
        variant_mig_sup,
    ),
    *_variant("DCIMIG", "score", "dm.dcimig(z, v, {})", variant_dcimig),
    *_variant("modularity", "score", "dm.modularity(z, v, {}, active=None)", variant_modularity),
    _row(
        VARIANT,
        "modularity",
        "score, mean of seeds 0 to 2",
        'dm.score(z, v, metrics=dm.Metric("modularity", estimator="nearest_neighbours", active=None), '
        'factor_types="continuous")',
        variant_modularity_by_neighbours,
        "2e-3, or 5 standard deviations of their seeds and ours",
        where=_is(estimator="ksg"),
        parameters="nearest neighbours",
        slow=_large,
    ),
    _row(
        VARIANT,
        "MIG-sup (ksg file)",
        "score",
        'dm.mig_sup(z, v, bins=30, factor_bins=30, normaliser="latent", active=None)',
        variant_mig_sup,
    ),
    _row(VARIANT, "SAP", "score", 'dm.sap(z, v, kind="regression")', variant_sap),
    _row(
        VARIANT,
        "EDI without neural network (D, C)",
        "D, C",
        "our table of I and the formula of EDI (tests/agreement/edi.py)",
        variant_edi,
    ),
    *(
        _row(
            GUARD,
            "MCC",
            "of matched pairs, of all factors",
            f'dm.mcc(z, v, correlation="{method}", normalisation="matched" or "factors")',
            guard_mcc,
            where=_is(method=method, crossfit=False),
            parameters=f"{method}, in sample",
        )
        for method in ("pearson", "spearman")
    ),
    _row(
        GUARD,
        "MCC",
        "of matched pairs, before it is cut at 0",
        "our matching, with its folds and ranks of each fold",
        guard_mcc_held_out,
        where=lambda record: record["params"]["crossfit"] and record["params"]["method"] != "rdc",
        parameters="cross-fitted",
    ),
    _row(
        GUARD,
        "MCC train/test",
        "score",
        "our matching on the train rows, signed correlation on the test rows",
        guard_mcc_of_one_split,
        where=lambda record: record["params"]["method"] != "rdc",
    ),
    _row(
        GUARD,
        "R2 of centred data",
        "score",
        "our maps of dm.linear_recovery, measured in sample",
        guard_r2,
        RIDGE,
    ),
    _row(
        GUARD, "MIG", "score", "dm.mig(z, v, bins=20, factor_bins=20)", guard_mig, explained=("pg_lin_warp",)
    ),
    _row(
        GUARD,
        "InfoMEC",
        "InfoM, InfoC, means of seeds 0 to 2",
        'dm.infomec(z, v, protocol="hsu2023")',
        guard_infomec,
        "5 standard deviations of their seeds and ours, or 2e-3",
        slow=_large,
        explained=("p05",),
    ),
    _row(
        GUARD,
        "T-MEX",
        "number of dependent cells, mean of seeds 0 to 2",
        'dm.t_mex(z, v).details["dependent"]',
        guard_t_mex,
        "one cell",
        slow=lambda rows: rows > 5_000,
    ),
    *(
        _row(
            "icebeem",
            "MCC (strong)",
            "score",
            f'dm.mcc(z, v, correlation="{method}", normalisation="matched")',
            icebeem_mcc,
            where=_is(method=method),
            parameters=method,
            explained=CONSTANT,
        )
        for method in ("pearson", "spearman")
    ),
    _row(
        "icebeem",
        "MCC (strong) out of sample",
        "score",
        "our matching on the train rows, absolute correlation on the test rows",
        icebeem_mcc_of_one_split,
        explained=CONSTANT,
    ),
    _row(
        LEJEPA,
        "bidirectional linear R2",
        "both ways",
        "our maps of dm.linear_recovery, measured in sample and pooled by variance",
        in_sample_r2,
        RIDGE,
        where=_as_given,
        parameters="as given",
        explained=("p08", "p09", "pg_mix_050"),
    ),
    _row(
        LEJEPA,
        "bidirectional linear R2",
        "both ways",
        "our maps of dm.linear_recovery, measured in sample",
        in_sample_r2,
        RIDGE,
        where=_scaled,
        parameters="z-scored",
        explained=("p08", "p09", "pg_mix_050"),
    ),
    _row(
        LEJEPA,
        "bidirectional linear R2",
        "both ways",
        "dm.linear_recovery(z, v)",
        held_out_r2,
        "0.01: theirs is in sample, ours held out",
        where=_scaled,
        parameters="z-scored, ours held out",
        explained=CONSTANT,
    ),
    _row(
        LEJEPA,
        "orthogonality error",
        "over the root of K",
        'dm.linear_recovery(z, v)["orthogonality"]',
        orthogonality,
        RIDGE,
        where=_scaled,
        parameters="z-scored",
    ),
    _row(
        LEJEPA,
        "Procrustes and covariance",
        "Procrustes error",
        'our dm.linear_recovery(z, v)["procrustes"] p, as 2 K (1 - sqrt(1 - p))',
        procrustes,
        where=_scaled,
        parameters="z-scored",
    ),
    _row(
        VAETC,
        "RMIG, JEMMIG",
        "RMIG of each column, in nats",
        'our dm.rmig(posterior, binary columns): `per_factor` times `details["factor_entropy"]`',
        vaetc_rmig,
        "1e-6: theirs is in single precision",
    ),
    _row(
        VAETC,
        "MIG-sup",
        "table of I, per latent",
        "our table of dm.rmig(posterior, binary columns); its score is the gap of I + H(column)",
        vaetc_mig_sup,
        "1e-6: theirs is in single precision",
    ),
    _row(
        HIERARCHY,
        "MIG",
        "score",
        "dm.mig(z, v, bins=20, factor_bins=20)",
        hierarchical_mig,
        explained=BY_EDGE,
    ),
    _row(
        HIERARCHY,
        "SAP",
        "score",
        'dm.score(z, v, metrics=dm.Metric("sap", split=None, max_rows=None), factor_types=...)',
        hierarchical_sap,
    ),
)
