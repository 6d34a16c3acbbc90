"""dm-eval compare: is one representation better than another?"""

from __future__ import annotations

import glob
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import typer

from disentangle_metrics.cli import arguments
from disentangle_metrics.cli.output import OutputFile
from disentangle_metrics.cli.results import (
    SILENT,
    Format,
    Shown,
    as_csv,
    check_picture,
    drawn,
    open_outputs,
    show,
    tell_remarks,
)
from disentangle_metrics.kit.commands import UsageError, say
from disentangle_metrics.kit.files import expanded, same_file
from disentangle_metrics.kit.given_once import OnceCommand

NAME = "dm-eval compare"
JSON_ENDING = ".json"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def option(panel: str, text: str, *names: str, metavar: str | None = None) -> Any:
    """An option in a panel of the help."""
    return typer.Option(*names, help=text, rich_help_panel=panel, metavar=metavar, show_default=False)


COMPARING, MODELS, OUTPUT = "Comparing", "To score models first", "Output"

Results = typer.Argument(
    metavar="RESULT",
    help="Reports (dm-eval --json FILE), or models with --dataset. NAME=FILE names one; several runs of it "
    "are NAME=FILE,FILE,... or NAME='runs/*.json'.",
    show_default=False,
)
Metrics = option(
    COMPARING,
    "Metrics, score keys or signatures, as 'mig|bins:10', to compare (default: all in common).",
    metavar="NAME,...",
)
Confidence = option(COMPARING, "Coverage of the intervals (default 0.95).", metavar="P")
Align = option(COMPARING, "Leave out scores whose signatures differ, instead of refusing.", "--align")
Paired = option(
    COMPARING,
    "Rows, or runs in the order given, are the same ones in all results, or are not (default: find out).",
    "--paired/--unpaired",
)
Dataset = option(MODELS, "Data set to encode, such as sprites.", metavar="NAME")
Root = option(MODELS, "Where the data set's files are.", metavar="DIR")
Samples = option(MODELS, "Images to encode (default 10000).", metavar="N")
Device = option(MODELS, "auto (default), cpu, cuda, cuda:N or mps.", metavar="NAME")
Protocol = option(MODELS, "A published set of settings (default: default).", metavar="NAME")
Seed = option(MODELS, "Seed of everything that draws (default 0).", metavar="N")
Jobs = option(MODELS, "Processes (default 1); -1 for every core.", metavar="N")
FormatChoice = option(OUTPUT, "What to print: table (default), markdown, latex, csv or json.", "--format")
Json = option(OUTPUT, "Write the comparison as JSON; - for stdout.", metavar="FILE")
Csv = option(OUTPUT, "Write every difference as CSV; - for stdout.", metavar="FILE")
Plot = option(
    OUTPUT, "Draw the differences; the ending of the file says how (.pdf, .png, .svg).", metavar="FILE"
)
Brief = option(OUTPUT, "Print the headline scores alone.", "--brief")
Width = option(OUTPUT, "Columns of the table (default: those of the terminal, else 80).", metavar="N")
Quiet = option(OUTPUT, "No progress on stderr.", "--quiet")
Debug = option(OUTPUT, "Show the traceback of an error.", "--debug")


@app.command(cls=OnceCommand)
def dm_eval_compare(
    results: Annotated[list[str], Results],
    metrics: Annotated[str | None, Metrics] = None,
    confidence: Annotated[float, Confidence] = 0.95,
    align: Annotated[bool, Align] = False,
    paired: Annotated[bool | None, Paired] = None,
    dataset: Annotated[str | None, Dataset] = None,
    root: Annotated[str | None, Root] = None,
    samples: Annotated[int | None, Samples] = None,
    device: Annotated[str | None, Device] = None,
    protocol: Annotated[str | None, Protocol] = None,
    seed: Annotated[int | None, Seed] = None,
    jobs: Annotated[int | None, Jobs] = None,
    format: Annotated[Format, FormatChoice] = Format.TABLE,
    json: Annotated[str | None, Json] = None,
    csv: Annotated[str | None, Csv] = None,
    plot: Annotated[str | None, Plot] = None,
    brief: Annotated[bool, Brief] = False,
    width: Annotated[int | None, Width] = None,
    quiet: Annotated[bool, Quiet] = False,
    debug: Annotated[bool, Debug] = False,
) -> None:
    """Compare two or more results: the difference of each score, its interval, and p of no difference.

    dm-eval compare A.json B.json compares reports that were scored with --confidence;
    dm-eval compare MODEL MODEL --dataset NAME scores models first.
    """
    shown = Shown(format, brief, width, tell=None if quiet else partial(say, NAME))
    names = None if metrics is None else arguments.metric_list(metrics)
    files = sorted_by_name(results)
    models = [file for members in files.values() for file in members if not is_report(file)]
    for_models = {
        "--root": root,
        "--samples": samples,
        "--device": device,
        "--protocol": protocol,
        "--seed": seed,
        "--jobs": jobs,
    }
    if models and dataset is None:
        if any(expanded(models[0]).glob(f"*{JSON_ENDING}")):
            runs = f"{models[0].rstrip('/')}/*{JSON_ENDING}"
            raise UsageError(
                f"{models[0]} is a folder; if its reports are runs of one representation, write "
                f"{expanded(models[0]).resolve().name}='{runs}', else {runs}"
            )
        raise UsageError(
            f"{models[0]} is no report (a file that ends in {JSON_ENDING}); to score a model give --dataset"
        )
    if not models:
        extra = [name for name, value in {"--dataset": dataset, **for_models}.items() if value is not None]
        if extra:
            raise UsageError(f"{extra[0]} is for models, and all results are reports")
    if len(files) == 1:
        ((name, its),) = files.items()
        told = f", {name!r} with {len(its)} runs; NAME=FILE tells several apart" if len(its) > 1 else ""
        raise UsageError(f"give at least two representations, got 1{told}")
    from disentangle_metrics.cli.files_read import images, weights
    from disentangle_metrics.comparison.compare import compare
    from disentangle_metrics.scoring.report import Report
    from disentangle_metrics.scoring.requests import choose

    if models:
        choose(names, protocol or "default")  # what is not known is said before anything is loaded
    with ExitStack() as stack:
        read = [path for members in files.values() for file in members for path in weights(file)]
        inputs = {"RESULT": read, "--dataset": images(dataset)}
        outputs = open_outputs(stack, {"json": json, "csv": csv, "plot": plot}, inputs)
        check_picture(outputs)
        reports = {
            name: [Report.from_json(file) if is_report(file) else None for file in members]
            for name, members in files.items()
        }
        for name, members in files.items():
            for place, file in enumerate(members):
                if reports[name][place] is None:
                    if not quiet:
                        say(NAME, f"scoring {file}")
                    scoring = {
                        "metrics": names,
                        "protocol": protocol or "default",
                        "seed": seed or 0,
                        "n_jobs": 1 if jobs is None else jobs,
                        "groups": "none",
                        "anchors": False,
                        "confidence": confidence if len(members) == 1 else None,
                        "progress": not quiet and sys.stderr.isatty(),
                    }
                    reports[name][place] = score_model(file, str(dataset), root, samples, device, scoring)
        comparison = compare(reports, metrics=names, confidence=confidence, paired=paired, align=align)
        deliver(comparison, outputs, shown)


