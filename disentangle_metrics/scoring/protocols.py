"""Named sets of published choices: which metrics, with which settings, as used by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.reading import Rule
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.registry import unknown

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Protocol:
    """A published set of choices.

    `metrics` names those that a score is made of when none are asked for; None: the built-in ones whose
    definition says so. `settings` holds, for each metric, what differs from its defaults. `reading` is the
    rule by which numbers that nobody declares become categories: published code takes every whole number.
    `rows_passed` names settings for which the caller passes rows, since they hang on the data.
    """

    name: str
    source: str
    metrics: tuple[str, ...] | None = None
    settings: Mapping[str, Settings] = field(default_factory=dict)
    reading: Rule = "whole_numbers"
    rows_passed: tuple[str, ...] = ()

    @property
    def suite(self) -> tuple[str, ...]:
        """The metrics that a score is made of when none are asked for."""
        if self.metrics is not None:
            return self.metrics
        return tuple(name for name in METRICS.builtin if METRICS.load(name).suite)


VOTES_OF_THE_REVIEW: Settings = {
    "votes": (800, 800),
    "rows": 200,
    "value_weights": "uniform",
    "replacement": False,
    "rescale": True,
}


class Protocols(dict[str, Protocol]):
    """The protocols by name; an unknown one is an InputError with near names."""

    def __missing__(self, name: str) -> Protocol:
        raise InputError(unknown("protocol", str(name), list(self)))


PROTOCOLS = Protocols(
    (protocol.name, protocol)
    for protocol in (
        Protocol(
            "default",
            source="this package; each choice is explained on its metric",
            reading="measurements",
        ),
        Protocol(
            "locatello2019",
            source="Locatello et al. Challenging common assumptions in the unsupervised learning of "
            "disentangled representations. ICML 2019; settings of the study's published code",
            metrics=(
                "mig",
                "mig_sup",
                "modularity",
                "explicitness",
                "factor_vae",
                "beta_vae",
                "irs",
                "dci",
                "sap",
                "total_correlation",
                "wasserstein_correlation",
                "mean_pairwise_mi",
            ),
            settings={
                # Not in the study: from its mutual information, with its authors' active latents.
                "mig_sup": {"active": 0.01},
                # Latents without information count as 0 there rather than being left out.
                "modularity": {"active": None},
                # The study prunes latents with a standard deviation below 0.05.
                "factor_vae": {"active": 0.05**2},
                "dci": {"probe": "gradient_boosting"},
                "sap": {"kind": "classification"},
                "explicitness": {"rescale": False},
                # The study's code cuts factors like latents here, though not for its information.
                "irs": {"factor_bins": 20},
                # The classifier sees the differences as they are, whatever the latents' scale.
                "beta_vae": {"scaling": "none"},
            },
        ),
        Protocol(
            "carbonneau2022",
            source="Carbonneau, Zaidi, Boilard, Gagnon. Measuring disentanglement: a review of metrics. "
            "TNNLS 2022; defaults of the review's published code. Factors are regressed as numbers "
            "where it does so, and their values fixed as given where votes fix values",
            metrics=(
                "beta_vae",
                "factor_vae",
                "z_max_variance",
                "irs",
                "mig",
                "mig_sup",
                "jemmig",
                "dcimig",
                "modularity",
                "explicitness",
                "sap",
                "dci",
            ),
            settings={
                "mig": {"bins": 10, "factor_bins": 10, "normaliser": "latent"},
                "mig_sup": {"bins": 10, "factor_bins": 10, "normaliser": "latent", "active": None},
                "jemmig": {"bins": 10, "factor_bins": 10},
                "dcimig": {"bins": 10, "factor_bins": 10},
                "modularity": {"bins": 10, "factor_bins": 10, "active": None},
                "factor_vae": {**VOTES_OF_THE_REVIEW, "active": 0.05**2, "bins": 10},
                "z_max_variance": {**VOTES_OF_THE_REVIEW, "active": 0.05**2, "bins": 3},
                "beta_vae": {
                    **VOTES_OF_THE_REVIEW,
                    "votes": (10_000, 5_000),
                    "scaling": "none",
                    "bins": 10,
                },
                "irs": {"quantile": 1.0, "bins": 10, "factor_bins": 10},
                "explicitness": {
                    "decision": "one_vs_rest",
                    "class_weight": "balanced",
                    "scaling": "minmax",
                    "split": None,
                    "max_rows": None,
                },
                "sap": {"kind": "regression"},
                "dci": {"probe": "review_lasso", "importances": "raw", "split": None, "max_rows": None},
            },
        ),
        Protocol(
            "li2020",
            source="Li, Murkute, Gyawali, Wang. Progressive learning and disentanglement of hierarchical "
            "representations. ICLR 2020, whose MIG is that of Chen et al. NeurIPS 2018; as in the "
            "authors' published code, without its sampling error. Needs a GaussianPosterior of all "
            "points of the grid. On dSprites the factor shape was left out: pass the other four",
            metrics=("mig", "mig_sup", "factor_vae"),
            settings={
                "mig": {"estimator": "posterior", "normaliser": "values"},
                # Active "auto" is their rule: with a posterior, a variance of the mean above 0.01.
                "mig_sup": {"estimator": "posterior", "normaliser": "values"},
                "factor_vae": {"votes": (800, 800), "rows": 64},
            },
        ),
        Protocol(
            "eastwood2018",
            source="Eastwood, Williams. A framework for the quantitative evaluation of disentangled "
            "representations. ICLR 2018; as in the authors' published code, with its Lasso, whose raw "
            "weights are the importances. It trains on the first 80 percent of the rows and tests on the "
            "last 10: pass them as `split`. Its informativeness is an error, which is not reproduced",
            metrics=("dci_disentanglement", "dci_completeness"),
            settings={
                "dci": {
                    "probe": "lasso",
                    "alpha": 0.02,
                    "importances": "raw",
                    "split": 0.1,
                    "max_rows": None,
                }
            },
            rows_passed=("split",),
        ),
        Protocol(
            "boilard2020",
            source="Boilard's fork of disentanglement_lib, 2020; MIG-sup, DCIMIG and JEMMIG with the 10 bins "
            "of its benchmark",
            metrics=("mig_sup", "dcimig", "jemmig"),
            settings={
                # The two factors of a latent are chosen in nats, and divided afterwards.
                "mig_sup": {"bins": 10, "order": "information", "active": None},
                "dcimig": {"bins": 10, "weights": "equal"},
                "jemmig": {"bins": 10},
            },
        ),
        Protocol(
            "do2020",
            source="Do, Tran. Theory and evaluation metrics for learning disentangled representations. ICLR "
            "2020; RMIG and JEMMIG as in the authors' published code, whose JEMMIG is 1 minus ours. Needs a "
            "GaussianPosterior",
            metrics=("rmig", "rjemmig"),
            # A bin has the posterior's density at its centre, in proportion to the other bins'.
            settings={"rmig": {"mass": "density"}, "rjemmig": {"mass": "density"}},
        ),
        Protocol(
            "khemakhem2020",
            source="Khemakhem, Monti, Kingma, Hyvarinen. ICE-BeeM: identifiable conditional energy-based "
            "deep models based on nonlinear ICA. NeurIPS 2020; MCC in sample as in the authors' "
            "published code",
            metrics=("mcc",),
            # Factors without a latent are left out there.
            settings={"mcc": {"normalisation": "matched"}},
        ),
        Protocol(
            "schneider2023",
            source="Schneider, Lee, Mathis. Learnable latent embeddings for joint behavioural and neural "
            "analysis. Nature 2023; the reconstruction score of CEBRA: R2 of a linear regression from "
            "latents to factors on all rows, as its published code regresses",
            metrics=("r2_from_latents",),
            settings={"linear_recovery": {"cross_fitted": False}},
        ),
        Protocol(
            "klindt2026",
            source="Klindt, LeCun, Balestriero. When does LeJEPA learn a world model? 2026; R2 both ways as "
            "in the authors' published code: least squares on all rows, all columns pooled in their own "
            "units",
            metrics=("r2_from_latents", "r2_from_factors"),
            settings={"linear_recovery": {"cross_fitted": False, "weights": "variance"}},
        ),
        Protocol(
            "moinfar2024",
            source="Moinfar, Theis. Unsupervised deep disentangled representation of single-cell omics. "
            "bioRxiv 2024; as in the authors' published benchmark over scaled mutual information, whose "
            "classes are the cell types that the caller passes",
            metrics=("latent_matching",),
        ),
        Protocol(
            "hsu2023",
            source="Hsu, Dorrell, Whittington, Wu, Finn. Disentanglement via latent quantization. NeurIPS "
            "2023; as in the authors' published code, on the 10,000 rows that the caller draws",
            metrics=("infomec",),
            settings={"infomec": {"active": "range", "bounded": False, "max_iter": 100, "max_rows": None}},
        ),
    )
)
