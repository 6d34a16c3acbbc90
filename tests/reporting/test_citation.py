"""What to cite: entries stand for the papers that the metrics name, and nothing is missing."""

from __future__ import annotations

import inspect
import re
import tomllib
import unicodedata
from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.metrics.lookup import find_metric
from disentangle_metrics.reporting.literature import (
    PACKAGE,
    citations,
    paper_name,
    protocol_citation,
    references,
)
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.version import __version__
from tests.reporting.example import REPORT

ROOT = Path(__file__).parents[2]
LITERATURE = tomllib.loads((ROOT / "disentangle_metrics/metrics/literature.toml").read_text(encoding="utf-8"))
NEEDED = {
    "inproceedings": {"author", "title", "booktitle", "year"},
    "article": {"author", "title", "journal", "year"},
    "misc": {"author", "title", "year"},
}


def field(entry: str, name: str) -> str:
    return re.search(rf"^  {name} = \{{(.*?)\}},$", entry, re.M | re.S)[1]


def surname(entry: str) -> str:
    """Of the first author, without accents."""
    plain = re.sub(r"\\[\"'`^~]|[{}]", "", field(entry, "author").split(",")[0])
    return "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))


@pytest.mark.parametrize("metric", [*BUILTIN, "udr"])
def test_the_entries_are_the_papers_that_the_metric_names(metric):
    text = inspect.getdoc(dm.udr) if metric == "udr" else find_metric(metric).documentation
    named = " ".join(text.partition("References\n----------\n")[2].split())
    keys = citations(metric)
    assert keys
    for key in keys:
        entry = references()[key]
        assert surname(entry).split()[-1] in named
        assert field(entry, "year") in named


@pytest.mark.parametrize("metric", BUILTIN)
def test_every_score_has_the_name_that_papers_use(metric):
    assert set(LITERATURE["metrics"][metric]["names"]) == set(find_metric(metric).keys)


def test_every_entry_is_whole_and_cited():
    cited = {key for metric in LITERATURE["metrics"] for key in citations(metric)}
    cited |= {protocol_citation(name) for name in PROTOCOLS} - {""}
    assert cited | {PACKAGE} == set(references())
    for key, entry in references().items():
        kind = re.match(r"@(\w+)\{", entry)[1]
        needed = NEEDED[kind] if key != PACKAGE else {"author", "title", "note"}
        assert needed <= set(re.findall(r"^  (\w+) = \{", entry, re.M)), key
        assert "\\DJ" not in entry  # LaTeX's first encoding of fonts has no such letter
        assert entry.count("{") == entry.count("}")
        assert re.search(r"\d{4}", key) is None or field(entry, "year") in key


def test_every_published_protocol_has_its_paper():
    assert {name for name in PROTOCOLS if not protocol_citation(name)} == {"default"}


def test_the_package_cites_itself_as_its_citation_file_says():
    entry = references()[PACKAGE]
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r'^title: "(.*)"$', text, re.M)[1] == field(entry, "title")
    assert field(entry, "note") == f"Version {__version__}"
    assert f'name: "{field(entry, "author").strip("{}")}"' in text


def test_names_give_a_sentence_and_their_entries():
    citation = dm.cite("mig", "dci")
    assert citation.methods == (
        "We computed MIG~\\cite{chen2018isolating} and DCI disentanglement, DCI completeness and DCI "
        "informativeness~\\cite{eastwood2018framework} with \\texttt{disentangle-metrics} "
        f"{__version__}~\\cite{{disentangle-metrics}}, with the settings of its protocol \\texttt{{default}}."
    )
    keys = re.findall(r"^@\w+\{([^,]+),$", citation.bibtex, re.M)
    assert keys == ["chen2018isolating", "eastwood2018framework", "disentangle-metrics"]
    assert citation.bibtex in str(citation)
    assert "DCI completeness~" in dm.cite("dci_completeness").methods
    assert "UDR~\\cite{duan2020unsupervised}" in dm.cite("udr").methods


def test_a_protocol_is_named_and_cited():
    citation = dm.cite("mig", "sap", protocol="locatello2019")
    assert citation.methods.endswith(
        ", with the settings of its protocol \\texttt{locatello2019}~\\cite{locatello2019challenging}."
    )
    assert "{locatello2019challenging," in citation.bibtex
    mixed = dm.cite("mig|bins:10", "sap", protocol="locatello2019")
    assert "MIG (bins 10)~" in mixed.methods
    assert mixed.methods.endswith("{locatello2019challenging} where none are given.")
    alone = dm.cite("mig|bins:10", protocol="locatello2019")  # the other settings are the protocol's
    assert alone.methods.endswith("{locatello2019challenging} where none are given.")
    assert "protocol" not in dm.cite("mig", "omes", protocol="locatello2019").methods
    for lacking in (
        ("omes", "locatello2019"),
        ("omes|alpha:0.2", "locatello2019"),
        ("udr", "locatello2019"),
        ("mig|bins:12", "eastwood2018"),
    ):
        citation = dm.cite(lacking[0], protocol=lacking[1])
        assert citation.methods.endswith(f"{__version__}~\\cite{{disentangle-metrics}}.")
        assert protocol_citation(lacking[1]) + "," not in citation.bibtex
    with pytest.raises(dm.InputError, match="unknown protocol 'locatelo2019'; did you mean 'locatello2019'"):
        dm.cite("mig", protocol="locatelo2019")


