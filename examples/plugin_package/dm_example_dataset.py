"""A data set in a package of its own: installed beside disentangle-metrics, it is opened by name."""

import numpy as np

from disentangle_metrics.datasets import Description, FactorDataset, FactorGrid, described

SIDE = 32  # pixels
GRID = FactorGrid(("direction", "width", "place"), (2, 4, 8), ("categorical", "ordinal", "ordinal"))


def draw(indices):
    """Images (n, 32, 32, 1) of these indices: one white stripe on black."""
    direction, width, place = GRID.factors(indices).T[:, :, None]
    distance = (np.arange(SIDE) - SIDE // 8 * place) % SIDE
    profile = np.where(distance < 2 * (width + 1), 255, 0).astype(np.uint8)
    upright = np.repeat(profile[:, None, :], SIDE, axis=1)
    return np.where(direction[..., None] == 0, upright, upright.swapaxes(1, 2))[..., None]


@described(
    Description(
        summary="one white stripe on black",
        factors=tuple(zip(GRID.names, GRID.sizes, strict=True)),
        count=len(GRID),
        image_shape=(SIDE, SIDE, 1),
        licence="MIT",
    )
)
def load(root=None):
    """Open `stripes`, which needs no files."""
    return FactorDataset("stripes", GRID, (SIDE, SIDE, 1), draw)
