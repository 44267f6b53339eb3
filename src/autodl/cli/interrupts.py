"""Ctrl-C and SIGTERM: the first asks the run to finish with what it has, the second ends it at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _noted(number: int, frame: FrameType | None) -> None:
    """Python's own handler does nothing: the watcher thread acts on the wake-up byte."""


class Interrupts:
    """Watches for signals while a run goes on; use as a context manager in the main thread.

    A Python handler only runs between two bytecodes of the main thread, which can be minutes away while a library
    trains in native code. The wake-up descriptor is written by the C handler itself, so a thread that reads it hears
    of the signal at once.

    Args:
        first: Called once on the first signal, in the watcher thread.
        second: Called on the second, just before the process ends with code 130; it must be quick.
    """

    def __init__(self, first: Callable[[], None], second: Callable[[], None]) -> None:
        self._first, self._second = first, second
        self._count = 0

    def __enter__(self) -> Interrupts:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._old_handlers = {s: signal.signal(s, _noted) for s in _SIGNALS}
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
                if number in _SIGNALS:
                    self._signalled()

    def _signalled(self) -> None:
        self._count += 1
        if self._count == 1:
            self._first()
        else:
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
