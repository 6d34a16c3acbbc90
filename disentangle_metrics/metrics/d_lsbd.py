"""D_LSBD: does a plane of the latents turn when a circular factor turns?"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.checks import Check
from disentangle_metrics.errors import NotApplicable
from disentangle_metrics.estimators.equivariance import turning_error
from disentangle_metrics.metrics import metric
from disentangle_metrics.metrics.definition import Labelled, MetricValue
from disentangle_metrics.relations.relations import Relations
from disentangle_metrics.relations.units import units_of
from disentangle_metrics.settings import AtLeast

ROWS_PER_COLUMN = 4  # of an object, for each column of the widest unit and one more: fewer fit any circle
ALONE = 'pass `dm.Metric("d_lsbd", objects="together")` to fit one plane to all rows'


@metric(
    property="identifiability",
    direction="down",
    relation="planes of the latents that turn with a circular factor",
    source="Tonnaer et al. 2022",
    label_free=False,
)
def d_lsbd(
    relations: Relations,
    *,
    turns: Annotated[int, AtLeast(1)] = 5,
    objects: Literal["apart", "together"] = "apart",
) -> MetricValue:
    """D_LSBD: how far latents are from turning in a plane as a circular factor turns.

    It asks for linear symmetry-based disentanglement: a turn of the factor is a turn of one plane of the
    latents, whatever the other factors are. For a circular factor with angle a, y_n is the place of row n in
    the plane, a complex number of mean 0 whose two axes are uncorrelated and of mean square 1/2:

        min over planes, directions and w = 1 .. turns of  mean over n of |exp(-i w a_n) y_n - M|^2

    with M the mean of the turned rows. Where angles are on a full grid this is 1 - r^2, r the mean of the two
    canonical correlations of the latents with (cos w a, sin w a). That form is scored on any rows, so a
    perfect code scores 0 whichever angles were drawn. The score is the mean over the circular factors.

    Parameters
    ----------
    turns
        The most turns of the plane in one turn of the factor. More than one turn is perfect too, as
        published, although it gives several angles one code; details say how many turns fit best.
    objects
        An object is the rows that share the value of every factor that is not circular. "apart", as
        published: each object has a plane, origin, radius and direction of its own, and objects weigh
        alike. "together": one plane for all rows, so that it must turn alike for all objects.

    Returns
    -------
    Range [0, 1], lower means better. Parts: `per_factor`, NaN for factors that are not circular. Details:
    `turns` (K,), how many fit best; with groups of latents `error` (groups, K), of which each factor has
    its best. A group of two latents is the plane itself; without groups it is the best plane of all latents.

    Chance level
    ------------
    Just below 1, by about D / N of an object: 0.99 was measured on 1,000 rows of 5 normal latents and an
    independent angle.

    Degenerate cases
    ----------------
    A constant latent changes nothing. One latent alone is no plane and scores 3/4 at best, unless it is
    declared circular: then it is a circle. The plane's two radii may differ, so an ellipse scores 0. An
    object of fewer than 4 (D + 1) rows, D the columns of its widest group, or of fewer than three angles, is
    left out, with a check; so is a circular factor without such objects. Three angles fit any plane that
    tells them apart. No object left, or no circular factor: NaN; so is a continuous factor that is not
    circular, with objects "apart".

    Cost
    ----
    A singular value decomposition of each group and object: time O(N D^2 + N K turns), memory O(N D). All
    rows are read.

    References
    ----------
    Tonnaer, Perez Rey, Menkovski, Holenderski, Portegies. Quantifying and learning linear symmetry-based
    disentanglement. ICML 2022.
    """
    inputs = relations.inputs
    circular = [k for k, factor in enumerate(inputs.factors) if factor.period is not None and factor.varies]
    if not circular:
        raise NotApplicable('D_LSBD needs a circular factor, as in `factor_types={"angle": "circular:360"}`')
    columns, units = units_of(relations)
    least = ROWS_PER_COLUMN * (max(map(len, units)) + 1)
    rows_of = _objects(relations, objects)
    kept = [rows for rows in rows_of if len(rows) >= least]
    if not kept:
        larger = "score more rows" if objects == "together" else f"score more rows, or {ALONE}"
        raise NotApplicable(f"D_LSBD needs an object of {least} rows, and none has as many: {larger}")
    errors = np.full((len(units), inputs.shape[2]), np.nan)
    most_turns = np.full(errors.shape, np.nan)
    left_out = len(rows_of) - len(kept)
    for k in circular:
        angles = inputs.factors[k].angles()
        tried = np.stack([_tried(columns[:, unit], angles, kept, turns) for unit in units])
        seen = ~np.isnan(tried).all(axis=(0, 2))
        if not seen.any():
            continue
        left_out = max(left_out, len(rows_of) - int(seen.sum()))
        mean = np.nan_to_num(tried[:, seen].mean(axis=1), nan=np.inf)
        if np.isinf(mean).all():  # no number of turns suits the angles of all objects
            continue
        errors[:, k], most_turns[:, k] = mean.min(axis=1), mean.argmin(axis=1) + 1
    if np.isnan(errors).all():
        raise NotApplicable("D_LSBD needs three different angles within an object")
    unfit = [inputs.factor_names[k] for k in circular if np.isnan(errors[:, k]).all()]
    checks = (*_checks(left_out, len(rows_of), least), *map(_unfit, unfit))
    return _best(errors, most_turns, grouped=bool(inputs.groups), checks=checks)


def _tried(
    unit: NDArray[np.float64], angles: NDArray[np.float64], objects: list[NDArray[np.int64]], turns: int
) -> NDArray[np.float64]:
    """The error of a unit's best plane for each object and number of turns. Shape (objects, turns)."""
    return np.stack([turning_error(unit[rows], angles[rows], range(1, turns + 1)) for rows in objects])


