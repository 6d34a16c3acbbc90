"""The Accumulator gives score's bits on the same rows, in any order, batching and order of merges."""

from __future__ import annotations

import functools
import pickle
import re
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import disentangle_metrics as dm
from disentangle_metrics.streams.countable import supported

SUPPORTED = tuple(supported())

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


def rows(seed=0, n=400, dtype=np.float64):
    rng = np.random.default_rng(seed)
    factors = np.stack([rng.integers(0, size, n) for size in (3, 7, 5)], axis=1)
    latents = factors @ rng.normal(size=(3, 4)) + rng.normal(size=(n, 4)) * [0.1, 1, 3, 0.01]
    latents[:, 3] = np.round(latents[:, 3])  # values on edges
    return np.hstack([latents, np.full((n, 1), 0.3)]).astype(dtype), factors


FAINT = re.compile(r"(?<=active=)[\d.e-]+")  # a variance, in a remedy
ELSEWHERE = "score all rows at once, and declare it there"  # what is to be done with a measurement


def bits(report):
    return {
        key: [np.asarray(part, dtype=float).tobytes() for part in (s.value, s.per_factor, s.per_latent)]
        for key, s in report.items()
    }


def whole(latents, factors, metrics=SUPPORTED, **options):
    return dm.score(latents, factors, metrics=metrics, anchors=False, **options)


def accumulated(batches, metrics=SUPPORTED, ranges=None, **options):
    if ranges is None:
        ranges = dm.Accumulator.find_ranges(latents for latents, _ in batches)
    parts = []
    for latents, factors in batches:
        parts.append(dm.Accumulator(ranges=ranges, metrics=metrics, **options))
        parts[-1].update(latents, factors)
    for part in parts[1:]:
        parts[0].merge(part)
    return parts[0].compute()


def tree(parts, rng):
    """Merge in an arbitrary order, each through a pickle."""
    parts = list(parts)
    while len(parts) > 1:
        i, j = rng.choice(len(parts), size=2, replace=False)
        parts[i].merge(pickle.loads(pickle.dumps(parts[j])))
        del parts[j]
    return parts[0]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 300),
    cuts=st.lists(st.integers(1, 299), max_size=6),
    groups=st.integers(1, 4),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_no_order_batching_or_merging_changes_a_bit(seed, n, cuts, groups, dtype):
    latents, factors = rows(seed, n, dtype)
    expected = whole(latents, factors, factor_types="categorical")  # batches cannot tell what all rows hold
    rng = np.random.default_rng(seed)
    batches = np.split(rng.permutation(n), sorted({cut for cut in cuts if cut < n}))
    ranges = dm.Accumulator.find_ranges(latents[index] for index in batches)
    parts = [dm.Accumulator(ranges=ranges, metrics=SUPPORTED) for _ in range(groups)]
    for index in batches:
        parts[rng.integers(groups)].update(latents[index], factors[index])
    report = tree(parts, rng).compute()
    assert bits(report) == bits(expected)
    assert [s.signature for s in report.values()] == [s.signature for s in expected.values()]
    for key, score in report.items():
        said = [re.sub("declare it, as in `.*?`", ELSEWHERE, text) for text in expected[key].warnings]
        assert [FAINT.sub("", text) for text in score.warnings] == [FAINT.sub("", text) for text in said]
        # Variances are sums of steps here, so that their last digits may be others.
        found, wanted = (list(map(float, FAINT.findall(" ".join(texts)))) for texts in (score.warnings, said))
        assert found == pytest.approx(wanted, rel=1e-5)
        assert {k: np.asarray(v).tobytes() for k, v in score.details.items()} == {
            k: np.asarray(v).tobytes() for k, v in expected[key].details.items()
        }


CHOSEN = [
    dm.Metric("mig", bins=10, factor_bins=4, normaliser="latent"),
    dm.Metric("mig_sup", active=0.5),
    dm.Metric("jemmig", correction="miller_madow"),
    dm.Metric("modularity", active="range"),
    dm.Metric("xmig", bins=7, factor_bins=3),
]


