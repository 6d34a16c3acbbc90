"""A file is there whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from disentangle_metrics.kit import remove_unfinished, same_file, whole_file, write_whole


def test_the_new_content_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "result.txt"
    write_whole(path, "first é")
    assert path.read_bytes() == "first é".encode()
    write_whole(path, b"\x00\x01")
    assert path.read_bytes() == b"\x00\x01"
    assert [file.name for file in path.parent.iterdir()] == ["result.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "result.txt"
    write_whole(path, "old")

    def stop_half_way() -> None:
        with whole_file(path) as unfinished:
            unfinished.write_text("new")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        stop_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_keeps_pointing_at_its_file(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    write_whole(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write_whole(pipe, "through")
    reader.join(timeout=10)
    assert read == ["through"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="no paths of open files")
def test_a_pipe_without_a_path_of_its_own_is_written_to() -> None:
    """As of /dev/stdout in a pipeline, and of the shell's >(gzip > r.gz)."""
    read, write = os.pipe()
    try:
        write_whole(Path(f"/dev/fd/{write}"), "through")
        assert os.read(read, 100) == b"through"
    finally:
        os.close(read)
        os.close(write)


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".result.txt.abc.part").touch()
    (tmp_path / "notes.part").touch()
    remove_unfinished(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.part"]


def refused(source: object, target: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_a_file_that_cannot_be_replaced_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As another user's file in a sticky folder, or one that Windows keeps from being replaced."""
    path = tmp_path / "result.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(PermissionError):
        write_whole(path, "new")
    assert path.read_text() == "old"
    write_whole(path, "old")  # what another process was quicker to put there
    assert list(tmp_path.iterdir()) == [path]


def test_two_paths_to_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").touch()
    (tmp_path / "link").symlink_to("there")
    (tmp_path / "dangling").symlink_to("new")
    for first, second in [("there", "./there"), ("link", "there"), ("new", "./new"), ("dangling", "new")]:
        assert same_file(Path(first), Path(second))
    assert not same_file(Path("there"), Path("new"))
    assert not same_file(Path("x" * 5000), Path("there"))
