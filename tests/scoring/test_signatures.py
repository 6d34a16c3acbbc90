"""A published signature can be run again: the same bits and the same line, or a clear refusal."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import torch

import disentangle_metrics as dm
from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.reporting.signatures import shared
from disentangle_metrics.scoring.binding import bind
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.requests import Options, choose
from disentangle_metrics.scoring.signatures import difference, written

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")

RNG = np.random.default_rng(0)
V = np.column_stack([RNG.integers(3, size=90), RNG.integers(4, size=90)])
Z = np.column_stack([V[:, 0] + 0.2 * RNG.normal(size=90), V[:, 1] + 0.4 * RNG.normal(size=90)])
POSTERIOR = dm.GaussianPosterior(Z, np.full(Z.shape, -2.0))
QUICK = {
    **{key: {"votes": (60, 40), "rows": 8} for key in ("factor_vae", "beta_vae", "z_max_variance")},
    "wsepin": {"samples": 20},
    "unibound": {"samples": 20},
    "infomec": {"max_iter": 20},
    "dci": {"probe": "random_forest"},
}


def line_of(name: str, **settings: object) -> str:
    """The signature of a metric's first score with these settings."""
    (request,) = bind(choose([dm.Metric(name, **settings)], "default"), Options(), check(Z, V))
    return request.signatures[request.scores[0].key]


def same(one: dm.Report, other: dm.Report) -> None:
    """Both reports have the same scores, to the last bit, and say the same of them."""
    assert list(one) == list(other)
    for key in one:
        assert one[key].signature == other[key].signature
        assert json.dumps(one[key].to_dict()) == json.dumps(other[key].to_dict())


@pytest.mark.parametrize("name", BUILTIN)
def test_the_seed_counts_where_the_score_draws_whatever_an_interval_says(name):
    """Resamples put the seed into every signature; the plain one has it where the score draws."""
    definition = METRICS.load(name)
    tried = [{}]
    for other, values in itertools.chain.from_iterable(definition.conditions.values()):
        tried += [{other: value} for value in values]
    for one, other in itertools.product(tried, tried):
        settings = {**definition.settings, **one, **other}
        plain, resampled = (
            written(definition, settings, dict.fromkeys(definition.keys, facts), 3, {})
            for facts in ({}, {"confidence": "0.9", "replicates": "9", "seed": "3"})
        )
        for key in definition.keys:
            assert shared(resampled[key]) == shared(plain[key])
            assert ("seed" in shared(plain[key])) == ("|seed:3" in plain[key])


@pytest.mark.parametrize(
    "protocol",
    [
        name if name in ("default", "carbonneau2022") else pytest.param(name, marks=pytest.mark.slow)
        for name in PROTOCOLS
    ],
)
def test_every_score_of_every_protocol_comes_back(protocol):
    # The gradient boosting and the cross-validated Lasso of two protocols take seconds, and are words too.
    metrics = [dm.Metric(name, **QUICK.get(name, {})) for name in BUILTIN]
    options = {"seed": 3, "anchors": False}
    published = dm.score(POSTERIOR, V, metrics=metrics, protocol=protocol, **options)
    signatures = [score.signature for score in published.values()]
    again = dm.score(POSTERIOR, V, metrics=signatures, **options)
    same(again, published)
    same(dm.score(POSTERIOR, V, metrics=signatures, protocol="carbonneau2022", **options), published)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_settings_of_every_protocol_come_back_from_their_text(protocol):
    for name in BUILTIN:
        definition = METRICS.load(name)
        wanted = {**definition.settings, **PROTOCOLS[protocol].settings.get(name, {})}
        for key in definition.keys:
            text = "|".join([key, *(f"{k}:{v}".replace(" ", "") for k, v in wanted.items())])
            assert dm.Metric.parse(text).settings == wanted


def test_with_intervals_missing_values_and_continuous_factors():
    z, v = Z.copy(), V.astype(float)
    z[3, 0], v[5, 1] = np.nan, np.nan
    v[:, 0] += 0.01 * RNG.normal(size=90)
    options = {"missing": "drop", "confidence": 0.9, "replicates": 3, "anchors": False}
    published = dm.score(
        z, v, metrics=["mig", "mcc", "sap", "active_units", "factor_vae|votes:(50,40)"], **options
    )
    assert (
        "|missing:drop|kinds:rc|confidence:0.9|interval:bootstrap|replicates:3|seed:0|"
        in published["mig"].signature
    )
    same(dm.score(z, v, metrics=[score.signature for score in published.values()], **options), published)


