from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disentangle_metrics import InputError
from reference_models.models.parts.progression import check_wake_steps, stage_at

PAPER: dict[str, Any] = {
    "layers": 3,
    "wake_steps": (0, 100_000, 200_000),
    "fade_in_steps": 5_000,
    "beta": 4.0,
    "gamma": 0.5,
}


def test_the_first_stage_has_the_top_layer_alone() -> None:
    for step in (0, 1, 99_999):
        stage = stage_at(step, **PAPER)
        assert stage.active == (False, False, True)
        assert stage.decoder_gates == (0, 0, 1)
        # A waiting layer's branch sees the whole trunk: its KL term has something to act on.
        assert stage.encoder_gates == (1, 1, 1)
        assert stage.kl_weights == (0.5, 0.5, 4)


@pytest.mark.parametrize(("since", "alpha"), [(0, 0), (2_500, 0.5), (5_000, 1), (7_000, 1)])
def test_alpha_of_the_layer_that_woke_last(since: int, alpha: float) -> None:
    second = stage_at(100_000 + since, **PAPER)
    assert second.active == (False, True, True)
    assert second.encoder_gates == (1, alpha, 1)
    assert second.decoder_gates == (0, alpha, 1)
    assert second.kl_weights == (0.5, 4, 4)

    third = stage_at(200_000 + since, **PAPER)
    assert third.active == (True, True, True)
    assert third.encoder_gates == third.decoder_gates == (alpha, 1, 1)
    assert third.kl_weights == (4, 4, 4)


def test_without_fade_in_a_layer_is_switched_on_at_once() -> None:
    stage = stage_at(100_000, **{**PAPER, "fade_in_steps": 0})
    assert stage.decoder_gates == (0, 1, 1)


def test_gamma_zero_frees_waiting_layers() -> None:
    assert stage_at(0, **{**PAPER, "gamma": 0.0}).kl_weights == (0, 0, 4)


def test_layers_without_a_wake_step_wait_for_ever() -> None:
    stage = stage_at(10**9, **{**PAPER, "wake_steps": (0, 10)})
    assert stage.active == (False, True, True)
    assert stage.decoder_gates == (0, 1, 1)


@given(step=st.integers(0, 300_000), fade=st.integers(0, 20_000))
def test_gates_and_weights_agree_with_activity(step: int, fade: int) -> None:
    stage = stage_at(step, **{**PAPER, "fade_in_steps": fade})
    later = stage_at(step + 1, **{**PAPER, "fade_in_steps": fade})
    for layer in range(3):
        awake = stage.active[layer]
        assert 0 <= stage.decoder_gates[layer] <= later.decoder_gates[layer] <= 1
        assert stage.kl_weights[layer] == (4.0 if awake else 0.5)
        assert stage.encoder_gates[layer] == (stage.decoder_gates[layer] if awake else 1)
        assert later.active[layer] >= awake


@pytest.mark.parametrize("wake", [(), (1, 2), (0, 5, 5), (0, 5, 3), (0, 1, 2, 3)])
def test_unusable_wake_steps_are_refused(wake: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="wake_steps is"):
        check_wake_steps(wake, layers=3)


@pytest.mark.parametrize(
    "wake", [(0, 5.5, 10.5), (0, float("nan")), (0, "5"), (False, True), (0, float("inf"))]
)
def test_steps_that_are_no_whole_numbers_are_refused(wake: tuple[Any, ...]) -> None:
    with pytest.raises(InputError, match=r"wake_steps has .*; each entry must be a whole number"):
        check_wake_steps(wake, layers=3)


@pytest.mark.parametrize("wake", [(0,), (0, 1), (0, 5, 9), (0, 5.0, np.int64(9))])
def test_one_wake_step_for_each_layer_or_fewer(wake: tuple[int, ...]) -> None:
    check_wake_steps(wake, layers=3)
