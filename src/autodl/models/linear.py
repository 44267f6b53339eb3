"""Linear models: logistic regression, ridge, lasso and elastic net."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, as_matrix
from autodl.models._rotation import MOST_ROWS, rotated
from autodl.models._rounds import rounds
from autodl.models.base import CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe
from autodl.records.recipe import BENT_COLUMNS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_NEWTON_SIZE = 600
"""Up to this many coefficients a Newton step (a dense Hessian) is cheaper than many quasi-Newton steps."""


class LinearConfig(FamilyConfig):
    """Penalty and its strength."""

    penalty: Literal["l2", "l1", "elasticnet"] = "l2"
    C: float = Field(1.0, gt=0)
    """Inverse of the penalty's weight against the loss summed over the rows."""
    l1_ratio: float = Field(0.5, ge=0, le=1)
    """Share of the absolute penalty in ``elasticnet``."""
    max_iter: int = Field(300, ge=1)
    objective: Literal["auto", "poisson", "tweedie", "gamma"] = "auto"
    """Of regression: ``auto`` is squared errors; the others are generalized linear models with a logarithmic link,
    whose penalty is that of squares."""


class LinearEstimator(ArrayEstimator):
    """Logistic regression for classes; ridge, lasso or elastic net for numbers; quantile regression for quantiles.

    Args:
        config: Penalty.
        meta: About the task.
    """

    def __init__(self, config: LinearConfig, meta: Meta) -> None:
        super().__init__(meta)
        self.config = config
        self.raw_target = config.objective != "auto"
        self._ceiling = np.inf
        self._model: Any = None
        self._mean, self._deviation = 0.0, 1.0
        self._coefficients: NDArray[np.float64] = np.empty(0)

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
        if not X.is_sparse:
            matrix = matrix.astype(np.float64)
        with warnings.catch_warnings():
            # Iterations are limited on purpose; a nearly converged model is a valid candidate.
            warnings.filterwarnings("ignore", category=ConvergenceWarning)
            warnings.filterwarnings("ignore", message="Ill-conditioned matrix")
            if self.is_classifier:
                self._train_logistic(matrix, y, weight, deadline)
            elif self.meta.quantiles:
                self._train_quantiles(matrix, y, weight, deadline)
            elif self.config.objective != "auto":
                self._train_generalized(matrix, y, weight, deadline)
            else:
                self._train_regression(matrix, y, weight)

    def _train_logistic(self, matrix: Any, y: NDArray[Any], weight: NDArray[Any] | None, deadline: Deadline) -> None:
        from sklearn.linear_model import LogisticRegression

        c = self.config
        few = rotated(matrix) if c.penalty == "l2" else None
        matrix = matrix if few is None else few[0]
        n, p = matrix.shape
        ratio = {"l2": 0.0, "l1": 1.0, "elasticnet": c.l1_ratio}[c.penalty]
        if ratio == 0.0:
            outputs = 1 if self.n_present == 2 else self.n_present
            small = isinstance(matrix, np.ndarray) and p * outputs <= _NEWTON_SIZE and (n > p or few is not None)
            solver = "newton-cholesky" if small else "lbfgs"
        else:
            solver = "liblinear" if ratio == 1.0 and self.n_present == 2 else "saga"
        # The steps of saga are passes over the rows. liblinear cannot go on where it stopped, but it is quick.
        first = {"lbfgs": 25, "liblinear": c.max_iter}.get(solver, 5)
        model = LogisticRegression(
            C=c.C,
            l1_ratio=ratio,
            solver=solver,
            warm_start=solver != "liblinear",
            random_state=self.meta.seed,
            max_iter=first,
            tol=1e-3 if solver in ("saga", "liblinear") else 1e-4,
            # liblinear penalizes the intercept as one weight more, of a column with this value; the others do not.
            intercept_scaling=100.0,
        )
        done = 0
        for steps in rounds(first, c.max_iter, deadline):
            model.max_iter = steps
            model.fit(matrix, y, sample_weight=weight)
            if int(np.max(model.n_iter_)) < steps:
                break
            done += steps
        else:
            self.cut_short = done < c.max_iter
        if few is not None:
            model.coef_, model.n_features_in_ = model.coef_ @ few[1], few[1].shape[1]
        self._model = model

    def _train_regression(self, matrix: Any, y: NDArray[Any], weight: NDArray[Any] | None) -> None:
        from sklearn.linear_model import ElasticNet, Ridge

        c = self.config
        n, p = matrix.shape
        # Unit targets make C mean the same on every table.
        self._mean = float(np.average(y, weights=weight))
        self._deviation = float(np.sqrt(np.average((y - self._mean) ** 2, weights=weight))) or 1.0
        target = (y - self._mean) / self._deviation
        few = rotated(matrix) if c.penalty == "l2" else None
        if few is not None:
            self._model = Ridge(alpha=1.0 / c.C, solver="cholesky").fit(few[0], target, sample_weight=weight)
            self._model.coef_, self._model.n_features_in_ = self._model.coef_ @ few[1], few[1].shape[1]
            return
        if c.penalty == "l2":
            dense = isinstance(matrix, np.ndarray)
            solver = "cholesky" if dense and p <= 5_000 else "lsqr" if dense else "sparse_cg"
            self._model = Ridge(alpha=1.0 / c.C, solver=solver, random_state=self.meta.seed)
        else:
            # scikit-learn divides the squared loss by 2 n, n being the sum of the weights.
            total = _total(n, weight)
            ratio = 1.0 if c.penalty == "l1" else max(c.l1_ratio, 0.01)
            precompute = isinstance(matrix, np.ndarray) and n > p
            self._model = ElasticNet(
                alpha=1.0 / (2.0 * total * c.C), l1_ratio=ratio, max_iter=c.max_iter, tol=1e-3, precompute=precompute
            )
        self._model.fit(matrix, target, sample_weight=weight)

    def _train_generalized(
        self, matrix: Any, y: NDArray[Any], weight: NDArray[Any] | None, deadline: Deadline
    ) -> None:
        from sklearn.linear_model import TweedieRegressor

        n, p = matrix.shape
        self._mean = float(np.average(y, weights=weight)) or 1.0
        # A line in logarithms must not answer with astronomic values where it extrapolates.
        self._ceiling = 10.0 * float(y.max())
        if self._ceiling <= 0:  # nothing but zeros, whose logarithm no line reaches
            self._coefficients = np.zeros(p + 1)
            return
        dense = isinstance(matrix, np.ndarray) and p <= _NEWTON_SIZE < n
        model = TweedieRegressor(
            power={"poisson": 1.0, "tweedie": 1.5, "gamma": 2.0}[self.config.objective],
            link="log",
            alpha=1.0 / (_total(n, weight) * self.config.C),
            solver="newton-cholesky" if dense else "lbfgs",
            warm_start=True,
        )
        done = 0
        for steps in rounds(5 if dense else 25, self.config.max_iter, deadline):
            model.max_iter = steps
            model.fit(matrix, y / self._mean, sample_weight=weight)
            if model.n_iter_ < steps:
                break
            done += steps
        else:
            self.cut_short = done < self.config.max_iter
        self._coefficients = np.append(model.coef_, model.intercept_)

    def _train_quantiles(self, matrix: Any, y: NDArray[Any], weight: NDArray[Any] | None, deadline: Deadline) -> None:
        """One line a level, each begun at the one before; the penalty is always that of squares."""
        from autodl.models._quantile_regression import bandwidth, crowding, fit_quantile

        n, p = matrix.shape
        if np.ptp(y) == 0:  # smoothing would spread the quantiles of a single value
            self._mean, self._coefficients = float(y[0]), np.zeros((len(self.meta.quantiles), p + 1))
            return
        self._mean = float(np.average(y, weights=weight))
        self._deviation = float(np.sqrt(np.average((y - self._mean) ** 2, weights=weight))) or 1.0
        target = (y - self._mean) / self._deviation
        mass = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
        penalty = 1.0 / (_total(n, weight) * self.config.C)
        crowded = crowding(matrix, mass, penalty)
        lines: list[NDArray[np.float64]] = []
        for level in self.meta.quantiles:
            start = lines[-1] if lines else None
            lines.append(
                fit_quantile(
                    matrix, target, mass, level,
                    penalty=penalty, h=bandwidth(n, crowded, level),
                    max_iter=self.config.max_iter, deadline=deadline, start=start,
                )
            )  # fmt: skip
        self._coefficients = np.array(lines)

    def _raw(self, X: Features) -> NDArray[Any]:
        matrix = as_matrix(X)
        if self.meta.quantiles:
            lines = self._coefficients
            return np.asarray(matrix @ lines[:, :-1].T + lines[:, -1]) * self._deviation + self._mean
        if self.is_classifier:
            return np.asarray(self._model.predict_proba(matrix))
        if self.config.objective != "auto":
            if self._ceiling <= 0:
                return np.zeros(len(X))
            lines = self._coefficients
            linear = np.minimum(
                np.asarray(matrix @ lines[:-1]).ravel() + lines[-1], np.log(self._ceiling / self._mean)
            )
            return np.asarray(np.exp(linear) * self._mean)
        answer = np.asarray(self._model.predict(matrix)).ravel()
        return answer * self._deviation + self._mean


