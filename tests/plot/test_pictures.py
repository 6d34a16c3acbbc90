"""Pictures: what is drawn is what was scored, small and legible, and no style of the user's changes."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.reporting.palette import contrast
from tests.reporting.example import DOLLARS, LATENTS, REPORT, score
from tests.reporting.test_comparison_view import of_few_rows

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from disentangle_metrics.plot.heat_map import ordered  # noqa: E402
from disentangle_metrics.plot.style import SERIES  # noqa: E402

COLUMN = 3.3  # inches
SMALLEST = 6  # points

RNG = np.random.default_rng(0)
V = pd.DataFrame({"shape": RNG.integers(3, size=200), "scale": RNG.integers(4, size=200)})
Z = np.column_stack([RNG.normal(size=200), V["scale"] + 0.1 * RNG.normal(size=200), V["shape"]])


def drawn_texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def ticks_beyond(figure: Figure) -> Iterator[Text]:
    """Labels of ticks that lie outside of their axes, which are not drawn."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            yield from (tick.label1 for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high)


def pictures() -> dict[str, Figure]:
    other = dm.Report(
        {"mig": score("mig", 0.2, "compactness", per_factor=pd.Series([0.1, 0.3], index=REPORT.factor_names))}
    )
    return {
        "scores": REPORT.plot(),
        "several": dm.plot.scores({"one": REPORT, "other": other}),
        "table": REPORT["mig"].plot(),
        "parts": dm.plot.parts({"one": REPORT["mig"], "other": other["mig"]}),
        "latent": dm.plot.latent(Z, V, latent=1, factor="scale"),
        "differences": compared().plot(),
        "three differences": compared("third").plot(),
    }


@cache
def compared(*more: str) -> dm.Comparison:
    """Codes of growing noise; total correlation has no upper end."""
    noise = np.random.default_rng(1).normal(size=(200, 2))
    codes = {
        name: V + scale * noise
        for name, scale in zip(("clear", "noisy", *more), (0.2, 0.6, 0.21), strict=False)
    }
    metrics = ["mig", "mig_sup", "modularity", "total_correlation", "active_units"]
    return dm.compare(codes, factors=V, metrics=metrics, replicates=20)


@pytest.mark.parametrize(
    "name", ["scores", "several", "table", "parts", "latent", "differences", "three differences"]
)
def test_a_picture_fits_a_column_and_can_be_read(name):
    figure = pictures()[name]
    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] == COLUMN
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    outer, renderer = figure.bbox, canvas.get_renderer()
    beyond = set(ticks_beyond(figure))
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible() and text not in beyond:
            assert text.get_fontsize() >= SMALLEST
            box = text.get_window_extent(renderer)
            assert box.x0 >= outer.x0 - 1, text.get_text()
            assert box.x1 <= outer.x1 + 1, text.get_text()
            assert box.y0 >= outer.y0 - 1, text.get_text()
            assert box.y1 <= outer.y1 + 1, text.get_text()


def test_nothing_of_the_users_style_changes():
    before = dict(matplotlib.rcParams)
    pictures()
    assert dict(matplotlib.rcParams) == before


def test_importing_the_module_loads_no_matplotlib():
    code = "import sys, disentangle_metrics as dm; dm.plot; dir(dm.plot); print('matplotlib' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
    )


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        dm.InputError, match=r"a picture needs the package matplotlib.*pip install .*\[report\]"
    ):
        dm.plot.scores(REPORT)


