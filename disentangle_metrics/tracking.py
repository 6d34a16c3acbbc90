"""Tracker: the scores of a model while it is trained, kept so that a run that crashed goes on."""

from __future__ import annotations

import inspect
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.kit.files import also_written, write_whole
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.reporting.blocks import Blocks, tracker_blocks
from disentangle_metrics.reporting.signatures import OF_LATENTS, shared
from disentangle_metrics.scoring import signatures
from disentangle_metrics.scoring.early import check_values, read_again
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.score import score

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FORMAT = 1  # of the file; it rises when a reader of the old one would misread the new


class Tracker(Mapping[int, Report]):
    """Scores over the steps of a training run: a mapping from steps to reports.

    Parameters
    ----------
    path
        A file that keeps what is logged, a line for each step. What it holds already is read, and every
        step is added as it is logged. So a run that crashed goes on with the same line of code. None:
        nothing is written before :meth:`save`.
    **score_options
        Passed on to :func:`score`: `metrics`, `protocol`, `anchors`, `factor_types`, ... Choose few and
        fast metrics if you score often.

    Raises
    ------
    InputError
        If an option cannot be used, or the file is no tracker's.

    Examples
    --------
    >>> import numpy as np
    >>> import disentangle_metrics as dm
    >>> v = np.random.default_rng(0).integers(0, 5, size=(500, 2))
    >>> tracker = dm.Tracker(metrics=["mig"])
    >>> for step in (0, 100):
    ...     report = tracker.log(step, v + 0.5 * (100 - step) * v[:, ::-1], v)
    >>> tracker.to_frame().round(2)
           mig
    step
    0     0.02
    100   1.00
    """

    def __init__(self, path: str | Path | None = None, **score_options: Any) -> None:
        score_options = read_again(score_options)
        _check_options(score_options)
        self.path = None if path is None else Path(path).expanduser()
        self.score_options = score_options
        self._reports: dict[int, Report] = {}
        self._behind = False  # whether the file may lack a step
        if self.path is not None and self.path.exists():
            self._reports, whole = _read(self.path)
            if not whole:
                self.save()

    @classmethod
    def load(cls, path: str | Path, **score_options: Any) -> Tracker:
        """The tracker whose scores are in a file, which it goes on writing to.

        Raises
        ------
        InputError
            If there is no such file, or it is no tracker's.
        """
        if not Path(path).expanduser().exists():
            raise InputError(f"{path}: no such file; a new tracker is dm.Tracker(path)")
        return cls(path, **score_options)

    def log(self, step: int, latents: Any, factors: Any = None) -> Report:
        """Score and keep; or keep a report that was made elsewhere.

        Parameters
        ----------
        step
            Of the training; larger than the last one.
        latents, factors
            As for :func:`score`; or a Report, without factors.

        Returns
        -------
        Report
            The whole report, also with the tables that are not kept. Its :meth:`~Report.scalars` are what
            loggers take.

        Raises
        ------
        InputError
            If the step is not larger than the last, or the arrays cannot be scored.
        """
        step = self._checked(step)
        if isinstance(latents, Report):
            if factors is not None:
                raise InputError("`factors` goes with latents; a Report has its scores already")
            report = latents
        else:
            report = score(latents, factors, **self.score_options)
        before = len(self.changes())
        self._reports[step] = _slim(report)
        if self.path is not None:
            self._write(self.path, step)
        for text in self.changes()[before:]:
            warnings.warn(text, ScoreWarning, stacklevel=2)
        return report

    def rewind(self, step: int) -> None:
        """Forget what was logged after this step: a run goes on from its checkpoint of the step."""
        self._reports = {at: report for at, report in self._reports.items() if at <= step}
        if self.path is not None:
            self.save()

    def changes(self) -> tuple[str, ...]:
        """Where the signature of a score is not that of the step before: such numbers may not compare."""
        last: dict[str, str] = {}
        found = []
        for step, report in self._reports.items():
            for key, of in report.items():
                before = last.get(key, of.signature)
                if _number_of(before) != _number_of(of.signature):
                    difference = signatures.difference(before, of.signature)
                    found.append(f"{key} is another score from step {step} on: {difference}")
                last[key] = of.signature
        return tuple(found)

    def __getitem__(self, step: int) -> Report:
        try:
            return self._reports[step]
        except KeyError:
            raise KeyError(f"step {step} was not logged; there are {len(self)} steps") from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._reports)

    def __len__(self) -> int:
        return len(self._reports)

    def to_frame(self, *, chance: bool = False) -> pd.DataFrame:
        """One row for each step, one column for each score; NaN where a step lacks it.

        With `chance`, a column ``mig_chance`` follows on ``mig``, where the score has a chance level.
        """
        import pandas as pd

        rows = [report.scalars(chance=chance) for report in self._reports.values()]
        columns = list(dict.fromkeys(key for row in rows for key in row))
        index = pd.Index(list(self._reports), name="step", dtype=np.int64)
        return pd.DataFrame(rows, index=index, columns=columns, dtype=float)

    def to_csv(self, path: str | Path | None = None, *, chance: bool = False) -> str:
        """:meth:`to_frame` as CSV text, also written to `path` if given."""
        return also_written(self.to_frame(chance=chance).to_csv(lineterminator="\n"), path)

    def save(self, path: str | Path | None = None) -> None:
        """Write everything to `path`, by default to the file given at first; :meth:`load` reads it.

        Raises
        ------
        InputError
            If neither was given.
        """
        target = self.path if path is None else Path(path).expanduser()
        if target is None:
            raise InputError("`path`: say where to save; a tracker made as dm.Tracker(path) knows it")
        lines = [_line({"tracker": FORMAT}), *(_line_of(step, report) for step, report in self.items())]
        write_whole(target, "".join(lines))

    def plot(self, **options: Any) -> Figure:
        """The scores over steps, with chance; options are those of :func:`.plot.steps`."""
        from disentangle_metrics import plot

        return plot.steps(self, **options)

    def __str__(self) -> str:
        from disentangle_metrics.reporting.terminal import blocks_as_text

        return blocks_as_text(self._blocks())

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        from disentangle_metrics.reporting.notebook import blocks_as_html

        return blocks_as_html(self._blocks())

    def _blocks(self) -> Blocks:
        return tracker_blocks(self._reports, self.changes())

    def _write(self, path: Path, step: int) -> None:
        """Add a step to the file, which is written anew after a write that failed."""
        if self._behind or not _takes_a_line(path):
            self.save()
        else:
            self._behind = True
            _append(path, step, self._reports[step])
        self._behind = False

    def _checked(self, step: Any) -> int:
        if isinstance(step, bool) or not isinstance(step, int | np.integer) or step < 0:
            got = repr(step) if isinstance(step, int | float | str) else type(step).__name__
            raise InputError(
                f"`step` must be a whole number of at least 0, got {got}; the order is "
                "`log(step, latents, factors)`"
            )
        last = max(self._reports, default=-1)
        if step <= last:
            raise InputError(
                f"`step` {step} is not after the last one, {last}; a run that goes on from a checkpoint "
                "calls tracker.rewind(step of the checkpoint) first"
            )
        return int(step)


