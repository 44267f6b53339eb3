"""Long names made short, so that different ones stay different."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count


def shorten(text: str, limit: int) -> str:
    """The text with its middle replaced by an ellipsis beyond ``limit`` characters.

    >>> shorten("a name that goes on and on", 16)
    'a name tha…nd on'
    """
    if len(text) <= limit:
        return text
    head = (limit - 1) * 2 // 3
    return f"{text[:head].rstrip()}…{text[len(text) - (limit - 1 - head) :].lstrip()}"


def shorten_apart(texts: Iterable[str], limit: int) -> dict[str, str]:
    """Each text as ``shorten`` has it; those that would read alike show where they differ, or get a number.

    Args:
        texts: Of one set, such as all columns. limit: Characters, 8 or more.
    """
    names = list(dict.fromkeys(texts))
    short = {name: shorten(name, limit) for name in names}
    for same in _alike(short):
        head, start = limit // 4, max(0, _where_they_part(same) - 2)
        short |= {name: f"{name[:head].rstrip()}…{shorten(name[start:], limit - head - 1)}" for name in same}
    taken = set(short.values())
    for same in _alike(short):
        numbers = count(2)
        for name in same[1:]:
            numbered = (f"{shorten(name, limit - 6)} ({k})" for k in numbers)
            short[name] = next(text for text in numbered if text not in taken)
            taken.add(short[name])
    return short


def _where_they_part(names: list[str]) -> int:
    """Characters that all begin with: those of the first and the last by the alphabet."""
    first, last = min(names), max(names)
    return next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))


def _alike(short: dict[str, str]) -> list[list[str]]:
    """Names that are shortened to the same, in lists of two or more."""
    found: dict[str, list[str]] = {}
    for name, text in short.items():
        found.setdefault(text, []).append(name)
    return [same for same in found.values() if len(same) > 1]
