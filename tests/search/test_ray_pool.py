"""How the pool hands out calls, on a stand-in for Ray whose futures the test resolves: no process, no waiting."""

from __future__ import annotations

import queue
import time
from concurrent.futures import Future
from dataclasses import replace

import pytest

from autodl.search.runners import ray_pool, ray_worker
from autodl.search.runners.base import grace
from autodl.search.runners.ray_pool import Pool
from autodl.search.runners.ray_setup import Broken, Call, Ended, Note, RaySetup, Seats


class RayError(Exception): ...


class RayTaskError(RayError): ...


class OutOfMemoryError(RayError): ...


class Ref:
    def __init__(self, method, arguments):
        self.method, self.arguments, self.done = method, arguments, Future()

    def future(self):
        return self.done


class Method:
    def __init__(self, actor, name):
        self.actor, self.name = actor, name

    def remote(self, *arguments):
        self.actor.refs.append(Ref(self.name, arguments))
        return self.actor.refs[-1]


class Actor:
    def __init__(self):
        self.refs, self.killed = [], False
        self.place, self.warm, self.run = (Method(self, n) for n in ("place", "warm", "run"))

    @property
    def last(self):
        return self.refs[-1]


class FakeRay:
    """The part of Ray that the pool uses."""

    class exceptions:  # noqa: N801  # Ray's name
        RayTaskError, OutOfMemoryError = RayTaskError, OutOfMemoryError

    def __init__(self, cpus, gpus, node_cpus):
        self.node_cpus = node_cpus
        self.resources, self.actors, self.gpus = {"CPU": cpus, "GPU": gpus}, [], []

    def available_resources(self):
        return self.resources

    def nodes(self):
        lost = {"Alive": False, "Resources": {"CPU": 64.0}}
        return [lost, *({"Alive": True, "Resources": {"CPU": float(n)}} for n in self.node_cpus)]

    def remote(self, **wishes):
        self.wishes = wishes

        class Remote:
            @staticmethod
            def options(num_gpus):
                self.gpus.append(num_gpus)
                return Remote

            @staticmethod
            def remote():
                self.actors.append(Actor())
                return self.actors[-1]

        return lambda cls: Remote

    def kill(self, actor):
        actor.killed = True


class World:
    """A pool, driven event by event."""

    def __init__(self, workers=4, cpus=2, has_gpus=0, kind="calls", node_cpus=(2,), asked=1.0, **setup):
        self.ray, self.sent = FakeRay(cpus, has_gpus, node_cpus), []
        asked = RaySetup(kind, workers, cpus=asked, **setup)
        self.pool = Pool(self.ray, asked, "data", [], self.sent.append)
        self.step()

    def step(self):
        """Handle every event that is there."""
        while True:
            self.pool._look_after()
            try:
                handler, arguments = self.pool._events.get_nowait()
            except queue.Empty:
                return
            handler(*arguments)

    def up(self, index, node="n", free=1e9):
        actor = self.ray.actors[index]
        actor.last.done.set_result((node, free))
        self.step()
        actor.last.done.set_result(123)
        self.step()
        return actor

    def start(self, number, **more):
        self.pool.start(Call(number, b"request", **more))
        self.step()

    def finish(self, actor, answer=b"answer"):
        actor.last.done.set_result((answer, "said"))
        self.step()

    def fail(self, actor, error, machine=False):
        """A worker dies; the idle ones of its machine are still well when they are asked, or die too."""
        actor.last.done.set_exception(error)
        self.step()
        for other in [a for a in self.ray.actors if len(a.refs) > 2 and a.last.method == "place" and not a.killed]:
            if machine:
                other.last.done.set_exception(error)
            else:
                other.last.done.set_result(("n", 1e9))
        self.step()

    @property
    def ended(self):
        return [m for m in self.sent if isinstance(m, Ended)]

    def running(self):
        return [a for a in self.ray.actors if a.last.method == "run" and not a.last.done.done() and not a.killed]


def test_only_a_few_more_workers_than_there_is_room_for_are_asked_for():
    world = World(workers=9, cpus=3)
    assert len(world.ray.actors) == 3
    world.up(0)
    assert len(world.ray.actors) == 3  # two have no place yet
    world.up(1)
    assert len(world.ray.actors) == 4
    for i in range(2, 9):
        world.up(i)
    assert len(world.ray.actors) == 9
    assert world.sent[-1] == Seats(9)


