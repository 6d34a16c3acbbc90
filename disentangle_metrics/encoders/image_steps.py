"""What ``preprocessor_config.json`` says is done to images before a model of Transformers reads them.

The steps are those of Transformers' own processors, in their order, on images in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

FILTERS = {0: "nearest-exact", 2: "bilinear", 3: "bicubic"}  # by Pillow's number; others are done as bicubic
WARPED_FROM = 384  # pixels: from here on a ConvNext warps images where it crops smaller ones
FOLLOWED = {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_flip_channel_order"}
OF_NO_PIXEL = {"do_convert_rgb", "do_convert_annotations", "do_reduce_labels"}
FURTHER = ("size_divisor", "ensure_multiple_of", "keep_aspect_ratio", "pad_size", "max_num_patches")
Pair = tuple[int, int]


@dataclass(frozen=True)
class ImageSteps:
    """Images (n, channels, height, width) in [0, 1] as the network expects them.

    `size` is (height, width) or the shortest edge, `crop` (height, width), both None where nothing is done.
    `mean` and `deviation` are one number, or one for each channel. `not_followed` names steps that are said
    and not done here.
    """

    size: tuple[int, ...] | None = None
    crop: Pair | None = None
    filter: str = "bilinear"
    scale: float = 1.0
    turned: bool = False
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    normalised: bool = False
    not_followed: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> ImageSteps:
        """The steps that a file says."""
        size = _size(said.get("size")) if said.get("do_resize") else None
        crop = _square(_size(said.get("crop_size"))) if said.get("do_center_crop") else None
        size, crop = _enlarged(size, crop, said)
        number = int(said.get("resample") or 0) if "resample" in said else 2
        normalised = bool(said.get("do_normalize"))
        mean, deviation = (_numbers(said[f"image_{name}"]) if normalised else (value,)
                           for name, value in (("mean", 0.0), ("std", 1.0)))  # fmt: skip
        if said.get("include_top"):  # an EfficientNet divides once more
            deviation = tuple(value**2 if normalised else value for value in _numbers(said["image_std"]))
        if said.get("rescale_offset"):  # to [-1, 1]
            mean = tuple(value + 1 for value in mean)
        return cls(
            size,
            crop,
            FILTERS.get(number, "bicubic"),
            255 * float(said.get("rescale_factor", 1 / 255)) if said.get("do_rescale", True) else 255.0,
            bool(said.get("do_flip_channel_order")),
            mean,
            deviation,
            normalised,
            tuple(_not_followed(said, size, crop, number)),
        )

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """The images, prepared."""
        from torch.nn import functional

        target = None if self.size is None else _target(self.size, images.shape[-2:])
        if target is not None and target != tuple(images.shape[-2:]):
            smooth = self.filter != "nearest-exact"
            images = functional.interpolate(images, target, mode=self.filter, antialias=smooth).clamp(0, 1)
        if self.crop is not None:
            images = _cropped(images, self.crop)
        images = images * self.scale
        if self.turned and images.shape[1] == 3:
            images = images.flip(1)
        mean, deviation = (images.new_tensor(part)[:, None, None] for part in (self.mean, self.deviation))
        return (images - mean) / deviation

    def remarks(self, file: str) -> tuple[str, ...]:
        """What is done to images, and what is not, as sentences; none where nothing is said."""
        done = [f"resized to {' x '.join(map(str, self.size))}"] if self.size else []
        done += [f"cropped to {' x '.join(map(str, self.crop))}"] if self.crop else []
        done += ["turned from RGB to BGR"] if self.turned else []
        done += ["normalised"] if self.normalised else []
        found = [f"images are {', '.join(done)}, as {file} says"] if done else []
        if self.not_followed:
            missed = ", ".join(self.not_followed)
            found.append(f"{file} says more, which is not done as it says: {missed}; the codes may differ")
        return tuple(found)


def _enlarged(
    size: tuple[int, ...] | None, crop: Pair | None, said: Mapping[str, Any]
) -> tuple[tuple[int, ...] | None, Pair | None]:
    """Size and crop where images are made larger than the file's size, and cropped."""
    if size is None or len(set(size)) > 1:
        return size, crop
    edge, share = size[0], said.get("crop_pct")
    processor = str(said.get("image_processor_type") or said.get("feature_extractor_type") or "")
    if processor.startswith("Levit") and len(size) == 1:
        return (int(256 / 224 * edge),), crop
    if not share:
        return size, crop
    if crop is not None:  # of a PoolFormer
        return (int(edge / share),), crop
    return ((int(edge / share),), (edge, edge)) if edge < WARPED_FROM else ((edge, edge), None)


def _not_followed(
    said: Mapping[str, Any], size: tuple[int, ...] | None, crop: Pair | None, number: int
) -> list[str]:
    steps = [name for name, value in said.items() if name.startswith("do_") and value is True]
    missed = [name for name in steps if name not in FOLLOWED | OF_NO_PIXEL]
    missed += [name for name in FURTHER if said.get(name)]
    if said.get("do_resize"):
        whole = isinstance(said.get("size"), Mapping) and "longest_edge" in said["size"]
        missed += ["size"] if size is None or whole else []
        missed += ["resample"] if number not in FILTERS else []
        missed += ["crop_pct"] if said.get("crop_pct") and len(set(size or ())) > 1 else []
    if said.get("do_center_crop") and crop is None:
        missed.append("crop_size")
    return missed


def _cropped(images: torch.Tensor, crop: Pair) -> torch.Tensor:
    """The middle of the images; smaller ones are black around."""
    from torch.nn import functional

    height, width = images.shape[-2:]
    more_rows, more_columns = max(0, crop[0] - height), max(0, crop[1] - width)
    if more_rows or more_columns:
        left, top = -(-more_columns // 2), -(-more_rows // 2)
        images = functional.pad(images, (left, more_columns - left, top, more_rows - top))
        height, width = images.shape[-2:]
    top, left = (height - crop[0]) // 2, (width - crop[1]) // 2
    return images[..., top : top + crop[0], left : left + crop[1]]


def _target(size: tuple[int, ...], shape: Any) -> Pair:
    """(height, width) of images of this shape once resized."""
    if len(size) == 2:
        return size[0], size[1]
    height, width = (int(size[0] * side / min(shape)) for side in shape)
    return height, width


def _size(value: Any) -> tuple[int, ...] | None:
    """(height, width), or the shortest edge alone."""
    if isinstance(value, Mapping):
        names = ("height", "width") if "height" in value else ("shortest_edge",)
        return tuple(int(value[name]) for name in names if name in value) or None
    return None if value is None else (int(value), int(value))


def _square(size: tuple[int, ...] | None) -> Pair | None:
    return None if size is None else (size[0], size[-1])


def _numbers(value: Any) -> tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, list | tuple) else (float(value),)
