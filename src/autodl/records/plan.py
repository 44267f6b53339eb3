"""What will be done and why."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from autodl.records.base import JsonScalar, Record, StageRecord
from autodl.records.recipe import Recipe
from autodl.records.task import Modality, Task


class Decision(Record):
    """One choice with its reason; the report prints them as they are."""

    topic: str
    """E.g. "Metric", "Validation", "Missing values"."""
    choice: str
    why: str
    evidence: dict[str, JsonScalar] = {}


class Validation(Record):
    """How rows are set apart: test rows first, then folds of the rest."""

    kind: Literal["stratified", "random", "group", "time"]
    n_folds: int
    """1 means a single hold-out split."""
    holdout: float = 0.2
    """Share of the search rows held out when ``n_folds`` is 1."""
    repeats: int = Field(1, ge=1)
    """Splits into folds on which a leading configuration is tried at most; each draws the folds anew."""
    test_size: float
    """Share of all rows kept for the one final test; 0 when a test file is given."""
    group_column: str | None = None
    time_column: str | None = None

    @property
    def expanding(self) -> bool:
        """Whether folds are windows of time, each trained on all before it: on half of the rows in the mean."""
        return self.kind == "time" and self.n_folds > 1


class FamilyPlan(Record):
    """One candidate family."""

    key: str
    name: str
    why: str
    est_seconds: float
    """Estimated time of one trial (all folds) with its default configuration."""
    est_bytes: float
    recipe: Recipe
    """The recipe its trials start from."""
    objectives: tuple[str, ...] = ()
    """Losses beside ``auto`` that the target allows for its parameter ``objective``, where it has one."""
    lead: bool = False
    """Whether it is expected to be the best on these data: it is tried in full first, even where that takes long."""
    space: dict[str, Any] | None = None
    """The user's own search space as in its file, conditions and nested choices laid out; None: the shipped one."""
    encoder: str = ""
    """Key of the pretrained network that it trains further, where it does so."""
    defaults: dict[str, JsonScalar] = {}
    """Values of its parameters that the data call for; with a space of the user's own there are none."""


class Skipped(Record):
    """Something left out, and why."""

    what: str
    why: str


class Plan(StageRecord):
    """The whole plan; everything the search needs to know besides the rows."""

    task: Task
    modality: Modality = Modality.TABLE
    target: str
    classes: tuple[str, ...] = ()
    metric: str
    quantiles: tuple[float, ...] = ()
    """Levels that are predicted, ascending; empty where one number is."""
    features: tuple[str, ...]
    validation: Validation
    families: tuple[FamilyPlan, ...]
    """In the order in which they are tried first."""
    skipped: tuple[Skipped, ...] = ()
    decisions: tuple[Decision, ...] = ()
    runner: Literal["inline", "process", "ray"] = "inline"
    """Where trials run: in the process of the run, in processes of their own, or on Ray."""
    workers: int = 1
    threads: int = 1
    """Threads of one trial."""
    strategy: str = "tpe"
    """Key of what proposes configurations after the planned starts."""
    scheduler: str = "extrapolate"
    """Key of what ends hopeless trials early."""
    nas: str = "joint"
    """How architectures are searched: ``joint``, ``none``, ``supernet``, or the key of a strategy of their own."""
    weight_column: str | None = None
    """How much each row counts; None where all count alike."""
    scout: float | None = Field(None, gt=0, lt=1)
    """Share of the training rows that first passes get; None where every trial gets all of them."""
    seed: int = 0
