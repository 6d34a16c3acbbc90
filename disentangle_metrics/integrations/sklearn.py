"""A scorer for scikit-learn's model selection: ``GridSearchCV(PCA(), grid, scoring=make_scorer("mig"))``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.scoring.early import check_score_options, read_again
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric, choose
from disentangle_metrics.scoring.score import score

ENCODES = ("transform", "predict")


def make_scorer(
    metric: str | Metric = "mig", *, encode_with: str | None = None, **options: Any
) -> DisentanglementScorer:
    """A callable (estimator, X, factors) that scores the latents an estimator gives for X.

    For ``scoring=`` of GridSearchCV, cross_validate and their like; factors are passed as their `y`. Several
    go in as a dictionary of scorers.

    Parameters
    ----------
    metric
        One report key, or ``dm.Metric(name, setting=...)`` of a metric with one score.
    encode_with : str, optional
        The method that gives latents (n, D); by default ``transform``, or ``predict`` if there is none.
    **options
        As for :func:`disentangle_metrics.score`: `protocol`, `seed`, `factor_types`, ...

    Returns
    -------
    DisentanglementScorer
        Greater is better: a score of which lower is better has its sign turned.

    Raises
    ------
    InputError
        If there is no such metric, it has several scores, or an option cannot be used.
    """
    return DisentanglementScorer(metric, encode_with, options)


class DisentanglementScorer:
    """A scorer; made by :func:`make_scorer`."""

    def __init__(self, metric: str | Metric, encode_with: str | None, options: dict[str, Any]) -> None:
        options = read_again(options)
        if "metrics" in options:
            raise InputError(
                f"`metrics` is no option of a scorer: give one score, as {metric!r}, as `metric`"
            )
        choices = choose(metric, options.get("protocol", "default"))
        keys = [key for choice in choices for key in choice.keys]
        if len(keys) != 1:
            raise InputError(
                f"`metric` must be one score, and {metric!r} is {', '.join(keys)}; pass one of them"
            )
        (self._key,) = keys
        (self._definition,) = (choice.definition for choice in choices)
        scores = {facts.key: facts for choice in choices for facts in choice.definition.scores}
        self._sign = -1.0 if scores[self._key].direction == "down" else 1.0
        self._metric, self._encode_with = metric, encode_with
        check_score_options({**options, "metrics": metric}, more=("factor_names", "seed"))
        self._options = {"anchors": False, **options}
        self._said: set[str] = set()

    def __call__(self, estimator: Any, X: Any, factors: Any = None) -> float:
        """The score of what the estimator gives for X (n, ...), against factors (n, K) or (n,)."""
        score = self.report(estimator, X, factors)[self._key]
        if np.isnan(score.value):
            raise InputError(f"{self._key} has no value: {score.reason}")
        return self._sign * float(score.value)

    def report(self, estimator: Any, X: Any, factors: Any = None) -> Report:
        """The whole report, with signature and warnings."""
        latents = _encode_method(estimator, self._encode_with)(X)
        with warnings.catch_warnings(record=True) as remarks:
            warnings.simplefilter("always")
            report = score(latents, factors, metrics=self._metric, **self._options)
        for remark in remarks:  # once for all folds and candidates: scikit-learn makes Python forget
            if (text := str(remark.message)) not in self._said:
                self._said.add(text)
                warnings.warn(remark.message, remark.category, stacklevel=3)
        return report

    def __setstate__(self, state: dict[str, Any]) -> None:
        """As it was; a metric of the running program goes with it into processes that do not run it."""
        self.__dict__.update(state)
        if self._definition.name not in METRICS:
            METRICS.add(self._definition.name, self._definition)

    def __repr__(self) -> str:
        given = "".join(f", {name}={value!r}" for name, value in self._options.items() if name != "anchors")
        return f"make_scorer({self._metric!r}{given})"


def _encode_method(estimator: Any, name: str | None) -> Any:
    for method in ENCODES if name is None else (name,):
        if callable(found := getattr(estimator, method, None)):
            return found
    raise InputError(
        f"the estimator {type(estimator).__name__} has no method {name or ' or '.join(ENCODES)}; "
        "say which one gives latents with `encode_with`"
    )
