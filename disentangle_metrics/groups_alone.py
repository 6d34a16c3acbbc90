"""per_group(): what each group of latents scores by itself, such as each layer of a model."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from disentangle_metrics.checks import once_each
from disentangle_metrics.errors import InputError, ScoreWarning
from disentangle_metrics.inputs.inputs import Inputs, check
from disentangle_metrics.inputs.latent_groups import Groups, read_groups
from disentangle_metrics.kit.progress import LateProgress
from disentangle_metrics.scoring.protocols import PROTOCOLS
from disentangle_metrics.scoring.report import Report
from disentangle_metrics.scoring.requests import Choice, Metric, Options, choose
from disentangle_metrics.scoring.score import score_inputs

if TYPE_CHECKING:
    import pandas as pd

INFORMATION = ("mig", "mig_sup")
PROBES = "dci_informativeness"
METRICS = (*INFORMATION, PROBES)
ABOUT = ("factor_names", "factor_types", "latent_names", "latent_types", "missing", "hierarchy")
MOST_UNITS = 20  # scored alone unasked: more would take longer than the scores themselves


def per_group(
    latents: Any,
    factors: Any,
    groups: Groups,
    *,
    metrics: Iterable[str | Metric] | str | Metric | None = None,
    protocol: str = "default",
    seed: int = 0,
    n_jobs: int | None = 1,
    progress: bool = False,
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
    metrics, protocol, seed, n_jobs, progress
        As for :func:`score`. `metrics` None: MIG and MIG-sup, as Li et al. 2020 compute them layer by
        layer, and the quality of DCI's probes, as Cui et al. 2023 compare layers.
    **about
        `factor_names`, `factor_types`, `latent_names`, `latent_types`, `missing` and `hierarchy` of
        :func:`score`.

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
    choices = choose(METRICS if metrics is None else metrics, protocol)
    whole = check(latents, factors, rule=PROTOCOLS[protocol].reading, **about)
    units = read_groups(groups, whole.latent_names)
    options = Options(seed, n_jobs, anchors=False)
    reports = _alone(whole, units, choices, options, protocol, progress)
    for text in once_each({name: report.warnings for name, report in reports.items()}):
        warnings.warn(text, ScoreWarning, stacklevel=2)
    return _table(reports)


def with_units_alone(report: Report, latents: Any, factors: Any, asked: Mapping[str, Any]) -> Report:
    """A report of groups with what each group scores alone; others as they are.

    Parameters
    ----------
    latents, factors
        What the report is of.
    asked
        Options of :func:`score` that it was made with. Of its metrics, those of METRICS are scored alone.
    """
    if not report.groups or factors is None or not 1 < len(report.groups) <= MOST_UNITS:
        return report
    protocol = asked.get("protocol", "default")
    choices = _of_units(asked.get("metrics"), protocol)
    if not choices:
        return report
    whole = check(latents, factors, rule=PROTOCOLS[protocol].reading, **_about(asked))
    units = tuple(report.groups.items())
    reports = _alone(whole, units, choices, _options(asked), protocol, asked.get("progress", False))
    return replace(report, per_group=_table(reports))


def with_layers(
    report: Report, latents: Any, factors: Any, layers: Groups, asked: Mapping[str, Any]
) -> Report:
    """A report of single latents with the scores of a model's layers; without them if there is one layer.

    It costs little: MIG of the layers, and MIG and MIG-sup of each alone. No predictor is trained. MIG of the
    layers is that of the default protocol, where the report's own has none of groups.

    Raises
    ------
    InputError
        If the layers are no groups of these latents.
    """
    protocol = asked.get("protocol", "default")
    whole = check(latents, factors, rule=PROTOCOLS[protocol].reading, **_about(asked))
    grouped, options = whole.grouped(layers), _options(asked)
    if len(grouped.groups) < 2:
        return report
    scored = score_inputs(grouped, choose(["mig"], protocol), options, protocol=protocol)
    if scored["mig"].reason:  # the protocol's MIG reads no groups, as that of posteriors
        scored = score_inputs(grouped, choose(["mig"], "default"), options, protocol="default")
    units = tuple(scored.groups.items())
    reports = _alone(whole, units, choose(INFORMATION, protocol), options, protocol, False)
    return replace(report, layers=replace(scored, per_group=_table(reports)))


def with_units(
    report: Report, latents: Any, factors: Any, layers: Groups | None, asked: Mapping[str, Any]
) -> Report:
    """The report with what each unit scores alone, or with a model's layers beside its latents."""
    if not layers:
        return with_units_alone(report, latents, factors, asked)
    try:
        return with_layers(report, latents, factors, layers, asked)
    except InputError as error:  # nobody asked for them
        warnings.warn(f"the layers of the model are not shown: {error}", ScoreWarning, stacklevel=3)
        return report


