"""What an encoder gave back, as checked means and log-variances.

Named outputs are read by name: a dictionary, a named tuple, a data class, a distribution, the outputs
of an ONNX model. Outputs without names are read by shape and place, and only where one reading is
possible. Frameworks are recognised by what they can do.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.encoders.output_parts import Output, listed, shown
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import to_numpy
from disentangle_metrics.inputs.gaussian_posterior import GaussianPosterior
from disentangle_metrics.inputs.posterior_names import (
    SPREADS,
    Spread,
    as_logvar,
    named_posterior,
    role_of,
)

Array = NDArray[np.floating[Any]]
Outputs = Mapping[str, str | int]
"""Which output is the "mean", and which the "logvar", "logstd", "std" or "var": a name or a place from 0."""

EXPECTED = "means (n, n_latents), or a pair (mean, logvar) of that shape"
CHOOSE = "say which with `outputs={'mean': 'NAME', 'logvar': 'NAME'}` (places from 0 do for names)"
SAME = 1e-4  # of the largest value: what the order of sums on a GPU may change, and noise exceeds


def check_outputs(outputs: Any) -> dict[str, str | int] | None:
    """The choice of outputs, checked.

    Raises
    ------
    InputError
        If a role is none of "mean" and the spreads, or "mean" is not among them.
    """
    if outputs is None:
        return None
    if not isinstance(outputs, Mapping) or not outputs:
        raise InputError(f'outputs must be a dictionary such as {{"mean": "z_mean"}}, got {outputs!r}')
    roles = ("mean", *SPREADS)
    if wrong := [role for role in outputs if role not in roles]:
        raise InputError(f"outputs: {wrong[0]!r} is none of {', '.join(roles)}")
    if "mean" not in outputs or len(outputs) > 2:
        raise InputError(f"outputs must name the mean and at most one of {', '.join(SPREADS)}")
    return {role: name if isinstance(name, int) else str(name) for role, name in outputs.items()}


@dataclasses.dataclass(frozen=True)
class Posterior:
    """Checked means, log-variances or None, and the name of the output that the means are.

    `place` is that of the means among the outputs, of which two may share a name. `problem` says why a
    spread that was there is not read. `beside` names the drawn codes that were set aside, where no name says
    which table is the means. `doubt` says what the log-variances may be if all are positive, where no name
    says what they are.
    """

    mean: Array
    logvar: Array | None
    mean_is: str
    place: int = 0
    problem: str = ""
    beside: tuple[str, ...] = ()
    doubt: str = ""

    def held(self) -> Posterior:
        """The same in memory of its own: an encoder may write its next output into that of this one."""
        logvar = None if self.logvar is None else self.logvar.copy(order="K")
        return dataclasses.replace(self, mean=self.mean.copy(order="K"), logvar=logvar)


class Encoded:
    """The posteriors of batch after batch, kept in their order."""

    def __init__(self) -> None:
        self._parts: list[Posterior] = []

    def add(self, posterior: Posterior) -> None:
        """Keep one more batch, which may be empty.

        Raises
        ------
        InputError
            If it has other latents than the first, or variances where that has none.
        """
        first = self._parts[0] if self._parts else posterior
        same_width = posterior.mean.shape[1] == first.mean.shape[1]
        if not same_width or (posterior.logvar is None) != (first.logvar is None):
            raise InputError(
                f"the encoder returned {first.mean.shape[1]} latents for the first batch and "
                f"{posterior.mean.shape[1]} for a later one, or variances for only some; it must return the "
                "same for every batch"
            )
        if len(posterior.mean):
            self._parts.append(posterior.held())

    def latents(self) -> Array | GaussianPosterior:
        """Those of all rows (N, D): a posterior if the encoder gives variances."""
        means = np.concatenate([part.mean for part in self._parts])
        logvars = [part.logvar for part in self._parts if part.logvar is not None]
        return GaussianPosterior(means, np.concatenate(logvars)) if logvars else means


def read_posterior(
    output: Any,
    rows: int,
    *,
    outputs: Outputs | None = None,
    drawn: frozenset[str] = frozenset(),
    pixels: int | None = None,
) -> Posterior:
    """Means and log-variances from what an encoder returned for `rows` images.

    Parameters
    ----------
    output : array (n, n_latents), a pair of them, or several with names
        NumPy arrays, tensors of any device (also with gradients), or anything with ``__array__``; in
        tuples, dictionaries, named tuples, data classes or distributions. A standard deviation or
        variance becomes a log-variance.
    rows : int
        How many images were encoded.
    outputs : mapping, optional
        Which output is which, in place of reading their names.
    drawn : frozenset of str
        Names of outputs that are drawn at random, and so neither means nor spreads.
    pixels : int, optional
        Numbers in an image: an output of this width beside others is a reconstruction.

    Raises
    ------
    InputError
        If it cannot be told which output is what, the shape is another, or a value is not finite.
    """
    found = list(listed(output))
    if not found:
        raise InputError(f"the encoder returned no array; accepted: {EXPECTED}")
    if len(found) == 1 and outputs is None:
        only = found[0]
        return Posterior(_array(only.value, rows, only.name if only.named else ""), None, only.name)
    if outputs is not None:
        mean, spread, spread_is = _asked_for(found, outputs)
    else:
        mean, spread, spread_is = _told_apart(found, rows, drawn, pixels)
    means = _array(mean.value, rows, mean.name)
    place = next(place for place, output in enumerate(found) if output is mean)
    called = outputs is not None or (mean.named and role_of(mean.name) == "mean")
    drawn_codes = [output for output in found if output.name in drawn and _is_code(output, rows, pixels)]
    beside = () if called else tuple(output.name for output in drawn_codes)
    if spread is None:
        return Posterior(means, None, mean.name, place, beside=beside)
    spreads = _array(spread.value, rows, spread.name)
    if means.shape != spreads.shape:
        raise InputError(
            f"the encoder returned a pair of the shapes {means.shape} and {spreads.shape}; "
            f"accepted: {EXPECTED}"
        )
    doubt = ""
    if outputs is None and not (spread.named and role_of(spread.name)):
        doubt = (
            f"the encoder's output {spread.name} is positive everywhere, so it may be a standard deviation "
            f"or a log-variance; {shown(found)}: say which with `outputs={{'mean': {mean.name!r}, "
            f"'std': {spread.name!r}}}`, or 'logvar' or 'var' for 'std'"
        )
    try:
        logvar = as_logvar(spreads, spread_is, spread.name)
        return Posterior(means, logvar, mean.name, place, beside=beside, doubt=doubt)
    except InputError as error:
        if outputs is not None:
            raise InputError(
                f"the encoder's output {error}; if it is a log-variance, say "
                f"`outputs={{'mean': {mean.name!r}, 'logvar': {spread.name!r}}}`"
            ) from None
        problem = f"the encoder's output {error}; the means alone are scored"
        return Posterior(means, None, mean.name, place, problem)


def outputs_that_differ(first: Any, second: Any) -> frozenset[str]:
    """Names of the outputs that two passes over the same images give differently."""
    names = set()
    for one, other in zip(listed(first), listed(second), strict=True):
        if getattr(one.value, "shape", None) is None:
            continue
        a, b = (to_numpy(value, "the encoder's output") for value in (one.value, other.value))
        if a.shape != b.shape or a.dtype.kind not in "fc" or not a.size:
            continue
        a, b = np.ma.filled(a, np.nan), np.ma.filled(b, np.nan)
        scale = np.nanmax(np.abs(a)) if np.isfinite(a).any() else 0.0
        if np.nanmax(np.abs(a - b), initial=0.0) > SAME * scale:
            names.add(one.name)
    return frozenset(names)


def has_code(output: Any, rows: int, pixels: int) -> bool:
    """Whether any output is a table of codes, and not a reconstruction or a loss."""
    return any(_is_code(part, rows, pixels) for part in listed(output))


def _asked_for(found: list[Output], outputs: Outputs) -> tuple[Output, Output | None, Spread]:
    def one(name: str | int) -> Output:
        by_name = [output for output in found if output.name == str(name)]
        if not by_name and str(name).isdigit() and int(name) < len(found):
            by_name = [found[int(name)]]
        if not by_name:
            raise InputError(f"the encoder has no output {name!r}; {shown(found)}; {CHOOSE}")
        return by_name[0]

    spread = next((role for role in outputs if role != "mean"), None)
    if spread is None:
        return one(outputs["mean"]), None, "logvar"
    return one(outputs["mean"]), one(outputs[spread]), cast(Spread, spread)


# What exporters call outputs that nobody named, and names that say their order.
GENERIC = re.compile(
    r"((out(put)?s?|var|getitem|tensor|linear|add|view|gemm|node|identity|result|dense|first|second|third)?[_:.\-]?\d*)([_:.\-]\d+)*",
    re.IGNORECASE,
)


def _told_apart(
    found: list[Output], rows: int, drawn: frozenset[str], pixels: int | None
) -> tuple[Output, Output | None, Spread]:
    """Mean and spread by their names, else by shape and place."""
    by_name = {output.name: output for output in found}
    try:
        pair = named_posterior(output.name for output in found if output.named)
    except InputError as error:
        raise InputError(
            f"which outputs of the encoder are its code cannot be told: {error}; {CHOOSE}"
        ) from None
    if pair is not None:
        return by_name[pair.mean], None if pair.spread is None else by_name[pair.spread], pair.spread_is
    codes = [output for output in found if _is_code(output, rows, pixels) and output.name not in drawn]
    spreads = [output for output in codes if output.named and role_of(output.name) is not None]
    others = [output for output in codes if output not in spreads]
    if len(others) == 3:  # a code that is not drawn in evaluation is the mean once more
        others = _once(others)
    if len(spreads) == 1 and len(others) == 1:
        return others[0], spreads[0], cast(Spread, role_of(spreads[0].name))
    if not spreads and len(others) == 2 and _width(others[0]) == _width(others[1]):
        told = [output.name for output in others if output.named and not GENERIC.fullmatch(output.name)]
        if told:  # names that say something, and not which is the mean
            raise InputError(f"which of the outputs is the mean cannot be told: {shown(found)}; {CHOOSE}")
        return others[0], others[1], "logvar"
    if not spreads and len(others) == 1 and len(codes) == 1:
        return others[0], None, "logvar"
    if len(found) == 2 and len(codes) == 2 and _width(codes[0]) != _width(codes[1]):
        shapes = " and ".join(str(tuple(np.shape(output.value))) for output in found)
        raise InputError(
            f"the encoder returned a pair of the shapes {shapes}; {CHOOSE}; accepted: {EXPECTED}"
        )
    if not codes and not drawn:
        _array(found[0].value, rows, "")  # says what is wrong with it
    raise InputError(
        f"the encoder returned {len(found)} values; accepted: {EXPECTED}; it has {shown(found)}: {CHOOSE}"
    )


def _once(outputs: list[Output]) -> list[Output]:
    """Mean and spread of three outputs of which two are equal: the code, and the mean that it is."""
    arrays = [to_numpy(output.value, "the encoder's output") for output in outputs]
    equal = [(a, b) for a, b in ((0, 1), (0, 2), (1, 2)) if np.array_equal(arrays[a], arrays[b])]
    if len(equal) != 1:
        return outputs
    mean, again = equal[0]
    return [outputs[mean], outputs[3 - mean - again]]


def _is_code(output: Output, rows: int, pixels: int | None) -> bool:
    shape: tuple[int, ...] = tuple(getattr(output.value, "shape", ()))
    return len(shape) == 2 and shape[0] == rows and shape[1] > 0 and shape[1] != pixels


def _width(output: Output) -> int:
    width: int = output.value.shape[1]
    return width


def _array(value: Any, rows: int, name: str) -> Array:
    what = f"the encoder's output {name}" if name else "the encoder"
    verb = "is" if name else "returned"
    arraylike = any(hasattr(value, method) for method in ("__array__", "toarray", "__dlpack__"))
    if isinstance(value, (dict, str)) or value is None or not arraylike:
        raise InputError(f"{what} {verb} {type(value).__name__}; accepted: {EXPECTED}")
    array = to_numpy(value, "the encoder's output")
    if array.ndim != 2 or array.shape[0] != rows or array.shape[1] == 0:
        verb = "has" if name else "returned"
        remedy = "; flatten or average each row, or choose the part that gives codes with `encode_with`"
        raise InputError(
            f"{what} {verb} the shape {array.shape} for {rows} images; accepted: {EXPECTED}, here ({rows}, D)"
            f"{remedy if array.ndim > 2 else ''}"
        )
    if array.dtype.kind not in "fiu":
        raise InputError(f"{what} {verb} {array.dtype} values; accepted: real numbers")
    array = array if array.dtype.kind == "f" else array.astype(np.float64)
    if isinstance(array, np.ma.MaskedArray):
        array = array.filled(np.nan)
    if not (finite := np.isfinite(array)).all():
        row, latent = np.argwhere(~finite)[0]
        raise InputError(
            f"the encoder returned {array[row, latent]} for latent {latent} of image {row} in a batch; "
            f"the network may be badly trained, or its weights damaged"
        )
    return array