def _check_options(options: Mapping[str, Any]) -> None:
    """Refuse at the start of a training run what score() would refuse in the middle."""
    accepted = [name for name in inspect.signature(score).parameters if name not in ("latents", "factors")]
    for name in options:
        if name not in accepted:
            hint = did_you_mean(name, accepted)
            raise InputError(
                f"Tracker has no option {name!r}; {hint}those of score() are {', '.join(accepted)}"
            )
    check_values(options)


def _slim(report: Report) -> Report:
    """The report without the tables behind its scores and the resamples, which are large."""
    scores = {key: replace(of, details={}) for key, of in report.items()}
    layers = None if report.layers is None else _slim(report.layers)
    return replace(report, scores=scores, evidence=None, layers=layers)


def _number_of(signature: str) -> tuple[dict[str, str], list[str]]:
    """What a signature says of the number: neither its interval nor the version of the package counts."""
    of_latents = (*OF_LATENTS, "groups")
    return shared(signature), [p for p in signature.split("|") if p.partition(":")[0] in of_latents]


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, allow_nan=False, ensure_ascii=False) + "\n"


def _line_of(step: int, report: Report) -> str:
    return _line({"step": step, "report": report.to_dict()})


def _append(path: Path, step: int, report: Report) -> None:
    with path.open("ab") as file:
        file.write(_line_of(step, report).encode())


def _takes_a_line(path: Path) -> bool:
    """Whether the file is there and its last line is whole."""
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"


def _read(path: Path) -> tuple[dict[int, Report], bool]:
    """The reports by step, and whether the file is whole: a kill can cut off its last line."""
    try:
        *lines, rest = path.read_bytes().split(b"\n")
        head, *rows = (json.loads(line.decode()) for line in lines)
        if head != {"tracker": FORMAT}:
            raise ValueError(f"it does not begin with {_line({'tracker': FORMAT}).strip()}")
        reports = {int(row["step"]): Report.from_dict(row["report"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read as a tracker's file: {error}") from error
    return reports, not rest
