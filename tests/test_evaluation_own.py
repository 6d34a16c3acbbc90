"""evaluate() on own images and factors: the scores are those of the latents and the factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import disentangle_metrics as dm
from disentangle_metrics import InputError
from disentangle_metrics.datasets import FactorDataset, FactorGrid

CHEAP = {"metrics": ["mig", "sap"], "anchors": False}


def made(count: int = 600) -> tuple[np.ndarray, pd.DataFrame]:
    """Images whose pixels are two factors in 256ths, and the factors: a word and a measurement."""
    rng = np.random.default_rng(0)
    word, size = rng.integers(0, 3, count), rng.uniform(size=count)
    images = np.zeros((count, 2, 2))
    images[:, 0, 0], images[:, 1, 1] = word / 2, size
    return images, pd.DataFrame({"word": np.array(["a", "b", "c"])[word], "size": size})


def encode(images: np.ndarray) -> np.ndarray:
    flat = images.reshape(len(images), -1)
    return np.stack([flat[:, 0] + 0.1 * flat[:, 3], flat[:, 3]], axis=1)


def test_it_scores_the_codes_of_the_images_against_the_factors() -> None:
    images, factors = made()
    report = dm.evaluate(encode, images, factors, **CHEAP)
    latents = encode(images.astype(np.float32)[:, None])
    expected = dm.score(latents, factors, **CHEAP)
    assert [(s.value, s.signature) for s in report.values()] == [
        (s.value, s.signature) for s in expected.values()
    ]
    assert report.factor_names == ("word", "size")
    assert report.provenance["dataset"] == "arrays"
    assert report.provenance["data"]["value_range"] == "0..1"
    assert report.provenance["scale"] == "0..1"


def test_an_encoder_may_write_every_batch_into_the_same_memory() -> None:
    images, factors = made()
    codes = np.empty((100, 2))

    def again(batch: np.ndarray) -> np.ndarray:
        codes[:] = encode(batch)
        return codes

    report = dm.evaluate(again, images, factors, batch_size=100, **CHEAP)
    assert report.scalars() == dm.evaluate(encode, images, factors, **CHEAP).scalars()


def test_rows_are_drawn_like_those_of_any_data_set() -> None:
    images, factors = made()
    report = dm.evaluate(encode, images, factors, samples=300, seed=4, **CHEAP)
    rows = np.random.default_rng(4).choice(600, 300, replace=False)
    expected = dm.score(encode(images.astype(np.float32)[rows][:, None]), factors.iloc[rows], seed=4, **CHEAP)
    assert report["mig"].value == expected["mig"].value


@pytest.mark.parametrize("form", [np.uint8, np.float32, bool])
def test_black_and_white_images_score_alike_in_every_form(form: type) -> None:
    """0/1 images were taken for 0..255 before, and a network saw black."""
    rng = np.random.default_rng(1)
    factors = rng.integers(0, 2, (500, 3))
    pixels = np.pad(factors, ((0, 0), (0, 1))).reshape(-1, 2, 2)

    def steep(images: np.ndarray) -> np.ndarray:
        return np.tanh(images.reshape(len(images), -1)[:, :3] * 4 - 2)

    right = dm.evaluate(steep, (pixels * 255).astype(np.uint8), factors, **CHEAP)["mig"].value
    assert dm.evaluate(steep, pixels.astype(form), factors, **CHEAP)["mig"].value == right


def test_missing_values_are_refused_before_encoding_or_dropped() -> None:
    images, factors = made()
    factors.loc[::4, "word"] = None

    def never(images: np.ndarray) -> np.ndarray:
        pytest.fail("the images were encoded")

    with pytest.raises(InputError, match="factor 'word' has a missing or infinite value in row 0"):
        dm.evaluate(never, images, factors, **CHEAP)
    report = dm.evaluate(encode, images, factors, missing="drop", **CHEAP)
    expected = dm.score(encode(images.astype(np.float32)[:, None]), factors, missing="drop", **CHEAP)
    assert report["mig"].value == expected["mig"].value


def test_masks_and_the_order_of_categories_are_kept() -> None:
    images, factors = made()
    masked = np.ma.array(np.repeat([[0, 1, 2]], 200, axis=0).reshape(-1, 1), mask=np.arange(600) % 3 == 0)
    with pytest.raises(InputError, match="factor 'factor_0' has a missing or infinite value in row 0"):
        dm.evaluate(encode, images, masked, **CHEAP)
    with pytest.raises(InputError, match="`images` has masked pixels"):
        dm.evaluate(encode, np.ma.masked_less(images, 0.1), factors, **CHEAP)
    sizes = pd.Categorical(factors["word"], categories=["c", "a", "b"], ordered=True)
    report = dm.evaluate(encode, images, pd.Series(sizes), **CHEAP)
    expected = dm.score(encode(images.astype(np.float32)[:, None]), pd.DataFrame({"a": sizes}), **CHEAP)
    assert report["sap"].signature == expected["sap"].signature
    assert report.scalars() == expected.scalars()


def test_kinds_are_declared() -> None:
    images, factors = made()
    report = dm.evaluate(
        encode,
        images,
        factors.to_numpy()[:, 1:].astype(float),
        factor_names=["size"],
        factor_types=["ordinal"],
        **CHEAP,
    )
    assert report.factor_names == ("size",)
    assert "|kinds:o|" in report["mig"].signature


def test_identifiers_are_left_out_with_a_warning() -> None:
    images, factors = made()
    factors["file"] = [f"{i}.png" for i in range(600)]
    with pytest.warns(dm.ScoreWarning, match="factor 'file' has a different text in every row"):
        report = dm.evaluate(encode, images, factors, **CHEAP)
    assert report.factor_names == ("word", "size")


def test_any_object_with_the_parts_of_a_data_set_will_do() -> None:
    class Squares:
        name, factor_names, factor_types, image_shape = "squares", ("x",), ("ordinal",), (2, 2, 1)

        def __len__(self) -> int:
            return 300

        def images(self, rows):
            shades = (np.asarray(rows) % 5).astype(np.uint8)
            return np.broadcast_to(shades[:, None, None, None], (len(rows), 2, 2, 1))

        def factors(self, rows):
            return np.asarray(rows)[:, None] % 5

    report = dm.evaluate(lambda images: images[:, 0, 0] * (1, 0), Squares(), **CHEAP)
    assert report["mig"].value == pytest.approx(1)
    assert report.provenance["dataset"] == "squares"
    assert "data" not in report.provenance


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((made()[0],), "own images need `factors`"),
        (("sprites",), r"pass `dm\.load_dataset\('sprites'\)"),
        ((made()[0], made()[1][:5]), "5 rows of factors but 600 images"),
        ((made()[0].reshape(600, 4), made()[1]), r"images has the shape \(600, 4\)"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(InputError, match=message):
        dm.evaluate(encode, *arguments, **CHEAP)


def test_the_call_again_names_the_data(tmp_path) -> None:
    from disentangle_metrics.reporting.again import command_or_call

    images, factors = made()
    assert "dm.datasets.from_arrays(images, factors, factor_names=['word', 'size'])" in command_or_call(
        dm.evaluate(encode, images, factors, **CHEAP)
    )
    np.savez(tmp_path / "mine.npz", images=images, factors=factors["size"])
    report = dm.evaluate(encode, dm.load_dataset(str(tmp_path / "mine.npz")), scale="0..2", **CHEAP)
    call = command_or_call(report)
    assert f"dm.load_dataset({str(tmp_path / 'mine.npz')!r})" in call
    assert "scale='0..2'" in call


def test_images_below_0_that_reach_the_network_in_another_range_are_told():
    images = np.random.default_rng(0).random((120, 8, 8)).astype(np.float32) * 2 - 1
    factors = np.random.default_rng(1).integers(0, 3, (120, 2))
    seen = []

    def encode(batch):
        seen.append((float(batch.min()), float(batch.max())))
        return batch.reshape(len(batch), -1)[:, :3]

    def remedies(images, **options):
        report = dm.evaluate(encode, images, factors, metrics="mig", anchors=False, **options)
        return [check.remedy for check in report.checks() if check.code == "images_rescaled"]

    assert remedies(images) == ["if it expects them as they are, pass `scale='-1..1'`"]
    assert seen[-1] == pytest.approx((0, 1), abs=1e-3)
    assert remedies(images, scale="-1..1") == []
    assert seen[-1] == pytest.approx((-1, 1), abs=1e-3)
    assert remedies(images, scale="0..1") == []
    assert remedies((images + 1) / 2) == remedies(((images + 1) * 127).astype(np.uint8)) == []


@pytest.mark.parametrize(("white", "told"), [(1, True), (255, False), (2, False), (0, False)])
def test_images_of_a_reader_that_gives_0_and_1_are_told(white: int, told: bool):
    grid = FactorGrid(("place", "again"), (64, 2), ("ordinal", "ordinal"))
    pictures = np.zeros((128, 8, 8, 1), np.uint8)
    for place, picture in enumerate(pictures):
        picture.flat[place // 2] = white
    dataset = FactorDataset("places", grid, (8, 8, 1), pictures.__getitem__)
    report = dm.evaluate(
        lambda images: images.reshape(len(images), -1), dataset, metrics="mig", anchors=False
    )
    found = [check for check in report.checks() if check.code == "images_rescaled"]
    assert [check.remedy for check in found] == [
        "multiply images in 0 .. 1 by 255 where they are read"
    ] * told
