"""Calls on Ray as the driver sees them: hand them over, hear what became of them, outlive Ray itself."""

from __future__ import annotations

import contextlib
import logging
import math
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import IO, Any

from autodl.errors import ConfigError
from autodl.search.runners.base import MAX_RETRIES, grace
from autodl.search.runners.child import Child, last_words, start_child
from autodl.search.runners.ray_address import check_address
from autodl.search.runners.ray_setup import Broken, Call, Ended, Message, Note, RaySetup, Seats, Step
from autodl.search.runners.shared_data import write_shared
from autodl.search.runners.worker_log import Told

JOIN_S = 60.0
"""Seconds to join a cluster that answers on its port; ``ray://`` starts a process for each who joins."""
START_S = 60.0
"""Seconds to start Ray here, and to wait for a first worker."""
SILENT_S = 10.0
"""A call that should have ended so long ago, grace included, shows that the process that speaks with Ray hangs."""
MAX_RESTARTS = 2
CLOSE_S = 4.0
"""Seconds to wait for an orderly end, which goes on by itself if it takes longer."""
_ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


class RayLostError(RuntimeError):
    """There is no Ray any more, and none comes back."""


@dataclass
class _Pending:
    call: Call
    since: float
    restarts: int = 0


class RayCrew:
    """Workers on a cluster; the constructor returns once the cluster is joined.

    Args:
        setup: The cluster and its workers.
        thing: What every worker holds.
        dumps: Pickles it.
        closing: When set, nobody waits any longer.
        start_s: Seconds to start Ray on this machine, or to join a cluster.
        tell: Is told what the user should know of the cluster.

    Attributes:
        seats: Workers that are up, busy or not.
        waiting: Whether a call waits for one of them or for memory.

    Raises:
        ConfigError: The cluster cannot be joined.
        RuntimeError: Ray does not start on this machine.
    """

    def __init__(
        self,
        setup: RaySetup,
        thing: Any,
        *,
        dumps: Callable[..., bytes] = pickle.dumps,
        closing: threading.Event | None = None,
        start_s: float = START_S,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        if setup.address is None:
            setup = replace(setup, address=_of_this_process())
        else:
            check_address(setup.address)
        self._setup, self._closing, self._start_s = setup, closing or threading.Event(), start_s
        self._tell = tell or (lambda text: None)
        self._told = Told()
        self._pending: dict[int, _Pending] = {}
        self._restarts = 0
        self._gone: RayLostError | None = None
        self._file = write_shared(thing, dumps)
        # Of a local store; that of a cluster is as it is.
        self._setup = replace(setup, store_bytes=setup.store_bytes + self._file.tell())
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # until ``close``
        self.seats, self.waiting = 0, False
        self._broken: Broken | None = None
        self._joined = False
        self._step = ""
        self._process, self._connection = self._spawn()
        try:
            self._join()
        except BaseException:
            self.close()
            raise

    def _spawn(self) -> tuple[Child, Connection[Any, Any]]:
        data = self._file.fileno()
        process, connection = start_child(
            "autodl.search.runners.ray_process", (data,), (data,), self._errors, _ENVIRONMENT
        )
        self._joined, self._broken, self._born = False, None, time.monotonic()
        with contextlib.suppress(OSError):  # it has ended: found out where its answer is awaited
            connection.send((self._setup, [p for p in sys.path if p]))
        return process, connection

    def _join(self) -> None:
        foreign = self._setup.address is not None
        until = time.monotonic() + (min(JOIN_S, self._start_s) if foreign else self._start_s)
        while not self._joined and not self._broken and time.monotonic() < until and not self._closing.is_set():
            if not self._read(0.2):
                break
        if self._joined:
            return
        why = self._broken or Broken(self._last_line() or f"no answer in time while {self._step or 'it began'}")
        if not foreign:
            raise RuntimeError(f"Ray did not come up: {why.reason}")
        if why.remedy:
            raise ConfigError(why.reason, why.remedy)
        raise ConfigError(
            f"cannot reach a Ray cluster at '{self._setup.address}': {why.reason}",
            "Check that `ray status` works there and that its Ray and Python have the versions of this machine's, "
            "or leave out --address to run on this machine.",
        )

    def await_worker(self, seconds: float, closing: threading.Event | None = None) -> None:
        """Wait for the first worker.

        Args:
            seconds: At most so long.
            closing: When set, nobody waits any longer.

        Raises:
            ConfigError: If none comes up: the cluster has no room, or cannot run autodl.
        """
        until, given_up = time.monotonic() + seconds, closing or self._closing
        while self.seats == 0 and time.monotonic() < until and not given_up.is_set():
            if not self._read(0.2) or self._broken:
                break
        if self.seats > 0:
            return
        if self._broken:
            raise ConfigError(self._broken.reason, self._broken.remedy)
        trials = self._setup.kind == "trials"
        fewer = "ask for more --workers, each of fewer cores" if trials else "ask for fewer `cpus` for each call"
        raise ConfigError(
            f"no worker came up on Ray within {seconds:.0f} s",
            f"See in `ray status` whether other work takes all cores, or {fewer}.",
        )

    def start(self, number: int, request: Any, seconds: float = math.inf, bytes_: float = 0.0) -> None:
        """Hand over a call; it waits where no worker is free."""
        call = Call(number, pickle.dumps(request, protocol=5), seconds, bytes_)
        self._pending[number] = _Pending(call, time.monotonic())
        self._post("start", call)

    def kill(self, number: int) -> None:
        """End a call; nothing more is heard of it."""
        if self._pending.pop(number, None) is not None:
            self._post("kill", number)

    def _post(self, what: str, content: Any) -> None:
        with contextlib.suppress(OSError):  # found out by the next ``_read``, which starts it again
            self._connection.send((what, content))

    def ended(self, timeout: float) -> list[tuple[Ended, Any]]:
        """What has ended, with the answers; waits for the first at most so many seconds.

        Raises:
            RayLostError: Ray is gone for good, with what had not ended.
        """
        if self._gone is not None:
            raise self._gone
        until = time.monotonic() + timeout
        found: list[tuple[Ended, Any]] = []
        while True:
            try:
                self._collect(max(0.0, min(0.5, until - time.monotonic())), found)
            except RayLostError as error:
                self._gone = error
                if not found:
                    raise
            if found or time.monotonic() >= until:
                return found

    def _collect(self, seconds: float, found: list[tuple[Ended, Any]]) -> None:
        alive = self._read(seconds, found)
        now = time.monotonic()
        ends = (p.since + p.call.seconds + grace(p.call.seconds, None) for p in self._pending.values())
        hangs = any(now > end + SILENT_S for end in ends)
        slow = not self._joined and now > self._born + (JOIN_S if self._setup.address else START_S)
        if not alive or hangs or slow or self._broken:
            self._renew(found)

    def _read(self, seconds: float, found: list[tuple[Ended, Any]] | None = None) -> bool:
        """Take in messages; False if the process has ended."""
        if not wait_for([self._connection], seconds):
            return True
        try:
            while self._connection.poll():
                self._hear(self._connection.recv(), found)
        except (EOFError, OSError):
            self.seats = 0
            return False
        return True

    def _hear(self, message: Message, found: list[tuple[Ended, Any]] | None) -> None:
        if isinstance(message, Seats):
            self.seats, self.waiting = message.up, message.waiting
        elif isinstance(message, Step):
            self._joined, self._step = message.joined, message.text
        elif isinstance(message, Broken):
            self._broken = message
        elif isinstance(message, Note):
            self._tell(message.text)
        elif self._pending.pop(message.number, None) is not None and found is not None:
            self._told.tell(message.said)
            found.append((message, None if message.answer is None else pickle.loads(message.answer)))

    def _renew(self, found: list[tuple[Ended, Any]]) -> None:
        """Ray is gone: start or join it once more, with the calls that had not ended."""
        why, was_up = self._broken.reason if self._broken else "its servers ended", self._joined
        if words := last_words(self._errors):
            logging.getLogger("autodl").warning("the process that speaks with Ray ended: %s", words)
        self._end_process()
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise RayLostError(why)
        self._tell(f"Ray is gone ({why}); trying to get it back.")
        now = time.monotonic()
        self._process, self._connection = self._spawn()
        for number, pending in list(self._pending.items()):
            pending.restarts += was_up
            left = pending.call.seconds - (now - pending.since)
            if pending.restarts > MAX_RETRIES or left <= 0:
                del self._pending[number]
                late = left <= 0
                lost = Ended(number, late=late, lost=True, reason=f"lost Ray: {why}", seconds=now - pending.since)
                found.append((lost, None))
                continue
            self._post("start", replace(pending.call, seconds=left))

    def _last_line(self) -> str:
        lines = [line.strip() for line in last_words(self._errors).splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""

    def _end_process(self) -> None:
        self.seats = 0
        self._connection.close()
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)

    def close(self) -> None:
        """Kill the workers; shut Ray down if it was started here."""
        self.seats = 0
        self._pending = {}
        self._connection.close()
        if not self._joined:  # it may hang in the middle of joining, and hears nothing meanwhile
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
        self._file.close()
        self._errors.close()


def _of_this_process() -> str | None:
    """The cluster that this process has already joined by itself, if it has."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return None
    return str(ray.get_runtime_context().gcs_address)
