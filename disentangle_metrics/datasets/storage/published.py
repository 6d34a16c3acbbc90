"""Where the published files of data sets are: found and checked, or fetched where they can be."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from urllib.parse import urlsplit

from disentangle_metrics.datasets.storage.download import ResumedDownload
from disentangle_metrics.errors import DatasetError
from disentangle_metrics.kit.files import expanded, whole_file
from disentangle_metrics.kit.progress import LateProgress


@dataclass(frozen=True)
class PublishedFile:
    """One file, or folder, that others publish, known by its checksum if one is published."""

    dataset: str  # whose file it is
    name: str
    url: str  # "" if no program can fetch it
    algorithm: str  # "md5" or "sha256"
    digest: str  # "" if none is published
    home: str  # where people get the file, in words
    twin: str  # the data set that needs no file
    size: int = 0  # bytes, about; 0 if nobody says


def data_folder(root: str | PathLike[str] | None) -> Path:
    """The folder `root`, or the package's own in the platform's cache."""
    if root is not None:
        return expanded(root)
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


def folder_of(root: str | PathLike[str] | None) -> str | PathLike[str] | None:
    """`root` for a data set of several files: the folder of the one that was given."""
    return None if root is None else path.parent if (path := expanded(root)).is_file() else path


def beside(path: Path, name: str) -> Path:
    """Where to keep what is made of the file at `path`: beside it, or in the cache if that is read-only."""
    made = path.parent / name
    return made if made.exists() or os.access(path.parent, os.W_OK) else data_folder(None) / name


def check(file: PublishedFile, path: Path) -> None:
    """Refuse the file at `path` unless it is the published one, byte for byte, where a checksum is known."""
    if not file.digest:
        return
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
            f"another name; for the published one, {advice(file, path)}"
        )


def fetch(file: PublishedFile, folder: Path) -> None:
    """Download the file into `folder`; it appears there only when it is whole and checked.

    What came before a cut stays there as ``NAME.part``, and the next call goes on with it.

    Raises
    ------
    DatasetError
        If the file cannot be fetched; the message says why, and where people get it.
    """
    path = folder / file.name
    if not file.url:
        raise DatasetError(
            f"{file.dataset}: {path} is not there, and no program can fetch it; {advice(file, path)}"
        )
    import pooch

    pooch.get_logger().setLevel("WARNING")  # its own announcement would stand beside our one line
    part = folder / f"{file.name}.part"
    with LateProgress(f"fetching {file.name}", unit="bytes") as bar:
        download = ResumedDownload(part, bar)
        try:
            try:
                retrieve(file, folder, download)
            except ValueError:
                if not download.resumed:
                    raise
                retrieve(file, folder, download)  # the earlier bytes may have been of another file
        except (OSError, ValueError) as error:  # no network, no such page, no room; another checksum
            raise DatasetError(
                f"{file.dataset}: {path} is not there and could not be fetched "
                f"({reason(error, file, part)}); {advice(file, path)}"
            ) from error


def retrieve(file: PublishedFile, folder: Path, download: ResumedDownload) -> None:
    """Download the file and compare its checksum, a ValueError if it is another."""
    import pooch

    with whole_file(folder / file.name) as unfinished:
        download(file.url, str(unfinished), None)
        if file.digest and not pooch.hashes.hash_matches(unfinished, f"{file.algorithm}:{file.digest}"):
            raise ValueError("what came has another hash than the published file")


def reason(error: OSError | ValueError, file: PublishedFile, part: Path) -> str:
    """Why a file could not be fetched, in few words."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.strerror or str(error)
    if isinstance(error, OSError) and getattr(error, "response", None) is None:
        host = urlsplit(file.url).hostname
        if part.exists():
            kept = part.stat().st_size
            return f"{host} stopped after {kept:,} bytes, which are kept in {part.name}: try again to go on"
        return f"no answer from {host}"
    return str(error).splitlines()[0]


def advice(file: PublishedFile, path: Path) -> str:
    """What a user can do without a network."""
    return (
        f"get {file.name} from {file.home} and put it at {path}, or pass `root` with its place; "
        f"the data set {file.twin!r} needs no file"
    )
