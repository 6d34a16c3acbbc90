"""docs/architecture.md: its rooms and its drawing are those of the code."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tests.test_architecture import BELOW_ALL, MAY_IMPORT
from tools import draw_imports

# a imports b and c, b imports c: the second import of a is implied by the two others.
CHAIN = {"a": {"b", "c"}, "b": {"c"}, "c": set()}


def test_the_drawing_and_the_list_are_those_of_the_code() -> None:
    again = "run: python -m tools.draw_imports"
    assert draw_imports.PICTURE.read_text(encoding="utf-8") == draw_imports.drawing(), again
    assert draw_imports.PAGE.read_text(encoding="utf-8") == draw_imports.page(), again


def test_the_page_has_every_room_and_only_imports_that_are_allowed() -> None:
    table = (
        draw_imports.PAGE.read_text(encoding="utf-8").split("| `disentangle_metrics` |")[1].split("\n\n")[0]
    )
    rows = dict(re.findall(r"^\| `(\w+)` \| .+ \| (.*) \|$", table, re.M))
    assert set(rows) == set(MAY_IMPORT) - {"__init__"}
    for room, imports in rows.items():
        assert set(re.findall(r"`(\w+)`", imports)) <= MAY_IMPORT[room] | BELOW_ALL


def test_every_room_is_in_the_drawing_and_says_what_it_is_for() -> None:
    texts = [one.text or "" for one in ET.parse(draw_imports.PICTURE).iter() if one.tag.endswith("text")]
    drawn = {name for text in texts for name in text.split(", ")}
    for package in draw_imports.PACKAGES:
        imports, purposes = draw_imports.read(package)
        assert set(imports) - {"__init__"} <= drawn
        assert all(purposes[room] for room in imports)


def test_the_paths_that_the_page_names_exist() -> None:
    text = draw_imports.PAGE.read_text(encoding="utf-8")
    for name in re.findall(r"`(\w+(?:/\w+)*\.py)`", text):
        assert any((draw_imports.ROOT / package / name).exists() for package in draw_imports.PACKAGES), name


def test_a_room_stands_above_what_it_imports() -> None:
    assert draw_imports.floors(CHAIN) == {"a": 2, "b": 1, "c": 0}
    assert draw_imports.needed(CHAIN) == [("a", "b"), ("b", "c")]


def test_rooms_that_import_each_other_are_named() -> None:
    with pytest.raises(SystemExit, match="a > b > a"):
        draw_imports.floors({"a": {"b"}, "b": {"a"}})
