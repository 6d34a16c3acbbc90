"""Where a score stands: the same metrics with the link to the factors broken, and with a perfect code.

Chance is the mean of the scores over 5 permutations of the rows of the factors against the latents.
The factors are permuted together, so that whatever they have to do with each other stays. The ceiling is
the score of the factors themselves used as the code: ordinal codes for categories. Settings about latents
(`assignment`, `active`) then name the columns of this code. Metrics from elsewhere may pair latent k with
factor k, so their code has a column for constant factors too. More permutations give each score a p against
chance.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.inputs.declared import Declared
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.definition import Direction, MetricValue
from disentangle_metrics.reporting.view import NEAR_CHANCE
from disentangle_metrics.scoring.binding import Request

PERMUTATIONS = 5
ROUNDING = 1e-12  # of a score: scores that differ by less are as good as each other
NOISELESS = 1e-8  # deviation of a posterior that is as good as a point
LEAST_SCORES = 3  # that say something of the rows together
MOST_SCORES = 0.8  # of them: modularity of noise strays further from its chance than others
ASIDE = 0.0123  # off the prior's mean: an edge of bins lies there, where a posterior is halved in two bins


def permuted(inputs: Inputs, seed: int, count: int = PERMUTATIONS) -> Iterator[Inputs]:
    """The input with the rows of its factors permuted against the latents, `count` times."""
    rng = np.random.default_rng([seed, *b"chance"])
    for _ in range(count):
        yield inputs.shuffled(rng.permutation(inputs.shape[0]))


def ideals(requests: Sequence[Request], inputs: Inputs) -> Iterator[tuple[list[Request], Inputs]]:
    """The codes whose scores are ceilings, each with the requests that read it; one for most inputs.

    Metrics from elsewhere may pair latent k with factor k, so theirs has a column for constant factors.
    Where `limits` say in which places bins lie, circles are turned into them. Elsewhere they start where they
    did, so that their cosine and sine are those of the factors. Only rows that have a value of
    every factor are such a code; NotApplicable is raised if there is none.
    """
    complete = inputs.complete()
    constant = not all(factor.varies for factor in complete.factors)
    circles = inputs.logvar is not None and any(factor.period is not None for factor in complete.factors)
    readers: dict[tuple[bool, bool], list[Request]] = {}
    for request in of_ideal(requests, complete.factors):
        elsewhere = request.name not in METRICS.builtin
        code = constant and elsewhere, circles and "limits" in request.settings
        readers.setdefault(code, []).append(request)
    for (whole, turned), some in readers.items():
        yield some, ideal(complete, whole=whole, turned=turned)


def ideal(inputs: Inputs, *, whole: bool = False, turned: bool = False) -> Inputs:
    """The factors themselves as the code: ordinal codes for categories, values otherwise.

    Factors of one value have a column if it is `whole`. Where posteriors were given they are posteriors
    almost without noise, with deviation 1 and almost the mean of their prior: thresholds on their variance
    have a meaning, and so have bins in fixed places. Circles have this mean only if they are `turned`.
    """
    coded = [factor for factor in inputs.factors if factor.varies or whole] or inputs.factors
    columns = [_column_of_code(factor) for factor in coded]
    latents = np.stack([np.asarray(column, dtype=np.float64) for column in columns], axis=1)
    logvar, unit = None, np.ones(len(coded))
    if inputs.logvar is not None:
        deviation = latents.std(axis=0)
        unit = np.where(deviation > 0, deviation, 1.0)
        moved = np.array([turned or factor.period is None for factor in coded])
        latents -= np.where(moved, latents.mean(axis=0) - ASIDE * unit, 0.0)
        latents /= unit
        logvar = np.full(latents.shape, 2 * np.log(NOISELESS))
    return replace(
        inputs,
        latents=latents,
        logvar=logvar,
        latent_names=tuple(factor.name for factor in coded),
        latent_types=_types_of_code(coded, unit),
        on_device=None,
        groups=(),
        column_names=(),
    )


def of_ideal(requests: Iterable[Request], factors: Sequence[Factor]) -> list[Request]:
    """The requests with what their settings say of latents said of the columns of factors that vary.

    The latent assigned to a factor is the factor's own column. Every column is active: a threshold on
    latents means nothing in the units of factors.
    """
    columns = np.cumsum([factor.varies for factor in factors]) - 1
    own = tuple(np.maximum(columns, 0).tolist())  # no metric reads that of a factor of one value
    changed = []
    for request in requests:
        settings = dict(request.settings)
        if request.name in METRICS.builtin:
            if settings.get("assignment") is not None:
                settings["assignment"] = own
            if settings.get("active") is not None:
                settings["active"] = "varying"
        changed.append(replace(request, settings=settings))
    return changed


def _column_of_code(factor: Factor) -> NDArray[Any]:
    if factor.kind == "circular":  # in its own units, of which its period is one
        return factor.given_numbers()
    return factor.as_numbers() if factor.codes is None else factor.codes


def _types_of_code(factors: Sequence[Factor], unit: NDArray[np.float64]) -> tuple[Declared | None, ...]:
    """What the factors are as latents in these units (K,): those that go round stay so."""
    return tuple(
        None if factor.period is None else Declared("circular", factor.period / float(scale))
        for factor, scale in zip(factors, unit, strict=True)
    )


def mean_scores(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each score over the runs in which it has a value."""
    return {key: _mean([scores[key] for scores in runs]) for key in (runs[0] if runs else ())}


