"""The first steps of the authors' plan really run."""

from __future__ import annotations

import itertools

import pytest

from reference_models.comparison.estimate import time_models
from reference_models.comparison.runs import Comparison, read_comparison
from reference_models.models.teacher_student import TeacherStudent
from reference_models.training import log


def test_every_model_of_a_plan_is_timed(monkeypatch):
    ticks = itertools.count()  # of a made-up clock, which is further at each look
    monkeypatch.setattr(log.time, "monotonic", lambda: float(next(ticks)))
    comparison = read_comparison("mini", "sprites")
    table = {**comparison.table, "batch_size": 2}
    found = list(time_models(Comparison("test", "sprites", table), steps=2))
    assert [one.model for one in found] == list(comparison.models)
    assert all(one.seconds_per_step > 0 and one.timed == 1 and one.steps == 9000 for one in found)
    # By hand, for an image: 2 * 3 for forward and both gradients, of the encoder's layers and the decoder's;
    # the gradient of the image is not needed.
    convolutions = [32**2 * 32, 16**2 * 32 * 32, 8**2 * 32 * 64, 4**2 * 64 * 64]
    decoder = 16 * sum(convolutions) + 1024 * 256 + 6 * 256
    encoder = decoder + 6 * 256  # means and log-variances
    untaught = 6 * (encoder + decoder) - 2 * 16 * convolutions[0]
    # A teacher encodes and decodes, the student decodes twice more, and its codes have a covariance.
    taught = untaught + 2 * (encoder + decoder) + 6 * 2 * decoder + 6 * 6**2
    assert found[0].operations == 2 * untaught
    assert found[2].operations == round(2 * (0.2 * untaught + 0.8 * taught))
    assert {one.model: one.runs for one in found} == {
        "beta-vae": 17,  # two pilots, three betas, five seeds
        "vlae": 17,
        "teacher-student": 17,
        "pro-vlae": 32,  # and three variants of the ablation
    }


def test_all_stages_count_in_their_share(monkeypatch):
    """A step takes 5.3 ms of a made-up clock, and 13.7 ms with a teacher; a fifth of the steps has none."""
    clock = {"now": 0.0}
    monkeypatch.setattr(log.time, "monotonic", lambda: clock["now"])
    objective = TeacherStudent.objective

    def timed(self, *images, **draws):
        clock["now"] += 0.0137 if self.taught else 0.0053
        return objective(self, *images, **draws)

    monkeypatch.setattr(TeacherStudent, "objective", timed)
    mini = read_comparison("mini", "sprites")
    models = {"teacher-student": mini.table["models"]["teacher-student"]}
    table = {**mini.table, "batch_size": 2, "models": models, "learning_rates": [1e-3]}
    del table["ablation"]
    (found,) = time_models(Comparison("test", "sprites", table), steps=4, device="cpu")
    assert found.seconds_per_step == pytest.approx(0.2 * 0.0053 + 0.8 * 0.0137)


@pytest.mark.slow
def test_the_first_200_steps_of_the_authors_plan():
    found = list(time_models(read_comparison("paper", "sprites"), steps=200))
    assert [one.steps for one in found] == [518_400] * 4
