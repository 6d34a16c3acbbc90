"""The two things ``dm-eval`` scores: arrays from files, and a model on a data set."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from disentangle_metrics.checks import Check, gravest_first
from disentangle_metrics.datasets import FactorDataset, load_dataset
from disentangle_metrics.encoders import Encoder, load_encoder
from disentangle_metrics.errors import InputError
from disentangle_metrics.evaluation import evaluate
from disentangle_metrics.files.arrays import ArrayFile, Choices, read_array, split_names
from disentangle_metrics.files.row_names import Role
from disentangle_metrics.files.row_pairs import check_rows, matched_by_place, rows_in_common, shared_column
from disentangle_metrics.groups_alone import with_units_alone
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.kit.files import sha256_of
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import choose
from disentangle_metrics.scoring.score import score

Scoring = Mapping[str, Any]
Tell = Callable[[str], None]


def score_arrays(
    latents: str, factors: str | None, scoring: Scoring, choices: Choices, tell: Tell = lambda text: None
) -> Report:
    """Score two files of arrays; the report says which files, by their sha256.

    Without factors the protocol's suite is that of the metrics which read latents alone, and the
    informativeness of posteriors. What was left out or decided in reading goes to `tell`.
    """
    one_file = factors is not None and _path_of(latents) == _path_of(factors)
    files: dict[Role, ArrayFile] = {
        "latents": read_array(latents, "latents", replace(choices, one_file=one_file))
    }
    if factors is not None:
        files["factors"] = read_array(factors, "factors", choices)
        labelled = choices if one_file else with_labels(choices, latents, factors, **files)
        if labelled is not choices:
            files = {role: read_array(str(file.path), role, labelled) for role, file in files.items()}
    check_choices((name for file in files.values() for name in file.choosable), choices)
    notes: tuple[str, ...] = ()
    found: list[Check] = []
    value = None
    if factors is None:
        if beside := files["latents"].factors:
            path = files["latents"].path
            tell(f"{path} has {beside} too; to score, add --factors {shlex.quote(f'{path}:{beside}')}")
        if scoring["metrics"] is None:
            posterior = isinstance(files["latents"].value, GaussianPosterior)
            scoring = {**scoring, "metrics": of_latents_alone(scoring["protocol"], posterior)}
    else:
        alone: tuple[str, ...] = ()
        if scoring["missing"] == "drop":
            files["latents"], files["factors"], alone = rows_in_common(files["latents"], files["factors"])
            found += [Check("missing_values", note) for note in alone]
        check_rows(files["latents"], files["factors"], joins=True)
        files["latents"], files["factors"], notes = matched_by_place(files["latents"], files["factors"])
        if choices.index_col and notes:
            remedy = (
                "give both files a column of this name, or leave --index-col out if the order is the same"
            )
            found.append(Check("rows_by_place", notes[0], remedy))
        notes += alone
        value = files["factors"].value
        if latents == factors and _same_columns(files["latents"].value, value):
            path = files["latents"].path
            notes += (
                f"latents and factors are the same columns of {path}; name those of each: {path}:NAME,NAME",
            )
    for text in (*(note for file in files.values() for note in file.notes), *notes):
        tell(text)
    report = score(files["latents"].value, value, **scoring)
    report = with_units_alone(report, files["latents"].value, value, scoring)
    report = replace(report, found=gravest_first([*report.found, *found, *_left_out(files)]))
    return report.with_provenance(**{role: described(file) for role, file in files.items()})


def with_labels(choices: Choices, *given: str, latents: ArrayFile, factors: ArrayFile) -> Choices:
    """The choices, with the column that names the rows of both files, where nobody chose any columns."""
    chosen = choices.index_col or any(split_names(text)[1] for text in given)
    name = None if chosen else shared_column(latents, factors)
    return choices if name is None else replace(choices, index_col=name)


def _path_of(text: str) -> Path | None:
    """The file of ``FILE:NAME,...``; None where no system takes the text as a path, which reading says."""
    try:
        return split_names(text)[0].absolute()
    except OSError:
        return None


def _same_columns(latents: Any, factors: Any) -> bool:
    names = [list(getattr(table, "columns", [])) for table in (latents, factors)]
    return names[0] == names[1] and getattr(latents, "shape", None) == getattr(factors, "shape", ())


def _left_out(files: Mapping[Role, ArrayFile]) -> Iterator[Check]:
    """A check of each column that was left out of a file, and how to keep it."""
    for role, file in files.items():
        for text in file.left_out:
            remedy = f"to keep it, name the columns to read: --{role} {file.path}:NAME,NAME"
            yield Check("column_left_out", text.partition("; to keep it")[0], remedy, role)


def check_choices(choosable: Iterable[str], choices: Choices) -> None:
    """Refuse a column to leave out that is none of those that the files have together."""
    columns = dict.fromkeys(choosable)
    for name, option in asked_columns(choices).items():
        if name not in columns:
            known = [name for name in columns if not name.isdigit()]
            has = f"the columns are {', '.join(known)}" if known else "no file has columns with names"
            raise InputError(f"{option}: no file has a column {name!r}; {has}")


def asked_columns(choices: Choices) -> dict[str, str]:
    """The columns that a user left out of the numbers, and by which option."""
    dropped = dict.fromkeys(choices.drop_columns, "--drop-columns")
    return {**({choices.index_col: "--index-col"} if choices.index_col else {}), **dropped}


def of_latents_alone(protocol: str, posterior: bool) -> list[str]:
    """The metrics of a protocol that read latents alone."""
    suite = [choice.definition for choice in choose(None, protocol)]
    names = [definition.name for definition in suite if not definition.needs_factors]
    if not names:
        raise InputError(f"the protocol {protocol} has no metric of latents alone; give --factors")
    return [*names, "informativeness"] if posterior and "informativeness" not in names else names


def described(file: ArrayFile) -> dict[str, Any]:
    """Where an array came from: path, SHA-256, and what was decided in reading."""
    notes = {"notes": list(file.notes)} if file.notes else {}
    return {"path": str(file.path), "sha256": sha256_of(file.path), **notes}


def _asked(path: Path) -> bool:
    """Whether the user, who sits at a terminal, means this very file."""
    print("type the full path of the file to let it run: ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().rstrip("\n") == str(path)


@dataclass(frozen=True)
class ModelRun:
    """A model, how to load it, and what to encode with it."""

    model: str
    dataset: str
    root: str | None
    samples: int | None  # None: all
    device: str
    batch_size: int = 256
    data_options: Mapping[str, int | str] = field(default_factory=dict)
    factors: list[str] | None = None
    arch: str | None = None
    model_code: str | None = None
    model_args: Mapping[str, Any] | None = None
    state_key: str | None = None
    encode_with: str | None = None
    outputs: Mapping[str, str] | None = None
    scale: str | None = None
    trust: bool = False

    def load(self) -> tuple[Encoder, FactorDataset]:
        """The encoder and the data set; what can fail quickly comes first."""
        try:
            here = os.getcwd()
        except FileNotFoundError:
            raise InputError("the current folder has been deleted; change into another one") from None
        options: dict[str, Any] = dict(self.data_options)
        dataset = load_dataset(self.dataset, self.root, **options)
        if self.model_code is not None or self.trust:
            # The user's code is usually in the folder they are in, which commands do not import from.
            sys.path.insert(0, here)
        encoder = load_encoder(
            self.model,
            device=self.device,
            arch=self.arch,
            model_code=self.model_code,
            model_args=self.model_args,
            state_key=self.state_key,
            encode_with=self.encode_with,
            outputs=self.outputs,
            scale=self.scale,
            trust=_asked if self.trust and sys.stdin is not None and sys.stdin.isatty() else self.trust,
        )
        return encoder, dataset

    def score(self, encoder: Encoder, dataset: FactorDataset, scoring: Scoring) -> Report:
        """Encode and score."""
        return evaluate(
            encoder,
            dataset,
            samples=self.samples,
            batch_size=self.batch_size,
            factors=self.factors,
            **scoring,
        )
