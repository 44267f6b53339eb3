"""Made-up records of what a run was given and tried: profile, plan, trials."""

from __future__ import annotations

import numpy as np

from autodl.records import (
    ColumnInfo,
    ColumnKind,
    Cost,
    CurvePoint,
    Decision,
    FamilyPlan,
    Finding,
    NumericStats,
    Plan,
    Profile,
    ReadInfo,
    Recipe,
    Severity,
    Skipped,
    TableSchema,
    TargetInfo,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
    Validation,
)

FAMILIES = {
    "dummy": "Constant guess",
    "linear": "Linear model",
    "lightgbm": "LightGBM",
    "catboost": "CatBoost",
    "mlp": "Neural network (MLP)",
    "forest": "Random forest",
}


def stats(low: float, high: float) -> NumericStats:
    span = high - low
    return NumericStats(
        mean=low + 0.42 * span,
        std=0.2 * span,
        minimum=low,
        q01=low + 0.01 * span,
        q25=low + 0.2 * span,
        median=low + 0.38 * span,
        q75=low + 0.55 * span,
        q99=low + 0.97 * span,
        maximum=high,
        skew=0.8,
        n_outliers=3,
        integers=False,
    )


def profile_record(
    task: Task, columns: tuple[str, ...], classes: tuple[str, ...], target: str, n_test: int, value: str
) -> Profile:
    n = n_test * 5
    infos = [
        ColumnInfo(
            name=c, kind=ColumnKind.NUMERIC, n=n, n_missing=n // 5 if i == 1 else 0, n_unique=88, numeric=stats(0, 80)
        )
        if i % 2
        else ColumnInfo(
            name=c, kind=ColumnKind.CATEGORICAL, n=n, n_missing=0, n_unique=2, top=((value, n // 3), ("male", n // 2))
        )
        for i, c in enumerate(columns)
    ]
    infos.append(
        ColumnInfo(name=target, kind=ColumnKind.CATEGORICAL, n=n, n_missing=0, n_unique=max(2, len(classes)))
    )
    counts = tuple(int(n * 0.62) if i == 0 else int(n * 0.38 / (len(classes) - 1)) for i in range(len(classes)))
    findings = (
        Finding(
            code="AD001",
            title="Missing values",
            severity=Severity.FIXED,
            column=columns[min(1, len(columns) - 1)],
            evidence={"share": 0.2},
            message="20 in 100 values are missing",
            action="filled with the middle value",
        ),
        Finding(code="AD003", title="Duplicate rows", severity=Severity.PASSED, message="No row occurs twice."),
        Finding(
            code="AD010",
            title="Target leak",
            severity=Severity.WARNS,
            column=columns[0],
            evidence={"auc": 0.994},
            message="This column alone predicts nearly everything",
            action="Ask when it is filled in.",
        ),
        Finding(
            code="AD012",
            title="Drift over time",
            severity=Severity.NOT_APPLICABLE,
            message="There is no time column.",
        ),
        Finding(
            code="AD005",
            title="ID column",
            severity=Severity.FIXED,
            message="Each value occurs once.",
            column="PassengerId",
        ),
    )
    return Profile(
        read=ReadInfo(
            path="/data/titanic.csv",
            format="csv",
            encoding="utf-8",
            delimiter=",",
            n_bytes=61_000,
            notes=("Commas separate the values.",),
        ),
        n_rows=n,
        columns=TableSchema(columns=tuple(infos)),
        target=TargetInfo(
            name=target,
            why="given with --target",
            guessed=False,
            task=task,
            task_why="It holds few classes",
            task_guessed=True,
            classes=classes,
            class_counts=counts,
            numeric=None if classes else stats(326, 18_823),
        ),
        features=columns,
        dropped={"PassengerId": "an ID: each value occurs once"},
        findings=findings,
    )


def plan_record(task: Task, columns: tuple[str, ...], classes: tuple[str, ...], target: str, metric: str) -> Plan:
    return Plan(
        task=task,
        target=target,
        classes=classes,
        metric=metric,
        features=columns,
        validation=Validation(kind="stratified" if classes else "random", n_folds=5, test_size=0.2),
        families=tuple(
            FamilyPlan(
                key=k, name=v, why="Works on tables of this size.", est_seconds=1.5, est_bytes=1e6, recipe=Recipe()
            )
            for k, v in FAMILIES.items()
        ),
        skipped=(Skipped(what="Support vector machine", why="would take 140 s of the 60 s"),),
        decisions=(
            Decision(topic="Metric", choice=metric, why="It suits the task", evidence={"classes": len(classes)}),
            Decision(
                topic="Validation", choice="5 folds, stratified", why="There are few rows, so all of them are used."
            ),
        ),
    )


def trial_records(rng: np.random.Generator, metric: str, n: int) -> tuple[TrialResult, ...]:
    keys = list(FAMILIES)
    out = []
    for i in range(n):
        family = keys[i] if i < len(keys) else keys[1 + int(rng.integers(5))]
        origin = "baseline" if family == "dummy" else "portfolio" if i < 10 else "tpe"
        spec = TrialSpec(id=f"t{i}", family=family, origin=origin, config={"lr": 0.0312 + i / 1000, "depth": i % 7})
        at = 3.0 + i
        if i in (11, 17):
            out.append(
                TrialResult(
                    spec=spec,
                    status=TrialStatus.FAILED,
                    error="ValueError: bad <b>split</b>",
                    started_s=at,
                    finished_s=at + 0.5,
                )
            )
            continue
        base = 0.5 if family == "dummy" else 0.13 + 0.1 * float(rng.random()) ** 2
        loss = base if metric != "rmse" else base * 4000
        score = 1 - loss if metric == "roc_auc" else loss
        steps = 30
        curve = tuple(
            CurvePoint(step=s, train=0.3 + 0.4 * np.exp(-s / 6), valid=0.36 + 0.35 * np.exp(-s / 5) + 0.001 * s)
            for s in range(steps)
        )
        out.append(
            TrialResult(
                spec=spec,
                status=TrialStatus.OK,
                loss=loss,
                score=score,
                fold_losses=(loss,),
                cost=Cost(fit_s=1.0 + i / 20, predict_s=0.02, n_predicted=712, size_bytes=120_000 + 1000 * i),
                curve=curve if family in ("lightgbm", "catboost", "mlp") else (),
                started_s=at,
                finished_s=at + 1,
            )
        )
    return tuple(out)
