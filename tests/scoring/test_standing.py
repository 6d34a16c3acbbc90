"""Where a report stands among the published runs."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import disentangle_metrics as dm
from reference_models.bundled import FOLDER

NAMES = ("beta-vae-sprites", "pro-vlae-sprites", "vlae-sprites")


@pytest.fixture
def reports():
    return {name: dm.Report.from_json(FOLDER / f"{name}.scores.json") for name in NAMES}


def counted(line: str, key: str) -> tuple[int, int]:
    """Of the line's "3 of 4 in mig": 3 and 4."""
    part = next(part for part in line.rstrip(".").split(", ") if part.endswith(f" in {key}"))
    worse, _, of, _, _ = part.split()[-5:]
    return int(worse), int(of)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["mig", "factor_vae"])
def test_it_counts_the_worse_among_equal_signatures(reports, name, key):
    frame = dm.published("sprites")

    def without_latents(signature):
        return re.sub(r"\|D:\d+", "", signature)

    own = reports[name][key]
    alike = frame[frame["signature"].map(without_latents) == without_latents(own.signature)]
    assert {f"checkpoint {other}" for other in NAMES} <= set(alike["source"])
    itself = alike.loc[alike["source"] == f"checkpoint {name}", "run"].item()
    worse = {run: value < own.value for run, value in zip(alike["run"], alike["value"], strict=True)}
    assert worse.pop(itself) is not None
    assert counted(reports[name].standing(), key) == (sum(worse.values()), len(worse))


def test_a_model_is_no_rival_of_itself_and_counts_once(reports):
    """vlae-sprites is a run of plan gpu, whose row has its scores on another machine."""
    frame = dm.published("sprites")
    mig = frame[(frame["metric"] == "mig") & (frame["protocol"] == "default")]
    twice = mig[mig["run"].duplicated(keep=False)]
    assert sorted(twice["plan"]) == ["bundled", "bundled", "gpu", "gpu"]
    assert set(twice["model"]) == {"vlae", "pro-vlae"}
    alone = counted(reports["vlae-sprites"].standing(), "mig")[1]
    unknown = replace(reports["vlae-sprites"], provenance={"dataset": "sprites"})
    assert counted(unknown.standing(), "mig")[1] == alone + 1
    rooms = dm.Report.from_json(FOLDER / "pro-vlae-rooms.scores.json")
    assert rooms.standing() == ""  # the only run on images of this size is itself


def test_an_ideal_score_beats_all_and_lower_is_better_where_it_is(reports):
    report = reports["vlae-sprites"]
    low = replace(report["total_correlation"], value=-1.0)
    best = replace(report, scores={"mig": replace(report["mig"], value=2.0), "total_correlation": low})
    worse, of = counted(best.standing(), "mig")
    assert worse == of
    alone = replace(report, scores={"total_correlation": low})
    worse, of = counted(alone.standing(), "total_correlation")
    assert worse == of


def test_the_page_on_comparing_shows_the_line_of_today(reports):
    page = Path(__file__).parents[2] / "docs" / "comparing.md"
    assert f"\n{reports['vlae-sprites'].standing('sprites')}\n" in page.read_text(encoding="utf-8")


def test_another_signature_is_no_rival(reports):
    report = reports["vlae-sprites"]
    other = report["mig"].signature.replace("bins:20", "bins:10")
    changed = replace(report, scores={"mig": replace(report["mig"], signature=other)})
    assert changed.standing() == ""
    none = "No published run on sprites has scores of equal signatures"
    assert changed.standing("sprites") == f"{none}: bins is 10 in this report and 20 in theirs (of mig)."
    arrays = report["mig"].signature.replace("kinds:coooo", "kinds:ccccc")
    changed = replace(report, scores={"mig": replace(report["mig"], signature=arrays)})
    assert changed.standing("sprites").endswith(
        ": kinds is ccccc in this report and coooo in theirs (of mig)."
    )
    of_size = replace(report, scores={"active_units": report["active_units"], **changed})
    assert of_size.standing("sprites") == changed.standing("sprites")
    unknown = replace(report, scores={"mine": replace(report["mig"], key="mine", signature="mine|n:3")})
    assert unknown.standing("sprites") == f"{none}."


def test_the_interval_the_number_of_latents_and_the_version_do_not_matter(reports):
    score = reports["vlae-sprites"]["mig"]
    signature = (
        score.signature.replace("D:9", "D:4")
        .replace("|dm:", "|dm:9.")
        .replace("|def:", "|confidence:0.95|interval:bootstrap|replicates:200|seed:3|def:")
    )
    changed = replace(reports["vlae-sprites"], scores={"mig": replace(score, signature=signature)})
    assert counted(changed.standing(), "mig") == counted(reports["vlae-sprites"].standing(), "mig")


def test_other_images_are_no_rivals(reports):
    report = reports["vlae-sprites"].with_provenance(image_shape=[32, 32, 1])
    assert report.standing() == ""


def test_the_report_shows_it_where_the_data_set_is_known(reports):
    report = reports["vlae-sprites"]
    line = report.standing()
    assert line.startswith("Against the published runs on sprites with equal signatures: better than ")
    assert line in " ".join(str(report).split())
    assert line in report._repr_html_()
    assert line in report.to_html()
    assert line.replace("_", "\\_") in report.to_markdown()
    assert "Against the published" not in report.to_latex()
    unknown = replace(report, provenance={"encoder": report.provenance["encoder"]})
    assert unknown.standing() == ""
    assert unknown.standing("sprites") == line
    with pytest.raises(dm.InputError, match="`dataset` is 'rooms', and this report is of sprites"):
        report.standing("rooms")
    with pytest.raises(dm.InputError, match="must be one of sprites, rooms"):
        unknown.standing("mnist")


@pytest.mark.parametrize(("key", "best"), [("mig", max), ("total_correlation", min)])
def test_a_run_that_scores_the_same_is_not_beaten(reports, key, best):
    mine, frame = reports["vlae-sprites"], dm.published("sprites")
    itself = frame.loc[frame["source"] == "checkpoint vlae-sprites", "run"].iloc[0]
    own = re.sub(r"\|D:\d+", "", mine[key].signature)
    alike = frame[
        (frame["run"] != itself) & (frame["signature"].str.replace(r"\|D:\d+", "", regex=True) == own)
    ]
    value = best(alike.drop_duplicates("run")["value"])
    worse, of = counted(replace(mine, scores={key: replace(mine[key], value=value)}).standing(), key)
    assert worse == of - 1
