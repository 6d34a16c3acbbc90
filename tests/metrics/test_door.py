"""One door: built-in metrics, a user's own and plug-ins come through the same decorator, with the same facts."""

from __future__ import annotations

import inspect
import pickle
import re
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import get_type_hints

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS, Facts, definition
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.metrics.lookup import find_scores
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.streams.countable import supported
from disentangle_metrics.testing import check_metric

ROOT = Path(__file__).parents[2]


def test_the_decorator_takes_every_field_of_a_definition():
    own = {"name", "compute", "scores"}
    assert set(Facts.__annotations__) == {field.name for field in fields(dm.MetricDefinition)} - own
    hints = get_type_hints(dm.MetricDefinition)
    scope = {**vars(definition)}
    for name, written in Facts.__annotations__.items():
        assert eval(written.__forward_arg__, scope) == hints[name], name
    parameters = inspect.signature(dm.metric).parameters
    score = {field.name: field.default for field in fields(dm.ScoreDefinition) if field.name != "key"}
    assert {name: parameters[name].default for name in score if name != "property"} == {
        name: default for name, default in score.items() if name != "property"
    }


def test_a_bare_decorator_says_what_a_bare_definition_says():
    @dm.metric
    def bare(relations):
        """Nothing."""

    try:
        assert dm.metric()(bare) is bare
        plain = dm.MetricDefinition("bare", bare, (dm.ScoreDefinition("bare", ""),))
        assert METRICS.load("bare") == plain
    finally:
        METRICS.remove("bare")


def test_a_function_in_place_of_its_name_is_answered_with_the_name():
    @dm.metric(name="renamed", anchors="none")
    def own(relations):
        return 0.5

    try:
        with pytest.raises(dm.InputError, match="got function; write 'renamed'"):
            dm.score(np.eye(9, 2), np.arange(9) % 3, metrics=[own])
    finally:
        METRICS.remove("renamed")
    with pytest.raises(dm.InputError, match="objects, got function$"):
        dm.score(np.eye(9, 2), np.arange(9) % 3, metrics=[lambda relations: 0.5])


def test_a_setting_by_place_is_answered_with_the_star_that_it_lacks():
    @dm.metric(anchors="none")
    def by_place(relations, rng, bins=20, *, share: float = 0.5):
        return share

    try:
        for name, hint in (("bins", "its function takes 'bins' by place: write `*` before its settings"),
                           ("shares", "did you mean 'share'"), ("rng", "it has share")):  # fmt: skip
            with pytest.raises(dm.InputError, match=re.escape(f"has no setting {name!r}; {hint}")):
                dm.score(np.eye(9, 2), np.arange(9) % 3, metrics=[dm.Metric("by_place", **{name: 3})])
    finally:
        METRICS.remove("by_place")


@pytest.mark.parametrize("number", [0.25, 1, np.float32(0.5), np.array(0.75), {"own": 0.5}])
def test_a_number_is_a_value_without_parts(number):
    @dm.metric(anchors="none")
    def own(relations, rng, *, share: float = 0.5):
        return number

    latents = np.random.default_rng(0).normal(size=(50, 2))
    try:
        score = dm.score(latents, latents > 0, metrics="own")["own"]
    finally:
        METRICS.remove("own")
    assert score.value == (0.5 if isinstance(number, dict) else float(number))
    assert (score.per_factor, score.per_latent, score.details) == (None, None, {})


@pytest.mark.parametrize(
    "compute",
    [lambda: 0.5, lambda latents, factors: 0.5, lambda relations, *, share: share, lambda *, rng: 0.5],
)
def test_a_function_that_no_score_can_call_is_refused(compute):
    with pytest.raises(dm.InputError, match=r"the metric 'own' must take `relations`, .*; it takes \("):
        dm.metric(name="own")(compute)
    assert "own" not in METRICS


@pytest.mark.parametrize("name", BUILTIN)
def test_a_built_in_metric_is_a_decorated_function_of_its_name(name):
    definition = METRICS.load(name)
    assert definition.compute.definition is definition
    assert definition.name == definition.compute.__name__ == name
    assert definition.compute.__module__ == f"disentangle_metrics.metrics.{name}"
    again = pickle.loads(pickle.dumps(definition))
    assert (again.name, again.settings, again.types) == (name, definition.settings, definition.types)


def test_the_lists_are_queries():
    assert PROTOCOLS["default"].suite == tuple(name for name in BUILTIN if METRICS.load(name).suite)
    assert len(PROTOCOLS["default"].suite) == 18
    assert supported() == [name for name in BUILTIN if METRICS.load(name).from_counts]
    assert len(supported()) == 10


def test_importing_the_package_does_not_load_numpy():
    code = "import sys, disentangle_metrics as dm; dm.metric; print('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


