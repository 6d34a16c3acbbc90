"""published(): the table of reference scores, read from one packaged file.

``tools/published_scores.py`` makes the file. A set of signatures stands in it once for all runs that share
it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from disentangle_metrics.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FILE = "scores.json"
COLUMNS = (
    "dataset",
    "side",
    "model",
    "variant",
    "beta",
    "seed",
    "run",
    "plan",
    "purpose",
    "protocol",
    "metric",
    "value",
    "signature",
    "source",
    "sha256",
)


def published(dataset: str | None = None) -> pd.DataFrame:
    """Scores of the bundled checkpoints and of every run of the comparison, one row each.

    Parameters
    ----------
    dataset
        One of those that there are runs of, "sprites" for one; None: all.

    Returns
    -------
    pandas.DataFrame
        `dataset`; `side`, the images' size in pixels; `model`, `variant` (of an ablation), `beta` and `seed`
        of the training; `run`, the trained model's name, the same for a bundled checkpoint and for the run of
        the comparison that it is; `plan`, the plan of the comparison or "bundled"; `purpose`: pilot,
        comparison, ablation or checkpoint; `protocol`, `metric`, `value` (NaN where it has none) and
        `signature`; `source`, the file or the checkpoint that the score is of; and `sha256` of a bundled
        checkpoint's file, empty for other runs.

    Raises
    ------
    InputError
        If there are no runs of this data set.
    """
    import pandas as pd

    known = datasets()
    if dataset is not None and dataset not in known:
        raise InputError(f"`dataset` must be one of {', '.join(known)}; got {dataset!r}")
    content = _content()
    what = [name for name in COLUMNS if name not in ("protocol", "metric", "value", "signature")]
    rows = [
        {
            **{name: run[name] for name in what},
            "protocol": protocol,
            "metric": signature.partition("|")[0],
            "value": math.nan if value is None else value,
            "signature": signature,
        }
        for run in content["runs"]
        if dataset in (None, run["dataset"])
        for (protocol, signature), value in zip(content["sets"][run["set"]], run["values"], strict=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def datasets() -> tuple[str, ...]:
    """The data sets that there are runs of."""
    return tuple(dict.fromkeys(run["dataset"] for run in _content()["runs"]))


@cache
def _content() -> Mapping[str, Any]:
    text = (files("disentangle_metrics.reference_scores") / FILE).read_text(encoding="utf-8")
    content: Mapping[str, Any] = json.loads(text)
    return content
