"""The progressive schedule: which layers take part at a step, and with what weights.

Li, Murkute, Gyawali, Wang, "Progressive Learning and Disentanglement of Hierarchical
Representations", ICLR 2020, section 3.2. Layers wake one after another from the most abstract
(the top) down. A layer that wakes is faded in by a coefficient alpha, which grows linearly from 0
to 1. It multiplies both what the layer's branch sees in the encoder and the features that the layer
sends to the decoder. A layer that waits is cut from the decoder. Its encoder branch exists, and the
pre-training KL with weight gamma holds it near the prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any

from disentangle_metrics import InputError


@dataclass(frozen=True)
class Stage:
    """What holds at one step; every tuple has one entry per layer, the lowest layer first.

    Attributes
    ----------
    active : tuple of bool
        Whether the layer takes part in the decoder.
    encoder_gates, decoder_gates : tuple of float
        Factors in [0, 1]: alpha for the layer that woke last, 1 for the layers above it. A waiting
        layer's branch sees all of the trunk (1), and sends nothing to the decoder (0).
    kl_weights : tuple of float
        beta for active layers, gamma for waiting ones.
    """

    active: tuple[bool, ...]
    encoder_gates: tuple[float, ...]
    decoder_gates: tuple[float, ...]
    kl_weights: tuple[float, ...]


def stage_at(
    step: int, *, layers: int, wake_steps: Sequence[int], fade_in_steps: int, beta: float, gamma: float
) -> Stage:
    """The schedule at `step`, counted from 0.

    Parameters
    ----------
    step : int
    layers : int
    wake_steps : sequence of int
        The step at which each layer wakes, the top layer first: ascending from 0. If there are
        fewer steps than layers, the lowest layers never wake.
    fade_in_steps : int
        How long alpha takes from 0 to 1; 0 switches a layer on at once. The top layer is never
        faded in: there is nothing before it.
    beta, gamma : float
        Weights of the KL terms of active and of waiting layers.
    """
    active, encoder_gates, decoder_gates = [], [], []
    for layer in range(layers):
        rank = layers - 1 - layer  # 0 for the top
        awake = rank < len(wake_steps) and step >= wake_steps[rank]
        if not awake or rank == 0 or fade_in_steps == 0:
            alpha = 1.0
        else:
            alpha = min(1.0, (step - wake_steps[rank]) / fade_in_steps)
        active.append(awake)
        encoder_gates.append(alpha)
        decoder_gates.append(alpha if awake else 0.0)
    return Stage(
        active=tuple(active),
        encoder_gates=tuple(encoder_gates),
        decoder_gates=tuple(decoder_gates),
        kl_weights=tuple(beta if awake else gamma for awake in active),
    )


def check_wake_steps(wake_steps: Sequence[int], layers: int) -> None:
    """Raise InputError unless `wake_steps` can be the `wake_steps` of :func:`stage_at`."""
    steps = list(wake_steps)
    check_whole("wake_steps", steps)
    if not 1 <= len(steps) <= layers or steps[0] != 0 or any(b <= a for a, b in pairwise(steps)):
        raise InputError(
            f"wake_steps is {steps}; it must start with 0, ascend, and have 1 to {layers} entries "
            f"(the step at which each layer wakes, the top layer first)"
        )


def is_whole(step: Any) -> bool:
    """Whether it is a whole number, as 5 and 5.0 are."""
    if isinstance(step, Integral):
        return not isinstance(step, bool)
    return isinstance(step, float) and step.is_integer()


def check_whole(name: str, steps: Sequence[Any]) -> None:
    """Raise InputError unless all `steps` are whole numbers: no step would be the 6th and a half."""
    odd = [step for step in steps if not is_whole(step)]
    if odd:
        raise InputError(f"{name} has {odd[0]!r}; each entry must be a whole number, the number of a step")
