"""Data sets and checkpoints of plug-ins that fail, or give something else than they should."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from disentangle_metrics import load_dataset, load_encoder
from disentangle_metrics.cli.listing import listing
from disentangle_metrics.datasets import DATASETS
from disentangle_metrics.encoders import CHECKPOINTS
from disentangle_metrics.errors import DatasetError, PluginError

POINT = EntryPoint("broken", "a_package:broken", "disentangle_metrics.datasets")


def nothing(root: Any = None) -> None:
    """Give nothing."""


def failing(root: Any = None) -> None:
    raise KeyError("hue")


def leaving(root: Any = None) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (nothing, "gave a NoneType; expected a FactorDataset"),
        (failing, "fails: KeyError: 'hue'"),
        (leaving, "fails: SystemExit: 3"),
        ("no function", "is a str; expected a function that opens it"),
        (lambda: None, "is opened by a function that takes no `root`; give it one: `root=None`"),
    ],
)
def test_a_data_set_that_is_none_is_one_line(load: Any, message: str, monkeypatch) -> None:
    monkeypatch.setitem(DATASETS.plugins, "broken", POINT)
    monkeypatch.setattr(EntryPoint, "load", lambda point: load)
    expected = rf"^the data set 'broken' of the plug-in 'a_package:broken' {message}$"
    for name in ("broken", "broken|restricted:shape=0"):
        with pytest.raises(PluginError, match=expected):
            load_dataset(name)


def test_its_own_message_for_the_user_stays(monkeypatch) -> None:
    def load(root: Any = None) -> None:
        raise DatasetError("there is no file stripes.npz")

    monkeypatch.setitem(DATASETS._added, "mine", load)
    with pytest.raises(DatasetError, match=r"^there is no file stripes\.npz$"):
        load_dataset("mine")
    monkeypatch.setitem(DATASETS._added, "mine", nothing)
    with pytest.raises(PluginError, match="^the data set 'mine' gave a NoneType"):
        load_dataset("mine")


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (nothing, "gave a NoneType; expected a file's path"),
        (failing, "fails: KeyError: 'hue'"),
        (leaving, "fails: SystemExit: 3"),
    ],
)
def test_a_checkpoint_that_is_none_is_one_line(load: Any, message: str, monkeypatch) -> None:
    monkeypatch.setitem(CHECKPOINTS._added, "mine", load)
    with pytest.raises(PluginError, match=f"^the checkpoint 'mine' {message}$"):
        load_encoder("mine")
    assert message in listing()
