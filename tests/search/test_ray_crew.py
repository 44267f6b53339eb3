"""The driver's side of Ray, with a stand-in for the process that speaks with it."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from multiprocessing import Pipe

import pytest

from autodl.errors import ConfigError
from autodl.machine import Machine
from autodl.records import TrialResult, TrialSpec, TrialStatus
from autodl.search.runners import ray_calls, ray_crew
from autodl.search.runners.ray import RayRunner
from autodl.search.runners.ray_calls import RayCalls
from autodl.search.runners.ray_crew import RayCrew, RayLostError
from autodl.search.runners.ray_setup import Broken, Ended, RaySetup, Seats, Step
from autodl.search.trial import Job, TrialOutcome


class Bridge:
    """Stands in for the process: the test sends its messages and reads those of the crew."""

    def __init__(self):
        self.made = []

    def start(self, module, arguments, files, errors, extra=None):
        ours, theirs = Pipe()
        self.made.append(theirs)
        self.say(Step("joined", joined=True), Seats(2))
        process = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        return process, ours

    def say(self, *messages):
        for message in messages:
            self.made[-1].send(message)

    def heard(self):
        """Messages of the crew to its present process, the first aside, which is the setup."""
        found = []
        while self.made[-1].poll(0.1):
            found.append(self.made[-1].recv())
        return [m for m in found if m[0] in ("start", "kill")]

    def die(self):
        self.made[-1].close()


@pytest.fixture
def bridge(monkeypatch):
    made = Bridge()
    monkeypatch.setattr(ray_crew, "start_child", made.start)
    return made


@pytest.fixture
def crew(bridge):
    made = RayCrew(RaySetup("calls", 2), "thing")
    made.await_worker(5)
    yield made
    made.close()


def answer(number, value="answer"):
    return Ended(number, answer=pickle.dumps(value))


def test_answers_of_given_up_calls_are_not_heard(bridge, crew):
    crew.start(1, "one")
    crew.start(2, "two")
    crew.kill(1)
    assert [m[0] for m in bridge.heard()] == ["start", "start", "kill"]
    bridge.say(answer(1), answer(2))
    assert [(e.number, a) for e, a in crew.ended(5)] == [(2, "answer")]


def test_a_new_process_gets_what_had_not_ended(bridge, crew):
    crew.start(1, "one")
    crew.start(2, "two", seconds=1000.0)
    bridge.say(answer(1))
    bridge.die()
    assert [e.number for e, _ in crew.ended(5)] == [1]
    again = bridge.heard()
    assert [(what, call.number) for what, call in again] == [("start", 2)]
    assert 990 < again[0][1].seconds <= 1000  # what is left
    bridge.die()  # the second time costs the call
    ((ended, value),) = crew.ended(5)
    assert (ended.number, value) == (2, None)
    assert "lost Ray" in ended.reason


def test_what_had_ended_is_heard_before_the_end_of_ray(bridge, crew, monkeypatch):
    monkeypatch.setattr(ray_crew, "MAX_RESTARTS", 0)
    crew.start(1, "one")
    bridge.say(answer(1))
    bridge.die()
    assert [e.number for e, _ in crew.ended(5)] == [1]
    for _ in range(2):
        with pytest.raises(RayLostError, match="its servers ended"):
            crew.ended(1)


def test_a_process_that_hangs_is_replaced(bridge, crew, monkeypatch):
    crew.start(1, "one", seconds=0.01)
    monkeypatch.setattr(ray_crew, "SILENT_S", -2.0)
    ((ended, _),) = crew.ended(5)
    assert ended.late
    assert len(bridge.made) == 2


@pytest.mark.parametrize(("kind", "remedy"), [("calls", "fewer `cpus`"), ("trials", "more --workers")])
def test_no_worker_is_told(kind, remedy, bridge):
    made = RayCrew(RaySetup(kind, 2, cpus=4.0), "thing")
    bridge.say(Seats(0))
    made.seats = 0
    with pytest.raises(ConfigError, match=f"no worker came up .* {remedy}"):
        made.await_worker(0.5)
    bridge.say(Broken("no worker comes up there: No module named 'autodl'", "Install it."))
    with pytest.raises(ConfigError, match=r"No module named 'autodl'. Install it\."):
        made.await_worker(5)
    made.close()


def outcome(number):
    spec = TrialSpec(id=f"t{number:04d}", family="dummy", config={}, seed=0)
    return Job(spec), TrialOutcome(TrialResult(spec=spec, status=TrialStatus.OK, loss=0.0))


def test_a_trial_counts_as_running_until_its_outcome_is_handed_out(bridge, linear_data):
    """Otherwise its number would be free, and another trial would get it."""
    runner = RayRunner(linear_data, 2)
    job, result = outcome(7)
    assert runner.free() == 2
    runner.submit(job)
    bridge.say(Ended(7, answer=pickle.dumps(result)))
    for _ in range(20):
        assert runner.free() == 1
        time.sleep(0.01)
    assert [j.spec.id for j in runner.running()] == ["t0007"]
    assert [o.result.spec.id for o in runner.wait(1)] == ["t0007"]
    assert runner.free() == 2
    assert runner.running() == []
    assert runner.wait(0) == []
    runner.close()


def test_no_trial_is_handed_over_while_one_waits(bridge, linear_data):
    runner = RayRunner(linear_data, 3)
    bridge.say(Seats(3))
    while runner.free() != 3:
        pass
    runner.submit(outcome(1)[0])
    bridge.say(Seats(3, waiting=True))
    while runner.free() == 2:
        pass
    assert runner.free() == 0
    runner.close()


def test_a_trial_that_the_cluster_lost_says_so(bridge, linear_data):
    runner = RayRunner(linear_data, 2)
    for number, lost in ((1, True), (2, False)):
        runner.submit(outcome(number)[0])
        bridge.say(Ended(number, reason="no worker came free in its time", lost=lost))
    found = []
    while len(found) < 2:
        found += runner.wait(5)
    assert {o.result.spec.id: (o.result.status, o.result.lost) for o in found} == {
        "t0001": (TrialStatus.FAILED, True),
        "t0002": (TrialStatus.FAILED, False),
    }
    runner.close()


def test_a_search_says_once_that_it_waits_for_a_worker(bridge, monkeypatch, capsys):
    monkeypatch.setattr(ray_calls, "PATIENCE_S", 0.05)
    calls = RayCalls(lambda config, fidelity: 0.0, 2)
    calls.start(0, {"x": 3.0}, None)
    bridge.say(Seats(0, waiting=True))
    assert calls.wait(0.6) is None
    assert capsys.readouterr().err.count("no worker is up on Ray; the search waits") == 1
    bridge.say(Seats(1))
    assert calls.wait(0.2) is None
    assert capsys.readouterr().err == ""
    bridge.say(Seats(0, waiting=True))
    assert calls.wait(0.6) is None
    assert "no worker is up" in capsys.readouterr().err
    calls.close()


def test_who_never_joined_is_killed_at_the_end(bridge, monkeypatch):
    """What hangs while it joins does not hear that the driver is gone."""
    bridge.say = lambda *messages: None
    hangs = []

    def start(module, arguments, files, errors, extra=None):
        ours, theirs = Pipe()
        bridge.made.append(theirs)
        hangs.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        return hangs[0], ours

    monkeypatch.setattr(ray_crew, "start_child", start)
    with pytest.raises(RuntimeError, match="Ray did not come up"):
        RayCrew(RaySetup("calls", 2), "thing", start_s=0.1)
    assert hangs[0].poll() is not None


def test_a_fit_without_ray_goes_on_here(bridge, linear_data, monkeypatch):
    monkeypatch.setattr(ray_crew, "MAX_RESTARTS", 0)
    told = []
    runner = RayRunner(linear_data, 2, tell=told.append)
    while runner.free() != 2:
        pass
    for number in (1, 2):
        runner.submit(outcome(number)[0])
    bridge.die()
    found = []
    while len(found) < 2:
        found += runner.wait(5)
    assert sorted(o.result.spec.id for o in found) == ["t0001", "t0002"]
    assert all(o.result.ok for o in found)
    assert "gone for good" in told[-1]
    assert runner.free() == 1
    runner.close()


def test_a_search_without_ray_goes_on_in_processes(bridge, monkeypatch):
    monkeypatch.setattr(ray_crew, "MAX_RESTARTS", 0)
    monkeypatch.setattr("autodl.search.runners.ray_calls.this_machine", lambda: Machine(cores=3, memory_bytes=10**9))
    calls = RayCalls(lambda config, fidelity: config["x"], 2)
    assert calls.room(9) == 2
    calls.start(0, {"x": 3.0}, None)
    bridge.die()
    assert calls.wait(60)[1].losses == (3.0,)
    assert calls.room(9) == 3  # no more than there are cores for
    calls.start(1, {"x": 4.0}, None)
    assert calls.wait(60)[1].losses == (4.0,)
    calls.close()
