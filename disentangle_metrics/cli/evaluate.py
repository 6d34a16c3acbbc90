"""dm-eval: score a model on a data set, or arrays from files."""

from __future__ import annotations

import functools
import sys
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from disentangle_metrics.cli import arguments
from disentangle_metrics.cli.latent_groups import groups_in
from disentangle_metrics.cli.results import (
    Format,
    Shown,
    check_page,
    check_picture,
    citation,
    command_line,
    deliver,
    open_outputs,
)
from disentangle_metrics.kit.commands import FAILED, UsageError, run_command, say
from disentangle_metrics.scoring.report import Report

if TYPE_CHECKING:
    from disentangle_metrics.benchmarking.results import Benchmark

NAME = "dm-eval"
OUTPUTS_FORM = "ROLE=NAME,..., such as mean=z_mean,logvar=z_log_var"

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Anchors(StrEnum):
    """Which scores get a chance level and a ceiling."""

    AUTO, ALL, NONE = "auto", "all", "none"


class Missing(StrEnum):
    """What happens to rows with missing values."""

    RAISE, DROP = "raise", "drop"


def option(panel: str, text: str, *names: str, metavar: str | None = None) -> Any:
    """An option in a panel of the help."""
    return typer.Option(*names, help=text, rich_help_panel=panel, metavar=metavar, show_default=False)


MODEL, ARRAYS, SCORING, OUTPUT, ABOUT = "To score a model", "To score arrays", "Scoring", "Output", "About"

