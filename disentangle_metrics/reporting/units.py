"""What each unit (a latent, or a group of several) holds: a table of units by factors, and their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from disentangle_metrics.reporting.blocks import Block, Column, Line
from disentangle_metrics.reporting.details import latents_by_factors, reading_of, strength
from disentangle_metrics.reporting.literature import paper_name
from disentangle_metrics.reporting.view import number
from disentangle_metrics.text import some_of, visible

if TYPE_CHECKING:
    import pandas as pd

    from disentangle_metrics.scoring.report import Report

LEAST_HELD = 0.05  # share of a factor's entropy below which no unit is said to hold it
MOST_FACTORS = 12  # columns of a table on a terminal
MOST_COLUMNS = 4  # names of a unit's columns that are written out
MOST_UNITS = 40
PROBES = "dci_informativeness"


@dataclass(frozen=True)
class Held:
    """How much of each factor (columns) each unit (rows) tells, read from a score.

    Attributes
    ----------
    frame
        The numbers, larger for more.
    key
        The score.
    what
        What the numbers are.
    is_share
        Whether they are shares of each factor's entropy, 0 to 1.
    """

    frame: pd.DataFrame
    key: str
    what: str
    is_share: bool

    def best(self) -> dict[str, str]:
        """The unit that tells most of each factor, by factor; a factor that no unit tells is left out."""
        least = LEAST_HELD if self.is_share else 0.0
        return {
            str(factor): str(column.idxmax())
            for factor, column in self.frame.items()
            if column.notna().any() and column.max() > least
        }


def held(report: Report) -> Held | None:
    """What units hold: from mutual information if a score has it, else from the first table of a score."""
    scores = [score for score in report.values() if latents_by_factors(score)]
    for score in scores:
        information, entropy = (score.details.get(name) for name in ("mutual_information", "factor_entropy"))
        if information is not None and entropy is not None and hasattr(entropy, "index"):
            share = information / entropy.where(entropy > 0)
            return Held(share, score.key, "share of the factor's entropy", True)
    for score in scores:
        name, frame = next(iter(latents_by_factors(score).items()))
        reading = reading_of(score, name)
        what = name.replace("_", " ") if reading is None else reading.name
        return Held(strength(frame, reading), score.key, what, False)
    return None


def columns_of(report: Report, unit: str) -> str:
    """The names of a unit's columns, as text: "z_0, z_1", or "z_0 to z_63" of many."""
    names = [report.column_names[place] for place in report.groups.get(unit, ())]
    if len(names) > MOST_COLUMNS:
        return f"{len(names)} columns, {names[0]} to {names[-1]}"
    return ", ".join(names)


def latent_count(report: Report) -> str:
    """ "6 latents", or "3 units of 6 latents" where they are grouped."""
    count = report.shape[1]
    if not report.groups:
        return f"{count} latent{'' if count == 1 else 's'}"
    return f"{count} unit{'' if count == 1 else 's'} of {len(report.column_names)} latents"


def names_of_columns(report: Report) -> tuple[str, ...]:
    """The names of the latents, one by one, each with the unit that it is in."""
    grouped = report if report.groups else report.layers
    if grouped is None:
        return report.latent_names
    unit_of = {place: unit for unit, places in grouped.groups.items() for place in places}
    return tuple(
        name if unit_of.get(place, name) == name else f"{name} ({unit_of[place]})"
        for place, name in enumerate(grouped.column_names)
    )


def unit_blocks(report: Report, *, brief: bool = False) -> tuple[Block, ...]:
    """The tables of units of a grouped report, or of the layers of a model; none of other reports."""
    if not report.groups:
        return () if report.layers is None else unit_blocks(report.layers, brief=brief)
    shown = report.latent_names[:MOST_UNITS]
    rest = len(report.latent_names) - len(shown)
    more = f"; the first {MOST_UNITS} of {len(report.latent_names)} units" if rest else ""
    blocks = [_held_block(report, shown, more)]
    if not brief:
        blocks += [_alone_block(report, shown, more), _parts_block(report, shown, more)]
    return tuple(block for block in blocks if block is not None)


def _label(report: Report, unit: str) -> str:
    columns = columns_of(report, unit)
    return visible(unit if columns == unit else f"{unit} ({columns})")


