"""What is compared of the scores made of counts, correlations and interventions: exact up to rounding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.relations.relations import Relations
from tests.agreement.comparison import Comparison, Pair, Pairs, Record
from tests.agreement.reference import arrays, first_rows_train, numbers
from tests.agreement.test_review import NAMES, ON_AN_EDGE, VALUES, binned_as_theirs

EXACT = 1e-9
CONSTANT = ("p09",)  # latents 0 and 3 are constant
LABELS = ("p12",)  # a label is -1


def study_mig(case: str, record: Record) -> Iterator[Pair]:
    score = dm.mig(*arrays(case), bins=record["params"]["bins"])
    inner = record["intermediates"]
    yield Pair(score.value, record["values"]["MIG"], EXACT)
    yield Pair(score.per_factor, numbers(record["values"]["per_factor"]), EXACT)
    information = numbers(inner["mi_matrix_latents_by_factors"])
    yield Pair(score.details["mutual_information"], information, EXACT)
    yield Pair(score.details["factor_entropy"], numbers(inner["factor_entropy"]), EXACT)


def derived_mig_sup(case: str, record: Record) -> Iterator[Pair]:
    bins = record["params"]["bins"]
    everything = dm.mig_sup(*arrays(case), bins=bins, active=None)
    yield Pair(everything.value, record["values"]["MIG_sup_all_latents"], EXACT)
    yield Pair(everything.per_latent, numbers(record["values"]["per_latent"]), EXACT)
    active = dm.mig_sup(*arrays(case), bins=bins, active=0.01).value
    yield Pair(active, record["values"]["MIG_sup_active_latents"], EXACT)


def study_modularity(case: str, record: Record) -> Iterator[Pair]:
    score = dm.modularity(*arrays(case), bins=record["params"]["bins"], active=None)
    yield Pair(score.value, record["values"]["modularity"], EXACT)


def clarken_modularity(case: str, record: Record) -> Iterator[Pair]:
    score = dm.modularity(*arrays(case), bins=record["params"]["bins"], active=None)
    yield Pair(score.value, record["values"]["modularity"], 1e-6)
    yield Pair(score.per_latent, numbers(record["values"]["per_latent"]), 1e-6)


def clarken_mig(case: str, record: Record) -> Iterator[Pair]:
    score = dm.mig(*arrays(case), bins=record["params"]["bins"])
    yield Pair(score.value, record["values"]["MIG"], 1e-6)
    yield Pair(score.per_factor, numbers(record["values"]["per_factor"]), 1e-6)


def disent_mig(case: str, record: Record) -> Iterator[Pair]:
    score = dm.mig(*arrays(case), bins=record["params"]["bins"])
    yield Pair(score.value, record["values"]["mig.discrete_score"], EXACT)


def review_scores(case: str, record: Record) -> Iterator[Pair]:
    settings: dict[str, Any] = {"protocol": "carbonneau2022"}
    latents, factors = arrays(case)
    if not record["params"]["continuous_factors"]:
        settings |= {"bins": record["params"]["nb_bins"], "factor_bins": None}
    elif case in ON_AN_EDGE:
        factors = binned_as_theirs(factors)
    metric = record["metric"]
    theirs = numbers(record["values"][VALUES[metric]])
    yield Pair(NAMES[metric](latents, factors, **settings).value, theirs, EXACT)


def review_information(case: str, record: Record) -> Iterator[Pair]:
    """Their table is our mutual information over H(z); NaN for constant latents in theirs."""
    information = Relations(check(*arrays(case))).mutual_information(bins=record["params"]["nb_bins"])
    with np.errstate(invalid="ignore"):
        ours = (information.mutual_information / information.latent_entropy[:, None]).T
    theirs = numbers(record["intermediates"]["normalised_mi_matrix_factors_by_latents"])
    yield Pair(ours, theirs, EXACT)


def irs(case: str, record: Record) -> Iterator[Pair]:
    """The peers leave constant latents out of their vectors."""
    score = dm.irs(*arrays(case), quantile=record["params"]["diff_quantile"])
    theirs = numbers(record["values"]["per_latent"])
    yield Pair(score.value, record["values"]["IRS"], EXACT)
    yield Pair(score.per_latent.dropna(), theirs[~np.isnan(theirs)], EXACT)


def study_irs_of_binned_factors(case: str, record: Record) -> Iterator[Pair]:
    score = dm.irs(*arrays(case), quantile=record["params"]["diff_quantile"], factor_bins=20)
    yield Pair(score.value, record["values"]["IRS"], EXACT)


def review_irs_of_merged_factors(case: str, record: Record) -> Iterator[Pair]:
    latents, factors = arrays(case)
    if case in ON_AN_EDGE:
        factors = binned_as_theirs(factors)
    score = dm.irs(latents, factors, protocol="carbonneau2022")
    yield Pair(score.value, record["values"]["IRS"], EXACT)


def study_sap(case: str, record: Record) -> Iterator[Pair]:
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    score = dm.sap(latents, factors, kind="regression", fit_rows="train", split=split)
    table = numbers(record["intermediates"]["score_matrix_latents_by_factors"])
    yield Pair(score.value, record["values"]["SAP"], EXACT)
    yield Pair(score.details["predictability"], table, EXACT)


def disent_sap(case: str, record: Record) -> Iterator[Pair]:
    latents, factors = arrays(case)
    split = first_rows_train(len(latents))
    score = dm.sap(latents, factors, kind="regression", fit_rows="train", split=split)
    yield Pair(score.value, record["values"]["sap.score"], EXACT)


def review_sap(case: str, record: Record) -> Iterator[Pair]:
    score = dm.sap(*arrays(case), kind="regression")
    yield Pair(score.value, record["values"]["SAP"], EXACT)
    yield Pair(score.per_factor, numbers(record["values"]["per_factor"]), EXACT)


def study_independence(case: str, record: Record) -> Iterator[Pair]:
    """Where a latent copies another (p08) theirs is the root of a singular matrix: eight digits."""
    latents, theirs = arrays(case)[0], record["values"]
    allowed = 1e-7 if case.startswith("p08") else EXACT
    plain, share = (complex(theirs[f"gaussian_wasserstein_correlation{end}"]).real for end in ("", "_norm"))
    yield Pair(dm.wasserstein_correlation(latents).value, plain, allowed)
    yield Pair(dm.wasserstein_correlation(latents, normalised=True).value, share, allowed)
    yield Pair(dm.mean_pairwise_mi(latents).value, theirs["mutual_info_score"], EXACT)


def study_total_correlation(case: str, record: Record) -> Iterator[Pair]:
    theirs = float(record["values"]["gaussian_total_correlation"])
    yield Pair(dm.total_correlation(arrays(case)[0]).value, theirs, EXACT)


def _as_given(record: Record) -> bool:
    return not record["params"]["continuous_factors"]


def _merged(record: Record) -> bool:
    return bool(record["params"]["continuous_factors"])


def _review(metric: str, *, merged: bool) -> Comparison:
    undefined = CONSTANT if metric in ("MIG", "MIG-sup", "modularity") else ()
    function = NAMES[metric].__name__
    return Comparison(
        "ubisoft",
        metric,
        "score",
        f'`dm.{function}(z, v, protocol="carbonneau2022"'
        + (")`" if merged else ", bins=..., factor_bins=None)`"),
        "1e-9",
        review_scores,
        where=_merged if merged else _as_given,
        parameters="factors merged to 10 bins" if merged else "factors as given, 10 and 20 bins",
        explained=undefined if merged else undefined + LABELS,
    )


def _row(peer: str, metric: str, what: str, call: str, pairs: Pairs, **options: Any) -> Comparison:
    return Comparison(peer, metric, what, f"`{call}`", options.pop("tolerance", "1e-9"), pairs, **options)


STUDY, REVIEW, RMIG = "disentanglement_lib", "ubisoft", "clarken92"
SINGLE = "1e-6: theirs is in single precision"

HISTOGRAM = (
    _row(STUDY, "MIG", "score, per factor, tables of I and H", "dm.mig(z, v, bins=...)", study_mig),
    _row("disent", "MIG", "score", "dm.mig(z, v, bins=20)", disent_mig),
    _row(RMIG, "MIG", "score, per factor", "dm.mig(z, v, bins=20)", clarken_mig, tolerance=SINGLE),
    *(
        _review(metric, merged=merged)
        for metric in ("MIG", "MIG-sup", "modularity", "JEMMIG", "DCIMIG")
        for merged in (False, True)
    ),
    _row(
        REVIEW,
        "MIG",
        "table of I/H(z)",
        "the same table from ours",
        review_information,
        where=_as_given,
        parameters="its table, factors as given",
        explained=LABELS,
    ),
    _row(
        "derived",
        "MIG-sup",
        "score of all and of active latents, per latent",
        "dm.mig_sup(z, v, bins=..., active=None or 0.01)",
        derived_mig_sup,
    ),
    _row(STUDY, "modularity", "score", "dm.modularity(z, v, bins=..., active=None)", study_modularity),
    _row(
        RMIG,
        "modularity",
        "score, per latent",
        "dm.modularity(z, v, active=None)",
        clarken_modularity,
        tolerance=SINGLE,
        explained=CONSTANT,
    ),
    _row(
        STUDY,
        "IRS",
        "score, per latent",
        "dm.irs(z, v, quantile=...)",
        irs,
        where=lambda record: record["params"]["factors"] == "as given",
        parameters="factors as given",
    ),
    _row(
        STUDY,
        "IRS",
        "score",
        "dm.irs(z, v, quantile=0.99, factor_bins=20)",
        study_irs_of_binned_factors,
        where=lambda record: record["params"]["factors"] != "as given",
        parameters="its wrapper, factors in 20 bins",
    ),
    _row(
        REVIEW,
        "IRS",
        "score, per latent",
        "dm.irs(z, v, quantile=...)",
        irs,
        where=_as_given,
        parameters="factors as given",
    ),
    _row(
        REVIEW,
        "IRS",
        "score",
        'dm.irs(z, v, protocol="carbonneau2022")',
        review_irs_of_merged_factors,
        where=_merged,
        parameters="factors merged to 10 bins",
    ),
    _row(
        STUDY,
        "SAP",
        "score, table of squared correlations",
        'dm.sap(z, v, kind="regression", fit_rows="train", split=...)',
        study_sap,
        where=_merged,
        parameters="correlation",
    ),
    _row(
        "disent",
        "SAP",
        "score",
        'dm.sap(z, v, kind="regression", fit_rows="train", split=...)',
        disent_sap,
    ),
    _row(
        REVIEW,
        "SAP",
        "score, per factor",
        'dm.sap(z, v, kind="regression")',
        review_sap,
        where=lambda record: record["params"]["regression"],
        parameters="regression",
    ),
    _row(
        STUDY,
        "unsupervised",
        "Wasserstein correlation, plain and normalised, mean pairwise information",
        "dm.wasserstein_correlation(z), dm.mean_pairwise_mi(z)",
        study_independence,
        tolerance="1e-9 (1e-7 on p08)",
        parameters="Wasserstein correlation, pairwise information",
    ),
    _row(
        STUDY,
        "unsupervised",
        "total correlation",
        "dm.total_correlation(z)",
        study_total_correlation,
        parameters="total correlation",
        explained=("p08", "p09", "p14"),
    ),
)
