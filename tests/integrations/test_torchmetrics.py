"""The metric inside the real TorchMetrics: batches, collections, processes, pictures."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import disentangle_metrics as dm

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")

from disentangle_metrics.integrations.torchmetrics import DisentanglementScore  # noqa: E402
from tests.integrations.two_processes import in_two_processes  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def rows(n: int = 300):
    rng = np.random.default_rng(0)
    factors = torch.tensor(rng.integers(0, [4, 3], (n, 2)))
    return (factors + 0.3 * torch.tensor(rng.normal(size=(n, 2)))).float(), factors


def ranges(latents):
    return dm.Accumulator.find_ranges([latents])


def fed(metric, batch: int = 64):
    for latents, factors in zip(*(part.split(batch) for part in rows()), strict=True):
        metric.update(latents, factors)
    return metric


@pytest.mark.parametrize("counted", [False, True])
def test_batches_score_as_all_rows_together(counted) -> None:
    latents, factors = rows()
    metric = fed(DisentanglementScore("mig", ranges=ranges(latents) if counted else None))
    expected = dm.mig(latents, factors).value
    assert metric.compute() == torch.tensor(expected)
    assert metric.report["mig"].value == expected


def test_rows_are_kept_where_a_loader_writes_the_next_into_their_memory() -> None:
    latents, factors = rows(256)
    of_batch, values, metric = latents[:64].clone(), factors[:64].clone(), DisentanglementScore("rmig")
    for start in range(0, 256, 64):
        of_batch[:], values[:] = latents[start : start + 64], factors[start : start + 64]
        metric.update((of_batch, of_batch), values)
    assert metric.compute() == torch.tensor(dm.rmig(dm.GaussianPosterior(latents, latents), factors).value)


@pytest.mark.parametrize("counted", [False, True])
def test_masked_cells_are_refused(counted) -> None:
    latents, factors = rows()
    metric = DisentanglementScore("mig", ranges=ranges(latents) if counted else None)
    for given in ((np.ma.masked_less(latents, 0), factors), (latents, np.ma.masked_less(factors, 1))):
        with pytest.raises(dm.InputError, match="has masked cells"):
            metric.update(*given)


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("way", ["update", "forward", "merge", "two processes"])
def test_decimals_of_two_precisions_are_refused(counted, way) -> None:
    latents, factors = rows()
    options = {"factor_types": ["categorical"] * 2}
    settings = {"ranges": ranges(latents) if counted else None, "options": options}
    if way == "two processes":  # which send all rows of each as one tensor
        settings |= {"distributed_available_fn": lambda: True, "dist_sync_fn": lambda part, group: [part] * 2}
    metric, other = (DisentanglementScore("mig", **settings) for _ in "ab")
    add = metric if way == "forward" else metric.update
    add(latents, factors.double() / 10)
    add(latents, factors)  # whole numbers go with both
    with pytest.raises(dm.InputError, match="float(64|32).* and .*float(64|32)"):  # noqa: PT012
        (other.update if way == "merge" else add)(latents, factors.float() / 10)
        if way == "merge":
            metric.merge_state(other)
        metric.compute()


@pytest.mark.parametrize("counted", [False, True])
def test_whole_numbers_may_have_two_precisions(counted) -> None:
    latents, factors = rows()
    metric = DisentanglementScore("mig", ranges=ranges(latents) if counted else None)
    metric.update(latents[:100], factors[:100].float())
    metric.update(latents[100:], factors[100:].double())
    assert metric.compute() == torch.tensor(dm.mig(latents, factors).value)


def test_counts_do_not_grow_with_the_rows() -> None:
    latents, factors = rows()
    metric = DisentanglementScore("mig", ranges=ranges(latents))
    sizes = set()
    for _ in range(5):
        metric.update(latents, factors)
        sizes.add(sum(len(part) for part in metric.counts))
    assert max(sizes) < min(sizes) * 1.01  # the header holds the number of rows as text


@pytest.mark.parametrize("counted", [False, True])
def test_forward_gives_the_batch_and_keeps_the_sum(counted) -> None:
    latents, factors = rows()
    metric = DisentanglementScore("mig", ranges=ranges(latents) if counted else None)
    first = metric(latents[:200], factors[:200])
    metric(latents[200:], factors[200:])
    assert metric.compute() == torch.tensor(dm.mig(latents, factors).value)
    if not counted:  # with counts the bins are those of all rows
        assert first == torch.tensor(dm.mig(latents[:200], factors[:200]).value)


def test_a_collection_shares_its_rows_and_several_scores_are_a_dictionary() -> None:
    latents, factors = rows()
    collection = torchmetrics.MetricCollection(
        {"mig": DisentanglementScore("mig"), "sap": DisentanglementScore("sap")}, prefix="test/"
    )
    values = fed(collection).compute()
    assert len(collection.compute_groups) == 1
    expected = dm.score(latents, factors, metrics=["mig", "sap"], anchors=False)
    assert {name: float(value) for name, value in values.items()} == {
        f"test/{key}": pytest.approx(score.value, abs=1e-6) for key, score in expected.items()
    }
    several = fed(DisentanglementScore(["mig", "sap"])).compute()
    assert list(several) == ["mig", "sap"]


def test_posteriors_names_and_types_reach_the_report() -> None:
    latents, factors = rows()
    options = {"factor_names": ["shape", "size"], "factor_types": {"size": "ordinal"}}
    metric = DisentanglementScore("rmig", options=options)
    logvar = torch.full_like(latents, -2.0)
    metric.update((latents[:100], logvar[:100]), factors[:100])
    metric.update(dm.GaussianPosterior(latents[100:], logvar[100:]), factors[100:])
    expected = dm.rmig(dm.GaussianPosterior(latents, logvar), factors, **options)
    assert metric.compute() == torch.tensor(expected.value)
    assert metric.report.factor_names == ("shape", "size")


def test_reset_pickle_and_checkpoints_keep_what_they_should() -> None:
    latents, _ = rows()
    for options in ({}, {"ranges": ranges(latents)}):
        metric = fed(DisentanglementScore("mig", **options))
        value = metric.compute()
        assert pickle.loads(pickle.dumps(metric)).compute() == value
        metric.persistent(True)
        again = DisentanglementScore("mig", **options)
        again.persistent(True)
        again.load_state_dict(metric.state_dict())
        assert again.compute() == value
        metric.reset()
        with pytest.raises(dm.InputError, match="no rows to score yet"):
            metric.compute()


def test_it_says_which_direction_is_better_and_draws_itself() -> None:
    assert DisentanglementScore("mig").higher_is_better is True
    assert DisentanglementScore("total_correlation").higher_is_better is False
    assert DisentanglementScore(["mig", "sap"]).higher_is_better is None
    pytest.importorskip("matplotlib").use("Agg")
    figure, axes = fed(DisentanglementScore("mig")).plot()
    assert axes.get_ylim()[1] >= 1.0  # up to the bound of the score
    assert figure is not None


PROCESS = """
import json, os, sys, warnings
import torch.distributed as processes
from disentangle_metrics.integrations.torchmetrics import DisentanglementScore
from tests.integrations.test_torchmetrics import ranges, rows
warnings.simplefilter("ignore")
rank, store = int(os.environ["RANK"]), sys.argv[1]
processes.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=2)
latents, factors = rows()
mine = slice(0, 250) if rank == 0 else slice(250, None)
found = []
for options in ({}, {"ranges": ranges(latents)}):
    metric = DisentanglementScore("mig", **options)
    for z, v in zip(latents[mine].split(64), factors[mine].split(64)):
        metric.update(z, v)
    found.append([float(metric.compute()), metric.report.shape[0]])
