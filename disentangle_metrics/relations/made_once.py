"""A relation is made once for each set of arguments, and kept."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from disentangle_metrics.relations.relations import Relations

P = ParamSpec("P")
T = TypeVar("T")


def made_once(method: Callable[Concatenate[Relations, P], T]) -> Callable[Concatenate[Relations, P], T]:
    """Compute once for each set of arguments, defaults included, whichever thread asks first."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def cached(self: Relations, *args: P.args, **kwargs: P.kwargs) -> T:
        import joblib

        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        key = joblib.hash((method.__name__, list(bound.arguments.items())[1:]))
        with self._lock:
            if key not in self._made:
                self._made[key] = method(self, *args, **kwargs)
            return cast(T, self._made[key])

    return cast("Callable[Concatenate[Relations, P], T]", cached)
