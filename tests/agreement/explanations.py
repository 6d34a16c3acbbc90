"""Every known disagreement, with both numbers: who is right, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import disentangle_metrics as dm
from tests.agreement.comparison import Record, of
from tests.agreement.comparisons_trained import unpenalised
from tests.agreement.reference import CASES, arrays, first_rows_train
from tests.agreement.test_posterior import posterior
from tests.agreement.test_review import NAMES, ON_AN_EDGE, VALUES

REVIEW: dict[str, Any] = {"protocol": "carbonneau2022"}
STUDY, RMIG, YANN = "disentanglement_lib", "clarken92", "disentangling-vae (YannDubs)"


class Shown(NamedTuple):
    """One line: what is compared on which case, our number, and theirs (a number or what happens instead)."""

    case: str
    what: str
    ours: float
    theirs: float | str


@dataclass(frozen=True)
class Explanation:
    """Numbers of peers' metrics that differ from ours on some cases (given by their first letters)."""

    title: str
    text: str
    about: tuple[tuple[str, str], ...]
    cases: tuple[str, ...]
    lines: Callable[[], Iterator[Shown]]

    def covers(self, peer: str, metric: str, case: str) -> bool:
        return (peer, metric) in self.about and case.startswith(self.cases)


def recorded(case: str, peer: str, metric: str, **parameters: Any) -> Record:
    """The one record of these parameters; also that of a failed run."""
    return next(
        record
        for record in of(full(case), peer, metric)
        if all(record["params"].get(name) == value for name, value in parameters.items())
    )


def full(case: str) -> str:
    return next(name for name in CASES if name.startswith(case))


def _label_minus_one() -> Iterator[Shown]:
    for metric, function in NAMES.items():
        record = recorded("p12", "ubisoft", metric, continuous_factors=False, nb_bins=20)
        ours = function(*arrays(full("p12")), bins=20, factor_bins=None, **REVIEW).value
        yield Shown("p12", metric, ours, record["values"][VALUES[metric]])


def _constant_latents() -> Iterator[Shown]:
    for metric in ("MIG", "MIG-sup", "modularity"):
        theirs = recorded("p09", "ubisoft", metric, continuous_factors=True)["values"][VALUES[metric]]
        yield Shown("p09", f"ubisoft {metric}", NAMES[metric](*arrays(full("p09")), **REVIEW).value, theirs)
    ours = dm.modularity(*arrays(full("p09")), active=None).value
    theirs = recorded("p09", RMIG, "modularity")["values"]["modularity"]
    yield Shown("p09", "clarken92 modularity, all latents", ours, theirs)
    ours = dm.modularity(*arrays(full("p09"))).value
    yield Shown("p09", "the same, latents that vary", ours, theirs)


def _break() -> Iterator[Shown]:
    theirs = recorded("p09", "ubisoft", "DCI", model="lasso")["values"]["disentanglement"]
    yield Shown("p09", "D", dm.dci(*arrays(full("p09")), **REVIEW)["dci_disentanglement"].value, theirs)


def _no_weight() -> Iterator[Shown]:
    for case in ("p05", "p15"):
        report = dm.dci(*arrays(full(case)), **REVIEW)
        for key in ("dci_disentanglement", "dci_completeness"):
            yield Shown(case, key, report[key].value, "raises TypeError")


def _no_weight_at_all() -> Iterator[Shown]:
    report = dm.dci(
        *arrays(full("p15")), probe="lasso", alpha=0.02, split=None, max_rows=None, importances="raw"
    )
    theirs = recorded("p15", RMIG, "DCI")["values"]["completeness"]
    yield Shown("p15", "clarken92 C", report["dci_completeness"].value, theirs)


def _authors_nan() -> Iterator[Shown]:
    for case in ("p04", "p08", "p09", "p10", "p12", "p14", "p15", "p16"):
        latents, factors = arrays(full(case))
        count = len(latents)
        split = list(range(int(0.8 * count))), list(range(int(0.9 * count), count))
        report = dm.dci(latents, factors, probe="lasso", alpha=0.02, split=split, importances="raw")
        record = recorded(case, "qedr", "DCI")
        key = "completeness" if case == "p15" else "disentanglement"
        theirs = "raises ValueError" if "error" in record else record["values"][key]
        yield Shown(case, "C" if case == "p15" else "D", report[f"dci_{key}"].value, theirs)


