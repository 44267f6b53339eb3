"""How many threads linear algebra gets while models train."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from threadpoolctl import threadpool_limits

SHARE = 4
"""One thread for so many of the trial's: what models multiply is small, and threads that wait for each other at every
product made a linear model on a busy machine of two cores twenty times slower."""


class _Limiter:
    """One limit for all threads of a process: whoever comes first sets it, whoever leaves last lifts it.

    Limits of overlapping trainings of their own would each put back what they found, which may be another's limit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._limits: threadpool_limits | None = None

    def enter(self, threads: int) -> None:
        """Count one more; the first sets the limit."""
        import scipy.linalg  # noqa: F401  # brings its own library, which must be there to be limited
        from threadpoolctl import threadpool_limits

        with self._lock:
            if self._users == 0:
                self._limits = threadpool_limits(limits=threads, user_api="blas")
            self._users += 1

    def leave(self) -> None:
        """Count one less; the last lifts the limit."""
        with self._lock:
            self._users -= 1
            if self._users == 0 and self._limits is not None:
                self._limits.restore_original_limits()
                self._limits = None


_limiter = _Limiter()
"""Of this process."""


@contextmanager
def blas_threads(threads: int) -> Iterator[None]:
    """Limit the threads of BLAS in this process meanwhile; where trainings overlap, the limit of the first holds.

    Args:
        threads: That the training may use in all.
    """
    limiter = _limiter
    limiter.enter(max(1, threads // SHARE))
    try:
        yield
    finally:
        limiter.leave()