print(json.dumps(found))
processes.destroy_process_group()
"""


def test_two_processes_score_their_rows_together(tmp_path) -> None:
    printed = in_two_processes(PROCESS, str(tmp_path / "store"))
    value = pytest.approx(dm.mig(*rows()).value, abs=1e-6)
    for output in printed:
        assert json.loads(output) == [[value, 300], [value, 300]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": "sap", "ranges": [[0, 1]]}, "cannot be computed from counts"),
        ({"metrics": "migg"}, "did you mean 'mig'"),
        ({"options": {"metrics": "sap"}}, "`options` has 'metrics'"),
        ({"options": {"sed": 1}}, "there is no option 'sed'"),
        ({"options": {"seed": 1}, "ranges": [[0, 1]]}, "'seed' needs the rows"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, message) -> None:
    with pytest.raises(dm.InputError, match=message):
        DisentanglementScore(**arguments)


def test_rows_that_cannot_be_used_are_refused() -> None:
    metric = DisentanglementScore("mig")
    for factors in ({"shape": torch.zeros(3)}, ["a", "b", "c"]):
        with pytest.raises(dm.InputError, match=r"`factors` \(\w+\) cannot become a tensor: .*`torch\.stack"):
            metric.update(torch.zeros(3, 2), factors)
    with pytest.raises(dm.InputError, match="`latents` has 3 rows but `factors` 2"):
        metric.update(torch.zeros(3, 2), torch.zeros(2))
    with pytest.raises(dm.InputError, match=r"means of shape \(3, 2\) beside log-variances of \(2, 2\)"):
        metric.update((torch.zeros(3, 2), torch.zeros(2, 2)), torch.zeros(3))
    with pytest.raises(dm.InputError, match=r"must have shape \(n, D\), got \(3,\)"):
        metric.update(torch.zeros(3), torch.zeros(3))
