"""Which tensors of a file are the weights of a network: by names and shapes, looking through wrappers.

Training wraps a network (``module.``, ``_orig_mod.``, an attribute of a larger model) and stores
other parts beside it (a decoder, a discriminator, a probe). A match gives every weight of the network
a tensor of its shape, under one prefix. What is left over beside it is told; what is left over inside
the network's own parts refutes the match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from disentangle_metrics.text import some_of

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

WRAPPERS = frozenset(
    ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module")
)
DECODER = re.compile(
    r"(.*_)?(dec|decod\w*|deconv\w*|generator|discriminator|disc|critic|final_layer|recon\w*|upsampl\w*)"
    r"(_\w*|\d+)?"
)
BESIDE_AN_ENCODER = re.compile(
    DECODER.pattern
    + r"|(.*_)?(classifier|clf|cls|probe|projector|predictor|projection|heads?|\w*head|\w*finetuner|prior\w*|"
    r"loss\w*|criterion\w*|metrics?|\w*metric|optim\w*|scheduler|aux\w*)\d*"
)
MOST_NAMED = 3  # tensors in a message
COUNTER = "num_batches_tracked"  # of batch norm; evaluation does not read it


@dataclass(frozen=True)
class Match:
    """A tensor for each weight of the network that has one, and what was not needed."""

    tensors: dict[str, torch.Tensor]
    unread: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # weights of the network that the file lacks, and no code needs


class Mismatch(Exception):
    """Why a file's tensors are not a network's weights."""


def match(wanted: Tensors, stored: Tensors) -> Match:
    """The tensors of `stored` that are the weights `wanted`.

    Raises
    ------
    Mismatch
        If there are none, or several that differ; the message names what is missing and what is over.
    """
    if set(wanted) == set(stored):
        _check_shapes(wanted, stored)
        return Match(dict(stored))
    names, tensors = _without_wrappers(list(wanted)), dict(stored)
    cleaned = _without_wrappers(list(stored))
    if len(set(cleaned)) == len(cleaned):
        tensors = dict(zip(cleaned, stored.values(), strict=True))
    own = dict(zip(names, wanted, strict=True)) if len(set(names)) == len(names) else {n: n for n in wanted}
    shapes = {name: tuple(wanted[original].shape) for name, original in own.items()}
    for needed in _subsets(list(own)):
        fits = [prefix for prefix in _prefixes(needed, tensors) if _fits(needed, shapes, tensors, prefix)]
        fits = _different(fits, needed, tensors)
        if len(fits) > 1:
            shown = " and ".join(repr(prefix.rstrip(".")) for prefix in fits[:3])
            raise Mismatch(f"weights that fit the network stand under {shown}; say which with `state_key`")
        if fits:
            prefix = fits[0]
            over = _left_over(needed, tensors, prefix)
            if inside := [name for name in over if _is_inside(name, needed, prefix)]:
                raise Mismatch(
                    f"the network has no {some_of(inside, MOST_NAMED)}, which the file has among its weights"
                )
            given = {own[name]: tensors[prefix + n] for name, n in needed.items() if prefix + n in tensors}
            kept = tuple(name for name in own.values() if name not in given)
            return Match(given, tuple(over), tuple(name for name in kept if not name.endswith(COUNTER)))
    raise Mismatch(_difference(list(own), shapes, tensors))


def _without_wrappers(names: list[str]) -> list[str]:
    return [".".join(part for part in name.split(".") if part not in WRAPPERS) for name in names]


def _subsets(names: list[str]) -> Iterator[dict[str, str]]:
    """The weights to look for, each with its name in a file: all; below one attribute; without a decoder."""
    yield {name: name for name in names}
    attributes = sorted(
        {name[: place + 1] for name in names for place, c in enumerate(name) if c == "."}, key=len
    )
    for attribute in attributes:
        if all(name.startswith(attribute) for name in names):
            yield {name: name.removeprefix(attribute) for name in names}
    encoder = [name for name in names if not DECODER.fullmatch(name.partition(".")[0])]
    if encoder and len(encoder) < len(names):
        yield {name: name for name in encoder}
    for attribute in attributes:
        inside = [name for name in names if name.startswith(attribute)]
        below = attribute.count(".") - 1
        rest = [name for name in names if not name.startswith(attribute)]
        if rest and all(DECODER.fullmatch(name.split(".")[min(below, name.count("."))]) for name in rest):
            yield {name: name.removeprefix(attribute) for name in inside}


def _prefixes(needed: dict[str, str], tensors: Tensors) -> list[str]:
    """Under which prefixes the first of the needed names stands."""
    first = next((name for name in needed.values() if not name.endswith(COUNTER)), "")
    return [
        name.removesuffix(first)
        for name in tensors
        if first and (name == first or name.endswith("." + first))
    ]


def _fits(
    needed: dict[str, str], shapes: Mapping[str, tuple[int, ...]], tensors: Tensors, prefix: str
) -> bool:
    return all(
        name.endswith(COUNTER)
        or (prefix + stored in tensors and tuple(tensors[prefix + stored].shape) == shapes[name])
        for name, stored in needed.items()
    )


def _different(prefixes: list[str], needed: dict[str, str], tensors: Tensors) -> list[str]:
    """The prefixes whose weights are not those of another."""
    kept: list[str] = []
    for prefix in prefixes:
        if not any(
            all(
                tensors[prefix + name].equal(tensors[other + name])
                for name in needed.values()
                if not name.endswith(COUNTER)
            )
            for other in kept
        ):
            kept.append(prefix)
    return kept


def _left_over(needed: dict[str, str], tensors: Tensors, prefix: str) -> list[str]:
    used = {prefix + name for name in needed.values()}
    return [name for name in tensors if name not in used and not name.endswith(COUNTER)]


def _is_inside(name: str, needed: dict[str, str], prefix: str) -> bool:
    """Whether a tensor that is left over seems to be one of the network's own."""
    if not name.startswith(prefix):
        return False
    part = name.removeprefix(prefix).partition(".")[0]
    own = {stored.partition(".")[0] for stored in needed.values()}
    return part in own or not BESIDE_AN_ENCODER.fullmatch(part)


