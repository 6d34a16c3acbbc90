"""What reports say of units of several latents: in every rendering, in tables, in JSON, in pictures."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.groups_alone import with_layers, with_units_alone
from disentangle_metrics.reporting.notebook import as_html
from disentangle_metrics.reporting.units import held, latent_count, names_of_columns, unit_blocks
from disentangle_metrics.reporting.view import report_view
from disentangle_metrics.scoring.report import Report, Score

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

GROUPS = {"low": (0, 2), "high": (1,)}
FACTORS = ("shape", "size", "noise")


def by_hand() -> Report:
    """Two units and three factors; entropies 2, 1 and 4 nats."""
    information = pd.DataFrame([[1.0, 0.9, 0.04], [0.5, 0.0, 0.08]], index=["low", "high"], columns=FACTORS)
    entropy = pd.Series([2.0, 1.0, 4.0], index=FACTORS)
    mig_sup = pd.Series([0.25, 0.5], index=["low", "high"])
    signature = "mig|n:50|D:2|K:3|groups:0-2+1|seed:0|def:1|dm:0.1.0"
    alone = pd.DataFrame(
        {("mig", "score"): [0.125, 0.0], ("dci_informativeness", "score"): [0.7, 0.2],
         ("dci_informativeness", "shape"): [0.75, 0.375], ("dci_informativeness", "size"): [0.875, 0.25],
         ("dci_informativeness", "noise"): [0.0, np.nan]},
        index=["low", "high"],
    )  # fmt: skip
    return Report(
        scores={
            "mig": Score(
                "mig", 0.5, signature, details={"mutual_information": information, "factor_entropy": entropy}
            ),
            "mig_sup": Score("mig_sup", 0.375, signature.replace("mig", "mig_sup", 1), per_latent=mig_sup),
        },
        shape=(50, 2, 3),
        factor_names=FACTORS,
        latent_names=("low", "high"),
        groups=GROUPS,
        column_names=("a", "b", "c"),
        per_group=alone,
    )


def test_a_unit_holds_a_factor_if_it_tells_most_of_it_and_a_twentieth_at_least():
    table = held(by_hand())
    assert table is not None
    assert table.frame.loc["low"].tolist() == [0.5, 0.9, 0.01]
    assert table.best() == {"shape": "low", "size": "low"}


def test_an_error_is_turned_round_and_what_was_not_measured_is_not_called_missing():
    errors = pd.DataFrame([[0.25, np.nan], [0.75, np.nan]], index=["low", "high"], columns=["hue", "size"])
    score = Score("d_lsbd", 0.25, "d_lsbd|def:1", direction="down", details={"error": errors})
    report = replace(by_hand(), scores={"d_lsbd": score}, factor_names=("hue", "size"))
    table = held(report)
    assert table is not None
    assert table.frame["hue"].tolist() == [0.75, 0.25]
    assert table.best() == {"hue": "low"}
    assert "What each unit holds: 1 - error (d_lsbd)" in str(report)
    assert "No unit holds" not in str(report)


def test_the_tables_have_units_with_their_columns():
    first, alone, parts = unit_blocks(by_hand())
    assert [line.label for line in first.lines] == ["low (a, c)", "high (b)"]
    assert [line.cells for line in first.lines] == [
        ("*0.500", "*0.900", "0.010"),
        ("0.250", "0.000", "0.020"),
    ]
    assert [column.label for column in alone.columns] == [
        "mig",
        "probe: shape",
        "probe: size",
        "probe: noise",
    ]
    assert alone.lines[1].cells == ("0.000", "0.375", "0.250", "–")
    assert [line.cells for line in parts.lines] == [("0.250",), ("0.500",)]
    assert unit_blocks(by_hand(), brief=True) == (first,)


def test_a_negative_number_is_rounded_and_not_cut():
    parts = pd.Series([-0.9962, -0.0004], index=["low", "high"])
    scores = {"mig_sup": replace(by_hand()["mig_sup"], per_latent=parts, range=(-1.0, 1.0))}
    report = replace(by_hand(), scores=scores, per_group=None)
    (block,) = unit_blocks(report)
    assert [line.cells for line in block.lines] == [("-0.996",), ("0.000",)]
    assert "low (a, c) -0.996" in " ".join(str(report).split())


def test_every_rendering_speaks_of_units():
    report = by_hand()
    assert latent_count(report) == "2 units of 3 latents"
    page = report.to_html()
    for text in (str(report), report.to_markdown(), report.to_latex(), page, as_html(report_view(report))):
        assert "2 units of 3 latents" in text
        assert "What each unit holds" in text
        assert "low (a, c)" in text
        assert "No unit holds noise." in text or text == report.to_latex()
    assert "2 units of 3 latents" in dm.cite(report).methods
    assert 'id="units"' in page
    assert "score of each unit" in page
    assert "groups={&#39;low&#39;: [0, 2], &#39;high&#39;: [1]}" in page


def test_many_factors_are_listed_and_many_columns_are_counted():
    names = [f"f{k}" for k in range(14)]
    information = pd.DataFrame(0.5 * np.eye(2, 14) + 0.001, index=["low", "high"], columns=names)
    score = Score("mig", 0.5, "mig|def:1", details={"mutual_information": information,
                  "factor_entropy": pd.Series(1.0, index=names)})  # fmt: skip
    wide = replace(
        by_hand(),
        scores={"mig": score},
        groups={"low": tuple(range(9)), "high": (9,)},
        column_names=tuple(f"z{k}" for k in range(10)),
        per_group=None,
    )
    (block,) = unit_blocks(wide)
    assert [(line.label, line.cells) for line in block.lines] == [
        ("low (9 columns, z0 to z8)", ("f0 0.501",)),
        ("high (z9)", ("f1 0.501",)),
    ]


def test_the_frame_has_columns_factors_and_scores():
    frame = by_hand().units()
    assert frame.loc["low", ("unit", "columns")] == "a, c"
    assert frame.loc["low", ("unit", "holds")] == "shape, size"
    assert frame.loc["high", ("unit", "holds")] == ""
    assert frame.loc["high", ("held", "shape")] == 0.25
    assert frame.loc["high", ("mig_sup", "score")] == 0.5
    assert frame.loc["low", ("alone: dci_informativeness", "size")] == 0.875


def test_json_brings_all_of_it_back(tmp_path):
    report = by_hand()
    whole = replace(report, groups={}, column_names=(), per_group=None, layers=report)
    whole.to_json(tmp_path / "report.json")
    back = Report.from_json(tmp_path / "report.json")
    assert back.layers is not None
    assert back.layers.groups == GROUPS
    assert back.layers.column_names == ("a", "b", "c")
    pd.testing.assert_frame_equal(back.layers.per_group, report.per_group)
    assert back.to_dict() == whole.to_dict()
    plain = replace(report, groups={}, column_names=(), per_group=None).to_dict()
    assert not {"groups", "column_names", "per_group", "layers"} & set(plain)  # as it was for others


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("groups", {"low": [0, 3]}),
        ("groups", {"other": [0]}),
        ("groups", {"low": "01"}),
        ("column_names", [1, 2, 3]),
        ("per_group", {"index": ["low"], "columns": ["mig"], "data": [[0.5]]}),
        ("per_group", {"index": ["low"], "columns": [["mig", "score"]], "data": [[0.5, 1.0]]}),
        ("layers", {"scores": {}}),
    ],
)
def test_what_cannot_be_is_refused(name, value):
    values = json.loads(json.dumps(by_hand().to_dict()))
    with pytest.raises(dm.InputError, match="not a report"):
        Report.from_dict({**values, name: value})


def test_layers_have_no_layers():
    values = by_hand().to_dict()
    with pytest.raises(dm.InputError, match="without layers"):
        Report.from_dict({**values, "layers": {**values, "layers": values}})


def data(rows: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(rows, 2))
    noisy = factors[:, [0, 1, 0]] + 0.1 * rng.normal(size=(rows, 3))
    return noisy, factors


def test_a_report_of_single_latents_stays_as_it_was_and_gets_its_layers():
    latents, factors = data()
    plain = dm.score(latents, factors, metrics=["mig"], anchors=False)
    report = with_layers(plain, latents, factors, GROUPS, {})
    assert report["mig"] is plain["mig"]
    assert report.shape == plain.shape
    assert report.layers is not None
    assert report.layers["mig"].value == dm.mig(latents, factors, groups=GROUPS).value
    alone = dm.per_group(latents, factors, GROUPS, metrics=["mig", "mig_sup"])
    pd.testing.assert_frame_equal(report.layers.per_group, alone)
    assert "z_0 (low)" in names_of_columns(report)
    assert "groups='layers'" in str(report)
    assert with_layers(plain, latents, factors, {"all": [0, 1, 2]}, {}) is plain


def test_units_alone_have_the_metrics_that_were_asked_for():
    latents, factors = data()
    grouped = dm.score(latents, factors, metrics=["mig", "mcc"], groups=GROUPS, anchors=False)
    report = with_units_alone(grouped, latents, factors, {"metrics": ["mig", "mcc"]})
    assert report.per_group is not None
    assert set(report.per_group.columns.get_level_values(0)) == {"mig"}
    assert with_units_alone(grouped, latents, factors, {"metrics": ["mcc"]}) is grouped
    assert with_units_alone(grouped, latents, None, {}) is grouped


def test_a_reason_of_several_scores_is_said_once():
    reason = "reads single latents, and has no definition for groups of them"
    scores = {key: Score(key, math.nan, f"{key}|def:1", reason=reason) for key in ("irs", "beta_vae", "rmig")}
    report = replace(by_hand(), scores={**scores, "sap": Score("sap", math.nan, "sap|def:1", reason="other")})
    missing = [remark.text for remark in report_view(report).remarks if remark.severity == "missing"]
    assert missing == [f"irs, beta_vae, rmig: {reason}", "sap: other"]


def test_fewer_units_than_factors_are_noted():
    latents, factors = data()
    report = dm.score(latents, factors, metrics=["mcc"], groups={"all": [0, 1, 2]}, anchors=False)
    assert [check.message for check in report.checks() if check.code == "fewer_latents"] == [
        "there is 1 unit for 2 factors"
    ]


def test_units_of_other_columns_may_be_compared_and_latents_and_units_may_not():
    latents, factors = data()
    first, other, single = (
        dm.score(latents, factors, metrics=["mcc"], groups=groups, anchors=False)
        for groups in ({"a": [0, 2]}, {"a": [0, 1]}, None)
    )
    assert "mcc" in dm.compare({"first": first, "other": other})
    with pytest.raises(dm.InputError, match="groups is given in first and not set in single"):
        dm.compare({"first": first, "single": single})


def test_the_picture_has_a_map_of_units_together_and_one_of_each_alone():
    matplotlib = pytest.importorskip("matplotlib")
    from disentangle_metrics import plot

    matplotlib.use("Agg")
    figure = plot.units(by_hand())
    together, alone = figure.axes
    assert [label.get_text() for label in together.get_yticklabels()] == ["low", "high"]
    assert [label.get_text() for label in together.get_xticklabels()] == list(FACTORS)
    shown = [text.get_text() for text in together.texts]
    assert shown[:6] == ["0.50", "0.90", "0.01", "0.25", "0.00", "0.02"]
    assert "a, c" in shown
    assert "–" in [text.get_text() for text in alone.texts]
    framed = {(round(p.get_x() + 0.48), round(p.get_y() + 0.46)) for p in together.patches}
    assert framed == {(0, 0), (1, 0), (2, 1)}
    assert len(plot.units(replace(by_hand(), per_group=None)).axes) == 1
    with pytest.raises(dm.InputError, match="no score of the report has a table"):
        plot.units(replace(by_hand(), scores={"mig_sup": by_hand()["mig_sup"]}))
    with pytest.raises(dm.InputError, match="must be a Report"):
        plot.units({"mig": 1})


def test_scores_without_a_headline_stand_by_what_they_measure():
    keys = {"r2_from_latents": "identifiability", "cca": "identifiability", "lms": "compactness"}
    keys |= {"msas": "explicitness", "r4": "identifiability", "med": "modularity"}
    scores = {key: Score(key, 0.5, f"{key}|def:1", property=property_) for key, property_ in keys.items()}
    report = Report(scores=scores, shape=(9, 1, 1), factor_names=("a",), latent_names=("z",))
    groups = [group.title for group in report_view(report).groups]
    assert groups == ["compactness", "modularity", "explicitness", "identifiability"]
    assert [group.title for group in report_view(report, brief=True).groups] == ["headline"]
