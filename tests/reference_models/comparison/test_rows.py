"""The append-only file of rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from disentangle_metrics import InputError
from reference_models.comparison.rows import append_row, read_files, read_rows
from reference_models.training.locks import sole_writer


def test_rows_come_back_in_order_and_the_last_of_a_run_counts(tmp_path):
    path = tmp_path / "rows.jsonl"
    assert read_rows(path) == []
    for row in ({"key": "a", "error": "x"}, {"key": "b"}, {"key": "a", "value": 1.5}):
        append_row(path, row)
    assert read_rows(path) == [{"key": "b"}, {"key": "a", "value": 1.5}]
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize("cut", range(1, 14))
def test_a_line_that_a_kill_cut_off_is_no_row_and_is_replaced(tmp_path, cut):
    path = tmp_path / "rows.jsonl"
    append_row(path, {"key": "a"})
    append_row(path, {"key": "b"})
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert read_rows(path) == [{"key": "a"}]
    append_row(path, {"key": "c"})
    assert read_rows(path) == [{"key": "a"}, {"key": "c"}]


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"key": "a"}\nnonsense\n{"key": "b"}\n')
    with pytest.raises(InputError, match=r"line 2 of .*rows.jsonl is no row"):
        read_rows(path)


def test_only_one_process_writes(tmp_path):
    path = tmp_path / "rows.jsonl"
    with sole_writer(path), pytest.raises(InputError, match="another process is writing"), sole_writer(path):
        pass
    with sole_writer(path):  # free again
        pass


def test_a_run_that_is_in_several_files_counts_once(tmp_path):
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    failed = {"error": "x"}
    for path, keys in ((one, "ab"), (two, "bc")):
        for key in keys:
            append_row(path, {"key": key, "from": path.stem, **failed})
    assert [(row["key"], row["from"]) for row in read_files([one, two])] == [
        ("a", "one"),
        ("b", "two"),
        ("c", "two"),
    ]
    assert read_files([one, one]) == read_rows(one)
    done = Path(__file__).parents[3] / "examples" / "reproduction" / "sprites-gpu.jsonl"
    finished = read_rows(done)
    append_row(three := tmp_path / "three.jsonl", {"key": finished[0]["key"], **failed})
    for order in ([done, three], [three, done]):
        assert sorted(row["key"] for row in read_files(order) if "error" not in row) == sorted(
            row["key"] for row in finished
        )
    append_row(two, {"key": "d"})
    with pytest.raises(InputError, match=r"the row 'd' of .*two.jsonl is no row of a comparison"):
        read_files([one, two])
