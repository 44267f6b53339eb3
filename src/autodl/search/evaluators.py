"""Where objectives run: in this process, or in processes of their own that can be ended when they hang."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from abc import ABC, abstractmethod

from autodl.search.calling import Answer, Objective, call
from autodl.search.space import Config

Done = tuple[int, Answer]


class Evaluator(ABC):
    """Runs calls of one objective; each is known by a number."""

    def room(self, workers: int) -> int:
        """How many calls may run now, of so many that were asked for."""
        return workers

    @abstractmethod
    def start(self, number: int, config: Config, fidelity: float | None) -> None:
        """Begin a call."""

    @abstractmethod
    def wait(self, seconds: float | None) -> Done | None:
        """The next call that ends, or None if none does in that time."""

    @abstractmethod
    def give_up(self, number: int) -> None:
        """Forget a call; end it if that is possible."""

    def close(self) -> None:  # noqa: B027 - only some hold anything
        """Free what is held."""


class Direct(Evaluator):
    """Calls in the caller's own thread: nothing is faster, and nothing can interrupt it."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._done: list[Done] = []

    def start(self, number: int, config: Config, fidelity: float | None) -> None:
        """Call and keep the answer."""
        self._done.append((number, call(self._objective, config, fidelity)))

    def wait(self, seconds: float | None) -> Done | None:
        """The oldest answer."""
        return self._done.pop(0) if self._done else None

    def give_up(self, number: int) -> None:
        """Nothing can be running."""


class Threads(Evaluator):
    """Calls in threads: one that hangs is left behind, as Python cannot end a thread."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._answers: queue.Queue[Done] = queue.Queue()
        self._forgotten: set[int] = set()

    def start(self, number: int, config: Config, fidelity: float | None) -> None:
        """Begin a thread that does not keep the interpreter alive."""

        def work() -> None:
            self._answers.put((number, call(self._objective, config, fidelity)))

        threading.Thread(target=work, name=f"objective-{number}", daemon=True).start()

    def wait(self, seconds: float | None) -> Done | None:
        """The next answer that is still wanted."""
        while True:
            try:
                done = self._answers.get(timeout=seconds)
            except queue.Empty:
                return None
            if done[0] not in self._forgotten:
                return done

    def give_up(self, number: int) -> None:
        """Its answer will be ignored."""
        self._forgotten.add(number)


class Processes(Evaluator):
    """Calls in processes of their own: a hang is ended, and a crash of the interpreter costs one trial.

    A process serves many calls; the objective travels once, by cloudpickle, so that it may be a local function.
    """

    def __init__(self, objective: Objective) -> None:
        import cloudpickle

        self._payload: bytes = cloudpickle.dumps(objective)
        self._idle: list[subprocess.Popen[bytes]] = []
        self._busy: dict[int, subprocess.Popen[bytes]] = {}
        self._answers: queue.Queue[Done] = queue.Queue()

    def start(self, number: int, config: Config, fidelity: float | None) -> None:
        """Hand the call to an idle process, or to a new one."""
        from autodl.search import objective_process

        worker = self._idle.pop() if self._idle else None
        if worker is not None and worker.poll() is not None:
            _end(worker)
            worker = None
        if worker is None:
            worker = subprocess.Popen(
                [sys.executable, "-m", objective_process.__name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # so that what the objective starts can be ended with it
            )
            objective_process.send(worker.stdin, (os.getpid(), list(sys.path), self._payload))
        self._busy[number] = worker
        objective_process.send(worker.stdin, (config, fidelity))
        threading.Thread(target=self._read, args=(number, worker), daemon=True).start()

    def _read(self, number: int, worker: subprocess.Popen[bytes]) -> None:
        from autodl.search import objective_process

        answer = objective_process.receive(worker.stdout)
        if not isinstance(answer, Answer):
            answer = Answer(error=f"the process of the objective ended with code {worker.wait()}")
        self._answers.put((number, answer))

    def wait(self, seconds: float | None) -> Done | None:
        """The next answer of a call that was not given up."""
        while True:
            try:
                number, answer = self._answers.get(timeout=seconds)
            except queue.Empty:
                return None
            worker = self._busy.pop(number, None)
            if worker is not None:
                if worker.poll() is None:
                    self._idle.append(worker)
                else:
                    _end(worker)
                return number, answer

    def give_up(self, number: int) -> None:
        """Kill its process."""
        if (worker := self._busy.pop(number, None)) is not None:
            _end(worker)

    def close(self) -> None:
        """End all processes."""
        for worker in [*self._idle, *self._busy.values()]:
            _end(worker)


def _end(worker: subprocess.Popen[bytes]) -> None:
    """End a process with what it has started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):  # nothing of it is left
            os.killpg(worker.pid, signal.SIGKILL)
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None:
            pipe.close()
