"""Images are prepared as the folder of a model of Transformers says; each expectation is made by hand."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from disentangle_metrics.encoders.image_steps import ImageSteps  # noqa: E402

FILE = "preprocessor_config.json"
EIGHT = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
RESIZED = {"do_resize": True, "resample": 2}

PREPARED: dict[str, tuple[dict[str, Any], Any]] = {
    "nothing": ({}, EIGHT),
    "crop_pct: to 4 / 0.5 = 8, then the middle": (
        {**RESIZED, "size": {"shortest_edge": 4}, "crop_pct": 0.5},
        EIGHT[..., 2:6, 2:6],
    ),
    "crop_pct with a crop of its own": (
        {**RESIZED, "size": {"shortest_edge": 4}, "crop_pct": 0.5, "do_center_crop": True, "crop_size": 2},
        EIGHT[..., 3:5, 3:5],
    ),
    "LeViT: to 7 * 256 / 224 = 8": (
        {**RESIZED, "size": {"shortest_edge": 7}, "image_processor_type": "LevitImageProcessor"},
        EIGHT,
    ),
    "the nearest pixel to (i + 1/2) * 2": (
        {"do_resize": True, "resample": 0, "size": {"height": 4, "width": 4}},
        EIGHT[..., 1::2, 1::2],
    ),
    "red and blue change places": ({"do_flip_channel_order": True}, EIGHT[:, [2, 1, 0]]),
    "black around a small image": (
        {"do_center_crop": True, "crop_size": {"height": 10, "width": 8}},
        torch.cat([EIGHT[..., :1, :] * 0, EIGHT, EIGHT[..., :1, :] * 0], dim=2),
    ),
    "to [-1, 1]": ({"rescale_factor": 2 / 255, "rescale_offset": True}, 2 * EIGHT - 1),
    "divided twice": (
        {"do_normalize": True, "image_mean": [0, 0, 0], "image_std": [1, 0.5, 0.25], "include_top": True},
        EIGHT * torch.tensor([1.0, 4.0, 16.0])[:, None, None],
    ),
}


@pytest.mark.parametrize("case", PREPARED)
def test_images_are_prepared_as_the_file_says(case):
    said, expected = PREPARED[case]
    steps = ImageSteps.of(said)
    torch.testing.assert_close(steps(EIGHT), expected, atol=1e-6, rtol=0)
    assert not steps.not_followed


def test_large_images_are_warped_and_longer_edges_rounded_down():
    steps = ImageSteps.of({**RESIZED, "size": {"shortest_edge": 384}, "crop_pct": 0.875})
    assert steps.remarks(FILE) == (f"images are resized to 384 x 384, as {FILE} says",)
    steps = ImageSteps.of({**RESIZED, "size": {"shortest_edge": 4}})
    assert steps(EIGHT[..., :5]).shape[-2:] == (6, 4)  # 4 * 8 / 5 = 6.4
    assert steps(EIGHT[..., :6, :7]).shape[-2:] == (4, 4)  # 4 * 7 / 6 = 4.67


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"do_pad": True, "size_divisor": 32}, "do_pad, size_divisor"),
        ({**RESIZED, "size": {"longest_edge": 8}}, "size"),
        ({"do_resize": True, "size": 8, "resample": 1}, "resample"),
        ({"do_grayscale": True, "do_pad": False, "do_convert_rgb": True}, "do_grayscale"),
    ],
)
def test_what_is_not_followed_is_named(said, named):
    remark = ImageSteps.of(said).remarks(FILE)[-1]
    assert remark == f"{FILE} says more, which is not done as it says: {named}; the codes may differ"
