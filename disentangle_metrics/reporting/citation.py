"""cite(): BibTeX of metrics and of this package, and a sentence for the methods section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.near_names import did_you_mean
from disentangle_metrics.metrics.lookup import as_signature, find_scores, without_settings
from disentangle_metrics.reporting.literature import (
    PACKAGE,
    bibtex,
    citations,
    paper_name,
    protocol_citation,
    published_protocols,
)
from disentangle_metrics.reporting.tables import latex
from disentangle_metrics.reporting.units import latent_count
from disentangle_metrics.reporting.view import factor_count
from disentangle_metrics.version import __version__

UDR = "udr"  # compares several models, so it is no metric of a report


@dataclass(frozen=True, repr=False)
class Citation:
    """What to write when scores are published.

    Attributes
    ----------
    bibtex
        BibTeX entries: the metrics', the protocol's, and this package's.
    methods
        What was computed, with which settings and versions: LaTeX that cites the entries.
    """

    bibtex: str
    methods: str

    def __str__(self) -> str:
        return f"{self.methods}\n\n{self.bibtex}\n"

    def __repr__(self) -> str:
        return str(self)


def cite(*items: Any, protocol: str = "default") -> Citation:
    """What to cite for metrics, a score or a report.

    Parameters
    ----------
    *items
        Names of metrics or keys of scores, as in ``dm.cite("mig", "dci")``; or signatures, ``dm.Metric``
        objects, scores, or one report, of which the settings are told too.
    protocol
        The protocol that metrics given by name, or by a part of a signature, are computed by; it is cited
        too. Scores, whole signatures and a report have their own settings; a report that has others than its
        protocol, or other scores, does not name it.

    Returns
    -------
    Citation
        Its `bibtex` and its `methods` sentence; printed, both.

    Raises
    ------
    InputError
        If there is no item, a name is unknown, or an item is something else.
    """
    if not items:
        raise InputError("`cite` needs at least one metric, score or report, such as dm.cite('mig')")
    reports = [item for item in items if isinstance(item, Mapping)]
    for item in reports:
        if not hasattr(item, "protocol"):
            raise InputError(f"`cite` takes one report, a score or a metric, got a {type(item).__name__}")
    if reports and len(items) > 1:
        raise InputError("`cite` takes one report alone; call it once for each")
    if reports:
        return _of_report(reports[0])
    if protocol not in (known := ["default", *published_protocols()]):
        near = did_you_mean(protocol, known)
        raise InputError(f"unknown protocol {protocol!r}; {near}known: {', '.join(known)}")
    name, source = _protocol(protocol)
    by_name = False
    used: dict[str, list[str]] = {}
    settings: dict[str, str] = {}
    for item in map(as_signature, items):
        if isinstance(item, str) and "|" in item:
            definition, of_name = find_scores(without_settings(item))
            metric, keys = _with_settings(definition.name, item, settings), list(of_name)
            by_name = by_name or "|def:" not in item  # a part of one leaves the rest to the protocol
        elif hasattr(item, "signature"):
            keys = [without_settings(item.key)]
            metric = _with_settings(_metric_of(keys[0]), item.signature, settings)
        elif item == UDR:
            metric, keys = UDR, [UDR]
        else:
            definition, of_name = find_scores(item)
            metric, keys, by_name = definition.name, list(of_name), True
        used.setdefault(metric, []).extend(key for key in keys if key not in used.get(metric, ()))
    if settings and not by_name:
        return _citation(used, settings, "")
    told = f", with the settings of its protocol {name}{' where none are given' if settings else ''}"
    return _citation(used, settings, told, source)


def _of_report(report: Any) -> Citation:
    used: dict[str, list[str]] = {}
    settings: dict[str, str] = {}
    for key, score in report.items():
        plain = without_settings(key)
        metric = _with_settings(_metric_of(plain), score.signature, settings)
        used.setdefault(metric, []).append(plain)
    rows, factors = report.shape[0], factor_count(report.shape[2])
    name, source = _protocol(report.protocol) if report.follows_protocol() else ("", [])
    told = f", by its protocol {name}" if name else ""
    told += f", on {rows:,} rows of {latent_count(report)} and {factors} (seed {report.seed})"
    if report.confidence is not None:
        told += f", with {latex(f'{100 * report.confidence:g}%')} confidence intervals"
    return _citation(used, settings, told, source)


def _protocol(name: str) -> tuple[str, list[str]]:
    """A protocol as a sentence names it, and the key of the entry that it follows, if there is one."""
    source = protocol_citation(name)
    return f"\\texttt{{{latex(name)}}}" + (f"~\\cite{{{source}}}" if source else ""), [source] * bool(source)


def _citation(
    used: Mapping[str, list[str]], settings: Mapping[str, str], told: str, more: Iterable[str] = ()
) -> Citation:
    parts = []
    for metric, keys in used.items():
        text = _listed([latex(paper_name(key)) for key in keys])
        text += f" ({latex(settings[metric])})" if settings.get(metric) else ""
        own = citations(without_settings(metric))
        parts.append(text + (f"~\\cite{{{','.join(own)}}}" if own else ""))
    package = f"\\texttt{{{PACKAGE}}} {__version__}~\\cite{{{PACKAGE}}}"
    keys = [key for metric in used for key in citations(without_settings(metric))]
    separator = "; " if settings else ", "
    return Citation(
        bibtex=bibtex([*keys, *more, PACKAGE]),
        methods=f"We computed {_listed(parts, separator)} with {package}{told}.",
    )


def _metric_of(key: str) -> str:
    """The metric that gives a score; the key itself if its plug-in is not installed here."""
    try:
        return str(find_scores(key)[0].name)
    except InputError:
        return key


def _with_settings(metric: str, signature: str, settings: dict[str, str]) -> str:
    """The metric's name for a sentence in which it may stand with several settings; these are noted."""
    told = _settings(signature)
    name = f"{metric}|{told}"
    settings[name] = told
    return name


def _settings(signature: str) -> str:
    """The settings that a signature pins, as words: what stands before the shape of the input."""
    pairs = []
    for part in signature.split("|")[1:]:
        name, _, value = part.partition(":")
        if name in ("n", "D", "K", "def", "dm"):
            break
        pairs.append(f"{name} {value}")
    return ", ".join(pairs)


def _listed(parts: list[str], separator: str = ", ") -> str:
    return parts[0] if len(parts) == 1 else f"{separator.join(parts[:-1])} and {parts[-1]}"