def test_a_part_of_a_signature_pins_what_it_names():
    report = dm.score(Z, V, metrics="mig|bins:10", anchors=False)
    assert report["mig"].signature == dm.mig(Z, V, bins=10).signature
    assert report["mig"].value == dm.mig(Z, V, bins=10).value
    # What it does not name is the protocol's, as of `dm.Metric`. So this is that protocol's own MIG.
    review = dm.mig(Z, V, protocol="carbonneau2022")
    assert review.value != report["mig"].value
    for own in ("mig|bins:10", dm.Metric("mig", bins=10), "mig|n:90"):
        score = dm.score(Z, V, metrics=own, protocol="carbonneau2022", anchors=False)["mig"]
        assert (score.value, score.signature) == (review.value, review.signature)
    assert dm.score(Z, V, metrics="mig|n:90", anchors=False)["mig"].value == dm.mig(Z, V).value


def test_one_of_several_scores_of_a_metric():
    whole = dm.score(Z, V, metrics=dm.Metric("dci", probe="random_forest"), anchors=False)
    one = dm.score(Z, V, metrics=[whole["dci_completeness"].signature], anchors=False)
    assert list(one) == ["dci_completeness"]
    assert one["dci_completeness"].value == whole["dci_completeness"].value


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (("|n:90", "|n:91"), {}, r"says n:91, and this call has n:90: score such input, or give only the settings"),
        (("|D:2", "|D:3"), {}, "says D:3, and this call has D:2"),
        (("|K:2", "|K:5"), {}, "says K:5, and this call has K:2"),
        (("|kinds:cc", "|kinds:cr"), {}, "says kinds:cr, and this call has kinds:cc: pass the same `factor_types`"),
        (("|K:2", "|K:2|missing:drop"), {}, "says missing:drop, and this call has no missing: pass the same `missing`"),
        ((), {"missing": "drop"}, "says nothing of missing, and this call has missing:drop: leave `missing` out"),
        ((), {"confidence": 0.9, "replicates": 3}, "says nothing of confidence, and this call has confidence:0.9: leave `confidence` out"),
        ((), {"seed": 1}, "says seed:0, and this call has seed:1: pass the same `seed`"),
        (("|def:2", "|def:3"), {}, "is of definition 3, and this package has 2"),
    ],
)  # fmt: skip
def test_what_a_whole_signature_pins_is_honoured_or_refused(change, options, message):
    signature = dm.factor_vae(Z, V, votes=(50, 40)).signature
    if change:
        assert change[0] in signature
        signature = signature.replace(*change)
    with pytest.raises(dm.InputError, match=message):
        dm.score(Z, V, metrics=[signature], anchors=False, **options)


FAINT = np.column_stack([Z, 0.05 * np.random.default_rng(3).normal(size=len(Z))])  # variance 0.0025
OF_FAINT = dm.GaussianPosterior(FAINT, np.full(FAINT.shape, -4.0))


@pytest.mark.parametrize("name", ["mig_sup", "modularity", "minimality", "active_units", "omes"])
def test_arrays_and_posteriors_of_which_other_latents_count_have_other_signatures(name):
    # A faint latent counts among arrays, whose scale means nothing, and not among posteriors.
    arrays, posteriors = (
        dm.score(latents, V, metrics=name, anchors=False)[name] for latents in (FAINT, OF_FAINT)
    )
    assert arrays.value != posteriors.value
    assert posteriors.signature == arrays.signature.replace("|active:varying|", "|active:auto|")
    assert posteriors.signature != arrays.signature
    said = dm.score(OF_FAINT, V, metrics=[arrays.signature], anchors=False)[name]
    assert (said.value, said.signature) == (arrays.value, arrays.signature)
    asked = dm.score(FAINT, V, metrics=dm.Metric(name, active="varying"), anchors=False)[name]
    assert (asked.value, asked.signature) == (arrays.value, arrays.signature)
    # Whole, that of the posterior is refused for arrays with a faint latent; a part of it takes their rule.
    with pytest.raises(dm.InputError, match="says active:auto.*GaussianPosterior.*or write active:varying"):
        dm.score(FAINT, V, metrics=[posteriors.signature], anchors=False)
    part = dm.score(FAINT, V, metrics=[f"{name}|active:auto"], anchors=False)[name]
    assert part.signature == arrays.signature
    # Ten times as wide no latent is faint, so that both rules, and older signatures of arrays, mean one number.
    wide = dm.score(10 * FAINT, V, metrics=[posteriors.signature], anchors=False)[name]
    assert wide.value == dm.score(10 * FAINT, V, metrics=[arrays.signature], anchors=False)[name].value