def test_each_score_is_where_its_value_is():
    axes = REPORT.plot().axes[0]
    labels = {tick.get_text(): y for tick, y in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    dots = {
        (round(float(line.get_xdata()[0]), 4), line.get_ydata()[0])
        for line in axes.lines
        if line.get_marker() == "o"
    }
    assert (0.688, labels["MIG"]) in dots
    assert (0.05, labels["MIG-sup ≈"]) in dots  # near chance
    bars = [line for line in axes.lines if list(line.get_xdata()) == [0.689, 0.704]]
    assert len(bars) == 1
    assert any(list(line.get_xdata()) == [0.697, 0.697] for line in axes.lines)
    for anchor in (0.01, 0.98):
        assert any(list(line.get_xdata()) == [anchor, anchor] for line in axes.lines)
    assert "FactorVAE score" not in labels  # it has no value


def test_scores_of_other_ranges_stand_apart():
    bounded, others = REPORT.plot().axes
    assert [tick.get_text() for tick in others.get_yticklabels()] == ["Total correlation ↓"]
    assert "12.346" in [text.get_text() for text in others.texts]
    assert "Total correlation ↓" not in [tick.get_text() for tick in bounded.get_yticklabels()]


def test_numbers_stand_in_the_order_of_the_representations_and_a_dash_where_there_is_none():
    other = replace(REPORT["total_correlation"], value=6.1728)
    nothing = replace(other, value=math.nan)
    several = {"one": other, "two": REPORT["mig"], "three": REPORT["total_correlation"], "four": nothing}
    _, others = dm.plot.scores(several).axes
    assert [text.get_text() for text in others.texts] == ["6.173, –, 12.346, –"]
    dots = {
        line.get_marker(): float(line.get_xdata()[0]) for line in others.lines if len(line.get_xdata()) == 1
    }
    assert dots == {SERIES[0][1]: pytest.approx(0.5, abs=1e-4), SERIES[2][1]: 1.0}
    heights = [line.get_ydata()[0] for line in others.lines if len(line.get_xdata()) == 1]
    assert heights == sorted(heights) == pytest.approx([-0.31, 0.62 / 3 * 2 - 0.31])


def test_representations_have_a_colour_and_a_mark_each():
    assert len({colour for colour, _ in SERIES}) == len({mark for _, mark in SERIES}) == len(SERIES)
    figure = dm.plot.scores({"one": REPORT, "other": REPORT, "third": REPORT})
    handles, labels = figure.axes[0].get_legend_handles_labels()
    assert labels == ["one", "other", "third"]
    assert len({handle.get_marker() for handle in handles}) == 3


def test_axes_of_the_users_are_drawn_on():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert dm.plot.scores(REPORT, ax=left) is figure
    assert dm.plot.table(REPORT["mig"], ax=right) is figure
    assert left.lines
    assert right.images


def test_the_order_shows_the_structure():
    values = np.array([[0.1, 0.0, 0.0], [0.0, 0.2, 0.9], [0.0, 0.5, 0.1], [0.6, 0.6, 0.0]])
    # Factor 2 is told best (by latent 1), then factor 0 (by 3), then factor 1 (by 2); latent 0 is left.
    assert ordered(values) == ([1, 3, 2, 0], [2, 0, 1])
    assert ordered(values, [0, 1, 2]) == ([3, 2, 1, 0], [0, 1, 2])


def test_a_table_is_drawn_in_that_order_with_its_groups():
    report = dm.score(Z, V, metrics=["mig"], anchors=False, latent_names=["noise", "size", "form"])
    axes = report["mig"].plot().axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["size", "form", "noise"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["scale", "shape"]
    table = report["mig"].details["mutual_information"]
    assert axes.images[0].get_array()[0, 0] == table.loc["size", "scale"]
    assert f"{table.loc['form', 'shape']:.2f}" in drawn_texts(axes.figure)
    grouped = dm.plot.table(report, groups={"noise": "low", "size": "high", "form": "low"}).axes[0]
    assert [tick.get_text() for tick in grouped.get_yticklabels()] == ["form", "noise", "size"]
    assert {"low", "high"} <= {text.get_text() for text in grouped.texts}
    plain = dm.plot.table(report, order=False).axes[0]
    assert [tick.get_text() for tick in plain.get_yticklabels()] == ["noise", "size", "form"]


def test_names_are_drawn_as_they_are():
    figure = REPORT["mig"].plot()
    figure.savefig(io.BytesIO(), format="png")
    assert DOLLARS in drawn_texts(figure)


def test_a_heat_map_gets_darker_with_its_numbers():
    levels = matplotlib.colormaps["Blues"](np.linspace(0, 1, 64))[:, :3]
    luminance = levels @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()


def test_numbers_in_cells_can_be_read():
    frame = pd.DataFrame(np.linspace(0, 1, 30).reshape(6, 5))
    axes = score("s", 0.5, "", details={"shares": frame}).plot().axes[0]
    levels = matplotlib.colormaps["Blues"]
    cells = axes.images[0].get_array()
    assert len(axes.texts) == cells.size
    for text in axes.texts:
        column, line = text.get_position()
        ground = matplotlib.colors.to_hex(levels(float(cells[line, column])))
        assert contrast(matplotlib.colors.to_hex(text.get_color()), ground) >= 4.5


def test_bars_are_the_parts():
    axes = dm.plot.parts(REPORT["mig"]).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.7, 0.676]
    no_table = dm.Report(
        {"mig": score("mig", 0.5, "", per_latent=pd.Series([0.25, math.nan], index=LATENTS))}
    )
    bars = no_table["mig"].plot().axes[0]
    assert [bar.get_width() for bar in bars.patches] == [0.25, 0.0]
    assert " no value" in [text.get_text() for text in bars.texts]


def test_scores_of_one_metric_under_two_settings_share_its_name():
    several = {"20 bins": REPORT["mig"], "9 bins": replace(REPORT["mig"], key="mig|bins:9")}
    assert dm.plot.parts(several).axes[0].get_xlabel() == "MIG by factor (dashed: score)"
    assert [axes.get_title(loc="left").split("\n")[1][:4] for axes in dm.plot.table(several).axes] == [
        "MIG:",
        "MIG ",
    ]


def test_what_lies_below_0_is_drawn():
    below = score(
        "dci_informativeness",
        -0.64,
        "explicitness",
        per_factor=pd.Series([-1.2, 0.4], index=LATENTS),
        interval=(-0.9, -0.4),
        corrected=-0.6,
        range=(-math.inf, 1.0),
    )
    bars, dots = dm.plot.parts(below).axes[0], dm.plot.scores(below).axes[0]
    assert bars.get_xlim()[0] < -1.2
    assert bars.get_xlim()[1] >= 1
    assert dots.get_xlim()[0] < -0.9
    assert dm.plot.parts(REPORT["mig"]).axes[0].get_xlim()[0] == 0


def test_differences_are_where_they_are_and_better_is_to_the_right():
    comparison = compared()
    bounded, others = comparison.plot().axes
    labels = {
        tick.get_text(): y for tick, y in zip(bounded.get_yticklabels(), bounded.get_yticks(), strict=True)
    }
    assert list(labels) == ["MIG", "MIG-sup", "Modularity"]  # no size
    (difference,) = comparison["mig"].differences
    assert difference.value < 0  # the noisy code is worse
    line = labels["MIG"]
    (dot,) = [item for item in bounded.lines if list(item.get_xydata()[0]) == [difference.corrected, line]]
    assert dot.get_markerfacecolor() == SERIES[0][0]  # significant
    assert any(list(item.get_xdata()) == list(difference.interval) for item in bounded.lines)
    (untested,) = [
        i for i in bounded.lines if i.get_marker() == "o" and i.get_ydata()[0] == labels["Modularity"]
    ]
    assert untested.get_markerfacecolor() == "white"
    assert bounded.get_xlabel() == "← clear better      noisy better →"
    # The noisy code has less total correlation, which is better.
    (fall,) = comparison["total_correlation"].differences
    largest = max(comparison["total_correlation"].means().values())
    (dot,) = [item for item in others.lines if item.get_marker() == "o"]
    assert dot.get_xdata()[0] == pytest.approx(-fall.corrected / largest)
    low, high = bounded.get_xlim()
    assert low == -high


def test_a_filled_dot_lies_on_the_side_of_the_better():
    (coarse_is_better,) = dm.plot.differences(of_few_rows()).axes
    (dot,) = [line for line in coarse_is_better.lines if line.get_marker() == "o"]
    assert dot.get_xdata()[0] == -0.041
    assert dot.get_markerfacecolor() == SERIES[0][0]
    axes = dm.plot.differences(of_few_rows("noise")).axes[0]
    dots = [line for line in axes.lines if len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in dots] == [0.0, -0.041, -0.104]
    assert all(line.get_markerfacecolor() != "white" for line in dots)


def test_a_name_that_begins_with_an_underscore_is_in_the_legend():
    less = dm.Report({"total_correlation": REPORT["total_correlation"]})
    with_latents = score("mig", 0.5, "", per_latent=pd.Series([0.25, 0.5], index=LATENTS))
    names = ["_old", "new", "less"]
    for figure, shown in (
        (dm.plot.scores({"_old": REPORT, "new": REPORT, "less": less}), names),
        (dm.plot.scores({"_old": less, "new": less}), names[:2]),
        (dm.plot.parts({"_old": REPORT["mig"], "new": REPORT["mig"], "less": with_latents}), names),
        (dm.plot.differences(of_few_rows("_old")), ["coarse", "fine", "_old"]),
    ):
        assert [text.get_text() for text in figure.legends[0].get_texts()] == shown


def test_of_three_the_best_is_at_zero():
    comparison = compared("third")
    axes = comparison.plot().axes[0]
    handles, labels = axes.get_legend_handles_labels()
    assert labels == ["clear", "noisy", "third"]
    assert len({handle.get_marker() for handle in handles}) == 3
    labels = {tick.get_text(): y for tick, y in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)}
    best = comparison["mig"].best(comparison.level)[0]
    lead = {best: 0.0}
    for d in comparison["mig"].differences:
        if best in (d.first, d.second):
            lead |= {d.first: -d.corrected} if best == d.second else {d.second: d.corrected}
    dots = {
        item.get_marker(): item.get_xdata()[0]
        for item in axes.lines
        if len(item.get_xdata()) == 1 and abs(item.get_ydata()[0] - labels["MIG"]) < 0.5
    }
    assert best == max(comparison.names, key=comparison["mig"].means().__getitem__)
    for (_, mark), name in zip(SERIES, comparison.names, strict=False):
        assert dots[mark] == pytest.approx(lead[name])
    assert not any("nan" in text.get_text() for text in axes.texts)


