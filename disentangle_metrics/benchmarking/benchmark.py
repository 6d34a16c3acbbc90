"""benchmark(): read the factors once, score each representation as score() would, and go on if one fails."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from disentangle_metrics.benchmarking.folder import Folder, described, fingerprint
from disentangle_metrics.benchmarking.ranked import unranked
from disentangle_metrics.benchmarking.results import Benchmark
from disentangle_metrics.checks import once_each
from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.inputs.factor import Factor
from disentangle_metrics.inputs.hierarchy import Hierarchy
from disentangle_metrics.inputs.inputs import Inputs, Missing, check
from disentangle_metrics.inputs.latent_groups import Groups
from disentangle_metrics.inputs.tables import FactorTable, read_factors
from disentangle_metrics.kit.progress import LateProgress, Share
from disentangle_metrics.relations.relate import relate
from disentangle_metrics.scoring.binding import bind
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Anchors, Choice, Metric, Options, choose
from disentangle_metrics.scoring.score import score_inputs

T = TypeVar("T")
Names = Iterable[str]
Types = Iterable[str] | Mapping[str, str]
KILLED = "its process was killed, often for want of memory; `n_jobs=1` needs less"
MAPPED = 100_000  # bytes from which joblib hands an array to workers as a mapped file, not a copy


def benchmark(
    representations: Mapping[str, Any],
    factors: Any,
    *,
    metrics: Iterable[str | Metric] | str | Metric | None = None,
    protocol: str = "default",
    factor_names: Names | None = None,
    factor_types: Types | None = None,
    latent_names: Names | Mapping[str, Names] | None = None,
    latent_types: Types | Mapping[str, Types] | None = None,
    groups: Groups | Mapping[str, Groups] | None = None,
    hierarchy: Hierarchy | None = None,
    missing: Missing = "raise",
    seed: int = 0,
    n_jobs: int | None = 1,
    confidence: float | None = None,
    replicates: int | None = None,
    anchors: Anchors = True,
    permutations: int | None = None,
    progress: bool = False,
    folder: str | Path | None = None,
) -> Benchmark:
    """Score several representations of the same samples against the same factors.

    Each gets the report that :func:`score` gives for it alone, to the last bit. Factors are read and cut
    into bins once. A representation that cannot be scored has an error in place of a report, and the
    others go on.

    Parameters
    ----------
    representations
        Latents by name: for each what :func:`score` takes, of any number of latents. An item of the mapping
        is read when its turn comes, so a mapping that reads files need not hold them all.
    factors
        Shape (N, K) or (N,), as for :func:`score`. None, if the metrics asked for read latents alone.
    latent_names, latent_types, groups
        As for :func:`score`, for all representations; or, for some of them, a mapping from their names to
        that.
    n_jobs
        Representations that are scored at a time, each in a process; -1 uses every core. A single one gets
        the processes for its predictors. The numbers do not depend on it.
    folder
        Keep each finished report here as JSON, and read it from here the next time. It is read only if
        settings, input and versions are the same. Otherwise a warning says what differs, and the
        representation is scored again.
    metrics, protocol, factor_names, factor_types, hierarchy, missing, seed, confidence, replicates, \
    anchors, permutations, progress
        As for :func:`score`.

    Returns
    -------
    Benchmark
        The reports by name, one table, and ranks by property.

    Raises
    ------
    InputError
        If an argument other than a representation cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import disentangle_metrics as dm
    >>> v = np.random.default_rng(0).integers(0, 5, size=(500, 2))
    >>> turned = v @ [[1.0, -1.0], [1.0, 1.0]]
    >>> dm.benchmark({"aligned": v * 1.0, "turned": turned}, v, metrics=["mig", "mcc"]).ranks()
                    compactness  identifiability
    representation
    aligned                 1.0              1.0
    turned                  2.0              2.0
    """
    options = Options(seed, n_jobs, anchors, confidence, replicates, permutations)
    call = _Call(choose(metrics, protocol), options, protocol)
    names = _names(representations)
    table = None if factors is None else read_factors(factors)
    of_factors = {
        "factor_names": None if factor_names is None else _listed(factor_names),
        "factor_types": None if factor_types is None else _listed(factor_types),
        "missing": missing,
        "hierarchy": hierarchy,
        "rule": PROTOCOLS[protocol].reading,
    }
    _check_factors(call, table, of_factors)
    of_latents = {
        option: _by_representation(option, given, by_name, names)
        for option, given, by_name in (
            ("latent_names", latent_names, Iterable),
            ("latent_types", latent_types, Iterable),
            ("groups", groups, Mapping),
        )
    }
    checker = _Checker(representations, table, of_factors, of_latents)
    kept = None if folder is None else Folder(folder, names)
    with LateProgress("scoring", len(names), shown=progress) as bar:
        run = _Run(call, checker, kept, bar)
        run.score(names)
    ordered = {name: run.reports[name] for name in names if name in run.reports}
    notes = (*run.notes(), *unranked(ordered))
    result = Benchmark(ordered, {n: run.errors[n] for n in names if n in run.errors}, names, notes)
    for text in (
        *result.notes,
        *once_each({name: report.warnings for name, report in ordered.items()}, ", ".join),
        *(f"{name} failed: {error}" for name, error in result.errors.items()),
    ):
        warnings.warn(text, ScoreWarning, stacklevel=2)
    return result


@dataclass(frozen=True)
class _Call:
    """What is asked of every representation."""

    choices: list[Choice]
    options: Options
    protocol: str


@dataclass(frozen=True)
class _Checker:
    """Gives the checked input of one representation."""

    representations: Mapping[str, Any]
    table: FactorTable | None
    of_factors: Mapping[str, Any]
    of_latents: Mapping[str, Mapping[str, Any]]

    def inputs(self, name: str) -> Inputs:
        own = {option: given[name] for option, given in self.of_latents.items()}
        return check(self.representations[name], self.table, **self.of_factors, **own)


class _Run:
    """Scores representations one after the other or in processes, and collects what comes of it."""

    def __init__(self, call: _Call, checker: _Checker, folder: Folder | None, bar: LateProgress) -> None:
        self.call, self.checker, self.folder, self.bar = call, checker, folder, bar
        self.reports: dict[str, Report] = {}
        self.errors: dict[str, str] = {}
        self._read: list[str] = []
        self._notes: list[str] = []
        self._fingerprints: dict[str, str] = {}
        self._of_factors: tuple[tuple[Factor, ...], dict[Any, Any]] = ((), {})  # of these, what is made

    def score(self, names: tuple[str, ...]) -> None:
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError

        options = self.call.options
        processes = min(joblib.effective_n_jobs(options.n_jobs), len(names))
        if processes == 1:
            for name, inputs, of_factors in self._to_score(names):
                part = Share(self.bar, name)
                self._keep(name, _scored(self.call, inputs, of_factors, part), shown=True)
            return
        call = replace(self.call, options=replace(options, n_jobs=1))
        begun: list[str] = []

        def tasks(some: Iterable[str]) -> Iterator[Any]:
            for name, inputs, of_factors in self._to_score(some):
                begun.append(name)
                yield joblib.delayed(_named)(name, call, self._held(inputs), of_factors)

        def score_in_processes(some: Iterable[str]) -> None:
            parallel = joblib.Parallel(options.n_jobs, max_nbytes=MAPPED, return_as="generator_unordered")
            for name, result in parallel(tasks(some)):
                self._keep(name, result)

        while left := self._missing(names):
            begun.clear()
            try:
                score_in_processes(left)
            except TerminatedWorkerError:  # whose it was shows when each is alone
                for name in self._missing(begun):
                    try:
                        score_in_processes([name])
                    except TerminatedWorkerError:
                        self._keep(name, KILLED)

    def _missing(self, names: Iterable[str]) -> list[str]:
        """Those without a report or an error."""
        return [name for name in names if name not in self.reports and name not in self.errors]

    def notes(self) -> tuple[str, ...]:
        """What was read from the folder, and what could not be."""
        notes = dict.fromkeys(self._notes)  # one that is scored twice says it twice
        if not self._read or self.folder is None:
            return tuple(notes)
        return (f"read from {self.folder.path}: {', '.join(self._read)}", *notes)

    def _to_score(self, names: Iterable[str]) -> Iterator[tuple[str, Inputs, dict[Any, Any]]]:
        """The checked input of each representation that is not in the folder, and what its factors share."""
        for name in names:
            try:
                inputs = self.checker.inputs(name)
                if self._is_in_folder(name, inputs):
                    continue
                of_factors = self._cut(inputs)
            except Exception as error:
                self._keep(name, _in_one_line(error))
                continue
            yield name, inputs, of_factors

    def _held(self, inputs: Inputs) -> Inputs:
        """The same in memory of its own, where a mapping may read the next into that of this one."""
        if type(self.checker.representations) is dict:  # of arrays that are all there
            return inputs
        logvar = None if inputs.logvar is None else inputs.logvar.copy(order="K")
        return replace(inputs, latents=inputs.latents.copy(order="K"), logvar=logvar)

    def _is_in_folder(self, name: str, inputs: Inputs) -> bool:
        if self.folder is None:
            return False
        call = self.call
        requests = bind(call.choices, call.options, inputs)
        self._fingerprints[name] = fingerprint(inputs)
        report, note = self.folder.read(name, self._fingerprints[name], requests, call.options, call.protocol)
        if note:
            self._notes.append(note)
        if report is None:
            return False
        self.reports[name] = report
        self._read.append(name)
        self.bar.update(1, f"{name}: read")
        return True

    def _cut(self, inputs: Inputs) -> dict[Any, Any]:
        """What relations share of these factors: made once, cut into the bins that metrics ask for."""
        factors, made = self._of_factors
        if factors is not inputs.factors:
            self._of_factors = inputs.factors, (made := {})
        if not made and inputs.factors and not inputs.incomplete:
            relations = relate(inputs.ungrouped(), of_factors=made)
            for settings in (choice.settings for choice in self.call.choices):
                if "bins" in settings and "strategy" in settings:
                    relations.factor_codes(
                        settings["bins"], settings["strategy"], settings.get("factor_bins")
                    )
        return made

    def _keep(self, name: str, result: Report | str, *, shown: bool = False) -> None:
        if isinstance(result, str):
            self.errors[name] = result
        else:
            if self.folder is not None:
                result = described(result, name, self._fingerprints[name], self.call.options)
                self.folder.write(name, result)
            self.reports[name] = result
        if not shown:
            self.bar.update(1, f"{name}: {'failed' if isinstance(result, str) else 'scored'}")


def _scored(
    call: _Call, inputs: Inputs, of_factors: dict[Any, Any], progress: bool | Share = False
) -> Report | str:
    """The report; or in a line why there is none."""
    options = call.options
    try:
        relations = relate(inputs, seed=options.seed, n_jobs=options.n_jobs, of_factors=of_factors)
        return score_inputs(
            inputs, call.choices, options, protocol=call.protocol, progress=progress, relations=relations
        )
    except Exception as error:
        return _in_one_line(error)


def _named(name: str, *arguments: Any) -> tuple[str, Report | str]:
    return name, _scored(*arguments)


def _in_one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}".rstrip(": ")


def _names(representations: Any) -> tuple[str, ...]:
    if not isinstance(representations, Mapping):
        raise InputError(
            "`representations` must be a mapping from names to latents, such as "
            f'{{"pca": z1, "vae": z2}}; got {type(representations).__name__}'
        )
    names = tuple(representations)
    if not names:
        raise InputError("`representations` is empty; give latents by name")
    for name in names:
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise InputError(f"`representations`: a name must be a line of text, got {name!r}")
    if type(representations) is dict and all(isinstance(one, Report) for one in representations.values()):
        raise InputError("`representations` are reports, which are scored already; pass them to `dm.compare`")
    return names


def _by_representation(option: str, given: Any, of_one: type, names: tuple[str, ...]) -> dict[str, Any]:
    """What was given for each representation, for all of them or by name; then each item is `of_one`."""
    items = list(given.values()) if isinstance(given, Mapping) else []
    if items and all(isinstance(item, of_one) and not isinstance(item, str) for item in items):
        if unknown := [name for name in given if name not in names]:
            raise InputError(
                f"`{option}` names the representation {unknown[0]!r}, which is none of {', '.join(names)}"
            )
        return {name: given.get(name) for name in names}
    return dict.fromkeys(names, None if given is None else _listed(given))


def _check_factors(call: _Call, table: FactorTable | None, of_factors: Mapping[str, Any]) -> None:
    """Refuse what no representation could be scored with."""
    rows = 1 if table is None else len(table.columns[0])
    inputs = check(np.zeros((rows, 1)), table, **of_factors)
    if table is None:
        bind(call.choices, call.options, inputs)


def _listed(given: Iterable[T] | Mapping[str, T]) -> Any:
    """An iterable that can be read again for each representation."""
    return given if isinstance(given, str | Mapping) else list(given)
