"""The version, the changelog and the citation agree on what is released."""

from __future__ import annotations

import re
from pathlib import Path

import disentangle_metrics as dm

ROOT = Path(__file__).parents[1]


def disagreement(version: str, changelog: str, citation: str) -> str:
    """What does not agree, in a line; "" if all does."""
    sections = re.findall(r"^## (.+)$", changelog, re.M)
    if not sections or sections[0] != "Unreleased":
        return "the changelog does not begin with Unreleased"
    cited = tuple(re.findall(rf"^{field}: (\S+)$", citation, re.M) for field in ("version", "date-released"))
    if len(sections) == 1:
        return "nothing is released, but the citation names a release" if any(cited) else ""
    last = re.fullmatch(r"(\d+\.\d+\.\d+) \((\d{4}-\d\d-\d\d)\)", sections[1])
    if last is None:
        return f"a released section has its version and its date, found {sections[1]!r}"
    if cited != ([last[1]], [last[2]]):
        return f"the citation is not of the last release, {sections[1]}"
    as_numbers = [tuple(map(int, number.split("."))) for number in (version, last[1])]
    return "" if as_numbers[0] >= as_numbers[1] else f"the version {version} is older than the last release"


def test_the_files_agree_on_what_is_released() -> None:
    changelog, citation = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("CHANGELOG.md", "CITATION.cff")
    )
    assert disagreement(dm.__version__, changelog, citation) == ""


def test_a_disagreement_is_named() -> None:
    first = "# Changelog\n\n## Unreleased\n"
    released = f"{first}\n## 0.2.0 (2027-01-31)\n\n## 0.1.0 (2026-12-01)\n"
    cited = "title: a\nversion: 0.2.0\ndate-released: 2027-01-31\n"
    assert disagreement("0.1.0", first, "title: a\n") == ""
    assert "nothing is released" in disagreement("0.1.0", first, cited)
    assert disagreement("0.2.0", released, cited) == ""
    assert disagreement("0.3.0", released, cited) == ""
    assert "older" in disagreement("0.1.0", released, cited)
    assert "not of the last release" in disagreement("0.2.0", released, cited.replace("0.2.0", "0.1.0"))
    assert "not of the last release" in disagreement("0.2.0", released, "title: a\n")
    assert "its date" in disagreement("0.2.0", f"{first}\n## 0.2.0\n", cited)
    assert "begin with" in disagreement("0.2.0", "# Changelog\n\n## 0.2.0 (2027-01-31)\n", cited)
