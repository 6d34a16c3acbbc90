"""The ring of a circular factor: its plane, its labels, its title, and what is refused."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm

pytest.importorskip("matplotlib")
from matplotlib.backends.backend_agg import FigureCanvasAgg

RNG = np.random.default_rng(0)
HUE = RNG.uniform(0, 360, size=900)
RADIANS = np.radians(HUE)
RING = np.column_stack([np.cos(RADIANS), np.sin(RADIANS)]) + 0.1 * RNG.normal(size=(900, 2))
TYPES = {"factor_types": "circular:360", "factor_names": ["hue"]}


def drawn(latents, **options):
    figure = dm.plot.circle(latents, HUE[:, None], factor="hue", **TYPES, **options)
    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    return figure, axes, {text.get_text(): np.array(text.get_position()) for text in axes.texts}


def test_values_stand_where_their_rows_are():
    figure, axes, labels = drawn(RING, unit=["z_0", "z_1"])
    assert figure.get_size_inches()[0] == 3.3
    for value, place in {"0": [1, 0], "90": [0, 1], "180": [-1, 0], "270": [0, -1]}.items():
        assert labels[value] == pytest.approx(place, abs=0.08)
    error = dm.d_lsbd(RING, HUE[:, None], **TYPES).value
    assert axes.get_title(loc="left") == f"hue: error {error:.2f}, goes round once"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("z_0", "z_1")
    assert len(axes.collections[0].get_offsets()) == 900


def test_the_best_plane_is_turned_to_fit():
    mixed = np.column_stack([RING, RNG.normal(size=(900, 3))]) @ RNG.normal(size=(5, 5))
    _, axes, labels = drawn(mixed)
    assert labels["90"] == pytest.approx([0, 1], abs=0.1)
    assert "goes round once" in axes.get_title(loc="left")


def test_values_at_one_place_are_written_together():
    twice = np.column_stack([np.cos(2 * RADIANS), np.sin(2 * RADIANS)])
    _, axes, labels = drawn(twice, unit=[0, 1])
    assert set(labels) == {"0, 180", "90, 270"}
    assert axes.get_title(loc="left").endswith("goes round 2 times")


def test_a_bin_of_a_circle_is_named_by_where_it_begins():
    figure = dm.plot.latent(RING, HUE[:, None], latent=0, factor="hue", **TYPES)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()][:3] == ["0", "36", "72"]


@pytest.mark.parametrize("draw", [dm.plot.circle, partial(dm.plot.latent, latent=0)])
@pytest.mark.parametrize("how", [{"missing": "drop"}, {"hierarchy": {"hue": ("lit", 1)}}])
def test_a_factor_is_drawn_in_the_rows_that_have_it(draw, how):
    lit = np.arange(900) % 3 > 0
    factors = pd.DataFrame({"hue": np.where(lit, HUE, np.nan), "lit": lit.astype(int)})
    types = {"factor": "hue", "factor_types": {"hue": "circular:360"}}
    with pytest.raises(dm.InputError, match=r"pass `missing=.drop.`"):
        draw(RING, factors, **types)
    here, alone = draw(RING, factors, **types, **how), draw(RING[lit], factors[lit], **types)
    (part,), (whole,) = here.axes, alone.axes
    assert part.get_title(loc="left") == whole.get_title(loc="left")
    assert np.array_equal(part.collections[0].get_array(), whole.collections[0].get_array())


def test_what_is_refused():
    with pytest.raises(dm.InputError, match=r"'hue' is not circular; declare it"):
        dm.plot.circle(RING, HUE[:, None], factor="hue", factor_names=["hue"])
    with pytest.raises(dm.InputError, match=r"`unit` must be two latents, got \[0\]"):
        drawn(RING, unit=[0])
    with pytest.raises(dm.InputError, match=r"`unit` must be two latents, such as \[0, 1\], got 'z_0'"):
        drawn(RING, unit="z_0")
    with pytest.raises(dm.InputError, match="`unit`: there is no 'z_7'"):
        drawn(RING, unit=["z_7", "z_0"])
    two = np.repeat([0.0, 180.0], 20)[:, None]
    with pytest.raises(dm.InputError, match="fewer than three values"):
        dm.plot.circle(RING[:40], two, factor=0, factor_types="circular:360")
