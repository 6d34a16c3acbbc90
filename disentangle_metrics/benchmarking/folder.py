"""Finished reports kept in a folder, and read again only if scoring would give the same."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError
from disentangle_metrics.estimators.counts.binning import chunks
from disentangle_metrics.inputs.inputs import Inputs
from disentangle_metrics.scoring import signatures
from disentangle_metrics.scoring.binding import Request
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Options

LONGEST = 200  # characters of a file's name


class Folder:
    """A folder with a report as JSON for each representation.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, or two names would share a file.
    """

    def __init__(self, path: str | Path, names: Sequence[str]) -> None:
        self.path = Path(path).expanduser()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise InputError(f"`folder`: cannot write to {self.path}: {error.strerror or error}") from error
        self.files: dict[str, Path] = {}
        taken: dict[str, str] = {}  # some file systems do not tell capitals apart
        for name in names:
            file = file_of(self.path, name)
            if (other := taken.setdefault(file.name.casefold(), name)) != name:
                raise InputError(f"`folder`: {other!r} and {name!r} would share the file {file.name}")
            self.files[name] = file

    def read(
        self, name: str, inputs: str, requests: Sequence[Request], options: Options, protocol: str
    ) -> tuple[Report | None, str]:
        """The report of an earlier call, if scoring would give the same again; and what there is to say.

        `inputs` is the fingerprint of the input.
        """
        file = self.files[name]
        if not file.exists():
            return None, ""
        try:
            report = Report.from_json(file)
            difference = _difference(report, inputs, requests, options, protocol)
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            difference = f"it cannot be read ({' '.join(str(error).split())})"
        if difference:
            return None, f"{name} is scored again, and {file} replaced: {difference}"
        return report, ""

    def write(self, name: str, report: Report) -> None:
        """Keep a report."""
        report.to_json(self.files[name])


def described(report: Report, name: str, inputs: str, options: Options) -> Report:
    """The report with what a later call compares."""
    return report.with_provenance(representation=name, inputs=inputs, anchors=options.anchors)


def fingerprint(inputs: Inputs) -> str:
    """SHA-256 of checked input: every number, name and type that a report can depend on, and every check."""
    digest = hashlib.sha256()

    def add(*items: Any) -> None:
        digest.update(repr(items).encode() + b"\0")

    add(inputs.latent_names, inputs.latent_types, inputs.missing, inputs.given, inputs.on_device is not None)
    add(inputs.groups, inputs.column_names, inputs.checks)
    arrays: list[NDArray[Any] | None] = [inputs.latents, inputs.logvar, inputs.origin]
    for factor in inputs.factors:
        add(factor.name, factor.kind, factor.levels, factor.period, factor.reading)
        arrays += [factor.codes, factor.numbers, factor.values, factor.present]
    for array in arrays:
        _add_array(digest, array)
    return digest.hexdigest()


def _add_array(digest: Any, array: NDArray[Any] | None) -> None:
    if array is None:
        digest.update(b"none\0")
        return
    digest.update(f"{array.dtype.str}{array.shape}\0".encode())
    for rows in chunks(len(array)):
        digest.update(np.ascontiguousarray(array[rows]).data)


def _difference(
    report: Report, inputs: str, requests: Sequence[Request], options: Options, protocol: str
) -> str:
    """What would be different if the input were scored now; empty if nothing."""
    wanted = [signature for request in requests for signature in request.signatures.values()]
    found = [score.signature for score in report.values()]
    for what, was, is_now in (
        ("protocol", report.protocol, protocol),
        ("seed", report.seed, int(options.seed)),
        ("confidence", report.confidence, options.confidence),
        ("permutations", report.permutations, options.permutations),
        ("anchors", report.provenance.get("anchors"), options.anchors),
    ):
        if was != is_now:
            return f"{what} was {was}, now {is_now}"
    if [_key(line) for line in found] != [_key(line) for line in wanted]:
        return f"other scores were asked for: {', '.join(map(_key, found))}"
    if failed := [check.about for check in report.checks() if check.code == "failed"]:
        return f"{failed[0]} had failed"
    for before, now in zip(found, wanted, strict=True):
        if before != now:
            return f"{_key(now)}: {signatures.difference(before, now)}"
    return "" if report.provenance.get("inputs") == inputs else "latents or factors are others"


def _key(signature: str) -> str:
    return signature.partition("|")[0]


def file_of(folder: Path, name: str) -> Path:
    """Where the report of a representation is kept."""
    return folder / f"{_stem(name)}.json"


def name_in(stem: str) -> str:
    """The representation whose report is kept under this file name, without its ending; else that name."""
    name = unquote(stem)
    return name if name.isprintable() and _stem(name) == stem else stem


def _stem(name: str) -> str:
    """A file's name for any text: letters of other systems' separators and the like are percent-encoded."""
    stem = quote(name, safe=" ()+,=@[]")
    stem = re.sub(r"^\.|[. ]$", lambda found: f"%{ord(found[0]):02X}", stem)
    if len(stem) <= LONGEST:
        return stem
    return f"{stem[: LONGEST - 17]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
