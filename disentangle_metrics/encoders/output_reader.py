"""What an encoder gives back, batch after batch: which outputs are drawn, and what the first batch shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.encoders.kept_batch import KeptBatch, copied, row_count
from disentangle_metrics.encoders.output_parts import Held, listed, shown
from disentangle_metrics.encoders.outputs import (
    SAME,
    Outputs,
    Posterior,
    check_outputs,
    outputs_that_differ,
    read_posterior,
)
from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.arrays import shape_of, to_numpy

ENOUGH = 256  # rows in which a log-variance is below 0 somewhere, and a deviation nowhere
DRAWS = 1024  # draws of a code, over the images of a batch, that show what it scatters around
BESIDE = 0.1  # of the variance of a code: what the square of its distance from its mean stays below
APART = 0.005  # of the deviation of the codes: what rounding changes in a batch of another size
APART_IN_16_BITS = 0.02  # the same of networks whose codes have 16 bits


class OutputReader:
    """Reads what an encoder returns, batch after batch, and notices on the first whether it draws.

    The first batch is encoded twice. Outputs that differ between the two passes are drawn at random:
    they are no means. `remarks` then says if only drawn codes were there to be scored. If one output
    without the name of a mean is left, more passes show whether the drawn code scatters around it.
    If nothing is drawn, half of the first batch of at least two rows is encoded alone: `remarks` says if its
    means are others. That is asked anew for each data set, whose batches may have another size.

    A spread without a name is refused if it is positive everywhere, unless `by_contract` a pair is (mean,
    logvar). Once it was not, it is a log-variance, which `is_logvar` says. Within :meth:`one_data_set` the
    first rows decide, however they are cut into batches; else each batch does.
    """

    def __init__(self, outputs: Outputs | None = None, by_contract: bool = False) -> None:
        self.outputs, self.by_contract = check_outputs(outputs), by_contract
        self.remarks: list[str] = []
        self._drawn: frozenset[str] | None = None
        self._steady = False  # whether nothing was drawn
        self._on_mixing: str | None = None  # the remark that codes depend on their batch, or ""; None before
        self._read_any = False
        self.is_logvar = by_contract
        self._weighed: int | None = None  # rows of a data set so far
        self._doubt = ""

    @contextmanager
    def one_data_set(self) -> Iterator[None]:
        """Batches that are read inside the block are parts of one data set; :meth:`conclude` ends it."""
        self._weighed, self._doubt = 0, ""
        self.remarks = [remark for remark in self.remarks if remark != self._on_mixing]
        self._on_mixing = None
        try:
            yield
        finally:
            self._weighed = None

    def conclude(self) -> tuple[str, ...]:
        """The remarks, when the last batch of a data set is read.

        Raises
        ------
        InputError
            If a spread without a name was positive everywhere.
        """
        self._weighed = None
        if self._doubt and not self.is_logvar:
            raise InputError(self._doubt)
        return tuple(self.remarks)

    def read(self, encode: Callable[[Any], Any], images: Any) -> Posterior:
        """The posterior of one batch.

        Raises
        ------
        InputError
            If what `encode` returns cannot be read.
        """
        rows, drawn, again = row_count(images), self._drawn or frozenset(), None
        first = self._drawn is None and rows > 0
        asks = self._on_mixing is None and rows > 1 and (first or self._steady)
        kept = KeptBatch(images, more_passes=first or asks)
        output = encode(images)  # which may change them in place
        output = Held.of(output) if first or asks else output
        if first:
            again = encode(kept.again())
            differing = outputs_that_differ(output, again)
            drawn = self._notice(output, differing, rows)
            self._steady = not differing
        pixels = self._pixels(output, shape_of(images))
        posterior = read_posterior(output, rows, outputs=self.outputs, drawn=drawn, pixels=pixels)
        if posterior.doubt and not self.is_logvar:
            self._weigh(posterior)
        if first and posterior.beside:
            more = (encode(kept.again()) for _ in range(DRAWS // rows))
            if posterior.doubt:
                _check_order(posterior, (output, again), more)
            else:
                _check_mean(posterior, itertools.chain((output, again), more), shown(list(listed(output))))
        if first:
            self._drawn = drawn
            self._ask_for_reconstruction(posterior, shape_of(images))
        if asks and self._steady:
            self._ask_for_mixing(encode, kept.again(), posterior)
        if posterior.problem:
            if self._read_any:
                raise InputError(f"{posterior.problem.partition(';')[0]}, in a later batch")
            self.remarks.append(posterior.problem)
            self.outputs = {"mean": posterior.mean_is}
        self._read_any = True
        return posterior

    def _ask_for_reconstruction(self, posterior: Posterior, shape: tuple[int, ...]) -> None:
        """A remark if the code of images is as wide as they are."""
        width = int(np.prod(shape[1:]))
        if len(shape) == 4 and posterior.mean.shape[1] == width:
            self.remarks.append(
                f"the codes are as wide as the images, {width:,} values: if they are reconstructions, choose "
                "the part that encodes (`encode_with`), or pass a function that returns the code"
            )

    def _ask_for_mixing(self, encode: Callable[[Any], Any], images: Any, posterior: Posterior) -> None:
        """A remark if the codes depend on which images are in a batch."""
        self._on_mixing = ""
        if _mixes(encode, images, posterior):
            self._on_mixing = (
                "the codes depend on which images are in a batch: half of the first one alone gives others, "
                f"and the scores are those of batches of {row_count(images):,}; BatchNorm in training "
                "mode, or without running statistics, can be the cause"
            )
            self.remarks.append(self._on_mixing)

    def _weigh(self, posterior: Posterior) -> None:
        """Refuse a spread that is positive everywhere, now or once enough of it was seen."""
        spreads: Any = posterior.logvar
        if self._weighed is not None:
            spreads = spreads[: ENOUGH - self._weighed]
            self._weighed += len(spreads)
        self.is_logvar = bool((spreads <= 0).any())
        if self.is_logvar or spreads.size < 2:
            return
        if self._weighed is None or self._weighed >= ENOUGH:
            raise InputError(posterior.doubt)
        self._doubt = posterior.doubt

    def _pixels(self, output: Any, shape: tuple[int, ...]) -> int | None:
        """The width of a reconstruction; None where a contract says that a pair of that width is the code."""
        width = int(np.prod(shape[1:])) if shape else 0
        pair = [shape_of(part.value) for part in listed(output)] if self.by_contract else []
        return None if len(shape) == 2 and pair == [(shape[0], width)] * 2 else width

    def _notice(self, output: Any, drawn: frozenset[str], rows: int) -> frozenset[str]:
        """The names of the outputs that are drawn and set aside, with a remark if the means are drawn."""
        if not drawn:
            return drawn
        shapes = [(part.name, shape_of(part.value)) for part in listed(output)]
        codes = [name for name, shape in shapes if len(shape) == 2 and shape[0] == rows]
        everything = set(codes) <= drawn
        ignored = frozenset() if everything else drawn
        try:
            mean_is = read_posterior(output, rows, outputs=self.outputs, drawn=ignored).mean_is
        except InputError:
            return ignored
        if mean_is in drawn:
            self.remarks.append(
                "the network draws its code at random: two passes over the same images differ, and "
                "the scores are those of one draw; score the means instead (`outputs`, `encode_with`), or "
                "put a network that a function calls into evaluation mode"
            )
        return ignored


def _mixes(encode: Callable[[Any], Any], images: Any, posterior: Posterior) -> bool:
    """Whether half of the images, encoded alone, have other means than those of the whole batch.

    The half begins with the second image. So a network that was exported for batches of a fixed size, into
    which a batch is cut, meets its images in other company. BatchNorm refuses a single image: half of two or
    three is one image twice.
    """
    rows = row_count(images)
    some: Any = slice(1, 1 + rows // 2) if rows > 3 else [1, 1]
    try:
        part = list(listed(encode(_rows(images, some))))[posterior.place]
        means = np.ma.filled(to_numpy(part.value, "the encoder's output"), np.nan)
    except Exception:  # what a network raises that takes one size of batch alone, which is in its right
        return False
    whole = posterior.mean.astype(np.float64)
    if part.name != posterior.mean_is or means.shape != whole[some].shape:
        return False
    apart = np.sqrt(np.mean((means - whole[some]) ** 2))
    share = APART_IN_16_BITS if _of_16_bits(whole) else APART
    return not apart <= max(share * np.sqrt(whole.var(axis=0).mean()), SAME * np.abs(whole).max())


def _rows(images: Any, some: Any) -> Any:
    if isinstance(images, Mapping):
        return {name: _rows(part, some) for name, part in images.items()}
    if isinstance(images, (list, tuple)) and isinstance(some, list):
        return type(images)(copied(images[row]) for row in some)
    return images[some]


def _of_16_bits(values: NDArray[np.float64]) -> bool:
    """Whether float16 or bfloat16 holds each value: none has more than 10 bits after its first."""
    return not bool((values.view(np.uint64) & np.uint64(2**42 - 1)).any())


def _check_mean(posterior: Posterior, passes: Iterable[Any], outputs: str) -> None:
    """Refuse means that no name calls so, beside a drawn code that does not scatter around them.

    They may be the KL of each latent, or its log-variance.
    """
    mean = posterior.mean.astype(np.float64)
    drawn = _draws_of(posterior.beside, passes).values()
    if not any(draws.shape[1:] == mean.shape and _scatters(draws, mean) for draws in drawn):
        code = posterior.beside[0]
        raise InputError(
            f"the encoder draws its output {code} at random, and not around its output {posterior.mean_is}, "
            f"which is no mean of it; {outputs}: say which is the code with "
            f"`outputs={{'mean': {code!r}}}` or `outputs={{'mean': {posterior.mean_is!r}}}`"
        )


def _check_order(posterior: Posterior, passes: Sequence[Any], more: Iterable[Any]) -> None:
    """Refuse a pair whose second table is the mean of a drawn code beside it; `more` passes make it sure."""
    mean, other = posterior.mean.astype(np.float64), np.asarray(posterior.logvar, np.float64)
    drawn = {
        name: code
        for name, code in _draws_of(posterior.beside, passes).items()
        if code[0].shape == mean.shape
    }
    nearer = [name for name, code in drawn.items() if _away(code, other).sum() < _away(code, mean).sum()]
    if nearer:
        for name, code in _draws_of(nearer, itertools.chain(passes, more)).items():
            if _scatters(code, other) and not _scatters(code, mean):
                raise InputError(
                    f"the encoder draws its output {name} around another than its output "
                    f"{posterior.mean_is}, which is no mean of it; say which is with "
                    f"`outputs={{'mean': 'NAME', 'logvar': {posterior.mean_is!r}}}`"
                )


def _draws_of(names: Iterable[str], passes: Iterable[Any]) -> dict[str, NDArray[np.float64]]:
    """The outputs of these names in each pass, (passes, n, D)."""
    draws: dict[str, list[Any]] = {name: [] for name in names}
    for output in passes:
        for part in listed(output):
            if part.name in draws:
                draws[part.name].append(to_numpy(part.value, "the encoder's output").astype(np.float64))
    return {name: np.stack(codes) for name, codes in draws.items()}


def _scatters(draws: NDArray[np.float64], mean: NDArray[np.float64]) -> bool:
    """Whether draws (passes, n, D) of a code lie around `mean` (n, D), latent by latent."""
    variance = draws.var(axis=0, ddof=1).sum(axis=0)
    away = _away(draws, mean) - variance / len(draws)
    return bool((away <= BESIDE * variance + ((SAME * mean) ** 2).sum(axis=0)).all())


def _away(draws: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared distance of the middle of draws (passes, n, D) from `mean` (n, D), summed over rows, (D,)."""
    distance: NDArray[np.float64] = ((draws.mean(axis=0) - mean) ** 2).sum(axis=0)
    return distance
