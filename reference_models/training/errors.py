"""Why a training run ends before its last step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from disentangle_metrics import DisentangleMetricsError
from reference_models.trained import checkpoints


class TrainingInterruptedError(DisentangleMetricsError):
    """Training was stopped from outside; the message names the checkpoint that was kept."""

    exit_code = 130


class TimeIsUpError(TrainingInterruptedError):
    """The time that was given is used up, as asked; the message says what was kept."""

    exit_code = 0


class NonFiniteLossError(DisentangleMetricsError):
    """The loss is infinite or not a number; the message names the step and the last good checkpoint."""

    exit_code = 1


class UnreachedStageWarning(UserWarning):
    """Training is to end before the model's schedule does: a stage of it is never trained, say."""


class StorageError(DisentangleMetricsError):
    """A file cannot be written or read; the message says why and names the last good checkpoint."""

    exit_code = 1


@contextmanager
def naming_last_checkpoint(last: Path) -> Iterator[None]:
    """Say which checkpoint is left where a file cannot be written, as on a full disk."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        where = f" ({error.filename})" if error.filename else ""
        raise StorageError(f"{reason}{where}; {last_good(last)}") from error


def last_good(last: Path) -> str:
    if not last.exists():
        return "there is no checkpoint yet"
    return f"the last good checkpoint is {last} (step {checkpoints.read_description(last)['step']})"
