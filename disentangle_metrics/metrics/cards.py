"""What can be said of a metric before it is run: the list of them, and a card for each."""

from __future__ import annotations

from html import escape

from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.definition import MetricDefinition, ScoreDefinition, documentation_of
from disentangle_metrics.metrics.lookup import find_metric, without_settings
from disentangle_metrics.model_agreement import udr
from disentangle_metrics.settings import described, setting_text

NOTATION = "N rows, D latents, K factors, B bins, V values of all factors together; information in nats"
ANCHORS = {
    "cheap": "computed, unless `anchors=False`",
    "costly": 'computed with `anchors="all"` only',
    "none": "not computed",
}
JOINT = (
    "joint cells of a group's columns, or neighbours in all of them where cells are too many; "
    "by arc length on circles"
)
VARIANCES = "the mean of the relative variances of a group's columns"
GROUPS = {  # by what a metric reads
    "mutual information": JOINT,
    "mutual information, and the entropy of each factor given another": JOINT,
    "mutual information by nearest neighbours, and a linear predictor on all latents": (
        "neighbours in all of a group's columns, by arc length on circles; the predictor reads all columns "
        "in any case"
    ),
    "variances while a factor is fixed": VARIANCES,
    "variances while all factors but one are fixed": VARIANCES,
    "importances of one predictor per factor": "the sum of the importances of a group's columns",
    "a linear classifier on all latents": "the same score: it reads all columns in any case",
    "predictability of a factor from one latent": "a line or a classifier on all of a group's columns",
    "correlation of each latent with each factor": (
        "multiple correlation of a group's columns, cross-fitted, an angle as its cosine and sine"
    ),
    "losses of ever larger probes on all latents": "the same E: probes read all columns; S counts groups",
    "linear maps between all latents and all factors": "nothing: it maps all at once; its scores are NaN",
    "planes of the latents that turn with a circular factor": "the best plane of each group",
    "variance of the latents": "a group is active if one of its columns is",
}
COUNTED = {True: "yes, by histogram in bins of equal width", False: "no, it reads the rows themselves"}


def list_metrics() -> list[str]:
    """Names of every metric: built-in, from plug-ins, and registered in this program."""
    return METRICS.names()


class Card(str):
    """Text that a notebook and the Python prompt show with its line breaks."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre-wrap">{escape(self)}</pre>'


def describe(name: str) -> str:
    """The card of a metric, by its name, by the key of one of its scores, or by a signature.

    Definition, formula, range, direction, chance level, degenerate cases, cost, settings and source, as
    plain text; of a plug-in what its author wrote. ``"udr"``, which compares several models, has one too.
    A notebook and the Python prompt show it as it reads.

    Raises
    ------
    InputError
        If the metric is unknown; near names are suggested.
    """
    if name == udr.__name__:  # of several models, so no metric of a report
        return Card(documentation_of(udr))
    definition = find_metric(without_settings(name))
    scores = [
        f"  {score.key}: {score.property}, range [{score.range[0]:g}, {score.range[1]:g}], {better(score)}"
        for score in definition.scores
    ]
    settings = [
        f"  {key} = {setting_text(value)}{_choices(definition, key)}"
        for key, value in definition.settings.items()
    ]
    lines = [
        definition.documentation,
        "",
        f"Notation: {NOTATION}",
        "",
        "Scores",
        *scores,
        f"Chance and ceiling on your own data: {ANCHORS[definition.anchors]}",
        f"Reads: {definition.relation}",
        f"With missing values dropped: {_rows_read(definition)}",
        f"Groups of latents: {GROUPS.get(definition.relation, 'no definition; the score is NaN')}",
        f"In an Accumulator: {COUNTED[definition.from_counts]}",
        f"Source: {definition.source} (definition version {definition.version})",
        *_heading(definition),
        *settings,
    ]
    return Card("\n".join(lines))


def _heading(definition: MetricDefinition) -> list[str]:
    """Of the list of settings, with the call that gives one."""
    if not definition.settings:
        return ["Settings: none"]
    first, value = next(iter(definition.settings.items()))
    call = f"`dm.Metric({definition.name!r}, {first}={value!r})`"
    return [f"Settings, their defaults and what they may be; one is given as {call}"]


def better(score: ScoreDefinition) -> str:
    """Which direction is better, in words; a size has none, whatever a table sorts it by."""
    if score.property == "size":
        return "neither more nor less is better"
    return f"{'higher' if score.direction == 'up' else 'lower'} is better"


def _choices(definition: MetricDefinition, setting: str) -> str:
    """What a setting may be, behind its default."""
    return f": {described(definition.types[setting])}" if setting in definition.types else ""


def _rows_read(definition: MetricDefinition) -> str:
    if not definition.needs_factors:
        return "reads the rows whose latents are all there"
    if definition.by_factor:
        return "reads each factor in the rows that have a value of it"
    return "reads the rows that have a value of every factor"
