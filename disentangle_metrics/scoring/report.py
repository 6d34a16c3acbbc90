"""What scoring gives back: a Score for each number, and a Report of them with where they came from."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.files import also_written
from disentangle_metrics.reporting.view import NOTHING, bounds, number, probability, report_view, score_view
from disentangle_metrics.scoring.as_number import AsNumber
from disentangle_metrics.scoring.evidence import Evidence
from disentangle_metrics.scoring.plain_values import plain, revived
from disentangle_metrics.scoring.stored_report import FORMAT, check_report, check_score, read_values
from disentangle_metrics.scoring.stored_units import ITEMS, plain_units, revived_units
from disentangle_metrics.text import visible, visible_json

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from rich.console import Console


@dataclass(frozen=True, repr=False, eq=False)
class Score(AsNumber):
    """One number and everything needed to trust it.

    Attributes
    ----------
    key
        Its name in a report.
    value
        The number; NaN if the metric has no value on this input, and then `reason` says why.
    per_factor, per_latent
        The parts it is the mean of, by name; NaN where a factor or latent takes no part.
    interval
        Confidence interval (low, high), if one was asked for and there is one. It says where the score
        of the whole source lies, in the bins of these rows, with the bias of few rows taken off, so that
        it need not hold the value; for probes, what other samples of as many rows would score; for
        votes, what many more votes on these rows would. See :mod:`disentangle_metrics.scoring.intervals`.
    corrected
        The estimate that the interval is around: the value less its bias of few rows. It lies in the
        interval. For votes and probes it is the value. None without an interval.
    chance, ceiling
        The same score with the rows of the factors permuted against the latents (mean of 5), and
        with the factors themselves as the code. None where not computed or without a value. Chance of a
        probe that is not trained on shuffled rows is what it scores without any latent.
    signature
        One line that pins everything which can change the number.
    details
        The tables it was read from: DataFrames of latents by factors, Series, plain numbers.
    p
        Share of permutations of the factors' rows, with the rows as they are among them, that score as
        well; None unless permutations were asked for.
    warnings
        What to know before believing it.
    range, direction, property
        Its possible values, which direction is better, and what it measures.
    """

    key: str
    value: float
    signature: str
    per_factor: pd.Series[float] | None = None
    per_latent: pd.Series[float] | None = None
    interval: tuple[float, float] | None = None
    corrected: float | None = None
    chance: float | None = None
    ceiling: float | None = None
    p: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    reason: str = ""
    range: tuple[float, float] = (0.0, 1.0)
    direction: str = "up"
    property: str = ""

    def __post_init__(self) -> None:
        for name in ("corrected", "chance", "ceiling", "p"):  # what has no value is None, stored or not
            known = getattr(self, name)
            if known is not None and not math.isfinite(known):
                object.__setattr__(self, name, None)

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, Score) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.key, self.signature))

    def __str__(self) -> str:
        told = {"chance": number(self.chance), "ceiling": number(self.ceiling), "p": probability(self.p)}
        anchors = [f"{name} {text}" for name, text in told.items() if text != NOTHING]
        interval = ""
        if self.interval:
            middle = "" if self.corrected is None else f"corrected {number(self.corrected)} "
            interval = f", {middle}{bounds(self.interval)}"
        text = f"{self.key} {number(self.value)}{interval}" + (f" ({', '.join(anchors)})" if anchors else "")
        return visible(f"{text}: {self.reason}" if self.reason else text)

    def __repr__(self) -> str:
        return f"<Score {self}; {visible(self.signature)}>"

    def _repr_html_(self) -> str:
        from disentangle_metrics.reporting.notebook import as_html

        return as_html(score_view(self))

    def plot(self, **options: Any) -> Figure:
        """The table that the score was read from as a heat map, or else its parts as bars.

        Options are those of :func:`disentangle_metrics.plot.table` or :func:`.plot.parts`.
        """
        from disentangle_metrics import plot

        return (plot.table if plot.has_table(self) else plot.parts)(self, **options)

    def to_dict(self) -> dict[str, Any]:
        """The score as plain Python values, ready for JSON; NaN becomes None."""
        return {name: plain(getattr(self, name)) for name in (f.name for f in fields(self))}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Score:
        """The score that :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If `values` is not a score.
        """
        check_score(values)
        known = {name: revived(values[name]) for name in (f.name for f in fields(cls)) if name in values}
        known["value"] = math.nan if known["value"] is None else float(known["value"])
        for name in ("per_factor", "per_latent"):
            if known.get(name) is not None:
                known[name] = known[name].rename(known["key"])
        for name in ("interval", "range", "warnings"):
            if known.get(name) is not None:
                known[name] = tuple(known[name])
        if "range" in known:  # JSON has no infinity
            low, high = known["range"]
            known["range"] = (-math.inf if low is None else low, math.inf if high is None else high)
        return cls(**known)


@dataclass(frozen=True, repr=False, eq=False)
class Report(Mapping[str, Score]):
    """Scores by key, in the order they were asked for.

    Attributes
    ----------
    scores
        The scores.
    protocol, seed
        As given to :func:`score`.
    shape
        (N, D, K): rows, latents, factors. D counts units, if latents are grouped.
    confidence
        Nominal coverage of the scores' intervals; None if none were asked for.
    factor_names, latent_names
        Names of the K factors and the D latents (or units).
    warnings
        What to know about the input.
    seconds
        Time spent on each metric. A relation that several metrics share counts for the first.
    readings
        How each factor was read, by name: "88 whole numbers, read as continuous".
    found
        What :meth:`checks` gives.
    permutations
        How many each score's p is from; None if none were asked for.
    evidence
        The scores on each resample, with which :func:`compare` judges differences; None without `confidence`.
    provenance
        Where latents and factors came from, where that is known: model, data set, versions.
    groups, column_names
        If latents are grouped: the columns of each unit by place, and the names of all columns.
    per_group
        What each unit scores alone, as :func:`per_group` gives it; :func:`evaluate` adds it to groups.
    layers
        The scores of a model's layers as units, added by :func:`evaluate` where a model names its layers.
    """

    scores: Mapping[str, Score]
    protocol: str = "default"
    seed: int = 0
    shape: tuple[int, int, int] = (0, 0, 0)
    factor_names: tuple[str, ...] = ()
    latent_names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    confidence: float | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    found: tuple[Check, ...] = ()
    permutations: int | None = None
    evidence: Evidence | None = None
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    column_names: tuple[str, ...] = ()
    per_group: pd.DataFrame | None = None
    layers: Report | None = None

    def checks(self) -> tuple[Check, ...]:
        """What to know before believing the scores, the gravest first.

        :mod:`disentangle_metrics.checks` says what each code means.
        """
        return self.found

    def __getitem__(self, key: str) -> Score:
        try:
            return self.scores[key]
        except KeyError:
            raise KeyError(f"no score {key!r} in this report; it has {', '.join(self.scores)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def __hash__(self) -> int:  # equal are reports of equal scores in any order, as mappings are
        return hash(frozenset(self.scores.items()))

    def with_provenance(self, **items: Any) -> Report:
        """The same report with more said about where its input came from."""
        return replace(self, provenance={**self.provenance, **items})

    def timing(self) -> pd.Series[float]:
        """Seconds spent on each metric, the slowest first."""
        import pandas as pd

        return pd.Series(self.seconds, name="seconds", dtype=float).sort_values(ascending=False)

    def standing(self, dataset: str | None = None) -> str:
        """One line: how many published runs with equal signatures each score is better than.

        `dataset` is one of :func:`published`; None: the report's own, and no text if that has no such runs.
        """
        from disentangle_metrics.scoring.standing import standing

        return standing(self, dataset)

    def follows_protocol(self) -> bool:
        """Whether the protocol has each of these scores, with the settings that they have here."""
        from disentangle_metrics.scoring.followed import followed

        return followed(self)

    def to_frame(self) -> pd.DataFrame:
        """One row per score: value, interval if asked for, anchors, what it measures, signature."""
        from disentangle_metrics.reporting.frame import scores_frame

        return scores_frame(self)

    def units(self) -> pd.DataFrame:
        """One row per unit (a latent, or a group of them): its columns, its factors, and its scores.

        See :func:`disentangle_metrics.reporting.units.units_frame` for the columns, which have two levels.
        """
        from disentangle_metrics.reporting.units import units_frame

        return units_frame(self)

    def scalars(self, prefix: str = "", *, chance: bool = False) -> dict[str, float]:
        """Plain numbers for any logger, as ``{"val/mig": 0.31}`` with the prefix "val/"; NaN for no value.

        With `chance`, ``"val/mig_chance"`` follows, where the score has a chance level.
        """
        numbers: dict[str, float] = {}
        for key, score in self.scores.items():
            numbers[prefix + key] = float(score.value)
            if chance and score.chance is not None:
                numbers[f"{prefix}{key}_chance"] = float(score.chance)
        return numbers

    def to_dict(self) -> dict[str, Any]:
        """The report as plain Python values, ready for JSON."""
        scores = {key: score.to_dict() for key, score in self.scores.items()}
        own = ("scores", "found", "evidence", *ITEMS)
        rest = {f.name: plain(getattr(self, f.name)) for f in fields(self) if f.name not in own}
        checks = [plain(check.to_dict()) for check in self.found]
        kept = {} if self.evidence is None else {"evidence": self.evidence.to_dict()}
        return {"format": FORMAT, "scores": scores, **rest, "checks": checks, **kept, **plain_units(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """The report that :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If `values` is not a report, or one of a newer format.
        """
        check_report(values)
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        for name in ("shape", "factor_names", "latent_names", "warnings", "column_names"):
            if name in known:
                known[name] = tuple(known[name])
        known["found"] = tuple(Check.from_dict(check) for check in values.get("checks", ()))
        if "evidence" in values:
            known["evidence"] = Evidence.from_dict(values["evidence"])
        known |= revived_units(values, cls)
        known["scores"] = {key: Score.from_dict(score) for key, score in values["scores"].items()}
        return cls(**known)

    def to_json(self, path: str | Path | None = None) -> str:
        """The report as JSON text, also written to `path` if given."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        return also_written(visible_json(text), path)

    @classmethod
    def from_json(cls, path: str | Path) -> Report:
        """The report that :meth:`to_json` wrote to `path`, or gave as this text.

        Raises
        ------
        InputError
            If the file is missing or is not such a report.
        """
        values = read_values(path)
        try:
            return cls.from_dict(values)
        except InputError as error:
            is_text = isinstance(path, str) and path.lstrip().startswith("{")
            raise (error if is_text else InputError(f"{path}: {error}")) from error

    def __str__(self) -> str:
        from disentangle_metrics.reporting.terminal import as_text

        return as_text(report_view(self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from disentangle_metrics.reporting.notebook import as_html

        return as_html(report_view(self))

    def render(self, console: Console, *, brief: bool = False) -> None:
        """Print the table and the remarks to a rich console; `brief`: the headline scores alone."""
        from disentangle_metrics.reporting.terminal import render

        render(report_view(self, brief=brief), console)

    def to_markdown(self, path: str | Path | None = None, *, brief: bool = False) -> str:
        """The scores as a Markdown table, also written to `path` if given; needs the extra ``report``."""
        from disentangle_metrics.reporting.tables import as_markdown

        return also_written(as_markdown(report_view(self, brief=brief)), path)

    def to_latex(
        self,
        path: str | Path | None = None,
        *,
        brief: bool = False,
        caption: str | None = None,
        label: str = "tab:disentanglement",
    ) -> str:
        """The scores as a LaTeX table, also written to `path` if given; the paper needs booktabs.

        Scores have the names that papers use. `caption` is LaTeX; None says what was scored.
        """
        from disentangle_metrics.reporting.tables import as_latex

        return also_written(as_latex(report_view(self, brief=brief), caption=caption, label=label), path)

    def to_html(self, path: str | Path | None = None, *, encoder: Any = None, dataset: Any = None) -> str:
        """The report as one page of HTML that needs no network, also written to `path` if given.

        Parameters
        ----------
        path
            The file.
        encoder, dataset
            The model and the data set that were scored. If the model can decode, the page shows
            reconstructions and traversals. Both or none.

        Raises
        ------
        InputError
            If jinja2, or for pictures pillow, is not installed (extra ``report``), or the encoder or
            the data set are not those of the report.
        """
        from disentangle_metrics.reporting.page import as_page

        return also_written(as_page(self, encoder=encoder, dataset=dataset), path)

    def plot(self, **options: Any) -> Figure:
        """The scores with chance, ceiling and interval; options are those of :func:`.plot.scores`."""
        from disentangle_metrics import plot

        return plot.scores(self, **options)
