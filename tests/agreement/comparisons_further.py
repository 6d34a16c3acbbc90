"""What is compared of the second nine implementations and CEBRA (tests/data/reference2 and cebra)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.agreement.comparison import Comparison, Pairs, Record
from tests.agreement.pairs_further import (
    boilard_dcimig,
    boilard_jemmig,
    boilard_mig_sup,
    cebra_r2,
    equal_bins,
    guard_infomec,
    guard_mcc,
    guard_mcc_held_out,
    guard_mcc_of_one_split,
    guard_mig,
    guard_r2,
    guard_rdc,
    guard_t_mex,
    hierarchical_mig,
    hierarchical_sap,
    icebeem_mcc,
    icebeem_mcc_of_one_split,
    icebeem_weak_mcc,
    in_sample_r2,
    orthogonality,
    procrustes,
    vaetc_mig_sup,
    vaetc_rmig,
    variant_dcimig,
    variant_edi,
    variant_mig,
    variant_mig_sup,
    variant_modularity,
    variant_modularity_by_neighbours,
    variant_sap,
)


def _row(
    peer: str, metric: str, what: str, call: str, pairs: Pairs, tolerance: str = "1e-9", **more: Any
) -> Comparison:
    call = call if call.startswith("our ") else f"`{call}`"
    return Comparison(peer, metric, what, call, tolerance, pairs, **more)


def _is(**wanted: Any) -> Any:
    return lambda record: all(record["params"].get(name) == value for name, value in wanted.items())


def _as_given(record: Record) -> bool:
    return bool(record["params"]["data"].startswith("as given"))


def _scaled(record: Record) -> bool:
    return not _as_given(record)


def _large(rows: int) -> bool:
    return rows > 2_500


def _variant(metric: str, what: str, call: str, pairs: Pairs, **more: Any) -> Iterator[Comparison]:
    for discrete in (True, False):
        merged = "" if discrete else ", factor_bins=30"
        more["where"] = _is(discrete_factors=discrete, estimator="bins")
        more["parameters"] = "factors as given" if discrete else "factors in 30 bins"
        yield _row(VARIANT, metric, what, call.format(f"bins=30{merged}"), pairs, **more)


BOILARD, VARIANT, GUARD = "jboilard1994", "InnVariant", "identifiability-guard"
VAETC, HIERARCHY, LEJEPA = "vaetc", "hierarchical-disentanglement", "lejepa-identifiability"
CEBRA = "CEBRA"
CONSTANT = ("p09",)
BY_EDGE = ("pg_hier_nested",)

FURTHER = (
    _row(
        BOILARD,
        "MIG-sup",
        "score, per latent, table of I",
        'dm.mig_sup(z, v, bins=..., order="information", active=None)',
        boilard_mig_sup,
        where=equal_bins,
        parameters="10 and 20 bins",
    ),
    _row(
        BOILARD,
        "DCIMIG",
        "normalised score",
        'dm.dcimig(z, v, bins=..., weights="equal")',
        boilard_dcimig,
        where=equal_bins,
        parameters="10 and 20 bins",
    ),
    _row(
        BOILARD,
        "JEMMIG",
        "normalised score",
        "dm.jemmig(z, v, bins=...)",
        boilard_jemmig,
        where=equal_bins,
        parameters="10 and 20 bins",
    ),
    *_variant("MIG", "score", "dm.mig(z, v, {})", variant_mig),
    *_variant(
        "MIG-sup",
        "score, per latent",
        'dm.mig_sup(z, v, {}, normaliser="latent", active=None)',
        variant_mig_sup,
    ),
    *_variant("DCIMIG", "score", "dm.dcimig(z, v, {})", variant_dcimig),
    *_variant("modularity", "score", "dm.modularity(z, v, {}, active=None)", variant_modularity),
    _row(
        VARIANT,
        "modularity",
        "score, mean of seeds 0 to 2",
        'dm.score(z, v, metrics=dm.Metric("modularity", estimator="nearest_neighbours", active=None), '
        'factor_types="continuous")',
        variant_modularity_by_neighbours,
        "2e-3, or 5 standard deviations of their seeds and ours",
        where=_is(estimator="ksg"),
        parameters="nearest neighbours",
        slow=_large,
    ),
    _row(
        VARIANT,
        "MIG-sup (ksg file)",
        "score",
        'dm.mig_sup(z, v, bins=30, factor_bins=30, normaliser="latent", active=None)',
        variant_mig_sup,
    ),
    _row(VARIANT, "SAP", "score", 'dm.sap(z, v, kind="regression")', variant_sap),
    _row(
        VARIANT,
        "EDI without neural network (D, C)",
        "D, C",
        "our table of I and the formula of EDI (tests/agreement/edi.py)",
        variant_edi,
    ),
    *(
        _row(
            GUARD,
            "MCC",
            "of matched pairs, of all factors",
            f'dm.mcc(z, v, correlation="{method}", normalisation="matched" or "factors")',
            guard_mcc,
            where=_is(method=method, crossfit=False),
            parameters=f"{method}, in sample",
        )
        for method in ("pearson", "spearman")
    ),
    _row(
        GUARD,
        "MCC",
        "of matched pairs, smallest of its seeds",
        'dm.mcc(z, v, correlation="rdc", normalisation="matched"), ties in the order of the rows',
        guard_rdc,
        "0.02, of measurements 0.005",
        where=_is(method="rdc"),
        parameters="rdc",
        slow=_large,
        explained=("p05",),
    ),
    _row(
        GUARD,
        "MCC",
        "of matched pairs, before it is cut at 0",
        "our matching, with its folds and ranks of each fold",
        guard_mcc_held_out,
        where=lambda record: record["params"]["crossfit"] and record["params"]["method"] != "rdc",
        parameters="cross-fitted",
    ),
    _row(
        GUARD,
        "MCC train/test",
        "score",
        "our matching on the train rows, signed correlation on the test rows",
        guard_mcc_of_one_split,
        where=lambda record: record["params"]["method"] != "rdc",
    ),
    _row(
        GUARD,
        "R2 of centred data",
        "score",
        "dm.linear_recovery(z, v, cross_fitted=False)",
        guard_r2,
    ),
    _row(
        GUARD, "MIG", "score", "dm.mig(z, v, bins=20, factor_bins=20)", guard_mig, explained=("pg_lin_warp",)
    ),
    _row(
        GUARD,
        "InfoMEC",
        "InfoM, InfoC, means of seeds 0 to 2",
        'dm.infomec(z, v, protocol="hsu2023"), v in 20 bins where it has more values',
        guard_infomec,
        "5 standard deviations of their seeds and ours, or 2e-3",
        slow=_large,
        explained=("p05",),
    ),
    _row(
        GUARD,
        "T-MEX",
        "number of dependent cells, mean of seeds 0 to 2",
        'dm.t_mex(z, v).details["dependent"]',
        guard_t_mex,
        "one cell",
        slow=_large,
    ),
    *(
        _row(
            "icebeem",
            "MCC (strong)",
            "score",
            f'dm.mcc(z, v, correlation="{method}", normalisation="matched")',
            icebeem_mcc,
            where=_is(method=method),
            parameters=method,
            explained=CONSTANT,
        )
        for method in ("pearson", "spearman")
    ),
    _row(
        "icebeem",
        "MCC (weak, CCA)",
        "in sample",
        'dm.mcc(z, v, affine=True, normalisation="matched"), z and v the train rows',
        icebeem_weak_mcc,
        "1e-6",
        where=lambda record: record["params"]["method"] != "rdc",
        parameters="pearson",
        explained=("pg_mix_050",),
    ),
    _row(
        "icebeem",
        "MCC (strong) out of sample",
        "score",
        "our matching on the train rows, absolute correlation on the test rows",
        icebeem_mcc_of_one_split,
        explained=CONSTANT,
    ),
    _row(
        CEBRA,
        "consistency of two embeddings",
        "of latents and factors, both ways",
        "dm.linear_recovery(z, v, cross_fitted=False)",
        cebra_r2,
        explained=CONSTANT,
    ),
    _row(
        LEJEPA,
        "bidirectional linear R2",
        "both ways",
        'dm.linear_recovery(z, v, cross_fitted=False, weights="variance")',
        in_sample_r2,
        where=_as_given,
        parameters="as given",
        explained=("p08", "p09"),
    ),
    _row(
        LEJEPA,
        "bidirectional linear R2",
        "both ways",
        "dm.linear_recovery(z, v, cross_fitted=False)",
        in_sample_r2,
        where=_scaled,
        parameters="z-scored",
        explained=("p08", "p09"),
    ),
    _row(
        LEJEPA,
        "orthogonality error",
        "over the root of K",
        'dm.linear_recovery(z, v)["orthogonality"]',
        orthogonality,
        where=_scaled,
        parameters="z-scored",
    ),
    _row(
        LEJEPA,
        "Procrustes and covariance",
        "Procrustes error",
        'our dm.linear_recovery(z, v)["procrustes"] p, as 2 K (1 - sqrt(1 - p))',
        procrustes,
        where=_scaled,
        parameters="z-scored",
    ),
    _row(
        VAETC,
        "RMIG, JEMMIG",
        "RMIG of each column, in nats",
        'our dm.rmig(posterior, binary columns): `per_factor` times `details["factor_entropy"]`',
        vaetc_rmig,
        "1e-6: theirs is in single precision",
    ),
    _row(
        VAETC,
        "MIG-sup",
        "table of I, per latent",
        "our table of dm.rmig(posterior, binary columns); its score is the gap of I + H(column)",
        vaetc_mig_sup,
        "1e-6: theirs is in single precision",
    ),
    _row(
        HIERARCHY,
        "MIG",
        "score",
        "dm.mig(z, v, bins=20, factor_bins=20)",
        hierarchical_mig,
        explained=BY_EDGE,
    ),
    _row(
        HIERARCHY,
        "SAP",
        "score",
        'dm.score(z, v, metrics=dm.Metric("sap", split=None, max_rows=None), factor_types=...)',
        hierarchical_sap,
    ),
)
