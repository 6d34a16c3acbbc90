"""What benchmark() gives back: the report of each representation, in one table with ranks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.benchmarking.ranked import ranked, unranked
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.files import also_written
from disentangle_metrics.reporting.blocks import Blocks, benchmark_blocks
from disentangle_metrics.reporting.ranks import first_scores, mean_ranks
from disentangle_metrics.reporting.view import by_property
from disentangle_metrics.scoring.plain_values import plain
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.stored_report import check_benchmark, read_values

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from rich.console import Console

FORMAT = 1  # of the JSON file; it rises when a reader of the old one would misread the new


@dataclass(frozen=True, repr=False)
class Benchmark(Mapping[str, Report]):
    """Reports by the name of the representation, in the order they were given.

    As a mapping it holds the representations that were scored. So it can be passed wherever several
    reports are taken, such as ``dm.plot.table(benchmark, metric="mig")``.

    Attributes
    ----------
    reports
        The report of each representation that was scored.
    errors
        Why each of the others was not, in one line.
    names
        All of them, in the order they were given.
    notes
        What was read from the folder, or could not be; which scores have no rank, since signatures differ.
    provenance
        Where the input came from, where that is known.
    """

    reports: Mapping[str, Report]
    errors: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.names:
            object.__setattr__(self, "names", (*self.reports, *self.errors))

    def __getitem__(self, name: str) -> Report:
        if name in self.errors:
            raise KeyError(f"{name} failed: {self.errors[name]}")
        try:
            return self.reports[name]
        except KeyError:
            raise KeyError(f"no representation {name!r}; there are {', '.join(self.names)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.reports)

    def __len__(self) -> int:
        return len(self.reports)

    def __contains__(self, name: object) -> bool:
        return name in self.reports

    def ranks(self) -> pd.DataFrame:
        """The mean rank of each representation (rows) over the scores of each property (columns).

        1 is best, whichever direction is better for a score. Equal scores share their mean rank. A score
        counts if every representation that was scored has a value of it, under signatures that can be
        compared. Scores of size do not count.
        """
        import pandas as pd

        columns = {of.property: dict(of.mean) for of in mean_ranks(ranked(self.reports))}
        index = pd.Index(list(self.reports), name="representation")
        return pd.DataFrame(columns, index=index, dtype=float)

    def to_frame(self, *, long: bool = False) -> pd.DataFrame:
        """One row for each representation, one column for each score by property, then ``error``.

        With `long`, one row for each score of each representation, with the columns of
        :meth:`Report.to_frame`: value, interval, chance, ceiling, ..., signature.
        """
        import pandas as pd

        if long:
            frames = {name: report.to_frame() for name, report in self.reports.items()}
            if not frames:
                return Report({}).to_frame()
            return pd.concat(frames, names=["representation", "metric"])
        keys = [
            score.key for _, scores in by_property(first_scores(self.reports).values()) for score in scores
        ]
        values = {
            key: [
                self.reports[name][key].value if name in self and key in self.reports[name] else float("nan")
                for name in self.names
            ]
            for key in keys
        }
        frame = pd.DataFrame(values, index=pd.Index(list(self.names), name="representation"), dtype=float)
        frame["error"] = [self.errors.get(name, "") for name in self.names]
        return frame

    def with_provenance(self, **items: Any) -> Benchmark:
        """The same with more said about where its input came from."""
        return replace(self, provenance={**self.provenance, **items})

    def to_dict(self) -> dict[str, Any]:
        """As plain Python values, ready for JSON."""
        return {
            "benchmark": FORMAT,
            "names": list(self.names),
            "reports": {name: report.to_dict() for name, report in self.reports.items()},
            "errors": dict(self.errors),
            "ranks": {of.property: dict(of.mean) for of in mean_ranks(ranked(self.reports))},
            "notes": list(self.notes),
            "provenance": plain(self.provenance),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Benchmark:
        """The benchmark that :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If `values` is no benchmark, or one of a newer format.
        """
        if values.get("benchmark") != FORMAT:
            found = values.get("benchmark", "none")
            one = "scores" in values and "left_out" not in values
            rest = "; it is one report, which `dm.Report.from_json(path)` reads" if one else ""
            raise InputError(f"not a benchmark of format {FORMAT} (found format: {found!r}){rest}")
        check_benchmark(values)
        return cls(
            reports={name: Report.from_dict(report) for name, report in values["reports"].items()},
            errors=dict(values.get("errors", {})),
            names=tuple(values.get("names", ())),
            notes=tuple(values.get("notes", ())),
            provenance=dict(values.get("provenance", {})),
        )

    def to_json(self, path: str | Path | None = None) -> str:
        """As JSON text, also written to `path` if given."""
        return also_written(
            json.dumps(self.to_dict(), indent=2, allow_nan=False, ensure_ascii=False) + "\n", path
        )

    @classmethod
    def from_json(cls, path: str | Path) -> Benchmark:
        """The benchmark that :meth:`to_json` wrote to `path`, or gave as this text.

        Raises
        ------
        InputError
            If the file is missing or is no benchmark.
        """
        return cls.from_dict(read_values(path, "benchmark"))

    def __str__(self) -> str:
        from disentangle_metrics.reporting.terminal import blocks_as_text

        return blocks_as_text(self._blocks())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from disentangle_metrics.reporting.notebook import blocks_as_html

        return blocks_as_html(self._blocks())

    def render(self, console: Console, *, brief: bool = False) -> None:
        """Print the tables and the remarks to a rich console; `brief`: headline scores and ranks alone."""
        from disentangle_metrics.reporting.terminal import render_blocks

        render_blocks(self._blocks(brief), console)

    def to_markdown(self, path: str | Path | None = None, *, brief: bool = False) -> str:
        """The tables in Markdown, also written to `path` if given; needs the extra ``report``."""
        from disentangle_metrics.reporting.tables import blocks_as_markdown

        return also_written(blocks_as_markdown(self._blocks(brief)), path)

    def to_latex(
        self,
        path: str | Path | None = None,
        *,
        brief: bool = False,
        caption: str | None = None,
        label: str = "tab:disentanglement",
    ) -> str:
        """The tables in LaTeX, also written to `path` if given; the paper needs booktabs.

        Scores have the names that papers use. `caption` is LaTeX; None says what was scored.
        """
        from disentangle_metrics.reporting.tables import blocks_as_latex

        return also_written(blocks_as_latex(self._blocks(brief), caption=caption, label=label), path)

    def plot(self, **options: Any) -> Figure:
        """All scores in one picture: :func:`.plot.scores` up to 7 of them, :func:`.plot.ranks` for more."""
        from disentangle_metrics import plot

        ranks = plot.ranks
        from disentangle_metrics.plot.style import SERIES  # only now: it needs matplotlib

        return (plot.scores if len(self) <= len(SERIES) else ranks)(self, **options)

    def _blocks(self, brief: bool = False) -> Blocks:
        return benchmark_blocks(
            self.reports,
            self.errors,
            self.names,
            ranked=ranked(self.reports),
            unranked=unranked(self.reports),
            brief=brief,
        )
