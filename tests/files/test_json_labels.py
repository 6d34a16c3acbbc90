"""JSON tables keep their row labels, so that rows of two files can be matched by them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.arrays import Choices, read_array

CELLS = {"s2": 0.5, "s0": 1.5, "s1": 2.5}


def read(folder: Path, content: Any, role: Any = "latents", choices: Choices | None = None) -> Any:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "t.json").write_text(text, encoding="utf-8")
    return read_array(str(folder / "t.json"), role, choices)


@pytest.mark.parametrize(
    ("content", "labels", "labelled"),
    [
        ({"z1": CELLS, "z2": CELLS}, ["s2", "s0", "s1"], True),
        ({"z1": {"2": 0.5, "0": 1.5, "1": 2.5}}, [2, 0, 1], False),
        ({"z1": {"-3": 0.5, "7": 1.5, "5": 2.5}}, [-3, 7, 5], False),
        ({"z1": {"002": 0.5, "000": 1.5, "001": 2.5}}, ["002", "000", "001"], True),
        ({"columns": ["z1"], "index": ["s2", "s0", "s1"], "data": [[0.5], [1.5], [2.5]]}, ["s2", "s0", "s1"], True),
        ({"columns": ["z1"], "index": [2, 0, 1], "data": [[0.5], [1.5], [2.5]]}, [2, 0, 1], False),
        ({"columns": ["z1"], "index": [["a", 1], ["a", 2], ["b", 1]], "data": [[0.5], [1.5], [2.5]]},
         ['["a", 1]', '["a", 2]', '["b", 1]'], True),
    ],
)  # fmt: skip
def test_labels_are_the_index(content: Any, labels: list[Any], labelled: bool, tmp_path: Path) -> None:
    file = read(tmp_path, content)
    assert list(file.value.index) == labels
    assert file.labelled is labelled
    assert file.value["z1"].tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize(
    "content",
    [
        {"z1": {"0": 0.5, "1": 1.5}},
        {"columns": ["z1"], "index": [0, 1], "data": [[0.5], [1.5]]},
        {"columns": ["z1"], "data": [[0.5], [1.5]]},
        [{"z1": 0.5}, {"z1": 1.5}],
        {"z1": [0.5, 1.5]},
    ],
)
def test_a_count_is_no_label(content: Any, tmp_path: Path) -> None:
    file = read(tmp_path, content)
    assert isinstance(file.value.index, pd.RangeIndex)
    assert file.value["z1"].tolist() == [0.5, 1.5]


def test_a_cell_belongs_to_its_label(tmp_path: Path) -> None:
    file = read(tmp_path, {"z1": {"s0": 1.5, "s1": 2.5}, "z2": {"s1": 20.5, "s0": 10.5}})
    assert file.value.loc["s0"].tolist() == [1.5, 10.5]
    assert file.value.loc["s1"].tolist() == [2.5, 20.5]


def test_more_columns_than_rows_that_count(tmp_path: Path) -> None:
    file = read(tmp_path, {name: {"0": 0.5, "1": 1.5} for name in ("z1", "z2", "z3")})
    assert file.value.shape == (2, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({f"s{i}": {"z1": 1, "z2": 2} for i in range(3)}, "3 names hold 2 values each, .* orient 'split'"),
        ({str(i): {"z1": 1, "z2": 2} for i in range(3)}, "3 names hold 2 values each"),
        ({str(i): {"0": 1, "1": 2} for i in range(3)}, "3 names hold 2 values each"),
        ({"z1": {"s0": 1, "s1": 2}, "z2": {"s0": 1, "s2": 2}}, "column 'z2' has other row labels"),
        ({"": {"s0": 1, "s1": 2}, "z2": {"s0": 1, "s2": 2}}, "column 'z2' has other row labels"),
        ({"columns": ["a", "a"], "data": [[1, 2]]}, "two columns have one name"),
        ({"columns": ["a"], "data": [[1, 2]]}, "rows or columns have different lengths"),
        ({"columns": ["a"], "index": ["x"], "data": [[1], [2]]}, "2 rows and 1 row labels"),
    ],
)
def test_what_cannot_be_told_is_refused(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, content)


def test_names_with_line_separators_in_json_lines(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"a\u2028b": i, "c\x85d": 2 * i}, ensure_ascii=False) + "\n" for i in (1, 2))
    file = read(tmp_path, lines, "factors")
    assert list(file.value.columns) == ["a\u2028b", "c\x85d"]
    assert file.value.to_numpy().tolist() == [[1, 2], [2, 4]]


def test_choices_of_columns_go_before_labels(tmp_path: Path) -> None:
    rows = [f"s{i}" for i in range(20)]
    table = {
        "shape": {row: i % 3 for i, row in enumerate(rows)},
        "key": {row: f"k{i}" for i, row in enumerate(rows)},
    }
    file = read(tmp_path, table, "factors")
    assert list(file.value.columns) == ["shape"]
    assert file.value.index[3] == "s3"
    assert "column 'key' is different in every row (k0), an identifier, and is left out" in file.notes[0]
    assert read(tmp_path, table, "factors", Choices(index_col="key")).value.index[3] == "k3"
    assert read(tmp_path, table, "factors", Choices(index_col="0")).value.shape == (20, 1)  # of another file
    assert read(tmp_path, table, "factors", Choices(drop_columns=("key",))).notes == ()
