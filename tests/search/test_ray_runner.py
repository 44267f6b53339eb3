"""The Ray runner, on a real local Ray."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.records import TrialSpec, TrialStatus
from autodl.search.prepared import PreparedFolds
from autodl.search.runners.inline import InlineRunner
from autodl.search.runners.warming import WarmingRunner
from autodl.search.trial import Job, run_trial

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(180)]


def spec(number, family="lightgbm", **config):
    return TrialSpec(id=f"t{number:04d}", family=family, config=config, seed=1)


def collect(runner, n, timeout=90):
    found, until = [], time.monotonic() + timeout
    while len(found) < n and time.monotonic() < until:
        found += runner.wait(1.0)
    return {o.result.spec.id: o for o in found}


def all_free(runner, n, timeout=90):
    """Actors come up one by one, also after one was killed."""
    until = time.monotonic() + timeout
    while runner.free() < n and time.monotonic() < until:
        time.sleep(0.1)
    return runner.free() == n


@pytest.fixture
def ray_runner(linear_data):
    from autodl.search.runners.ray import RayRunner

    runner = RayRunner(linear_data, workers=2)
    assert all_free(runner, 2)
    yield runner
    runner.close()


def test_same_scores_as_inline_and_a_dead_worker_costs_only_time(ray_runner, linear_data):
    jobs = [Job(spec(1)), Job(spec(2, learning_rate=0.2))]
    for job in jobs:
        ray_runner.submit(job)
    assert ray_runner.free() == 0
    there = collect(ray_runner, 2)
    for job in jobs:
        here = run_trial(job, linear_data, PreparedFolds(linear_data))
        np.testing.assert_array_equal(there[job.spec.id].oof, here.oof)
        np.testing.assert_array_equal(there[job.spec.id].test, here.test)

    # A worker killed while it works: the trial is started again on a fresh one.
    victim = ray_runner._slots[0]
    pid = ray_runner._ray.get(victim.actor.ready.remote())
    ray_runner.submit(Job(spec(3, n_estimators=3000, learning_rate=0.001)))
    os.kill(pid, signal.SIGKILL)
    again = collect(ray_runner, 1)["t0003"]
    assert again.result.status is TrialStatus.OK
    assert all_free(ray_runner, 2)


def test_overdue_trial_is_killed(ray_runner, monkeypatch):
    ray_runner.submit(Job(spec(1), seconds=600))
    slot = next(s for s in ray_runner._slots if s.job is not None)
    slot.started -= 10_000  # as if it had been running for hours
    outcome = collect(ray_runner, 1)["t0001"]
    assert outcome.result.status in (TrialStatus.TIMEOUT, TrialStatus.OK)  # OK if it was quicker than the check
    assert all_free(ray_runner, 2)


def test_warming_hands_over(linear_data):
    from autodl.search.runners.ray import RayRunner

    runner = WarmingRunner(
        InlineRunner(linear_data), lambda closing: RayRunner(linear_data, workers=1, closing=closing)
    )
    try:
        runner.submit(Job(spec(1)))
        assert "t0001" in collect(runner, 1)
        until = time.monotonic() + 90
        while runner._second is None and time.monotonic() < until:
            time.sleep(0.2)
        assert runner._second is not None, runner.error
        runner.submit(Job(spec(2)))
        assert collect(runner, 1)["t0002"].result.ok
    finally:
        runner.close()


def test_failed_start_leaves_the_first_runner_in_charge(linear_data):
    def broken(closing):
        raise RuntimeError("no Ray here")

    runner = WarmingRunner(InlineRunner(linear_data), broken)
    until = time.monotonic() + 10
    while runner.error is None and time.monotonic() < until:
        time.sleep(0.05)
    assert str(runner.error) == "no Ray here"
    runner.submit(Job(spec(1, family="dummy")))
    assert collect(runner, 1)["t0001"].result.ok
    runner.close()


def test_unreachable_address_is_one_clear_error(linear_data):
    from autodl.search.runners.ray import RayRunner

    caught = []

    def connect():
        try:
            RayRunner(linear_data, workers=1, address="127.0.0.1:1")
        except ConfigError as error:
            caught.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(60)
    assert caught
    assert "cannot reach a Ray cluster at '127.0.0.1:1'" in str(caught[0])
