"""Several embeddings of one AnnData object, scored side by side; one is scored by :func:`score` itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from disentangle_metrics.errors import InputError
from disentangle_metrics.inputs.annotated import is_annotated
from disentangle_metrics.scoring.score import score

if TYPE_CHECKING:
    import pandas as pd


def benchmark(
    adata: Any,
    latents: Iterable[str] | None = None,
    factors: Iterable[str] | str | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Score several embeddings of an AnnData object against columns of its ``obs``.

    Parameters
    ----------
    adata : AnnData
    latents
        Keys of ``adata.obsm``; by default all that are tables of numbers.
    factors
        Columns of ``adata.obs``, such as ``["batch", "cell_type"]``.
    **options
        As for :func:`disentangle_metrics.score`: `metrics`, `protocol`, `missing`, `n_jobs`, ...

    Returns
    -------
    pandas.DataFrame
        One row for each embedding, one column for each score. ``dm.score(adata, ...)`` gives the whole report
        of one.

    Raises
    ------
    InputError
        If an argument cannot be used.
    """
    if not is_annotated(adata):
        raise InputError(f"`adata` must be an AnnData object, got {type(adata).__name__}")
    import pandas as pd

    keys = _tables(adata) if latents is None else list(latents)
    if isinstance(latents, str) or not keys:
        raise InputError(f"`latents` must be keys of adata.obsm, such as [{str(latents or 'X_pca')!r}]")
    reports = {key: score(adata, latents=key, factors=factors, **options) for key in keys}
    values = {key: {name: found.value for name, found in report.items()} for key, report in reports.items()}
    return pd.DataFrame.from_dict(values, orient="index").rename_axis("embedding")


def _tables(adata: Any) -> list[str]:
    """Keys of the embeddings: tables of numbers with a column for each dimension."""
    return [str(key) for key, table in adata.obsm.items() if len(table.shape) == 2]
