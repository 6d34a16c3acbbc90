"""dm-eval: score a model on a data set, or arrays from files."""

from __future__ import annotations

import ast
import re
import sys
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from disentangle_metrics.cli import options
from disentangle_metrics.cli.latent_groups import groups_in
from disentangle_metrics.cli.results import (
    Format,
    Shown,
    check_page,
    citation,
    command_line,
    deliver,
    open_outputs,
)
from disentangle_metrics.kit.commands import UsageError, run_supervised, say
from disentangle_metrics.kit.limits import limits_set
from disentangle_metrics.scoring.report import Report

NAME = "dm-eval"
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def dm_eval(
    context: typer.Context,
    model: Annotated[str | None, options.Model] = None,
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
    trust_file: Annotated[bool, options.Trust] = False,
    latents: Annotated[str | None, options.Latents] = None,
    factors: Annotated[str | None, options.Factors] = None,
    index_col: Annotated[str | None, options.IndexCol] = None,
    drop_columns: Annotated[str | None, options.DropColumns] = None,
    metrics: Annotated[str | None, options.Metrics] = None,
    protocol: Annotated[str, options.Protocol] = "default",
    factor_types: Annotated[str | None, options.FactorTypes] = None,
    latent_types: Annotated[str | None, options.LatentTypes] = None,
    groups: Annotated[str | None, options.LatentGroups] = None,
    missing: Annotated[options.Missing, options.MissingChoice] = options.Missing.RAISE,
    seed: Annotated[int, options.Seed] = 0,
    jobs: Annotated[int, options.Jobs] = 1,
    anchors: Annotated[options.Anchors, options.AnchorChoice] = options.Anchors.AUTO,
    confidence: Annotated[float | None, options.Confidence] = None,
    json: Annotated[str | None, options.Json] = None,
    csv: Annotated[str | None, options.Csv] = None,
    html: Annotated[str | None, options.Html] = None,
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
    dm-eval --latents FILE --factors FILE scores arrays, and without --factors by the metrics of latents
    alone.
    Results go to stdout, everything else to stderr.
    """
    if list_names or explain is not None or version:
        print(_about(list_names, explain))
        return
    shown = Shown(format, brief, width, cite)
    wanted = None if metrics is None else _metrics(metrics)
    if cite and model is None and latents is None:
        print(citation(wanted, protocol))
        return
    scoring = {
        "metrics": wanted,
        "protocol": protocol,
        "factor_types": None if factor_types is None else _types("--factor-types", factor_types),
        "latent_types": None if latent_types is None else _types("--latent-types", latent_types),
        "groups": None if groups is None else groups_in(groups),
        "missing": missing.value,
        "seed": seed,
        "n_jobs": jobs,
        "anchors": {"auto": True, "all": "all", "none": False}[anchors.value],
        "confidence": confidence,
        "progress": not quiet and sys.stderr.isatty(),
    }
    # Imported only now: --help must not wait for them.
    from disentangle_metrics.cli.sources import ModelRun, score_arrays

    with ExitStack() as stack:
        stack.enter_context(limits_set(time_limit, memory_limit))
        outputs = open_outputs(stack, {"json": json, "csv": csv, "html": html})
        check_page(outputs)
        encoder = loaded = None
        if latents is not None:
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
                    "--trust-file": trust_file or None,
                }
            )
            if factors is None and factor_types is not None:
                raise UsageError("--factor-types needs --factors")
            report = score_arrays(
                latents,
                factors,
                scoring,
                index_col=index_col,
                drop_columns=[] if drop_columns is None else _names("--drop-columns", drop_columns),
                tell=lambda text: None if quiet else say(NAME, text),
            )
            if factors is None and not quiet:
                say(NAME, f"no --factors, so the latents alone are scored: {', '.join(report)}")
        else:
            if model is None:
                raise UsageError(
                    "give a MODEL with --dataset, or --latents with --factors (see dm-eval --help)"
                )
            if index_col is not None or drop_columns is not None:
                raise UsageError(
                    "--index-col and --drop-columns are for the files of --latents and --factors"
                )
            if dataset is None:
                raise UsageError(
                    "a MODEL needs --dataset, such as --dataset sprites (dm-eval --list shows all)"
                )
            run = ModelRun(
                model=model,
                dataset=dataset,
                root=root,
                data_options={} if data_options is None else _data_options(data_options),
                factors=None if factors is None else _names("--factors", factors),
                samples=_samples(samples),
                batch_size=256 if batch_size is None else batch_size,
                device=device or "auto",
                arch=arch,
                model_code=model_code,
                model_args=None if model_args is None else _model_args(model_args),
                state_key=state_key,
                encode_with=encode_with,
                outputs=None
                if output_names is None
                else _pairs("--outputs", options.OUTPUTS_FORM, output_names),
                trust=trust_file,
            )
            encoder, loaded = run.load()
            report = run.score(encoder, loaded, scoring)
            if not quiet:
                _say_how_long(report)
                for text in report.provenance["encoder"].get("remarks", ()):
                    say(NAME, text)
        report = report.with_provenance(command=command_line(NAME, context.obj))
        deliver(report, outputs, shown, encoder=encoder, dataset=loaded)


def _about(list_names: bool, explain: str | None) -> str:
    if explain is not None:
        from disentangle_metrics.metrics.cards import describe

        return describe(explain)
    if list_names:
        from disentangle_metrics.cli.listing import listing

        return listing()
    from disentangle_metrics.version import __version__

    return f"{NAME} {__version__}"


def _names(option_name: str, text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError(f"{option_name} needs at least one name")
    return names


def _metrics(text: str) -> list[str]:
    """Names and signatures; a comma within brackets belongs to a signature, as in votes:(800,800)."""
    open_brackets, parts = 0, [""]
    for character in text:
        open_brackets += (character in "([") - (character in ")]")
        if character == "," and not open_brackets:
            parts.append("")
        else:
            parts[-1] += character
    metrics = [part.strip() for part in parts if part.strip()]
    if not metrics:
        raise UsageError("--metrics needs at least one name")
    return metrics


def _pairs(option_name: str, form: str, text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in _names(option_name, text)]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise UsageError(f"{option_name} must be {form}; got {text!r}")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _model_args(text: str) -> dict[str, Any]:
    """NAME=VALUE pairs, where a value may hold commas; Python's literals are read as such."""
    pairs = [pair.partition("=") for pair in re.split(r",(?=\s*[A-Za-z_]\w*\s*=)", text)]
    if not all(name.strip().isidentifier() and value.strip() for name, _, value in pairs):
        raise UsageError(f"--model-args must be NAME=VALUE,..., such as latent_dim=10; got {text!r}")
    return {name.strip(): _literal(value.strip()) for name, _, value in pairs}


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _types(option_name: str, text: str) -> dict[str, str]:
    return _pairs(option_name, "NAME=TYPE,..., such as age=continuous", text)


def _data_options(text: str) -> dict[str, int]:
    pairs = _pairs("--data-options", "NAME=N,..., such as pad=2", text)
    try:
        return {name: int(value) for name, value in pairs.items()}
    except ValueError:
        raise UsageError(f"--data-options must be whole numbers, such as pad=2; got {text!r}") from None


def _samples(text: str | None) -> int | None:
    if text is None:
        return 10_000
    if text == "all":
        return None
    try:
        return int(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise UsageError(f"--samples must be a number or all, got {text!r}") from None


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
    sys.exit(run_supervised(app, NAME, sys.argv[1:]))


if __name__ == "__main__":
    main()
