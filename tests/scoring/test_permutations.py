"""p against chance: by hand, for both directions, whatever n_jobs, in every form of the report."""

from __future__ import annotations

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics.definition import MetricValue
from disentangle_metrics.scoring.anchors import mean_scores, p_values

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = RNG.normal(size=(60, 2))
WEAK = V + 3.0 * RNG.normal(size=(60, 2))


def test_by_hand():
    values = {"up": MetricValue(0.5), "down": MetricValue(0.5), "none": MetricValue(np.nan)}
    runs = [{"up": x, "down": x, "none": x} for x in (0.1, 0.5, 0.7, np.nan)]
    directions = {"up": "up", "down": "down", "none": "up"}
    # Of three permutations with a value, 0.5 and 0.7 are as good upwards, 0.1 and 0.5 downwards.
    assert p_values(values, runs, directions) == {"up": 3 / 4, "down": 3 / 4}


def test_it_is_the_rank_of_the_score_among_permutations():
    report = dm.score(WEAK, V, metrics="mcc", permutations=49)
    rng = np.random.default_rng([0, *b"chance"])
    drawn = [dm.mcc(WEAK, V[rng.permutation(60)]).value for _ in range(49)]
    as_good = sum(value >= report["mcc"].value for value in drawn)
    assert report["mcc"].p == (1 + as_good) / 50
    assert 0 < as_good < 49
    # Chance is what it is without them: the mean of the first five.
    assert report["mcc"].chance == dm.score(WEAK, V, metrics="mcc")["mcc"].chance
    assert report["mcc"].chance == pytest.approx(np.mean(drawn[:5]))


def test_noise_is_seldom_significant_and_a_code_always():
    rng = np.random.default_rng(1)
    ps = [dm.mcc(rng.normal(size=(40, 2)), V[:40], anchors=True, permutations=19).p for _ in range(20)]
    assert np.mean(np.array(ps) <= 0.05) < 0.2
    assert 0.3 < np.mean(ps) < 0.7
    good = dm.score(V, V, metrics=["mcc", "procrustes", "mig"], permutations=19)
    assert [score.p for score in good.values()] == [0.05, 0.05, 0.05]
    assert dm.score(V, V, metrics="active_units", permutations=5)["active_units"].p is None


def test_it_does_not_depend_on_the_processes():
    metrics = [dm.Metric("dci", probe="lasso", alpha=0.01)]
    one, two = (
        dm.score(WEAK, V, metrics=metrics, permutations=5, anchors="all", n_jobs=jobs) for jobs in (1, 2)
    )
    assert [score.p for score in one.values()] == [score.p for score in two.values()]


def test_every_form_of_the_report_has_it(tmp_path):
    report = dm.score(WEAK, V, metrics="mcc", permutations=19)
    p = report["mcc"].p
    path = tmp_path / "report.json"
    report.to_json(path)
    back = dm.Report.from_json(path)
    assert (back.permutations, back["mcc"].p) == (19, p)
    assert report.to_frame()["p"].tolist() == [p]
    assert f"{p:.3f}" in str(report)
    assert f"p {p:.3f}" in str(report["mcc"])
    assert "permutations=19" in report.to_html()
    without = dm.score(WEAK, V, metrics="mcc")
    assert without["mcc"].p is None
    assert "p" not in without.to_frame()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"permutations": 0}, "`permutations` must be a whole number of at least 1, got 0"),
        ({"permutations": 9.5}, "`permutations` must be a whole number"),
        ({"permutations": 9, "anchors": False}, "leave anchors on"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(dm.InputError, match=message):
        dm.score(WEAK, V, metrics="mcc", **options)


def test_a_slow_metric_without_p_is_named():
    codes = {
        check.code: str(check) for check in dm.score(WEAK, V, metrics=["mcc", "r4"], permutations=3).checks()
    }
    assert codes["no_p"].startswith('no p of r4, whose chance is slow to compute; `anchors="all"`')
    alone = dm.score(WEAK, V, metrics=["mcc"], permutations=3)
    assert "no_p" not in {check.code for check in alone.checks()}


def test_the_table_of_several_representations_has_a_line_of_p():
    bench = dm.benchmark({"a": V, "b": V}, V, metrics=["mcc"], permutations=9, progress=False)
    lines = str(bench).splitlines()
    assert [line.split() for line in lines if line.startswith("  p")] == [["p", "0.100"]] * 2
    assert sum("p: share of permutations" in line for line in lines) == 1


def test_scores_that_differ_by_rounding_alone_are_as_good():
    low, high = 0.3, 0.1 + 0.2  # one unit in the last place above
    values = {"up": MetricValue(high), "down": MetricValue(low)}
    assert p_values(values, [{"up": low, "down": high}], {"up": "up", "down": "down"}) == {
        "up": 1.0,
        "down": 1.0,
    }


def test_fewer_permutations_than_chance_takes_count_alone():
    assert dm.score(V, V, metrics="mcc", permutations=2)["mcc"].p == 1 / 3


def test_chance_is_the_mean_of_the_permutations_that_have_a_value():
    assert mean_scores([{"mig": 1.0}, {"mig": np.nan}, {"mig": 3.0}]) == {"mig": 2.0}
