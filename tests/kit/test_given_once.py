"""An option that is given twice is refused, but for those that may be repeated."""

from __future__ import annotations

import pytest
import typer

from disentangle_metrics.cli import compare, data, evaluate
from disentangle_metrics.kit import OnceCommand, run_command


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--latents z.npy --metrics mig --metrics sap", "--metrics is given twice; give it once, as --metrics NAME,..."),
        ("--latents z.npy --factor-types a=ordinal --factor-types=b=ordinal", "as --factor-types NAME=TYPE,..."),
        ("--latents z.npy --json a.json --json b.json", "--json is given twice; give it once (see"),
        ("--latents a.npy --latents b.npy --factors v.csv --factors w.csv", "--factors is given twice"),
        ("m.pt --dataset sprites --model-code a:b --model-args a=1,a=2", "--model-args names 'a' twice"),
    ],
)  # fmt: skip
def test_dm_eval_takes_no_option_twice(line, message, capsys):
    assert run_command(evaluate.app, "dm-eval", line.split()) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    ("app", "line", "message"),
    [
        (compare.app, "a.json b.json --paired --unpaired", "--paired/--unpaired is given twice"),
        (data.app, "list --root a --root b", "--root is given twice"),
    ],
)
def test_nor_do_the_others(app, line, message, capsys):
    assert run_command(app, "name", line.split()) == 2
    assert message in capsys.readouterr().err


def test_what_may_be_repeated_is(capsys):
    app = typer.Typer()

    @app.command(cls=OnceCommand)
    def command(
        each: list[str],
        name: list[str] = [],  # noqa: B006
        loud: int = typer.Option(0, count=True),
        quiet: bool = typer.Option(False, "--quiet"),
    ) -> None:
        print(each, name, loud, quiet)

    repeated = ["--name", "c", "--name", "d", "--loud", "--loud", "--quiet", "--quiet"]
    assert run_command(app, "name", ["a", "b", *repeated]) == 0
    assert capsys.readouterr().out == "['a', 'b'] ['c', 'd'] 2 True\n"
    assert run_command(app, "name", ["--help", "--help"]) == 0


@pytest.mark.parametrize("app", [evaluate.app, compare.app, data.app])
def test_every_command_is_one(app):
    command = typer.main.get_command(app)
    assert all(isinstance(each, OnceCommand) for each in getattr(command, "commands", {"": command}).values())
