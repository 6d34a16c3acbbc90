"""evaluate(): encode some images once, then score the latents against the factors."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check, gravest_first, texts_of
from disentangle_metrics.datasets import FactorDataset, from_arrays
from disentangle_metrics.datasets.factors.no_factors import NoFactors
from disentangle_metrics.encoders import Encoder
from disentangle_metrics.encoders.input_scale import InputScale, input_scale, rescaled, wants_another_scale
from disentangle_metrics.encoders.outputs import Encoded, Outputs, Posterior
from disentangle_metrics.encoders.reading import as_encoder, choices_of, described, inputs_of, reading
from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.groups_alone import layers_beside, with_units
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.hierarchy import check_names
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.inputs.latent_groups import Groups
from disentangle_metrics.kit.progress import LateProgress
from disentangle_metrics.loaders import (
    drawn_rows,
    encode_batches,
    factor_places,
    in_batches,
    is_loader,
    name_of,
    places_of,
)
from disentangle_metrics.scoring.early import check_score_options, read_again
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import choose
from disentangle_metrics.scoring.score import score

if TYPE_CHECKING:
    import torch

Encode = Callable[[NDArray[np.float32]], Any]
ReadBatch = Callable[[NDArray[np.float32]], Posterior]
SAMPLES = 10_000  # images that are scored unless another number is asked for
OWN_OPTIONS = ("factors", "samples", "seed", "batch_size", "scale", "encode_with", "outputs", "progress")
LOOKED_AT = 256  # images whose codes are compared with their prior


def evaluate(
    encoder: Encode | torch.nn.Module,
    dataset: FactorDataset | Any,
    factors: Any = None,
    *,
    samples: int | None = SAMPLES,
    seed: int = 0,
    batch_size: int = 256,
    scale: str | tuple[float, float] | Mapping[str, Any] | None = None,
    encode_with: str | None = None,
    outputs: Outputs | None = None,
    progress: bool = False,
    **score_options: Any,
) -> Report:
    """Score a model on a data set with known factors, or on your own images and factors.

    ``dm.evaluate(model, images, factors)`` is short for
    ``dm.evaluate(model, dm.datasets.from_arrays(images, factors))``.

    Parameters
    ----------
    encoder : callable
        From a float32 batch (n, channels, height, width) in [0, 1] to means (n, n_latents), a pair
        (mean, logvar), or outputs by name. Its first batch is encoded twice, to notice a code that is
        drawn at random, and half of it once more, to notice one that depends on its batch. What
        :func:`load_encoder` returns, a ``torch.nn.Module`` (run in evaluation mode, on the device it is on,
        and left as it was), or a function of NumPy arrays. A function that fails with arrays is called with
        PyTorch tensors on the CPU, if PyTorch is imported.
    dataset : FactorDataset, array or loader
        What :func:`load_dataset` returns; or your own images, as :func:`.datasets.from_arrays` takes
        them: (n, height, width), (n, height, width, channels) or (n, channels, height, width), in 0..1,
        -1..1 or 0..255. Or a ``torch.utils.data.DataLoader`` or ``Dataset``, or another iterable of
        batches (inputs, factors), once through. Inputs need not be images, and go to the encoder as the
        loader gives them. Factors are (n, K), (n,), a list of columns, a dictionary of them or a data frame,
        each as :func:`score` reads it. `factor_names` names those without names.
    factors : iterable of str, array or DataFrame
        With a data set or a loader: names of the factors to score against, by default all that exist in
        some of these images. With your own images: their factors (n, n_factors), row i for image i.
    samples : int or None
        How many images, drawn without replacement: the rows
        ``numpy.random.default_rng(seed).choice(len(dataset), samples, replace=False)``. Every image,
        in order, if None or not fewer than there are. Every input of a loader is encoded, of a ``Dataset``
        only these.
    seed : int
        Seed of the rows and of every metric that draws.
    batch_size : int
        Images encoded at a time; it bounds the memory. It changes no score, but for a network that mixes the
        images of a batch, as BatchNorm without running statistics does. A check says so.
    scale : str, pair or mapping, optional
        The range in which the encoder expects its images, if it is not [0, 1]: see :func:`load_encoder`.
        A check says if the codes fit their prior in another range alone.
    encode_with : str, optional
        The method or part of a ``torch.nn.Module`` that encodes, such as ``"encode"``.
    outputs : mapping, optional
        Which output is the mean, such as ``{"mean": "z_mean", "logvar": 2}``: see :func:`load_encoder`.
    progress : bool
        Show progress bars on stderr.
    **score_options
        Passed on to :func:`score`: `metrics`, `protocol`, `anchors`, `confidence`, `n_jobs`,
        `factor_types`, ...; with your own images `factor_names` too. Some networks name their layers in an
        attribute ``latent_groups``, as the ladder models do. ``groups="layers"`` scores these layers. Without
        `groups` and `metrics`, scores are of latents, and ``report.layers`` adds what each layer holds;
        ``groups="none"`` leaves it out.

    Returns
    -------
    Report
        Its `provenance` holds where the encoder came from, what is chosen of it, the data set, how own images
        are read, the scale, and the seconds spent on encoding and on scoring.

    Raises
    ------
    InputError
        If an argument cannot be used, or the encoder returns something else. What can be found
        wrong before encoding, is.
    """
    samples, seed, batch_size = whole_numbers(samples, seed, batch_size)
    score_options = read_again(score_options)
    encoder = as_encoder(encoder, encode_with, outputs)
    wanted_scale = _scale_of(encoder, scale)
    dataset = in_batches(dataset, batch_size, samples, seed)
    if is_loader(dataset) and not hasattr(factors, "shape"):
        if wanted_scale is not None:
            raise InputError("`scale` is for images; what a loader gives goes to the encoder as it is")
        return _evaluate_loader(encoder, dataset, samples, seed, factors, progress, score_options)
    if not (isinstance(dataset, FactorDataset) or hasattr(dataset, "factor_names")):
        dataset = _own(dataset, factors, score_options)
        factors = None
    asked = asked_of(encoder, dataset, factors, samples, seed, score_options)
    rows, labels = asked.rows, asked.labels
    used_scale = wanted_scale or _scale_in(encoder)
    start = time.perf_counter()
    with reading(encoder, wanted_scale, images=True) as (read, remarks, in_scale):
        latents = _encode(read, dataset, rows, batch_size, progress)
        notes = tuple(remarks())
        other_scale = rescaled(dataset, rows) if used_scale is None else None
        if in_scale is not None and isinstance(latents, GaussianPosterior):
            images = inputs_of(dataset, rows[: min(batch_size, LOOKED_AT)])
            other_scale = wants_another_scale(in_scale, images, used_scale) or other_scale
    about_network = [Check("network_outputs", text) for text in notes]
    about_network += [] if other_scale is None else [other_scale]
    for found in about_network:
        warnings.warn(str(found), ScoreWarning, stacklevel=2)
    encoded = time.perf_counter()
    options = {**asked.options, "progress": progress}
    report = with_units(score(latents, labels, **options), latents, labels, asked.layers, options)
    return _noted(report, [*about_network, *asked.absent]).with_provenance(
        encoder=described(encoder),
        **choices_of(encoder),
        dataset=dataset.name,
        **({"data": facts} if (facts := getattr(dataset, "facts", None)) else {}),
        images=len(rows),
        image_shape=list(dataset.image_shape),
        scale="0..1" if used_scale is None else used_scale.text,
        batch_size=batch_size,
        encode_seconds=round(encoded - start, 3),
        score_seconds=round(time.perf_counter() - encoded, 3),
    )


@dataclass(frozen=True)
class Asked:
    """What of a data set is scored: the factors of these rows, by these options of :func:`score`.

    `layers` are those that the report shows beside its scores, `absent` says which factors are left out.
    """

    rows: NDArray[np.int64]
    labels: Any
    options: dict[str, Any]
    layers: Groups | None
    absent: list[Check]


def asked_of(
    encoder: Any,
    dataset: FactorDataset,
    factors: Iterable[str] | None,
    samples: int | None,
    seed: int,
    score_options: Mapping[str, Any],
) -> Asked:
    """What is asked of a data set, refused before anything is encoded if it cannot be scored."""
    columns = _factor_columns(dataset, factors)
    rows = drawn_rows(len(dataset), samples, seed)
    absent: list[Check] = []
    if factors is None and score_options.get("hierarchy") is None:
        columns, absent = _existing(dataset, rows, columns, _reads_factors(score_options))
    names = [dataset.factor_names[column] for column in columns]
    known = getattr(dataset, "declared_types", dataset.factor_types)
    types = {name: text for name, column in zip(names, columns, strict=True) if (text := known[column])}
    own_types = score_options.get("factor_types")
    if isinstance(own_types, Mapping):  # the data set's own types stay for the factors not named
        own_types = {**types, **own_types}
    options = {**score_options, "factor_types": types if own_types is None else own_types}
    if options.get("hierarchy") is None:
        options["hierarchy"] = _hierarchy(dataset, names)
    layers = grouping(options, encoder)
    check_score_options(options, more=OWN_OPTIONS)
    labels = _labels(dataset, rows, columns)
    may_lack_values = hasattr(labels, "columns") or options["hierarchy"] is not None
    tried = labels if may_lack_values else labels[:1]
    check(
        np.zeros((len(tried), 1)),
        tried,
        factor_names=names,
        factor_types=options["factor_types"],
        missing=options.get("missing", "raise"),
        hierarchy=options["hierarchy"],
    )
    variant = getattr(dataset, "variant", "")
    options |= {"factor_names": names, "variant": variant, "seed": seed}
    return Asked(rows, labels, options, layers, absent)


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
    layers = grouping(score_options, encoder)
    check_score_options(score_options, more=(*OWN_OPTIONS, "factor_names", "variant"))
    known = score_options.get("factor_names") if factors is None else factors
    if isinstance(known, list | tuple) and score_options.get("hierarchy"):
        check_names(score_options["hierarchy"], known)
    start = time.perf_counter()
    with reading(encoder, images=False) as (read, remarks, _):
        latents, table = encode_batches(read, loader, progress)
        notes = tuple(remarks())
    for text in notes:
        warnings.warn(text, ScoreWarning, stacklevel=3)
    encoded = time.perf_counter()
    names, kept = factor_places(table, factors, score_options.pop("factor_names", None))
    rows = drawn_rows(len(table), samples, seed)
    picked = table.iloc[rows, kept] if hasattr(table, "iloc") else table[rows][:, kept]
    kept_latents = latents.rows(rows) if isinstance(latents, GaussianPosterior) else latents[rows]
    asked = {**score_options, "factor_names": names, "seed": seed, "progress": progress}
    report = with_units(score(kept_latents, picked, **asked), kept_latents, picked, layers, asked)
    return _noted(report, [Check("network_outputs", text) for text in notes]).with_provenance(
        encoder=described(encoder),
        **choices_of(encoder),
        dataset=name_of(loader),
        images=len(rows),
        encode_seconds=round(encoded - start, 3),
        score_seconds=round(time.perf_counter() - encoded, 3),
    )


def _noted(report: Report, more: Sequence[Check]) -> Report:
    """The report with what is to be known of the network and of the images."""
    found = gravest_first([*more, *report.found])
    return replace(report, warnings=(*texts_of(more), *report.warnings), found=found)


def whole_numbers(samples: Any, seed: Any, batch_size: Any) -> tuple[int | None, int, int]:
    """These options of :func:`evaluate`, or InputError."""
    found = {"samples": samples, "seed": seed, "batch_size": batch_size}
    for (name, value), least in zip(found.items(), (1, 0, 1), strict=True):
        if value is None and name == "samples":
            continue
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
            every = ", or None for all" if name == "samples" else ""
            raise InputError(f"`{name}` must be a whole number of at least {least}{every}, got {value!r}")
    return None if samples is None else int(samples), int(seed), int(batch_size)


def _scale_in(encoder: Any) -> InputScale | None:
    return encoder.scale if isinstance(encoder, Encoder) else None


def _scale_of(encoder: Any, scale: Any) -> InputScale | None:
    wanted = input_scale(scale)
    if wanted is not None and (own := _scale_in(encoder)) is not None and own != wanted:
        raise InputError(
            f"the encoder was loaded with `scale={own.text!r}` and evaluate() has `scale={wanted.text!r}`; "
            "give one"
        )
    return wanted


def _own(images: Any, factors: Any, options: dict[str, Any]) -> FactorDataset:
    """The data set of own images; takes what names its factors out of the options."""
    if isinstance(images, str):
        raise InputError(f"`dataset` is the name {images!r}; pass `dm.load_dataset({images!r})`")
    if factors is None:
        raise InputError("own images need `factors`: `dm.evaluate(model, images, factors)`")
    if hasattr(images, "__iter__") and not hasattr(images, "__getitem__"):
        raise InputError("a loader gives its own factors, in batches (inputs, factors); pass no others")
    dataset = from_arrays(
        images,
        factors,
        factor_names=options.pop("factor_names", None),
        factor_types=options.pop("factor_types", None),
    )
    for note in dataset.notes[1:]:  # what is left out; the first is what is read, which the record has
        warnings.warn(note, ScoreWarning, stacklevel=3)
    return dataset


def _hierarchy(dataset: FactorDataset, names: list[str]) -> dict[str, tuple[str, int]] | None:
    """The part of the data set's tree that these factors have; None if all of them exist everywhere."""
    tree = {name: entry for name, entry in getattr(dataset, "hierarchy", {}).items() if name in names}
    for name, (switch, _) in tree.items():
        if switch not in names:
            raise InputError(f"`factors` has {name!r} without its switch {switch!r}; add {switch!r}")
    return tree or None


