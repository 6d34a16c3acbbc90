"""Checks on the input: each is made where it should be, and not where it should not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.checks import CODES, Check, gravest_first
from disentangle_metrics.inputs.factor import read_factor
from disentangle_metrics.inputs.findings import blocks_of_one, cramers_v
from disentangle_metrics.inputs.inputs import check

RNG = np.random.default_rng(0)
N = 1_000
CODE = RNG.normal(size=(N, 3))


def codes_of(factors: object, latents: np.ndarray = CODE, **options: object) -> list[str]:
    return [found.code for found in check(latents, factors, **options).checks]


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (np.full(N, 3), "constant_factor"),
        (np.arange(N), "row_numbers"),
        (RNG.permutation(10 * N)[:N], "identifier"),
        (RNG.integers(50, size=N), "kind_uncertain"),
        (RNG.permutation(10**6)[:80][RNG.integers(80, size=N)], "labels_with_gaps"),
        (RNG.integers(11, size=N) / 10, "decimal_grid"),
        (np.array([f"class {i}" for i in RNG.integers(200, size=N)]), "many_categories"),
        (RNG.uniform(0, 360, N), "periodic_factor"),
        (RNG.uniform(-np.pi, np.pi, N), "periodic_factor"),
    ],
)
def test_what_is_doubtful_of_one_factor(column: np.ndarray, code: str) -> None:
    found = check(CODE, pd.DataFrame({"shape": RNG.integers(3, size=N), "odd": column})).checks
    assert code in [one.code for one in found if one.about == "odd"]
    assert not [one for one in found if one.about == "shape"]


def test_a_remedy_says_the_name_as_it_is() -> None:
    (found,) = check(CODE, pd.DataFrame({"KIND of {0}": RNG.integers(11, size=N) / 10})).checks
    assert "`factor_types={'KIND of {0}': \"continuous\"}`" in found.remedy


def test_nothing_is_said_of_an_ordinary_input() -> None:
    factors = pd.DataFrame({"shape": RNG.integers(3, size=N), "size": RNG.normal(size=N)})
    assert codes_of(factors) == []


def test_what_is_declared_is_not_doubted() -> None:
    fifty = pd.DataFrame({"year": RNG.integers(50, size=N)})
    assert codes_of(fifty) == ["kind_uncertain"]
    assert codes_of(fifty, factor_types={"year": "categorical"}) == []
    assert codes_of(fifty, factor_types={"year": "continuous"}) == []


def test_a_column_of_names_is_left_out_unless_it_is_declared() -> None:
    factors = pd.DataFrame({"file": [f"{i}.png" for i in range(N)], "shape": RNG.integers(3, size=N)})
    inputs = check(CODE, factors)
    assert inputs.factor_names == ("shape",)
    assert [found.code for found in inputs.checks] == ["identifier"]
    assert check(CODE, factors, factor_types={"file": "categorical"}).factor_names == ("file", "shape")
    with pytest.raises(dm.InputError, match="different text in every row of file"):
        check(CODE, factors[["file"]])


def test_one_hot_columns_are_seen_among_factors_and_latents() -> None:
    shape, size = RNG.integers(3, size=N), RNG.integers(4, size=N)
    hot = np.concatenate([np.eye(3, dtype=int)[shape], np.eye(4, dtype=int)[size]], axis=1)
    found = [one for one in check(CODE, hot).checks if one.code == "one_hot_factors"]
    assert [one.numbers["columns"] for one in found] == [3, 4]
    blurred = hot + 0.01 * RNG.normal(size=hot.shape)
    found = [one for one in check(blurred, shape[:, None]).checks if one.code == "one_hot_latents"]
    assert [one.numbers["columns"] for one in found] == [3, 4]
    flags = RNG.integers(2, size=(N, 4))
    assert "one_hot_factors" not in codes_of(flags)


def test_blocks_of_one_by_hand() -> None:
    table = np.array([[1.0, 0, 0, 5, 0, 0, 1], [0, 0, 1, 5, 0, 1, 0], [0, 1, 0, 5, 1, 0, 0]])
    assert list(blocks_of_one(table)) == [[0, 1, 2], [4, 5, 6]]


def test_dependent_factors_are_named_with_their_strength() -> None:
    one = RNG.integers(4, size=N)
    copy = np.where(RNG.random(N) < 0.9, one, RNG.integers(4, size=N))
    found = check(CODE, np.stack([one, copy], axis=1)).checks
    assert [check.code for check in found] == ["dependent_factors"]
    assert 0.85 < found[0].numbers["cramers_v"] < 0.95
    same = read_factor(one, "one")
    assert cramers_v(same, same)[0] == pytest.approx(1)
    assert cramers_v(same, read_factor(RNG.integers(4, size=N), "other"))[1] < 4


def test_checks_of_latents_and_of_both() -> None:
    shape = RNG.integers(3, size=(N, 1))
    assert codes_of(shape, np.zeros((N, 2))) == ["input_scale"]
    assert codes_of(shape, np.c_[CODE, np.zeros(N)]) == ["constant_latent"]
    assert codes_of(RNG.integers(3, size=(N, 5))) == ["fewer_latents"]
    assert codes_of(shape[:60], CODE[:60]) == ["few_rows"]
    turned = check(CODE[:6].T, RNG.integers(5, size=(len(CODE[0]), 6)))
    assert next(c for c in turned.checks if c.code == "few_rows").remedy.endswith(
        "transpose latents and factors"
    )
    count = np.arange(N, dtype=float)
    assert codes_of(shape, np.c_[CODE, count]) == ["row_numbers"]
    assert codes_of(shape, np.c_[CODE, RNG.permutation(count)]) == []  # as ranks are
    assert "swapped" in codes_of(CODE, RNG.integers(5, size=(N, 3)).astype(float))


def test_deviations_in_place_of_log_variances_are_asked_about() -> None:
    factors, std = RNG.integers(4, size=(N, 2)), RNG.uniform(0.05, 0.3, size=CODE.shape)
    (found,) = check(dm.GaussianPosterior(CODE, std), factors).checks[:1]
    assert found.code == "network_outputs"
    assert found.remedy.endswith("pass `dm.GaussianPosterior(mean, 2 * numpy.log(std))`")
    codes = [c.code for c in check(dm.GaussianPosterior(CODE, 2 * np.log(std)), factors).checks]
    assert "network_outputs" not in codes


def test_every_code_is_explained_and_survives_json() -> None:
    for code, explained in CODES.items():
        assert explained.meaning.endswith(".")
        made = Check(code, "found", "do this", "z", {"rows": 3})
        assert Check.from_dict(made.to_dict()) == made
    assert Check.from_dict({"code": "of_tomorrow", "message": "m"}).code == "remark"


def test_the_gravest_comes_first_and_nothing_twice() -> None:
    note, grave = Check("at_chance", "a"), Check("swapped", "b")
    assert gravest_first([note, grave, note]) == (grave, note)


def test_whole_number_codes_and_periods_that_do_not_fit_are_named():
    codes = RNG.permutation(64)[RNG.integers(64, size=(N, 1))].astype(float)
    shape = RNG.integers(3, size=(N, 1))
    assert codes_of(shape, codes) == ["latent_codes"]
    assert codes_of(shape, codes, latent_types=["categorical"]) == []
    assert codes_of(shape, codes % 12) == []
    turn = pd.DataFrame({"angle": RNG.uniform(0, 2 * np.pi, N)})
    assert codes_of(turn, factor_types={"angle": "circular:360"}) == ["period"]
    assert codes_of(turn, factor_types={"angle": "circular"}) == []
    angles = RNG.uniform(0, 360, (N, 1))
    assert codes_of(shape, angles, latent_types=["circular"]) == ["period"]
    assert codes_of(shape, angles, latent_types=["circular:360"]) == []


def test_decimals_declared_as_codes_are_told():
    latents = np.random.default_rng(0).normal(size=(200, 2))
    found = check(latents, latents[:, :1] > 0, latent_types={"z_1": "categorical"}).checks
    told = [(one.about, one.message) for one in found if one.code == "many_categories"]
    assert told == [("z_1", "latent 'z_1' has 200 categories with decimals in 200 rows")]
    codes = np.random.default_rng(1).integers(150, size=(200, 2))
    for column in (codes, codes % 4 / 2):
        found = check(column, latents[:, :1] > 0, latent_types="categorical").checks
        assert "many_categories" not in [one.code for one in found]
