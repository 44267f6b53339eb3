"""The hand-over from one runner to another, and which of them a plan starts with."""

from __future__ import annotations

import os
import threading
import time

import pytest

from autodl.machine import Machine
from autodl.records import Cost, TrialResult, TrialSpec, TrialStatus
from autodl.search.budget import Budget
from autodl.search.runners.base import Runner
from autodl.search.runners.making import make_runner
from autodl.search.runners.warming import WarmingRunner
from autodl.search.trial import Job, TrialOutcome


class Recorder(Runner):
    """Finishes a job at once, and remembers it."""

    def __init__(self):
        self.jobs, self.busy, self.closed = [], [], threading.Event()

    def free(self):
        return 1 - len(self.busy)

    def submit(self, job):
        self.jobs.append(job)
        self.busy.append(job)

    def wait(self, timeout):
        done, self.busy = self.busy, []
        return [TrialOutcome(TrialResult(spec=j.spec, status=TrialStatus.OK, cost=Cost(fit_s=0.1))) for j in done]

    def running(self):
        return list(self.busy)

    def close(self):
        self.closed.set()


def job(number, **more):
    return Job(TrialSpec(id=f"t{number:04d}", family="dummy"), **more)


def ids(runner):
    return [j.spec.id for j in runner.jobs]


def one_outcome(runner):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if found := runner.wait(0.2):
            return found[0].result.spec.id
    raise AssertionError("no outcome")


def test_a_trial_that_could_take_the_run_with_it_waits_for_the_second_runner():
    first, second, up = Recorder(), Recorder(), threading.Event()

    def make(closing):
        up.wait(30)
        return second

    runner = WarmingRunner(first, make)
    runner.submit(job(1))
    assert one_outcome(runner) == "t0001"
    runner.submit(job(2, light=False, seconds=100.0))
    assert runner.free() == 0
    assert [j.spec.id for j in runner.running()] == ["t0002"]
    assert runner.wait(0.1) == []
    up.set()
    assert one_outcome(runner) == "t0002"
    assert (ids(first), ids(second)) == (["t0001"], ["t0002"])
    assert 50.0 < second.jobs[0].seconds < 100.0  # what it waited is not there for training
    runner.close()


def test_a_held_trial_starts_the_second_runner_and_goes_to_the_first_if_that_fails():
    def broken(closing):
        raise RuntimeError("no second runner here")

    first = Recorder()
    runner = WarmingRunner(first, broken, after=5)
    runner.submit(job(1, light=False))
    assert one_outcome(runner) == "t0001"
    assert ids(first) == ["t0001"]
    assert str(runner.error) == "no second runner here"
    runner.close()


def test_a_runner_in_the_making_is_told_that_it_is_needed_no_longer():
    told = threading.Event()

    def make(closing):
        if closing.wait(30):
            told.set()
        raise RuntimeError("given up")

    runner = WarmingRunner(Recorder(), make)
    runner.close()
    assert told.wait(30)


@pytest.mark.parametrize(("resumed", "apart"), [(False, False), (True, True)])
def test_a_resumed_run_tries_nothing_in_its_own_process(resumed, apart, linear_data, monkeypatch):
    process, here = Recorder(), Recorder()
    monkeypatch.setattr("autodl.search.runners.process.ProcessRunner", lambda *args, **options: process)
    monkeypatch.setattr("autodl.search.runners.making.InlineRunner", lambda *args, **options: here)

    class FakePlan:
        runner, workers = "process", 1

    runner = make_runner(FakePlan(), linear_data, None, Budget(60.0, time.time()), print, resumed=resumed)
    runner.submit(job(1))
    assert (ids(process), ids(here)) == ((["t0001"], []) if apart else ([], ["t0001"]))
    runner.close()


@pytest.mark.parametrize("address", [None, "10.0.0.1:6379"])
def test_before_ray_is_up_one_trial_runs_at_a_time(address, linear_data, monkeypatch):
    class Cluster(Recorder):
        def await_worker(self, seconds, closing):
            closing.wait(30)

    monkeypatch.setattr("autodl.search.runners.ray.RayRunner", lambda *args, **options: Cluster())

    class FakePlan:
        runner, workers, families = "ray", 32, ()

    runner = make_runner(FakePlan(), linear_data, address, Budget(60.0, time.time()), print)
    try:
        assert runner.free() == 1
    finally:
        runner.close()


def no_ray(*args, **options):
    raise RuntimeError("Ray did not come up: no room in /tmp")


def no_process(*args, **options):
    raise RuntimeError("it did not answer in time")


def until_made(runner):
    """The runner in charge once the second was made."""
    if not isinstance(runner, WarmingRunner):
        return runner
    assert runner._made.wait(30)
    assert runner.error is None
    return runner._second


@pytest.mark.skipif(os.name != "posix", reason="worker processes need a POSIX system")
@pytest.mark.parametrize("resumed", [False, True])
def test_without_ray_trials_run_in_as_many_processes(resumed, linear_data, monkeypatch):
    workers, seen, process = [], [], Recorder()

    def make(data, count, **options):
        workers.append(count)
        return process

    monkeypatch.setattr("autodl.search.runners.ray.RayRunner", no_ray)
    monkeypatch.setattr("autodl.search.runners.process.ProcessRunner", make)

    class FakePlan:
        runner, workers, families = "ray", 32, ()

    plan = FakePlan()
    runner = make_runner(plan, linear_data, None, Budget(60.0, time.time()), seen.append, resumed=resumed)
    try:
        assert until_made(runner) is process
        assert workers == [32]
        (note,) = seen
        assert "no room in /tmp" in note.text and "in processes of this machine instead" in note.text
    finally:
        runner.close()


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize("kind", ["ray", "process"])
def test_without_any_workers_one_trial_at_a_time_gets_all_cores(kind, resumed, linear_data, monkeypatch):
    seen = []
    monkeypatch.setattr("autodl.search.runners.ray.RayRunner", no_ray)
    monkeypatch.setattr("autodl.search.runners.process.ProcessRunner", no_process)
    monkeypatch.setattr("autodl.search.runners.inline.this_machine", lambda: Machine(64, 2**36))

    class FakePlan:
        runner, workers, families = kind, 32, ()

    runner = make_runner(FakePlan(), linear_data, None, Budget(60.0, time.time()), seen.append, resumed=resumed)
    try:
        if not resumed:
            runner._begin.set()
        last = until_made(runner)
        assert last._data.threads == 64
        assert runner.free() == 1
        assert "one at a time" in seen[-1].text
    finally:
        runner.close()


def test_a_run_that_ends_first_is_not_told_that_no_process_came_up(linear_data, monkeypatch):
    seen, entered, left = [], threading.Event(), threading.Event()

    def make(*args, closing, **options):
        entered.set()
        closing.wait(30)
        left.set()
        raise RuntimeError("it did not answer in time")

    monkeypatch.setattr("autodl.search.runners.process.ProcessRunner", make)

    class FakePlan:
        runner, workers = "process", 1

    runner = make_runner(FakePlan(), linear_data, None, Budget(60.0, time.time()), seen.append)
    runner._begin.set()
    assert entered.wait(30)
    runner.close()
    assert left.wait(30)
    runner._thread.join(30)
    assert seen == []