def sorted_by_name(results: Sequence[str]) -> dict[str, list[str]]:
    """The files of each representation by its name: as given, or else made from the file's.

    Raises
    ------
    UsageError
        If a pattern fits no file, or a file is there twice.
    """
    given: list[tuple[str, list[str]]] = []  # a name, or none yet, and its files
    for text in results:
        name, rest = arguments.named_file(text)
        if name:
            members = [file for part in rest.split(",") if part.strip() for file in _expanded(part.strip())]
            if not members:
                raise UsageError(f"{text!r} names no file after the =")
            given.append((name.strip(), members))
        else:
            given += [("", [file]) for file in _expanded(text)]
    made = iter(short_names([files[0] for name, files in given if not name]))
    own = {name for name, _ in given if name}
    named: dict[str, list[str]] = {}
    for name, files in given:
        short = name or next(made)
        if not name and (short in own or short in named):
            raise UsageError(f"two results are called {short!r}; name them, as NAME={files[0]}")
        named.setdefault(short, []).extend(files)
    for name, files in named.items():
        for file, other in combinations(files, 2):
            if same_file(expanded(file), expanded(other)):
                raise UsageError(f"{name!r} has {other} twice; give each run once")
    return named


def _expanded(text: str) -> list[str]:
    """The files that a pattern fits, sorted; what is no pattern is itself."""
    if Path(text).exists() or not glob.has_magic(text):
        return [text]
    files = sorted(glob.glob(text))
    if not files:
        raise UsageError(f"no file fits {text!r}")
    return files


def short_names(files: Sequence[str]) -> list[str]:
    """A name for each file: its own without ending, with as many folders before it as tell all apart.

    The same file given twice keeps one name. A report that ``--out`` kept has that of its representation.
    """
    parts = [_parts(file) for file in files]
    for depth in range(1, max(map(len, parts), default=1) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return ["/".join(part) for part in parts]


def _parts(file: str) -> tuple[str, ...]:
    """The folders and the name of a file; of a report without its ending."""
    if not is_report(file):
        return Path(file).parts
    *folders, stem = Path(file).with_suffix("").parts
    if "%" in stem:
        from disentangle_metrics.benchmarking.folder import name_in

        stem = name_in(stem)
    return (*folders, stem)


def is_report(file: str) -> bool:
    """Whether a result is a report rather than a model, by its ending."""
    return file.lower().endswith(JSON_ENDING)


def score_model(
    model: str,
    dataset: str,
    root: str | None,
    samples: int | None,
    device: str | None,
    scoring: Mapping[str, Any],
) -> Any:
    """The report of a model on a data set."""
    from disentangle_metrics.cli.sources import ModelRun

    run = ModelRun(
        model=model,
        dataset=dataset,
        root=root,
        data_options={},
        factors=None,
        samples=10_000 if samples is None else samples,
        batch_size=256,
        device=device or "auto",
        arch=None,
        model_code=None,
        model_args=None,
        state_key=None,
        encode_with=None,
        outputs=None,
        scale=None,
        trust=False,
    )
    return run.score(*run.load(), scoring)


def deliver(comparison: Any, outputs: Mapping[str, OutputFile], shown: Shown) -> None:
    """Write the files, then print, unless stdout belongs to one of them."""
    for kind, file in outputs.items():
        if kind != "plot":
            file.write(comparison.to_json() if kind == "json" else as_csv(comparison))
    stdout = [kind for kind, file in outputs.items() if file.to_stdout]
    with drawn(comparison, outputs.get("plot")):
        if not stdout:
            show(comparison, shown)
        elif set(stdout) <= SILENT:
            tell_remarks(comparison, shown)
