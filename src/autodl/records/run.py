"""The stable summary of a run, ``run.json``."""

from __future__ import annotations

from autodl.records.base import JsonScalar, Record, StageRecord
from autodl.records.front import Footprint, Limits
from autodl.records.more_time import MoreTime
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


class FrontRow(Record):
    """A model that no other beats in both validation loss and time for one row, or the delivered one."""

    name: str
    family: str
    kind: str
    """``trial`` or ``delivered``."""
    validation: float
    test: float | None
    row_ms: float
    """Milliseconds for one row alone."""
    size_bytes: int | None
    within_limits: bool


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
    front: tuple[FrontRow, ...] = ()
    """From quick to exact."""
    takes: Footprint | None = None
    """What the delivered model takes, as measured."""
    limits: Limits = Limits()
    within_limits: bool | None = None
    """Whether the delivered model keeps the limits; None if there are none."""
    findings: tuple[FindingRow, ...] = ()
    stages: tuple[StageTime, ...] = ()
    n_trials: int = 0
    n_failed: int = 0
    n_again: int = 0
    """Trials of known configurations on further splits of the rows into folds; not among ``n_trials``."""
    unfinished: tuple[str, ...] = ()
    """Names of configurations that were still being tried when the search ended; not among ``n_trials``."""
    more_time: MoreTime | None = None
    """What the later part of the search brought; None where too little was tried."""
    delivered: str = ""
    """What the folder ``model`` holds, in words."""
    versions: dict[str, str] = {}
    seed: int = 0
    command: str = ""
    resumed_with: tuple[str, ...] = ()
    """Commands that went on with it under another time budget, number of trials, workers or cluster."""
    options: dict[str, JsonScalar] = {}
    started: str = ""
    """UTC, ISO format."""
