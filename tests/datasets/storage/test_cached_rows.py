"""Rows kept in a file: whole or not there, checked when opened, and made again when damaged."""

import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from disentangle_metrics.datasets.storage.cached_rows import HEADER_BYTES, CachedRows, MakeRows, RowsKind
from disentangle_metrics.datasets.storage.packed import PackedImages
from disentangle_metrics.kit import files

KIND = RowsKind("noise 1", count=50, row_bytes=4)
PIXELS = np.random.default_rng(0).integers(0, 2, (50, 5, 6, 1), np.uint8)


def noise() -> Iterator[NDArray[np.uint8]]:
    rows = np.packbits(PIXELS.reshape(50, 30), axis=1)
    yield rows[:20]
    yield rows[20:]


def never() -> Iterator[NDArray[np.uint8]]:
    raise AssertionError("a good file must not be made again")
    yield


def noise_at(path: Path, make: MakeRows = noise) -> PackedImages:
    return PackedImages(CachedRows(path, KIND, make, "noise"), 5, 6)


def everything(images: PackedImages) -> NDArray[np.uint8]:
    return images(np.arange(KIND.count))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "noise.bits"
    np.testing.assert_array_equal(everything(noise_at(path, noise)), 255 * PIXELS)
    return path


def test_a_good_file_is_opened_and_not_made_again(path: Path) -> None:
    images = noise_at(path, never)
    np.testing.assert_array_equal(images(np.array([49, 3, 3])), 255 * PIXELS[[49, 3, 3]])
    assert images(np.array([], np.int64)).shape == (0, 5, 6, 1)
    assert [file.name for file in path.parent.iterdir()] == ["noise.bits"]


def flip_a_bit(content: bytes) -> bytes:
    return content[:-7] + bytes([content[-7] ^ 1]) + content[-6:]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flip_a_bit, "checksum"),
        (lambda content: content[:-1], "bytes, not"),
        (lambda content: b"", "0 bytes, not"),
        (lambda content: b"?" * HEADER_BYTES + content[HEADER_BYTES:], "header"),
        (lambda content: b"7".ljust(HEADER_BYTES) + content[HEADER_BYTES:], "header"),
        (lambda content: content.replace(b"noise 1", b"noise 0"), "noise 0"),
    ],
)
def test_a_damaged_file_is_noticed_and_made_again(path: Path, damage, reason: str) -> None:
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match=rf"noise.bits is damaged \(.*{reason}.*and is made again"):
        images = everything(noise_at(path, noise))
    np.testing.assert_array_equal(images, 255 * PIXELS)
    np.testing.assert_array_equal(everything(noise_at(path, never)), 255 * PIXELS)


def test_an_interrupted_making_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> Iterator[NDArray[np.uint8]]:
        yield next(noise())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        everything(noise_at(tmp_path / "noise.bits", interrupted))
    assert list(tmp_path.iterdir()) == []


def test_too_few_images_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="20 rows were made, not 50"):
        everything(noise_at(tmp_path / "noise.bits", lambda: [next(noise())]))


KILLED_MAKER = """
import os, signal, sys
from pathlib import Path
from disentangle_metrics.kit.files import whole_file

with whole_file(Path(sys.argv[1])) as unfinished:
    unfinished.write_bytes(bytes(1000))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_what_a_killed_process_left_is_removed_after_an_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "noise.bits"
    subprocess.run([sys.executable, "-c", KILLED_MAKER, str(path)], check=False)
    (left,) = tmp_path.iterdir()
    (tmp_path / ".other.bits.1.part").touch()
    everything(noise_at(path))
    assert left.exists()  # it might still be written
    path.unlink()
    monkeypatch.setattr(files, "ABANDONED", -1.0)
    everything(noise_at(path))
    assert sorted(file.name for file in tmp_path.iterdir()) == [".other.bits.1.part", "noise.bits"]


SLOW_MAKER = """
import sys, time, zlib
from pathlib import Path
import numpy as np
from disentangle_metrics.datasets.storage.cached_rows import CachedRows, RowsKind

def slow():
    for i in range(10):
        time.sleep(0.05)
        yield np.full((10, 512), i, np.uint8)

print("ready", flush=True)
sys.stdin.readline()
rows = CachedRows(Path(sys.argv[1]), RowsKind("slow 1", 100, 512), slow, "slow").open()
print(zlib.crc32(rows.tobytes()))
"""


def test_two_processes_may_make_the_same_file_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", SLOW_MAKER, str(tmp_path / "slow.bits")]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    results = []
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        results.append(process.communicate(timeout=60)[0])
        assert process.returncode == 0
    assert results[0] == results[1]
    assert [file.name for file in tmp_path.iterdir()] == ["slow.bits"]


def test_without_a_folder_to_write_to_the_images_stay_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    images = noise_at(tmp_path / "file" / "noise.bits", noise)
    with pytest.warns(UserWarning, match="nothing can be kept in .*keeping it in memory.*Pass `root` with"):
        np.testing.assert_array_equal(everything(images), 255 * PIXELS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once is enough
        everything(images)


def test_another_process_gets_the_path_and_not_the_images(path: Path) -> None:
    images = noise_at(path, noise)
    everything(images)
    sent = pickle.loads(pickle.dumps(images))
    assert sent.rows._rows is None
    np.testing.assert_array_equal(everything(sent), 255 * PIXELS)
