"""A family whose training sleeps, and the loop of a fit over it; workers import it, so it is a module of its own."""

from __future__ import annotations

import math
import time
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from autodl.clock import NEVER, Deadline
from autodl.events import silent
from autodl.features import Features
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape, families
from autodl.records import ColumnInfo, ColumnKind, FamilyPlan, Recipe, TableSchema, Task
from autodl.search.allocation import Allocation
from autodl.search.budget import Budget
from autodl.search.costs import CostModel
from autodl.search.job import TrialData
from autodl.search.loop import SearchLoop
from autodl.search.space import parse_space
from autodl.search.strategies.base import strategies

KEY = "sleeping"


class SleepingConfig(FamilyConfig):
    x: float = 0.0
    y: float = 0.0
    seconds: float = 1.0


class Sleeper(Estimator):
    def __init__(self, config: SleepingConfig) -> None:
        super().__init__()
        self.config = config

    def fit(
        self, X: Features, y: Any, X_val: Features | None = None, y_val: Any = None, *, sample_weight: Any = None,
        deadline: Deadline = NEVER,
    ) -> None:  # fmt: skip
        time.sleep(self.config.seconds)

    def predict(self, X: Features) -> Any:
        return np.full(len(X), self.config.x)


class Sleeping(Family):
    key: ClassVar[str] = KEY
    name: ClassVar[str] = "Sleeping"
    summary: ClassVar[str] = "Sleeps."
    paper: ClassVar[str] = "none"
    tasks: ClassVar[Any] = frozenset({Task.REGRESSION})
    recipe: ClassVar[Any] = Recipe()
    config: ClassVar[Any] = SleepingConfig

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        assert isinstance(config, SleepingConfig)
        return CostEstimate(config.seconds, 1e6)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        assert isinstance(config, SleepingConfig)
        return Sleeper(config)


def sleeping_data() -> TrialData:
    """Sixty rows, one fold, so that one training is one trial."""
    families._entries[KEY] = Sleeping
    frame = pd.DataFrame({"a": np.linspace(-1, 1, 60)})
    column = ColumnInfo(name="a", kind=ColumnKind.NUMERIC, n=60, n_missing=0, n_unique=60)
    return TrialData(
        frame=frame, y=np.zeros(60), test_frame=frame.iloc[:5], folds=((np.arange(40), np.arange(40, 60)),),
        schema=TableSchema(columns=(column,)), task=Task.REGRESSION, n_classes=0, metric="rmse",
        recipes={KEY: Recipe()},
    )  # fmt: skip


def loop_of_sleepers(seconds: float, trials: int, strategy: str) -> SearchLoop:
    """What a fit does between its trials, without the disk."""
    space = parse_space({
        "x": {"type": "float", "low": -5, "high": 5}, "y": {"type": "float", "low": 0, "high": 1},
        "seconds": {"type": "choice", "values": [seconds]},
    })  # fmt: skip
    plan = FamilyPlan(key=KEY, name="Sleeping", why="", est_seconds=seconds, est_bytes=1e6, recipe=Recipe())
    data = sleeping_data()
    shape = Shape(rows=40, numeric=1)
    return SearchLoop(
        allocation=Allocation((plan,), {KEY: space}, strategies[strategy](0), 0),
        costs=CostModel(shape, len(data.folds)),
        budget=Budget(math.inf, time.time()),
        reserve=lambda finished: 0.0,
        store=lambda outcome: outcome.result,
        listener=silent,
        scheduler="none",
        max_trials=trials,
    )
