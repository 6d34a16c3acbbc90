"""docs/datasets.md on published data sets and own readers: the reader runs, no data set and no law is missing."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from disentangle_metrics.datasets import DATASETS
from disentangle_metrics.datasets.description import description_of
from disentangle_metrics.testing.dataset_laws import LAWS

PAGE = (Path(__file__).parents[1] / "docs" / "datasets.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## Published data sets") :]


def test_the_example_of_a_reader_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```py\n(import numpy.*?check_dataset\(load\(\)\)\n)```", PAGE, re.S)
    (tmp_path / "reader_of_the_page.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    assert len(importlib.import_module("reader_of_the_page").load()) == 8


def test_every_published_data_set_has_its_row() -> None:
    rows = [line for line in SECTION.splitlines() if line.startswith("| `")]
    for name in DATASETS.builtin:
        description = description_of(DATASETS.load(name))
        if not description.factors:
            continue
        (row,) = [row for row in rows if f"`{name}`" in row.split("|")[1] and " of " in row]
        shape = "x".join(map(str, description.image_shape))
        assert f"{description.count:,} of {shape}" in row
        sizes = re.findall(r"\d+", row.split("|")[3])
        for _, size in description.factors:
            assert str(size) in sizes or "the same" in row


def test_every_law_has_its_row() -> None:
    for law in LAWS:
        assert f"| `{law.__name__}` |" in PAGE
