"""A report as a data frame."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Report


def scores_frame(report: Report) -> pd.DataFrame:
    """One row per score; see :meth:`.report.Report.to_frame`."""
    import numpy as np
    import pandas as pd

    scores = list(report.scores.values())
    columns = ["value", "chance", "ceiling", "direction", "property", "reason", "signature"]
    rows = [[getattr(score, column) for column in columns] for score in scores]
    frame = pd.DataFrame(rows, index=pd.Index(report.scores, name="metric"), columns=columns)
    frame = frame.astype({"value": float, "chance": float, "ceiling": float})
    if report.permutations is not None:
        ps = [score.p for score in scores]
        frame.insert(frame.columns.get_loc("direction"), "p", np.array(ps, dtype=float))
    if report.confidence is not None:
        ends = [score.interval or (math.nan, math.nan) for score in scores]
        frame.insert(1, "corrected", np.array([score.corrected for score in scores], dtype=float))
        frame.insert(2, "interval_low", [low for low, _ in ends])
        frame.insert(3, "interval_high", [high for _, high in ends])
    return frame