def test_a_worker_without_a_place_gets_no_call():
    world = World()
    world.start(1)
    assert not world.running()
    assert world.sent[-1] == Seats(0, waiting=True)
    world.up(0)
    assert len(world.running()) == 1
    assert world.sent[-1] == Seats(1)


def test_a_call_is_not_tried_again_on_an_idle_worker_of_the_machine_that_leaves():
    world = World(workers=3)
    world.up(0, node="stays")
    world.start(1)
    world.up(1, node="leaves")
    world.up(2, node="leaves")
    world.start(2)
    (there,) = [a for a in world.running() if a is not world.ray.actors[0]]
    world.fail(there, RayError("its node has died"), machine=True)
    assert not world.ended and world.running() == [world.ray.actors[0]]
    world.finish(world.ray.actors[0])
    assert [e.number for e in world.ended] == [1]
    world.finish(world.ray.actors[0])
    assert [(e.number, e.answer) for e in world.ended][1:] == [(2, b"answer")]


def test_workers_that_leave_with_their_machine_are_none_that_never_came_up():
    world = World(cpus=4)
    for index in range(4):
        world.up(index)
    world.start(1)
    (there,) = world.running()
    world.fail(there, RayError("its node has died"), machine=True)
    assert not [m for m in world.sent if isinstance(m, Broken)]
    assert len(world.ray.actors) == 4 + ray_pool.ASKED  # without a pause
    assert world.up(4, node="another") in world.running()


def test_what_a_worker_asks_of_the_cluster():
    world = World(workers=8, cpus=4, has_gpus=1, memory=5e8, gpus=0.5)
    assert world.ray.wishes == {"num_cpus": 1.0, "memory": 500_000_000, "max_restarts": 0}
    assert world.ray.gpus == [0.5, 0.5, 0.0, 0.0]  # who wants a share of a GPU that is not there waits for ever
    assert set(World(cpus=1, gpus=0.5).ray.gpus) == {0.0}


@pytest.mark.parametrize(
    ("kind", "node_cpus", "placed", "told"),
    [
        ("trials", (4, 8), 8.0, True),
        ("trials", (4, 32), 16.0, False),
        ("trials", (), 16.0, False),  # machines may come
        ("calls", (4, 8), 16.0, False),  # who asks for so many for a call needs them
    ],
)
def test_a_trial_asks_for_no_more_cores_than_a_machine_has(kind, node_cpus, placed, told):
    world = World(cpus=12, kind=kind, node_cpus=node_cpus, asked=16.0)
    assert world.ray.wishes["num_cpus"] == placed
    actor = world.ray.actors[0]
    actor.last.done.set_result(("n", 1e9))
    world.step()
    assert actor.last.method == "warm" and actor.last.arguments[-1] == placed
    notes = [m.text for m in world.sent if isinstance(m, Note)]
    assert notes == ["The largest machine of the cluster has 8 cores: a trial gets as many, not 16."] * told


@pytest.mark.parametrize(("threads", "used"), [(2, 2), (16, 8)])
def test_a_trial_trains_with_the_cores_of_its_worker(threads, used, linear_data, monkeypatch):
    seen = []
    monkeypatch.setattr("autodl.search.trial.run_trial", lambda job, data, cache: seen.append(data.threads))
    ray_worker._trials(replace(linear_data, threads=8), 1, threads)("job", float("inf"))
    assert seen == [used]


def test_an_answer_comes_once_and_frees_the_worker():
    world = World()
    actor = world.up(0)
    world.start(1)
    world.start(2)
    assert len(world.running()) == 1
    world.finish(actor)
    assert [(e.number, e.answer, e.said) for e in world.ended] == [(1, b"answer", "said")]
    assert actor.last.method == "run" and not actor.last.done.done()  # the second


def test_a_dead_worker_costs_one_more_try_and_no_more():
    world = World(workers=2)
    first, second = world.up(0), world.up(1)
    world.start(1)
    world.fail(first, RayError("died"))
    assert world.ended == []
    assert world.running() == [second]
    world.fail(second, RayError("died"))
    assert len(world.ended) == 1
    assert world.ended[0].answer is None
    assert "tried 2 times" in world.ended[0].reason


def test_an_error_of_the_call_is_not_tried_again():
    world = World(workers=1)
    actor = world.up(0)
    world.start(1)
    world.fail(actor, RayTaskError("cannot pickle this"))
    assert world.ended[0].reason == "cannot pickle this"
    world.start(2)
    assert world.running() == [actor]  # it is well


