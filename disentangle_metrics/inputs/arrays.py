"""Anything that holds numbers, as a plain NumPy array; no framework is imported to find out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError

LARGEST_DENSE = 2 * 2**30
"""Bytes that a sparse array may take once its zeros are written out."""


def to_numpy(value: Any, argument: str) -> NDArray[Any]:
    """`value` as a NumPy array, wherever it lives.

    Subclasses such as ``numpy.matrix`` become plain arrays; masked arrays stay masked. Sparse arrays
    are written out, up to `LARGEST_DENSE` bytes.

    Raises
    ------
    InputError
        If it cannot become an array.
    """
    if advice := _not_an_array(value, argument):
        raise InputError(f"`{argument}` {advice}")
    try:
        if hasattr(value, "detach"):  # a PyTorch tensor, perhaps on a GPU or with a gradient
            value = _host_tensor(value, argument)
        if hasattr(value, "get") and type(value).__module__.startswith("cupy"):
            value = value.get()
        if is_sparse(value):
            value = dense(value, argument)
        if isinstance(value, np.ma.MaskedArray):
            return value
        if isinstance(value, np.ndarray):
            return np.asarray(value)
        if hasattr(value, "to_numpy"):
            return np.asarray(_by_its_own_method(value))
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        if isinstance(value, (tuple, list)) and value and all(hasattr(row, "detach") for row in value):
            value = [np.asarray(_host_tensor(row, argument)) for row in value]
        if isinstance(value, (tuple, list)) and any(isinstance(row, np.ma.MaskedArray) for row in value):
            return np.ma.stack(value)
        return _of_numpy_type(np.asarray(value))
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"`{argument}` ({type(value).__name__}) cannot become an array: {reason}") from error


def _by_its_own_method(value: Any) -> Any:
    arrow = type(value).__module__.partition(".")[0] == "pyarrow"
    if arrow and type(value).__name__ != "Tensor":  # its default refuses texts and missing cells
        return value.to_numpy(zero_copy_only=False)
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("i", "u") and value.isna().any():  # floats would run large ones together
        return value.to_numpy(dtype=object)
    return value.to_numpy()


def _of_numpy_type(array: NDArray[Any]) -> NDArray[Any]:
    """Short numbers that NumPy has no type for, as JAX and TensorFlow have them, in one that it has."""
    if array.dtype.kind == "V" and array.dtype.names is None:
        if array.dtype.name.startswith(("bfloat16", "float8", "float6", "float4")):
            return array.astype(np.float32)
        if array.dtype.name.startswith(("int", "uint")):  # of 4 or 2 bits
            return array.astype(np.int8)
    return array


def is_sparse(value: Any) -> bool:
    """Whether it is a sparse array or matrix of SciPy, of CuPy (once copied) or of the package sparse."""
    packages = {base.__module__.partition(".")[0] for base in type(value).__mro__}  # a view is a subclass
    return bool(packages & {"scipy", "sparse"}) and (hasattr(value, "toarray") or hasattr(value, "todense"))


def dense(value: Any, argument: str) -> NDArray[Any]:
    """A sparse array with its zeros written out.

    Raises
    ------
    InputError
        If that takes more than `LARGEST_DENSE` bytes.
    """
    refuse_large(value.shape, np.dtype(value.dtype).itemsize, argument)
    return np.asarray(value.toarray() if hasattr(value, "toarray") else value.todense())


def refuse_large(shape: Any, itemsize: int, argument: str) -> None:
    """Raise InputError if a sparse array of this shape would be too large once written out."""
    size = itemsize
    for side in shape:
        size *= int(side)
    if size > LARGEST_DENSE:
        raise InputError(
            f"`{argument}` is sparse; written out, its shape {tuple(shape)} takes "
            f"{size / 2**30:.1f} GiB, and "
            f"at most {LARGEST_DENSE // 2**30} GiB are written out; keep fewer columns (for example "
            "sklearn.decomposition.TruncatedSVD), or pass .toarray() of it if the memory is there"
        )


def _host_tensor(value: Any, argument: str) -> Any:
    """A PyTorch tensor on the host, without gradient, strided, and of a type that NumPy has."""
    value = value.detach()
    if str(getattr(value, "layout", "torch.strided")) != "torch.strided":
        refuse_large(value.shape, value.element_size(), argument)
        value = value.to_dense()
    value = value.cpu()
    if getattr(value, "is_quantized", False):
        value = value.dequantize()
    if str(value.dtype) in ("torch.bfloat16", "torch.float16") or "float8" in str(value.dtype):
        value = value.float()
    if getattr(value, "is_conj", bool)() or getattr(value, "is_neg", bool)():
        value = value.resolve_conj().resolve_neg()
    return value


def _not_an_array(value: Any, argument: str) -> str:
    """What to do with a thing that is often passed in place of an array; nothing if it may be one."""
    name, package = type(value).__name__, type(value).__module__.partition(".")[0]
    view = hasattr(value, "dtype") or hasattr(value, "columns")  # AnnData's own classes for parts of itself
    if (package in ("anndata", "mudata") and not view) or (hasattr(value, "obsm") and hasattr(value, "obs")):
        return (
            f"is an {name} object, which is not read as a whole; name its parts: "
            '`dm.score(adata, latents="X_vae", factors=["cell_type"])`'
        )
    if is_distribution(value):
        parameters = "dm.GaussianPosterior(q.mean, 2 * q.stddev.log())"
        if mean_and_deviation(value) is None:
            return f"is a distribution ({name}) whose mean and deviation are not known; pass its parameters"
        return f"is a distribution ({name}); pass its parameters: {parameters}"
    if isinstance(value, (str, bytes)) or hasattr(value, "__fspath__"):
        return (
            f"is a {name}, and files are not read here; load the array first, for example with "
            "numpy.load, or use dm-eval --latents FILE --factors FILE"
        )
    if isinstance(value, (tuple, list)) and len(value) > 1 and _are_batches(value):
        return f"is a {name} of {len(value)} batches; put them together with {_joining(value)}"
    if isinstance(value, (tuple, list)) and len(value) == 2 and _two_tables(*value):
        return (
            f"is a {name} of two arrays of the same shape {tuple(value[0].shape)}; for means and "
            "log-variances "
            f"pass dm.GaussianPosterior(mean, logvar); for two batches pass {_joining(value)}"
        )
    if isinstance(value, Mapping) and not isinstance(value, dict) and not view and len(value):
        names = [str(key) for key in itertools.islice(value, 8)]
        more = ", ..." if len(value) > len(names) else ""
        return (
            f"is a {name} of arrays ({', '.join(names)}{more}); pass one of them, as in "
            f'`{argument}["{names[0]}"]`'
        )
    return ""


def _joining(batches: Any) -> str:
    """The call that makes one array of batches."""
    return "torch.cat(...)" if hasattr(batches[0], "detach") else "numpy.concatenate(...)"


def is_distribution(value: Any) -> bool:
    """Whether it is a distribution as PyTorch has them."""
    if not hasattr(value, "rsample"):
        return False
    try:
        return hasattr(value, "stddev")
    except NotImplementedError:  # a formula of the deviation is not known for each of them
        return True


def mean_and_deviation(distribution: Any) -> tuple[Any, Any] | None:
    """Mean and standard deviation of a distribution; None where there is no formula of them."""
    try:
        return distribution.mean, distribution.stddev
    except NotImplementedError:
        return None


def _two_tables(first: Any, second: Any) -> bool:
    return (
        hasattr(first, "shape")
        and hasattr(second, "shape")
        and len(first.shape) == 2
        and tuple(first.shape) == tuple(second.shape)
    )


def _are_batches(values: Any) -> bool:
    """Whether they are tables of one width and several lengths."""
    shapes = [tuple(getattr(value, "shape", ())) for value in values]
    return all(len(shape) == 2 for shape in shapes) and len(set(shapes)) > 1 == len({s[1] for s in shapes})


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of an array or of nested lists; empty for lists of unequal length, which have none."""
    try:
        return np.shape(value)
    except ValueError:
        return ()


