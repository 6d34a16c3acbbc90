"""A network that onnxruntime runs: which of its inputs and outputs are what, and how to call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from disentangle_metrics.errors import InputError, ModelFileError

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
        self.outputs = [output.name for output in session.get_outputs()]

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
        parts = [
            self._run(images[start : start + size], size) for start in range(0, max(1, len(images)), size)
        ]
        outputs = [np.concatenate(values) for values in zip(*parts, strict=True)]
        return outputs[0] if len(outputs) == 1 else dict(zip(self.outputs, outputs, strict=True))

    def _run(self, images: NDArray[Any], size: int) -> list[NDArray[Any]]:
        """The outputs for up to `size` images; a model made for a fixed number gets zeros for the rest."""
        missing = np.zeros((size - len(images), *images.shape[1:]), images.dtype)
        try:
            outputs = self.session.run(self.outputs, {self.input.name: np.concatenate([images, missing])})
        except Exception as error:  # the runtime has a class of its own for each kind of failure
            reason = str(error).partition("\n")[0]
            raise InputError(
                f"{self.path} cannot encode a batch of shape {images.shape} (images, channels, height, "
                f"width): {reason}"
            ) from error
        # Outputs of other lengths, such as a loss, are no codes and are left alone.
        return [
            output[: len(images)] if np.ndim(output) and len(output) == size else np.zeros((len(images), 0))
            for output in outputs
        ]

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


def _fits(wanted: list[Any], found: tuple[int, ...]) -> bool:
    return all(not isinstance(w, int) or w == f for w, f in zip(wanted, found, strict=True))
