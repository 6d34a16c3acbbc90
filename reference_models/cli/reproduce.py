"""``dm-reproduce``: run a comparison of models, and look at what it gave. Parses, calls, prints."""

from __future__ import annotations

import contextlib
import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from disentangle_metrics import InputError
from disentangle_metrics.kit import OnceCommand, OnceGroup, install_line, run_command, write_whole
from reference_models.cli.options import Debug, Minutes, Quiet, Root

app = typer.Typer(
    name="dm-reproduce",
    help="Run the comparison of models: models x beta x seeds on a data set, resumable at any moment.",
    invoke_without_command=True,
    no_args_is_help=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

BACKENDS = ("loky", "dask", "ray")
PlanName = Annotated[
    str, typer.Option("--plan", help="small (ten minutes), mini (a day), long (15 hours), gpu or paper.")
]
DatasetName = Annotated[
    str, typer.Option("--dataset", help="sprites, rooms, switches (plan mini), dsprites or shapes3d.")
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of rows and runs.  [default: runs/PLAN-DATASET]")
]


@app.callback(cls=OnceGroup)
def reproduce(
    context: typer.Context,
    plan: PlanName = "small",
    dataset: DatasetName = "sprites",
    out: Out = None,
    jobs: Annotated[
        int, typer.Option(min=1, help="Runs at a time: one CPU thread each; on GPUs, on each.")
    ] = 1,
    backend: Annotated[str, typer.Option(help="loky (this machine), dask or ray.")] = "loky",
    address: Annotated[
        str | None, typer.Option(help="Of the dask scheduler or the ray head.  [default: a local one]")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    minutes: Minutes = None,
    betas: Annotated[
        str | None, typer.Option(help="Only these of the plan, such as 1,4.", metavar="LIST")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Only these of the plan, such as 0-3.", metavar="LIST")
    ] = None,
    ablation: Annotated[
        bool, typer.Option("--ablation/--no-ablation", help="With or without the plan's ablation.")
    ] = True,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try failed runs again.")] = False,
    root: Root = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Do what is left of a comparison; the same command goes on after any interruption."""
    if context.invoked_subcommand is not None:
        refuse_before(context, context.invoked_subcommand)
        return
    if backend not in BACKENDS:
        raise InputError(f"--backend is {backend!r}; it must be one of {', '.join(BACKENDS)}")
    if address is not None and backend == "loky":
        raise InputError("--address is that of a dask scheduler or a ray head; add --backend dask or ray")

    until = None if minutes is None else time.time() + 60 * minutes
    from reference_models.cli.seeds import seeds_in
    from reference_models.comparison.runs import read_comparison
    from reference_models.comparison.sweep import ROWS, sweep

    comparison = read_comparison(plan, dataset).part(
        () if betas is None else betas_in(betas), () if seeds is None else seeds_in(seeds), ablation
    )
    folder = out or default_folder(plan, dataset)
    with parallel_backend(backend, address), progress_of(comparison, folder, quiet) as progress:
        rows = sweep(
            comparison,
            folder,
            n_jobs=jobs,
            root=root,
            device=device,
            retry_failed=retry_failed,
            begin=progress.begin,
            advance=progress.end,
            until=until,
        )
    failed: dict[str, list[str]] = {}
    for row in rows:
        if "error" in row:
            failed.setdefault(row["error"], []).append(row["key"])
    for error, keys in failed.items():
        print(f"failed: {', '.join(keys)}: {error}", file=sys.stderr)
    if failed:
        print("the same command with --retry-failed tries them again", file=sys.stderr)
    print(folder / ROWS)
    if failed:
        raise typer.Exit(1)


@app.command(cls=OnceCommand)
def figures(
    rows: Annotated[
        list[Path],
        typer.Argument(metavar="ROWS...", help="Files of rows of one data set, or folders of sweeps."),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the figures and tables.")] = Path("figures"),
    debug: Debug = False,
) -> None:
    """Draw the figures of a comparison, and write its tables and a page that shows them all (results.md).

    A run that is in several of the files counts once.
    """
    try:
        import matplotlib  # noqa: F401
        import tabulate  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(f"figures need {error.name}; {install_line('report')}") from None
    from reference_models.comparison import results
    from reference_models.comparison.figures import all_figures
    from reference_models.comparison.page import page
    from reference_models.comparison.rows import read_files
    from reference_models.comparison.sweep import ROWS

    rows = [path / ROWS if path.is_dir() else path for path in rows]
    for path in rows:
        if not path.is_file():
            raise InputError(f"there is no file {path}")
    found = read_files(rows)
    try:
        tables = results.tables(found)
        drawn = all_figures(tables)
        training = results.cpu_hours(tables["runs"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"a row in {', '.join(map(str, rows))} is not one of a comparison "
            f"({type(error).__name__}: {error})"
        ) from error
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {out} cannot be a folder: {error.strerror or error}") from error
    for name, table in tables.items():
        if len(table):
            write_whole(out / f"{name}.csv", table.to_csv(index=False, float_format="%.6g"))
            print(out / f"{name}.csv")
    for name, figure in drawn.items():
        drawing = io.BytesIO()
        figure.savefig(drawing, format=Path(name).suffix[1:])
        write_whole(out / name, drawing.getvalue())
        print(out / name)
    write_whole(out / "results.md", page(tables, drawn))
    print(out / "results.md")
    print(f"{len(tables['runs'])} runs{training}")


@app.command(cls=OnceCommand)
def estimate(
    plan: PlanName = "paper",
    dataset: DatasetName = "sprites",
    steps: Annotated[
        int,
        typer.Option(min=2, help="Steps of each model that are trained, of its first stage and of its last."),
    ] = 200,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps.")] = "auto",
    root: Root = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Train some steps of every model of a plan, and say how long the whole plan would take here."""
    from reference_models.comparison.estimate import time_models
    from reference_models.comparison.runs import read_comparison

    comparison = read_comparison(plan, dataset)
    hours = operations = 0.0
    for timed in time_models(comparison, steps=steps, device=device, root=root, progress=not quiet):
        steps_in_all = timed.runs * timed.steps
        hours += (of_model := steps_in_all * timed.seconds_per_step / 3600)
        operations += steps_in_all * timed.operations
        print(
            f"{timed.model}: {1 / timed.seconds_per_step:.1f} steps/s over {timed.timed} steps, "
            f"{timed.operations / 1e9:,.1f} GFLOP a step; {timed.runs} runs of {timed.steps:,} steps: "
            f"{of_model:,.1f} hours"
        )
    print(
        f"{plan} on {dataset}: {hours:,.1f} hours of training here, one run at a time, measuring not "
        f"counted; {operations / 1e15:,.1f} PFLOP: {operations / 3.6e15:,.1f} hours at 1 TFLOP/s"
    )


def refuse_before(context: Any, subcommand: str) -> None:
    """Raise InputError if an option stands before the subcommand, which does not read it there."""
    command = context.command.get_command(context, subcommand)
    taken = [parameter.name for parameter in command.params]
    for option in context.command.params:
        source = context.get_parameter_source(option.name)
        if option.name == "debug" or source is None or source.name != "COMMANDLINE":
            continue
        own = option.opts[0]
        fix = f"put {own} behind it" if option.name in taken else f"{subcommand} takes no {own}"
        raise InputError(f"{own} stands before {subcommand} and would be ignored; {fix}")


def betas_in(text: str) -> list[float]:
    """``"1,4"`` -> 1, 4. Raises InputError if it is no such list."""
    try:
        return [float(beta) for beta in text.split(",")]
    except ValueError:
        raise InputError(f"--betas is {text!r}; accepted: numbers, such as 1,4") from None


def default_folder(plan: str, dataset: str) -> Path:
    return Path("runs") / f"{plan}-{dataset}"


@contextlib.contextmanager
def parallel_backend(name: str, address: str | None) -> Iterator[None]:
    """Make joblib run on this backend. Raises InputError if its library is missing."""
    import joblib

    try:
        with contextlib.ExitStack() as stack:
            if name == "dask":
                from distributed import Client

                stack.enter_context(
                    Client(address) if address else Client(processes=True, threads_per_worker=1)
                )
            if name == "ray":
                import ray
                from ray.util.joblib import register_ray

                register_ray()
                ray.init(address=address, ignore_reinit_error=True)
                stack.callback(ray.shutdown)
            stack.enter_context(joblib.parallel_config(backend=name))
            yield
    except ModuleNotFoundError as error:
        if error.name not in ("distributed", "dask", "ray"):
            raise
        raise InputError(f"--backend {name} needs {error.name}; {install_line(name)}") from None


def progress_of(comparison: Any, folder: Path, quiet: bool) -> Any:
    """What follows the sweep on stderr: a bar, and a line for each run that ends or is resumed."""
    from reference_models.comparison.progress import SweepProgress

    any_rates = dict.fromkeys(comparison.models, 1.0)  # how many runs there are does not depend on them
    runs = [*comparison.pilots(), *comparison.runs(any_rates)]
    steps = sum(run.settings["steps"] for run in runs)
    return SweepProgress(folder, steps, len(runs), shown=not quiet)


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 2 misuse or bad input, 1 a failure, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code, with one line on stderr for an error."""
    return run_command(app, "dm-reproduce", arguments)


if __name__ == "__main__":
    main()
