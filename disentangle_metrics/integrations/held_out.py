"""What the callbacks of all trainers share: score held-out data now and then, and give plain numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from disentangle_metrics.encoders.input_scale import input_scale
from disentangle_metrics.encoders.output_reader import ENOUGH
from disentangle_metrics.encoders.outputs import Posterior
from disentangle_metrics.encoders.reading import reading
from disentangle_metrics.errors import InputError
from disentangle_metrics.evaluation import check_score_options, evaluate
from disentangle_metrics.integrations.random_state import kept_random_state
from disentangle_metrics.kit import network_input
from disentangle_metrics.loaders import encode_batches, is_loader
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric

DEFAULT = ("mig", "mig_sup")
"""Quick, and blind to opposite faults."""

OF_EVALUATE = ("samples", "seed", "batch_size", "scale", "factors", "factor_names", "progress")


class HeldOut:
    """Scores an encoder on held-out rows.

    Parameters
    ----------
    data : loader or FactorDataset
        Anything that :func:`disentangle_metrics.evaluate` takes, more than once: no generator.
    prefix : str
        Stands before each name that is logged.
    every : int
        Score after each `every` epochs.
    options
        Of :func:`disentangle_metrics.evaluate`.

    Attributes
    ----------
    reports : dict
        From an epoch, counted from 1, to its report.
    """

    def __init__(
        self,
        data: Any,
        metrics: Iterable[str | Metric] | str | Metric | None,
        every: int,
        prefix: str,
        options: dict[str, Any],
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise InputError(f"`every_n_epochs` must be a whole number of at least 1, got {every!r}")
        if hasattr(data, "__next__"):
            raise InputError("`data` is a generator, which can be read once; pass a loader, or a list of it")
        self.data, self.every, self.prefix = data, every, prefix
        if metrics is not None and not isinstance(metrics, str | Metric):
            metrics = list(metrics)  # they are read after every epoch
        check_score_options({**options, "metrics": metrics}, more=OF_EVALUATE)
        self.scale = input_scale(options.get("scale"))
        if self.scale is not None and is_loader(data):
            raise InputError("`scale` is for images; what a loader gives goes to the encoder as it is")
        self.options = {"anchors": False, **options, "metrics": metrics}
        self.reports: dict[int, Report] = {}

    def check(self, encoder: Any) -> None:
        """Encode the first rows, so that what cannot be scored is refused before training.

        Raises
        ------
        InputError
            If the data or the encoder's outputs cannot be used.
        """
        batches, rows = is_loader(self.data), 0
        with kept_random_state(), reading(encoder, self.scale, images=not batches) as (read, conclude, _):

            def counted(inputs: Any) -> Posterior:
                nonlocal rows
                posterior = read(inputs)
                rows += len(posterior.mean)
                return posterior

            if batches:
                encode_batches(counted, itertools.takewhile(lambda _: rows < ENOUGH, self.data))
            else:
                read(network_input(self.data.images(np.arange(min(ENOUGH, len(self.data))))))
            conclude()

    def due(self, epoch: int) -> bool:
        """Whether to score after this epoch, counted from 1."""
        return epoch % self.every == 0

    def score(self, encoder: Any, epoch: int) -> dict[str, float]:
        """The scores by name, after this epoch; nothing random is drawn from what training draws from."""
        with kept_random_state():
            report = self.reports[epoch] = evaluate(encoder, self.data, **self.options)
        return {f"{self.prefix}{key}": float(score.value) for key, score in report.items()}
