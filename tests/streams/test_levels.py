"""The values of factors are those of all rows together: joined up to rounding, and in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import disentangle_metrics as dm
from disentangle_metrics.streams.packed import merge_packed, pack

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 4, (600, 2))
LATENTS = CODES + 0.3 * RNG.normal(size=(600, 2))
TENTHS = np.array([0.1, 0.2, 0.3, 0.4])[CODES]
ROUNDED = np.where((np.arange(600)[:, None] % 2 == 0) & (CODES == 2), 0.1 + 0.2, TENTHS)
HALVES = (slice(0, 300), slice(300, 600))
METRICS = ["mig", dm.Metric("jemmig", factor_bins=3)]


def counted(batches: Any, **options: Any) -> dm.Report:
    """By way of bytes, in which the levels go from process to process."""
    arguments = {"ranges": dm.Accumulator.find_ranges([LATENTS]), "metrics": METRICS, **options}
    whole = dm.Accumulator(**arguments)
    for part, factors in zip(HALVES, batches, strict=True):
        one = dm.Accumulator(**arguments)
        one.update(LATENTS[part], factors)
        merge_packed(whole, pack(one))
    return whole.compute()


def said(report: dm.Report) -> dict[str, Any]:
    return {key: (score.value, score.signature, list(score.per_factor)) for key, score in report.items()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("types", ["categorical", "ordinal"])
@pytest.mark.parametrize("protocol", ["default", "locatello2019"])
def test_values_that_differ_by_rounding_are_one_as_for_score(dtype, types, protocol) -> None:
    values = ROUNDED.astype(dtype)
    if dtype is np.float32:
        values[::2] = np.nextafter(values[::2], np.float32(1))
    options: dict[str, Any] = {"factor_types": [types] * 2, "protocol": protocol}
    report = counted([values[part] for part in HALVES], **options)
    expected = dm.score(LATENTS, values, metrics=METRICS, anchors=False, **options)
    assert said(report) == said(expected)
    assert dict(report.readings) == dict(expected.readings)
    assert ("up to rounding" in str(report.readings)) == (protocol == "default")


def test_whole_numbers_in_one_batch_and_decimals_in_another_are_one_factor() -> None:
    values = np.where(np.arange(600)[:, None] < 300, CODES, CODES + ROUNDED)
    batches = [values[:300].astype(int), values[300:]]
    expected = dm.score(LATENTS, values, metrics=METRICS, anchors=False, factor_types="categorical")
    assert said(counted(batches, factor_types="categorical")) == said(expected)


def test_decimals_of_another_precision_are_refused() -> None:
    batches = [TENTHS[HALVES[0]].astype(np.float32), TENTHS[HALVES[1]]]
    for both in (batches, batches[::-1]):
        with pytest.raises(dm.InputError, match=r"precision of decimals was .*float(32|64).*, and is"):
            counted(both, factor_types="categorical")


@pytest.mark.parametrize("dtype", ["double[pyarrow]", "float[pyarrow]", "Float32"])
def test_decimals_of_every_library_have_a_precision(dtype) -> None:
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    table = pd.DataFrame(TENTHS, columns=["a", "b"]).astype(dtype)
    expected = dm.score(LATENTS, table, metrics=METRICS, anchors=False, factor_types="categorical")
    assert said(counted([table[part] for part in HALVES], factor_types="categorical")) == said(expected)


def test_whole_numbers_of_any_size_stay_apart() -> None:
    values = np.array([-1, 2**63, 2**63 + 1, 2**63 + 2], dtype=object)[CODES]
    expected = dm.score(LATENTS, values, metrics=METRICS, anchors=False, factor_types="categorical")
    assert said(counted([values[part] for part in HALVES], factor_types="categorical")) == said(expected)


def test_categories_keep_their_order_in_every_table() -> None:
    sizes, every = np.array(["small", "medium", "large", "xl"]), slice(0, 600)

    def by_name(part: slice) -> dict[str, Any]:
        words = sizes[CODES[part]]
        return {name: pd.Categorical(words[:, k], sizes, ordered=True) for k, name in enumerate("ab")}

    def polars(part: slice) -> pl.DataFrame:
        words = sizes[CODES[part]]
        return pl.DataFrame(
            {name: pl.Series(words[:, k], dtype=pl.Enum(sizes)) for k, name in enumerate("ab")}
        )

    expected = said(dm.score(LATENTS, by_name(every), metrics=METRICS, anchors=False))
    for table in (by_name, polars):
        assert said(counted([table(part) for part in HALVES])) == expected


@pytest.mark.parametrize("ordered", [True, False])
def test_ordered_numbers_are_merged_in_their_order(ordered: bool) -> None:
    numbers = np.array([1, 3, 0, 2]) if ordered else np.arange(4)
    listed = np.array([1, 3, 0, 2])

    def table(part: slice) -> pd.DataFrame:
        columns = {k: pd.Categorical(numbers[CODES[part][:, k]], listed, ordered=ordered) for k in (0, 1)}
        return pd.DataFrame(columns)

    types = None if ordered else "ordinal"
    report = said(counted([table(part) for part in HALVES], factor_types=types))
    assert report == said(
        dm.score(LATENTS, table(slice(0, 600)), metrics=METRICS, anchors=False, factor_types=types)
    )
    plain = dm.score(LATENTS, CODES, metrics=METRICS, anchors=False, factor_types="ordinal")
    assert report["jemmig"][0] == pytest.approx(plain["jemmig"].value, abs=1e-12)


def test_a_remedy_is_one_that_an_accumulator_can_follow() -> None:
    latents = np.arange(300.0)[:, None]
    accumulator = dm.Accumulator(ranges=[[0, 299]], metrics="mig")
    accumulator.update(latents, np.arange(300)[:, None] % 60)
    (found,) = [check for check in accumulator.compute().checks() if check.code == "many_categories"]
    assert found.remedy.startswith("if it is a measurement, score all rows at once, and declare it there")