Model = typer.Argument(metavar="MODEL", help="A model file, or the name of a bundled checkpoint.")
Dataset = option(MODEL, "Data set to encode, such as sprites, or a path.", metavar="NAME|PATH")
Root = option(MODEL, "Where the data set's files are.", metavar="DIR")
DataOptions = option(
    MODEL, "Options of the data set, such as pool=2: docs/own_data.md.", metavar="NAME=V,..."
)
Samples = option(MODEL, "Images to encode, or all (default 10000).", metavar="N")
BatchSize = option(MODEL, "Images encoded at a time (default 256).", metavar="N")
Device = option(MODEL, "auto (default), cpu, cuda, cuda:N or mps.", metavar="NAME")
Arch = option(MODEL, "Registered architecture that a file of bare weights belongs to.", metavar="NAME")
ModelCode = option(
    MODEL, "Your code that builds the network: package.module:factory or file.py:factory.", metavar="REF"
)
ModelArgs = option(
    MODEL, "Arguments that --model-code is called with, such as latent_dim=10.", metavar="NAME=VALUE,..."
)
StateKey = option(
    MODEL, "Where in the file the weights stand, if several places fit, such as ema.", metavar="KEY"
)
EncodeWith = option(
    MODEL, "Method or part of the network that encodes, such as encode or encoder.", metavar="NAME"
)
OutputNames = option(
    MODEL,
    "Which output is which: mean=z_mean,logvar=z_log_var; also logstd, std, var; places from 0 do for names.",
    "--outputs",
    metavar="ROLE=NAME,...",
)
Scale = option(MODEL, "Images for the network: 0..1 (default), -1..1, imagenet, mean=M,std=S.", metavar="R")
Trust = option(
    MODEL, "Allow a file that runs code when loaded (TorchScript, .pt2, pickled networks).", "--trust-file"
)
Latents = option(
    ARRAYS,
    "File of latents (.npy, .npz, .csv, .parquet, .h5ad, ...: docs/inputs.md); :NAME chooses "
    "arrays, columns. Several files, which NAME= may name, are scored alike and ranked.",
    metavar="[NAME=]FILE[:NAME,...]...",
)
Factors = option(
    ARRAYS,
    "With --latents: the file of factors. With MODEL: names of the factors to score against.",
    metavar="FILE[:NAME,...] or NAME,...",
)
IndexCol = option(
    ARRAYS,
    "Column of row labels (name, or place from 0); rows of both files are matched by it.",
    metavar="NAME",
)
DropColumns = option(ARRAYS, "Columns to leave out of both files.", metavar="NAME,...")
FactorTypes = option(
    SCORING,
    "How to read some factors: categorical, ordinal, continuous, circular or circular:PERIOD.",
    metavar="NAME=TYPE,...",
)
LatentTypes = option(
    SCORING,
    "How to read some latents: categorical (codes) or circular:PERIOD.",
    metavar="NAME=TYPE,...",
)
LatentGroups = option(
    SCORING,
    "Units of several latents: their columns by place or name, or `layers`, those of the model.",
    "--groups",
    metavar="NAME=0,1;...",
)
Metrics = option(
    SCORING,
    "Metrics, score keys, or signatures to score again, as 'mig|bins:10' (default: those of the protocol).",
    metavar="NAME,...",
)
Protocol = option(SCORING, "A published set of settings (default: default).", metavar="NAME")
MissingChoice = option(
    SCORING, "Rows with missing values: raise (default) refuses them, drop leaves them out, for the factor "
    "that lacks a value alone where a metric allows.", "--missing"
)  # fmt: skip
Seed = option(SCORING, "Seed of everything that draws (default 0).", metavar="N")
Jobs = option(SCORING, "Processes (default 1); -1 for every core.", metavar="N")
AnchorChoice = option(SCORING, "Chance and ceiling of each score: auto (default) leaves out slow ones.")
Confidence = option(SCORING, "Confidence intervals of this coverage, such as 0.95.", metavar="P")
Out = option(
    ARRAYS, "Keep the report of each file of latents in this folder, and go on from there.", metavar="DIR"
)
Json = option(OUTPUT, "Write the report as JSON; - for stdout.", metavar="FILE")
Csv = option(OUTPUT, "Write the scores as CSV; - for stdout.", metavar="FILE")
Html = option(
    OUTPUT, "Write a page that needs no network: scores, remarks, tables, pictures.", metavar="FILE"
)
Plot = option(OUTPUT, "Draw the scores; the ending of the file says how (.pdf, .png, .svg).", metavar="FILE")
FormatChoice = option(OUTPUT, "What to print: table (default), markdown, latex, csv or json.", "--format")
Brief = option(OUTPUT, "Print the headline scores alone.", "--brief")
Width = option(OUTPUT, "Columns of the table (default: those of the terminal, else 80).", metavar="N")
Cite = option(OUTPUT, "Print a methods sentence and BibTeX too; without input, of --metrics alone.", "--cite")
Quiet = option(OUTPUT, "No progress and no remarks on stderr.", "--quiet")
Debug = option(OUTPUT, "Show the traceback of an error.", "--debug")
List = option(ABOUT, "List metrics, protocols, data sets, architectures and bundled checkpoints.", "--list")
Explain = option(ABOUT, "Explain a metric.", metavar="METRIC")
Version = option(ABOUT, "Print the version.", "--version")


