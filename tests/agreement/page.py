"""Write docs/agreement.md: our numbers against every number recorded of the public implementations.

    python -m tests.agreement.page [--slow] [--only TEXT] [--render]

What is measured is kept in docs/data/agreement.json, so that the comparisons that take minutes keep their
last result, with its date, until they are measured again (``--slow``).
"""

from __future__ import annotations

import argparse
import datetime
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from tests.agreement import mig_sups
from tests.agreement.called import CALLED
from tests.agreement.called_table import measure_called, section
from tests.agreement.choices import CHOICES as FIRST_CHOICES
from tests.agreement.choices import UNREPRODUCED as FIRST_UNREPRODUCED
from tests.agreement.choices import Unreproduced
from tests.agreement.comparison import Comparison, measure, pairs_recorded, short, shown
from tests.agreement.comparisons_further import FURTHER
from tests.agreement.comparisons_histogram import HISTOGRAM
from tests.agreement.comparisons_sampled import SAMPLED
from tests.agreement.comparisons_single import (
    SINGLE,
    SINGLE_CHOICES,
    SINGLE_DEFECTS,
    SINGLE_UNREPRODUCED,
)
from tests.agreement.comparisons_trained import TRAINED
from tests.agreement.explanations import DEFECTS as FIRST_DEFECTS
from tests.agreement.explanations import Explanation
from tests.agreement.explanations_further import FURTHER_CHOICES, FURTHER_DEFECTS
from tests.agreement.unreproduced_further import FURTHER_UNREPRODUCED

DOCS = Path(__file__).parents[2] / "docs"
PAGE, DATA = DOCS / "agreement.md", DOCS / "data" / "agreement.json"
COMPARISONS: tuple[Comparison, ...] = (*HISTOGRAM, *TRAINED, *SAMPLED, *FURTHER, *SINGLE)
DEFECTS = (*FIRST_DEFECTS, *FURTHER_DEFECTS, *SINGLE_DEFECTS)
CHOICES = (*FIRST_CHOICES, *FURTHER_CHOICES, *SINGLE_CHOICES)
UNREPRODUCED = (*FIRST_UNREPRODUCED, *FURTHER_UNREPRODUCED, *SINGLE_UNREPRODUCED)
PEERS = {
    "disentanglement_lib": "the study of Locatello et al. 2019",
    "ubisoft": "the review of Carbonneau et al. 2022",
    "disent": "a port of disentanglement_lib, bit by bit: no independent witness",
    "clarken92": "the authors of RMIG and JEMMIG (Do and Tran 2020)",
    "qedr": "the authors of DCI (Eastwood and Williams 2018)",
    "proVLAE": "the authors of MIG-sup (Li et al. 2020), with the posterior estimator of Chen et al. 2018",
    "latent_quantization": "the authors of InfoMEC (Hsu et al. 2023)",
    "disentangling-vae (YannDubs)": "a reimplementation of Chen et al. 2018",
    "derived": "MIG-sup with its authors' normaliser, from disentanglement_lib's recorded table",
    "jboilard1994": "a fork of disentanglement_lib (Boilard) with MIG-sup, DCIMIG, JEMMIG and WDG",
    "InnVariant": "scores by bins and by neighbours, and EDI",
    "identifiability-guard": "MCC, R2, InfoMEC, MIG and T-MEX for causal representations, 2025",
    "icebeem": "the authors of ICE-BeeM (Khemakhem et al. 2020): strong and weak MCC",
    "lejepa-identifiability": "linear recovery, as studies of JEPA report it",
    "CEBRA": "the authors of CEBRA (Schneider et al. 2023): R2 between two embeddings",
    "vaetc": "a toolkit of VAEs with the scores of Do and Tran 2020, of binary columns",
    "hierarchical-disentanglement": "the authors of R4 (Ross and Doshi-Velez 2021)",
    "DRVI": "the authors of DRVI: scores of single classes",
    "lsbd-vae": "the authors of D_LSBD",
}

INTRODUCTION = """# Agreement with other implementations

Every metric with recorded numbers agrees with the public implementations on the same inputs, or the difference is explained
with both numbers. What could not be reproduced has a row that says why. [Twelve names](#without-a-peer) have no recorded number.

The inputs are 16 codes (`p01` to `p16`), from perfect ones to noise. Among them are constant, copied, merged and rotated
latents, labels with gaps, few latents, 50,000 rows and a Gaussian posterior. Nine further implementations have 34 more
(`pg_...`): sweeps of noise and mixing, rare classes, hierarchies, circles and linear maps. The numbers of the peers were
recorded once in `tests/data/reference`, `reference2` and `cebra`, whose READMEs say how. The tests hold the code to these numbers. This
page is made from the same comparisons:

```
python -m tests.agreement.page           # --slow: also what takes minutes
```

- *Largest deviation* is that over all records and all numbers compared.
- *Of tolerance* is the largest share of what is allowed for that very number. A recorded standard deviation, say, differs
  between cases. Above 1 it would be a disagreement.
- Numbers of a peer that are one of its defects are not compared. They are
  [explained](#defects-of-the-peers-with-both-numbers) one by one.

"""


