"""A progress bar that stays away from short work."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0  # seconds


class LateProgress:
    """A bar on standard error, shown once the work has taken two seconds; nothing if no one watches.

    Parameters
    ----------
    label : str
    total : float
        0 if it is not known.
    unit : str
        "bytes" shows sizes, "steps" counts, and "" a percentage.
    done : float
        What was done before, as by a run that is resumed.
    shown : bool
        False: never.

    Use it in a ``with`` statement. It also has the four names that pooch asks of a bar: `total`,
    `update`, `reset` and `close`.
    """

    def __init__(
        self, label: str, total: float = 0, unit: str = "", *, done: float = 0.0, shown: bool = True
    ) -> None:
        self.label, self.total, self.unit = label, total, unit
        self._start, self._done, self._shown = time.monotonic(), done, shown
        self._bar: Progress | None = None

    def __enter__(self) -> LateProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, amount: float, label: str | None = None) -> None:
        """Add `amount` to what is done; `label` says what is done now."""
        self._done += amount
        self.label = self.label if label is None else label
        if self._bar is None and self._shown and time.monotonic() - self._start > PATIENCE:
            self._bar = self._show()
        if self._bar is not None:
            for task in self._bar.task_ids:
                self._bar.update(task, completed=self._done, total=self.total or None, description=self.label)

    def say(self, line: str) -> None:
        """Print a line above the bar; also where no one watches a bar, as in a log file."""
        if not self._shown:
            return
        if self._bar is None:
            print(line, file=sys.stderr)
        else:
            self._bar.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def reset(self) -> None:
        """Begin again at nothing."""
        self._done = 0.0

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self) -> Progress:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        amounts = {"bytes": DownloadColumn, "steps": MofNCompleteColumn}
        amount = amounts.get(self.unit, TaskProgressColumn)()
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            amount,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not (console.is_terminal or console.is_jupyter),
        )
        bar.add_task(self.label, total=self.total or None, completed=int(self._done))
        bar.start()
        return bar
