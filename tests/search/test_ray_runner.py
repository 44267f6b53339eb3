"""The Ray runner, on a real local Ray."""

from __future__ import annotations

import threading
import time

import numpy as np
import psutil
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


@pytest.fixture(scope="module")
def ray_runner(linear_data):
    from autodl.search.runners.ray import RayRunner

    runner = RayRunner(linear_data, workers=2)
    assert all_free(runner, 2)
    yield runner
    runner.close()


def test_same_scores_as_inline(ray_runner, linear_data):
    jobs = [Job(spec(1)), Job(spec(2, learning_rate=0.2))]
    for job in jobs:
        ray_runner.submit(job)
    assert ray_runner.free() == 0
    there = collect(ray_runner, 2)
    for job in jobs:
        here = run_trial(job, linear_data, PreparedFolds(linear_data))
        np.testing.assert_array_equal(there[job.spec.id].oof, here.oof)
        np.testing.assert_array_equal(there[job.spec.id].test, here.test)
    assert all_free(ray_runner, 2)


def workers_of(runner):
    """Processes of the workers."""
    bridge = psutil.Process(runner._crew._process.pid)
    return [p for p in bridge.children(recursive=True) if "RayWorker.run" in " ".join(p.cmdline() or [p.name()])]


def test_a_dead_worker_costs_only_time(ray_runner):
    """Killed while it works: the trial is started again on another one."""
    ray_runner.submit(Job(spec(3, n_estimators=3000, learning_rate=0.001)))
    until = time.monotonic() + 60
    while not (busy := workers_of(ray_runner)) and time.monotonic() < until:
        time.sleep(0.02)
    busy[0].kill()
    again = collect(ray_runner, 1)["t0003"]
    assert again.result.status is TrialStatus.OK
    assert all_free(ray_runner, 2)


def test_local_ray_listens_to_this_machine_only(ray_runner):
    """Ray's servers ask nobody for a password."""
    bridge = psutil.Process(ray_runner._crew._process.pid)
    open_to = {
        (c.laddr.ip, p.name()) for p in bridge.children(recursive=True) for c in p.net_connections("inet")
        if c.status == psutil.CONN_LISTEN and p.name() in ("gcs_server", "raylet")
    }  # fmt: skip
    assert open_to
    assert {ip for ip, _ in open_to} <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_when_the_process_of_ray_dies_another_one_takes_over(ray_runner):
    """All of Ray is killed: the running trial is run once more on a new one, finished ones are not."""
    ray_runner.submit(Job(spec(4)))
    assert collect(ray_runner, 1)["t0004"].result.ok
    ray_runner.submit(Job(spec(5, n_estimators=2000, learning_rate=0.001)))
    bridge = psutil.Process(ray_runner._crew._process.pid)
    for process in [bridge, *bridge.children(recursive=True)]:
        process.kill()
    found = collect(ray_runner, 1, timeout=150)
    assert list(found) == ["t0005"]
    assert found["t0005"].result.ok
    assert all_free(ray_runner, 2)


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

    with pytest.raises(ConfigError, match=r"cannot reach a Ray cluster at '127\.0\.0\.1:1': nothing listens"):
        RayRunner(linear_data, workers=1, address="127.0.0.1:1")


def test_warming_hands_over(ray_runner, linear_data):
    """The last test of this file: the runner is closed with the one that takes it over."""
    made = threading.Event()

    def make(closing):
        made.wait(60)
        ray_runner.await_worker(60, closing)
        return ray_runner

    runner = WarmingRunner(InlineRunner(linear_data), make)
    try:
        runner.submit(Job(spec(1)))
        assert "t0001" in collect(runner, 1)
        made.set()
        runner._made.wait(60)
        assert runner._second is ray_runner, runner.error
        runner.submit(Job(spec(2)))
        assert collect(runner, 1)["t0002"].result.ok
    finally:
        runner.close()
