"""The callback in a real Trainer, and folders of ``save_pretrained`` as models."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from disentangle_metrics.integrations.transformers import ScoreCallback  # noqa: E402

ROWS = 48
pytestmark = pytest.mark.filterwarnings("ignore")


class Network(torch.nn.Module):
    """A code of two factors, with dropout, and a loss as the Trainer wants it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.mix = torch.nn.Linear(2, 2)
        self.noise = torch.nn.Dropout(0.2)

    def forward(self, inputs, labels=None):
        code = self.noise(self.mix(inputs))
        output = {"z_mean": code}
        if labels is not None:
            output["loss"] = ((code - labels) ** 2).mean()
        return output


def factors() -> torch.Tensor:
    return torch.tensor(np.random.default_rng(0).integers(0, 3, (ROWS, 2)))


def rows() -> list[dict]:
    return [{"inputs": row.float(), "labels": row.float()} for row in factors()]


def held_out(shuffle: bool = False) -> DataLoader:
    return DataLoader(TensorDataset(factors().float(), factors()), batch_size=16, shuffle=shuffle)


def trainer(tmp_path, **options):
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=16, report_to=[], use_cpu=True, seed=1,
        disable_tqdm=True, **{"num_train_epochs": 4, "save_strategy": "no", **options},
    )  # fmt: skip
    return transformers.Trainer(Network(), arguments, train_dataset=rows(), eval_dataset=rows())


def test_scores_every_n_epochs_are_in_the_log(tmp_path) -> None:
    run = trainer(tmp_path)
    callback = ScoreCallback(run, held_out(), every_n_epochs=2, prefix="held_out_", samples=None)
    run.add_callback(callback)
    run.train()
    assert list(callback.reports) == [2, 4]
    logged = [entry for entry in run.state.log_history if "held_out_mig" in entry]
    assert [entry["epoch"] for entry in logged] == [2.0, 4.0]
    with torch.no_grad():
        code = run.model.mix(factors().float())
    assert logged[-1]["held_out_mig"] == pytest.approx(dm.mig(code, factors()).value, abs=1e-9)


def test_the_best_model_is_chosen_by_a_score(tmp_path) -> None:
    run = trainer(
        tmp_path, num_train_epochs=2, eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True,
        metric_for_best_model="eval_mig", greater_is_better=True,
    )  # fmt: skip
    callback = ScoreCallback(run, held_out())
    run.add_callback(callback)
    run.train()
    best = max(report["mig"].value for report in callback.reports.values())
    assert run.state.best_metric == pytest.approx(best, abs=1e-9)


def test_training_is_the_same_with_and_without(tmp_path) -> None:
    plain = trainer(tmp_path / "a")  # it seeds when it is made
    plain.train()
    scored = trainer(tmp_path / "b")
    scored.add_callback(ScoreCallback(scored, held_out(shuffle=True)))
    scored.train()
    assert torch.equal(plain.model.mix.weight, scored.model.mix.weight)


def test_arguments_are_refused_before_training(tmp_path) -> None:
    with pytest.raises(dm.InputError, match="`every_n_epochs` must be"):
        ScoreCallback(trainer(tmp_path), held_out(), every_n_epochs=0)
