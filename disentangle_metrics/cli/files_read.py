"""The files that a command reads, so that none of its outputs takes the place of one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from disentangle_metrics.benchmarking.folder import file_of
from disentangle_metrics.cli import arguments
from disentangle_metrics.cli.latent_files import names_of
from disentangle_metrics.datasets import DATASETS
from disentangle_metrics.datasets.own.opening import is_path
from disentangle_metrics.encoders.pretrained import CONFIG, PREPROCESSOR, SHARDS, WEIGHTS
from disentangle_metrics.files.arrays import split_names
from disentangle_metrics.kit.files import expanded


def files_of_arrays(latents: Sequence[str], factors: str | None, out: str | None) -> dict[str, list[Path]]:
    """The files of latents and factors, and the reports that are kept in `out`, by option."""
    named = names_of(latents)
    return {
        "--latents": [path for text in (*latents, *named.values()) for path in _without_names(text)],
        "--factors": [] if factors is None else _without_names(factors),
        "--out": [] if out is None else [file_of(expanded(out), name) for name in named],
    }


def files_of_model(
    model: str | None,
    dataset: str | None,
    *,
    model_code: str | None = None,
    data_options: str | None = None,
    root: str | None = None,
) -> dict[str, list[Path]]:
    """The files of a model, of the code that builds it and of a data set, by option."""
    table = None if data_options is None else arguments.data_options(data_options).get("factors")
    return {
        "MODEL": [] if model is None else weights(model),
        "--dataset": images(dataset),
        "--model-code": [] if model_code is None else [expanded(model_code.rpartition(":")[0])],
        "--data-options": [expanded(table)] if isinstance(table, str) else [],
        "--root": [expanded(root)] if root is not None and not expanded(root).is_dir() else [],
    }


def weights(model: str) -> list[Path]:
    """The file of a model; of a folder what ``save_pretrained`` writes there."""
    path = expanded(model)
    return [path / name for name in (CONFIG, WEIGHTS, SHARDS, PREPROCESSOR)] if path.is_dir() else [path]


def images(dataset: str | None) -> list[Path]:
    """The file or folder of a data set that is given by its path; a name wins over a path."""
    name = (dataset or "").partition("|")[0]
    return [expanded(name)] if name and name not in DATASETS and is_path(name) else []


def _without_names(text: str) -> list[Path]:
    """The file of ``FILE:NAME,...``; none where no system takes the text as a path, which reading says."""
    try:
        return [split_names(text)[0]]
    except OSError:
        return []
