"""dm-reproduce: options that would be ignored are refused."""

from __future__ import annotations

import pytest
import typer

from disentangle_metrics.kit import OnceCommand
from reference_models.cli import reproduce, train


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--plan mini --plan small", "--plan is given twice"),
        ("estimate --plan mini --plan small", "--plan is given twice"),
    ],
)
def test_what_would_be_ignored_is_refused(
    line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce.run(line.split()) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


@pytest.mark.parametrize("app", [train.app, reproduce.app])
def test_every_command_refuses_an_option_that_is_given_twice(app: typer.Typer) -> None:
    assert all(isinstance(each, OnceCommand) for each in typer.main.get_command(app).commands.values())  # type: ignore[attr-defined]
