"""How to train: the settings of the loop, and the check of their values."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, fields

from disentangle_metrics import InputError


@dataclass(frozen=True)
class Settings:
    """How to train; what is trained is the model's own matter.

    The first group decides the weights that come out; a resumed run must have the same. The second
    may change when a run is resumed.
    """

    batch_size: int = 64  # images (or pairs) whose gradient is computed at a time, over all devices
    # So many of them make a step, as one batch that many times as large would. Models that compare the
    # images of a batch (`Model.compares_images`) do so within each, and within each device's share.
    accumulate: int = 1
    learning_rate: float = 5e-4  # Adam's, reached after `warmup_steps`
    warmup_steps: int = 0  # linear from 0
    seed: int = 0
    precision: str = "float32"  # or autocast to bfloat16 or, with scaled losses, float16

    steps: int = 10_000
    device: str = "auto"  # CUDA, else MPS, else CPU; or a device's name
    devices: int = 1  # more: each computes its share of every batch
    compile: bool = False
    capture: bool = True  # on CUDA: replay each step as one graph
    data_share: float = 0.5  # of a GPU's free memory, that the whole data set may take; 0: never
    channels_last: bool = True
    deterministic: bool = False  # only algorithms that repeat to the last bit; slower on GPUs
    log_every: int = 100
    save_every: int = 1_000
    score_every: int = 0  # 0: never
    logger: str = "none"  # or tensorboard, wandb: besides the files that are always written


DECISIVE = ("batch_size", "accumulate", "learning_rate", "warmup_steps", "seed", "precision")
PRECISIONS = ("float32", "bfloat16", "float16")
NUMBERS = {int: numbers.Integral, float: numbers.Real}
MOST_SEED = 2**63
MOST_IMAGES = 2**31  # in a batch: NumPy refuses larger shapes in words of its own
LOGGERS = ("none", "tensorboard", "wandb")


def check_settings(settings: Settings) -> None:
    """Raise InputError if a value is unusable, whatever the machine."""
    for field in fields(Settings):
        value, number = getattr(settings, field.name), NUMBERS.get(type(field.default))
        if isinstance(value, bool) != isinstance(field.default, bool) or not isinstance(
            value, number or type(field.default)
        ):
            raise InputError(f"{field.name} is {value!r}; it must be of the kind of {field.default!r}")
    for name in ("batch_size", "accumulate", "steps", "devices", "log_every", "save_every"):
        if getattr(settings, name) < 1:
            raise InputError(f"{name} is {getattr(settings, name)}; it must be at least 1")
    if settings.batch_size >= MOST_IMAGES:
        raise InputError(f"batch_size is {settings.batch_size}; it must be below 2^31")
    if not 0 < settings.learning_rate < float("inf"):
        raise InputError(f"learning_rate is {settings.learning_rate}; it must be above 0")
    if not 0 <= settings.data_share <= 1:
        raise InputError(f"data_share is {settings.data_share}; it must be 0 to 1, a share of free memory")
    for name in ("warmup_steps", "seed", "score_every"):
        if getattr(settings, name) < 0:
            raise InputError(f"{name} is {getattr(settings, name)}; it must be at least 0")
    if settings.seed >= MOST_SEED:
        raise InputError(f"seed is {settings.seed}; it must be below 2^63")
    for name, known in (("precision", PRECISIONS), ("logger", LOGGERS)):
        if getattr(settings, name) not in known:
            raise InputError(f"{name} is {getattr(settings, name)!r}; it must be one of {', '.join(known)}")
    if settings.batch_size % settings.devices:
        raise InputError(
            f"batch_size is {settings.batch_size}; it must be a multiple of devices = {settings.devices}, "
            "each of which takes an equal share"
        )
