"""Several files of latents, scored against one file of factors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from disentangle_metrics.benchmarking.benchmark import benchmark
from disentangle_metrics.benchmarking.results import Benchmark
from disentangle_metrics.cli import arguments
from disentangle_metrics.cli.sources import (
    Scoring,
    Tell,
    asked_columns,
    check_choices,
    described,
    of_latents_alone,
    with_labels,
)
from disentangle_metrics.errors import InputError
from disentangle_metrics.files.arrays import ArrayFile, Choices, read_array
from disentangle_metrics.files.row_pairs import check_rows, goes_by_place
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.kit.progress import LateProgress


class LatentFiles(Mapping[str, Any]):
    """Latents by name, each read from its file when it is asked for.

    Parameters
    ----------
    files
        What read_array takes, by name.
    factors
        What they will be scored against, if that is known; rows must be as many.
    choices
        What the user decided about the files.
    tell
        Gets what was left out or decided in reading.
    """

    def __init__(
        self, files: Mapping[str, str], factors: ArrayFile | None, choices: Choices, tell: Tell
    ) -> None:
        self.files, self.factors, self.choices, self.tell = files, factors, choices, tell
        self.described: dict[str, Any] = {}

    def check_choices(self, progress: bool) -> None:
        """Refuse a column to leave out that no file has; only tell it if one that may have it cannot be read.

        All files are read for it, so that a wrong name is refused before anything is scored.
        """
        if not asked_columns(self.choices):
            return
        choosable = [*self._of_factors()]
        unread = []
        with LateProgress("reading columns", len(self.files), shown=progress) as bar:
            for name, file in self.files.items():
                try:
                    choosable += read_array(file, "latents", self.choices).choosable
                except InputError:  # which scoring says
                    unread.append(name)
                bar.update(1)
        try:
            check_choices(choosable, self.choices)
        except InputError as error:
            if not unread:
                raise
            self.tell(f"{error}; {', '.join(unread)} cannot be read")

    def __getitem__(self, name: str) -> Any:
        file = read_array(self.files[name], "latents", self.choices)
        self.described[name] = described(file)
        for note in file.notes:
            self.tell(f"{name}: {note}")
        asked = asked_columns(self.choices)
        for column, option in asked.items():
            if column not in (*file.choosable, *self._of_factors()):
                near = did_you_mean(column, [c for c in file.choosable if c not in asked and not c.isdigit()])
                self.tell(f"{name}: {option}: no column {column!r}; {near}".rstrip("; "))
        if self.factors is None:
            return file.value
        check_rows(file, self.factors)
        by_place, note = goes_by_place(file, self.factors)
        if note:
            self.tell(f"{name}: {note}")
        if not by_place:
            return file.value
        # Factors are read once for all files, so that it is the latents that get their labels, or lose them.
        labels = self.factors.value.index if self.factors.labelled else range(file.rows)
        return file.value.set_axis(labels, axis=0) if hasattr(file.value, "set_axis") else file.value

    def _of_factors(self) -> tuple[str, ...]:
        return () if self.factors is None else self.factors.choosable

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def benchmark_arrays(
    files: Sequence[str],
    factors: str | None,
    scoring: Scoring,
    choices: Choices,
    folder: str | None,
    tell: Tell = lambda text: None,
) -> Benchmark:
    """Score several files of latents; one that cannot be read or scored has an error in the result.

    Without factors they are scored by the metrics that read latents alone.
    """
    named = names_of(files)
    of_factors = None
    if factors is not None:
        of_factors = read_array(factors, "factors", choices)
        first = next(iter(named.values()))
        with contextlib.suppress(InputError):  # which scoring says
            found = with_labels(
                choices, first, factors, latents=read_array(first, "latents", choices), factors=of_factors
            )
            if found is not choices:
                choices, of_factors = found, read_array(factors, "factors", found)
        for note in of_factors.notes:
            tell(note)
    latents = LatentFiles(named, of_factors, choices, tell)
    latents.check_choices(scoring["progress"])
    if of_factors is None and scoring["metrics"] is None:
        first = read_array(next(iter(named.values())), "latents", choices).value
        alone = of_latents_alone(scoring["protocol"], isinstance(first, GaussianPosterior))
        scoring = {**scoring, "metrics": alone}
    try:
        result = benchmark(
            latents, None if of_factors is None else of_factors.value, folder=folder, **scoring
        )
    except KeyboardInterrupt:
        if folder is not None:
            tell(f"finished reports are in {folder}; the same command goes on from there")
        raise
    for note in result.notes:
        tell(note)
    where = {} if of_factors is None else {"factors": described(of_factors)}
    return result.with_provenance(latents=latents.described, **where)


def names_of(files: Sequence[str]) -> dict[str, str]:
    """Each file by its name: as given by NAME=FILE; else its own without ending, or what tells them apart.

    Raises
    ------
    InputError
        If two have one name.
    """
    named = [(text, *arguments.named_file(text)) for text in files]
    given = [name if path else "" for _, name, path in named]
    paths = [path or text for text, _, path in named]
    own = _told_apart([path for path, name in zip(paths, given, strict=True) if not name])
    names = [name or own[path] for path, name in zip(paths, given, strict=True)]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--latents: two files are called {name!r}; name them, as NAME=FILE")
    return dict(zip(names, paths, strict=True))


def _told_apart(paths: Sequence[str]) -> dict[str, str]:
    """A short name for each path, without its ending; the paths themselves where two would have one name."""
    names = arguments.short_names([Path(path).with_suffix("").parts for path in paths])
    return dict(zip(paths, names if len(set(names)) == len(names) else paths, strict=True))
