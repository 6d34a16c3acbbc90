from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("PIL")
from PIL import Image

from disentangle_metrics import InputError
from reference_models.models.beta_vae import BetaVAE
from reference_models.models.pro_vlae import ProVLAE
from reference_models.models.vlae import VLAE
from reference_models.trained import pictures, traversals
from reference_models.trained.load import TrainedModel
from tests.reference_models.conftest import Squares


def trained(kind: type, channels: int = 1, step: int = 0) -> TrainedModel:
    """A model whose weights are large enough that every latent in use shows."""
    torch.manual_seed(0)
    shape = (channels, 32, 32)
    if kind is BetaVAE:
        model, layers = kind(image_shape=shape, latents=4), 1
    else:
        model, layers = kind(image_shape=shape, latents_per_layer=2), 3
    model.enter(step)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(1.5)
    return TrainedModel(Path("x"), model.eval(), "squares", step, shape, layers)


def subject(model: TrainedModel, squares: Squares) -> traversals.Subject:
    return traversals.subject(model, squares, 300)


@pytest.mark.parametrize(("kind", "latents"), [(ProVLAE, 6), (VLAE, 6), (BetaVAE, 4)])
def test_one_row_for_each_latent(kind: type, latents: int, squares: Squares) -> None:
    of = subject(trained(kind, step=99_999), squares)
    grid = traversals.traversal_grid(of, traversals.even_values(of, 5, 1.5))
    assert grid.tiles.shape == (latents, 5, 32, 32, 1)
    assert grid.tiles.dtype == np.uint8
    assert grid.column_labels == (("-1.50", "-0.75", "0.00", "+0.75", "+1.50"),)
    assert [label.split("\n")[0] for label in grid.row_labels] == [f"z{i}" for i in range(latents)]
    assert grid.groups == ((1, 1, 2, 2, 3, 3) if latents == 6 else (1, 1, 1, 1))
    for row in grid.tiles:
        assert (row[0] != row[-1]).any()


def test_a_tile_is_the_decoders_image_of_the_moved_code(squares: Squares) -> None:
    of = subject(trained(VLAE), squares)
    values = traversals.quantile_values(of, 3)
    np.testing.assert_allclose(values[:, 1], np.median(of.means, axis=0))
    np.testing.assert_allclose(values[:, [0, 2]], np.quantile(of.means, [0.02, 0.98], axis=0).T)
    tiles = traversals.traverse(of, values)
    for latent, column in ((0, 0), (3, 2), (5, 1)):
        code = torch.tensor(of.code, dtype=torch.float32)
        code[latent] = float(values[latent, column])
        with torch.no_grad():
            expected = torch.sigmoid(of.trained.model.decode(code[None]))[0, 0].numpy() * 255
        assert np.abs(tiles[latent, column, :, :, 0] - expected).max() < 0.51
    unmoved = traversals.traverse(of, of.code[:, None])
    np.testing.assert_array_equal(unmoved[:, 0], np.broadcast_to(of.original[1], unmoved[:, 0].shape))
    np.testing.assert_array_equal(of.original[0], squares.images([300])[0])


def test_latents_of_layers_that_wait_change_nothing(squares: Squares) -> None:
    of = subject(trained(ProVLAE, step=0), squares)  # only the top layer is awake
    tiles = traversals.traverse(of, traversals.even_values(of, 4))
    for latent in range(4):
        np.testing.assert_array_equal(tiles[latent], np.broadcast_to(of.original[1], tiles[latent].shape))
    assert (tiles[4, 0] != tiles[4, -1]).any()
    np.testing.assert_array_equal(of.kl[:4], 0)
    assert (of.kl[4:] > 0).all()
    drawn = traversals.redraw(of, 3)
    np.testing.assert_array_equal(drawn[:2], np.broadcast_to(of.original[1], drawn[:2].shape))


