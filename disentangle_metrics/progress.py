"""A progress bar that stays away from short work."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 2.0  # seconds


class LateProgress:
    """A bar on standard error, shown once the work has taken two seconds; nothing if no one watches.

    Use it in a ``with`` statement. It also has the four names that pooch asks of a bar: `total`,
    `update`, `reset` and `close`.
    """

    def __init__(self, label: str, total: float = 0, unit: str = "") -> None:
        self.label, self.total, self.unit = label, total, unit
        self._start, self._done = time.monotonic(), 0.0
        self._bar: Progress | None = None

    def __enter__(self) -> LateProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, amount: float) -> None:
        """Add `amount` to what is done."""
        self._done += amount
        if self._bar is None and time.monotonic() - self._start > PATIENCE:
            self._bar = self._show()
        if self._bar is not None:
            for task in self._bar.task_ids:
                self._bar.update(task, completed=self._done, total=self.total or None)

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
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        amount = DownloadColumn() if self.unit == "bytes" else TaskProgressColumn()
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            amount,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not (console.is_terminal or console.is_jupyter),
        )
        bar.add_task(self.label, total=self.total or None)
        bar.start()
        return bar