def _best(
    errors: NDArray[np.float64], turns: NDArray[np.float64], *, grouped: bool, checks: tuple[Check, ...]
) -> MetricValue:
    """Each factor's best unit, and the mean over factors."""
    best = np.nan_to_num(errors, nan=np.inf).argmin(axis=0)
    places = np.arange(errors.shape[1])
    per_factor = errors[best, places]
    details = {"turns": Labelled(turns[best, places], ("factors",))}
    if grouped:
        details["error"] = Labelled(errors, ("latents", "factors"))
    return MetricValue(float(np.nanmean(per_factor)), per_factor, details=details, warnings=checks)


def _objects(relations: Relations, objects: Literal["apart", "together"]) -> list[NDArray[np.int64]]:
    """The rows of each object."""
    everything = np.arange(relations.inputs.shape[0])
    others = [factor for factor in relations.inputs.factors if factor.period is None and factor.varies]
    if objects == "together" or not others:
        return [everything]
    if (continuous := next((factor.name for factor in others if factor.codes is None), None)) is not None:
        raise NotApplicable(
            f"factor {continuous!r} is continuous, so that few rows show one object: leave it out, or {ALONE}"
        )
    codes = np.stack([np.asarray(factor.codes) for factor in others], axis=1)
    place = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
    order = np.argsort(place, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(place[order])) + 1)


def _unfit(factor: str) -> Check:
    text = f"D_LSBD leaves out {factor}: objects have fewer than three of its angles"
    return Check("factor_left_out", text, "score rows of more angles", factor)


def _checks(left_out: int, objects: int, least: int) -> tuple[Check, ...]:
    if not left_out:
        return ()
    return (
        Check(
            "objects_left_out",
            f"D_LSBD leaves out {left_out:,} of {objects:,} objects: they have fewer than {least} rows, or "
            "fewer than three angles",
            f"score more rows, or {ALONE}",
            "d_lsbd",
            {"objects": left_out},
        ),
    )
