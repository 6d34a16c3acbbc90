"""What the callbacks of all trainers share: score held-out data now and then, and give plain numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from disentangle_metrics.encoders.input_scale import input_scale
from disentangle_metrics.encoders.output_reader import ENOUGH
from disentangle_metrics.encoders.outputs import Posterior
from disentangle_metrics.encoders.reading import inputs_of, reading
from disentangle_metrics.errors import InputError
from disentangle_metrics.evaluation import SAMPLES, asked_of, evaluate, grouping, whole_numbers
from disentangle_metrics.inputs.declared import Declared
from disentangle_metrics.inputs.factor import read_each
from disentangle_metrics.inputs.frames import unmasked
from disentangle_metrics.inputs.hierarchy import with_switches
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.inputs.tables import read_factors
from disentangle_metrics.integrations.random_state import kept_random_state
from disentangle_metrics.loaders import (
    ArrayBatches,
    encode_batches,
    factor_places,
    in_batches,
    is_loader,
    is_pair_of_arrays,
)
from disentangle_metrics.scoring.early import check_score_options, check_values, read_again
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Metric, choose

DEFAULT = ("mig", "mig_sup")
"""Quick, and blind to opposite faults."""

ABOUT_LATENTS = ("latent_names", "latent_types", "groups", "missing")
OF_ENCODING = ("samples", "seed", "batch_size", "scale", "progress")
OWN_OPTIONS = ("every_n_epochs", "prefix")  # of every callback
OF_EVALUATE = (*OF_ENCODING, "factors", "factor_names")


class HeldOut:
    """Scores an encoder on held-out rows.

    Parameters
    ----------
    data : loader, FactorDataset or pair of arrays
        A pair (inputs, factors), or anything that :func:`disentangle_metrics.evaluate` takes without a second
        argument, more than once: no generator.
    prefix : str
        Stands before each name that is logged.
    every : int
        Score after each `every` epochs.
    options
        Of :func:`disentangle_metrics.evaluate`.

    Attributes
    ----------
    reports : dict
        From an epoch, counted from 1, to its report.
    """

    def __init__(
        self,
        data: Any,
        metrics: Iterable[str | Metric] | str | Metric | None,
        every: int,
        prefix: str,
        options: dict[str, Any],
    ) -> None:
        if isinstance(every, bool) or not isinstance(every, int) or every < 1:
            raise InputError(f"`every_n_epochs` must be a whole number of at least 1, got {every!r}")
        if hasattr(data, "__next__"):
            raise InputError("`data` is a generator, which can be read once; pass a loader, or a list of it")
        self.every, self.prefix = every, prefix
        options = read_again({"anchors": False, **options, "metrics": metrics})
        unknown = ("groups",) if isinstance(options.get("groups"), str) else ()  # before there is a network
        known = (*OF_EVALUATE, *OWN_OPTIONS)
        check_score_options({n: o for n, o in options.items() if n not in unknown}, more=known)
        sizes = options.get("samples", SAMPLES), options.get("seed", 0), options.get("batch_size", 256)
        self.samples, self.seed, batch_size = whole_numbers(*sizes)
        self.data = _held_out(data, batch_size, self.samples, self.seed)
        self.scale = input_scale(options.get("scale"))
        if self.scale is not None and is_loader(self.data):
            raise InputError("`scale` is for images; what a loader gives goes to the encoder as it is")
        self.options = options
        self.reports: dict[int, Report] = {}
        self._is_logvar = False  # whether a spread without a name was seen to be a log-variance

    @property
    def names(self) -> set[str]:
        """What the scores are logged as."""
        choices = choose(self.options["metrics"], self.options.get("protocol", "default"))
        return {f"{self.prefix}{key}" for choice in choices for key in choice.keys}

    @property
    def best(self) -> dict[str, str]:
        """Whether the largest ("max") or the smallest ("min") of a score is the best, where either is."""
        choices = choose(self.options["metrics"], self.options.get("protocol", "default"))
        scores = (score for choice in choices for score in choice.definition.scores)
        return {
            f"{self.prefix}{score.key}": "min" if score.direction == "down" else "max"
            for score in scores
            if score.property != "size"  # of which neither more nor less is better
        }

    def refuse_logged(self, names: Iterable[str]) -> None:
        """Refuse names under which something else is logged: one would hide the other, or their mean both.

        Raises
        ------
        InputError
            If a score has such a name.
        """
        if twice := self.names & set(names):
            raise InputError(f"{min(twice)!r} is logged twice; give each callback its own `prefix`")

    def check(self, encoder: Any) -> None:
        """Encode the first rows, so that what cannot be scored is refused before training.

        Raises
        ------
        InputError
            If the data, the encoder's outputs, or what the options say of them cannot be used.
        """
        self._check(encoder)
        self._is_logvar = _knows_logvar(encoder)

    def _check(self, encoder: Any) -> None:
        of_score = {name: value for name, value in self.options.items() if name not in OF_ENCODING}
        factors = of_score.pop("factors", None)
        if is_loader(self.data):
            self._check_batches(encoder, factors, of_score)
            return
        asked = asked_of(encoder, self.data, factors, self.samples, self.seed, of_score)
        with kept_random_state(), reading(encoder, self.scale, images=True) as (read, conclude, _):
            first = read(inputs_of(self.data, np.arange(min(ENOUGH, len(self.data)))))
            conclude()
        _check_latents(first.mean, asked.options)

    def _check_batches(self, encoder: Any, factors: Any, options: dict[str, Any]) -> None:
        rows = 0
        with kept_random_state(), reading(encoder, images=False) as (read, conclude, _):

            def counted(inputs: Any) -> Posterior:
                nonlocal rows
                posterior = read(inputs)
                rows += len(posterior.mean)
                return posterior

            latents, table = encode_batches(counted, itertools.takewhile(lambda _: rows < ENOUGH, self.data))
            conclude()
        grouping(options, encoder)
        names, places = factor_places(table, factors, options.get("factor_names"))
        check_values({**options, "factor_names": names})
        _check_latents(latents, options)
        _check_factors([read_factors(table).columns[place] for place in places], names, options)

    def due(self, epoch: int) -> bool:
        """Whether to score after this epoch, counted from 1."""
        return epoch % self.every == 0

    def score(self, encoder: Any, epoch: int) -> dict[str, float]:
        """The scores by name, after this epoch; nothing random is drawn from what training draws from.

        What was a log-variance before stays one where training makes it positive everywhere.
        """
        if self._is_logvar and (reader := getattr(encoder, "reader", None)) is not None:
            reader.is_logvar = True
        with kept_random_state():
            report = self.reports[epoch] = evaluate(encoder, self.data, **self.options)
        self._is_logvar = self._is_logvar or _knows_logvar(encoder)
        return {f"{self.prefix}{key}": float(score.value) for key, score in report.items()}


def _knows_logvar(encoder: Any) -> bool:
    """Whether an encoder that the callbacks made has seen that its spread is a log-variance."""
    return bool(getattr(getattr(encoder, "reader", None), "is_logvar", False))


def _held_out(data: Any, batch_size: int, samples: int | None, seed: int) -> Any:
    """What `evaluate` takes: a pair of arrays and a data set of PyTorch as batches.

    Raises
    ------
    InputError
        If it is none of these.
    """
    data = ArrayBatches(data[0], data[1], batch_size) if is_pair_of_arrays(data) else data
    data = in_batches(data, batch_size, samples, seed)
    if is_loader(data) or hasattr(data, "factor_names"):
        return data
    hint = "; call it" if callable(data) else ""
    raise InputError(
        "`data` must be a pair of arrays (inputs, factors), batches of them, a DataLoader or Dataset of "
        f"PyTorch, or what `dm.load_dataset` gives; got {type(data).__name__}{hint}"
    )


def _check_latents(latents: Any, options: Mapping[str, Any]) -> None:
    """Refuse what score() would refuse of the first rows' latents, where more rows would not change it."""
    check(latents, None, **{name: options[name] for name in ABOUT_LATENTS if name in options})


def _check_factors(columns: Sequence[Any], names: Sequence[str], options: Mapping[str, Any]) -> None:
    """Refuse what score() would refuse of the first rows' factors, where more rows would not change it."""
    import pandas as pd

    tree, missing = options.get("hierarchy") or {}, options.get("missing", "raise")
    types = options.get("factor_types")
    if not isinstance(types, Mapping):
        each = [types] * len(names) if types is None or isinstance(types, str) else types
        types = dict(zip(names, each, strict=True))
    later = names if missing == "drop" else tree  # they may have their values in later rows alone
    given = []
    for name, column in zip(names, columns, strict=True):
        if name not in later or not pd.Series(unmasked(column)).isna().all():
            said = types.get(name)
            said = "circular:1" if said == "circular" else said  # all rows give the period
            given.append((column, name, None if said is None else Declared.parse(said, "factor_types", name)))
    rule = PROTOCOLS[options.get("protocol", "default")].reading
    factors = read_each(given, "drop" if tree else missing, rule)
    known = [factor.name for factor in factors]
    tree = {name: entry for name, entry in tree.items() if name in known and entry[0] in known}
    with_switches(tree, factors, missing, whole=False)
