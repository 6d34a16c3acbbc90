"""How papers name and cite the scores: what metrics/literature.toml and metrics/references.bib hold."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from disentangle_metrics.version import __version__

PACKAGE = "disentangle-metrics"  # the entry of this package


def paper_name(key: str) -> str:
    """What papers call a score, with the settings that its key has; of a plug-in's, its key."""
    plain, *settings = key.split("|")
    name = next((m["names"][plain] for m in _literature()["metrics"].values() if plain in m["names"]), plain)
    return f"{name} ({', '.join(settings).replace(':', ' ')})" if settings else name


def citations(metric: str) -> tuple[str, ...]:
    """The keys of the entries that define and compute a metric; none for a plug-in's."""
    return tuple(_literature()["metrics"].get(metric, {}).get("cite", ()))


def protocol_citation(protocol: str) -> str:
    """The key of the entry that a protocol follows; empty for this package's own."""
    return str(_literature()["protocols"].get(protocol, ""))


def bibtex(keys: Iterable[str]) -> str:
    """The BibTeX entries of these keys, each once, in this order."""
    return "\n\n".join(references()[key] for key in dict.fromkeys(keys))


@cache
def references() -> Mapping[str, str]:
    """Every BibTeX entry by its key."""
    text = (files("disentangle_metrics.metrics") / "references.bib").read_text(encoding="utf-8")
    text = text.replace("Version VERSION", f"Version {__version__}")
    return {
        found[2]: found[0].strip() for found in re.finditer(r"^@(\w+)\{([^,]+),\n.*?^\}$", text, re.M | re.S)
    }


@cache
def _literature() -> Mapping[str, Any]:
    text = (files("disentangle_metrics.metrics") / "literature.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
