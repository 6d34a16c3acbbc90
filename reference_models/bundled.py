"""The bundled checkpoints: in a clone, or in the distribution that the extra `models` installs.

Each name is an entry point of the group ``disentangle_metrics.checkpoints``: a function without
arguments that gives the file's path. The JSON file beside each says how it was made. Nothing here imports
torch.
"""

from __future__ import annotations

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
    sizes = {recorded.name: recorded.size for recorded in installed.files or []}
    found, size = path.stat().st_size if path.is_file() else 0, sizes.get(file)
    if found != size and size is not None:
        raise ModelFileError(
            f"the bundled checkpoint {path} is damaged ({found:,} of {size:,} bytes): "
            f"uninstall {DISTRIBUTION}, then {install_line('models')}"
        )
    return path


pro_vlae_sprites = partial(_path, "pro-vlae-sprites")
vlae_sprites = partial(_path, "vlae-sprites")
beta_vae_sprites = partial(_path, "beta-vae-sprites")
pro_vlae_rooms = partial(_path, "pro-vlae-rooms")
