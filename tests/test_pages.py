"""The pages that explain: their Python runs and prints what is shown, and every call that a table names works."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

import disentangle_metrics as dm
from disentangle_metrics.metrics import METRICS
from disentangle_metrics.scoring.protocols import PROTOCOLS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [
    "first_score",
    "protocols",
    "identifiability",
    "scoring_a_model",
    "plug_ins",
    "coming_from",
    "hierarchy",
]
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", re.S)


def text_of(page: str) -> str:
    return (DOCS / f"{page}.md").read_text(encoding="utf-8")


def words(text: str) -> list[list[str]]:
    """The words of each line: how a table is padded depends on the terminal."""
    return [line.split() for line in text.strip().splitlines()]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_and_prints_what_it_shows(page, tmp_path, monkeypatch):
    if "import torch" in text_of(page):
        pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    names: dict[str, object] = {}
    blocks = BLOCK.findall(text_of(page))
    assert blocks
    try:
        for code, shown in blocks:
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(code, f"docs/{page}.md", "exec"), names)
            if "print(" in code:
                assert words(printed.getvalue()) == words(shown)
    finally:
        for name in ("best_latent_information", "best_correlation"):
            METRICS.remove(name)


def calls() -> list[str]:
    """Every call of ours in the tables of the page for people who come from other code, once."""
    found = re.findall(r"`(dm\.[^`]*)`", text_of("coming_from"))
    return list(dict.fromkeys(call for call in found if "..." not in call and "dsprites" not in call))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "call", [pytest.param(call, marks=[pytest.mark.slow] * ("forest" in call)) for call in calls()]
)
def test_a_call_that_replaces_another_works(call):
    names: dict[str, object] = {}
    exec(BLOCK.findall(text_of("coming_from"))[0][0], names)
    value = eval(call, names)
    if isinstance(value, dm.Report):
        assert all(score.value == score.value for score in value.values())
    else:
        assert value is not None
        if isinstance(value, dm.Score):
            assert value.value == value.value, value.reason


def test_calls_were_found():
    assert len(calls()) > 30


def test_every_protocol_is_on_its_page():
    assert set(re.findall(r"^\| `(\w+)` \|", text_of("protocols"), re.M)) >= set(PROTOCOLS)


def test_the_first_page_lists_every_page_once():
    listed = re.findall(r"\]\((\w+)\.md\)", text_of("index").partition("## Score")[2])
    assert sorted(listed) == sorted(path.stem for path in DOCS.glob("*.md") if path.stem != "index")


def test_the_menu_lists_every_page():
    menu = (DOCS.parent / ".config" / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r": (\w+\.md)$", menu, re.M)
    assert sorted(listed) == sorted(path.name for path in DOCS.glob("*.md"))


def test_every_name_of_the_api_page_is_there(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")  # Keras is there without its default backend
    for name in re.findall(r"^::: ([\w.]+)$", text_of("api"), re.M):
        module, _, attribute = name.rpartition(".")
        try:
            assert hasattr(__import__(module, fromlist=[attribute]), attribute)
        except ModuleNotFoundError:
            pytest.fail(f"docs/api.md names {name}, which is not there")
        except dm.InputError as error:
            if "which is not installed" not in str(error):  # its extra, without which it cannot be read
                raise


def test_the_page_of_the_python_api_has_every_public_name():
    listed = {line.rpartition(".")[2] for line in text_of("api").splitlines() if line.startswith("::: ")}
    public = {name for name in dm._WHERE if not is_an_exception(getattr(dm, name))}
    assert public <= listed
    assert "`dm.plot`" in text_of("api")
    assert "::: disentangle_metrics.errors" in text_of("api")


def is_an_exception(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)
