"""A Lightning callback that scores held-out data while a model trains."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from disentangle_metrics.encoders import Encoder
from disentangle_metrics.encoders.outputs import Outputs
from disentangle_metrics.errors import InputError
from disentangle_metrics.integrations.held_out import DEFAULT, HeldOut
from disentangle_metrics.integrations.library import need
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric

Callback: Any = need("lightning").Callback
callbacks: Any = need("lightning").pytorch.callbacks


class ScoreCallback(Callback):  # type: ignore[misc]  # Any, where it is not installed
    """Score a module on held-out data every n epochs, and log the scores.

    Scores go through ``module.log_dict``: to every logger of the trainer, to its progress bar if asked, and
    to ``trainer.callback_metrics``, which ModelCheckpoint and EarlyStopping monitor. Only the main process
    scores; the others get its numbers.

    Validation runs before the scores are there. Where ``check_val_every_n_epoch`` or ``val_check_interval``
    is not 1, say ``ModelCheckpoint(monitor="mig", mode="max", save_on_train_epoch_end=True)`` and
    ``EarlyStopping("mig", mode="max", check_on_train_epoch_end=True)``. With `every_n_epochs` above 1 the
    checkpoint needs the same ``every_n_epochs``, and EarlyStopping cannot monitor a score.

    The module is in evaluation mode meanwhile, and left as it was. The random state of Python, NumPy and
    PyTorch is put back: training goes on as if nothing had been scored.

    Parameters
    ----------
    data : DataLoader or FactorDataset
        Held-out batches (inputs, factors), or a data set of :func:`disentangle_metrics.load_dataset`.
    metrics
        As for :func:`disentangle_metrics.score`. None is the whole suite, which takes longer.
    every_n_epochs : int
        Score after each n epochs.
    encode_with : str, optional
        The method or part of the module that encodes, such as ``"encode"``; by default the module is called,
        and if that gives reconstructions alone, its ``encode``.
    outputs : mapping, optional
        Which output is the mean, as for :func:`disentangle_metrics.load_encoder`.
    prefix : str
        Stands before each name that is logged.
    prog_bar : bool
        Show the scores in the progress bar.
    **options
        As for :func:`disentangle_metrics.evaluate`: `samples`, `seed`, `factor_names`, `protocol`, ...

    Attributes
    ----------
    reports : dict
        From an epoch, counted from 1, to its report; in the main process.

    Raises
    ------
    InputError
        If an argument cannot be used; before the first epoch also if the data or the module's outputs cannot,
        if another such callback has the same names, or if a monitor would read the scores of another epoch
        or take the worst for the best.
    """

    def __init__(
        self,
        data: Any,
        *,
        metrics: Iterable[str | Metric] | str | Metric | None = DEFAULT,
        every_n_epochs: int = 1,
        encode_with: str | None = None,
        outputs: Outputs | None = None,
        prefix: str = "",
        prog_bar: bool = False,
        **options: Any,
    ) -> None:
        super().__init__()
        self._held_out = HeldOut(data, metrics, every_n_epochs, prefix, options)
        self._encode_with, self._outputs, self._prog_bar = encode_with, outputs, prog_bar

    @property
    def reports(self) -> dict[int, Report]:
        """From an epoch, counted from 1, to its report."""
        return self._held_out.reports

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Refuse before training what cannot be scored, and monitors that would read other epochs' scores."""
        names = self._held_out.names
        for other in trainer.callbacks:
            if isinstance(other, ScoreCallback) and other is not self:
                self._held_out.refuse_logged(other._held_out.names)
            if getattr(other, "monitor", None) in names:
                self._refuse_monitor(trainer, other)
        if trainer.is_global_zero:
            self._held_out.check(self._encoder(pl_module))

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Score and log, if it is time."""
        epoch = trainer.current_epoch + 1
        if not self._held_out.due(epoch):
            return
        scores = None
        if trainer.is_global_zero:
            scores = self._held_out.score(self._encoder(pl_module), epoch)
        scores = trainer.strategy.broadcast(scores)
        pl_module.log_dict(scores, on_step=False, on_epoch=True, prog_bar=self._prog_bar)

    def _refuse_monitor(self, trainer: Any, monitor: Any) -> None:
        """Refuse a callback that reads a score before it is there, or takes the worst for the best."""
        every = self._held_out.every
        by_default = trainer.check_val_every_n_epoch == 1 and trainer.val_check_interval == 1.0
        if isinstance(monitor, callbacks.ModelCheckpoint):
            at_end = getattr(monitor, "_save_on_train_epoch_end", None)  # Lightning has no public name for it
            epochs = getattr(monitor, "_every_n_epochs", every)
            fits = (by_default if at_end is None else at_end) and epochs and epochs % every == 0
            remedy = f"`save_on_train_epoch_end=True` and `every_n_epochs={every}`"
        elif isinstance(monitor, callbacks.EarlyStopping):
            at_end = getattr(monitor, "_check_on_train_epoch_end", None)
            fits = (by_default if at_end is None else at_end) and every == 1
            remedy = "`check_on_train_epoch_end=True`, and the scores `every_n_epochs=1`"
        else:
            return
        if not fits:
            raise InputError(
                f"{type(monitor).__name__} would read {monitor.monitor!r} of another epoch, since it does "
                f"not run right after each score; give it {remedy}"
            )
        best = self._held_out.best.get(monitor.monitor, monitor.mode)
        if monitor.mode != best:
            worst = "smallest" if monitor.mode == "min" else "largest"
            raise InputError(
                f"{type(monitor).__name__} would take the {worst} {monitor.monitor!r} for the best; give it "
                f"`mode={best!r}`"
            )

    def _encoder(self, module: Any) -> Encoder:
        return Encoder(module, outputs=self._outputs, encode_with=self._encode_with)
