"""benchmark(): the reports of score() for each, factors read once, failures beside the others, a folder."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.tree import DecisionTreeRegressor

import disentangle_metrics as dm
from disentangle_metrics.estimators.counts import binning
from disentangle_metrics.inputs import factor, inputs
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.relations.relations import Relations

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 4, size=(240, 2))
FACTORS = pd.DataFrame({"shape": np.array(list("abcd"))[CODES[:, 0]], "size": RNG.normal(size=240)})
NUMBERS = np.stack([CODES[:, 0], FACTORS["size"]], axis=1)
ALIGNED = NUMBERS + 0.1 * RNG.normal(size=(240, 2))
TURNED = NUMBERS @ RNG.normal(size=(2, 3)) + 0.1 * RNG.normal(size=(240, 3))
POSTERIOR = dm.GaussianPosterior(ALIGNED, np.full(ALIGNED.shape, -3.0))
THREE = {"aligned": ALIGNED, "turned": TURNED, "posterior": POSTERIOR}
SOME = ["mig", "mig_sup", "dci", "factor_vae", "mcc", "rmig"]
BROKEN = np.where(np.arange(240)[:, None] == 7, np.nan, TURNED)

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")


def content(report: dm.Report) -> Any:
    """Everything that a report says, without how long it took and where it came from."""
    values = report.to_dict()
    return json.dumps({key: item for key, item in values.items() if key not in ("seconds", "provenance")})


@pytest.mark.parametrize("n_jobs", [1, 2, None])
def test_each_report_is_the_one_of_score(n_jobs: int | None) -> None:
    result = dm.benchmark(THREE, FACTORS, metrics=SOME, seed=3, n_jobs=n_jobs)
    assert list(result) == list(THREE)
    for name, latents in THREE.items():
        assert content(result[name]) == content(dm.score(latents, FACTORS, metrics=SOME, seed=3))


def test_intervals_and_missing_rows_are_those_of_score() -> None:
    lacking = FACTORS.assign(size=FACTORS["size"].where(np.arange(240) % 5 > 0))
    options: dict[str, Any] = {
        "metrics": ["mig", "mcc"],
        "missing": "drop",
        "confidence": 0.9,
        "replicates": 3,
    }
    both = {"whole": TURNED, "broken": BROKEN}
    result = dm.benchmark(both, lacking, **options)
    assert (result["whole"].shape[0], result["broken"].shape[0]) == (240, 239)
    for name, latents in both.items():
        assert content(result[name]) == content(dm.score(latents, lacking, **options))


def test_rows_are_matched_by_label_for_each() -> None:
    labelled = FACTORS.set_axis([f"r{i}" for i in range(240)], axis=0)
    mixed = pd.DataFrame(ALIGNED, index=labelled.index).iloc[::-1]
    result = dm.benchmark({"mixed": mixed, "plain": ALIGNED}, labelled, metrics=["mig"])
    assert result["mixed"]["mig"].value == result["plain"]["mig"].value


def test_under_a_tree_each_is_scored_against_factors_of_its_own_rows() -> None:
    """A tree makes factors anew for each representation; old ones lay where new ones came to lie."""
    labels = np.array([f"r{i}" for i in range(240)])
    factors = pd.DataFrame({"shape": "moon", "phase": CODES[:, 0], "size": CODES[:, 1]}, index=labels)
    orders = [np.random.default_rng(seed).permutation(240) for seed in range(8)]
    mixed = {f"p{i}": pd.DataFrame(CODES[o] * 1.0, index=labels[o]) for i, o in enumerate(orders)}
    options: dict[str, Any] = {"hierarchy": {"phase": ("shape", "moon")}, "metrics": "mig", "anchors": False}
    result = dm.benchmark(mixed, factors, **options)
    for name, latents in mixed.items():
        assert content(result[name]) == content(dm.score(latents, factors, **options))


def test_factors_are_read_and_cut_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    cut: list[int] = []
    read_factor, codes_of = factor.read_factor, binning.make_bins

    def counting(column: Any, name: str, *rest: Any) -> Any:
        read.append(name)
        return read_factor(column, name, *rest)

    def cutting(columns: Any, *rest: Any) -> Any:
        cut.append(columns.shape[1])
        return codes_of(columns, *rest)

    monkeypatch.setattr(factor, "read_factor", counting)
    monkeypatch.setattr(binning, "make_bins", cutting)
    assert inputs.read_each is factor.read_each
    dm.benchmark({"a": ALIGNED, "b": TURNED, "c": TURNED[:, :2]}, FACTORS, metrics=["mig"], anchors=False)
    assert read == ["shape", "size"]
    assert sorted(cut) == [1, 2, 2, 3]  # the continuous factor, then the latents of each


def test_one_that_fails_has_its_error_and_the_others_go_on() -> None:
    both = {"broken": BROKEN, "short": TURNED[:10], "turned": TURNED, "text": "no array"}
    with pytest.warns(dm.ScoreWarning, match="broken failed: .*found nan in row 7"):
        result = dm.benchmark(both, FACTORS, metrics=["mig"])
    assert list(result) == ["turned"]
    assert list(result.errors) == ["broken", "short", "text"]
    assert "240 rows but `latents` has 10" in result.errors["short"]
    assert not any("\n" in error for error in result.errors.values())
    with pytest.raises(KeyError, match="broken failed: "):
        result["broken"]


def test_an_item_that_cannot_be_read_is_a_failure_too() -> None:
    class Lazy(Mapping[str, Any]):
        def __getitem__(self, name: str) -> Any:
            if name == "gone":
                raise FileNotFoundError("no\nsuch file")
            return TURNED

        def __iter__(self) -> Iterator[str]:
            return iter(("gone", "there"))

        def __len__(self) -> int:
            return 2

    for n_jobs in (1, 2):
        result = dm.benchmark(Lazy(), FACTORS, metrics=["mig"], n_jobs=n_jobs)
        assert result.errors == {"gone": "FileNotFoundError: no such file"}
        assert list(result) == ["there"]


def test_items_may_be_read_into_the_same_memory() -> None:
    memory = np.empty_like(ALIGNED)

    class Lazy(dict[str, int]):
        def __getitem__(self, name: str) -> Any:
            memory[:] = ALIGNED + int(name) * RNG.normal(size=ALIGNED.shape)
            return memory

    ten = Lazy({str(i): i for i in range(10)})
    result = dm.benchmark(ten, NUMBERS, metrics=["mig"], anchors=False, n_jobs=2)
    assert len({report["mig"].value for report in result.values()}) == 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"representations": [TURNED]}, "`representations` must be a mapping"),
        ({"representations": {}}, "`representations` is empty"),
        ({"representations": {"a\nb": TURNED}}, "a name must be a line of text"),
        ({"factors": FACTORS.assign(size=np.nan)}, "size"),
        ({"factors": None, "metrics": ["mig"]}, "mig cannot be scored without `factors`"),
        ({"factor_types": {"size": "odd"}}, "must be one of"),
        ({"metrics": ["mgi"]}, "mgi"),
        ({"seed": -1}, "`seed`"),
        ({"latent_types": {"b": ["categorical"]}}, "`latent_types` names the representation 'b'"),
        ({"folder": Path(__file__) / "below"}, "`folder`"),
    ],
)
def test_what_is_wrong_for_all_is_refused_before_any_work(change: dict[str, Any], message: str) -> None:
    call = {"representations": {"a": TURNED}, "factors": FACTORS, **change}
    with pytest.raises(dm.InputError, match=message):
        dm.benchmark(call.pop("representations"), call.pop("factors"), **call)


def test_latent_types_of_one_representation() -> None:
    both = {"codes": CODES * 1.0, "numbers": ALIGNED}
    result = dm.benchmark(both, CODES, metrics=["mig"], latent_types={"codes": ["categorical"] * 2})
    assert "latent_kinds:cc" in result["codes"]["mig"].signature
    assert "latent_kinds" not in result["numbers"]["mig"].signature


def test_groups_of_all_and_of_one() -> None:
    both = {"a": TURNED, "b": TURNED[:, ::-1]}
    units = {"pair": [0, 1]}
    of_all = dm.benchmark(both, FACTORS, metrics=["mig"], groups=units)
    of_one = dm.benchmark(both, FACTORS, metrics=["mig"], groups={"b": units})
    alone = dm.score(both["b"], FACTORS, metrics=["mig"], groups=units)
    assert content(of_all["b"]) == content(of_one["b"]) == content(alone)
    assert of_all["a"].latent_names == ("pair", "z_2")
    assert of_one["a"].latent_names == ("z_0", "z_1", "z_2")


def test_latents_alone() -> None:
    result = dm.benchmark({"a": ALIGNED, "b": TURNED}, None, metrics=["total_correlation"])
    assert result["a"]["total_correlation"].value < result["b"]["total_correlation"].value


def test_a_process_that_is_killed_is_a_failure() -> None:
    class Deadly:
        """Kills the process that reads it, as a machine without memory does."""

        def __reduce__(self) -> Any:
            return os._exit, (9,)

    deadly = dm.Metric("dci", probe=DecisionTreeRegressor(criterion=Deadly()))
    result = dm.benchmark({"a": ALIGNED, "b": TURNED}, FACTORS, metrics=[deadly], n_jobs=2)
    assert not result
    assert set(result.errors) == {"a", "b"}
    assert "its process was killed" in result.errors["a"]


def of_two_latents(relations: Any) -> dm.MetricValue:
    """One half; the process that scores other latents is killed."""
    if relations.latents.shape[1] != 2:
        os._exit(9)
    return dm.MetricValue(0.5)


@pytest.mark.slow
def test_a_process_that_is_killed_costs_no_other_representation() -> None:
    named = dm.metric(property="compactness", source="this test")(of_two_latents)
    try:
        many = {f"r{place}": TURNED if place == 1 else ALIGNED for place in range(8)}
        options = {"metrics": named.__name__, "anchors": False, "n_jobs": 2}
        result = dm.benchmark(many, FACTORS, **options)
    finally:
        METRICS.remove(named.__name__)
    assert list(result) == [name for name in many if name != "r1"]
    assert list(result.errors) == ["r1"]


class TestFolder:
    @pytest.fixture
    def scored(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """The number of latents of each representation that is scored."""
        from disentangle_metrics.benchmarking import benchmark

        widths: list[int] = []
        score_inputs = benchmark.score_inputs

        def counting(inputs: Any, *rest: Any, **options: Any) -> Any:
            widths.append(inputs.shape[1])
            return score_inputs(inputs, *rest, **options)

        monkeypatch.setattr(benchmark, "score_inputs", counting)
        return widths

    def test_finished_reports_are_read_again(self, tmp_path: Path, scored: list[int]) -> None:
        first = dm.benchmark({"a/b": ALIGNED, "turned": TURNED}, FACTORS, metrics=["mig"], folder=tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a%2Fb.json", "turned.json"]
        scored.clear()
        more = {"a/b": ALIGNED, "turned": TURNED, "both": np.hstack([ALIGNED, TURNED])}
        again = dm.benchmark(more, FACTORS, metrics=["mig"], folder=tmp_path)
        assert scored == [5]
        assert again.notes == (f"read from {tmp_path}: a/b, turned",)
        assert list(again) == list(more)
        for name in first:
            assert content(again[name]) == content(first[name])

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"seed": 1}, "seed was 0, now 1"),
            ({"anchors": False}, "anchors was True, now False"),
            ({"metrics": [dm.Metric("mig", bins=10)]}, "mig: bins was 20, now 10"),
            ({"metrics": ["mig", "mcc"]}, "other scores were asked for: mig"),
            ({"latents": ALIGNED + 1e-9}, "latents or factors are others"),
            ({"factors": FACTORS.iloc[::-1].reset_index(drop=True)}, "latents or factors are others"),
        ],
    )
    def test_what_differs_is_scored_again_and_said(
        self, tmp_path: Path, scored: list[int], change: dict[str, Any], reason: str
    ) -> None:
        call: dict[str, Any] = {"latents": ALIGNED, "factors": FACTORS, "metrics": ["mig"]}
        for options in (call, {**call, **change}):
            scored.clear()
            latents, factors = options.pop("latents"), options.pop("factors")
            result = dm.benchmark({"a": latents}, factors, folder=tmp_path, **options)
            call.setdefault("latents", ALIGNED), call.setdefault("factors", FACTORS)
        assert scored == [2]
        assert len(result.notes) == 1
        assert f"a is scored again, and {tmp_path / 'a.json'} replaced: {reason}" in result.notes[0]

    def test_another_version_is_scored_again(self, tmp_path: Path, scored: list[int]) -> None:
        dm.benchmark({"a": ALIGNED}, FACTORS, metrics=["mig"], folder=tmp_path)
        file = tmp_path / "a.json"
        file.write_text(file.read_text().replace(f"dm:{dm.__version__}", "dm:0.0.1"))
        result = dm.benchmark({"a": ALIGNED}, FACTORS, metrics=["mig"], folder=tmp_path)
        assert f"mig: dm was 0.0.1, now {dm.__version__}" in result.notes[0]
        assert scored == [2, 2]

    def test_a_damaged_file_is_replaced(self, tmp_path: Path) -> None:
        (tmp_path / "a.json").write_text('{"scores": ')
        result = dm.benchmark({"a": ALIGNED}, FACTORS, metrics=["mig"], folder=tmp_path)
        assert "it cannot be read" in result.notes[0]
        assert dm.Report.from_json(tmp_path / "a.json")["mig"].value == result["a"]["mig"].value

    def test_what_was_finished_before_an_interruption_is_there(self, tmp_path: Path) -> None:
        class Stopped(dict[str, Any]):
            def __getitem__(self, name: str) -> Any:
                if name == "second":
                    raise KeyboardInterrupt
                return super().__getitem__(name)

        with pytest.raises(KeyboardInterrupt):
            dm.benchmark(Stopped(first=ALIGNED, second=TURNED), FACTORS, metrics=["mig"], folder=tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["first.json"]

    def test_a_score_that_failed_is_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **settings: Any) -> Any:
            raise MemoryError("Unable to allocate 80 GiB")

        with monkeypatch.context() as patch:
            patch.setattr(Relations, "mutual_information", fail)
            first = dm.benchmark({"a": ALIGNED}, FACTORS, metrics=["mig", "mcc"], folder=tmp_path)
        assert math.isnan(first["a"]["mig"].value)
        again = dm.benchmark({"a": ALIGNED}, FACTORS, metrics=["mig", "mcc"], folder=tmp_path)
        assert again["a"]["mig"].value == dm.score(ALIGNED, FACTORS, metrics="mig")["mig"].value
        assert "replaced: mig had failed" in again.notes[0]

    def test_a_remark_that_was_obeyed_is_not_read_again(self, tmp_path: Path) -> None:
        fifty = np.arange(240)[:, None] % 50
        options: dict[str, Any] = {"metrics": "mig", "anchors": False, "folder": tmp_path}
        asked = dm.benchmark({"a": ALIGNED}, fifty, **options)["a"]
        assert "kind_uncertain" in [check.code for check in asked.checks()]
        declared = dm.benchmark({"a": ALIGNED}, fifty, factor_types=["categorical"], **options)["a"]
        assert "kind_uncertain" not in [check.code for check in declared.checks()]
        assert declared.readings == {"factor_0": "50 whole numbers, declared categories"}

    def test_names_that_would_share_a_file_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(dm.InputError, match="'vae' and 'VAE' would share the file"):
            dm.benchmark({"vae": ALIGNED, "VAE": TURNED}, FACTORS, folder=tmp_path)

    def test_processes_write_to_it_too(self, tmp_path: Path, scored: list[int]) -> None:
        both = {"a": ALIGNED, "b": BROKEN, "c": TURNED}
        dm.benchmark(both, FACTORS, metrics=["mig"], folder=tmp_path, n_jobs=2)
        result = dm.benchmark(both, FACTORS, metrics=["mig"], folder=tmp_path)
        assert scored == []
        assert list(result) == ["a", "c"]
        assert "b" in result.errors


def test_no_warning_without_anything_to_say() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = dm.benchmark({"a": ALIGNED, "b": ALIGNED}, CODES, metrics=["mig"])
    assert not math.isnan(result["a"]["mig"].value)


def test_reports_in_place_of_latents_are_answered_with_compare():
    report = dm.score(np.arange(200.0).reshape(100, 2) % 7, np.arange(200).reshape(100, 2) % 3, metrics="mig")
    with pytest.raises(
        dm.InputError, match=r"are reports, which are scored already; pass them to `dm\.compare`"
    ):
        dm.benchmark({"a": report, "b": report}, np.arange(100) % 3)
