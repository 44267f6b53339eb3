"""Workers on Ray, one call each at a time; they come and go with the nodes of the cluster.

Everything happens in one thread that reads one queue of events: messages of the driver, and futures that Ray
resolves. Nothing waits for a single worker, so one that the cluster has no room for costs nothing.
"""

from __future__ import annotations

import contextlib
import math
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from autodl.search.runners import reasons
from autodl.search.runners.base import MAX_RETRIES, PAUSE_S, grace
from autodl.search.runners.ray_setup import Broken, Call, Ended, Message, Note, RaySetup, Seats
from autodl.search.runners.ray_worker import RayWorker

ASKED = 2
"""Workers at a time that are asked for beyond those that the cluster is known to have room for."""
MAX_STARTS = 3
"""Workers in a row that may end before they have loaded what they need."""
LEAST_S = 0.5
"""Another try with less time is not worth its start."""
MEMORY_SHARE = 0.9
"""Of the memory that was free on a node when its first worker came, calls may take so much."""
_NO_NODE = "its node has died"
_NO_MEMORY = ("low on memory", "memory pressure", "out of memory", "outofmemory", "oom")

Event = tuple[Callable[..., None], tuple[Any, ...]]


@dataclass
class _Task:
    """A call and its fate so far."""

    call: Call
    since: float
    """When it was handed over."""
    tries: int = 0
    why: str = ""
    """How its last try ended."""
    alone: bool = False
    """Whether it shares no node: lack of memory has ended it before, which may have been the fault of others."""
    began: float = math.inf
    faulty: bool = False
    """Whether a worker of its own has died on a machine that stayed."""

    def left(self, now: float) -> float:
        """Seconds until it must have ended."""
        return self.since + self.call.seconds - now


@dataclass(eq=False)
class _Seat:
    """A worker, from the moment it is asked for."""

    actor: Any
    refs: list[Any] = field(default_factory=list)
    node: str = ""
    gpu: bool = False
    up: bool = False
    proven: bool = False
    """Whether it was ever up: then its death says nothing against those that come after it."""
    task: _Task | None = None


