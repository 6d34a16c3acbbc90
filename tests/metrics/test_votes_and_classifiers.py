"""BetaVAE, Z-max variance, the rules of drawing, and explicitness: values and edges known beforehand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.relations.relate import relate
from tests.grids import code, full_grid

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

V = full_grid(4, 3, times=20)
A, B = V.T.astype(float)
DEAD = np.zeros(len(V))
NOISE = np.random.default_rng(0).normal(size=(len(V), 3))
FEW = {"votes": (500, 500)}


@pytest.mark.parametrize("metric", [dm.factor_vae, dm.z_max_variance, dm.beta_vae])
def test_a_constant_factor_is_no_guess_of_a_rescaled_score(metric):
    latents = code(A + 2 * NOISE[:, 0], B + 2 * NOISE[:, 1])
    constant = np.full(len(V), 3)
    two = metric(latents, V, rescale=True, **FEW)
    assert 0.1 < two.value < 0.9
    for wider in (np.column_stack([V, constant]), np.column_stack([constant, V])):
        three = metric(latents, wider, rescale=True, **FEW)
        assert three.value == two.value
        assert three.per_factor.dropna().tolist() == two.per_factor.tolist()


@pytest.mark.parametrize(("name", "worst"), [("factor_vae", 0.82), ("z_max_variance", 0.9)])
def test_the_card_says_when_the_order_of_latents_matters(name, worst):
    rng = np.random.default_rng(0)
    rare = rng.choice(2, size=5_000, p=[0.98, 0.02])
    factors = np.column_stack([rare, rng.integers(4, size=5_000), rng.integers(5, size=5_000)])

    def scored(order, **settings):
        return getattr(dm, name)(factors[:, order].astype(float), factors, **settings).value

    orders = ([0, 1, 2], [2, 1, 0])
    assert sorted(scored(order) for order in orders) == pytest.approx([worst, 1], abs=0.005)
    of_more = sorted(scored(order, rows=1_024) for order in orders)
    assert of_more == pytest.approx([1, 1], abs=5e-4)
    text = " ".join(dm.describe(name).split())
    assert f"{worst:.2f} or 1 of a perfect code of 5,000 rows" in text
    assert f"with 1,024 it is {' or '.join(f'{value:.4g}' for value in sorted({*of_more}))}." in text


@pytest.mark.parametrize("metric", [dm.factor_vae, dm.z_max_variance, dm.beta_vae])
def test_the_order_of_factors_changes_which_votes_are_drawn_and_that_of_latents_does_not(metric):
    latents = code(A + NOISE[:, 0], B + NOISE[:, 1], A + B + NOISE[:, 2])
    drawn, turned, mirrored = (
        metric(columns, factors, votes=(200, 100), rows=4)
        for columns, factors in ((latents, V), (latents[:, ::-1], V), (latents, V[:, ::-1]))
    )
    assert drawn.value == turned.value
    assert drawn.value != mirrored.value
    page = Path(__file__).parents[2] / "docs" / "coming_from.md"
    assert (
        "The order of factors changes which votes `factor_vae`, `z_max_variance` and `beta_vae` draw."
        in " ".join(page.read_text(encoding="utf-8").split())
    )


class TestBetaVae:
    def test_a_perfect_code_is_always_told(self):
        score = dm.beta_vae(code(A, B), V, **FEW)
        assert score.value == 1
        # The latent of the shared factor does not differ within a pair.
        distance = score.details["mean_distance"].to_numpy()
        assert distance[0, 0] == distance[1, 1] == 0

    def test_the_mean_distance_of_two_draws(self):
        # Two draws of 0, 1, 2, 3 differ by 1.25 on average, of 0, 1, 2 by 8 / 9.
        distance = dm.beta_vae(code(A, B), V, votes=(2000, 1)).details["mean_distance"].to_numpy()
        assert_allclose([distance[0, 1], distance[1, 0]], [1.25, 8 / 9], atol=0.02)

    def test_it_forgives_merged_factors_but_not_an_even_rotation(self):
        # Sharing A or B leaves 3 A + B differing by 8 / 9 or by 3.75 on average.
        assert dm.beta_vae(code(A * 3 + B), V, **FEW).value == 1
        even = np.column_stack([V[:, 1], V[::-1, 1]])
        both = even[:, 0] + even[:, 1], even[:, 0] - even[:, 1]
        assert dm.beta_vae(code(*both), even, **FEW).value < 0.7

    def test_noise_is_told_by_chance(self):
        score = dm.beta_vae(NOISE, V, votes=(500, 5_000))
        assert abs(score.value - 0.5) < 0.1

    def test_rescaled_it_is_zero_by_chance(self):
        plain = dm.beta_vae(NOISE, V, **FEW)
        rescaled = dm.beta_vae(NOISE, V, rescale=True, **FEW)
        assert rescaled.value == pytest.approx(2 * plain.value - 1)
        assert_allclose(rescaled.per_factor, 2 * plain.per_factor - 1)

    def test_only_raw_differences_depend_on_the_latents_scale(self):
        faint = code(A, B) * 1e-4
        assert dm.beta_vae(faint, V, **FEW).value == 1
        assert dm.beta_vae(faint, V, scaling="none", **FEW).value < 0.9

    def test_a_dead_code_is_told_by_chance(self):
        assert abs(dm.beta_vae(code(DEAD), V, **FEW).value - 0.5) < 0.1

    def test_a_constant_factor_has_no_part(self):
        score = dm.beta_vae(code(A, B), np.column_stack([V, np.ones(len(V), dtype=int)]), **FEW)
        assert score.value == 1
        assert math.isnan(score.per_factor.iloc[2])

    def test_one_vote_may_leave_a_single_class(self):
        assert 0 <= dm.beta_vae(code(A, B), V, votes=(1, 100)).value <= 1


class TestZMaxVariance:
    def test_a_perfect_code_is_always_named_right(self):
        score = dm.z_max_variance(code(A, B), V, **FEW)
        assert score.value == 1
        votes = score.details["votes"].to_numpy()
        assert votes[0, 1] == votes[1, 0] == 0

    def test_a_merged_latent_beside_a_clean_one(self):
        # While A varies, A's own latent has all of its variance and 3 A + B a little less of its own;
        # while B varies, only 3 A + B moves.
        assert dm.z_max_variance(code(A * 3 + B, A), V, **FEW).value == 1

    def test_noise_is_right_by_chance(self):
        score = dm.z_max_variance(NOISE, V, votes=(2_000, 2_000))
        assert abs(score.value - 0.5) < 0.2

    def test_a_dead_latent_is_never_named(self):
        score = dm.z_max_variance(code(DEAD, A, B), V, active=None, **FEW)
        assert score.value == 1
        assert score.details["votes"].iloc[0].sum() == 0

    def test_three_factors_need_a_joint_value_of_two_others(self):
        grid = np.stack(np.meshgrid(range(3), range(3), range(3), indexing="ij"), -1).reshape(-1, 3)
        latents = grid.astype(float)
        assert dm.z_max_variance(latents, grid, **FEW).value == 1
        # Without repeats of (first, second) pairs the third factor has nothing to vary in.
        diagonal = np.column_stack([np.arange(30) % 6, np.arange(30) // 6, np.arange(30)])
        score = dm.score(
            latents[:1].repeat(30, 0) + diagonal, diagonal, metrics="z_max_variance", anchors=False
        )
        assert "a joint value of the others that two rows share" in score["z_max_variance"].reason

    def test_rescaled(self):
        plain = dm.z_max_variance(NOISE, V, **FEW).value
        assert dm.z_max_variance(NOISE, V, rescale=True, **FEW).value == pytest.approx(2 * plain - 1)


class TestDrawing:
    def test_uniform_values_weigh_rare_values_more(self):
        # z tells A of its rare value only; there it is still, elsewhere it moves as B does.
        rng = np.random.default_rng(0)
        factors = np.column_stack([np.repeat([0, 1], [1900, 100]), rng.integers(2, size=2000)])
        latents = np.where(factors[:, :1] == 1, 0.0, 1.0) * rng.normal(size=(2000, 1))
        latents = np.column_stack([latents, factors[:, 1] + 0.1 * rng.normal(size=2000)])
        score = [
            dm.factor_vae(latents, factors, value_weights=weights).per_factor.iloc[0]
            for weights in ("frequency", "uniform")
        ]
        assert score[1] > score[0] + 0.2


class TestExplicitness:
    def test_a_perfect_code(self):
        assert dm.explicitness(code(A, B), V).value == pytest.approx(1)
        assert dm.explicitness(code(A, B), V, rescale=False).value == pytest.approx(1)

    def test_a_rotation_changes_nothing(self):
        assert dm.explicitness(code(A + B, A - B), V).value == pytest.approx(1)

    def test_noise_is_at_chance(self):
        assert abs(dm.explicitness(NOISE, V).value) < 0.3
        assert abs(dm.explicitness(NOISE, V, rescale=False).value - 0.5) < 0.15

    def test_a_dead_code_is_exactly_at_chance(self):
        assert dm.explicitness(code(DEAD), V).value == 0
        assert dm.explicitness(code(DEAD), V, rescale=False).value == 0.5

    def test_by_hand_for_a_binary_factor(self):
        # One latent ranks the rows: the area is the share of pairs in order, ties for half.
        factor = np.array([0, 0, 0, 1, 1] * 20)[:, None]
        latent = np.array([0.0, 1, 2, 1, 3] * 20)[:, None]
        # Pairs of 0s (0, 1, 2) with 1s (1, 3): in order 0-1, 0-3, 1-3, 2-3, tied 1-1, wrong 2-1.
        score = dm.explicitness(latent, factor, split=None, rescale=False)
        assert score.value == pytest.approx(4.5 / 6)

    @pytest.mark.parametrize("decision", ["multinomial", "one_vs_rest", "separate"])
    def test_a_middle_value_is_not_linearly_apart(self, decision):
        factor = V[:, 1:]
        area = dm.explicitness(code(B), factor, decision=decision, split=None, rescale=False).value
        # Alone, a classifier of the middle value ranks its rows by chance.
        assert area == pytest.approx(1 if decision == "multinomial" else (1 + 1 + 0.5) / 3, abs=0.17)
        assert (area < 0.9) == (decision == "separate")

    def test_a_value_without_train_rows_counts_as_chance(self):
        split = np.flatnonzero(B < 2), np.arange(len(V))
        with pytest.warns(
            dm.ScoreWarning, match="counts 1 values of factor_0 as chance: no train row has them"
        ):
            score = dm.explicitness(code(B == 0, B == 1), V[:, 1:], split=split, rescale=False)
        # Value 0 is told from the rest, and so is 1; value 2 is never predicted: its area is 1/2.
        assert score.value == pytest.approx((1 + 1 + 0.5) / 3)

    def test_a_value_without_test_rows_is_left_out(self):
        split = np.arange(len(V)), np.flatnonzero(B < 2)
        assert dm.explicitness(code(B), V[:, 1:], split=split).value == pytest.approx(1)

    def test_test_rows_of_one_value_leave_nothing_to_rank(self):
        split = np.arange(len(V)), np.flatnonzero(B == 1)
        score = dm.score(
            code(A, B), V[:, 1:], metrics=[dm.Metric("explicitness", split=split)], anchors=False
        )["explicitness"]
        assert score.reason == "the test rows have one value of each factor"
        both = dm.explicitness(code(A, B), V, split=split)
        assert math.isnan(both.per_factor.iloc[1])
        assert both.value == pytest.approx(1)
        left_out = "explicitness leaves out factor_1, of which all test rows have one value"
        assert any(text.startswith(left_out) for text in both.warnings)

    def test_one_value_in_training_is_chance(self):
        split = np.flatnonzero(B == 0), np.arange(len(V))
        assert dm.explicitness(code(A, B), V[:, 1:], split=split).value == 0

    def test_continuous_factors_are_left_out(self):
        mixed = np.column_stack([V[:, 0], NOISE[:, 0]])
        with pytest.warns(dm.ScoreWarning, match="explicitness leaves out factor_1, which is continuous"):
            score = dm.explicitness(code(A, B), mixed, factor_types=["categorical", "continuous"])
        assert score.value == pytest.approx(1)
        alone = dm.score(code(A, B), NOISE[:, :1], metrics="explicitness", anchors=False)["explicitness"]
        assert "every factor is continuous" in alone.reason

    def test_balanced_weights_and_the_penalty_change_the_classifier(self):
        rare = np.arange(len(V)) % 10 == 0
        factors = np.where(rare, 0, np.where(A > 2, 1, 2))[:, None]
        latents = code(rare + 0.8 * NOISE[:, 0], A + NOISE[:, 1])
        plain = dm.explicitness(latents, factors, decision="one_vs_rest", split=None)
        balanced = dm.explicitness(
            latents, factors, decision="one_vs_rest", split=None, class_weight="balanced"
        )
        penalised = dm.explicitness(latents, factors, decision="one_vs_rest", split=None, C=1e-4)
        assert len({plain.value, balanced.value, penalised.value}) == 3

    def test_weights_are_of_values_where_a_resample_with_gaps_lacks_one(self):
        rng = np.random.default_rng(8)
        codes = rng.integers(4, size=300)
        latents = rng.normal(size=(300, 2)) + np.array([[0, 0], [1, 0], [0, 1], [1.5, 1]])[codes]
        gaps = np.where(np.arange(300) % 7 == 0, np.nan, codes % 2)
        factors = {"name": np.array(["lacking", "one", "three", "two"])[codes], "other": gaps}
        rows = np.flatnonzero(codes > 0)
        whole = relate(check(latents, factors, missing="drop"))
        resample = relate(whole.inputs.rows(rows), edges_of=whole)
        weights = {"two": 50, "three": 0.02}
        held = {name: column[rows] for name, column in factors.items()}
        alone = dm.explicitness(latents[rows], held, missing="drop", class_weight=weights)
        plain = dm.explicitness(latents[rows], held, missing="drop")
        found = METRICS.load("explicitness").compute(resample, class_weight=weights)
        assert found.per_factor.tolist() == alone.per_factor.tolist()
        assert abs(alone.value - plain.value) > 1e-3

    @pytest.mark.parametrize("decision", ["multinomial", "one_vs_rest", "separate"])
    @pytest.mark.parametrize(("names", "key"), [([1, 2, 3], 1), (["low", "mid", "top"], "top")])
    def test_weights_are_of_values_as_in_scikit_learn(self, decision, names, key):
        # A row of weight 40 is forty rows: the classifier that scikit-learn fits on so many.
        rng = np.random.default_rng(8)
        codes = rng.choice(3, size=150, p=[0.6, 0.3, 0.1])
        labels, latents = np.array(names)[codes], codes[:, None] + rng.normal(size=(150, 2))
        times = np.repeat(np.arange(150), np.where(labels == key, 40, 1))
        classes = np.unique(labels)
        if decision == "multinomial":
            chances = LogisticRegression(C=0.01, tol=1e-8, max_iter=10_000)
            chances = chances.fit(latents[times], labels[times]).predict_proba(latents)
        else:
            columns = [
                LogisticRegression(C=0.01, tol=1e-8, max_iter=10_000)
                .fit(latents[times], labels[times] == one)
                .predict_proba(latents)[:, 1]
                for one in classes
            ]
            chances = np.column_stack(columns)
            chances = chances / chances.sum(1, keepdims=True) if decision == "one_vs_rest" else chances
        areas = [roc_auc_score(labels == one, chances[:, place]) for place, one in enumerate(classes)]
        settings = {"decision": decision, "split": None, "C": 0.01, "scaling": "none", "rescale": False}
        plain = dm.explicitness(latents, labels[:, None], **settings)
        score = dm.explicitness(latents, labels[:, None], **settings, class_weight={key: 40})
        assert score.value == pytest.approx(np.mean(areas), abs=1e-5)
        assert abs(score.value - plain.value) > 1e-4
        assert f"|class_weight:{{{key!r}: 40.0}}|" in score.signature

    @pytest.mark.parametrize(
        ("names", "alike", "text"),
        [
            (
                [1, 2, 3],
                [{1: 9, 2: 3}, {2: 3.0, 1: 9.0}, {np.int64(1): 9, 2.0: np.float32(3)}],
                "{1: 9.0, 2: 3.0}",
            ),
            (["a|b", "a/b", "a  b"], [{"a|b": 9}, {np.str_("a|b"): 9.0}], r"{'a\x7cb': 9.0}"),
            (["a|b", "a/b", "a  b"], [{"a/b": 9}], "{'a/b': 9.0}"),
            (["a|b", "a/b", "a  b"], [{"a  b": 9}], "{'a  b': 9.0}"),
        ],
    )
    def test_weights_that_are_equal_have_one_signature_that_brings_them_back(self, names, alike, text):
        rng = np.random.default_rng(8)
        codes = rng.choice(3, size=150)
        labels, latents = np.array(names)[codes][:, None], codes[:, None] + rng.normal(size=(150, 2))
        scores = [dm.explicitness(latents, labels, class_weight=weights) for weights in alike]
        again = dm.score(latents, labels, metrics=scores[0].signature, anchors=False)["explicitness"]
        for score in (*scores, again):
            assert f"|class_weight:{text}|" in score.signature
            assert (score.value, score.signature) == (scores[0].value, scores[0].signature)

    def test_a_weight_of_no_value_and_a_weight_that_is_none_are_refused(self):
        for weights, message in [
            ({7: 2}, "`class_weight` has the value 7, which no factor of categories has"),
            ({1: "much"}, "`class_weight` of 1 must be a number of at least 0, got 'much'"),
        ]:
            with pytest.raises(dm.InputError, match=message):
                dm.explicitness(code(A, B), V, class_weight=weights)

    def test_each_factor_takes_the_weights_of_its_own_values(self):
        latents = code(A + NOISE[:, 0], B + NOISE[:, 1])
        score = dm.explicitness(latents, V, class_weight={3: 50})  # B has no value 3
        assert score.per_factor.iloc[1] == dm.explicitness(latents, V).per_factor.iloc[1]

    def test_latents_of_unlike_scale(self):
        unlike = code(1e-6 * A, 1e6 * B)
        assert dm.explicitness(unlike, V).value == pytest.approx(1)
        assert dm.explicitness(unlike, V, scaling="minmax").value > 0.9
        assert dm.explicitness(unlike, V, scaling="none").value < 0.9


class TestDciOfTheReview:
    def test_by_hand_from_two_weights(self):
        # A Lasso with the smallest penalty: nearly the least-squares weights of [0, 1] data.
        report = dm.dci(code(A, B), V, protocol="carbonneau2022")
        table = report["dci_completeness"].details["importances"].to_numpy()
        assert_allclose(table, np.eye(2), atol=2e-3)
        assert report["dci_informativeness"].value == pytest.approx(1, abs=1e-4)

    def test_raw_weights_let_a_weak_factor_weigh_less(self):
        weak = code(A, B + 3 * NOISE[:, 0])
        raw = dm.dci(weak, V, probe="lasso", alpha=0.01, importances="raw")
        table = raw["dci_completeness"].details["importances"].to_numpy()
        assert not np.allclose(table.sum(axis=0), 1)
        mass = table.sum(axis=1)
        score = raw["dci_disentanglement"]
        assert score.value == pytest.approx(float(score.per_latent @ mass / mass.sum()))
        shares = dm.dci(weak, V, probe="lasso", alpha=0.01)["dci_completeness"].details["importances"]
        assert_allclose(shares, table / table.sum(axis=0))

    def test_guessing_the_mean_has_quality_zero(self):
        report = dm.dci(NOISE, V, probe="review_lasso", split=None)
        assert 0 <= report["dci_informativeness"].value < 0.1

    def test_all_rows_without_a_cap(self):
        # Fifteen thousand rows by default; None takes all 24,000.
        many = np.tile(V, (100, 1))
        from disentangle_metrics.inputs.inputs import check
        from disentangle_metrics.relations.relations import Relations

        relations = Relations(check(many.astype(float), many))
        assert [len(relations.split(None, cap)[0]) for cap in (15_000, None)] == [15_000, 24_000]