@pytest.mark.parametrize("posterior", [False, True])
def test_settings_and_posteriors_are_score_s(posterior):
    latents, factors = rows(3)

    def part(index):
        mean = latents[index]
        return (dm.GaussianPosterior(mean, np.zeros_like(mean)) if posterior else mean), factors[index]

    batches = [part(slice(0, 90)), part(slice(90, 91)), part(slice(91, 400))]
    expected = whole(*part(slice(None)), metrics=CHOSEN)
    assert bits(accumulated(batches, CHOSEN)) == bits(expected)


@pytest.mark.parametrize("protocol", ["default", "locatello2019", "carbonneau2022"])
def test_without_metrics_it_takes_what_the_suite_has(protocol):
    latents, factors = rows(4)
    report = accumulated([(latents[:200], factors[:200]), (latents[200:], factors[200:])], None,
                         protocol=protocol)  # fmt: skip
    assert {"mig", "mig_sup", "modularity"} <= set(report)
    assert bits(report) == bits(whole(latents, factors, metrics=list(report), protocol=protocol))


def test_bins_are_those_of_all_metrics():
    latents, factors = rows(5)
    asked = [dm.Metric("mig", bins=6), dm.Metric("dcimig", bins=6)]
    report = accumulated([(latents, factors)], ["mig", "dcimig"], bins=6)
    assert bits(report) == bits(whole(latents, factors, metrics=asked))


def frame(factors, categories):
    names = np.array(["small", "middle", "large"])[factors[:, 0]]
    return pd.DataFrame(
        {
            "size": pd.Categorical(names, categories=categories, ordered=True),
            "name": np.array(list("gfedcba"))[factors[:, 1]],
            "lit": factors[:, 2] > 2,
        }
    )


def test_values_of_any_type_in_any_order():
    latents, factors = rows(6)
    table = frame(factors, ["small", "middle", "large"])
    order = np.argsort(-factors[:, 1], kind="stable")  # each batch has other values
    batches = [(latents[i], table.iloc[i]) for i in np.array_split(order, 5)]
    metrics = ["mig", dm.Metric("jemmig", factor_bins=2)]
    assert bits(accumulated(batches, metrics)) == bits(whole(latents, table, metrics=metrics))


def test_values_given_beforehand_change_nothing_and_refuse_others():
    latents, factors = rows(7)
    values = {"factor_1": range(20)}
    report = accumulated([(latents, factors)], factor_values=values)
    assert bits(report) == bits(whole(latents, factors))
    with pytest.raises(dm.InputError, match="'factor_1' has the value 6"):
        accumulated([(latents, factors)], factor_values={"factor_1": range(6)})


def test_wider_ranges_are_said_and_are_the_ends_of_the_bins():
    latents, factors = rows(8)
    ranges = dm.Accumulator.find_ranges([latents])
    wide = ranges + np.array([-5, 5])
    report = accumulated([(latents, factors)], ["mig"], wide)
    assert "|ranges:sha256-" in report["mig"].signature
    assert any("wider than the rows'" in text for text in report["mig"].warnings)
    ends = np.vstack([latents, wide.T])  # the same bins, with two more rows
    more = accumulated([(ends, np.vstack([factors, factors[:2]]))], ["mig"])
    assert "ranges" not in more["mig"].signature
    plain = accumulated([(latents, factors)], ["mig"], ranges)["mig"]
    assert abs(report["mig"].value - more["mig"].value) < 0.02 < abs(report["mig"].value - plain.value)


def test_variances_are_close_to_score_s_and_decide_the_same():
    latents, factors = rows(9, 5_000)
    threshold = np.sort(latents.var(axis=0, ddof=1))[2]
    for active in (threshold * (1 - 1e-6), threshold * (1 + 1e-6)):
        metrics = [dm.Metric("active_units", active=active)]
        assert bits(accumulated([(latents, factors)], metrics)) == bits(
            whole(latents, factors, metrics=metrics)
        )