def _edge() -> Iterator[Shown]:
    for case in ON_AN_EDGE:
        for metric, function in NAMES.items():
            theirs = recorded(case, "ubisoft", metric, continuous_factors=True)["values"][VALUES[metric]]
            yield Shown(case[:3], metric, function(*arrays(case), **REVIEW).value, theirs)
        theirs = recorded(case, "ubisoft", "IRS", continuous_factors=True)["values"]["IRS"]
        yield Shown(case[:3], "IRS", dm.irs(*arrays(case), **REVIEW).value, theirs)


def _edge_of_train_rows() -> Iterator[Shown]:
    for case in ("p10", "p16"):
        latents, factors = arrays(full(case))
        train = first_rows_train(len(latents))[0]
        theirs = recorded(case, STUDY, "modularity_explicitness")["values"]["modularity_score"]
        ours = dm.modularity(latents[train], factors[train], active=None).value
        yield Shown(case, "modularity of the train rows", ours, theirs)


def _threshold() -> Iterator[Shown]:
    theirs = recorded("p09", STUDY, "FactorVAE", prune_threshold_std=0.0)["values"]["eval_accuracy"]["mean"]
    yield Shown("p09", "FactorVAE, threshold 0", dm.factor_vae(*arrays(full("p09"))).value, theirs)


def _raises() -> Iterator[Shown]:
    latents, factors = arrays(full("p09"))
    split = first_rows_train(len(latents))
    ours = dm.explicitness(latents, factors, split=split, protocol="locatello2019").value
    yield Shown("p09", "area on the test rows", ours, "raises ValueError")


def _total_correlation() -> Iterator[Shown]:
    for case in ("p08", "p09", "p14"):
        theirs = recorded(case, STUDY, "unsupervised")["values"]["gaussian_total_correlation"]
        yield Shown(case, "total correlation", dm.total_correlation(arrays(full(case))[0]).value, theirs)


def _iterations() -> Iterator[Shown]:
    ours, theirs = unpenalised(full("p14")), recorded("p14", RMIG, "explicitness")["values"]
    yield Shown("p14", "area", ours.value, theirs["explicitness"])
    for index, area in enumerate(theirs["per_factor"]):
        if abs(ours.per_factor.iloc[index] - area) > 1e-3:
            yield Shown("p14", f"area of factor {index}", ours.per_factor.iloc[index], area)


def _tells_nothing() -> Iterator[Shown]:
    ours = dm.infomec(*arrays(full("p05")), protocol="hsu2023")["info_modularity"].value
    theirs = recorded("p05", "latent_quantization", "InfoMEC")["values"]["infom"]["mean"]
    yield Shown("p05", "InfoM", ours, theirs)


def _reshape() -> Iterator[Shown]:
    ours = dm.mig(*posterior(full("p14")), protocol="li2020").value
    for metric, what in (
        ("posterior MIG and AAM", "MIG as written"),
        ("posterior MIG and AAM (sample order corrected by the caller)", "MIG with the order corrected"),
    ):
        yield Shown("p14", what, ours, recorded("p14", YANN, metric)["values"]["MIG"]["mean"])


def _about(peer: str, *metrics: str) -> tuple[tuple[str, str], ...]:
    return tuple((peer, metric) for metric in metrics)


