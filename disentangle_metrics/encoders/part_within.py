"""What a part of a PyTorch network returns while the whole network runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class PartWithin:
    """A part of a network as a function of the network's inputs.

    If the network calls the part once, its output there is the answer: layers before it, or a change of the
    inputs' range, count. Else, and where the network cannot be called, the part gets the inputs themselves.
    The first batch decides.
    """

    def __init__(self, network: torch.nn.Module, part: torch.nn.Module) -> None:
        self._network, self._part = network, part
        self._within: bool | None = None

    def __call__(self, *inputs: Any, **named: Any) -> Any:
        """What the part returns for these inputs of the network."""
        within = self._calls(inputs, named) == 1 if self._within is None else self._within
        output = self._output(within, inputs, named)
        self._within = within
        return output

    def _output(self, within: bool, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if not within:
            return self._part(*inputs, **named)
        handle = self._part.register_forward_hook(_end)
        try:
            self._network(*inputs, **named)
        except _Reached as reached:
            return reached.output
        finally:
            handle.remove()
        return self._part(*inputs, **named)

    def _calls(self, inputs: tuple[Any, ...], named: dict[str, Any]) -> int:
        """How often the network calls the part; 0 if it cannot be called."""
        calls: list[int] = []
        handle = self._part.register_forward_hook(lambda *_: calls.append(1))
        try:
            self._network(*inputs, **named)
        except Exception:  # such as that of a forward() that takes more than images
            return 0
        finally:
            handle.remove()
        return len(calls)


class _Reached(BaseException):
    """Ends the network's forward(), whatever it catches."""

    def __init__(self, output: Any) -> None:
        self.output = output


def _end(_module: Any, _inputs: Any, output: Any) -> None:
    raise _Reached(output)
