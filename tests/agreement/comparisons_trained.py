"""What is compared of the scores that train a predictor."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import numpy as np

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.metrics.infomec import devotion
from disentangle_metrics.relations.relations import Relations
from tests.agreement.comparison import Comparison, Pair, Pairs, Record
from tests.agreement.reference import arrays, first_rows_train, numbers
from tests.agreement.test_review import DECISIONS

REVIEW: dict[str, Any] = {"protocol": "carbonneau2022"}
SEEDS = range(3)


def study_explicitness(case: str, record: Record) -> Iterator[Pair]:
    """Only over all rows are values kept off the edges of bins: not so over the train rows of p10 and p16."""
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    area = dm.explicitness(latents, factors, split=split, protocol="locatello2019").value
    modularity = dm.modularity(latents[split[0]], factors[split[0]], active=None).value
    yield Pair(area, record["values"]["explicitness_score_test"], 1e-3)
    if not case.startswith(("p10", "p16")):
        yield Pair(modularity, record["values"]["modularity_score"], 1e-9)


def review_explicitness(case: str, record: Record) -> Iterator[Pair]:
    score = dm.explicitness(*arrays(case), decision=DECISIONS[record["params"]["impl"]], **REVIEW)
    yield Pair(score.value, record["values"]["explicitness_scaled"], 1e-3)


def rmig_explicitness(case: str, record: Record) -> Iterator[Pair]:
    score = unpenalised(case)
    yield Pair(score.value, record["values"]["explicitness"], 1e-3)
    yield Pair(score.per_factor, numbers(record["values"]["per_factor"]), 1e-3)


@functools.cache
def unpenalised(case: str) -> dm.Score:
    """As the authors of RMIG train: one-vs-rest, in sample, latents as they are."""
    return dm.explicitness(
        *arrays(case),
        decision="one_vs_rest",
        scaling="none",
        C=1e10,
        rescale=False,
        split=None,
        max_rows=None,
    )


def study_svm(case: str, record: Record) -> Iterator[Pair]:
    """The solver is iterative: an entry may differ by two test rows."""
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    score = dm.sap(latents, factors, kind="classification", split=split)
    rows = 2 / len(split[1]) + 1e-9
    table = numbers(record["intermediates"]["score_matrix_latents_by_factors"])
    yield Pair(score.details["predictability"], table, rows)
    yield Pair(score.value, record["values"]["SAP"]["mean"], rows)


def study_boosting(case: str, record: Record) -> Iterator[Pair]:
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    report = dm.dci(latents, factors, probe="gradient_boosting", split=split)
    for key, name in (
        ("dci_disentanglement", "disentanglement"),
        ("dci_completeness", "completeness"),
        ("dci_informativeness", "informativeness_test"),
    ):
        theirs = record["values"][name]
        yield Pair(report[key].value, theirs["mean"], max(0.01, 3 * theirs["std"]))


def review_lasso(case: str, record: Record) -> Iterator[Pair]:
    report = dm.dci(*arrays(case), **REVIEW)
    table = numbers(record["intermediates"]["importance_matrix_factors_by_latents"]).T
    yield Pair(report["dci_completeness"].details["importances"], table, 1e-6)
    for key, score in report.items():
        name = key.removeprefix("dci_")
        if not (case.startswith("p09") and name == "disentanglement"):
            yield Pair(score.value, record["values"][name], 1e-6)


def review_forest(case: str, record: Record) -> Iterator[Pair]:
    for key, score in dm.dci(*arrays(case), probe="review_forest", **REVIEW).items():
        theirs = record["values"][key.removeprefix("dci_")]
        yield Pair(score.value, theirs["mean"], max(3 * theirs["std"], 1e-6))


def rmig_lasso(case: str, record: Record) -> Iterator[Pair]:
    report = dm.dci(*arrays(case), probe="lasso", alpha=0.02, split=None, max_rows=None, importances="raw")
    yield from _lasso(case, report, record)


def authors_lasso(case: str, record: Record) -> Iterator[Pair]:
    latents, factors = arrays(case)
    count = len(latents)
    split = np.arange(int(0.8 * count)), np.arange(int(0.9 * count), count)
    yield from _lasso(
        case, dm.dci(latents, factors, probe="lasso", alpha=0.02, split=split, importances="raw"), record
    )


def _lasso(case: str, report: dm.Report, record: Record) -> Iterator[Pair]:
    """Their completeness of a factor without any weight (p15) is explained on the page."""
    table = numbers(record["intermediates"]["importance_matrix_latents_by_factors"])
    yield Pair(report["dci_completeness"].details["importances"], table, 1e-6)
    yield Pair(report["dci_disentanglement"].value, numbers(record["values"]["disentanglement"]), 1e-6)
    if not case.startswith("p15"):
        yield Pair(report["dci_completeness"].value, record["values"]["completeness"], 1e-6)


def infomec(case: str, record: Record) -> Iterator[Pair]:
    """Neighbours at equal distance are told apart by jitter: means over three seeds of ours."""
    theirs = record["values"]
    reports = [dm.infomec(*arrays(case), protocol="hsu2023", seed=seed) for seed in SEEDS]
    for key, name in (("info_modularity", "infom"), ("info_compactness", "infoc")):
        ours = float(np.mean([report[key].value for report in reports]))
        spread = np.nan_to_num(numbers(theirs[name]["std"]))
        yield Pair(ours, numbers(theirs[name]["mean"]), np.maximum(5 * spread, 2e-3))
    yield Pair(reports[0]["info_explicitness"].value, theirs["infoe"]["mean"], 1e-3)


def infomec_of_codes(case: str, record: Record) -> Iterator[Pair]:
    information = Relations(check(*arrays(case))).mutual_information(bins=8)
    table = information.mutual_information / information.factor_entropy
    theirs = record["values"]
    yield Pair(table.T, numbers(theirs["nmi_factors_by_latents"]), 1e-9)
    yield Pair(np.mean(devotion(table)), theirs["infom"], 1e-9)
    yield Pair(np.mean(devotion(table.T)), theirs["infoc"], 1e-9)


def _row(
    peer: str, metric: str, what: str, call: str, tolerance: str, pairs: Pairs, **more: Any
) -> Comparison:
    return Comparison(peer, metric, what, f"`{call}`", tolerance, pairs, **more)


STUDY, RMIG = "disentanglement_lib", "clarken92"
DEVIATIONS = "3 standard deviations of the recorded seeds"
DCI = "D, C, importances"
SVM, LASSO, FOREST = "linear support vectors", "cross-validated Lasso", "random forests"

TRAINED = (
    _row(
        STUDY,
        "modularity_explicitness",
        "area on the test rows; modularity of the train rows",
        'dm.explicitness(z, v, protocol="locatello2019", split=...)',
        "1e-3; 1e-9",
        study_explicitness,
        slow=lambda rows: rows > 20_000,
    ),
    _row(
        "ubisoft",
        "explicitness",
        "score of both of its classifiers",
        'dm.explicitness(z, v, protocol="carbonneau2022", decision=...)',
        "1e-3",
        review_explicitness,
        slow=lambda rows: rows > 5_000,
    ),
    _row(
        RMIG,
        "explicitness",
        "score, per factor",
        'dm.explicitness(z, v, decision="one_vs_rest", scaling="none", C=1e10, split=None, rescale=False)',
        "1e-3",
        rmig_explicitness,
        slow=lambda rows: rows > 5_000,
        explained=("p14",),
    ),
    _row(
        STUDY,
        "SAP",
        "score, table of accuracies",
        'dm.sap(z, v, kind="classification", split=...)',
        "2 test rows",
        study_svm,
        where=lambda record: not record["params"]["continuous_factors"],
        parameters=SVM,
        slow=lambda rows: rows > 20_000,
    ),
    _row(
        STUDY,
        "DCI",
        "D, C, accuracy on the test rows",
        'dm.dci(z, v, probe="gradient_boosting", split=...)',
        "0.01, or " + DEVIATIONS,
        study_boosting,
        slow=lambda rows: rows > 2_000,
    ),
    _row(
        "ubisoft",
        "DCI",
        DCI + ", informativeness",
        'dm.dci(z, v, protocol="carbonneau2022")',
        "1e-6",
        review_lasso,
        where=lambda record: record["params"]["model"] == "lasso",
        parameters=LASSO,
        slow=lambda rows: rows > 20_000,
    ),
    _row(
        "ubisoft",
        "DCI",
        "D, C, informativeness",
        'dm.dci(z, v, protocol="carbonneau2022", probe="review_forest")',
        DEVIATIONS,
        review_forest,
        where=lambda record: record["params"]["model"] == "random_forest",
        parameters=FOREST,
        slow=lambda rows: True,
    ),
    _row(
        RMIG,
        "DCI",
        DCI,
        'dm.dci(z, v, probe="lasso", alpha=0.02, split=None, importances="raw")',
        "1e-6",
        rmig_lasso,
    ),
    _row(
        "qedr",
        "DCI",
        DCI,
        'dm.dci(z, v, probe="lasso", alpha=0.02, split=..., importances="raw")',
        "1e-6",
        authors_lasso,
    ),
    _row(
        "latent_quantization",
        "InfoMEC",
        "InfoM, InfoC; InfoE",
        'dm.infomec(z, v, protocol="hsu2023")',
        "5 standard deviations or 2e-3; 1e-3",
        infomec,
        slow=lambda rows: rows > 5_000,
    ),
    _row(
        "latent_quantization",
        "InfoMEC (discrete latents)",
        "InfoM, InfoC, normalised information",
        "its arithmetic on our table with 8 bins",
        "1e-9",
        infomec_of_codes,
    ),
)
