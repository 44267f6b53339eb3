"""The first training of a network in a process, which imports for seconds: done on a few rows, as a part of no fold.

Counted as the time of a fold, they ended trials on small tables before the first step and made the family look slow.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from autodl.clock import Deadline
from autodl.models.base import Meta, families

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autodl.records import TrialResult, TrialSpec
    from autodl.search.budget import Pace
    from autodl.search.job import TrialData

ROWS = 100
LOAD_S = 4.0
"""Seconds that it takes on the reference machine."""

_lock = threading.Lock()
_loaded = threading.Event()
"""Of this process."""


def loading_seconds(spec: TrialSpec, finished: Sequence[TrialResult], pace: Pace) -> float:
    """Seconds until a first network can be trained in the process that gets it; 0 once one was trained."""
    if not families[spec.family].deep or any(r.ok and families[r.spec.family].deep for r in finished):
        return 0.0
    return LOAD_S * pace.slowdown


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
