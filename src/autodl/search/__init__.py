"""Searches configurations: for models, and through ``optimize`` for any function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["Evaluation", "SearchResult", "SearchSpace", "optimize", "parse_space"]

if TYPE_CHECKING:
    from autodl.search.ledger import Evaluation
    from autodl.search.optimizer import optimize
    from autodl.search.search_result import SearchResult
    from autodl.search.space import SearchSpace, parse_space

_HOME = {
    "Evaluation": "autodl.search.ledger",
    "SearchResult": "autodl.search.search_result",
    "SearchSpace": "autodl.search.space",
    "optimize": "autodl.search.optimizer",
    "parse_space": "autodl.search.space",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'autodl.search' has no attribute {name!r}")
