"""Ends a worker that takes more memory than there is, before the kernel must choose a victim."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from autodl.machine import available_memory, private_bytes
from autodl.search.runners.worker_process import WorkerProcess

LOOK_S = 0.05
"""Seconds between two looks: a process fills about a hundred megabytes meanwhile."""
LAST_BYTES = 1.5e8
"""Below this much free memory on the machine the largest worker is ended, whoever took it."""


class MemoryWatch:
    """A thread that looks at the memory that each worker holds alone; the mapped table is shared by all.

    Args:
        workers: Gives the processes to watch now.
        allowed: Bytes that each may hold.
    """

    def __init__(self, workers: Callable[[], Sequence[WorkerProcess]], allowed: float) -> None:
        self._workers, self._allowed = workers, allowed
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="memory-watch")
        self._thread.start()

    def _run(self) -> None:
        while not self._closed.wait(LOOK_S):
            self.look()

    def look(self) -> None:
        """Measure each worker once, and end those that hold too much."""
        taken = [(float(private_bytes(w.pid)), w) for w in self._workers()]
        for held, worker in taken:
            worker.peak = max(worker.peak, held)
        held, largest = max(taken, key=lambda t: t[0], default=(0.0, None))
        if largest is None or largest.excess is not None:
            return
        if held > self._allowed:
            limit = self._allowed
        elif held > LAST_BYTES and (free := available_memory()) < LAST_BYTES:
            limit = held + free
        else:
            return
        largest.excess = (held, limit)
        largest.kill()

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()
        self._thread.join(timeout=1.0)