class Pool:
    """Keeps workers and hands calls to them.

    Args:
        ray: The module, connected to a cluster.
        setup: How many workers, and what each asks of the cluster.
        data: Reference to the parts of the data or the objective.
        paths: Where the driver finds modules.
        send: Tells the driver.
    """

    def __init__(
        self, ray: Any, setup: RaySetup, data: Any, paths: list[str], send: Callable[[Message], None]
    ) -> None:
        self._ray, self._setup, self._data, self._paths, self._send = ray, setup, data, paths, send
        cpus = self._cpus = self._placeable(setup.cpus) if setup.kind == "trials" else setup.cpus
        self._remote = ray.remote(num_cpus=cpus, memory=int(setup.memory) or None, max_restarts=0)(RayWorker)
        free = ray.available_resources()
        self._gpu_seats = int(free.get("GPU", 0.0) / setup.gpus) if setup.gpus > 0 else 0
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._seats: list[_Seat] = []
        self._waiting: list[_Task] = []
        self._room: dict[str, float] = {}
        """Node -> bytes that calls may take there."""
        self._told_seats: Seats | None = None
        self._useless = 0
        """Workers in a row that ended before they were up."""
        self._not_before = 0.0
        room = int(free.get("CPU", 0.0) / cpus) if cpus > 0 else setup.workers
        for _ in range(min(setup.workers, max(1, room))):
            self._ask()

    # What the driver wants; called from its reading thread.

    def start(self, call: Call) -> None:
        """Carry out a call."""
        self._events.put((self._take, (call,)))

    def kill(self, number: int) -> None:
        """End a call without an answer."""
        self._events.put((self._forget, (number,)))

    def end(self) -> None:
        """Leave ``run``."""
        self._events.put(None)

    def run(self) -> None:
        """Serve until ``end``."""
        while True:
            self._look_after()
            try:
                event = self._events.get(timeout=self._pause())
            except queue.Empty:
                continue
            if event is None:
                return
            handler, arguments = event
            handler(*arguments)

    def close(self) -> None:
        """Kill the workers."""
        for seat in self._seats:
            self._kill(seat)
        self._seats = []

    # Workers.

    def _placeable(self, cpus: float) -> float:
        """Cores of a worker that some machine has: the plan knows those of the machine that asks alone."""
        most = int(max((n["Resources"].get("CPU", 0.0) for n in self._ray.nodes() if n["Alive"]), default=0.0))
        if not 1 <= most < cpus:  # a cluster without cores may grow
            return cpus
        cores = f"{most} core{'s' if most > 1 else ''}"
        self._send(Note(f"The largest machine of the cluster has {cores}: a trial gets as many, not {cpus:g}."))
        return float(most)

    def _ask(self) -> None:
        gpus = self._setup.gpus if sum(s.gpu for s in self._seats) < self._gpu_seats else 0.0
        seat = _Seat(self._remote.options(num_gpus=gpus).remote(), gpu=gpus > 0)
        self._seats.append(seat)
        self._when(seat, seat.actor.place.remote(), self._placed)

    def _when(self, seat: _Seat, ref: Any, handler: Callable[[_Seat, Future[Any]], None]) -> None:
        seat.refs = [ref]  # the future alone does not keep the result
        ref.future().add_done_callback(lambda done: self._events.put((handler, (seat, done))))

    def _placed(self, seat: _Seat, done: Future[Any]) -> None:
        if seat not in self._seats:
            return
        if (error := done.exception()) is not None:
            self._lost(seat, error)
            return
        seat.node, free = done.result()
        self._room.setdefault(seat.node, MEMORY_SHARE * free)
        kind, workers, threads = self._setup.kind, self._setup.workers, max(1, int(self._cpus))
        self._when(seat, seat.actor.warm.remote(kind, workers, self._paths, self._data, threads), self._warmed)

    def _warmed(self, seat: _Seat, done: Future[Any]) -> None:
        if seat not in self._seats:
            return
        if (error := done.exception()) is not None:
            self._lost(seat, error)
            return
        seat.up, seat.proven, self._useless = True, True, 0

    def _lost(self, seat: _Seat, error: BaseException) -> None:
        """A worker is gone, or of no use: its call gets another try on the next one."""
        self._seats.remove(seat)
        self._kill(seat)
        if seat.proven:
            self._doubt(seat.node)
        else:
            self._useless += 1
            self._not_before = time.monotonic() + PAUSE_S * 2 ** min(self._useless, 6)
            if self._useless >= MAX_STARTS and not any(s.up for s in self._seats):
                self._send(Broken(f"no worker comes up there: {_short(error)}", _remedy(error)))
        if seat.task is not None:
            self._again(seat.task, self._death(error))

    def _doubt(self, node: str) -> None:
        """Idle workers of a machine that lost one must answer before they get a call: it may be leaving."""
        for seat in [s for s in self._seats if s.up and s.task is None and s.node == node]:
            seat.up = False
            self._when(seat, seat.actor.place.remote(), self._warmed)

    def _death(self, error: BaseException) -> reasons.Death:
        """What Ray's error means; its own watch over memory ends a worker before the kernel must."""
        text = str(error).lower()
        if isinstance(error, self._ray.exceptions.OutOfMemoryError) or any(
            words in text.split("some common causes")[0] for words in _NO_MEMORY
        ):
            return reasons.Death("was ended by Ray, whose machine ran low on memory", memory=True)
        if _NO_NODE in text:
            return reasons.Death(f"lost its worker ({type(error).__name__}): its machine left", machine=True)
        return reasons.Death(f"lost its worker ({type(error).__name__}): it crashed, was killed, or its machine left")

    def _kill(self, seat: _Seat) -> None:
        with contextlib.suppress(Exception):  # it may be gone, or the cluster
            self._ray.kill(seat.actor)

    # Calls.

    def _take(self, call: Call) -> None:
        self._waiting.append(_Task(call, time.monotonic()))

    def _forget(self, number: int) -> None:
        self._waiting = [t for t in self._waiting if t.call.number != number]
        for seat in [s for s in self._seats if s.task is not None and s.task.call.number == number]:
            self._seats.remove(seat)
            self._kill(seat)

    def _again(self, task: _Task, why: reasons.Death) -> None:
        """Another try, if there may be one. What lack of memory has ended gets it with a node for itself."""
        task.tries += 1
        task.why, task.began = reasons.tries(why.reason, task.tries), math.inf
        task.alone, task.faulty = task.alone or why.memory, task.faulty or not why.machine
        if task.tries > MAX_RETRIES or task.left(time.monotonic()) < LEAST_S:
            self._say(task, Ended(task.call.number, reason=task.why, lost=not task.faulty))
        else:
            self._waiting.insert(0, task)

    def _answered(self, seat: _Seat, done: Future[Any]) -> None:
        if seat not in self._seats or seat.task is None:
            return
        task, error = seat.task, done.exception()
        if error is None:
            seat.task = None
            answer, said = done.result()
            self._say(task, Ended(task.call.number, answer=answer, said=said))
        elif isinstance(error, self._ray.exceptions.RayTaskError):  # the worker itself is well
            seat.task = None
            self._say(task, Ended(task.call.number, reason=_short(error)))
        else:
            self._lost(seat, error)

    def _say(self, task: _Task, ended: Ended) -> None:
        begun = task.since if math.isinf(task.began) else task.began
        self._send(Ended(**{**vars(ended), "seconds": time.monotonic() - begun}))

    # After each event.

    def _look_after(self) -> None:
        now = time.monotonic()
        self._end_overdue(now)
        self._hand_out(now)
        self._grow(now)
        seats = Seats(sum(s.up for s in self._seats), bool(self._waiting))
        if seats != self._told_seats:
            self._told_seats = seats
            self._send(seats)

    def _end_overdue(self, now: float) -> None:
        for seat in list(self._seats):
            task = seat.task
            if task is not None and task.left(now) < -grace(task.call.seconds, None):
                self._seats.remove(seat)
                self._kill(seat)
                self._say(task, Ended(task.call.number, late=True, reason=reasons.overdue(task.call.seconds)))
        for task in [t for t in self._waiting if t.left(now) < LEAST_S]:
            self._waiting.remove(task)
            why = task.why or "no worker came free in its time"
            self._say(task, Ended(task.call.number, reason=why, lost=not task.faulty))

    def _hand_out(self, now: float) -> None:
        """In the order of their coming: one that waits for memory is not overtaken for ever by smaller ones."""
        while self._waiting and (seat := self._seat_for(self._waiting[0])) is not None:
            task = self._waiting.pop(0)
            seat.task, task.began = task, now
            self._when(seat, seat.actor.run.remote(task.call.request, task.left(now)), self._answered)

    def _seat_for(self, task: _Task) -> _Seat | None:
        """A free worker on a node with enough memory; where nothing runs there is always enough."""
        best: tuple[float, _Seat] | None = None
        for seat in self._seats:
            if not seat.up or seat.task is not None:
                continue
            others = [s.task for s in self._seats if s.task is not None and s.node == seat.node]
            if any(o.alone or task.alone for o in others):
                continue
            taken = sum(o.call.bytes for o in others)
            if others and taken + task.call.bytes > self._room[seat.node]:
                continue
            if best is None or taken < best[0]:
                best = taken, seat
        return None if best is None else best[1]

    def _grow(self, now: float) -> None:
        """Ask for a few more workers than there are; Ray places them as soon as there is room."""
        while now >= self._not_before and len(self._seats) < self._setup.workers:
            if sum(not s.node for s in self._seats) >= ASKED:
                return
            self._ask()

    def _pause(self) -> float:
        """Seconds until something must be looked at without an event."""
        now = time.monotonic()
        moments = [s.task.left(now) + grace(s.task.call.seconds, None) for s in self._seats if s.task is not None]
        moments += [t.left(now) - LEAST_S for t in self._waiting]
        if len(self._seats) < self._setup.workers and self._not_before > now:
            moments.append(self._not_before - now)
        return max(0.01, min([1.0, *moments]))


def _short(error: BaseException) -> str:
    """The last line that says something, which in Ray's long texts is the error itself."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]


def _remedy(error: BaseException) -> str:
    if "No module named" in str(error) or "ModuleNotFoundError" in str(error):
        return "Install the same version of autodl on every machine of the cluster."
    return "Look at `ray status` and at the logs of the cluster."