def test_a_setting_called_active_of_a_plug_in_is_its_own():
    @dm.metric(name="self_active")
    def self_active(relations, *, active="auto"):
        return dm.MetricValue(float(active == "auto"))

    try:
        score = dm.score(Z, V, metrics="self_active", anchors=False)["self_active"]
        assert (score.value, score.signature.split("|")[1]) == (1, "active:auto")
    finally:
        METRICS.remove("self_active")


def test_one_value_of_a_setting_has_one_text():
    one, other = (
        dm.score(Z, V, metrics=dm.Metric("irs", quantile=quantile), anchors=False)["irs"]
        for quantile in (1, 1.0)
    )
    assert one.signature == other.signature
    assert "|quantile:1.0|" in one.signature
    train, test = np.arange(60), np.arange(60, 90)
    lines = {
        dm.sap(Z, V, split=(train.astype(kind), test.astype(kind))).signature
        for kind in (np.int64, np.int32, np.uint8, np.uint64, ">i8")
    }
    assert len(lines) == 1
    assert dm.sap(Z, V, split=(test, train)).signature not in lines


def test_rows_of_a_split_are_the_same_by_number_and_by_mask():
    train = np.arange(len(V)) % 3 > 0
    masks, numbers = (train, ~train), (np.flatnonzero(train), np.flatnonzero(~train))
    by_number = dm.sap(Z, V, split=numbers).signature
    others = [pd.Series, pd.Index, pd.array, torch.tensor, np.ndarray.tolist]
    for split in [masks, *(tuple(map(kind, given)) for kind in others for given in (masks, numbers))]:
        assert dm.sap(Z, V, split=split).signature == by_number
    assert dm.sap(Z, V, split=(~train, train)).signature != by_number
    parts = (np.arange(60), np.arange(60, 90))
    assert dm.sap(Z, V, split=(range(60), range(60, 90))).signature == dm.sap(Z, V, split=parts).signature
    rows = [*range(5), *range(74, 4, -1), *range(75, 80)]
    lists = pd.Series(rows), pd.Series(sorted(rows))
    assert str(lists[0]) == str(lists[1])
    assert len({dm.sap(Z, V, split=(trained, range(80, 90))).signature for trained in lists}) == 2


@pytest.mark.parametrize(
    ("name", "settings", "unread"),
    [
        ("dci", {}, {"alpha": 0.1}),
        ("dci", {"probe": "review_lasso"}, {"alpha": 0.1}),
        ("sap", {"kind": "regression"}, {"split": 0.2, "max_rows": 50}),
        ("sap", {"kind": "classification"}, {"fit_rows": "train"}),
    ],
)
def test_a_setting_that_is_not_read_leaves_the_signature_as_it_is(name, settings, unread):
    plain = line_of(name, **settings)
    assert line_of(name, **settings, **unread) == plain
    defaults = METRICS.load(name).default_texts
    assert all(f"|{setting}:{defaults[setting]}|" in plain for setting in unread)
    assert len(choose([dm.Metric(name, **settings), dm.Metric(name, **settings, **unread)], "default")) == 1


@pytest.mark.parametrize(
    ("name", "settings", "read"),
    [
        ("dci", {"probe": "lasso"}, {"alpha": 0.1}),
        ("sap", {}, {"fit_rows": "train"}),
        ("sap", {"kind": "regression", "fit_rows": "train"}, {"split": 0.2}),
        ("sap", {"kind": "classification"}, {"max_rows": 50}),
    ],
)
def test_a_setting_that_is_read_is_in_the_signature(name, settings, read):
    assert read.items() <= dm.Metric.parse(line_of(name, **settings, **read)).settings.items()


