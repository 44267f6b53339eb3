"""The stable summary of a run, ``run.json``."""

from __future__ import annotations

from autodl.records.base import JsonScalar, Record, StageRecord
from autodl.records.task import Task


class BudgetUse(Record):
    """Seconds given and used, counted from the start of the command."""

    given_s: float | None
    used_s: float
    first_model_s: float | None = None
    """When the first model better than a dummy guess could be had was scored."""


class TestScore(Record):
    """A test metric with its interval."""

    value: float
    low: float
    high: float
    n: int


class LeaderboardRow(Record):
    """One model."""

    name: str
    family: str
    validation: float | None
    test: float | None
    fit_s: float
    predict_ms_per_row: float


class FindingRow(Record):
    """One data finding."""

    code: str
    severity: str
    column: str | None
    message: str


class StageTime(Record):
    """Seconds spent in one stage."""

    name: str
    seconds: float


class RunRecord(StageRecord):
    """What other programs may rely on."""

    status: str
    """running, interrupted, failed or done."""
    error: str | None = None
    """Why it failed, in a sentence or two."""
    task: Task
    target: str
    metric: str
    classes: tuple[str, ...] = ()
    budget: BudgetUse
    test: dict[str, TestScore] = {}
    leaderboard: tuple[LeaderboardRow, ...] = ()
    findings: tuple[FindingRow, ...] = ()
    stages: tuple[StageTime, ...] = ()
    n_trials: int = 0
    n_failed: int = 0
    delivered: str = ""
    """What the folder ``model`` holds, in words."""
    versions: dict[str, str] = {}
    seed: int = 0
    command: str = ""
    options: dict[str, JsonScalar] = {}
    started: str = ""
    """UTC, ISO format."""
