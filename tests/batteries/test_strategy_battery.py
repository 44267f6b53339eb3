from __future__ import annotations

import pytest

from autodl.search.strategies.base import strategies
from autodl.testing.strategies import STRATEGY_CHECKS


def test_registry_is_not_empty():
    assert len(strategies) >= 10


@pytest.mark.parametrize("key", list(strategies))
@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda c: c.__name__)
def test_battery(check, key):
    check(key)
