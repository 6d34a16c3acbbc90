"""Our numbers beside those of the second nine implementations, a record at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

import disentangle_metrics as dm
from disentangle_metrics.estimators.correlation import ranks
from disentangle_metrics.estimators.matching import correlations, one_to_one
from tests.agreement.comparison import Pair, Record
from tests.agreement.edi import exclusivity_scores
from tests.agreement.reference import arrays, first_rows_train, numbers
from tests.agreement.test_posterior import posterior

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
EXACT, SINGLE = 1e-9, 1e-6
SEEDS = (0, 1, 2)


def equal_bins(record: Record) -> bool:
    return record["params"]["bins"] is not None


def boilard_mig_sup(case: str, record: Record) -> Iterator[Pair]:
    bins = record["params"]["bins"]
    score = dm.mig_sup(*arrays(case), bins=bins, order="information", active=None)
    yield Pair(score.value, record["values"]["MIG_sup"], EXACT)
    yield Pair(score.per_latent, numbers(record["values"]["per_latent_recomputed"]), EXACT)
    information = dm.mig(*arrays(case), bins=bins).details["mutual_information"]
    yield Pair(information, numbers(record["intermediates"]["mi_matrix_latents_by_factors"]), EXACT)


def boilard_dcimig(case: str, record: Record) -> Iterator[Pair]:
    score = dm.dcimig(*arrays(case), bins=record["params"]["bins"], weights="equal")
    yield Pair(score.value, record["values"]["DCIMIG_normalised"], EXACT)


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


def matched_elsewhere(case: str, train: Rows, test: Rows, *, ranked: bool, signed: bool = True) -> float:
    """Mean correlation, on `test`, of the pairs that our matching makes on `train`; ranks are of each apart."""
    sides = [np.asarray(side, dtype=float) for side in arrays(case)]
    seen, unseen = (
        correlations(*(ranks(side[rows]) if ranked else side[rows] for side in sides))
        for rows in (train, test)
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
    yield Pair(matched_elsewhere(case, *split, ranked=ranked, signed=False), record["values"]["MCC"], EXACT)


def guard_mig(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(dm.mig(*arrays(case), factor_bins=20).value, record["values"]["MIG"], EXACT)


def guard_infomec(case: str, record: Record) -> Iterator[Pair]:
    """Their two seeds beside our three; a factor of more than 20 values is cut as theirs, by its inner edges."""
    latents, factors = arrays(case)
    columns = [
        np.digitize(c, np.linspace(c.min(), c.max(), 21)[1:-1]) if len(np.unique(c)) > 20 else c
        for c in factors.T
    ]
    reports = [
        dm.infomec(latents, np.stack(columns, axis=1), protocol="hsu2023", seed=seed) for seed in SEEDS
    ]
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


def guard_rdc(case: str, record: Record) -> Iterator[Pair]:
    """Ties broken by the order of the rows, as by the peer; its smallest seed, since rounding only lifts it."""
    ordered = (rankdata(side, axis=0, method="ordinal") for side in arrays(case))
    ours = dm.mcc(*ordered, correlation="rdc", normalisation="matched").value
    theirs = min(record["values"]["mcc_matched"]["each"])
    yield Pair(ours, theirs, 0.005 if case.startswith("pg_") else 0.02)


def icebeem_weak_mcc(case: str, record: Record) -> Iterator[Pair]:
    train = first_rows_train(len(arrays(case)[0]))[0]
    metric = dm.Metric("mcc", affine=True, normalisation="matched")
    sides = (side[train] for side in arrays(case))
    report = dm.score(*sides, metrics=metric, protocol="locatello2019", anchors=False)
    yield Pair(report["mcc"].value, record["values"]["weak_in"], SINGLE)


def in_sample_r2(case: str, record: Record) -> Iterator[Pair]:
    """Columns as given are pooled by their variances, columns of deviation 1 are averaged."""
    weights = "variance" if record["params"]["data"].startswith("as given") else "equal"
    report = dm.linear_recovery(*arrays(case), cross_fitted=False, weights=weights)
    theirs = record["values"]
    yield Pair(report["r2_from_latents"].value, theirs["R2_latents_to_factors"], EXACT)
    yield Pair(report["r2_from_factors"].value, theirs["R2_factors_to_latents"], EXACT)


def cebra_r2(case: str, record: Record) -> Iterator[Pair]:
    report = dm.linear_recovery(*arrays(case), cross_fitted=False)
    yield Pair(report["r2_from_latents"].value, record["values"]["R2_latents_to_factors"], EXACT)
    yield Pair(report["r2_from_factors"].value, record["values"]["R2_factors_to_latents"], EXACT)


def guard_r2(case: str, record: Record) -> Iterator[Pair]:
    report = dm.linear_recovery(*arrays(case), cross_fitted=False)
    yield Pair(report["r2_from_latents"].value, record["values"]["R2"], EXACT)


def recovery(case: str) -> dm.Report:
    return dm.linear_recovery(*arrays(case))


def orthogonality(case: str, record: Record) -> Iterator[Pair]:
    yield Pair(recovery(case)["orthogonality"].value, record["values"]["orth_err_normalised"], EXACT)


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