def test_what_is_refused_changes_nothing():
    latents, factors = rows(10)
    accumulator = dm.Accumulator(ranges=dm.Accumulator.find_ranges([latents]), metrics="mig")
    with pytest.raises(dm.InputError, match="no rows"):
        accumulator.compute()
    accumulator.update(latents, factors)
    before = bits(accumulator.compute())
    outside = latents.copy()
    outside[7, 2] = 1e6
    for bad, values, message in [
        (outside, factors, r"latent z_2 has the value 1000000\.0, outside of"),
        (latents[:, :3], factors, "3 columns"),
        (latents, factors[:, :2], "factor names"),
        (latents, factors.astype(str), "mixes 0 with '0'"),
        (latents, factors + 0.5, "continuous"),
        (latents, None, "`factors` must be given"),
    ]:
        with pytest.raises(dm.InputError, match=message):
            accumulator.update(bad, values)
    other = dm.Accumulator(ranges=dm.Accumulator.find_ranges([latents]), metrics="mig", bins=5)
    with pytest.raises(dm.InputError, match="`bins`"):
        accumulator.merge(other)
    with pytest.raises(dm.InputError, match="`ranges`"):
        accumulator.merge(dm.Accumulator(ranges=[[0, 1]] * 5, metrics="mig"))
    assert bits(accumulator.compute()) == before


def test_batches_keep_one_precision_and_one_set_of_categories():
    latents, factors = rows(11)
    single = np.round(latents * 4) / 4  # the same numbers in both precisions
    accumulator = dm.Accumulator(ranges=dm.Accumulator.find_ranges([single]), metrics="mig")
    accumulator.update(single, frame(factors, ["small", "middle", "large"]))
    with pytest.raises(dm.InputError, match="precision was float64, and is float32"):
        accumulator.update(single.astype(np.float32), frame(factors, ["small", "middle", "large"]))
    with pytest.raises(dm.InputError, match="categories was"):
        accumulator.update(single, frame(factors, ["large", "middle", "small"]))


@pytest.mark.parametrize(
    "metric",
    ["dci", "rmig", "dmig", dm.Metric("mig", strategy="quantile"), dm.Metric("mig", estimator="posterior")],
)
def test_metrics_that_counts_cannot_serve_are_refused(metric):
    with pytest.raises(dm.InputError, match="an Accumulator has mig, mig_sup"):
        dm.Accumulator(ranges=[[0, 1]], metrics=metric)


def test_factors_that_do_not_exist_everywhere_are_refused_with_a_call_that_takes_them():
    latents, factors = rows(14)
    ranges = dm.Accumulator.find_ranges([latents])
    tree = {"factor_1": ("factor_0", 2)}
    with pytest.raises(dm.InputError, match=r"has no `hierarchy`.* `dm.score\(latents, factors, hierarchy="):
        dm.Accumulator(ranges=ranges, hierarchy=tree)
    holes = np.where(np.arange(3) == 1, np.where(factors[:, :1] == 2, factors, np.nan), factors)
    accumulator = dm.Accumulator(ranges=ranges, metrics="mig")
    with pytest.raises(dm.InputError, match=r"'factor_1' has a missing .* lack nothing, .* with `hierarchy`"):
        accumulator.update(latents, holes)
    latents[3, 1] = np.nan
    with pytest.raises(dm.InputError, match=r"found nan in row 3, column 1: an Acc.* missing=\"drop\"\)`$"):
        dm.Accumulator.find_ranges([latents])


@pytest.mark.parametrize(
    ("period", "values"),
    [("circular:10", range(10)), ("circular:720", [0, 100, 360]), ("circular:6.5", range(8))],
)
def test_a_circle_has_the_period_that_was_declared_in_every_batch(period, values):
    latents, factors = rows(15)
    column = np.sort(np.asarray(values, dtype=float)[factors.sum(axis=1) % len(values)])[:, None]
    halves = [(latents[part], column[part]) for part in (slice(0, 150), slice(150, 400))]
    one = accumulated(halves, ["mig", "sufficiency"], factor_types=[period])
    other = whole(latents, column, ["mig", "sufficiency"], factor_types=[period])
    assert bits(one) == bits(other)
    assert {key: score.signature for key, score in one.items()} == {
        key: score.signature for key, score in other.items()
    }
    assert f"|periods:{period.removeprefix('circular:')}|" in one["mig"].signature


