"""compare(): what it takes, what it refuses, and what its answer rests on."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from scipy import stats

import disentangle_metrics as dm

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
ROWS = 400
V = np.column_stack([RNG.integers(n, size=ROWS) for n in (3, 4)])
CLEAR = V + 0.3 * RNG.normal(size=V.shape)
NOISY = V + 0.6 * RNG.normal(size=V.shape)
METRICS = ["mig", "mig_sup", "factor_vae", "active_units", "modularity"]
OPTIONS = {"metrics": METRICS, "anchors": False, "confidence": 0.95, "replicates": 40}


def report(latents, **options):
    return dm.score(latents, V, **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def clear():
    return report(CLEAR)


@pytest.fixture(scope="module")
def noisy():
    return report(NOISY)


def runs(noise, seeds, **options):
    made = []
    for seed in seeds:
        jitter = np.random.default_rng(seed).normal(size=V.shape)
        made.append(dm.score(V + noise * jitter, V, metrics=["mig"], anchors=False, **options))
    return made


def test_the_clear_code_is_better(clear, noisy):
    comparison = dm.compare({"noisy": noisy, "clear": clear})
    (difference,) = comparison["mig"].differences
    assert difference.value == clear["mig"].value - noisy["mig"].value > 0
    assert difference.method == "same rows"
    assert difference.count == 40
    low, high = difference.interval
    assert 0 < low < difference.corrected < high
    assert difference.p < 0.001
    assert comparison["mig"].best(comparison.level) == ("clear",)
    assert comparison["mig"].not_worse(comparison.level) == ()
    assert comparison["mig"].better(difference, comparison.level) == "clear"
    assert str(comparison).startswith("clear is better than noisy in ")


def test_the_order_turns_the_sign_alone(clear, noisy):
    (one,) = dm.compare({"noisy": noisy, "clear": clear})["mig"].differences
    (other,) = dm.compare({"clear": clear, "noisy": noisy})["mig"].differences
    assert other.interval == pytest.approx((-one.interval[1], -one.interval[0]))
    assert (other.value, other.p) == (-one.value, pytest.approx(one.p))


def test_the_interval_is_that_of_the_differences_on_the_same_resamples(clear, noisy):
    # The resamples by their description: rows drawn with replacement, a stream for each number.
    first, second = clear.evidence.resampled["mig"].scores, noisy.evidence.resampled["mig"].scores
    drawn = np.array(second) - np.array(first)
    centre = 2 * (noisy["mig"].value - clear["mig"].value) - drawn.mean()
    error = drawn.std(ddof=1) * np.sqrt(1 + 1 / 40)
    (difference,) = dm.compare({"clear": clear, "noisy": noisy}, confidence=0.9)["mig"].differences
    assert difference.interval == pytest.approx(stats.t(39, centre, error).interval(0.9))
    assert difference.p == pytest.approx(2 * stats.t.sf(abs(centre) / error, 39))


def test_p_is_corrected_for_all_tests(clear, noisy):
    third = report(V + 0.5 * np.random.default_rng(5).normal(size=V.shape))
    comparison = dm.compare({"clear": clear, "noisy": noisy, "third": third})
    tested = [d for d in comparison.differences if d.p is not None]
    assert len(tested) == 9  # mig, mig_sup and factor_vae of three pairs
    ordered = sorted(tested, key=lambda d: d.p)
    expected = np.maximum.accumulate([min(1.0, (9 - place) * d.p) for place, d in enumerate(ordered)])
    np.testing.assert_allclose([d.p_holm for d in ordered], expected)


def test_a_size_and_a_score_without_interval_are_not_tested(clear, noisy):
    comparison = dm.compare({"clear": clear, "noisy": noisy})
    (size,) = comparison["active_units"].differences
    assert size.p is None
    assert "a size" in size.reason
    assert comparison["active_units"].best(comparison.level) == ()
    (without,) = comparison["modularity"].differences
    assert without.interval is None
    assert without.reason.startswith("neither has an interval of its own: ")


def test_without_evidence_the_difference_stands_and_says_how_to_get_more(clear):
    bare = report(NOISY, confidence=None, replicates=None)
    comparison = dm.compare({"clear": clear, "noisy": bare}, metrics="mig")
    (difference,) = comparison["mig"].differences
    assert difference.value == bare["mig"].value - clear["mig"].value
    assert (difference.interval, difference.p, difference.p_holm) == (None, None, None)
    assert "of noisy, it was scored without intervals" in difference.reason
    text = " ".join(str(comparison).split())
    assert "Nothing could be tested" in text
    assert "score it again with `dm.score(..., confidence=0.95)`" in text


def test_other_rows_are_not_paired():
    shuffled = np.random.default_rng(3).permutation(ROWS)
    one = report(CLEAR, metrics=["mig"])
    other = dm.score(NOISY[shuffled], V[shuffled], **{**OPTIONS, "metrics": ["mig"]})
    (difference,) = dm.compare({"a": one, "b": other})["mig"].differences
    assert difference.method == "other rows"
    (vouched,) = dm.compare({"a": one, "b": other}, paired=True)["mig"].differences
    assert vouched.method == "same rows"
    (apart,) = dm.compare({"a": one, "b": report(NOISY, metrics=["mig"])}, paired=False)["mig"].differences
    assert apart.method == "other rows"


def test_another_seed_of_the_resamples_is_not_paired(clear):
    other = report(NOISY, seed=1, metrics=["mig"])
    (difference,) = dm.compare({"a": clear, "b": other}, metrics=["mig"])["mig"].differences
    assert difference.method == "other rows"
    with pytest.raises(dm.InputError, match="drawn with seeds 0 and 1; score both with one seed"):
        dm.compare({"a": clear, "b": other}, metrics=["mig"], paired=True)


def test_several_runs_are_paired_by_place_or_by_seed():
    first, second = runs(0.3, range(4)), runs(0.5, range(10, 14))
    values = [[r["mig"].value for r in group] for group in (first, second)]
    (difference,) = dm.compare({"a": first, "b": second})["mig"].differences
    expected = stats.ttest_rel(values[1], values[0])
    assert (difference.method, difference.count) == ("paired runs", 8)
    assert difference.p == pytest.approx(expected.pvalue)
    by_seed = {"a": dict(enumerate(first)), "b": {3: second[3], 2: second[2], 0: second[0], 9: second[1]}}
    (difference,) = dm.compare(by_seed, paired=True)["mig"].differences
    places = [0, 2, 3]
    expected = stats.ttest_rel([values[1][p] for p in places], [values[0][p] for p in places])
    assert difference.count == 6
    assert difference.p == pytest.approx(expected.pvalue)


def test_unequal_numbers_of_runs_are_welchs_test():
    first, second = runs(0.3, range(4)), runs(0.5, range(10, 15))
    (difference,) = dm.compare({"a": first, "b": second})["mig"].differences
    expected = stats.ttest_ind(
        [r["mig"].value for r in second], [r["mig"].value for r in first], equal_var=False
    )
    assert difference.method == "runs"
    assert difference.p == pytest.approx(expected.pvalue)
    with pytest.raises(dm.InputError, match="`paired`: the runs of a and b have not the same number"):
        dm.compare({"a": first, "b": second}, paired=True)
    comparison = dm.compare({"a": first, "b": second})
    mean = np.mean([r["mig"].value for r in first])
    deviation = np.std([r["mig"].value for r in first], ddof=1)
    assert f"{mean:.3f} ± {deviation:.3f}" in str(comparison)


def test_one_run_against_several_has_no_test():
    (difference,) = dm.compare({"a": runs(0.3, [0]), "b": runs(0.5, range(3))})["mig"].differences
    assert difference.reason == "a has one run, which tells nothing of the spread of its runs"


def test_arrays_are_scored_here(clear, noisy):
    options = {"factors": V, "metrics": METRICS, "replicates": 40}
    comparison = dm.compare({"clear": CLEAR, "noisy": NOISY}, **options)
    assert comparison == dm.compare({"clear": clear, "noisy": noisy})
    several = dm.compare({"a": [CLEAR, CLEAR + 0.01, CLEAR], "b": [NOISY] * 3}, factors=V, metrics=["mig"])
    assert several.runs == {"a": 3, "b": 3}
    lists = dm.compare({"a": CLEAR.tolist(), "b": NOISY.tolist()}, factors=V, metrics=["mig"], replicates=40)
    assert lists["mig"].values == {"a": (clear["mig"].value,), "b": (noisy["mig"].value,)}


def test_the_bits_do_not_depend_on_n_jobs():
    options = {"factors": V, "metrics": ["sap", "mig"], "replicates": 5}
    one, two = (dm.compare({"a": CLEAR, "b": NOISY}, n_jobs=jobs, **options) for jobs in (1, 2))
    assert one.to_json() == two.to_json()


def test_a_name_means_every_score_of_its_settings_where_all_have_settings_in_their_keys():
    of = {"a": CLEAR, "b": NOISY}
    options = {"metrics": ["mig", "mig|bins:12"], "protocol": "carbonneau2022"}
    reports = {name: dm.score(latents, V, anchors=False, **options) for name, latents in of.items()}
    keys = [f"mig|bins:{bins}|factor_bins:10|normaliser:latent" for bins in (10, 12)]
    assert list(dm.compare(reports, metrics="mig")) == keys
    assert list(dm.compare(reports, metrics="mig|bins:12")) == keys[1:]
    assert list(dm.compare(of, factors=V, replicates=3, **options)) == keys
    plain = {
        name: dm.score(latents, V, anchors=False, metrics=options["metrics"]) for name, latents in of.items()
    }
    assert list(dm.compare(plain, metrics="mig")) == ["mig"]


@pytest.mark.parametrize("metric", [dm.Metric("mig_sup", active="auto"), "mig|estimator:histogram"])
def test_a_setting_that_the_input_decides_is_the_one_asked_for(metric):
    wide = np.column_stack([CLEAR, RNG.normal(size=ROWS)])
    groups = {"groups": {"a": [0, 1], "b": [2]}} if isinstance(metric, str) else {}
    options = {"metrics": [metric], "anchors": False, **groups}
    reports = {name: dm.score(latents, V, **options) for name, latents in (("a", wide), ("b", wide + 1))}
    (key,) = reports["a"]
    assert (
        "|active:varying" in reports["a"][key].signature
        or "nearest_neighbours" in reports["a"][key].signature
    )
    assert list(dm.compare(reports, metrics=[metric])) == [key]
    other = "mig_sup|active:range" if key == "mig_sup" else "mig|estimator:kraskov"
    with pytest.raises(dm.InputError):
        dm.compare(reports, metrics=[other])


def test_a_report_from_a_file_compares_alike(clear, noisy, tmp_path):
    for name, item in (("clear", clear), ("noisy", noisy)):
        item.to_json(tmp_path / f"{name}.json")
    read = {name: dm.Report.from_json(tmp_path / f"{name}.json") for name in ("clear", "noisy")}
    assert dm.compare(read) == dm.compare({"clear": clear, "noisy": noisy})


def test_unequal_signatures_are_refused_with_what_differs(clear):
    fewer = dm.score(NOISY[:300], V[:300], **OPTIONS)
    with pytest.raises(
        dm.InputError, match=r"n is 400 in clear and 300 in fewer \(of mig, mig_sup, factor_vae and"
    ):
        dm.compare({"clear": clear, "fewer": fewer})
    with pytest.raises(dm.InputError, match="no score can be compared: n is 400 in clear and 300 in fewer"):
        dm.compare({"clear": clear, "fewer": fewer}, align=True)


def test_an_interval_beyond_the_range_ends_at_it():
    rng = np.random.default_rng(5)
    factors = rng.integers(0, 2, size=(100, 10))
    codes = {"perfect": factors + 0.0, "noise": rng.normal(size=factors.shape)}
    scoring = {"factors": factors, "metrics": "dcimig", "replicates": 40}
    (d,) = dm.compare(codes, **scoring, confidence=0.3)["dcimig"].differences
    assert (d.corrected, d.interval) == (-1, (-1, -1))


def test_align_is_advised_only_where_it_leaves_a_score(clear):
    fewer = dm.score(NOISY[:300], V[:300], **OPTIONS)
    with pytest.raises(dm.InputError, match="score all alike$"):
        dm.compare({"clear": clear, "fewer": fewer})
    some = report(NOISY, metrics=[dm.Metric("mig", bins=10), "mig_sup"])
    with pytest.raises(dm.InputError, match="score all alike, or pass `align=True` to compare only"):
        dm.compare({"clear": clear, "some": some})


def test_a_score_that_one_lacks_is_told_of_it(clear):
    several = report(NOISY, metrics=[dm.Metric("mig", bins=10), dm.Metric("mig", bins=30), "mig_sup"])
    with pytest.raises(dm.InputError, match=r"no score can be compared: clear has no such score \(of mig\|b"):
        dm.compare({"clear": clear, "several": several}, metrics="mig|bins:10")
    with pytest.raises(dm.InputError, match="`metrics` is empty; name at least one, or leave it out"):
        dm.compare({"clear": clear, "several": several}, metrics=[])


def test_an_array_beside_a_posterior_is_told_the_setting_that_makes_them_alike():
    posterior = dm.GaussianPosterior(NOISY, np.full(NOISY.shape, -4.0))
    options = {"anchors": False, "confidence": None, "replicates": None}
    of_array = report(CLEAR, **options, metrics="mig_sup")
    with pytest.raises(
        dm.InputError,
        match=r"active is varying in pca and auto in vae \(of mig_sup\); score all alike, posteriors with "
        r"`dm.Metric\('mig_sup', active='varying'\)`$",
    ):
        dm.compare({"pca": of_array, "vae": report(posterior, **options, metrics="mig_sup")})
    alike = report(posterior, **options, metrics=dm.Metric("mig_sup", active="varying"))
    (difference,) = dm.compare({"pca": of_array, "vae": alike})["mig_sup"].differences
    assert difference.value == alike["mig_sup"].value - of_array["mig_sup"].value
    other = report(posterior, **options, metrics=dm.Metric("mig_sup", bins=5, active="varying"))
    with pytest.raises(dm.InputError, match=r"bins is .* \(of mig_sup\); score all alike$"):
        dm.compare({"pca": of_array, "vae": other})


def test_equal_scores_are_left_on_request(clear):
    metrics = [dm.Metric("mig", bins=10), "mig_sup"]
    other = report(NOISY, metrics=metrics)
    with pytest.raises(
        dm.InputError, match=r"bins is 20 in clear and 10 in other \(of mig\); score all alike"
    ):
        dm.compare({"clear": clear, "other": other})
    comparison = dm.compare({"clear": clear, "other": other}, align=True)
    assert list(comparison) == ["mig_sup"]
    assert comparison.left_out["mig"] == "bins is 20 in clear and 10 in other"
    assert comparison.left_out["factor_vae"] == "other has no such score"
    assert "not compared: mig: bins is 20 in clear and 10 in other" in str(comparison)


def test_the_number_of_latents_belongs_to_the_representation(clear):
    wider = report(np.column_stack([NOISY, RNG.normal(size=ROWS)]), metrics=["mig"])
    comparison = dm.compare({"clear": clear, "wider": wider}, metrics=["mig"])
    assert comparison["mig"].differences[0].method == "same rows"
    assert "the numbers of latents differ: clear 2 and wider 3" in str(comparison)


def test_a_seed_counts_where_the_score_draws(clear):
    other = report(NOISY, seed=1)
    with pytest.raises(dm.InputError, match=r"seed is 0 in clear and 1 in other \(of factor_vae\)"):
        dm.compare({"clear": clear, "other": other})


def test_the_version_of_the_package_does_not_count_and_that_of_the_definition_does(clear, noisy):
    old = dm.Report.from_json(noisy.to_json().replace("|dm:", "|dm:0.0."))
    assert "|dm:0.0." in old["mig"].signature
    assert (
        dm.compare({"clear": clear, "noisy": old}).scores.keys()
        == dm.compare({"a": clear, "b": noisy}).keys()
    )
    assert list(dm.Benchmark({"clear": clear, "noisy": old}).ranks()["compactness"]) == [1, 2]
    other = dm.Report.from_json(old.to_json().replace("|def:2|", "|def:1|"))
    with pytest.raises(dm.InputError, match=r"signatures differ: def is 2 in clear and 1 in noisy \(of mig"):
        dm.compare({"clear": clear, "noisy": other})


def test_several_data_sets_are_refused(clear, noisy):
    one = clear.with_provenance(dataset="rooms", image_shape=[64, 64, 3])
    with pytest.raises(dm.InputError, match=r"several data sets \(a of rooms at 64x64 and b of sprites\)"):
        dm.compare({"a": one, "b": noisy.with_provenance(dataset="sprites")})
    with pytest.raises(dm.InputError, match="rooms at 64x64 and b of rooms at 32x32"):
        dm.compare({"a": one, "b": noisy.with_provenance(dataset="rooms", image_shape=[32, 32, 3])})
    renamed = replace(noisy, factor_names=("hue", "size"), evidence=None)
    with pytest.raises(dm.InputError, match="several sets of factors .* the same `factor_names` if only the"):
        dm.compare({"a": clear, "b": renamed})
    with pytest.raises(dm.InputError, match="several sets of factors .*; compare those of one$"):
        dm.compare({"a": clear, "b": replace(renamed, factor_names=("hue",))})


@pytest.mark.parametrize(
    ("results", "options", "message"),
    [
        ([1, 2], {}, "`results` must be a mapping from names to reports"),
        ({"a": CLEAR}, {}, "at least two representations, got 1"),
        ({"a": CLEAR, "b": NOISY}, {}, "under 'a' is a ndarray; pass a Report, a list of Reports"),
        (
            {"a": "a.json", "b": "b.json"},
            {},
            r"under 'a' is a str; .*; read a file by `dm.Report.from_json\(",
        ),
        (
            {"a": ["0.json", "1.json"], "b": NOISY},
            {},
            r"is a list; .*; read a file by `dm.Report.from_json\(",
        ),
        ({"a": [], "b": NOISY}, {"factors": V}, "nothing under 'a'"),
        ({"a": CLEAR, "b": NOISY}, {"factors": V, "confidence": 95}, "`confidence` must lie between 0 and 1"),
        ({"a": CLEAR, "b": NOISY}, {"factors": V, "paired": "yes"}, "`paired` must be None, True or False"),
        ({"a": CLEAR, "b": NOISY}, {"factors": V, "bins": 3}, r"compare\(\) has no option 'bins'"),
        ({"a": CLEAR, "b": NOISY}, {"factors": V, "metrics": ["mgi"]}, "unknown metric 'mgi'"),
        ({"a": [CLEAR, "z.npy"], "b": NOISY}, {"factors": V}, "run 1 of 'a' is a str"),
    ],
)
def test_what_cannot_be_compared_is_named(results, options, message):
    with pytest.raises(dm.InputError, match=message):
        dm.compare(results, **options)


def test_options_for_arrays_are_refused_with_reports(clear, noisy):
    with pytest.raises(dm.InputError, match="`factors` is for arrays"):
        dm.compare({"a": clear, "b": noisy}, factors=V)
    with pytest.raises(dm.InputError, match="`seed` is for arrays"):
        dm.compare({"a": clear, "b": noisy}, seed=3)
    with pytest.raises(dm.InputError, match="`metrics`: no report has a score 'irs'; there are mig, mig_sup"):
        dm.compare({"a": clear, "b": noisy}, metrics="irs")


def test_it_is_frozen_and_becomes_json_and_a_frame(clear, noisy):
    comparison = dm.compare({"clear": clear, "noisy": noisy})
    with pytest.raises(FrozenInstanceError):
        comparison.confidence = 0.5
    with pytest.raises(KeyError, match="no score 'irs' in this comparison; it has mig"):
        comparison["irs"]
    plain = json.loads(comparison.to_json())
    assert plain["scores"]["mig"]["differences"][0]["p_holm"] == comparison["mig"].differences[0].p_holm
    assert plain["scores"]["mig"]["best"] == ["clear"]
    assert plain["scores"]["mig"]["signatures"]["noisy"] == noisy["mig"].signature
    frame = comparison.to_frame()
    assert frame.index.name == "metric"
    assert frame.loc["mig", "better"] == "clear"
    assert frame.loc["mig", "difference"] == noisy["mig"].value - clear["mig"].value
    assert np.isnan(frame.loc["modularity", "low"])
