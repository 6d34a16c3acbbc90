"""A callback for the Trainer of Hugging Face Transformers that scores held-out data while a model trains."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from disentangle_metrics.encoders import Encoder
from disentangle_metrics.encoders.outputs import Outputs
from disentangle_metrics.integrations.held_out import DEFAULT, HeldOut
from disentangle_metrics.integrations.library import need
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric

TrainerCallback: Any = need("transformers").TrainerCallback

UNSCORED: tuple[int, dict[str, float]] = (-1, {})
"""A step that no training has, and its scores."""


class ScoreCallback(TrainerCallback):  # type: ignore[misc]  # Any, where it is not installed
    """Score a model on held-out data every n epochs, and log the scores through the Trainer.

    ``trainer.add_callback(ScoreCallback(trainer, loader))``. Scores go to ``trainer.state.log_history`` and
    to whatever the Trainer reports to. If the Trainer evaluates after the same epoch, its metrics have them
    too, as ``eval_mig``, and ``metric_for_best_model="eval_mig"`` works. An evaluation of an epoch that is
    not scored has no such entry, nor has one after training. Only the main process scores; the others get
    its numbers. An epoch that ``max_steps`` or another callback breaks off is scored under the number that
    it would have.

    The model is in evaluation mode meanwhile, and left as it was. The random state of Python, NumPy and
    PyTorch is put back: training goes on as if nothing had been scored.

    Parameters
    ----------
    trainer : transformers.Trainer
        It logs the scores.
    data : DataLoader or FactorDataset
        Held-out batches (inputs, factors), or a data set of :func:`disentangle_metrics.load_dataset`.
    metrics
        As for :func:`disentangle_metrics.score`. None is the whole suite, which takes longer.
    every_n_epochs : int
        Score after each n epochs.
    encode_with : str, optional
        The method or part of the model that encodes, such as ``"encode"``.
    outputs : mapping, optional
        Which output is the mean, such as ``{"mean": "pooler_output"}``.
    prefix : str
        Stands before each name that is logged.
    **options
        As for :func:`disentangle_metrics.evaluate`: `samples`, `seed`, `factor_names`, `protocol`, ...

    Attributes
    ----------
    reports : dict
        From an epoch, counted from 1, to its report; in the main process.

    Raises
    ------
    InputError
        If an argument cannot be used; before the first epoch also if the data or the model's outputs cannot,
        or if another such callback has the same names.
    """

    def __init__(
        self,
        trainer: Any,
        data: Any,
        *,
        metrics: Iterable[str | Metric] | str | Metric | None = DEFAULT,
        every_n_epochs: int = 1,
        encode_with: str | None = None,
        outputs: Outputs | None = None,
        prefix: str = "",
        **options: Any,
    ) -> None:
        self._trainer = trainer
        self._held_out = HeldOut(data, metrics, every_n_epochs, prefix, options)
        self._encode_with, self._outputs = encode_with, outputs
        self._latest = UNSCORED

    @property
    def reports(self) -> dict[int, Report]:
        """From an epoch, counted from 1, to its report."""
        return self._held_out.reports

    def on_train_begin(self, args: Any, state: Any, control: Any, **parts: Any) -> None:
        """Refuse before training what cannot be scored."""
        self._latest = UNSCORED
        for other in self._trainer.callback_handler.callbacks:
            if isinstance(other, ScoreCallback) and other is not self:
                self._held_out.refuse_logged(other._held_out.names)
        if state.is_world_process_zero:
            self._held_out.check(self._encoder(parts["model"]))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **parts: Any) -> None:
        """Score and log, if it is time."""
        # A fraction where broken off, and of data without length; the Trainer evaluates after these too.
        epoch = math.ceil(state.epoch)
        if not epoch or not self._held_out.due(epoch):  # 0: without a step
            return
        main = state.is_world_process_zero
        scores = self._held_out.score(self._encoder(parts["model"]), epoch) if main else {}
        # Every process chooses the best model by them.
        (scores,) = need("accelerate", "transformers").utils.broadcast_object_list([scores])
        self._latest = (state.global_step, scores)
        if main:
            self._trainer.log(dict(scores))

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **parts: Any) -> None:
        """Add the scores of this epoch to what the Trainer has evaluated."""
        step, scores = self._latest
        if metrics is not None and step == state.global_step:
            metrics.update({f"eval_{name}": value for name, value in scores.items()})

    def on_train_end(self, args: Any, state: Any, control: Any, **parts: Any) -> None:
        """Forget the scores of the last epoch: by now the Trainer may hold its best model."""
        self._latest = UNSCORED

    def _encoder(self, model: Any) -> Encoder:
        network = self._trainer.accelerator.unwrap_model(model)
        return Encoder(network, outputs=self._outputs, encode_with=self._encode_with)
