"""Published files: found, checked, fetched, refused; every refusal says what to do."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from disentangle_metrics.datasets.storage import published as files
from disentangle_metrics.datasets.storage.published import PublishedFile, data_folder, locate
from disentangle_metrics.errors import DatasetError

CONTENT = b"pictures" * 1000
FILE = PublishedFile(
    dataset="pictures",
    name="pictures.npz",
    url="http://127.0.0.1:9/pictures.npz",  # no one listens there
    algorithm="sha256",
    digest=hashlib.sha256(CONTENT).hexdigest(),
    home="the museum",
    twin="sketches",
)


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PublishedFile, Path]]:
    """The file behind a real address, and the folder it is served from."""
    folder = tmp_path_factory.mktemp("served")
    (folder / FILE.name).write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield replace(FILE, url=f"http://127.0.0.1:{server.server_port}/{FILE.name}"), folder
        server.shutdown()
        thread.join()


def test_a_file_is_found_by_its_path_or_its_folder(tmp_path: Path) -> None:
    path = tmp_path / FILE.name
    path.write_bytes(CONTENT)
    assert locate(FILE, path) == locate(FILE, tmp_path) == locate(FILE, str(tmp_path)) == path
    renamed = path.rename(tmp_path / "mine")
    assert locate(FILE, renamed) == renamed


def test_the_usual_folder_is_the_platforms_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pooch

    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / project)
    assert data_folder(None) == tmp_path / "disentangle-metrics"
    (tmp_path / "disentangle-metrics").mkdir()
    (tmp_path / "disentangle-metrics" / FILE.name).write_bytes(CONTENT)
    assert locate(FILE, None) == tmp_path / "disentangle-metrics" / FILE.name


def test_home_may_be_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert data_folder("~/data") == tmp_path / "data"


@pytest.mark.parametrize("content", [CONTENT[:-1], b"", CONTENT.replace(b"p", b"b")])
def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE.name
    path.write_bytes(content)
    with pytest.raises(DatasetError) as refusal:
        locate(FILE, tmp_path)
    found = hashlib.sha256(content).hexdigest()
    assert str(refusal.value) == (
        f"pictures: {path} is not the published file: its sha256 is {found}, not {FILE.digest} "
        f"({len(content):,} bytes). If it is yours, keep it under another name; for the published one, get pictures.npz from the "
        f"museum and put it at {path}, or pass `root` with its place; the data set 'sketches' needs no file"
    )
    assert path.read_bytes() == content


def test_a_file_named_but_missing_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"pictures: there is no file .*/other\.npz; get pictures.npz from the museum"
    ):
        locate(FILE, tmp_path / "other.npz")
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path) -> None:
    message = (
        rf"pictures: {tmp_path / FILE.name} is not there and could not be fetched "
        r"\(no answer from 127\.0\.0\.1\); "
        f"get pictures.npz from the museum and put it at .*; the data set 'sketches' needs no file"
    )
    with pytest.raises(DatasetError, match=message) as refusal:
        locate(FILE, tmp_path)
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_fetched_once(served: tuple[PublishedFile, Path], tmp_path: Path) -> None:
    file, folder = served
    path = locate(file, tmp_path / "new" / "folder")
    assert path == tmp_path / "new" / "folder" / FILE.name
    assert path.read_bytes() == CONTENT
    (folder / FILE.name).unlink()
    assert locate(file, path.parent) == path


@pytest.mark.parametrize("content", [CONTENT[:-1], b"moved"])
def test_a_fetched_file_of_another_content_is_not_kept(
    served: tuple[PublishedFile, Path], tmp_path: Path, content: bytes
) -> None:
    file, folder = served
    (folder / FILE.name).write_bytes(content)
    with pytest.raises(DatasetError, match=r"could not be fetched .*hash"):
        locate(file, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_page_that_is_gone_is_named(served: tuple[PublishedFile, Path], tmp_path: Path) -> None:
    file, folder = served
    (folder / FILE.name).unlink()
    with pytest.raises(DatasetError, match=r"could not be fetched .*404"):
        locate(file, tmp_path)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DatasetError, match=r"pictures: .*cannot be read \(Permission denied\)"):
        files.check(FILE, Path(__file__))
