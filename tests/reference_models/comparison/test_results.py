"""Tables and figures of a comparison whose outcome is known."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from disentangle_metrics import InputError
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.scoring.protocols import PROTOCOLS
from reference_models.cli import reproduce as cli
from reference_models.comparison import figures, results
from reference_models.comparison.page import page
from reference_models.comparison.rows import append_row
from tests.reference_models.comparison.made_up import made_up_rows


@pytest.fixture(scope="module")
def rows():
    return made_up_rows()


@pytest.fixture(scope="module")
def runs(rows):
    return results.finished(rows)


def test_failed_runs_are_in_no_table(rows):
    failed = {"key": "x", "purpose": "comparison", "model": "pro-vlae", "error": "diverged"}
    assert len(results.finished([*rows, failed])) == len(rows)
    assert len(results.stages([failed])) == 0
    with pytest.raises(InputError, match="no run of the comparison has finished"):
        results.finished([failed])


def test_rows_of_two_data_sets_are_not_one_comparison(rows):
    with pytest.raises(InputError, match=r"of several data sets \(rooms, sprites\); draw one at a time"):
        results.tables([*rows, {**rows[0], "dataset": "rooms"}])


def test_runs_of_several_schedules_are_not_one_comparison(rows):
    longer = [{**row, "key": f"{row['key']}-long", "seed": row["seed"] + 5} for row in rows]
    for changes, said in (
        ({"iterations": 27000, "batch_size": 128}, "iterations 9000, 27000; batch_size 32, 128"),
        ({"arguments": {"image_shape": [1, 32, 32]}}, "side 32, 64"),
        ({"precision": "bfloat16"}, "precision bfloat16, float32"),
    ):
        with pytest.raises(InputError, match=rf"several schedules \({said}\); .*one at a time .*lengths"):
            results.tables([*rows, *({**row, **changes} for row in longer)])
    other_pilot = {**rows[0], "purpose": "pilot", "iterations": 100, "objective": 90.0}
    assert len(results.tables([*rows, other_pilot])["runs"]) == len(rows) + 1


def test_a_run_with_two_learning_rates_does_not_count_twice(rows):
    """As after --retry-failed, when a pilot that had failed wins."""
    again = {**rows[-1], "key": "again", "learning_rate": 5e-4}
    with pytest.raises(
        InputError,
        match=r"no fade-in, no pre-training KL at beta 4 with seed 4 is there 2 times, with the learning rates "
        r"0\.001, 0\.0005; .*keep the rows of one: pro-vlae-.*, again",
    ):
        results.tables([*rows, again])


def test_means_are_over_all_seeds_and_over_the_best_three(runs):
    of_one = runs[(runs["model"] == "vlae") & (runs["beta"] == 4)]
    found = (
        results.means(runs[runs["purpose"] == "comparison"], "mig")
        .set_index(["model", "beta"])
        .loc["vlae", 4.0]
    )
    values = np.sort(of_one["mig"])
    assert found["mean"] == pytest.approx(values.mean())
    assert found["best"] == pytest.approx(values[2:].mean())
    assert found["best_reconstruction"] == pytest.approx(
        of_one[of_one["mig"] >= values[2]]["reconstruction"].mean()
    )
    half = 2.7764451 * values.std(ddof=1) / np.sqrt(5)
    assert (found["low"], found["high"]) == pytest.approx((values.mean() - half, values.mean() + half))


def test_means_are_of_the_runs_in_which_a_score_has_a_value(rows):
    """Of five runs, two of which have collapsed: Student's interval of three, from scipy."""
    changed = copy.deepcopy(rows)
    of_one = [row for row in changed if (row["model"], row["beta"]) == ("vlae", 4.0)]
    for row in of_one[:2]:
        row["published"]["mig_sup"]["value"] = None
    left = [row["published"]["mig_sup"]["value"] for row in of_one[2:]]
    tables = results.tables(changed)
    found = tables["means_mig_sup"].set_index(["model", "beta"]).loc["vlae", 4.0]
    interval = stats.ttest_1samp(left, 0).confidence_interval()
    assert found["seeds"] == 3
    assert (found["low"], found["high"]) == pytest.approx(tuple(interval))
    assert found["reconstruction"] == pytest.approx(np.mean([row["reconstruction"] for row in of_one[2:]]))
    assert np.isnan(found["best"])  # there are no more than three
    text = page(tables, [])
    line = cells(text, "vlae", "4", "5", f"{np.mean([row['reconstruction'] for row in of_one]):.1f}")
    assert line[8] == f"{np.mean(left):.3f} [{interval.low:.3f}, {interval.high:.3f}] (3 of 5 seeds)"
    assert "in the others the score has no value" in text
    assert f"over {len(rows) - 2} runs" in text
    for row in of_one:
        row["published"]["mig_sup"]["value"] = None
    assert cells(page_of(changed), "vlae", "4", "5")[8] == "- (0 of 5 seeds)"


