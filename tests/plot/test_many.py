"""Pictures of many reports: ranks of representations, and scores over steps."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.benchmarking.results import Benchmark
from disentangle_metrics.reporting.palette import contrast
from tests.plot.test_pictures import SMALLEST, drawn_texts
from tests.reporting.example import DOLLARS, REPORT, score

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from disentangle_metrics.plot import style  # noqa: E402


def report(mig: float, correlation: float, size: float) -> dm.Report:
    return dm.Report(
        {
            "mig": score("mig", mig, "compactness", chance=0.01),
            "total_correlation": score(
                "total_correlation", correlation, "independence", direction="down", range=(0.0, math.inf)
            ),
            "active_units": score("active_units", size, "size", range=(0.0, math.inf)),
        }
    )


MANY = {
    "best": report(0.9, 0.5, 3.0),
    "worst": report(0.1, 150.0, 9.0),
    DOLLARS: report(0.4, 12.34, 5.0),
    "none": report(math.nan, 1.0, 5.0),
}
STEPS = {0: REPORT, 10: report(0.2, 3.0, 4.0), 20: replace(REPORT, confidence=None)}


def pictures() -> dict[str, Figure]:
    return {
        "ranks": dm.plot.ranks(MANY),
        "all": dm.plot.ranks({f"representation {place}": REPORT for place in range(20)}),
        "steps": dm.plot.steps(STEPS),
        "seven": dm.plot.scores({f"model {place}": REPORT for place in range(7)}),
        "one": dm.plot.steps(STEPS, metrics=["mig"]),
    }


@pytest.mark.parametrize("name", ["ranks", "all", "seven", "steps", "one"])
def test_everything_is_inside_and_can_be_read(name: str) -> None:
    figure = pictures()[name]
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    outer, renderer = figure.bbox, canvas.get_renderer()
    for axes in figure.axes:
        if not axes.get_visible():
            continue
        box = axes.get_tightbbox(renderer)
        assert box.x0 >= outer.x0 - 1
        assert box.x1 <= outer.x1 + 1
        assert box.y0 >= outer.y0 - 1
        assert box.y1 <= outer.y1 + 1
    for text in figure.findobj(matplotlib.text.Text):
        assert not text.get_text() or text.get_fontsize() >= SMALLEST


def test_ranks_are_dark_for_the_best_whatever_the_direction() -> None:
    axes = dm.plot.ranks(MANY).axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == [
        "MIG",
        "Total correlation ↓",
        "Active units",
    ]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == list(MANY)
    shades = axes.images[0].get_array()
    assert shades.mask.tolist() == [[False, False, True]] * 3 + [[True, False, True]]
    assert np.argsort(-shades[:3, 0]).tolist() == [0, 2, 1]
    assert np.argsort(-shades[:, 1]).tolist() == [0, 3, 2, 1]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert [texts[1, line] for line in range(4)] == ["0.50", "150", "12.3", "1.00"]
    assert texts[0, 3] == "–"
    assert {"compactness", "independence", "size"} <= set(texts.values())


def test_scores_of_different_signatures_have_no_rank() -> None:
    varying, faint = (
        replace(REPORT["modularity"], signature=f"modularity|active:{rule}|n:100|D:{size}|def:2")
        for rule, size in (("varying", 3), ("auto", 3))
    )
    codes = {f"code {place}": dm.Report({"mig": REPORT["mig"], "modularity": varying}) for place in range(8)}
    posterior = {"posterior": dm.Report({"mig": REPORT["mig"], "modularity": faint})}
    wider = {
        "wider": dm.Report(
            {"modularity": replace(varying, signature=varying.signature.replace("D:3", "D:4"))}
        )
    }
    axes = Benchmark({**codes, **posterior}).plot().axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["MIG", "Modularity"]
    assert axes.images[0].get_array().mask.tolist() == [[False, True]] * 9
    assert [text.get_text() for text in axes.texts].count("0.90") == 9
    assert not dm.plot.ranks({**codes, **wider}).axes[0].images[0].get_array().mask[:, 1].any()


def test_the_seed_of_an_interval_leaves_a_rank() -> None:
    """It stands in the signature of every score with an interval; of those that draw it counts."""

    def coded(value: float, facts: str) -> dm.Report:
        keys = (
            "mig|bins:20",
            "mig|estimator:nearest_neighbours",
            "factor_vae|rows:200",
            "mcc",
            "of_a_plugin",
        )
        scores = [
            replace(score(key.partition("|")[0], value, ""), key=key, signature=f"{key}|n:100|def:2{facts}")
            for key in keys
        ]
        return dm.Report({item.key: item for item in scores})

    interval = "|confidence:0.9|interval:bootstrap|replicates:50|seed:"
    first, second, third = coded(0.9, f"{interval}0"), coded(0.1, f"{interval}1"), coded(0.1, f"{interval}0")
    for other, ranked in ((second, [0, 3]), (coded(0.1, ""), [0, 3]), (third, [0, 1, 2, 3, 4])):
        shades = dm.plot.ranks({"first": first, "other": other}).axes[0].images[0].get_array()
        assert np.flatnonzero(~shades.mask.any(axis=0)).tolist() == ranked
        assert (shades[0, ranked] > 0).all()


def test_a_name_is_measured_once(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []
    path = style.TextPath
    monkeypatch.setattr(
        style, "TextPath", lambda at, line, **rest: (measured.append(line), path(at, line, **rest))[1]
    )
    longer = {f"run {place} of a representation, whose name is measured": REPORT for place in range(3)}
    for _ in range(2):
        dm.plot.ranks(longer)
        dm.plot.scores(longer)
    assert len(measured) == len(set(measured)) >= 3


def test_numbers_stand_out_from_every_shade() -> None:
    axes = dm.plot.ranks({str(place): report(place / 20, place, 1.0) for place in range(20)}).axes[0]
    cells, levels = axes.images[0].get_array(), matplotlib.colormaps[axes.images[0].get_cmap().name]
    numbers = [
        text for text in axes.texts if isinstance(text.get_position()[1], int) and text.get_position()[1] >= 0
    ]
    assert len(numbers) == cells.size
    for text in numbers:
        column, line = text.get_position()
        if not np.ma.is_masked(cells[line, column]):
            ground = matplotlib.colors.to_hex(levels(float(cells[line, column])))
            assert contrast(matplotlib.colors.to_hex(text.get_color()), ground) >= 4.5


def test_steps_show_each_score_where_it_is_and_its_chance() -> None:
    figure = dm.plot.steps(STEPS)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_visible()}
    assert list(panels) == [
        "compactness", "modularity", "other", "independence", "size",
    ]  # fmt: skip
    lines = {line.get_label(): line for line in panels["compactness"].lines}
    assert list(lines["MIG"].get_xdata()) == [0, 10, 20]
    assert list(lines["MIG"].get_ydata()) == [0.688, 0.2, 0.688]
    assert list(lines["DCI completeness"].get_xdata()) == [0, 20]
    dashed = [line for line in panels["compactness"].lines if line.get_linestyle() == "--"]
    assert [list(line.get_ydata()) for line in dashed] == [[0.01, 0.01, 0.01]]
    assert panels["compactness"].get_ylim()[1] == panels["modularity"].get_ylim()[1] == 1.03
    assert "Total correlation ↓" in drawn_texts(panels["independence"].figure)
    bands = panels["compactness"].collections[0].get_paths()[0].vertices
    assert {0.689, 0.704} <= {round(float(y), 6) for y in bands[:, 1]}


def test_steps_are_drawn_in_their_order() -> None:
    line = dm.plot.steps({10: STEPS[10], 20: STEPS[20], 0: STEPS[0]}, metrics=["mig"]).axes[0].lines[0]
    assert [list(values) for values in line.get_data()] == [[0, 10, 20], [0.688, 0.2, 0.688]]


def test_axes_of_the_users_are_drawn_on() -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert dm.plot.ranks(MANY, ax=left) is figure
    assert dm.plot.steps(STEPS, metrics=["mig"], axes=[right]) is figure
    assert left.images
    assert right.lines


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dm.plot.ranks(REPORT), "a rank needs two"),
        (lambda: dm.plot.ranks({str(place): REPORT for place in range(101)}), "shows 1 to 100"),
        (lambda: dm.plot.ranks(dict.fromkeys("ab", REPORT["factor_vae"])), "no score with a value"),
        (lambda: dm.plot.steps(REPORT), "must be a Tracker"),
        (lambda: dm.plot.steps(dm.Tracker()), "log some steps first"),
        (lambda: dm.plot.steps(STEPS, metrics=["mgi"]), "no step has a score 'mgi'"),
        (lambda: dm.plot.steps(STEPS, axes=[Figure().subplots()]), "`axes` must be 5"),
    ],
)
def test_what_cannot_be_drawn_is_named(call: Any, message: str) -> None:
    with pytest.raises(dm.InputError, match=message):
        call()
