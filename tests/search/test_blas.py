"""The threads of linear algebra, limited for trainings that overlap."""

from __future__ import annotations

import threading

import pytest
import threadpoolctl

from autodl.search import blas
from autodl.search.blas import blas_threads


@pytest.fixture
def pools(monkeypatch):
    """A library with eight threads, limited as threadpoolctl does it: each limit puts back what it has found."""
    state = {"threads": 8}

    class Limits:
        def __init__(self, limits, user_api):
            self.found, state["threads"] = state["threads"], limits

        def restore_original_limits(self):
            state["threads"] = self.found

        def __enter__(self):
            return self

        def __exit__(self, *args):
            self.restore_original_limits()

    monkeypatch.setattr(threadpoolctl, "threadpool_limits", Limits)
    # A training that another test of this process left running would hold the process's own limit.
    monkeypatch.setattr(blas, "_limiter", blas._Limiter())
    return state


def test_trainings_that_overlap_share_one_limit(pools):
    inside, leave = threading.Event(), threading.Event()

    def train():
        with blas_threads(8):
            inside.set()
            leave.wait(10)

    with blas_threads(4):
        assert pools["threads"] == 1
        other = threading.Thread(target=train)
        other.start()
        assert inside.wait(10)
    assert pools["threads"] == 1  # the other still trains
    leave.set()
    other.join()
    assert pools["threads"] == 8


def test_a_training_that_fails_lifts_the_limit(pools):
    with pytest.raises(ValueError), blas_threads(4):
        raise ValueError
    assert pools["threads"] == 8
