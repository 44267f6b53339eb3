"""A Ray cluster on this machine, kept by a process of its own.

Ray starts its servers by ``fork`` with a hook. In a process that trains in threads this can deadlock for ever (a
BLAS library waits in its fork handler for a thread that waits for the fork). So a helper process starts them; it is
itself started without ``fork`` handlers, and ends with its standard input, that is, with this process at the latest.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import threading
import time
from typing import IO

READY = "cluster at "
CLOSE_S = 4.0
"""Seconds to wait for the helper to end."""
_CODE = "from autodl.search.runners.ray import hold_cluster; hold_cluster({cpus}, {store})"


class LocalCluster:
    """Starts the helper and waits until the cluster can be joined.

    Args:
        cpus: Cores that Ray may hand out.
        store_bytes: Size of the object store.
        timeout: Seconds to wait.
        closing: When set, nobody waits any longer.

    Attributes:
        address: ``HOST:PORT`` to join.

    Raises:
        RuntimeError: If it does not come up; with the last line that Ray printed.
    """

    def __init__(self, cpus: int, store_bytes: int, timeout: float, closing: threading.Event | None = None) -> None:
        environment = {
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            "OMP_WAIT_POLICY": "PASSIVE",
            **os.environ,
            # Actors must find the same modules as this process, also those beside a script.
            "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CODE.format(cpus=cpus, store=store_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C is for the run, which then ends the helper itself
        )
        assert self._process.stdout is not None
        self.address = self._await(self._process.stdout, time.monotonic() + timeout, closing or threading.Event())

    def _await(self, output: IO[bytes], until: float, closing: threading.Event) -> str:
        last = b""
        pending = b""
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0 and not closing.is_set():
                if not selector.select(min(left, 0.2)):
                    continue
                chunk = os.read(output.fileno(), 65536)
                if not chunk:
                    break
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    if line.startswith(READY.encode()):
                        return line.decode().removeprefix(READY).strip()
                    last = line.strip() or last
        self.close()
        raise RuntimeError(f"Ray did not come up: {last.decode(errors='replace')[:300] or 'no answer in time'}")

    def close(self) -> None:
        """Let the helper shut the cluster down; it goes on doing so by itself if it takes longer than we wait."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSE_S)