UNLIKE = {
    "a": REPORT,
    "b": score("sap", 0.5, "", per_factor=REPORT["mig"].per_factor, details=REPORT["mig"].details),
}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dm.plot.differences(REPORT), "`comparison` must be a Comparison, got Report"),
        (lambda: dm.plot.scores(3), "`reports` must be a Report, a Score, or a mapping"),
        (lambda: dm.plot.scores({}), "holds 0 representations"),
        (lambda: dm.plot.scores({"a": 3}), "under 'a' is a int"),
        (lambda: dm.plot.scores({1: REPORT, "1": REPORT}), "two names that are one as text"),
        (lambda: dm.plot.scores({str(i): REPORT for i in range(8)}), "shows 1 to 7; dm.plot.ranks shows"),
        (lambda: dm.plot.scores(REPORT["factor_vae"]), "no score with a value"),
        (
            lambda: dm.plot.scores(REPORT["total_correlation"], ax=Figure().subplots()),
            "no score that ends at 1",
        ),
        (lambda: dm.plot.scores(REPORT, axes=[Figure().subplots()]), "`axes` must be two"),
        (
            lambda: dm.plot.table(REPORT["modularity"]),
            "no table of latents by factors to draw; try dm.plot.parts",
        ),
        (lambda: dm.plot.table(REPORT, metric="mgi"), "no score 'mgi'"),
        (lambda: dm.plot.table(REPORT["mig"], detail="votes"), "no table 'votes'; it has mutual_information"),
        (lambda: dm.plot.table(REPORT, groups={"z_0": "a"}), "no group for the latent 'z_1'"),
        (lambda: dm.plot.table(REPORT, groups=["a"]), "1 entries for 2 latents"),
        (lambda: dm.plot.table({"a": REPORT, "b": REPORT}, axes=[Figure().subplots()]), "`axes` must be 2"),
        (lambda: dm.plot.parts(REPORT["modularity"]), "no parts by factor or latent"),
        (lambda: dm.plot.parts(UNLIKE), "mig under 'a' and sap under 'b', and a picture shows one metric"),
        (lambda: dm.plot.table(UNLIKE), "mig under 'a' and sap under 'b'.*pass `metric`"),
        (
            lambda: dm.plot.latent(Z, V, latent=3, factor=0),
            "`latent` must be a name, or a number from 0 to 2",
        ),
        (lambda: dm.plot.latent(Z, V, latent=0, factor="hue"), "there is no 'hue'; there are shape, scale"),
    ],
)
def test_what_cannot_be_drawn_is_named(call, message):
    with pytest.raises(dm.InputError, match=message):
        call()


def test_a_notebook_shows_a_picture_without_pyplot():
    assert REPORT.plot()._repr_png_().startswith(b"\x89PNG")
