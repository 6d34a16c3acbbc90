"""What scikit-learn advises its own callers, kept from the callers of scores."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def without_advice() -> Iterator[list[warnings.WarningMessage]]:
    """Fit without scikit-learn's warnings of stopped optimisers, which are listed, and of many classes.

    A published probe has published limits. Of classes as many as rows the checks of the input speak.
    """
    from sklearn.exceptions import ConvergenceWarning

    stopped: list[warnings.WarningMessage] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield stopped
    for warning in caught:
        if issubclass(warning.category, ConvergenceWarning):
            stopped.append(warning)
        elif "number of unique classes" not in str(warning.message):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
