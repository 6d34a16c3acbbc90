"""Settings carry their types: what they refuse before any work, and what type checkers and readers see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import disentangle_metrics as dm
from disentangle_metrics import settings
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.settings import AtLeast, Called, Limits, allows, described, types_of

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

REFUSED = [
    ("mig", {"bins": 1}, "`bins` must be a whole number from 2 to 1,048,576, got 1"),
    ("mig", {"bins": 10**8}, "got 100,000,000"),
    ("mig", {"bins": 2.0}, "`bins` must be a whole number"),
    ("mig", {"bins": True}, "`bins` must be a whole number"),
    ("mig", {"estimator": "kde"}, "`estimator` must be one of 'histogram', 'nearest_neighbours', 'posterior', 'posterior_monte_carlo', got 'kde'"),
    ("mig", {"strategy": "uniforn"}, "`strategy` must be one of 'uniform', 'quantile', got 'uniforn'"),
    ("mig", {"correction": "miller"}, "must be one of 'none', 'miller_madow', got 'miller'"),
    ("mig", {"correction": "miller_madow", "estimator": "posterior"}, "goes with `estimator` = 'histogram' only, got 'posterior'"),
    *(("mig", {"bins": bins}, "`bins` must be a whole number from 2 to") for bins in (0, -3, 2.5, "20")),
    ("mig", {"k": 0}, "`k` must be a whole number of at least 1, got 0"),
    *(("mig", {"k": k}, "`k` must be a whole number of at least 1") for k in (-1, 2.5, True, "3")),
    *(("med", {"top": top}, "`top` must be a whole number of at least 1") for top in (1.5, True)),
    ("infomec", {"k": None}, "`k` must be"),
    ("explicitness", {"scaling": None}, "`scaling` must be one of"),
    ("dhsic", {"max_rows": 1}, "`max_rows` must be"),
    ("mig", {"samples": 1.5}, "`samples` must be a whole number of at least 2, got 1.5"),
    ("mig", {"normaliser": "entropy"}, "`normaliser` must be one of 'factor', 'latent', 'values'"),
    ("mig_sup", {"active": "yes"}, "`active` must be 'auto', 'varying', 'range', a variance or None, got 'yes'"),
    ("mig_sup", {"active": True}, "`active` must be"),
    ("mig_sup", {"factor_bins": 0}, "`factor_bins` must be a whole number of at least 2 or None, got 0"),
    ("factor_vae", {"votes": 3}, "`votes` must be a pair of whole numbers of at least 1, got 3"),
    ("factor_vae", {"votes": (0, 3)}, "`votes` must be a pair"),
    ("factor_vae", {"votes": (1, 2, 3)}, "`votes` must be a pair"),
    ("factor_vae", {"rows": 1}, "`rows` must be a whole number of at least 2, got 1"),
    ("beta_vae", {"rows": 0}, "`rows` must be a whole number of at least 1, got 0"),
    ("beta_vae", {"value_weights": "equal"}, "`value_weights` must be one of 'frequency', 'uniform'"),
    ("beta_vae", {"replacement": 1}, "`replacement` must be True or False, got 1"),
    ("irs", {"quantile": 0}, "`quantile` must be a number above 0 and at most 1, got 0"),
    ("irs", {"quantile": float("nan")}, "`quantile` must be a number"),
    ("dci", {"probe": "xgboost"}, "`probe` must be 'boosted_trees', .* or a scikit-learn estimator, got 'xgboost'"),
    ("dci", {"probe": 3}, "or a scikit-learn estimator, got 3"),
    ("dci", {"probe": RandomForestClassifier}, r"got the class RandomForestClassifier: pass .*, `RandomForestClassifier\(\)`"),
    ("dci", {"probe": RandomForestClassifier(random_state=np.random.RandomState(0))}, "pass a whole number as `random_state`"),
    ("dci", {"probe": make_pipeline(LinearSVC(random_state=np.random.mtrand._rand))}, "pass a whole number as"),
    ("dci", {"alpha": -1}, "`alpha` must be a number of at least 0 or None"),
    ("dci", {"importances": "squared"}, "`importances` must be one of 'shares', 'raw'"),
    ("dci", {"split": 1.5}, "`split` must be a share between 0 and 1, a pair .* or None, got 1.5"),
    ("dci", {"split": np.ones(300, dtype=bool)}, r"a pair \(train, test\) of index arrays or None, got array.{195}$"),
    ("dci", {"split": ([0],)}, r"`split` must be .* a pair \(train, test\) of index arrays"),
    ("dci", {"max_rows": 1}, "`max_rows` must be a whole number of at least 2 or None, got 1"),
    ("sap", {"kind": "svm"}, "`kind` must be one of 'auto', 'regression', 'classification', got 'svm'"),
    ("sap", {"fit_rows": "test"}, "`fit_rows` must be one of 'all', 'train'"),
    ("explicitness", {"C": 0}, "`C` must be a number above 0, got 0"),
    ("explicitness", {"decision": "ovr"}, "`decision` must be one of"),
    ("explicitness", {"scaling": "unit"}, "`scaling` must be one of 'standard', 'minmax', 'none'"),
    ("explicitness", {"class_weight": "even"}, "`class_weight` must be 'balanced', Mapping or None"),
    ("infomec", {"max_iter": 0}, "`max_iter` must be a whole number of at least 1"),
    ("mcc", {"correlation": "kendall"}, "`correlation` must be one of 'pearson', 'spearman'"),
    ("dhsic", {"kernel": "linear"}, "`kernel` must be one of 'gaussian', 'exponential'"),
    ("omes", {"alpha": 1.1}, "`alpha` must be a number from 0 to 1, got 1.1"),
    ("omes", {"pooling": "min"}, "`pooling` must be one of 'max', 'mean'"),
    ("rmig", {"limits": (1, -1)}, r"`limits` must be \(a number, a number\) in ascending order, got \(1, -1\)"),
    ("rmig", {"mass": "points"}, "`mass` must be one of 'integral', 'density'"),
    ("med", {"top": 0}, "`top` must be a whole number of at least 1 or None, got 0"),
    ("dmig", {"assignment": 1}, "`assignment` must be one latent by number for each factor or None, got 1"),
    ("wsepin", {"samples": 1}, "`samples` must be a whole number of at least 2, got 1"),
    ("unibound", {"samples": True}, "`samples` must be a whole number"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "message"), REFUSED)
def test_a_setting_is_refused_when_it_is_written(name, given, message):
    with pytest.raises(dm.InputError, match=message):
        dm.Metric(name, **given)


@pytest.mark.parametrize("name", BUILTIN)
def test_every_built_in_setting_has_a_type_that_allows_its_default(name):
    definition = METRICS.load(name)
    assert set(definition.types) == set(definition.settings)
    for setting, default in definition.settings.items():
        assert allows(definition.types[setting], default), setting


def test_the_function_and_the_protocol_are_checked_as_well(monkeypatch):
    z, v = np.random.default_rng(0).normal(size=(20, 2)), np.arange(40).reshape(20, 2) % 3
    with pytest.raises(dm.InputError, match="`bins` must be"):
        dm.mig(z, v, bins=1)
    # Alone the correction may be; with the estimator of the protocol it may not.
    with pytest.raises(dm.InputError, match="goes with `estimator` = 'histogram' only"):
        dm.score(z, v, metrics=dm.Metric("mig", correction="miller_madow"), protocol="li2020")


class Images:
    """A data set of two images, and an encoder that must not be called."""

    name, factor_names, factor_types, factor_sizes = "two", ("a",), ("categorical",), (2,)
    image_shape = (1, 1, 1)

    def __len__(self) -> int:
        return 2

    def factors(self, indices):
        return np.asarray(indices)[:, None] % 2

    def images(self, indices):
        raise AssertionError("no image may be read")


@pytest.mark.parametrize(
    "metric",
    [
        "mig|estimator:histogran",
        "mig|bins:1",
        "nig",
    ],
)
def test_evaluate_refuses_before_it_encodes(metric):
    def encoder(batch):
        raise AssertionError("no image may be encoded")

    with pytest.raises(dm.InputError, match=r"`estimator`|`bins`|unknown metric"):
        dm.evaluate(encoder, Images(), metrics=[metric])


NUMBER = Annotated[float, Limits(above=0, below=1)]


@pytest.mark.parametrize(
    ("kind", "yes", "no", "words"),
    [
        (int, [1, np.int64(2), -3], [1.0, True, "1", None], "a whole number"),
        (float, [1, 0.5, np.float32(1)], [True, "1", None, 1j], "a number"),
        (bool, [True, np.bool_(False)], [1, 0, None], "True or False"),
        (int | None, [1, None], [0.5, "None"], "a whole number or None"),
        (NUMBER, [0.5], [0, 1, float("nan")], "a number above 0 and below 1"),
        (Annotated[int, AtLeast(3)], [3], [2], "a whole number of at least 3"),
        (Literal["a", "b"], ["a", np.str_("b")], ["c", 1, None], "one of 'a', 'b'"),
        (Literal["a"] | Annotated[float, Called("a size")], ["a", 2], ["b", None], "'a' or a size"),
        (tuple[int, str], [(1, "a"), [1, "a"]], [(1,), (1, 2), "1a", 1], "(a whole number, str)"),
        (tuple[int, ...], [(), (1, 2), np.array([1, 2])], [("a",), 1, np.ones((1, 1), int)], "(a whole number)"),
        (Any, [None, object()], [], "Any"),
    ],
)  # fmt: skip
def test_types(kind, yes, no, words):
    assert [value for value in yes if not allows(kind, value)] == []
    assert [value for value in no if allows(kind, value)] == []
    assert described(kind) == words


def test_a_setting_whose_type_cannot_be_read_is_not_checked():
    def compute(relations, *, one: NoSuchType = 1, two: int = 2, three=3):  # noqa: F821
        """Nothing."""

    assert types_of(compute) == {"two": int}
    settings.check({"one": "x", "three": object()}, types_of(compute), {})
    with pytest.raises(dm.InputError, match="`two` must be a whole number"):
        settings.check({"two": "x"}, types_of(compute), {})


def test_a_users_setting_is_checked_by_its_type_too():
    @dm.metric(name="typed")
    def typed(relations, *, power: Annotated[int, AtLeast(1)] = 1, free=None):
        return dm.MetricValue(0.0)

    try:
        with pytest.raises(dm.InputError, match="`power` must be a whole number of at least 1, got 0"):
            dm.Metric("typed", power=0)
        assert dm.Metric("typed", free=object).settings == {"free": object}
    finally:
        METRICS.remove("typed")


def test_the_card_names_the_choices():
    card = dm.describe("mig")
    assert "strategy = uniform: one of 'uniform', 'quantile'" in card
    assert "bins = 20: a whole number from 2 to 1,048,576" in card


def test_mypy_catches_a_wrong_word(tmp_path):
    snippet = tmp_path / "snippet.py"
    snippet.write_text(
        "import disentangle_metrics as dm\n"
        "dm.mig(0, 0, strategy='quantile', bins=3)\n"
        "dm.mig(0, 0, strategy='quantil')\n"
        "dm.mcc(0, 0, correlation='kendall')\n"
    )
    # Only the stub and the types of settings are read, so that no library has to be.
    read = ["disentangle_metrics/__init__.pyi", "disentangle_metrics/settings.py", str(snippet)]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "--follow-imports=skip", *read],
        capture_output=True, text=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    lines = [line.split(":")[1] for line in checked.stdout.splitlines() if ": error:" in line]
    assert lines == ["3", "4"], checked.stdout
