"""Options of score() where it is called later, or several times: refused at once, kept for every call."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.hierarchy import check_names, tree_of
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.scoring.requests import Options, choose
from disentangle_metrics.scoring.score import score
from disentangle_metrics.scoring.signatures import variant_fact

DECIDED_BY_THE_DATASET = ("latents", "factors", "factor_names", "variant", "seed", "progress")
OF_CALL = ("seed", "n_jobs", "anchors", "confidence", "replicates", "permutations")
TRIED = 5  # made-up rows: a circle of so many steps has a period


def read_again(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with a list for each iterator, which could be read once; those in `groups` too."""
    return {name: _read_again(value) for name, value in options.items()}


def _read_again(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _read_again(item) for name, item in value.items()}
    return list(value) if hasattr(value, "__next__") else value


def check_score_options(options: Mapping[str, Any], more: Iterable[str] = ()) -> None:
    """Refuse now what score() would refuse after the images are encoded; `more` are further options.

    Raises
    ------
    InputError
        If there is no such option, or it may not be what it is.
    """
    accepted = [name for name in inspect.signature(score).parameters if name not in DECIDED_BY_THE_DATASET]
    accepted += more
    choices = choose(options.get("metrics"), options.get("protocol", "default"))
    for name in options:
        if name not in accepted:
            owner = next((choice.definition.name for choice in choices if name in choice.settings), None)
            hint = f"it is a setting of a metric: `dm.Metric({owner!r}, {name}=...)`; " if owner else ""
            hint = hint or did_you_mean(name, accepted)
            raise InputError(f"there is no option {name!r}; {hint}the options are {', '.join(accepted)}")
    check_values(options)


def check_values(options: Mapping[str, Any]) -> None:
    """Refuse values of options that no latents and factors could be scored with.

    What is said of latents and factors is tried on made-up rows of as many columns as it names.

    Raises
    ------
    InputError
        If an option may not be what it is.
    """
    choose(options.get("metrics"), options.get("protocol", "default"))
    Options(**{name: options[name] for name in OF_CALL if name in options})
    if options.get("variant"):
        variant_fact(options["variant"])
    if options.get("hierarchy") is not None:
        tree = tree_of(options["hierarchy"], ())
        if tree and isinstance(names := options.get("factor_names"), list | tuple):
            check_names(tree, names)
    latents, factors = _columns(options, "latent"), _columns(options, "factor")
    groups = options.get("groups")
    if isinstance(groups, Mapping) and options.get("latent_names") is None:
        groups = None  # of columns that are not known yet
    steps = np.arange(float(TRIED))[:, None]
    check(
        np.tile(steps, max(1, len(latents.get("latent_names", ())))),
        np.tile(steps, max(1, len(factors.get("factor_names", ())))),
        **latents,
        **factors,
        missing=options.get("missing", "raise"),
        groups=groups,
        rule="whole_numbers",
    )


def _columns(options: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The names and the types of latents or factors; names are made up where types alone are given."""
    names, types = options.get(f"{of}_names"), options.get(f"{of}_types")
    if names is None and isinstance(types, Mapping):
        names = list(types)
    elif names is None and types is not None:
        names = [f"{of}_{k}" for k in range(1 if isinstance(types, str) else len(types))]
    return {} if names is None or not len(names) else {f"{of}_names": names, f"{of}_types": types}
