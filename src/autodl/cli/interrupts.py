"""Ctrl-C, SIGTERM and SIGHUP: the first asks a run to finish with what it has, a second one ends it at once.

A SIGHUP is never the second one: a terminal that closes may send several.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

_HANGUP = getattr(signal, "SIGHUP", None)
_SIGNALS = (signal.SIGINT, signal.SIGTERM) if _HANGUP is None else (signal.SIGINT, signal.SIGTERM, _HANGUP)


def _noted(number: int, frame: FrameType | None) -> None:
    """Python's own handler does nothing: the watcher thread acts on the wake-up byte."""


class Interrupts:
    """Watches for signals while a run goes on; use as a context manager in the main thread.

    A Python handler only runs between two bytecodes of the main thread, which can be minutes away while a library
    trains in native code. The wake-up descriptor is written by the C handler itself, so a thread that reads it hears
    of the signal at once.

    Args:
        first: Called once on the first signal, in the watcher thread; says whether the run will end by itself. If
            not, the process ends at once.
        second: Called just before the process ends at once with code 130; it must be quick.
        hangup: Called first if the terminal is gone, where writing would fail from then on.
    """

    def __init__(self, first: Callable[[], bool], second: Callable[[], None], hangup: Callable[[], None]) -> None:
        self._first, self._second, self._hangup = first, second, hangup
        self._count = 0

    def __enter__(self) -> Interrupts:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        # A hang-up is ignored under ``nohup``, and must stay so.
        kept = [s for s in _SIGNALS if s != _HANGUP or signal.getsignal(s) is not signal.SIG_IGN]
        self._old_handlers = {s: signal.signal(s, _noted) for s in kept}
        self._old_wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._thread = threading.Thread(target=self._watch, name="autodl-signals", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._old_wakeup)
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._writer.close()
        self._thread.join()
        self._reader.close()

    def _watch(self) -> None:
        while received := self._reader.recv(64):
            for number in received:
                if number in self._old_handlers:
                    self._signalled(number)

    def _signalled(self, number: int) -> None:
        if number == _HANGUP:
            self._hangup()
            if self._count:
                return  # a closed terminal may tell so several times, and none of them is the user who insists
        self._count += 1
        if self._count == 1 and self._first():
            return
        try:
            self._second()
        finally:
            _end_children()
            os._exit(130)


def _end_children() -> None:
    """Kill the processes that this one started: they would outlive it, since exit handlers do not run."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.NoSuchProcess:
            continue
