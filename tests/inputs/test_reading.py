"""How columns are read where nobody says what they are."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.inputs.declared import Declared
from disentangle_metrics.inputs.factor import read_factor

RNG = np.random.default_rng(0)
N = 3_000


def whole(values: int, low: int = 0, step: int = 1) -> np.ndarray:
    return low + step * np.concatenate([np.arange(values), RNG.integers(values, size=N - values)])


@pytest.mark.parametrize(
    ("column", "kind", "words"),
    [
        (whole(2), "categorical", "2 whole numbers, read as categories"),
        (whole(40), "categorical", "40 whole numbers, read as categories"),
        (whole(41), "categorical", "41 whole numbers, read as categories"),
        (whole(64), "categorical", "64 whole numbers, read as categories"),
        (whole(88, low=21), "continuous", "88 whole numbers, read as continuous"),
        (whole(88, low=21).astype(float), "continuous", "88 whole numbers, read as continuous"),
        (whole(121, low=60), "continuous", "121 whole numbers, read as continuous"),
        (whole(300, low=-500, step=5), "continuous", "300 whole numbers, read as continuous"),
        (RNG.permutation(100_000)[:100][RNG.integers(100, size=N)], "categorical", "read as categories"),
        (RNG.geometric(0.02, size=N), "continuous", "whole numbers, read as continuous"),
        (np.arange(N), "continuous", "3,000 whole numbers, read as continuous"),
        (whole(6) / 10 + 0.5, "categorical", "6 numbers, read as categories"),
        (whole(41) / 10, "continuous", "41 numbers, read as continuous"),
        (RNG.normal(size=N), "continuous", "3,000 numbers, read as continuous"),
        (RNG.random(N) < 0.5, "categorical", "2 labels, read as categories"),
        (np.array(["a", "b"])[whole(2)], "categorical", "2 labels, read as categories"),
    ],
)
def test_the_rule(column: np.ndarray, kind: str, words: str) -> None:
    factor = read_factor(column, "x")
    assert factor.kind == kind
    assert str(factor.reading).endswith(words)


def test_the_scale_of_numbers_does_not_matter() -> None:
    """A grid is a grid in whole numbers, in tenths and in thousands; so is a measurement."""
    for values, kind in ((12, "categorical"), (100, "continuous")):
        for scale in (1, 0.1, 1_000):
            assert read_factor(whole(values) * scale, "x").kind == kind


def test_few_rows_of_a_measurement_are_no_categories() -> None:
    assert read_factor(np.array([3, 17, 5, 9, 12, 28, 4, 6]), "age").kind == "continuous"
    assert read_factor(np.linspace(0, 1, 30), "x").kind == "continuous"


def test_published_protocols_take_every_whole_number_for_a_category() -> None:
    pitch = whole(88)
    assert read_factor(pitch, "pitch", rule="whole_numbers").kind == "categorical"
    assert read_factor(whole(6) / 10, "scale", rule="whole_numbers").kind == "continuous"
    code = pitch[:, None] + 0.01 * RNG.normal(size=(N, 1))
    report = dm.score(code, pitch[:, None], metrics="irs", protocol="locatello2019", anchors=False)
    assert "kinds:c" in report["irs"].signature


def test_an_ordinal_factor_of_many_values_is_read_by_its_ranks() -> None:
    levels = np.array([0, 1, 10, 100, 1_000])
    few = read_factor(levels[whole(5)], "x", Declared("ordinal"))
    assert few.codes is not None
    squares = whole(60) ** 2
    many = read_factor(squares, "x", Declared("ordinal"))
    assert many.values is not None
    assert np.array_equal(many.values, np.sqrt(squares))


@pytest.mark.parametrize("words", ["texts", "objects", "categories"])
def test_texts_without_an_order_are_not_ordinal(words: str) -> None:
    sizes = np.array(["low", "medium", "high"])[whole(3)]
    column = {
        "texts": sizes,
        "objects": sizes.astype(object),
        "categories": pd.Series(sizes, dtype="category"),
    }[words]
    with pytest.raises(dm.InputError, match="'size' have no order.* pass an ordered categorical, or numbers"):
        read_factor(column, "size", Declared("ordinal"))
    order = pd.CategoricalDtype(["low", "medium", "high"], ordered=True)
    factor = read_factor(pd.Series(sizes, dtype=order), "size", Declared("ordinal"))
    assert factor.levels == ("low", "medium", "high")


class TestOrderedNumbers:
    """Ordered categories of numbers: the numbers where they ascend in that order, else their places."""

    codes = whole(5)

    def ordered(self, levels: list[int]) -> pd.Series:
        return pd.Series(pd.Categorical.from_codes(self.codes, levels, ordered=True))

    def test_the_order_counts_where_numbers_contradict_it(self) -> None:
        factor = read_factor(self.ordered([1, 3, 0, 2, 4]), "x")
        assert factor.levels == (1, 3, 0, 2, 4)
        assert np.array_equal(factor.given_numbers(), self.codes)
        assert np.array_equal(factor.merged_levels(3)[0], [0, 0, 1, 2, 2])

    def test_numbers_in_order_stay(self) -> None:
        factor = read_factor(self.ordered([1, 2, 4, 8, 16]), "x")
        assert np.array_equal(factor.given_numbers(), 2.0**self.codes)

    def test_fewer_rows_have_the_same_order(self) -> None:
        factor = read_factor(self.ordered([1, 3, 0, 2, 4]), "x")
        rows = np.flatnonzero(self.codes != 1)  # of 1, 0, 2, 4
        assert np.array_equal(factor.kept(rows).given_numbers(), np.array([0, 9, 1, 2, 3])[self.codes[rows]])

    @pytest.mark.parametrize("count", [5, 60])
    def test_categories_without_an_order_are_ordinal_by_their_numbers(self, count: int) -> None:
        codes = whole(count)
        listed = list(range(count - 1, -1, -1))
        column = pd.Series(pd.Categorical(codes, categories=listed))
        factor = read_factor(column, "x", Declared("ordinal"))
        assert np.array_equal(factor.given_numbers(), codes)


def test_steps_of_half_precision_are_no_rounding() -> None:
    """At 300 a float16 has quarters: all gaps are one unit in the last place, and all values differ."""
    eight = read_factor((300 + np.arange(N) % 8 / 4).astype(np.float16), "x")
    assert eight.levels == (300.0, 300.25, 300.5, 300.75, 301.0, 301.25, 301.5, 301.75)
    assert str(eight.reading) == "8 numbers, read as categories"


def test_whole_number_measurements_score_as_measurements() -> None:
    """A nearly noise-free code of pitch and tempo: as categories DCI-D was 0.117 and SAP 0.004."""
    factors = pd.DataFrame({"pitch": RNG.integers(21, 109, 2_000), "tempo": RNG.integers(60, 181, 2_000)})
    code = (factors - factors.mean()) / factors.std() + 0.01 * RNG.normal(size=(2_000, 2))
    for types in (None, "ordinal"):
        report = dm.score(code, factors, metrics=["dci", "sap"], factor_types=types, anchors=False)
        assert report["dci_disentanglement"].value > 0.9
        assert report["sap"].value > 0.95
    report = dm.score(code, factors, metrics=["mig"], anchors=False)
    assert report.readings["pitch"] == "88 whole numbers, read as continuous"
    assert "|kinds:rr|" in report["mig"].signature


class TestCircular:
    """Angles: 359 degrees lie next to 1."""

    angles = RNG.uniform(0, 2 * math.pi, N)

    @pytest.mark.parametrize(("text", "period"), [("circular", 2 * math.pi), ("circular:360", 360.0)])
    def test_a_period_is_inferred_or_given(self, text: str, period: float) -> None:
        declared = Declared.parse(text, "factor_types", "x")
        factor = read_factor(self.angles, "x", declared)
        assert factor.period == pytest.approx(period)
        assert str(factor.reading).endswith(f"period {period:g}, declared circular")

    def test_a_grid_of_a_whole_turn_says_its_period(self) -> None:
        factor = read_factor(15 * whole(24), "hue", Declared("circular"))
        assert factor.period == 360
        assert len(factor.levels) == 24
        assert len(read_factor(30 * whole(24), "hue", Declared("circular", 360)).levels) == 12

    @pytest.mark.parametrize("turn", [360.0, 2 * math.pi])
    @pytest.mark.parametrize("steps", [8, 24, 49])
    def test_a_grid_that_holds_both_ends_of_a_turn_has_that_turn(self, turn: float, steps: int) -> None:
        for grid in (np.linspace(0, turn, steps + 1), np.arange(steps + 1) * (turn / steps)):
            for column in (grid, grid - turn / 2, grid.astype(np.float32)):
                factor = read_factor(np.tile(column, 20), "x", Declared("circular"))
                assert factor.period == turn
                if factor.codes is not None:  # both ends are one angle
                    assert len(factor.levels) == steps

    def test_a_perfect_circle_of_a_grid_with_both_ends_has_no_error(self) -> None:
        degrees = np.repeat(np.linspace(0, 360, 9), 20)
        circle = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)
        found = dm.score(circle, degrees[:, None], factor_types="circular", metrics="d_lsbd", anchors=False)
        assert found["d_lsbd"].value == pytest.approx(0, abs=1e-12)

    def test_a_period_that_cannot_be_told_is_asked_for(self) -> None:
        with pytest.raises(dm.InputError, match=r"cannot be told.*circular:360"):
            read_factor(RNG.normal(size=N), "x", Declared("circular"))
        with pytest.raises(dm.InputError, match="a period must be a number above 0, got 'much'"):
            Declared.parse("circular:much", "factor_types", "x")

    def test_a_code_that_is_cut_elsewhere_is_the_same_code(self) -> None:
        cut = ((self.angles + 2) % (2 * math.pi))[:, None]
        linear = dm.mcc(cut, self.angles[:, None])
        around = dm.mcc(cut, self.angles[:, None], factor_types="circular", latent_types="circular")
        assert linear.value < 0.5
        assert around.value == pytest.approx(1, abs=1e-6)
        assert "|kinds:p|" in around.signature
        assert "latent_kinds:p" in around.signature

    def test_cosine_and_sine_tell_an_angle_to_probes(self) -> None:
        code = np.stack([np.cos(self.angles), np.sin(self.angles)], axis=1)
        for types, known in (("continuous", False), ("circular", True)):
            score = dm.score(
                code, self.angles[:, None], metrics="info_explicitness", factor_types=types, anchors=False
            )["info_explicitness"]
            assert (score.value > 0.99) == known


def test_codes_of_vector_quantisation_are_counted_and_not_cut() -> None:
    factors = RNG.integers(4, size=(N, 2))
    names = RNG.permutation(64)
    code = names[factors * 16 + RNG.integers(16, size=(N, 2))]
    assert dm.mig(code, factors).value < 0.5
    declared = dm.mig(code, factors, latent_types="categorical")
    # I(z; v) is H(v): the code of 64 names tells its factor, and the other's information is bias alone.
    assert declared.value > 0.97
    compact = dm.score(code, factors, metrics="info_compactness", latent_types="categorical", anchors=False)
    assert compact["info_compactness"].value > 0.9


def spaced(start: int, gaps: list[int]) -> np.ndarray:
    return np.resize(start + np.concatenate([[0], np.cumsum(gaps)]), N)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (np.resize(np.arange(30) / 10, 300), "categorical"),  # ten rows for each number with decimals
        (np.resize(np.arange(30) / 10, 299), "continuous"),
        (np.resize(np.arange(20), 40), "categorical"),  # half as many whole numbers as rows
        (np.resize(np.arange(21), 40), "continuous"),
        (spaced(1_000, [1] * 50 + [3] * 49), "continuous"),  # most lie one step from the next
        (spaced(1_000, [1] * 49 + [3] * 50), "categorical"),
        (spaced(0, [1, 3] * 25 + [8] * 50), "continuous"),  # four times as close together below
        (spaced(0, [1, 3] * 25 + [7] * 50), "categorical"),
        (spaced(50, [1, 3] * 25 + [8] * 50), "continuous"),  # from a tenth of the largest on
        (spaced(60, [1, 3] * 25 + [8] * 50), "categorical"),
    ],
)
def test_the_rule_at_its_bounds(column: np.ndarray, kind: str) -> None:
    assert read_factor(column, "x").kind == kind


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_a_circle_with_holes_is_the_circle_of_its_rows() -> None:
    rng = np.random.default_rng(0)
    hue = 15.0 * rng.integers(24, size=600)
    holes = rng.random(600) < 0.2
    types = {"factor_types": "circular:360", "latent_types": "circular:360"}
    code = ((hue + 100) % 360)[:, None]
    found = dm.mcc(code, np.where(holes, np.nan, hue)[:, None], missing="drop", **types)
    assert found.value == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", ["continuous", "ordinal", "circular:7"])
@pytest.mark.parametrize("texts", [np.str_, np.bytes_, object])
def test_numbers_written_as_text_are_read_as_numbers_where_the_kind_says_so(kind, texts):
    declared = Declared.parse(kind, "factor_types", "a")
    numbers = RNG.integers(0, 28, size=200) / 4
    written = np.array([str(number) for number in numbers]).astype(texts)
    found, plain = (read_factor(column, "a", declared) for column in (written, numbers))
    np.testing.assert_array_equal(found.as_numbers(), plain.as_numbers())
    assert (found.kind, found.period) == (plain.kind, plain.period)
    for odd in ("x", "nan", "inf", "1_000"):
        with pytest.raises(dm.InputError, match="pass its values as numbers|cannot be ordinal"):
            read_factor(np.array([odd, *written.astype(str)[1:]]), "a", declared)


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
@pytest.mark.parametrize("decimals", [1, 6])  # of the rows many share a text, or none does
def test_the_advice_on_numbers_written_as_text_gives_their_scores(decimals):
    latents = RNG.normal(size=(400, 2)).round(decimals)
    numbers = pd.DataFrame({"a": latents[:, 0], "b": RNG.integers(3, size=400)})
    written = numbers.astype({"a": str})
    found = dm.score(latents, written, metrics="mig", anchors=False).checks()
    (remedy,) = (check.remedy for check in found if check.code in ("identifier", "many_categories"))
    assert "if it is a measurement, " in remedy
    declared = {"factor_types": {"a": "continuous"}}
    assert "factor_types={'a': \"continuous\"}" in remedy
    scores = [
        dm.score(latents, table, metrics="mig", **declared)["mig"].value for table in (written, numbers)
    ]
    assert scores[0] == scores[1]
