"""The plain content of a report or a score: rows in groups, remarks, facts. Every rendering shows this."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from disentangle_metrics.kit.shell_words import in_shell_words
from disentangle_metrics.text import visible

if TYPE_CHECKING:
    from disentangle_metrics.comparison.comparison import ComparedScore
    from disentangle_metrics.reporting.blocks import Block
    from disentangle_metrics.scoring.report import Report, Score

# One score for each question, and those that most papers report. Is a factor in one latent (mig)? Is a
# latent about one factor: by information (mig_sup), by a predictor (dci_disentanglement), by fixing a factor
# (factor_vae)? The three disagree on broken codes. Is the information there at all (dci_informativeness)?
HEADLINE = ("mig", "mig_sup", "dci_disentanglement", "factor_vae", "dci_informativeness")
SIZE = "size"  # of which neither more nor less is better
PROPERTIES = (
    "compactness",
    "modularity",
    "compactness and modularity",
    "explicitness",
    "explicitness of the best latent",
    "identifiability",
    "robustness",
    "separability",
    "independence",
    SIZE,
)
KEPT = "The scores on the resamples are kept, so that `dm.compare` can judge differences."
WITH_P = "p: share of permutations of the factors' rows that score as well."
SMALLEST_P = 0.001  # that a table shows
NEAR_CHANCE = 0.05  # of the way from chance to the ceiling

LOWER, NEAR, NOTHING = "↓", "≈", "–"

Emphasis = Literal["", "best", "not worse"]


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes
    ----------
    key
        The score's key.
    label
        The key, with an arrow if lower is better.
    cells
        Numbers as text, one for each column of the view.
    emphasis
        What to make of each cell; empty if of none.
    """

    key: str
    label: str
    cells: tuple[str, ...]
    emphasis: tuple[Emphasis, ...] = ()

    @property
    def emphasised(self) -> list[tuple[str, Emphasis]]:
        """Each cell with its emphasis."""
        return [
            (cell, self.emphasis[place] if self.emphasis else "") for place, cell in enumerate(self.cells)
        ]


@dataclass(frozen=True, kw_only=True)
class Row(Line):
    """One score of a report.

    Attributes
    ----------
    near_chance
        Whether it is less than a twentieth of the way from chance to the ceiling.
    score
        The score itself.
    """

    near_chance: bool
    score: Score


L = TypeVar("L", bound=Line, covariant=True)


@dataclass(frozen=True)
class Group(Generic[L]):
    """Scores under one title."""

    title: str
    rows: tuple[L, ...]


@dataclass(frozen=True)
class Remark:
    """What to know before believing the scores.

    Attributes
    ----------
    text
        What was found.
    severity
        That of a check ("serious", "warning" or "note"), "remark" for any other warning of a score, and
        "missing" for a score without a value.
    code
        That of a check; empty for a remark.
    remedy
        What to do about it; may be empty.
    """

    text: str
    severity: str = "remark"
    code: str = ""
    remedy: str = ""

    @property
    def line(self) -> str:
        """The remark as one line of plain text."""
        head = {"serious": "!! ", "missing": "- ", "note": "· "}.get(self.severity, "! ")
        code = f" [{self.code}]" if self.code else ""
        return head + "; ".join(filter(None, [self.text, self.remedy])) + code


@dataclass(frozen=True)
class View(Generic[L]):
    """The content of a report, of a score or of a comparison.

    Attributes
    ----------
    columns
        Headers of the numbers.
    groups
        The headline first, then the other scores by what they measure.
    remarks
        Findings, then the reasons of scores without a value.
    facts
        One line: rows, latents, factors, protocol, seed.
    readings
        How each factor was read, one line for all that were read alike.
    legend
        What the signs and columns in use mean, one sentence each.
    notes
        What else to know that a caption need not say.
    answer
        What a reader came for, in plain sentences; they stand above the table.
    convention
        What the emphasis of cells means; {best} and {not_worse} stand for how each rendering shows it.
    title
        What the table is of, for its caption.
    blocks
        Tables below the scores: what each unit of several latents holds.
    several
        Whether each column is a representation, so that a wide table may go on below with the others.
    """

    columns: tuple[str, ...]
    groups: tuple[Group[L], ...]
    remarks: tuple[Remark, ...]
    facts: str
    legend: tuple[str, ...]
    readings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    convention: str = ""
    title: str = "Disentanglement scores"
    blocks: tuple[Block, ...] = ()
    several: bool = False

    def in_shell_words(self) -> View[L]:
        """The same view, whose remarks and notes name options of ``dm-eval`` in place of arguments."""
        remarks = (
            replace(remark, text=in_shell_words(remark.text), remedy=in_shell_words(remark.remedy))
            for remark in self.remarks
        )
        return replace(self, remarks=tuple(remarks), notes=tuple(map(in_shell_words, self.notes)))

    def explained(self, best: str, not_worse: str) -> tuple[str, ...]:
        """The legend, after the convention of the table's emphasis, which is shown so."""
        if not self.convention:
            return self.legend
        return (self.convention.format(best=best, not_worse=not_worse), *self.legend)

    @property
    def rows(self) -> tuple[L, ...]:
        """Every row, in the order of the groups."""
        return tuple(row for group in self.groups for row in group.rows)


