"""Whether a report is what its protocol gives, or has scores or settings that the protocol does not have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.lookup import find_scores, without_settings
from disentangle_metrics.scoring import signatures
from disentangle_metrics.scoring.protocols import PROTOCOLS, Protocol

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Report


def followed(report: Report) -> bool:
    """Whether each score is one of the report's protocol, with the settings that it has there."""
    protocol = PROTOCOLS.get(report.protocol)
    return protocol is not None and all(
        _is_of(protocol, without_settings(key), score.signature) for key, score in report.items()
    )


def _is_of(protocol: Protocol, key: str, signature: str) -> bool:
    """Whether a protocol has this score, with the settings of the signature."""
    own = protocol.metrics  # None: the protocol is this package's, which chooses for every metric
    if own is not None and not any(key in find_scores(name)[1] for name in own):
        return False
    try:
        definition = find_scores(key)[0]
        said = {**definition.settings, **signatures.parsed(signature, definition)[0]}
    except InputError:  # a plug-in that is not here, or a setting that no text brings back
        return False
    usual: Mapping[str, Any] = {**definition.settings, **protocol.settings.get(definition.name, {})}
    if (said.get("active"), usual.get("active")) == ("varying", "auto"):
        usual = signatures.with_rule_of_arrays(definition, usual)
    return signatures.spoken(definition, said) == signatures.spoken(definition, usual)
