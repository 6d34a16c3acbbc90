"""Dask collections are counted where they lie, and give score's bits; also when a worker dies."""

from __future__ import annotations

import os
import signal

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.streams import dask_blocks
from disentangle_metrics.streams.countable import supported
from tests.streams.test_accumulator import bits, rows, whole

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


def counted(latents, factors, **options):
    ranges = dm.Accumulator.find_ranges(latents)
    accumulator = dm.Accumulator(ranges=ranges, metrics=supported(), **options)
    accumulator.update(latents, factors)
    return accumulator.compute()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("chunks", [(400, 5), (37, 2), ((1, 399), 5)])
def test_arrays_in_any_chunks_give_score_s_bits(chunks, dtype):
    latents, factors = rows(dtype=dtype)
    found = counted(da.from_array(latents, chunks), da.from_array(factors, (90, 1)))
    assert bits(found) == bits(whole(latents, factors))
    assert found.shape == (400, 5, 3)


def test_posteriors_of_dask_arrays():
    latents, factors = rows(3)
    logvar = np.full_like(latents, -2.0)
    lazy = dm.GaussianPosterior(da.from_array(latents, (100, 3)), da.from_array(logvar, (60, 5)))
    found = counted(lazy, da.from_array(factors, (100, 3)))
    assert bits(found) == bits(whole(dm.GaussianPosterior(latents, logvar), factors))


def test_frames_keep_names_and_categories():
    dd = pytest.importorskip("dask.dataframe")
    latents, factors = rows(4)
    table = pd.DataFrame({"shape": pd.Categorical(np.array(["c", "a", "b"])[factors[:, 0]], ["c", "b", "a"])})
    table["size"] = factors[:, 1] / 4
    lazy = dd.from_pandas(table, npartitions=4)
    sizes = tuple(len(part) for part in lazy.partitions)
    options = {"factor_types": {"size": "ordinal"}}
    found = counted(da.from_array(latents, (sizes, 5)), lazy, **options)
    assert found.factor_names == ("shape", "size")
    assert bits(found) == bits(whole(latents, table, **options))


def test_arrays_of_unknown_length_are_counted():
    dd = pytest.importorskip("dask.dataframe")
    latents, factors = rows(5)
    table = dd.from_pandas(pd.DataFrame(np.hstack([latents, factors])), npartitions=3)
    found = counted(table[[0, 1, 2, 3, 4]].values, table[[5, 6, 7]].astype(int).values)
    assert bits(found) == bits(whole(latents, factors))


def test_blocks_that_a_filter_left_empty_are_passed_over():
    dd = pytest.importorskip("dask.dataframe")
    latents, factors = rows(3)
    table = pd.DataFrame({"z": latents[:, 0], "shape": factors[:, 0], "time": np.arange(400)})
    blocks = dd.from_pandas(table, npartitions=4)
    late, never = blocks[blocks["time"] >= 250], blocks[blocks["time"] >= 400]
    assert bits(counted(late[["z"]], late[["shape"]])) == bits(
        whole(table[250:][["z"]], table[250:][["shape"]])
    )
    with pytest.raises(dm.InputError, match="none of its blocks has a row"):
        dm.Accumulator.find_ranges(never[["z"]])


def test_several_updates_and_merges_are_one():
    latents, factors = rows(5)
    ranges = dm.Accumulator.find_ranges([da.from_array(latents[:100], 30), latents[100:]])
    np.testing.assert_array_equal(ranges, np.stack([latents.min(axis=0), latents.max(axis=0)], axis=1))
    accumulator = dm.Accumulator(ranges=ranges, metrics=supported())
    accumulator.update(latents[100:], factors[100:])
    accumulator.update(da.from_array(latents[:100], 30), da.from_array(factors[:100], 30))
    assert bits(accumulator.compute()) == bits(whole(latents, factors))


def test_what_cannot_be_used_is_refused_and_changes_nothing():
    latents, factors = rows(6)
    lazy = da.from_array(latents, (100, 5))
    accumulator = dm.Accumulator(ranges=dm.Accumulator.find_ranges([latents]), metrics="mig")
    accumulator.update(latents, factors)
    before = bits(accumulator.compute())
    with pytest.raises(dm.InputError, match="must both be Dask collections"):
        accumulator.update(lazy, factors)
    with pytest.raises(dm.InputError, match="4 and 2 blocks"):
        accumulator.update(lazy, da.from_array(factors[:200], (100, 3)))
    bad = latents.copy()
    bad[250, 2] = np.nan
    with pytest.raises(dm.InputError, match="nan"):
        accumulator.update(da.from_array(bad, (100, 5)), da.from_array(factors, (100, 3)))
    assert bits(accumulator.compute()) == before
    with pytest.raises(dm.InputError, match="5 latents, then 2"):
        dm.Accumulator.find_ranges([lazy, lazy[:, :2]])


def test_the_answers_of_a_map_reduce_are_merged_in_a_tree():
    from dask import delayed

    merges = []

    def merge(one, other):
        merges.append((one, other))
        return one + other

    blocks = [(delayed(i),) for i in range(5)]
    assert dask_blocks.map_reduce(blocks, lambda i: [i], merge) == [0, 1, 2, 3, 4]
    assert len(merges) == 4
    assert ([0, 1, 2, 3], [4]) in merges


def block(number, folder):
    """A thousand rows of latents and factors; the first process that comes to the fifth block dies."""
    if number == 5:
        try:
            (folder / "died").touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    latents, factors = rows(number, n=1000)
    return np.hstack([latents, factors])


@pytest.mark.slow
def test_a_cluster_gives_score_s_bits_though_a_worker_dies(tmp_path):
    from dask import delayed

    parts = [da.from_delayed(delayed(block)(i, tmp_path), (1000, 8), float) for i in range(12)]
    table = da.concatenate(parts)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        found = counted(table[:, :5], table[:, 5:].astype(int))
    assert (tmp_path / "died").exists()
    everything = np.concatenate([block(i, tmp_path) for i in range(12)])
    assert bits(found) == bits(whole(everything[:, :5], everything[:, 5:].astype(int)))
