"""autodl as scikit-learn estimators."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from autodl.records import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.model import DeliveredModel

TARGET = "__target__"


class _AutoEstimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share; parameters as in ``autodl.fit``."""

    _task: Task

    def __init__(
        self,
        time_budget: float | None = 60.0,
        max_trials: int | None = None,
        metric: str | None = None,
        families: Sequence[str] = (),
        preset: str = "balanced",
        workers: int | None = 1,
        out: str | None = None,
        random_state: int = 0,
    ) -> None:
        self.time_budget = time_budget
        self.max_trials = max_trials
        self.metric = metric
        self.families = families
        self.preset = preset
        self.workers = workers
        self.out = out
        self.random_state = random_state

    def _fit(self, X: Any, target: NDArray[Any]) -> Self:
        from autodl.api import fit
        from autodl.model import DeliveredModel
        from autodl.store import RunFolder

        frame = _frame(X)
        check_consistent_length(frame, target)
        self.n_features_in_ = frame.shape[1]
        if isinstance(X, pd.DataFrame):
            self.feature_names_in_ = np.asarray(frame.columns, dtype=object)
        self._columns = list(frame.columns)
        frame = frame.assign(**{TARGET: target})
        with tempfile.TemporaryDirectory(prefix="autodl-") as temporary:
            run = fit(
                frame,
                TARGET,
                task=self._task.value,
                time_budget=self.time_budget,
                max_trials=self.max_trials,
                metric=self.metric,
                families=tuple(self.families),
                preset=self.preset,
                workers=self.workers,
                out=self.out or Path(temporary) / "run",
                seed=self.random_state,
            )
            self.record_ = run.record
            self.model_: DeliveredModel = DeliveredModel(RunFolder(run.folder))
        return self

    def _raw(self, X: Any) -> NDArray[Any]:
        from autodl.data import apply_schema

        check_is_fitted(self, "model_")
        frame = _frame(X)
        if frame.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {frame.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        if not isinstance(X, pd.DataFrame):
            frame.columns = pd.Index(self._columns)
        return self.model_.predict_raw(apply_schema(frame, self.model_.manifest.features, where="X"))


class AutoClassifier(ClassifierMixin, _AutoEstimator):  # type: ignore[misc]
    """The best classifier found inside ``time_budget`` seconds.

    Attributes:
        classes_: (K,) class labels. record_: The run's summary. model_: The delivered model.
    """

    _task = Task.CLASSIFICATION

    def fit(self, X: Any, y: Any) -> Self:
        """Search and train.

        Args:
            X: (n, p) frame or array. y: (n,) labels.
        """
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        # Classes travel as names that sort like their codes, whatever the labels are made of.
        names = np.array([f"class {i:06d}" for i in range(len(self.classes_))], dtype=object)
        return self._fit(X, names[codes])

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """(n, K) probabilities in the order of ``classes_``."""
        return self._raw(X)

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) labels: the most probable ones, or by the cut of the run where its metric counts decisions."""
        labels: NDArray[Any] = self.classes_[self.model_.answers(self._raw(X))]
        return labels


class AutoRegressor(RegressorMixin, _AutoEstimator):  # type: ignore[misc]
    """The best regressor found inside ``time_budget`` seconds.

    Attributes:
        record_: The run's summary. model_: The delivered model.
    """

    _task = Task.REGRESSION

    def fit(self, X: Any, y: Any) -> Self:
        """Search and train.

        Args:
            X: (n, p) frame or array. y: (n,) numbers.
        """
        return self._fit(X, column_or_1d(y, warn=True).astype(np.float64))

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) values."""
        return self._raw(X)


def _frame(X: Any) -> pd.DataFrame:
    if isinstance(X, pd.DataFrame):
        return X.reset_index(drop=True)
    array = np.asarray(X)
    if array.ndim != 2:
        raise ValueError(f"Expected 2D array, got {array.ndim}D array instead. Reshape your data.")
    return pd.DataFrame(array, columns=[f"x{i}" for i in range(array.shape[1])])