@app.command()
def dm_eval(
    context: typer.Context,
    models: Annotated[list[str] | None, Model] = None,
    dataset: Annotated[str | None, Dataset] = None,
    root: Annotated[str | None, Root] = None,
    data_options: Annotated[str | None, DataOptions] = None,
    samples: Annotated[str | None, Samples] = None,
    batch_size: Annotated[int | None, BatchSize] = None,
    device: Annotated[str | None, Device] = None,
    arch: Annotated[str | None, Arch] = None,
    model_code: Annotated[str | None, ModelCode] = None,
    model_args: Annotated[str | None, ModelArgs] = None,
    state_key: Annotated[str | None, StateKey] = None,
    encode_with: Annotated[str | None, EncodeWith] = None,
    output_names: Annotated[str | None, OutputNames] = None,
    scale: Annotated[str | None, Scale] = None,
    trust_file: Annotated[bool, Trust] = False,
    latents: Annotated[list[str] | None, Latents] = None,
    factors: Annotated[str | None, Factors] = None,
    index_col: Annotated[str | None, IndexCol] = None,
    drop_columns: Annotated[str | None, DropColumns] = None,
    out: Annotated[str | None, Out] = None,
    metrics: Annotated[str | None, Metrics] = None,
    protocol: Annotated[str, Protocol] = "default",
    factor_types: Annotated[str | None, FactorTypes] = None,
    latent_types: Annotated[str | None, LatentTypes] = None,
    groups: Annotated[str | None, LatentGroups] = None,
    missing: Annotated[Missing, MissingChoice] = Missing.RAISE,
    seed: Annotated[int, Seed] = 0,
    jobs: Annotated[int, Jobs] = 1,
    anchors: Annotated[Anchors, AnchorChoice] = Anchors.AUTO,
    confidence: Annotated[float | None, Confidence] = None,
    json: Annotated[str | None, Json] = None,
    csv: Annotated[str | None, Csv] = None,
    html: Annotated[str | None, Html] = None,
    plot: Annotated[str | None, Plot] = None,
    format: Annotated[Format, FormatChoice] = Format.TABLE,
    brief: Annotated[bool, Brief] = False,
    width: Annotated[int | None, Width] = None,
    cite: Annotated[bool, Cite] = False,
    quiet: Annotated[bool, Quiet] = False,
    debug: Annotated[bool, Debug] = False,
    list_names: Annotated[bool, List] = False,
    explain: Annotated[str | None, Explain] = None,
    version: Annotated[bool, Version] = False,
) -> None:
    """Score whether a representation is disentangled.

    dm-eval MODEL --dataset NAME scores a model on a data set with known factors;
    dm-eval --latents FILE... --factors FILE scores arrays, and without --factors by the metrics of latents
    alone;
    dm-eval compare A.json B.json compares results (see dm-eval compare --help).
    Results go to stdout, everything else to stderr.
    """
    if list_names or explain is not None or version:
        print(_about(list_names, explain))
        return
    shown = Shown(format, brief, width, cite)
    model, files = arguments.model_and_latents(models or (), latents or (), context.obj)
    wanted = None if metrics is None else arguments.metric_list(metrics)
    if cite and model is None and not files:
        print(citation(wanted, protocol))
        return
    scoring = {
        "metrics": wanted,
        "protocol": protocol,
        "factor_types": None if factor_types is None else arguments.types("--factor-types", factor_types),
        "latent_types": None if latent_types is None else arguments.types("--latent-types", latent_types),
        "groups": None if groups is None else groups_in(groups),
        "missing": missing.value,
        "seed": seed,
        "n_jobs": jobs,
        "anchors": {Anchors.AUTO: True, Anchors.ALL: "all", Anchors.NONE: False}[anchors],
        "confidence": confidence,
        "progress": not quiet and sys.stderr.isatty(),
    }
    # Imported only now: --help must not wait for them.
    from disentangle_metrics.cli.sources import ModelRun, score_arrays
    from disentangle_metrics.files.arrays import Choices

    with ExitStack() as stack:
        outputs = open_outputs(stack, {"json": json, "csv": csv, "html": html, "plot": plot})
        check_page(outputs)
        check_picture(outputs)
        encoder = loaded = None
        result: Report | Benchmark
        if files:
            _only_arrays(
                {
                    "MODEL": model,
                    "--dataset": dataset,
                    "--root": root,
                    "--data-options": data_options,
                    "--samples": samples,
                    "--batch-size": batch_size,
                    "--device": device,
                    "--arch": arch,
                    "--model-code": model_code,
                    "--model-args": model_args,
                    "--state-key": state_key,
                    "--encode-with": encode_with,
                    "--outputs": output_names,
                    "--scale": scale,
                    "--trust-file": trust_file or None,
                }
            )
            if factors is None and factor_types is not None:
                raise UsageError("--factor-types needs --factors")
            dropped = [] if drop_columns is None else arguments.name_list("--drop-columns", drop_columns)
            choices = Choices(index_col, tuple(dropped), missing.value)
            tell = (lambda text: None) if quiet else functools.partial(say, NAME)
            if len(files) == 1 and out is None:
                result = score_arrays(files[0], factors, scoring, choices, tell)
                keys = list(result)
            else:
                if html is not None:
                    raise UsageError("--html shows one report; of several files give --plot, --json or --csv")
                from disentangle_metrics.cli.latent_files import benchmark_arrays

                result = benchmark_arrays(files, factors, scoring, choices, out, tell)
                keys = [key for report in list(result.values())[:1] for key in report]
            if factors is None and not quiet and keys:
                say(NAME, f"no --factors, so the latents alone are scored: {', '.join(keys)}")
        else:
            if model is None:
                raise UsageError(
                    "give a MODEL with --dataset, or --latents with --factors (see dm-eval --help)"
                )
            if index_col is not None or drop_columns is not None:
                raise UsageError(
                    "--index-col and --drop-columns are for the files of --latents and --factors"
                )
            if out is not None:
                raise UsageError("--out is for the files of --latents")
            if dataset is None:
                raise UsageError("a MODEL needs --dataset, such as sprites (dm-eval --list shows all)")
            run = ModelRun(
                model=model,
                dataset=dataset,
                root=root,
                data_options={} if data_options is None else arguments.data_options(data_options),
                factors=None if factors is None else arguments.name_list("--factors", factors),
                samples=arguments.samples(samples),
                batch_size=256 if batch_size is None else batch_size,
                device=device or "auto",
                arch=arch,
                model_code=model_code,
                model_args=None if model_args is None else arguments.model_args(model_args),
                state_key=state_key,
                encode_with=encode_with,
                outputs=None
                if output_names is None
                else arguments.pairs("--outputs", OUTPUTS_FORM, output_names),
                scale=scale,
                trust=trust_file,
            )
            encoder, loaded = run.load()
            for text in () if quiet else getattr(loaded, "notes", ()):
                say(NAME, text)
            result = report = run.score(encoder, loaded, scoring)
            if not quiet:
                _say_how_long(report)
                for text in report.provenance["encoder"].get("remarks", ()):
                    say(NAME, text)
        result = result.with_provenance(command=command_line(NAME, context.obj))
        deliver(result, outputs, shown, encoder=encoder, dataset=loaded)
    if not isinstance(result, Report) and result.errors:
        for name, error in result.errors.items():
            say(NAME, f"failed: {name}: {error}")
        raise typer.Exit(FAILED)


def _about(list_names: bool, explain: str | None) -> str:
    if explain is not None:
        from disentangle_metrics.metrics.cards import describe

        return describe(explain)
    if list_names:
        from disentangle_metrics.cli.listing import listing

        return listing()
    from disentangle_metrics.version import __version__

    return f"{NAME} {__version__}"


def _only_arrays(given: dict[str, Any]) -> None:
    if extra := [name for name, value in given.items() if value is not None]:
        raise UsageError(f"--latents scores arrays from a file and takes no {', '.join(extra)}")


def _say_how_long(report: Report) -> None:
    facts = report.provenance
    say(
        NAME,
        f"encoded {facts['images']:,} images of {facts['dataset']} in {facts['encode_seconds']:.1f} s, "
        f"scored in {facts['score_seconds']:.1f} s",
    )


def main() -> None:
    """The console command."""
    if sys.argv[1:2] == ["compare"]:  # a model file of this name is ./compare
        from disentangle_metrics.cli import compare

        sys.exit(run_command(compare.app, compare.NAME, sys.argv[2:]))
    sys.exit(run_command(app, NAME, sys.argv[1:]))
