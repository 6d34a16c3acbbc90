"""Variants by their names: ``sprites|colour:seed=1|split:part=train`` is read from left to right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from disentangle_metrics.datasets.factor_dataset import FactorDataset
from disentangle_metrics.datasets.variants import choices, looks, margins
from disentangle_metrics.errors import DatasetError, InputError
from disentangle_metrics.kit.near_names import did_you_mean

Options = dict[str, str]


def varied(dataset: FactorDataset, variants: str) -> FactorDataset:
    """The data set with these variants, ``NAME:OPTION=VALUE,...|NAME:...``, the first applied first.

    Raises
    ------
    DatasetError
        If there is no such variant.
    InputError
        If it has no such option, or an option has no such value.
    """
    for text in variants.split("|"):
        name, _, rest = text.strip().partition(":")
        if name not in VARIANTS:
            hint = did_you_mean(name, VARIANTS)
            raise DatasetError(
                f"unknown variant {name!r} of {dataset.name}; {hint}known: {', '.join(VARIANTS)}"
            )
        options: Options = {}
        for pair in filter(None, rest.split(",")):
            option, equals, value = (part.strip() for part in pair.partition("="))
            if not (option and equals and value) or option in options:
                raise InputError(f"the variant {text!r} must be NAME:OPTION=VALUE,..., such as colour:seed=1")
            options[option] = value
        dataset = VARIANTS[name](dataset, options)
    return dataset


def _colour(dataset: FactorDataset, options: Options) -> FactorDataset:
    _known("colour", options, "seed")
    return looks.colour(dataset, seed=_whole(options, "seed"))


def _noisy(dataset: FactorDataset, options: Options) -> FactorDataset:
    _known("noisy", options, "seed")
    return looks.noisy(dataset, seed=_whole(options, "seed"))


def _background(dataset: FactorDataset, options: Options) -> FactorDataset:
    _known("background", options, "seed", "picture")
    return looks.background(dataset, seed=_whole(options, "seed"), picture=options.get("picture"))


def _padded(dataset: FactorDataset, options: Options) -> FactorDataset:
    _known("padded", options, "side")
    if "side" not in options:
        height, width, _ = dataset.image_shape
        enough = 1 << (max(height, width) - 1).bit_length()  # a power of two, as networks take
        raise InputError(f"padded needs its side, such as padded:side={enough}")
    return margins.padded(dataset, side=_whole(options, "side"))


def _correlated(dataset: FactorDataset, options: Options) -> FactorDataset:
    _known("correlated", options, "factors", "sigma", "seed")
    names = options.get("factors", "").split("+")
    if len(names) != 2:
        raise InputError("correlated needs a pair of factors, such as correlated:factors=posX+posY,sigma=0.2")
    pair = (names[0], names[1])
    return choices.correlated(
        dataset, pair, sigma=_number(options, "sigma", 0.2), seed=_whole(options, "seed")
    )


def _restricted(dataset: FactorDataset, options: Options) -> FactorDataset:
    return choices.restricted(dataset, {name: _codes(name, text) for name, text in options.items()})


def _split(dataset: FactorDataset, options: Options) -> FactorDataset:
    _known("split", options, "part", "factors", "share", "seed")
    if "part" not in options:
        raise InputError("split needs its part, such as split:part=train")
    return choices.split(
        dataset,
        options["part"],
        factors=options["factors"].split("+") if "factors" in options else None,
        share=_number(options, "share", 0.2),
        seed=_whole(options, "seed"),
    )


VARIANTS: Mapping[str, Callable[[FactorDataset, Options], FactorDataset]] = {
    "colour": _colour,
    "noisy": _noisy,
    "background": _background,
    "padded": _padded,
    "correlated": _correlated,
    "restricted": _restricted,
    "split": _split,
}


def _known(variant: str, options: Options, *names: str) -> None:
    if unknown := [name for name in options if name not in names]:
        raise InputError(f"the variant {variant} has no option {unknown[0]!r}; it has {', '.join(names)}")


def _whole(options: Options, name: str) -> int:
    text = options.get(name, "0")
    if not text.isdecimal():
        raise InputError(f"{name} must be a whole number from 0, got {text!r}")
    return int(text)


def _number(options: Options, name: str, default: float) -> float:
    try:
        return float(options.get(name, default))
    except ValueError:
        raise InputError(f"{name} must be a number, got {options[name]!r}") from None


def _codes(name: str, text: str) -> list[int]:
    """``0-2+5`` -> 0, 1, 2, 5."""
    codes: list[int] = []
    for part in text.split("+"):
        if not (match := re.fullmatch(r"(\d+)(?:-(\d+))?", part)):
            raise InputError(
                f"restricted: the values of {name} are codes and ranges, such as 0-2+5; got {text!r}"
            )
        codes += range(int(match[1]), int(match[2] or match[1]) + 1)
    return codes
