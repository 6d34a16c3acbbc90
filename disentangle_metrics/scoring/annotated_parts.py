"""A function of latents and factors, called with an AnnData object and the names of its parts."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, Protocol, overload

from disentangle_metrics.inputs.annotated import is_annotated, tables_of
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.unknown_options import refuse_unknown

P = ParamSpec("P")


class OfEither(Protocol[P]):
    """What :func:`score` may be called with: arrays, or an AnnData object and the names of its parts."""

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Report: ...

    @overload
    def __call__(
        self, adata: Any, /, *, latents: str, factors: Iterable[str] | str | None = None, **options: Any
    ) -> Report: ...


def or_anndata(function: Callable[P, Report]) -> OfEither[P]:
    """The function, also of an AnnData object with the names of latents and factors in it."""

    @functools.wraps(function)
    def of_either(*args: Any, **options: Any) -> Report:
        if args and is_annotated(args[0]):
            names = dict(zip(("latents", "factors"), args[1:], strict=False))
            names |= {name: options.pop(name) for name in ("latents", "factors") if name in options}
            args = tables_of(args[0], **names)
        refuse_unknown(options, inspect.signature(function).parameters)
        return function(*args, **options)

    of_both: Any = of_either
    scored: OfEither[P] = of_both
    return scored
