"""cite(): what to cite, and whether a protocol is named for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.lookup import as_signature, find_scores, without_settings
from disentangle_metrics.reporting.citation import UDR, Citation, of_metrics, of_report
from disentangle_metrics.scoring.followed import has_score
from disentangle_metrics.scoring.protocols import PROTOCOLS


def cite(*items: Any, protocol: str = "default") -> Citation:
    """What to cite for metrics, a score or a report.

    Parameters
    ----------
    *items
        Names of metrics or keys of scores, as in ``dm.cite("mig", "dci")``; or signatures, ``dm.Metric``
        objects, scores, or one report, of which the settings are told too.
    protocol
        The protocol that metrics given by name, or by a part of a signature, are computed by; it is cited
        too, unless it lacks one of these scores. Scores, whole signatures and a report have their own
        settings; a report that has others than its protocol, or other scores, does not name it.

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
            of_it = any(hasattr(value, "protocol") for value in item.values())
            rest = "; pass one of its reports" if of_it else ""
            raise InputError(
                f"`cite` takes one report, a score or a metric, got a {type(item).__name__}{rest}"
            )
    for item in items:
        if isinstance(item, list | tuple | set):
            raise InputError(
                f"`cite` takes each item by itself, as in dm.cite('mig', 'dci'), got a {type(item).__name__}"
            )
    if reports and len(items) > 1:
        raise InputError("`cite` takes one report alone; call it once for each")
    if reports:
        return of_report(reports[0])
    published = PROTOCOLS[str(protocol)]
    keys = [key for item in items for key in _left_to_protocol(item)]
    named = bool(keys) and all(has_score(published, key) for key in keys)
    return of_metrics(items, protocol if named else "")


def _left_to_protocol(item: Any) -> tuple[str, ...]:
    """The scores of an item that a protocol decides settings of: none of a score or of a whole signature."""
    name = as_signature(item)
    if hasattr(item, "signature") or "def" in getattr(item, "pinned", ()) or "|def:" in str(name):
        return ()
    if name == UDR:
        return (UDR,)
    return find_scores(without_settings(name) if isinstance(name, str) else name)[1]