def layers_beside(options: dict[str, Any], named: Any) -> Groups | None:
    """The layers that a report shows beside its scores, if any.

    Parameters
    ----------
    options
        Of :func:`evaluate`. Their `groups` become what :func:`score` takes: "layers" the layers named.
    named
        The groups of latents that the network names, if it does.

    Raises
    ------
    InputError
        If the layers are asked for and there are none, or `groups` is another word.
    """
    wanted = options.get("groups")
    if not isinstance(wanted, str):
        beside = wanted is None and options.get("metrics") is None and isinstance(named, Mapping)
        return named if beside else None
    del options["groups"]
    if wanted not in ("layers", "none"):
        raise InputError(f"`groups` must map names to columns, or be 'layers' or 'none', got {wanted!r}")
    if wanted == "layers" and not named:
        raise InputError(
            "`groups='layers'` needs a network that names its layers in an attribute `latent_groups`; pass "
            "the groups themselves, such as `groups={'layer 1': [0, 1]}`"
        )
    if wanted == "layers":
        options["groups"] = named
    return None


def _about(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: asked[name] for name in ABOUT if name in asked}


def _options(asked: Mapping[str, Any]) -> Options:
    return Options(asked.get("seed", 0), asked.get("n_jobs", 1), anchors=False)


def _of_units(asked: Any, protocol: str) -> list[Choice]:
    """The metrics of METRICS among those asked for, with their settings; all of them if none is named."""
    if not asked:
        return choose(METRICS, protocol)
    choices = []
    for choice in choose(asked, protocol):
        keys = tuple(key for key in choice.keys if key in METRICS)
        if keys:
            choices.append(replace(choice, keys=keys, pins={}))
    return choices


def _alone(
    whole: Inputs,
    units: Sequence[tuple[str, tuple[int, ...]]],
    choices: Sequence[Choice],
    options: Options,
    protocol: str,
    progress: bool,
) -> dict[str, Report]:
    """The report of each unit alone."""
    reports = {}
    with LateProgress("scoring each unit alone", len(units), "units", shown=progress) as bar:
        for name, columns in units:
            own = list(columns)
            part = replace(
                whole,
                latents=whole.latents[:, own],
                logvar=None if whole.logvar is None else whole.logvar[:, own],
                latent_names=tuple(whole.latent_names[column] for column in own),
                latent_types=tuple(whole.latent_types[column] for column in own)
                if whole.latent_types
                else (),
                on_device=None,
            )
            reports[name] = score_inputs(part, choices, options, protocol=protocol)
            bar.update(1)
    return reports


def _table(reports: Mapping[str, Report]) -> pd.DataFrame:
    import pandas as pd

    rows = {
        name: {
            (key, column): value
            for key, score in report.items()
            for column, value in [("score", score.value), *_parts(score)]
        }
        for name, report in reports.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _parts(score: Any) -> list[tuple[str, float]]:
    return [] if score.per_factor is None else [(str(k), float(v)) for k, v in score.per_factor.items()]
