"""Where a peer's score of the same name is another quantity; and what of the peers is not reproduced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import disentangle_metrics as dm
from tests.agreement.comparison import Record
from tests.agreement.explanations import RMIG, STUDY, YANN, Explanation, Shown, full, recorded
from tests.agreement.reference import arrays
from tests.agreement.test_posterior import posterior


def _mig() -> Iterator[Shown]:
    for case in ("p01", "p04", "p07", "p15"):
        theirs = recorded(case, "ubisoft", "MIG", continuous_factors=False, nb_bins=20)["values"]["MIG"]
        yield Shown(case, "MIG, 20 bins", dm.mig(*arrays(full(case))).value, theirs)


def _mig_sup() -> Iterator[Shown]:
    for case in ("p01", "p03", "p08"):
        record = recorded(case, "ubisoft", "MIG-sup", continuous_factors=False, nb_bins=20)
        yield Shown(
            case, "MIG-sup, 20 bins", dm.mig_sup(*arrays(full(case))).value, record["values"]["MIG_sup"]
        )


def _posterior() -> Iterator[Shown]:
    latents, factors = posterior(full("p14"))
    theirs = recorded("p14", "proVLAE", "posterior MIG and MIG-sup")["values"]["MIG"]["mean"]
    yield Shown("p14", "MIG of the means, 20 bins", dm.mig(latents.mean, factors).value, theirs)
    yield Shown("p14", "MIG of the posteriors", dm.mig(latents, factors, estimator="posterior").value, theirs)


def _jemmig() -> Iterator[Shown]:
    record = recorded("p14", RMIG, "quantised RMIG / JEMMIG of q(z|x)", num_bins=20)
    latents, factors = arrays(full("p14"))
    yield Shown("p14", "JEMMIG, 20 bins", dm.jemmig(latents, factors).value, record["values"]["JEMMIG"])


def _explicitness() -> Iterator[Shown]:
    ours = dm.explicitness(*arrays(full("p01"))).value
    study = recorded("p01", STUDY, "modularity_explicitness")["values"]["explicitness_score_test"]
    yield Shown("p01", "disentanglement_lib: area, test rows", ours, study)
    for impl, what in ((1, "shares of all classifiers"), (2, "separate classifiers")):
        theirs = recorded("p01", "ubisoft", "explicitness", impl=impl)["values"]["explicitness_scaled"]
        yield Shown("p01", f"ubisoft: rescaled, in sample, {what}", ours, theirs)
    theirs = recorded("p01", RMIG, "explicitness")["values"]["explicitness"]
    yield Shown("p01", "clarken92: area, in sample, one against the rest", ours, theirs)


def _sap() -> Iterator[Shown]:
    regression, classes = (
        dm.sap(*arrays(full("p01")), kind=kind).value for kind in ("regression", "classification")
    )
    study = recorded("p01", STUDY, "SAP", continuous_factors=False)["values"]["SAP"]["mean"]
    line = recorded("p01", "ubisoft", "SAP", regression=True)["values"]["SAP"]
    trees = recorded("p01", "ubisoft", "SAP", regression=False)["values"]["SAP"]
    yield Shown("p01", "correlation here; ubisoft's regression", regression, line)
    yield Shown("p01", "linear support vectors, here and in disentanglement_lib", classes, study)
    yield Shown("p01", "linear support vectors here; ubisoft's decision trees", classes, trees)


def _dci() -> Iterator[Shown]:
    ours = dm.dci(*arrays(full("p05")))["dci_disentanglement"].value
    boosting = recorded("p05", STUDY, "DCI")["values"]["disentanglement"]["mean"]
    yield Shown("p05", "D, disentanglement_lib's boosted trees", ours, boosting)
    for peer in (RMIG, "qedr"):
        theirs = recorded("p05", peer, "DCI")["values"]["disentanglement"]
        yield Shown("p05", f"D, {peer}'s Lasso", ours, theirs)


def _votes() -> Iterator[Shown]:
    ours = dm.factor_vae(*arrays(full("p02"))).value
    theirs = recorded("p02", "ubisoft", "Z-min variance")["values"]["eval_scaled"]["mean"]
    yield Shown("p02", "FactorVAE; Z-min variance", ours, theirs)


CHOICES = (
    Explanation(
        "MIG divided by the entropy of the latent",
        "ubisoft divides by H(binned z), where the authors of MIG divide by H(v). A perfect code then falls "
        'as bins exceed values. It is a published formula: `protocol="carbonneau2022"` has it, no other '
        "protocol does.",
        (("ubisoft", "MIG"),),
        (),
        _mig,
    ),
    Explanation(
        "MIG-sup divided by the entropy of the latent, and over all latents",
        "As above. Besides, the authors of MIG-sup average over active latents only.",
        (("ubisoft", "MIG-sup"),),
        (),
        _mig_sup,
    ),
    Explanation(
        "MIG of posteriors, and of their means in bins",
        "Two quantities. All implementations of the first agree (proVLAE, clarken92, YannDubs once "
        'corrected). `estimator="posterior"` or `protocol="li2020"` has it. The default bins the means.',
        (("proVLAE", "posterior MIG and MIG-sup"),),
        (),
        _posterior,
    ),
    Explanation(
        "JEMMIG that falls as quality rises",
        "Its authors report the fraction, and lower is better. Ours is 1 minus it. Theirs here is of posteriors "
        "spread over bins on [-4, 4], as `rjemmig` takes it; `jemmig` takes means in bins of their range.",
        ((RMIG, "quantised RMIG / JEMMIG of q(z|x)"),),
        (),
        _jemmig,
    ),
    Explanation(
        "Explicitness: which classifier, which rows, which scale",
        "Ours by default is 2 (area - 1/2) of a multinomial classifier on test rows. Where each value has a "
        "classifier of its own, the middle values of an ordinal factor cannot be separated by a line.",
        ((STUDY, "modularity_explicitness"),),
        (),
        _explicitness,
    ),
    Explanation(
        "SAP by correlation, support vectors or trees",
        "One latent cannot separate the middle values of an ordinal factor from the rest by a threshold. So "
        "a perfect code scores low with linear support vectors. Say with the number which of them it is.",
        ((STUDY, "SAP"),),
        (),
        _sap,
    ),
    Explanation(
        "DCI: the learner decides",
        "The code is pure noise. Few weights survive the Lasso's penalty, and a latent with one surviving "
        "weight looks disentangled. Trees spread their importance over all latents.",
        ((STUDY, "DCI"),),
        (),
        _dci,
    ),
    Explanation(
        "FactorVAE raw and rescaled",
        "ubisoft reports (accuracy - 1/K) / (1 - 1/K), and draws the fixed value evenly among values. "
        '`protocol="carbonneau2022"` does both, `rescale=True` the first.',
        (("ubisoft", "Z-min variance"),),
        (),
        _votes,
    ),
)


@dataclass(frozen=True)
class Unreproduced:
    """Recorded numbers of a peer that no call of ours gives."""

    peer: str
    metric: str
    what: str
    why: str
    where: Callable[[Record], bool]


def _nothing(record: Record) -> bool:
    """For parts of records whose other parts are compared."""
    return False


UNREPRODUCED = (
    Unreproduced(
        "ubisoft",
        "SAP",
        "decision trees",
        "a tree's depth is chosen by cross-validation and its accuracy taken in sample; SAP here is by "
        "correlation or by linear support vectors, as in its paper",
        lambda record: not record["params"]["regression"],
    ),
    Unreproduced(
        YANN,
        "posterior MIG and AAM",
        "MIG as written",
        "a defect (see below); its corrected run agrees",
        lambda record: True,
    ),
    Unreproduced(
        YANN,
        "posterior MIG and AAM (sample order corrected by the caller)",
        "AAM",
        "the axis alignment metric of that code alone, from the same table, which agrees",
        _nothing,
    ),
    Unreproduced(
        RMIG, "DCI", "NRMSE", "an error of the predictor; informativeness here is R2, which rises", _nothing
    ),
    Unreproduced(
        "qedr", "DCI", "NRMSE", "an error of the predictor; informativeness here is R2, which rises", _nothing
    ),
    Unreproduced(
        "latent_quantization",
        "InfoMEC (discrete latents)",
        "InfoE",
        "its classifier reads one-hot codes; ours reads latents as numbers (pass indicator columns for that)",
        _nothing,
    ),
    Unreproduced(
        STUDY,
        "DCI, FactorVAE, BetaVAE, modularity_explicitness",
        "scores on the training rows",
        "scores here are those of the test rows",
        _nothing,
    ),
    Unreproduced(
        STUDY,
        "FactorVAE",
        "num_active_dims",
        'a defect: it is the number of latents, whatever was left out; `details["active"]` has the right ones',
        _nothing,
    ),
)
