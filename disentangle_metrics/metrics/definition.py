"""What a metric is: a pure function of relations, and the facts a reader needs to trust its number."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.settings import texts_of, types_of

Direction = Literal["up", "down"]
Axis = Literal["latents", "factors", "classes"]
Anchor = Literal["cheap", "costly", "none"]
Interval = Literal["bootstrap", "subsample", "votes", "none"]


@dataclass(frozen=True)
class Labelled:
    """An intermediate table of a metric, with the meaning of each axis, e.g. ``("latents", "factors")``.

    `classes` are the names along an axis "classes": the values of all factors, which only the metric knows.
    """

    values: NDArray[Any]
    axes: tuple[Axis, ...]
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VoteCount:
    """A score that is the share of votes that are right, as (right / votes - guess) / (1 - guess)."""

    right: int
    votes: int
    guess: float = 0.0


@dataclass(frozen=True)
class MetricValue:
    """What a metric's function returns for one score.

    `per_factor` has shape (K,) and `per_latent` (D,), with NaN for a factor or a latent that takes
    no part. `details` holds the tables the number was read from, and plain numbers. A NaN `value`
    carries its `reason`. `warnings` are checks with a code, or plain text. `vote_count` is what a score of
    votes counted, for its binomial interval. `baseline` is what a probe scores that knows no latent and names
    the most frequent value, or the mean: its chance level where shuffled rows are not scored.
    """

    value: float
    per_factor: NDArray[np.float64] | None = None
    per_latent: NDArray[np.float64] | None = None
    details: Mapping[str, Labelled | float | int | str] = field(default_factory=dict)
    warnings: tuple[str | Check, ...] = ()
    reason: str = ""
    vote_count: VoteCount | None = None
    baseline: float | None = None


@dataclass(frozen=True)
class ScoreDefinition:
    """One number in a report: its key, its range, which direction is better, what it measures.

    `no_interval` is the reason why it has no confidence interval, where its metric's other scores,
    or its kind of interval, would give it one. `meaning` says in one plain sentence what it measures; where
    it is empty, the first sentence of the metric's documentation does. `has_ceiling` is false where a code
    with one latent for each factor is not the best there is, or has no score.
    """

    key: str
    property: str
    range: tuple[float, float] = (0.0, 1.0)
    direction: Direction = "up"
    no_interval: str = ""
    meaning: str = ""
    has_ceiling: bool = True


@dataclass(frozen=True)
class MetricDefinition:
    """A metric: its function, the scores it gives, and the facts about them.

    Parameters
    ----------
    name
        The name users call it by, ``dm.<name>``.
    compute
        ``compute(relations, *, settings...) -> MetricValue``, or a dict from score key to
        MetricValue where there are several scores. Its keyword-only parameters are the metric's
        settings, each checked by its type before any work (see :mod:`disentangle_metrics.settings`), its
        docstring the metric's documentation. A metric that draws rows also takes `rng`, a
        :class:`numpy.random.Generator` made from the call's seed.
    scores
        The scores it gives.
    relation
        The relation between latents and factors that it reads.
    source
        The paper that defines it.
    version
        The definition's version; it rises whenever the same input would score differently.
    anchors
        Whether chance and ceiling are cheap, costly (only with ``anchors="all"``), or meaningless.
    scale_free, label_free
        Whether the score claims not to depend on the scale of each latent, and on the labels of
        the factors' values. With `factor_bins` every score depends on the order of labels.
    sklearn
        Whether scikit-learn's version can change the number, so that the signature names it.
    silent
        Settings that the signature names only where they differ from their defaults: those that
        matter for few callers, such as another published normaliser.
    only_with
        Settings that matter only while another setting has a certain value, as
        ``{"k": ("estimator", "nearest_neighbours")}``, or one of a tuple of values; the signature names
        them then, also at their defaults, and else not at all. The seed may stand among them. A setting
        may have several such pairs, of which one is enough.
    always_named
        Those of `only_with` that the signature names at their defaults where they do not matter.
    range_with
        The range of its scores while a setting has a value with which it is another, as
        ``{"order": ("information", (-1.0, 1.0))}``.
    needs_factors
        Whether it reads the factors at all; a metric that does not takes latents alone.
    needs_posterior
        Whether it has a value for a GaussianPosterior only.
    by_factor
        Whether it treats every factor by itself. With ``missing="drop"`` a value that one factor
        lacks then costs no row of the others. A metric of several factors at once reads only rows
        that have a value of all.
    interval
        Which confidence interval suits it, see :mod:`.intervals`. "bootstrap": rows drawn with
        replacement. "subsample": half of the rows, without replacement. Use it if repeated rows break the
        estimator (nearest neighbours), or if bias is the larger part of the error. "votes": the binomial
        interval of its `vote_count`. "none": no interval. A metric with the setting `estimator` is
        subsampled unless that is "histogram", and one with `cross_fitted` while that is true; so is one of
        correlation, of groups of latents.
    interval_studied
        Whether docs/intervals.md has the measured coverage of its interval.
    suite
        Whether the protocol "default" has it, if it is a built-in one.
    most_latents
        The latents up to which a protocol's suite has it; of more, it is scored only if it is asked for
        by name, since it would take long. None: any number.
    of_numbers
        Keys of the scores that read latents as numbers, where the metric's other scores count them.
    labels_as_numbers
        Whether it reads the values of categorical factors as numbers, so that their order changes the score;
        or a function of its settings that says so.
    from_counts
        Whether an Accumulator can compute it from counts of rows, by histogram in equal-width bins.
    """

    name: str
    compute: Callable[..., MetricValue | float | Mapping[str, MetricValue | float]]
    scores: tuple[ScoreDefinition, ...]
    relation: str = ""
    source: str = ""
    version: int = 1
    anchors: Anchor = "cheap"
    scale_free: bool = True
    label_free: bool = True
    sklearn: bool = False
    silent: tuple[str, ...] = ()
    only_with: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    always_named: tuple[str, ...] = ()
    range_with: Mapping[str, tuple[Any, tuple[float, float]]] = field(default_factory=dict)
    needs_factors: bool = True
    needs_posterior: bool = False
    by_factor: bool = False
    interval: Interval = "bootstrap"
    interval_studied: bool = False
    suite: bool = False
    most_latents: int | None = None
    of_numbers: tuple[str, ...] = ()
    labels_as_numbers: bool | Callable[[Mapping[str, Any]], bool] = False
    from_counts: bool = False

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The report keys of this metric."""
        return tuple(score.key for score in self.scores)

    @cached_property
    def conditions(self) -> dict[str, tuple[tuple[str, tuple[Any, ...]], ...]]:
        """Of each setting in `only_with`: others with values of theirs, of which one pair lets it matter."""
        return {
            name: tuple(
                (other, values if isinstance(values, tuple) else (values,))
                for other, values in (pairs if isinstance(pairs[0], tuple) else (pairs,))
            )
            for name, pairs in self.only_with.items()
        }

    def scores_with(self, settings: Mapping[str, Any]) -> tuple[ScoreDefinition, ...]:
        """Its scores, with the range that they have with these settings."""
        scores = self.scores
        for name, (value, limits) in self.range_with.items():
            if settings[name] == value:
                scores = tuple(replace(score, range=limits) for score in scores)
        return scores

    def interval_with(self, settings: Mapping[str, Any], grouped: bool) -> Interval:
        """The interval that suits it with these settings, and of groups of latents or not.

        A row that is there twice is its own nearest neighbour, and may be in a fit and in the fold beside it.
        """
        of_folds = settings.get("cross_fitted") or (grouped and "correlation" in self.relation)
        repeated_rows_break = of_folds or settings.get("estimator", "histogram") != "histogram"
        return "subsample" if self.interval == "bootstrap" and repeated_rows_break else self.interval

    def meaning(self, key: str) -> str:
        """What one of its scores measures, in one plain sentence."""
        own = next(score.meaning for score in self.scores if score.key == key)
        return own or " ".join(self.documentation.partition("\n\n")[0].split())

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Every setting with its default, read from the function's own signature."""
        parameters = inspect.signature(self.compute).parameters.values()
        return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}

    def by_place(self, name: str) -> str:
        """What to do for a setting that its function takes by place, and a space; else empty."""
        if name == "rng" or name not in list(inspect.signature(self.compute).parameters)[1:]:
            return ""
        return f"its function takes {name!r} by place: write `*` before its settings; "

    @cached_property
    def types(self) -> dict[str, Any]:
        """The type of each setting that has one."""
        return types_of(self.compute)

    @cached_property
    def default_texts(self) -> dict[str, str]:
        """The default of each setting as text."""
        return texts_of(self.settings, self.types)

    @cached_property
    def takes_rng(self) -> bool:
        """Whether the function itself draws."""
        return "rng" in inspect.signature(self.compute).parameters

    @property
    def documentation(self) -> str:
        """The metric's documentation, as written on its function."""
        return documentation_of(self.compute)


def documentation_of(function: Callable[..., Any]) -> str:
    """A function's docstring; from its file where Python was told to drop docstrings (-OO)."""
    if text := inspect.getdoc(function):
        return text
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):  # it has no file
        return ""
    written = tree.body[0] if tree.body else None
    if not isinstance(written, ast.FunctionDef):
        return ""
    return ast.get_docstring(written) or ""
