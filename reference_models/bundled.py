"""The checkpoints that come with the package."""

from __future__ import annotations

from pathlib import Path

CHECKPOINTS = Path(__file__).parent / "checkpoints"


def pro_vlae_sprites() -> Path:
    """pro-VLAE trained on `sprites`; how, and from which command, stands in the JSON file beside it."""
    return CHECKPOINTS / "pro-vlae-sprites.safetensors"
