"""Errors that a user can act on. The command line prints them as one line and exits with code 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AutodlError(Exception):
    """A problem with the input: what is wrong, where, and what to do about it.

    Args:
        what: The rule and the received value, e.g. ``column 'pric' is not in data.csv``.
        remedy: What the user can do next, e.g. ``Did you mean 'price'?``.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what.strip()
        self.remedy = remedy.strip()
        super().__init__(f"{self.what}. {self.remedy}".rstrip(". ") + "." if self.what else "")

    def __str__(self) -> str:
        head = self.what if self.what.endswith((".", "?", "!")) else f"{self.what}."
        return f"{head} {self.remedy}".strip()


class DataError(AutodlError):
    """The data cannot be read or used as asked."""


class ConfigError(AutodlError):
    """An option or a configuration file has an invalid value."""


class SearchError(AutodlError):
    """A search found nothing."""


class MissingDependencyError(AutodlError):
    """An optional package is needed; the remedy names the package and the extra."""


class RunError(AutodlError):
    """A run folder is missing, damaged, in use or from a newer version."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest known names.

    Returns:
        ``Did you mean 'x'?`` when one is close, else the list of known names (at most ten).

    >>> did_you_mean("pric", ["price", "carat"])
    "Did you mean 'price'?"
    """
    names = [str(k) for k in known]
    lowered = {n.lower(): n for n in names}
    close = difflib.get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{lowered[close[0]]}'?"
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"Known: {shown}."