DEFECTS = (
    Explanation(
        "A label of -1 is taken for a missing value",
        "With factors taken as they are, the library behind ubisoft's entropies silently drops rows whose "
        "label is -1. Adding 3 to every label changes its scores. It does not change ours, which are right: "
        "labels are names. Renaming a factor's values so that their order stays changes no bit of any score "
        "that takes them as categories. A renaming that changes their order acts like another seed: it "
        "changes which rows a seed draws (`factor_vae`, `z_max_variance`, `beta_vae`) and how ties between "
        "the splits of `dci`'s trees fall. Other scores of categories then move in their last digits at "
        "most, from another order of summation. Correlations, regressions and merging to bins read values "
        "as numbers, and follow the numbers.",
        _about("ubisoft", *NAMES),
        ("p12",),
        _label_minus_one,
    ),
    Explanation(
        "A constant latent makes the whole score NaN",
        "Two latents of p09 are constant. They have no entropy to divide by, and 0 / 0 spreads to the mean. "
        "A latent that is always the same carries no information. Under the review's protocol it counts 0, "
        "which its formulas give once 0 / 0 is 0. By default such latents are left out.",
        (*_about("ubisoft", "MIG", "MIG-sup", "modularity"), (RMIG, "modularity")),
        ("p09",),
        _constant_latents,
    ),
    Explanation(
        "The loop over latents stops at the first dead one",
        "ubisoft's DCI leaves its loop (`break`) at the first latent without importance, and all later ones "
        "are lost. With the dead latents moved to the end its own code gives the right value. The "
        "importances agree with ours to 1e-6.",
        _about("ubisoft", "DCI"),
        ("p09",),
        _break,
    ),
    Explanation(
        "A factor without any weight",
        "Where the Lasso leaves a factor no weight at all, ubisoft's DCI raises with current libraries. "
        "With older ones the factor counts 0 in C, as here.",
        _about("ubisoft", "DCI"),
        ("p05", "p15"),
        _no_weight,
    ),
    Explanation(
        "A factor without any weight counts as complete",
        "In clarken92's DCI the entropy of nothing is 0. So a factor which no latent predicts scores C = 1. "
        "Here it scores 0.",
        _about(RMIG, "DCI"),
        ("p15",),
        _no_weight_at_all,
    ),
    Explanation(
        "A latent without any weight makes DCI NaN",
        "qedr divides each latent's weights by their sum. That is 0 / 0 if the latent has none (and for "
        "each factor, p15). Before that, a constant latent is divided by its deviation of 0, which the "
        "regression refuses (p09). Here a latent without importance has weight 0 in D. Its importances "
        "agree with ours to 1e-6.",
        _about("qedr", "DCI"),
        ("p04", "p08", "p09", "p10", "p12", "p14", "p15", "p16"),
        _authors_nan,
    ),
    Explanation(
        "A value that lies on an edge of a bin",
        "When ubisoft merges the 16 values of a factor to 10 bins, value 9 lies exactly on the edge 0.6. "
        "Its scaling, 9 * (1/15), rounds to just below that edge. In exact arithmetic the value belongs to "
        "the bin above, as here. With the factors binned as ubisoft does, all scores agree to 1e-9 (table "
        "above).",
        _about("ubisoft", *NAMES, "IRS"),
        ("p03", "p14"),
        _edge,
    ),
    Explanation(
        "Rows on an edge",
        "disentanglement_lib computes modularity beside explicitness on the train rows alone. One value of "
        "a latent of p10, and sixteen of p16, lie within rounding of an edge. Here such values count as on "
        "it, so that rescaling a latent moves no row (p16: the eighth digit).",
        _about(STUDY, "modularity_explicitness"),
        ("p10", "p16"),
        _edge_of_train_rows,
    ),
    Explanation(
        "A constant latent wins every vote",
        "With disentanglement_lib's default threshold of 0 a constant latent is kept. Its normalised "
        "variance is 0 / 0 = NaN, which wins every search for the smallest. The accuracy falls to 1/K. Its "
        "published study sets the threshold to 0.05, where its numbers agree with ours.",
        _about(STUDY, "FactorVAE"),
        ("p09",),
        _threshold,
    ),
    Explanation(
        "A constant latent stops explicitness",
        "disentanglement_lib divides each latent by its deviation. For a constant latent that is 0 / 0, "
        "which the classifier refuses. Here a constant latent changes nothing.",
        _about(STUDY, "modularity_explicitness"),
        ("p09",),
        _raises,
    ),
    Explanation(
        "Total correlation of constant, copied and nearly dependent latents",
        "A constant latent (p09) gives log 0 - log 0 in disentanglement_lib, which is NaN. It is "
        "independent of all others and left out here. With an exact copy (p08) the true value is infinite, "
        "which a report cannot hold: NaN with that reason. On p14 the determinant loses half of its digits. "
        "Exact rational arithmetic on the same numbers confirms ours to 1e-10 "
        "(tests/agreement/test_independence.py).",
        _about(STUDY, "unsupervised"),
        ("p08", "p09", "p14"),
        _total_correlation,
    ),
    Explanation(
        "A classifier stopped before its optimum",
        "clarken92's logistic regression has practically no penalty and sees latents of different scales. "
        "On p14 its solver ends before the optimum, which moves factor 1 by 0.002. Ours gives the data the "
        "larger likelihood (tests/agreement/test_explicitness.py).",
        _about(RMIG, "explicitness"),
        ("p14",),
        _iterations,
    ),
    Explanation(
        "An active latent that tells nothing",
        "An active latent may have an estimated information of 0 with every factor. Then "
        "latent_quantization's share of the largest is 0 / 0. Such a latent is devoted to no factor and "
        "contributes 0 here.",
        _about("latent_quantization", "InfoMEC"),
        ("p05",),
        _tells_nothing,
    ),
    Explanation(
        "Samples reshaped instead of transposed",
        "YannDubs' code turns its samples, one row each, to one row per latent by a reshape, which mixes "
        "the latents. With the order put right by the caller it agrees with ours, and with the two other "
        "implementations.",
        ((YANN, "posterior MIG and AAM"),),
        ("p14",),
        _reshape,
    ),
)
