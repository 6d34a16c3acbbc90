"""A metric for TorchMetrics: rows or counts are collected over batches and processes, and scored together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.integrations.library import need
from disentangle_metrics.scoring.early import check_score_options, read_again
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric, choose
from disentangle_metrics.scoring.score import score
from disentangle_metrics.streams.accumulator import Accumulator
from disentangle_metrics.streams.packed import merge_packed, pack

torch: Any = need("torch", "torchmetrics")
TorchMetric: Any = need("torchmetrics").Metric

COUNTED = ("protocol", "factor_names", "factor_types", "latent_names")
"""Options of :func:`score` that an Accumulator has too."""


class DisentanglementScore(TorchMetric):  # type: ignore[misc]  # Any, where it is not installed
    """Scores of all rows that were seen since the last reset, in every process.

    Without `ranges` it keeps the rows, and any metric can be computed. With `ranges` it keeps counts, as
    :class:`Accumulator` does: memory does not grow with the rows, and little is sent between processes. Then
    the metrics are those of binned mutual information. Both give the numbers of :func:`score`, but for whole
    numbers that `score` would measure where nobody declares them: counts make them categories, and a check
    asks.

    ``forward`` scores the batch alone, which for few rows says little: call ``update``.

    Parameters
    ----------
    metrics
        As for :func:`disentangle_metrics.score`. One report key gives a number; several, or None for the
        protocol's suite, give a dictionary.
    ranges
        Shape (D, 2): smallest and largest value of each latent, to count in place of keeping rows. Values
        outside are refused.
    options
        As for :func:`disentangle_metrics.score`: `factor_names`, `factor_types`, `protocol`, `seed`, ...
        With `ranges`: `protocol` and the names and types of factors and latents.
    **settings
        As for every Metric: `sync_on_compute`, `dist_sync_on_step`, `process_group`, `compute_on_cpu`, ...

    Attributes
    ----------
    report : Report or None
        The report of the last ``compute``, with signatures and warnings.

    Raises
    ------
    InputError
        If an argument cannot be used.
    """

    is_differentiable = False
    full_state_update = False
    latents: list[Any]
    logvars: list[Any]
    factors: list[Any]
    counts: list[Any]

    def __init__(
        self,
        metrics: Iterable[str | Metric] | str | Metric | None = "mig",
        *,
        ranges: ArrayLike | None = None,
        options: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if "metrics" in (options or {}):
            raise InputError("`options` has 'metrics': give them as `metrics`")
        self._options = read_again({"anchors": False, **(options or {})})
        if metrics is not None and not isinstance(metrics, str | Metric):
            metrics = list(metrics)
        choices = choose(metrics, self._options.get("protocol", "default"))
        keys = [key for choice in choices for key in choice.keys]
        alone = isinstance(metrics, str | Metric) and len(keys) == 1
        self._metrics, self._key = metrics, keys[0] if alone else None
        self._ranges = None if ranges is None else np.array(ranges, dtype=np.float64)
        scores = [facts for choice in choices for facts in choice.definition.scores_with(choice.settings)]
        facts = {facts.key: facts for facts in scores}
        self._facts = facts.get(self._key or "")
        self.report: Report | None = None
        if ranges is None:
            check_score_options(self._options, more=("factor_names", "seed"))
            for name in ("latents", "logvars", "factors"):
                self.add_state(name, default=[], dist_reduce_fx="cat")
        else:
            self._accumulator()  # refuses now what it would refuse later
            self.add_state("counts", default=[], dist_reduce_fx="cat")

    @property
    def higher_is_better(self) -> bool | None:
        """Whether a larger number is better; None for several scores, and where neither is."""
        return None if self._facts is None else {"up": True, "down": False}.get(str(self._facts.direction))

    @property
    def plot_lower_bound(self) -> float | None:
        """The least that the score can be."""
        return self._bound(0)

    @property
    def plot_upper_bound(self) -> float | None:
        """The most that the score can be."""
        return self._bound(1)

    def _bound(self, side: int) -> float | None:
        bound = None if self._facts is None else float(self._facts.range[side])
        return None if bound is None or not np.isfinite(bound) else bound

    def update(self, latents: Any, factors: Any) -> None:
        """Add some rows.

        Parameters
        ----------
        latents : tensor (n, D), pair of them, or GaussianPosterior
            Means; or means and log-variances.
        factors : tensor (n, K) or (n,)

        Raises
        ------
        InputError
            If the rows cannot be used.
        """
        mean, logvar = _means_and_logvars(latents)
        factors = _tensor(factors, "factors")
        factors = factors[:, None] if factors.ndim == 1 else factors
        if len(mean) != len(factors):
            raise InputError(f"`latents` has {len(mean)} rows but `factors` {len(factors)}")
        if self._ranges is None:
            self.latents.append(mean.clone())  # a loader or an encoder may write into the same memory again
            self.factors.append(factors.to(mean.device, copy=True))
            if logvar is not None:
                self.logvars.append(logvar.clone())
            return
        accumulator = self._counted()
        accumulator.update(mean if logvar is None else GaussianPosterior(mean, logvar), factors)
        packed = np.frombuffer(pack(accumulator), dtype=np.uint8)
        self.counts = [torch.from_numpy(packed.copy()).to(self.device)]

    def compute(self) -> Any:
        """A number, or a dictionary of numbers; NaN where the metric has no value, as ``report`` explains.

        Raises
        ------
        InputError
            If there are no rows, or they cannot be scored.
        """
        if self._ranges is not None:
            self.report = self._counted().compute()
        else:
            self.report = score(*self._rows(), metrics=self._metrics, **self._options)
        values = {
            key: torch.tensor(float(found.value), device=self.device) for key, found in self.report.items()
        }
        return values if self._key is None else values[self._key]

    def sync(self, *arguments: Any, **settings: Any) -> None:
        """Exchange the rows with all processes, if there are others, as every Metric does.

        Raises
        ------
        InputError
            If there are decimals in two precisions.
        """
        if self._ranges is None:
            _check_precision(_parts(self.factors))  # before they are one tensor, of one precision
        super().sync(*arguments, **settings)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Draw the last value, or a value or list of values given; ``dm.plot`` draws more of a report."""
        return self._plot(val, ax)

    def _rows(self) -> tuple[Any, Any]:
        """Latents and factors of all rows."""
        if not _parts(self.latents):
            raise InputError("there are no rows to score yet: call `update` first")
        latents, factors = torch.cat(_parts(self.latents)), torch.cat(_parts(self.factors))
        if not _parts(self.logvars):
            return latents, factors
        logvars = torch.cat(_parts(self.logvars))
        if logvars.shape != latents.shape:
            raise InputError("some batches have log-variances and others do not; give all or none")
        return GaussianPosterior(latents, logvars), factors

    def _accumulator(self) -> Accumulator:
        """One without rows."""
        others = [name for name in self._options if name not in (*COUNTED, "anchors")]
        if others or self._options["anchors"]:
            raise InputError(
                f"`options`: {(*others, 'anchors')[0]!r} needs the rows, and with `ranges` only counts are "
                f"kept; with `ranges` it may have {', '.join(COUNTED)}"
            )
        labels = {name: self._options[name] for name in COUNTED if name in self._options}
        ranges = np.empty((0, 2)) if self._ranges is None else self._ranges
        return Accumulator(ranges=ranges, metrics=self._metrics, **labels)

    def _counted(self) -> Accumulator:
        """One with the rows so far."""
        accumulator = self._accumulator()
        for packed in _parts(self.counts):
            merge_packed(accumulator, packed.to(torch.uint8).cpu().numpy().tobytes())
        return accumulator


