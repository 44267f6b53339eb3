"""Versions of Python and of the packages that decide a run's result."""

from __future__ import annotations

PACKAGES = (
    "autodl", "catboost", "lightgbm", "numpy", "optuna", "pandas", "pyarrow", "ray", "scikit-learn", "scipy", "torch",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Name to version; packages that are not installed are left out."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
