"""A score on a variant says the variant and its seed in its signature; plain data say nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import disentangle_metrics as dm
from disentangle_metrics import FactorDataset, datasets, load_dataset
from disentangle_metrics.datasets import FactorGrid

pytestmark = pytest.mark.filterwarnings("ignore::disentangle_metrics.errors.ScoreWarning")
GRID = FactorGrid(("shape", "x"), (3, 8), ("categorical", "ordinal"))
PLAIN = "mig|bins:20|estimator:histogram|strategy:uniform|n:24|D:2|K:2|kinds:co|def:2|dm:" + dm.__version__


def shown(indices: np.ndarray) -> np.ndarray:
    """A white bar, in the column and of the width that the factors say."""
    shape, x = GRID.factors(indices).T
    images = np.zeros((len(indices), 4, 12, 1), np.uint8)
    for image, left, width in zip(images, x, shape + 1, strict=True):
        image[:, left : left + width] = 255
    return images


def encode(images: np.ndarray) -> np.ndarray:
    """Where the light is, and how much."""
    light = images.mean(axis=(1, 2))
    return np.stack([light @ np.arange(light.shape[1]), light.sum(axis=1)], axis=1)


@pytest.fixture
def bars() -> FactorDataset:
    return FactorDataset("bars", GRID, (4, 12, 1), shown)


def signature(dataset: FactorDataset, metric: str = "mig") -> str:
    return dm.evaluate(encode, dataset, metrics=metric, anchors=False)[metric].signature


def test_plain_data_keep_their_signature(bars: FactorDataset) -> None:
    assert signature(bars) == PLAIN
    rows = np.arange(24)
    latents = encode(shown(rows).transpose(0, 3, 1, 2) / 255)
    types = ["categorical", "ordinal"]
    assert dm.score(latents, bars.factors(rows), metrics="mig", factor_types=types)["mig"].signature == PLAIN


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda plain: datasets.colour(plain, seed=1), "colour(seed=1)"),
        (lambda plain: datasets.noisy(plain), "noisy(seed=0)"),
        (lambda plain: datasets.background(plain, seed=2), "background(seed=2)"),
        (lambda plain: datasets.padded(plain, side=16), "padded(side=16)"),
        (
            lambda plain: datasets.correlated(plain, ("shape", "x"), sigma=0.4, seed=3),
            "correlated(factors=shape+x,sigma=0.4,seed=3)",
        ),
        (lambda plain: datasets.restricted(plain, {"x": [0, 1, 2, 5]}), "restricted(x=0-2+5)"),
        (
            lambda plain: datasets.split(datasets.colour(plain, seed=1), "test", share=0.5, seed=4),
            "colour(seed=1)>split(part=test,share=0.5,seed=4)",
        ),
    ],
)
def test_a_variant_is_said(
    bars: FactorDataset, make: Callable[[FactorDataset], FactorDataset], said: str
) -> None:
    variant = make(bars)
    found = signature(variant)
    assert f"|variant:{said}|" in found
    rest = re.sub(r"\|variant:[^|]*", "", found)
    assert rest == PLAIN.replace("n:24", f"n:{len(variant)}")
    assert f"|variant:{said}|" in signature(variant, "total_correlation")  # which reads no factors


def test_the_name_and_smaller_images_keep_it(tmp_path: Path) -> None:
    images, factors = shown(np.arange(24)), GRID.factors(np.arange(24))
    np.savez(tmp_path / "bars.npz", images=images[..., 0], factors=factors)
    assert load_dataset(f"{tmp_path / 'bars.npz'}|colour:seed=1", pool=2).variant == "colour(seed=1)"


def test_a_picture_is_said_by_what_is_in_it(bars: FactorDataset, tmp_path: Path) -> None:
    from PIL import Image

    said = []
    for name, grey in (("a", 10), ("b", 10), ("c", 11)):
        Image.new("RGB", (40, 40), (grey, grey, grey)).save(tmp_path / f"{name}.png")
        said.append(datasets.background(bars, picture=tmp_path / f"{name}.png").variant)
    assert said[0] == said[1] != said[2]
    assert re.fullmatch(r"background\(picture=sha256-[0-9a-f]{12},seed=0\)", said[0])


def test_odd_names_of_factors_stay_in_one_part(bars: FactorDataset) -> None:
    grid = FactorGrid(("a|b (mm)", "x"), (3, 8), ("categorical", "ordinal"))
    odd = datasets.restricted(FactorDataset("odd", grid, (4, 12, 1), shown), {"a|b (mm)": [0, 2]})
    assert odd.variant == "restricted(a%7Cb%20%28mm%29=0+2)"
    again = dm.evaluate(encode, odd, metrics=[signature(odd)], anchors=False)
    assert again["mig"].signature == signature(odd)


def test_a_signature_of_a_variant_is_honoured(bars: FactorDataset) -> None:
    red, blue = datasets.colour(bars, seed=1), datasets.colour(bars, seed=2)
    pinned = signature(red)
    assert dm.evaluate(encode, red, metrics=[pinned], anchors=False)["mig"].signature == pinned
    for other, found in ((blue, r"has variant:colour\(seed=2\)"), (bars, "has no variant")):
        with pytest.raises(dm.InputError, match=rf"says variant:colour\(seed=1\), and this call {found}"):
            dm.evaluate(encode, other, metrics=[pinned], anchors=False)
    rows = np.arange(24)
    latents = encode(red.network_input(rows))
    options = {"factor_types": list(bars.factor_types), "metrics": [pinned], "anchors": False}
    assert dm.score(latents, red.factors(rows), variant=red.variant, **options)["mig"].signature == pinned
    for wrong in ("a|b", "a b", "a\nb", 3):
        with pytest.raises(dm.InputError, match="`variant` must be what the data set's `variant` says"):
            dm.score(latents, red.factors(rows), variant=wrong, **options)
    with pytest.raises(dm.InputError, match="no option 'variant'"):
        dm.evaluate(encode, bars, variant="colour(seed=1)")


def test_scores_of_different_variants_are_not_compared(bars: FactorDataset, tmp_path: Path) -> None:
    reports = {}
    for seed in (1, 2):
        report = dm.evaluate(encode, datasets.colour(bars, seed=seed), metrics="mig", anchors=False)
        report.to_json(tmp_path / "report.json")
        reports[f"{seed}"] = dm.Report.from_json(tmp_path / "report.json")
    with pytest.raises(dm.InputError, match="several data sets"):
        dm.compare(reports)
    rows, types = np.arange(24), list(bars.factor_types)
    arrays = {
        f"{seed}": dm.score(
            encode(shown(rows).transpose(0, 3, 1, 2) / 255),
            bars.factors(rows),
            metrics="mig",
            factor_types=types,
            variant=f"colour(seed={seed})",
            confidence=0.9,
            replicates=10,
        )
        for seed in (1, 2)
    }
    with pytest.raises(dm.InputError, match=r"variant is colour\(seed=1\) in 1 and colour\(seed=2\) in 2"):
        dm.compare(arrays)
