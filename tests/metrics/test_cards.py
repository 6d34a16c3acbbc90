"""Every metric's card has all its parts, the command prints it, and the page shows it."""

from __future__ import annotations

import inspect
import re
import shlex

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics.kit.shell_words import in_shell_words
from disentangle_metrics.metrics.cards import Card
from disentangle_metrics.metrics.catalogue import BUILTIN
from disentangle_metrics.metrics.lookup import find_metric
from tools.metrics_page import PAGE, chance, formulas, group, render, rows, sections

CARDS = {name: find_metric(name).documentation for name in BUILTIN} | {"udr": inspect.getdoc(dm.udr)}
PARTS = ("Returns", "Chance level", "Degenerate cases", "Cost", "References")


@pytest.mark.parametrize("name", CARDS)
def test_a_card_has_every_part(name):
    parts = sections(CARDS[name])
    definition = parts.pop("")
    assert len(definition.split("\n")[0]) > 20, "the first line says what it is"
    assert formulas(CARDS[name]), "the formula stands on lines of its own, indented"
    assert [title for title in PARTS if not parts.get(title, "").strip()] == []
    assert [title for title in parts if title in PARTS] == list(PARTS)
    if name != "udr":
        assert re.search(r"Range|range", parts["Returns"])
    assert re.search(
        r"higher is better|better is higher|Higher\s+is\s+better|lower\s+means|neither more nor less",
        " ".join(parts["Returns"].split()),
    )


@pytest.mark.parametrize("name", CARDS)
def test_a_cost_says_how_time_and_memory_grow_and_which_rows_are_read(name):
    cost = sections(CARDS[name])["Cost"]
    assert re.search(r"time\s+O\(", cost, re.I)
    assert re.search(r"memory\s+O\(", cost, re.I)
    if "max_rows" in CARDS[name].partition("Returns\n")[0] and "max_rows" in str(inspect.signature(of(name))):
        assert "`max_rows`" in cost
    elif "votes" not in str(inspect.signature(of(name))):
        assert "All rows are read" in " ".join(cost.split())
    assert not re.search(r"\d (s|ms|seconds|minutes)\b", cost), "seconds are a machine's"


def of(name):
    return dm.udr if name == "udr" else find_metric(name).compute


@pytest.mark.parametrize("name", BUILTIN)
def test_a_card_names_the_paper_that_the_definition_names(name):
    definition = find_metric(name)
    year = definition.source.split()[-1]
    author = re.split(r" and | et al| \d", definition.source)[0]
    references = sections(definition.documentation)["References"]
    assert author in references
    assert year in references


@pytest.mark.parametrize("name", BUILTIN)
def test_a_card_is_printed_with_its_parts_and_facts(name):
    definition, printed = find_metric(name), dm.describe(name)
    assert definition.documentation in printed
    for part in (*PARTS, "Notation: ", "Scores", "Chance and ceiling", f"Source: {definition.source}"):
        assert part in printed
    for score in definition.scores:
        assert f"{score.key}: {score.property}, range [" in printed
    assert ("neither more nor less is better" in printed) == any(
        score.property == "size" for score in definition.scores
    )


@pytest.mark.parametrize("name", ["mig", "dci_completeness", "factor_vae", "r4"])
def test_the_command_prints_the_card(name, capsys, monkeypatch):
    from disentangle_metrics.cli.evaluate import main

    monkeypatch.setattr("sys.argv", ["dm-eval", "--explain", name])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    printed = capsys.readouterr().out.rstrip()
    assert printed == in_shell_words(dm.describe(name)).rstrip()


@pytest.mark.parametrize("name", BUILTIN)
def test_a_card_says_how_a_setting_is_given(name):
    definition = find_metric(name)
    given = re.findall(r"is given as --metrics (.*)", in_shell_words(dm.describe(name)))
    assert len(given) == bool(definition.settings)
    for line in given:
        (request,) = shlex.split(line)
        first, default = next(iter(definition.settings.items()))
        assert request.startswith(f"{name}|{first}:")
        assert dm.Metric.parse(request).settings == {first: default}


def test_the_page_is_what_the_cards_say():
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python -m tools.metrics_page"


def test_every_metric_has_its_place_on_the_page_and_a_line_for_each_score():
    page = render()
    for name in BUILTIN:
        definition = find_metric(name)
        assert page.count(f"\n### `{name}`\n") == 1
        assert f"\n## {group(definition)}\n" in page
        for line in rows(definition):
            assert line.count("|") == 9
            assert line in page
    assert set(re.findall(r"\]\(#(\w+)\)", page)) == {*BUILTIN, "udr"}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("first", "About 0"),
        ("second", "0.5 for two values, 1/K for K"),
        ("third", "`first`"),
    ],
)
def test_the_chance_of_a_score_is_the_beginning_of_its_own_line(key, text):
    body = "`first`: about 0: on\n1,000 rows.\n`second`: 0.5 for two values, 1/K\nfor K."
    card = f"What it is.\n\nChance level\n------------\n{body}\n\nCost\n----\nNone."
    assert chance(card, key) == text


def test_a_card_without_a_part_is_seen():
    assert "Cost" not in sections(CARDS["mig"].replace("Cost\n----\n", ""))
    assert formulas("What it is.\n\nA sentence.\n\nCost\n----\n    indented") == []


def test_the_chance_on_the_cards_is_what_score_finds():
    rng = np.random.default_rng(0)
    latents, factors = rng.normal(size=(2_000, 5)), rng.integers(3, size=(2_000, 4))
    quick = {name: {"votes": (1_000, 1_000)} for name in ("factor_vae", "beta_vae", "z_max_variance")}
    definitions = [find_metric(name) for name in BUILTIN]
    cheap = [
        d.name for d in definitions if d.anchors == "cheap" and not d.needs_posterior and d.name != "d_lsbd"
    ]
    report = dm.score(latents, factors, metrics=[dm.Metric(name, **quick.get(name, {})) for name in cheap])
    bounds = {
        "About 0": (-0.05, 0.05),
        "About 1/K": (0.2, 0.3),
        "0, or about 1 / K": (-0.01, 0.51),
        "About alpha / K": (0.2, 0.25),
        "Of the order of 1 / sqrt(N)": (0.5 / 2_000**0.5, 3 / 2_000**0.5),
        "(log B - H(z*)) / (H(v_k) + log B)": (0.02, 0.3),
        "Well above 0": (0.2, 0.6),
        "Far above 0": (0.2, 0.9),
        "Near 1": (0.95, 1.01),
    }
    pairs = [(name, key) for name in cheap for key in find_metric(name).keys]
    for name, key in pairs:
        words, found = chance(CARDS[name], key), report[key].chance
        if words == "The score itself":
            assert found == report[key].value
            continue
        (low, high), *_ = [bound for text, bound in bounds.items() if words.startswith(text)]
        assert low < found < high, (key, words, found)


def test_a_card_shows_its_lines_at_the_prompt_and_in_a_notebook():
    card = dm.describe("mig")
    assert isinstance(card, str)
    assert repr(card) == str(card)
    assert "\n" in card
    page = card._repr_html_()
    assert page.startswith("<pre")
    assert "&lt;" in Card("a < b")._repr_html_()
    assert page.count("\n") == card.count("\n")


def test_a_key_with_settings_and_a_signature_have_the_card_of_the_metric():
    assert dm.describe("mcc|correlation:spearman") == dm.describe("mcc")
    assert dm.describe("msas|similarity:asc|n:9|def:1") == dm.describe("latent_matching")
