"""Realistic records of finished and unfinished runs, made from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autodl.evaluate.pareto import undominated
from autodl.records import (
    BudgetUse,
    ColumnInfo,
    ColumnKind,
    Comparison,
    Cost,
    Curve,
    CurvePoint,
    Decision,
    EffectPoint,
    Ensemble,
    Evaluation,
    Explanation,
    FamilyPlan,
    Finding,
    Footprint,
    Front,
    FrontPoint,
    Importance,
    Interval,
    Limits,
    Member,
    Mistake,
    ModelScore,
    NumericStats,
    Plan,
    Profile,
    ReadInfo,
    Recipe,
    Residuals,
    RunRecord,
    Segment,
    Severity,
    Skipped,
    StageTime,
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


def interval(value: float, half: float, n: int) -> Interval:
    return Interval(value=value, low=value - half, high=value + half, n=n)


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
    profile = _profile(task, columns, classes, target, n_test, value)
    plan = _plan(task, columns, classes, target, metric)
    trials = _trials(rng, metric, n_trials)
    names: dict[str, str] = {}
    seen: dict[str, int] = {}
    for t in trials:
        seen[t.spec.family] = seen.get(t.spec.family, 0) + 1
        names[t.spec.id] = f"{FAMILIES[t.spec.family]} #{seen[t.spec.family]}"
    evaluation = _evaluation(rng, kind, classes, metric, n_test, columns, value)
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
    explanation = _explanation(rng, columns, classes, metric, regression)
    return Records(run, profile, plan, trials, ensemble, evaluation, explanation, names)


def _profile(
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


def _plan(task: Task, columns: tuple[str, ...], classes: tuple[str, ...], target: str, metric: str) -> Plan:
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


def _trials(rng: np.random.Generator, metric: str, n: int) -> tuple[TrialResult, ...]:
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


def _evaluation(
    rng: np.random.Generator,
    kind: str,
    classes: tuple[str, ...],
    metric: str,
    n: int,
    columns: tuple[str, ...],
    value: str,
) -> Evaluation:
    k = len(classes)
    scale, sign = {"roc_auc": (1.0, 1), "log_loss": (1.0, -1), "rmse": (4000.0, -1)}[metric]
    table = [
        ("Ensemble", "ensemble", 0.13),
        ("CatBoost #3", "catboost", 0.135),
        ("LightGBM #2", "lightgbm", 0.137),
        ("Linear model #1", "linear", 0.15),
        ("Random forest #1", "forest", 0.17),
        ("Neural network (MLP) #1", "mlp", 0.19),
        ("Constant guess #1", "dummy", 0.5),
    ]
    half = 0.02 * (179 / n) ** 0.5 * 3

    def score(loss: float) -> Interval:
        v = (1 - loss if sign > 0 else loss) * scale
        return interval(v, half * scale, n)

    confusion: tuple[tuple[int, ...], ...] = ()
    extra: dict[str, dict[str, Interval]] = {}
    if k:
        sizes = [int(n * 0.62)] + [int(n * 0.38 / (k - 1))] * (k - 1)
        sizes[0] += n - sum(sizes)
        matrix = np.zeros((k, k), int)
        for i, s in enumerate(sizes):
            matrix[i] = rng.multinomial(s, [0.83 if i == j else 0.17 / (k - 1) for j in range(k)])
        confusion = tuple(tuple(int(v) for v in row) for row in matrix)
        acc = float(np.trace(matrix)) / n
        extra = {
            "Ensemble": {"accuracy": interval(acc, half, n), metric: score(0.13), "f1": interval(0.78, half, n)},
            "Constant guess #1": {"accuracy": interval(sizes[0] / n, half, n), metric: score(0.5)},
        }
    models = tuple(
        ModelScore(
            name=name,
            trial_id=None if i == 0 else f"t{i}",
            family=family,
            validation=score(loss - 0.005).value,
            test=score(loss),
            metrics=extra.get(name, {}),
            fit_s=1.2 + i,
            predict_ms_per_row=0.012 * (7 - i),
            size_bytes=4_200_000 // (i + 1),
            tied_with_leader=i in (1, 2, 3),
        )
        for i, (name, family, loss) in enumerate(table)
    )
    comparisons = tuple(
        Comparison(
            a="Ensemble",
            b=name,
            metric=metric,
            difference=(loss - 0.13) * scale,
            low=(loss - 0.13 - half / 2) * scale,
            high=(loss - 0.13 + half / 2) * scale,
            p_value=0.4 / (1 + i * i) if i < 4 else 1e-12,
            p_holm=min(1.0, 1.2 / (1 + i)) if i < 4 else 6e-12,
            n=n,
            effect=(loss - 0.13) * 40,
            method="paired bootstrap",
            verdict="tie" if i < 4 else "better",
        )
        for i, (name, _, loss) in enumerate(table)
        if i
    )
    grid = np.linspace(0, 1, 101)
    labels = classes[1:2] if k == 2 else classes[:5]
    roc = tuple(Curve(label=c, x=tuple(grid), y=tuple(grid ** (0.2 + 0.05 * i))) for i, c in enumerate(labels))
    pr = tuple(Curve(label=c, x=tuple(grid), y=tuple(1 - 0.5 * grid ** (3 - 0.4 * i))) for i, c in enumerate(labels))
    mid = np.linspace(0.05, 0.95, 10)
    calibration = (
        (
            Curve(
                label="Ensemble",
                x=tuple(mid),
                y=tuple(0.5 + 0.8 * (mid - 0.5)),
                low=tuple(0.42 + 0.8 * (mid - 0.5)),
                high=tuple(0.58 + 0.8 * (mid - 0.5)),
                counts=(18,) * 10,
            ),
        )
        if k
        else ()
    )
    residuals = None
    if not k:
        true = np.exp(rng.normal(7.8, 1.0, 900))
        predicted = true * np.exp(rng.normal(0, 0.12, 900))
        residuals = Residuals(
            true=tuple(true),
            predicted=tuple(predicted),
            typical=interval(271.3, 9.1, n),
            typical_guess=1830.0,
            quantiles={"50 in 100 within": 271.3, "90 in 100 within": 1100.2},
        )
    mistakes = tuple(
        Mistake(
            row=17 * i,
            true=classes[0] if k else "326",
            predicted=classes[1] if k else "1200",
            confidence=0.99 - 0.01 * i if k else None,
            values={c: (value if j % 2 else 3.25) for j, c in enumerate(columns[:6])},
        )
        for i in range(8)
    )
    return Evaluation(
        metric=metric,
        n_train=n * 4,
        n_test=n,
        leader="Ensemble",
        baseline="Constant guess #1",
        models=models,
        comparisons=comparisons,
        recommended="Linear model #1",
        recommended_why="It is tied with the ensemble and 40 times faster.",
        classes=classes,
        confusion=confusion,
        roc=roc if k else (),
        pr=pr if k else (),
        calibration=calibration,
        calibration_error=interval(0.081, 0.02, n) if k else None,
        residuals=residuals,
        segments=(
            Segment(
                column=columns[0],
                value=value,
                n=63,
                score=score(0.25),
                rest=score(0.11).value,
                p_value=0.001,
                p_holm=0.004,
            ),
        ),
        mistakes=mistakes,
        optimism=interval(0.012 * scale, 0.005 * scale, n),
        notes=(),
    )


def _explanation(
    rng: np.random.Generator, columns: tuple[str, ...], classes: tuple[str, ...], metric: str, regression: bool
) -> Explanation:
    scale = 4000.0 if regression else 1.0
    what = "price" if regression else f"'{classes[-1]}'"
    items = []
    for i, c in enumerate(columns):
        drop = 0.2 * 0.6**i * scale
        numeric = bool(i % 2)
        xs = np.linspace(1, 70, 9)
        effect = (
            tuple(
                EffectPoint(
                    value=f"{x:g}" if numeric else f"group {j}",
                    number=float(x) if numeric else None,
                    prediction=float((0.4 + 0.3 * np.sin(i + j / 4)) * scale),
                )
                for j, x in enumerate(xs if numeric else xs[:4])
            )
            if i < 6
            else ()
        )
        items.append(
            Importance(
                column=c,
                drop=drop,
                low=drop * 0.85 if i < 6 else -0.001,
                high=drop * 1.15 + 0.001,
                effect=effect,
                direction=f"higher {c}: more likely {what}" if numeric else "",
            )
        )
    return Explanation(
        metric=metric,
        model="Ensemble",
        n_rows=1000,
        n_repeats=5,
        importances=tuple(items),
        positive_class=None if regression else classes[-1],
    )


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
