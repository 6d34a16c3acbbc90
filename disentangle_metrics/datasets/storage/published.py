"""Where the published files of data sets are: found and checked, or fetched where they can be."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from urllib.parse import urlsplit

from disentangle_metrics.errors import DatasetError
from disentangle_metrics.kit.progress import LateProgress


@dataclass(frozen=True)
class PublishedFile:
    """One file that others publish, known by its checksum."""

    dataset: str  # whose file it is
    name: str
    url: str
    algorithm: str  # "md5" or "sha256"
    digest: str
    home: str  # where people get the file, in words
    twin: str  # the data set that needs no file


def data_folder(root: str | PathLike[str] | None) -> Path:
    """The folder `root`, or the package's own in the platform's cache."""
    if root is not None:
        return Path(root).expanduser()
    import pooch

    return Path(pooch.os_cache("disentangle-metrics"))


def locate(file: PublishedFile, root: str | PathLike[str] | None) -> Path:
    """The path of the checked file: `root` itself, in the folder `root`, or in the cache; else fetched there.

    Raises
    ------
    DatasetError
        If the file is not the published one, or is not there and cannot be fetched.
    """
    folder = data_folder(root)
    given = folder.is_file() or (root is not None and folder.suffix == Path(file.name).suffix)
    path = folder if given else folder / file.name
    if path.is_file():
        check(file, path)
    elif given:
        raise DatasetError(f"{file.dataset}: there is no file {path}; {advice(file, path)}")
    else:
        fetch(file, folder)
    return path


def check(file: PublishedFile, path: Path) -> None:
    """Refuse the file at `path` unless it is the published one, byte for byte."""
    try:
        with path.open("rb") as content, LateProgress(f"checking {path.name}", path.stat().st_size) as bar:
            found = hashlib.new(file.algorithm, usedforsecurity=False)
            while block := content.read(1 << 22):
                found.update(block)
                bar.update(len(block))
    except OSError as error:
        raise DatasetError(f"{file.dataset}: {path} cannot be read ({error.strerror or error})") from error
    if found.hexdigest() != file.digest:
        raise DatasetError(
            f"{file.dataset}: {path} is not the published file: its {file.algorithm} is {found.hexdigest()}, "
            f"not {file.digest} ({path.stat().st_size:,} bytes). If it is yours, keep it under "
            "another name; for "
            f"the published one, {advice(file, path)}"
        )


def fetch(file: PublishedFile, folder: Path) -> None:
    """Download the file into `folder`; it appears there only when it is whole and checked."""
    import pooch

    pooch.get_logger().setLevel("WARNING")  # its own announcement would stand beside our one line
    with LateProgress(f"fetching {file.name}", unit="bytes") as bar:
        try:
            pooch.retrieve(
                file.url,
                f"{file.algorithm}:{file.digest}",
                fname=file.name,
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=bar),
            )
        except (OSError, ValueError) as error:  # no network, no such page, no room; another checksum
            raise DatasetError(
                f"{file.dataset}: {folder / file.name} is not there and could not be fetched "
                f"({reason(error, file)}); "
                f"{advice(file, folder / file.name)}"
            ) from error


def reason(error: OSError | ValueError, file: PublishedFile) -> str:
    """Why a file could not be fetched, in few words."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.strerror or str(error)
    if isinstance(error, OSError) and getattr(error, "response", None) is None:
        return f"no answer from {urlsplit(file.url).hostname}"
    return str(error).splitlines()[0]


def advice(file: PublishedFile, path: Path) -> str:
    """What a user can do without a network."""
    return (
        f"get {file.name} from {file.home} and put it at {path}, or pass root= with its place; "
        f"the data set {file.twin!r} needs no file"
    )