@pytest.mark.parametrize(
    "error",
    [OutOfMemoryError("x"), RayError("Task was killed due to the node running low on memory.")],
)
def test_what_memory_has_ended_gets_a_node_for_itself(error):
    world = World(workers=3, cpus=3)
    a, b, c = (world.up(i) for i in range(3))
    for n in (1, 2, 3):
        world.start(n)
    assert len(world.running()) == 3
    world.fail(a, error)
    world.start(4)
    assert len(world.running()) == 2  # neither the second try nor, behind it, the fourth
    world.finish(b)
    assert len(world.running()) == 1
    world.finish(c)
    assert len(world.running()) == 1  # the second try, alone
    alone = world.running()[0]
    world.fail(alone, error)
    assert "low on memory; tried 2 times" in world.ended[-1].reason
    assert len(world.running()) == 1  # the fourth


def test_memory_that_runs_out_elsewhere_is_no_lack_of_it():
    """Ray's text on any death lists the lack of memory among common causes."""
    world = World(workers=1)
    actor = world.up(0)
    world.start(1)
    world.fail(actor, RayError("Worker unexpectedly exits. Some common causes include: (1) the OOM killer"))
    assert not world.pool._waiting[0].alone


def test_calls_share_the_memory_of_their_node():
    world = World(workers=4, cpus=4)
    for i in range(2):
        world.up(i, "small", free=1e9)
    world.start(1, bytes=6e8)
    world.start(2, bytes=6e8)
    assert len(world.running()) == 1  # 1.2 GB of 0.9
    world.start(3, bytes=1e6)
    assert len(world.running()) == 1  # not past the one that waits
    world.up(2, "other", free=1e9)
    assert len(world.running()) == 2 + 1  # the second went there, the third beside either
    world.up(3, "other")
    world.start(4, bytes=9e9)
    assert len(world.running()) == 3
    for actor in world.running():
        world.finish(actor)
    assert len(world.running()) == 1  # more than any node has, but nothing else runs there


def test_who_outruns_his_time_is_ended():
    world = World(workers=1)
    actor = world.up(0)
    world.start(1, seconds=5.0)
    task = world.pool._seats[0].task
    task.since = time.monotonic() - 5.0 - 0.5 * (grace(5.0) + grace(5.0, "predicting"))
    world.step()
    assert not actor.killed  # what a trial does is not told here; it may be predicting
    task.since = time.monotonic() - 100.0
    world.step()
    assert actor.killed
    assert world.ended[0].late
    assert "deadline of 5.0 s" in world.ended[0].reason
    assert world.sent[-1] == Seats(0)


def test_a_call_that_no_worker_takes_ends_with_its_time():
    world = World(workers=1)
    world.start(1, seconds=0.1)
    assert "no worker came free" in world.ended[0].reason
    assert world.ended[0].lost


@pytest.mark.parametrize(
    ("why", "lost"), [("The actor died because its node has died. Node Id: 1", True), ("Segmentation fault", False)]
)
def test_a_machine_that_leaves_is_no_fault_of_the_call(why, lost):
    world = World(workers=2)
    first, second = world.up(0), world.up(1)
    world.start(1)
    world.fail(first, RayError("The actor died because its node has died. Node Id: 0"))
    world.fail(second, RayError(why))
    assert world.ended[0].lost is lost


def test_given_up_calls_are_forgotten():
    world = World(workers=1)
    actor = world.up(0)
    world.start(1)
    world.start(2)
    world.pool.kill(1)
    world.pool.kill(2)
    world.step()
    assert actor.killed
    world.fail(actor, RayError("killed"))
    assert world.ended == []


def test_workers_that_never_come_up_are_told_and_not_asked_for_without_end(monkeypatch):
    monkeypatch.setattr(ray_pool, "PAUSE_S", 0.0)
    world = World(workers=1, cpus=1)
    for i in range(ray_pool.MAX_STARTS):
        world.fail(world.ray.actors[i], RayError("first line\nModuleNotFoundError: No module named 'autodl'"))
    broken = [m for m in world.sent if isinstance(m, Broken)]
    assert len(broken) == 1
    assert "No module named 'autodl'" in broken[0].reason
    assert "Install" in broken[0].remedy


def test_a_pause_follows_a_worker_that_did_not_come_up():
    world = World(workers=1, cpus=1)
    world.fail(world.ray.actors[0], RayError("no"))
    assert len(world.ray.actors) == 1
    world.pool._not_before = 0.0
    world.step()
    assert len(world.ray.actors) == 2
