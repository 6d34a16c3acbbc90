"""What ``dm-eval`` does with a report: the files it writes, and what it prints."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from disentangle_metrics.checks import once_each
from disentangle_metrics.cli.output import STDOUT, OutputFile, check_places, write_stdout
from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.commands import UsageError
from disentangle_metrics.kit.shell_words import in_shell_words
from disentangle_metrics.reporting.blocks import Blocks, benchmark_blocks
from disentangle_metrics.reporting.comparison_view import comparison_view
from disentangle_metrics.reporting.tables import as_markdown, blocks_as_markdown
from disentangle_metrics.reporting.terminal import WIDTH, printable, render, render_blocks
from disentangle_metrics.reporting.view import View, report_remarks, report_view
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.text import listed, visible

if TYPE_CHECKING:
    from disentangle_metrics.benchmarking.results import Benchmark
    from disentangle_metrics.comparison.comparison import Comparison

LEAST_WIDTH = 20


class Format(StrEnum):
    """What stdout gets."""

    TABLE, MARKDOWN, LATEX, CSV, JSON = "table", "markdown", "latex", "csv", "json"


FOR_PROGRAMS = (Format.CSV, Format.JSON)
SILENT = frozenset({Format.LATEX, Format.CSV, "plot"})  # formats and files that have no remarks
LIGHT = ("note", "missing")  # what need not be said where there is no place for it


@dataclass(frozen=True)
class Shown:
    """What to print of a report or a comparison.

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
    tell
        Gets the remarks that a format has no place for; None: nobody does.
    """

    format: Format = Format.TABLE
    brief: bool = False
    width: int | None = None
    citation: bool = False
    tell: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        plain = self.format in FOR_PROGRAMS
        if self.width is not None and self.format is not Format.TABLE:
            raise UsageError(f"--width is for --format table, not {self.format}")
        if self.width is not None and self.width < LEAST_WIDTH:
            raise UsageError(f"--width must be at least {LEAST_WIDTH}, got {self.width}")
        for option, given in (("--brief", self.brief), ("--cite", self.citation)):
            if given and plain:
                raise UsageError(f"{option} does not go with --format {self.format}, which is for programs")


def open_outputs(
    stack: ExitStack, paths: Mapping[str, str | None], inputs: Mapping[str, Iterable[Path]]
) -> dict[str, OutputFile]:
    """The files to write by kind, known before the work starts to be writable and none of the inputs."""
    wanted = {
        kind: STDOUT if path == "/dev/stdout" else path for kind, path in paths.items() if path is not None
    }
    check_places(wanted, inputs)
    return {kind: stack.enter_context(OutputFile(path)) for kind, path in wanted.items()}


def deliver(
    result: Report | Benchmark,
    outputs: Mapping[str, OutputFile],
    shown: Shown,
    *,
    encoder: Any = None,
    dataset: Any = None,
) -> None:
    """Write the files, then print, unless stdout belongs to one of them.

    Where every file of latents failed, there is no picture.
    """
    for kind, file in outputs.items():
        if kind == "html" and isinstance(result, Report):
            file.write(result.to_html(encoder=encoder, dataset=dataset))
        elif kind != "plot":
            file.write(result.to_json() if kind == "json" else as_csv(result))
    stdout = [kind for kind, file in outputs.items() if file.to_stdout]
    reports = {"": result} if isinstance(result, Report) else result.reports
    with drawn(result, outputs.get("plot") if reports else None):
        if not stdout:
            show(result, shown)
            if shown.citation:
                print(_citations(reports), end="")
        elif set(stdout) <= SILENT:
            tell_remarks(result, shown)


@contextmanager
def drawn(result: Any, file: OutputFile | None) -> Iterator[None]:
    """Draw first, if there is a file for it: who reads what is printed may stop before its end.

    A picture that cannot be drawn takes nothing else with it: its error is raised last.
    """
    failure: Exception | None = None
    try:
        if file is not None:
            file.write(picture_bytes(result, file))
    except Exception as error:  # whatever it is, it is raised below
        failure = error
    yield
    if failure is not None:
        raise failure


def check_page(outputs: Mapping[str, OutputFile]) -> None:
    """Refuse a page before the work starts, if what makes it is not installed."""
    if "html" in outputs:
        from disentangle_metrics.reporting.extras import need

        need("jinja2", "a page of HTML (--html)")
        need("PIL", "a page with pictures (--html)")


def check_picture(outputs: Mapping[str, OutputFile]) -> None:
    """Refuse a picture before the work starts, if it could not be drawn."""
    if "plot" not in outputs:
        return
    from disentangle_metrics.reporting.extras import need

    need("matplotlib", "a picture (--plot)")
    from matplotlib.backend_bases import FigureCanvasBase

    endings = FigureCanvasBase.get_supported_filetypes()
    if _ending(outputs["plot"]) not in endings:
        raise InputError(
            f"--plot must end in one of {', '.join('.' + ending for ending in endings)}; "
            f"got {str(outputs['plot'].path)!r}"
        )


def picture_bytes(result: Any, file: OutputFile) -> bytes:
    """The picture of a result, in the form that the file's ending says."""
    drawn = io.BytesIO()
    result.plot().savefig(drawn, format=_ending(file), dpi=200)
    return drawn.getvalue()


