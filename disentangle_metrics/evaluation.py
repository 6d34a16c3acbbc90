"""evaluate(): encode some images of a data set once, then score the latents against the factors."""

from __future__ import annotations

import contextlib
import difflib
import inspect
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check, gravest_first
from disentangle_metrics.datasets import FactorDataset
from disentangle_metrics.encoders import Encoder
from disentangle_metrics.encoders.encoder import CallableEncoder, evaluation_mode
from disentangle_metrics.encoders.outputs import Array, Posterior
from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.kit import network_input
from disentangle_metrics.kit.progress import LateProgress
from disentangle_metrics.loaders import encode_batches, is_loader
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Options, choose
from disentangle_metrics.scoring.score import score

if TYPE_CHECKING:
    import torch

Encode = Callable[[NDArray[np.float32]], Any]
ReadBatch = Callable[[NDArray[np.float32]], Posterior]
DECIDED_BY_THE_DATASET = ("latents", "factors", "factor_names", "seed", "progress")


def evaluate(
    encoder: Encode | torch.nn.Module,
    dataset: FactorDataset | Any,
    *,
    samples: int | None = 10_000,
    seed: int = 0,
    batch_size: int = 256,
    factors: Iterable[str] | None = None,
    progress: bool = False,
    **score_options: Any,
) -> Report:
    """Score a model on a data set with known factors.

    Parameters
    ----------
    encoder : callable
        From a float32 batch (n, channels, height, width) in [0, 1] to means (n, n_latents), a pair
        (mean, logvar), or outputs by name. Its first batch is encoded twice, to notice a code that is
        drawn at random. What :func:`load_encoder` returns, a ``torch.nn.Module`` (run in
        evaluation mode, on the device it is on, and left as it was), or a function of NumPy arrays.
    dataset : FactorDataset or loader
        What :func:`load_dataset` returns. Or a ``torch.utils.data.DataLoader``, or another iterable of
        batches (inputs, factors), once through. Inputs need not be images, and go to the encoder as the
        loader gives them. Factors are (n, K), (n,), or a dictionary of columns by name. `factor_names` names
        the others.
    samples : int or None
        How many images, drawn without replacement: the rows
        ``numpy.random.default_rng(seed).choice(len(dataset), samples, replace=False)``. Every image,
        in order, if None or not fewer than there are. Every input of a loader is encoded.
    seed : int
        Seed of the rows and of every metric that draws.
    batch_size : int
        Images encoded at a time; it bounds the memory and does not change what is measured.
    factors : iterable of str, optional
        Names of the factors to score against; by default all.
    progress : bool
        Show progress bars on stderr.
    **score_options
        Passed on to :func:`score`: `metrics`, `protocol`, `anchors`, `confidence`, `n_jobs`,
        `factor_types`, ... ``groups="layers"`` takes the groups of latents that the network names in its
        attribute ``latent_groups``, as the ladder models do.

    Returns
    -------
    Report
        Its `provenance` holds where the encoder came from, the data set, and the seconds spent on
        encoding and on scoring.

    Raises
    ------
    InputError
        If an argument cannot be used, or the encoder returns something else. What can be found
        wrong before encoding, is.
    """
    samples = None if samples is None else _whole("samples", samples, 1)
    seed, batch_size = _whole("seed", seed, 0), _whole("batch_size", batch_size, 1)
    if is_loader(dataset):
        return _evaluate_loader(encoder, dataset, samples, seed, factors, progress, score_options)
    columns = _factor_columns(dataset, factors)
    names = [dataset.factor_names[column] for column in columns]
    types = {name: dataset.factor_types[column] for name, column in zip(names, columns, strict=True)}
    own_types = score_options.get("factor_types")
    if isinstance(own_types, Mapping):  # the data set's own types stay for the factors not named
        own_types = {**types, **own_types}
    options = {**score_options, "factor_types": types if own_types is None else own_types}
    check_score_options(options)
    if options.get("groups") == "layers":
        options["groups"] = _layers(encoder)
    one_row = dataset.factors([0])[:, columns]
    check([[0.0]], one_row, factor_names=names, factor_types=options["factor_types"])

    rows = _rows(len(dataset), samples, seed)
    start = time.perf_counter()
    with _reading(encoder, images=True) as (read, remarks):
        latents = _encode(read, dataset, rows, batch_size, progress)
        notes = tuple(remarks())
    for text in notes:
        warnings.warn(text, ScoreWarning, stacklevel=2)
    encoded = time.perf_counter()
    report = score(
        latents,
        dataset.factors(rows)[:, columns],
        factor_names=names,
        seed=seed,
        progress=progress,
        **options,
    )
    return _noted(report, notes).with_provenance(
        encoder=_described(encoder),
        dataset=dataset.name,
        images=len(rows),
        image_shape=list(dataset.image_shape),
        batch_size=batch_size,
        encode_seconds=round(encoded - start, 3),
        score_seconds=round(time.perf_counter() - encoded, 3),
    )