def as_numbers(texts: Any) -> NDArray[np.float64] | None:
    """Texts as the numbers that they spell; None if one of them is no finite number."""
    cells = np.asarray(texts)
    if cells.dtype.kind not in "US" or not cells.size:
        return None
    if (np.strings.find(cells, cells.dtype.type("_" if cells.dtype.kind == "U" else b"_")) >= 0).any():
        return None  # Python takes 1_000 for a number
    try:
        numbers = cells.astype(np.float64)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def no_table(value: Any, array: NDArray[Any], argument: str, kind: str) -> str:
    """What was found in place of a table, and how to make one of it."""
    if array.ndim == 1 and isinstance(value, tuple | list) and isinstance(value[0], Mapping):
        return f"a {type(value).__name__} of dictionaries; pass `pandas.DataFrame({argument})`"
    if array.ndim == 1 and array.dtype.kind == "O":
        return f"{array.shape}; for arrays in its cells pass numpy.stack(...) of them"
    if array.ndim == 1:
        frame = hasattr(value, "to_frame")
        return f"{array.shape}; for one {kind} pass `{argument}{'.to_frame()' if frame else '[:, None]'}`"
    if array.ndim == 0:
        table = "; to score a model pass `dm.evaluate(model, dataset)`" if callable(value) else ""
        if isinstance(value, Iterator):
            table = f"; pass `list({argument})`"
        if isinstance(value, Mapping):
            table = "; for named columns pass pandas.DataFrame(...) of it"
            if argument == "factors":
                table = "; named columns must each have shape (N,), and all the same N"
            if len(value) == 2 and all(len(shape_of(part)) == 2 for part in value.values()):
                table = "; for means and log-variances pass dm.GaussianPosterior(mean, logvar) of its parts"
        return f"{'None' if value is None else f'a {type(value).__name__}'}{table}"
    if array.ndim == 3 and isinstance(value, (tuple, list)):
        return f"{array.shape}; put batches together with {_joining(value)}"
    if array.ndim > 2:
        return f"{array.shape}; flatten each row with `{argument}.reshape(len({argument}), -1)`"
    return str(array.shape)
