from __future__ import annotations

import importlib.util

import pytest

from autodl.search.strategies.base import strategies
from autodl.testing.strategies import STRATEGY_CHECKS

EXTRAS = {"nni-anneal": ("nni", "hyperopt"), "nni-nas-rl": ("nni", "gym", "tianshou")}


def test_registry_is_not_empty():
    assert len(strategies) >= 10


@pytest.mark.parametrize(
    "key", [pytest.param(k, marks=pytest.mark.slow) if k.startswith("nni-nas") else k for k in strategies]
)
@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda c: c.__name__)
def test_battery(check, key):
    for package in EXTRAS.get(key, ("nni",)) if key.startswith("nni-") else ():
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package} (extra 'nni')")
    check(key)
