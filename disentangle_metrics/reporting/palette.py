"""The colours of the page, for light and for dark, and the contrast between two of them."""

from __future__ import annotations

from collections.abc import Mapping

Colours = Mapping[str, str]

# ink on paper, quiet ink for what explains, rule for lines, accent for links, buttons and marks, heat for
# cells of a table, warn for remarks. No cell gets more than MOST_HEAT of `heat`, so that ink stays legible.
PALETTE: Mapping[str, Colours] = {
    "light": {
        "paper": "#ffffff",
        "panel": "#f3f5f7",
        "ink": "#1b1f24",
        "quiet": "#505a66",
        "rule": "#767f8a",
        "accent": "#00579b",
        "heat": "#4f9bd6",
        "warn": "#8a3b00",
    },
    "dark": {
        "paper": "#14181d",
        "panel": "#1f252c",
        "ink": "#e8ebee",
        "quiet": "#aab4bf",
        "rule": "#7d8894",
        "accent": "#7cc0f5",
        "heat": "#2f6ea3",
        "warn": "#f2b27a",
    },
}
MOST_HEAT = 80  # percent


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours by WCAG 2: from 1, alike, to 21, black on white."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mixed(one: str, other: str, percent: float) -> str:
    """`percent` of the first colour in the second, as ``color-mix(in srgb)`` mixes them."""
    share = percent / 100
    return "#" + "".join(
        f"{round(share * a + (1 - share) * b):02x}"
        for a, b in zip(_channels(one), _channels(other), strict=True)
    )


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    linear = [
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
