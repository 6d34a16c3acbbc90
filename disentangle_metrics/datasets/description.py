"""What is known of a data set before it is opened: its images, factors, licence and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeVar

from disentangle_metrics.datasets.storage.published import PublishedFile, data_folder
from disentangle_metrics.errors import DatasetError

Load = TypeVar("Load", bound=Callable[..., Any])


@dataclass(frozen=True)
class Description:
    """What lists of data sets say of one.

    Parameters
    ----------
    summary : str
        What the images show, in a few words.
    factors : tuple of (str, int)
        Name and number of values of each factor.
    count : int
        How many images there are; 0 if that depends on the user's files.
    image_shape : tuple of int
        Height, width and channels, as opened without options; () if that depends on the files.
    licence : str
        Of the images.
    files : tuple of PublishedFile
        What has to be there; nothing for images that are drawn.
    instead : tuple of PublishedFile
        Files each of which is enough by itself.
    source : str
        Where the images come from, if there are no files.
    folder : callable
        From `root` to the folder that the files are looked for in.
    """

    summary: str
    factors: tuple[tuple[str, int], ...] = ()
    count: int = 0
    image_shape: tuple[int, ...] = ()
    licence: str = "not stated"
    files: tuple[PublishedFile, ...] = ()
    instead: tuple[PublishedFile, ...] = ()
    source: str = "drawn by the program"
    folder: Callable[[str | PathLike[str] | None], Path] = data_folder

    @property
    def size(self) -> int:
        """Bytes of all files, about; 0 if it is not known of one of them."""
        sizes = [file.size for file in self.files]
        return sum(sizes) if all(sizes) else 0

    def missing(self, root: str | PathLike[str] | None = None) -> list[PublishedFile]:
        """The files that are not in the folder `root`, or in the package's own folder."""
        try:
            folder = self.folder(root)
        except DatasetError:  # the package that carries them is not installed
            return list(self.files)
        if folder.is_file() or any((folder / file.name).exists() for file in self.instead):
            return []
        return [file for file in self.files if not (folder / file.name).exists()]


def described(description: Description) -> Callable[[Load], Load]:
    """Decorate a function that opens a data set with what lists say of it."""

    def attach(load: Load) -> Load:
        load.__dict__["description"] = description
        return load

    return attach


def description_of(load: Callable[..., Any]) -> Description:
    """What a data set's function was decorated with; else the first line of its docstring."""
    attached = getattr(load, "description", None)
    if isinstance(attached, Description):
        return attached
    lines = (load.__doc__ or "").strip().splitlines()
    return Description(lines[0] if lines else "nothing is said of it", source="said by the plug-in alone")
