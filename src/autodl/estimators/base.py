"""What the scikit-learn estimators share."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_consistent_length, check_is_fitted, column_or_1d

from autodl.defaults import NAS, PRETRAINED, SEARCH
from autodl.errors import DataError
from autodl.estimators.inputs import read_rows
from autodl.options import LARGEST_SEED, FitOptions, build_options
from autodl.records import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.api import Run
    from autodl.model import DeliveredModel
    from autodl.records import RunRecord

DEFAULT_BUDGET_S = 60.0
"""Of one fit; shorter than that of ``autodl.fit``, since cross-validation fits many times."""


class AutoEstimator(BaseEstimator):  # type: ignore[misc]
    """A search behind ``fit`` and its model behind ``predict``; parameters as in ``autodl.fit``."""

    _task: Task

    def __init__(
        self,
        time_budget: float | str | None = None,
        max_trials: int | None = None,
        metric: str | None = None,
        families: Sequence[str] | str = (),
        preset: str = "balanced",
        search: str = SEARCH,
        scheduler: str | None = None,
        nas: str = NAS,
        space: str | Path | None = None,
        pretrained: str | Path = PRETRAINED,
        max_latency: float | str | None = None,
        max_size: float | str | None = None,
        max_memory: float | str | None = None,
        workers: int | None = 1,
        out: str | Path | None = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.time_budget = time_budget
        self.max_trials = max_trials
        self.metric = metric
        self.families = families
        self.preset = preset
        self.search = search
        self.scheduler = scheduler
        self.nas = nas
        self.space = space
        self.pretrained = pretrained
        self.max_latency = max_latency
        self.max_size = max_size
        self.max_memory = max_memory
        self.workers = workers
        self.out = out
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.sparse = True
        tags.target_tags.required = True
        # With a clock, a faster or idler machine tries more models.
        tags.non_deterministic = self.max_trials is None or self.time_budget is not None
        return tags

    def _fit(self, X: Any, y: Any, target: NDArray[Any], sample_weight: Any = None) -> Self:
        """Search on rows X with the values that stand for y, and the weights of the rows."""
        options = self._options()  # before the data are touched
        frame = read_rows(self, X, reset=True)
        check_consistent_length(frame, target)
        self._columns = list(frame.columns)
        name = _unused_name(y, self._columns)
        frame[name] = target
        options = options.model_copy(update={"target": name})
        if sample_weight is not None:
            weights = _unused_name(None, list(frame.columns), "sample_weight")
            frame[weights] = _check_sample_weight(sample_weight, frame, dtype=np.float64)
            options = options.model_copy(update={"weight_column": weights})
        self.run_: Run | None = None
        if self.out is None:
            with tempfile.TemporaryDirectory(prefix="autodl-") as temporary:
                run = _search(frame, options, Path(temporary))
        else:
            self.run_ = run = _search(frame, options, Path(self.out).expanduser())
        self.record_: RunRecord = run.record
        self.model_: DeliveredModel = run.model
        return self

    def _options(self) -> FitOptions:
        return build_options(
            task=self._task.value,
            time_budget=self.time_budget,
            max_trials=self.max_trials,
            metric=self.metric,
            families=self.families,
            preset=self.preset,
            search=self.search,
            scheduler=self.scheduler,
            nas=self.nas,
            space=self.space,
            pretrained=self.pretrained,
            max_latency=self.max_latency,
            max_size=self.max_size,
            max_memory=self.max_memory,
            workers=self.workers,
            seed=resolve_seed(self.random_state),
            report=self.out is not None,
            default_budget_s=DEFAULT_BUDGET_S,
        )

    def _raw(self, X: Any) -> NDArray[Any]:
        """(n, K) probabilities or (n,) values for rows X."""
        from autodl.data import apply_schema, count_misfits, merge_misfits
        from autodl.data.series.road import raw_as_trained
        from autodl.data.unusable import UNSEEN, count_far
        from autodl.media.place import passing_place

        check_is_fitted(self, "model_")
        features = self.model_.manifest.features
        frame = read_rows(self, X, reset=False, words=features.word_columns)
        frame.columns = self._columns
        frame = raw_as_trained(frame, features, "X")
        with passing_place() as place:  # whoever predicts again and again must not fill the disk
            rows = apply_schema(frame, features, where="X", place=place)
            for misfit in merge_misfits([*count_misfits(frame, rows, features), *count_far(rows, features)]):
                if misfit.what != UNSEEN:  # in cross-validation rare categories are nothing odd
                    warnings.warn(str(misfit), stacklevel=3)  # where the user calls ``predict``
            return self.model_.predict_raw(rows)


def target_values(y: Any, estimator: BaseEstimator) -> NDArray[Any]:
    """(n,) values of y, all of which are there.

    Raises:
        ValueError: In the words that scikit-learn asks for.
    """
    import pandas as pd

    if y is None:
        raise DataError(f"{type(estimator).__name__} requires y to be passed, but the target y is None")
    values: NDArray[Any] = column_or_1d(y, warn=True)
    if pd.isna(values).any():  # also None, NaT and pandas' NA, which scikit-learn does not see
        raise DataError("Input y contains NaN", "Leave out the rows in which y is missing.")
    assert_all_finite(values, input_name="y")
    return values


def _search(frame: Any, options: FitOptions, parent: Path) -> Run:
    from datetime import datetime

    from autodl.api import Run
    from autodl.pipeline import run_fit
    from autodl.records import Evaluation
    from autodl.report.only_guess import only_guess
    from autodl.spelling import python_words
    from autodl.store import RunFolder, new_folder

    folder = new_folder(parent, f"run-{datetime.now():%Y%m%d-%H%M%S}")
    with python_words():
        run_fit(frame, options, folder)
    run = Run(folder)
    _ = run.model  # while its files exist
    if guess := only_guess(run.record, RunFolder(folder).read("evaluation", Evaluation), python=True):
        warnings.warn(guess, stacklevel=4)  # where the user calls ``fit``
    return run


def resolve_seed(random_state: int | np.random.RandomState | None) -> int:
    """An integer as it is; else one drawn from the state, or from numpy's global one."""
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(LARGEST_SEED, dtype=np.uint32))
    return random_state


def _unused_name(y: Any, columns: Sequence[str], default: str = "y") -> str:
    """What a column is called in the report: the name of a series, if no column has it."""
    given = getattr(y, "name", None)
    name = " ".join(given.split()) if isinstance(given, str) else ""
    name = name or default
    while name in columns:
        name += "_"
    return name
