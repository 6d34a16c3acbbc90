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
from disentangle_metrics.kit import write_whole

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

FORMAT = 1  # of the JSON file; it rises when a reader of the old one would misread the new


@dataclass(frozen=True, repr=False)
class Score:
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
    chance, ceiling
        The same score with the rows of the factors permuted against the latents (mean of 5), and
        with the factors themselves as the code. None where not computed or without meaning.
    signature
        One line that pins everything which can change the number.
    details
        The tables it was read from: DataFrames of latents by factors, Series, plain numbers.
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
    chance: float | None = None
    ceiling: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    reason: str = ""
    range: tuple[float, float] = (0.0, 1.0)
    direction: str = "up"
    property: str = ""

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        anchors = [
            f"{name} {anchor:.3f}"
            for name, anchor in (("chance", self.chance), ("ceiling", self.ceiling))
            if anchor is not None
        ]
        interval = f" [{_interval(self.interval)}]" if self.interval else ""
        number = f"{self.key} {self.value:.3f}{interval}" + (f" ({', '.join(anchors)})" if anchors else "")
        return f"{number}: {self.reason}" if self.reason else number

    def __repr__(self) -> str:
        return f"<Score {self}; {self.signature}>"

    def to_dict(self) -> dict[str, Any]:
        """The score as plain Python values, ready for JSON; NaN becomes None."""
        return {name: _plain(getattr(self, name)) for name in (f.name for f in fields(self))}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Score:
        """The score that :meth:`to_dict` wrote."""
        known = {name: _revived(values[name]) for name in (f.name for f in fields(cls)) if name in values}
        known["value"] = math.nan if known["value"] is None else float(known["value"])
        for name in ("interval", "range", "warnings"):
            if known.get(name) is not None:
                known[name] = tuple(known[name])
        if "range" in known:  # JSON has no infinity
            low, high = known["range"]
            known["range"] = (-math.inf if low is None else low, math.inf if high is None else high)
        return cls(**known)


