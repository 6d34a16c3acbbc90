"""What of the second nine implementations no call of ours gives, and why."""

from __future__ import annotations

from tests.agreement.choices import Unreproduced
from tests.agreement.comparisons_further import BOILARD, GUARD, HIERARCHY, LEJEPA, VAETC, VARIANT

OTHER_PREDICTOR = (
    "ours maps by step functions and takes chance off; `tests/agreement/test_r4.py` compares them"
)
FURTHER_UNREPRODUCED = (
    *(
        Unreproduced(
            BOILARD,
            metric,
            "percentile cut",
            "cuts a latent anew for every factor, at the quantiles of that factor; here a latent has one cut",
            lambda record: record["params"]["bins"] is None,
        )
        for metric in ("MIG-sup", "DCIMIG", "JEMMIG")
    ),
    *(
        Unreproduced(peer, metric, "score", "a defect (see below)", lambda record: True)
        for peer, metric in (
            (GUARD, "R2"),
            (GUARD, "R2 out of sample"),
            (VARIANT, "EDI"),
            (VAETC, "modularity"),
            (VAETC, "DCIMIG"),
            (VAETC, "WINDIN"),
            (VAETC, "informativeness"),
        )
    ),
    Unreproduced(
        BOILARD,
        "WDG",
        "score",
        "a distance of histograms in units of the latent: doubling a latent doubles it",
        lambda record: True,
    ),
    Unreproduced(
        GUARD,
        "MCC train/test",
        "RDC",
        "one seed and one split, ties in the order of the rows",
        lambda record: record["params"]["method"] == "rdc",
    ),
    Unreproduced(
        GUARD,
        "InfoMEC",
        "InfoE, and InfoM and InfoC of p05",
        "another classifier, and idle latents left out (see below)",
        lambda record: True,
    ),
    Unreproduced(
        "icebeem",
        "MCC (strong)",
        "RDC, its default",
        "identifiability-guard's from fewer seeds; for D < K it is divided by K besides",
        lambda record: record["params"]["method"] == "rdc",
    ),
    Unreproduced(
        "icebeem",
        "MCC (weak, CCA)",
        "RDC, and held out",
        "held out it stops its search early, and takes absolute values (see below)",
        lambda record: record["params"]["method"] == "rdc",
    ),
    *(
        Unreproduced(
            LEJEPA,
            metric,
            "columns as given",
            "depends on the columns' scales (see below); not defined for D other than K"
            if metric.startswith("Procrustes")
            else "depends on the columns' scales (see below)",
            lambda record: True,
        )
        for metric in ("orthogonality error", "Procrustes and covariance")
    ),
    Unreproduced(
        VAETC,
        "RMIG, JEMMIG",
        "JEMMIG",
        "of the joint entropy that is a conditional one",
        lambda record: False,
    ),
    Unreproduced(
        VAETC,
        "MISJED",
        "table",
        "subtracts a differential entropy from binned ones: values over its bound of 1 occur",
        lambda record: True,
    ),
    *(
        Unreproduced(HIERARCHY, metric, "score", OTHER_PREDICTOR, lambda record: True)
        for metric in ("R4", "R4c")
    ),
)
