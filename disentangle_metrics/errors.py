"""The exceptions and warnings a user can meet, each with a message that names the fix."""

from __future__ import annotations

from typing import ClassVar

from disentangle_metrics.text import shortened, visible


class DisentangleMetricsError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code: ClassVar[int] = 2  # of a command that it ends: 1 failed, 2 bad usage or input, 130 interrupted

    def __str__(self) -> str:
        """The message, in which names from a file cannot command a terminal."""
        return shortened(visible(super().__str__()))


class InputError(DisentangleMetricsError, ValueError):
    """An argument cannot be used; the message says which one, what was found and what is accepted."""


class DatasetError(DisentangleMetricsError):
    """A data set is unknown, missing, damaged or cannot be fetched."""


class ModelFileError(InputError):
    """A model file is missing, damaged, or of a kind that cannot be turned into an encoder."""


class UntrustedModelError(ModelFileError):
    """A model file could run code when loaded, and the caller has not said that it is trusted."""


class PluginError(DisentangleMetricsError):
    """A plug-in that was asked for by name cannot be loaded."""


class _VisibleWarning(UserWarning):
    def __str__(self) -> str:
        return visible(super().__str__())


class PluginWarning(_VisibleWarning):
    """A plug-in is broken or its name is taken; everything else goes on without it."""


class ScoreWarning(_VisibleWarning):
    """The input can be scored, but the score needs care; also kept on ``Score.warnings``."""


class NotApplicable(DisentangleMetricsError):
    """A metric has no value on this input; :func:`score` reports NaN with this message as the reason."""
