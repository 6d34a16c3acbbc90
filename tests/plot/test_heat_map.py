"""Heat maps of tables of latents by factors: the strongest pairs on the diagonal and dark, whatever numbers say so."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics.reporting.details import detail_tables, shares_of_largest
from disentangle_metrics.reporting.units import held
from tests.reporting.example import score

pytest.importorskip("matplotlib")

# Rows a, b hold factors y, x; c is constant. Each would be paired wrongly by its largest numbers.
FALLING = {
    "error": [[0.9, 0.1], [0.2, 0.8], [1.0, 1.0]],
    "p": [[0.5, 0.001], [0.02, 0.6], [1.0, 1.0]],
    "mean_distance": [[4.0, 0.4], [0.1, 0.5], [0.0, 0.0]],
}


SCORES = {
    "error": "d_lsbd",
    "p": "t_mex|halves:3",
    "mean_distance": "beta_vae",
    "matching": "mcc",
    "map": "orthogonality",
}


def of(name: str, rows: list[list[float]], key: str = "") -> dm.Report:
    frame = pd.DataFrame(rows, index=list("abc"), columns=["x", "y"])
    key = key or SCORES.get(name, "s")
    return dm.Report({key: score(key, 0.5, "", details={name: frame})}, latent_names=tuple("abc"))


@pytest.mark.parametrize("name", FALLING)
def test_where_less_is_more_the_smallest_numbers_are_paired_and_dark(name):
    report = of(name, FALLING[name])
    axes = dm.plot.table(report).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["y", "x"]
    shades = axes.images[0].get_array()
    assert shades.argmax(axis=1)[:2].tolist() == [0, 1]
    assert (shades[2] <= 0).all()
    smallest = FALLING[name][0][1]
    assert axes.texts[0].get_text() == f"{smallest:.2f}"
    assert f"(darkest {smallest:.3f})" in axes.get_title(loc="left")
    table = held(report)
    assert table is not None
    assert table.best() == {"x": "b", "y": "a"}
    (shown,) = detail_tables(report)
    dark = np.array(shares_of_largest(shown.strength))
    assert dark.argmax(axis=0).tolist() == [1, 0]
    assert shown.darkest in report.to_html()
    assert "unless the table says otherwise." in report.to_html()


@pytest.mark.parametrize("name", ["matching", "map"])
def test_the_sign_of_a_pair_does_not_count(name):
    report = of(name, [[-0.001, -1.0], [0.5, 0.1], [0.0, 0.2]])
    axes = dm.plot.table(report).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["a", "b", "c"]
    np.testing.assert_allclose(axes.images[0].get_array(), [[1.0, 0.001], [0.1, 0.5], [0.2, 0.0]])
    assert [text.get_text() for text in axes.texts[:2]] == ["-1.00", "0.00"]
    assert "(darkest -1.000)" in axes.get_title(loc="left")
    (shown,) = detail_tables(report)
    assert shares_of_largest(shown.strength)[0] == [0.001, 1.0]


@pytest.mark.parametrize("name", SCORES)
def test_a_table_of_another_score_with_such_a_name_is_dark_for_its_large_numbers(name):
    """Such as the probabilities `p` of a plug-in, or its errors above 1."""
    report = of(name, [[0.05, 0.9], [1.5, 0.05], [0.1, -1.0]], key="of_a_plugin")
    axes = dm.plot.table(report).axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["b", "a", "c"]
    np.testing.assert_array_equal(axes.images[0].get_array(), [[1.5, 0.05], [0.05, 0.9], [0.1, -1.0]])
    assert "(largest 1.500)" in axes.get_title(loc="left")
    table = held(report)
    assert table is not None
    assert (table.what, table.best()) == (name.replace("_", " "), {"x": "b", "y": "a"})
    (shown,) = detail_tables(report)
    assert (shown.darkest, shares_of_largest(shown.strength)[0]) == ("", [0.05 / 1.5, 0.6])
    assert len(detail_tables(dm.Report({**report, **of(name, report["of_a_plugin"].details[name])}))) == 2


@pytest.mark.parametrize(("number", "end"), [(0.0, " (largest 0.000)"), (np.nan, "")])
def test_a_title_has_the_largest_number_that_there_is(number, end):
    axes = dm.plot.table(of("mutual_information", [[number, number]] * 3)).axes[0]
    assert axes.get_title(loc="left") == f"s: mutual information, nats{end}"


def test_a_latent_that_keeps_its_distance_is_light():
    """The share of its largest distance that each falls by: 1 - 0.4 / 4, 1 - 0.1 / 0.5; a constant latent none."""
    shades = (
        dm.plot.table(of("mean_distance", FALLING["mean_distance"]), order=False)
        .axes[0]
        .images[0]
        .get_array()
    )
    np.testing.assert_allclose(shades, [[0.0, 0.9], [0.8, 0.0], [0.0, 0.0]])
