"""What is about to go: since which version, in favour of what, and from which version and day on it is gone.

CONTRIBUTING.md has the policy. An entry of :data:`RENAMED` keeps an old public name working until then.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Deprecation:
    """One thing that is about to go.

    Attributes
    ----------
    old, new
        What goes, and what to write instead, as a user writes them.
    since
        The version that says so first.
    gone
        The version that no longer has it.
    until
        The day until which it works at least, whatever versions come before.
    """

    old: str
    new: str
    since: str
    gone: str
    until: date

    def __str__(self) -> str:
        return (
            f"{self.old} is deprecated since {self.since}: write {self.new}. "
            f"It goes with {self.gone}, not before {self.until.isoformat()}"
        )

    def warn(self, stacklevel: int = 3) -> None:
        """Warn the caller of the caller."""
        warnings.warn(str(self), DeprecationWarning, stacklevel=stacklevel)


RENAMED: Mapping[str, Deprecation] = {}
"""Old public name -> its deprecation, whose `new` is the public name that it means now."""
