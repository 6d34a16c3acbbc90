"""Write docs/metrics.md: a table of all scores and the card of each metric, as ``dm.describe`` prints it.

    python -m tools.metrics_page

The words are those of the metrics' docstrings; only the layout is made here.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator
from pathlib import Path

import disentangle_metrics as dm
from disentangle_metrics.metrics.cards import ANCHORS, NOTATION, better
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.metrics.definition import MetricDefinition, ScoreDefinition
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.settings import described, setting_text
from tools.made_file import deliver

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"

# From what a score measures to the part of the page; a metric of several of the first three is of the whole code.
GROUPS = {
    "compactness": "Compactness: is each factor held by one latent?",
    "modularity": "Modularity: does each latent hold one factor?",
    "explicitness": "Explicitness: are the factors there, and easy to read?",
    "explicitness of the best latent": "Explicitness: are the factors there, and easy to read?",
    "whole": "The whole code: several properties at once",
    "identifiability": "Recovery and robustness",
    "robustness": "Recovery and robustness",
    "independence": "Independence of the latents, without factors",
    "separability": "Independence of the latents, without factors",
    "size": "Sizes: no quality by themselves",
}
INTERVALS = {"bootstrap": "bootstrap", "subsample": "half samples", "votes": "of votes", "none": "–"}
# What the table says of udr, which compares models and so is no metric of one code.
UDR = "| [`udr`](#udr) | agreement of models | [0, ∞) | higher | {chance} | several models | – | Duan et al. 2020 |\n"

INTRODUCTION = f"""# Metrics

Every score of this package: what it is, when it is blind, what it costs. `dm.describe("mig")` and `dm-eval --explain mig`
print the same text. `python -m tools.metrics_page` makes this page from it.

Notation: {NOTATION}.

- *Chance* is what a code scores that knows nothing of the factors, where no more is said. `dm.score` computes it for your own data.
- *Needs*: latents alone, factors, posteriors (`dm.GaussianPosterior`), or a split into rows to train and to test a predictor on.
- *Interval*: how `confidence=0.95` finds one, at the metric's defaults. With an `estimator` other than "histogram" half samples
  take the place of the bootstrap, as they do for `mcc` of groups or with `cross_fitted=True`.