def _check_shapes(wanted: Tensors, stored: Tensors) -> None:
    if text := _shapes_that_differ({n: tuple(t.shape) for n, t in wanted.items()}, stored, ""):
        raise Mismatch(text)


def _shapes_that_differ(shapes: Mapping[str, tuple[int, ...]], tensors: Tensors, prefix: str) -> str:
    wrong = [
        f"{name} (file {tuple(tensors[prefix + name].shape)}, network {shape})"
        for name, shape in shapes.items()
        if prefix + name in tensors and tuple(tensors[prefix + name].shape) != shape
    ]
    return f"shapes differ: {some_of(wrong, MOST_NAMED)}" if wrong else ""


def _difference(names: list[str], shapes: Mapping[str, tuple[int, ...]], tensors: Tensors) -> str:
    """What is missing and what is over, under the prefix where most names are found."""
    prefixes = {""}
    for name in names:
        prefixes.update(s.removesuffix(name) for s in tensors if s.endswith("." + name))
    prefix = max(sorted(prefixes, key=len), key=lambda p: sum(p + name in tensors for name in names))
    if not any(prefix + name in tensors for name in names):
        prefix = ""
    texts = []
    missing = [name for name in names if prefix + name not in tensors and not name.endswith(COUNTER)]
    if missing:
        texts.append(f"the file lacks {some_of(missing, MOST_NAMED)}")
    over = [name for name in tensors if name.startswith(prefix) and name.removeprefix(prefix) not in names]
    if over and (missing or not prefix):
        texts.append(f"the network has no {some_of(over, MOST_NAMED)}")
    if wrong := _shapes_that_differ({name: shapes[name] for name in names}, tensors, prefix):
        texts.append(wrong)
    where = f" (looked for under {prefix.rstrip('.')!r})" if prefix else ""
    return "; ".join(texts) + where
