r"""How much each layer of latents knows of the image: I(x; z_l), layer by layer and stage by stage.

Li, Murkute, Gyawali, Wang, ICLR 2020, look at where a ladder keeps its information. For N images
x_n with the posteriors q(z | x_n), the code z of an image drawn at random has the aggregate
posterior q(z) = (1/N) sum_n q(z | x_n), and

    I(x; z) = E_x KL(q(z | x) || q(z)) = E_x E_{q(z | x)} [log q(z | x) - log q(z)]

in nats: at least 0, and at most log N, where every posterior stands alone. It is estimated by
Monte Carlo over x and z, with q(z) summed over all N images. More draws narrow the error. More
images lift the ceiling log N: an estimate close to it is the ceiling's, not the model's, and is
marked `saturated`. So q(z) is summed over the whole data set unless fewer images are asked for.

The upper bound E_x KL(q(z | x) || p(z)) is what training penalises. It exceeds I(x; z) by
KL(q(z) || p(z)) (M. Hoffman, M. Johnson, "ELBO surgery", 2016). Layers whose codes are
independent add up to the total.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from disentangle_metrics import InputError
from disentangle_metrics.kit import gaussian_kl
from reference_models.models.parts.model import ImageDataset
from reference_models.trained.load import HOST, TrainedModel, rows_of

if TYPE_CHECKING:
    import pandas as pd

ESTIMATOR = "aggregate posterior, Monte Carlo"
# Of codes x images: what a processor's cache holds, twice as fast as 2**18; a GPU wants many.
CELLS_AT_ONCE, CELLS_ON_GPU = 2**15, 2**24
IMAGES_AT_ONCE, IMAGES_ON_GPU = 2**12, 2**17
NEAR_CEILING = 0.1  # nats below log N within which an estimate says nothing but log N

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
        Of that estimate, from how its terms differ between draws.
    upper_bound : float
        E_x KL(q(z | x) || Normal(0, I)), without draws.
    images : int
        N; information beyond log N nats cannot be seen.
    draws : int
    estimator : str
    """

    layer: str
    latents: int
    information: float
    standard_error: float
    upper_bound: float
    images: int
    draws: int
    estimator: str = ESTIMATOR

    @property
    def ceiling(self) -> float:
        """log N, the most that N images can show."""
        return math.log(self.images)

    @property
    def saturated(self) -> bool:
        """Whether the estimate is so close to log N that the layer may know much more."""
        return self.information > self.ceiling - NEAR_CEILING


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
    draws: int = 2_000,
    seed: int = 0,
    device: torch.device = HOST,
    advance: Callable[[int], object] = lambda draws: None,
) -> tuple[LayerInformation, ...]:
    """I(x; z_l) of each layer, and of all together, from the posteriors of N images.

    Parameters
    ----------
    mean, logvar : array (N, n_latents)
        Posteriors Normal(mean, diag exp(logvar)); the latents ordered by layer, the lowest first.
    layers : int
        Layers of equally many latents.
    draws : int
        Codes drawn in all: one for each image, in a random order, then again from the first.
    seed : int
    device : torch.device
        Where q(z) is summed, in float64; on the CPU instead of MPS, which has none.
    advance : callable
        Told how many draws were done since it was last called.

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
    check_draws(draws)
    images, latents = mean.shape
    columns = np.arange(latents).reshape(layers, -1)
    rng = np.random.default_rng(seed)
    drawn = np.concatenate([rng.permutation(images) for _ in range(-(-draws // images))])[:draws]
    noise = rng.standard_normal((draws, latents))
    codes = mean[drawn] + np.exp(0.5 * logvar[drawn]) * noise
    own = -0.5 * (noise**2 + logvar[drawn])  # log q(z | x); 2 pi is in q(z) too, and left out of both

    device = HOST if device.type == "mps" else device
    on_host = device.type == "cpu"
    cells = CELLS_AT_ONCE if on_host else CELLS_ON_GPU
    images_at_once = min(images, IMAGES_AT_ONCE if on_host else IMAGES_ON_GPU)
    posteriors, places = Posteriors(mean, logvar, device), torch.from_numpy(codes).to(device)
    terms = np.empty((layers + 1, draws))  # log q(z | x) - log q(z)
    for start in range(0, draws, step := max(1, cells // images_at_once)):
        part = slice(start, start + step)
        drawn_now = len(codes[part])
        aggregates = [_LogMean(drawn_now, device) for _ in range(layers + 1)]
        for first in range(0, images, images_at_once):
            block = slice(first, first + images_at_once)
            everything = torch.zeros((), dtype=torch.float64, device=device)
            for aggregate, own_columns in zip(aggregates, columns.tolist(), strict=False):
                densities = posteriors.log_densities(places[part], block, own_columns)
                aggregate.add(densities)
                everything = everything + densities
            aggregates[-1].add(everything)
        for layer, aggregate in enumerate(aggregates):
            latents_of_layer = columns[layer] if layer < layers else slice(None)
            terms[layer, part] = own[part, latents_of_layer].sum(1) - aggregate.value().cpu().numpy()
        advance(drawn_now)

    kl = gaussian_kl(mean, logvar).mean(0)
    names = [*map(str, range(1, layers + 1)), "all"]
    return tuple(
        LayerInformation(
            layer=name,
            latents=len(some),
            information=float(values.mean()),
            standard_error=float(values.std(ddof=1) / np.sqrt(draws)),
            upper_bound=float(kl[some].sum()),
            images=images,
            draws=draws,
        )
        for name, some, values in zip(names, [*columns, np.arange(latents)], terms, strict=True)
    )


def information_flow(
    stages: Iterable[TrainedModel],
    dataset: ImageDataset,
    *,
    samples: int | None = None,
    draws: int = 1_000,
    seed: int = 0,
    encoded: Callable[[int], object] = lambda images: None,
    advance: Callable[[int], object] = lambda draws: None,
) -> Iterator[StageInformation]:
    """What each layer knows after each stage; the same images and noise for every checkpoint.

    Parameters
    ----------
    stages : iterable of TrainedModel
        Such as the ends of a run's stages: :func:`reference_models.trained.load.stage_ends`.
    dataset : ImageDataset
    samples : int, optional
        How many images, drawn without replacement; they are the N of :func:`information`. All of
        the data set if None.
    draws, seed, advance
        As in :func:`information`.
    encoded : callable
        Told how many images were encoded since it was last called.

    Raises
    ------
    InputError
        If a model has no posterior, or takes other images.
    """
    if samples is not None and samples < 2:
        raise InputError(f"samples is {samples}; it must be at least 2")
    check_draws(draws)  # before anything is encoded, which takes long
    rows = rows_of(dataset, len(dataset) if samples is None else samples, seed)
    for stage in stages:
        mean, logvar = posteriors_of(stage, dataset, rows, encoded)
        layers = information(
            mean, logvar, stage.layers, draws=draws, seed=seed, device=stage.device, advance=advance
        )
        yield StageInformation(stage.model.name, stage.step, str(stage.path), layers)


def posteriors_of(
    stage: TrainedModel,
    dataset: ImageDataset,
    rows: NDArray[np.int64],
    encoded: Callable[[int], object] = lambda images: None,
) -> tuple[Floats, Floats]:
    """Means and log-variances (n, latents) of these images; raises as :func:`information_flow`."""
    mean, logvar = stage.encode(dataset, rows, encoded)
    if logvar is None:
        raise InputError(
            f"{stage.path} has a deterministic encoder; a code without noise tells its image wholly"
        )
    return mean, logvar


def check_draws(draws: int) -> None:
    """Raise InputError if so many codes have no spread."""
    if draws < 2:
        raise InputError(f"draws is {draws}; it must be at least 2")


def table(stages: Iterable[StageInformation]) -> pd.DataFrame:
    """One row for each stage and layer."""
    import pandas as pd

    return pd.DataFrame(
        {
            "model": stage.model,
            "step": stage.step,
            "checkpoint": stage.checkpoint,
            **asdict(layer),
            "ceiling": layer.ceiling,
            "saturated": layer.saturated,
        }
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


class Posteriors:
    """The posteriors of all images on a device, and the densities of codes under them."""

    def __init__(self, mean: Floats, logvar: Floats, device: torch.device) -> None:
        # (latents, images), since one latent is read at a time
        self.mean, self.logvar = (
            torch.from_numpy(array).to(device).T.contiguous() for array in (mean, logvar)
        )
        self.precision = torch.exp(-0.5 * self.logvar)

    def log_densities(self, codes: Tensor, images: slice, latents: list[int]) -> Tensor:
        """log q(code | image) of these latents without its 2 pi, (codes, images)."""
        own = self.logvar[latents, images]
        squares = codes.new_zeros(len(codes), own.shape[1])
        for latent in latents:  # one at a time: three axes at once would not fit a cache
            distance = codes[:, latent, None] - self.mean[latent, images]
            distance *= self.precision[latent, images]
            squares += distance.square_()
        return squares.mul_(-0.5).sub_(own.sum(0), alpha=0.5)


class _LogMean:
    """log((1/N) sum exp) over blocks of columns, one for each row, whatever the values' size."""

    def __init__(self, rows: int, device: torch.device) -> None:
        self.largest = torch.full((rows,), -torch.inf, dtype=torch.float64, device=device)
        self.sums = torch.zeros(rows, dtype=torch.float64, device=device)
        self.count = 0

    def add(self, values: Tensor) -> None:
        largest = torch.maximum(self.largest, values.amax(1))
        self.sums *= torch.exp(self.largest - largest)
        self.sums += torch.exp(values - largest[:, None]).sum(1)
        self.largest = largest
        self.count += values.shape[1]

    def value(self) -> Tensor:
        return self.largest + torch.log(self.sums / self.count)
