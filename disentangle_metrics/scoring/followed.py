"""Whether a report is what its protocol gives, or has scores or settings that the protocol does not have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.lookup import find_metric, find_scores, without_settings
from disentangle_metrics.scoring import signatures
from disentangle_metrics.scoring.protocols import PROTOCOLS, Protocol
from disentangle_metrics.settings import setting_text

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Report


def followed(report: Report) -> bool:
    """Whether each score is one of the report's protocol, with the settings that it has there."""
    protocol = PROTOCOLS.get(report.protocol)
    return protocol is not None and all(
        has_score(protocol, without_settings(key)) and _has_settings(protocol, report, key) for key in report
    )


def has_score(protocol: Protocol, key: str) -> bool:
    """Whether a protocol has the score of this key; this package's own has every one."""
    own = protocol.metrics
    return own is None or any(key in find_scores(name)[1] for name in own)


def by_neighbours(report: Report) -> bool:
    """Whether groups had too many joint cells, so that nearest neighbours took the place of counts."""
    return any(check.code == "groups_by_neighbours" for check in report.found)


def _has_settings(protocol: Protocol, report: Report, key: str) -> bool:
    """Whether a score has the settings of a protocol that has it, and any rows that its caller is to pass."""
    signature = report[key].signature
    try:
        definition = find_metric(without_settings(key))
        usual: Mapping[str, Any] = {**definition.settings, **protocol.settings.get(definition.name, {})}
        for name in protocol.rows_passed:
            signature = re.sub(rf"\|{name}:\([^|]*", f"|{name}:{setting_text(usual[name])}", signature)
        said = {**definition.settings, **signatures.parsed(signature, definition)[0]}
    except InputError:  # a plug-in that is not here, or a setting that no text brings back
        return False
    own = protocol.metrics is None  # which chooses neighbours; published ones know no groups
    usual = signatures.as_read(definition, usual, said, own and by_neighbours(report))
    return signatures.spoken(definition, said) == signatures.spoken(definition, usual)
