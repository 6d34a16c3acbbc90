"""Text tables as programs of all kinds write them: read rightly, or refused by line, cell or column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from disentangle_metrics.errors import InputError
from disentangle_metrics.files.arrays import Choices, read_array
from disentangle_metrics.files.row_pairs import check_rows
from disentangle_metrics.files.text_table import read_text_table

BIG = 2**60


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


READ = {
    "european": ("a;b\n3;0,5\n2;0,7\n", {"a": [3, 2], "b": [0.5, 0.7]}),
    "european, only fractions": ("a;b\n1,25;2,5\n3,1;0,25\n", {"a": [1.25, 3.1], "b": [2.5, 0.25]}),
    "european, no names": ("1,25;2,5\n3,1;0,25\n", {0: [1.25, 3.1], 1: [2.5, 0.25]}),
    "european, one column": ("z\n1,5\n1,7\n0,25\n", {"z": [1.5, 1.7, 0.25]}),
    "european, tabs": ("a\tb\n1,5\t2\n2,5\t3\n", {"a": [1.5, 2.5], "b": [2, 3]}),
    "european, exponents": ("a;b\n1,5e-3;1\n2,5E2;2\n", {"a": [0.0015, 250], "b": [1, 2]}),
    "european, signs": ("a;b\n-1,5;1\n+3,25;2\n", {"a": [-1.5, 3.25], "b": [1, 2]}),
    "european thousands": ("a;b\n1.234,5;1\n12.345,75;2\n", {"a": [1234.5, 12345.75], "b": [1, 2]}),
    "american thousands": ('a,b\n"1,234.5",1\n"12,345.75",2\n', {"a": [1234.5, 12345.75], "b": [1, 2]}),
    "millions": ('a,b\n"1,234,567",1\n"2,345,678",2\n', {"a": [1234567, 2345678], "b": [1, 2]}),
    "swiss thousands": ("a;b\n1'234.5;1\n12'345.75;2\n", {"a": [1234.5, 12345.75], "b": [1, 2]}),
    "thin spaces": ("a;b\n1\u202f234,5;1\n12\u202f345,75;2\n", {"a": [1234.5, 12345.75], "b": [1, 2]}),
    "quoted decimal commas": ('a,b\n"1,5",1\n"2,25",2\n', {"a": [1.5, 2.25], "b": [1, 2]}),
    "bars": ("a|b\n1|2\n3|4\n", {"a": [1, 3], "b": [2, 4]}),
    "spaces and names": ("a b\n1 2\n3 4\n", {"a": [1, 3], "b": [2, 4]}),
    "printed by pandas": ("   a  b\n0  5  x\n1  6  y\n", {"": [0, 1], "a": [5, 6], "b": ["x", "y"]}),
    "written by R": ("a b\n1 5 x\n2 6 y\n", {"": [1, 2], "a": [5, 6], "b": ["x", "y"]}),
    "padded columns": ("  a    b\n 1.5  2\n10.5  4\n", {"a": [1.5, 10.5], "b": [2, 4]}),
    "excel says its separator": ("sep=;\na;b\n1;2\n", {"a": [1], "b": [2]}),
    "a separator ends each line": ("a,b,\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
    "such, but for the names": ("a,b\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}),
    "names in a comment": ("# a b\n0.5 1\n0.7 2\n", {"a": [0.5, 0.7], "b": [1, 2]}),
    "comments above": ("# made by hand\n# twice\na,b\n1,2\n", {"a": [1], "b": [2]}),
    "colours are no comments": ("c,s\n#ff0000,1\n#00ff00,2\n", {"c": ["#ff0000", "#00ff00"], "s": [1, 2]}),
    "names in a comment of MATLAB": ("% a b\n0.5 1\n0.7 2\n", {"a": [0.5, 0.7], "b": [1, 2]}),
    "commas in words between tabs": ("a\tb\nred, dark\t1\nblue, pale\t2\n", {"a": ["red, dark", "blue, pale"], "b": [1, 2]}),
    "a column without name or values": ("a,,c\n1,,2\n3,,4\n", {"a": [1, 3], "c": [2, 4]}),
    "a column without name": ("a,,c\n1,5,2\n3,6,4\n", {"a": [1, 3], "column 1": [5, 6], "c": [2, 4]}),
    "windows lines": ("a,b\r\n1,2\r\n3,4\r\n", {"a": [1, 3], "b": [2, 4]}),
    "old mac lines": ("a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),
    "separators in quotes": ('a,b\n1,"x, y"\n2,"z; w"\n', {"a": [1, 2], "b": ["x, y", "z; w"]}),
    "lines in quotes": ('a,b\n1,"x\ny"\n2,z\n', {"a": [1, 2], "b": ["x\ny", "z"]}),
    "quotes in quotes": ('a,b\n1,"say ""x"""\n2,z\n', {"a": [1, 2], "b": ['say "x"', "z"]}),
    "huge integers": (f"a\n{BIG + 1}\n{BIG + 2}\n{2**64 + 1}\n", {"a": [BIG + 1, BIG + 2, 2**64 + 1]}),
    "words like missing": ("a,b\nNone,1\nhat,2\nNA,3\nnull,4\n", {"a": ["None", "hat", "NA", "null"], "b": [1, 2, 3, 4]}),
    "truth": ("a,b\nTrue,1\nFalse,2\n", {"a": [True, False], "b": [1, 2]}),
    "versions are words": ("a,b\n1.2.3,1\n1.2.4,2\n", {"a": ["1.2.3", "1.2.4"], "b": [1, 2]}),
    "latin-1": ("Länge,b\n1,2\n".encode("latin-1"), {"Länge": [1], "b": [2]}),
    "utf-16": ("Länge,b\n1,2\n".encode("utf-16"), {"Länge": [1], "b": [2]}),
    "utf-16 without a mark": ("ab,b\n1,2\n3,4\n".encode("utf-16-le"), {"ab": [1, 3], "b": [2, 4]}),
    "utf-16, big end first": (b"\xfe\xff" + "ä;b\n1,5;2\n".encode("utf-16-be"), {"ä": [1.5], "b": [2]}),
    "utf-32": ("a,b\n1,2\n".encode("utf-32"), {"a": [1], "b": [2]}),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_what_is_read(case: str, tmp_path: Path) -> None:
    text, columns = READ[case]
    frame = read_text_table(written(tmp_path, text)).frame
    assert {name: column.tolist() for name, column in frame.items()} == columns


