"""One worker process as the driver sees it: start it, talk to it, end it, say why it ended."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import tempfile
import time
from typing import IO, Any

from autodl.machine import oom_kills, private_bytes
from autodl.search.runners.child import last_words, start_child
from autodl.search.runners.reasons import Death, death, no_memory
from autodl.search.runners.worker_log import MOST_BYTES

END_S = 5.0
"""Seconds to wait for the system to end a killed process; one that waits for a disk can take longer."""


class WorkerProcess:
    """A worker, from its start to its end.

    Args:
        data: File of ``write_shared``.
        cache_bytes: Prepared features that it may keep.

    Attributes:
        pid: Its process number, which is also its process group.
        ready: Whether it has imported everything.
        step: What its trial was doing last; empty if it has not begun.
        base: Bytes that it held alone before its trial.
        peak: Most bytes seen in it since.
        excess: Set by the watch: the bytes it had taken and those allowed when it was ended.
    """

    def __init__(self, data: IO[bytes], cache_bytes: int) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # until ``close``
        self._process, self.connection = start_child(
            "autodl.search.runners.worker", (data.fileno(), cache_bytes), (data.fileno(),), self._errors
        )
        self._heard = 0
        self.pid = self._process.pid
        self.ready, self.step = False, ""
        self.base = self.peak = 0.0
        self.excess: tuple[float, float] | None = None
        self._oom_before = oom_kills()

    def begin(self, job: Any) -> bool:
        """Send a job; False if the worker has ended."""
        self.step = ""
        self.base = self.peak = float(private_bytes(self.pid))
        self._oom_before = oom_kills()
        try:
            self.connection.send(job)
        except OSError:
            return False
        return True

    def added(self) -> int:
        """Most bytes that its trial has added; 0 if it has not begun one."""
        return max(0, int(self.peak - self.base)) if self.base else 0

    def messages(self) -> list[tuple[str, Any]]:
        """What it has sent; ("ended", None) last if it has ended. Does not wait."""
        found: list[tuple[str, Any]] = []
        try:
            while self.connection.poll():
                kind, content = self.connection.recv()
                if kind == "ready":
                    self.ready = True
                elif kind == "step":
                    self.step = content
                else:
                    found.append((kind, content))
        except (EOFError, OSError):
            found.append(("ended", None))
        return found

    def kill(self) -> None:
        """End it at once, with the processes that it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def death(self) -> Death:
        """Why it ended; call after ("ended", None)."""
        code = self._wait()
        if self.excess is not None:
            return no_memory(*self.excess)
        after = oom_kills()
        told = None if after is None or self._oom_before is None else after > self._oom_before
        if words := self.last_words():
            logging.getLogger("autodl").warning("a worker process ended (exit code %s): %s", code, words)
        return death(code, self.peak, told)

    def said(self) -> str:
        """What it has printed since this was asked last."""
        number = self._errors.fileno()  # not ``seek``: the place in the file is also that where it writes
        text = os.pread(number, MOST_BYTES, self._heard).decode(errors="replace")
        self._heard = os.fstat(number).st_size
        return text

    def last_words(self) -> str:
        """The last lines that it printed."""
        return last_words(self._errors)

    def _wait(self) -> int | None:
        """Its exit code; None if the system does not let it go."""
        self.kill()  # what it started, or itself if it only closed the connection
        until = time.monotonic() + END_S
        while (code := self._process.poll()) is None and time.monotonic() < until:
            time.sleep(0.01)
        return code

    def close(self) -> None:
        """End it and free everything."""
        self.kill()
        self._wait()
        self.connection.close()
        self._errors.close()