@dataclass(frozen=True, repr=False)
class Report(Mapping[str, Score]):
    """Scores by key, in the order they were asked for.

    Attributes
    ----------
    scores
        The scores.
    protocol, seed
        As given to :func:`score`.
    shape
        (N, D, K): rows, latents, factors.
    confidence
        Nominal coverage of the scores' intervals; None if none were asked for.
    factor_names, latent_names
        Names of the K factors and the D latents.
    warnings
        What to know about the input.
    seconds
        Time spent on each metric. A relation that several metrics share counts for the first.
    readings
        How each factor was read, by name: "88 whole numbers, read as continuous".
    found
        What :meth:`checks` gives.
    provenance
        Where latents and factors came from, where that is known: model, data set, versions.
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

    def with_provenance(self, **items: Any) -> Report:
        """The same report with more said about where its input came from."""
        return replace(self, provenance={**self.provenance, **items})

    def timing(self) -> pd.Series[float]:
        """Seconds spent on each metric, the slowest first."""
        import pandas as pd

        return pd.Series(self.seconds, name="seconds", dtype=float).sort_values(ascending=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per score: value, interval if asked for, anchors, what it measures, signature."""
        import pandas as pd

        columns = ["value", "chance", "ceiling", "direction", "property", "reason", "signature"]
        rows = [[getattr(score, column) for column in columns] for score in self.scores.values()]
        frame = pd.DataFrame(rows, index=pd.Index(self.scores, name="metric"), columns=columns)
        frame = frame.astype({"value": float, "chance": float, "ceiling": float})
        if self.confidence is not None:
            ends = [score.interval or (math.nan, math.nan) for score in self.scores.values()]
            frame.insert(1, "interval_low", [low for low, _ in ends])
            frame.insert(2, "interval_high", [high for _, high in ends])
        return frame

    def to_dict(self) -> dict[str, Any]:
        """The report as plain Python values, ready for JSON."""
        scores = {key: score.to_dict() for key, score in self.scores.items()}
        rest = {
            f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.name not in ("scores", "found")
        }
        checks = [_plain(check.to_dict()) for check in self.found]
        return {"format": FORMAT, "scores": scores, **rest, "checks": checks}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Report:
        """The report that :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If `values` is not a report, or one of a newer format.
        """
        if "scores" not in values or values.get("format") != FORMAT:
            found = values.get("format", "none")
            raise InputError(f"not a report of format {FORMAT} (found format: {found})")
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        for name in ("shape", "factor_names", "latent_names", "warnings"):
            known[name] = tuple(known.get(name, ()))
        known["found"] = tuple(Check.from_dict(check) for check in values.get("checks", ()))
        known["scores"] = {key: Score.from_dict(score) for key, score in values["scores"].items()}
        return cls(**known)

    def to_json(self, path: str | Path | None = None) -> str:
        """The report as JSON text, also written to `path` if given."""
        text = json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
        if path is not None:
            write_whole(Path(path), text)
        return text

    @classmethod
    def from_json(cls, path: str | Path) -> Report:
        """The report that :meth:`to_json` wrote to `path`.

        Raises
        ------
        InputError
            If the file is missing or is not such a report.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read as a report: {error}") from error
        if not isinstance(values, dict):
            raise InputError(f"{path} is not a report")
        return cls.from_dict(values)

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=100, force_terminal=False, no_color=True)
        with console.capture() as capture:
            self.render(console)
        return capture.get()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        frame = self.to_frame().drop(columns=["signature"])
        return str(frame.to_html(float_format="{:.3f}".format, na_rep="–"))

    def render(self, console: Console) -> None:
        """Print the table and the remarks to a rich console."""
        console.print(self._table())
        remarks = dict.fromkeys([*self.warnings, *(w for s in self.scores.values() for w in s.warnings)])
        for remark in remarks:
            console.print(f"! {remark}", markup=False, highlight=False)
        for score in self.scores.values():
            if score.reason:
                console.print(f"- {score.key}: {score.reason}", markup=False, highlight=False)

    def _table(self) -> Table:
        from rich.table import Table

        rows, latents, factors = self.shape
        caption = (
            f"{rows:,} rows, {latents} latents, {factors} factors; protocol {self.protocol}, seed {self.seed}"
        )
        if self.confidence is not None:
            caption += "\nintervals are corrected for bias, and need not hold the score"
        table = Table(caption=caption, caption_justify="left")
        table.add_column("metric")
        table.add_column("score", justify="right")
        if self.confidence is not None:
            table.add_column(f"{100 * self.confidence:g}% interval", justify="right", no_wrap=True)
        for name in ("chance", "ceiling"):
            table.add_column(name, justify="right")
        table.add_column("better")
        table.add_column("measures")
        for score in self.scores.values():
            better = {"up": "higher", "down": "lower"}[score.direction]
            numbers = [_number(value) for value in (score.value, score.chance, score.ceiling)]
            if self.confidence is not None:
                numbers.insert(1, "–" if score.interval is None else _interval(score.interval))
            table.add_row(score.key, *numbers, better, score.property)
        return table


def _number(value: float | None) -> str:
    return "–" if value is None else "NaN" if math.isnan(value) else f"{value:z.3f}"


def _interval(bounds: tuple[float, float]) -> str:
    return f"{_number(bounds[0])}, {_number(bounds[1])}"


def _plain(value: Any) -> Any:
    """`value` for JSON: tables as dicts of names and numbers, NaN and infinities as None."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if hasattr(value, "columns"):  # a DataFrame
        return {"index": _plain(list(value.index)), "columns": _plain(list(value.columns)),
                "data": _plain(value.to_numpy().tolist())}  # fmt: skip
    if hasattr(value, "index") and hasattr(value, "to_numpy"):  # a Series
        return {"index": _plain(list(value.index)), "data": _plain(value.to_numpy().tolist())}
    if hasattr(value, "item"):  # a NumPy scalar
        return _plain(value.item())
    return str(value)


def _revived(value: Any) -> Any:
    """What :func:`_plain` flattened, with tables as pandas objects again."""
    if not isinstance(value, dict):
        return value
    if set(value) == {"index", "data"} or set(value) == {"index", "data", "columns"}:
        import numpy as np
        import pandas as pd

        data = np.array(value["data"])
        data = data.astype(float) if data.dtype == object else data  # None stood for NaN
        if "columns" in value:
            return pd.DataFrame(data, index=value["index"], columns=value["columns"])
        return pd.Series(data, index=value["index"])
    return {key: _revived(item) for key, item in value.items()}
