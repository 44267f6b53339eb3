"""What lives in an actor: the data or the objective, kept between calls."""

from __future__ import annotations

import math
import os
import pickle
import sys
from collections.abc import Callable
from typing import Any

from autodl.machine import available_memory
from autodl.search.runners.ray_setup import Kind
from autodl.search.runners.shared_data import join_parts
from autodl.search.runners.worker_log import captured

Serve = Callable[[Any, float], Any]
"""(request, seconds left for it) -> answer."""


class RayWorker:
    """The actor; it does one thing at a time."""

    def place(self) -> tuple[str, int]:
        """The node that it lives on and the bytes free there; answers as soon as there is room for the worker."""
        import ray

        return ray.get_runtime_context().get_node_id(), available_memory()

    def warm(self, kind: Kind, workers: int, paths: list[str], parts: list[Any], threads: int) -> int:
        """Load the data and everything that calls will import; answers with the process number.

        Args:
            kind: What it will do.
            workers: How many share the memory of this machine.
            paths: Where the driver finds modules.
            parts: Of the data or the objective.
            threads: Of a trial at most.
        """
        sys.path.extend(p for p in paths if p not in sys.path)
        self._serve: Serve = (_trials if kind == "trials" else _calls)(join_parts(parts), workers, threads)
        return os.getpid()

    def run(self, request: bytes, seconds: float) -> tuple[bytes, str]:
        """Carry out a call: its answer, and what it printed."""
        with captured() as said:
            answer = pickle.dumps(self._serve(pickle.loads(request), seconds), protocol=5)
            return answer, said()


def _trials(data: Any, workers: int, threads: int) -> Serve:
    from dataclasses import replace

    from autodl.models.base import families
    from autodl.search.prepared import PreparedFolds, cache_limit
    from autodl.search.runners.worker import warm_up
    from autodl.search.trial import run_trial

    len(families)  # imports every family's module
    data = replace(data, threads=min(data.threads, threads))
    warm_up(data)
    cache = PreparedFolds(data, cache_limit(available_memory() / max(1, workers)))

    def serve(job: Any, seconds: float) -> Any:
        return run_trial(job if math.isinf(seconds) else replace(job, seconds=seconds), data, cache)

    return serve


def _calls(objective: Any, workers: int, threads: int) -> Serve:
    from autodl.search.calling import call

    def serve(request: Any, seconds: float) -> Any:
        return call(objective, *request)

    return serve