def _held_block(report: Report, shown: Sequence[str], more: str) -> Block | None:
    table = held(report)
    if table is None:
        return None
    best = table.best()
    title = f"What each unit holds: {table.what} ({table.key}), * the most of a factor{more}"
    if table.frame.shape[1] > MOST_FACTORS:
        lines = [Line(_label(report, unit), (visible(_listed(table, best, unit)),)) for unit in shown]
        return Block(title, (Column("holds most of"),), tuple(lines))
    columns = tuple(Column(visible(str(factor))) for factor in table.frame.columns)
    lines = []
    for unit in shown:
        cells = (
            ("*" if best.get(str(factor)) == unit else "") + number(value)
            for factor, value in table.frame.loc[unit].items()
        )
        lines.append(Line(_label(report, unit), tuple(cells)))
    return Block(title, columns, tuple(lines))


def _listed(table: Held, best: dict[str, str], unit: str) -> str:
    """The factors that a unit holds more of than others do."""
    own = [factor for factor, holder in best.items() if holder == unit]
    told = [f"{factor} {number(table.frame.loc[unit, factor])}" for factor in own]
    return some_of(told, MOST_FACTORS) if told else "none"


def _alone_block(report: Report, shown: Sequence[str], more: str) -> Block | None:
    """What each unit scores by itself: scores, then what probes read from it of each factor."""
    if report.per_group is None:
        return None
    frame = report.per_group
    pairs = [pair for pair in frame.columns if pair[1] == "score" and pair[0] != PROBES]
    probes = [pair for pair in frame.columns if pair[0] == PROBES and pair[1] != "score"]
    if len(probes) > MOST_FACTORS:
        probes = [(PROBES, "score")]
    labels = [Column(key, key) for key, _ in pairs]
    labels += [Column(visible("probe" if factor == "score" else f"probe: {factor}")) for _, factor in probes]
    if not labels:
        return None
    lines = tuple(
        Line(_label(report, unit), tuple(number(frame.loc[unit, pair]) for pair in (*pairs, *probes)))
        for unit in shown
    )
    accuracy = f" (probe: {paper_name(PROBES)}, by factor)" if probes else ""
    return Block(f"Each unit alone, as if there were no others{accuracy}{more}", tuple(labels), lines)


def _parts_block(report: Report, shown: Sequence[str], more: str) -> Block | None:
    """The parts of scores that are means over units."""
    parts = {key: score.per_latent for key, score in report.items() if score.per_latent is not None}
    if not parts:
        return None
    lines = tuple(
        Line(_label(report, unit), tuple(number(part[unit]) for part in parts.values())) for unit in shown
    )
    return Block(f"Score of each unit{more}", tuple(Column(key, key) for key in parts), lines)


def notes(report: Report) -> Iterator[str]:
    """What the tables of units need said."""
    grouped = report if report.groups else report.layers
    if grouped is None:
        return
    table = held(grouped)
    measured = () if table is None else map(str, table.frame.columns[table.frame.notna().any()])
    if table is not None and (untold := set(measured) - set(table.best())):
        named = [str(factor) for factor in table.frame if str(factor) in untold]
        shown = ", ".join(named[:MOST_FACTORS]) + (", ..." if len(named) > MOST_FACTORS else "")
        yield visible(f"No unit holds {shown}.")
    if report.layers is not None:
        yield (
            "The units are the layers that the model names. The scores above are of its latents, one by one; "
            "`groups='layers'` scores the layers by every metric, and by probes."
        )


def units_frame(report: Report) -> pd.DataFrame:
    """One row per unit, with columns of two levels.

    ``("unit", "columns")``, and ``("unit", "holds")``: the factors that it holds more of than other units.
    ``("held", factor)``: the share of the factor's entropy, if the report has a score of mutual information.
    ``(key, "score")``: of each score that has parts by latent. ``("alone: KEY", ...)``: from `per_group`.
    """
    import pandas as pd

    names = list(report.latent_names)
    table = held(report)
    best = {} if table is None else table.best()
    columns: dict[tuple[str, str], list[Any]] = {
        ("unit", "columns"): [", ".join(report.column_names[place] for place in report.groups[name])
                              if report.groups else name for name in names],
        ("unit", "holds"): [", ".join(factor for factor in report.factor_names if best.get(factor) == name)
                            for name in names],
    }  # fmt: skip
    if table is not None and table.is_share:
        for factor in table.frame.columns:
            columns["held", str(factor)] = list(table.frame[factor])
    for key, score in report.items():
        if score.per_latent is not None:
            columns[key, "score"] = list(score.per_latent)
    frame = pd.DataFrame(columns, index=pd.Index(names, name="unit"))
    if report.per_group is None:
        return frame
    alone = report.per_group.rename(columns=lambda key: f"alone: {key}", level=0)
    return frame.join(alone.reindex(names))
