"""Five public MIG-sups side by side: what each gives on the same inputs, and what ours gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import disentangle_metrics as dm
from tests.agreement.pairs_further import binary
from tests.agreement.reference import CASES, arrays, found
from tests.agreement.test_posterior import posterior

SHOWN = ("p01", "p03", "p05", "p06", "p08", "p14")
SIDE_BY_SIDE = """
## Whose MIG-sup is it?

Five public implementations of MIG-sup have four formulas, and no two rows give one number for p06 or p14. So a MIG-sup
without its formula, its bins and its latents cannot be compared. A signature holds all three. Each row has a call or an
arithmetic of ours that gives the same number. Where four digits differ, ours is in brackets.

- I is mutual information, H entropy, z a latent in bins, v a factor.
- The authors have numbers for posteriors (p14) alone: `protocol="li2020"`. The second row is their formula on binned
  latents. The default, `dm.mig_sup(z, v)`, averages over all latents that vary instead.
- `protocol="carbonneau2022"` is ubisoft's. Its 10 bins, for factors too, are set to the recorded ones here.

| whose | a latent's gap of | latents | bins | ours |"""


@dataclass(frozen=True)
class Version:
    """One public MIG-sup.

    Parameters
    ----------
    whose, gap, latents, bins, call
        For the reader: who, of what the gap is, which latents are averaged, how they are cut, and our call.
    peer, metric, value, parameters
        Which record, and which of its values.
    ours
        Our number for a case.
    allowed
        How far ours may lie from the recorded one.
    """

    whose: str
    gap: str
    latents: str
    bins: str
    call: str
    peer: str
    metric: str
    value: str
    parameters: Mapping[str, Any]
    ours: Callable[[str], float]
    allowed: float = 1e-9

    def theirs(self, case: str) -> float | None:
        """The recorded number; None where the peer was not run."""
        records = found(case, self.peer, self.metric, **self.parameters)
        if not records:
            return None
        value = records[0]["values"][self.value]
        return float(value["mean"] if isinstance(value, Mapping) else value)


def _vaetc(case: str) -> float:
    details = dm.rmig(posterior(case)[0], binary(case, 4)).details
    ordered = np.sort(details["mutual_information"].to_numpy() + details["factor_entropy"].to_numpy(), axis=1)
    return float((ordered[:, -1] - ordered[:, -2]).mean())


def _review(case: str) -> float:
    # The peer takes the label -1 for a missing value, which none of the cases shown has.
    return float(dm.mig_sup(*arrays(case), protocol="carbonneau2022", bins=20, factor_bins=None).value)


VERSIONS = (
    Version(
        "authors (proVLAE)",
        "I / log(values of v)",
        "active",
        "none: density of the posterior",
        '`dm.mig_sup(posterior, v, protocol="li2020")`',
        "proVLAE",
        "posterior MIG and MIG-sup",
        "MIG_sup",
        {},
        lambda case: float(dm.mig_sup(*posterior(case), protocol="li2020").value),
        0.01,
    ),
    Version(
        "the authors' formula, in bins",
        "I / H(v)",
        "variance over 0.01",
        "20",
        "`dm.mig_sup(z, v, active=0.01)`",
        "derived",
        "MIG-sup",
        "MIG_sup_active_latents",
        {"bins": 20},
        lambda case: float(dm.mig_sup(*arrays(case), active=0.01).value),
    ),
    Version(
        "ubisoft",
        "I / H(z)",
        "all",
        "20",
        '`dm.mig_sup(z, v, protocol="carbonneau2022", bins=20, factor_bins=None)`',
        "ubisoft",
        "MIG-sup",
        "MIG_sup",
        {"continuous_factors": False, "nb_bins": 20},
        _review,
    ),
    Version(
        "InnVariant",
        "I / H(z)",
        "all",
        "30",
        '`dm.mig_sup(z, v, bins=30, normaliser="latent", active=None)`',
        "InnVariant",
        "MIG-sup",
        "MIG_sup",
        {"discrete_factors": True},
        lambda case: float(dm.mig_sup(*arrays(case), bins=30, normaliser="latent", active=None).value),
    ),
    Version(
        "jboilard1994",
        "I / H(v), the two factors chosen by I alone",
        "all",
        "20",
        '`dm.mig_sup(z, v, order="information", active=None)`',
        "jboilard1994",
        "MIG-sup",
        "MIG_sup",
        {"bins": 20},
        lambda case: float(dm.mig_sup(*arrays(case), order="information", active=None).value),
    ),
    Version(
        "vaetc",
        "I + H(v), v cut in two at its median",
        "all",
        "100, of the posterior",
        "its sum on our table of `dm.rmig`",
        "vaetc",
        "MIG-sup",
        "mean",
        {"columns": 4},
        _vaetc,
        1e-6,
    ),
)


def measured() -> dict[str, dict[str, list[float | None]]]:
    """For each version and case (theirs, ours)."""
    rows: dict[str, dict[str, list[float | None]]] = {}
    for version in VERSIONS:
        of_posterior = version.peer in ("proVLAE", "vaetc")
        cases = [case for case in CASES if case[:3] in SHOWN and (case.startswith("p14") or not of_posterior)]
        rows[version.whose] = {case[:3]: [version.theirs(case), version.ours(case)] for case in cases}
    return rows


def section(rows: Mapping[str, Mapping[str, list[float | None]]]) -> str:
    """The part of the page."""
    lines = [SIDE_BY_SIDE, *(f" {case} |" for case in SHOWN), "\n", "|---" * (5 + len(SHOWN)), "|\n"]
    for version in VERSIONS:
        cells = [version.whose, version.gap, version.latents, version.bins, version.call]
        cells += [cell(*rows[version.whose].get(case, (None, None))) for case in SHOWN]
        lines.append(f"| {' | '.join(cells)} |\n")
    return "".join(lines)


def cell(theirs: float | None, ours: float | None) -> str:
    """Four digits of theirs; ours in brackets where it has others."""
    first, second = ("" if value is None else f"{value:.4f}" for value in (theirs, ours))
    if first == second or ours is None:
        return first
    theirs_shown = "none" if theirs is None or math.isnan(theirs) else first
    return f"{theirs_shown} ({second})"
