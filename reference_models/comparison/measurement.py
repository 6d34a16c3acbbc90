"""What a comparison wants to know of a trained model: reconstruction, rates, scores, information."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

import disentangle_metrics as dm
from disentangle_metrics import FactorDataset, InputError, Report
from disentangle_metrics.kit import full_float32, gaussian_kl, network_input
from reference_models.trained.information_flow import information
from reference_models.trained.load import BATCH, TrainedModel, rows_of

PUBLISHED = "li2020"
ACTIVE_VARIANCE = 0.01  # of a latent's means over the images, as the authors of MIG-sup
DRAWS = 1_000  # codes drawn for the information of each layer

Measurements = dict[str, Any]


def measure(
    trained: TrainedModel,
    dataset: FactorDataset,
    samples: int,
    factors: tuple[str, ...],
    information_images: int | None = None,
    *,
    all_metrics: bool = True,
) -> Measurements:
    """Measure a model on the same images for every model.

    Parameters
    ----------
    trained : TrainedModel
    dataset : FactorDataset
    samples : int
        Images, drawn without replacement with seed 0; all if there are no more.
    factors : tuple of str
        What the published protocol scores against. The default protocol scores against all.
    information_images : int, optional
        Images that the information of the layers is summed over; every one if None.
    all_metrics : bool
        Also the default protocol's suite, which takes half a minute.

    Returns
    -------
    dict
        ``reconstruction`` (nats per image, of one code drawn for each), ``kl`` (nats per layer, the
        lowest first), ``information`` (a list of layers), ``active_latents``, ``published`` and, if
        asked for, ``metrics`` (each key -> value and signature). Of a data set whose factors form a tree also
        ``per_factor``: R4c and MIG of each factor.

    Raises
    ------
    InputError
        If the model has no posterior.
    """
    rows = rows_of(dataset, samples, 0)
    mean, logvar = trained.encode(dataset, rows)
    if logvar is None:
        raise InputError(f"{trained.path} has a deterministic encoder; the comparison needs a posterior")
    kl = gaussian_kl(mean, logvar).mean(axis=0)
    columns = [dataset.factor_names.index(name) for name in factors]
    values = dataset.labels(rows)
    found: Measurements = {
        "reconstruction": reconstruction(trained, dataset, rows, mean, logvar),
        "kl": kl.reshape(trained.layers, -1).sum(axis=1).tolist(),
        "information": information_flow(trained, dataset, information_images),
        "active_latents": int((mean.var(axis=0) > ACTIVE_VARIANCE).sum()),
        "published": in_short(
            dm.score(
                dm.GaussianPosterior(mean, logvar),
                values[:, columns],
                factor_names=list(factors),
                protocol=PUBLISHED,
                variant=dataset.variant,
                anchors=False,
            )
        ),
    }
    if all_metrics:
        names, types = dataset.factor_names, dataset.factor_types
        report = dm.score(
            mean,
            values,
            factor_names=list(names),
            factor_types=dict(zip(names, types, strict=True)),
            hierarchy=dataset.hierarchy or None,
            variant=dataset.variant,
            anchors=False,
        )
        found["metrics"] = in_short(report)
        if dataset.hierarchy:
            found["per_factor"] = in_hierarchy(mean, values, dataset)
    return found


def in_hierarchy(
    mean: NDArray[np.float64], values: Any, dataset: FactorDataset
) -> dict[str, dict[str, float]]:
    """R4c and MIG of each factor of a tree, in the images in which it exists."""
    report = dm.score(
        mean,
        values,
        metrics=["r4c", "mig"],
        factor_names=list(dataset.factor_names),
        factor_types=dict(zip(dataset.factor_names, dataset.factor_types, strict=True)),
        hierarchy=dataset.hierarchy,
        anchors=False,
    )
    parts = {key: score.per_factor for key, score in report.items()}
    return {key: part.round(6).to_dict() for key, part in parts.items() if part is not None}


def information_flow(
    trained: TrainedModel, dataset: FactorDataset, images: int | None
) -> list[dict[str, Any]]:
    """What each layer and all of them know of the image, as a row holds it; see :func:`information`."""
    rows = rows_of(dataset, len(dataset) if images is None else images, 0)
    mean, logvar = trained.encode(dataset, rows)
    assert logvar is not None, "measure() has refused encoders without a posterior"
    return [
        {
            "layer": layer.layer,
            "nats": layer.information,
            "standard_error": layer.standard_error,
            "upper_bound": layer.upper_bound,
            "images": layer.images,
            "draws": layer.draws,
            "estimator": layer.estimator,
        }
        for layer in information(mean, logvar, trained.layers, draws=DRAWS, device=trained.device)
    ]


def reconstruction(
    trained: TrainedModel,
    dataset: FactorDataset,
    rows: NDArray[np.int64],
    mean: NDArray[np.float64],
    logvar: NDArray[np.float64],
) -> float:
    """Mean over images of -log p(x | z), one z drawn from each posterior; nats."""
    noise = np.random.default_rng(0).standard_normal(mean.shape)
    latents = (mean + np.exp(0.5 * logvar) * noise).astype(np.float32)
    total = 0.0
    with torch.inference_mode(), full_float32(trained.device.type):
        for start in range(0, len(rows), BATCH):
            part = slice(start, start + BATCH)
            images = torch.from_numpy(network_input(dataset.images(rows[part]))).to(trained.device)
            logits = trained.model.decode(torch.from_numpy(latents[part]).to(trained.device))
            total += binary_cross_entropy_with_logits(logits, images, reduction="sum").item()
    return total / len(rows)


def in_short(report: Report) -> dict[str, dict[str, Any]]:
    """Value and signature of every score; a value that does not exist is None, as JSON has no NaN."""
    return {
        key: {"value": score.value if np.isfinite(score.value) else None, "signature": score.signature}
        for key, score in report.items()
    }
