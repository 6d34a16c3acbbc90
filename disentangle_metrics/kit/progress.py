"""A progress bar that stays away from short work."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from html import escape
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console

PATIENCE = 2.0  # seconds
SLOW = 600.0  # seconds that the estimate looks back over: some steps take minutes
PAUSE = 0.1  # seconds between two drawings in a notebook


class _Bar(Protocol):
    def draw(self, label: str, done: float, total: float) -> None: ...

    def say(self, line: str) -> None: ...

    def stop(self) -> None: ...


class _TerminalBar:
    """A bar of rich."""

    def __init__(self, console: Console, unit: str) -> None:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        amounts = {"bytes": DownloadColumn, "steps": MofNCompleteColumn}
        amount = amounts.get(unit, TaskProgressColumn)()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),  # a label may hold a name of the caller's
            BarColumn(),
            amount,
            TimeRemainingColumn(),
            console=console,
            transient=True,
            speed_estimate_period=SLOW if unit == "steps" else 30,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=None)
        self._bar.start()

    def draw(self, label: str, done: float, total: float) -> None:
        self._bar.update(self._task, completed=done, total=total or None, description=label)

    def say(self, line: str) -> None:
        self._bar.console.print(line, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def stop(self) -> None:
        self._bar.stop()


class _NotebookBar:
    """A bar below the cell of a notebook, which needs no widgets installed; it goes when the work is done."""

    def __init__(self) -> None:
        from IPython.display import display

        self._handle = display(self._page(""), display_id=True)
        self._drawn = -PAUSE

    def draw(self, label: str, done: float, total: float) -> None:
        now = time.monotonic()
        if now - self._drawn < PAUSE and done < total:
            return
        self._drawn = now
        share = f' value="{done:g}" max="{total:g}"' if total else ""
        percent = f" {done / total:.0%}" if total else ""
        name = escape(label, quote=True)
        self._show(f'<progress{share} aria-label="{name}"></progress> {name}{percent}')

    def say(self, line: str) -> None:
        print(line, file=sys.stderr)

    def stop(self) -> None:
        self._show("")

    def _show(self, text: str) -> None:
        if self._handle is not None:
            self._handle.update(self._page(text))

    @staticmethod
    def _page(text: str) -> Any:
        from IPython.display import HTML

        return HTML(text)


class LateProgress:
    """A bar on standard error or in a notebook, once the work has taken two seconds; else nothing.

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
        self._bar: _Bar | None = None

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
            self._bar.draw(self.label, self._done, self.total)

    def say(self, line: str) -> None:
        """Print a line above the bar; also where no one watches a bar, as in a log file."""
        if not self._shown:
            return
        if self._bar is None:
            print(line, file=sys.stderr)
        else:
            self._bar.say(line)

    def reset(self) -> None:
        """Begin again at nothing."""
        self._done = 0.0

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self) -> _Bar:
        from rich.console import Console

        console = Console(stderr=True)
        return _NotebookBar() if console.is_jupyter else _TerminalBar(console, self.unit)


@dataclass(frozen=True)
class Share:
    """A part of a bar, one of its total, for work that counts `steps` of its own under a label."""

    bar: LateProgress
    label: str
    steps: int = 1

    def update(self, amount: float, label: str) -> None:
        """Add so many steps to what is done; `label` says what is done now."""
        self.bar.update(amount / self.steps, f"{self.label}: {label}")
