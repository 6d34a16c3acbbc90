"""score(): the report as a user meets it."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.scoring.protocols import PROTOCOLS

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = pd.DataFrame({"shape": RNG.integers(3, size=400), "scale": RNG.integers(6, size=400)})
Z = np.column_stack([V["scale"] + 0.05 * RNG.normal(size=400), V["shape"], RNG.normal(size=400)])
CHEAP = ["mig", "mig_sup", "modularity", "irs"]


@pytest.fixture(scope="module")
def report():
    return dm.score(Z, V, latent_names=["size", "form", "noise"])


def test_the_report_holds_every_metric_of_the_suite(report):
    assert list(report) == [key for name in PROTOCOLS["default"].suite for key in find_metric(name).keys]
    assert {"mig", "mig_sup", "jemmig", "dci_completeness", "sap", "total_correlation"} < set(report)
    assert all(score.range[0] <= float(score) <= score.range[1] for score in report.values())
    assert report.shape == (400, 3, 2)


def test_parts_carry_the_names_of_factors_and_latents(report):
    assert report["mig"].per_factor.index.tolist() == ["shape", "scale"]
    assert report["mig_sup"].per_latent.index.tolist() == ["size", "form", "noise"]
    table = report["mig"].details["mutual_information"]
    assert table.loc["form", "shape"] == pytest.approx(report["mig"].details["factor_entropy"]["shape"])


def test_chance_and_ceiling_stand_beside_all_but_the_slow_metrics(report):
    assert report["mig"].chance < 0.05 < report["mig"].value <= report["mig"].ceiling <= 1
    assert report["mig"].ceiling > 0.95
    assert report["modularity"].chance > 0.5  # noise scores high there: the reason for printing it
    assert report["dci_completeness"].chance is None
    assert dm.score(Z, V, metrics=["mig"], anchors=False)["mig"].ceiling is None


def test_independence_has_neither_chance_nor_ceiling():
    score = dm.score(Z, V, metrics=["total_correlation"], anchors="all")["total_correlation"]
    assert (score.chance, score.ceiling) == (None, None)


def test_metrics_of_latents_alone_need_no_factors():
    report = dm.score(Z, None, metrics=["total_correlation", "mig"])
    assert report["total_correlation"].value == dm.total_correlation(Z).value
    assert report.shape == (400, 3, 0)
    assert report["mig"].reason == "mig needs factors, and none were given"
    assert dm.total_correlation(Z).signature == f"total_correlation|n:400|D:3|def:1|dm:{dm.__version__}"
    with_factors = dm.score(Z, V, metrics=["total_correlation"])["total_correlation"]
    assert with_factors.signature == report["total_correlation"].signature
    with pytest.raises(dm.InputError, match="mig cannot be scored without `factors`"):
        dm.mig(Z, None)
    with pytest.raises(TypeError, match="positional argument"):
        dm.total_correlation(Z, V)
    assert "factors" not in dm.total_correlation.__doc__.partition("Returns")[0].replace("no factors", "")


def test_settings_that_few_need_are_named_only_when_they_are_used():
    assert "normaliser" not in dm.mig(Z, V).signature
    assert "|factor_bins:10|normaliser:latent|strategy" in dm.mig(
        Z, V, normaliser="latent", factor_bins=10
    ).signature.replace("|estimator:histogram", "")


def test_all_anchors_on_request():
    slow = dm.score(Z[:200], V[:200], metrics=["sap", "dci"], anchors="all")
    assert slow["sap"].chance < 0.2 < slow["sap"].ceiling
    assert slow["dci_disentanglement"].chance < 0.3 < slow["dci_disentanglement"].ceiling


def test_the_signature_pins_every_setting(report):
    assert report["mig"].signature == (
        f"mig|bins:20|estimator:histogram|strategy:uniform|n:400|D:3|K:2|kinds:cc|def:2|dm:{dm.__version__}"
    )
    votes = report["factor_vae"].signature
    assert "votes:(10000,5000)" in votes
    assert "|seed:0|" in votes
    assert "|sklearn:" in report["dci_completeness"].signature


def test_the_signature_names_factors_that_are_not_categories():
    continuous = V.assign(angle=np.linspace(0, 1, 400))
    signature = dm.score(Z, continuous, metrics="mig", anchors=False)["mig"].signature
    assert "|kinds:ccr|" in signature


def test_signatures_tell_splits_and_probes_apart():
    halves = np.arange(200), np.arange(200, 400)
    one = dm.sap(Z, V, split=halves).signature
    other = dm.sap(Z, V, split=halves[::-1]).signature
    assert one != other
    from sklearn.tree import DecisionTreeClassifier

    probe = dm.dci(Z, V, probe=DecisionTreeClassifier(max_depth=2, random_state=0))
    assert "probe:DecisionTreeClassifier(max_depth=2, random_state=0)" in probe["dci_completeness"].signature


def test_equal_signatures_mean_equal_bits_and_another_seed_other_votes():
    one, same, other = (dm.factor_vae(Z, V, votes=(100, 50), rows=4, seed=seed) for seed in (1, 1, 2))
    assert (one.value, one.signature) == (same.value, same.signature)
    assert one.signature != other.signature
    assert not one.details["votes"].equals(other.details["votes"])


def test_a_metric_scores_the_same_alone_and_among_others(report):
    alone = dm.factor_vae(Z, V)
    assert alone.value == report["factor_vae"].value
    assert (
        dm.score(Z, V, metrics=["dci_completeness"])["dci_completeness"].value
        == report["dci_completeness"].value
    )


def test_metrics_by_key_name_or_object():
    chosen = dm.score(Z, V, metrics=["dci_completeness", dm.Metric("mig", bins=10)], anchors=False)
    assert list(chosen) == ["dci_completeness", "mig"]
    assert "bins:10" in chosen["mig"].signature
    assert list(dm.score(Z, V, metrics="mig", anchors=False)) == ["mig"]


def test_the_users_setting_wins_over_the_protocols():
    score = dm.score(
        Z, V, metrics=[dm.Metric("mig_sup", active=None)], protocol="locatello2019", anchors=False
    )
    assert "active:None" in score["mig_sup"].signature
    assert "active:0.01" in dm.mig_sup(Z, V, protocol="locatello2019").signature


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metrics": ["migs"]}, "unknown metric 'migs'; did you mean 'mig'"),
        ({"metrics": ["dci_completenes"]}, "did you mean 'dci_completeness'"),
        ({"metrics": ["udr"]}, r"'udr' compares several models: call `dm.udr\(list_of_latents\)`"),
        ({"n_jobs": 0}, "`n_jobs` must be a number of processes, -1 for one on each core, or None, got 0"),
        ({"n_jobs": "all"}, "`n_jobs` must be a number of processes"),
        ({"metrics": []}, "`metrics` is empty"),
        ({"metrics": [3]}, "must hold names or `dm.Metric` objects, got int"),
        ({"metrics": 3}, "must hold names or `dm.Metric` objects, got int"),
        ({"metrics": {"mig": {"bins": 10}}}, r"got dict; give settings as in `\[dm.Metric\('mig', bins=10\)\]`"),
        ({"protocol": ["default"]}, "`protocol` must be a name, such as 'default', got list"),
        ({"protocol": "locatelo"}, "unknown protocol 'locatelo'; did you mean 'locatello2019'\\? known: default"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, got -1"),
        ({"seed": None}, "`seed` must be a whole number"),
        ({"anchors": "some"}, "`anchors` must be True, False or 'all', got 'some'"),
        ({"metrics": [dm.Metric("dci", split=([0], [400]))]}, "test part of `split` has row 400, but there are 400 rows"),
        ({"metrics": [dm.Metric("dci", split=([0], []))]}, "test part of `split` must be a list of row numbers"),
    ],
)  # fmt: skip
def test_bad_options_are_refused_with_a_way_out(options, message):
    with pytest.raises(dm.InputError, match=message):
        dm.score(Z, V, **options)


def test_a_misspelt_setting_is_refused_when_it_is_written():
    with pytest.raises(dm.InputError, match="'mig' has no setting 'bin'; did you mean 'bins'"):
        dm.Metric("mig", bin=3)
    with pytest.raises(dm.InputError, match="no setting 'bin'"):
        dm.mig(Z, V, bin=3)


def test_json_brings_back_the_same_report(report, tmp_path):
    path = tmp_path / "report.json"
    text = report.with_provenance(model="none").to_json(path)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    again = dm.Report.from_json(path)
    assert again.to_json() == dm.Report.from_json(text).to_json() == text
    assert again["mig"].value == report["mig"].value
    pd.testing.assert_frame_equal(
        again["mig"].details["mutual_information"], report["mig"].details["mutual_information"]
    )
    assert again.provenance == {"model": "none"}


def test_nan_survives_json(tmp_path):
    path = tmp_path / "report.json"
    dm.score(Z, V[["scale"]], metrics=["mig_sup", "mig"], anchors=False).to_json(path)
    again = dm.Report.from_json(path)["mig_sup"]
    assert math.isnan(again.value)
    assert "needs two factors" in again.reason


def test_open_ranges_survive_json():
    report = dm.score(Z, V, metrics=["total_correlation", "mig"], anchors=False)
    again = dm.Report.from_dict(json.loads(report.to_json()))
    assert again["total_correlation"].range == (0, math.inf)
    assert again["mig"].range == (0, 1)


@pytest.mark.parametrize("text", ["", "[1]", '{"scores": {}}', '{"format": 99, "scores": {}}'])
def test_what_is_not_a_report_is_refused(text, tmp_path):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(dm.InputError, match="report"):
        dm.Report.from_json(path)


def test_a_text_that_is_no_json_is_refused_without_its_content():
    with pytest.raises(dm.InputError, match="^the text cannot be read as a report: Expecting"):
        dm.Report.from_json('{"scores": ')


def test_the_frame_and_the_notebook_table(report):
    frame = report.to_frame()
    assert frame.loc["mig", "value"] == report["mig"].value
    assert "mig" in report._repr_html_()


def test_the_printed_table_shows_scores_anchors_and_remarks(report):
    text = str(report)
    assert f"{report['mig'].value:.3f}" in text
    assert f"{report['modularity'].chance:.3f}" in text
    constant = str(dm.score(Z, V.assign(one=1), metrics=["mig"], anchors=False))
    assert "! factor 'one' is constant (1) and is left out" in constant
    assert str(report["mig"]).startswith(f"mig {report['mig'].value:.3f} (chance ")


def test_a_metric_that_cannot_apply_is_reported_with_its_reason():
    report = dm.score(Z, V[["scale"]], metrics=["mig", "modularity", "factor_vae", "dci"], anchors=False)
    assert not math.isnan(report["mig"].value)
    for key in ("modularity", "factor_vae", "dci_disentanglement"):
        assert math.isnan(report[key].value)
        assert "two factors" in report[key].reason
    assert "- modularity: modularity needs two factors" in str(report)


def test_no_factor_that_varies_leaves_a_report_of_reasons():
    report = dm.score(Z, np.ones((400, 2), dtype=int))
    for key, score in report.items():
        if find_metric(key).needs_factors:
            assert math.isnan(score.value)
            assert score.reason
        else:
            assert score.value >= 0


def test_unknown_keys_name_the_known_ones(report):
    with pytest.raises(KeyError, match="no score 'nig' in this report; it has mig, mig_sup"):
        report["nig"]


@pytest.fixture
def share():
    @dm.metric(property="toy", source="nobody")
    def share(relations, *, power=1):
        """The share of latents above zero, to a power."""
        return dm.MetricValue(float((relations.latents > 0).mean()) ** power)

    yield share
    METRICS.remove("share")


def test_a_users_metric_is_scored_beside_the_built_in_ones(share):
    report = dm.score(Z, V, metrics=["mig", dm.Metric("share", power=2)])
    assert report["share"].value == pytest.approx((Z > 0).mean() ** 2)
    assert "share|power:2|n:400" in report["share"].signature
    assert report["share"].ceiling is not None
    assert "share" in dm.list_metrics()
    assert "The share of latents above zero" in dm.describe("share")


def test_a_users_metric_cannot_take_a_built_in_name():
    with pytest.raises(dm.InputError, match="the metric name 'mig' is taken"):
        dm.metric(name="mig")(lambda relations: None)


def test_a_metric_that_fails_does_not_lose_the_others():
    @dm.metric(name="broken")
    def broken(relations):
        return 1 / 0

    try:
        report = dm.score(Z, V, metrics=["broken", "mig"], anchors=False)
        assert "ZeroDivisionError: division by zero" in report["broken"].reason
        assert report["mig"].value > 0
    finally:
        METRICS.remove("broken")


FAILURES = {
    "a long part": (lambda r: dm.MetricValue(0.5, per_factor=np.zeros(5)), r"per_factor has the shape \(5,\) for 2"),
    "a short part": (lambda r: dm.MetricValue(0.5, per_latent=np.zeros(1)), r"per_latent has the shape \(1,\) for 3"),
    "a table of another shape": (
        lambda r: dm.MetricValue(0.5, details={"t": dm.Labelled(np.zeros((2, 3)), ("latents", "factors"))}),
        r"its t has the shape \(2, 3\) for \(3, 2\) names",
    ),
    "another key": (lambda r: {"mig": dm.MetricValue(0.0)}, "it returned no score 'failing', but 'mig'"),
    "a key too many": (lambda r: {"mig": dm.MetricValue(0.0), "failing": dm.MetricValue(0.5)}, ""),
    "no value": (lambda r: None, "it returned a NoneType"),
    "an input error": (lambda r: r.split((1, 2, 3), None), "InputError: `split` must be a pair"),
    "the end": (lambda r: sys.exit(3), "SystemExit: 3"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.ScoreWarning")
@pytest.mark.parametrize("case", FAILURES)
def test_a_metric_from_elsewhere_fails_alone(case):
    compute, reason = FAILURES[case]
    mig = dm.score(Z, V, metrics="mig", anchors=False)["mig"]
    dm.metric(name="failing")(compute)
    try:
        report = dm.score(Z, V, metrics=["mig", "failing"], anchors=False)
    finally:
        METRICS.remove("failing")
    assert re.search(reason, report["failing"].reason)
    assert math.isnan(report["failing"].value) == bool(reason)
    assert report["mig"].to_dict() == mig.to_dict()


def test_settings_of_built_in_metrics_that_cannot_work_are_told():
    with pytest.raises(dm.InputError, match="test part of `split` has row 400, but there are 400 rows"):
        dm.score(Z, V, metrics=[dm.Metric("sap", split=([0, 1], [400])), "mig"], anchors=False)


def test_warnings_reach_the_caller_and_stay_on_the_score():
    with pytest.warns(dm.ScoreWarning, match="'one' is constant"):
        score = dm.mig(Z, V.assign(one=1))
    assert any("'one' is constant" in warning for warning in score.warnings)
    with pytest.warns(dm.ScoreWarning, match="'one' is constant"):
        dm.score(Z, V.assign(one=1), metrics=["mig"])


def test_no_warning_without_a_cause():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dm.score(Z, V, metrics=CHEAP)


def test_describe_gives_the_card_of_a_metric_by_name_and_by_score():
    card = dm.describe("dci_completeness")
    assert card == dm.describe("dci")
    assert "reads each factor in the rows that have a value of it" in card
    assert "reads the rows that have a value of every factor" in dm.describe("irs")
    assert "reads the rows whose latents are all there" in dm.describe("total_correlation")
    for part in (
        "Degenerate cases",
        "Eastwood",
        "probe = boosted_trees",
        "dci_informativeness: explicitness",
    ):
        assert part in card
    assert "Parameters" in dm.mig.__doc__
    assert "latents\n    Shape (N, D)" in dm.mig.__doc__


def test_the_progress_bar_goes_to_stderr(capsys):
    dm.score(Z, V, metrics=["mig"], anchors=False, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""


def test_posterior_means_decide_which_latents_are_active():
    means = Z * [1, 1, 0.01]
    report = dm.score(dm.GaussianPosterior(means, np.zeros_like(Z)), V, metrics=["mig_sup", "mig"])
    assert report["mig_sup"].details["active"].tolist() == [True, True, False]
    assert any("z_2: inactive, left out" in warning for warning in report["mig_sup"].warnings)
    plain = dm.mig_sup(means, V)
    assert plain.details["active"].all()
    assert any("variance below 1 percent" in warning for warning in plain.warnings)
    assert_allclose(report["mig"].value, dm.mig(Z, V).value, atol=1e-12)


def test_scores_do_not_depend_on_the_number_of_threads():
    code = (
        "import numpy as np, disentangle_metrics as dm;"
        "rng = np.random.default_rng(0); v = rng.integers(4, size=(500, 3)); z = v + rng.normal(size=(500, 3));"
        "r = dm.score(z, v, metrics=['mig', 'factor_vae', 'irs', 'sap', 'dci'], anchors=False);"
        "print([s.value.hex() for s in r.values()])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            env={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=True,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1