def _evaluate_loader(
    encoder: Any,
    loader: Iterable[Any],
    samples: int | None,
    seed: int,
    factors: Iterable[str] | None,
    progress: bool,
    score_options: dict[str, Any],
) -> Report:
    """Score a model on the batches of a loader."""
    check_score_options(score_options, more=("factor_names",))
    if score_options.get("groups") == "layers":
        score_options["groups"] = _layers(encoder)
    start = time.perf_counter()
    with _reading(encoder, images=False) as (read, remarks):
        latents, table = encode_batches(read, loader, progress)
        notes = tuple(remarks())
    for text in notes:
        warnings.warn(text, ScoreWarning, stacklevel=3)
    encoded = time.perf_counter()
    names, kept = _columns_of(table, factors, score_options.pop("factor_names", None))
    rows = _rows(len(table), samples, seed)
    picked = table.iloc[rows, kept] if hasattr(table, "iloc") else table[rows][:, kept]
    report = score(
        latents.rows(rows) if isinstance(latents, GaussianPosterior) else latents[rows],
        picked,
        factor_names=names,
        seed=seed,
        progress=progress,
        **score_options,
    )
    return _noted(report, notes).with_provenance(
        encoder=_described(encoder),
        dataset=type(getattr(loader, "dataset", loader)).__qualname__,
        images=len(rows),
        encode_seconds=round(encoded - start, 3),
        score_seconds=round(time.perf_counter() - encoded, 3),
    )


def _columns_of(
    table: Any, wanted: Iterable[str] | None, factor_names: Iterable[str] | None
) -> tuple[list[str], list[int]]:
    """Names and places of the factors of a loader to score against."""
    given = table.columns if hasattr(table, "columns") else [f"factor_{k}" for k in range(table.shape[1])]
    known = list(given) if factor_names is None else list(factor_names)
    if len(known) != table.shape[1]:
        raise InputError(f"`factor_names` has {len(known)} names for {table.shape[1]} factors of the loader")
    places = _places(known, wanted, "the loader")
    return [known[place] for place in places], places


def _noted(report: Report, notes: tuple[str, ...]) -> Report:
    """The report with what is to be known of the encoder's outputs."""
    found = gravest_first([*(Check("network_outputs", text) for text in notes), *report.found])
    return replace(report, warnings=(*notes, *report.warnings), found=found)


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InputError(f"`{name}` must be a whole number of at least {least}, got {value!r}")
    return int(value)


def _factor_columns(dataset: FactorDataset, wanted: Iterable[str] | None) -> list[int]:
    known = list(dataset.factor_names)
    if not known:
        raise InputError(f"scores need known factors, and the data set {dataset.name} has none")
    return _places(known, wanted, f"the data set {dataset.name}")


def _places(known: list[str], wanted: Iterable[str] | None, source: str) -> list[int]:
    """The places of the factors wanted among those known."""
    if wanted is None:
        return list(range(len(known)))
    if isinstance(wanted, str):
        raise InputError(f"`factors` must be a list of names, got the single string {wanted!r}")
    names = list(wanted)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise InputError(f"`factors`: {source} has no factor {name!r}; {hint}known: {', '.join(known)}")
        if names.count(name) > 1:
            raise InputError(f"`factors` names {name!r} twice")
    if not names:
        raise InputError(f"`factors` is empty; pass None for all, or some of {', '.join(known)}")
    return [known.index(name) for name in names]


