"""dm-data: list, fetch, verify and preview, also against a server."""

from __future__ import annotations

import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disentangle_metrics.cli.data import NAME, app
from disentangle_metrics.datasets import (
    DATASETS,
    Description,
    FactorDataset,
    FactorGrid,
    PublishedFile,
    described,
    locate,
)
from disentangle_metrics.kit import run_command
from tests.cli.conftest import Result

CONTENT = bytes(range(256)) * 100
GRID = FactorGrid(("row", "column"), (16, 16), ("ordinal", "ordinal"))
DmData = Callable[[str], Result]


@pytest.fixture
def dm_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> DmData:
    """Run a command in a folder that is also the usual folder of data."""
    import pooch

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache")

    def call(arguments: str) -> Result:
        code = run_command(app, NAME, arguments.split())
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data set `pages`, whose file a server has; the folder that it is served from."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "pages.bin").write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        file = PublishedFile(
            dataset="pages",
            name="pages.bin",
            url=f"http://127.0.0.1:{server.server_port}/pages.bin",
            algorithm="sha256",
            digest=hashlib.sha256(CONTENT).hexdigest(),
            home="the library",
            twin="sprites",
            size=len(CONTENT),
        )

        @described(
            Description(
                "pages of a book", (("row", 16), ("column", 16)), 256, (10, 10, 1), "public domain", (file,)
            )
        )
        def load(root=None):
            pixels = np.frombuffer(locate(file, root).read_bytes(), np.uint8).reshape(256, 10, 10, 1)
            return FactorDataset("pages", GRID, (10, 10, 1), lambda indices: pixels[indices])

        DATASETS.add("pages", load)
        try:
            yield folder
        finally:
            DATASETS.remove("pages")
            server.shutdown()
            thread.join()


def test_the_list_says_what_each_is_and_whether_it_is_here(
    dm_data: DmData, pages: Path, tmp_path: Path
) -> None:
    lines = dm_data("list").out.splitlines()
    place = lines.index("pages: pages of a book")
    assert lines[place + 1 : place + 3] == [
        "  256 images 10x10x1; factors: row 16, column 16",
        "  licence: public domain; 25.6 kB; not here: dm-data fetch pages",
    ]
    names = [line.partition(":")[0] for line in lines[::3]]
    assert names == DATASETS.names()
    assert all("licence: " in line for line in lines[2::3])
    assert dm_data("fetch pages").code == 0
    assert f"25.6 kB; here, in {tmp_path / 'cache'}" in dm_data("list").out
    assert "25.6 kB; not here" in dm_data("list --root elsewhere").out


def test_what_no_program_can_fetch_has_its_home_in_the_list(dm_data: DmData) -> None:
    listed = dm_data("list").out
    assert (
        "not here: get img_align_celeba.zip and list_attr_celeba.txt from the folder on Google Drive"
        in listed
    )
    assert "drawn by the program" in listed


def test_a_file_is_fetched_verified_and_drawn(dm_data: DmData, pages: Path, tmp_path: Path) -> None:
    fetched = dm_data("fetch pages --root new")
    assert fetched.code == 0
    assert fetched.out == "new/pages.bin\n"
    assert fetched.err == "dm-data: pages: licence public domain\n"
    assert (tmp_path / "new" / "pages.bin").read_bytes() == CONTENT
    (pages / "pages.bin").unlink()
    assert "pages is here, in new" in dm_data("fetch pages --root new").err
    assert dm_data("verify pages --root new").out == "new/pages.bin: the published file, by its sha256\n"
    assert dm_data("verify pages --root new/pages.bin").code == 0
    assert dm_data("preview pages --root new").out == "pages.png\n"
    assert Image.open("pages.png").height == 2 * (12 + 4) - 4
    assert dm_data("preview pages --root new --out other.png").code == 0
    assert Path("other.png").read_bytes() == Path("pages.png").read_bytes()


def test_a_changed_file_is_refused(dm_data: DmData, pages: Path, tmp_path: Path) -> None:
    dm_data("fetch pages")
    (tmp_path / "cache" / "pages.bin").write_bytes(CONTENT[:-1])
    refused = dm_data("verify pages")
    assert refused.code == 2
    assert "is not the published file: its sha256 is" in refused.err
    assert len(refused.err_lines) == 1
    assert dm_data("preview pages").code == 2
    assert not Path("pages.png").exists()


def test_a_dead_link_tells_where_people_get_the_file(dm_data: DmData, pages: Path, tmp_path: Path) -> None:
    (pages / "pages.bin").unlink()
    refused = dm_data("fetch pages --root new")
    assert refused.code == 2
    assert "404" in refused.err
    assert "get pages.bin from the library" in refused.err
    assert "Traceback" not in refused.err
    assert list((tmp_path / "new").iterdir()) == []
    missing = dm_data("verify pages --root new")
    assert missing.code == 2
    assert "there is no new/pages.bin; get pages.bin from the library" in missing.err


def test_what_is_drawn_is_not_fetched_and_verified_by_opening_it(dm_data: DmData) -> None:
    """It needs no description."""

    def load(root=None):
        """Nothing but black."""
        return FactorDataset(
            "black", GRID, (4, 4, 1), lambda indices: np.zeros((len(indices), 4, 4, 1), np.uint8)
        )

    DATASETS.add("black", load)
    try:
        assert "black: Nothing but black." in dm_data("list").out
        assert "black has no files to fetch" in dm_data("fetch black").err
        assert "first and last image can be read" in dm_data("verify black").out
    finally:
        DATASETS.remove("black")
    assert "rooms has no files to fetch: drawn by the program" in dm_data("fetch rooms").err


def test_bad_usage_is_one_line(dm_data: DmData) -> None:
    for arguments, message in (
        ("", "Missing command"),
        ("fetch sprite", "unknown data set 'sprite'; did you mean 'sprites'"),
        ("preview rooms --out rooms.jpg", "--out must be a .png file, got rooms.jpg"),
        ("preview rooms --out nowhere/rooms.png", "there is no folder nowhere"),
    ):
        refused = dm_data(arguments)
        assert message in refused.err
        assert refused.code == 2
        assert len(refused.err_lines) == 1


def test_dm_eval_lists_data_sets_too(dm_eval, pages: Path) -> None:
    line = next(line for line in dm_eval("--list").out.splitlines() if line.startswith("  pages "))
    assert (
        "pages of a book; 256 images 10x10x1; factors: row 16, column 16; not here: dm-data fetch pages"
        in line
    )


def test_preview_replaces_no_picture_of_the_data(dm_data: DmData, tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("faces/a.png")
    before = (tmp_path / "faces/a.png").read_bytes()
    result = dm_data("preview ./faces --out faces/a.png")
    assert result.code == 2
    assert "--out faces/a.png would replace a file of NAME; give it another name" in result.err
    assert (tmp_path / "faces/a.png").read_bytes() == before
    result = dm_data("preview ./faces/")
    assert (result.code, result.out) == (0, "faces.png\n")
