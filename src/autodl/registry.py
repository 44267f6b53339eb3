"""Finds the extensions: every file of a package that defines one, and installed entry points.

An extension is a class with a ``key`` that derives from the registry's base, or an instance of the base with a
``key``, defined at the top of a module. A module that cannot be imported is an error, not a silent gap.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from autodl.errors import ConfigError, did_you_mean

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """A read-only mapping from key to extension, filled on first use.

    Args:
        package: Dotted name of the package whose modules are searched.
        base: Class that extensions derive from or are instances of.
        group: Entry-point group through which other distributions add extensions.
        noun: What one entry is called in errors, e.g. ``model family``.
    """

    def __init__(self, package: str, base: type[Any], *, group: str, noun: str) -> None:
        self._package, self._base, self._group, self._noun = package, base, group, noun

    @cached_property
    def _entries(self) -> dict[str, T]:
        found: dict[str, T] = {}
        package = importlib.import_module(self._package)
        modules = [
            importlib.import_module(f"{self._package}.{info.name}")
            for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda i: i.name)
            if not info.ispkg and not info.name.startswith("_") and info.name != "base"
        ]
        for module in modules:
            for thing in vars(module).values():
                if self._is_extension(thing, module.__name__):
                    self._add(found, thing)
        for point in entry_points(group=self._group):
            self._add(found, point.load())
        return dict(sorted(found.items()))

    def _is_extension(self, thing: object, module: str) -> bool:
        if isinstance(thing, type):
            return (
                issubclass(thing, self._base)
                and thing.__module__ == module
                and not inspect.isabstract(thing)
                and isinstance(getattr(thing, "key", None), str)
            )
        return isinstance(thing, self._base) and isinstance(getattr(thing, "key", None), str)

    def _add(self, found: dict[str, T], thing: Any) -> None:
        if thing.key in found and found[thing.key] is not thing:
            raise ValueError(f"two extensions of {self._package} have the key {thing.key!r}")
        found[thing.key] = thing

    def __getitem__(self, key: str) -> T:
        try:
            return self._entries[key]
        except KeyError:
            raise ConfigError(f"unknown {self._noun} '{key}'", self._nearest(key)) from None

    def _nearest(self, key: str) -> str:
        folded = _folded(key)
        for name, thing in self._entries.items():
            if folded in {_folded(other) for other in getattr(thing, "other_names", ())}:
                return f"The nearest that autodl has is '{name}'."
        return did_you_mean(key, self._entries)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