def factor_count(count: int) -> str:
    """ "5 factors", "1 factor"."""
    return f"{count} factor{'' if count == 1 else 's'}"


def report_view(report: Report, *, brief: bool = False) -> View[Row]:
    """The content of a report; `brief` leaves the headline scores alone."""
    from disentangle_metrics.reporting import units  # which is made of tables that hold lines of this file

    counts = f"{units.latent_count(report)}, {factor_count(report.shape[2])}"
    facts = f"{report.shape[0]:,} rows, {counts}; protocol {report.protocol}, seed {report.seed}"
    groups = in_groups(list(report.values()), brief=brief)
    view = _view(groups, report.confidence, report_remarks(report), facts)
    notes = [*units.notes(report), report.standing(), KEPT if report.evidence is not None else ""]
    return replace(
        view,
        readings=readings(report),
        notes=tuple(filter(None, notes)),
        blocks=units.unit_blocks(report, brief=brief),
    )


def score_view(score: Score) -> View[Row]:
    """The content of one score."""
    found = re.search(r"\|confidence:(0?\.\d+)(?=\||$)", score.signature)
    confidence = float(found[1]) if found else None
    return _view([(score.property, [score])], confidence, tuple(_remarks((), [score])), score.signature)


def report_remarks(report: Report) -> tuple[Remark, ...]:
    """What to know before believing a report; the one place that decides which findings are shown."""
    checks = [
        Remark(visible(check.message), check.severity, check.code, visible(check.remedy))
        for check in report.checks()
        if check.code != "at_chance"  # the rows of the table say so
    ]
    said = {str(check) for check in report.checks()} | {check.message for check in report.checks()}
    costly = {check.about for check in report.checks() if check.code == "costly"}
    others = _remarks(report.warnings, report.values(), costly)
    return (*checks, *(remark for remark in others if remark.text not in said))


def readings(report: Report) -> tuple[str, ...]:
    """How factors were read, those that were read alike together."""
    alike: dict[str, list[str]] = {}
    for name, text in report.readings.items():
        alike.setdefault(text, []).append(name)
    return tuple(visible(f"{', '.join(names)}: {text}") for text, names in alike.items())


def number(value: float | None) -> str:
    """A number for a table; a dash for what has no value."""
    return NOTHING if value is None or math.isnan(value) else f"{value:z.3f}"


def probability(p: float | None, level: float | None = None) -> str:
    """A p for a table, with as many digits as show on which side of `level`, if there is one, it lies."""
    if p is None:
        return NOTHING
    smallest = SMALLEST_P if level is None else min(SMALLEST_P, level)
    if p < smallest:
        return f"<{smallest:g}"
    if level is None:
        return f"{p:.3f}"
    texts = (f"{p:.{digits}f}" for digits in range(3, 17))
    return next((text for text in texts if (float(text) < level) == (p < level)), f"{p}")


def bounds(interval: tuple[float, float] | None) -> str:
    """An interval for a table."""
    return NOTHING if interval is None else f"[{number(interval[0])}, {number(interval[1])}]"


def near_chance(score: Score) -> bool:
    """Whether a score is less than a twentieth of the way from chance to the ceiling or its range's end.

    No size is: more of it is not better.
    """
    if score.chance is None or math.isnan(score.value) or score.property == SIZE:
        return False
    sign = 1 if score.direction == "up" else -1
    end = score.ceiling
    if end is None:
        end = score.range[1 if score.direction == "up" else 0]
    way, whole = sign * (score.value - score.chance), sign * (end - score.chance)
    return way < NEAR_CHANCE * whole if 0 < whole < math.inf else way <= 0


