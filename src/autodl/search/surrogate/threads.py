"""Linear algebra of small matrices on one thread."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Within it BLAS uses one thread: for a few hundred rows more of them only wait for each other.

    On a busy machine the waiting costs ten times the work itself.
    """
    return _controller().limit(limits=1)  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _controller() -> Any:
    """Finding the libraries takes milliseconds, so it is done once; NumPy and SciPy must be loaded by then."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