def _parts(state: Any) -> list[Any]:
    """A state as tensors with content, before and after processes have exchanged theirs."""
    parts = state if isinstance(state, (list, tuple)) else [state]
    return [part for part in parts if part.numel()]


def _check_precision(factors: list[Any]) -> None:
    """Refuse decimals of one factor in two precisions, in which equal ones would differ."""
    known: dict[int, Any] = {}
    for part in factors:
        if part.is_floating_point():
            for place in torch.nonzero((part % 1 > 0).any(dim=0)).flatten().tolist():
                if known.setdefault(place, part.dtype) != part.dtype:
                    raise InputError(
                        f"`factors` has decimals of {known[place]} and of {part.dtype} in column {place}: "
                        "give one precision"
                    )


def _means_and_logvars(latents: Any) -> tuple[Any, Any]:
    if isinstance(latents, GaussianPosterior):
        latents = (latents.mean, latents.logvar)
    if not isinstance(latents, (tuple, list)):
        return _table(latents), None
    if len(latents) != 2:
        raise InputError(f"`latents` must be means, or a pair (mean, logvar), got {len(latents)} parts")
    mean, logvar = _table(latents[0]), _table(latents[1])
    if mean.shape != logvar.shape:
        raise InputError(
            f"`latents`: means of shape {tuple(mean.shape)} beside log-variances of {tuple(logvar.shape)}"
        )
    return mean, logvar


def _table(latents: Any) -> Any:
    tensor = _tensor(latents, "latents")
    if tensor.ndim != 2:
        raise InputError(f"`latents` must have shape (n, D), got {tuple(tensor.shape)}")
    return tensor


def _tensor(values: Any, argument: str) -> Any:
    if np.ma.is_masked(values):
        raise InputError(f"`{argument}` has masked cells, which a tensor cannot have: leave such rows out")
    try:
        return torch.as_tensor(values).detach()
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"`{argument}` ({type(values).__name__}) cannot become a tensor: {reason}; "
            "give numbers, of several columns as `torch.stack(columns, dim=1)`"
        ) from None
