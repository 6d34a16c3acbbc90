"""The two things ``dm-eval`` scores: arrays from files, and a model on a data set."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from disentangle_metrics.cli.arrays import ArrayFile, check_rows, read_array
from disentangle_metrics.datasets import load_dataset
from disentangle_metrics.encoders import load_encoder
from disentangle_metrics.errors import InputError
from disentangle_metrics.evaluation import evaluate
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import choose
from disentangle_metrics.scoring.score import score

Scoring = Mapping[str, Any]


def score_arrays(latents: str, factors: str | None, scoring: Scoring) -> Report:
    """Score two files of arrays; the report says which files, by their sha256.

    Without factors the protocol's suite is that of the metrics which read latents alone, and the
    informativeness of posteriors.
    """
    read = {"latents": read_array(latents, "latents")}
    value = None
    if factors is None:
        if scoring["metrics"] is None:
            posterior = isinstance(read["latents"].value, GaussianPosterior)
            scoring = {**scoring, "metrics": _of_latents_alone(scoring["protocol"], posterior)}
    else:
        read["factors"] = read_array(factors, "factors")
        check_rows(read["latents"], read["factors"])
        value = read["factors"].value
    report = score(read["latents"].value, value, **scoring)
    return report.with_provenance(**{role: _described(file) for role, file in read.items()})


def _of_latents_alone(protocol: str, posterior: bool) -> list[str]:
    suite = [choice.definition for choice in choose(None, protocol)]
    names = [definition.name for definition in suite if not definition.needs_factors]
    if not names:
        raise InputError(f"the protocol {protocol} has no metric of latents alone; give --factors")
    return [*names, "informativeness"] if posterior and "informativeness" not in names else names


def _described(file: ArrayFile) -> dict[str, str]:
    with file.path.open("rb") as opened:
        return {"path": str(file.path), "sha256": hashlib.file_digest(opened, "sha256").hexdigest()}


@dataclass(frozen=True)
class ModelRun:
    """A model, how to load it, and what to encode with it."""

    model: str
    dataset: str
    root: str | None
    data_options: Mapping[str, int]
    factors: list[str] | None
    samples: int | None
    batch_size: int
    device: str
    arch: str | None
    model_code: str | None
    trust: bool

    def score(self, scoring: Scoring) -> Report:
        """Load, encode and score; what can fail quickly comes first."""
        dataset = load_dataset(self.dataset, self.root, **self.data_options)
        if self.model_code is not None or self.trust:
            # The user's code is usually in the folder they are in, which commands do not import from.
            sys.path.insert(0, os.getcwd())
        encoder = load_encoder(
            self.model,
            device=self.device,
            arch=self.arch,
            model_code=self.model_code,
            trust=self.trust,
        )
        return evaluate(
            encoder,
            dataset,
            samples=self.samples,
            batch_size=self.batch_size,
            factors=self.factors,
            **scoring,
        )