REFUSED = {
    "a tie of one column": ("z\n1,5\n2,7\n3,25\n", "commas or no separator cannot be told"),
    "leading zeros": ("0,5231\n0,0123\n1,2233\n", "cannot be told"),
    "thousands or decimals": ("a;b\n1,234;2\n2,345;3\n", "'1,234' may be 1.234 or 1234"),
    "a short row of a small table": ("a,b\n1,2\n1\n", "line 3 has 1 cell where others have 2"),
    "percent": ("a,b\n" + "".join(f"{i * 1.5}%,1\n" for i in range(30)), "'0.0%' in column a, a number with a unit"),
    "money": ("a,b\n" + "".join(f"$ {i}.50,1\n" for i in range(30)), "'. 0.50' in column a, a number with a unit"),
    "a title above": ("results\n1 2\n3 4\n", "first line has 1 cell where the others have 2"),
    "two styles": ("a;b\n0.5;0,5\n0.25;0,75\n", "numbers of different styles, such as '0.5' and '0,5'"),
    "a count with a hole": ("a,b\n0,2,3\n2,3,4\n", "no row labels: words or a count, all different"),
    "longer rows": ("a,b\n1,2,3\n1,3,4\n", "first line has 2 cells where the others have 3"),
    "a longer row": ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells where others have 2"),
    "a longer row far below": ("a,b\n" + "1,2\n" * 1500 + "1,2,3\n", "line 1502 .* has 3 cells"),
    "a shorter row far below": ("a,b\n" + "1,2\n" * 1500 + "1\n", "line 1502 .* has 1 cells"),
    "decimal commas between commas": ("a,b\n1,5,2,5\n3,5,4,5\n", "first line has 2 cells where the others have 4"),
    "a slip among fractions": ("a,b\n1.5,1\nabc,2\n2.5,3\n", "'abc' in row 1, column a"),
    "a slip among counts": ("a,b\n" + "1,1\n" * 30 + "l,1\n", "'l' in row 30, column a"),
    "units below the names": ("a,b\ncm,kg\n" + "1,2\n" * 30, "'cm' in row 0, column a"),
    "two columns of one name": ("a,a\n1,2\n3,4\n", "several columns named 'a'"),
    "words with spaces": ("light blue\ndark blue\nlight blue\n", "whether spaces separate cells or words"),
    "a hole in huge integers": (f"a,b\n{BIG + 1},1\n,2\n", "would lose digits"),
    "Matrix Market": ("%%MatrixMarket matrix array real general\n1 1\n1\n", "scipy.io.mmread"),
    "ARFF": ("@relation iris\n@data\n1,2\n", "ARFF"),
    "no rows": ("a,b\n", "no rows below its header"),
    "a null character": (b"a,b\n1,2\n\xff\x00\n", "null character"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, tmp_path: Path) -> None:
    text, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        read_text_table(written(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_every_style_of_number_gives_the_same_numbers(tmp_path: Path) -> None:
    """The same numbers, written by pandas in every pair of separator and decimal mark."""
    import pandas as pd

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 4, 50), "b": rng.normal(size=50).round(4) * 1000})
    for separator in ",;\t|":
        for decimal in ".,":
            for header in (True, False):
                frame.to_csv(tmp_path / "t.csv", sep=separator, decimal=decimal, index=False, header=header)
                found = read_text_table(tmp_path / "t.csv").frame
                np.testing.assert_array_equal(found.to_numpy(), frame.to_numpy())