@pytest.mark.parametrize("types", [["circular"], {"factor_0": "circular"}, "circular"])
def test_a_circle_without_a_period_is_refused(types):
    with pytest.raises(
        dm.InputError, match='need not hold the whole circle: declare it, as in "circular:360"'
    ):
        dm.Accumulator(ranges=[[0, 1]], metrics="mig", factor_types=types)


def test_a_circle_of_many_whole_numbers_is_refused_when_all_rows_are_there():
    degrees = np.tile(np.arange(0, 360, 5), 4)[:, None]  # 72 values, which `score` measures; 36 in each half
    arguments = {"ranges": [[0, 359]], "metrics": "mig", "factor_types": ["circular:360"]}
    accumulator = dm.Accumulator(**arguments)
    accumulator.update(degrees[degrees[:, 0] < 180] * 1.0, degrees[degrees[:, 0] < 180])
    assert "kinds:p" in accumulator.compute()["mig"].signature
    accumulator.update(degrees[degrees[:, 0] >= 180] * 1.0, degrees[degrees[:, 0] >= 180])
    with pytest.raises(dm.InputError, match="has 72 values in 288 rows.*merge them to 64 or fewer"):
        accumulator.compute()
    few = dm.Accumulator(**arguments)
    few.update(degrees[:8] * 1.0, degrees[:8])  # a value for each row
    with pytest.raises(dm.InputError, match="has 8 values in 8 rows.*count more rows"):
        few.compute()
    published = dm.Accumulator(**arguments, protocol="locatello2019")  # there it is a category
    published.update(degrees * 1.0, degrees)
    assert "kinds:p" in published.compute()["mig"].signature


def test_an_ordinal_factor_of_too_many_values_in_all_batches_is_refused():
    column = np.repeat(np.arange(60), 4)[:, None]
    accumulator = dm.Accumulator(ranges=[[0, 59]], metrics="mig", factor_types=["ordinal"])
    accumulator.update(column[:120] * 1.0, column[:120])
    before = bits(accumulator.compute())
    with pytest.raises(dm.InputError, match="'factor_0' has 60 ordered values"):
        accumulator.update(column[120:] * 1.0, column[120:])
    assert bits(accumulator.compute()) == before


def test_too_many_ordered_values_in_one_batch_have_the_same_answer():
    names = [f"size {i:02d}" for i in range(60)]
    table = pd.DataFrame({"size": pd.Categorical(names * 4, categories=names, ordered=True)})
    accumulator = dm.Accumulator(ranges=[[0, 239]], metrics="mig")
    with pytest.raises(dm.InputError, match="'size' has 60 ordered values.* declare them \"categorical\""):
        accumulator.update(np.arange(240.0)[:, None], table)


@pytest.mark.parametrize("form", ["frame", "objects", "categorical"])
def test_a_text_that_each_batch_has_once_is_a_factor(form):
    view, name = np.divmod(np.arange(240), 30)
    names = np.array([f"object {i}" for i in range(30)], dtype=object)[name]
    values = pd.Categorical(names) if form == "categorical" else names
    table = pd.DataFrame({"object": values, "view": [f"view {i}" for i in view]})
    factors = table.to_numpy() if form == "objects" else table
    latents = np.column_stack([name, view]) + 0.3 * np.random.default_rng(16).normal(size=(240, 2))
    batches = [(latents[view == i], factors[view == i]) for i in range(8)]
    report = accumulated(batches, ["mig", "dcimig"])
    assert "|K:2|" in report["mig"].signature
    assert bits(report) == bits(whole(latents, factors, ["mig", "dcimig"]))


