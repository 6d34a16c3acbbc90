"""Each protocol as a user calls it, and which recorded number of its peer the call has to give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import disentangle_metrics as dm
from tests.agreement.comparison import Record, of
from tests.agreement.comparisons_sampled import DEVIATIONS, votes
from tests.agreement.reference import CASES, arrays, first_rows_train, values
from tests.agreement.test_posterior import posterior

Allowed = Callable[[str, Record, Any], float]


@dataclass(frozen=True)
class Number:
    """One score of one case: ours, the peer's (or what it did instead), and how far they may lie apart."""

    key: str
    ours: float
    theirs: float | str
    allowed: float

    @property
    def deviation(self) -> float:
        """Infinite where either is no finite number."""
        if isinstance(self.theirs, str) or not (math.isfinite(self.ours) and math.isfinite(self.theirs)):
            return math.inf
        return abs(self.ours - self.theirs)

    @property
    def share(self) -> float:
        """The deviation over what is allowed; above 1 it is a disagreement."""
        return self.deviation / self.allowed if math.isfinite(self.deviation) else math.inf


@dataclass(frozen=True)
class Called:
    """A metric of a protocol, and the peer's record of it.

    Parameters
    ----------
    protocol, metric
        What is called.
    peer, recorded, parameters
        Which record: its peer, its metric, and those of its parameters that tell it from others.
    theirs
        For each of our scores, its name in the record.
    allowed, tolerance
        How far apart the numbers may be, for a case, its record and the recorded value; in words.
    split
        Whether the call passes the recorded split of the rows: "thirds", the first ceil(2 N / 3) train and
        the rest test; "tenths", the first 8 tenths train and the last one tests.
    of_posterior
        Whether the call passes a posterior.
    seeds
        Those whose mean is compared; more than one where a seed's scatter exceeds the tolerance.
    slow
        Tells of a case with N rows whether it takes more than a few seconds.
    explained
        Title of the explanation for each case, or case and score, where the peer's number is not ours.
    remark
        What the reader has to know of the record.
    one_minus
        Whether the peer's number falls as quality rises, so that ours is 1 minus it.
    """

    protocol: str
    metric: str
    peer: str
    recorded: str
    theirs: Mapping[str, str]
    allowed: Allowed
    tolerance: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    split: str = ""
    of_posterior: bool = False
    seeds: tuple[int, ...] = (0,)
    slow: Callable[[int], bool] = lambda rows: False
    explained: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    one_minus: bool = False

    @property
    def name(self) -> str:
        return f"{self.protocol} {self.metric}"

    @property
    def call(self) -> str:
        """The call as a user writes it."""
        latents = "dm.GaussianPosterior(mean, logvar)" if self.of_posterior else "z"
        options = {
            "": "",
            "thirds": ", split=(range(n), range(n, N))",
            "tenths": ", split=(range(8 * N // 10), range(9 * N // 10, N))",
        }[self.split]
        metric = f'dm.Metric("{self.metric}"{options})' if options else f'"{self.metric}"'
        seed = ", seed=s" if len(self.seeds) > 1 else ""
        return f'dm.score({latents}, v, protocol="{self.protocol}", metrics=[{metric}]{seed})'

    def records(self) -> dict[str, Record]:
        """The peer's record of each case that it was run on, also where it failed."""
        return {
            case: record
            for case in CASES
            for record in of(case, self.peer, self.recorded)
            if (case.startswith("p14") or not self.of_posterior)
            and all(record["params"].get(name) == value for name, value in self.parameters.items())
        }

    def is_slow(self, case: str) -> bool:
        return self.slow(values()["cases"][case]["input"]["N"])

    def explanation(self, case: str, key: str) -> str | None:
        """Title of the explanation, if the peer's number is known to be another one."""
        return self.explained.get(f"{case[:3]} {key}", self.explained.get(case[:3]))

    def arrays(self, case: str) -> tuple[Any, Any]:
        """Latents, or their posterior, and factors."""
        return posterior(case) if self.of_posterior else arrays(case)

    def options(self, case: str, seed: int = 0) -> dict[str, Any]:
        """What the call passes besides; anchors are left out of the run, since they change no score."""
        metric: str | dm.Metric = self.metric
        if self.split:
            rows = len(arrays(case)[1])
            train = len(first_rows_train(rows)[0])
            split = range(train), range(train, rows)
            if self.split == "tenths":
                split = range(8 * rows // 10), range(9 * rows // 10, rows)
            metric = dm.Metric(self.metric, split=split)
        drawn = {"seed": seed} if len(self.seeds) > 1 else {}
        return {"protocol": self.protocol, "metrics": [metric], **drawn}

    def numbers(self, case: str) -> list[Number]:
        """Call the protocol on a case, and set each score beside the recorded one."""
        reports = [
            dm.score(*self.arrays(case), **self.options(case, seed), anchors=False) for seed in self.seeds
        ]
        ours = {key: sum(report[key].value for report in reports) / len(reports) for key in self.theirs}
        record = self.records()[case]
        found = []
        for key, name in self.theirs.items():
            if "error" in record:
                found.append(Number(key, ours[key], f"raises {record['error'].split(':')[0]}", 0.0))
                continue
            value = record["values"][name]
            allowed = self.allowed(case, record, value)
            theirs = 1 - as_number(value) if self.one_minus else as_number(value)
            found.append(Number(key, ours[key], theirs, allowed))
        return found


def as_number(value: Any) -> float:
    """A recorded value; of several seeds their mean; of a complex root its real part."""
    if isinstance(value, Mapping):
        value = value["mean"]
    return complex(value).real if isinstance(value, str) else float(value)


def within(distance: float) -> Allowed:
    return lambda case, record, value: distance


def votes_of(count: int, *, rescaled: bool = False) -> Allowed:
    """Three deviations of the recorded seeds, or of an accuracy over as many votes."""

    def allowed(case: str, record: Record, value: Any) -> float:
        guess = 1 / arrays(case)[1].shape[1] if rescaled else 0.0
        return float(votes(0.0, value, count, guess).allowed)  # type: ignore[arg-type]

    return allowed


def two_test_rows(case: str, record: Record, value: Any) -> float:
    return 2 / len(first_rows_train(len(arrays(case)[1]))[1]) + 1e-9


def deviations(least: float, times: float = 3) -> Allowed:
    """So many deviations of the recorded seeds, or `least`."""

    def allowed(case: str, record: Record, value: Any) -> float:
        spread = as_number(value["std"])
        return max(least, times * spread) if math.isfinite(spread) else least

    return allowed


def explicit_or_5_deviations(case: str, record: Record, value: Any) -> float:
    """InfoE is made once by each, so that its recorded deviation is 0: a logistic fit's tolerance."""
    return 1e-3 if value is record["values"]["infoe"] else deviations(2e-3, 5)(case, record, value)


def sampled(case: str, record: Record, value: Any) -> float:
    return 3 * max(as_number(value["std"]), 1e-4)


EXACT, STUDY, REVIEW = within(1e-9), "disentanglement_lib", "ubisoft"
EDGE = "A value that lies on an edge of a bin"
CONSTANT = "A constant latent makes the whole score NaN"
ON_AN_EDGE = {"p03": EDGE, "p14": EDGE}
NO_WEIGHT, DEAD = "A factor without any weight", "The loop over latents stops at the first dead one"
NO_IMPORTANCE, FULL_RANK = "A latent without any weight makes DCI NaN", "A regression without full rank"
LOGARITHM = "Total correlation of constant, copied and nearly dependent latents"


def _study(metric: str, recorded: str, name: str, **more: Any) -> Called:
    more = {"allowed": EXACT, "tolerance": "1e-9", **more}
    return Called("locatello2019", metric, STUDY, recorded, {metric: name}, **more)


def _merged(metric: str, recorded: str, name: str, constant: Mapping[str, str] | None = None) -> Called:
    return Called(
        "carbonneau2022",
        metric,
        REVIEW,
        recorded,
        {metric: name},
        EXACT,
        "1e-9",
        {"continuous_factors": True},
        explained={**ON_AN_EDGE, **(constant or {})},
        remark="factors merged to 10 bins",
    )


def _voted(metric: str, recorded: str, count: int) -> Called:
    return Called(
        "carbonneau2022",
        metric,
        REVIEW,
        recorded,
        {metric: "eval_scaled"},
        votes_of(count, rescaled=True),
        DEVIATIONS,
        # The differences' classifier takes most of a second on each case.
        slow=lambda rows: metric == "beta_vae" and rows > 2_500,
        remark="factors as given",
    )


CALLED: tuple[Called, ...] = (
    _study("mig", "MIG", "MIG", parameters={"bins": 20}),
    Called(
        "locatello2019",
        "mig_sup",
        "derived",
        "MIG-sup",
        {"mig_sup": "MIG_sup_active_latents"},
        EXACT,
        "1e-9",
        {"bins": 20},
        remark="the study has no MIG-sup: from its recorded table of information",
    ),
    _study("modularity", "modularity", "modularity", parameters={"bins": 20}),
    _study(
        "explicitness",
        "modularity_explicitness",
        "explicitness_score_test",
        allowed=within(1e-3),
        tolerance="1e-3",
        split="thirds",
        slow=lambda rows: rows > 5_000,
        explained={"p09": "A constant latent stops explicitness"},
    ),
    _study(
        "factor_vae",
        "FactorVAE",
        "eval_accuracy",
        parameters={"prune_threshold_std": 0.05},
        allowed=votes_of(5_000),
        tolerance=DEVIATIONS,
        remark="threshold 0.05",
    ),
    _study("beta_vae", "BetaVAE", "eval_accuracy", allowed=votes_of(5_000), tolerance=DEVIATIONS),
    _study(
        "irs",
        "IRS",
        "IRS",
        parameters={"factors": "histogram-discretised in 20 bins (wrapper compute_irs)"},
        remark="its wrapper, factors in 20 bins",
    ),
    Called(
        "locatello2019",
        "dci",
        STUDY,
        "DCI",
        {
            "dci_disentanglement": "disentanglement",
            "dci_completeness": "completeness",
            "dci_informativeness": "informativeness_test",
        },
        deviations(0.01),
        f"0.01, or {DEVIATIONS}",
        split="thirds",
        slow=lambda rows: True,
    ),
    _study(
        "sap",
        "SAP",
        "SAP",
        parameters={"continuous_factors": False},
        allowed=two_test_rows,
        tolerance="2 test rows",
        split="thirds",
        remark="linear support vectors",
        slow=lambda rows: rows > 20_000,
    ),
    _study(
        "total_correlation",
        "unsupervised",
        "gaussian_total_correlation",
        explained={"p08": LOGARITHM, "p09": LOGARITHM, "p14": LOGARITHM},
    ),
    _study(
        "wasserstein_correlation",
        "unsupervised",
        "gaussian_wasserstein_correlation",
        allowed=lambda case, record, value: 1e-7 if case.startswith("p08") else 1e-9,
        tolerance="1e-9 (1e-7 on p08, the root of a singular matrix)",
    ),
    _study("mean_pairwise_mi", "unsupervised", "mutual_info_score"),
    _voted("beta_vae", "Z-diff", 5_000),
    _voted("factor_vae", "Z-min variance", 800),
    _voted("z_max_variance", "Z-max variance", 800),
    _merged("irs", "IRS", "IRS"),
    _merged("mig", "MIG", "MIG", {"p09": CONSTANT}),
    _merged("mig_sup", "MIG-sup", "MIG_sup", {"p09": CONSTANT}),
    _merged("jemmig", "JEMMIG", "JEMMIG_normalised_1_minus"),
    _merged("dcimig", "DCIMIG", "DCIMIG"),
    _merged("modularity", "modularity", "modularity", {"p09": CONSTANT}),
    Called(
        "carbonneau2022",
        "explicitness",
        REVIEW,
        "explicitness",
        {"explicitness": "explicitness_scaled"},
        within(1e-3),
        "1e-3",
        {"impl": 1},
        remark="its classifier of all values, factors as given",
        slow=lambda rows: rows > 5_000,
    ),
    Called("carbonneau2022", "sap", REVIEW, "SAP", {"sap": "SAP"}, EXACT, "1e-9", {"regression": True}),
    Called(
        "carbonneau2022",
        "dci",
        REVIEW,
        "DCI",
        {f"dci_{name}": name for name in ("disentanglement", "completeness", "informativeness")},
        within(1e-6),
        "1e-6",
        {"model": "lasso"},
        remark="cross-validated Lasso",
        slow=lambda rows: rows > 3_500,
        explained={"p05": NO_WEIGHT, "p09 dci_disentanglement": DEAD, "p15": NO_WEIGHT},
    ),
    *(
        Called(
            "li2020",
            metric,
            "proVLAE",
            "posterior MIG and MIG-sup",
            {metric: name},
            sampled,
            DEVIATIONS,
            of_posterior=True,
        )
        for metric, name in (("mig", "MIG"), ("mig_sup", "MIG_sup"))
    ),
    Called(
        "li2020",
        "factor_vae",
        STUDY,
        "FactorVAE",
        {"factor_vae": "eval_accuracy"},
        votes_of(800),
        "3 standard deviations of an accuracy over 800 votes",
        {"prune_threshold_std": 0.05, "batch_size": 64},
        of_posterior=True,
        remark="not recorded of proVLAE: the same score with more votes",
    ),
    *(
        Called(
            "eastwood2018",
            f"dci_{name}",
            "qedr",
            "DCI",
            {f"dci_{name}": name},
            within(1e-6),
            "1e-6",
            split="tenths",
            slow=lambda rows: rows > 20_000,
            explained=dict.fromkeys(cases, NO_IMPORTANCE),
            remark="a score without a latent, or a factor, of no weight",
        )
        for name, cases in (
            ("disentanglement", ("p04", "p08", "p09", "p10", "p12", "p14", "p16")),
            ("completeness", ("p09", "p15")),
        )
    ),
    *(
        Called(
            "do2020",
            key,
            "clarken92",
            "quantised RMIG / JEMMIG of q(z|x)",
            {key: name},
            within(1e-5),
            "1e-5: theirs is in single precision",
            {"num_bins": 100},
            of_posterior=True,
            one_minus=key == "rjemmig",
            remark=remark,
        )
        for key, name, remark in (
            ("rmig", "RMIG", ""),
            ("rjemmig", "JEMMIG", "theirs falls as quality rises: 1 minus it is compared"),
        )
    ),
    *(
        Called("boilard2020", key, "jboilard1994", metric, {key: name}, EXACT, "1e-9", {"bins": 10})
        for key, metric, name in (
            ("mig_sup", "MIG-sup", "MIG_sup"),
            ("dcimig", "DCIMIG", "DCIMIG_normalised"),
            ("jemmig", "JEMMIG", "JEMMIG_normalised"),
        )
    ),
    Called(
        "schneider2023",
        "r2_from_latents",
        "CEBRA",
        "consistency of two embeddings",
        {"r2_from_latents": "R2_latents_to_factors"},
        EXACT,
        "1e-9",
        remark="the first embedding is the latents, the second the factors",
    ),
    Called(
        "khemakhem2020",
        "mcc",
        "icebeem",
        "MCC (strong)",
        {"mcc": "MCC"},
        EXACT,
        "1e-9",
        {"method": "pearson"},
        explained={"p09": "A constant latent stops MCC"},
    ),
    *(
        Called(
            "klindt2026",
            key,
            "lejepa-identifiability",
            "bidirectional linear R2",
            {key: name},
            EXACT,
            "1e-9",
            {"data": "as given"},
            explained=explained,
        )
        for key, name, explained in (
            ("r2_from_latents", "R2_latents_to_factors", {"p09": FULL_RANK}),
            ("r2_from_factors", "R2_factors_to_latents", {}),
        )
    ),
    Called(
        "moinfar2024",
        "latent_matching",
        "DRVI",
        "LMS, MSAS, MSGS over SMI",
        {"lms": "LMS", "msas": "MSAS", "msgs": "MSGS"},
        EXACT,
        "1e-9",
        {"columns": "all factors' values as columns"},
        remark="every value of every factor as a class",
    ),
    Called(
        "hsu2023",
        "infomec",
        "latent_quantization",
        "InfoMEC",
        {"info_modularity": "infom", "info_compactness": "infoc", "info_explicitness": "infoe"},
        explicit_or_5_deviations,
        "5 standard deviations of the recorded seeds or 2e-3; InfoE 1e-3",
        seeds=(0, 1, 2),
        slow=lambda rows: rows > 2_500,
        explained={"p05 info_modularity": "An active latent that tells nothing"},
        remark="means of seeds 0 to 2 beside the mean of its seeds, since jitter tells equal distances apart: "
        "InfoM of seed 0 alone is 0.9094 on p10 (theirs 0.9135, 2.1 of tolerance) and 0.9555 on p16 (0.9645, 1.1), "
        "that of seeds 1 to 5 on p10 0.9128 to 0.9137",
    ),
)
