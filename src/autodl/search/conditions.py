"""Conditions under which a parameter exists: a list of values of another one, or a comparison with it.

Numbers and truth values are kept apart: ``1`` is not ``True``, though ``1`` is ``1.0``.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from autodl.records import JsonScalar

Condition = tuple[JsonScalar, ...] | str
"""Values, one of which the other parameter must have, or a comparison such as ``">= 2"``."""

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    "==": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*(>=|<=|!=|==|>|<)\s*(\S.*?)\s*")


class Comparison(NamedTuple):
    """``VALUE operator bound``."""

    symbol: str
    bound: JsonScalar

    @property
    def ordered(self) -> bool:
        """Whether it needs numbers: all but equal and unequal."""
        return self.symbol not in ("==", "!=")


def is_number(value: object) -> bool:
    """Whether a value is a whole or real number, which a truth value is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(a: JsonScalar, b: JsonScalar) -> bool:
    """Equality that tells ``True`` from ``1``."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def contains(values: Sequence[JsonScalar], value: JsonScalar) -> bool:
    """Whether one of the values is the same."""
    return any(same(v, value) for v in values)


def is_comparison(text: object) -> bool:
    """Whether something reads like a comparison."""
    return isinstance(text, str) and _FORM.fullmatch(text) is not None


@lru_cache(maxsize=1024)
def comparison(text: str) -> Comparison:
    """Read a comparison.

    Raises:
        ValueError: If the text is none, or compares the order of what is no number.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"a comparison such as '>= 2' is needed, but got {text!r}")
    found = Comparison(match[1], _value(match[2]))
    if found.ordered and not is_number(found.bound):
        raise ValueError(f"'{found.symbol}' needs a number after it, but got {match[2]!r}")
    return found


def holds(condition: Condition, value: JsonScalar) -> bool:
    """Whether a value of the other parameter meets the condition."""
    if not isinstance(condition, str):
        return contains(condition, value)
    found = comparison(condition)
    if found.symbol == "==":
        return same(value, found.bound)
    if found.symbol == "!=":
        return not same(value, found.bound)
    return is_number(value) and _OPERATORS[found.symbol](value, found.bound)


def _value(text: str) -> JsonScalar:
    words: dict[str, JsonScalar] = {"true": True, "false": False, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip("'\"")
