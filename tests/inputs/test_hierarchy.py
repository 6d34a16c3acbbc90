"""Factors that exist under one value of another: what is accepted, refused and said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.inputs.declared import Declared
from disentangle_metrics.inputs.factor import read_each
from disentangle_metrics.inputs.hierarchy import with_switches
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.reporting.again import command_or_call

TREE = {"phase": ("shape", "moon"), "jets": ("shape", "ship"), "length": ("jets", True)}
SHAPES = ["moon", "moon", "star", "ship", "ship", "ship"] * 50
LATENTS = np.random.default_rng(0).normal(size=(300, 3))


def table() -> pd.DataFrame:
    shape = np.array(SHAPES)
    rng = np.random.default_rng(1)
    jets = np.where(shape == "ship", rng.random(300) < 0.5, None)
    return pd.DataFrame(
        {
            "shape": shape,
            "phase": np.where(shape == "moon", rng.random(300), np.nan),
            "jets": jets,
            "length": np.where(jets == True, rng.random(300), np.nan),  # noqa: E712
        }
    )


def inputs(frame: pd.DataFrame, **options):
    return check(LATENTS, frame, hierarchy=options.pop("hierarchy", TREE), **options)


def test_what_does_not_exist_is_missing_by_design() -> None:
    read = inputs(table())
    assert [factor.switch for factor in read.factors] == [
        None,
        ("shape", "moon"),
        ("shape", "ship"),
        ("jets", True),
    ]
    assert [factor.rows_present for factor in read.factors[:3]] == [300, 100, 150]
    said = {found.about: found for found in read.checks if found.code == "missing_by_design"}
    assert str(said["phase"]) == "factor 'phase' exists in 100 of 300 rows, where 'shape' is 'moon'"
    assert said["phase"].severity == "note"
    assert list(said) == ["phase", "jets", "length"]
    assert "missing_values" not in {found.code for found in read.checks}


def test_scores_are_those_of_missing_values_and_say_why() -> None:
    frame = table()
    with pytest.warns(dm.ScoreWarning, match="no row has a value of every factor"):
        ours = dm.score(LATENTS, frame, hierarchy=TREE, metrics=["mig", "irs"], anchors=False)
    with pytest.warns(dm.ScoreWarning):
        dropped = dm.score(LATENTS, frame, missing="drop", metrics=["mig"], anchors=False)
    assert ours["mig"].value == dropped["mig"].value
    assert "|missing:by_design|" in ours["mig"].signature
    assert np.isnan(ours["irs"].value)
    assert ours["irs"].reason.startswith("no row has a value of")


def test_a_number_where_a_factor_does_not_exist_is_refused() -> None:
    frame = table()
    frame.loc[2, "phase"] = 0.0
    with pytest.raises(
        dm.InputError, match=r"'phase' has a value in row 2.*only where 'shape' is 'moon': leave it missing"
    ):
        inputs(frame)


def test_a_value_that_is_missing_where_the_factor_exists_is_still_missing() -> None:
    frame = table()
    frame.loc[6, "phase"] = np.nan
    with pytest.raises(
        dm.InputError, match=r"'phase' has a missing .* in row 6 \(1 in all\), where it exists"
    ):
        inputs(frame)
    read = inputs(frame, missing="drop")
    assert read.factors[1].rows_present == 99
    texts = [str(found) for found in read.checks if found.code == "missing_values"]
    assert texts == ["factor 'phase' has no value in 1 of the rows where it exists"]
    frame.loc[0, "shape"] = None
    with pytest.raises(dm.InputError, match="'shape' has a missing or infinite value in row 0"):
        inputs(frame)


@pytest.mark.parametrize(
    ("hierarchy", "message"),
    [
        ({"phases": ("shape", "moon")}, "names 'phases', which is none of shape, phase, jets, length"),
        ({"phase": ("shapes", "moon")}, "names 'shapes', which is none of"),
        ({"phase": ("shape", "sun")}, "'shape' is 'sun', which is none of its values 'moon', 'ship', 'star'"),
        ({"phase": ("length", 1)}, "the switch 'length' is read as a measurement; declare it"),
        ({"phase": "shape"}, "must name a factor.* got 'shape' for 'phase'"),
        ([("phase", "shape")], "must name a factor"),
        ({"phase": (["shape"], "moon")}, "names .'shape'., which is none of"),
        ({"phase": (np.array(["shape", "jets"]), "moon")}, "which is none of"),
        ({"phase": ("shape", np.array(["moon", "sun"]))}, "which is none of its values"),
        ({"shape": ("jets", True), "jets": ("shape", "ship")}, "is no tree: shape under jets under shape"),
        ({"name": ("shape", "moon")}, "names 'name', which has a different text in each row"),
    ],
)
def test_what_is_no_tree_is_refused(hierarchy, message: str) -> None:
    with pytest.raises(dm.InputError, match=message):
        inputs(table().assign(name=[f"row {row}" for row in range(300)]), hierarchy=hierarchy)


@pytest.mark.parametrize("call", ["score", "benchmark", "per_group"])
def test_a_tree_without_factors_is_refused(call: str) -> None:
    options = {"metrics": ["total_correlation"], "hierarchy": TREE}
    calls = {
        "score": lambda: dm.score(LATENTS, None, **options),
        "benchmark": lambda: dm.benchmark({"one": LATENTS}, None, **options),
        "per_group": lambda: dm.per_group(LATENTS, None, {"a": [0], "b": [1, 2]}, **options),
    }
    with pytest.raises(dm.InputError, match="such as 'phase': pass `factors` too"):
        calls[call]()
    with pytest.raises(dm.InputError, match="`hierarchy` is of factors, and total_correlation reads latents"):
        dm.total_correlation(LATENTS, hierarchy=TREE)


def test_a_tree_that_no_metric_reads_is_said() -> None:
    with pytest.warns(dm.ScoreWarning) as said:
        report = dm.score(LATENTS, table(), metrics=["total_correlation"], hierarchy=TREE)
    texts = [str(found) for found in report.checks() if found.code == "hierarchy_unread"]
    assert texts[0].startswith(
        "`hierarchy` changes no score here: only latents are read by total_correlation;"
    )
    assert texts[0] in [str(warning.message) for warning in said]
    with pytest.warns(dm.ScoreWarning, match="no row has"):
        both = dm.score(LATENTS, table(), metrics=["total_correlation", "mig"], hierarchy=TREE, anchors=False)
    assert "hierarchy_unread" not in {found.code for found in both.checks()}


def test_an_empty_tree_is_none() -> None:
    shape = table()[["shape"]]
    plain, empty = (dm.mig(LATENTS, shape, hierarchy=tree) for tree in (None, {}))
    assert empty.signature == plain.signature
    with pytest.raises(dm.InputError, match="if the factor does not exist there, pass `hierarchy`"):
        dm.mig(LATENTS, table(), hierarchy={})


def test_the_call_that_gives_the_report_again_names_the_tree() -> None:
    with pytest.warns(dm.ScoreWarning):
        report = dm.score(LATENTS, table(), metrics=["mig"], hierarchy=TREE, anchors=False)
    call = command_or_call(report)
    assert "hierarchy=hierarchy" in call
    assert "by_design'" not in call.replace(report["mig"].signature, "")


def test_the_tree_of_a_data_set_is_taken_where_none_is_given() -> None:
    dataset = dm.load_dataset("switches")
    options = {"samples": 200, "metrics": ["mig"], "anchors": False}
    calls = []

    def encoder(images):
        calls.append(len(images))
        return images.reshape(len(images), 4, -1).sum(axis=2)

    with pytest.warns(dm.ScoreWarning):
        own, none = (dm.evaluate(encoder, dataset, **options, **more) for more in ({}, {"hierarchy": None}))
    assert none["mig"].signature == own["mig"].signature
    calls.clear()
    with pytest.raises(dm.InputError, match=r"'phase' has a missing .* pass `hierarchy`"):
        dm.evaluate(encoder, dataset, hierarchy={}, **options)
    loader = [(np.zeros((10, 2)), np.zeros(10))]
    with pytest.raises(dm.InputError, match="`hierarchy` must name a factor"):
        dm.evaluate(encoder, loader, hierarchy=[("phase", "shape")])
    with pytest.raises(dm.InputError, match="names 'shape', which is none of phase"):
        dm.evaluate(encoder, loader, factor_names=["phase"], hierarchy={"phase": ("shape", "moon")})
    assert not calls


def test_every_metric_has_a_value_or_a_reason_on_the_data_set_with_a_tree() -> None:
    dataset = dm.load_dataset("switches")
    codes = np.random.default_rng(2).normal(size=(3, 3))

    def encoder(images):  # where the bright pixels are, and how many
        n = len(images)
        pixels = images.reshape(n, 64, 64)
        light = pixels.sum((1, 2))
        x, y = (pixels.sum(axis) @ np.arange(64) / light for axis in (1, 2))
        return np.stack([x, y, light], axis=1) @ codes

    with pytest.warns(dm.ScoreWarning, match="no row has a value of every factor"):
        report = dm.evaluate(
            encoder,
            dataset,
            samples=600,
            metrics=["mig", "mcc", "r4c", "r4", "irs", "modularity"],
            anchors=False,
        )
    assert set(report["mig"].per_factor.index) == set(dataset.factor_names)
    assert all(0 <= report[key].value <= 1 for key in ("mig", "mcc", "r4c", "modularity"))
    assert all(np.isnan(report[key].value) and report[key].reason for key in ("r4", "r4_assigned", "irs"))
    assert {found.about for found in report.checks() if found.code == "missing_by_design"} == set(
        dataset.hierarchy
    )
    with pytest.raises(dm.InputError, match="'length' without its switch 'jets'; add 'jets'"):
        dm.evaluate(encoder, dataset, factors=["shape", "length"], samples=600)


def test_first_rows_refuse_what_more_rows_would_not_change():
    measured, child = np.arange(100) * 0.37, np.where(np.arange(100) < 50, 1.0, np.nan)
    few, of_few = np.repeat(["a", "b"], 50), {"child": ("few", "a")}

    def read(tree, declared=None, **more):
        columns = [(measured, "measured", declared), (few, "few", None), (child, "child", None)]
        return with_switches(tree, read_each(columns, "drop", "measurements"), "raise", **more)

    assert read(of_few, whole=False)[0][2].switch == ("few", "a")
    later = {"child": ("measured", 0.37)}  # which all rows may show to be few values
    assert read(later, whole=False)[0][2].switch == ("measured", 0.37)
    for tree, declared, whole in (
        ({"child": ("few", "b")}, None, False),
        ({"child": ("few", "c")}, None, False),
        (later, Declared("continuous"), False),
        (later, None, True),
    ):
        with pytest.raises(dm.InputError, match="has a value in row 0|is read as a measurement"):
            read(tree, declared, whole=whole)
