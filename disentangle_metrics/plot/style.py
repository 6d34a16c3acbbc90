"""What all pictures share: size, letters, colours and marks, set for one picture alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from matplotlib import colormaps, rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from disentangle_metrics.errors import InputError
from disentangle_metrics.reporting.palette import contrast

if TYPE_CHECKING:
    from disentangle_metrics.scoring.report import Score

COLUMN = 3.3  # inches: one column of a paper
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
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
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
        raise InputError(f"`{argument}` holds {len(several)} representations; a picture shows 1 to {most}")
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


def legible(share: float) -> str:
    """Dark or white, whichever stands out more from a cell of this share of the heat map's colours."""
    cell = to_hex(colormaps[HEAT](share))
    return max((INK, WHITE), key=lambda colour: contrast(colour, cell))


def legend_of(owner: Axes | Figure, marks: Mapping[str, Artist], **options: Any) -> None:
    """A legend of representations by name. A label that begins with an underscore would be left out."""
    legend = owner.legend(list(marks.values()), [str(place) for place in range(len(marks))], **options)
    for text, name in zip(legend.get_texts(), marks, strict=True):
        text.set_text(name)


def legend_above(axes: Axes, marks: Mapping[str, Artist]) -> None:
    """A legend of representations by name, where it hides nothing."""
    legend_of(
        axes,
        marks,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=min(len(marks), 3),
        borderaxespad=0.2,
        handletextpad=0.3,
        columnspacing=1.0,
    )
