"""Text and tables that look like something else, or that are too much."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.hostile.cases import Case, content, cut

ROWS = "".join(f"{i % 7},{i % 3}.5\n" for i in range(60))
CODES = "\x1b]0;owned\x07\x1b[2J"

TEXTS: dict[str, bytes] = {
    "control_codes": f"{CODES}z,w\n{ROWS}".encode(),
    "escape_codes": f"\x1b[31mz,w\n{ROWS}".encode(),
    "c1_codes": f"\x9b31mz,w\n{ROWS}".encode(),
    "no_width": "co\u00ad\u200b\ufeff\U000e0041,w\nsys)m\n".encode(),  # found by fuzzing
    "turned_writing": f"\u202ez,w\n{ROWS}".encode(),
    "html_name": f"<script>alert(1)</script>,w\n{ROWS}".encode(),
    "nulls": b"a,b\n" + b"\0" * 500 + b"\n1,2\n",
    "one_null": b"a,b\n1,2\n3,\x004\n",
    "open_quote": b'a,b\n1,"2\n' + b"3,4\n" * 200,
    "many_quotes": b"a,b\n" + b'"' * 9999 + b"\n",
    "only_separators": b"," * 2000 + b"\n" + b"," * 2000,
    "thousands_of_separators": b"," * 4000 + b"\n1" + b"," * 16,  # found by fuzzing
    "only_breaks": b"\n" * 5000,
    "only_blanks": b" " * 5000,
    "only_comments": b"# a\n" * 5000,
    "ragged": b"a,b\n1,2\n1,2,3\n" * 30,
    "one_cell": b"x",
    "huge_number": b"a,b\n" + b"1e999999,2\n" * 50,
    "many_digits": b"a,b\n" + b"9" * 10_000 + b",2\n" + b"1,2\n" * 50,
    "tiny_numbers": b"a,b\n" + b"1e-400,2\n3e-320,1\n" * 50,
    "long_exponent": b"a\n" + (b"1e" + b"9" * 3000 + b"\n") * 30,
    "formula": b"a,b\n" + b"=cmd|'/c calc'!A1,2\n" * 50,
    "digits_of_elsewhere": b"a,b\n" + "\u0661,\u0662\n".encode() * 50,
    "utf16_odd": b"\xff\xfe" + "a,b\n1,2\n".encode("utf-16-le") + b"\x31",
    "utf32_damaged": b"\xff\xfe\x00\x00" + b"\xff" * 16,
    "two_marks": b"\xef\xbb\xbf\xef\xbb\xbf" + b"a,b\n1,2\n" * 20,
    "latin": b"caf\xe9,b\n" + b"1,2\n" * 50,
    "carriage_returns": b"a,b\r1,2\r3,4\r" * 30,
    "long_name": b"a" * 100_000 + b",b\n" + b"1,2\n" * 50,
    "same_names": b"a,a\n" + b"1,2\n" * 50,
    "html": b"<!DOCTYPE html><html><body>log in</body></html>",
    "xml": b"<?xml version='1.0'?><a/>",
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
    "xpath_of_entities": b'<!DOCTYPE lolz [<!ENTITY lol "lol">]><a>&lol;</a>',
    "pickle_like": b"cos\nsystem\n(S'touch exploded'\ntR.",
    "pickle_like_rows": b"F1\n" * 12_000 + b".",
    "nothing": b"",
    "line_of_32_megabytes": b"1" * 32_000_000,
    "second_line_of_32_megabytes": b"a,b\n" + b"1" * 32_000_000,
    "two_hundred_thousand_columns": b",".join([b"1"] * 200_000) + b"\n",
}
READ = {
    "escape_codes", "c1_codes", "turned_writing", "html_name", "tiny_numbers", "two_marks", "latin", "carriage_returns",
    "long_name", "only_separators", "pickle_like_rows", "formula", "digits_of_elsewhere", "one_cell", "long_exponent",
    "huge_number", "many_digits", "open_quote", "many_quotes", "only_comments",
}  # fmt: skip

DEEP = "[" * 5000 + "]" * 5000
JSONS: dict[str, str] = {
    "deep_lists": DEEP,
    "very_deep_lists": "[" * 200_000,
    "deep_objects": '{"a":' * 5000 + "1" + "}" * 5000,
    "deep_cell": f'[{{"a": {DEEP}}}]',
    "many_digits": f'[{{"a": {"9" * 10_000}}}]',
    "huge": '[{"a": 1e999999}]',
    "lone_halves": '[{"\\ud800": 1}, {"\\ud800": 2}]',
    "codes": json.dumps([{CODES: 1.5, "b": i} for i in range(30)]),
    "lists_in_cells": json.dumps([{"a": [1, 2]}] * 30),
    "other_names": json.dumps([{"a": 1}, {"b": 2}]),
    "other_lengths": json.dumps({"a": [1, 2], "b": [1]}),
    "a_number": "[3",
    "an_object": '{"a": 1}',
    "empty": "[]",
    "empty_rows": "[[], [], []]",
    "nothing_but_null": "[[null], [null]]",
    "columns_and_no_rows": '{"columns": ["a"], "data": 5}',
    "columns_of_objects": '{"columns": [{"a": 1}], "data": [[1]]}',
    "broken_line": '{"a": 1}\n{"a": \n',
    "a_truth": "[true, false",
}


def texts() -> Iterator[Case]:
    for name, data in TEXTS.items():
        yield Case(f"text_{name}", content(data), outcome="either" if name in READ else "refused")
    for name in ("control_codes", "html_name", "ragged", "many_digits", "formula", "same_names", "nulls"):
        outcome = "either" if name in READ else "refused"
        yield Case(f"factors_{name}", content(TEXTS[name]), "factors", outcome)  # type: ignore[arg-type]
    for letter in "FIKLMNSVX":  # each line reads as an instruction of a pickle
        lines = "".join(f"{letter}{i % 5}\n" for i in range(12_000)).encode()
        yield Case(f"labels_{letter}", content(lines), "factors", "read")


def jsons() -> Iterator[Case]:
    either = {"codes", "huge", "lone_halves", "deep_cell", "nothing_but_null", "many_digits", "an_object"}
    for name, text in JSONS.items():
        yield Case(f"json_{name}", content(text.encode()), outcome="either" if name in either else "refused")


def frames() -> Iterator[Case]:
    """Parquet, Arrow, HDF5 and MATLAB."""
    yield from cut("parquet", _parquet, 4)
    yield Case("parquet_bomb", _parquet_bomb)
    yield Case("parquet_codes", _parquet_codes, outcome="either")
    yield from cut("arrow", _arrow, 3)
    yield from cut("hdf5", _hdf5, 3)
    yield Case("hdf5_of_a_terabyte", _hdf5_huge)
    yield Case("hdf5_elsewhere", _hdf5_external)
    yield Case("hdf5_virtual", _hdf5_virtual)
    yield Case("hdf5_links", _hdf5_links)
    yield Case("hdf5_circle", _hdf5_circle, outcome="either")
    yield Case("hdf5_codes", _hdf5_codes)
    yield from cut("mat", _mat, 3)
    yield Case("mat_bomb", _mat_bomb)
    yield Case("mat_cells", _mat_cells, outcome="either")


def _parquet(path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"a": range(50), "b": 1.5}).to_parquet(path)


def _parquet_bomb(path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"a": pa.nulls(60_000_000)}), path)


def _parquet_codes(path: Path) -> None:
    import pandas as pd

    pd.DataFrame({CODES: [float(i) for i in range(50)], "b": 1.5}).to_parquet(path)


def _arrow(path: Path) -> None:
    import pandas as pd

    pd.DataFrame({"a": range(50), "b": 1.5}).to_feather(path)


def _hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["latents"] = [[1.0, 2.0]] * 50


def _hdf5_huge(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("latents", (10**9, 125), "f8", chunks=(1000, 1))


def _hdf5_external(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset("latents", (10, 2), "f8", external=[("/etc/passwd", 0, 160)])


def _hdf5_virtual(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((10, 2), "f8")
        layout[:] = h5py.VirtualSource("/etc/passwd", "a", (10, 2))
        file.create_virtual_dataset("latents", layout)


def _hdf5_links(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["latents"] = h5py.ExternalLink("/etc/passwd", "/")


def _hdf5_circle(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("a")
        group["again"] = h5py.SoftLink("/a")
        group["up"] = h5py.SoftLink("/")


def _hdf5_codes(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file[f"a{CODES}"] = [1.0]
        file["b"] = [1.0]


def _mat(path: Path) -> None:
    import scipy.io

    scipy.io.savemat(path.open("wb"), {"latents": [[1.0, 2.0]] * 50}, do_compression=True)


def _mat_bomb(path: Path) -> None:
    import numpy as np
    import scipy.io

    scipy.io.savemat(path.open("wb"), {"latents": np.zeros((40_000_000, 1), np.int8)}, do_compression=True)


def _mat_cells(path: Path) -> None:
    import numpy as np
    import scipy.io

    cell = np.empty((50, 1), dtype=object)
    cell[:, 0] = [np.zeros((i % 3, 2)) for i in range(50)]
    scipy.io.savemat(path.open("wb"), {"latents": cell})
