"""What a user typed or passed, turned into the values that ``FitOptions`` holds, or refused by name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, SupportsInt, TypeGuard

from autodl.errors import ConfigError, did_you_mean
from autodl.records import Task

MIN_BUDGET_S = 10.0
"""Shorter budgets could not be kept: about five seconds of work are the same for every run."""
MIN_LATENCY_S = 1e-6
"""A limit below this is a slip of the unit: no model answers in less."""
MAX_LEVELS = 99
"""Quantiles at most: one for each percent."""
MIN_MEMORY_BYTES = 100_000_000
"""Python with the tools that every model needs takes more alone: 123 MB were measured on Linux."""


class OptionCheck:
    """Values as they are given, turned into what the options hold, or refused by name."""

    def __init__(self, spelling: Callable[[str], str]) -> None:
        self.spelling = spelling

    def refuse(self, name: str, rule: str, value: object, remedy: str = "") -> ConfigError:
        """The error for a value that breaks a rule."""
        return ConfigError(f"{self.spelling(name)} must {rule}, but got {_shown(value)}", remedy)

    def text(self, name: str, value: object) -> str | None:
        """A word, or None."""
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(name, "be a name", value)
        return value.strip()

    def column(self, name: str, value: object) -> str | None:
        """The name of a column as frames are read: text, blanks folded; numbers name columns too."""
        if _is_whole(value):
            return str(value)
        if isinstance(value, str) and value.strip():
            return " ".join(value.replace("\ufeff", "").split())
        if value is None:
            return None
        raise self.refuse(name, "be the name of a column", value)

    def columns(self, name: str, value: object) -> tuple[str, ...]:
        """Names of columns; a single one may be given as it is."""
        given = [value] if isinstance(value, str | Integral) else self.several(name, value, "the names of columns")
        made = (self.column(name, v) for v in given)
        return tuple(dict.fromkeys(v for v in made if v is not None))

    def families(self, value: object) -> tuple[str, ...]:
        """Keys of model families: a sequence, or one text with commas."""
        given = value.split(",") if isinstance(value, str) else self.several("families", value, "names of models")
        for v in given:
            if not isinstance(v, str):
                raise self.refuse("families", "hold names of models", v)
        names = tuple(dict.fromkeys(v.strip().lower() for v in given if v.strip()))
        if given and not names:
            raise ConfigError(f"{self.spelling('families')} names no family", "Separate names by commas, e.g. a,b.")
        return names

    def several(self, name: str, value: object, what: str) -> list[Any]:
        """The entries of a sequence; None means none."""
        if value is None:
            return []
        if not isinstance(value, Iterable) or isinstance(value, Mapping | bytes):
            raise self.refuse(name, f"be a list of {what}", value)
        return list(value)

    def whole(self, name: str, value: object, low: int, high: int) -> int:
        """A whole number within bounds."""
        if not _is_whole(value):
            raise self.refuse(name, "be a whole number", value)
        if not low <= int(value) <= high:
            raise self.refuse(name, f"lie between {low} and {high}", value)
        return int(value)

    def count(self, name: str, value: object) -> int | None:
        """A whole number from 1 on, or None."""
        if value is None:
            return None
        if not _is_whole(value):
            raise self.refuse(name, "be a whole number", value)
        if int(value) < 1:
            raise self.refuse(name, "be at least 1", value)
        return int(value)

    def share(self, name: str, value: object) -> float | None:
        """A number strictly between 0 and 1, or None."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < 1:
            raise self.refuse(name, "lie between 0 and 1", value, "Use a share like 0.2.")
        return float(value)

    def levels(self, name: str, value: object) -> tuple[float, ...]:
        """Levels of quantiles, ascending, each once: a sequence of numbers, or one text with commas."""
        given = value.split(",") if isinstance(value, str) else [value] if isinstance(value, Real) else value
        remedy = "Give shares of the rows, such as 0.1,0.5,0.9."
        found = set()
        for entry in self.several(name, given, "numbers between 0 and 1"):
            try:
                level = float("nan") if isinstance(entry, bool) else float(entry)
            except (TypeError, ValueError):
                level = float("nan")
            if not 0 < level < 1:
                meant = _from_percent(value)
                better = remedy if meant is None else f"Did you mean {meant}?"
                raise self.refuse(name, "hold numbers between 0 and 1", entry, better)
            found.add(level)
        if len(found) > MAX_LEVELS:
            raise self.refuse(name, f"hold at most {MAX_LEVELS} levels", len(found), remedy)
        return tuple(sorted(found))

    def budget(self, value: object, default: float | None) -> float | None:
        """Seconds."""
        from autodl.duration import parse_duration

        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, str | Real):
            raise self.refuse("time_budget", "be seconds or a duration like 90s or 5m", value)
        seconds = parse_duration(value if isinstance(value, str) else float(value), self.spelling("time_budget"))
        if seconds < MIN_BUDGET_S:
            raise ConfigError(
                f"{self.spelling('time_budget')} {_shown(value)} is too short: starting, reading, testing and the "
                "report alone take about five seconds",
                f"Give at least {MIN_BUDGET_S:.0f}s.",
            )
        return seconds

    def latency(self, name: str, value: object) -> float | None:
        """Seconds of one prediction, or None."""
        from autodl.duration import parse_duration

        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | Real):
            raise self.refuse(name, "be seconds or a duration like 5ms", value)
        self._has_unit(name, value, "5ms or 0.1s")
        given = value if isinstance(value, str) else float(value)
        return parse_duration(given, self.spelling(name), MIN_LATENCY_S)

    def size(self, name: str, value: object) -> int | None:
        """Bytes, or None."""
        from autodl.sizes import parse_size

        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | Real):
            raise self.refuse(name, "be bytes or a size like 2MB", value)
        self._has_unit(name, value, "500kB or 2MB")
        return parse_size(value if isinstance(value, str) else float(value), self.spelling(name))

    def memory(self, name: str, value: object) -> int | None:
        """Bytes of a process that loads the model, or None."""
        size = self.size(name, value)
        if size is not None and size < MIN_MEMORY_BYTES:
            raise ConfigError(
                f"{self.spelling(name)} {_shown(value)} can be kept by no model: Python and the tools that every "
                "model needs take more",
                "Allow at least 100MB; about 250MB suit simple models.",
            )
        return size

    def _has_unit(self, name: str, value: object, example: str) -> None:
        """Refuse a typed number without a unit: nobody who types ``5`` for a limit means five seconds or bytes."""
        if isinstance(value, str) and re.fullmatch(r"\s*[\d.]+\s*", value):
            raise ConfigError(f"{self.spelling(name)} {value!r} has no unit", f"Write it with one, like {example}.")

    def key(self, name: str, value: object) -> str | None:
        """A key of a registry, in small letters; whether it exists is checked where the registry is loaded."""
        word = self.text(name, value)
        return None if word is None else word.lower()

    def path(self, name: str, value: object) -> str | None:
        """A path as text, or None."""
        if value is None:
            return None
        if not isinstance(value, str | os.PathLike) or not os.fspath(value):
            raise self.refuse(name, "be the path of a file", value)
        return str(os.fspath(value))

    def task(self, value: object) -> Task | None:
        """The task; None and ``auto`` mean: find out."""
        if value is None:
            return None
        chosen = self.one_of("task", value, ("auto", *Task))
        return None if chosen == "auto" else Task(chosen)

    def one_of(self, name: str, value: object, known: Iterable[str]) -> Any:
        """One of the known words, in any case."""
        words = [str(k) for k in known]
        if not isinstance(value, str):
            raise self.refuse(name, f"be one of {', '.join(words)}", value)
        if value.strip().lower() not in words:
            raise ConfigError(f"unknown {self.spelling(name)} {value!r}", did_you_mean(value, words))
        return value.strip().lower()

    def flag(self, name: str, value: object) -> bool:
        """True or False."""
        if not isinstance(value, bool):
            raise self.refuse(name, "be True or False", value)
        return value