def _total(n: int, weight: NDArray[Any] | None) -> float:
    """Rows, or their weights, that a penalty is held against."""
    return float(n if weight is None else weight.sum())


class Linear(Family):
    """A weighted sum of the columns."""

    key = "linear"
    other_names = ("logistic", "logistic_regression", "linear_regression", "ridge", "lasso", "elastic_net", "glm")
    name = "Linear model"
    summary = "Adds up the columns, each with its own weight; simple, quick, and often enough."
    paper = (
        "Hoerl & Kennard 1970 (ridge); Tibshirani 1996 (lasso); Zou & Hastie 2005 (elastic net); Cox 1958 (logistic)"
    )
    recipe = Recipe(
        outliers="clip", scale="standard", crosses=10, segments=6, categories="onehot",
        text="tfidf", text_statistics=False, text_once=True, text_ratios=True, series="rocket", target="standard",
    )  # fmt: skip
    config = LinearConfig
    complexity = 1
    random = False
    quantiles = True
    order = 1
    stored_types = (
        "sklearn.linear_model:ElasticNet",
        "sklearn.linear_model:LogisticRegression",
        "sklearn.linear_model:Ridge",
    )

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """Iterations times the cells of the matrix (after one-hot encoding), or Newton steps with their Hessians."""
        assert isinstance(config, LinearConfig)
        # Numbers as bent lines; terms of texts: so many weights in a row.
        bent = 10 + min(6 * shape.numeric, BENT_COLUMNS, shape.rows // 10)
        wide = shape.numeric + bent + min(shape.levels, 30 * shape.categorical)
        outputs = shape.classes if shape.classes > 2 else 1
        seconds, turned = 0.0, config.penalty == "l2" and not shape.text and not shape.quantiles
        if turned and 2 * shape.rows <= wide and shape.rows <= MOST_ROWS:
            # Few rows are turned into as few columns first.
            seconds, wide_before = shape.rows**2 * (wide * 1.0e-10 + shape.rows * 6.0e-10), wide
            wide = shape.rows
        else:
            wide_before = wide
        cells = shape.rows * (wide + 250.0 * shape.text)
        if shape.quantiles:
            seconds += min(config.max_iter, 100.0) * cells * shape.quantiles * 4.0e-9
        elif config.penalty == "l2" and shape.classes == 0:
            seconds += cells * wide * 2.0e-10 + cells * 1e-8
        elif config.penalty == "l2" and wide * outputs <= _NEWTON_SIZE and not shape.text:
            seconds += cells * wide * outputs**2 * 2.0e-9
        elif config.penalty == "l2":
            seconds += 100.0 * cells * outputs * 2.0e-9
        else:
            passes = 40.0 if shape.classes == 0 else 60.0 if outputs == 1 and config.penalty == "l1" else 200.0
            seconds += min(config.max_iter, passes) * cells * outputs * 4.0e-9
        bytes_ = 16.0 * shape.rows * wide_before + 6.0e3 * shape.rows * shape.text
        return CostEstimate(seconds=0.05 + seconds / shape.speed, bytes=bytes_)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An untrained linear model."""
        assert isinstance(config, LinearConfig)
        return LinearEstimator(config, meta)
