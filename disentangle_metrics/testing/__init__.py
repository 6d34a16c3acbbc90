"""The laws of metrics and data sets, for the built-in ones and for plug-in authors alike."""

from __future__ import annotations

from disentangle_metrics.testing.dataset_laws import check_dataset
from disentangle_metrics.testing.metric_laws import (
    LAWS,
    check_metric,
    choices_of,
    order_of_factors,
    order_of_latents,
    order_of_rows,
    same_bits,
)

__all__ = [
    "LAWS",
    "check_dataset",
    "check_metric",
    "choices_of",
    "order_of_factors",
    "order_of_latents",
    "order_of_rows",
    "same_bits",
]
