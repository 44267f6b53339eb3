"""Fixtures of the search tests; their classes and helpers stand in ``toy_families.py``."""

from __future__ import annotations

import pytest
from toy_families import Stubborn, Toy, make_linear_data

from autodl.models.base import families


@pytest.fixture
def toys(monkeypatch):
    for family in (Toy, Stubborn):
        monkeypatch.setitem(families._entries, family.key, family)
    return families


@pytest.fixture(scope="session")
def linear_data():
    return make_linear_data()
