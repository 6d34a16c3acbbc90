"""A message to a caller in Python, in the words of the shell: options for arguments, signatures for settings.

Messages name Python's arguments, and some name the option after it in brackets, as in ``missing="drop"
(--missing drop)``. Commands pass each through :func:`in_shell_words` before they print it. What is stored
keeps Python's words. Names and paths of the caller stay, and so does what other libraries say.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

OPTIONS = {  # of dm-eval and dm-eval compare, by the argument of dm.score, dm.evaluate and dm.compare
    "n_jobs": "--jobs",
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
SETTINGS = (  # of metrics, as far as messages name them with a value
    *("active", "affine", "balanced", "bins", "correlation", "cross_fitted", "estimator", "k", "kind"),
    *("limits", "objects", "strategy"),
)
PHRASES = {
    "pass dm.GaussianPosterior(mean, logvar) as latents": (
        "give a file with the arrays mean and logvar, or a model with these outputs"
    ),
    "dm.score(latents, factors)": "--latents LATENTS --factors FACTORS",
    "call dm.udr(list_of_latents)": "call dm.udr(list_of_latents) in Python",
    "dm.score, or dm-eval --latents": "dm-eval --latents",
    "so that dm.compare can": "so that dm-eval compare can",
    "arch= or model_code= (--arch, --model-code)": "--arch or --model-code",
    "(outputs=, encode_with=; --outputs, --encode-with)": "(--outputs, --encode-with)",
    "(outputs=, --outputs)": "(--outputs)",
    "say logvar=": "say --outputs logvar=",
    "pool=2 of load_dataset, or --data-options pool=2, halves": "--data-options pool=2 halves",
    "channels='first' or 'last' (--data-options channels=last)": (
        "--data-options channels=first or channels=last"
    ),
}

NO_PATH = r"""(?![\w/\\=]|\.\w|,\w+=)"""  # what follows a value that is part of a path or a longer name
WORD = rf"""(?:"[^"]*"|'[^']*'|\.\.\.|(?:None|True|False){NO_PATH})"""
NUMBERS = rf"""(?:\([^()]*\)|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?{NO_PATH})"""
VALUE = rf"(?:{WORD}|{NUMBERS})"
MAPPING = r"(?:\{[^{}]*\}|\[[^][]*\])"
# A number is of an argument after these; elsewhere it may be of a name, as in k=3.
ADVICE = "|".join(rf"(?<=\b{words} )" for words in ("pass", "use", "give", "as in", "or"))
ALONE = r"""(?<![\w.:|,=(/\\'"&?-])"""  # not within a name of a data set, a signature, a path or a quotation
PARTS = {
    "foreign": r"\b[A-Z]\w*(?:Error|Exception|Warning): .*",  # with what another library says
    "quotation": r"""(?<!\w)(?:'[^']*'|"[^"]*")(?!\w)""",
    "listed": r"\b(?:known|columns|images): [^;]*|\bnone of [^;]*",
    "file": r"no such file: .*",
    "phrase": "|".join(map(re.escape, PHRASES)),
    "types": rf"""{ALONE}(?P<which>factor|latent)_types=\{{["']?(?P<name>[^{{}}]*?)["']?: """
    r"""["'](?P<type>[^"']*)["']\}(?: \(--(?P=which)-types (?P=name)=(?P=type)\))?""",
    "both": rf"(?P<python>`\w+`|(?<![\w.])[\w.]+\(\)|{ALONE}\w+=(?P<given>{VALUE}|{MAPPING})?|"
    rf"{MAPPING}|\b\w+) "
    r"\((?:on the command line )?(?P<option>(?:dm-eval )?--(?:[^();']|'[^']*')*)(?P<more>;[^()]*)?\)",
    "as_is": r"--[\w-]+(?: [^\s)]+)?",
    "metric": rf"dm\.Metric\('(?P<of>[^']+)', (?P<setting>\w+)=(?P<set_to>{VALUE})\)",
    "names": rf"{ALONE}metrics=\['(?P<metrics>[\w|:.-]+)'\]",
    "own": rf"{ALONE}(?P<advice>{ADVICE})?(?P<own_setting>{'|'.join(SETTINGS)})="
    rf"(?P<own_value>(?(advice){VALUE}|{WORD}))",
    "call": rf"{ALONE}(?P<urged>{ADVICE})?(?P<argument>{'|'.join(OPTIONS)})="
    rf"(?:(?P<value>(?(urged){VALUE}|{WORD}))|(?=[\s);,.]|$))",
    "in_marks": rf"`(?P<quoted>{'|'.join(OPTIONS)})`(?P<none> is None)?",
}
PATTERN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in PARTS.items()))


def in_shell_words(text: str, names: Iterable[str] = ()) -> str:
    """`text` with the options of ``dm-eval`` where it names Python's arguments; all else stays.

    Parameters
    ----------
    text
        A message.
    names
        The caller's own, such as those of factors; they stay, also where one looks like an argument.
    """
    own = "|".join(re.escape(name) for name in names if "=" in name)
    pattern = re.compile(rf"(?<!\w)(?:{own})(?!\w)|{PATTERN.pattern}") if own else PATTERN
    return pattern.sub(_said, text)


def _said(found: re.Match[str]) -> str:
    if found["phrase"]:
        return PHRASES[found[0]]
    if found["both"]:
        return _of_both(found)
    if found["metric"]:
        return f"--metrics '{found['of']}|{found['setting']}:{_plain(found['set_to'])}'"
    if found["types"]:
        name = "NAME" if found["name"] == "..." else found["name"]
        return f"--{found['which']}-types {shlex.quote(name + '=' + found['type'])}"
    if found["names"]:
        return f"--metrics {shlex.quote(found['metrics'])}"
    if found["own"]:
        said = f"{found['own_setting']}:{_plain(found['own_value'])}"
        return said if found["advice"] is None else f"--metrics 'METRIC|{said}'"
    if found["argument"]:
        value = "" if found["value"] is None else f" {shlex.quote(_plain(found['value']))}"
        return OPTIONS[found["argument"]] + value
    if found["quoted"]:
        return OPTIONS[found["quoted"]] + (" is not given" if found["none"] else "")
    return found[0]


def _of_both(found: re.Match[str]) -> str:
    """The option, with the value where Python's words alone say it; other words stay."""
    python, option = found["python"], found["option"]
    if re.fullmatch(r"\w+", python) and OPTIONS.get(python) != option:
        return found[0]
    value = found["given"]
    if value is not None and value != "True" and value[0] not in "{[" and " " not in option:
        option += f" {shlex.quote(_plain(value))}"
    return option + (f" ({found['more'].lstrip('; ')})" if found["more"] else "")


def _plain(value: str) -> str:
    """A value of Python as an option or a signature says it."""
    return value.strip("\"'").replace(", ", ",")