def test_an_ablation_s_means_say_of_how_many_seeds_they_are(rows):
    changed = copy.deepcopy(rows)
    few = [row for row in changed if row["beta"] == 4 and row["variant"] == "no fade-in" and row["seed"] > 1]
    level = [row for row in changed if row["beta"] == 4 and row["model"] == "vlae" and row["seed"] > 0]
    for row in [*few, *level]:
        row["published"]["mig"]["value"] = None
    text = page_of(changed)
    seconds = results.stages(changed).query("variant == 'no fade-in' and stage == 3")["mig"].dropna()
    assert cells(text, "no fade-in", "3", "5")[5] == f"{seconds.mean():.3f} (2 of 5 seeds)"
    assert cells(text, "no fade-in", "2", "5")[5].count(" ") == 0
    assert cells(text, results.NO_PROGRESSION, "-", "5")[5].endswith(" (1 of 5 seeds)")
    explained = "A number of seeds behind a score: in the others the score has no value."
    assert text.count(explained) == 2  # of the scores, and of the ablation
    assert explained not in page_of(rows)


def test_three_seeds_have_no_best_three(runs):
    compared = runs[(runs["purpose"] == "comparison") & (runs["seed"] < 3)]
    found = results.means(compared, "mig")
    assert found["mean"].notna().all()
    assert found[["best", "best_reconstruction"]].isna().all(axis=None)


def test_two_seeds_have_no_interval(runs):
    compared = runs[(runs["purpose"] == "comparison") & (runs["seed"] < 2)]
    found = results.means(compared, "mig")
    assert found["mean"].notna().all()
    assert found[["low", "high"]].isna().all(axis=None)
    assert results.differences(compared).empty


def test_a_large_difference_is_found_and_a_missing_one_is_not(runs):
    compared = runs[runs["purpose"] == "comparison"]
    compared = compared[compared["model"] != "teacher-student"].copy()
    compared.loc[compared["model"] == "beta-vae", "mig"] += 0.2  # now as good as the proposed model
    found = results.differences(compared).set_index(["metric", "other"])
    large, none = found.loc[("mig", "vlae")], found.loc[("mig", "beta-vae")]
    assert large["low"] < 0.2 < large["high"]
    assert large["p_holm"] < 0.01
    assert large["effect"] > 3
    assert none["low"] < 0 < none["high"]
    assert none["p"] > 0.05
    assert (found["p_holm"] >= found["p"]).all()
    vlae, proposed = (
        compared[compared["model"] == model].groupby("beta")["reconstruction"].mean()
        for model in ("vlae", "pro-vlae")
    )
    assert large["error_low"] == pytest.approx(max(vlae.min(), proposed.min()))
    assert large["error_high"] == pytest.approx(min(vlae.max(), proposed.max()))
    assert large["equal_low"] < 0.2 < large["equal_high"]
    assert large["equal_p_holm"] < 0.01
    assert none["equal_low"] < 0 < none["equal_high"]
    pd.testing.assert_frame_equal(found, results.differences(compared).set_index(["metric", "other"]))


