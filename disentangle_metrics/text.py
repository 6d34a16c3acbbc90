"""Text of unknown origin, made fit for a terminal; and lists in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

# Control codes, which a terminal obeys; marks that turn the direction of writing, so that a reader sees
# another text; what has no width, so that two names look like one; and halves of characters, which no
# encoding has. Joiners stay: words of some languages are written with them.
UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u206f\ufeff"
    r"\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
CODE = re.compile("`([^`]+)`")  # what a message says in Python
MOST = 2_000  # characters of a message
TAIL = 400  # of them, from the end of a longer one, where the remedy is


def visible(text: str, keep: str = "") -> str:
    r"""`text` with every character that is not seen written out, as ``\x1b``; those in `keep` stay."""

    def written(match: re.Match[str]) -> str:
        character = match[0]
        return (
            character if character in keep else character.encode("unicode_escape", "surrogatepass").decode()
        )

    return UNSEEN.sub(written, text)


def visible_json(text: str) -> str:
    """JSON in which no character is unseen but its own line breaks; it holds the same values."""
    return UNSEEN.sub(lambda match: match[0] if match[0] == "\n" else json.dumps(match[0])[1:-1], text)


def shortened(text: str) -> str:
    """`text` without the middle of what is endless."""
    return text if len(text) <= MOST else f"{text[: MOST - TAIL]} ... {text[-TAIL:]}"


def one_line(text: str) -> str:
    """A message as one line that can be read: no line breaks, nothing unseen, and not endless."""
    return shortened(visible(" ".join(text.split())))


def listed(items: Iterable[str], separator: str = ", ") -> str:
    """The items of a sentence: "a, b and c"; at least one."""
    *most, last = items
    return f"{separator.join(most)} and {last}" if most else last


def some_of(items: Sequence[str], most: int) -> str:
    """The first `most` items of a sentence, and how many others there are: "a, b and 3 more"."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
