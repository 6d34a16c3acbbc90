"""A message to a caller in Python, in the words of the shell.

A message has what a caller writes in Python between backticks: an argument, as in `missing="drop"`, a
setting of a metric, as in `dm.Metric(..., bins=5)`, or one of a data set, as in
`dm.load_dataset(..., side=64)`. Commands pass each message through :func:`in_shell_words` before they
print it. Nothing outside of backticks changes, so names and paths of the caller stay. What is stored keeps
Python's words.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Collection

from disentangle_metrics.text import visible

OPTIONS = {  # of dm-eval and dm-eval compare, by the argument of dm.score, dm.evaluate and dm.compare
    "n_jobs": "--jobs",
    "folder": "--out",
    "trust": "--trust-file",
    **{
        name: f"--{name.replace('_', '-')}"
        for name in (
            *("factors", "latents", "factor_types", "latent_types", "groups", "hierarchy", "missing"),
            *("metrics", "protocol", "seed", "anchors", "confidence", "permutations", "samples", "dataset"),
            *("root", "device", "batch_size", "arch", "model_code", "model_args", "state_key"),
            *("encode_with", "outputs", "scale", "align", "paired"),
        )
    },
}
CALLS = {  # that have words of their own
    "dm.score(latents, factors)": "--latents LATENTS --factors FACTORS",
    "dm.score(latents)": "--latents LATENTS",
    "dm.score": "dm-eval --latents",
    "dm.compare": "dm-eval compare",
    "dm.udr(list_of_latents)": "dm.udr(list_of_latents) in Python",
    "dm.GaussianPosterior(mean, logvar)": (
        "a file with the arrays mean and logvar, or a model with these outputs,"
    ),
    "dm.GaussianPosterior(mean, 2 * numpy.log(std))": (
        "a file with the arrays mean and std, or a model with these outputs"
    ),
    "comparison.to_frame()": "--format csv",
    "latents.sort_index()": "--latents sorted by row label",
    "factors.sort_index()": "--factors sorted by row label",
    ".reset_index(drop=True)": "no row labels",
    "latents.reset_index(drop=True)": "--latents without row labels",
    "factors.reset_index(drop=True)": "--factors without row labels",
}
CODE = re.compile(r"(`{1,2})([^`]+)\1")
FOREIGN = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Warning): ")  # what another library says follows


def in_shell_words(text: str, options: Collection[str] | None = None) -> str:
    """`text` with options where it has Python between backticks; all else stays.

    They are those of ``dm-eval``. A command that has `options` of its own does not name others: what a
    semicolon sets apart goes if it does, and elsewhere Python stays.
    """
    foreign = FOREIGN.search(text)
    own = text[: foreign.start()] if foreign else text
    rest = text[len(own) :]
    if options is None:
        return CODE.sub(lambda found: _said(found[2]) or found[0], own) + rest
    first, *others = _clauses(own)
    last = others[-1:] if rest else []  # it says what the foreign text is
    kept = [clause for clause in others if clause in last or not _lacks(clause, options)]
    return CODE.sub(lambda found: _of(options, found[2]) or found[0], "; ".join([first, *kept])) + rest


def _clauses(text: str) -> list[str]:
    """The text between semicolons, of which those in code are none."""
    cuts = [found for found in re.finditer(rf"{CODE.pattern}|; ", text) if found[0] == "; "]
    starts, ends = [0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _lacks(clause: str, options: Collection[str]) -> bool:
    """Whether a clause speaks of an option that is none of these."""
    return any(_said(found[2]) and not _of(options, found[2]) for found in CODE.finditer(clause))


def _of(options: Collection[str], code: str) -> str | None:
    """As :func:`_said`; None if the option is none of these."""
    said = _said(code)
    option = (said or "").partition(" ")[0]
    return None if option.startswith("--") and option not in options else said


def _said(code: str) -> str | None:
    """A piece of Python as an option, or None where the shell has no word for it."""
    if code in CALLS:
        return CALLS[code]
    said = _option(code)
    return said and visible(said)  # a literal may hold what a terminal obeys


def _option(code: str) -> str | None:
    try:
        match ast.parse(f"f({code})", mode="eval").body:
            case ast.Call(args=[ast.Name(name)], keywords=[]):
                return OPTIONS.get(name)
            case ast.Call(args=[], keywords=[ast.keyword(str(name), value)]) if name in OPTIONS:
                return _argument(name, value)
            case ast.Call(args=[ast.Call(func, [of], [ast.keyword(str(name), value)])], keywords=[]):
                return _setting(ast.unparse(func), _plain(of), name, value)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # a caller's name may hold anything
        pass
    return None


def _argument(name: str, value: ast.expr) -> str | None:
    match value:
        case ast.Constant(True):
            return OPTIONS[name]
        case ast.Constant(False):
            return "--anchors none" if name == "anchors" else None
        case ast.Dict(keys, values):
            parts = [(_plain(k), _plain(v, ":")) for k, v in zip(keys, values, strict=True) if k is not None]
            if any(mark in key for key, _ in parts for mark in "=,;"):
                return None  # the option has no way to say such a name
            pairs = (f"{key}={said}" for key, said in parts)
            return f"{OPTIONS[name]} {shlex.quote((';' if name == 'groups' else ',').join(pairs))}"
    return f"{OPTIONS[name]} {shlex.quote(_plain(value))}"


def _setting(call: str, of: str, name: str, value: ast.expr) -> str | None:
    if isinstance(value, ast.Constant) and value.value is Ellipsis:
        return None  # a line of text cannot say it
    if call == "dm.score" and name in OPTIONS:
        return f"dm-eval {_argument(name, value)}"
    if call == "dm.Metric":
        metric = "METRIC" if of == "..." else of
        return f"--metrics {shlex.quote(f'{metric}|{name}:{_plain(value)}')}"
    if call == "dm.load_dataset":
        return "--data-options " + shlex.quote(f"{name}={_plain(value, '..')}")
    return None


def _plain(value: ast.expr, between: str = ",") -> str:
    """A value of Python as an option or a signature says it; `between` stands between those of a tuple."""
    match value:
        case ast.Constant(constant):
            return "..." if constant is Ellipsis else str(constant)
        case ast.List(several):
            return ",".join(map(_plain, several))
        case ast.Tuple(several):
            inner = between.join(map(_plain, several))
            return f"({inner})" if between == "," else inner
    return ast.unparse(value)
