"""Tables for the tests of profiling: a clean one, and a way to profile any frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from autodl.data import apply_schema, infer_schema
from autodl.options import FitOptions
from autodl.profiling import choose_target, choose_task, encode_target, profile_table
from autodl.records import Finding, Profile, ReadInfo, Severity, TargetInfo, Task

READ = ReadInfo(path="table.csv", format="csv")


def clean_table(n: int = 800, seed: int = 0, regression: bool = False) -> pd.DataFrame:
    """Independent rows without any fault; ``y`` depends on the columns with noise."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=n), rng.uniform(0, 10, size=n)
    color = rng.choice(["red", "green", "blue"], size=n)
    score = a + 0.2 * b + (color == "red") + rng.normal(size=n)
    y = score if regression else np.where(score > np.median(score), "yes", "no")
    return pd.DataFrame({"size": a, "weight": b, "color": color, "y": y})


def target_info(frame: pd.DataFrame, target: str | None = "y", task: Task | None = None) -> TargetInfo:
    schema = infer_schema(frame, target=target)
    name, why, guessed = choose_target(schema, target, "table.csv")
    schema = infer_schema(frame, target=name)
    column = schema[name]
    task, task_why, task_guessed = choose_task(column, task)
    values = apply_schema(frame, schema)[name]
    y, classes = encode_target(values[values.notna()], column, task)
    return TargetInfo(
        name=name,
        why=why,
        guessed=guessed,
        task=task,
        task_why=task_why,
        task_guessed=task_guessed,
        classes=classes,
        class_counts=tuple(int(c) for c in np.bincount(y)) if classes else (),
        numeric=column.numeric if task is Task.REGRESSION else None,
        n_missing=int(values.isna().sum()),
    )


def profile(
    frame: pd.DataFrame,
    target: str | None = "y",
    *,
    task: Task | None = None,
    options: FitOptions | None = None,
    test: pd.DataFrame | None = None,
) -> Profile:
    info = target_info(frame, target, task)
    schema = infer_schema(frame, target=info.name)
    return profile_table(
        apply_schema(frame, schema),
        schema,
        READ,
        target=info,
        options=options or FitOptions(),
        test_frame=None if test is None else apply_schema(test, schema),
    )


def raised(profile: Profile, code: str) -> list[Finding]:
    """Findings of a check that are neither passed nor inapplicable."""
    return [f for f in profile.findings if f.code == code and f.severity in (Severity.WARNS, Severity.FIXED)]
