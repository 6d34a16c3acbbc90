"""Settings of metrics as types: which values each may take, and the one check that reads it.

A setting stands in a metric's signature as ``bins: Bins = 20``; its type says what it may be, to type
checkers, to the reader of a card, and to :func:`check`, which refuses everything else before any work.
Types are made of literals, numbers, tuples, classes, ``None`` and unions of these; limits stand in
``Annotated``. What has no annotation, or one of another form, is not checked.
"""

from __future__ import annotations

import collections.abc
import hashlib
import inspect
import itertools
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import (
    Annotated,
    Any,
    Literal,
    Protocol,
    TypedDict,
    Union,
    get_args,
    get_origin,
    runtime_checkable,
)

from disentangle_metrics.errors import InputError


@dataclass(frozen=True)
class Limits:
    """Limits of a number: `least` and `most` are allowed themselves, `above` and `below` are not."""

    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f"from {self.least:,} to {self.most:,}"
        words = {"of at least": self.least, "above": self.above, "at most": self.most, "below": self.below}
        return " and ".join(f"{word} {limit:,}" for word, limit in words.items() if limit is not None)

    def hold(self, value: Any) -> bool:
        """Whether the number lies within them; NaN never does."""
        return bool(
            (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
            and value == value
        )


def AtLeast(least: float) -> Limits:
    """This number or more."""
    return Limits(least=least)


@dataclass(frozen=True)
class Called:
    """What a message calls the values of a type."""

    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Ascending:
    """Of a tuple: each number is above the one before."""

    def __str__(self) -> str:
        return "in ascending order"

    def hold(self, value: Any) -> bool:
        """Whether it is so."""
        return all(one < other for one, other in itertools.pairwise(value))


@dataclass(frozen=True)
class Only:
    """Values other than `unless` go with some values of another setting only."""

    unless: Any
    other: str
    values: tuple[Any, ...]


@runtime_checkable
class SklearnEstimator(Protocol):
    """A scikit-learn estimator."""

    def fit(self, X: Any, y: Any) -> Any:
        """Fit it."""

    def predict(self, X: Any) -> Any:
        """Predict."""

    def get_params(self) -> Any:
        """Its parameters."""


@dataclass(frozen=True)
class Seeded:
    """Of an estimator: one seed fits it one way. So it is no class, and has no generator that moves on."""

    def hold(self, value: Any) -> bool:
        """Whether it is so."""
        return not isinstance(value, type) and not any(_generators(value))


def parts_that_draw(estimator: SklearnEstimator) -> list[Any]:
    """What of an estimator has a `random_state`: itself, its steps and candidates, what splits its rows."""
    parts: dict[int, Any] = {}
    waiting: list[Any] = [estimator]
    while waiting:
        part = waiting.pop()
        if id(part) not in parts and not isinstance(part, type):
            parts[id(part)] = part
            inner = part.get_params() if hasattr(part, "get_params") else part
            inner = list(inner.values()) if isinstance(inner, Mapping) else inner
            waiting += inner if isinstance(inner, list | tuple) else ()
    # A distribution among the candidates draws by the state of its search.
    return [part for part in parts.values() if hasattr(part, "random_state") and not hasattr(part, "rvs")]


def _generators(estimator: SklearnEstimator) -> Iterator[bool]:
    states = (part.random_state for part in parts_that_draw(estimator))
    return (state is not None and not _is_number(int, state) for state in states)


Bins = Annotated[int, Limits(least=2, most=1 << 20)]
FactorBins = Annotated[int, AtLeast(2)] | None
Strategy = Literal["uniform", "quantile"]
InformationEstimator = Literal["histogram", "nearest_neighbours", "posterior", "posterior_monte_carlo"]
Correction = Annotated[
    Literal["none", "miller_madow"], Only(unless="none", other="estimator", values=("histogram",))
]
Normaliser = Literal["factor", "latent", "values"]
Neighbours = Annotated[int, AtLeast(1)]
Samples = Annotated[int, AtLeast(2)]
Active = Literal["auto", "varying", "range"] | Annotated[float, Called("a variance")] | None
Votes = Annotated[
    tuple[Annotated[int, AtLeast(1)], Annotated[int, AtLeast(1)]],
    Called("a pair of whole numbers of at least 1"),
]
ValueWeights = Literal["frequency", "uniform"]
Scaling = Literal["standard", "minmax", "none"]
Penalty = Annotated[float, AtLeast(0)]
Share = Annotated[float, Limits(least=0, most=1)]
Split = (
    Annotated[float, Limits(above=0, below=1), Called("a share between 0 and 1")]
    | Annotated[tuple[Sequence[int], Sequence[int]], Called("a pair (train, test) of index arrays")]
    | None
)
MostRows = Annotated[int, AtLeast(2)] | None
Assignment = Annotated[tuple[int, ...], Called("one latent by number for each factor")] | None
Mass = Literal["integral", "density"]
Ends = Annotated[tuple[float, float], Ascending()]
Kernel = Literal["gaussian", "exponential"]
Correlation = Literal["pearson", "spearman", "rdc"]
NamedProbe = Literal[
    "boosted_trees", "gradient_boosting", "random_forest", "lasso", "review_lasso", "review_forest"
]
Probe = NamedProbe | Annotated[SklearnEstimator, Called("a scikit-learn estimator"), Seeded()]
Decision = Literal["multinomial", "one_vs_rest", "separate"]


class InformationSettings(TypedDict, total=False):
    """The settings of an estimate of mutual information, see :meth:`.Relations.mutual_information`."""

    bins: Bins
    strategy: Strategy
    estimator: InformationEstimator
    factor_bins: FactorBins
    k: Neighbours
    bounded: bool
    correction: Correction
    samples: Samples


def types_of(function: Callable[..., Any]) -> dict[str, Any]:
    """The type of each keyword-only parameter that has one which can be read."""
    found: dict[str, Any] = {}
    names = getattr(inspect.unwrap(function), "__globals__", {})
    for parameter in inspect.signature(function).parameters.values():
        annotation = parameter.annotation
        if parameter.kind is not parameter.KEYWORD_ONLY or annotation is parameter.empty:
            continue
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, names)
            except Exception:  # such as a name that only type checkers import: the setting is not checked
                continue
        found[parameter.name] = annotation
    return found


