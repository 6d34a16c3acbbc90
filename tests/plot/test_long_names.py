"""Names of any length: everything is inside of its picture, and nothing lies over anything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

import disentangle_metrics as dm
from tests.reporting.example import score
from tests.reporting.test_comparison_view import of_few_rows

pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

LATENTS = ("position of the object 0", "position of the object 1")
LONGER = tuple(f"the mean of {latent}, by the encoder" for latent in LATENTS)
MODELS = ("pro-VLAE, beta 4", "beta-VAE, beta 16", "teacher-student", "FactorVAE, gamma 30", "DIP-VAE-II")
PATHS = (
    "runs/pro-vlae/latents",
    "runs/vlae/latents",
    "runs/of-a-very-long-name/with-more/beta-vae-seed-12/latents",
)
PAIR = ("pro-vlae, 28,000 steps of 128", "beta-vae, 16,500 steps of 32")


def of(latents: tuple[str, ...]) -> dm.Report:
    frame = pd.DataFrame(
        [[0.9, 0.1], [0.1, 0.9]], index=latents, columns=["a", "the orientation of the object"]
    )
    parts = pd.Series([0.5, 0.25], index=latents)
    return dm.Report(
        {"mig": score("mig", 0.5, "compactness", details={"mutual_information": frame}),
         "mcc|correlation:spearman": score("mcc|correlation:spearman", 0.5, "identifiability", per_latent=parts)},
        latent_names=latents,
    )  # fmt: skip


def ranked(names: tuple[str, ...], *properties: str) -> Figure:
    """Ranks by one score of each property."""
    report = dm.Report(
        {f"s{place}": score(f"s{place}", 0.5, title) for place, title in enumerate(properties)}
    )
    return dm.plot.ranks(dict.fromkeys(names, report))


REPORT = of(LATENTS)
PICTURES: dict[str, Callable[[], Figure]] = {
    "scores of five": lambda: dm.plot.scores(dict.fromkeys(MODELS, REPORT)),
    "scores of paths": lambda: dm.plot.scores(dict.fromkeys(PATHS, REPORT)),
    "parts of five": lambda: dm.plot.parts(dict.fromkeys(MODELS, REPORT)),
    "parts": lambda: dm.plot.parts(of(LONGER)),
    "differences": lambda: dm.plot.differences(named(of_few_rows(), PAIR)),
    "ranks of two": lambda: dm.plot.ranks(dict.fromkeys(PAIR, REPORT)),
    "ranks of paths": lambda: ranked(PATHS, "compactness and modularity"),
    "ranks by two": lambda: ranked(MODELS, "compactness", "compactness and modularity"),
    "ranks by three": lambda: ranked(MODELS, "compactness", "modularity", "compactness and modularity"),
    "ranks by the best": lambda: ranked(
        MODELS, "compactness and modularity", "explicitness of the best latent"
    ),
    "table": lambda: dm.plot.table(REPORT),
    "a wide table": lambda: dm.plot.table(of(LONGER)),
    "three tables": lambda: dm.plot.table(dict.fromkeys(MODELS[:3], REPORT)),
    "three wide tables": lambda: dm.plot.table(dict.fromkeys(MODELS[:3], of(LONGER))),
    "units": lambda: dm.plot.units(of(LONGER)),
    "latent": lambda: dm.plot.latent(
        [[0.0], [1.0]], [["a"], ["b"]], latent=0, factor=0, latent_names=LONGER[:1]
    ),
}


def named(comparison: dm.Comparison, names: tuple[str, str]) -> dm.Comparison:
    """The comparison with other names of its two representations."""
    new = dict(zip(comparison.names, names, strict=True))
    scores = {
        key: replace(
            of,
            values={new[name]: values for name, values in of.values.items()},
            differences=tuple(replace(d, first=new[d.first], second=new[d.second]) for d in of.differences),
        )
        for key, of in comparison.scores.items()
    }
    return replace(comparison, names=names, scores=scores)


@pytest.mark.parametrize("name", PICTURES)
def test_everything_is_inside_and_apart(name: str) -> None:
    figure = PICTURES[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer, outer = canvas.get_renderer(), figure.bbox
    boxes = [axes.get_tightbbox(renderer) for axes in figure.axes if axes.get_visible()]
    boxes += [item.get_window_extent(renderer) for item in (*figure.legends, *figure.texts)]
    for box in boxes:
        assert box.x0 >= outer.x0 - 1
        assert box.x1 <= outer.x1 + 1
        assert box.y0 >= outer.y0 - 1
        assert box.y1 <= outer.y1 + 1
    for one, other in itertools.combinations(boxes, 2):
        assert not one.padded(-1).overlaps(other.padded(-1))


@pytest.mark.parametrize("layout", ["constrained", None])
def test_a_label_stays_inside_of_the_figure_of_the_users(layout: str | None) -> None:
    figure = Figure(figsize=(6, 3), layout=layout)  # type: ignore[arg-type]
    right = figure.subplots(1, 2)[1]
    right.xaxis.label.set_fontsize(12)
    dm.plot.parts(of(LONGER), metric="mcc|correlation:spearman", ax=right)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    label = right.xaxis.label
    assert "".join(label.get_text().split()).endswith("bylatent(dashed:score)")
    assert label.get_window_extent(canvas.get_renderer()).x1 <= figure.bbox.x1 + 1


def test_a_name_of_a_legend_is_there_to_its_last_letter() -> None:
    for figure in (PICTURES["scores of paths"](), PICTURES["parts of five"]()):
        (legend,) = figure.legends
        shown = ["".join(text.get_text().split()) for text in legend.get_texts()]
        assert shown in (["".join(name.split()) for name in names] for names in (MODELS, PATHS))
