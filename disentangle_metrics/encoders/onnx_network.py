"""A network that onnxruntime runs: which of its inputs and outputs are what, and how to call it."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError, ModelFileError
from disentangle_metrics.kit.limits import limited, memory_advice

LEAST_OF_AN_IMAGE, MOST_OF_AN_IMAGE = (0.01, 0.004), (2.0, 0.064)  # processor seconds, gigabytes
MOST_IMAGES = 2**16  # of the batch that a model is made for
MOST_GRANTED = 64  # of them, that may take time and memory before anything is known: a file says how many
MARGIN = 8.0  # times that an image in a batch may take what the first one took
ON_A_GPU = (30.0, 1e3)  # more, for what CUDA maps and compiles before it begins
PRECISIONS = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}


class OnnxNetwork:
    """Called with images (n, channels, height, width); answers with its outputs by name.

    Parameters
    ----------
    path : Path
        The file's name, for messages.
    session : onnxruntime.InferenceSession
        Has one input of four dimensions.
    device : str
        Where it runs.

    Raises
    ------
    ModelFileError
        If it has other inputs.
    """

    def __init__(self, path: Path, session: Any, device: str) -> None:
        self.path, self.session, self.device = path, session, device
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in PRECISIONS or len(inputs[0].shape) != 4:
            raise ModelFileError(
                f"{path} must have one input, float images (n, channels, height, width); it has "
                f"{', '.join(f'{i.name} {i.type} {i.shape}' for i in inputs) or 'none'}"
            )
        self.input = inputs[0]
        batch = self.input.shape[0]
        if isinstance(batch, int) and not 1 <= batch <= MOST_IMAGES:
            raise ModelFileError(
                f"{path} takes batches of {batch:,} images; export it for any number of them, or for 1 to "
                f"{MOST_IMAGES:,}"
            )
        self.outputs = [output.name for output in session.get_outputs()]
        self._cost: tuple[float, float] | None = None  # of an image, in seconds and gigabytes

    def __call__(self, images: NDArray[np.floating[Any]]) -> Any:
        """Encode one batch.

        Raises
        ------
        InputError
            If the images are not of the model's shape, or the runtime fails on them.
        """
        self._check_shape(images)
        images = images.astype(PRECISIONS[self.input.type])
        batch = self.input.shape[0]
        size = batch if isinstance(batch, int) else max(1, len(images))
        seconds, gigabytes = self._limits_of_an_image(images, size if isinstance(batch, int) else 1)
        what = f"encoding a batch of {size:,} images with {self.path}"
        options = self._options()
        with limited(
            what, seconds=size * seconds, gigabytes=size * gigabytes, stop=partial(_terminate, options)
        ):
            parts = [
                self._run(images[start : start + size], size, options)
                for start in range(0, max(1, len(images)), size)
            ]
        outputs = [np.concatenate(values) for values in zip(*parts, strict=True)]
        return outputs[0] if len(outputs) == 1 else dict(zip(self.outputs, outputs, strict=True))

    def _options(self) -> Any:
        """Options of a run, by which another thread can end it."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        options.log_severity_level = 4  # a run that is ended would say so
        return options

    def _run(self, images: NDArray[Any], size: int, options: Any) -> list[NDArray[Any]]:
        """The outputs for up to `size` images; copies of the last one fill a batch of fixed size."""
        last = images[-1:] if len(images) else np.zeros((1, *images.shape[1:]), images.dtype)
        missing = np.repeat(last, size - len(images), axis=0)
        try:
            given = {self.input.name: np.concatenate([images, missing])}
            outputs = self.session.run(self.outputs, given, options)
        except Exception as error:  # the runtime has a class of its own for each kind of failure
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"{self.path} cannot encode a batch of shape {images.shape} (images, channels, height, "
                f"width): {reason}{memory_advice(reason)}"
            ) from error
        # Outputs of other lengths, such as a loss, are no codes and are left alone.
        return [
            output[: len(images)] if np.ndim(output) and len(output) == size else np.zeros((len(images), 0))
            for output in outputs
        ]

    def _limits_of_an_image(self, images: NDArray[Any], fewest: int) -> tuple[float, float]:
        """Processor seconds and gigabytes that each image of a batch may take.

        The first images, as few as the model takes, are encoded alone within narrow limits: a graph can
        go on for ever, or ask for any memory. What they took says what a batch may take.
        """
        if self._cost is None:
            began, before = time.process_time(), _peak_memory()
            granted = min(fewest, MOST_GRANTED)
            more = ON_A_GPU if self.device.startswith("cuda") else (0.0, 0.0)
            with limited(
                f"encoding one image with {self.path}",
                seconds=granted * LEAST_OF_AN_IMAGE[0] + more[0],
                gigabytes=granted * LEAST_OF_AN_IMAGE[1] + more[1],
                stop=partial(_terminate, options := self._options()),
            ):
                self._run(images[:fewest], fewest, options)
            seconds = MARGIN * (time.process_time() - began) / fewest
            gigabytes = MARGIN * (_peak_memory() - before) / fewest
            self._cost = (
                min(max(seconds, LEAST_OF_AN_IMAGE[0]), MOST_OF_AN_IMAGE[0]),
                min(max(gigabytes, LEAST_OF_AN_IMAGE[1]), MOST_OF_AN_IMAGE[1]),
            )
        return self._cost

    def _check_shape(self, images: NDArray[Any]) -> None:
        wanted, found = self.input.shape[1:], images.shape[1:]
        if not _fits(wanted, found):
            hint = "the data set may be another than the one it was trained on"
            if _fits(wanted, (*found[1:], found[0])):
                hint = "it wants channels last; export it to take (n, channels, height, width)"
            shown = ", ".join(str(side) if isinstance(side, int) else "any" for side in wanted)
            raise InputError(
                f"{self.path} takes images of shape ({shown}) (channels, height, width), found "
                f"{tuple(found)}; {hint}"
            )


def _terminate(options: Any) -> None:
    """End the run that has these options, at its next node."""
    options.terminate = True


def _peak_memory() -> float:
    """The most memory that this process has had, in gigabytes; 0 where that cannot be told (Windows)."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e9


def _fits(wanted: list[Any], found: tuple[int, ...]) -> bool:
    return all(not isinstance(w, int) or w == f for w, f in zip(wanted, found, strict=True))