S = TypeVar("S", bound="Score | ComparedScore")


def in_groups(scores: list[S], *, brief: bool = False) -> list[tuple[str, list[S]]]:
    """Scores under titles: the headline, if there are more scores than that, then the others by property.

    `brief` leaves the headline alone.
    """
    first = _headline(scores, brief=brief)
    grouped = by_property([score for score in scores if score not in first])
    return [("headline", first), *([] if brief else grouped)] if first else grouped


def _headline(scores: list[S], *, brief: bool) -> list[S]:
    """The scores that come first, if there are more than these; else none, or the first of a brief table."""
    if len(scores) <= len(HEADLINE):
        return []
    by_key = {score.key: score for score in scores}
    named = [by_key[key] for key in HEADLINE if key in by_key]
    return named or (scores[: len(HEADLINE)] if brief else [])


def by_property(scores: Iterable[S]) -> list[tuple[str, list[S]]]:
    """The scores by what they measure, in the order of PROPERTIES."""
    groups: dict[str, list[S]] = {property_: [] for property_ in PROPERTIES}
    for score in scores:
        groups.setdefault(score.property, []).append(score)
    return [(title or "other", members) for title, members in groups.items() if members]


def _view(
    groups: list[tuple[str, list[Score]]], confidence: float | None, remarks: tuple[Remark, ...], facts: str
) -> View[Row]:
    scores = [score for _, members in groups for score in members]
    with_interval = confidence is not None
    anchors = [name for name in ("chance", "ceiling") if any(getattr(s, name) is not None for s in scores)]
    with_p = any(score.p is not None for score in scores)
    columns = ["score", *anchors, *(["p"] if with_p else [])]
    if with_interval:
        columns[1:1] = ["corrected", f"{100 * (confidence or 0):g}% interval"]

    def row(score: Score, title: str) -> Row:
        near = near_chance(score)
        cells = [number(score.value)]
        if with_interval:
            cells += [number(score.corrected), bounds(score.interval)]
        for name in anchors:
            cells.append((f"{NEAR} " if near and name == "chance" else "") + number(getattr(score, name)))
        cells += [probability(score.p)] if with_p else []
        label = score.key + (f" ({score.property})" if title == "headline" and score.property else "")
        label = with_arrow(visible(label), score)
        return Row(score.key, label, tuple(cells), near_chance=near, score=score)

    made = tuple(
        Group(visible(title), tuple(row(score, title) for score in members)) for title, members in groups
    )
    lines = legend(
        lower=any(lower_is_better(score) for score in scores),
        near=any(r.near_chance for group in made for r in group.rows),
        interval=with_interval,
    )
    lines += [WITH_P] if with_p else []
    return View(tuple(columns), made, remarks, visible(facts), tuple(lines))


def legend(*, lower: bool, near: bool, interval: bool) -> list[str]:
    """What the signs and columns in use mean, one sentence each."""
    lines = []
    if lower:
        lines.append(f"{LOWER} Lower is better; elsewhere higher is.")
    if near:
        lines.append(
            f"{NEAR} The score is near chance: less than a twentieth of the way from chance to the ceiling."
        )
    if interval:
        lines.append(
            "Corrected: the score less its bias of few rows. The interval is around it, and need not hold "
            "the score."
        )
    return lines


def lower_is_better(score: Score | ComparedScore) -> bool:
    """Whether a lower score is better; of a size neither is."""
    return score.direction == "down" and score.property != SIZE


def with_arrow(label: str, score: Score | ComparedScore) -> str:
    """The label of a score, with a mark if lower is better."""
    return f"{label} {LOWER}" if lower_is_better(score) else label


def _remarks(
    of_input: Iterable[str], scores: Iterable[Score], told: Collection[str] = ()
) -> Iterable[Remark]:
    """Warnings, then why scores have no value, those alike in one; of those `told` a check says it."""
    scores = list(scores)
    texts = dict.fromkeys([*of_input, *(text for score in scores for text in score.warnings)])
    yield from (Remark(visible(text)) for text in texts)
    without: dict[str, list[str]] = {}
    for score in scores:
        if score.reason and score.key not in told:
            without.setdefault(score.reason, []).append(score.key)
    for reason, keys in without.items():
        yield Remark(visible(f"{', '.join(keys)}: {reason}"), "missing")
