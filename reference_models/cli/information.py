"""``dm-train information``: what each layer of latents knows of the image, stage by stage."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from disentangle_metrics import InputError
from reference_models.cli.options import Dataset, Debug, Models, Quiet, Root, writable

if TYPE_CHECKING:
    from rich.console import Console

    from reference_models.trained.information_flow import StageInformation

WIDTH_WITHOUT_TERMINAL = 100


def information(
    models: Models,
    dataset: Dataset = None,
    root: Root = None,
    samples: Annotated[
        int | None,
        typer.Option(
            help="Images to encode; no more than log N nats can be seen.  [default: every image]",
            metavar="N",
        ),
    ] = None,
    draws: Annotated[int, typer.Option(help="Codes drawn; more narrow the error.", metavar="N")] = 1_000,
    seed: Annotated[int, typer.Option(help="Of the images and the draws.")] = 0,
    csv: Annotated[Path | None, typer.Option(help="Also write the table as CSV.", metavar="FILE")] = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Print how much each layer of latents knows of the image, after each stage of training."""
    from rich.console import Console

    from disentangle_metrics.kit import LateProgress, same_file, write_whole
    from reference_models.trained.information_flow import information_flow, posteriors_of, table
    from reference_models.trained.load import dataset_of, load, rows_of, stage_ends

    if csv is not None:
        writable(csv)
    if seed < 0:
        raise InputError(f"--seed is {seed}; it must be at least 0")
    paths = [path for model in models for path in stage_ends(model)]
    if csv is not None and any(same_file(csv, path) for path in paths):
        raise InputError(f"--csv {csv} would replace a checkpoint that is read; give it another name")
    trained = list(map(load, paths))
    data = dataset_of(trained, dataset, root)
    for stage in trained:
        posteriors_of(stage, data, rows_of(data, 1, seed))  # what cannot be measured costs no other's hours
    images = len(data) if samples is None else min(samples, len(data))
    with LateProgress("measuring", 2 * len(paths), shown=not quiet) as bar:
        stages = list(
            information_flow(
                trained,
                data,
                samples=samples,
                draws=draws,
                seed=seed,
                encoded=lambda done: bar.update(done / images, "encoding images"),
                advance=lambda done: bar.update(done / draws, "drawing codes"),
            )
        )
    console = Console(file=sys.stdout)
    if not console.is_terminal:
        console = Console(file=sys.stdout, width=WIDTH_WITHOUT_TERMINAL)
    show(stages, data.name, console)
    if csv is not None:
        write_whole(csv, table(stages).to_csv(index=False))


def show(stages: list[StageInformation], dataset: str, console: Console) -> None:
    """Print the table on a rich console."""
    from rich.table import Table
    from rich.text import Text

    from reference_models.trained.information_flow import NEAR_CEILING

    first = stages[0].layers[0]
    near = any(layer.saturated for stage in stages for layer in stage.layers)
    shown = Table(
        title=Text(
            f"Information about the image in nats; N = {first.images:,} images of {dataset}", "table.title"
        ),
        caption=f"I(x; z): {first.estimator}, at most log N = {first.ceiling:.2f}. "
        "bound: mean KL of the posterior from the prior. Layer 1 is the lowest."
        + (f" *: within {NEAR_CEILING} of log N; the layer may know much more." if near else ""),
    )
    shown.add_column("checkpoint")
    for name in ("layer", "latents", "I(x; z)", "std. error", "bound"):
        shown.add_column(name, justify="right")
    for stage in stages:
        label = f"{stage.model}, step {stage.step:,}"
        for layer in stage.layers:
            shown.add_row(
                label,
                layer.layer,
                str(layer.latents),
                f"{layer.information:.3f}{'*' if layer.saturated else ''}",
                f"{layer.standard_error:.3f}",
                f"{layer.upper_bound:.3f}",
                end_section=layer is stage.layers[-1],
            )
            label = ""
    console.print(shown)
