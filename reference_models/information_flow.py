r"""How much each layer of latents knows of the image: I(x; z_l), layer by layer and stage by stage.

Li, Murkute, Gyawali, Wang, ICLR 2020, look at where a ladder keeps its information. For N images
x_n with the posteriors q(z | x_n), the code z of an image drawn at random has the aggregate
posterior q(z) = (1/N) sum_n q(z | x_n), and

    I(x; z) = E_x KL(q(z | x) || q(z)) = E_x E_{q(z | x)} [log q(z | x) - log q(z)]

in nats: at least 0, and at most log N, where every posterior stands alone. It is estimated by
Monte Carlo over z, with q(z) summed over all N images. Its upper bound E_x KL(q(z | x) || p(z)) is
what training penalises; it exceeds I(x; z) by KL(q(z) || p(z)) (M. Hoffman, M. Johnson, "ELBO
surgery", 2016). Layers whose codes are independent add up to the total.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from disentangle_metrics import InputError
from reference_models.batches import ImageDataset
from reference_models.trained import TrainedModel, rows_of

if TYPE_CHECKING:
    import pandas as pd

ESTIMATOR = "aggregate posterior, Monte Carlo"
CELLS_AT_ONCE = 2**15  # of codes x images: what a processor's cache holds, twice as fast as 2**18

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LayerInformation:
    """What one layer knows, in nats.

    Attributes
    ----------
    layer : str
        ``"1"`` is the lowest; ``"all"`` stands for all layers together.
    latents : int
    information : float
        The estimate of I(x; z). It may fall below 0 or above log N by the error of the draws.
    standard_error : float
        Of that estimate, from how its terms differ between images; the images themselves are
        counted as drawn.
    upper_bound : float
        E_x KL(q(z | x) || Normal(0, I)), without draws.
    images : int
        N; the estimate cannot tell more than log N nats.
    estimator : str
    """

    layer: str
    latents: int
    information: float
    standard_error: float
    upper_bound: float
    images: int
    estimator: str = ESTIMATOR


@dataclass(frozen=True)
class StageInformation:
    """What the layers of one checkpoint know."""

    model: str
    step: int
    checkpoint: str
    layers: tuple[LayerInformation, ...]


def information(
    mean: ArrayLike,
    logvar: ArrayLike,
    layers: int = 1,
    *,
    draws: int = 1,
    seed: int = 0,
    advance: Callable[[int], object] = lambda images: None,
) -> tuple[LayerInformation, ...]:
    """I(x; z_l) of each layer, and of all together, from the posteriors of N images.

    Parameters
    ----------
    mean, logvar : array (N, n_latents)
        Posteriors Normal(mean, diag exp(logvar)); the latents ordered by layer, the lowest first.
    layers : int
        Layers of equally many latents.
    draws : int
        Codes drawn for each image.
    seed : int
    advance : callable
        Told how many images were done since it was last called.

    Returns
    -------
    tuple of LayerInformation
        One for each layer, the lowest first, and one for all.

    Raises
    ------
    InputError
        If the shapes do not agree, or a value is not finite.
    """
    mean, logvar = _posteriors(mean, logvar, layers)
    if draws < 1:
        raise InputError(f"draws is {draws}; it must be at least 1")
    images, latents = mean.shape
    columns = np.arange(latents).reshape(layers, -1)
    spread = np.exp(0.5 * logvar)
    noise = np.random.default_rng(seed).standard_normal((draws, images, latents))

    terms = np.empty((layers + 1, draws, images))  # log q(z | x) - log q(z)
    for start in range(0, images, step := max(1, CELLS_AT_ONCE // images)):
        part = slice(start, start + step)
        for draw in range(draws):
            own = -0.5 * (noise[draw, part] ** 2 + logvar[part])  # 2 pi is in both, and left out of both
            codes = mean[part] + spread[part] * noise[draw, part]
            everything = np.zeros((len(codes), images))
            for layer, some in enumerate(columns):
                densities = _log_densities(codes[:, some], mean[:, some], logvar[:, some])
                everything += densities
                terms[layer, draw, part] = own[:, some].sum(1) - _log_mean_exp(densities)
            terms[-1, draw, part] = own.sum(1) - _log_mean_exp(everything)
        advance(len(codes))

    kl = 0.5 * (mean**2 + np.exp(logvar) - 1 - logvar).mean(0)
    of_image = terms.mean(1)
    return tuple(
        LayerInformation(
            layer=name,
            latents=len(some),
            information=float(values.mean()),
            standard_error=float(values.std(ddof=1) / np.sqrt(images)) if images > 1 else 0.0,
            upper_bound=float(kl[some].sum()),
            images=images,
        )
        for name, some, values in zip(
            [*map(str, range(1, layers + 1)), "all"], [*columns, np.arange(latents)], of_image, strict=True
        )
    )


def information_flow(
    stages: Iterable[TrainedModel],
    dataset: ImageDataset,
    *,
    samples: int = 10_000,
    draws: int = 1,
    seed: int = 0,
    advance: Callable[[int], object] = lambda images: None,
) -> Iterator[StageInformation]:
    """What each layer knows after each stage; the same images and noise for every checkpoint.

    Parameters
    ----------
    stages : iterable of TrainedModel
        Such as the ends of a run's stages: :func:`reference_models.trained.stage_ends`.
    dataset : ImageDataset
    samples : int
        How many images, drawn without replacement; they are the N of :func:`information`.
    draws, seed, advance
        As in :func:`information`.

    Raises
    ------
    InputError
        If a model has no posterior, or takes other images.
    """
    if samples < 2:
        raise InputError(f"samples is {samples}; it must be at least 2")
    images = dataset.images(rows_of(dataset, samples, seed))
    for stage in stages:
        mean, logvar = stage.encode(images)
        if logvar is None:
            raise InputError(
                f"{stage.path} has a deterministic encoder; without a posterior, every code tells its image"
            )
        layers = information(mean, logvar, stage.layers, draws=draws, seed=seed, advance=advance)
        yield StageInformation(stage.model.name, stage.step, str(stage.path), layers)


def table(stages: Iterable[StageInformation]) -> pd.DataFrame:
    """One row for each stage and layer."""
    import pandas as pd

    return pd.DataFrame(
        {"model": stage.model, "step": stage.step, "checkpoint": stage.checkpoint, **asdict(layer)}
        for stage in stages
        for layer in stage.layers
    )


def _posteriors(mean: ArrayLike, logvar: ArrayLike, layers: int) -> tuple[Floats, Floats]:
    mean, logvar = np.asarray(mean, np.float64), np.asarray(logvar, np.float64)
    if mean.ndim != 2 or mean.shape != logvar.shape or 0 in mean.shape:
        raise InputError(
            f"mean and logvar must both have the shape (images, latents), found {mean.shape} and "
            f"{logvar.shape}"
        )
    if layers < 1 or mean.shape[1] % layers:
        raise InputError(f"layers is {layers}; it must divide the number of latents, {mean.shape[1]}")
    if not (np.isfinite(mean).all() and np.isfinite(logvar).all()):
        raise InputError("mean and logvar must be finite; the model may be badly trained")
    return mean, logvar


def _log_densities(codes: Floats, mean: Floats, logvar: Floats) -> Floats:
    """log q(code | image) without its 2 pi, (codes, images)."""
    precision = np.exp(-0.5 * logvar)
    squares = np.zeros((len(codes), len(mean)))
    for latent in range(codes.shape[1]):  # one latent at a time: three axes at once would not fit a cache
        distance = np.subtract.outer(codes[:, latent], mean[:, latent])
        distance *= precision[:, latent]
        distance *= distance
        squares += distance
    squares *= -0.5
    squares -= 0.5 * logvar.sum(1)
    return squares


def _log_mean_exp(values: Floats) -> Floats:
    """log((1/N) sum exp) of each row, whatever the values' size."""
    largest = values.max(1)
    logs: Floats = np.log(np.exp(values - largest[:, None]).mean(1)) + largest
    return logs