def _ending(file: OutputFile) -> str:
    return "" if file.to_stdout else file.path.suffix.lstrip(".").lower()


def citation(metrics: Sequence[str] | None, protocol: str) -> str:
    """What to cite for metrics that are not scored now; the protocol's suite if none are named."""
    from disentangle_metrics.scoring.citing import cite
    from disentangle_metrics.scoring.requests import choose

    suite = [key for choice in choose(metrics, protocol) for key in choice.keys]
    return str(cite(*(metrics or suite), protocol=protocol)).rstrip()


def _citations(reports: Mapping[str, Report]) -> str:
    """What to cite for reports: each sentence once, below a comment with the names that it is of."""
    from disentangle_metrics.reporting.citation import of_report

    names: dict[str, list[str]] = {}
    entries: dict[str, None] = {}
    for name, report in reports.items():
        citation = of_report(report)
        names.setdefault(citation.methods, []).append(name)
        entries |= dict.fromkeys(citation.bibtex.split("\n\n"))
    comments = [f"% {visible(listed(of))}\n" if len(names) > 1 else "" for of in names.values()]
    methods = [comment + sentence for comment, sentence in zip(comments, names, strict=True)]
    return "".join(f"\n{text}\n" for text in (*methods, *entries)) + "\n" * bool(entries)


def command_line(name: str, arguments: Sequence[str]) -> str:
    """The command as it could be typed again."""
    return shlex.join([name, *arguments])


def show(result: Report | Benchmark | Comparison, shown: Shown) -> None:
    """Print a report, a benchmark or a comparison."""
    if shown.format in SILENT:
        tell_remarks(result, shown)
    if shown.format in FOR_PROGRAMS:
        write_stdout(_as_text(result, shown))
    elif shown.format is not Format.TABLE:
        print(printable(_as_text(result, shown), sys.stdout.encoding or "utf-8"), end="")
    else:
        from rich.console import Console

        console = Console(file=sys.stdout, width=shown.width)
        if shown.width is None and not console.is_terminal:
            console = Console(file=sys.stdout, width=WIDTH)
        content = _content(result, shown)
        if isinstance(content, View):
            render(content, console)
        else:
            render_blocks(content, console)


def tell_remarks(result: Report | Benchmark | Comparison, shown: Shown) -> None:
    """Say the remarks that are more than a note, where what is printed has none."""
    from disentangle_metrics.comparison.comparison import Comparison

    if shown.tell is None:
        return
    if isinstance(result, Comparison):  # what it leaves out stands in its remarks alone
        remarks = comparison_view(result, brief=shown.brief).remarks
        lines = {"": [remark.line for remark in remarks if remark.severity != "note"]}
    else:
        reports = {"": result} if isinstance(result, Report) else result.reports
        lines = {
            name: [remark.line for remark in report_remarks(report) if remark.severity not in LIGHT]
            for name, report in reports.items()
        }
    for line in once_each(lines, ", ".join):
        shown.tell(line)


def _content(result: Report | Benchmark | Comparison, shown: Shown) -> View[Any] | Blocks:
    """What a table shows, its remarks in the words of the shell."""
    from disentangle_metrics.benchmarking.ranked import ranked
    from disentangle_metrics.benchmarking.results import Benchmark

    if isinstance(result, Report):
        return report_view(result, brief=shown.brief).in_shell_words()
    if isinstance(result, Benchmark):
        alike = ranked(result.reports)  # why others are not was told with the notes
        blocks = benchmark_blocks(
            result.reports, result.errors, result.names, ranked=alike, brief=shown.brief
        )
        return replace(blocks, remarks=tuple(map(in_shell_words, blocks.remarks)))
    return comparison_view(result, brief=shown.brief).in_shell_words()


def as_csv(result: Report | Benchmark | Comparison) -> str:
    """Every score or difference as CSV, with the same ends of lines on every system."""
    return visible(result.to_frame().to_csv(lineterminator="\n"), keep="\n")


def _as_text(result: Report | Benchmark | Comparison, shown: Shown) -> str:
    if shown.format is Format.JSON:
        return result.to_json()
    if shown.format is Format.CSV:
        return as_csv(result)
    if shown.format is Format.MARKDOWN:
        content = _content(result, shown)
        return as_markdown(content) if isinstance(content, View) else blocks_as_markdown(content)
    return result.to_latex(brief=shown.brief)
