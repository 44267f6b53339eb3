"""Everything a user may ask of ``fit`` and ``plan``, checked before any work starts."""

from __future__ import annotations

from typing import Literal

from autodl.records import Record, Task


class FitOptions(Record):
    """Options of one run; the command line and the Python API both build it.

    ``None`` means "find out" or "no limit".
    """

    target: str | None = None
    task: Task | None = None
    time_budget_s: float | None = 300.0
    max_trials: int | None = None
    """Trial-count budget; with it and no explicit time budget the run does not look at the clock."""
    metric: str | None = None
    test: str | None = None
    """Path of a test file; instead of ``test_size``."""
    test_size: float | None = None
    group_column: str | None = None
    time_column: str | None = None
    families: tuple[str, ...] = ()
    """Only these; empty means the planner chooses."""
    drop: tuple[str, ...] = ()
    seed: int = 0
    workers: int | None = None
    address: str | None = None
    preset: Literal["fast", "balanced", "best"] = "balanced"
    strategy: str = "tpe"
