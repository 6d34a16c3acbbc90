"""Several runs in one process: each takes a step in turn.

On a GPU each run has a stream and a graph of its own. The host hands out one step of each run after
another and waits for none, so that the GPU works on all of them at once. A run computes what it
would compute alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Generic, TypeVar

from reference_models.training.run import Run

Key = TypeVar("Key", bound=Hashable)
Opening = Callable[[], AbstractContextManager[Run]]


class SideBySide(Generic[Key]):
    """Keeps up to so many runs going, and says how each ended.

    Parameters
    ----------
    openings : iterable of (key, callable)
        The runs to do, in this order. The callable gives a context whose value is the open run; it is
        called when there is room.
    at_once : int
    stopping : callable
        Why no further step shall be taken, asked after each round: ``"interrupted"``, ``"time"`` or,
        to go on, an empty string.
    """

    def __init__(
        self, openings: Iterable[tuple[Key, Opening]], at_once: int, stopping: Callable[[], str]
    ) -> None:
        self.waiting, self.at_once, self.stopping = iter(openings), at_once, stopping
        self.running: dict[Key, tuple[Run, ExitStack]] = {}
        self.all_begun = False

    @property
    def busy(self) -> bool:
        """Whether there is a run to advance, or one that can begin."""
        return bool(self.running) or not self.all_begun

    def round(self) -> list[tuple[Key, Path | Exception]]:
        """Begin runs where there is room, and take one step of each; the runs that ended with it.

        A run ends with the path of its weights, or with what it raised. A run that was stopped
        raises a TrainingInterruptedError; those that had not begun by then are not named.
        """
        ended: list[tuple[Key, Path | Exception]] = []
        why = self.stopping()
        while not why and not self.all_begun and len(self.running) < self.at_once:
            try:
                key, opening = next(self.waiting)
            except StopIteration:
                self.all_begun = True
                break
            stack = ExitStack()
            try:
                self.running[key] = stack.enter_context(opening()), stack
            except Exception as error:
                stack.close()
                ended.append((key, error))
        self.all_begun |= bool(why)
        for key, (run, stack) in list(self.running.items()):
            outcome: Path | Exception
            try:
                if not run.finished:
                    if why:
                        run.stop(time_is_up=why == "time")
                    run.advance()
                if not run.finished:
                    continue
                outcome = run.finish()
            except Exception as error:
                outcome = error
            del self.running[key]
            try:
                stack.close()
            except Exception as error:
                outcome = error
            ended.append((key, outcome))
        return ended

    def close(self) -> None:
        """Close the runs that are open, without saving."""
        while self.running:
            _, (_, stack) = self.running.popitem()
            stack.close()
