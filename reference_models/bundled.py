"""The bundled checkpoints: in a clone, or in the distribution that the extra `models` installs.

Each name is an entry point of the group ``disentangle_metrics.checkpoints``: a function without
arguments that gives the file's path. The JSON file beside each says how it was made. Nothing here imports
torch.
"""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from disentangle_metrics import ModelFileError
from disentangle_metrics.kit import install_line
from disentangle_metrics.version import __version__

DISTRIBUTION = "disentangle-metrics-checkpoints"
PLACE = "disentangle_metrics_checkpoints"  # the folder of that distribution
FOLDER = Path(__file__).parent / "checkpoints"  # the same files in a clone


def _path(name: str) -> Path:
    """The file of a checkpoint.

    Raises
    ------
    ModelFileError
        If the distribution is missing, of another version, or its file is not as it was installed.
    """
    file = f"{name}.safetensors"
    if (FOLDER / "pyproject.toml").is_file():
        return FOLDER / file
    try:
        installed = distribution(DISTRIBUTION)
    except PackageNotFoundError:
        raise ModelFileError(
            f"the bundled checkpoint {name} is not installed; it comes with: {install_line('models')}"
        ) from None
    if installed.version != __version__:
        raise ModelFileError(
            f"{DISTRIBUTION} {installed.version} is installed, and version {__version__} is needed: "
            f"{install_line('models')}"
        )
    path = Path(str(installed.locate_file(f"{PLACE}/{file}")))
    recorded = {entry.name: entry for entry in installed.files or []}.get(file)
    damage = ""
    if not path.is_file():  # from Python 3.12 on it is in no record then
        damage = "the file is gone"
    elif recorded is not None and recorded.size not in (None, found := path.stat().st_size):
        damage = f"{found:,} of {recorded.size:,} bytes"
    elif recorded is not None and recorded.hash is not None and _hash(path) != recorded.hash.value:
        damage = "other bytes than were installed"
    if damage:
        raise ModelFileError(
            f"the bundled checkpoint {path} is damaged ({damage}): "
            f"uninstall {DISTRIBUTION}, then {install_line('models')}"
        )
    return path


def _hash(path: Path) -> str:
    """The SHA-256 of a file, as installers record it."""
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


pro_vlae_sprites = partial(_path, "pro-vlae-sprites")
vlae_sprites = partial(_path, "vlae-sprites")
beta_vae_sprites = partial(_path, "beta-vae-sprites")
pro_vlae_rooms = partial(_path, "pro-vlae-rooms")