def test_versions_of_programs_may_differ():
    signature = dm.mig(Z, V).signature
    old = signature.replace(f"dm:{dm.__version__}", "dm:0.0.1")
    assert dm.score(Z, V, metrics=[old], anchors=False)["mig"].signature == signature
    probe = dm.sap(Z, V).signature
    older = probe[: probe.index("|sklearn:")] + "|sklearn:0.1"
    assert dm.score(Z, V, metrics=[older], anchors=False)["sap"].signature == probe


def test_a_seed_that_changes_nothing_is_not_asked_for():
    assert (
        dm.score(Z, V, metrics=[dm.mig(Z, V).signature], seed=5, anchors=False)["mig"].value
        == dm.mig(Z, V).value
    )


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        ("nig|bins:10", "unknown metric 'nig'; did you mean 'mig'"),
        ("mig|bins", "has the part 'bins'"),
        ("mig|bin:10", "'mig' has no setting 'bin'; the signature may hold bins, strategy"),
        ("mig|bins:ten", "`bins` must be a whole number from 2 to 1,048,576, got 'ten'"),
        ("mig|bins:1", "`bins` must be a whole number from 2"),
        (
            "dci|probe:DecisionTreeClassifier(max_depth=2)",
            r"cannot bring back: pass `dm.Metric\('dci', probe=...\)",
        ),
        ("sap|split:(sha256-0123456789abcdef,sha256-0123456789abcdef)", "cannot bring back"),
    ],
)
def test_what_cannot_be_read_is_refused(signature, message):
    with pytest.raises(dm.InputError, match=message):
        dm.Metric.parse(signature)


def test_what_is_no_text_is_refused():
    with pytest.raises(dm.InputError, match="`signature` must be a line of text, got int"):
        dm.Metric.parse(3)


def test_texts_of_all_kinds_of_values_come_back():
    @dm.metric(name="typeless")
    def typeless(relations, *, number=1, word="a", pair=(1, 2), truth=True, nothing=None, open_end=1.0):
        return dm.MetricValue(0.0)

    try:
        given = {
            "number": 2.5,
            "word": "7",
            "pair": (3, "x y"),
            "truth": False,
            "nothing": "b",
            "open_end": np.inf,
        }
        score = dm.score(Z, V, metrics=dm.Metric("typeless", **{**given, "pair": (3, 4)}), anchors=False)[
            "typeless"
        ]
        assert dm.Metric.parse(score.signature).settings == {**given, "pair": (3, 4)}
    finally:
        METRICS.remove("typeless")


def test_the_command_takes_signatures(tmp_path, monkeypatch, capsys):
    from disentangle_metrics.cli.evaluate import main

    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "v.npy", V)
    monkeypatch.chdir(tmp_path)
    arrays = ["dm-eval", "--latents", "z.npy", "--factors", "v.npy", "--json", "r.json"]
    monkeypatch.setattr("sys.argv", [*arrays, "--metrics", "mig|bins:10,factor_vae|votes:(50,40)|seed:0,mcc"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    report = dm.Report.from_json(tmp_path / "r.json")
    assert list(report) == ["mig", "factor_vae", "mcc"]
    assert report["mig"].signature == dm.mig(Z, V, bins=10).signature
    assert report["factor_vae"].signature == dm.factor_vae(Z, V, votes=(50, 40)).signature


def test_a_setting_with_the_name_of_a_fact_stays_in_the_signature():
    @dm.metric(name="named_alike")
    def named_alike(relations, *, n=1):
        return dm.MetricValue(float(n))

    try:
        score = dm.score(Z, V, metrics=dm.Metric("named_alike", n=7), anchors=False)["named_alike"]
        assert score.signature.startswith("named_alike|n:7|n:90|D:2|K:2|")
        again = dm.score(Z, V, metrics=[score.signature], anchors=False)["named_alike"]
        assert (again.value, again.signature) == (7, score.signature)
    finally:
        METRICS.remove("named_alike")


def test_the_difference_of_two_signatures_is_named() -> None:
    before, now = "mig|bins:20|n:400|def:2|dm:0.1.0", "mig|bins:10|n:400|seed:1|def:2|dm:0.1.0"
    assert difference(before, now) == "bins was 20, now 10, seed was not there, now 1"
    assert difference(before, before) == ""
