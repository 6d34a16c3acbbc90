"""Scores over the steps of a training run, with the chance level of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from disentangle_metrics.errors import InputError
from disentangle_metrics.plot.style import COLUMN, SERIES, figure_of, is_report, picture, styled
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.ranks import first_scores
from disentangle_metrics.reporting.view import by_property, with_arrow

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Report, Score

HIGH, SPARE = 1.15, 0.3  # inches of a panel, and for the label of the steps
MANY = 3  # panels that stand in one column


def steps(
    reports: Mapping[int, Report], *, metrics: Iterable[str] | None = None, axes: Sequence[Axes] | None = None
) -> Figure:
    """Scores over steps, those of one property in one panel; the dashed line is chance.

    Scores that end at 1 share one scale. Each other score has a panel of its own.

    Parameters
    ----------
    reports : Tracker, or mapping from step to Report
        What was scored.
    metrics : iterable of str, optional
        Keys of scores; by default all that have a value at some step.
    axes : sequence of Axes, optional
        Where to draw, one for each panel.

    Returns
    -------
    Figure

    Raises
    ------
    InputError
        If there is nothing to draw, a score is unknown, or `axes` are too few.
    """
    if not isinstance(reports, Mapping) or not all(is_report(report) for report in reports.values()):
        raise InputError("`reports` must be a Tracker or a mapping from steps to reports")
    scores = first_scores({str(step): report for step, report in reports.items()})
    if metrics is not None:
        wanted = [metrics] if isinstance(metrics, str) else list(metrics)
        for key in wanted:
            if key not in scores:
                raise InputError(f"`metrics`: no step has a score {key!r}; there are {', '.join(scores)}")
        scores = {key: scores[key] for key in wanted}
    if all(isinstance(step, Real) for step in reports):
        reports = dict(sorted(reports.items()))
    panels = _panels([score for score in scores.values() if not math.isnan(score.value)])
    if not panels:
        raise InputError("there is no score with a value to draw; log some steps first")
    if axes is not None and len(axes) < len(panels):
        raise InputError(f"`axes` must be {len(panels)}, one for each panel, got {len(axes)}")
    with styled():
        if axes is None:
            wide = 1 if len(panels) <= MANY else 2
            high = math.ceil(len(panels) / wide)
            grid = picture(HIGH * high + SPARE, COLUMN * wide).subplots(
                high, wide, squeeze=False, sharex=True
            )
            axes = list(grid.ravel())
            for empty in axes[len(panels) :]:
                empty.set_visible(False)
            for panel in axes[max(0, len(panels) - wide) : len(panels)]:
                panel.set_xlabel("step (dashed: chance)" if _has_chance(panels) else "step")
                panel.tick_params(labelbottom=True)
        for panel, (title, members) in zip(axes, panels, strict=False):
            _draw(panel, reports, title, members)
    return figure_of(axes[0])


def _panels(scores: Sequence[Score]) -> list[tuple[str, list[Score]]]:
    """The scores that end at 1 by property, up to as many as there are marks; then each other by itself."""
    panels = []
    for title, members in by_property(score for score in scores if score.range[1] == 1.0):
        panels += [
            (title, members[start : start + len(SERIES)]) for start in range(0, len(members), len(SERIES))
        ]
    others = [
        score for _, members in by_property(s for s in scores if s.range[1] != 1.0) for score in members
    ]
    return [*panels, *((score.property or "other", [score]) for score in others)]


def _draw(axes: Axes, reports: Mapping[int, Report], title: str, members: Sequence[Score]) -> None:
    for score, (colour, mark) in zip(members, SERIES, strict=False):
        found = {step: report[score.key] for step, report in reports.items() if score.key in report}
        at = list(found)
        every = max(1, len(at) // 12)
        label = with_arrow(paper_name(score.key), score)
        values = [of.value for of in found.values()]
        axes.plot(at, values, marker=mark, markersize=2.6, markevery=every, color=colour, label=label)
        if any(of.interval for of in found.values()):
            low, high = zip(*(of.interval or (math.nan, math.nan) for of in found.values()), strict=True)
            axes.fill_between(at, low, high, color=colour, alpha=0.25, linewidth=0)
        chance = [math.nan if of.chance is None else of.chance for of in found.values()]
        if not np.isnan(chance).all():
            axes.plot(at, chance, color=colour, linewidth=0.7, linestyle=(0, (3, 2)))
    if members[0].range[1] == 1.0:
        lowest = min((float(v) for line in axes.get_lines() for v in np.asarray(line.get_ydata())
                      if math.isfinite(v)), default=0.0)  # fmt: skip
        axes.set_ylim(min(-0.03, lowest - 0.03), 1.03)
    axes.set_title(title, loc="left", style="italic")
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.0, 1.05), handlelength=1.4, labelspacing=0.25, borderaxespad=0.2
    )


def _has_chance(panels: Sequence[tuple[str, Sequence[Score]]]) -> bool:
    return any(score.chance is not None for _, members in panels for score in members)
