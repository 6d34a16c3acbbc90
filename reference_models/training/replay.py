"""A step captured once as a CUDA graph and replayed: how a GPU is kept busy with small kernels.

A step of these models is some hundred kernels, each shorter than the time that a host needs to
launch it. A graph is launched as a whole.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

import torch

WARM_UP = 3  # steps before a capture, in which libraries choose their kernels and Adam makes its state

Call = Callable[[], None]


class Replayed:
    """Calls a step: the first few times as it is, then through a capture of it.

    Parameters
    ----------
    take : callable
        The step, without arguments or results.
    capture : callable
        Makes of `take` a callable that does the same, as :func:`captured` does. It must not take the step.
    rehearse : callable
        Calls `take`, the last time before it is captured.
    """

    def __init__(
        self,
        take: Call,
        capture: Callable[[Call], Call],
        rehearse: Callable[[Call], None] = lambda take: take(),
    ) -> None:
        self.take, self.capture, self.rehearse = take, capture, rehearse
        self.replay: Call | None = None
        self._variant: Hashable = None
        self._left = WARM_UP

    def __call__(self, variant: Hashable) -> None:
        """Take the step; where `variant` is another than before, the capture is made anew."""
        if variant != self._variant:
            self.replay, self._variant, self._left = None, variant, WARM_UP
        if self._left:
            self._left -= 1
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "This instance was constructed with capturable=True")
                if self._left:
                    self.take()
                else:
                    self.rehearse(self.take)
            return
        if self.replay is None:
            self.replay = self.capture(self.take)
        self.replay()


@contextmanager
def no_waiting() -> Iterator[None]:
    """What would make the host wait for a GPU raises RuntimeError instead: no graph could hold it.

    To find that out in the middle of a capture would leave PyTorch in an unclear state.
    """
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is not complete, and says so
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


def captured(take: Call, stream: torch.cuda.Stream, generator: torch.Generator) -> Call:
    """`take` as a CUDA graph that draws from `generator`, captured on `stream`; call it on that stream.

    Raises RuntimeError if the step does what cannot be captured, such as waiting for the device.
    """
    graph = torch.cuda.CUDAGraph()
    if hasattr(graph, "register_generator_state"):  # newer versions do this by themselves, and may say so
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph.register_generator_state(generator)
    # Other threads read images meanwhile, and may allocate memory.
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        take()
    return graph.replay
