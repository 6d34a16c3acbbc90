"""Messages in the words of the shell: what becomes an option, what stays, and that none speaks Python."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import disentangle_metrics as dm
from disentangle_metrics.cli import compare, evaluate
from disentangle_metrics.kit.shell_words import OPTIONS, SETTINGS, in_shell_words

PACKAGE = Path(dm.__file__).parent
ROOMS = ("checks.py", "evaluation.py", "estimators", "inputs", "metrics", "relations", "scoring")
PYTHON_ALONE = {  # files that speak of objects or calls, which a shell has none of
    *("inputs/annotated.py", "inputs/arrays.py", "metrics/__init__.py", "metrics/cards.py"),
    *("estimators/probes/boosted_trees.py", "scoring/functions.py"),
}
NO_OPTION = {  # messages of calls that no command makes
    "of_images": "own images need --factors: dm.evaluate(model, images, factors)",
    "of_names": "--dataset is the name 'x'; pass dm.load_dataset('x')",
    "of_options": "it is a setting of a metric: dm.Metric('x', x=...); ",
    "of_objects": "--metrics must hold names or dm.Metric objects, got x",
    "of_models": "; only dm.evaluate knows the layers of a model",
    "of_a_value": "the signature names x:x, which a line of text cannot bring back: pass dm.Metric('x', x=...)",
    "of_udr": "'udr' compares several models: call dm.udr(list_of_latents) in Python",
}
METRIC_SETTINGS = {
    name for metric in dm.list_metrics() for name in inspect.signature(getattr(dm, metric)).parameters
}
ARGUMENTS = "|".join({*OPTIONS, *METRIC_SETTINGS})
PYTHON = re.compile(rf"\bdm\.[A-Za-z]\w*|`(?:{'|'.join(OPTIONS)})`|(?<![\w.:|,=(-])(?:{ARGUMENTS})=")


@pytest.mark.parametrize(
    ("python", "shell"),
    [
        ('pass missing="drop" (--missing drop) to leave', "pass --missing drop to leave"),
        ("pass active=None to count", "pass --metrics 'METRIC|active:None' to count"),
        (
            "use strategy='quantile' or estimator='nearest_neighbours', or look",
            "use --metrics 'METRIC|strategy:quantile' or --metrics 'METRIC|estimator:nearest_neighbours', or look",
        ),
        ("limits, as in limits=(-8, 8)", "limits, as in --metrics 'METRIC|limits:(-8,8)'"),
        ("cross_fitted=True needs 10 rows", "cross_fitted:True needs 10 rows"),
        ("as in dm.Metric('mig', bins=5)", "as in --metrics 'mig|bins:5'"),
        (
            'declare it, as in factor_types={"a b": "KIND"} (--factor-types a b=KIND)',
            "declare it, as in --factor-types 'a b=KIND'",
        ),
        ('needs factor_types={"a b": "circular:360"}', "needs --factor-types 'a b=circular:360'"),
        ("latent_types={...: 'categorical'}", "--latent-types NAME=categorical"),
        ("`factors` is None, but mig", "--factors is not given, but mig"),
        ("`n_jobs` must be", "--jobs must be"),
        ("leave out root (--root)", "leave out --root"),
        ("pass align=True (--align) to", "pass --align to"),
        ("state_key='ema' (--state-key); its", "--state-key ema; its"),
        ("outputs= (--outputs mean=NAME; or places)", "--outputs mean=NAME (or places)"),
        ("such as {'a': [0]} (--groups 'a=0;...')", "such as --groups 'a=0;...'"),
        ("ask for it by name, metrics=['dci_es']", "ask for it by name, --metrics dci_es"),
    ],
)
def test_arguments_become_options_and_settings_signatures(python: str, shell: str) -> None:
    assert in_shell_words(python) == shell
    assert in_shell_words(shell) == shell


@pytest.mark.parametrize(
    "text",
    [
        "say which has the factors (--data-options factors=labels.csv)",
        "correlated:factors=posX+posY,sigma=0.2",
        "sprites|colour:seed=1 has no image",
        "dm-eval: failed: RuntimeError: the disk is on fire (--debug shows where)",
        "no such file: seed=3/z.npy",
        "no such file: runs/seed=3/z.npy",
        "no such file: runs/lr=1,seed=3,k=4/z.npy",
        "no such file: seed=3,k=4/z.npy",
        "no such file: seed=3.npz",
        "--outputs must be mean=NAME; got 'k=v'",
        'the column "seed=3" is constant',
        "`bins` must be a whole number from 2",
        "factor 'seed (x)' is constant; leave it out",
        "--model-args latent_dim=10",
        "--model-args affine=True, k=3",
        "failed: RuntimeError: Expected Tensor(1., device='cuda:0') with groups=4 and scale=None",
        "failed: vae: TypeError: forward() takes outputs=None, not `factors`",
        "no such file: runs of k=None best",
        "--factors has no column 'my seed=None'; known: kind='a', seed=None; pass one",
        "left out, since they exist in none of these 10 images: scale=None, kind=None",
        "latent k=3 lies outside; factor scale=1 is constant",
        "see https://example.org/page?seed=3&k=4",
    ],
)
def test_all_else_stays(text: str) -> None:
    assert in_shell_words(text) == text


def test_own_names_stay_within_a_message_too() -> None:
    text = 'column scale=None: pass missing="drop" or factor_types={"k=True": "ordinal"}'
    said = "column scale=None: pass --missing drop or --factor-types k=True=ordinal"
    assert in_shell_words(text, ("posX", "scale=None", "k=True")) == said


def test_the_options_are_those_of_the_commands_and_the_settings_those_of_metrics() -> None:
    apps = (evaluate.app, compare.app)
    known = {name for app in apps for option in typer.main.get_command(app).params for name in option.opts}
    assert set(OPTIONS.values()) <= known
    assert set(SETTINGS) <= METRIC_SETTINGS


def test_no_message_of_scoring_speaks_python_to_the_shell() -> None:
    """A message that does: name its option after it, as `(--option ...)`, or add a phrase to shell_words."""
    found = {
        f"{place}: {said}"
        for place, text in messages()
        if PYTHON.search(said := in_shell_words(text)) and said not in NO_OPTION.values()
    }
    assert not found
    assert any("active=None" in text for _, text in messages())  # it does read them


def messages() -> Iterator[tuple[str, str]]:
    """Texts of the source that are no docstrings, with x for what is filled in."""
    files = [file for room in ROOMS for file in sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / room]]
    for file in files:
        place = file.relative_to(PACKAGE).as_posix()
        if place in PYTHON_ALONE:
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
