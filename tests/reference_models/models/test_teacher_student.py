from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from disentangle_metrics import InputError
from reference_models.models.teacher_student import TeacherStudent, build_encoder
from tests.reference_models.models.conftest import array, draws_at, kl_to_prior, log_likelihood_loss

ARGUMENTS: dict[str, Any] = {
    "image_shape": [1, 32, 32],
    "latents": 4,
    "beta": 3.0,
    "first_latents": 2,
    "grow_steps": [10, 20],
    "lambda_z": 0.25,
    "lambda_jac": 100.0,  # this and the next are large, so that every term shows in the loss
    "lambda_xcov": 10.0,
}


@pytest.fixture
def model(spread: Callable[[TeacherStudent], TeacherStudent]) -> TeacherStudent:
    torch.manual_seed(0)
    return spread(build_encoder(ARGUMENTS))


def moved(model: TeacherStudent) -> TeacherStudent:
    """The model after its student has left its teacher."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    return model


def sigmoid(logits: torch.Tensor) -> np.ndarray:
    return 1 / (1 + np.exp(-array(logits)))


@pytest.mark.parametrize(("step", "old", "active"), [(5, 0, 2), (12, 2, 3), (25, 3, 4)])
def test_objective_by_hand(
    model: TeacherStudent, images: torch.Tensor, step: int, old: int, active: int
) -> None:
    model.enter(10)
    model.enter(step)
    moved(model).active.zero_()  # the objective reads the draws alone
    draws = draws_at(model, step, 4)
    terms = model.objective(images, **draws)

    def decoded(network: Any, codes: np.ndarray, count: int) -> torch.Tensor:
        padded = np.zeros((4, 4))
        padded[:, :count] = codes[:, :count]
        return network.decode(torch.tensor(padded, dtype=torch.float32))

    mean, logvar = (array(t)[:, :active] for t in model.network.posterior(images))
    z = mean + np.exp(logvar / 2) * array(draws["noise"])[:, :active]
    loss = log_likelihood_loss(decoded(model.network, z, active), images) + 3 * kl_to_prior(mean, logvar)
    if old:
        order = draws["order"].numpy()
        teacher = array(model.teacher.posterior(images)[0])[:, :old]
        code = np.mean((teacher - mean[:, :old]) ** 2)
        taught = sigmoid(decoded(model.teacher, teacher, old)) - sigmoid(
            decoded(model.teacher, teacher[order], old)
        )
        shuffled = mean.copy()
        shuffled[:, :old] = mean[order][:, :old]
        learned = sigmoid(decoded(model.network, mean, active)) - sigmoid(
            decoded(model.network, shuffled, active)
        )
        jacobian = np.mean((taught - learned) ** 2)
        centred = mean - mean.mean(0)
        xcov = 0.5 * np.sum((centred[:, old:].T @ centred[:, :old] / 4) ** 2)
        assert terms["code"].item() == pytest.approx(code, rel=1e-4)
        assert terms["jacobian"].item() == pytest.approx(jacobian, rel=1e-3)
        assert terms["xcov"].item() == pytest.approx(xcov, rel=1e-3)
        assert min(code, jacobian * 1e3, xcov) > 1e-4
        loss += 32 * 32 * (0.25 * code + 100 * jacobian + 10 * xcov)
    assert terms["loss"].item() == pytest.approx(loss, rel=1e-4)


def test_xcov_is_that_of_float32_under_autocast(model: TeacherStudent, images: torch.Tensor) -> None:
    model.enter(10)
    mean = torch.randn(4, 4, generator=torch.Generator().manual_seed(0))
    active, new = torch.tensor([1.0, 1, 1, 0]), torch.tensor([0.0, 0, 1, 0])
    given = images, mean, torch.arange(4), active, new
    expected = model._supervision(*given)[2]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(model._supervision(*given)[2], expected)


def test_a_student_starts_as_its_teacher_with_one_latent_at_its_initial_values(
    model: TeacherStudent, images: torch.Tensor
) -> None:
    start = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.Adam(model.parameter_groups(1e-3), fused=True)
    for step in range(11):
        model.enter(step)
        if step == 10:
            before = {name: value.clone() for name, value in model.network.state_dict().items()}
        terms = model.objective(images, **draws_at(model, step, 4, seed=step))
        optimizer.zero_grad()
        terms["loss"].backward()
        optimizer.step()
        if step == 9:
            row, column = "network.posterior.mean.weight", "network.decode.0.0.weight"
            assert not torch.equal(model.state_dict()[row][:2], start[row][:2])
            assert torch.equal(model.state_dict()[row][2:], start[row][2:])
            assert torch.equal(model.state_dict()[column][:, 2:], start[column][:, 2:])
            taught = "teacher.posterior.mean.weight"
            assert torch.equal(model.state_dict()[taught], start[taught])
    # It became the teacher when the third latent came, and was held fixed from then on.
    for name, value in model.teacher.state_dict().items():
        assert torch.equal(value, before[name])
    assert not torch.equal(model.network.posterior.mean.weight[2], start["network.posterior.mean.weight"][2])


def test_encoder_gives_the_prior_for_latents_that_are_to_come(
    model: TeacherStudent, images: torch.Tensor
) -> None:
    model.enter(12)
    mean, logvar = model(images)
    assert not mean[:, 3:].any()
    assert not logvar[:, 3:].any()
    assert mean[:, :3].all()
    other = build_encoder(ARGUMENTS)
    other.load_state_dict(model.state_dict(), strict=True)
    torch.testing.assert_close(other(images), (mean, logvar))
    z = torch.randn(2, 4)
    assert torch.equal(model.decode(z), model.decode(z * torch.tensor([1, 1, 1, 0])))


def test_unusable_schedules_are_refused() -> None:
    for steps in ([10], [10, 10], [0, 10], [20, 10]):
        with pytest.raises(InputError, match="grow_steps is"):
            TeacherStudent(**{**ARGUMENTS, "grow_steps": steps})
    with pytest.raises(InputError, match=r"grow_steps has 10\.5; each entry must be a whole number"):
        TeacherStudent(**{**ARGUMENTS, "grow_steps": [10.5, 20]})
    with pytest.raises(InputError, match="first_latents is 5"):
        TeacherStudent(**{**ARGUMENTS, "first_latents": 5})
