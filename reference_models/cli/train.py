"""``dm-train``: train a reference model. Parses, calls, prints."""

from __future__ import annotations

import ast
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from disentangle_metrics import InputError
from disentangle_metrics.kit import OnceCommand, run_command, run_supervised
from reference_models import cards
from reference_models.cli.export import export
from reference_models.cli.information import information
from reference_models.cli.options import Minutes
from reference_models.cli.traverse import traverse
from reference_models.datasets import open_dataset, short_name
from reference_models.models import MODELS, defaults_of
from reference_models.training.freed_memory import keep_freed_memory

app = typer.Typer(
    name="dm-train",
    help="Train a reference model that makes representations to evaluate.",
    no_args_is_help=False,  # a missing model is a mistake of one line
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def dm_train() -> None:
    """Train a reference model that makes representations to evaluate."""
    # Its being there makes typer ask for the model's name even while there is only one.


def command(model: str) -> Callable[..., None]:
    """The subcommand that trains `model`."""

    def train_model(
        context: typer.Context,
        dataset: Annotated[
            str | None,
            typer.Option(help="Data set to train on, or your own: mine.npz, a folder.  [default: sprites]"),
        ] = None,
        preset: Annotated[
            str | None,
            typer.Option(help="smoke (does it run?), demo (tens of minutes) or paper.  [default: demo]"),
        ] = None,
        beta: Annotated[float | None, typer.Option(help="Weight of the KL terms.")] = None,
        seed: Annotated[
            int | None, typer.Option(help="Of the first weights and of every draw.  [default: 0]")
        ] = None,
        seeds: Annotated[
            str | None,
            typer.Option(
                metavar="0-4",
                help="A run for each of these seeds, in folders seed-0, seed-1, ... of --out: on a GPU "
                "side by side, elsewhere one after another.",
            ),
        ] = None,
        out: Annotated[
            Path | None, typer.Option(help="Folder of the run.  [default: runs/MODEL-DATASET-PRESET-SEED]")
        ] = None,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
        minutes: Minutes = None,
        steps: Annotated[
            int | None, typer.Option(help="Train this long; a new run's schedule keeps its proportions.")
        ] = None,
        batch_size: Annotated[
            int | None, typer.Option(help="Images (or pairs) at a time, over all devices.")
        ] = None,
        accumulate: Annotated[
            int | None,
            typer.Option(
                help="Batches whose gradients make one step, as one that many times as large would; models "
                "that compare the images of a batch do so within each."
            ),
        ] = None,
        learning_rate: Annotated[float | None, typer.Option()] = None,
        setting: Annotated[
            list[str] | None,
            typer.Option(
                "--set", metavar="NAME=VALUE", help="One of the model's own settings; may be repeated."
            ),
        ] = None,
        root: Annotated[Path | None, typer.Option(help="Where the data set's files are.")] = None,
        device: Annotated[
            str | None, typer.Option(help="auto, cpu, cuda, cuda:1, mps.  [default: auto]")
        ] = None,
        devices: Annotated[
            int | None,
            typer.Option(
                help="So many devices of this kind share each batch; models that compare its images do so "
                "within each share.  [default: 1]"
            ),
        ] = None,
        precision: Annotated[
            str | None, typer.Option(help="float32, bfloat16 or float16.  [default: float32]")
        ] = None,
        deterministic: Annotated[
            bool | None,
            typer.Option(
                "--deterministic/--no-deterministic", help="Only algorithms that repeat to the last bit."
            ),
        ] = None,
        compile: Annotated[bool | None, typer.Option(help="Compile the objective first.")] = None,
        capture: Annotated[
            bool | None,
            typer.Option(help="On CUDA, replay each step as one graph; without, launch every kernel."),
        ] = None,
        data_share: Annotated[
            float | None,
            typer.Option(
                help="Share of a GPU's free memory that the whole data set may take.  [default: 0.5]"
            ),
        ] = None,
        channels_last: Annotated[bool | None, typer.Option(help="Memory layout; faster on CPUs.")] = None,
        threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.  [default: PyTorch's]")] = None,
        log_every: Annotated[int | None, typer.Option(help="Steps between rows of the log.")] = None,
        save_every: Annotated[int | None, typer.Option(help="Steps between checkpoints.")] = None,
        score_every: Annotated[
            int | None,
            typer.Option(help="Steps between scores of the encoder, in scores.csv.  [default: never]"),
        ] = None,
        logger: Annotated[
            str | None, typer.Option(help="tensorboard or wandb, besides the log files.  [default: none]")
        ] = None,
        quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
        debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    ) -> None:
        keep_freed_memory()
        import torch

        from reference_models.cli.seeds import (
            LAST,
            Given,
            check_beginning,
            facts,
            notes_of,
            say,
            seeds_in,
            train_seeds,
        )
        from reference_models.trained.load import check_fit
        from reference_models.training import recipe
        from reference_models.training.resuming import check_same_run
        from reference_models.training.train import train

        until = None if minutes is None else time.time() + 60 * minutes
        if threads is not None:
            torch.set_num_threads(threads)
        begun_with = shlex.join(["dm-train", *context.obj])
        given = Given(
            model,
            dataset,
            preset,
            steps,
            arguments=own_settings(setting or (), beta),
            settings={
                "steps": steps,
                "seed": seed,
                "batch_size": batch_size,
                "accumulate": accumulate,
                "learning_rate": learning_rate,
                "device": device,
                "devices": devices,
                "precision": precision,
                "compile": compile,
                "capture": capture,
                "data_share": data_share,
                "channels_last": channels_last,
                "deterministic": deterministic,
                "log_every": log_every,
                "save_every": save_every,
                "score_every": score_every,
                "logger": logger,
            },
        )
        if seeds is not None:
            if seed is not None:
                raise InputError("--seed and --seeds do not go together; give one of them")
            if devices not in (None, 1):
                raise InputError("--seeds trains each run on one device; leave --devices out")
            train_seeds(given, seeds_in(seeds), out, root, begun_with, resume, not quiet, until)
            return
        if resume and out is None:
            own = default_folder(given.plan(None, begun_with)[0])
            raise InputError(f"--resume needs --out, the folder of the run to go on with, such as {own}")
        plan, begun_with = given.plan(out if resume else None, begun_with)
        folder = out or default_folder(plan)
        data = open_dataset(plan.dataset, root)
        plan = recipe.fitted(plan, data.image_shape)
        if resume:
            check_same_run(folder / LAST, facts(plan, data.name))
            check_fit(folder / LAST, plan.model, plan.arguments)
        else:
            given.check_batch(data)
        check_beginning(plan, data, resumed=resume)
        say(notes_of(plan, data, begun=resume), shown=not quiet)
        weights = train(
            recipe.build(plan),
            data,
            plan.settings,
            folder,
            description={"arguments": plan.arguments, "preset": plan.preset, "command": begun_with},
            resume=resume,
            progress=not quiet,
            until=until,
        )
        print(weights)

    return train_model


def default_folder(plan: Any) -> Path:
    """Where the run of a plan is kept without --out."""
    return Path("runs") / f"{plan.model}-{short_name(plan.dataset)}-{plan.preset}-{plan.settings.seed}"


class ModelCommand(OnceCommand):
    """Its help ends with the model's own settings."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Options as they are; one that is a setting of the model is answered with its form."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:  # the parser's own, whose class moves between versions of typer
            option = str(getattr(error, "option_name", None) or "")
            name = option.removeprefix("--").replace("-", "_")
            if not option or name not in defaults_of(str(self.name)):
                raise
            raise InputError(f"{option} is a setting of {self.name}: --set {name}=VALUE") from None

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        formatter.write(f"\n{cards.settings_text(str(self.name))}\n")


def list_models() -> None:
    """List the models: what each is, its paper, its presets."""
    print(cards.listing())
    print("\ndm-train MODEL --help shows a model's settings; dm-eval --list names the data sets.")


READING = ("information", "traverse", "export")
for _name in MODELS:
    app.command(_name, cls=ModelCommand, help=f"Train {_name}.")(command(_name))
app.command("list", cls=OnceCommand)(list_models)
for _action in (information, traverse, export):
    app.command(cls=OnceCommand)(_action)


def own_settings(given: Sequence[str], beta: float | None) -> dict[str, Any]:
    """The model's own settings of --set and --beta. Raises InputError if one is given twice."""
    settings: dict[str, Any] = {} if beta is None else {"beta": beta}
    for name, value in map(parsed, given):
        if name in settings:
            by = "--beta and --set" if name == "beta" and beta is not None else "--set"
            raise InputError(f"{name} is given twice by {by}; give it once")
        settings[name] = value
    return settings


def parsed(setting: str) -> tuple[str, Any]:
    """``"name=value"`` -> name (with underscores) and :func:`value_of` the rest."""
    name, equals, text = setting.partition("=")
    if not equals:
        raise InputError(f"--set {setting!r} must have the form name=value, such as gamma=0.1")
    return name.strip().replace("-", "_"), value_of(text)


def value_of(text: str) -> Any:
    """A number, a truth value or a list, as JSON or as Python writes it; else the text itself."""
    for read in (json.loads, ast.literal_eval):  # the help shows what the model's file has: Python
        try:
            value = read(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        if isinstance(value, tuple | list):
            return list(value)
        if isinstance(value, str | bool | int | float):
            return value
    return text


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 2 misuse or bad input, 1 a failure, 130 interrupted."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] and arguments[0] in READING:  # what it reads may come from elsewhere
        sys.exit(run_supervised(app, "dm-train", arguments))
    sys.exit(run(arguments))


def run(arguments: list[str]) -> int:
    """Run the command and return its exit code, with one line on stderr for an error."""
    return run_command(app, "dm-train", arguments)


if __name__ == "__main__":
    main()
