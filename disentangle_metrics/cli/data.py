"""dm-data: what data sets there are, their files fetched and verified, and a picture of each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from disentangle_metrics.kit.commands import UsageError, run_command, say
from disentangle_metrics.kit.given_once import OnceCommand

NAME = "dm-data"

app = typer.Typer(
    pretty_exceptions_enable=False,
    help="List data sets; fetch and verify their files; draw a picture of each.",
)

Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="Data sets, as dm-data list names them.")]
Root = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where the files are or shall be (default: the cache).", show_default=False
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


@app.command("list", cls=OnceCommand)
def list_datasets(root: Root = None, debug: Debug = False) -> None:
    """Say of every data set what it is, its factors, its licence, its size, and whether it is here."""
    from disentangle_metrics.cli.dataset_lines import images, size, whereabouts
    from disentangle_metrics.datasets import DATASETS
    from disentangle_metrics.datasets.description import description_of

    for name, load in DATASETS.load_all().items():
        description = description_of(load)
        print(f"{name}: {description.summary}")
        print(f"  {images(description)}")
        print(
            f"  licence: {description.licence}; {size(description)}; {whereabouts(name, description, root)}"
        )


@app.command(cls=OnceCommand)
def fetch(names: Names, root: Root = None, debug: Debug = False) -> None:
    """Download the files that are missing. A download that was cut goes on where it stopped."""
    from disentangle_metrics.datasets.storage import published

    for name in names:
        description = _description(name)
        missing = description.missing(root)
        if not description.files:
            say(NAME, f"{name} has no files to fetch: {description.source}")
            continue
        folder = description.folder(root)
        if missing:
            say(NAME, f"{name}: licence {description.licence}")
        for file in missing:
            published.fetch(file, folder)
            print(folder / file.name)
        if not missing:
            say(NAME, f"{name} is here, in {folder} (dm-data verify {name} checks it)")


@app.command(cls=OnceCommand)
def verify(names: Names, root: Root = None, debug: Debug = False) -> None:
    """Compare the files with the published checksums; open what has none."""
    from disentangle_metrics.datasets import load_dataset
    from disentangle_metrics.datasets.storage import published
    from disentangle_metrics.errors import DatasetError

    for name in names:
        description = _description(name)
        files = {file for file in (*description.files, *description.instead) if file.digest}
        folder = description.folder(root)
        if missing := description.missing(root):
            path = folder / missing[0].name
            raise DatasetError(f"{name}: there is no {path}; {published.advice(missing[0], path)}")
        for file in sorted(files, key=lambda file: file.name):
            path = folder if folder.is_file() else folder / file.name
            if path.exists():
                published.check(file, path)
                print(f"{path}: the published file, by its {file.algorithm}")
        if not files:
            dataset = load_dataset(name, root)
            dataset.images([0, len(dataset) - 1])
            reason = "no checksum is published" if description.files else description.source
            print(f"{name}: {reason}; its first and last image can be read")


@app.command(cls=OnceCommand)
def preview(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A data set.")],
    root: Root = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The PNG file to write (default: NAME.png).", show_default=False),
    ] = None,
    debug: Debug = False,
) -> None:
    """Draw a contact sheet: a row of images for each factor, which alone changes in it."""
    from disentangle_metrics.cli.files_read import images
    from disentangle_metrics.cli.output import OutputFile, check_places
    from disentangle_metrics.datasets import load_dataset
    from disentangle_metrics.datasets.contact_sheet import save_contact_sheet

    path = Path(name.rstrip("/\\") + ".png") if out is None else out
    if path.suffix.lower() != ".png":
        raise UsageError(f"--out must be a .png file, got {path}")
    check_places({"out": str(path)}, {"NAME": images(name)})
    with OutputFile(str(path)):
        save_contact_sheet(load_dataset(name, root), path.expanduser())
    print(path)


def _description(name: str) -> Any:
    from disentangle_metrics.datasets import DATASETS
    from disentangle_metrics.datasets.description import description_of

    return description_of(DATASETS.load(name))


def main() -> None:
    """The console command."""
    sys.exit(run_command(app, NAME, sys.argv[1:]))