@pytest.fixture
def plug_ins(monkeypatch, tmp_path):
    """A module of plug-ins: one decorated, one a definition, one a function alone."""
    (tmp_path / "dm_three_plugins").mkdir()
    (tmp_path / "dm_three_plugins" / "__init__.py").write_text(
        "from dm_three_plugins.inside import compute, decorated, defined\n"
    )
    (tmp_path / "dm_three_plugins" / "inside.py").write_text(
        "import disentangle_metrics as dm\n"
        "@dm.metric(property='toy', by_factor=True)\n"
        "def decorated(relations, *, power: int = 1):\n    'One.'\n    return dm.MetricValue(1.0)\n"
        "def compute(relations):\n    'Half.'\n    return dm.MetricValue(0.5)\n"
        "defined = dm.MetricDefinition(name='defined', compute=compute, scores=(dm.ScoreDefinition('defined', 'toy'),))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    objects = {"decorated": "decorated", "defined": "defined", "factless": "compute"}
    points = {
        name: EntryPoint(name, f"dm_three_plugins:{attribute}", METRICS.group)
        for name, attribute in objects.items()
    }
    monkeypatch.setitem(vars(METRICS), "plugins", points)
    yield
    for name in ("dm_three_plugins", "dm_three_plugins.inside"):
        sys.modules.pop(name, None)


def test_plug_ins_come_through_it_or_bring_a_definition(plug_ins):
    z, v = np.arange(12.0).reshape(6, 2), np.arange(12).reshape(6, 2) % 3
    report = dm.score(z, v, metrics=["decorated", "defined"], anchors=False)
    assert (report["decorated"].value, report["defined"].value) == (1, 0.5)
    assert report["decorated"].signature.startswith("decorated|power:1|n:6|")
    assert METRICS.load("decorated").by_factor
    with pytest.raises(dm.InputError, match="`power` must be a whole number, got 'x'"):
        dm.Metric("decorated", power="x")
    with pytest.raises(dm.InputError, match="the metric name 'decorated' is taken"):
        dm.metric(name="decorated")(lambda relations: None)
    with pytest.raises(
        dm.PluginError, match=r"'factless' is a function without facts: decorate it with `@dm\.metric`"
    ):
        dm.score(z, v, metrics="factless")


def toy(relations):
    """A tenth."""
    return dm.MetricValue(0.1)


def of_keys(name, *keys):
    """A definition of a metric of this name with these score keys, as a plug-in may bring it."""
    return dm.MetricDefinition(name, toy, tuple(dm.ScoreDefinition(key, "toy") for key in keys))


def test_no_metric_takes_the_key_of_a_built_in_score():
    keys = [dm.ScoreDefinition("dci_completeness", "toy"), dm.ScoreDefinition("mine", "toy")]
    with pytest.raises(dm.InputError, match="'toy' gives the score 'dci_completeness', which is .* 'dci'"):
        dm.metric(scores=keys)(toy)
    with pytest.raises(dm.InputError, match="'dci_completeness' gives the score 'dci_completeness'"):
        dm.metric(name="dci_completeness")(toy)
    assert "toy" not in METRICS
    assert find_scores("dci_completeness") == (METRICS.load("dci"), ("dci_completeness",))


def test_a_plug_in_that_has_a_built_ins_key_is_told_and_the_key_stays(monkeypatch):
    points = {
        "greedy": SimpleNamespace(value="a:b", load=lambda: of_keys("greedy", "mine", "dci_completeness")),
        "dci_completeness": SimpleNamespace(value="a:c", load=lambda: of_keys("x", "dci_completeness")),
    }
    monkeypatch.setitem(vars(METRICS), "plugins", points)
    with pytest.warns(
        dm.PluginWarning, match="'greedy' gives the score 'dci_completeness', which is"
    ) as told:
        assert find_scores("dci_completeness") == (METRICS.load("dci"), ("dci_completeness",))
    assert len(told) == 2
    with pytest.raises(dm.PluginError, match="rename it"):
        find_scores("greedy")


def test_of_two_plug_ins_the_first_keeps_a_key(monkeypatch):
    first, second = of_keys("first", "shared"), of_keys("second", "shared", "own")
    points = {d.name: SimpleNamespace(value="a:b", load=lambda d=d: d) for d in (first, second)}
    monkeypatch.setitem(vars(METRICS), "plugins", points)
    with pytest.warns(dm.PluginWarning, match="the score 'shared' of the metric 'second' .* 'first'"):
        assert find_scores("shared") == (first, ("shared",))
    with pytest.warns(dm.PluginWarning):
        assert find_scores("own") == (second, ("own",))


def test_a_program_may_make_its_metric_again_and_not_take_anothers_key():
    def stranger(relations):
        return dm.MetricValue(0.1)

    stranger.__module__ = "another.package"
    try:
        dm.metric(name="mine")(toy)
        dm.metric(name="mine")(toy)  # as when a cell of a notebook is run again
        exec("@dm.metric(name='nameless')\ndef nameless(relations):\n    return 1", {"dm": dm})
        with pytest.raises(dm.InputError, match="'other' gives the score 'mine'"):
            dm.metric(name="other", scores=[dm.ScoreDefinition("mine", "toy")])(stranger)
    finally:
        METRICS.remove("mine")
        METRICS.remove("nameless")


def test_the_readmes_metric_obeys_the_laws():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    source = re.findall(r"```python\n(@dm\.metric.*?)\n\n\ndm\.score", readme, re.S)[0]
    space = {"dm": dm, "__name__": "readme"}
    exec(source, space)
    try:
        check_metric("best_latent_information", examples=8)
    finally:
        METRICS.remove("best_latent_information")
