"""When a step is captured, and what it reads; the capture itself needs a GPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference_models.training.overwritten import Overwritten
from reference_models.training.replay import WARM_UP, Replayed


def test_a_step_is_captured_after_the_first_few_and_again_for_another_variant() -> None:
    calls: list[str] = []

    def capture(take: object) -> object:
        calls.append("capture")
        return lambda: calls.append("replay")

    step = Replayed(lambda: calls.append("eager"), capture)  # type: ignore[arg-type]
    for _ in range(WARM_UP + 3):
        step(None)
    assert calls == ["eager"] * WARM_UP + ["capture"] + ["replay"] * 3
    calls.clear()
    for variant in [False] * (WARM_UP + 1) + [True] * (WARM_UP + 2):
        step(variant)
    once = ["eager"] * WARM_UP + ["capture", "replay"]
    assert calls == [*once, *once, "replay"]


def test_values_are_overwritten_where_they_are() -> None:
    values = {"gates": np.array([1.0, 0.5], np.float32), "capacity": np.array(3.0, np.float32)}
    memory = Overwritten(values, torch.device("cpu"))
    before = {name: tensor.data_ptr() for name, tensor in memory.tensors.items()}
    held = memory.tensors["gates"]
    assert {name: tuple(tensor.shape) for name, tensor in memory.tensors.items()} == {
        "gates": (2,),
        "capacity": (),
    }
    memory.set({"gates": np.array([1.0, 0.75], np.float32), "capacity": np.array(4.0, np.float32)})
    assert held.tolist() == [1.0, 0.75]
    assert memory.tensors["capacity"].item() == 4.0
    assert {name: tensor.data_ptr() for name, tensor in memory.tensors.items()} == before
    assert Overwritten({}, torch.device("cpu")).tensors == {}


def test_values_are_copied_only_when_they_change(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = []
    memory = Overwritten({"rate": np.array([1.0], np.float32)}, torch.device("cpu"))
    copy = torch.Tensor.copy_
    monkeypatch.setattr(torch.Tensor, "copy_", lambda *a, **k: (copies.append(1), copy(*a, **k))[1])
    for value in (1.0, 2.0, 2.0, 3.0):
        memory.set({"rate": np.array([value], np.float32)})
    assert len(copies) == 2
