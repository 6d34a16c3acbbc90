"""What a model is and which settings it has, read from its file and its presets, without torch.

Docstrings, signatures and the comments in the presets are the only place where this is written.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from reference_models.models import MODELS
from reference_models.presets import PRESETS

TABLE = re.compile(r"\[(?P<table>[\w.-]+)\](?:\s*#\s*(?P<reason>.*))?")
ENTRY = re.compile(r"(?P<name>\w+) = (?P<value>[^#]*[^#\s])(?:\s*#\s*(?P<reason>.*))?")


@dataclass(frozen=True)
class Card:
    """A model in words.

    Attributes
    ----------
    summary : str
        One line.
    paper : str
        Where it was published; empty if it has no paper of its own.
    settings : dict
        Name -> default and meaning.
    presets : dict
        Table of the preset file, such as ``paper.shapes3d`` -> the reason for it, and of each of
        its model's settings name -> value and reason.
    """

    name: str
    summary: str
    paper: str
    settings: dict[str, tuple[str, str]]
    presets: dict[str, tuple[str, dict[str, tuple[str, str]]]]


def card(model: str) -> Card:
    """The card of a model of :data:`MODELS`."""
    module, _, name = MODELS[model].partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    paragraphs = [" ".join(text.split()) for text in (ast.get_docstring(tree) or "").split("\n\n")]
    meanings = meanings_of(classes, name)
    settings = {
        argument: (default, meanings.get(argument, ""))
        for argument, default in defaults_of(classes, name).items()
        if argument != "image_shape"
    }
    return Card(model, paragraphs[0], paper_in(paragraphs[1]), settings, presets_of(model))


def paper_in(paragraph: str) -> str:
    """The citation that `paragraph` starts with: everything up to its last year, if it has one."""
    years = list(re.finditer(r'(", |, |\w )\b(19|20)\d\d\b', paragraph))
    return paragraph[: years[-1].end()] if years else ""


def defaults_of(classes: dict[str, ast.ClassDef], name: str) -> dict[str, str]:
    """The constructor's arguments and their defaults, as they are written."""
    for node in classes[name].body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            arguments = [argument.arg for argument in node.args.args if argument.arg != "self"]
            defaults = [ast.unparse(default) for default in node.args.defaults]
            return dict(zip(arguments, defaults, strict=True))
    return {}


def meanings_of(classes: dict[str, ast.ClassDef], name: str) -> dict[str, str]:
    """What a class's docstring, or that of its base in the same file, says of each parameter."""
    if name not in classes:
        return {}
    found: dict[str, str] = {}
    for base in classes[name].bases:
        found |= meanings_of(classes, ast.unparse(base))
    documented = (ast.get_docstring(classes[name]) or "").partition("Parameters\n----------\n")[2]
    documented = re.split(r"\n\n\w+\n-+\n", documented)[0]
    for entry in re.split(r"\n(?=\S)", documented):
        names, _, meaning = entry.partition(" : ")
        text = " ".join(meaning.partition("\n")[2].split())
        found |= {one.strip(): text for one in names.split(",")}
    return found


def presets_of(model: str) -> dict[str, tuple[str, dict[str, tuple[str, str]]]]:
    """The tables of a model's own settings in its preset file."""
    tables: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {}
    entries: dict[str, tuple[str, str]] = {}
    for line in (PRESETS / f"{model}.toml").read_text(encoding="utf-8").splitlines():
        if header := TABLE.fullmatch(line):
            name, _, kind = header["table"].rpartition(".")
            entries = {}
            if kind == "model":
                tables[name] = (header["reason"] or "", entries)
        elif entry := ENTRY.fullmatch(line):
            entries[entry["name"]] = (entry["value"], entry["reason"] or "")
    return tables


def listing() -> str:
    """Every model: what it is, its paper, its presets."""
    return "\n\n".join(
        "\n".join([model, *indented(one.summary), *indented(one.paper), *indented(presets_line(one))])
        for model, one in ((model, card(model)) for model in MODELS)
    )


def presets_line(one: Card) -> str:
    general = [name for name in one.presets if "." not in name]
    special = [f"{name.replace('.', ' for ')}" for name in one.presets if "." in name]
    return f"presets: {', '.join([*general, *special])}"


def as_given(preset: str) -> str:
    """The options that a table of the preset file goes with: ``paper.shapes3d`` is no --preset."""
    return preset.replace(".", " with --dataset ")


def settings_text(model: str) -> str:
    """The model's paper, presets and own settings, for the end of its help."""
    one = card(model)
    lines = [*indented(one.summary, ""), *indented(one.paper, ""), "", "Presets:"]
    for preset, (reason, _) in one.presets.items():
        lines += indented(f"{as_given(preset)}: {reason or 'as in its general table'}")
    lines += ["", "Settings of the model (--set NAME=VALUE), with their defaults:"]
    for name, (default, meaning) in one.settings.items():
        lines += [f"  {name} = {default}", *indented(meaning, "      ")]
        users: dict[str, list[str]] = {}  # value and reason -> the presets that have them
        for preset, (_, entries) in one.presets.items():
            if name in entries:
                value, reason = entries[name]
                users.setdefault(f"{value} ({reason})" if reason else value, []).append(as_given(preset))
        chosen = "; ".join(f"{', '.join(presets)}: {value}" for value, presets in users.items())
        lines += indented(f"In {chosen}" if chosen else "", "      ")
    return "\n".join(lines)


def indented(text: str, margin: str = "  ") -> list[str]:
    """`text` in lines that fit a terminal."""
    return textwrap.wrap(text, 88, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
