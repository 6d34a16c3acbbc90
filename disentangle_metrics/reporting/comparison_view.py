"""The plain content of a comparison; every rendering shows this."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from disentangle_metrics.reporting.view import (
    LOWER,
    NOTHING,
    SIZE,
    Emphasis,
    Group,
    Line,
    Remark,
    View,
    bounds,
    factor_count,
    in_groups,
    lower_is_better,
    number,
    probability,
    with_arrow,
)
from disentangle_metrics.text import listed

if TYPE_CHECKING:
    from disentangle_metrics.comparison.comparison import ComparedScore, Comparison, Difference

ABOUT = {  # what an interval by each method is about
    "same rows": "Resamples of the rows that both scored: the difference on other samples of the data.",
    "other rows": "Resamples of the rows, which differ: the difference on other samples of the data.",
    "votes": "Votes (factor_vae, beta_vae, z_max_variance): the difference with more votes on these rows.",
    "paired runs": "Paired runs: the difference of the means over many training runs.",
    "runs": "Runs: the difference of the means over many training runs.",
}
MOST_PAIRS = 4  # named of those without a test
ONE_RUN = (
    "Each is one trained model: an interval over rows says nothing of another training run. Pass several "
    "runs of each to compare methods."
)


def comparison_view(comparison: Comparison, *, brief: bool = False) -> View[Line]:
    """The content of a comparison; `brief` leaves the headline scores alone.

    Of two representations it has a column for each and their difference; of more, a column for each.
    """
    pair = len(comparison.names) == 2
    with_p = any(d.p is not None for d in comparison.differences)
    reflected = any(d.method in ("same rows", "other rows") for d in comparison.differences)
    columns = [*comparison.names]
    if pair:
        columns.append("difference")
        if with_p:
            columns += ["corrected"] if reflected else []
            columns += [f"{100 * comparison.confidence:g}% interval", "p"]
    groups = tuple(
        Group(title, tuple(_line(comparison, score, title, columns) for score in scores))
        for title, scores in in_groups(list(comparison.scores.values()), brief=brief)
    )
    shown = [comparison[line.key] for group in groups for line in group.rows]
    first, second = comparison.names[:2]
    legend = [f"{LOWER} Lower is better; elsewhere higher is."] if any(map(lower_is_better, shown)) else []
    if any(runs > 1 for runs in comparison.runs.values()):
        legend.append("Scores are means over runs ± their standard deviation.")
        present = {sum(map(math.isfinite, runs)) / len(runs) for s in shown for runs in s.values.values()}
        if present - {0, 1}:
            legend.append("Runs without a value are left out.")
    if pair:
        legend.append(f"Difference: {second} minus {first}.")
    if pair and reflected and with_p:
        legend.append("Corrected: the difference less its bias of few rows. The interval is around it.")
    if pair and sum(d.p is not None for d in comparison.differences) > 1:
        legend.append("The interval is of each difference alone; p is corrected for all tests.")
    used = dict.fromkeys(d.method for score in shown for d in score.differences if d.method)
    return View(
        tuple(columns),
        groups,
        tuple(_remarks(comparison, shown)),
        _facts(comparison),
        (*legend, *(ABOUT[method] for method in used)),
        answer=tuple(answers(comparison)),
        convention=_convention(comparison, shown),
        title=f"{listed(comparison.names)} compared",
        several=not pair,
    )


def answers(comparison: Comparison) -> Iterator[str]:
    """Which is better, in plain sentences: of how many scores, by how many tests."""
    scores = [score for score in comparison.scores.values() if score.property != SIZE]
    tested = sum(d.p is not None for d in comparison.differences)
    if not tested:
        yield "Nothing could be tested, so the differences below may be chance."
        return
    yield _of_two(comparison, scores) if len(comparison.names) == 2 else _of_many(comparison, scores)


def _of_two(comparison: Comparison, scores: Sequence[ComparedScore]) -> str:
    """Which of two is better in how many scores."""
    differences = [(score, score.differences[0]) for score in scores]
    winners = [score.better(d, comparison.level) for score, d in differences]
    wins = {name: winners.count(name) for name in comparison.names}
    untested = sum(d.p is None for _, d in differences)
    undecided = len(scores) - untested - sum(wins.values())
    one, other = comparison.names
    rest = []
    if not sum(wins.values()):
        text = f"None of {len(scores)} scores tells {one} and {other} apart"
        undecided = 0  # which the sentence says
    elif wins[one] == wins[other]:
        text = f"{one} and {other} are each better in {wins[one]} of {len(scores)} scores"
    else:
        behind, ahead = sorted(wins, key=wins.__getitem__)
        text = f"{ahead} is better than {behind} in {wins[ahead]} of {len(scores)} scores"
        rest += [f"{behind} in {wins[behind]}"] if wins[behind] else []
    rest += [f"{undecided} {'does' if undecided == 1 else 'do'} not tell them apart"] if undecided else []
    rest += [f"{untested} could not be tested"] if untested else []
    return f"{text}; {', '.join(rest)}." if rest else f"{text}."


def _of_many(comparison: Comparison, scores: Sequence[ComparedScore]) -> str:
    """How often each is the best, or not told from it."""
    level = comparison.level
    counts = {
        name: sum(name in score.best(level) or name in score.not_worse(level) for score in scores)
        for name in comparison.names
    }
    first, *others = sorted(counts, key=lambda name: -counts[name])
    told = [f"{first} in {counts[first]} of {len(scores)} scores", *(f"{n} in {counts[n]}" for n in others)]
    return f"Best, or not significantly worse than the best: {', '.join(told)}."


def _line(comparison: Comparison, score: ComparedScore, title: str, columns: Sequence[str]) -> Line:
    level = comparison.level
    means, best, equal = score.means(), score.best(level), score.not_worse(level)
    cells = [_value(score, name, means[name]) for name in comparison.names]
    emphasis: list[Emphasis] = [
        "best" if name in best else "not worse" if name in equal else "" for name in comparison.names
    ]
    if len(comparison.names) == 2:
        (d,) = score.differences
        cells.append(_signed(d.value))
        if "corrected" in columns:
            cells.append(NOTHING if d.corrected is None else _signed(d.corrected))
        if "p" in columns:
            cells += [bounds(d.interval), probability(d.p_holm, level)]
    plain: list[Emphasis] = [""] * (len(cells) - len(emphasis))
    label = score.key + (f" ({score.property})" if title == "headline" and score.property else "")
    return Line(
        score.key,
        with_arrow(label, score),
        tuple(cells),
        (*emphasis, *plain),
    )


def _value(score: ComparedScore, name: str, mean: float) -> str:
    present = [value for value in score.values[name] if not math.isnan(value)]
    if len(score.values[name]) == 1 or len(present) < 2:
        return number(mean)
    variance = sum((value - mean) ** 2 for value in present) / (len(present) - 1)
    return f"{number(mean)} ± {number(math.sqrt(variance))}"


def _signed(value: float) -> str:
    return f"{value:+z.3f}" if not math.isnan(value) else number(value)


def _facts(comparison: Comparison) -> str:
    shapes = list(comparison.shape.values())
    rows = dict.fromkeys(f"{shape[0]:,}" for shape in shapes)
    tests = sum(d.p is not None for d in comparison.differences)
    counts = dict.fromkeys(comparison.runs.values())
    runs = " or ".join(map(str, counts))
    parts = [f"{comparison.dataset}: " if comparison.dataset else "", f"{' or '.join(rows)} rows"]
    return (
        f"{''.join(parts)}, {factor_count(shapes[0][2])}; {runs} {'run' if runs == '1' else 'runs'} of each; "
        f"{tests} {'test' if tests == 1 else 'tests'}"
    )


def _convention(comparison: Comparison, shown: Sequence[ComparedScore]) -> str:
    level = comparison.level
    if not any(score.best(level) for score in shown):
        return ""
    passed_over = any(score.best(level) != score.best(0) for score in shown)
    text = "{best}: the best score" + (
        " that no other is significantly better than. " if passed_over else ". "
    )
    if any(d.p is not None for score in shown for d in score.differences):
        tests = sum(d.p is not None for d in comparison.differences)
        corrected = f", with Holm's correction for {tests} tests" if tests > 1 else ""
        text += f"{{not_worse}}: not significantly worse than the best (p of {level:g} or more{corrected})."
    return text.strip()


def _remarks(comparison: Comparison, shown: Sequence[ComparedScore]) -> Iterator[Remark]:
    if all(runs == 1 for runs in comparison.runs.values()):
        yield Remark(ONE_RUN, "note")
    latents = {name: shape[1] for name, shape in comparison.shape.items()}
    if len(set(latents.values())) > 1:
        told = listed([f"{name} {count}" for name, count in latents.items()])
        signatures = (line for score in shown for line in score.signatures.values())
        what = "units of latents" if any("|groups:" in line for line in signatures) else "latents"
        yield Remark(f"the numbers of {what} differ: {told}", "note")
    for text in comparison.notes:
        yield Remark(text, "note")
    yield from _left_out_runs(shown)
    yield from _passed_over(comparison, shown)
    if len(comparison.names) > 2:
        yield Remark("every difference, interval and p: `comparison.to_frame()`", "note")
    yield from _untested(comparison, shown)
    alike: dict[str, list[str]] = {}
    for key, reason in comparison.left_out.items():
        alike.setdefault(reason, []).append(key)
    for reason, keys in alike.items():
        yield Remark(f"not compared: {listed(keys)}: {reason}", "missing")


def _untested(comparison: Comparison, shown: Sequence[ComparedScore]) -> Iterator[Remark]:
    """Which scores have no test, and why; with the pairs, where others of a score are tested."""
    reasons: dict[str, list[Difference]] = {}
    for score in shown:
        for difference in score.differences:
            if difference.reason:
                reasons.setdefault(difference.reason, []).append(difference)
    tested = {d.metric for score in shown for d in score.differences if not d.reason}
    for reason, of in reasons.items():
        keys = list(dict.fromkeys(d.metric for d in of))
        told = "any score" if len(keys) == len(comparison) else listed(keys)
        if tested.intersection(keys):
            pairs = list(dict.fromkeys(f"{d.first} and {d.second}" for d in of))
            more = [f"{len(pairs) - MOST_PAIRS} more"] if len(pairs) > MOST_PAIRS else []
            told += f" between {', '.join([*pairs[:MOST_PAIRS], *more])}"
        yield Remark(f"no test of {told}: {reason}", "missing")


def _left_out_runs(shown: Sequence[ComparedScore]) -> Iterator[Remark]:
    """Which differences are of fewer runs than there are."""
    alike: dict[str, list[str]] = {}
    for score in shown:
        for d in score.differences:
            total = len(score.values[d.first]) + len(score.values[d.second])
            if d.method not in ("paired runs", "runs") or d.count == total:
                continue
            of = f"the difference of {d.first} and {d.second} is of {d.count} of their {total} runs"
            text = f"{of}: the others have no value"
            if d.method == "paired runs":
                text = f"{of}: of pairs with a value in both; the scores are means of all runs"
            alike.setdefault(text, []).append(score.key)
    for text, keys in alike.items():
        yield Remark(f"{listed(keys)}: {text}")


def _passed_over(comparison: Comparison, shown: Sequence[ComparedScore]) -> Iterator[Remark]:
    """Where the best score is not the best representation, since a test says otherwise."""
    alike: dict[str, list[str]] = {}
    for score in shown:
        beaten = score.beaten(comparison.level)
        for name in score.best(0):
            if (d := beaten.get(name)) is None:
                continue
            winner = score.better(d, comparison.level)
            why = "in the runs that are paired" if "runs" in d.method else "less the bias of few rows"
            text = f"{name} has the better score, and {winner} is significantly better {why}"
            alike.setdefault(text, []).append(score.key)
    for text, keys in alike.items():
        yield Remark(f"{listed(keys)}: {text}")
