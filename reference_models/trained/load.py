"""Trained models: found in a run's folder, loaded from their checkpoints, and asked to encode and draw."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from disentangle_metrics import FactorDataset, InputError
from disentangle_metrics.kit import did_you_mean, full_float32, network_input, own_first, reading
from reference_models.datasets import open_dataset
from reference_models.models import defaults_of, model_class
from reference_models.models.parts.model import ImageDataset, Model
from reference_models.trained import checkpoints

BATCH = 256
HOST = torch.device("cpu")
BUNDLED = "disentangle_metrics.checkpoints"  # the group of entry points


@dataclass(frozen=True)
class TrainedModel:
    """A model with the weights of a checkpoint, ready to encode.

    Attributes
    ----------
    path : Path
    model : Model
        In evaluation mode, on `device`.
    dataset : str
        The data set it was trained on.
    step : int
        How many steps it was trained for.
    image_shape : (channels, height, width)
    layers : int
        Of latents, which are ordered by them, the lowest layer first; 1 for models without layers.
    device : torch.device
        Where it computes; what it is given and gives lies on the host.
    """

    path: Path
    model: Model
    dataset: str
    step: int
    image_shape: tuple[int, ...]
    layers: int
    device: torch.device = HOST

    @property
    def label(self) -> str:
        """What to call it beside other stages and models."""
        return f"{self.model.name}, step {self.step:,}"

    def encode(
        self,
        dataset: ImageDataset,
        rows: NDArray[np.int64],
        advance: Callable[[int], object] = lambda images: None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Means and log-variances (n, latents) of these images of a data set.

        `advance` is told how many images were encoded since it was last called.

        The log-variances of a deterministic encoder are None. Raises InputError if the images are
        not of the size that the model was trained on.
        """
        height, width, channels = dataset.image_shape
        if (channels, height, width) != self.image_shape:
            raise InputError(
                f"{self.path} was trained on images of {self.dataset!r} with the shape {self.image_shape} "
                f"(channels, height, width); those of {dataset.name} have {(channels, height, width)}"
            )
        means, logvars = [], []
        with torch.inference_mode(), full_float32(self.device.type):
            for start in range(0, len(rows), BATCH):
                images = network_input(dataset.images(rows[start : start + BATCH]))
                output = self.model(torch.from_numpy(images).to(self.device))
                mean, logvar = output if isinstance(output, tuple) else (output, None)
                means.append(mean.cpu().double().numpy())  # in this order: MPS has no float64
                if logvar is not None:
                    logvars.append(logvar.cpu().double().numpy())
                advance(len(mean))
        return np.concatenate(means), np.concatenate(logvars) if logvars else None

    def draw(self, latents: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The images (n, height, width, channels) that the decoder makes of latents (n, latents)."""
        images = []
        with torch.inference_mode():
            for start in range(0, len(latents), BATCH):
                codes = torch.from_numpy(np.array(latents[start : start + BATCH], np.float32))
                pixels = (self.model.decode_images(codes.to(self.device)) * 255).round().byte()
                images.append(pixels.permute(0, 2, 3, 1).cpu().numpy())
        return np.concatenate(images)


def load(path: Path, device: torch.device = HOST) -> TrainedModel:
    """The model of a checkpoint, on a device.

    Raises
    ------
    InputError
        If the file is missing, damaged, no checkpoint of this package, or of a model that this
        version cannot build.
    """
    with reading(path):
        description = checkpoints.read_description(path)
        architecture, arguments = description["architecture"], description["arguments"]
        check_fit(path, architecture, arguments)
        model = model_class(architecture)(**arguments)
        model.load_state_dict(checkpoints.read_tensors(path, "model."))
    return TrainedModel(
        path=path,
        # Channels last: a CPU then encodes about 1.5 times as many images a second.
        model=model.eval().to(device=device, memory_format=torch.channels_last),  # type: ignore[call-overload]
        dataset=description["dataset"],
        step=description["step"],
        image_shape=tuple(arguments["image_shape"]),
        layers={**defaults_of(architecture), **arguments}.get("layers", 1),
        device=device,
    )


def check_fit(path: Path, architecture: str, arguments: Mapping[str, Any]) -> None:
    """Raise InputError unless the weights are those of the model that is described.

    The model is made without memory: a description from elsewhere may ask for any size.
    """
    try:
        with torch.device("meta"):
            outline = model_class(architecture)(**arguments)
    except InputError:
        raise
    except Exception as error:  # arguments from a file can be wrong in any way
        raise InputError(
            f"{path} describes a model that cannot be built ({type(error).__name__}: {error})"
        ) from error
    wanted = {name: tuple(tensor.shape) for name, tensor in outline.state_dict().items()}
    stored = checkpoints.shapes(path, "model.")
    if odd := next((name for name in {**wanted, **stored} if wanted.get(name) != stored.get(name)), None):
        raise InputError(
            f"the weights in {path} do not fit its description: {odd} has the shape "
            f"{stored.get(odd, 'none')}, not {wanted.get(odd, 'none')}"
        )


def stage_ends(path: Path) -> list[Path]:
    """The checkpoints of a run's folder in the order of training; a file stands for itself.

    The name of a bundled checkpoint stands for its file. Of a run, the ends of the stages come
    first, then the trained model or, while there is none or the run goes on, the last checkpoint.
    Where a run was killed after the end of a stage and before its next checkpoint, that end is the last.
    A last checkpoint that is damaged does not stand in the way of a trained model.
    Raises InputError if the folder holds no run.
    """
    try:
        path.exists()
    except OSError as error:
        raise InputError(f"{str(path)[:80]!r} is no path ({error.strerror})") from error
    if not path.exists() and (bundled := entry_points(group=BUNDLED, name=str(path))):
        return [own_first(bundled)[0].load()()]
    if not path.exists() and (near := did_you_mean(path, entry_points(group=BUNDLED).names)):
        raise InputError(f"there is no checkpoint {path}; {near.rstrip()}")
    if not path.is_dir():
        return [path]
    stages = list(path.glob("step-*.safetensors"))
    final = [file for name in ("model", "last") if (file := path / f"{name}.safetensors").exists()]
    if len(final) > 1:
        final = [_further(*final)]
    found = sorted([*stages, *final], key=_step)
    if not found:
        raise InputError(f"{path} holds no checkpoint; give a checkpoint, or the folder of a run")
    return found


def _further(model: Path, last: Path) -> Path:
    """Which was trained for longer: a run that is resumed has the weights of before, until it ends."""
    try:
        step = checkpoints.read_description(last)["step"]
    except InputError:
        return model
    return last if step > checkpoints.read_description(model)["step"] else model


def _step(path: Path) -> tuple[float, bool]:
    """By what the checkpoints of a run are in order: the step, and the end of a stage first."""
    if path.stem == "model":
        return math.inf, True
    if path.stem == "last":
        return checkpoints.read_description(path)["step"], True
    return int(re.sub(r"\D", "", path.stem) or 0), False


def load_all(paths: list[Path]) -> Iterator[TrainedModel]:
    """The models of checkpoints and of runs' folders, one at a time."""
    for path in paths:
        yield from map(load, stage_ends(path))


def dataset_of(
    trained: Sequence[TrainedModel], name: str | None = None, root: Path | None = None
) -> FactorDataset:
    """The data set `name`, or the one that the models were trained on, in the size that the first takes.

    Raises DatasetError if it is unknown or missing, and InputError without `name` if there are several.
    """
    first = trained[0]
    other = next((model for model in trained if model.dataset != first.dataset), first)
    if name is None and other is not first:
        raise InputError(
            f"{first.path} was trained on {first.dataset!r} and {other.path} on {other.dataset!r}; give "
            "--dataset, the one that all are shown"
        )
    return open_dataset(name or first.dataset, root, side=first.image_shape[1])


def rows_of(dataset: ImageDataset, samples: int, seed: int) -> NDArray[np.int64]:
    """Rows drawn without replacement; all, in order, if there are not more than `samples`."""
    if samples >= len(dataset):
        return np.arange(len(dataset))
    return np.random.default_rng(seed).choice(len(dataset), samples, replace=False)