def check(settings: Mapping[str, Any], types: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Refuse settings whose values are none that their types allow; defaults are always allowed.

    Parameters
    ----------
    settings
        Some or all settings of a metric. One that goes with another setting is checked if both are there.
    types, defaults
        Of all settings of the metric; one without a type is not checked.

    Raises
    ------
    InputError
        With the setting, what it may be, and what it is.
    """
    for name, value in settings.items():
        if name not in types or value is defaults.get(name):
            continue
        if not allows(types[name], value):
            raise InputError(f"`{name}` must be {described(types[name])}, got {_shown(value)}")
        for mark in marks(types[name]):
            if isinstance(mark, Only) and value != mark.unless:
                other = settings.get(mark.other, mark.values[0])
                if other not in mark.values:
                    wanted = " or ".join(map(repr, mark.values))
                    raise InputError(
                        f"`{name}` = {value!r} goes with `{mark.other}` = {wanted} only, got {other!r}"
                    )


def allows(kind: Any, value: Any) -> bool:
    """Whether a type allows a value."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        limits = [mark for mark in arguments[1:] if hasattr(mark, "hold")]
        return allows(arguments[0], value) and all(mark.hold(value) for mark in limits)
    if origin in (Union, types.UnionType):
        return any(allows(each, value) for each in arguments)
    if origin is Literal:
        return any(isinstance(value, type(choice)) and value == choice for choice in arguments)
    if origin is tuple:
        if not (isinstance(value, tuple | list) or getattr(value, "ndim", None) == 1):
            return False
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return all(allows(arguments[0], item) for item in value)
        return len(value) == len(arguments) and all(map(allows, arguments, value))
    if kind is None or kind is type(None):
        return value is None
    if kind in (bool, int, float):
        return _is_number(kind, value)
    if origin is collections.abc.Sequence:  # of rows, which are looked at with the data
        return hasattr(value, "__len__") and not isinstance(value, str | bytes)
    try:
        return isinstance(value, origin or kind)
    except TypeError:  # a type of another form, such as Any or a TypedDict: nothing is known of its values
        return True


def _is_number(kind: type, value: Any) -> bool:
    import numpy as np

    truth = isinstance(value, bool | np.bool_)
    if kind is bool or truth:
        return truth and kind is bool
    return isinstance(value, int | np.integer if kind is int else int | float | np.integer | np.floating)


def texts_of(settings: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, str]:
    """Each setting as text, in alphabetical order: 1 is written 1.0 where the type is a number like 0.5."""
    return {name: setting_text(_typed(types.get(name), settings[name])) for name in sorted(settings)}


def _typed(kind: Any, value: Any) -> Any:
    """The value with floats where the type has floats."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _typed(arguments[0], value)
    if origin in (Union, types.UnionType):
        return next((_typed(each, value) for each in arguments if allows(each, value)), value)
    if kind is float and allows(kind, value):
        return float(value)
    if origin is tuple and len(arguments) == 2 and arguments[1] is not Ellipsis and allows(kind, value):
        return tuple(map(_typed, arguments, value))
    return value


def setting_text(value: Any) -> str:
    """A setting as text that differs whenever its value does."""
    import numpy as np

    listed = isinstance(value, tuple | list | range)
    array_like = hasattr(value, "__array__") and not isinstance(value, np.generic)
    if array_like or (listed and len(value) > 8):
        array = np.asarray(value)
        if array.dtype.kind == "b" and array.ndim == 1:  # a mask, which says the same as its places
            array = np.flatnonzero(array)
        if array.dtype.kind in "iu" and (not array.size or array.max() < 2**63):
            array = array.astype(np.int64)  # the same numbers, whatever their dtype
        content = f"{array.dtype.kind}{array.shape}".encode() + np.ascontiguousarray(array).tobytes()
        return f"sha256-{hashlib.sha256(content).hexdigest()[:16]}"
    if listed:
        return f"({','.join(setting_text(item) for item in value)})"
    if isinstance(value, collections.abc.Mapping):
        return _mapping_text(value)
    if isinstance(value, float | np.floating):
        return repr(float(value))
    return " ".join(str(value).split()).replace("|", "/")


def _mapping_text(value: Mapping[Any, Any]) -> str:
    """A mapping as a literal, equal for equal mappings: 1, 1.0 and NumPy's 1 are one key, and so one text."""
    import numpy as np

    texts: dict[Any, str] = {}
    for key, item in value.items():
        plain = key.item() if isinstance(key, np.generic) else key
        if isinstance(plain, bool | float) and plain == plain // 1:
            plain = int(plain)
        number = _is_number(float, item)
        texts[plain] = repr(float(item)) if number else setting_text(item)
    try:
        keys = sorted(texts)
    except TypeError:  # numbers beside texts
        keys = sorted(texts, key=repr)
    # Within a literal's quotes the mark between parts of a signature is written by its number.
    said = ", ".join(f"{key!r}".replace("|", "\\x7c") + f": {texts[key]}" for key in keys)
    return f"{{{said}}}"


def described(kind: Any) -> str:
    """What a type allows, in words: "a whole number of at least 2 or None"."""
    if get_origin(kind) is Annotated and get_origin(get_args(kind)[0]) is Literal:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal and len(get_args(kind)) > 1:
        return f"one of {', '.join(map(repr, get_args(kind)))}"
    *others, last = _alternatives(kind)
    return f"{', '.join(others)} or {last}" if others else last


def choices(kind: Any) -> tuple[Any, ...]:
    """The values that a type lists: words, True and False, None; not those within limits."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return choices(arguments[0])
    if origin in (Union, types.UnionType):
        return tuple(value for each in arguments for value in choices(each))
    if origin is Literal:
        return arguments
    return (False, True) if kind is bool else (None,) if kind is type(None) else ()


def marks(kind: Any) -> tuple[Any, ...]:
    """What stands beside a type in ``Annotated``, such as limits; nothing of others."""
    return tuple(get_args(kind)[1:]) if get_origin(kind) is Annotated else ()


def _alternatives(kind: Any) -> Iterator[str]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        for each in arguments:
            yield from _alternatives(each)
    elif origin is Literal:
        yield from map(repr, arguments)
    elif origin is Annotated:
        called = [mark.words for mark in marks(kind) if isinstance(mark, Called)]
        limits = [str(mark) for mark in marks(kind) if isinstance(mark, Limits | Ascending)]
        yield called[0] if called else " ".join([*_alternatives(arguments[0]), *limits])
    elif origin is tuple:
        items = [next(_alternatives(each)) for each in arguments if each is not Ellipsis]
        yield f"({', '.join(items)})"
    else:
        words = {bool: "True or False", int: "a whole number", float: "a number", type(None): "None"}
        yield words.get(kind, getattr(kind, "__name__", str(kind)))


def _shown(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}: pass an instance, `{value.__name__}()`"
    if isinstance(value, SklearnEstimator) and any(_generators(value)):
        return f"a {type(value).__name__} that draws from a generator: pass a whole number as `random_state`"
    number = type(value) is int and abs(value) >= 100_000
    return f"{value:,}" if number else f"{' '.join(repr(value).split()):.200}"  # in one line
