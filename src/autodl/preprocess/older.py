"""Preparation that an older version of autodl has stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def completed(state: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """A stored state with what came later; the order of what it has stays, so that equal states have equal bytes.

    Args:
        state: Attributes by name. later: What attributes of newer versions are where they are missing.
    """
    return {**state, **{name: value for name, value in later.items() if name not in state}}
