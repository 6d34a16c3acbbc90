"""Latents and factors by their names in an AnnData object; the package anndata is not imported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.kit.near_names import did_you_mean


def is_annotated(value: Any) -> bool:
    """Whether it is an AnnData object, or one of that shape."""
    return hasattr(value, "obsm") and hasattr(value, "obs") and hasattr(value, "n_obs")


def tables_of(
    adata: Any, latents: str | None = None, factors: Iterable[str] | str | None = None
) -> tuple[Any, Any]:
    """Latents (N, D) and factors (N, K) of an AnnData object, whose rows are the same observations.

    Parameters
    ----------
    latents
        A key of ``adata.obsm``, or "X" for the matrix itself.
    factors
        Columns of ``adata.obs``; None, for metrics that read the latents alone.

    Raises
    ------
    InputError
        If there is no such key or column, with those there are.
    """
    keys = [str(key) for key in adata.obsm]
    if not isinstance(latents, str):
        raise InputError(
            f"`latents` must be a key of adata.obsm when AnnData is scored, got {latents!r}; "
            f"it has {', '.join(keys) or 'none'} (or 'X')"
        )
    if latents != "X" and latents not in keys:
        raise InputError(f"`latents`: adata.obsm has no {latents!r}; {_near(latents, [*keys, 'X'])}")
    table = adata.X if latents == "X" else adata.obsm[latents]
    if table is None:
        raise InputError("`latents`: adata.X is empty")
    if factors is None:
        return table, None
    names = [factors] if isinstance(factors, str) else list(factors)
    columns = [str(column) for column in adata.obs.columns]
    if not names:
        raise InputError(f"`factors` is empty; pass some of adata.obs: {', '.join(columns)}")
    for name in names:
        if name not in columns:
            raise InputError(f"`factors`: adata.obs has no column {name!r}; {_near(name, columns)}")
    return table, adata.obs[names]


def _near(name: Any, known: list[str]) -> str:
    return f"{did_you_mean(name, known)}known: {', '.join(known) or 'none'}"