def test_effects_are_above_0_where_the_proposed_model_is_better(rows):
    suite = results.suite(rows)
    assert len(suite) == 60
    found = results.effects(suite)
    assert list(found.index) == ["mig", "total_correlation"]  # sap has no value, active_units no better
    assert (found[["beta-vae", "vlae"]] > 3).all(axis=None)
    tested = results.differences(results.finished(rows).query("purpose == 'comparison'"))
    tested = tested.set_index(["metric", "other"])
    suite["mig"] = [row["published"]["mig"]["value"] for row in rows if row["purpose"] == "comparison"]
    assert results.effects(suite).loc["mig", "vlae"] == pytest.approx(tested.loc[("mig", "vlae"), "effect"])
    assert results.effects(suite[suite["seed"] < 2]).empty


def test_which_scores_fall_with_quality_is_what_the_reports_say():
    scores = [score for name in PROTOCOLS["default"].suite for score in find_metric(name).scores]
    assert {score.key for score in scores if score.direction == "down"} == results.LOWER_IS_BETTER
    assert {score.key for score in scores if score.property == "size"} == results.NO_QUALITY


def test_betas_of_one_model_alone_do_not_count(runs):
    compared = runs[(runs["purpose"] == "comparison") & runs["model"].isin(["vlae", "pro-vlae"])]
    without = compared[~((compared["model"] == "vlae") & (compared["beta"] == 8))]
    assert set(results.differences(without)["runs"]) == {20}
    only = compared[compared["model"] == "pro-vlae"]
    assert results.differences(only).empty


def test_an_ablation_is_compared_seed_by_seed(runs):
    ablated = results.ablated(runs).copy()
    whole, variant = (ablated["model"] == model for model in ("pro-vlae", "no fade-in"))
    by_seed = ablated[whole].set_index("seed")["mig"]
    lost = {seed: 0.05 + 0.01 * seed for seed in range(5)}
    seeds = ablated.loc[variant, "seed"]
    ablated.loc[variant, "mig"] = by_seed.loc[seeds].to_numpy() - seeds.map(lost)
    found = results.seed_by_seed(ablated.sample(frac=1, random_state=0)).set_index(["metric", "other"])
    one = found.loc[("mig", "no fade-in")]
    expected = stats.ttest_1samp(list(lost.values()), 0).confidence_interval()
    assert one["difference"] == pytest.approx(0.07)
    assert (one["low"], one["high"]) == pytest.approx(tuple(expected))
    assert one["p"] == 2 / 32
    assert len(found) == 3 * 4
    assert results.seed_by_seed(ablated[ablated["seed"] < 2]).empty
    assert results.seed_by_seed(ablated[~whole]).empty


def test_stages_are_numbered_from_the_first_to_the_trained_model(rows):
    stages = results.stages(rows)
    one = stages[(stages["variant"] == "no fade-in") & (stages["seed"] == 2)]
    assert one["stage"].tolist() == [1, 2, 3]
    trained = next(row for row in rows if row["variant"] == "no fade-in" and row["seed"] == 2)
    assert one["mig"].tolist()[2] == trained["published"]["mig"]["value"]


def test_the_command_draws_what_there_is(tmp_path, rows, capsys):
    path = tmp_path / "rows.jsonl"
    for row in rows:
        append_row(path, row)
    assert cli.run(["figures", str(path), "--out", str(tmp_path / "figures")]) == 0
    assert capsys.readouterr().out.endswith(
        f"{len(rows)} runs, {len(rows) * 0.2:.1f} CPU hours of training\n"
    )
    written = {one.name for one in (tmp_path / "figures").iterdir()}
    assert written == {
        "runs.csv", "stages.csv", "information.csv", "differences.csv", "ablation.csv", "suite.csv", "means_mig.csv",
        "means_mig_sup.csv", "means_factor_vae.csv", "reconstruction.png", "mig_and_mig_sup.png", "other_scores.png", "ablation.png", "results.md",
    }  # fmt: skip
    assert len(pd.read_csv(tmp_path / "figures" / "runs.csv")) == len(rows)


