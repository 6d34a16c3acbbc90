"""The results in the repository are those of its rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reference_models.comparison import results
from reference_models.comparison.figures import all_figures
from reference_models.comparison.page import page, probability
from reference_models.comparison.rows import read_rows
from reference_models.comparison.runs import read_comparison

FOLDER = Path(__file__).parents[3] / "examples" / "reproduction"
ROWS = sorted(FOLDER.glob("*-mini.jsonl"))
LONG = FOLDER / "sprites-gpu.jsonl"
DOCUMENTATION = FOLDER.parents[1] / "docs" / "reproduction.md"
NAMES = {
    "beta-vae": "beta-VAE",
    "vlae": "VLAE",
    "teacher-student": "teacher-student",
    "pro-vlae": "pro-VLAE",
}


@pytest.fixture(scope="module")
def tables():
    """Of each data set."""
    return {name: results.tables(read_rows(FOLDER / f"{name}-mini.jsonl")) for name in ("sprites", "rooms")}


@pytest.fixture(scope="module")
def long():
    """Of the runs of plan gpu."""
    return results.tables(read_rows(LONG))


@pytest.fixture(scope="module")
def text():
    """The documentation without its line ends."""
    return " ".join(DOCUMENTATION.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("dataset", ["sprites", "rooms"])
def test_the_page_of_the_repository_is_that_of_its_rows(dataset, tables):
    figures = all_figures(tables[dataset])
    folder = FOLDER / dataset
    assert (folder / "results.md").read_text(encoding="utf-8") == page(tables[dataset], figures)
    assert {one.name for one in folder.glob("*.png")} == set(figures)


@pytest.mark.parametrize("plan", ["gpu", "long"])
def test_the_page_of_the_long_runs_is_that_of_their_rows(plan):
    folder = FOLDER / f"sprites-{plan}"
    found = results.tables(read_rows(folder.with_suffix(".jsonl")))
    figures = all_figures(found)
    assert (folder / "results.md").read_text(encoding="utf-8") == page(found, figures)
    assert {one.name for one in folder.glob("*.png")} == set(figures)


@pytest.mark.parametrize("path", [*ROWS, LONG], ids=lambda path: path.stem)
def test_the_rows_of_the_repository_are_of_the_plan(path):
    """A plan that changes would do them all again."""
    rows = read_rows(path)
    dataset, _, plan = path.stem.rpartition("-")
    comparison = read_comparison(plan, dataset)
    runs = comparison.runs(comparison.learning_rates(rows))
    assert {row["key"] for row in rows} <= {run.key for run in [*comparison.pilots(), *runs]}


def test_the_documentation_s_tables_are_those_of_the_rows(tables, text):
    for dataset in tables.values():
        for other, scores in dataset["differences"].groupby("other"):
            of_metric = scores.set_index("metric").loc[list(results.METRICS)]
            cells = [
                f"{row.difference:+.2f} [{row.low:.2f}, {row.high:.2f}], p {probability(row.p_holm)}"
                for row in of_metric.itertuples()
            ]
            assert f"| {NAMES[other]} | {' | '.join(cells)} |" in text


def test_the_documentation_s_answer_has_the_numbers_of_both_data_sets(tables, text):
    sprites, rooms = (
        tables[name]["differences"].set_index(["metric", "other"]) for name in ("sprites", "rooms")
    )
    mig, mig_sup = ("mig", "vlae"), ("mig_sup", "vlae")
    short = f"by {sprites.loc[mig].difference:.2f} on sprites and by {rooms.loc[mig].difference:.2f} on rooms"
    assert short in text
    assert max(sprites.loc[mig].p_holm, rooms.loc[mig].p_holm) < 0.05
    assert sprites.loc[mig_sup].p_holm < 0.05 < rooms.loc[mig_sup].p_holm


def test_the_documentation_s_answer_has_the_numbers_of_the_long_runs(long, text):
    runs = long["runs"].set_index("model")
    means = runs.groupby("model")[[*results.METRICS, "reconstruction"]].mean()
    assert (means[list(results.METRICS)].idxmax() == "pro-vlae").all()
    error = means["reconstruction"]
    assert f"{error['pro-vlae']:.0f} against {error['vlae']:.0f} nats" in text
    assert f"VLAE catches up on MIG**, from 0.11 to {means.mig['vlae']:.2f}" in text
    assert f"Its MIG is {means.mig['teacher-student']:.2f} now" in text
    assert f"out again here ({means.mig['pro-vlae']:.3f}), VLAE's did not ({means.mig['vlae']:.3f})" in text
    assert runs.loc["vlae", "mig"].max() > runs.loc["pro-vlae", "mig"].min()
    assert set(long["differences"]["p"]) >= {0.1}
    assert long["differences"]["p"].min() == 0.1


def test_the_documentation_s_table_of_lengths_is_that_of_the_rows(long, text):
    at_one = [row for row in read_rows(FOLDER / "sprites-mini.jsonl") if row["beta"] == 1]
    for title, found in (
        ("9,000 steps of 32", results.tables(at_one)),
        ("27,000 steps of 32", results.tables(read_rows(FOLDER / "sprites-long.jsonl"))),
        ("28,000 steps of 128", long),
    ):
        error = found["runs"].query("purpose == 'comparison'").groupby("model")["reconstruction"].mean()
        tested = found["differences"]  # empty if there are too few seeds
        for other, scores in tested.groupby("other") if len(tested) else ():
            of_metric = scores.set_index("metric").loc[list(results.METRICS)]
            cells = [
                f"{row.difference:+.2f} [{row.low:.2f}, {row.high:.2f}], p {probability(row.p_holm)}"
                for row in of_metric.itertuples()
            ]
            seeds = found["runs"].query("model == 'vlae' and purpose == 'comparison'")["seed"].nunique()
            errors = f"{error['pro-vlae']:.0f}, {error[other]:.0f}"
            assert f"| {title} | {NAMES[other]} | {seeds} | {' | '.join(cells)} | {errors} |" in text


def test_the_documentation_s_learning_rates_are_those_of_the_rows(tables, long, text):
    def rates(found):
        runs = found["runs"].query("purpose != 'pilot'")
        return {model: set(of_model) for model, of_model in runs.groupby("model")["learning_rate"]}

    assert "Both longer plans have 5e-4 for all models." in text
    longer = results.tables(read_rows(FOLDER / "sprites-long.jsonl"))
    assert rates(long) == rates(longer) == {model: {5e-4} for model in NAMES}
    assert "5e-4 for pro-VLAE and 1e-3 for the others on sprites, and 1e-3 for all on rooms" in text
    assert rates(tables["sprites"]) == {model: {1e-3} for model in NAMES} | {"pro-vlae": {5e-4}}
    assert rates(tables["rooms"]) == {model: {1e-3} for model in NAMES}
    pilots = tables["sprites"]["runs"].query("purpose == 'pilot' and beta == 4")
    mig = pilots.pivot(index="model", columns="learning_rate", values="mig")
    for model, name in NAMES.items():
        assert f"{mig.loc[model, 5e-4]:.2f} and {mig.loc[model, 1e-3]:.2f} for {name}" in text


def test_the_documentation_s_text_has_the_numbers_of_sprites(tables, text):
    """Rounded once; whoever adds rows must read the text again."""
    sprites = tables["sprites"]
    error = sprites["means_mig"].set_index(["model", "beta"])["reconstruction"]
    pro, vlae, beta_vae, students = (error[m] for m in ("pro-vlae", "vlae", "beta-vae", "teacher-student"))
    equal = sprites["differences"].set_index(["metric", "other"])
    gain, p = equal["equal_difference"], equal["equal_p_holm"]
    whole = sprites["stages"].query("variant == ''").groupby(["beta", "stage"])[list(results.METRICS)].mean()
    first, second = whole.loc[4].loc[1], whole.loc[4].loc[2]
    before, after = whole.loc[1].loc[2], whole.loc[1].loc[3]
    ablation = sprites["ablation"].set_index(["metric", "other"]).loc["mig"]
    fade_in, gamma, progression = (
        ablation.loc[name] for name in ("no fade-in", "no pre-training KL", results.NO_PROGRESSION)
    )
    smooth = sprites["ablation"].set_index(["metric", "other"]).loc["factor_vae", "no fade-in"]
    mig = (
        sprites["runs"]
        .query("beta == 4 and purpose != 'pilot'")
        .set_index(["model", "variant", "seed"])["mig"]
        .sort_index()
    )
    gain_of_seed = mig["pro-vlae", ""] - mig["vlae", ""]
    without_gamma = (mig["pro-vlae", "no pre-training KL"] - mig["vlae", ""]).mean()
    mig_sup = sprites["means_mig_sup"].set_index(["model", "beta"])["mean"]
    trained = sprites["runs"].query("purpose != 'pilot'")
    for phrase in (
        f"{pro[1]:.0f} against {vlae[1]:.0f} and {beta_vae[1]:.0f} nats at beta 1, "
        f"{pro[8]:.0f} against {vlae[8]:.0f} and {beta_vae[8]:.0f} at beta 8",
        f"error below {int(students.min())}, where pro-VLAE reaches {pro.min():.0f} and the others "
        f"{beta_vae.min():.0f} and {vlae.min():.0f}",
        f"MIG {gain['mig', 'beta-vae']:+.2f} on beta-VAE, {gain['mig', 'vlae']:+.2f} on VLAE, "
        f"{gain['mig', 'teacher-student']:+.2f} on teacher-student",
        f"the FactorVAE score ({gain['factor_vae', 'beta-vae']:+.2f}, p {p['factor_vae', 'beta-vae']:.1g} after the "
        f"correction) and MIG ({gain['mig', 'beta-vae']:+.2f}, p {p['mig', 'beta-vae']:.1g}), against teacher-student "
        f"the FactorVAE score ({gain['factor_vae', 'teacher-student']:+.2f}, p {p['factor_vae', 'teacher-student']:.1g})",
        f"are not significant after the correction (p {p.xs('vlae', level='other').min():.1g} at the least)",
        f"the FactorVAE score rises from {before.factor_vae:.2f} to {after.factor_vae:.2f}, "
        f"and MIG-sup falls from {before.mig_sup:.2f} to {after.mig_sup:.2f}",
        f"the first stage has MIG {first.mig:.2f} and MIG-sup {first.mig_sup:.2f}",
        f"the second brings MIG to {second.mig:.2f} and leaves MIG-sup at {second.mig_sup:.2f}",
        f"no higher than VLAE's** ({mig_sup['pro-vlae', 1]:.2f} against {mig_sup['vlae', 1]:.2f})",
        f"rank correlation {trained['mig'].corr(trained['mig_sup'], method='spearman'):.2f}",
        f"MIG changes by {fade_in.difference:.3f} (interval {fade_in.low:.3f} to {fade_in.high:.3f})",
        f"the FactorVAE score by {smooth.difference:.2f} ({smooth.low:.2f} to {smooth.high:.2f})",
        f"MIG is {gamma.difference:.2f} higher (interval {gamma.low:.2f} to {gamma.high:.2f})",
        f"lead over VLAE at this beta is {without_gamma:.2f}",
        f"in each of five seeds, by {gain_of_seed.min():.2f} to {gain_of_seed.max():.2f}",
        f"(mean {progression.difference:.2f}, interval {progression.low:.2f} to {progression.high:.2f}; "
        f"p {progression.p:.1g} before any correction",
        f"{cpu_hours(sprites):.1f} hours of training on sprites",
    ):
        assert phrase in text


def test_the_documentation_s_text_has_the_numbers_of_rooms(tables, text):
    rooms = tables["rooms"]
    error = rooms["means_mig"].set_index(["model", "beta"])["reconstruction"]
    errors = {model: f"{error[model, 1]:.0f} and {error[model, 4]:.0f}" for model in NAMES}
    equal = rooms["differences"].set_index(["metric", "other"])
    gain, p = equal["equal_difference"], equal["equal_p_holm"]
    for phrase in (
        f"MIG is higher by {gain['mig', 'vlae']:.2f} than VLAE's",
        f"by {gain['mig', 'beta-vae']:.2f} than beta-VAE's",
        f"the FactorVAE score by {gain['factor_vae', 'vlae']:.2f} (p {p['factor_vae', 'vlae']:.1g}) "
        f"and {gain['factor_vae', 'beta-vae']:.2f} (p {p['factor_vae', 'beta-vae']:.1g})",
        f"{errors['pro-vlae']} nats at betas 1 and 4, VLAE {errors['vlae']}, beta-VAE {errors['beta-vae']}",
        f"Teacher-student, at {errors['teacher-student']},",
        f"{cpu_hours(rooms):.1f} on rooms",
    ):
        assert phrase in text


@pytest.fixture(scope="module")
def switches():
    """A row for each run on switches: R4c of each factor and its mean, KL of each layer, the error."""
    runs = pd.DataFrame(
        {
            **{name: row[name] for name in ("beta", "model", "seed", "reconstruction", "kl")},
            **row["per_factor"]["r4c"],
            "R4c": float(np.mean(list(row["per_factor"]["r4c"].values()))),
        }
        for row in read_rows(FOLDER / "switches-mini.jsonl")
    )
    assert sorted(zip(runs["beta"], runs["model"], runs["seed"], strict=True)) == [
        (beta, model, seed)
        for beta in (0.25, 1.0)
        for model in ("beta-vae", "pro-vlae", "vlae")
        for seed in (0, 1, 2)
    ]
    return runs


def test_the_documentation_s_table_of_switches_is_that_of_its_rows(text, switches):
    """Means over three seeds; of R4c the smallest and the largest too."""
    factors = ["shape", "phase", "shine", "angle", "jets", "length", "posX", "posY"]
    assert f"| beta | model | error, nats | KL, nats | R4c | {' | '.join(factors)} |" in text
    lines = []
    for beta in (0.25, 1.0):
        for model in ("beta-vae", "vlae", "pro-vlae"):
            of_model = switches[(switches["beta"] == beta) & (switches["model"] == model)]
            layers = np.mean(of_model["kl"].tolist(), axis=0)
            r4c = of_model["R4c"]
            cells = [f"{beta:g}", NAMES[model], f"{of_model['reconstruction'].mean():.1f}"]
            cells += [" / ".join(f"{nats:.1f}" for nats in layers)]
            cells += [f"{r4c.mean():.2f} [{r4c.min():.2f}, {r4c.max():.2f}]"]
            cells += [f"{of_model[factor].mean():.2f}" for factor in factors]
            lines.append(f"| {' | '.join(cells)} |")
    assert " ".join(lines) in text
    assert text.count("| error, nats | KL, nats | R4c |") == 1


def test_the_documentation_s_words_on_switches_hold_in_every_seed(text, switches):
    by_model = switches.pivot(index=["beta", "seed"], columns="model")
    assert "VLAE's R4c is higher in all three seeds, at both betas" in text
    assert (by_model["R4c"]["vlae"] > by_model["R4c"]["pro-vlae"]).all()
    assert (by_model["angle"][["vlae", "pro-vlae"]] < 0.05).all(axis=None)
    angles = switches[switches["model"] == "beta-vae"].groupby("beta")["angle"].mean()
    assert f"In beta-VAE it has {angles.min():.2f} to {angles.max():.2f}" in text
    of_model = switches[switches["model"] == "pro-vlae"].groupby("beta")
    positions = of_model[["posX", "posY"]].mean()
    least, most = positions.min(axis=None), positions.max(axis=None)
    assert f"what pro-VLAE holds best: {least:.2f} to {most:.2f}" in text
    means = switches.groupby(["model", "beta"])[["posX", "posY"]].mean()
    flat, ladder = (means.loc[model].to_numpy() for model in ("beta-vae", "vlae"))
    assert f"beta-VAE has {flat.min():.2f} to {flat.max():.2f} there" in text
    assert f"VLAE {ladder.min():.2f} to {ladder.max():.2f}" in text
    others = ["shape", "phase", "shine", "angle", "jets", "length"]
    assert least > of_model[others].mean().max(axis=None)
    quarter, one = of_model["kl"].apply(lambda layers: np.mean(layers.tolist(), axis=0)[0])
    assert f"holds {one:.1f} nats. At 0.25 it holds {quarter:.1f}, and R4c is no higher" in text
    r4c = of_model["R4c"].mean()
    assert r4c[0.25] < r4c[1.0]


def test_on_sprites_the_first_stage_orders_the_seeds(tables):
    """As the documentation says: at every beta and in every variant."""
    groups = tables["sprites"]["stages"].groupby(["beta", "variant"])
    assert len(groups) == 6
    for _, of_group in groups:
        mig = of_group.pivot(index="seed", columns="stage", values="mig")
        assert len(mig) == 5
        assert list(mig[1].rank()) == list(mig[3].rank())


def cpu_hours(tables: dict[str, pd.DataFrame]) -> float:
    return float(tables["runs"]["cpu_seconds"].sum() / 3600)


def test_the_documentation_s_scores_factor_by_factor_are_those_of_the_runs(text):
    runs = pd.read_csv(FOLDER / "rooms" / "per_factor.csv")
    beta_4 = runs[runs["model"].str.contains("-beta4-")]
    for model, name in NAMES.items():
        of_model = beta_4[beta_4["model"].str.startswith(f"rooms-{model}-beta4-")]
        assert len(of_model) == 5
        means = of_model.drop(columns=["model", "mig"]).mean()
        assert f"| {name} | {' | '.join(f'{mean:.2f}' for mean in means)} |" in text


def test_the_documentation_s_table_of_latents_is_that_of_the_study(text):
    study = pd.read_csv(FOLDER.parent / "studies" / "spare_latents.csv")
    assert len(study) == 12
    for run in study.itertuples():
        scores = (f"{score:.2f}" for score in (run.factor_vae, run.mig, run.mig_sup))
        cells = [run.latents, run.active_latents, f"{run.reconstruction:.1f}", f"{run.kl:.1f}", *scores]
        assert f"| {' | '.join(map(str, cells))} |" in text


def test_the_documentation_s_numbers_of_first_stages_are_those_of_the_study(text):
    study = pd.read_csv(FOLDER.parent / "studies" / "first_stages.csv")
    models = results.PROPOSED, "no pre-training KL"
    of_run = study.set_index(["model", "seed"])
    whole, without = (of_run.loc[model] for model in models)
    assert len(whole) == len(without) == 15
    gain = (whole["mig"] - without["mig"]).sort_values()
    assert gain.iloc[:11].abs().max() < 0.05
    for phrase in (
        f"in four seeds of fifteen ([one by one](../examples/studies/first_stages.csv)) MIG is higher by "
        f"{gain.iloc[11]:.2f} to {gain.iloc[14]:.2f} with it",
        f"MIG-sup after them {whole['mig_sup'][2]:.2f} and {whole['mig_sup'][3]:.2f}, "
        f"without it {without['mig_sup'][2]:.2f} and {without['mig_sup'][3]:.2f}",
        f"({without['reconstruction'][5]:.0f} nats against {whole['reconstruction'][5]:.0f})",
    ):
        assert phrase in text
    for first in (5, 0):
        chosen = study[study["seed"] >= first]
        paired = results.seed_by_seed(chosen).set_index("metric")
        means = chosen.groupby("model")[["mig", "mig_sup"]].mean()
        cells = [f"{first} to 14"]
        for metric in ("mig", "mig_sup"):
            row = paired.loc[metric]
            cells += [f"{means.loc[model, metric]:.2f}" for model in models]
            cells += [f"{row.difference:+.2f} [{row.low:.2f}, {row.high:.2f}]", f"{row.p:.2g}"]
        assert f"| {' | '.join(cells)} |" in text


def test_the_documentation_s_table_of_plan_long_is_that_of_its_rows(text):
    rows = read_rows(FOLDER / "sprites-long.jsonl")
    assert {(row["iterations"], row["batch_size"], row["beta"]) for row in rows} == {(27_000, 32, 1.0)}
    assert "| model | seed | error, nats | KL, nats | FactorVAE score | MIG | MIG-sup |" in text
    lines = []
    for row in sorted(rows, key=lambda row: (row["seed"], list(NAMES).index(row["model"]))):
        published = row["published"]
        scores = [f"{published[name]['value']:.2f}" for name in ("factor_vae", "mig", "mig_sup")]
        layers = " / ".join(f"{nats:.1f}" for nats in row["kl"])
        cells = [NAMES[row["model"]], row["seed"], f"{row['reconstruction']:.0f}", layers, *scores]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    assert " ".join(lines) in text
    runs = results.tables(rows)["runs"].set_index(["seed", "model"])
    minutes = runs["cpu_seconds"].groupby("model").mean() / 60
    ladder = (minutes["vlae"] + minutes["pro-vlae"]) / 2
    assert (
        f"{ladder:.0f} minutes of training for a run of the ladder, {minutes['beta-vae']:.0f} for beta-VAE, "
        f"{minutes['teacher-student']:.0f} for teacher-student" in text
    )


def test_the_documentation_s_words_on_plan_long_are_those_of_its_rows(long, text):
    runs = results.tables(read_rows(FOLDER / "sprites-long.jsonl"))["runs"].set_index(["seed", "model"])
    names = ["mig", "factor_vae", "mig_sup", "reconstruction"]
    pro, vlae = (runs.xs(model, level="model")[names] for model in ("pro-vlae", "vlae"))
    gain = (pro - vlae).sort_index()
    on_mig, on_factor_vae, on_mig_sup = (listed(gain[name], 2) for name in names[:3])
    assert (gain["factor_vae"] > 0).all()
    assert ((gain["mig"] > 0) == [True, True, True, False, True]).all()
    assert ((gain["reconstruction"] > 0) == [True, True, True, True, False]).all()
    assert pro["factor_vae"].min() > vlae["factor_vae"].max()
    tested = results.tables(read_rows(FOLDER / "sprites-long.jsonl"))["differences"]
    assert (round(tested["p"].min(), 3), round(tested["p_holm"].min(), 3)) == (0.008, 0.071)
    assert "Five seeds allow no p below 0.008, and none below 0.071 after the correction" in text
    least = tested[tested["p"] < 0.01].set_index(["metric", "other"]).index
    others = ("beta-vae", "teacher-student", "vlae")
    assert set(least) == {*(("factor_vae", other) for other in others), ("mig", "beta-vae")}
    assert (
        f"by {on_mig} on MIG, by {on_factor_vae} on the FactorVAE score, by {on_mig_sup} on MIG-sup" in text
    )
    errors = f"{pro['reconstruction'].mean():.0f} against {vlae['reconstruction'].mean():.0f} nats"
    assert f"There pro-VLAE reconstructs worse: {errors}." in text
    assert f"Its error is {listed(gain['reconstruction'], 0)} nats larger than VLAE's" in text
    ends = {model: found["reconstruction"] for model, found in long["runs"].groupby("model")}
    assert f"({ends['vlae'].min():.0f} to {ends['vlae'].max():.0f} nats)" in text
    assert (
        vlae.loc[3, "reconstruction"]
        < ends["vlae"].min()
        < vlae.loc[1, "reconstruction"]
        < ends["vlae"].max()
    )
    assert f"({ends['pro-vlae'].min():.0f} to {ends['pro-vlae'].max():.0f})" in text
    assert pro["reconstruction"].min() > ends["pro-vlae"].max()
    seeds = [of_seed.droplevel("seed") for _, of_seed in runs.groupby("seed")]
    assert "All five seeds are done" in text
    assert [len(of_seed) for of_seed in seeds] == [4, 4, 4, 4, 4]
    for of_seed in seeds:
        student = of_seed.loc["teacher-student"]
        assert of_seed["mig_sup"].idxmax() == of_seed["reconstruction"].idxmax() == "teacher-student"
        assert student["active_latents"] == 3
        assert set(of_seed[["mig", "mig_sup"]].idxmin()) == {"beta-vae"}
    assert [of_seed["factor_vae"].idxmin() == "beta-vae" for of_seed in seeds] == [True] * 4 + [False]
    ahead = [of_seed.loc["pro-vlae", "mig"] > of_seed.loc["teacher-student", "mig"] for of_seed in seeds]
    assert ahead == [True, True, True, False, True]


def listed(values, places):
    """As a sentence has them: 1, 2 and 3."""
    *first, last = (f"{value:.{places}f}" for value in values)
    return f"{', '.join(first)} and {last}"


def test_the_page_of_models_has_the_lowest_layer_of_the_long_runs():
    (row,) = (
        one
        for one in read_rows(FOLDER / "sprites-long.jsonl")
        if (one["model"], one["seed"]) == ("pro-vlae", 0)
    )
    layer = {entry["layer"]: entry["nats"] for entry in row["information"]}["1"]
    models = (FOLDER.parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
    longer = [one for one in read_rows(LONG) if one["model"] == "pro-vlae"]
    ends = sorted(entry["nats"] for one in longer for entry in one["information"] if entry["layer"] == "1")
    words = (
        f"holds {layer:.1f} nats; those of 28,000 steps of 128 images hold {ends[0]:.1f} to {ends[-1]:.1f}."
    )
    assert words in " ".join(models.split())


def test_no_run_is_in_the_repository_twice():
    assert ROWS
    for path in ROWS:
        keys = [row["key"] for row in read_rows(path)]
        assert len(keys) == len(path.read_text(encoding="utf-8").splitlines())


def test_the_documentation_says_where_the_shape_is(text):
    table = pd.read_csv(FOLDER.parent / "studies" / "latents_of_switches.csv")
    best = {}  # latent and layer of each factor, and how well it tells the shape
    for run, latents in table.groupby(["model", "beta", "seed"]):
        of_latent = latents.set_index("latent")
        names = ["shape", "phase", "shine", *(["jets", "length"] if run[0] == "vlae" else [])]
        (latent,) = of_latent[names].idxmax().unique() if run[0] != "beta-vae" else of_latent.index[:1]
        best[run] = of_latent.loc[latent, ["layer", "shape"]]
    found = pd.DataFrame(best).T.rename_axis(["model", "beta", "seed"]).reset_index()
    for model, beta, layers in (
        ("vlae", 0.25, {1}),
        ("vlae", 1.0, {2, 3}),
        ("pro-vlae", None, {3}),
    ):
        runs = found[(found["model"] == model) & (found["beta"].isin([beta] if beta else [0.25, 1.0]))]
        assert set(runs["layer"]) == layers
        assert f"by {runs['shape'].min():.2f} to {runs['shape'].max():.2f}" in text


def test_the_page_on_gpus_says_what_bfloat16_does_to_scores():
    rows = pd.read_csv(FOLDER.parent / "studies" / "precision.csv")
    page_on_gpus = (DOCUMENTATION.parent / "training_on_a_gpu.md").read_text(encoding="utf-8")
    assert set(rows["trained"].value_counts()) == {10}
    for name, label, places in (
        ("mig", "MIG", 3),
        ("mig_sup", "MIG-sup", 3),
        ("reconstruction", "error, nats", 1),
    ):
        values = rows.pivot(index="seed", columns="trained", values=name)
        plain = (values["float32"] + values["float32, weights nudged"]) / 2
        difference = values["bfloat16"] - plain
        half = stats.t.ppf(0.975, len(difference) - 1) * difference.std() / np.sqrt(len(difference))
        low, high = difference.mean() - half, difference.mean() + half
        assert low < 0 < high
        alone = difference.abs().mean()
        control = (values["float32, weights nudged"] - values["float32"]).abs().mean()
        line = (
            f"| {label} | {plain.mean():.{places}f} | {difference.mean():+.{places}f} "
            f"[{low:.{places}f}, {high:.{places}f}] | {alone:.{places}f} | {control:.{places}f} |"
        )
        assert line in page_on_gpus
        if name == "mig":
            spread = values["float32"].std()
            assert f"deviation of their MIGs is {spread:.3f}" in page_on_gpus
            assert round(spread / alone) == 7
