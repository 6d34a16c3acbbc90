"""What is deprecated says since when and until when, works until then, and is gone in time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import disentangle_metrics as dm
from disentangle_metrics import deprecations
from disentangle_metrics.deprecations import RENAMED, Deprecation

ROOT = Path(__file__).parents[1]
OLD = Deprecation("information_gap", "mig", "0.2.0", "0.4.0", date(2027, 6, 30))


def faults(deprecation: Deprecation, version: str, changelog: str) -> list[str]:
    """What is wrong with a deprecation that the package of this version holds."""
    since, gone, now = (
        tuple(map(int, number.split("."))) for number in (deprecation.since, deprecation.gone, version)
    )
    return [
        fault
        for fault, is_so in {
            "is still there": now >= gone,
            "goes before a second version has said so": gone[:2] < (since[0], since[1] + 2)
            and gone[0] == since[0],
            "is not in the changelog": deprecation.old not in changelog,
        }.items()
        if is_so
    ]


def test_the_message_has_version_and_date():
    assert str(OLD) == (
        "information_gap is deprecated since 0.2.0: write mig. It goes with 0.4.0, not before 2027-06-30"
    )


def test_an_old_name_works_and_warns_where_it_is_used(monkeypatch):
    monkeypatch.setattr(deprecations, "RENAMED", {"information_gap": OLD})
    with pytest.warns(DeprecationWarning, match="write mig") as caught:
        assert dm.information_gap is dm.mig
    assert caught[0].filename == __file__
    assert "information_gap" not in dir(dm)


@pytest.mark.filterwarnings("error")
def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="'disentangle_metrics' has no attribute 'information_gap'"):
        dm.information_gap  # noqa: B018


def test_what_is_deprecated_goes_in_time():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert {
        old: fault for old, entry in RENAMED.items() if (fault := faults(entry, dm.__version__, changelog))
    } == {}


def test_a_faulty_deprecation_is_found():
    assert faults(OLD, "0.3.9", "`information_gap` is deprecated") == []
    assert faults(OLD, "0.4.0", "information_gap") == ["is still there"]
    hasty = Deprecation("information_gap", "mig", "0.2.0", "0.3.0", date(2027, 6, 30))
    assert faults(hasty, "0.2.0", "") == [
        "goes before a second version has said so",
        "is not in the changelog",
    ]
