"""autodl: AutoML whose numbers hold.

The public names load what they need on first use, so that ``import autodl`` is instant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["AutoClassifier", "AutoRegressor", "Run", "__version__", "fit", "plan", "runs"]

if TYPE_CHECKING:
    from autodl.api import Run, fit, plan, runs
    from autodl.estimators import AutoClassifier, AutoRegressor

_HOME = {
    "fit": "autodl.api",
    "plan": "autodl.api",
    "runs": "autodl.api",
    "Run": "autodl.api",
    "AutoClassifier": "autodl.estimators",
    "AutoRegressor": "autodl.estimators",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        import importlib

        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'autodl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
