"""Which files several processes test first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

LONG = ("slow", "ray", "browser")
"""Marks of tests that take seconds or minutes."""


def long_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Files with the most long tests first, others as they were, so that no process is left with one at the end."""
    long = Counter(item.path for item in items if any(item.get_closest_marker(mark) for mark in LONG))
    return sorted(items, key=lambda item: -long[item.path])
