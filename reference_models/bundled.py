"""The checkpoints that come with the package. The JSON file beside each says how it was made.

Each name is an entry point of the group ``disentangle_metrics.checkpoints``: a function without
arguments that gives the file's path. Nothing here imports torch.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

FOLDER = Path(__file__).parent / "checkpoints"


def _path(name: str) -> Path:
    return FOLDER / f"{name}.safetensors"


pro_vlae_sprites = partial(_path, "pro-vlae-sprites")
vlae_sprites = partial(_path, "vlae-sprites")
beta_vae_sprites = partial(_path, "beta-vae-sprites")
pro_vlae_rooms = partial(_path, "pro-vlae-rooms")
