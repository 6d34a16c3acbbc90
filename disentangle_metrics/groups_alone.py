"""per_group(): what each group of latents scores by itself, such as each layer of a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from disentangle_metrics.inputs.inputs import check
from disentangle_metrics.inputs.latent_groups import Groups, read_groups
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.requests import Metric, Options, choose
from disentangle_metrics.scoring.score import score_inputs

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("mig", "mig_sup", "dci_informativeness")


def per_group(
    latents: Any,
    factors: Any,
    groups: Groups,
    *,
    metrics: Iterable[str | Metric] = METRICS,
    protocol: str = "default",
    seed: int = 0,
    n_jobs: int | None = 1,
    **about: Any,
) -> pd.DataFrame:
    """Score the latents of each group alone, as if there were no others.

    It answers another question than ``score(..., groups=groups)``, where each group is one latent: is one
    layer by itself disentangled, and which factors does it hold?

    Parameters
    ----------
    latents, factors
        As for :func:`score`.
    groups
        Names, and the columns of each by place or name.
    metrics, protocol, seed, n_jobs
        As for :func:`score`. By default MIG and MIG-sup, as Li et al. 2020 compute them layer by layer, and
        the quality of DCI's probes, as Cui et al. 2023 compare layers.
    **about
        `factor_names`, `factor_types`, `latent_names`, `latent_types` and `missing` of :func:`score`.

    Returns
    -------
    pandas.DataFrame
        A row for each group in the order of their first columns. Columns ``(key, "score")``, and
        ``(key, factor)`` where a score has a part for each factor.

    References
    ----------
    Li, Murkute, Gyawali, Wang. Progressive learning and disentanglement of hierarchical representations.
    ICLR 2020; Cui, Wu, Han, ICCV 2023, for the probes of single layers.
    """
    import pandas as pd

    whole = check(latents, factors, rule=PROTOCOLS[protocol].reading, **about)
    rows = {}
    for name, columns in read_groups(groups, whole.latent_names):
        own = list(columns)
        part = replace(
            whole,
            latents=whole.latents[:, own],
            logvar=None if whole.logvar is None else whole.logvar[:, own],
            latent_names=tuple(whole.latent_names[column] for column in own),
            latent_types=tuple(whole.latent_types[column] for column in own) if whole.latent_types else (),
            on_device=None,
        )
        options = Options(seed, n_jobs, False, None, None)
        report = score_inputs(part, choose(list(metrics), protocol), options, protocol=protocol)
        rows[name] = {
            (key, column): value
            for key, score in report.items()
            for column, value in [("score", score.value), *_parts(score)]
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _parts(score: Any) -> list[tuple[str, float]]:
    return [] if score.per_factor is None else [(str(k), float(v)) for k, v in score.per_factor.items()]
