"""Where a report stands among the published runs whose scores have equal signatures."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from disentangle_metrics.errors import InputError
from disentangle_metrics.metrics.lookup import without_settings
from disentangle_metrics.reference_scores.table import datasets, published
from disentangle_metrics.reporting.signatures import differing, shared
from disentangle_metrics.reporting.view import HEADLINE, SIZE

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Report


def standing(report: Report, dataset: str | None) -> str:
    """One line: how many published runs each headline score is better than; see :meth:`Report.standing`."""
    own_data = report.provenance.get("dataset")
    if dataset is None and own_data not in datasets():
        return ""
    if dataset is not None and own_data not in (None, dataset):
        raise InputError(f"`dataset` is {dataset!r}, and this report is of {own_data}")
    name = own_data if dataset is None else dataset
    runs = published(name)
    shape = report.provenance.get("image_shape")
    runs = runs[runs["side"] == (shape[1] if shape else runs["side"].max())]
    encoder = report.provenance.get("encoder")
    own_file = encoder.get("sha256") if isinstance(encoder, dict) else None
    runs = runs[~runs["run"].isin(runs.loc[runs["sha256"] == own_file, "run"])]  # no rival of itself
    parts: dict[str, str] = {}
    for key, score in report.items():
        if score.property == SIZE or math.isnan(score.value):
            continue
        plain = without_settings(key)
        own = shared(score.signature)
        theirs = runs[(runs["metric"] == plain) & runs["value"].notna()]
        alike = [shared(line) == own for line in theirs["signature"]]
        values = theirs.loc[alike].drop_duplicates("run")["value"]  # a checkpoint may be one of the runs
        if len(values):
            worse = values < score.value if score.direction == "up" else values > score.value
            parts[key] = f"{int(worse.sum())} of {len(values)} in {key}"
    if not parts:
        none = f"No published run on {name} has scores of equal signatures"
        return f"{none}{_nearest(report, runs)}." if dataset is not None else ""
    told = [parts[key] for key in HEADLINE if key in parts] or list(parts.values())[: len(HEADLINE)]
    return f"Against the published runs on {name} with equal signatures: better than {', '.join(told)}."


def _nearest(report: Report, runs: pd.DataFrame) -> str:
    """What tells a score from the published one that differs least; empty if none is of its metric."""
    for key, score in report.items():
        own = shared(score.signature)
        theirs = map(shared, dict.fromkeys(runs.loc[runs["metric"] == without_settings(key), "signature"]))
        told = [differing({"this report": [own], "theirs": [other]}) for other in theirs]
        if told and all(told):  # none is equal, as those of a size may be
            return f": {min(told, key=lambda text: text.count(' is '))} (of {key})"
    return ""
