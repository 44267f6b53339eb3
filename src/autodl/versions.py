"""Versions of Python and of the packages that decide a run's result."""

from __future__ import annotations

from functools import cache

PACKAGES = (
    "autodl", "catboost", "lightgbm", "numpy", "optuna", "pandas", "pyarrow", "ray", "scikit-learn", "scipy", "torch",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Name to version; packages that are not installed are left out."""
    return dict(_found())


@cache
def _found() -> dict[str, str]:
    """Looked up once: it reads a file a package, and ``run.json`` is written after each trial."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
