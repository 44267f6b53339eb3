"""The first training of a network in a process, which imports for seconds: done on a few rows, as a part of no fold.

Counted as the time of a fold, they ended trials on small tables before the first step and made the family look slow.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autodl.clock import Deadline
from autodl.models.base import Meta, families
from autodl.search.budget import Pace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autodl.records import TrialResult, TrialSpec
    from autodl.search.job import TrialData

ROWS = 100
LOAD_S = 4.0
"""Seconds that it takes on the reference machine."""

_lock = threading.Lock()
_loaded = threading.Event()
"""Of this process."""


@dataclass(frozen=True)
class Loading:
    """Weighs whether a trial will have to wait for the libraries of networks.

    Attributes:
        pace: How quick the machine is.
        workers: Processes that train; each loads them for itself.
        earlier: Trials of an earlier, interrupted run: what its processes had loaded is gone with them.
    """

    pace: Pace = field(default_factory=Pace)
    workers: int = 1
    earlier: int = 0

    def first(self, spec: TrialSpec) -> float:
        """Seconds until the first network of a process can be trained; 0 for families that are none."""
        return LOAD_S * self.pace.slowdown if families[spec.family].deep else 0.0

    def seconds(self, spec: TrialSpec, finished: Sequence[TrialResult]) -> float:
        """Seconds that it will probably wait; 0 once as many networks were trained as there are processes."""
        trained = sum(r.ok and families[r.spec.family].deep for r in finished[self.earlier :])
        return self.first(spec) if trained < self.workers else 0.0


def networks_loaded() -> bool:
    """Whether this process has trained a network."""
    return _loaded.is_set()


def load_networks(family: str, data: TrialData, deadline: Deadline) -> None:
    """Train the default of a deep family for an epoch on a few rows, unless this process has done so; others pass.

    Args:
        family: Its key.
        data: The problem.
        deadline: Of the trial.
    """
    if not families[family].deep or _loaded.is_set():
        return
    with _lock:
        # What goes wrong here goes wrong in the trial as well, which tells it.
        if not _loaded.is_set():
            with contextlib.suppress(Exception):
                _train(family, data, deadline)
            _loaded.set()


def _train(family: str, data: TrialData, deadline: Deadline) -> None:
    from autodl.preprocess import Preparer
    from autodl.records import Recipe

    made = families[family]()
    config = made.config.model_validate({"epochs": 1} if "epochs" in made.config.model_fields else {})
    y = data.y[:ROWS]
    recipe = data.recipes.get(family, Recipe())
    rows = Preparer(recipe, data.schema, data.task).fit_transform(data.frame.iloc[:ROWS], y)
    meta = Meta(data.task, data.n_classes, threads=data.threads, metric=data.metric, quantiles=data.quantiles)
    made.build(config, meta).fit(rows, y, rows, y, deadline=deadline)
