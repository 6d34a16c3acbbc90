"""Names: built-ins, plug-ins and what a program adds, through one door."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from disentangle_metrics import registry as module
from disentangle_metrics.errors import DatasetError, InputError, PluginError, PluginWarning
from disentangle_metrics.registry import Registry


@pytest.fixture
def registry(monkeypatch):
    points = [
        EntryPoint("good", "json:dumps", "group"),
        EntryPoint("broken", "no_such_module:thing", "group"),
        EntryPoint("pi", "json:loads", "group"),
    ]
    monkeypatch.setattr(module, "entry_points", lambda group: points)
    return Registry("thing", "group", {"pi": "math:pi"})


def test_built_ins_win_a_clash_with_a_warning(registry):
    with pytest.warns(PluginWarning, match="thing 'pi' of the plug-in 'json:loads' is ignored"):
        names = registry.names()
    assert names == ["pi", "good", "broken"]
    assert registry.load("pi") == pytest.approx(3.14159, abs=1e-5)


@pytest.fixture
def stranger(monkeypatch, tmp_path):
    """An installed package that is found before all others, and takes names of this project."""
    folder = tmp_path / "stranger-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    groups = {"encoders": "pro-vlae", "checkpoints": "pro-vlae-sprites", "things": "own"}
    (folder / "entry_points.txt").write_text(
        "".join(f"[disentangle_metrics.{group}]\n{name} = stranger:x\n" for group, name in groups.items())
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(("group", "name"), [("encoders", "pro-vlae"), ("checkpoints", "pro-vlae-sprites")])
def test_what_comes_with_the_project_keeps_its_name(stranger, group, name):
    registry = Registry("thing", f"disentangle_metrics.{group}")
    with pytest.warns(PluginWarning, match=f"thing '{name}' of the plug-in 'stranger:x' is ignored"):
        point = registry.plugins[name]
    assert point.value != "stranger:x"
    assert Registry("thing", "disentangle_metrics.things").names() == ["own"]


def test_commands_open_the_checkpoint_that_comes_with_the_project(stranger):
    load = pytest.importorskip("reference_models.trained.load")
    (path,) = load.stage_ends(Path("pro-vlae-sprites"))
    assert path.suffix == ".safetensors"


@pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.PluginWarning")
def test_a_broken_plug_in_is_named_and_stops_nothing_else(registry):
    with pytest.raises(
        PluginError, match="'broken' comes from the plug-in 'no_such_module:thing'.*ModuleNotFound"
    ):
        registry.load("broken")
    with pytest.warns(PluginWarning, match="'broken'"):
        assert set(registry.load_all()) == {"pi", "good"}


@pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.PluginWarning")
def test_a_plug_in_that_ends_the_program_on_import_is_left_out(registry, monkeypatch, tmp_path):
    (tmp_path / "dm_quitting_plugin.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.plugins["quits"] = EntryPoint("quits", "dm_quitting_plugin:thing", "group")
    with pytest.raises(PluginError, match="'quits' comes from the plug-in .* SystemExit: 3"):
        registry.load("quits")
    with pytest.warns(PluginWarning, match="'quits'"):
        assert set(registry.load_all()) == {"pi", "good"}


@pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.PluginWarning")
def test_unknown_names_come_with_near_ones(registry):
    with pytest.raises(InputError, match="unknown thing 'goood'; did you mean 'good'"):
        registry.load("goood")
    other = Registry("data set", "group", error=DatasetError)
    with pytest.raises(DatasetError, match="unknown data set"):
        other.load("x")


@pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.PluginWarning")
def test_a_program_adds_and_removes_but_does_not_replace(registry):
    registry.add("mine", 3)
    assert registry.load("mine") == 3
    assert "mine" in registry
    registry.remove("mine")
    assert "mine" not in registry
    for taken in ("pi", "good"):
        with pytest.raises(InputError, match="is taken"):
            registry.add(taken, 3)
