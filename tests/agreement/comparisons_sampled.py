"""What is compared of the scores that draw votes, or read densities of posteriors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.relations.relations import Relations
from tests.agreement.comparison import Comparison, Pair, Pairs, Record
from tests.agreement.reference import arrays, numbers
from tests.agreement.test_posterior import posterior
from tests.agreement.test_review import VOTING

REVIEW: dict[str, Any] = {"protocol": "carbonneau2022"}


def study_factor_vae(case: str, record: Record) -> Iterator[Pair]:
    score = dm.factor_vae(*arrays(case), active=record["params"]["prune_threshold_std"] ** 2)
    yield votes(score.value, record["values"]["eval_accuracy"], 5_000)


def study_beta_vae(case: str, record: Record) -> Iterator[Pair]:
    score = dm.beta_vae(*arrays(case), protocol="locatello2019")
    yield votes(score.value, record["values"]["eval_accuracy"], 5_000)


def review_votes(case: str, record: Record) -> Iterator[Pair]:
    score = VOTING[record["metric"]](*arrays(case), **REVIEW)
    guess = 1 / arrays(case)[1].shape[1]
    yield votes(score.value, record["values"]["eval_scaled"], record["params"]["nb_eval"], guess)


def votes(ours: float, theirs: Record, count: int, guess: float = 0.0) -> Pair:
    """Three recorded deviations, or binomial ones where all recorded seeds happened to agree."""
    accuracy = min(theirs["mean"] * (1 - guess) + guess, 1.0)
    binomial = (max(accuracy * (1 - accuracy), 1e-4) / count) ** 0.5 / (1 - guess)
    return Pair(ours, theirs["mean"], 3 * max(theirs["std"], binomial))


def _sampled(ours: npt.ArrayLike, theirs: Record) -> Pair:
    return Pair(ours, numbers(theirs["mean"]), 3 * np.maximum(numbers(theirs["std"]), 1e-4))


def li_posterior(case: str, record: Record) -> Iterator[Pair]:
    theirs = record["values"]
    report = dm.score(*posterior(case), metrics=["mig", "mig_sup"], protocol="li2020", anchors=False)
    yield _sampled(report["mig"].value, theirs["MIG"])
    yield _sampled(report["mig_sup"].value, theirs["MIG_sup"])
    everything = dm.mig_sup(*posterior(case), protocol="li2020", active=None)
    yield _sampled(everything.value, theirs["MIG_sup_all_units"])
    table = report["mig"].details["mutual_information"].to_numpy()
    yield _sampled(table.T, theirs["mi_factors_by_latents"])


def li_sampled(case: str, record: Record) -> Iterator[Pair]:
    """The table with our own error besides: they share draws between entropies, ours are drawn anew."""
    theirs = record["values"]
    metrics = [dm.Metric(name, estimator="posterior_monte_carlo") for name in ("mig", "mig_sup")]
    report = dm.score(*posterior(case), metrics=metrics, anchors=False)
    yield _sampled(report["mig"].value, theirs["MIG"])
    yield _sampled(report["mig_sup"].value, theirs["MIG_sup"])
    table = theirs["mi_factors_by_latents"]
    allowed = 3 * np.hypot(numbers(table["std"]), 0.01)
    yield Pair(report["mig"].details["mutual_information"].to_numpy().T, numbers(table["mean"]), allowed)


def yann_posterior(case: str, record: Record) -> Iterator[Pair]:
    score = dm.mig(*posterior(case), protocol="li2020")
    yield _sampled(score.value, record["values"]["MIG"])
    table = score.details["mutual_information"].to_numpy()
    yield _sampled(table.T, record["values"]["mi_factors_by_latents"])


def rmig_posterior(case: str, record: Record) -> Iterator[Pair]:
    theirs = record["values"]
    information = Relations(check(*posterior(case))).mutual_information(estimator="posterior")
    yield _sampled(information.latent_entropy, theirs["H_zi"])
    yield _sampled(information.joint_entropy, theirs["H_zi_yk"])
    yield _sampled(information.mutual_information, theirs["MI_zi_yk"])
    score = dm.mig(*posterior(case), estimator="posterior")
    yield _sampled(score.value, theirs["RMIG_norm"])
    table, joint = information.mutual_information, information.joint_entropy
    best, ordered = table.argmax(axis=0), np.sort(table, axis=0)
    jemmig = joint[best, np.arange(table.shape[1])] - ordered[-1] + ordered[-2]
    yield _sampled(jemmig, theirs["JEMMIG_yk"])


def jemmig_quantised(case: str, record: Record) -> Iterator[Pair]:
    """Theirs falls as quality rises."""
    score = dm.rjemmig(*posterior(case), bins=record["params"]["num_bins"], mass="density")
    table = numbers(record["intermediates"]["joint_entropy_latents_by_factors"])
    yield Pair(score.details["joint_entropy"], table, 1e-5)
    yield Pair(score.per_factor, 1 - numbers(record["values"]["JEMMIG_per_factor"]), 1e-5)
    yield Pair(score.value, 1 - record["values"]["JEMMIG"], 1e-5)


def rmig_quantised(case: str, record: Record) -> Iterator[Pair]:
    score = dm.rmig(*posterior(case), bins=record["params"]["num_bins"], mass="density")
    table = numbers(record["intermediates"]["mi_matrix_latents_by_factors"])
    yield Pair(score.details["mutual_information"], table, 1e-5)
    yield Pair(score.per_factor, numbers(record["values"]["RMIG_per_factor"]), 1e-5)
    yield Pair(score.value, record["values"]["RMIG"], 1e-5)


def _row(
    peer: str, metric: str, what: str, call: str, tolerance: str, pairs: Pairs, **more: Any
) -> Comparison:
    return Comparison(peer, metric, what, f"`{call}`", tolerance, pairs, **more)


STUDY, RMIG = "disentanglement_lib", "clarken92"
DEVIATIONS = "3 standard deviations of the recorded seeds"

SAMPLED = (
    _row(
        STUDY,
        "FactorVAE",
        "accuracy",
        "dm.factor_vae(z, v, active=0.05**2)",
        DEVIATIONS,
        study_factor_vae,
        where=lambda record: record["params"]["prune_threshold_std"] == 0.05,
        parameters="threshold 0.05",
    ),
    _row(
        STUDY,
        "FactorVAE",
        "accuracy",
        "dm.factor_vae(z, v, active=0.0)",
        DEVIATIONS,
        study_factor_vae,
        where=lambda record: record["params"]["prune_threshold_std"] == 0,
        parameters="threshold 0",
        explained=("p09",),
    ),
    _row(
        STUDY,
        "BetaVAE",
        "accuracy",
        'dm.beta_vae(z, v, protocol="locatello2019")',
        DEVIATIONS,
        study_beta_vae,
    ),
    _row(
        "ubisoft",
        "Z-min variance",
        "rescaled accuracy",
        'dm.factor_vae(z, v, protocol="carbonneau2022")',
        DEVIATIONS,
        review_votes,
    ),
    _row(
        "ubisoft",
        "Z-max variance",
        "rescaled accuracy",
        'dm.z_max_variance(z, v, protocol="carbonneau2022")',
        DEVIATIONS,
        review_votes,
    ),
    _row(
        "ubisoft",
        "Z-diff",
        "rescaled accuracy",
        'dm.beta_vae(z, v, protocol="carbonneau2022")',
        DEVIATIONS,
        review_votes,
    ),
    _row(
        "proVLAE",
        "posterior MIG and MIG-sup",
        "both, MIG-sup of all units, table of I",
        'dm.score(posterior, v, protocol="li2020")',
        DEVIATIONS,
        li_posterior,
    ),
    _row(
        "proVLAE",
        "posterior MIG and MIG-sup",
        "both and table of I, ours sampled too",
        'dm.mig(posterior, v, estimator="posterior_monte_carlo")',
        DEVIATIONS + "; the table 3 of theirs and ours (0.01 nats) together",
        li_sampled,
    ),
    _row(
        "disentangling-vae (YannDubs)",
        "posterior MIG and AAM (sample order corrected by the caller)",
        "MIG, table of I",
        'dm.mig(posterior, v, protocol="li2020")',
        DEVIATIONS,
        yann_posterior,
    ),
    _row(
        RMIG,
        "posterior RMIG / JEMMIG",
        "RMIG, JEMMIG unnormalised, I, H(z), H(z, v)",
        'dm.mig(posterior, v, estimator="posterior")',
        DEVIATIONS,
        rmig_posterior,
    ),
    _row(
        RMIG,
        "quantised RMIG / JEMMIG of q(z|x)",
        "1 - JEMMIG, per factor, table of H(z, v)",
        'dm.rjemmig(posterior, v, bins=..., mass="density")',
        "1e-5: theirs is in single precision",
        jemmig_quantised,
        parameters="JEMMIG",
    ),
    _row(
        RMIG,
        "quantised RMIG / JEMMIG of q(z|x)",
        "RMIG, per factor, table of I",
        'dm.rmig(posterior, v, bins=..., mass="density")',
        "1e-5: theirs is in single precision",
        rmig_quantised,
    ),
)