"""


def sections(documentation: str) -> dict[str, str]:
    """The parts of a docstring by title; what stands before the first title is ""."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", documentation, flags=re.M)
    return {"": parts[0].strip()} | {
        title: text.strip("\n") for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def formulas(documentation: str) -> list[str]:
    """The lines of the definition that stand apart, as formulas do."""
    return [line.strip() for line in sections(documentation)[""].split("\n") if line.startswith("    ")]


def chance(documentation: str, key: str) -> str:
    """The chance level of a score in a few words: the beginning of what its card says."""
    text = sections(documentation)["Chance level"]
    own = re.search(rf"^`{key}`: (.*?)(?=\n`\w+`: |\Z)", text, re.M | re.S)
    words = " ".join((own[1] if own else text).split())
    first = re.split(r"[:;.] |\.$", words)[0]
    return first[0].upper() + first[1:]


def group(definition: MetricDefinition) -> str:
    """The part of the page that a metric belongs to."""
    measured = {score.property for score in definition.scores}
    main = definition.scores[0].property
    whole = " and " in main or len(measured & {"compactness", "modularity", "explicitness"}) > 1
    return GROUPS["whole" if whole else main]


NOT_HERE = """
## Not here

A metric whose definition could not be checked against its source is left out rather than guessed:

- **EDI** (Julka et al. 2024): public code under this name, or close to it, has several formulas that differ, and noise passes
  the one that was tried ([calibration.md](calibration.md), [agreement.md](agreement.md)).
"""


def render() -> str:
    """The page."""
    definitions = [find_metric(name) for name in BUILTIN]
    parts = {
        title: [definition for definition in definitions if group(definition) == title]
        for title in dict.fromkeys(GROUPS.values())
    }
    head = "| score | measures | range | better | chance | needs | interval | source |\n" + "|---" * 8 + "|\n"
    udr = inspect.getdoc(dm.udr) or ""
    return "".join(
        [
            INTRODUCTION,
            head,
            *(line for part in parts.values() for definition in part for line in rows(definition)),
            UDR.format(chance=chance(udr, "udr")),
            *(
                text
                for title, part in parts.items()
                for text in (f"\n## {title}\n", *(card(definition) for definition in part))
            ),
            "\n## Agreement of several models\n",
            f"\n### `udr`\n\n{markdown(udr, 'udr')}\n",
            NOT_HERE,
        ]
    )


def rows(definition: MetricDefinition) -> Iterator[str]:
    """A line of the table for each score."""
    needs = ["factors"] if definition.needs_factors else ["latents"]
    if definition.needs_posterior:
        needs.append("posteriors")
    if "split" in definition.settings:
        needs.append("split" if definition.settings["split"] is not None else "split if asked")
    for score in definition.scores:
        interval = "none" if score.no_interval else definition.interval
        cells = [
            f"[`{score.key}`](#{definition.name})",
            score.property,
            span(score),
            direction(score),
            chance(definition.documentation, score.key),
            ", ".join(needs),
            INTERVALS[interval],
            definition.source,
        ]
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def direction(score: ScoreDefinition) -> str:
    """Which values are better; a size has no such direction."""
    return "–" if score.property == "size" else better(score).split()[0]


def span(score: ScoreDefinition) -> str:
    """The range, open where it is infinite."""
    low, high = score.range
    left = "(-∞" if math.isinf(low) else f"[{low:g}"
    return f"{left}, ∞)" if math.isinf(high) else f"{left}, {high:g}]"


def card(definition: MetricDefinition) -> str:
    """One metric."""
    scores = "; ".join(
        f"`{score.key}` ({score.property}, {span(score)}, {better(score)})" for score in definition.scores
    )
    return (
        f"\n### `{definition.name}`\n\n{markdown(definition.documentation, definition.name)}\n\n"
        f"**Scores.** {scores}. Reads: {definition.relation}. Chance and ceiling: {ANCHORS[definition.anchors]}. "
        f"Definition version {definition.version}.\n{settings(definition)}"
    )


def settings(definition: MetricDefinition) -> str:
    """Each setting with its default and what it may be."""
    lines = [
        f"| `{name}` | `{setting_text(default)}` | {described(definition.types[name]) if name in definition.types else ''} |\n"
        for name, default in definition.settings.items()
    ]
    return "\n| setting | default | what it may be |\n|---|---|---|\n" + "".join(lines) if lines else ""


def markdown(documentation: str, name: str) -> str:
    """A docstring as Markdown: formulas fenced, settings and scores as lists, metrics linked."""
    parts = sections(documentation)
    parts.pop("Examples", None)
    summary, _, rest = parts.pop("").partition("\n\n")
    text = [f"**{summary}**", fenced(rest)]
    for title, body in parts.items():
        if title == "Parameters":
            text.append(f"**Settings**\n\n{listed(body)}")
        elif body.startswith("`") and re.match(r"`\w+`: ", body):
            items = re.sub(r"^(?=`\w+`: )", "- ", body, flags=re.M)
            text.append(f"**{title}**\n\n{items}")
        elif re.match(r"\w+\n    ", body):
            text.append(f"**{title}**\n\n{listed(body)}")
        else:
            text.append(f"**{title}.** {body}")
    return linked("\n\n".join(part for part in text if part), name)


def fenced(text: str) -> str:
    """Indented lines as fenced blocks."""
    return re.sub(
        r"(?:^    .*\n?)+",
        lambda block: f"```text\n{inspect.cleandoc(block[0])}\n```\n" if block[0].strip() else block[0],
        text,
        flags=re.M,
    ).strip()


def listed(text: str) -> str:
    """The settings, each with its text."""
    items = re.findall(r"^(\S.*)\n((?:^(?: {4}.*)?\n?)+)", f"{text}\n", flags=re.M)
    return "\n".join(
        f"- {', '.join(f'`{name}`' for name in names.split(', '))}: {' '.join(body.split())}"
        for names, body in items
    )


def linked(text: str, name: str) -> str:
    """The names of other metrics as links to their cards."""
    others = [other for other in BUILTIN if other != name]
    return re.sub(rf"(?<!`)`({'|'.join(others)})`(?!`)", r"[`\1`](#\1)", text)


if __name__ == "__main__":
    deliver(PAGE, render())
