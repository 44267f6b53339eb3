"""How many threads linear algebra gets while models train."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

SHARE = 4
"""One thread for so many of the trial's: what models multiply is small, and threads that wait for each other at every
product made a linear model on a busy machine of two cores twenty times slower."""


@contextmanager
def blas_threads(threads: int) -> Iterator[None]:
    """Limit the threads of BLAS in this process meanwhile.

    Args:
        threads: That the training may use in all.
    """
    import scipy.linalg  # noqa: F401  # brings its own library, which must be there to be limited
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=max(1, threads // SHARE), user_api="blas"):
        yield