def test_a_whole_signature_leaves_nothing_to_the_protocol():
    whole = "mig|bins:20|estimator:histogram|strategy:uniform|n:40|D:2|K:2|kinds:cc|def:2|dm:0.1.0"
    for item in (whole, dm.Metric.parse(whole)):
        assert "protocol" not in dm.cite(item, protocol="locatello2019").methods
    part = dm.Metric.parse("mig|bins:10|n:40")
    assert dm.cite(part, protocol="locatello2019").methods.endswith("where none are given.")


def test_a_report_tells_its_settings_too():
    report = dm.Report(
        {"mig": REPORT["mig"]}, protocol="locatello2019", shape=(1234, 2, 3), seed=7, confidence=0.9
    )
    methods = dm.cite(report).methods
    assert "MIG (bins 20)~\\cite{chen2018isolating}" in methods
    assert "protocol \\texttt{locatello2019}~\\cite{locatello2019challenging}" in methods
    assert "1,234 rows of 2 latents and 3 factors (seed 7), with 90\\% confidence intervals." in methods
    assert "locatello2019challenging" in dm.cite(report).bibtex
    two = dm.Report({key: REPORT[key] for key in ("mig", "mig_sup", "dci_completeness")})
    assert "{chen2018isolating}; MIG-sup (bins 20)~\\cite{li2020progressive} and DCI" in dm.cite(two).methods
    assert dm.cite(report["mig"]).methods == dm.cite(report["mig"].signature).methods
    assert "We computed MIG (bins 20)~" in dm.cite(report["mig"]).methods


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
@pytest.mark.parametrize(
    ("metric", "protocol", "named"),
    [
        ("mig", "carbonneau2022", True),
        ("mig|bins:10", "carbonneau2022", True),  # which the protocol has too
        ("mig|bins:12", "carbonneau2022", False),
        ("mig|bins:12", "default", False),
        ("omes", "default", True),
        ("omes", "locatello2019", False),  # which has no OMES
        ("mig_sup", "boilard2020", True),
        ("mig_sup", "default", True),  # of arrays, whose rule is not written auto
        ("r2_from_factors", "schneider2023", False),  # which has the other of its metric
    ],
)
def test_a_report_names_its_protocol_where_it_has_all_of_its_choices(metric, protocol, named):
    latents = np.array([[0.0, 1.0], [1.0, 0.2], [2.0, 0.7], [3.0, 0.1]] * 10)
    report = dm.score(latents, latents.round(), metrics=metric, protocol=protocol, anchors=False)
    citation = dm.cite(report)
    assert (f"its protocol \\texttt{{{protocol}}}" in citation.methods) is named
    source = protocol_citation(protocol)
    assert (f"{source}," in citation.bibtex) is (named or not source)
    assert ", on 40 rows of 2 latents and 2 factors (seed 0)" in citation.methods


def test_what_the_input_decides_is_no_choice_of_the_user():
    rows = np.random.default_rng(0).normal(size=(100, 3))
    groups = {"a": [0, 1], "b": [2]}
    for metric, protocol, named in (
        ("mig", "default", True),  # of neighbours, since so many cells cannot be counted
        ("mig|bins:12", "default", False),
        ("mig", "locatello2019", False),
        ("dci_completeness|split:0.2", "eastwood2018", False),
        (dm.Metric("dci_completeness", split=(np.arange(80), np.arange(90, 100))), "eastwood2018", True),
    ):
        options = {"groups": groups} if "mig" in str(metric) else {}
        report = dm.score(rows, rows > 0, metrics=metric, protocol=protocol, anchors=False, **options)
        assert ("protocol" in dm.cite(report).methods) is named, metric
    counted = dm.Metric("mig", estimator="nearest_neighbours")  # which the user chose
    binary = np.tile([[0, 0, 0], [1, 0, 1], [0, 1, 0], [1, 1, 1]], (25, 1))
    report = dm.score(binary, binary, metrics=counted, groups=groups, anchors=False)
    assert "protocol" not in dm.cite(report).methods


def test_a_plugins_score_is_named_but_not_cited():
    assert (
        "of\\_a\\_plugin (bins 20) with" in dm.cite(dm.Report({"of_a_plugin": REPORT["of_a_plugin"]})).methods
    )
    assert paper_name("of_a_plugin") == "of_a_plugin"


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ((), "needs at least one"),
        (("mgi",), "did you mean 'mig'"),
        ((3,), "must hold names"),
        ((REPORT, "mig"), "one report alone"),
        ((["mig", "dci"],), r"each item by itself, as in dm.cite\('mig', 'dci'\), got a list"),
        ((dm.Benchmark({"a": REPORT}),), "got a Benchmark; pass one of its reports"),
    ],
)
def test_what_cannot_be_cited_is_named(items, message):
    with pytest.raises(dm.InputError, match=message):
        dm.cite(*items)


def test_a_metric_with_settings_is_cited_with_them():
    given = dm.cite(dm.Metric("mcc", correlation="spearman"), dm.Metric("dci", alpha=1))
    assert given.methods.startswith("We computed MCC (correlation spearman)~\\cite{")
    assert "(alpha 1.0)" in given.methods
    assert str(dm.cite(dm.Metric("mig"))) == str(dm.cite("mig"))


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"mig": 0.5},
        dm.Benchmark({"a": REPORT}),
        dm.compare({"a": REPORT, "b": REPORT}, metrics=[next(iter(REPORT))]),
    ],
    ids=lambda item: type(item).__name__,
)
def test_what_is_no_report_is_refused_in_a_line(item):
    with pytest.raises(dm.InputError, match=f"`cite` takes one report, .* got a {type(item).__name__}"):
        dm.cite(item)
