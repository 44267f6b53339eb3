"""One torch thread: small networks gain nothing from more, and busy machines lose much."""

from __future__ import annotations

import pytest

from autodl.train.device import torch_threads


@pytest.fixture(autouse=True)
def _one_thread():
    with torch_threads(1):
        yield
