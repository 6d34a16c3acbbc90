"""NumPy's files, archives of them, and files compressed as a whole, that lie or hurt."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.hostile.cases import Case, Fuse, content, cut

GOOD = np.random.default_rng(0).normal(size=(50, 2))


def npy(header: str, data: bytes = b"\0" * 800, version: int = 1, length: int | None = None) -> bytes:
    """A .npy file with this description of itself."""
    text = header.encode("latin1") + b" " * (-len(header) % 16) + b"\n"
    size = len(text) if length is None else length
    packed = struct.pack("<H" if version == 1 else "<I", size % (65536 if version == 1 else 2**32))
    return b"\x93NUMPY" + bytes((version, 0)) + packed + text + data


def described(shape: str, descr: str = "'<f8'", fortran: str = "False") -> str:
    return f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"


HEADERS = {
    "a_terabyte": described("(1000000000, 125)"),
    "twelve_gigabytes": described("(1500000000,)"),
    "beyond_64_bits": described("(9223372036854775807, 9223372036854775807)"),
    "a_little_more": described("(101,)"),
    "negative": described("(-1, 5)"),
    "twice_negative": described("(-4, -25)"),
    "items_of_no_size": described("(1000000000000000000,)", "'|V0'"),
    "text_of_no_size": described("(1000000000000,)", "'<U0'"),
    "objects": described("(100,)", "'|O'"),
    "objects_in_fields": described("(10,)", "[('a', '|O'), ('b', '<f8')]"),
    "shape_of_text": described("'abc'"),
    "shape_of_floats": described("(10.0, 2.0)"),
    "no_shape": "{'descr': '<f8', 'fortran_order': False}",
    "more_keys": "{'descr': '<f8', 'fortran_order': False, 'shape': (100,), 'x': 1}",
    "code": described("__import__('pathlib').Path('exploded').touch()"),
    "code_as_type": described("(100,)", "__import__('os').system('touch exploded')"),
    "order_of_text": described("(100,)", fortran="'yes'"),
    "unknown_type": described("(100,)", "'<z9'"),
    "huge_text": described("(1,)", "'<U2000000000'"),
    "many_dimensions": described(f"({'1, ' * 60})"),
    "deep": described("(" * 100 + ")" * 100),
    "no_dictionary": "[1, 2, 3]",
    "nothing": "",
    "nested_fields": described("(10,)", "[('a', [('b', [('c', '<f8')])])]"),
    "complex": described("(50,)", "'<c16'"),
    "dates": described("(100,)", "'<M8[s]'"),
    "bytes": described("(100,)", "'|S8'"),
}


LATER = ("nested_fields", "dates", "complex", "bytes", "many_dimensions")  # what is scored decides


def array_files() -> Iterator[Case]:
    for name, header in HEADERS.items():
        outcome = "either" if name in LATER else "refused"
        yield Case(f"npy_{name}", content(npy(header)), outcome=outcome)  # type: ignore[arg-type]
    for version, length in ((1, 65535), (2, 2**31), (2, 2**32 - 16), (3, 2**30), (9, 100)):
        yield Case(
            f"npy_{version}_{length}", content(npy(described("(100,)"), version=version, length=length))
        )
    yield from cut("npy", lambda path: np.save(path.open("wb"), GOOD), 5)
    yield Case("npy_scalar", lambda path: np.save(path.open("wb"), np.float64(3)))
    yield Case("npy_empty", lambda path: np.save(path.open("wb"), np.zeros((0, 3))), outcome="either")
    yield Case("npy_no_columns", lambda path: np.save(path.open("wb"), np.zeros((50, 0))), outcome="either")
    yield Case(
        "npy_five_dimensions", lambda path: np.save(path.open("wb"), np.zeros((2,) * 5)), outcome="either"
    )
    yield Case("npy_hole", _hole)
    yield Case("npy_pickled", _pickled_npy)


def _hole(path: Path) -> None:
    """12 GB of nothing, which take no room on the disk."""
    path.write_bytes(npy(described("(1500000000,)"), b""))
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size + 12_000_000_000)


def _pickled_npy(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([Fuse(path)], dtype=object), allow_pickle=True)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    written = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(written, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, data in members.items():
            archive.writestr(name, data)
    return written.getvalue()


def good_npy() -> bytes:
    written = io.BytesIO()
    np.save(written, GOOD)
    return written.getvalue()


def changed(data: bytes, before: bytes, after: bytes) -> bytes:
    """With every occurrence replaced by as many bytes."""
    assert before in data
    assert len(before) == len(after)
    return data.replace(before, after)


def archives() -> Iterator[Case]:
    good = good_npy()
    for name in ("a_terabyte", "negative", "items_of_no_size", "objects", "code", "a_little_more", "deep"):
        yield Case(f"npz_{name}", content(zipped({"latents.npy": npy(HEADERS[name])})))
    plain = zipped({"latents.npy": good}, zipfile.ZIP_STORED)
    yield from cut("npz", content(plain), 5)
    yield Case("npz_bomb", lambda path: _deflated(path, npy(described("(40000000,)"), bytes(320_000_000))))
    yield Case("npz_bomb_of_blanks", lambda path: _deflated(path, _blanks()))
    yield Case(
        "npz_many", content(zipped({f"{i}.npy": npy(described("(1,)"), bytes(8)) for i in range(3000)}))
    )
    yield Case("npz_outside", content(zipped({"../../exploded.npy": good})), outcome="either")
    yield Case("npz_absolute", content(zipped({"/tmp/exploded.npy": good})), outcome="either")
    yield Case("npz_codes", content(zipped({"\x1b[2J.npy": good, "b\x07.npy": good})))
    yield Case("npz_no_members", content(zipped({})))
    yield Case("npz_folder", content(zipped({"a.npy/": b"", "b.npy": good})), outcome="either")
    yield Case("npz_not_arrays", content(zipped({"latents.npy": b"hello"})))
    yield Case(
        "npz_pickle",
        lambda path: path.write_bytes(zipped({"latents.npy": pickle.dumps(Fuse(path))})) and None,
    )
    yield Case("npz_wrong_sum", content(changed(plain, good[-64:], bytes(64))))
    yield Case(
        "npz_encrypted",
        content(changed(plain, b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00")),
    )
    yield Case(
        "npz_strange_method",
        content(
            changed(
                plain,
                b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00",
                b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00",
            )
        ),
    )
    size = struct.pack("<II", len(good), len(good))
    yield Case("npz_says_less", content(changed(plain, size, struct.pack("<II", 100, 100))))
    yield Case("npz_says_more", content(changed(plain, size, struct.pack("<II", 2**31, 2**31))))
    yield Case("npz_sparse_huge", content(zipped(_sparse(10**9, 10**9))))
    yield Case("npz_sparse_lies", content(zipped(_sparse(50, 2, [0, 10**9]))))
    yield Case("zip_in_zip", content(zipped({"a.npz": plain})))
    yield Case(
        "zip_of_a_bomb", lambda path: path.write_bytes(zipped({"a.csv": b"0\n" * 150_000_000})) and None
    )
    yield Case(
        "zip_of_a_pickle", lambda path: path.write_bytes(zipped({"a.csv": pickle.dumps(Fuse(path))})) and None
    )


def _deflated(path: Path, member: bytes) -> None:
    path.write_bytes(zipped({"latents.npy": member}))


def _gzip_bomb(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(300_000_000), 1))


def _bzip2_bomb(path: Path) -> None:
    path.write_bytes(bz2.compress(bytes(300_000_000), 1))


def _blanks() -> bytes:
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", 0xFFFFFFF0) + b" " * 300_000_000


def _sparse(rows: int, columns: int, indices: list[int] | None = None) -> dict[str, bytes]:
    def one(value: object) -> bytes:
        written = io.BytesIO()
        np.save(written, np.asarray(value))
        return written.getvalue()

    indices = [0] if indices is None else indices
    n = len(indices)
    return {
        "format.npy": one(np.array(b"coo")),
        "shape.npy": one([rows, columns]),
        "data.npy": one(np.ones(n)),
        "row.npy": one(np.zeros(n, int)),
        "col.npy": one(indices),
    }


def compressed() -> Iterator[Case]:
    table = b"a,b\n" + b"1,2\n" * 60
    for name, pack in (("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress)):
        yield from cut(name, content(pack(table)), 2)
        yield Case(f"{name}_twice", content(pack(pack(table))))
        yield Case(
            f"{name}_of_a_pickle",
            lambda path, pack=pack: path.write_bytes(pack(pickle.dumps(Fuse(path)))) and None,
        )  # type: ignore[misc]
        yield Case(f"{name}_trailing", content(pack(table) + b"garbage"), outcome="either")
    yield Case("gzip_bomb", _gzip_bomb)
    yield Case("bzip2_bomb", _bzip2_bomb)
    yield Case("gzip_damaged", content(gzip.compress(table)[:12] + b"xxxx" + gzip.compress(table)[16:]))
    yield Case("gzip_of_nothing", content(gzip.compress(b"")))
