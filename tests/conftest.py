"""Shared fixtures."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from long_first import long_first

REPO = Path(__file__).resolve().parents[1]


# Machines are shared: how long an example takes says nothing about it.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with the long files (``make test``); one goes through them as they stand."""
    if hasattr(config, "workerinput"):
        items[:] = long_first(items)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that need it are skipped where it is missing."""
    folder = REPO.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data not found: no folder shared/data beside the checkout")
    return folder
