"""The values of ``dm-eval``'s options: what the text of each means."""

from __future__ import annotations

import ast
import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from disentangle_metrics.kit.commands import UsageError

LATENTS, FACTORS = "--latents", "--factors"
SAMPLES = 10_000  # images that are encoded where no number is given


def name_list(option: str, text: str) -> list[str]:
    """Names with commas between them."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError(f"{option} needs at least one name")
    return names


def metric_list(text: str) -> list[str]:
    """Names and signatures; a comma within brackets belongs to a signature, as in votes:(800,800)."""
    open_brackets, parts = 0, [""]
    for character in text:
        open_brackets += (character in "([") - (character in ")]")
        if character == "," and not open_brackets:
            parts.append("")
        else:
            parts[-1] += character
    metrics = [part.strip() for part in parts if part.strip()]
    if not metrics:
        raise UsageError("--metrics needs at least one name")
    return metrics


def named_file(text: str) -> tuple[str, str]:
    """The name and the file of NAME=FILE; no name if the whole means files or its = is in a folder's name."""
    name, equals, rest = text.partition("=")
    if not (name and equals) or {"/", os.sep} & set(name):
        return "", text
    from disentangle_metrics.files.arrays import split_names

    whole = split_names(text)[0]
    in_folder = len(whole.parts) > 1 and Path(whole.parts[0]).is_dir()
    return ("", text) if whole.exists() or in_folder or glob.glob(text) else (name, rest)


def short_names(paths: Sequence[tuple[str, ...]]) -> list[str]:
    """A name for each path, given as its parts: the last, with as many folders before it as tell all apart.

    The same path given twice keeps one name.
    """
    for depth in range(1, max(map(len, paths), default=0) + 1):
        names = ["/".join(parts[-depth:]) for parts in paths]
        if len(set(names)) == len(names):
            return names
    return ["/".join(parts) for parts in paths]


def pairs(option: str, form: str, text: str) -> dict[str, str]:
    """NAME=VALUE pairs with commas between them; `form` is what a message shows."""
    split = [pair.partition("=") for pair in name_list(option, text)]
    for name, equals, value in split:
        if not (name and equals and value):
            raise UsageError(f"{option} must be {form}; got {text!r}")
    names = [name.strip() for name, _, _ in split]
    _refuse_twice(option, names, text)
    return {name.strip(): value.strip() for name, _, value in split}


def model_args(text: str) -> dict[str, Any]:
    """NAME=VALUE pairs, where a value may hold commas; Python's literals are read as such."""
    split = [pair.partition("=") for pair in re.split(r",(?=\s*[A-Za-z_]\w*\s*=)", text)]
    if not all(name.strip().isidentifier() and value.strip() for name, _, value in split):
        raise UsageError(f"--model-args must be NAME=VALUE,..., such as latent_dim=10; got {text!r}")
    names = [name.strip() for name, _, _ in split]
    _refuse_twice("--model-args", names, text)
    return {name: _literal(value.strip()) for name, (_, _, value) in zip(names, split, strict=True)}


def types(option: str, text: str) -> dict[str, str]:
    """The type of each factor or latent that has one."""
    return pairs(option, "NAME=TYPE,..., such as age=continuous", text)


def hierarchy(text: str) -> dict[str, tuple[str, str]]:
    """The switch of each factor that does not exist everywhere, and the value under which it exists."""
    form = "FACTOR=SWITCH:VALUE,..., such as phase=shape:moon"
    split = {name: value.partition(":") for name, value in pairs("--hierarchy", form, text).items()}
    if not all(switch and colon and value for switch, colon, value in split.values()):
        raise UsageError(f"--hierarchy must be {form}; got {text!r}")
    return {name: (switch, value) for name, (switch, _, value) in split.items()}


def data_options(text: str) -> dict[str, int | str]:
    """NAME=VALUE pairs; whole numbers are read as such."""
    split = pairs("--data-options", "NAME=VALUE,..., such as pad=2", text)
    return {name: int(value) if value.lstrip("-").isdigit() else value for name, value in split.items()}


def samples(text: str | None) -> int | None:
    """How many images; None for all."""
    if text is None:
        return SAMPLES
    if text == "all":
        return None
    try:
        return int(text.replace("_", "").replace(",", ""))
    except ValueError:
        raise UsageError(f"--samples must be a number or all, got {text!r}") from None


def model_and_latents(
    loose: Sequence[str], latents: Sequence[str], arguments: Sequence[str]
) -> tuple[str | None, list[str]]:
    """The MODEL, and the files of latents: also those that follow on --latents, as a pattern gives them.

    Parameters
    ----------
    loose
        Arguments that belong to no option.
    latents
        Values of --latents.
    arguments
        All arguments as they were typed.

    Raises
    ------
    UsageError
        If several models or several files of factors are given.
    """
    start = next((place for place, text in enumerate(arguments) if text.split("=")[0] == LATENTS), None)
    before = [text for text in loose if start is None or text in arguments[:start]]
    if len(before) > 1:
        raise UsageError(
            f"one MODEL at a time, got {', '.join(before)}; arrays go with --latents FILE --factors FILE"
        )
    more = [text for text in loose if text not in before]
    for text in more:
        option, value = _option_before(text, arguments)
        there = Path(text).exists()
        if option == FACTORS and (there or Path(value).exists()):
            raise UsageError(
                f"{option} takes one file, and {text!r} stands after {option} {value}; put the columns into "
                f"one table, or write a file of latents after {LATENTS}"
            )
        if not there and option != LATENTS:
            raise UsageError(f"{text!r} stands apart from {option}; write {option} {value},{text}")
    return (before[0] if before else None), [*latents, *more]


def _option_before(text: str, arguments: Sequence[str]) -> tuple[str, str]:
    """The option that a list belongs to whose items stand apart, and its value; latents if there is none."""
    before = list(arguments[: arguments.index(text)])
    while before and not before[-1].startswith("--"):
        before.pop()
    option, equals, value = before[-1].partition("=") if before else ("", "", "")
    if option not in ("--metrics", FACTORS, "--drop-columns"):
        return LATENTS, ""
    return option, value if equals else arguments[len(before)]


def _refuse_twice(option: str, names: Sequence[str], text: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{option} names {name!r} twice; got {text!r}")


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)
