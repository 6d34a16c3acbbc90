"""What all pictures share: size, letters, colours and marks, set for one picture alone."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from matplotlib import colormaps, rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.textpath import TextPath

from disentangle_metrics.errors import InputError
from disentangle_metrics.reporting.palette import contrast

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Score

COLUMN = 3.3  # inches: one column of a paper
TICK, TITLE = 6.5, 7.5  # points of the letters of ticks and legends, and of titles
LEGEND, MARK = 0.15, 0.34  # inches: height of a line of a legend, width of a mark and what is around it
SLANT = 35  # degrees by which names of columns are turned
BESIDE = 0.3  # inches between the names at the left, the axes and the edge
SIDE_BY_SIDE = 3  # names of a legend at most
INK, QUIET, WHITE = "#111111", "#767676", "#ffffff"
# Okabe and Ito's colours, which the colour-blind tell apart; a mark each for print in grey.
SERIES = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#E69F00", "v"),
    ("#56B4E9", "P"),
    ("#000000", "X"),
)
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oooo")
HEAT = "Blues"  # its lightness falls evenly, so that grey shows the same
STYLE: Mapping[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 7,
    "axes.titlesize": TITLE,
    "axes.labelsize": 7,
    "xtick.labelsize": TICK,
    "ytick.labelsize": TICK,
    "legend.fontsize": TICK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "white",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.color": INK,
    "text.usetex": False,
    "text.parse_math": False,  # a name may hold dollars
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.0,
    "hatch.linewidth": 0.5,
    "axes.grid": False,
    "pdf.fonttype": 42,
}


class Picture(Figure):
    """A figure that notebooks show without pyplot."""

    def _repr_png_(self) -> bytes:
        import io

        written = io.BytesIO()
        self.savefig(written, format="png", dpi=200)
        return written.getvalue()


@contextmanager
def styled() -> Iterator[None]:
    """The style of the pictures, inside the block alone."""
    parameters: Any = dict(STYLE)
    with rc_context(parameters):
        yield


def picture(height: float, width: float = COLUMN) -> Picture:
    """An empty figure of so many inches."""
    return Picture(figsize=(width, height), layout="constrained", dpi=150)


def figure_of(axes: Axes) -> Figure:
    """The figure that axes stand on."""
    figure = axes.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise InputError("`ax` stands on no figure")
    return figure


def is_score(item: Any) -> bool:
    """Whether something is a Score."""
    return hasattr(item, "signature") and hasattr(item, "per_factor")


def is_report(item: Any) -> bool:
    """Whether something is a Report."""
    return isinstance(item, Mapping) and hasattr(item, "scores")


def by_name(given: Any, argument: str, most: int = len(SERIES)) -> dict[str, Score | Mapping[str, Score]]:
    """A report or score, a sequence or a mapping of several, as a mapping from names; one alone has none.

    Raises
    ------
    InputError
        If something in it is neither, or there is nothing, or more than can be told apart.
    """
    if is_score(given) or is_report(given):
        return {"": given}
    if isinstance(given, Mapping):
        several = {str(name): item for name, item in given.items()}
        if len(several) < len(given):
            raise InputError(f"`{argument}` has two names that are one as text, such as 1 and '1'")
    elif isinstance(given, Sequence) and not isinstance(given, str):
        several = {str(number + 1): item for number, item in enumerate(given)}
    else:
        raise InputError(
            f"`{argument}` must be a Report, a Score, or a mapping from names to several; "
            f"got {type(given).__name__}"
        )
    for name, item in several.items():
        if not (is_score(item) or is_report(item)):
            raise InputError(
                f"`{argument}` must hold reports or scores; under {name!r} is a {type(item).__name__}"
            )
    if not 1 <= len(several) <= most:
        more = "; dm.plot.ranks shows the scores of more" if most == len(SERIES) < len(several) else ""
        raise InputError(
            f"`{argument}` holds {len(several)} representations; a picture shows 1 to {most}{more}"
        )
    return several


def score_of(item: Score | Mapping[str, Score], metric: str | None, wanted: Callable[[Score], bool]) -> Score:
    """The score itself; of a report the one asked for, or else the first that is wanted."""
    if not isinstance(item, Mapping):
        return item
    if metric is not None and metric not in item:
        raise InputError(f"`metric`: no score {metric!r} in this report; it has {', '.join(item)}")
    tried = [item[metric]] if metric is not None else list(item.values())
    if not tried:
        raise InputError("the report holds no score")
    return next((score for score in tried if wanted(score)), tried[0])


def metric_of(scores: Mapping[str, Score]) -> str:
    """The key that scores of several representations share, without settings if these differ.

    Raises
    ------
    InputError
        If they are of several metrics, which no scale has in common.
    """
    first, *others = scores.items()
    plain = first[1].key.partition("|")[0]
    for name, score in others:
        if score.key.partition("|")[0] != plain:
            raise InputError(
                f"`scores` has {first[1].key} under {first[0]!r} and {score.key} under {name!r}, and a "
                "picture shows one metric; pass `metric`, or scores of one"
            )
    return first[1].key if len({score.key for score in scores.values()}) == 1 else plain


def legible(share: float) -> str:
    """Dark or white, whichever stands out more from a cell of this share of the heat map's colours."""
    cell = to_hex(colormaps[HEAT](share))
    return max((INK, WHITE), key=lambda colour: contrast(colour, cell))


