"""Confidence intervals: the formulas, what they say of themselves, and how often they hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.metrics.definition import VoteCount
from disentangle_metrics.relations.relate import relate
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.scoring.intervals import Located, basic, clipped, corrected, wilson
from tests.scoring.interval_coverage import Row, measure, population

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


@pytest.fixture(autouse=True)
def only_the_built_in_metrics():
    """Metrics that a test registers are gone after it."""
    before = set(METRICS.names())
    yield
    for name in set(METRICS.names()) - before:
        METRICS.remove(name)


RNG = np.random.default_rng(0)
V = np.column_stack([RNG.integers(3, size=300), RNG.integers(4, size=300)])
Z = np.column_stack([V[:, 0] + 0.4 * RNG.normal(size=300), V[:, 1] + 0.9 * RNG.normal(size=300)])
NEIGHBOURS = dm.Metric("mig", estimator="nearest_neighbours")


def test_the_basic_interval_reflects_the_quantiles_at_the_estimate():
    replicates = np.arange(1.0, 200.0)  # 199 of them: the 5th and the 195th cut off 2.5 percent each
    assert_allclose(basic(50.0, replicates, 0.95), (100 - 195, 100 - 5))


def test_few_replicates_are_taken_as_normal():
    low, high = basic(1.0, np.array([0.0, 2.0, 4.0]), 0.95)
    half = 4.302652729911275 * 2.0 * np.sqrt(1 + 1 / 3)  # Student's t, 2 degrees of freedom
    assert_allclose((low, high), (2 - 2 - half, 2 - 2 + half))


def test_the_corrected_estimate_is_what_the_interval_shrinks_to():
    replicates = np.concatenate([np.arange(1.0, 100.0), [1e6]])  # their median is 50.5, their mean far above
    assert corrected(60.0, replicates, 0.95) == 2 * 60 - 50.5
    assert_allclose(basic(60.0, replicates, 1e-6), 2 * 60 - 50.5, atol=1e-3)
    few = np.array([0.0, 2.0, 7.0])  # taken as normal, around their mean
    assert corrected(1.0, few, 0.95) == 2 - 3
    assert_allclose(np.mean(basic(1.0, few, 0.95)), 2 - 3)


def test_the_corrected_estimate_stays_in_the_range_too():
    assert Located((-0.2, 0.1), -0.1).within((0.0, 1.0)) == Located((0.0, 0.1), 0.0)


def test_a_corrected_estimate_lies_in_its_interval_where_the_score_need_not():
    noise = np.random.default_rng(1).normal(size=(300, 2))
    report = dm.score(noise, V, metrics=["mig", "mcc", "factor_vae", "dci"], confidence=0.9, replicates=25)
    for score in report.values():
        low, high = score.interval
        assert low <= score.corrected <= high
    assert report["mcc"].value > report["mcc"].interval[1]  # correlations of noise are all bias
    assert report["mcc"].corrected < report["mcc"].value
    for key in ("factor_vae", "dci_completeness"):  # votes and probes: no bias is taken off
        assert report[key].corrected == report[key].value
    assert dm.mig(Z, V).corrected is None


def test_intervals_of_probes_are_around_the_score_at_any_confidence():
    few = np.random.default_rng(2).integers(3, size=(40, 2))
    code = few + np.random.default_rng(3).normal(size=(40, 2)) / 2
    for confidence in (0.02, 0.95):
        report = dm.score(code, few, metrics=["sap", "explicitness"], confidence=confidence, anchors=False)
        for score in report.values():
            assert score.interval[0] <= score.corrected == score.value <= score.interval[1]


def test_wilson_intervals_equal_published_values():
    # 81 of 263: Newcombe, Statistics in Medicine 1998, table I; 0 of 20 likewise.
    assert_allclose(wilson(VoteCount(81, 263), 0.95), (0.2553, 0.3662), atol=5e-5)
    assert_allclose(wilson(VoteCount(0, 20), 0.95), (0.0, 0.1611), atol=5e-5)


def test_a_rescaled_share_has_a_rescaled_interval():
    raw, rescaled = (wilson(VoteCount(150, 200, guess), 0.9) for guess in (0.0, 0.25))
    assert_allclose(rescaled, [(end - 0.25) / 0.75 for end in raw])


def test_vote_metrics_have_the_interval_of_their_accuracy():
    score = dm.factor_vae(Z, V, votes=(500, 400), confidence=0.9)
    assert_allclose(score.interval, wilson(VoteCount(round(score.value * 400), 400), 0.9))
    assert "interval:votes" in score.signature
    assert "replicates" not in score.signature


@pytest.mark.parametrize("name", ["factor_vae", "beta_vae", "z_max_variance"])
def test_a_rescaled_score_below_chance_lies_in_its_interval(name):
    noise = np.random.default_rng(2).normal(size=(len(V), 2))
    guess = 1 / V.shape[1]
    metric = dm.Metric(name, votes=(100, 20), rows=8, rescale=True)
    score = dm.score(noise, V, metrics=metric, confidence=0.9, anchors=False)[name]
    right = round((score.value * (1 - guess) + guess) * 20)
    assert score.interval == pytest.approx(wilson(VoteCount(right, 20, guess), 0.9))
    assert score.interval[0] < 0
    assert score.corrected == score.value
    assert score.range == (-1, 1)


def test_intervals_end_at_the_range_of_the_score():
    assert clipped((-0.2, 1.3), (0.0, 1.0)) == (0.0, 1.0)
    noise = np.random.default_rng(1).normal(size=(300, 2))
    assert dm.mig(noise, V, confidence=0.95).interval[0] == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 95}, r"`confidence` must lie between 0 and 1, got 95; for 95 percent pass 0.95"),
        ({"confidence": 0}, "`confidence` must lie between 0 and 1, got 0"),
        ({"confidence": 1.0}, "`confidence` must lie between 0 and 1, got 1.0"),
        ({"confidence": float("nan")}, "`confidence` must lie between 0 and 1"),
        ({"confidence": True}, "`confidence` must be a number between 0 and 1, got True"),
        ({"confidence": "95%"}, "`confidence` must be a number between 0 and 1, got '95%'"),
        ({"confidence": 0.9, "replicates": 1}, "`replicates` must be a whole number of at least 2, got 1"),
        ({"replicates": 50}, "pass `confidence` too"),
    ],
)
def test_options_that_make_no_sense_are_named(options, message):
    with pytest.raises(dm.InputError, match=message):
        dm.score(Z, V, metrics="mig", **options)
    with pytest.raises(dm.InputError, match=message):
        dm.mig(Z, V, **options)


def test_an_evaluation_refuses_them_before_it_encodes():
    def encoder(images):
        raise AssertionError("encoded")

    with pytest.raises(dm.InputError, match="`confidence` must lie between 0 and 1"):
        dm.evaluate(encoder, dm.load_dataset("sprites"), samples=10, confidence=2)


def test_signatures_name_the_interval_only_if_there_is_one():
    plain, with_interval = dm.mcc(Z, V).signature, dm.mcc(Z, V, confidence=0.9, replicates=50).signature
    assert "confidence" not in plain
    assert "seed" not in plain
    assert "|confidence:0.9|interval:bootstrap|replicates:50|seed:0|" in with_interval
    seeded = dm.mig(Z, V, estimator="nearest_neighbours", confidence=0.9, replicates=2).signature
    assert "interval:subsample" in seeded
    assert seeded.count("seed:") == 1


def test_the_same_seed_gives_the_same_bits_whatever_the_company_and_the_number_of_jobs():
    first = dm.score(Z, V, metrics=["sap", "mcc", "mig"], anchors=False, confidence=0.9, replicates=5)
    again = dm.score(
        Z, V, metrics=["mig", "sap", "irs"], anchors=False, confidence=0.9, replicates=5, n_jobs=2
    )
    for key in ("mig", "sap"):
        assert first[key].interval == again[key].interval
        assert first[key].signature == again[key].signature
    assert dm.mig(Z, V, confidence=0.9, replicates=5, seed=1).interval != first["mig"].interval


def test_intervals_never_change_a_score():
    neighbours = dm.Metric("mig_sup", estimator="nearest_neighbours")  # a report has one of each key
    metrics = ["mig", "mcc", "factor_vae", "explicitness", neighbours]
    plain = dm.score(Z, V, metrics=metrics)
    with_intervals = dm.score(Z, V, metrics=metrics, confidence=0.9, replicates=3)
    for key in plain:
        assert plain[key].value == with_intervals[key].value
        assert plain[key].chance == with_intervals[key].chance
        assert plain[key].interval is None
        assert with_intervals[key].interval is not None
    assert len(plain) == 5


def test_replicates_are_cut_at_the_edges_of_all_rows():
    outlier = np.concatenate([Z, [[100.0, 100.0]]])
    whole = Relations(check(outlier, np.concatenate([V, [[0, 0]]])))
    part = Relations(whole.inputs.rows(np.arange(300)), edges_of=whole)
    assert_allclose(part.bins(20, "uniform").edges[:, -1], 100.0)
    # With all of their spread in one bin, the latents tell nothing.
    assert part.mutual_information().mutual_information.max() < 0.2
    assert Relations(part.inputs).mutual_information().mutual_information.max() > 0.5


def test_probes_never_meet_a_test_row_in_training():
    seen = []

    @dm.metric(name="spy_on_the_split", source="here", interval="subsample")
    def spy(relations, *, split=1 / 3, max_rows=15_000):
        train, test = relations.split(split, max_rows)
        rows = relations.latents[:, 0]
        seen.append((rows[train], rows[test]))
        return dm.MetricValue(0.5)

    numbered = np.column_stack([np.arange(300.0), Z[:, 0]])
    report = dm.score(numbered, V, metrics="spy_on_the_split", anchors=False, confidence=0.9, replicates=3)
    (train, test), *replicates = seen
    assert report["spy_on_the_split"].interval == (0.5, 0.5)
    assert len(replicates) == 3
    for some_train, some_test in replicates:
        assert set(some_train) < set(train)
        assert set(some_test) < set(test)
        assert (len(set(some_train)), len(set(some_test))) == (100, 50)


def test_the_interval_of_a_probe_lies_about_its_score():
    score = dm.sap(Z, V, kind="classification", confidence=0.9, replicates=5)
    assert sum(score.interval) / 2 == pytest.approx(score.value)
    reflected = dm.mig(Z, V, estimator="nearest_neighbours", confidence=0.9, replicates=5)
    assert sum(reflected.interval) / 2 != pytest.approx(reflected.value, abs=1e-6)


def test_half_samples_hold_half_of_the_rows_once():
    sizes = []

    @dm.metric(name="spy_on_the_rows", source="here")
    def spy(relations, *, estimator="nearest_neighbours"):
        sizes.append((len(relations.latents), len(np.unique(relations.latents[:, 0]))))
        return dm.MetricValue(0.5)

    dm.score(Z, V, metrics="spy_on_the_rows", anchors=False, confidence=0.9, replicates=2)
    assert sizes == [(300, 300), (150, 150), (150, 150)]


def test_every_metric_has_an_interval_or_says_why_not():
    rows, rng = 80, np.random.default_rng(0)
    posterior = dm.GaussianPosterior(Z[:rows], np.full((rows, 2), -3.0) + 0.1 * rng.normal(size=(rows, 2)))
    report = dm.score(
        posterior,
        V[:rows],
        metrics=[dm.Metric(name, **SMALL.get(name, {})) for name in BUILTIN],
        anchors=False,
        confidence=0.9,
        replicates=2,
    )
    without = {key for key, score in report.items() if score.interval is None and not score.reason}
    definitions = [METRICS.load(name) for name in BUILTIN]
    assert without == {
        score.key for d in definitions for score in d.scores if d.interval == "none" or score.no_interval
    }
    assert {"wsepin", "unibound_upper", "modularity", "info_modularity"} < without
    for key in without:
        assert any(f"{key} has no confidence interval" in text for text in report[key].warnings)


SMALL = {
    "dci": {"probe": "lasso", "alpha": 0.1},
    "factor_vae": {"votes": (50, 50)},
    "beta_vae": {"votes": (50, 50)},
    "z_max_variance": {"votes": (50, 50)},
    "wsepin": {"samples": 50},
    "unibound": {"samples": 50},
}


def test_a_score_that_most_resamples_do_not_have_gets_no_interval():
    rare = np.zeros((40, 1), dtype=int)
    rare[0] = 1

    @dm.metric(name="needs_a_rare_row", source="here")
    def needs(relations):
        present = relations.inputs.factors[0].codes.max() == 1
        return dm.MetricValue(0.5 if present else float("nan"), reason="" if present else "none")

    score = dm.score(Z[:40], rare, metrics="needs_a_rare_row", anchors=False, confidence=0.9)[
        "needs_a_rare_row"
    ]
    assert score.interval is None
    assert any("resamples of the rows gave no value" in text for text in score.warnings)


def test_a_score_at_the_end_of_its_range_in_all_resamples_gets_no_interval():
    report = dm.score(
        V, V, metrics=["sufficiency", "active_units"], anchors=False, confidence=0.9, replicates=20
    )
    assert report["sufficiency"].value == pytest.approx(1)
    assert report["sufficiency"].interval is None
    assert any("the end of its range" in text for text in report["sufficiency"].warnings)
    assert report["active_units"].interval == (2, 2)  # alike as well, but a count within its range


def test_reports_keep_and_show_intervals(tmp_path):
    report = dm.score(Z, V, metrics=["mig", "dhsic"], anchors=False, confidence=0.9, replicates=20)
    low, high = report["mig"].interval
    report.to_json(tmp_path / "report.json")
    again = dm.Report.from_json(tmp_path / "report.json")
    assert again["mig"].interval == (low, high)
    assert again.confidence == 0.9
    assert "90% interval" in str(again)
    assert f"{low:.3f}, {high:.3f}" in str(again)
    assert f"[{low:.3f}, {high:.3f}]" in str(again["mig"])
    frame = again.to_frame()
    assert frame.loc["mig", ["interval_low", "interval_high"]].tolist() == [low, high]
    assert np.isnan(frame.loc["dhsic", "interval_low"])
    plain = dm.score(Z, V, metrics="mig", anchors=False)
    assert "interval" not in str(plain)
    assert "interval_low" not in plain.to_frame()


# Coverage of few metrics with few samples; tests/scoring/test_interval_coverage.py has the rest.


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            Row(
                "counts",
                (dm.Metric("mig"), dm.Metric("mig_sup"), dm.Metric("mcc")),
                20,
                options={"replicates": 99},
            ),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            Row(
                "normal latents, cut at the ends of the sample",
                (dm.Metric("jemmig"),),
                20,
                size=100_000,
                truth="population in these bins",
                noise=0.3,
            ),
            marks=pytest.mark.slow,
        ),
        Row("neighbours", (NEIGHBOURS,), 20, rows=500, size=20_000, options={"replicates": 40}),
    ],
    ids=lambda row: row.name,
)
def test_intervals_hold_the_score_of_the_population(row):
    found = measure(row)
    assert min(coverage.share for coverage in found.values()) >= 0.9, found


def test_intervals_of_votes_hold_the_score_of_many_votes():
    latents, factors = (part[:500] for part in population(1_000))
    options = {"votes": (4_000, 300), "rows": 4}
    truth = dm.factor_vae(latents, factors, votes=(4_000, 100_000), rows=4).value
    assert truth < 0.95
    intervals = [
        dm.factor_vae(latents, factors, seed=seed, confidence=0.95, **options).interval for seed in range(60)
    ]
    assert np.mean([low <= truth <= high for low, high in intervals]) >= 0.9


def test_a_score_whose_intervals_miss_has_none_and_says_why():
    latents, factors = (part[:300] for part in population(1_000))
    metrics = ["modularity", "mig"]
    report = dm.score(latents, factors, metrics=metrics, confidence=0.95, replicates=5, anchors=False)
    assert report["mig"].interval is not None
    assert report["modularity"].interval is None
    assert any("modularity has no confidence interval" in line for line in report["modularity"].warnings)
    assert "interval:none" in report["modularity"].signature
    parts = dm.infomec(latents, factors, confidence=0.95, replicates=2)
    assert [score.interval is None for score in parts.values()] == [True, False, False]


def test_replicates_cut_continuous_factors_at_the_edges_of_all_rows():
    values = np.append(np.linspace(0, 1, 300), 100.0)[:, None]
    whole = Relations(check(values, values, factor_types="continuous"))
    part = Relations(whole.inputs.rows(np.arange(300)), edges_of=whole)
    assert set(part.factor_codes(20, "uniform")[0][0]) == {0}


def test_replicates_with_missing_values_are_cut_at_the_edges_of_all_rows():
    latents = np.append(np.linspace(0, 1, 300), 100.0)[:, None]
    factors = np.column_stack([np.arange(301) // 101, np.arange(301) % 2]).astype(float)
    factors[:50, 0] = np.nan
    whole = relate(check(latents, factors, missing="drop"))
    part = relate(whole.inputs.rows(np.arange(300)), edges_of=whole)
    assert part.mutual_information().mutual_information.max() == 0  # all of their spread is in one bin
    assert part.complete_cases().bins(20, "uniform").edges[0, -1] == 100


def test_replicates_of_groups_are_cut_at_the_edges_of_all_rows():
    latents = np.vstack([np.random.default_rng(0).random((300, 2)), [[100.0, 100.0]]])
    whole = relate(check(latents, (np.arange(301) % 2)[:, None]).grouped({"pair": [0, 1]}))
    part = relate(whole.inputs.rows(np.arange(300)), edges_of=whole)
    assert part.mutual_information().mutual_information.max() == 0


def test_rows_beyond_max_rows_are_in_no_part_of_a_replicate():
    seen = []

    @dm.metric(name="spy_on_few_rows", source="here", interval="subsample")
    def spy(relations, *, split=1 / 3, max_rows=150):
        train, test = relations.split(split, max_rows)
        rows = relations.latents[:, 0]
        seen.append((set(rows[train]), set(rows[test])))
        return dm.MetricValue(0.5)

    numbered = np.column_stack([np.arange(300.0), Z[:, 0]])
    dm.score(numbered, V, metrics="spy_on_few_rows", anchors=False, confidence=0.9, replicates=3)
    (train, test), *replicates = seen
    assert (len(train), len(test), len(replicates)) == (100, 50, 3)
    for some_train, some_test in replicates:
        assert some_train < train
        assert some_test < test
        assert (len(some_train), len(some_test)) == (50, 25)
