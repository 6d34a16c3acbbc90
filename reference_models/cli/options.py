"""Options that several commands have, and the check of where they write."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from disentangle_metrics import InputError

Models = Annotated[
    list[Path],
    typer.Argument(
        metavar="MODEL...",
        help="Checkpoints, folders of runs (the ends of all their stages), or names of bundled checkpoints.",
    ),
]
Dataset = Annotated[
    str | None, typer.Option(help="Data set of the images.  [default: the one trained on]", metavar="NAME")
]
Root = Annotated[Path | None, typer.Option(help="Where the data set's files are.", metavar="DIR")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
Minutes = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="M",
        help="Stop after so many minutes of the whole command; everything is kept, and the exit code is 0.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def writable(path: Path) -> Path:
    """`path`, if a file can be put there; to be asked before the work starts."""
    try:
        path.exists()
    except OSError as error:
        raise InputError(f"cannot write {str(path)[:80]!r}: {error.strerror}") from error
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}")
    return path
