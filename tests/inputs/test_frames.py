"""Data frames of every library give the same latents and factors, and rows are matched by label."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check

N = 40
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, 2))
CODES = RNG.integers(0, 3, N)
WORDS = np.array(["mid", "small", "big"])[CODES].tolist()
ORDER = ["small", "mid", "big"]
RANKS = np.array([1, 0, 2])[CODES]


class ArrowOnly:
    """A table that nobody knows by name, with the Arrow interface alone."""

    def __init__(self, table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class InterchangeOnly:
    """A table with the data frame interchange protocol alone."""

    def __init__(self, table) -> None:
        self.table = table

    def __dataframe__(self, *arguments, **options):
        return self.table.__dataframe__(*arguments, **options)


FRAMES = {
    "pandas": lambda words: pd.DataFrame({"a": words}),
    "polars": lambda words: pl.DataFrame({"a": words}),
    "polars categorical": lambda words: pl.DataFrame({"a": pl.Series(words, dtype=pl.Categorical)}),
    "polars lazy": lambda words: pl.LazyFrame({"a": words}),
    "arrow stream of polars": lambda words: ArrowOnly(pl.DataFrame({"a": words})),
}


@pytest.mark.parametrize("library", FRAMES)
def test_words_are_the_same_factor_in_every_library(library):
    (factor,) = check(Z, FRAMES[library](WORDS)).factors
    assert factor.name == "a"
    assert factor.kind == "categorical"
    assert [factor.levels[code] for code in factor.codes] == WORDS


def test_ordered_categories_keep_their_order():
    frames = [
        pl.DataFrame({"a": pl.Series(WORDS, dtype=pl.Enum(ORDER))}),
        pd.DataFrame({"a": pd.Categorical(WORDS, categories=ORDER, ordered=True)}),
    ]
    for frame in frames:
        (factor,) = check(Z, frame).factors
        assert factor.kind == "ordinal"
        assert_array_equal(factor.as_numbers(), RANKS)


def test_rows_in_common_are_counted_where_one_frame_has_fewer():
    labels = [f"cell{i}" for i in range(len(Z))]
    latents, factors = pd.DataFrame(Z, index=labels), pd.Series(CODES, index=labels, name="shape")
    with pytest.raises(dm.InputError, match="20 row labels are in both: pass `latents.loc.rows.` and"):
        check(latents, factors[:20])
    rows = latents.index.intersection(factors[:20].index)
    assert check(latents.loc[rows], factors.loc[rows]).shape[0] == 20
    with pytest.raises(dm.InputError, match="must describe the same sample$"):
        check(pd.DataFrame(Z), factors[:20])


def test_pyarrow_tables():
    pa = pytest.importorskip("pyarrow")
    numbers = pa.array([None if i == 3 else 2**60 + int(c) for i, c in enumerate(CODES)])
    ordered = pa.DictionaryArray.from_arrays(pa.array(RANKS), pa.array(ORDER), ordered=True)
    table = pa.table({"word": WORDS, "size": ordered, "id": numbers})
    for given in (table, ArrowOnly(table), table.to_batches()[0]):
        word, size, number = check(Z, given, missing="drop").factors
        assert [word.levels[code] for code in word.codes] == WORDS
        assert_array_equal(size.as_numbers(), RANKS)
        assert size.kind == "ordinal"
        assert number.levels == (2**60, 2**60 + 1, 2**60 + 2)
        assert not number.present[3]
    columns = {"word": pa.array(WORDS), "size": ordered, "id": pa.chunked_array([numbers])}
    word, size, number = check(Z, columns, missing="drop").factors
    assert [word.levels[code] for code in word.codes] == WORDS
    assert size.kind == "ordinal"
    assert number.levels == (2**60, 2**60 + 1, 2**60 + 2)
    (alone,) = check(Z, columns["word"]).factors
    assert alone.name == "factor_0"
    assert [alone.levels[code] for code in alone.codes] == WORDS
    latents = check(pa.table({"z0": Z[:, 0], "z1": Z[:, 1]}), CODES[:, None])
    assert latents.latent_names == ("z0", "z1")
    assert_array_equal(latents.latents, Z)
    plain = pa.table({"a": RANKS})
    if hasattr(plain, "__dataframe__"):
        assert_array_equal(check(Z, InterchangeOnly(plain)).factors[0].as_numbers(), RANKS)


def test_xarray():
    xr = pytest.importorskip("xarray")
    array = xr.DataArray(Z, dims=("sample", "latent"), coords={"latent": ["a", "b"]})
    inputs = check(array, xr.Dataset({"word": ("sample", WORDS)}))
    assert inputs.latent_names == ("a", "b")
    assert_array_equal(inputs.latents, Z)
    assert inputs.factor_names == ("word",)


def test_integers_beside_missing_ones_keep_their_identity():
    frame = pl.DataFrame({"a": [2**62 + int(code) if i else None for i, code in enumerate(CODES)]})
    (factor,) = check(Z, frame, missing="drop").factors
    assert factor.levels == (2**62, 2**62 + 1, 2**62 + 2)


MASK = np.arange(N) % 4 == 0
MASKED = {
    "structured": lambda columns: np.ma.array(
        list(zip(*columns, strict=True)),
        mask=list(zip(MASK, MASK & False, strict=True)),
        dtype=[("a", columns[0].dtype), ("b", columns[1].dtype)],
    ),
    "dictionary": lambda columns: {"a": np.ma.array(columns[0], mask=MASK), "b": columns[1]},
    "rows": lambda columns: list(np.ma.array(columns, mask=[MASK, MASK & False]).T),
}


@pytest.mark.parametrize("form", MASKED)
@pytest.mark.parametrize(
    "values", [CODES, CODES + 2**62, CODES > 0, np.float32([0.1, 0.2, 0.3])[CODES], np.array(WORDS)]
)
def test_masked_cells_have_no_value_in_any_form(form, values):
    given = MASKED[form]((values, CODES.astype(values.dtype)))
    with pytest.raises(dm.InputError, match=r"has a missing or infinite value in row 0 \(10 in all\)"):
        check(Z, given)
    one, other = check(Z, given, missing="drop", factor_types="categorical").factors
    assert_array_equal(one.present, ~MASK)
    assert other.present is None
    assert [one.levels[code] for code in one.codes[~MASK]] == values[~MASK].tolist()


def test_masked_latents_have_no_value_in_any_form():
    for form in ("structured", "rows"):
        latents = MASKED[form]((Z[:, 0], Z[:, 1]))
        with pytest.raises(dm.InputError, match="found nan in row 0, column 0"):
            check(latents, CODES[:, None])


@pytest.mark.parametrize("shift", [2**31, 2**50, 2**56, 2**62, 2**63, 2**70, -(2**62)])
def test_huge_integers_are_counted_from_the_smallest(shift):
    labels = np.array([shift + int(code) for code in CODES], dtype=object)[:, None]
    (factor,) = check(Z, labels).factors
    assert_array_equal(factor.as_numbers(), CODES - CODES.min())
    assert factor.levels == tuple(shift + code for code in (0, 1, 2))
    (factor,) = check(Z, labels, factor_types="continuous").factors
    assert_array_equal(factor.as_numbers(), CODES - CODES.min())


def test_integers_too_far_apart_for_a_float_become_ranks():
    labels = np.array([-(2**62), 2**62, 2**62 + 1])[CODES][:, None]
    (factor,) = check(Z, labels).factors
    assert_array_equal(factor.as_numbers(), CODES)


def test_decimals_are_numbers():
    frame = pl.DataFrame({"a": pl.Series(CODES.tolist()).cast(pl.Decimal(10, 0))})
    (factor,) = check(Z, frame).factors
    assert factor.levels == (0, 1, 2)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pl.Series([[1.0, 2.0]] * N), r"column 'a' of `factors` holds lists; .*numpy\.stack"),
        (pl.Series([{"x": 1}] * N), "column 'a' of `factors` holds records"),
        (
            pl.Series(pd.date_range("2026", periods=N).to_list()),
            "column 'a' of `factors` holds dates or times",
        ),
        (pl.Series([b"x"] * N), "column 'a' of `factors` holds bytes"),
    ],
)
def test_columns_that_are_no_factor_are_refused_by_name(column, message):
    with pytest.raises(dm.InputError, match=message):
        check(Z, pl.DataFrame({"a": column}))


def test_a_column_of_words_among_latents_is_refused_by_name():
    for frame in (pd.DataFrame({"z": Z[:, 0], "a": WORDS}), pl.DataFrame({"z": Z[:, 0], "a": WORDS})):
        with pytest.raises(dm.InputError, match="column 'a' holds '(mid|small|big)'; leave the column out"):
            check(frame, CODES[:, None])


NAMES = [f"cell{i}" for i in range(N)]
F = pd.DataFrame({"a": CODES}, index=NAMES)


def test_the_same_labels_in_another_order_are_matched():
    latents = pd.DataFrame(Z, index=NAMES)
    shuffled = latents.iloc[RNG.permutation(N)]
    inputs = check(shuffled, F)
    assert_array_equal(inputs.factors[0].as_numbers(), F.loc[shuffled.index, "a"])
    assert [check.code for check in inputs.checks] == ["rows_matched", "few_rows"]
    posterior = dm.GaussianPosterior(shuffled, latents - 3)
    inputs = check(posterior, F)
    assert_array_equal(inputs.logvar, inputs.latents - 3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([f"x{i}" for i in range(N)], "40 of 40 labels of `latents`, such as 'x0', are not in `factors`"),
        ([*NAMES[1:], "other"], "1 of 40 labels of `latents`, such as 'other'"),
        ([NAMES[1], *NAMES[1:]], "'cell1' stands twice in `latents`"),
        (range(100, 100 + N), "disagree"),
    ],
)
def test_labels_that_disagree_are_refused(labels, message):
    with pytest.raises(dm.InputError, match=message):
        check(pd.DataFrame(Z, index=labels), F)


def test_a_frame_that_counts_its_rows_has_no_labels():
    assert [check.code for check in check(pd.DataFrame(Z), F).checks] == ["few_rows"]
    later = F.set_axis(range(400, 400 + N))
    assert [check.code for check in check(pd.DataFrame(Z), later).checks] == ["few_rows"]
    assert [check.code for check in check(pd.DataFrame(Z, index=range(400, 400 + N)), later).checks] == [
        "few_rows"
    ]


def test_by_label_or_by_place_is_asked_where_it_cannot_be_told():
    shuffled = F.reset_index(drop=True).sample(frac=1, random_state=0)
    with pytest.raises(
        dm.InputError, match=r"factors.sort_index\(\)` if labels do, or .*reset_index\(drop=True\)"
    ):
        check(pd.DataFrame(Z), shuffled)
    check(pd.DataFrame(Z), shuffled.sort_index())
    check(pd.DataFrame(Z), shuffled.reset_index(drop=True))


def test_text_that_never_comes_again_is_left_out():
    frame = pd.DataFrame({"file": [f"{i}.png" for i in range(N)], "a": CODES})
    inputs = check(Z, frame)
    assert inputs.factor_names == ("a",)
    assert (
        "factor 'file' has a different text in every row, such as '0.png', and is left out"
        in inputs.warnings[0]
    )
    kept = check(Z, frame, factor_types={"file": "categorical"})
    assert kept.factor_names == ("file", "a")
    with pytest.raises(dm.InputError, match="these are identifiers and no factors"):
        check(Z, frame[["file"]])


def test_a_dictionary_of_columns_is_a_table_of_factors() -> None:
    rng = np.random.default_rng(0)
    words, sizes = (
        rng.choice(["a", "b", "c"], 200),
        pd.Series(rng.integers(0, 4, 200), index=range(200, 0, -1)),
    )
    latents = rng.normal(size=(200, 2)) + sizes.to_numpy()[:, None]
    columns = {
        "word": list(words),
        "size": sizes,
        "grade": pd.Categorical(words, ["c", "a", "b"], ordered=True),
    }
    report = dm.score(latents, columns, metrics=["mig", "sap"], anchors=False)
    frame = pd.DataFrame({"word": words, "size": sizes.to_numpy(), "grade": columns["grade"]})
    expected = dm.score(latents, frame, metrics=["mig", "sap"], anchors=False)
    assert report.factor_names == ("word", "size", "grade")
    assert {key: score.value for key, score in report.items()} == {k: s.value for k, s in expected.items()}
    assert report["mig"].signature == expected["mig"].signature


def test_a_dictionary_of_labelled_columns_is_matched_as_its_frame_is() -> None:
    shuffled = F.iloc[RNG.permutation(N)]
    latents = pd.DataFrame(Z, index=NAMES)
    inputs = check(latents, {"a": shuffled["a"], "b": shuffled["a"] + 1, "c": np.asarray(shuffled["a"])})
    assert_array_equal([factor.as_numbers() for factor in inputs.factors], [CODES, CODES + 1, CODES])
    assert [found.code for found in inputs.checks[:1]] == ["rows_matched"]
    mixed = {"a": shuffled["a"], "b": F["a"]}
    for beside in (Z, latents):
        with pytest.raises(
            dm.InputError, match=r"a'\]` and `factors\['b'\]` have their rows in different orders"
        ):
            check(beside, mixed)
    assert_array_equal(check(latents, pd.DataFrame(mixed)).factors[1].as_numbers(), CODES)


def test_advice_on_a_dictionary_works_for_a_dictionary() -> None:
    shuffled = pd.Series(CODES).sample(frac=1, random_state=0)
    with pytest.raises(dm.InputError, match=r"`pandas.DataFrame\(factors\).sort_index\(\)` if labels do"):
        check(pd.DataFrame(Z), {"a": shuffled})


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (lambda: {"a": F["a"], "b": F["a"].set_axis([*NAMES[1:], "x"])},
         r"labels of `factors\['a'\]` and `factors\['b'\]` disagree: 1 of 40 labels .* 'cell0'"),
        (lambda: {"a": F["a"], "b": F["a"].set_axis([NAMES[1], *NAMES[1:]])}, r"'cell1' stands twice in `factors\['b'\]`"),
        (lambda: {"a": pd.Series(CODES), "b": pd.Series(CODES).sample(frac=1, random_state=0)},
         r"pass `factors\['b'\].sort_index\(\)` if labels do"),
    ],
)  # fmt: skip
def test_columns_of_a_dictionary_whose_labels_disagree_are_refused(columns, message) -> None:
    with pytest.raises(dm.InputError, match=message):
        check(Z, columns())


def test_an_index_is_a_column_without_labels() -> None:
    (factor,) = check(pd.DataFrame(Z, index=NAMES), {"a": pd.Index(CODES)}).factors
    assert_array_equal(factor.as_numbers(), CODES)


POSTERIOR = pd.DataFrame(np.column_stack([Z, Z + 1, Z - 1]))


@pytest.mark.parametrize(
    ("names", "others"),
    [
        (["a", "b", "c"], ["c", "a", "b"]),
        (["mu_1", "mu_2", "mu_10"], ["logvar_10", "logvar_1", "logvar_2"]),
        (["shape_mean", "size_mean", "x_mean"], ["x_std", "shape_std", "size_std"]),
        ([0, 1, 2], [2, 0, 1]),
    ],
)
def test_columns_of_a_posterior_are_matched_by_name(names, others) -> None:
    mean = POSTERIOR.iloc[:, :3].set_axis(names, axis=1)
    logvar = (mean - 3).iloc[:, [2, 0, 1]].set_axis(others, axis=1)
    inputs = check(dm.GaussianPosterior(mean, logvar), CODES[:, None])
    assert_array_equal(inputs.logvar, inputs.latents - 3)
    assert inputs.checks[0].code == "columns_matched"
    beside = f"('{others[1]}' beside '{names[0]}')"
    assert str(inputs.checks[0]).endswith("by their names" if names[2] == others[0] else beside)


def test_numbered_columns_of_a_posterior_go_by_place() -> None:
    mean = POSTERIOR[[2, 0, 1]]  # some of many columns, in an order of its own
    for logvar in (pd.DataFrame(mean.to_numpy() - 3), (mean - 3).set_axis(range(3), axis=1)):
        inputs = check(dm.GaussianPosterior(mean, logvar), CODES[:, None])
        assert_array_equal(inputs.logvar, inputs.latents - 3)
        assert "columns_matched" not in {found.code for found in inputs.checks}


@pytest.mark.parametrize("others", [["logvar_0", "logvar_1"], ["c", "d"], [0, 1]])
def test_columns_of_a_posterior_with_names_of_their_own_go_by_place(others) -> None:
    mean = POSTERIOR.iloc[:, :2].set_axis(["mu_0", "mu_1"], axis=1)
    for logvar in ((mean - 3).set_axis(others, axis=1), (mean - 3).to_numpy()):
        inputs = check(dm.GaussianPosterior(mean, logvar), CODES[:, None])
        assert_array_equal(inputs.logvar, inputs.latents - 3)
        assert [found.code for found in inputs.checks] == ["few_rows"]


def test_columns_of_a_posterior_that_share_some_names_are_refused() -> None:
    mean = POSTERIOR.iloc[:, :3].set_axis(["a", "b", "c"], axis=1)
    with pytest.raises(
        dm.InputError, match="`latents.logvar` has no column 'a', but 'b' as `latents.mean` has"
    ):
        check(dm.GaussianPosterior(mean, mean.set_axis(["b", "c", "d"], axis=1)), CODES[:, None])


@pytest.mark.parametrize("other", [0.5, np.uint64(2**63)])
def test_whole_numbers_that_a_float_would_round_are_refused_beside_other_columns(other) -> None:
    frame = pd.DataFrame({"code": CODES + 2**53, "x": np.full(N, other)})
    with pytest.raises(dm.InputError, match="holds the whole number 9007199254740993, which a float"):
        check(frame, CODES[:, None])
    frame["code"] = pd.Series([None, *frame["code"].tolist()[1:]], dtype=object)
    with pytest.raises(dm.InputError, match="holds the whole number 9007199254740993, which a float"):
        check(frame, CODES[:, None], missing="drop")


def test_a_column_of_polars_in_a_dictionary_is_what_it_is_in_its_frame() -> None:
    numbers = [2**62 + int(code) if i else None for i, code in enumerate(CODES)]
    columns = {"a": pl.Series(WORDS, dtype=pl.Enum(ORDER)), "b": pl.Series(numbers)}
    word, number = check(Z, columns, missing="drop").factors
    assert word.kind == "ordinal"
    assert_array_equal(word.as_numbers(), RANKS)
    assert number.levels == (2**62, 2**62 + 1, 2**62 + 2)


@pytest.mark.parametrize("columns", [{"a": [1, 2], "b": [1, 2, 3]}, {"a": [[1, 2], [3, 4]]}])
def test_a_dictionary_of_other_things_is_refused(columns) -> None:
    with pytest.raises(dm.InputError, match=r"a dict; named columns must each have shape \(N,\)"):
        dm.score(np.ones((2, 2)), columns, metrics="mig")
