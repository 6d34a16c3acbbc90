"""Messages in the words of the shell: what becomes an option, what stays, and that none speaks Python."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

import disentangle_metrics as dm
from disentangle_metrics.cli import compare, evaluate
from disentangle_metrics.kit.shell_words import OPTIONS, in_shell_words
from disentangle_metrics.text import visible

PACKAGE = Path(dm.__file__).parent
PYTHON_ALONE = {  # rooms and files whose messages answer to calls that no command makes
    *("integrations", "plot", "streams", "tracking.py", "inputs/annotated.py", "inputs/arrays.py"),
    "estimators/probes/boosted_trees.py",
}
NO_MESSAGE = {  # texts that are Python and are shown as such
    *("reporting/again.py", "scoring/citing.py", "kit", "cli"),
}
PYTHON_CALLS = {  # what no command can do in their place
    *(
        "dm.Benchmark.from_json",
        "dm.evaluate",
        "dm.evaluate(model, images, factors)",
        "dm.evaluate(model, [(inputs, factors)])",
        "dm.load_dataset('x')",
        "dm.load_encoder(x)",
        "dm.Report.from_json(path)",
    ),
    *("dm.Metric", "dm.Metric('x', x=...)", "@dm.metric"),
    *("dm.datasets.from_arrays(images, factors)", "dm.datasets.from_arrays(images, factors, x)"),
    "dm.load_dataset(..., x)",  # x is channels='last' or value_range=(0, 255), for which there is an option
}
SETTINGS = {
    name for metric in dm.list_metrics() for name in inspect.signature(getattr(dm, metric)).parameters
}
BARE = re.compile(rf"(?<![\w.:|,=(-])(?:{'|'.join({*OPTIONS, *SETTINGS})})=|\(--[a-z]|\bdm\.[A-Za-z]")


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ('pass `missing="drop"` to leave', "pass --missing drop to leave"),
        ("pass `dm.Metric(..., active=None)` to count", "pass --metrics 'METRIC|active:None' to count"),
        ("as in `dm.Metric('mig', bins=5)`", "as in --metrics 'mig|bins:5'"),
        ("as in `dm.Metric(..., limits=(-8, 8))`", "as in --metrics 'METRIC|limits:(-8,8)'"),
        ("as in `factor_types={'a b': \"KIND\"}`", "as in --factor-types 'a b=KIND'"),
        ("`latent_types={'NAME': 'categorical'}`", "--latent-types NAME=categorical"),
        ("such as `groups={'a': [0, 1], 'b': [2]}`", "such as --groups 'a=0,1;b=2'"),
        ('`hierarchy={"phase": ("shape", "moon")}`: a factor', "--hierarchy phase=shape:moon: a factor"),
        ("`n_jobs` must be", "--jobs must be"),
        ("`folder`: cannot write to o", "--out: cannot write to o"),
        ("pass `align=True` to", "pass --align to"),
        ("unless `anchors=False`", "unless --anchors none"),
        ("under `state_key='ema'`; its", "under --state-key ema; its"),
        ("`outputs={'mean': 'NAME', 'logvar': 'X'}`", "--outputs mean=NAME,logvar=X"),
        ("ask for it by name, `metrics=['dci_es']`", "ask for it by name, --metrics dci_es"),
        ("`dm.load_dataset(..., side=64)` cuts", "--data-options side=64 cuts"),
        ("again with `dm.score(..., confidence=0.95)`", "again with dm-eval --confidence 0.95"),
        ("under `state_key='a\\x1bb\\n'`", r"under --state-key 'a\x1bb\n'"),
        ("`dm.load_dataset(..., value_range=(0, 255))`", "--data-options value_range=0..255"),
        ("`dm.load_dataset(..., channels='last')`", "--data-options channels=last"),
        (
            "check the order: `dm.score(latents, factors)`",
            "check the order: --latents LATENTS --factors FACTORS",
        ),
    ],
)
def test_arguments_become_options_and_settings_signatures(python: str, shell: str) -> None:
    assert in_shell_words(python) == shell
    assert in_shell_words(shell) == shell


@pytest.mark.parametrize(
    "text",
    [
        "`bins` must be a whole number from 2",
        "`latents.T` is one",
        "`dm.evaluate(model, images, factors)`",
        "`factor_types={'a",
        "`lambda: (`",
        "`factor_types={'a=b': 'circular'}`",  # which the option has no way to say
        "`align=False`",
        "a line that `breaks within\nit` stays",
        "dm-eval: failed: RuntimeError: the disk is on fire (--debug shows where)",
        "failed: vae: TypeError: forward() takes outputs=None, groups=4 and missing='drop'",
        "failed: vae: TypeError: forward() takes `outputs=None`, not `factors`",
        "Use `trust_remote_code=True`",
        f"`missing={'-' * 1800}1`",
        "no such file: runs/lr=1,seed=3,k=4/z.npy",
    ],
)
def test_all_else_stays(text: str) -> None:
    assert in_shell_words(text) == text


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ("no range; save them; or say it: `dm.load_dataset(..., side=64)`; or as `scale` says", "no range; save them"),
        ("out of memory; use a smaller `batch_size`", "out of memory; use a smaller --batch-size"),
        ("`scale=3` is no scale; give `device`", "`scale=3` is no scale; give --device"),
        ("x; again with `dm.score(..., seed=1)`", "x; again with dm-eval --seed 1"),
        ("x; `lambda: (`; `active=3`", "x; `lambda: (`; `active=3`"),
        ("y; `scale='a; b'`; z", "y; z"),
        ("y; pass `pool=2` (`scale`): KeyError: 'a; `scale`'", "y; pass `pool=2` (`scale`): KeyError: 'a; `scale`'"),
    ],
)  # fmt: skip
def test_a_command_names_its_own_options_alone(python: str, shell: str) -> None:
    assert in_shell_words(python, {"--batch-size", "--device"}) == shell


@given(st.text(st.characters(exclude_characters="`")))
def test_nothing_changes_outside_of_backticks(text: str) -> None:
    assert in_shell_words(text) == text
    assert in_shell_words(f"{text}`missing`{text}") == f"{text}--missing{text}"


@given(st.text(st.characters(exclude_characters="`=,;"), min_size=1))
def test_a_name_of_the_caller_stays_whole_within_an_option(name: str) -> None:
    said = in_shell_words(f"`factor_types={{{name!r}: 'circular'}}`")
    assert said == visible(f"--factor-types {shlex.quote(name + '=circular')}")


def test_the_options_are_those_of_the_commands() -> None:
    apps = (evaluate.app, compare.app)
    known = {name for app in apps for option in typer.main.get_command(app).params for name in option.opts}
    assert set(OPTIONS.values()) <= known


def test_every_message_says_its_python_between_backticks() -> None:
    found = {f"{place}: {text}" for place, text in messages() if BARE.search(_without_code(text))}
    assert not found
    assert any("`dm.Metric(..., active=None)`" in text for _, text in messages())  # it does read them


def test_the_shell_has_words_for_what_stands_between_backticks() -> None:
    left = re.compile(r"`(\w+=[^`]*|@?dm\.[^`]*)`")
    found = {code for _, text in messages() for code in left.findall(in_shell_words(text))}
    assert found == PYTHON_CALLS


def _without_code(text: str) -> str:
    return re.sub("`[^`]*`", "", text)


def messages() -> Iterator[tuple[str, str]]:
    """Texts of the source that are no docstrings, with 'x' for what is filled in."""
    for file in sorted(PACKAGE.rglob("*.py")):
        place = file.relative_to(PACKAGE).as_posix()
        if {place, place.partition("/")[0]} & (PYTHON_ALONE | NO_MESSAGE):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        skipped = {id(part) for node in ast.walk(tree) for part in _said_elsewhere(node)}
        for node in ast.walk(tree):
            if id(node) not in skipped and (text := _text(node)) and " " in text.strip():
                yield f"{place}:{node.lineno}", text


def _said_elsewhere(node: ast.AST) -> list[ast.AST]:
    """Docstrings, and the parts of a text that has something filled in."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return [node.value]
    return [part for part in ast.walk(node) if part is not node] if isinstance(node, ast.JoinedStr) else []


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    return "".join(
        str(part.value)
        if isinstance(part, ast.Constant)
        else ("'x'" if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") else "x")
        for part in node.values
    )
