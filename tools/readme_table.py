"""Write the table of metrics in README.md, between its two marks, from the metrics' definitions.

Run ``python -m tools.readme_table`` after adding a metric, or changing what one says of its scores.
"""

from __future__ import annotations

import re
from pathlib import Path

from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.catalogue import BUILTIN
from tools.made_file import deliver
from tools.metrics_page import direction, span

README = Path(__file__).parents[1] / "README.md"
MARKED = re.compile(r"(?<=<!-- metrics -->\n\n).*?(?=\n<!-- end of metrics -->)", re.S)
HEAD = "| metric | scores | measures | range | better | source |\n|---|---|---|---|---|---|\n"


def row(name: str) -> str:
    """The line of one metric."""
    definition = METRICS.load(name)
    scores = definition.scores
    keys = "same" if definition.keys == (name,) else ", ".join(f"`{key}`" for key in definition.keys)
    cells = [
        f"`{name}`",
        keys,
        ", ".join(dict.fromkeys(score.property for score in scores)),
        ", ".join(dict.fromkeys(map(span, scores))),
        ", ".join(dict.fromkeys(map(direction, scores))),
        definition.source,
    ]
    return f"| {' | '.join(cells)} |\n"


def render(readme: str) -> str:
    """README.md with its table made anew."""
    return MARKED.sub(lambda _: HEAD + "".join(map(row, BUILTIN)), readme)


if __name__ == "__main__":
    deliver(README, render(README.read_text(encoding="utf-8")))
