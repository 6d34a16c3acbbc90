"""The bar: not for short work, not for machines, and never on standard output."""

import sys
import types

import pytest

from disentangle_metrics.kit import progress
from disentangle_metrics.kit.progress import LateProgress


def work() -> None:
    with LateProgress("drawing", 3) as bar:
        for _ in range(3):
            bar.update(1)


@pytest.mark.parametrize("terminal", ["0", "1"])
def test_short_work_shows_nothing(
    terminal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    work()
    assert capsys.readouterr() == ("", "")


def test_long_work_shows_a_bar_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    work()
    shown = capsys.readouterr()
    assert "drawing" in shown.err
    assert shown.out == ""


def test_names_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    with LateProgress("drawing", 1) as bar:
        bar.update(1, "chr:X:155 [/b]")
        bar.say("rs123:A:G [/b]")
    shown = capsys.readouterr().err
    assert "chr:X:155 [/b]" in shown
    assert "rs123:A:G [/b]" in shown


def test_long_work_shows_nothing_where_no_one_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    work()
    assert capsys.readouterr() == ("", "")


def test_a_notebook_gets_a_bar_that_goes_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn: list[str] = []

    class Html:
        def __init__(self, text: str) -> None:
            self.text = text

    class Handle:
        def update(self, page: Html) -> None:
            drawn.append(page.text)

    shown = types.ModuleType("IPython.display")
    shown.HTML, shown.display = Html, lambda page, display_id: Handle()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython.display", shown)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    with LateProgress("<b>", 4) as bar:
        bar.update(3)
        bar.update(1)
    assert drawn == [
        '<progress value="3" max="4" aria-label="&lt;b&gt;"></progress> &lt;b&gt; 75%',
        '<progress value="4" max="4" aria-label="&lt;b&gt;"></progress> &lt;b&gt; 100%',
        "",
    ]
    assert capsys.readouterr() == ("", "")


def test_a_share_moves_a_bar_by_one_in_steps_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, float, float]] = []

    class Bar:
        def draw(self, label: str, done: float, total: float) -> None:
            drawn.append((label, done, total))

        def stop(self) -> None: ...

    monkeypatch.setattr(progress, "PATIENCE", -1.0)
    monkeypatch.setattr(LateProgress, "_show", lambda _: Bar())
    with LateProgress("scoring", 2) as bar:
        bar.update(1, "first")
        share = progress.Share(bar, "second", steps=4)
        for name in ("mig", "mcc"):
            share.update(1, name)
    assert drawn == [("first", 1.0, 2), ("second: mig", 1.25, 2), ("second: mcc", 1.5, 2)]
