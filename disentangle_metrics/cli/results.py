"""What ``dm-eval`` does with a report: the files it writes, and what it prints."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from disentangle_metrics.cli.output import OutputFile
from disentangle_metrics.kit.commands import UsageError
from disentangle_metrics.reporting.terminal import WIDTH, printable
from disentangle_metrics.reporting.view import report_view
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.text import visible

LEAST_WIDTH = 20


class Format(StrEnum):
    """What stdout gets."""

    TABLE, MARKDOWN, LATEX, CSV, JSON = "table", "markdown", "latex", "csv", "json"


@dataclass(frozen=True)
class Shown:
    """What to print of a report.

    Attributes
    ----------
    format
        As what.
    brief
        The headline scores alone.
    width
        Columns of the table; None: those of the terminal.
    citation
        Also what to cite.
    """

    format: Format = Format.TABLE
    brief: bool = False
    width: int | None = None
    citation: bool = False

    def __post_init__(self) -> None:
        plain = self.format in (Format.CSV, Format.JSON)
        if self.width is not None and self.format is not Format.TABLE:
            raise UsageError(f"--width is for --format table, not {self.format}")
        if self.width is not None and self.width < LEAST_WIDTH:
            raise UsageError(f"--width must be at least {LEAST_WIDTH}, got {self.width}")
        for option, given in (("--brief", self.brief), ("--cite", self.citation)):
            if given and plain:
                raise UsageError(f"{option} does not go with --format {self.format}, which is for programs")


def open_outputs(stack: ExitStack, paths: Mapping[str, str | None]) -> dict[str, OutputFile]:
    """The files to write by kind, known to be writable before the work starts."""
    wanted = {kind: path for kind, path in paths.items() if path is not None}
    for kind, path in wanted.items():
        twin = next((other for other, its in wanted.items() if other != kind and its == path), None)
        if twin is not None:
            raise UsageError(f"--{kind} and --{twin} must go to different places")
    return {kind: stack.enter_context(OutputFile(path)) for kind, path in wanted.items()}


def deliver(
    report: Report,
    outputs: Mapping[str, OutputFile],
    shown: Shown,
    *,
    encoder: Any = None,
    dataset: Any = None,
) -> None:
    """Write the files, then print, unless stdout belongs to one of them."""
    for kind, file in outputs.items():
        if kind == "html":
            file.write(report.to_html(encoder=encoder, dataset=dataset))
        else:
            file.write(report.to_json() if kind == "json" else _as_csv(report))
    if any(file.to_stdout for file in outputs.values()):
        return
    _print(report, shown)
    if shown.citation:
        from disentangle_metrics.reporting.citation import cite

        print(f"\n{cite(report)}")


def check_page(outputs: Mapping[str, OutputFile]) -> None:
    """Refuse a page before the work starts, if what makes it is not installed."""
    if "html" in outputs:
        from disentangle_metrics.reporting.extras import need

        need("jinja2", "a page of HTML (--html)")
        need("PIL", "a page with pictures (--html)")


def citation(metrics: Sequence[str] | None, protocol: str) -> str:
    """What to cite for metrics that are not scored now; the protocol's suite if none are named."""
    from disentangle_metrics.reporting.citation import cite
    from disentangle_metrics.scoring.requests import choose

    suite = [choice.definition.name for choice in choose(metrics, protocol)]
    return str(cite(*(metrics or suite))).rstrip()


def command_line(name: str, arguments: Sequence[str]) -> str:
    """The command as it could be typed again."""
    return shlex.join([name, *arguments])


def _print(report: Report, shown: Shown) -> None:
    if shown.format is not Format.TABLE:
        text = _as_text(report, shown)
        print(printable(text, sys.stdout.encoding or "utf-8"), end="")
    else:
        from rich.console import Console

        from disentangle_metrics.reporting.terminal import render

        console = Console(file=sys.stdout, width=shown.width)
        if shown.width is None and not console.is_terminal:
            console = Console(file=sys.stdout, width=WIDTH)
        render(report_view(report, brief=shown.brief), console)


def _as_csv(report: Report) -> str:
    return visible(report.to_frame().to_csv(), keep="\n")


def _as_text(report: Report, shown: Shown) -> str:
    if shown.format is Format.JSON:
        return report.to_json()
    if shown.format is Format.CSV:
        return _as_csv(report)
    if shown.format is Format.MARKDOWN:
        return report.to_markdown(brief=shown.brief)
    return report.to_latex(brief=shown.brief)
