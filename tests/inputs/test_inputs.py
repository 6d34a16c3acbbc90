"""The door: what is accepted, what it becomes, and what each refusal says."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

import disentangle_metrics as dm
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.scoring.anchors import ideal

Z = np.random.default_rng(0).normal(size=(30, 2))
V = np.random.default_rng(1).integers(3, size=(30, 2))


def factor(column, **options):
    return check(
        Z, np.asarray(column)[:, None] if not hasattr(column, "to_frame") else column.to_frame(), **options
    ).factors[0]


def test_single_precision_is_kept_and_integers_become_doubles():
    assert check(Z.astype(np.float32), V).latents.dtype == np.float32
    assert check(V, V).latents.dtype == np.float64
    assert check(Z.astype(np.float16), V).latents.dtype == np.float32


@pytest.mark.parametrize(
    ("column", "levels"),
    [
        ([-1, 5, 5], (-1, 5)),
        ([True, False, True], (False, True)),
        (["b", "a", "b"], ("a", "b")),
        ([1.0, 3.0, 1.0], (1, 3)),
    ],
)
def test_categories_of_every_kind_are_coded_by_rank(column, levels):
    found = factor(column * 10)
    assert found.kind == "categorical"
    assert found.levels == levels
    assert_array_equal(np.array(found.levels)[found.codes], column * 10)


def test_floats_with_a_fraction_are_continuous():
    found = factor(np.linspace(0, 1, 30))
    assert found.kind == "continuous"
    assert_array_equal(found.as_numbers(), np.linspace(0, 1, 30))


def test_numbers_keep_their_value_and_other_labels_their_code():
    assert factor([10, 30, 20] * 10).as_numbers()[:3].tolist() == [10, 30, 20]
    assert factor(["x", "z", "y"] * 10).as_numbers()[:3].tolist() == [0, 2, 1]


def test_pandas_frames_give_names_and_mixed_kinds():
    frame = pd.DataFrame(
        {
            "shape": pd.Categorical(
                ["heart", "square", "heart"] * 10, categories=["square", "heart", "unused"]
            ),
            "size": pd.Categorical(["s", "l", "m"] * 10, categories=["s", "m", "l"], ordered=True),
            "angle": np.linspace(0, 1, 30),
            "on": [True, False, False] * 10,
            "count": pd.array([1, 2, 3] * 10, dtype="Int64"),
            "word": ["a", "b", "a"] * 10,
        }
    )
    inputs = check(pd.DataFrame(Z, columns=["a", "b"]), frame)
    assert inputs.latent_names == ("a", "b")
    assert inputs.factor_names == tuple(frame.columns)
    kinds = [f.kind for f in inputs.factors]
    assert kinds == ["categorical", "ordinal", "continuous", "categorical", "categorical", "categorical"]
    assert inputs.factors[0].levels == ("square", "heart")
    assert inputs.factors[1].as_numbers()[:3].tolist() == [0, 2, 1]
    assert inputs.factors[4].levels == (1, 2, 3)


def test_polars_frames_and_lists_are_taken():
    frame = pl.DataFrame({"v": ["a", "b", "c"] * 10, "w": list(range(30))})
    inputs = check(pl.DataFrame(Z), frame)
    assert inputs.factor_names == ("v", "w")
    assert inputs.factors[0].levels == ("a", "b", "c")
    assert_array_equal(check(Z.tolist(), V.tolist()).latents, Z)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        (V[:, 0], "factor_0"),
        (V[:, 0].tolist(), "factor_0"),
        ([str(value) for value in V[:, 0]], "factor_0"),
        (np.ma.array(V[:, 0]), "factor_0"),
        (pd.Series(V[:, 0]), "factor_0"),
        (pd.Series(V[:, 0], name="shape"), "shape"),
        (pl.Series("shape", V[:, 0]), "shape"),
        (pl.Series(V[:, 0]), "factor_0"),
    ],
)
def test_one_column_is_one_factor(column, name):
    (factor,) = check(Z, column).factors
    assert factor.name == name
    assert_array_equal(factor.codes, check(Z, V[:, :1]).factors[0].codes)


def test_one_column_keeps_its_order_its_row_labels_and_what_it_lacks():
    sizes = pd.Categorical(["s", "l", "m"] * 10, categories=["s", "m", "l"], ordered=True)
    assert check(Z, sizes).factors[0].kind == "ordinal"
    assert check(Z, [None, *V[1:, 0].tolist()], missing="drop").factors[0].levels == (0, 1, 2)
    labels = [f"cell{i}" for i in range(30)]
    shuffled = pd.Series(V[:, 0], index=labels, name="shape").iloc[::-1]
    assert_array_equal(check(pd.DataFrame(Z, index=labels), shuffled).factors[0].codes, V[:, 0])


def test_torch_tensors_with_a_gradient_are_taken():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(Z, requires_grad=True)
    assert_array_equal(check(tensor, torch.tensor(V)).latents, Z)
    assert check(torch.tensor(Z).to(torch.bfloat16), V).latents.dtype == np.float32


def test_objects_that_speak_dlpack_only_are_taken():
    class Foreign:
        def __dlpack__(self, **options):
            return Z.__dlpack__()

        def __dlpack_device__(self):
            return Z.__dlpack_device__()

    assert_array_equal(check(Foreign(), V).latents, Z)


@pytest.mark.parametrize(
    ("latents", "factors", "options", "message"),
    [
        (Z[:, 0], V, {}, r"`latents` must have shape \(N, D\), got \(30,\); for one latent pass `latents\[:, None\]`"),
        (Z, np.array([*V, None], dtype=object)[:-1], {}, r"`factors` must have shape \(N, K\), got \(30,\); for arrays in its cells pass numpy.stack"),
        (Z, [{"a": 1}] * 30, {}, r"a list of dictionaries; pass `pandas.DataFrame\(factors\)`"),
        (None, V, {}, r"`latents` must have shape \(N, D\), got None"),
        ({"z": Z[:, 0]}, V, {}, r"got a dict; for named columns pass pandas.DataFrame"),
        (Z, V[:-1], {}, "`factors` has 29 rows but `latents` has 30; row i of both must describe the same sample$"),
        (Z.T, V, {}, r"looks transposed: pass `latents\.T`"),
        (Z, V.T, {}, r"looks transposed: pass `factors\.T`"),
        (Z, list(V.T), {}, r"looks transposed: pass `numpy\.transpose\(factors\)`"),
        (Z.T, V[:, [0, 1, 1]].T, {}, r"both look transposed: pass `latents\.T` and `factors\.T`"),
        (Z[:0], V[:0], {}, r"`latents` is empty: shape \(0, 2\)"),
        (Z, np.empty((0, 2)), {}, r"`factors` is empty: shape \(0, 2\)"),
        (np.where(np.arange(60).reshape(30, 2) == 9, np.nan, Z), V, {}, "found nan in row 4, column 1: pass `missing=.drop.`"),
        (np.where(np.arange(60).reshape(30, 2) == 9, 1e200, Z), V, {}, "row 4, column 1: rescale the latents"),
        (Z.astype(complex), V, {}, "`latents` must be real numbers, got dtype complex128"),
        (Z.astype(str), V, {}, "`latents` must be real numbers, got dtype <U"),
        (Z, np.where(np.arange(60).reshape(30, 2) == 9, np.nan, V), {}, "factor 'factor_1' has a missing or infinite value in row 4"),
        (Z, V, {"factor_names": ["a"]}, "`factor_names` has 1 names for 2 columns: a"),
        (Z, V, {"factor_names": ["a", "a"]}, "`factor_names` must be distinct, got 'a' more than once"),
        (Z, V, {"factor_names": "ab"}, "must be a list of names, got the single string 'ab'"),
        (Z, V, {"latent_names": ["a"]}, "`latent_names` has 1 names for 2 columns"),
        (Z, V, {"factor_types": ["categorical"]}, "`factor_types` has 1 entries for 2 columns"),
        (Z, V, {"factor_types": ["ordinal", "cat"]}, "of 'factor_1' must be one of categorical, ordinal, continuous, circular or circular:PERIOD, got 'cat'"),
        (Z, V, {"factor_types": {"shape": "ordinal"}}, "`factor_types` names 'shape', which is none of factor_0, factor_1"),
        (Z, pd.DataFrame(V), {"factor_types": {0: "ordinal"}}, "`factor_types` names 0: names are texts, so pass '0'"),
        (Z, pd.DataFrame(V), {"hierarchy": {1: (0, 1)}}, "`hierarchy` names 1: names are texts, so pass '1'"),
        (Z, np.full_like(V, "a", "U1"), {"factor_types": ["continuous"] * 2}, "holds strings and cannot be continuous; pass its"),
        (GaussianPosterior(Z, Z[:-1]), V, {}, r"`latents.mean` has shape \(30, 2\) but `latents.logvar` \(29, 2\)"),
        (Z, pd.DataFrame({"a": ["x", 1] * 15}), {}, "factor 'a' mixes strings with 1"),
        (Z, pd.DataFrame({"a": ["x", None] * 15}), {}, "factor 'a' has a missing or infinite value in row 1 .15 in all"),
        (Z, pd.DataFrame({"a": pd.Categorical(["x", None] * 15)}), {}, "missing or infinite value in row 1"),
        (Z, pd.DataFrame({"a": pd.date_range("2026", periods=30)}), {}, "factor 'a' has dtype datetime64.*; pass a number, such as days since"),
        (Z, pd.DataFrame({"a": [datetime.date(2026, 1, 1)] * 30}), {}, r"factor 'a' holds datetime.date\(2026, 1, 1\), .*; pass a number, such as"),
        (Z, pd.DataFrame({"a": [1, (2, 3), "b"] * 10}), {}, r"factor 'a' holds \(2, 3\), which is no number, string or boolean; make all its values"),
    ],
)  # fmt: skip
def test_refusals_say_what_where_and_how_to_mend(latents, factors, options, message):
    with pytest.raises(dm.InputError, match=message):
        check(latents, factors, **options)


def test_a_factor_with_many_categories_is_taken_with_a_warning():
    latents, labels = np.zeros((300, 1)) + np.arange(300)[:, None], [f"{i % 60}" for i in range(300)]
    warning = next(
        text for text in check(latents, pd.DataFrame({"a": labels})).warnings if "categories" in text
    )
    assert "60 categories in 300 rows" in warning
    assert "merge its labels" in warning


def test_kinds_can_be_given_by_name():
    inputs = check(Z, V, factor_types={"factor_1": "ordinal"})
    assert [f.kind for f in inputs.factors] == ["categorical", "ordinal"]
    assert check(Z, V, factor_types=["continuous", "ordinal"]).factors[0].values is not None


def test_the_ideal_code_is_the_factors():
    perfect = ideal(check(Z, np.column_stack([V[:, 0] * 10, np.linspace(0, 1, 30)])))
    assert perfect.latents[:, 0].tolist() == V[:, 0].tolist()
    assert_array_equal(perfect.latents[:, 1], np.linspace(0, 1, 30))


@pytest.mark.parametrize(
    ("column", "levels", "text"),
    [
        (np.tile([0.3, 0.1 + 0.2], 50), 1, "1 number up to rounding"),
        (np.tile([0.0, 0.1, 0.3, 0.1 + 0.2], 25), 3, "3 numbers up to rounding"),
        (np.tile(np.float32([0.1, 0.2, 0.3, np.float32(0.1) + np.float32(0.2)]), 25), 3, "3 numbers"),
        (np.tile([1.0, 1.0 + 1e-9], 50), 2, "2 numbers"),
        (np.tile([1e-300, 2e-300, 2e-300 * (1 + 3e-16)], 34), 2, "2 numbers up to rounding"),
    ],
)
def test_values_that_differ_by_rounding_alone_are_one(column, levels, text):
    (factor,) = check(np.zeros((len(column), 1)), column[:, None]).factors
    assert len(factor.levels) == levels
    assert factor.reading.text.startswith(text)
    assert factor.varies == (levels > 1)


def test_close_values_of_a_measurement_stay_apart():
    steps = 1.0 + np.arange(200) * 2 * np.finfo(float).eps
    far = np.concatenate([steps, [2.0]])
    (factor,) = check(np.zeros((201, 1)), far[:, None]).factors
    assert len(np.unique(factor.values)) == 201


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_whole_numbers_in_any_precision_are_read_without_a_warning(dtype):
    with np.errstate(all="raise"):
        (factor,) = check(np.zeros((60, 1)), np.tile([0, 1, 2], 20)[:, None].astype(dtype)).factors
    assert factor.levels == (0, 1, 2)


@pytest.mark.parametrize("power", [53, 62, 63, 64, 200, 2_000])
def test_labels_of_any_size_stay_apart(power):
    labels = [2**power + step for step in (0, 1, 2)] * 20
    (factor,) = check(np.zeros((60, 1)), [[label] for label in labels]).factors
    assert factor.levels == tuple(2**power + step for step in (0, 1, 2))
    assert factor.level_numbers().tolist() == [0, 1, 2]
    measured = [[step * 2**power] for step in range(200)]
    (factor,) = check(np.zeros((200, 1)), measured).factors
    assert factor.kind == "continuous"
    assert np.corrcoef(factor.as_numbers(), np.arange(200))[0, 1] == pytest.approx(1)


def test_whole_numbers_beyond_floats_are_refused_beside_decimals():
    mixed = [[2**53 + 1], [0.5], [2**53]]
    with pytest.raises(dm.InputError, match=r"mixes whole numbers beyond 2\*\*53 with decimals"):
        check(np.zeros((3, 1)), mixed)


def test_latents_that_a_float_would_round_are_refused():
    codes = np.array([[2**53], [2**53 + 1]])
    with pytest.raises(dm.InputError, match="holds the whole number 9007199254740993, which a float"):
        check(codes, None)
    with pytest.raises(dm.InputError, match="holds the whole number 18446744073709551615"):
        check(np.array([[2**64 - 1], [1]], dtype=np.uint64), None)
    assert check(codes + np.array([[0], [1]]), None).latents.tolist() == [[2.0**53], [2.0**53 + 2]]


def test_a_factor_of_which_differences_overflow_is_refused():
    with pytest.raises(
        dm.InputError, match=r"factor 'factor_0' must be below 1e\+307 in size; found -1e\+308 in row 1"
    ):
        check(np.zeros((2, 1)), np.array([[1.0], [-1e308]]))


@pytest.mark.parametrize("kind", ["M8[s]", "m8[D]", "c16"])
def test_masked_dates_and_complex_numbers_are_refused_by_name(kind):
    table = np.ma.masked_array(np.zeros((9, 2), kind), mask=np.arange(18).reshape(9, 2) % 5 == 0)
    with pytest.raises(dm.InputError, match="`latents` must be real numbers, got dtype"):
        check(table, None)
    with pytest.raises(dm.InputError, match="factor 'factor_0' has dtype"):
        check(np.zeros((9, 1)), table, missing="drop")


def test_a_latent_that_varies_by_rounding_alone_says_so():
    latents = np.stack([1e16 + np.arange(60) % 3 * 2.0, np.arange(60.0)], axis=1)
    (found,) = [item for item in check(latents, None).checks if item.code == "rounded_latent"]
    assert found.about == "z_0"
    assert "subtract their mean before they become float64" in found.remedy


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": [2**60 + 1, 2**60]}, dtype="Int64"),
        pd.DataFrame({"a": [2**60 + 1, None]}, dtype="Int64"),
        [[2**60 + 1], [2**60]],
        np.array([[2**60 + 1], [0.5]], dtype=object),
    ],
)
def test_latents_that_a_float_would_round_are_refused_in_any_container(table):
    with pytest.raises(dm.InputError, match="`latents` holds the whole number 1152921504606846977"):
        check(table, None, missing="drop")


def test_latents_that_no_float_holds_are_refused():
    with pytest.raises(dm.InputError, match="`latents` holds a whole number beyond 1e308"):
        check([[10**400], [1]], None)
    with np.errstate(all="raise"), pytest.raises(dm.InputError, match="must be finite and below 1e"):
        check(np.array([[np.longdouble(1e300) ** 2]]), None)


@pytest.mark.parametrize("dtype", ["<f8", ">f8"])
def test_latents_too_large_to_be_squared_are_refused_in_any_byte_order(dtype):
    with pytest.raises(dm.InputError, match=r"below 1e\+150; found 1e\+151 in row 0, column 1"):
        check(np.array([[1.0, 1e151]], dtype=dtype), None)