def check_score_options(options: dict[str, Any], more: Iterable[str] = ()) -> None:
    """Refuse now what score() would refuse after the images are encoded; `more` are further options.

    Raises
    ------
    InputError
        If there is no such option, or it may not be what it is.
    """
    accepted = [name for name in inspect.signature(score).parameters if name not in DECIDED_BY_THE_DATASET]
    accepted += more
    for name in options:
        if name not in accepted:
            raise InputError(f"there is no option {name!r}; those of score() are {', '.join(accepted)}")
    choose(options.get("metrics"), options.get("protocol", "default"))
    early = ("anchors", "confidence", "replicates", "n_jobs")
    Options(**{name: options[name] for name in early if name in options})


def _rows(available: int, samples: int | None, seed: int) -> NDArray[np.int64]:
    if samples is None or samples >= available:
        return np.arange(available)
    return np.random.default_rng(seed).choice(available, samples, replace=False)


def _layers(encoder: Any) -> Mapping[str, Iterable[int]]:
    """The groups of latents that a network names."""
    network = encoder.network if isinstance(encoder, Encoder) else encoder
    groups: Mapping[str, Iterable[int]] | None = getattr(network, "latent_groups", None)
    if not groups:
        raise InputError(
            "groups='layers' needs a network that names its layers in an attribute `latent_groups`; pass the "
            "groups themselves, such as {'layer 1': [0, 1]}"
        )
    return groups


@contextlib.contextmanager
def _reading(encoder: Any, *, images: bool) -> Iterator[tuple[ReadBatch, Callable[[], Iterable[str]]]]:
    """A function from images to posteriors, and one that tells what to know of them afterwards.

    A network stands in evaluation mode meanwhile. Inputs other than `images` may have any shape.
    """
    torch = sys.modules.get("torch")  # whoever has a network has imported it
    network = encoder.network if isinstance(encoder, Encoder) else encoder
    if torch is not None and isinstance(network, torch.nn.Module):
        whole = encoder if isinstance(encoder, Encoder) else Encoder(network)
        with evaluation_mode(network):
            yield whole.posterior if images else whole.posterior_of, lambda: whole.remarks
    elif isinstance(encoder, Encoder):
        yield encoder.posterior if images else encoder.posterior_of, lambda: encoder.remarks
    elif callable(encoder) or isinstance(encoder, CallableEncoder):
        function = encoder if isinstance(encoder, CallableEncoder) else CallableEncoder(encoder)
        yield function.posterior_of, lambda: function.remarks
    else:
        raise InputError(
            f"`encoder` must be callable, got {type(encoder).__name__}; "
            f"for a model file pass dm.load_encoder(path)"
        )


def _encode(
    read: ReadBatch, dataset: FactorDataset, rows: NDArray[np.int64], batch_size: int, progress: bool
) -> Any:
    """Latents of these rows: an array, or a GaussianPosterior if the encoder gives variances."""
    means: list[Array] = []
    logvars: list[Array] = []
    bar = LateProgress("encoding", len(rows)) if progress else None
    with bar or contextlib.nullcontext():
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            posterior = read(network_input(dataset.images(batch)))
            mean, logvar = posterior.mean, posterior.logvar
            if means and (mean.shape[1] != means[0].shape[1] or (logvar is None) != (not logvars)):
                raise InputError(
                    f"the encoder returned {means[0].shape[1]} latents for the first batch and "
                    f"{mean.shape[1]} for a later one, or variances for only some; it must return the "
                    "same for every batch"
                )
            means.append(mean)
            if logvar is not None:
                logvars.append(logvar)
            if bar is not None:
                bar.update(len(batch))
    if logvars:
        return GaussianPosterior(np.concatenate(means), np.concatenate(logvars))
    return np.concatenate(means)


def _described(encoder: Any) -> Any:
    """The record of a model file, or the best name that a callable has."""
    if isinstance(encoder, Encoder) and encoder.source is not None:
        return {**encoder.source.to_dict(), "device": encoder.device}
    kind = type(encoder)
    return getattr(encoder, "__qualname__", f"{kind.__module__}.{kind.__qualname__}")
