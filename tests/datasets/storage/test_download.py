"""Downloads from a server that cuts, stalls, is slow or sends something else; a half file is never a file."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from disentangle_metrics.datasets.storage import download
from disentangle_metrics.datasets.storage.published import PublishedFile, fetch
from disentangle_metrics.errors import DatasetError

CONTENT = bytes(range(256)) * 4096  # 1 MiB
HALF = len(CONTENT) // 2
FILE = PublishedFile(
    dataset="pictures",
    name="pictures.npz",
    url="",
    algorithm="sha256",
    digest=hashlib.sha256(CONTENT).hexdigest(),
    home="the museum",
    twin="sketches",
)
PART = f"{FILE.name}.part"


@dataclass
class Server:
    """How the server behaves, and the ranges it was asked for."""

    content: bytes = CONTENT
    ranges: bool = True
    cuts: int = 0  # answers that end after half of what is left
    pause: float = 0.0  # seconds between pieces
    status: int = 200
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    behaviour = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            behaviour.asked.append(asked)
            if behaviour.status != 200:
                self.send_error(behaviour.status)
                return
            first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and behaviour.ranges else 0
            total = len(behaviour.content)
            if first >= total:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{total}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = behaviour.content[first:]
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{total - 1}/{total}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if behaviour.cuts:
                behaviour.cuts -= 1
                body = body[: len(body) // 2]
            for place in range(0, len(body), 1 << 18):
                if behaviour.pause:
                    time.sleep(behaviour.pause)
                self.wfile.write(body[place : place + (1 << 18)])

        def log_message(self, *arguments: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # the client went
                super().handle()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        behaviour.url = f"http://127.0.0.1:{listening.server_port}/{FILE.name}"
        try:
            yield behaviour
        finally:
            listening.shutdown()
            thread.join()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_cut_download_goes_on_by_itself(server: Server, tmp_path: Path) -> None:
    server.cuts = 2
    fetch(replace(FILE, url=server.url), tmp_path)
    assert server.asked == [None, f"bytes={HALF}-", f"bytes={HALF + HALF // 2}-"]
    assert (tmp_path / FILE.name).read_bytes() == CONTENT
    assert names(tmp_path) == [FILE.name]


def test_what_came_is_kept_under_another_name_and_the_next_call_goes_on(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.cuts = 1
    file = replace(FILE, url=server.url)
    with pytest.raises(
        DatasetError,
        match=rf"127.0.0.1 stopped after {HALF:,} bytes, which are kept in {PART}: try again to go on\); get pictures.npz",
    ):
        fetch(file, tmp_path)
    assert names(tmp_path) == [PART]
    assert (tmp_path / PART).read_bytes() == CONTENT[:HALF]
    fetch(file, tmp_path)
    assert server.asked == [None, f"bytes={HALF}-"]
    assert (tmp_path / FILE.name).read_bytes() == CONTENT
    assert names(tmp_path) == [FILE.name]


def test_a_server_that_cannot_go_on_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    fetch(replace(FILE, url=server.url), tmp_path)
    assert server.asked == ["bytes=1000-"]
    assert (tmp_path / FILE.name).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "part", [CONTENT, CONTENT + b"more", b"x" * 1000, b""], ids=["whole", "long", "other", "empty"]
)
def test_whatever_part_is_there_the_file_is_right(server: Server, tmp_path: Path, part: bytes) -> None:
    (tmp_path / PART).write_bytes(part)
    fetch(replace(FILE, url=server.url), tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT
    assert names(tmp_path) == [FILE.name]
    assert len(server.asked) == {len(CONTENT): 1, len(CONTENT) + 4: 2, 1000: 2, 0: 1}[len(part)]


@pytest.mark.parametrize("body", [b"<html>moved</html>", CONTENT[:-1] + b"x", b""])
def test_a_wrong_body_is_not_kept(server: Server, tmp_path: Path, body: bytes) -> None:
    server.content = body
    with pytest.raises(DatasetError, match=r"could not be fetched .*hash.*get pictures.npz from the museum"):
        fetch(replace(FILE, url=server.url), tmp_path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_refusal_keeps_what_was_there_and_says_where_people_get_the_file(
    server: Server, tmp_path: Path, status: int
) -> None:
    server.status = status
    (tmp_path / PART).write_bytes(CONTENT[:1000])
    with pytest.raises(
        DatasetError, match=rf"could not be fetched \({status}.*get pictures.npz from the museum"
    ):
        fetch(replace(FILE, url=server.url), tmp_path)
    assert names(tmp_path) == [PART]
    assert (tmp_path / PART).read_bytes() == CONTENT[:1000]


def test_a_slow_server_is_waited_for(server: Server, tmp_path: Path) -> None:
    server.pause = 0.1
    fetch(replace(FILE, url=server.url), tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT


def test_a_server_that_says_nothing_is_given_up(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "TIMEOUT", 0.2)
    server.pause = 3
    with pytest.raises(DatasetError, match=r"could not be fetched \(no answer from 127\.0\.0\.1\)"):
        fetch(replace(FILE, url=server.url), tmp_path)
    assert names(tmp_path) == []


def test_an_interrupted_download_leaves_its_part(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = replace(FILE, url=server.url)
    update = download.LateProgress.update

    def interrupt(bar: download.LateProgress, amount: float, label: str | None = None) -> None:
        update(bar, amount, label)
        if bar._done > HALF:
            raise KeyboardInterrupt

    monkeypatch.setattr(download.LateProgress, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fetch(file, tmp_path)
    assert names(tmp_path) == [PART]
    monkeypatch.setattr(download.LateProgress, "update", update)
    fetch(file, tmp_path)
    assert (tmp_path / FILE.name).read_bytes() == CONTENT


def test_a_download_beside_another_goes_its_own_way(server: Server, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    with (tmp_path / PART).open("wb") as other:
        other.write(b"half")
        other.flush()
        fcntl.flock(other, fcntl.LOCK_EX)
        fetch(replace(FILE, url=server.url), tmp_path)
        assert (tmp_path / FILE.name).read_bytes() == CONTENT
        assert (tmp_path / PART).read_bytes() == b"half"


def test_what_no_program_can_fetch_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"is not there, and no program can fetch it; get pictures.npz from the museum"
    ):
        fetch(FILE, tmp_path)