def legend_of(
    owner: Axes | Figure, marks: Mapping[str, Artist], names: Iterable[str], **options: Any
) -> None:
    """A legend of representations by name. A label that begins with an underscore would be left out."""
    legend = owner.legend(list(marks.values()), [str(place) for place in range(len(marks))], **options)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_text(name)


def width_of(text: str, points: float = TICK) -> float:
    """Inches that the widest line of a text takes in letters of this size."""
    font = findfont(FontProperties())
    return points * max((_width(line, font) for line in text.splitlines() if line.strip()), default=0.0)


@lru_cache(maxsize=4096)  # lines are measured again and again as they are broken
def _width(line: str, font: str) -> float:
    """Inches that a line takes in letters of one point of the font in this file."""
    return float(TextPath((0, 0), line, size=1, prop=FontProperties(fname=font)).get_extents().width) / 72


def widest(names: Iterable[Any], points: float = TICK) -> float:
    """Inches of the widest of several texts."""
    return max((width_of(str(name), points) for name in names), default=0.0)


def height_of(names: Iterable[Any], degrees: float) -> float:
    """Inches that the widest of several texts takes upwards when it is turned."""
    return math.sin(math.radians(degrees)) * widest(names)


def room_of(axes: Axes) -> float:
    """Inches between the left and the right end of axes."""
    return axes.get_window_extent().width / figure_of(axes).dpi


def wrapped(text: str, room: float, points: float = TICK) -> str:
    """The text in as many lines as it takes for each to fit into so many inches."""
    letters = len(text)
    lines = [text]
    while widest(lines, points) > room and letters > 1:
        letters = min(letters - 1, max(1, int(letters * room / widest(lines, points))))
        lines = textwrap.wrap(text, letters)
    return "\n".join(lines)


def legend_lines(names: Sequence[str], room: float = COLUMN) -> tuple[list[str], int]:
    """The names as they stand in a legend of so many inches, and how many stand side by side."""
    shown = [wrapped(name, room - MARK) for name in names]
    return shown, max(1, min(len(names), SIDE_BY_SIDE, int(room / (MARK + widest(shown)))))


def legend_height(names: Sequence[str]) -> float:
    """Inches that a legend above a picture takes; none of one representation."""
    if len(names) < 2:
        return 0.0
    shown, columns = legend_lines(names)
    rows = math.ceil(len(shown) / columns)
    return LEGEND * rows * max(1 + name.count("\n") for name in shown)


def legend_above(axes: Axes, marks: Mapping[str, Artist], *, own: bool) -> None:
    """A legend of representations by name, where it hides nothing: above an `own` figure, or the axes."""
    figure = figure_of(axes)
    room = figure.get_size_inches()[0] if own else room_of(axes)
    shown, columns = legend_lines(list(marks), room)
    place: dict[str, Any] = {"loc": "outside upper left"}
    if not own:
        place = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderaxespad": 0.2}
    owner = figure if own else axes
    legend_of(owner, marks, shown, ncols=columns, handletextpad=0.3, columnspacing=1.0, **place)


def label_below(axes: Axes, *sides: str, own: bool) -> None:
    """A label of axes whose names stand at their left: in one line in the middle, if these leave room for it.

    Else it ends at the right of the axes, with a line or more for each side. The room is that of an `own`
    figure, or of the axes, which a layout may narrow by the width of the names.
    """
    room = figure_of(axes).get_size_inches()[0] - BESIDE if own else room_of(axes)
    points, text = float(axes.xaxis.label.get_fontsize()), "      ".join(sides)
    names = max(
        (width_of(tick.get_text(), float(tick.get_fontsize())) for tick in axes.get_yticklabels()),
        default=0.0,
    )
    if width_of(text, points) < room - names:
        axes.set_xlabel(text)
    else:
        lines = "\n".join(wrapped(side, room, points) for side in sides)
        axes.set_xlabel(lines, loc="right", multialignment="right")
