"""Support vector machines for small tables."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, as_matrix
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_CACHE_MB = 400


class SVMConfig(FamilyConfig):
    """Kernel and penalty."""

    kernel: Literal["rbf", "linear", "poly"] = "rbf"
    C: float = Field(1.0, gt=0)
    gamma: float = Field(1.0, gt=0)
    """Width of the kernel as a multiple of 1 / (columns * variance)."""
    epsilon: float = Field(0.05, ge=0)
    """Half-width of the tube without loss, in deviations of the target (regression)."""


class SVMEstimator(ArrayEstimator):
    """SVC with probabilities by sigmoids fitted on cross-validated margins (Platt 1999), or SVR on unit targets.

    Args:
        config: Hyperparameters.
        meta: About the task.
    """

    _lone: tuple[int, ...] = ()
    """Codes of classes with a single training row, beside at least two others."""
    _lone_share: float = 0.0
    """Probability of each of them: half a row's."""

    def __init__(self, config: SVMConfig, meta: Meta) -> None:
        super().__init__(meta)
        self.config = config
        self._model: Any = None
        self._mean, self._deviation = 0.0, 1.0

    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        from sklearn.exceptions import ConvergenceWarning

        matrix = as_matrix(X)
        # libsvm cannot be interrupted, so what would not finish must not start.
        needed = _seconds(len(y), matrix.shape[1], self.n_present)
        if deadline.left() < 0.5 * needed:
            raise TimeoutError(f"about {needed:.1f} s are needed, {deadline.left():.1f} s are left")
        with warnings.catch_warnings():
            # The iteration limit is a guard against endless runs on unscaled columns.
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            if self.is_classifier:
                self._train_classifier(matrix, y, weight)
            else:
                self._train_regressor(matrix, y, weight)

    def _common(self, matrix: Any, weight: NDArray[Any] | None) -> dict[str, Any]:
        c = self.config
        share = np.full(matrix.shape[0], 1 / matrix.shape[0]) if weight is None else weight / weight.sum()
        squared = matrix**2 if isinstance(matrix, np.ndarray) else matrix.multiply(matrix).tocsr()
        variance = float(np.mean(share @ squared) - np.mean(share @ matrix) ** 2)
        gamma = c.gamma / (matrix.shape[1] * variance) if variance > 0 else 1.0
        return {
            "kernel": c.kernel,
            "C": c.C,
            "gamma": gamma,
            "cache_size": _CACHE_MB,
            "max_iter": 200 * matrix.shape[0],
        }

    def _train_classifier(self, matrix: Any, y: NDArray[Any], weight: NDArray[Any] | None) -> None:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC

        sizes = np.bincount(y)
        several = np.flatnonzero(sizes >= 2)
        self._lone = ()
        if 2 <= len(several) < len(sizes):
            # Their margins cannot be calibrated, and without them those of the others can.
            self._lone = tuple(np.flatnonzero(sizes < 2).tolist())
            rows = np.flatnonzero(sizes[y] >= 2)
            matrix, y, weight = matrix[rows], y[rows], None if weight is None else weight[rows]
            self._lone_share = 0.5 / (len(rows) + 0.5 * len(sizes))
            sizes, y = sizes[several], np.searchsorted(several, y)
        machine = SVC(**self._common(matrix, weight), random_state=self.meta.seed)
        folds = min(3, int(sizes.min()))
        if folds >= 2:
            self._model = CalibratedClassifierCV(machine, method="sigmoid", cv=folds, ensemble=False)
        else:
            self._model = machine
        self._model.fit(matrix, y, sample_weight=weight)

    def _train_regressor(self, matrix: Any, y: NDArray[Any], weight: NDArray[Any] | None) -> None:
        from sklearn.svm import SVR

        self._mean = float(np.average(y, weights=weight))
        self._deviation = float(np.sqrt(np.average((y - self._mean) ** 2, weights=weight))) or 1.0
        self._model = SVR(**self._common(matrix, weight), epsilon=self.config.epsilon)
        self._model.fit(matrix, (y - self._mean) / self._deviation, sample_weight=weight)

    def _raw(self, X: Features) -> NDArray[Any]:
        matrix = as_matrix(X)
        if not self.is_classifier:
            return np.asarray(self._model.predict(matrix)) * self._deviation + self._mean
        if hasattr(self._model, "predict_proba"):
            proba = np.asarray(self._model.predict_proba(matrix))
            for code in self._lone:  # ascending
                proba = np.insert(proba * (1.0 - self._lone_share), code, self._lone_share, axis=1)
            return proba
        # A single other class leaves nothing to calibrate on: margins through a logistic function.
        from scipy.special import expit, softmax

        margins = np.asarray(self._model.decision_function(matrix))
        return np.asarray(expit(margins) if margins.ndim == 1 else softmax(margins, axis=1))


def _seconds(n: float, p: float, n_classes: int) -> float:
    """Wall seconds of a fit on n rows and p columns on one core; classification fits 1 + 3 * (2/3)^2 machines."""
    fits = 2.3 if n_classes else 1.0
    # One-against-one splits the rows, so many classes cost little more than two.
    return 0.02 + fits * n**2 * (p + 20.0) * 6.0e-10


class SVM(Family):
    """Kernel machines."""

    key = "svm"
    other_names = ("svc", "svr")
    name = "Support vector machine"
    summary = "Draws the smoothest boundary between the groups that few rows violate; good on small tables."
    paper = "Cortes & Vapnik 1995, Support-vector networks, Machine Learning"
    recipe = Recipe(outliers="clip", scale="standard", categories="onehot", text="svd", target="standard")
    config = SVMConfig
    complexity = 4
    random = False
    order = 9
    max_rows = 10_000
    stored_types = (
        "sklearn.calibration:CalibratedClassifierCV",
        "sklearn.calibration:_CalibratedClassifier",
        "sklearn.calibration:_SigmoidCalibration",
        "sklearn.svm:SVC",
        "sklearn.svm:SVR",
    )

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """Grows with the square of the rows."""
        wide = shape.numeric + min(shape.levels, 30 * shape.categorical) + 44 * shape.text
        return CostEstimate(
            seconds=_seconds(shape.rows, wide, shape.classes) / shape.speed, bytes=8.0 * shape.rows * wide + 4e8
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An untrained machine."""
        assert isinstance(config, SVMConfig)
        return SVMEstimator(config, meta)
