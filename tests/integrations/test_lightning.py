"""The Lightning callback in a real Trainer: what it logs, when, and that training never notices."""

from __future__ import annotations

import contextlib
import json
import logging
import sys

import numpy as np
import pytest

import disentangle_metrics as dm

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning")

from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint  # noqa: E402
from lightning.pytorch.loggers import CSVLogger  # noqa: E402
from torch.utils.data import DataLoader, TensorDataset  # noqa: E402

from disentangle_metrics.integrations.lightning import ScoreCallback  # noqa: E402
from tests.integrations.two_processes import in_two_processes  # noqa: E402

ROWS = 64
pytestmark = pytest.mark.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Turner(lightning.LightningModule):
    """A code of two factors that training turns; it draws noise, and has dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = torch.nn.Linear(2, 2)
        self.noise = torch.nn.Dropout(0.2)
        self.modes: list[bool] = []

    def encode(self, inputs):
        self.modes.append(self.training)
        return self.noise(self.mix(inputs))

    def forward(self, inputs):
        return self.encode(inputs)[:, :, None]  # no table of codes

    def training_step(self, batch, _):
        code = self.noise(self.mix(batch[0]))
        return ((code + torch.randn_like(code) - batch[1]) ** 2).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


def data(shuffle: bool = False) -> DataLoader:
    rng = np.random.default_rng(0)
    factors = torch.tensor(rng.integers(0, 3, (ROWS, 2)))
    return DataLoader(TensorDataset(factors.float(), factors), batch_size=16, shuffle=shuffle)


def train(tmp_path, epochs: int = 4, callbacks=(), **options):
    lightning.seed_everything(1, verbose=False)
    module = Turner()
    trainer = lightning.Trainer(
        max_epochs=epochs, accelerator="cpu", default_root_dir=tmp_path, enable_progress_bar=False,
        enable_model_summary=False, callbacks=list(callbacks), **{"logger": False, "enable_checkpointing": False, **options},
    )  # fmt: skip
    trainer.fit(module, data(shuffle=True))
    return module, trainer


def test_scores_every_n_epochs_are_logged_and_those_of_the_model(tmp_path) -> None:
    callback = ScoreCallback(data(), every_n_epochs=2, encode_with="encode", prefix="held_out/", samples=None)
    module, trainer = train(tmp_path, callbacks=[callback], logger=CSVLogger(tmp_path, version=0))
    assert list(callback.reports) == [2, 4]
    factors = data().dataset.tensors[1]
    with torch.no_grad():
        expected = dm.mig(module.mix(factors.float()), factors).value
    assert callback.reports[4]["mig"].value == expected
    assert float(trainer.callback_metrics["held_out/mig"]) == pytest.approx(expected, abs=1e-6)
    lines = (tmp_path / "lightning_logs" / "version_0" / "metrics.csv").read_text().splitlines()
    assert {"held_out/mig", "held_out/mig_sup"} <= set(lines[0].split(","))
    assert len(lines) == 3  # a head and two epochs


def test_training_is_the_same_to_the_last_bit_with_and_without(tmp_path) -> None:
    class Restless(torch.nn.Module):
        def forward(self, inputs):
            np.random.rand()  # noqa: NPY002
            return inputs + torch.randn_like(inputs)

    plain, _ = train(tmp_path)
    callback = ScoreCallback(data(shuffle=True), encode_with="restless")
    original = Turner.__init__

    def with_restless(self):
        original(self)
        self.restless = Restless()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Turner, "__init__", with_restless)
        scored, _ = train(tmp_path, callbacks=[callback])
    assert len(callback.reports) == 4
    assert torch.equal(plain.mix.weight, scored.mix.weight)


def test_the_module_is_evaluated_and_goes_on_training(tmp_path) -> None:
    callback = ScoreCallback(data(), encode_with="encode")
    module, _ = train(tmp_path, epochs=1, callbacks=[callback])
    assert module.modes
    assert not any(module.modes)
    assert module.noise.training


def test_a_log_variance_that_training_makes_positive_everywhere_stays_one(tmp_path) -> None:
    class Collapsing(Turner):
        def forward(self, inputs):
            code = self.mix(inputs)
            return code[:, :1], code[:, 1:] * 0 + (self.current_epoch or -1)

    callback = ScoreCallback(data(), metrics="mcc")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[__name__], "Turner", Collapsing)
        train(tmp_path, callbacks=[callback])
    assert list(callback.reports) == [1, 2, 3, 4]


def test_checkpoints_and_early_stopping_monitor_a_score(tmp_path) -> None:
    best = ModelCheckpoint(tmp_path, monitor="mig", mode="max", filename="{epoch}")
    stop = EarlyStopping("mig", mode="max", patience=1, min_delta=10.0)  # nothing is an improvement
    callback = ScoreCallback(data(), encode_with="encode")
    _, trainer = train(tmp_path, callbacks=[stop, callback, best], enable_checkpointing=True)
    assert trainer.current_epoch == 2  # the first score, and one without an improvement
    assert float(best.best_model_score) == pytest.approx(
        max(report["mig"].value for report in callback.reports.values()), abs=1e-6
    )


@pytest.mark.parametrize(
    ("every", "others", "options", "message"),
    [
        (1, [ScoreCallback(data())], {}, "'mig' is logged twice.*`prefix`"),
        (1, [ScoreCallback(data(), prefix="other_")], {}, None),
        (1, [ModelCheckpoint(monitor="mig")], {"check_val_every_n_epoch": 2}, "`save_on_train_epoch_end=True`"),
        (1, [ModelCheckpoint(monitor="mig")], {"val_check_interval": 0.5}, "`save_on_train_epoch_end=True`"),
        (1, [ModelCheckpoint(monitor="loss")], {"val_check_interval": 0.5}, None),
        (1, [ModelCheckpoint(monitor="mig", mode="max", save_on_train_epoch_end=True)], {"val_check_interval": 0.5}, None),
        (2, [ModelCheckpoint(monitor="mig")], {}, "`every_n_epochs=2`"),
        (2, [ModelCheckpoint(monitor="mig", mode="max", every_n_epochs=4)], {}, None),
        (1, [ModelCheckpoint(monitor="mig", every_n_train_steps=3)], {}, "of another epoch"),
        (3, [EarlyStopping("mig", strict=False)], {}, "scores `every_n_epochs=1`"),
        (1, [EarlyStopping("mig")], {"check_val_every_n_epoch": 2}, "`check_on_train_epoch_end=True`"),
        (1, [EarlyStopping("mig", mode="max", check_on_train_epoch_end=True)], {"check_val_every_n_epoch": 2}, None),
        (1, [ModelCheckpoint(monitor="mig")], {}, "ModelCheckpoint would take the smallest 'mig' .* `mode='max'`"),
        (1, [EarlyStopping("mig", mode="min")], {}, "EarlyStopping would take the smallest 'mig' .* `mode='max'`"),
    ],
)  # fmt: skip
def test_no_model_is_saved_under_the_score_of_another(tmp_path, every, others, options, message) -> None:
    callback = ScoreCallback(data(), every_n_epochs=every)
    refused = contextlib.nullcontext() if message is None else pytest.raises(dm.InputError, match=message)
    with refused:
        train(tmp_path, callbacks=[callback, *others], max_steps=1, enable_checkpointing=True, **options)


def test_the_codes_are_those_of_encode_where_forward_has_none(tmp_path) -> None:
    callback = ScoreCallback(data())
    train(tmp_path, epochs=1, callbacks=[callback])
    assert any("encode()" in text for text in callback.reports[1].warnings)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": "migg"}, "did you mean 'mig'"),
        ({"every_n_epochs": 0}, "`every_n_epochs` must be a whole number of at least 1, got 0"),
        ({"sampels": 5}, "there is no option 'sampels'; did you mean 'samples'"),
        ({"every_n_epoch": 2}, "there is no option 'every_n_epoch'; did you mean 'every_n_epochs'"),
    ],
)
def test_arguments_are_refused_before_training(options, message) -> None:
    with pytest.raises(dm.InputError, match=message):
        ScoreCallback(data(), **options)


def test_a_callback_is_made_without_drawing() -> None:
    loader = data(shuffle=True)
    before = torch.get_rng_state()
    ScoreCallback(loader)
    assert torch.equal(before, torch.get_rng_state())


def test_a_generator_is_refused_since_it_ends() -> None:
    with pytest.raises(dm.InputError, match="generator, which can be read once"):
        ScoreCallback(batch for batch in data())


PROCESS = """
import json, sys, warnings
import lightning
from disentangle_metrics.integrations.lightning import ScoreCallback
from tests.integrations.test_lightning import Turner, data
warnings.simplefilter("ignore")
lightning.seed_everything(1, verbose=False)
callback = ScoreCallback(data(), encode_with="encode")
trainer = lightning.Trainer(
    max_epochs=2, accelerator="cpu", devices=2, strategy="ddp", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False, callbacks=[callback], default_root_dir=sys.argv[1],
)
trainer.fit(Turner(), data())
print(json.dumps([list(callback.reports), float(trainer.callback_metrics["mig"])]))
"""


@pytest.mark.slow
def test_of_two_processes_one_scores_and_both_have_the_numbers(tmp_path) -> None:
    printed = in_two_processes(PROCESS, str(tmp_path), TORCHELASTIC_RUN_ID="test", GROUP_RANK="0")
    (first, score), (second, other) = (json.loads(output.splitlines()[-1]) for output in printed)
    assert (first, second) == ([1, 2], [])
    assert score == other


def test_what_cannot_be_scored_is_refused_before_training(tmp_path) -> None:
    def no_step(*_):
        raise AssertionError("training began")

    for options, message in (
        ({}, r"shape \(16, 2, 1\).*`encode_with`"),
        ({"encode_with": "missing"}, "no such part"),
    ):
        callback = ScoreCallback(data(), every_n_epochs=3, **options)
        module = Turner()
        module.encode = None if not options else module.encode
        module.training_step = no_step
        module.forward = lambda inputs: inputs[:, :, None]
        trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", default_root_dir=tmp_path, logger=False,
                                    enable_checkpointing=False, callbacks=[callback])  # fmt: skip
        with pytest.raises(dm.InputError, match=message):
            trainer.fit(module, data())
