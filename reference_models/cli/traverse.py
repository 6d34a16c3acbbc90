"""``dm-train traverse``: pictures of what latents and layers do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from disentangle_metrics import InputError
from reference_models.cli.options import Dataset, Debug, Models, Root, writable


def traverse(
    models: Models,
    out: Annotated[Path, typer.Option(help="The picture (.png, or .gif for an animation alone).")],
    dataset: Dataset = None,
    root: Root = None,
    gif: Annotated[bool, typer.Option("--gif", help="Also an animation, beside the picture.")] = False,
    image: Annotated[
        list[int] | None, typer.Option(help="Row of the image to start from; may be repeated.", metavar="N")
    ] = None,
    columns: Annotated[int, typer.Option(min=2, help="Values of each latent.")] = 9,
    extent: Annotated[
        float | None, typer.Option(help="Latents go from -extent to extent.  [default: 2]")
    ] = None,
    quantiles: Annotated[
        bool, typer.Option("--quantiles", help="Values are quantiles of the latent's means instead.")
    ] = False,
    redraw: Annotated[
        bool, typer.Option("--redraw", help="Also draw one whole layer anew while the others stay.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the image (if none is named) and the draws.")] = 0,
    debug: Debug = False,
) -> None:
    """Draw what happens to an image when one latent moves, for each checkpoint."""
    import numpy as np

    from reference_models.trained import pictures, traversals
    from reference_models.trained.load import dataset_of, load, stage_ends

    kind = out.suffix.lower()
    if kind not in (".png", ".gif"):
        raise InputError(f"--out is {out}; its name must end in .png or .gif")
    if redraw and kind == ".gif":
        raise InputError(
            f"--redraw needs a picture, and --out {out} is an animation alone; add --gif to a .png"
        )
    if quantiles and extent is not None:
        raise InputError("--quantiles and --extent both say how far latents go; give one of them")
    if extent is not None and not 0 < extent < float("inf"):
        raise InputError(f"--extent is {extent}; it must be above 0")
    writable(out)
    pictures.pillow()
    trained = [load(path) for model in models for path in stage_ends(model)]
    data = dataset_of(trained, dataset, root)
    images = image or [int(np.random.default_rng(seed).integers(len(data)))]
    subjects = [traversals.subject(one, data, row, seed=seed) for one in trained for row in images]

    def values(of: traversals.Subject) -> traversals.Floats:
        return (
            traversals.quantile_values(of, columns)
            if quantiles
            else traversals.even_values(of, columns, 2.0 if extent is None else extent)
        )

    if kind == ".png":
        grids = [traversals.traversal_grid(of, values(of)) for of in subjects]
        if redraw:
            grids += [traversals.redrawn_grid(of, columns, seed=seed) for of in subjects]
        pictures.write_png(out, grids)
        print(out)
    if gif or kind == ".gif":
        moving = [traversals.animation_grids(of, values(of)) for of in subjects]
        frames = traversals.back_and_forth([list(grids) for grids in zip(*moving, strict=True)])
        pictures.write_gif(out.with_suffix(".gif"), frames)
        print(out.with_suffix(".gif"))