WITHOUT_PEER = (
    *("active_units", "sufficiency", "minimality", "med", "dmig", "xmig", "dlig", "dhsic", "omes"),
    *("unibound", "dci_es", "udr"),
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--slow", action="store_true", help="measure also what takes minutes")
    parser.add_argument("--only", default="", metavar="TEXT", help="comparisons whose name has this text")
    parser.add_argument("--render", action="store_true", help="write the page from what was measured before")
    arguments = parser.parse_args()
    found = load() if DATA.exists() else {"comparisons": {}, "explanations": {}, "protocols": {}}
    if not arguments.render:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            remeasure(found, slow=arguments.slow, only=arguments.only)
    PAGE.write_text(render(found), encoding="utf-8")


def load() -> dict[str, Any]:
    """What was measured."""
    return dict(json.loads(DATA.read_text(encoding="utf-8")))


def remeasure(found: dict[str, Any], *, slow: bool, only: str) -> None:
    """Measure, and save after each comparison, so that an interrupted run loses little."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    console = Console(stderr=True)
    chosen = [comparison for comparison in COMPARISONS if only in comparison.name]
    for comparison in track(chosen, "comparing", console=console):
        rows = found["comparisons"].setdefault(key(comparison), {})
        for name, (case, record) in comparison.records().items():
            if comparison.is_slow(case) and not slow:
                continue
            result = measure(comparison, case, record)
            rows[name] = {
                "numbers": result.numbers,
                "deviation": float(f"{result.deviation:.2e}"),
                "share": float(f"{result.share:.2e}"),
                "undefined": result.undefined,
                "measured": today,
            }
        save(found)
    protocols = found.setdefault("protocols", {})
    for called in track([c for c in CALLED if only in c.name], "calling", console=console):
        measure_called(called, protocols.setdefault(called.name, {}), slow=slow, today=today)
        save(found)
    if not only or only == "MIG-sups":
        found["mig_sups"] = mig_sups.measured()
        save(found)
    explanations = [entry for entry in (*DEFECTS, *CHOICES) if only in entry.title]
    for entry in track(explanations, "explaining", console=console):
        found["explanations"][entry.title] = [
            [line.case, line.what, shown(line.ours), shown(line.theirs)] for line in entry.lines()
        ]
        save(found)


def save(found: dict[str, Any]) -> None:
    DATA.parent.mkdir(parents=True, exist_ok=True)
    DATA.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def key(comparison: Comparison) -> str:
    """Names a comparison in the data."""
    return f"{comparison.name}: {comparison.what}"


def render(found: dict[str, Any]) -> str:
    """The page. Only words and layout are made here; numbers come from what was measured."""
    parts = [INTRODUCTION, "| peer | who |\n|---|---|\n"]
    parts += [f"| {peer} | {who} |\n" for peer, who in PEERS.items()]
    parts.append(summary(found))
    parts.append(mig_sups.section(found["mig_sups"]))
    parts.append(section(found.get("protocols", {})))
    parts.append("\n## Peer by peer, metric by metric\n")
    peers = list(dict.fromkeys(peer for peer, _ in pairs_recorded()))
    for peer in peers:
        parts.append(
            f"\n### {peer}\n\n| metric | compared | our call | records | numbers | largest deviation "
            "| of tolerance | tolerance | status |\n" + "|---" * 9 + "|\n"
        )
        for metric in dict.fromkeys(metric for name, metric in pairs_recorded() if name == peer):
            parts += [row(c, found) for c in COMPARISONS if (c.peer, c.metric) == (peer, metric)]
            parts += [
                unreproduced(u, metric)
                for u in UNREPRODUCED
                if u.peer == peer and (u.metric == metric or metric in u.metric.split(", "))
            ]
    parts.append(
        "\nHow close the default learner of DCI comes to the published one is a page of its own: "
        "[boosted trees](agreement_boosted_trees.md).\n"
    )
    parts.append(slow_ones(found))
    parts.append(
        "\n## Defects of the peers, with both numbers\n\nOurs are the right ones, for the reasons given.\n"
    )
    parts += [explained(entry, found) for entry in DEFECTS]
    parts.append(
        "\n## Same name, another quantity\n\nNobody is wrong here, but the numbers cannot be compared. Ours are "
        "those of the default protocol. Each of these peers' forms is compared in the tables above, under the "
        "call that gives it.\n"
    )
    parts += [explained(entry, found) for entry in CHOICES]
    parts.append(
        "\n## Without a peer\n\nNo number of a public implementation was recorded for these: "
        f"{', '.join(f'`{name}`' for name in WITHOUT_PEER)}. Their tests hold them to values calculated by hand and to "
        "other ways of computing the formula of their paper.\n"
    )
    return "".join(parts)


def summary(found: dict[str, Any]) -> str:
    """For each peer: which of its metrics a call of ours gives, and which not."""
    lines = [
        "\n## In short\n\nEach peer's metrics. A metric can stand in both columns: one form of it is reproduced, "
        "another not.\n\n| peer | a call of ours gives its number | not reproduced |\n|---|---|---|\n"
    ]
    for peer in dict.fromkeys(peer for peer, _ in pairs_recorded()):
        compared = [c for c in COMPARISONS if c.peer == peer]
        agreeing = dict.fromkeys(c.metric for c in compared if status(c, found).startswith("agrees"))
        metrics = dict.fromkeys(metric for name, metric in pairs_recorded() if name == peer)
        left = [metric for metric in metrics if metric not in agreeing]
        partly = {u.metric: u.what for u in UNREPRODUCED if u.peer == peer and u.metric in agreeing}
        left += [f"{metric}: {what}" for metric, what in partly.items()]
        lines.append(f"| {peer} | {named(agreeing)} | {named(left)} |\n")
    return "".join(lines)


def named(metrics: Iterable[str]) -> str:
    return "; ".join(metric.replace("|", "\\|") for metric in metrics) or "–"


def row(comparison: Comparison, found: dict[str, Any]) -> str:
    results = found["comparisons"].get(key(comparison), {})
    total = len(comparison.records())
    measured = f"{len(results)}" if len(results) == total else f"{len(results)} of {total}"
    name = comparison.metric + (f" ({comparison.parameters})" if comparison.parameters else "")
    cells = [name.replace("|", "\\|"), comparison.what, comparison.call, measured]
    if results:
        numbers = sum(result["numbers"] for result in results.values())
        deviation = max(result["deviation"] for result in results.values())
        share = max(result["share"] for result in results.values())
        cells += [f"{numbers:,}", f"{deviation:.1e}", f"{share:.2g}"]
    else:
        cells += ["", "", ""]
    cells += [comparison.tolerance, status(comparison, found)]
    return f"| {' | '.join(cells)} |\n"


def status(comparison: Comparison, found: dict[str, Any]) -> str:
    results = found["comparisons"].get(key(comparison), {})
    if not results:
        return "not measured here"
    if max(result["share"] for result in results.values()) > 1:
        return "**disagrees**"
    left = ", ".join(comparison.explained)
    return f"agrees; {left} explained" if left else "agrees"


def unreproduced(entry: Unreproduced, metric: str) -> str:
    metric = metric.replace("|", "\\|")
    return f"| {metric} | {entry.what} | none |  |  |  |  |  | not reproduced: {entry.why} |\n"


def slow_ones(found: dict[str, Any]) -> str:
    """Which comparisons only --slow measures, and when that was last done."""
    lines = ["\n### Measured only with `--slow`\n\n| comparison | cases | last measured |\n|---|---|---|\n"]
    for comparison in COMPARISONS:
        by_date: dict[str, list[str]] = {}
        for name, (case, _) in comparison.records().items():
            if comparison.is_slow(case):
                result = found["comparisons"].get(key(comparison), {}).get(name)
                by_date.setdefault(result["measured"] if result else "not yet", []).append(short(case))
        for date, cases in by_date.items():
            lines.append(f"| {comparison.name} | {', '.join(dict.fromkeys(cases))} | {date} |\n")
    return "".join(lines)


def explained(entry: Explanation, found: dict[str, Any]) -> str:
    about = ", ".join(dict.fromkeys(peer for peer, _ in entry.about))
    table = "".join(f"| {' | '.join(line)} |\n" for line in found["explanations"].get(entry.title, []))
    return (
        f"\n### {entry.title}\n\n{entry.text} ({about})\n\n"
        f"| case | number | ours | theirs |\n|---|---|---|---|\n{table}"
    )


if __name__ == "__main__":
    main()
