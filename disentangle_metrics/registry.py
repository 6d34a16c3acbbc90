"""Names of metrics, data sets, encoders and checkpoints, resolved to objects on first use.

Built-ins are ``"module:object"`` strings. Installed packages add theirs through entry points, and
a running program through :meth:`Registry.add`. All three go through the same door. Built-ins win
a name clash, with a warning, and so do the entry points of this project's own packages. If a plug-in
fails to load, a warning names it, and all else still works.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from disentangle_metrics.errors import InputError, PluginError, PluginWarning
from disentangle_metrics.kit.entries import own_first
from disentangle_metrics.kit.near_names import did_you_mean


class Registry:
    """Name -> object for one kind of thing; see the module's docstring for who may add what."""

    def __init__(
        self,
        kind: str,
        group: str,
        builtin: Mapping[str, str] | None = None,
        error: Callable[[str], Exception] = InputError,
    ) -> None:
        self.kind, self.group, self.builtin = kind, group, dict(builtin or {})
        self._error = error
        self._added: dict[str, Any] = {}

    @cached_property
    def plugins(self) -> dict[str, EntryPoint]:
        """Entry points of installed packages, whose names are no built-in's and of no earlier point."""
        found: dict[str, EntryPoint] = {}
        for point in own_first(entry_points(group=self.group)):
            if point.name in self.builtin or point.name in found:
                warnings.warn(
                    f"the {self.kind} {point.name!r} of the plug-in {point.value!r} is ignored: "
                    f"the name is taken",
                    PluginWarning,
                    stacklevel=2,
                )
            else:
                found[point.name] = point
        return found

    def names(self) -> list[str]:
        """Every known name: built-ins, then plug-ins, then those added in this program."""
        return list(dict.fromkeys([*self.builtin, *self.plugins, *self._added]))

    def __contains__(self, name: object) -> bool:
        return name in self.builtin or name in self.plugins or name in self._added

    def add(self, name: str, value: Any, module: str = "") -> None:
        """Register `value` in the running program. A later call replaces an earlier one.

        What a `module` of the package that a built-in or a plug-in comes from adds is known by its
        reference already.

        Raises
        ------
        InputError
            If the name is a built-in's or an installed plug-in's.
        """
        if name in self.builtin or name in self.plugins:
            reference = self.builtin[name] if name in self.builtin else self.plugins[name].value
            if reference.partition(":")[0].partition(".")[0] != module.partition(".")[0]:
                raise InputError(f"the {self.kind} name {name!r} is taken; choose another")
        else:
            self._added[name] = value

    def remove(self, name: str) -> None:
        """Forget what :meth:`add` registered."""
        self._added.pop(name, None)

    def load(self, name: str) -> Any:
        """The object behind `name`.

        Raises
        ------
        InputError (or the registry's own error)
            If the name is unknown; near names are suggested.
        PluginError
            If the name belongs to a plug-in that cannot be imported.
        """
        if name in self._added:
            return self._added[name]
        if name in self.builtin:
            module, _, attribute = self.builtin[name].partition(":")
            return getattr(importlib.import_module(module), attribute)
        if name in self.plugins:
            try:
                return self.plugins[name].load()
            except (Exception, SystemExit) as error:
                raise PluginError(
                    f"the {self.kind} {name!r} comes from the plug-in {self.plugins[name].value!r}, "
                    f"which cannot be loaded: {type(error).__name__}: {error}"
                ) from error
        raise self._error(self.unknown(name))

    def load_all(self) -> dict[str, Any]:
        """Every object by name; a plug-in that cannot be loaded is left out with a warning."""
        loaded = {}
        for name in self.names():
            try:
                loaded[name] = self.load(name)
            except PluginError as error:
                warnings.warn(str(error), PluginWarning, stacklevel=2)
        return loaded

    def unknown(self, name: str) -> str:
        """The sentence for a name that is not known, with near names."""
        return unknown(self.kind, name, self.names())


def unknown(kind: str, name: str, known: Sequence[str]) -> str:
    """The sentence for a name that is not among `known`, with near names; upper case does not matter."""
    return f"unknown {kind} {name!r}; {did_you_mean(name, known, most=3)}known: {', '.join(known)}"