def test_a_text_that_no_two_rows_of_all_batches_share_is_left_out_as_by_score():
    latents, factors = rows(17, 60)
    table = pd.DataFrame({"file": [f"{i}.png" for i in range(60)], "shape": factors[:, 1]})
    halves = [(latents[part], table[part]) for part in (slice(0, 30), slice(30, 60))]
    report, other = accumulated(halves, ["mig"]), whole(latents, table, ["mig"])
    assert report.factor_names == ("shape",)
    assert report["mig"].signature == other["mig"].signature
    assert bits(report) == bits(other)
    assert [text for text in report.warnings if "'file' has a different text in every row" in text]
    kept = accumulated(halves, ["mig"], factor_types={"file": "categorical"})
    assert bits(kept) == bits(whole(latents, table, ["mig"], factor_types={"file": "categorical"}))
    names = table[["file"]]
    with pytest.raises(dm.InputError, match="identifiers and no factors"):
        accumulated([(latents[part], names[part]) for part in (slice(0, 30), slice(30, 60))], ["mig"])


@pytest.mark.parametrize("ranges", [[0, 1], [[1, 0]], [[0, np.inf]], [], [["a", "b"]], [[0, 1], [2]]])
def test_ranges_are_checked(ranges):
    with pytest.raises(dm.InputError, match="`ranges`"):
        dm.Accumulator(ranges=ranges)
    with pytest.raises(dm.InputError, match="`batches`"):
        dm.Accumulator.find_ranges([])


def test_memory_does_not_grow_with_rows():
    latents, factors = rows(12)
    accumulator = dm.Accumulator(ranges=dm.Accumulator.find_ranges([latents]))
    accumulator.update(latents, factors)
    size = len(pickle.dumps(accumulator))
    for _ in range(20):
        accumulator.update(latents, factors)
    assert len(pickle.dumps(accumulator)) < size + 200


def test_memory_of_the_scores_does_not_grow_with_rows():
    kinds = np.arange(60) % 3
    accumulator = dm.Accumulator(ranges=[[0, 2]], metrics="mig")
    accumulator.update(kinds[:, None] * 1.0, np.eye(3, dtype=int)[kinds])
    accumulator.compute()  # loads what it needs
    for _ in range(16):
        accumulator.merge(accumulator)
    tracemalloc.start()
    try:
        accumulator.compute()
        assert tracemalloc.get_traced_memory()[1] < 1e6  # of 4 million rows
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("values", "types", "protocol", "reading", "codes"),
    [
        (100, None, "default", "100 whole numbers, read as categories", ["kind_uncertain"]),  # score measures them
        (50, None, "default", "50 whole numbers, read as categories", ["kind_uncertain"]),
        (30, None, "default", "30 whole numbers, read as categories", []),
        (100, ["categorical"], "default", "100 whole numbers, declared categories", []),
        (100, {"factor_0": "categorical"}, "default", "100 whole numbers, declared categories", []),
        (100, None, "locatello2019", "100 whole numbers, read as categories", []),
    ],
)  # fmt: skip
def test_whole_numbers_are_declared_or_asked_about(values, types, protocol, reading, codes):
    factor = np.arange(2000)[:, None] % values
    accumulator = dm.Accumulator(
        ranges=[[0, values - 1]], metrics="mig", factor_types=types, protocol=protocol
    )
    for rows in (slice(0, 1200), slice(1200, 2000)):
        accumulator.update(factor[rows] * 1.0, factor[rows])
    report = accumulator.compute()
    assert report.readings["factor_0"] == reading
    assert [check.code for check in report.checks() if check.about == "factor_0"] == codes


def test_merging_in_any_shape_is_reduce():
    latents, factors = rows(13)
    ranges = dm.Accumulator.find_ranges([latents])

    def join(a, b):
        a.merge(b)
        return a

    parts = [dm.Accumulator(ranges=ranges, metrics="mig") for _ in range(3)]
    parts[1].update(latents, factors)  # the others stay empty
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert bits(functools.reduce(join, parts).compute()) == bits(whole(latents, factors, "mig"))


def test_batches_with_factors_have_no_ranges():
    batch = (np.zeros((5, 3)), np.zeros((5, 3)))
    with pytest.raises(
        dm.InputError, match=r"two parts; pass its latents alone, as in `\(z for z, _ in batches\)`"
    ):
        dm.Accumulator.find_ranges([batch])