def test_a_score_that_no_run_has_costs_the_figure_of_both_alone(tmp_path, rows, monkeypatch):
    monkeypatch.setattr(figures, "effects_by_score", lambda effects: figures.figure(1)[0])  # the slowest
    changed = copy.deepcopy([row for row in rows if row["seed"] < 3 and row["purpose"] == "comparison"])
    for row in changed:
        row["published"]["mig"]["value"] = None
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in changed))
    assert cli.run(["figures", str(path), "--out", str(tmp_path)]) == 0
    assert {one.name for one in tmp_path.glob("*.png")} == {"reconstruction.png", "other_scores.png"}
    assert "MIG and MIG-sup" not in (tmp_path / "results.md").read_text()


def test_a_run_in_two_files_is_drawn_once_and_cpu_time_of_a_shared_process_is_not_claimed(
    tmp_path, rows, capsys, monkeypatch
):
    monkeypatch.setattr(figures, "all_figures", lambda tables: {})
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    few = [row for row in rows if row["seed"] < 3 and row["beta"] == 4]
    for path in (one, two):
        path.write_text("".join(json.dumps({**row, "device": "cuda"}) + "\n" for row in few))
    assert cli.run(["figures", str(one), str(two), "--out", str(tmp_path / "figures")]) == 0
    assert capsys.readouterr().out.endswith(f"\n{len(few)} runs\n")
    text = (tmp_path / "figures" / "results.md").read_text()
    assert f"\n{len(few)} finished runs of 9,000 steps of 32 images of 64x64. Seeds of" in text
    own = [{**row, "device": "cuda:1", "cpu_seconds_of": "run"} for row in few]
    assert f"64x64, {len(own) * 0.2:.1f} CPU hours of training. Seeds of" in page_of(own)


def page_of(rows):
    return page(results.tables(rows), ["ablation.png"])