def p_values(
    values: Mapping[str, MetricValue],
    runs: Sequence[Mapping[str, float]],
    directions: Mapping[str, Direction],
) -> dict[str, float]:
    """Of each score, the share of permutations that score as well, the identity among them.

    This p is valid for any number of rows and any metric, if the rows are independent. It is at least 1 /
    (permutations + 1).

    Parameters
    ----------
    values
        The scores of the rows as they are.
    runs
        The scores of each permutation, by key.
    directions
        "up" or "down" for each score that has a p.

    References
    ----------
    Phipson, Smyth. Permutation p-values should never be zero. Statistical Applications in Genetics and
    Molecular Biology 2010.
    """
    shares = {}
    for key, direction in directions.items():
        sign = 1 if direction == "up" else -1
        drawn = [sign * run[key] for run in runs if not math.isnan(run[key])]
        own = sign * values[key].value
        if drawn and not math.isnan(own):
            as_good = sum(score >= own - ROUNDING * max(1.0, abs(own)) for score in drawn)
            shares[key] = (1 + as_good) / (1 + len(drawn))
    return shares


def _mean(values: list[float]) -> float:
    present = [value for value in values if not math.isnan(value)]
    return math.fsum(present) / len(present) if present else math.nan


def at_chance(
    values: Mapping[str, MetricValue],
    chance: Mapping[str, float],
    ceiling: Mapping[str, float],
    of_unordered: Collection[str],
) -> Iterator[Check]:
    """Scores that are no better than those of rows that were shuffled; all of them means something else.

    Scores `of_unordered` factors are at chance for want of an order. They alone say nothing of the rows.
    """
    shares = {
        key: share_above_chance(values[key].value, chance[key], ceiling.get(key, math.nan)) for key in chance
    }
    comparable = {key: share for key, share in shares.items() if not math.isnan(share)}
    near = [key for key, share in comparable.items() if abs(share) <= NEAR_CHANCE]
    telling = [key for key in comparable if key not in of_unordered]
    if (
        len(comparable) >= LEAST_SCORES
        and len(near) >= MOST_SCORES * len(comparable)
        and telling
        and len(set(telling) & set(near)) >= MOST_SCORES * len(telling)
    ):
        yield Check(
            "rows_unrelated",
            f"{len(near)} of {len(comparable)} scores are at their chance level",
            "check that row i of latents and row i of factors are the same sample",
            numbers={"scores": len(comparable)},
        )
        return
    for key in near:
        numbers = {"value": values[key].value, "chance": chance[key]}
        text = f"{key} {values[key].value:.3f} is at its chance level {chance[key]:.3f}"
        yield Check("at_chance", text, "", key, numbers)


def share_above_chance(value: float, chance: float, ceiling: float) -> float:
    """How far a score is on the way from its chance level (0) to its ceiling (1); NaN if there is none."""
    way = ceiling - chance
    return (value - chance) / way if way and not math.isnan(way) else math.nan
