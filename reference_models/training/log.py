"""The training log: one row per logged step, as CSV for tables and as JSON lines for programs."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from disentangle_metrics import InputError
from disentangle_metrics.kit import write_whole
from reference_models.training.loggers import Logger

DIGITS = 4  # of seconds: a step of few images takes milliseconds


class TrainingLog:
    """Appends rows to a CSV and a JSON lines file in a folder.

    Parameters
    ----------
    folder : Path
    start : int
        The step that training starts from. Rows of later steps, which a run that was killed wrote
        after its last checkpoint, are dropped: they are about to be written again.
    name : str
        Of the files, without what follows the dot.
    logger : Logger, optional
        Gets every row too.

    Raises
    ------
    InputError
        If rows that are there cannot be read.
    """

    def __init__(self, folder: Path, start: int, name: str = "log", logger: Logger | None = None) -> None:
        self.csv, self.jsonl = folder / f"{name}.csv", folder / f"{name}.jsonl"
        self.notes = folder / f"{name}.txt"
        self._name, self._logger = name, logger
        try:
            kept = self._rows_until(start)
            table = csv_lines(list(kept), header=True).encode() if kept else b""
            last = kept[-1] if kept else {}
            self._began = time.monotonic() - last.get("seconds", 0)
            self._cpu_seconds = 0.0 + last.get("cpu_seconds", 0)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise InputError(
                f"{self.jsonl} is damaged ({type(error).__name__}: {error}); delete it to go on without the "
                f"rows up to step {start}"
            ) from error
        write_whole(self.jsonl, "".join(json.dumps(row) + "\n" for row in kept).encode())
        write_whole(self.csv, table)
        self._empty = not kept
        self._at_work_since: float | None = None

    def _rows_until(self, step: int) -> list[dict[str, float]]:
        """The rows that are there, up to this step; a line without its newline was cut off by a kill."""
        if not step or not self.jsonl.exists():
            return []
        lines = self.jsonl.read_text(encoding="utf-8").splitlines(keepends=True)
        rows = [json.loads(line) for line in lines if line.endswith("\n")]
        return [row for row in rows if row["step"] <= step]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """The CPU time that this process takes meanwhile is the run's; others may take steps in between."""
        self._at_work_since = time.process_time()
        try:
            yield
        finally:
            self._cpu_seconds += time.process_time() - self._at_work_since
            self._at_work_since = None

    def elapsed(self) -> dict[str, float]:
        """Seconds that the run has taken, and CPU time :meth:`at_work`, before interruptions too.

        Work that a kill undid does not count.
        """
        since = self._at_work_since
        now_at_work = 0.0 if since is None else time.process_time() - since
        return {
            "seconds": round(time.monotonic() - self._began, DIGITS),
            "cpu_seconds": round(self._cpu_seconds + now_at_work, DIGITS),
        }

    def note(self, sentence: str) -> None:
        """Append a line to the text file beside the tables: how the run is computed, and why."""
        with self.notes.open("a", encoding="utf-8") as file:
            file.write(f"{sentence}\n")

    def write(self, row: Mapping[str, float]) -> None:
        """Append one row; every row of a run has the same keys, the first of them ``step``."""
        with self.jsonl.open("a") as file:
            file.write(json.dumps(row) + "\n")
        with self.csv.open("a") as file:
            file.write(csv_lines([row], header=self._empty))
        self._empty = False
        if self._logger is not None:
            self._logger.write(self._name, row)


def csv_lines(rows: list[Mapping[str, float]], header: bool) -> str:
    """`rows` as CSV text."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
