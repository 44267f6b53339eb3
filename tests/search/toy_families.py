"""Toy families and data for the search tests; in a module of its own name, so that models of them can be pickled."""

from __future__ import annotations

import time
from typing import ClassVar

import numpy as np
import pandas as pd

from autodl.clock import NEVER
from autodl.events import silent
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Shape
from autodl.records import ColumnInfo, ColumnKind, FamilyPlan, Recipe, TableSchema, Task
from autodl.search.allocation import Allocation
from autodl.search.costs import CostModel
from autodl.search.loop import SearchLoop
from autodl.search.space import parse_space
from autodl.search.strategies.base import strategies
from autodl.search.trial import TrialData

TOY = {
    "params": {
        "shrink": {"type": "float", "low": 0.0, "high": 1.0, "default": 0.9},
        "sleep": {"type": "float", "low": 0.0, "high": 0.001, "default": 0.0},
    },
    "portfolio": [{}, {"shrink": 0.5}],
}


class ToyConfig(FamilyConfig):
    shrink: float = 0.0
    sleep: float = 0.0
    fail: bool = False


class _ToyModel(Estimator):
    """Least squares on the numeric columns, shrunk towards the mean: a known best configuration (shrink = 0)."""

    def __init__(self, config, meta):
        super().__init__()
        self.config = config

    def fit(self, X, y, X_val=None, y_val=None, *, sample_weight=None, deadline=NEVER):
        if self.config.fail:
            raise ValueError("this family always\nfails")
        end = time.monotonic() + self.config.sleep
        while time.monotonic() < end:
            if deadline.passed():
                raise TimeoutError("no model yet")
            time.sleep(0.005)
        A = np.c_[np.ones(len(X)), X.dense()]
        self.coef = np.linalg.lstsq(A, y, rcond=None)[0]
        self.mean = float(np.mean(y))
        self.refit = {"shrink": self.config.shrink}

    def predict(self, X):
        raw = np.c_[np.ones(len(X)), X.dense()] @ self.coef
        return self.mean + (1 - self.config.shrink) * (raw - self.mean)


class Toy(Family):
    key: ClassVar[str] = "toy"
    name: ClassVar[str] = "Toy"
    summary: ClassVar[str] = "A toy."
    paper: ClassVar[str] = "none"
    tasks: ClassVar = frozenset({Task.REGRESSION})
    config: ClassVar = ToyConfig

    def estimate_cost(self, shape, config):
        return CostEstimate(0.01 + config.sleep, 1e6)

    def build(self, config, meta):
        return _ToyModel(config, meta)


class Stubborn(Toy):
    """Never looks at its deadline."""

    key: ClassVar[str] = "stubborn"
    name: ClassVar[str] = "Stubborn"

    def build(self, config, meta):
        model = _ToyModel(config.model_copy(update={"sleep": 0.0}), meta)
        plain_fit = model.fit

        def fit(X, y, X_val=None, y_val=None, *, sample_weight=None, deadline=NEVER):
            time.sleep(config.sleep)
            plain_fit(X, y)

        model.fit = fit
        return model


def numeric_schema(names, n):
    return TableSchema(
        columns=tuple(ColumnInfo(name=c, kind=ColumnKind.NUMERIC, n=n, n_missing=0, n_unique=n) for c in names)
    )


def make_linear_data():
    """60 rows to learn from in three folds, 30 to test on: a plane with a little noise."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 3)), columns=list("abc"))
    y = frame.to_numpy() @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=90)
    parts = np.array_split(np.arange(60), 3)
    folds = tuple((np.setdiff1d(np.arange(60), p), p) for p in parts)
    return TrialData(
        frame=frame.iloc[:60],
        y=y[:60],
        test_frame=frame.iloc[60:].reset_index(drop=True),
        folds=folds,
        schema=numeric_schema("abc", 60),
        task=Task.REGRESSION,
        n_classes=0,
        metric="rmse",
        recipes={"toy": Recipe(), "stubborn": Recipe()},
    )


def family_plan(key):
    return FamilyPlan(key=key, name=key.title(), why="", est_seconds=1, est_bytes=1, recipe=Recipe())


def make_loop(budget, *, keys=("toy",), space=None, max_trials=None, seed=0, listener=silent, reserve=0.0):
    spaces = {k: parse_space(space or TOY) for k in keys}
    return SearchLoop(
        allocation=Allocation(tuple(family_plan(k) for k in keys), spaces, strategies["tpe"](), seed),
        costs=CostModel(Shape(rows=40, numeric=3), 3),
        budget=budget,
        reserve=lambda finished: reserve,
        store=lambda outcome: outcome.result,
        listener=listener,
        max_trials=max_trials,
    )
