"""Commands that refuse an option which is given twice: the parser takes the last value without a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperCommand, TyperGroup


class OnceCommand(TyperCommand):
    """A command of typer whose options are given once, but for those of which nothing is lost."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_twice(self, ctx, args)
        return super().parse_args(ctx, args)


class OnceGroup(TyperGroup):
    """The same of a group of commands, for its own options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_twice(self, ctx, args)
        return super().parse_args(ctx, args)


def _refuse_twice(command: TyperCommand | TyperGroup, ctx: Any, args: Sequence[str]) -> None:
    """End with the parser's error of usage if an option is given twice."""
    if ctx.resilient_parsing:  # for the shell's completion
        return
    order: list[Any] = command.make_parser(ctx).parse_args(args=list(args))[2]  # each time it is given
    for option in order:
        if order.count(option) > 1 and not _may_be_repeated(option):
            form = f", as {option.opts[0]} {option.metavar}" if "..." in (option.metavar or "") else ""
            ctx.fail(f"{'/'.join([*option.opts, *option.secondary_opts])} is given twice; give it once{form}")


def _may_be_repeated(option: Any) -> bool:
    """Whether no value of an option given twice is lost, as of a flag that has no opposite."""
    return option.multiple or option.count or (option.is_flag and not option.secondary_opts)
