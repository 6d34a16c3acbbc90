"""The page: whole, offline, escaped, legible, and with the same content as the table."""

from __future__ import annotations

import itertools
import json
import math
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.reporting.details import MOST_ROWS, detail_tables, shares_of_largest
from disentangle_metrics.reporting.palette import MOST_HEAT, PALETTE, contrast, mixed
from disentangle_metrics.reporting.traversals import COLUMNS, IMAGES, pictures
from disentangle_metrics.reporting.view import report_view
from tests.reporting.example import DOLLARS, REPORT, TABLE, UNKIND, score

pytest.importorskip("jinja2")

TEXT = 4.5  # least contrast of text, and of graphics, by WCAG 2 AA
GRAPHICS = 3.0


class Page(HTMLParser):
    """The elements of a page, with their attributes, and the text of those with an id."""

    VOID = frozenset({"meta", "link", "img", "line", "rect", "ellipse", "path"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[tuple[str, str | None]] = []
        self.by_id: dict[str, str] = {}
        self.words = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if "id" in attributes:
            assert attributes["id"] not in self.by_id
            self.by_id[attributes["id"]] = ""
        if tag not in self.VOID:
            self.open.append((tag, attributes.get("id")))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.words += data
        for _, name in self.open:
            if name:
                self.by_id[name] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(REPORT.to_html())


def test_names_are_escaped(page):
    text = REPORT.to_html()
    assert len(page.all("script")) == 1
    assert UNKIND not in text
    assert UNKIND in page.words
    assert DOLLARS in page.words


def test_nothing_is_fetched(page):
    text = REPORT.to_html()
    assert "http:" not in text
    assert "https:" not in text
    assert len(text.encode()) < 2_000_000
    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    for _, attributes in page.elements:
        for name in ("src", "href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))


def test_the_page_says_what_the_table_says(page):
    view = report_view(REPORT)
    for row in view.rows:
        assert row.label in page.by_id["scores"]
        for cell in row.cells:
            assert cell in page.by_id["scores"]
    for remark in view.remarks:
        assert remark.text in page.by_id["remarks"]
    for line in view.legend:
        assert line in page.words
    assert "How far each latent is important for predicting one factor only." in page.words
    assert "Mutual information gap (MIG): how far the best latent of a factor is ahead" in page.words


def test_it_can_be_read_without_seeing_and_used_without_a_mouse(page):
    assert page.all("html")[0]["lang"] == "en"
    assert {"header", "main", "nav", "footer"} <= {tag for tag, _ in page.elements}
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for tag, attributes in page.elements:
        if tag == "th":
            assert attributes["scope"] in ("col", "row", "rowgroup")
        if tag == "svg":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]
        if "aria-labelledby" in attributes:
            assert page.by_id[attributes["aria-labelledby"]]
        if "wide" in attributes.get("class", ""):
            assert attributes["tabindex"] == "0"  # keys can scroll it
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in page.by_id
    assert any(attributes.get("aria-live") == "polite" for _, attributes in page.elements)
    drawn = [svg["aria-label"] for svg in page.all("svg")]
    assert "score 0.688 on a scale from 0 to 1, chance 0.010, ceiling 0.980, interval 0.689 to 0.704" in drawn


def test_a_score_below_0_is_an_arrow_at_the_edge():
    below = dm.Report(
        {"dci_informativeness": score("dci_informativeness", -0.64, "", chance=0.2, range=(-math.inf, 1.0)),
         "explicitness": score("explicitness", -0.1, "", chance=-0.05, interval=(-0.4, 0.3), corrected=-0.2,
                               range=(-math.inf, 1.0))}
    )  # fmt: skip
    drawn = Page(below.to_html())
    assert not drawn.all("ellipse")
    assert len(drawn.all("path")) == 2
    assert [(line["x1"], line["x2"]) for line in drawn.all("line")] == [
        ("0", "100"),
        ("20.0",) * 2,
        ("0", "100"),
        ("0.0",) * 2,  # the corrected score, and chance
        ("0.0",) * 2,
    ]
    assert [(bar["x"], bar["width"]) for bar in drawn.all("rect")] == [("0.0", "30.0")]
    said = "What is below 0 is drawn at the left end, a score as an arrow."
    assert said in drawn.words
    least = score("explicitness", 0.02, "", chance=-0.01, range=(-math.inf, 1.0))
    drawn = Page(dm.Report({"explicitness": least}).to_html())
    assert [line["x1"] for line in drawn.all("line")] == ["0", "0.0"]
    assert said in drawn.words
    assert said not in Page(REPORT.to_html()).words
    assert not Page(REPORT.to_html()).all("path")  # -0.0002 is drawn at 0


def test_what_is_copied_is_what_the_methods_give(page):
    assert json.loads(page.by_id["report-json"]) == REPORT.to_dict()
    assert page.by_id["report-latex"] == REPORT.to_latex()
    assert page.by_id["report-bibtex"] == dm.cite(REPORT).bibtex
    assert page.by_id["report-methods"] == dm.cite(REPORT).methods
    assert page.by_id["report-signatures"].split() == [
        row.score.signature for row in report_view(REPORT).rows
    ]
    assert {button["data-copy"] for button in page.all("button")} <= set(page.by_id)


def test_the_call_or_the_command_is_there(page):
    command = Page(REPORT.with_provenance(command="dm-eval --latents 'a b.npy'").to_html())
    assert command.by_id["report-again"] == "dm-eval --latents 'a b.npy'"
    scored = REPORT.with_provenance(
        dataset="sprites", images=10, image_shape=[64, 64, 1], encoder={"path": "/m/model.pt"}
    )
    again = Page(scored.to_html())
    assert (
        "dm.evaluate(\n    dm.load_encoder('/m/model.pt'),\n    dm.load_dataset('sprites'),\n" in again.words
    )
    assert "model.pt on sprites" in again.words


@pytest.mark.filterwarnings("ignore::disentangle_metrics.ScoreWarning")
def test_the_call_gives_the_report_again():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(90, 3))
    factors = np.column_stack([rng.integers(3, size=90), rng.normal(size=90)])
    latents[0, 0] = np.nan
    metrics = [dm.Metric("mig", bins=7), "mcc", "dci_completeness", dm.Metric("modularity", active=None)]
    types = ["ordinal", "continuous"]
    report = dm.score(
        latents,
        factors,
        metrics=metrics,
        seed=3,
        confidence=0.9,
        replicates=4,
        missing="drop",
        factor_types=types,
    )
    names = {"latents": latents, "factors": factors}
    exec(Page(report.to_html()).by_id["report-again"], names)
    assert names["report"].to_json().partition('"seconds"')[0] == report.to_json().partition('"seconds"')[0]
    alone = dm.score(latents[1:], None, metrics=["total_correlation"])
    exec(Page(alone.to_html()).by_id["report-again"], {**names, "latents": latents[1:]})


def test_a_table_that_several_scores_share_stands_once():
    tables = {table.name: table for table in detail_tables(REPORT)}
    assert list(tables) == ["mutual information", "factor entropy", "score of each factor"]
    assert tables["mutual information"].scores == ("mig", "mig_sup")


def test_the_largest_number_is_the_darkest():
    assert shares_of_largest(TABLE) == [[1.0, 0.25 / 1.5], [0.125 / 1.5, 0.0]]
    assert shares_of_largest(-TABLE) == [[0.0, 0.0], [0.0, 0.0]]


def test_a_wide_code_does_not_make_a_page_too_large():
    rng = np.random.default_rng(0)
    names = [f"z_{i}" for i in range(3000)]
    tables = {f"table {i}": pd.DataFrame(rng.random((3000, 10)), index=names) for i in range(5)}
    wide = dm.Report(
        {"mig": score("mig", 0.5, "compactness", details=tables)},
        shape=(1, 3000, 10),
        latent_names=tuple(names),
    )
    text = wide.to_html()
    assert len(text.encode()) < 2_000_000
    assert "with the largest numbers of 3,000 are shown" in text
    shown = detail_tables(wide)[0].frame
    assert len(shown) == MOST_ROWS
    assert shown.to_numpy().max() == tables["table 0"].to_numpy().max()


def test_colours_contrast_enough():
    assert math.isclose(contrast("#000000", "#ffffff"), 21)
    assert math.isclose(contrast("#767676", "#ffffff"), 4.54, abs_tol=0.005)  # WCAG's own example of AA grey
    assert mixed("#ff0000", "#0000ff", 50) == "#800080"
    for colours in PALETTE.values():
        for ground in ("paper", "panel"):
            for ink in ("ink", "quiet", "accent", "warn"):
                assert contrast(colours[ink], colours[ground]) >= TEXT
            assert contrast(colours["rule"], colours[ground]) >= GRAPHICS
        assert contrast(colours["paper"], colours["accent"]) >= TEXT  # the letters of a button
        for percent in range(MOST_HEAT + 1):
            assert contrast(colours["ink"], mixed(colours["heat"], colours["paper"], percent)) >= TEXT


class Decoder:
    """Latents are the brightness of the left and of the right half."""

    decodes = True

    def __call__(self, images):
        return np.stack([images[..., :2].mean((1, 2, 3)), images[..., 2:].mean((1, 2, 3))], axis=1)

    def decode(self, latents):
        images = np.zeros((len(latents), 4, 4, 1))
        images[:, :, :2] = latents[:, 0, None, None, None]
        images[:, :, 2:] = latents[:, 1, None, None, None]
        return (images * 255).round().astype(np.uint8)


class Halves:
    name = "halves"

    def __len__(self):
        return 40

    def images(self, rows):
        levels = np.array(rows)[:, None, None, None] * 6
        return np.broadcast_to(
            np.concatenate([levels.repeat(2, 2), 255 - levels.repeat(2, 2)], 2), (len(rows), 4, 4, 1)
        ).astype(np.uint8)


def test_a_decoder_gives_reconstructions_and_a_row_for_each_latent():
    pytest.importorskip("PIL")
    drawn = pictures(Decoder(), Halves(), ("left", "right"), {})
    assert [strip.title for strip in drawn.traversals] == ["left", "right"]
    originals, reconstructions = drawn.reconstructions
    assert originals.png == reconstructions.png  # it loses nothing
    assert drawn.reconstructions[0].width < drawn.traversals[0].width
    assert drawn.traversals[0].png != drawn.traversals[1].png
    assert COLUMNS > IMAGES
    page = Page(REPORT.to_html(encoder=Decoder(), dataset=Halves()))
    images = page.all("img")
    assert len(images) == 4
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in images)


def test_an_encoder_alone_gives_no_pictures():
    class Blind:
        decodes = False

    assert pictures(Blind(), Halves(), ("left", "right"), {}) is None
    assert "Traversals" not in REPORT.to_html(encoder=Blind(), dataset=Halves())


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (("left", "right"), {"encoder": Decoder()}, "`encoder` and `dataset` go together"),
        (
            ("left", "middle", "right"),
            {"encoder": Decoder(), "dataset": Halves()},
            "the report is of 3 latents",
        ),
    ],
)
def test_pictures_that_cannot_be_drawn_are_named(names, options, message):
    report = dm.Report(REPORT.scores, shape=(1, len(names), 2), latent_names=names)
    with pytest.raises(dm.InputError, match=message):
        report.to_html(**options)


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(dm.InputError, match=r'needs the package jinja2.*pip install .*\[report\]"'):
        REPORT.to_html()
