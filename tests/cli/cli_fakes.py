"""Records and a pipeline that tells a short story without training anything."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from autodl.events import Listener, Note, PlanReady, RunFinished, StageStarted, TrialFinished, TrialStarted
from autodl.options import FitOptions
from autodl.records import (
    BudgetUse,
    ColumnInfo,
    ColumnKind,
    Cost,
    Evaluation,
    FindingRow,
    Interval,
    LeaderboardRow,
    ModelScore,
    Plan,
    Profile,
    ReadInfo,
    Residuals,
    RunRecord,
    TableSchema,
    TargetInfo,
    Task,
    TestScore,
    TrialResult,
    TrialSpec,
    TrialStatus,
    Validation,
)
from autodl.store import RunFolder


def make_profile(classes: tuple[str, ...] = ("no", "yes"), guessed: bool = True) -> Profile:
    task = Task.CLASSIFICATION if classes else Task.REGRESSION
    columns = (
        ColumnInfo(name="size [mm]", kind=ColumnKind.NUMERIC, n=90, n_missing=3, n_unique=70),
        ColumnInfo(name="bought", kind=ColumnKind.CATEGORICAL, n=90, n_missing=0, n_unique=2),
    )
    target = TargetInfo(
        name="bought", why="its name", guessed=guessed, task=task, task_why="2 different words", task_guessed=guessed,
        classes=classes, class_counts=(60, 30)[: len(classes)],
    )  # fmt: skip
    return Profile(
        read=ReadInfo(path="shop.csv", format="csv"),
        n_rows=90,
        columns=TableSchema(columns=columns),
        target=target,
        features=("size [mm]",),
    )


def make_plan(classes: tuple[str, ...] = ("no", "yes"), metric: str = "roc_auc") -> Plan:
    return Plan(
        task=Task.CLASSIFICATION if classes else Task.REGRESSION, target="bought", classes=classes, metric=metric,
        features=("size [mm]",), validation=Validation(kind="stratified", n_folds=5, test_size=0.2), families=(),
    )  # fmt: skip


def make_result(trial: str, family: str, loss: float | None, origin: str = "default") -> TrialResult:
    return TrialResult(
        spec=TrialSpec(id=trial, family=family, origin=origin),
        status=TrialStatus.FAILED if loss is None else TrialStatus.OK,
        loss=loss,
        score=None if loss is None else 1.0 - loss,
        cost=Cost(fit_s=1.5),
        error="ValueError: bad luck" if loss is None else None,
    )


def interval(value: float, low: float, high: float) -> Interval:
    return Interval(value=value, low=low, high=high, n=18)


def make_evaluation(regression: bool = False) -> Evaluation:
    models = (
        ModelScore(name="Ensemble", family="ensemble", test=interval(0.93, 0.85, 0.99)),
        ModelScore(name="Plain #1", family="plain", test=interval(0.91, 0.8, 0.97), tied_with_leader=True),
        ModelScore(
            name="Guess", family="guess", test=interval(0.5, 0.5, 0.5), metrics={"accuracy": interval(0.67, 0.4, 0.8)}
        ),
    )
    residuals = Residuals(true=(), predicted=(), typical=interval(512.0, 430.0, 610.0), typical_guess=1834.0)
    return Evaluation(
        metric="roc_auc", n_train=72, n_test=18, leader="Ensemble", baseline="Guess", models=models,
        recommended="Plain #1", residuals=residuals if regression else None,
    )  # fmt: skip


def make_record(status: str = "done", classes: tuple[str, ...] = ("no", "yes")) -> RunRecord:
    return RunRecord(
        status=status,
        task=Task.CLASSIFICATION if classes else Task.REGRESSION,
        target="bought",
        metric="roc_auc",
        classes=classes,
        budget=BudgetUse(given_s=60.0, used_s=41.3, first_model_s=2.0),
        test={
            "accuracy": TestScore(value=0.89, low=0.67, high=0.98, n=18),
            "roc_auc": TestScore(value=0.93, low=0.85, high=0.99, n=18),
        },
        leaderboard=(
            LeaderboardRow(name="Ensemble", family="ensemble", validation=0.94, test=0.93, fit_s=3.0,
                           predict_ms_per_row=0.02),
            LeaderboardRow(name="Guess", family="guess", validation=0.5, test=0.5, fit_s=0.0, predict_ms_per_row=0.0),
        ),
        findings=(FindingRow(code="AD001", severity="warns", column="size", message="size [mm] is often missing."),),
        n_trials=7,
        n_failed=1,
        started="2026-01-31T12:00:00+00:00",
    )  # fmt: skip


def tell_story(listener: Listener, n_trials: int = 3) -> None:
    """All kinds of events, in the order of a real run."""
    listener(StageStarted("read", 0.5))
    listener(PlanReady(make_profile(), make_plan(), 1.0))
    listener(StageStarted("search", 1.1))
    for n in range(n_trials):
        family, loss = [("guess", 0.5), ("plain", 0.2), ("deep", None)][n] if n < 3 else ("plain", 0.3)
        result = make_result(f"t{n}", family, loss, "baseline" if n == 0 else "default")
        name = f"{family.title()} #{n}"
        listener(TrialStarted(result.spec, name, 2.0 + n))
        listener(TrialFinished(result, name, best=n < 2, elapsed_s=2.5 + n))
    listener(Note("a [bold]literal[/bold] note", 9.0))


def fake_fit(
    data: str,
    options: FitOptions,
    out: Path,
    *,
    listener: Listener,
    started: float,
    command: str,
    resume: bool,
    trust: bool = False,
    stop: threading.Event,
) -> RunRecord:
    """Stands in for ``pipeline.run_fit``."""
    print("noise on stdout")
    tell_story(listener)
    while data.endswith("slow.csv") and not stop.is_set():
        time.sleep(0.02)
    record = make_record("interrupted" if stop.is_set() else "done")
    record = record.model_copy(update={"command": command})
    (out / "model").mkdir(parents=True)
    (out / "report.html").write_text("<p>report</p>")
    (out / "run.json").write_text(record.model_dump_json())
    RunFolder(out).write("profile", make_profile())
    listener(RunFinished(record, make_evaluation(), str(out), 10.0))
    return record