def test_one_layer_drawn_while_the_others_stay(squares: Squares) -> None:
    of = subject(trained(VLAE), squares)
    seen = []
    decode = of.trained.model.decode
    of.trained.model.decode = lambda codes: seen.append(codes.numpy()) or decode(codes)
    grid = traversals.redrawn_grid(of, 50, seed=3)
    assert grid.tiles.shape == (3, 50, 32, 32, 1)
    codes = np.concatenate(seen).reshape(3, 50, 3, 2)
    code = of.code.astype(np.float32).reshape(3, 2)
    for layer in range(3):
        for other in range(3):
            changed = (codes[layer, :, other] != code[other]).all()
            assert changed == (layer == other)
        assert 0.7 < codes[layer, :, layer].std() < 1.3
    again = traversals.redrawn_grid(of, 50, seed=3)
    np.testing.assert_array_equal(again.tiles, grid.tiles)
    assert (traversals.redraw(of, 50, seed=4) != grid.tiles).any()


def test_animations_hold_the_same_tiles(squares: Squares) -> None:
    of = subject(trained(VLAE), squares)
    values = traversals.even_values(of, 4)
    tiles = traversals.traverse(of, values)
    frames = traversals.animation_grids(of, values)
    assert len(frames) == 4
    np.testing.assert_array_equal(frames[2].tiles[1, 0], tiles[2, 2])
    assert frames[2].column_labels[1] == ("z2 +0.67", "z3 +0.67")
    loop = traversals.back_and_forth([[frame] for frame in frames])
    assert [grids[0].column_labels[0][0] for grids in loop] == [
        "z0 -2.00", "z0 -0.67", "z0 +0.67", "z0 +2.00", "z0 +0.67", "z0 -0.67",
    ]  # fmt: skip


def contains(sheet: np.ndarray, tile: np.ndarray) -> int:
    """How often a tile stands in a sheet, pixel for pixel."""
    height, width, _ = tile.shape
    corners = np.argwhere((sheet[: -height + 1, : -width + 1] == tile[0, 0]).all(-1))
    return sum((sheet[r : r + height, c : c + width] == tile).all() for r, c in corners)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 64])
def test_the_picture_holds_every_tile(channels: int, side: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grids = [
        traversals.Grid(
            title=f"stage {stage}",
            row_labels=("z0", "z1\nlayer 2"),
            column_labels=(("a", "b", "c"),),
            tiles=rng.integers(0, 255, (2, 3, side, side, channels), np.uint8),
            original=rng.integers(0, 255, (2, side, side, channels), np.uint8),
            groups=(1, 2),
        )
        for stage in range(2)
    ]
    pictures.write_png(tmp_path / "sheet.png", grids)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[2] == 3
    scale = 4 if side == 16 else 1
    for grid in grids:
        for tile in [*grid.original, *grid.tiles.reshape(-1, side, side, channels)]:
            shown = np.broadcast_to(tile, (side, side, 3)).repeat(scale, 0).repeat(scale, 1)
            assert contains(sheet, shown) == 1
    # Labels are dark on white, left of the tiles and above them.
    assert (sheet[:, :80].min(2) < 100).sum() > 50
    again = pictures.draw(grids)
    np.testing.assert_array_equal(np.asarray(again), sheet)
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_a_gif_moves(tmp_path: Path, squares: Squares) -> None:
    of = subject(trained(VLAE), squares)
    frames = [[grid] for grid in traversals.animation_grids(of, traversals.even_values(of, 3))]
    pictures.write_gif(tmp_path / "a.gif", traversals.back_and_forth(frames))
    gif = Image.open(tmp_path / "a.gif")
    assert gif.n_frames == 4
    assert gif.info["loop"] == 0
    gif.seek(1)
    shown = np.asarray(gif.convert("RGB")).astype(int)
    exact = np.asarray(pictures.draw(frames[1])).astype(int)
    assert shown.shape == exact.shape
    assert np.abs(shown - exact).mean() < 3


def test_rows_that_are_not_there(squares: Squares) -> None:
    with pytest.raises(InputError, match="there is no image 625; squares has images 0 to 624"):
        traversals.subject(trained(VLAE), squares, 625)
