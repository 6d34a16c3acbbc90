"""Of DRVI (one class against the rest) and lsbd-vae (circles): what they recorded, beside the same of ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import disentangle_metrics as dm
from disentangle_metrics.estimators.equivariance import turning_error
from tests.agreement.choices import Unreproduced
from tests.agreement.comparison import Comparison, Pair, Record
from tests.agreement.explanations import Explanation, Shown
from tests.agreement.reference import arrays, found, numbers

DRVI, LSBD = "DRVI", "lsbd-vae"
EXACT = 1e-9
ALL = "all factors' values as columns"
EVERY_TURN = "-5..5 for each cyclic factor, all combinations"


def matching(case: str, record: Record, latents: Any = None) -> Any:
    """Our report on the classes of a record of DRVI."""
    columns = record["params"]["columns"]
    given, factors = arrays(case)
    factors = factors if columns == ALL else factors[:, [int(columns.split()[1])]]
    similarity = record["params"]["pairwise"].lower()
    latents = given if latents is None else latents
    return dm.latent_matching(latents, factors, similarity=similarity, factor_types="categorical")


def in_order_of_the_file(latents: Any) -> Any:
    """Tied rows put apart as the peer has them: in the order that its sort leaves them in."""
    return np.argsort(np.argsort(latents, axis=0), axis=0).astype(float)


def classes(case: str, record: Record) -> Iterator[Pair]:
    apart = record["params"]["pairwise"] == "SPN"
    report = matching(case, record, in_order_of_the_file(arrays(case)[0]) if apart else None)
    for key in ("lms", "msas", "msgs"):
        yield Pair(report[key].value, record["values"][key.upper()], EXACT)
    theirs = numbers(record["intermediates"]["table_latents_by_columns"])
    yield Pair(report["lms"].details["similarity"].to_numpy(), theirs, EXACT)


def components(rows: Any) -> Any:
    """The two largest principal components of rows of mean 0."""
    left, scale, _ = np.linalg.svd(rows, full_matrices=False)
    return left[:, :2] * scale[:2]


def peers_plane(latents: Any, grid: list[int], axis: int) -> Any:
    """The plane of lsbd-vae on a torus: without what the other angle tells, the two largest components."""
    cube = latents.reshape(*grid, -1)
    return components((cube - cube.mean(axis=axis, keepdims=True)).reshape(len(latents), -1))


def tori(case: str, record: Record) -> Iterator[Pair]:
    """For every number of turns the better of both signs; and the score of each angle."""
    latents, factors = arrays(case)
    grid = record["params"]["grid_shape"]
    table = numbers(record["intermediates"]["per_k_from_minus5_to_5"])  # (11, angles)
    share = 1 - 1 / len(latents)
    for axis, size in enumerate(grid):
        plane = peers_plane(latents, grid, axis)
        angles = factors[:, axis] * 2 * np.pi / size
        errors = turning_error(plane, angles, range(1, 6)) * share
        yield Pair(errors, np.minimum(table[6:, axis], table[4::-1, axis]), EXACT)
        score = dm.d_lsbd(plane, factors[:, [axis]], factor_types="circular").value
        yield Pair(score * share, record["values"]["parts"][axis], EXACT)


def cylinder(case: str, record: Record) -> Iterator[Pair]:
    """Of the objects whose components happen to have the sign of the one k."""
    objects, size = record["params"]["grid_shape"]
    angles = np.arange(size) * 2 * np.pi / size
    for rows, theirs in zip(
        arrays(case)[0].reshape(objects, size, -1), record["values"]["parts"], strict=True
    ):
        if theirs < 0.5:
            error = turning_error(components(rows - rows.mean(axis=0)), angles, range(1, 6)).min()
            yield Pair(error * (1 - 1 / size), theirs, EXACT)


SINGLE = (
    *(
        Comparison(
            DRVI,
            f"LMS, MSAS, MSGS over {name}",
            "three scores, table of latents by classes",
            f'`dm.latent_matching(z, v, similarity="{name.lower()}")`',
            "1e-9",
            classes,
            parameters="tied rows put apart in its order" if name == "SPN" else "",
        )
        for name in ("SMI", "SPN", "BMMI", "ASC")
    ),
    Comparison(
        LSBD,
        "D_LSBD",
        "every number of turns, score of each angle",
        "`dm.d_lsbd` of its planes, times (N - 1) / N",
        "1e-9",
        tori,
        where=lambda record: (
            record["params"]["factor_manifold"] == "torus" and record["params"]["k"] == EVERY_TURN
        ),
        parameters="tori, the better sign",
    ),
    Comparison(
        LSBD,
        "D_LSBD",
        "score of each object whose sign is right",
        "`dm.d_lsbd` of its planes, times (n - 1) / n",
        "1e-9",
        cylinder,
        where=lambda record: record["params"]["factor_manifold"] == "cylinder",
        parameters="cylinder",
    ),
)


def _file_order() -> Iterator[Shown]:
    for case in ("p09_inactive", "p14_posterior", "pg_rare"):
        (record,) = found(case, DRVI, "LMS, MSAS, MSGS over SPN", columns=ALL)
        for key in ("lms", "msgs"):
            ours = matching(case, record)[key].value
            yield Shown(case, key.upper(), ours, record["values"][key.upper()])


def _circle(case: str, what: str, **parameters: Any) -> Shown:
    (record,) = found(case, LSBD, "D_LSBD", **parameters)
    kinds = ["categorical", "circular"] if case == "pg_cylinder" else "circular"
    ours = dm.d_lsbd(*arrays(case), factor_types=kinds).value
    return Shown(case, what, ours, record["values"]["D_LSBD"])


def _signs() -> Iterator[Shown]:
    yield _circle("pg_cylinder", "D_LSBD, five circles of either sign")
    for case in ("pg_circle_clean", "pg_circle_mixed"):
        yield _circle(case, "D_LSBD, k = 1 alone there", k="(1, 1) only")


def _planes() -> Iterator[Shown]:
    for case in ("pg_circle_mixed", "pg_circle_warped"):
        yield _circle(case, "D_LSBD", k=EVERY_TURN)


SINGLE_DEFECTS = (
    Explanation(
        "Neighbours of tied rows",
        "DRVI sorts the rows by a latent and leaves tied ones as its sort does. So the order of the file changes the "
        "score, and a constant latent (p09) scores what that order gives. Here tied rows count as in a random order "
        "of them, on average. With the ties put apart in its order ours gives its tables (above).",
        ((DRVI, "LMS, MSAS, MSGS over SPN"),),
        (),
        _file_order,
    ),
    Explanation(
        "One sign for every circle",
        "lsbd-vae turns rows back by k times their angle, and the sign of its principal components is free. So a "
        "perfect circle scores 0 at k = 1 or at k = -1, by chance. Of a cylinder one k serves all objects, while "
        "each has a sign of its own. Here the data choose the direction, for each object.",
        ((LSBD, "D_LSBD"),),
        ("pg_cylinder", "pg_circle"),
        _signs,
    ),
)
SINGLE_CHOICES = (
    Explanation(
        "The plane of a circle",
        "lsbd-vae subtracts the mean over the angle at fixed other factors, which takes some noise off too, and "
        "takes the two largest components. Here what other factors move in the plane counts, and the plane is "
        "the one that follows the angle best.",
        ((LSBD, "D_LSBD"),),
        (),
        _planes,
    ),
)
SINGLE_UNREPRODUCED = (
    Unreproduced(
        DRVI,
        "LMS, MSAS, MSGS over ASC",
        "p09",
        "raises where a latent is constant; ours has similarity 0",
        lambda record: "error" in record,
    ),
)
