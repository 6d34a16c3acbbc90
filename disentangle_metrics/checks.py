"""Checks: what a reader must know before believing a score, each with a stable code and a remedy.

A check is made where its fact is known: on the input by :mod:`.inputs`, on a score by its metric, on
the whole report by :mod:`.scoring`. ``report.checks()`` lists them, the gravest first. CODES says what
each code means; docs/checks.md is made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from disentangle_metrics.text import listed

Severity = Literal["serious", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("serious", "warning", "note")


@dataclass(frozen=True)
class Code:
    """What a code means, always; a check says what was found this time."""

    severity: Severity
    meaning: str


CODES: Mapping[str, Code] = {
    # On the factors
    "constant_factor": Code("warning", "A factor has one value. It is left out of every score."),
    "identifier": Code(
        "warning", "Every row has a value of its own, like a file name. Labels of this kind are left out."
    ),
    "row_numbers": Code(
        "warning", "A factor or a latent counts the rows: every row has the next whole number."
    ),
    "kind_uncertain": Code(
        "note",
        "A factor has 41 to 64 whole numbers, or more in an Accumulator. They may be a measurement.",
    ),
    "labels_with_gaps": Code(
        "warning", "A factor has many whole numbers with gaps, like codes. They are read as categories."
    ),
    "decimal_grid": Code(
        "note", "A factor has few numbers with decimals, like 0.1 steps. They are read as categories."
    ),
    "many_categories": Code(
        "warning",
        "A factor, or a latent declared as codes, has more categories than a tenth of the rows, too many to "
        "learn from.",
    ),
    "one_hot_factors": Code(
        "warning", "Several factors are the columns of one one-hot code. Each counts as a factor of its own."
    ),
    "period": Code("warning", "Values span much more or less than their declared period."),
    "periodic_factor": Code("note", "A factor looks like an angle: its two ends may be the same value."),
    "dependent_factors": Code(
        "warning", "Two factors depend on one another. Scores of modularity and compactness mix them up."
    ),
    "rows_matched": Code(
        "warning", "Rows of two tables had the same labels in another order, and were matched."
    ),
    "rows_by_place": Code(
        "warning", "Rows were to be matched by label, and only one file has labels: they go by place."
    ),
    "columns_matched": Code(
        "warning", "Means and log-variances had the same columns in another order, and were matched."
    ),
    "missing_values": Code("warning", "Rows without a value are left out."),
    "missing_by_design": Code(
        "note",
        "A factor exists only under one value of another. It is scored in the rows in which it exists.",
    ),
    "no_complete_rows": Code(
        "warning", "No row has a value of every factor. Metrics that read several factors have no value."
    ),
    "hierarchy_unread": Code(
        "warning", "Factors form a tree, and no metric that was asked for reads factors."
    ),
    "column_left_out": Code("note", "A column of a file names the rows, and is left out."),
    # On the latents
    "constant_latent": Code("note", "A latent has one value for every row."),
    "rounded_latent": Code(
        "warning", "A latent lies so far from 0 that its variation is rounding. It counts as constant."
    ),
    "one_hot_latents": Code(
        "warning", "Several latents are one one-hot code. Each counts as a latent of its own."
    ),
    "latent_codes": Code(
        "warning", "A latent holds many whole numbers, like a code. Bins merge codes that mean nothing alike."
    ),
    "latents_as_numbers": Code(
        "warning", "A latent is declared categorical, and some metrics read its codes as numbers."
    ),
    "groups_by_neighbours": Code(
        "note", "Groups of latents have too many joint cells to count. Information is one of neighbours."
    ),
    "heavy_tails": Code(
        "warning",
        "Most rows of a latent or a factor fall in one bin of equal width, since few rows lie far out. "
        "Information in such bins is too small.",
    ),
    "idle_latents": Code("warning", "Latents that vary very little decide part of a score."),
    "fewer_latents": Code("note", "There are fewer latents than factors, so not each can have its own."),
    "input_scale": Code(
        "serious", "No latent varies: the network may expect images in another range, or be untrained."
    ),
    "other_scale": Code(
        "warning",
        "The codes fit their prior in another range of the images. The network may expect that one.",
    ),
    "images_rescaled": Code(
        "warning",
        "Own images have values below 0, and the network gets them in 0..1. It may expect them as they are. "
        "Or a reader gives images of 0 and 1, where 255 is white.",
    ),
    "network_outputs": Code(
        "warning",
        "What a network gives needs care: its code is drawn at random, its code depends on the batch, or its "
        "spread is none, or may be no log-variance.",
    ),
    # On both
    "swapped": Code(
        "serious", "Latents hold few whole numbers and factors hold measurements. They may be swapped."
    ),
    "few_rows": Code("serious", "There are too few rows for a score to mean anything."),
    "rows_unrelated": Code(
        "serious",
        "Most scores are at chance. The rows of latents and factors may not belong together.",
    ),
    # On a score
    "split_overlaps": Code(
        "warning", "Parts of a `split` share rows, so that probes are tested on rows that trained them."
    ),
    "at_chance": Code("note", "A score is within its chance level."),
    "inactive_latents": Code(
        "note", "Latents that do not respond are left out of scores averaged over latents."
    ),
    "estimates_cut": Code(
        "note", "Estimated information came out above a factor's entropy and was cut there."
    ),
    "no_order": Code(
        "warning", "A metric reads labels as numbers, or merges them in their order, and they have none."
    ),
    "order_uncertain": Code(
        "note", "A metric reads declared categories as numbers. They may have an order or none."
    ),
    "unread_factor": Code("note", "No probe reads a factor, so its ease of reading counts 0."),
    "factor_left_out": Code("warning", "A metric leaves out a factor that it cannot score."),
    "rare_class": Code("warning", "A class of a single row is left out: nothing can be said of it."),
    "objects_left_out": Code(
        "warning", "Objects with too few rows to fit a plane to are left out of a score of circles."
    ),
    "unseen_values": Code("warning", "No row to learn from has some values that are tested."),
    "not_converged": Code("warning", "A predictor was stopped before it had learned all it can."),
    "outside_limits": Code("warning", "Part of a posterior lies outside of the bins of a metric."),
    "no_importance": Code("warning", "No latent has any importance for any factor."),
    "told_apart": Code(
        "warning", "Each row is told from all others, so that information about it means little."
    ),
    "no_interval": Code("note", "A score has no confidence interval, for the reason given."),
    "no_p": Code("note", "A score has no p: its chance is slow, and was not computed for it."),
    "wide_ranges": Code(
        "warning", "Ranges that were given are wider than those of the rows, and so are the bins."
    ),
    "failed": Code("serious", "A metric ended with an error of its own. The other scores are unaffected."),
    "costly": Code("warning", "A metric would take long or much memory on this input and was left out."),
    "remark": Code("warning", "What the metric itself says of this score."),
}


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes
    ----------
    code : str
        One of CODES; it does not drift.
    message : str
        What was found, with its numbers.
    remedy : str
        What to do about it; empty where there is nothing to do.
    about : str
        The factor, latent or score that it is about; empty for the whole input.
    numbers : mapping
        The numbers behind it, by name.
    """

    code: str
    message: str
    remedy: str = ""
    about: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """ "serious", "warning" or "note"."""
        return CODES[self.code].severity

    def __str__(self) -> str:
        return f"{self.message}; {self.remedy}" if self.remedy else self.message

    def to_dict(self) -> dict[str, Any]:
        """As plain Python values, ready for JSON."""
        return {
            "code": self.code,
            "severity": self.severity,
            "about": self.about,
            "message": self.message,
            "remedy": self.remedy,
            "numbers": dict(self.numbers),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Check:
        """The check that :meth:`to_dict` wrote; a code of another version is a remark."""
        known = {name: values[name] for name in ("message", "remedy", "about", "numbers") if name in values}
        code = values.get("code", "remark")
        return cls(code=code if code in CODES else "remark", **known)


def texts_of(checks: Iterable[Check]) -> tuple[str, ...]:
    """The checks that are more than a note, as text."""
    return tuple(str(check) for check in checks if check.severity != "note")


def once_each(
    texts: Mapping[str, Iterable[str]], joined: Callable[[Iterable[str]], str] = listed
) -> tuple[str, ...]:
    """What is said of several things by name, each text once; after the names it is of, unless of all."""
    owners: dict[str, list[str]] = {}
    for name, own in texts.items():
        for text in dict.fromkeys(own):
            owners.setdefault(text, []).append(name)
    return tuple(
        text if len(names) == len(texts) else f"{joined(names)}: {text}" for text, names in owners.items()
    )


def gravest_first(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Each check once, serious ones first, else in the order they were made."""
    once = {(check.code, check.message, check.about): check for check in checks}
    return tuple(sorted(once.values(), key=lambda check: SEVERITIES.index(check.severity)))