def test_a_missing_cell_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,x\nNA,y\n3,x\n")
    with pytest.raises(InputError, match=r"factor 'a' has a missing .* in row 1 \(1 in all\), 'NA' of"):
        read_array(str(path), "factors", Choices(missing="raise"))
    column = read_array(str(path), "factors", Choices(missing="drop")).value["a"]
    assert column.isna().tolist() == [False, True, False]
    path = written(tmp_path, "a,b\n1,x\n2,\n3,x\n")
    with pytest.raises(InputError, match=r"factor 'b' .* in row 1 \(1 in all\), an empty cell of"):
        read_array(str(path), "factors", Choices(missing="raise"))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_last_rows_without_a_cell_are_left_out(separator: str, tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\n1,\n2,5\n,\n , \n\n".replace(",", separator))
    table = read_text_table(path, empty_end=False)
    assert table.frame["a"].tolist() == [1, 2]
    assert table.frame["a"].dtype == np.int64
    assert table.notes == [f"{path}: the last 2 rows have only empty cells and are left out"]
    assert len(read_text_table(path).frame) == 4
    assert read_array(str(path), "factors", Choices(missing="drop")).rows == 4
    np.save(tmp_path / "z.npy", np.arange(4.0))
    path.write_text(path.read_text().replace(f"1{separator}\n", f"1{separator}3\n"))
    with pytest.raises(
        InputError, match=r"have 4 rows .* have 2; .*last 2 rows of .* --missing drop reads them"
    ):
        check_rows(
            read_array(str(tmp_path / "z.npy"), "latents"),
            read_array(str(path), "factors", Choices(missing="raise")),
        )
    assert read_text_table(written(tmp_path, "1\n2\n\n"), empty_end=False).notes == []


def test_words_like_missing_are_told(tmp_path: Path) -> None:
    (note,) = read_text_table(written(tmp_path, "a,b\nNA,1\nhat,2\n")).notes
    assert "column a: 'NA' beside other words is read as a category" in note


@pytest.mark.parametrize("mark", ["D", "d"])
def test_exponents_of_fortran_are_numbers(tmp_path, mark):
    cells = f"0.15{mark}+01 2.5{mark}-01 7\n30{mark}+00 -.5{mark}0 8\n"
    assert read_text_table(written(tmp_path, cells)).frame.to_numpy().tolist() == [
        [1.5, 0.25, 7],
        [30, -0.5, 8],
    ]
    labels = read_text_table(written(tmp_path, f"a,b\n15{mark}2,1\n16{mark}3,2\n")).frame
    assert labels["a"].tolist() == [f"15{mark}2", f"16{mark}3"]
