"""The Python interface: ``autodl.fit``, ``autodl.plan`` and the run that they speak of."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from autodl.defaults import NAS, PRETRAINED, RUNS, SEARCH
from autodl.errors import ConfigError
from autodl.events import Listener, silent
from autodl.options import FitOptions, build_options
from autodl.records import Evaluation, Plan, Profile, RunRecord
from autodl.report.only_guess import only_guess
from autodl.spelling import python_words
from autodl.store import RunFolder

if TYPE_CHECKING:
    import pandas as pd

    from autodl.data.frames import AnyFrame
    from autodl.model import DeliveredModel


class Run:
    """A finished run: its facts, its report and its model.

    Args:
        folder: The run folder.
        trust: You made the folder yourself: a model in it that is stored as a pickle may be opened.

    Raises:
        RunError: If the folder holds no run.
    """

    def __init__(self, folder: str | Path, *, trust: bool = False) -> None:
        self.folder, self.trust = Path(folder).expanduser(), trust
        self.record: RunRecord = RunFolder(self.folder).read_run()

    @property
    def report_path(self) -> Path:
        """The HTML report."""
        return self.folder / "report.html"

    @cached_property
    def model(self) -> DeliveredModel:
        """The model, loaded on first use."""
        from autodl.model import DeliveredModel

        return DeliveredModel(RunFolder(self.folder, trusted=self.trust))

    def predict(
        self,
        data: AnyFrame | str | Path,
        *,
        proba: bool = False,
        keep: Sequence[str | int] | str | int = (),
        allow_missing: bool = False,
    ) -> pd.DataFrame:
        """Predict new rows.

        Args:
            data: A frame (pandas, polars, Arrow), a file or a folder of images with the columns of the training
                data; the target may be missing. Files that a frame names are looked for from the current folder.
            proba: Add a column ``proba_CLASS`` for each class.
            keep: Input columns carried over, as they stand in the data.
            allow_missing: Take columns that are not there as missing in every row instead of refusing.

        Returns:
            One row an input row in the same order and with its index, with the column ``prediction``; of a long table
            of series one row a series.

        Raises:
            DataError: If columns or rows cannot be read as the model needs them.
        """
        from autodl.data import read_table
        from autodl.data.frames import as_pandas
        from autodl.predict import predict_file, predict_frame

        names = [str(name) for name in ((keep,) if isinstance(keep, str | int) else keep)]
        with python_words():
            if isinstance(data, str | Path):
                return predict_file(
                    self.folder, os.fspath(data), proba=proba, keep=names, allow_missing=allow_missing,
                    model=self.model,
                )  # fmt: skip
            given = as_pandas(data)
            raw, _ = read_table(given, as_text=self.model.manifest.features.word_columns)
            out = predict_frame(
                self.model, raw, proba=proba, keep=names, allow_missing=allow_missing, where="the data"
            )
        if len(out) == len(given):  # else the rows of a long table have become series
            for name in set(names).intersection(raw.columns):  # neither typed anew nor as whole paths
                out[name] = given.iloc[:, list(raw.columns).index(name)].array
            out.index = given.index
        return out

    def leaderboard(self) -> pd.DataFrame:
        """One row a model: name, family, validation, test, fit_s, predict_ms_per_row.

        The chosen one comes first, the others follow by their test score.
        """
        import pandas as pd

        from autodl.records import LeaderboardRow

        rows = [row.model_dump() for row in self.record.leaderboard]
        return pd.DataFrame(rows, columns=list(LeaderboardRow.model_fields))

    def write_report(self) -> Path:
        """Write the HTML report anew from what the folder holds."""
        from autodl.pipeline import rebuild_report

        return rebuild_report(self.folder)

    def __repr__(self) -> str:
        r = self.record
        best = r.test.get(r.metric)
        score = f", test {r.metric} {best.value:.4g} [{best.low:.4g}, {best.high:.4g}]" if best else ""
        return f"Run({str(self.folder)!r}, {r.task.value} of {r.target!r}, {r.status}{score})"


class Planned(NamedTuple):
    """What ``fit`` would do."""

    profile: Profile
    """The facts about the table, with findings."""
    plan: Plan
    """The decisions, each with its reason."""


def fit(
    data: AnyFrame | str | Path,
    target: str | int | None = None,
    *,
    task: str | None = None,
    time_budget: float | str | None = None,
    max_trials: int | None = None,
    metric: str | None = None,
    quantiles: Sequence[float] | str = (),
    test: str | Path | None = None,
    test_size: float | None = None,
    group_column: str | None = None,
    time_column: str | None = None,
    weight_column: str | None = None,
    series_id: str | None = None,
    order_column: str | None = None,
    series_steps: Sequence[str] | str = (),
    families: Sequence[str] | str = (),
    drop: Sequence[str] | str = (),
    preset: str = "balanced",
    search: str = SEARCH,
    scheduler: str | None = None,
    nas: str = NAS,
    space: str | Path | None = None,
    pretrained: str | Path = PRETRAINED,
    max_latency: float | str | None = None,
    max_size: float | str | None = None,
    max_memory: float | str | None = None,
    workers: int | None = None,
    address: str | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    resume: bool = False,
    trust: bool = False,
    report: bool = True,
    listener: Listener = silent,
) -> Run:
    """Find, train and test models for a table inside a time budget.

    Args:
        data: A frame (pandas, polars, Arrow or any with the Arrow stream interface), a path, glob or folder of
            tables, or a folder of images. Files that a frame names are looked for from the current folder.
        target: Column to predict; guessed if not given.
        task: ``classification`` or ``regression``; found out if not given.
        time_budget: Wall-clock seconds, or words like ``5m`` and ``1h30m``. If not given: five minutes, or no clock
            where ``max_trials`` is given.
        max_trials: Number of trials, further splits included; without a clock the result repeats exactly.
        metric: What to optimize, e.g. ``roc_auc``; a sensible one for the task if not given.
        quantiles: Levels such as ``(0.1, 0.5, 0.9)``: predict these quantiles of a number instead of its mean.
        test: A file of test rows; otherwise a share of the rows is held back.
        test_size: That share, between 0 and 1.
        group_column: Rows of one group stay together, e.g. a customer.
        time_column: Rows are split by time: the last ones test.
        weight_column: How much each row counts in learning and in scores; 0 leaves it out.
        series_id: Rows with the same value are the steps of one series, which has one value of the target.
        order_column: Order of the steps of a series; that of the rows if not given.
        series_steps: Columns that are the steps of one series, ``t1 to t96`` or ``hour_*``; one entry a series.
        families: Only these model families; with ``default`` among them, these beside the usual ones.
        drop: Columns not to use.
        preset: ``fast``, ``balanced`` or ``best``.
        search: The strategy that chooses what to try, e.g. ``auto``, ``tpe`` or ``evolution``.
        scheduler: What ends hopeless trials early, e.g. ``median`` or ``none``; chosen if not given.
        nas: How architectures of networks are searched: ``joint`` with everything else, ``none``, ``supernet``, or a
            strategy of their own.
        space: A YAML file with search spaces of your own.
        pretrained: Network that others have trained, to read images or texts: ``auto`` takes one that is installed
            where the time allows it, ``none`` takes none; or the folder of one, or its name on the Hugging Face hub.
        max_latency: Longest time that predicting one row may take: seconds, or words like ``5ms``.
        max_size: Largest size of the model on disk: bytes, or words like ``2MB``.
        max_memory: Most memory that loading the model and predicting may take: bytes, or words like ``500MB``.
        workers: Trials at a time.
        address: A running Ray cluster.
        out: The run folder; a new one under ``autodl-runs`` if not given.
        seed: Seed of everything random.
        resume: Go on with an interrupted run in ``out``.
        trust: You made that run yourself: models in it that are stored as pickles may be opened.
        report: Explain the model and write ``report.html``; without it a run is a little quicker, and
            ``Run.write_report`` can make up for it, except for the explanation.
        listener: Called with an ``autodl.events`` event whenever something happens.

    Raises:
        AutodlError: Bad input, with what is wrong and what to do; ``ConfigError`` and ``DataError`` are also
            ``ValueError``.
    """
    from autodl.pipeline import run_fit
    from autodl.waiting import wait_briefly

    started = time.time()
    wait_briefly(os.environ)
    options = build_options(
        target=target, task=task, time_budget=time_budget, max_trials=max_trials, metric=metric,
        quantiles=quantiles, test=test,
        test_size=test_size, group_column=group_column, time_column=time_column, weight_column=weight_column,
        series_id=series_id, order_column=order_column, series_steps=series_steps,
        families=families, drop=drop, seed=seed, workers=workers, address=address, preset=preset, search=search,
        scheduler=scheduler, nas=nas, space=space, pretrained=pretrained, max_latency=max_latency, max_size=max_size,
        max_memory=max_memory, report=report,
    )  # fmt: skip
    source = _source(data)
    if not callable(listener):
        raise ConfigError(f"listener must be a function, but got a {type(listener).__name__}")
    with python_words(), _folder(out, resume) as folder:
        run_fit(
            source, options, folder, listener=listener, started=started, command=_call(source, options),
            resume=resume, trust=trust,
        )  # fmt: skip
    run = Run(folder, trust=trust)
    if guess := only_guess(run.record, RunFolder(folder).read("evaluation", Evaluation), python=True):
        warnings.warn(guess, stacklevel=2)
    return run


def plan(
    data: AnyFrame | str | Path,
    target: str | int | None = None,
    *,
    task: str | None = None,
    time_budget: float | str | None = None,
    max_trials: int | None = None,
    metric: str | None = None,
    quantiles: Sequence[float] | str = (),
    test: str | Path | None = None,
    test_size: float | None = None,
    group_column: str | None = None,
    time_column: str | None = None,
    weight_column: str | None = None,
    series_id: str | None = None,
    order_column: str | None = None,
    series_steps: Sequence[str] | str = (),
    families: Sequence[str] | str = (),
    drop: Sequence[str] | str = (),
    preset: str = "balanced",
    search: str = SEARCH,
    scheduler: str | None = None,
    nas: str = NAS,
    space: str | Path | None = None,
    pretrained: str | Path = PRETRAINED,
    max_latency: float | str | None = None,
    max_size: float | str | None = None,
    max_memory: float | str | None = None,
    workers: int | None = None,
    address: str | None = None,
    seed: int = 0,
) -> Planned:
    """What ``fit`` would do with the same arguments, and why; trains nothing and writes nothing.

    Raises:
        AutodlError: Bad input, with what is wrong and what to do.
    """
    from autodl.pipeline import run_plan

    options = build_options(
        target=target, task=task, time_budget=time_budget, max_trials=max_trials, metric=metric,
        quantiles=quantiles, test=test,
        test_size=test_size, group_column=group_column, time_column=time_column, weight_column=weight_column,
        series_id=series_id, order_column=order_column, series_steps=series_steps,
        families=families, drop=drop, seed=seed, workers=workers, address=address, preset=preset, search=search,
        scheduler=scheduler, nas=nas, space=space, pretrained=pretrained, max_latency=max_latency, max_size=max_size,
        max_memory=max_memory,
    )  # fmt: skip
    with python_words():
        return Planned(*run_plan(_source(data), options))


def runs(folder: str | Path = RUNS) -> list[Run]:
    """The runs in the folders directly below ``folder``, newest first."""
    from autodl.store import list_runs

    return [Run(path) for path, _ in list_runs(folder)]


def _source(data: object) -> str | pd.DataFrame:
    """A path as text, or the frame.

    Raises:
        DataError: If it is neither.
    """
    from autodl.data.frames import as_pandas

    return os.fspath(data) if isinstance(data, str | Path) else as_pandas(data)


@contextlib.contextmanager
def _folder(out: str | Path | None, resume: bool) -> Iterator[Path]:
    """The folder of a run; a new one that stays empty is taken away again."""
    from autodl.store import new_folder

    if out is not None:
        if not isinstance(out, str | Path) or not str(out):
            raise ConfigError(f"out must be the path of a folder, but got {out!r}")
        yield Path(out).expanduser()
        return
    if resume:
        raise ConfigError("resume needs the run folder", "Name it with out=...")
    made = new_folder(Path(RUNS), f"run-{datetime.now():%Y%m%d-%H%M%S}")
    try:
        yield made
    finally:
        for empty in (made, made.parent):
            with contextlib.suppress(OSError):  # it holds something
                empty.rmdir()


_PARAMETERS = {
    "time_budget_s": "time_budget",
    "max_latency_s": "max_latency",
    "max_size_bytes": "max_size",
    "max_memory_bytes": "max_memory",
}
"""Options whose parameter does not say the unit."""


def _call(source: str | pd.DataFrame, options: FitOptions) -> str:
    """The call as it could be typed, for the report: what differs from the defaults.

    >>> _call("shop.csv", FitOptions(target="price", max_trials=3, time_budget_s=None))
    "autodl.fit('shop.csv', target='price', max_trials=3)"
    """
    plain = FitOptions()
    parts = [repr(source) if isinstance(source, str) else "frame"]
    for name in FitOptions.model_fields:
        value = getattr(options, name)
        if value == getattr(plain, name) or value is None:
            continue
        shown = list(value) if isinstance(value, tuple) else getattr(value, "value", value)
        parts.append(f"{_PARAMETERS.get(name, name)}={shown!r}")
    return f"autodl.fit({', '.join(parts)})"
