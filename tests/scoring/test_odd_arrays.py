"""Odd arrays of every kind score what the definitions say, or are refused in one line; and always the same bits."""

from __future__ import annotations

from collections import Counter
from math import log

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import disentangle_metrics as dm
from disentangle_metrics.estimators.counts import binning
from tests.scoring.histogram_reference import reference
from tests.scoring.odd_arrays import METRICS, SUITE, Odd, odd_arrays, outcome

INPUTS, MANY, PART = 1_000, 20_000, 250


def tally(start: int, stop: int) -> Counter[str]:
    """How many of these inputs came to what; the first that is wrong fails the test by its number."""
    found: Counter[str] = Counter()
    for number, odd in enumerate(odd_arrays(0, start, stop), start):
        result = outcome(odd)
        if number % SUITE == 0 and result != "refused":
            suite = outcome(odd, metrics=None, compare=False)
            result = suite if suite.startswith("WRONG") else result
        assert not result.startswith("WRONG"), f"input {number}: {odd.words} {odd.options}: {result}"
        found[result] += 1
    return found


@pytest.mark.parametrize("start", range(0, INPUTS, PART))
def test_odd_arrays_score_by_the_definitions_or_are_refused(start):
    found = tally(start, start + PART)
    assert found["refused"] > PART / 10
    assert found["scored"] > PART / 2


@pytest.mark.slow
def test_many_odd_arrays_score_by_the_definitions_or_are_refused():
    found = tally(0, MANY)
    assert found["refused"] > MANY / 10
    assert found["scored"] > MANY / 2


def test_the_reference_scores_a_perfect_code_by_hand():
    """Two factors of 2 values, each the value of one latent: all of it is told, by one, of one."""
    table = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    values, on_edge = reference(table * 1.0, table.T.tolist(), "cc")
    assert not on_edge
    ones = dict.fromkeys(("mig", "mig_sup", "dcimig", "modularity"), 1.0)
    jemmig = 1 - (log(2) - log(2)) / (log(2) + log(20))
    assert values == pytest.approx({**ones, "jemmig": jemmig, "mean_pairwise_mi": 0.0})


def usable(count: int, least: int = 40) -> list[Odd]:
    """The first inputs that are scored and have so many rows."""
    made = (odd for odd in odd_arrays(1, 0, 400) if not odd.refused and len(odd.numbers) >= least)
    return [odd for odd, _ in zip(made, range(count), strict=False)]


def values(odd: Odd, metrics: object, **options: object) -> dict[str, str]:
    """The scores of one input, to the last bit."""
    report = dm.score(odd.latents, odd.factors, metrics=metrics, anchors=False, **odd.options, **options)
    return {key: score.value.hex() for key, score in report.items()}


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
@pytest.mark.parametrize("rows", [1, 7, 64])
def test_counts_are_the_same_bits_in_any_chunks(monkeypatch, rows):
    inputs = usable(30, least=8)
    whole = [values(odd, METRICS) for odd in inputs]
    monkeypatch.setattr(binning.chunks, "__defaults__", (rows,))
    assert [values(odd, METRICS) for odd in inputs] == whole


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_probes_are_the_same_bits_for_one_job_and_two():
    for odd in usable(3):
        metrics = ["dci", "sap", "info_explicitness", dm.Metric("explicitness", max_rows=60)]
        assert values(odd, metrics, n_jobs=2) == values(odd, metrics)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_scores_are_the_same_bits_for_any_threads_of_blas():
    metrics = [*METRICS, "mcc", "total_correlation", "wasserstein_correlation", "irs", "info_explicitness"]
    for odd in usable(12):
        with threadpool_limits(1):
            alone = values(odd, metrics)
        with threadpool_limits(4):
            assert values(odd, metrics) == alone


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_scores_are_the_same_bits_however_an_array_lies_in_memory():
    rng = np.random.default_rng(3)
    factors = rng.integers(0, 4, (5_000, 3))
    latents = factors @ rng.normal(size=(3, 4)) + rng.normal(size=(5_000, 4))
    wide = np.zeros((10_000, 8))
    wide[::2, ::2] = latents
    metrics = [*METRICS, "mcc", "total_correlation", "wasserstein_correlation", "irs", "omes", "dhsic"]
    want = dm.score(latents, factors, metrics=metrics, anchors=False)
    for other in (
        np.asfortranarray(latents),
        wide[::2, ::2],
        latents[::-1].copy()[::-1],
        latents.astype(">f8"),
    ):
        got = dm.score(other, np.asfortranarray(factors), metrics=metrics, anchors=False)
        assert {key: score.value.hex() for key, score in got.items()} == {
            key: score.value.hex() for key, score in want.items()
        }


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
@pytest.mark.parametrize("exponent", [-1060, -1000, 0, 490])
def test_an_accumulator_has_the_same_bits_at_every_scale(exponent):
    rng = np.random.default_rng(4)
    factors = rng.integers(0, 3, (300, 2))
    latents = np.ldexp(factors + rng.normal(size=(300, 2)) / 3, exponent)
    batches = np.split(np.arange(300), [11, 12, 200])
    ranges = dm.Accumulator.find_ranges(latents[rows] for rows in batches)
    metrics = ["mig", "mig_sup", "jemmig", "dcimig", "modularity"]
    accumulator = dm.Accumulator(ranges=ranges, metrics=metrics)
    for rows in batches:
        accumulator.update(latents[rows], factors[rows])
    got, want = accumulator.compute(), dm.score(latents, factors, metrics=metrics, anchors=False)
    assert {key: got[key].value.hex() for key in metrics} == {key: want[key].value.hex() for key in metrics}
