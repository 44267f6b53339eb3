"""Realistic records of finished and unfinished runs, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from report_score_records import evaluation_record, explanation_record
from report_search_records import FAMILIES, plan_record, profile_record, trial_records

from autodl.evaluate.pareto import undominated
from autodl.records import (
    BudgetUse,
    Ensemble,
    Evaluation,
    Explanation,
    Footprint,
    Front,
    FrontPoint,
    Limits,
    Member,
    Plan,
    Profile,
    RunRecord,
    StageTime,
    Task,
    TrialResult,
)


@dataclass(frozen=True)
class Records:
    """The arguments of ``write_report``."""

    run: RunRecord
    profile: Profile
    plan: Plan
    trials: tuple[TrialResult, ...]
    ensemble: Ensemble | None
    evaluation: Evaluation | None
    explanation: Explanation | None
    names: dict[str, str]
    front: Front | None = None

    def but(self, **changes: Any) -> Records:
        return replace(self, **changes)

    def kwargs(self) -> dict[str, Any]:
        return dict(self.__dict__)


PEOPLE = ("Sex", "Age", "Pclass", "Fare", "Embarked", "SibSp", "Parch", "Cabin", "Title")


STONES = ("carat", "clarity", "color", "cut", "depth", "table", "x", "y", "z")


def make_records(
    kind: str = "binary",
    *,
    columns: tuple[str, ...] | None = None,
    classes: tuple[str, ...] | None = None,
    target: str | None = None,
    n_test: int | None = None,
    n_trials: int = 40,
    seed: int = 0,
    value: str = "female",
) -> Records:
    """``kind``: binary (like titanic), multiclass or regression (like diamonds)."""
    rng = np.random.default_rng(seed)
    regression = kind == "regression"
    task = Task.REGRESSION if regression else Task.CLASSIFICATION
    columns = columns or (STONES if regression else PEOPLE)
    classes = () if regression else classes or (("died", "survived") if kind == "binary" else tuple("ABCDEFG"))
    target = target or {"binary": "Survived", "regression": "price"}.get(kind, "letter")
    n_test = n_test or {"binary": 179, "regression": 10_000}.get(kind, 4_000)
    metric = {"binary": "roc_auc", "regression": "rmse"}.get(kind, "log_loss")
    profile = profile_record(task, columns, classes, target, n_test, value)
    plan = plan_record(task, columns, classes, target, metric)
    trials = trial_records(rng, metric, n_trials)
    names: dict[str, str] = {}
    seen: dict[str, int] = {}
    for t in trials:
        seen[t.spec.family] = seen.get(t.spec.family, 0) + 1
        names[t.spec.id] = f"{FAMILIES[t.spec.family]} #{seen[t.spec.family]}"
    evaluation = evaluation_record(rng, kind, classes, metric, n_test, columns, value)
    members = tuple(
        Member(trial_id=t.spec.id, family=t.spec.family, weight=w)
        for t, w in zip([t for t in trials if t.ok][-3:], (0.5, 0.3, 0.2), strict=False)
    )
    ensemble = Ensemble(members=members, method="greedy", loss=0.121, single_loss=0.127, why="Better on both halves.")
    stages = (
        ("read", 0.4),
        ("profile", 1.1),
        ("plan", 0.2),
        ("search", 44.0),
        ("ensemble", 1.0),
        ("evaluate", 2.2),
        ("explain", 1.9),
        ("report", 0.8),
    )
    run = RunRecord(
        status="done",
        task=task,
        target=target,
        metric=metric,
        classes=classes,
        budget=BudgetUse(given_s=60.0, used_s=56.2, first_model_s=3.4),
        test={},
        n_trials=len(trials),
        n_failed=2,
        stages=tuple(StageTime(name=n, seconds=s) for n, s in stages),
        delivered="the same three models with the same settings, trained again on all 891 rows.",
        versions={"autodl": "0.1.0", "python": "3.11.9", "scikit-learn": "1.9.0"},
        seed=seed,
        command=f"autodl fit data.csv --target {target} --time-budget 60s",
        started="2026-11-21T10:00:00",
        options={"time_budget_s": 60.0, "preset": "balanced"},
    )
    explanation = explanation_record(rng, columns, classes, metric, regression)
    return Records(run, profile, plan, trials, ensemble, evaluation, explanation, names)


def with_front(records: Records, limits: Limits | None = None, given_up: tuple[str, ...] = ()) -> Records:
    """The records with what each scored trial and the delivered model take; slower families do better."""
    limits = limits or Limits()
    slow = {"linear": 1.0, "lightgbm": 2.5, "catboost": 4.0, "forest": 30.0, "mlp": 6.0}
    sign = 1 if records.plan.metric == "roc_auc" else -1
    rng = np.random.default_rng(0)
    points = []
    for t in records.trials:
        if t.ok and t.spec.family in slow and t.loss is not None:
            need = Footprint(row_s=1e-3 * slow[t.spec.family] * float(rng.uniform(0.8, 1.3)), size_bytes=120_000)
            loss = float(t.loss - 0.01 * slow[t.spec.family] ** 0.5)
            points.append(
                FrontPoint(
                    name=records.names[t.spec.id], trial_id=t.spec.id, family=t.spec.family, kind="trial", loss=loss,
                    score=1 - loss if sign > 0 else loss, need=need, within=not limits.broken(need),
                )
            )  # fmt: skip
    best = min(p.loss for p in points) - 0.005
    need = Footprint(row_s=0.012, ms_per_1000=40.0, size_bytes=900_000, memory_bytes=280_000_000)
    points.append(
        FrontPoint(
            name="Ensemble", family="ensemble", kind="delivered", loss=best, score=1 - best if sign > 0 else best,
            need=need, within=not limits.broken(need),
        )
    )  # fmt: skip
    marks = undominated([(p.loss, p.need.row_s or 0.0) for p in points])
    points = [p.model_copy(update={"best": b}) for p, b in zip(points, marks, strict=True)]
    points.sort(key=lambda p: p.need.row_s or 0.0)
    front = Front(
        metric=records.plan.metric, limits=limits, points=tuple(points), delivered=need, fresh=True, given_up=given_up
    )
    return records.but(front=front)
