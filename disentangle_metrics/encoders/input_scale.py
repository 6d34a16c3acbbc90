"""The range in which a network expects its images, and a check that it gets them so.

Images come in [0, 1] here. Networks are trained on [-1, 1], on images less a mean and over a deviation,
or on 0 to 255 as often. What they say of images in another range is wrong, and no error tells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.encoders.outputs import Posterior
from disentangle_metrics.errors import InputError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of red, green and blue
FORMS = "0..1, -1..1 or another LOW..HIGH, imagenet, or mean=M,std=S with one number each or one per channel"
USUAL = ("0..1", "-1..1", "0..255", "imagenet")
FITS, STRANGE = 0.1, 0.2  # nats; bundled models: at most 0.05 in their own range, mostly above 0.9 in others
FEWEST_IMAGES = 64
MOST_SHOWN, LARGEST = 1000, 1e9  # nats


@dataclass(frozen=True)
class InputScale:
    """Images in [0, 1] brought to [low, high], or less a mean and over a deviation.

    `text` is what it is called in options and records. `mean` and `deviation` are one number, or one per
    channel.
    """

    text: str
    low: float = 0.0
    high: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)

    def __call__(self, images: Any) -> Any:
        """Images (n, channels, height, width) in [0, 1], arrays or tensors, in the network's range.

        Raises
        ------
        InputError
            If there are values for another number of channels.
        """
        channels = np.shape(images)[1]
        for values in (self.mean, self.deviation):
            if len(values) not in (1, channels):
                raise InputError(
                    f"`scale={self.text!r}` has {len(values)} values and the images have {channels} "
                    f"channels; give one value, or one per channel"
                )
        if self.mean == (0.0,) and self.deviation == (1.0,):
            if (self.low, self.high) == (0.0, 1.0):
                return images
            return images * np.float32(self.high - self.low).item() + np.float32(self.low).item()
        mean = np.asarray(self.mean, np.float32).reshape(1, -1, 1, 1)
        deviation = np.asarray(self.deviation, np.float32).reshape(1, -1, 1, 1)
        if hasattr(images, "new_tensor"):  # PyTorch's
            mean, deviation = images.new_tensor(mean), images.new_tensor(deviation)
        return (images - mean) / deviation


def input_scale(scale: Any) -> InputScale | None:
    """The scale that is meant by a text, a pair (low, high), or a mapping of "mean" and "std"; None stays.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if scale is None or isinstance(scale, InputScale):
        return scale
    if isinstance(scale, Mapping) and set(scale) == {"mean", "std"}:
        return _standardised(_numbers(scale["mean"]), _numbers(scale["std"]), scale)
    if isinstance(scale, Sequence) and not isinstance(scale, str) and len(scale) == 2:
        return _between(_numbers(scale, 2), scale)
    text = str(scale).strip().lower() if isinstance(scale, str) else ""
    if text == "imagenet":
        return InputScale(text, mean=IMAGENET[0], deviation=IMAGENET[1])
    if match := re.fullmatch(r"mean=(.+?),\s*std=(.+)", text):
        mean, deviation = (_numbers(part.split(",")) for part in match.groups())
        return _standardised(mean, deviation, scale)
    if text.count("..") == 1:
        return _between(_numbers(text.split(".."), 2), scale)
    raise _unknown(scale)


def _unknown(scale: Any) -> InputError:
    return InputError(f"`scale` must be {FORMS}; got {scale!r}")


def _numbers(values: Any, count: int | None = None) -> tuple[float, ...]:
    try:
        numbers = tuple(float(value) for value in (values if np.ndim(values) else [values]))
    except (TypeError, ValueError):
        raise _unknown(values) from None
    if not numbers or not np.isfinite(numbers).all() or (count is not None and len(numbers) != count):
        raise _unknown(values)
    return numbers


def _between(ends: tuple[float, ...], scale: Any) -> InputScale:
    low, high = ends
    if not low < high:
        raise _unknown(scale)
    return InputScale(f"{low:g}..{high:g}", low, high)


def _standardised(mean: tuple[float, ...], deviation: tuple[float, ...], scale: Any) -> InputScale:
    if min(deviation) <= 0:
        raise _unknown(scale)
    words = [",".join(f"{value:g}" for value in values) for values in (mean, deviation)]
    return InputScale(f"mean={words[0]},std={words[1]}", mean=mean, deviation=deviation)


def rescaled(dataset: Any, rows: NDArray[np.int64]) -> Check | None:
    """A check where a network without a `scale` does not get the range that these images have.

    Own images with values below 0 come to it in 0 to 1. Those of a reader that gives 0 and 1 come as black.
    """
    given = (getattr(dataset, "facts", None) or {}).get("value_range")
    if given is None:
        images = dataset.images(rows[:FEWEST_IMAGES])
        if len(images) < 2 or np.max(images) != 1:
            return None
        text = "no pixel of the images is above 1, where 255 is white, so the network gets them all but black"
        return Check("images_rescaled", text, "multiply images in 0 .. 1 by 255 where they are read")
    if not given.startswith("-"):
        return None
    text = f"the images have values in {given}, and the network gets them in 0..1"
    return Check("images_rescaled", text, f"if it expects them as they are, pass `scale={given!r}`")


def wants_another_scale(
    read: Callable[[Any], Posterior], images: NDArray[np.float32], scale: InputScale | None
) -> Check | None:
    """Whether the posteriors of images (n, channels, height, width) fit their prior in another range alone.

    Over many images the codes of a trained VAE have the mean and the variance of its prior, 0 and 1. Their
    distance from it is KL(Normal(m, s^2) || Normal(0, 1)), in nats, the mean over latents: m is the mean of
    a latent over the images, and s^2 the variance of its means and the mean of its variances. A check
    says so if it is large in the range that is used, and another usual range brings it close.
    """
    if len(images) < FEWEST_IMAGES:
        return None
    now = scale or InputScale("0..1")
    distance = _from_prior(read, now(images))
    if distance is None or distance < STRANGE:
        return None
    others: dict[str, float] = {}
    for text in USUAL:
        other = input_scale(text)
        if other is None or text == now.text or (text == "imagenet" and images.shape[1] != 3):
            continue
        found = _from_prior(read, other(images))
        if found is not None:
            others[text] = found
    best = min(others, key=lambda text: others[text], default=None)
    if best is None or others[best] > min(FITS, distance / 2):
        return None
    far = f"{distance:.2g}" if distance < MOST_SHOWN else f"more than {MOST_SHOWN}"
    return Check(
        "other_scale",
        f"the codes are {far} nats from their prior with images in {now.text}, and "
        f"{others[best]:.2g} in {best}: the network seems to expect images in {best}",
        f"pass `scale={best!r}`",
        numbers={"distance": distance, "distance_otherwise": others[best]},
    )


def _from_prior(read: Callable[[Any], Posterior], images: Any) -> float | None:
    """How far the codes of these images are from a standard normal prior; None if they have no variance."""
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            posterior = read(images)
        except InputError:  # such as codes that are not finite
            return None
        if posterior.logvar is None:
            return None
        mean, logvar = posterior.mean.astype(np.float64), posterior.logvar.astype(np.float64)
        offset, spread = mean.mean(axis=0), mean.var(axis=0) + np.exp(logvar).mean(axis=0)
        distance = float(np.mean(0.5 * (offset**2 + spread - 1 - np.log(spread))))
    return min(distance, LARGEST) if np.isfinite(distance) else LARGEST
