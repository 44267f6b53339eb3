"""From canonical rows to a profile: the facts and the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.errors import DataError
from autodl.profiling.checks.base import Context, run_checks
from autodl.profiling.encoding import encode_target
from autodl.profiling.features import check_columns, choose_features
from autodl.profiling.stats import skewness
from autodl.profiling.task import check_enough_known
from autodl.records import NumericStats, Profile, ReadInfo, TableSchema, TargetInfo, Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.options import FitOptions

MAX_ROWS = 300_000
"""Rows that the checks look at; of larger tables, a random part of this size."""


def profile_table(
    frame: pd.DataFrame,
    schema: TableSchema,
    read: ReadInfo,
    *,
    target: TargetInfo,
    options: FitOptions,
    test_frame: pd.DataFrame | None = None,
    seed: int = 0,
    deadline: Deadline = NEVER,
) -> Profile:
    """The profile of a table.

    Args:
        frame: (n, columns) canonical rows; those without a target are left out here if they have not been before.
        schema: Their columns.
        read: How the file was read.
        target: What is predicted, and the task; its counts are of the rows that have a target.
        options: For columns to drop, and the group and time columns.
        test_frame: Canonical rows of a test file under the same schema, or None.
        seed: Of the samples that expensive checks draw.
        deadline: When the checks must end; those that come later say that they did not look.

    Raises:
        DataError: If a named column cannot be used, no feature is left, or the rows are too few.
        ConfigError: If the options contradict each other.
    """
    name = target.name
    check_columns(schema, options, name, read.unread)
    present = frame[name].notna().to_numpy()
    rows = frame if present.all() else frame[present]
    check_enough_known(name, target.classes, target.class_counts, len(rows))
    y, _ = encode_target(rows[name], schema[name], target.task, target.classes or None)
    target = _complete(target, y)
    features, dropped, duplicates = choose_features(rows, schema, name, options)
    looked, y_looked = _part(rows, y, seed)
    test, y_test = _test_rows(test_frame, schema, target, (*features, name))
    ctx = Context(
        frame=looked,
        schema=schema,
        target=target,
        y=y_looked,
        features=features,
        dropped={name: why for name, why in dropped.items() if name not in read.unread},
        duplicates=duplicates,
        n_rows=len(rows),
        time_column=options.time_column,
        group_column=options.group_column,
        weight_column=options.weight_column,
        quantiles=options.quantiles,
        test=test,
        y_test=y_test,
        seed=seed,
        deadline=deadline,
    )
    return Profile(
        read=read,
        n_rows=len(rows),
        columns=schema,
        target=target,
        features=features,
        dropped=dropped,
        time_column=options.time_column,
        group_column=options.group_column,
        weight_column=options.weight_column,
        findings=run_checks(ctx),
    )


def _complete(target: TargetInfo, y: NDArray[Any]) -> TargetInfo:
    """With the statistics of a target that was read as yes and no but is taken as a number."""
    if target.task is Task.CLASSIFICATION or target.numeric is not None:
        return target
    return target.model_copy(update={"numeric": _stats(y)})


def _part(rows: pd.DataFrame, y: NDArray[Any], seed: int) -> tuple[pd.DataFrame, NDArray[Any]]:
    if len(rows) <= MAX_ROWS:
        return rows, y
    keep = np.sort(np.random.default_rng(seed).choice(len(rows), MAX_ROWS, replace=False))
    return rows.iloc[keep], y[keep]


def _test_rows(
    frame: pd.DataFrame | None, schema: TableSchema, target: TargetInfo, needed: tuple[str, ...]
) -> tuple[pd.DataFrame | None, NDArray[Any] | None]:
    if frame is None:
        return None, None
    lacking = [n for n in needed if n not in frame]
    if lacking:
        raise DataError(
            f"the test file lacks the column '{lacking[0]}'"
            + (f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""),
            "It needs the same columns as the training file, the target included.",
        )
    rows = frame[frame[target.name].notna()]
    if not len(rows):
        raise DataError(
            f"no row of the test file has a value of the target '{target.name}'",
            "Give a test file with known targets, or none, to test on a part of the data.",
        )
    y, _ = encode_target(rows[target.name], schema[target.name], target.task, target.classes or None)
    return rows, y


def _stats(y: NDArray[np.float64]) -> NumericStats:
    q = np.quantile(y, [0.01, 0.25, 0.5, 0.75, 0.99])
    spread = float(y.std())
    fence = 3 * (q[3] - q[1])
    return NumericStats(
        mean=float(y.mean()),
        std=spread,
        minimum=float(y.min()),
        q01=float(q[0]),
        q25=float(q[1]),
        median=float(q[2]),
        q75=float(q[3]),
        q99=float(q[4]),
        maximum=float(y.max()),
        skew=skewness(y),
        n_outliers=int(((y < q[1] - fence) | (y > q[3] + fence)).sum()),
        integers=bool((y == np.round(y)).all()),
    )