def _existing(
    dataset: FactorDataset, rows: NDArray[np.int64], columns: list[int], read: bool
) -> tuple[list[int], list[Check]]:
    """The factors of a tree that exist in some of these images, and a check that names the others.

    Those that exist in every image where no metric reads factors: a tree that nobody gave says nothing then.
    """
    if not (tree := getattr(dataset, "hierarchy", {})):
        return columns, []
    if not read:
        return [column for column in columns if dataset.factor_names[column] not in tree], []
    nowhere = np.isnan(_labels(dataset, rows, columns)).all(axis=0)
    names = [dataset.factor_names[column] for column, none in zip(columns, nowhere, strict=True) if none]
    if not names:
        return columns, []
    text = f"left out, since they exist in none of these {len(rows):,} images: {', '.join(names)}"
    kept = [column for column, none in zip(columns, nowhere, strict=True) if not none]
    return kept, [Check("missing_by_design", text, about=", ".join(names), numbers={"rows": 0})]


def _reads_factors(options: Mapping[str, Any]) -> bool:
    choices = choose(options.get("metrics"), options.get("protocol", "default"))
    return any(choice.definition.needs_factors for choice in choices)


def _labels(dataset: FactorDataset, rows: NDArray[np.int64], columns: list[int]) -> Any:
    labels: Any = getattr(dataset, "labels", dataset.factors)(rows)
    return labels.iloc[:, columns] if hasattr(labels, "columns") else labels[:, columns]


def _factor_columns(dataset: FactorDataset, wanted: Iterable[str] | None) -> list[int]:
    known = list(dataset.factor_names)
    if not known:
        advice = getattr(getattr(dataset, "grid", None), "advice", NoFactors(0).advice)
        raise InputError(f"scores need known factors, and the data set {dataset.name} has none; {advice}")
    return places_of(known, wanted, f"the data set {dataset.name}")


def grouping(options: dict[str, Any], encoder: Any) -> Groups | None:
    """The layers that are shown beside the scores, if any; "layers" in the options becomes their groups."""
    network = encoder.network if isinstance(encoder, Encoder) else encoder
    return layers_beside(options, getattr(network, "latent_groups", None))


def _encode(
    read: ReadBatch, dataset: FactorDataset, rows: NDArray[np.int64], batch_size: int, progress: bool
) -> Any:
    """Latents of these rows: an array, or a GaussianPosterior if the encoder gives variances."""
    encoded = Encoded()
    with LateProgress("encoding", len(rows), shown=progress) as bar:
        for start in range(0, len(rows), batch_size):
            batch = rows[start : start + batch_size]
            encoded.add(read(inputs_of(dataset, batch)))
            bar.update(len(batch))
    return encoded.latents()
