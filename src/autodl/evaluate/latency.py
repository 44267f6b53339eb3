"""How long a model takes for one row, and for many at once.

One row at a time is what a service does: its time is mostly the calls of libraries, not arithmetic, so it says little
about many rows and the other way round. Of each call the smaller of clock and processor time counts: what other
programs take from it meanwhile is not the model's (on one thread the two are the same on an idle machine).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

Predict = Callable[["pd.DataFrame"], object]
REPEATS = 9
LONG_S = 0.1
"""A hundred rows that take longer stand for a thousand."""
ENOUGH = 3
"""Repetitions that are made even if they take longer than they should."""
SLOW_S = 0.3
"""A row that takes longer is asked once more only: a call's own noise is little then."""


def row_seconds(predict: Predict, frame: pd.DataFrame, *, most_s: float = 0.05) -> float:
    """Median seconds to predict one row alone, on one thread.

    The first call is not counted: it loads and compiles what later ones find ready.

    Args:
        predict: Predicts a frame.
        frame: (n,) rows to take in turn, n >= 1.
        most_s: No more repetitions after so many seconds, once there are three, or two of slow ones.
    """
    predict(frame.iloc[:1])  # before threads are limited: that works for libraries that are loaded
    with one_thread():
        spent: list[float] = []
        while len(spent) < REPEATS and (len(spent) < _enough(spent) or sum(spent) < most_s):
            i = (len(spent) + 1) % len(frame)
            row = frame.iloc[i : i + 1]
            spent.append(call_seconds(predict, row))
    return statistics.median(spent)


def _enough(spent: Sequence[float]) -> int:
    """Calls that are made whatever they take."""
    return 2 if spent and min(spent) > SLOW_S else ENOUGH


def batch_milliseconds(predict: Predict, frame: pd.DataFrame, first: int = 100) -> float:
    """Milliseconds to predict a thousand rows at once, on one thread; shorter tables are repeated.

    Of a model that takes long, a hundred rows are asked, and ten times their time is given.

    Args:
        predict: Predicts a frame.
        frame: (n,) rows, n >= 1.
        first: Fewer than a hundred for a model that takes very long.
    """
    import numpy as np

    def asked(n: int) -> float:
        return call_seconds(predict, frame.iloc[np.arange(n) % len(frame)].reset_index(drop=True))

    with one_thread():
        few = asked(first)
        return 1000.0 * (asked(1_000) if few < LONG_S * first / 100 else 1_000 / first * few)


def call_seconds(predict: Predict, frame: pd.DataFrame) -> float:
    """Of one call: the smaller of clock and processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    predict(frame)
    return min(time.perf_counter() - clock, time.process_time() - processor)


class one_thread:  # noqa: N801 - used like a function
    """Numerical libraries use a single thread inside this context."""

    def __enter__(self) -> None:
        """Note how many threads torch has, if it is loaded, and limit all."""
        import sys

        from threadpoolctl import threadpool_limits

        self._limits = threadpool_limits(limits=1)
        self._torch = sys.modules.get("torch")
        if self._torch is not None:
            self._threads = self._torch.get_num_threads()
            self._torch.set_num_threads(1)

    def __exit__(self, *error: object) -> None:
        """Give the threads back."""
        if self._torch is not None:
            self._torch.set_num_threads(self._threads)
        self._limits.restore_original_limits()
