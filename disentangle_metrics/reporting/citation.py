"""BibTeX of metrics, of their protocol and of this package, and a sentence for the methods section."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.lookup import as_signature, find_metric, find_scores, without_settings
from disentangle_metrics.reporting.literature import (
    PACKAGE,
    bibtex,
    citations,
    paper_name,
    protocol_citation,
)
from disentangle_metrics.reporting.tables import latex
from disentangle_metrics.reporting.units import latent_count
from disentangle_metrics.reporting.view import factor_count
from disentangle_metrics.text import listed
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


def of_metrics(items: Iterable[Any], protocol: str) -> Citation:
    """What to cite for metrics and scores, and for the protocol of their settings, if one is named."""
    used: dict[str, list[str]] = {}
    settings: dict[str, str] = {}
    for item in map(as_signature, items):
        if isinstance(item, str) and "|" in item:
            definition, of_name = find_scores(without_settings(item))
            metric, keys = _with_settings(definition.name, item, settings), list(of_name)
        elif hasattr(item, "signature"):
            keys = [without_settings(item.key)]
            metric = _with_settings(_metric_of(keys[0]), item.signature, settings)
        elif item == UDR:
            metric, keys = UDR, [UDR]
        else:
            definition, of_name = find_scores(item)
            metric, keys = definition.name, list(of_name)
        used.setdefault(metric, []).extend(key for key in keys if key not in used.get(metric, ()))
    if not protocol:
        return _citation(used, settings, "")
    name, source = _protocol(protocol)
    told = f", with the settings of its protocol {name}{' where none are given' if settings else ''}"
    return _citation(used, settings, told, source)


def of_report(report: Any) -> Citation:
    """What to cite for a report: also its protocol, where it has no other choices."""
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
        text = listed([latex(paper_name(key)) for key in keys])
        text += f" ({latex(settings[metric])})" if settings.get(metric) else ""
        own = citations(without_settings(metric))
        parts.append(text + (f"~\\cite{{{','.join(own)}}}" if own else ""))
    package = f"\\texttt{{{PACKAGE}}} {__version__}~\\cite{{{PACKAGE}}}"
    keys = [key for metric in used for key in citations(without_settings(metric))]
    separator = "; " if settings else ", "
    return Citation(
        bibtex=bibtex([*keys, *more, PACKAGE]),
        methods=f"We computed {listed(parts, separator)} with {package}{told}.",
    )


def _metric_of(key: str) -> str:
    """The metric that gives a score; the key itself if its plug-in is not installed here."""
    try:
        return str(find_metric(key).name)
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
