"""What compare() gives back: each score of all representations, and the difference of every two."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.kit.files import also_written
from disentangle_metrics.reporting.comparison_view import comparison_view
from disentangle_metrics.reporting.view import SIZE
from disentangle_metrics.scoring.plain_values import plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from rich.console import Console

FORMAT = 1  # of the JSON file


@dataclass(frozen=True)
class Difference:
    """The difference of one score between two representations.

    Attributes
    ----------
    metric
        The score's key.
    first, second
        Names of the representations.
    value
        The second one's score minus the first one's; of several runs, of the means. Of paired runs the mean
        over the pairs that have a value in both.
    corrected
        The estimate that the interval is around: `value` less its bias of few rows. None without interval.
    interval
        Confidence interval (low, high); None where there is none, and then `reason` says why.
    p, p_holm
        Two-sided, of no difference; and corrected for all tests of the comparison (Holm).
    method
        What the interval is about: "same rows" or "other rows" (resamples of the rows, paired or not),
        "votes", "paired runs" or "runs". Empty without interval.
    count
        Resamples, votes of both, or runs of both.
    """

    metric: str
    first: str
    second: str
    value: float
    corrected: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_holm: float | None = None
    method: str = ""
    count: int = 0
    reason: str = ""


@dataclass(frozen=True)
class ComparedScore:
    """One score of all representations.

    Attributes
    ----------
    key
        The score's key.
    values
        The score of each run, by the name of the representation.
    differences
        Of every two, in the order of the names.
    direction, property, range
        As in :class:`Score`.
    signatures
        Of the first run of each.
    """

    key: str
    values: Mapping[str, tuple[float, ...]]
    differences: tuple[Difference, ...]
    direction: str
    property: str
    range: tuple[float, float]
    signatures: Mapping[str, str]

    def means(self) -> dict[str, float]:
        """The mean over runs, by name; NaN where no run has a value."""
        present = {
            name: [value for value in runs if not math.isnan(value)] for name, runs in self.values.items()
        }
        return {name: sum(runs) / len(runs) if runs else math.nan for name, runs in present.items()}

    def best(self, level: float) -> tuple[str, ...]:
        """Names of the best, several if they are equal to 12 digits; none of a size or without values.

        One that another is significantly better than, at this level of p, is passed over, although its
        score may be the best: a test takes off the bias of few rows. At level 0 the scores alone count, and
        likewise if every one is beaten by another.
        """
        shown = {name: float(f"{mean:.12g}") for name, mean in self.means().items()}
        means = {name: mean for name, mean in shown.items() if not math.isnan(mean)}
        beaten = self.beaten(level)
        means = {name: mean for name, mean in means.items() if name not in beaten} or means
        if self.property == SIZE or not means:
            return ()
        top = (max if self.direction == "up" else min)(means.values())
        return tuple(name for name, mean in means.items() if mean == top)

    def not_worse(self, level: float) -> tuple[str, ...]:
        """Names of those that are tested against the best, and not significantly worse at this level of p.

        None is there that another one is significantly better than.
        """
        best, beaten = self.best(level), self.beaten(level)
        return tuple(
            other
            for d in self.differences
            if d.p_holm is not None and d.p_holm >= level
            for one, other in ((d.first, d.second), (d.second, d.first))
            if best and one == best[0] and other not in best and other not in beaten
        )

    def beaten(self, level: float) -> dict[str, Difference]:
        """Those that another is significantly better than at this level of p, each with a difference."""
        lost: dict[str, Difference] = {}
        for d in self.differences:
            if winner := self.better(d, level):
                lost.setdefault(d.first if winner == d.second else d.second, d)
        return lost

    def better(self, difference: Difference, level: float) -> str:
        """Which of the two is significantly better at this level of p; empty if neither is."""
        if difference.p_holm is None or difference.p_holm >= level or difference.corrected is None:
            return ""
        up = difference.corrected > 0
        return difference.second if up == (self.direction == "up") else difference.first


@dataclass(frozen=True, repr=False)
class Comparison(Mapping[str, ComparedScore]):
    """Representations compared by each score.

    Attributes
    ----------
    names
        The representations.
    scores
        By key, in the order of the reports.
    confidence
        Nominal coverage of the intervals; a difference is significant if `p_holm` is below 1 - `confidence`.
    runs
        How many training runs of each.
    shape
        (N, D, K) of each: rows, latents, factors.
    left_out
        Keys of the scores that are not compared, and why.
    dataset
        The data set, if the reports know it.
    notes
        What to know of arrays that were scored here. What had failed in a benchmark. Which runs were not
        paired, and why.
    """

    names: tuple[str, ...]
    scores: Mapping[str, ComparedScore]
    confidence: float
    runs: Mapping[str, int] = field(default_factory=dict)
    shape: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    dataset: str = ""
    notes: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> ComparedScore:
        try:
            return self.scores[key]
        except KeyError:
            raise KeyError(f"no score {key!r} in this comparison; it has {', '.join(self.scores)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def level(self) -> float:
        """What p must be below for a difference to be significant."""
        return round(1 - self.confidence, 15)  # 0.05, and not a little more

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every difference of every score."""
        return tuple(difference for score in self.scores.values() for difference in score.differences)

    def to_frame(self) -> pd.DataFrame:
        """One row for each difference: both scores, interval, p, which is better, and how it was tested."""
        import pandas as pd

        rows = []
        for score in self.scores.values():
            means = score.means()
            for d in score.differences:
                low, high = d.interval or (None, None)
                rows.append(
                    {
                        "metric": d.metric,
                        "first": d.first,
                        "second": d.second,
                        "first_value": means[d.first],
                        "second_value": means[d.second],
                        "difference": d.value,
                        "corrected": d.corrected,
                        "low": low,
                        "high": high,
                        "p": d.p,
                        "p_holm": d.p_holm,
                        "better": score.better(d, self.level),
                        "method": d.method,
                        "count": d.count,
                        "reason": d.reason,
                    }
                )
        numbers = ["difference", "corrected", "low", "high", "p", "p_holm"]
        return pd.DataFrame(rows).astype(dict.fromkeys(numbers, float)).set_index("metric")

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain Python values, ready for JSON; NaN becomes None."""
        scores = {
            key: {
                **{name: value for name, value in asdict(score).items() if name != "key"},
                "best": score.best(self.level),
                "not_significantly_worse": score.not_worse(self.level),
            }
            for key, score in self.scores.items()
        }
        own = ("names", "confidence", "runs", "shape", "left_out", "dataset", "notes")
        rest = {name: getattr(self, name) for name in own}
        values: dict[str, Any] = plain({"format": FORMAT, **rest, "scores": scores})
        return values

    def to_json(self, path: str | Path | None = None) -> str:
        """The comparison as JSON text, also written to `path` if given."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        return also_written(text, path)

    def __str__(self) -> str:
        from disentangle_metrics.reporting.terminal import as_text

        return as_text(comparison_view(self))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from disentangle_metrics.reporting.notebook import as_html

        return as_html(comparison_view(self))

    def render(self, console: Console, *, brief: bool = False) -> None:
        """Print the table and the remarks to a rich console; `brief`: the headline scores alone."""
        from disentangle_metrics.reporting.terminal import render

        render(comparison_view(self, brief=brief), console)

    def to_markdown(self, path: str | Path | None = None, *, brief: bool = False) -> str:
        """A Markdown table, also written to `path` if given; needs the extra ``report``."""
        from disentangle_metrics.reporting.tables import as_markdown

        return also_written(as_markdown(comparison_view(self, brief=brief)), path)

    def to_latex(
        self,
        path: str | Path | None = None,
        *,
        brief: bool = False,
        caption: str | None = None,
        label: str = "tab:comparison",
    ) -> str:
        """A LaTeX table, also written to `path` if given; the paper needs booktabs.

        The best score is in bold, what is not significantly worse underlined. `caption` is LaTeX; None says
        what was compared, and this convention.
        """
        from disentangle_metrics.reporting.tables import as_latex

        return also_written(as_latex(comparison_view(self, brief=brief), caption=caption, label=label), path)

    def plot(self, **options: Any) -> Figure:
        """The differences with their intervals; options are those of :func:`.plot.differences`."""
        from disentangle_metrics import plot

        return plot.differences(self, **options)
