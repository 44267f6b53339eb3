"""The worker process: ``python -m autodl.search.runners.worker CONNECTION DATA CACHE_BYTES DRIVER``.

Messages to the driver are pairs: ("ready", None), ("step", text), ("done", TrialOutcome). Messages from the driver
are jobs; the end of the connection ends the worker.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autodl.search.trial import TrialData

OOM_SCORE = 800
"""Of 1,000: where memory runs out, the kernel ends a worker rather than the run."""
WARM_ROWS = 100


def main(arguments: list[str]) -> None:
    """Serve jobs until the driver closes the connection.

    Args:
        arguments: Descriptors of the connection and of the data, bytes of the cache, the driver's process number.
    """
    connection_fd, data_fd, cache_bytes, driver = (int(a) for a in arguments)
    die_with(driver)
    _offer_to_oom_killer()
    faulthandler.enable()
    connection = Connection(connection_fd)
    from autodl.models.base import families
    from autodl.search.prepared import PreparedFolds
    from autodl.search.runners.shared_data import read_shared
    from autodl.search.trial import Job, run_trial

    data = read_shared(data_fd)
    len(families)  # imports every family's module
    warm_up(data)
    cache = PreparedFolds(data, cache_bytes)

    def tell(step: str) -> None:
        connection.send(("step", step))

    try:
        connection.send(("ready", None))
        while True:
            job = connection.recv()
            assert isinstance(job, Job)
            outcome = run_trial(job, data, cache, tell)
            sys.stdout.flush()
            connection.send(("done", outcome))
    except (EOFError, ConnectionError):  # the driver needs no more trials
        return


def warm_up(data: TrialData) -> None:
    """Prepare a few rows by each recipe, so that no trial's time holds the import of the libraries for it."""
    from autodl.preprocess import Preparer
    from autodl.search.prepared import preparation_key

    data.make_known()
    for recipe in {preparation_key(r): r for r in data.recipes.values()}.values():
        # What a few rows cannot show (a class, a category) is no fault here; a trial on all rows will tell.
        with contextlib.suppress(Exception):
            Preparer(recipe, data.schema, data.task).fit_transform(data.frame.iloc[:WARM_ROWS], data.y[:WARM_ROWS])


def _offer_to_oom_killer() -> None:
    with contextlib.suppress(OSError):  # another system, or one that lets nobody choose
        Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


def die_with(driver: int) -> None:
    """End when the driver ends, however it ends: also in the middle of native code that never looks up."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1  # prctl(2); the thread that started this process lives as long as its runner
        ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(driver,), daemon=True, name="driver-watch").start()
    if os.getppid() != driver:  # it had ended before this process could ask
        os._exit(1)


def _watch(driver: int) -> None:
    while os.getppid() == driver:
        time.sleep(1.0)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)
