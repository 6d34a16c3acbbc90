"""Loss against capacity: the curves are the score's, with both baselines, a panel for each factor."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from tests.plot.test_pictures import drawn_texts

pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

BY_HAND = {0: [0.9, 0.5], 4: [0.6, 0.5], 8: [0.3, 0.5]}


def by_hand(name: str = "orientation of the camera", **curves: list[float]) -> dm.Score:
    factors = ["hue", name]
    details = {f"curve_{size}": pd.Series(losses, index=factors) for size, losses in BY_HAND.items()}
    details |= {size: pd.Series(losses, index=factors) for size, losses in curves.items()}
    return dm.Score(
        "dci_explicitness",
        0.25,
        "dci_explicitness|def:1",
        per_factor=pd.Series([0.14, 1.0], index=factors),
        details=details,
    )


def test_each_panel_has_the_factors_losses_and_two_baselines() -> None:
    figure = dm.plot.capacity(by_hand())
    hue, camera = (axes for axes in figure.axes if axes.get_visible())
    assert [axes.get_title(loc="left") for axes in (hue, camera)] == ["hue", "orientation of the camera"]
    (mean,), (best,), (curve,) = (
        [line for line in hue.get_lines() if wanted(line)]
        for wanted in (
            lambda line: set(line.get_ydata()) == {1.0},
            lambda line: set(line.get_ydata()) == {0.3},
            lambda line: len(line.get_ydata()) == 3,
        )
    )
    assert list(curve.get_ydata()) == [0.9, 0.6, 0.3]
    assert len({mean.get_linestyle(), best.get_linestyle(), curve.get_linestyle()}) >= 2
    assert [tick.get_text() for tick in hue.get_xticklabels()] == ["0", "8"]
    assert {"E 0.14", "E 1.00"} <= set(drawn_texts(figure))


def test_it_fits_a_column_and_can_be_read() -> None:
    for name in ("size", "orientation of the camera"):
        figure = dm.plot.capacity({"one": by_hand(name), "other": by_hand(name)})
        assert figure.get_size_inches()[0] == 3.3
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        for text in figure.findobj(Text):
            if text.get_text() and text.get_visible():
                box = text.get_window_extent(canvas.get_renderer())
                assert text.get_fontsize() >= 6
                assert box.x0 >= figure.bbox.x0 - 1, text.get_text()
                assert box.x1 <= figure.bbox.x1 + 1, text.get_text()


def test_a_report_that_was_stored_draws_what_the_fresh_one_does() -> None:
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.normal(size=(200, 2)), np.ones(200)])
    fresh = dm.score(factors[:, :2] ** 3, factors, metrics=["mig", "dci_es"], anchors=False)
    again = dm.Report.from_dict(json.loads(fresh.to_json()))
    for report in (fresh, again):
        figure = dm.plot.capacity(report)
        assert [axes.get_title(loc="left") for axes in figure.axes] == [
            "factor_0",
            "factor_1",
        ]  # one is constant
        drawn = figure.axes[0].get_lines()[1].get_ydata()
        expected = [loss["factor_0"] for loss in fresh["dci_explicitness"].details.values()]
        assert list(drawn) == pytest.approx(expected)


def test_several_with_other_capacities_share_the_axis() -> None:
    figure = dm.plot.capacity({"_one": by_hand(), "other": by_hand(curve_16=[0.2, 0.4])})
    first, second = (line for line in figure.axes[0].get_lines() if len(line.get_ydata()) > 2)
    assert list(first.get_xdata()) == [0, 1, 2]
    assert list(second.get_xdata()) == [0, 1, 2, 3]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["_one", "other"]


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_own_axes_and_what_is_refused() -> None:
    axes = Figure().subplots(1, 2)
    assert dm.plot.capacity(by_hand(), axes=axes) is axes[0].figure
    assert axes[0].get_ylabel() == "loss"
    with pytest.raises(dm.InputError, match="`axes` must be 2, one for each factor, got 1"):
        dm.plot.capacity(by_hand(), axes=axes[:1])
    with pytest.raises(dm.InputError, match="mig has no losses of ever larger probes to draw"):
        dm.plot.capacity(dm.Score("mig", 0.5, "mig|def:2"))
    constant = dm.Score("dci_explicitness", 0.5, "", details={"curve_0": pd.Series([np.nan], index=["a"])})
    with pytest.raises(dm.InputError, match="none varies"):
        dm.plot.capacity(constant)
