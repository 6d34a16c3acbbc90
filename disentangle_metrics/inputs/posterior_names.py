"""Which of several named arrays is the mean of a posterior, and which its spread, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError

Spread = Literal["logvar", "logstd", "std", "var"]
SPREADS: tuple[Spread, ...] = get_args(Spread)  # of several of one posterior, the first is read

SPELLINGS: dict[str, str] = {
    "mean": r"means?|mus?|locs?|location|average|avg",
    "logvar": r"(log|ln)(vars?|(co)?variances?|(sigmas?|std)(2|sq|squared))|lv|logv",
    "var": r"vars?|variances?|(sigmas?|std)(2|sq|squared)",
    "logstd": r"(log|ln)(stds?|stddevs?|stdevs?|sd|sigmas?|scales?)",
    "std": r"stds?|stddevs?|stdevs?|sd|sigmas?|scales?|standarddeviations?",
}
# Words that say whose posterior it is, or which layer computes it, and nothing of what it is.
OWNERS = (
    "z zs q qz qzx zx h latent latents posterior post enc encoder encoded encoding out output outputs fc "
    "layer dense linear lin head dist distribution param params code codes emb embedding approx variational "
    "network net model vae of the gaussian normal identity gemm matmul add bias biasadd mul split slice "
    "squeeze reshape flatten statefulpartitionedcall stateful partitionedcall"
)
# Words of things whose mean and spread are not those of the code.
STRANGERS = (
    "x xhat px pz p prior dec decoder decoded recon reconstruction reconstructed rec generated target labels "
    "label batch running input data"
)
FILLERS, OTHERS = frozenset(OWNERS.split()), frozenset(STRANGERS.split())


@dataclass(frozen=True)
class NamedPosterior:
    """The name of the means, and the name of the spread and what it is, if there is one."""

    mean: str
    spread: str | None = None
    spread_is: Spread = "logvar"


def role_of(name: str) -> str | None:
    """ "mean", "logvar", "logstd", "std" or "var" if a name says so; else None."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name.partition(":")[0].replace("²", "2"))
    words = re.sub(r"sigma_2$", "sigma2", words.lower())
    tokens = [token for token in re.split(r"[^a-z0-9]+", words) if token]
    if OTHERS & set(tokens):
        return None
    tokens = [token for token in tokens if token not in FILLERS and not token.isdigit()]
    compact = "".join(tokens)
    for text in (compact, compact.removeprefix("z"), compact.removesuffix("z"), compact.removeprefix("q")):
        for role, spellings in SPELLINGS.items():
            if re.fullmatch(rf"(?:{spellings})", text):
                return role
    return None


def named_posterior(names: Iterable[str]) -> NamedPosterior | None:
    """The posterior that these names spell, or None if none of them is that of a mean.

    Raises
    ------
    InputError
        If several names are those of a mean, or several those of the same spread.
    """
    by_role: dict[str, list[str]] = {}
    for name in names:
        if (role := role_of(name)) is not None:
            by_role.setdefault(role, []).append(name)
    means = by_role.pop("mean", [])
    if not means:
        return None
    for role, alike in {"mean": means, **by_role}.items():
        if len(alike) > 1:
            raise InputError(f"several are called like a {role} ({', '.join(alike)})")
    for spread in SPREADS:
        if spread in by_role:
            return NamedPosterior(means[0], by_role[spread][0], spread)
    return NamedPosterior(means[0])


def as_logvar(spread: NDArray[Any], spread_is: Spread, name: str) -> NDArray[Any]:
    """Log-variances from a spread of another kind.

    Raises
    ------
    InputError
        If a standard deviation or variance is not positive; the message names the cell.
    """
    if spread_is == "logvar":
        return spread
    if spread_is == "logstd":
        return 2 * spread
    wrong = spread <= 0
    if wrong.any():
        cell = tuple(int(i[0]) for i in np.nonzero(wrong))
        what = "standard deviation" if spread_is == "std" else "variance"
        raise InputError(
            f"{name!r} is read as a {what}, which must be above 0, but at {list(cell)} it is {spread[cell]}"
        )
    logarithms: NDArray[Any] = np.log(spread)
    return 2 * logarithms if spread_is == "std" else logarithms