def _from_percent(value: object) -> str | None:
    """Levels given in percent as shares; None for anything else.

    >>> _from_percent("10%, 90%"), _from_percent([5, 50]), _from_percent("0.1,0.9"), _from_percent("1,0.5")
    ('0.1,0.9', '0.05,0.5', None, None)
    """
    given = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    words = [str(v).strip() for v in given]
    if not all(re.fullmatch(r"\d{1,2}(\.\d+)?\s*%?", w) for w in words):
        return None
    shares = [float(w.rstrip("% ")) / 100 for w in words]
    # A plain 1 alone is a share out of bounds rather than 1 %.
    if "%" not in "".join(words) and max(shares) <= 0.01:
        return None
    if not all(0 < s < 1 and (s >= 0.01 or "%" in w) for s, w in zip(shares, words, strict=True)):
        return None
    return ",".join(f"{s:.6g}" for s in shares)


def _is_whole(value: object) -> TypeGuard[SupportsInt]:
    """Whether it is an integer of Python or numpy; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """A value in few characters; of large objects the type only.

    >>> _shown(1.5), _shown("a"), _shown([1] * 1000)
    ('1.5', "'a'", 'a list')
    """
    text = repr(value)
    if "\n" in text or len(text) > 60:
        kind = type(value).__name__
        return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
    return text
