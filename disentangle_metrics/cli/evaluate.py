"""dm-eval: score a model on a data set, or arrays from files."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from disentangle_metrics.cli import arguments, options
from disentangle_metrics.cli.about import about
from disentangle_metrics.cli.latent_groups import groups_in, groups_of_arrays
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
from disentangle_metrics.kit.commands import FAILED, UsageError, run_supervised, say
from disentangle_metrics.kit.given_once import OnceCommand
from disentangle_metrics.kit.limits import limits_set
from disentangle_metrics.scoring.report import Report

if TYPE_CHECKING:
    from disentangle_metrics.benchmarking.results import Benchmark
    from disentangle_metrics.cli.sources import Tell
    from disentangle_metrics.scoring.requests import Choice

NAME = "dm-eval"
app = typer.Typer(pretty_exceptions_enable=False)


@app.command(cls=OnceCommand)
def dm_eval(
    context: typer.Context,
    models: Annotated[list[str] | None, options.Model] = None,
    dataset: Annotated[str | None, options.Dataset] = None,
    root: Annotated[str | None, options.Root] = None,
    data_options: Annotated[str | None, options.DataOptions] = None,
    samples: Annotated[str | None, options.Samples] = None,
    batch_size: Annotated[int | None, options.BatchSize] = None,
    device: Annotated[str | None, options.Device] = None,
    arch: Annotated[str | None, options.Arch] = None,
    model_code: Annotated[str | None, options.ModelCode] = None,
    model_args: Annotated[str | None, options.ModelArgs] = None,
    state_key: Annotated[str | None, options.StateKey] = None,
    encode_with: Annotated[str | None, options.EncodeWith] = None,
    output_names: Annotated[str | None, options.OutputNames] = None,
    scale: Annotated[str | None, options.Scale] = None,
    trust_file: Annotated[bool, options.Trust] = False,
    latents: Annotated[list[str] | None, options.Latents] = None,
    factors: Annotated[str | None, options.Factors] = None,
    index_col: Annotated[str | None, options.IndexCol] = None,
    drop_columns: Annotated[str | None, options.DropColumns] = None,
    out: Annotated[str | None, options.Out] = None,
    metrics: Annotated[str | None, options.Metrics] = None,
    protocol: Annotated[str, options.Protocol] = "default",
    factor_types: Annotated[str | None, options.FactorTypes] = None,
    latent_types: Annotated[str | None, options.LatentTypes] = None,
    groups: Annotated[str | None, options.LatentGroups] = None,
    hierarchy: Annotated[str | None, options.Hierarchy] = None,
    missing: Annotated[options.Missing, options.MissingChoice] = options.Missing.RAISE,
    seed: Annotated[int, options.Seed] = 0,
    jobs: Annotated[int, options.Jobs] = 1,
    anchors: Annotated[options.Anchors, options.AnchorChoice] = options.Anchors.AUTO,
    confidence: Annotated[float | None, options.Confidence] = None,
    permutations: Annotated[int | None, options.Permutations] = None,
    json: Annotated[str | None, options.Json] = None,
    csv: Annotated[str | None, options.Csv] = None,
    html: Annotated[str | None, options.Html] = None,
    plot: Annotated[str | None, options.Plot] = None,
    format: Annotated[Format, options.FormatChoice] = Format.TABLE,
    brief: Annotated[bool, options.Brief] = False,
    width: Annotated[int | None, options.Width] = None,
    cite: Annotated[bool, options.Cite] = False,
    quiet: Annotated[bool, options.Quiet] = False,
    time_limit: Annotated[float | None, options.TimeLimit] = None,
    memory_limit: Annotated[float | None, options.MemoryLimit] = None,
    debug: Annotated[bool, options.Debug] = False,
    list_names: Annotated[bool, options.List] = False,
    explain: Annotated[str | None, options.Explain] = None,
    version: Annotated[bool, options.Version] = False,
) -> None:
    """Score whether a representation is disentangled.

    dm-eval MODEL --dataset NAME scores a model on a data set with known factors;
    dm-eval --latents FILE... --factors FILE scores arrays, and without --factors by the metrics of latents
    alone;
    dm-eval compare A.json B.json compares results (see dm-eval compare --help).
    dm-eval doctor says what a report of a fault needs: versions, extras, devices, caches.
    Results go to stdout, everything else to stderr.
    """
    doctor = models == ["doctor"] and dataset is None
    protocols = protocol == "list"
    if list_names or explain is not None or version or doctor or protocols:
        print(about(NAME, list_names=list_names, explain=explain, doctor=doctor, protocols=protocols))
        return
    remark = None if quiet else functools.partial(say, NAME)
    tell: Tell = remark or (lambda text: None)
    shown = Shown(format, brief, width, cite, remark)
    model, files = arguments.model_and_latents(models or (), latents or (), context.obj)
    wanted = None if metrics is None else arguments.metric_list(metrics)
    alone = all(value is None for value in (model, dataset, factors, out, json, csv, html, plot))
    if cite and alone and not files:
        print(citation(wanted, protocol))
        return
    scoring = {
        "metrics": wanted,
        "protocol": protocol,
        "factor_types": None if factor_types is None else arguments.types("--factor-types", factor_types),
        "latent_types": None if latent_types is None else arguments.types("--latent-types", latent_types),
        "groups": groups_of_arrays(groups) if files else None if groups is None else groups_in(groups),
        **({} if hierarchy is None else {"hierarchy": arguments.hierarchy(hierarchy)}),
        "missing": missing.value,
        "seed": seed,
        "n_jobs": jobs,
        "anchors": {"auto": True, "all": "all", "none": False}[anchors.value],
        "confidence": confidence,
        "permutations": permutations,
        "progress": not quiet and sys.stderr.isatty(),
    }
    # Imported only now: --help must not wait for them.
    from disentangle_metrics.cli.files_read import files_of_arrays, files_of_model
    from disentangle_metrics.cli.latent_files import benchmark_arrays, names_of
    from disentangle_metrics.cli.sources import ModelRun, score_arrays
    from disentangle_metrics.files.arrays import Choices
    from disentangle_metrics.scoring.requests import choose

    chosen = choose(wanted, protocol)  # a name that is not known is said before anything is loaded

    with ExitStack() as stack:
        stack.enter_context(limits_set(time_limit, memory_limit))
        inputs = (
            files_of_arrays(files, factors, out)
            if files
            else files_of_model(model, dataset, model_code=model_code, data_options=data_options, root=root)
        )
        outputs = open_outputs(stack, {"json": json, "csv": csv, "html": html, "plot": plot}, inputs)
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
            for option, value in {"--factor-types": factor_types, "--hierarchy": hierarchy}.items():
                if factors is None and value is not None:
                    raise UsageError(f"{option} needs --factors")
            dropped = [] if drop_columns is None else arguments.name_list("--drop-columns", drop_columns)
            choices = Choices(index_col, tuple(dropped), "drop" if hierarchy else missing.value)
            if len(files) == 1 and out is None:
                (path,) = names_of(files).values()
                result = score_arrays(path, factors, scoring, choices, tell)
            else:
                if html is not None:
                    raise UsageError("--html shows one report; of several files give --plot, --json or --csv")
                result = benchmark_arrays(files, factors, scoring, choices, out, tell)
            if factors is None:
                _tell_alone(result, chosen, tell)
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
            if dataset is None and model.lower().endswith(".json"):
                raise UsageError(
                    f"{model} is JSON and no MODEL; dm-eval compare takes reports, and in Python "
                    "`dm.Report.from_json(path)` reads one, to print or draw it"
                )
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
                else arguments.pairs("--outputs", options.OUTPUTS_FORM, output_names),
                scale=scale,
                trust=trust_file,
            )
            encoder, loaded = run.load()
            for text in getattr(loaded, "notes", ()):
                tell(text)
            result = run.score(encoder, loaded, scoring)
            _tell_how_long(result.provenance, tell)
            for text in result.provenance["encoder"].get("remarks", ()):
                tell(text)
        result = result.with_provenance(command=command_line(NAME, context.obj))
        errors = {} if isinstance(result, Report) else result.errors
        for name, error in errors.items():
            say(NAME, f"failed: {name}: {error}")
        deliver(result, outputs, shown, encoder=encoder, dataset=loaded)
    if errors:
        raise typer.Exit(FAILED)


def _only_arrays(given: dict[str, Any]) -> None:
    if extra := [name for name, value in given.items() if value is not None]:
        raise UsageError(f"--latents scores arrays from a file and takes no {', '.join(extra)}")


def _tell_alone(result: Report | Benchmark, chosen: Sequence[Choice], tell: Tell) -> None:
    """Tell which scores there are without factors; a benchmark's are those of its first report."""
    from disentangle_metrics.metrics.lookup import without_settings

    report = result if isinstance(result, Report) else next(iter(result.values()), ())
    of_latents = {key for one in chosen if not one.definition.needs_factors for key in one.keys}
    if keys := [key for key in report if without_settings(key) in of_latents]:
        tell(f"no --factors, so the latents alone are scored: {', '.join(keys)}")


def _tell_how_long(facts: Mapping[str, Any], tell: Tell) -> None:
    tell(
        f"encoded {facts['images']:,} images of {facts['dataset']} in {facts['encode_seconds']:.1f} s, "
        f"scored in {facts['score_seconds']:.1f} s"
    )


def main() -> None:
    """The console command."""
    if sys.argv[1:2] == ["compare"]:  # a model file of this name is ./compare
        from disentangle_metrics.cli import compare

        sys.exit(run_supervised(compare.app, compare.NAME, sys.argv[2:]))
    sys.exit(run_supervised(app, NAME, sys.argv[1:]))


if __name__ == "__main__":
    main()