def cells(text, *start):
    """The cells of the one line of a table that starts with these."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    (found,) = [line for line in lines if line[: len(start)] == list(start)]
    return found


def test_the_page_says_what_the_tables_hold(rows, runs):
    text = page_of(rows)
    assert text.startswith(
        "# The comparison on sprites\n\n75 finished runs of 9,000 steps of 32 images of 64x64, 15.0 CPU hours"
    )
    compared = runs[runs["purpose"] == "comparison"]
    mig = results.means(compared, "mig").set_index(["model", "beta"]).loc["vlae", 4.0]
    line = cells(text, "vlae", "4", "5")
    assert line[6] == f"{mig['mean']:.3f} [{mig['low']:.3f}, {mig['high']:.3f}]"
    assert line[7] == f"{mig['best']:.3f}"
    tested = results.differences(compared).set_index(["metric", "other"]).loc["mig_sup", "beta-vae"]
    line = cells(text, "MIG-sup", "beta-vae", "30")
    assert line[3].startswith(f"{tested['difference']:.3f} [{tested['low']:.3f}, ")
    assert float(line[6]) == pytest.approx(tested["p_holm"], rel=0.05)
    line = cells(text, "MIG-sup", "beta-vae", f"{tested['error_low']:.1f} to {tested['error_high']:.1f}")
    assert line[3].startswith(f"{tested['equal_difference']:.3f} [{tested['equal_low']:.3f}, ")
    assert float(line[5]) == pytest.approx(tested["equal_p_holm"], rel=0.05)
    of_vlae = results.suite(rows).query("model == 'vlae'")["total_correlation"].mean()
    assert cells(text, "total_correlation", "lower")[-1] == f"{of_vlae:.3f}"
    stage = cells(text, "no fade-in", "2", "5")
    stages = results.stages(rows)
    second = stages[(stages["variant"] == "no fade-in") & (stages["stage"] == 2)]
    assert stage[5] == f"{second['mig'].mean():.3f}"
    paired = results.seed_by_seed(results.ablated(runs)).set_index(["metric", "other"])
    one = paired.loc[("mig", "no pre-training KL")]
    line = cells(text, "MIG", "no pre-training KL", "5")
    assert line[3] == f"{one['difference']:.3f} [{one['low']:.3f}, {one['high']:.3f}]"
    assert "![What progression, fade-in and pre-training KL do](ablation.png)" in text
    assert "learning rate 0" not in text
    assert "reconstruction.png" not in text


def test_the_page_says_where_an_ablation_has_other_learning_rates(rows):
    text = page_of([{**row, "learning_rate": 5e-4} if row["model"] == "pro-vlae" else row for row in rows])
    said = "Caution: no progression (VLAE) has the learning rate 0.001 from the first step on, and pro-vlae 0.0005."
    assert text.count(said) == text.count("Caution: ") == 1


def test_the_page_has_the_information_of_every_stage(rows):
    of_cell = [row for row in rows if (row["model"], row["variant"], row["beta"]) == ("pro-vlae", "", 8.0)]
    second = [row["stages"][1]["information"][0]["nats"] for row in of_cell]
    line = cells(page_of(rows), "pro-vlae", "8", "2")
    assert line[3] == f"{np.mean(second):.2f}"
    assert line[-2:] == ["9.19*", "9.21"], "9.19 of at most log 10,000 nats says little"


def test_the_page_shows_all_scores_of_the_models_that_have_seeds_enough(rows):
    def of(kept):
        drawn = [name for name in ["other_scores.png"] if len(results.effects(results.suite(kept)))]
        return page(results.tables(kept), drawn)

    compared = [row for row in rows if row["purpose"] == "comparison"]
    few = [row for row in compared if row["seed"] == 0 or row["model"] != "teacher-student"]
    whole, partial = of(compared), of(few)
    assert cells(partial, "mig", "higher")[2:] == [cells(whole, "mig", "higher")[n] for n in (2, 3, 5)]
    assert cells(partial, "score", "better")[2:] == ["beta-vae", "pro-vlae", "vlae"]
    left_out = "Models with fewer than three seeds at every beta are left out."
    assert (whole.count(left_out), partial.count(left_out)) == (0, 1)
    figure = "![What other scores say](other_scores.png)"
    assert figure in whole
    assert figure in partial
    alone = of([row for row in compared if row["model"] != "pro-vlae"])
    assert cells(alone, "score", "better")[2:] == ["beta-vae", "teacher-student", "vlae"]
    assert "The figure sets" not in alone
    apart = {"vlae": (1.0,), "beta-vae": (8.0,), "pro-vlae": (1.0, 8.0)}
    pairs = of([row for row in compared if row["beta"] in apart.get(row["model"], ())])
    assert figure in pairs
    assert "mean over seeds and betas" not in pairs


def test_the_page_of_a_comparison_that_has_just_begun(rows):
    first = next(row for row in rows if row["model"] == "beta-vae")
    pilots = [
        {**first, "key": f"pilot-{rate}", "purpose": "pilot", "learning_rate": rate, "objective": objective}
        for rate, objective in ((1e-3, 90.0), (5e-4, 100.0))
    ]
    text = page_of(pilots)
    assert (
        "2 finished runs of 9,000 steps of 32 images of 64x64, 0.4 CPU hours of training. All of them are pilots."
        in text
    )
    assert "Scores and reconstruction" not in text
    assert "MIG and MIG-sup" not in text
    text = page_of([*pilots, first])
    assert cells(text, "beta-vae", "1", "1")[4:6] == [
        f"{first['published']['factor_vae']['value']:.3f}",
        "-",
    ]
    assert cells(text, "beta-vae", "1", "0", "0.001")[-1] == "yes"
    assert cells(text, "beta-vae", "1", "0", "0.0005")[-1] == ""
    assert "Is pro-vlae better?" not in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backend", "mpi"], "--backend is 'mpi'; it must be one of loky, dask, ray"),
        (["--address", "tcp://x"], "add --backend dask or ray"),
        (["--plan", "huge"], "unknown plan 'huge'"),
        (["--jobs", "0"], "Invalid value for '--jobs' ... 1"),  # in between are Typer's words, by version
        (["figures", "nowhere.jsonl"], "there is no file nowhere.jsonl"),
        (["figures", "."], "there is no file rows.jsonl"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run(arguments) == 2
    error = capsys.readouterr().err
    assert all(words in error for words in message.split(" ... "))
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
