"""The Python interface: ``autodl.fit`` and the run that it returns."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from autodl.errors import ConfigError, did_you_mean
from autodl.events import Listener, silent
from autodl.options import FitOptions
from autodl.records import RunRecord, Task
from autodl.store import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from autodl.model import DeliveredModel


class Run:
    """A finished run: its facts, its report and its model.

    Args:
        folder: The run folder.

    Raises:
        RunError: If the folder holds no run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.record: RunRecord = RunFolder(folder).read_run()

    @property
    def report_path(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @cached_property
    def _model(self) -> DeliveredModel:
        from autodl.model import DeliveredModel

        return DeliveredModel(RunFolder(self.folder))

    def predict(
        self, data: pd.DataFrame | str | Path, *, proba: bool = False, keep: Sequence[str] = ()
    ) -> pd.DataFrame:
        """Predict new rows.

        Args:
            data: A frame or a file with the columns of the training data; the target may be missing.
            proba: Add a column ``proba_CLASS`` for each class.
            keep: Input columns carried over.

        Returns:
            One row an input row in the same order, with the column ``prediction``.
        """
        from autodl.data import read_table
        from autodl.predict import predict_frame, text_columns

        words = text_columns(self._model.manifest.features)
        raw, read = read_table(str(data) if isinstance(data, Path) else data, as_text=words)
        return predict_frame(self._model, raw, proba=proba, keep=keep, where=Path(read.path).name or "the data")

    def leaderboard(self) -> pd.DataFrame:
        """One row a model, best first: name, family, validation, test, fit_s, predict_ms_per_row."""
        import pandas as pd

        return pd.DataFrame([row.model_dump() for row in self.record.leaderboard])

    def __repr__(self) -> str:
        r = self.record
        best = r.test.get(r.metric)
        score = f", test {r.metric} {best.value:.4g} [{best.low:.4g}, {best.high:.4g}]" if best else ""
        return f"Run({str(self.folder)!r}, {r.task.value} of {r.target!r}, {r.status}{score})"


def fit(
    data: pd.DataFrame | str | Path,
    target: str | None = None,
    *,
    task: str | None = None,
    time_budget: float | str | None = "5m",
    max_trials: int | None = None,
    metric: str | None = None,
    test: str | Path | None = None,
    test_size: float | None = None,
    group_column: str | None = None,
    time_column: str | None = None,
    families: Sequence[str] = (),
    drop: Sequence[str] = (),
    preset: str = "balanced",
    workers: int | None = None,
    address: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    resume: bool = False,
    listener: Listener = silent,
) -> Run:
    """Find, train and test models for a table inside a time budget.

    Args:
        data: A frame, or a path, glob or folder of tables.
        target: Column to predict; guessed if not given.
        task: ``classification`` or ``regression``; found out if not given.
        time_budget: Wall-clock seconds, or words like ``5m`` and ``1h30m``; None means no clock.
        max_trials: Number of configurations to try; without a clock the result repeats exactly.
        metric: What to optimize, e.g. ``roc_auc``; a sensible one for the task if not given.
        test: A file of test rows; otherwise a share of the rows is held back.
        test_size: That share, between 0 and 1.
        group_column: Rows of one group stay together, e.g. a customer.
        time_column: Rows are split by time: the last ones test.
        families: Only these model families.
        drop: Columns not to use.
        preset: ``fast``, ``balanced`` or ``best``.
        workers: Trials at a time.
        address: A running Ray cluster.
        out: The run folder; a new one under ``autodl-runs`` if not given.
        seed: Seed of everything random.
        resume: Go on with an interrupted run in ``out``.
        listener: Called with an ``autodl.events`` event whenever something happens.

    Raises:
        AutodlError: Bad input, with what is wrong and what to do.
    """
    from autodl.duration import parse_duration
    from autodl.pipeline import run_fit

    started = time.time()
    # Spinning OpenMP threads slow each other down on shared cores; see ``autodl.__main__``.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if task is not None and task not in list(Task):
        raise ConfigError(f"unknown task '{task}'", did_you_mean(task, list(Task)))
    seconds = parse_duration(time_budget) if isinstance(time_budget, str) else time_budget
    if preset not in ("fast", "balanced", "best"):
        raise ConfigError(f"unknown preset '{preset}'", did_you_mean(preset, ("fast", "balanced", "best")))
    options = FitOptions.model_validate(
        {
            "target": target,
            "task": task,
            "time_budget_s": seconds,
            "max_trials": max_trials,
            "metric": metric,
            "test": None if test is None else str(test),
            "test_size": test_size,
            "group_column": group_column,
            "time_column": time_column,
            "families": tuple(families),
            "drop": tuple(drop),
            "seed": seed,
            "workers": workers,
            "address": address,
            "preset": preset,
        }
    )
    folder = Path(out) if out is not None else Path("autodl-runs") / f"run-{datetime.now():%Y%m%d-%H%M%S}"
    source = str(data) if isinstance(data, Path) else data
    run_fit(source, options, folder, listener=listener, started=started, command="autodl.fit(...)", resume=resume)
    return Run(folder)
