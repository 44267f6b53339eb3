"""Errors that a user can act on. The command line prints them as one line and exits with code 2."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable, Sequence


class AutodlError(Exception):
    """A problem with the input: what is wrong, where, and what to do about it.

    Args:
        what: The rule and the received value, e.g. ``column 'pric' is not in data.csv``.
        remedy: What the user can do next, e.g. ``Did you mean 'price'?``.
    """

    exit_code = 2
    """Of the command line."""

    def __init__(self, what: str, remedy: str = "") -> None:
        self.what = what.strip()
        self.remedy = remedy.strip()
        super().__init__(f"{self.what}. {self.remedy}".rstrip(". ") + "." if self.what else "")

    def __str__(self) -> str:
        head = self.what if self.what.endswith((".", "?", "!")) else f"{self.what}."
        return f"{head} {self.remedy}".strip()


class DataError(AutodlError, ValueError):
    """The data cannot be read or used as asked."""


class ConfigError(AutodlError, ValueError):
    """An option or a configuration file has an invalid value."""


class SearchError(AutodlError):
    """A search found nothing."""


class MissingDependencyError(AutodlError):
    """An optional package is needed; the remedy names the package and the extra."""


class RunError(AutodlError):
    """A run folder is missing, damaged, in use or from a newer version."""


class OlderModelError(RunError):
    """A stored model works in a way that this version does not know any more."""


class DiskError(RunError):
    """The disk refuses: it is full or read-only, there is no permission, or the folder is gone."""


class StoppedError(RunError):
    """The user stopped a run before it had a model."""

    exit_code = 130


_SPACE, _PLACE = "Free some space", "Choose another place"
REFUSALS = {
    errno.ENOSPC: ("the disk is full", _SPACE),
    errno.EDQUOT: ("your disk quota is used up", _SPACE),
    errno.EFBIG: ("the file would be larger than the system allows", "Raise the limit (`ulimit -f`)"),
    errno.EIO: ("the disk does not answer as it should", "Check the disk"),
    errno.EROFS: ("the disk is read-only", _PLACE),
    errno.EACCES: ("there is no permission", f"Ask for access, or {_PLACE.lower()}"),
    errno.EPERM: ("there is no permission", f"Ask for access, or {_PLACE.lower()}"),
    errno.ENOTDIR: ("a part of this path is a file, not a folder", _PLACE),
    errno.ENAMETOOLONG: ("the name is too long", "Choose a shorter one"),
    errno.ELOOP: ("it is a link that leads back to itself", "Name the file itself"),
}
"""What the system may refuse: the reason in words, and what the user can do, as the beginning of a sentence."""


def meant_column(asked: str, names: Sequence[str]) -> str | None:
    """The column that the user named, capitals and spaces around it aside where that is unambiguous; else None.

    >>> meant_column("price ", ["Price", "size"])
    'Price'
    """
    if asked in names:
        return asked
    folded = [n for n in names if n.strip().casefold() == asked.strip().casefold()]
    return folded[0] if len(folded) == 1 else None


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
    begin = [n for n in names if name and n.lower().startswith(name.lower())]
    if len(begin) == 1:
        return f"Did you mean '{begin[0]}'?"
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"Known: {shown}."
