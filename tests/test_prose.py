"""The pages can be read: short sentences, counted over prose alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    ROOT / "tests" / "benchmarks" / "README.md",
    ROOT / "tests" / "data" / "reference2" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
MOST_WORDS = 17  # mean words a sentence
LONG, MOST_LONG = 30, 0.10  # share of sentences with more words than that


def sentence_lengths(page: str) -> list[int]:
    """Words of each sentence: no code blocks, tables, headings or pictures; a link is its text, code one word."""
    page = re.sub(r"```.*?```|<!--.*?-->", "", page, flags=re.S)
    page = "\n".join("" if re.match(r"\s*(\||#|!\[|>|\$\$)", line) else line for line in page.splitlines())
    page = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", page)
    page = re.sub(r"`[^`]*`", "code", page)
    paragraphs = re.split(r"\n\s*\n|\n\s*(?:[-*+]|\d+\.)\s+", page)
    sentences = [
        sentence
        for paragraph in paragraphs
        for sentence in re.split(r"(?<=[.!?])\s+(?=[\"'(*A-Z])", " ".join(paragraph.split()))
    ]
    return [words for sentence in sentences if (words := len(sentence.split())) >= 4]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_short_sentences(page: Path) -> None:
    lengths = sentence_lengths(page.read_text(encoding="utf-8"))
    assert sum(lengths) / len(lengths) <= MOST_WORDS
    assert sum(words > LONG for words in lengths) / len(lengths) <= MOST_LONG


def test_prose_alone_is_counted() -> None:
    page = """# A heading of many words that is not counted

One two three four. Five `six seven` eight
nine [ten eleven](http://example.org/twelve)!

| a | table of words |

![a picture](of.png)

Here is a list:
- An item with five words
- Another item. Too short.

```
code that is not counted at all
```
"""
    assert sentence_lengths(page) == [4, 6, 4, 5]
