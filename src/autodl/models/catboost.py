"""Gradient-boosted symmetric trees with ordered target statistics for categories (CatBoost)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, centre_and_unit, thin_curve
from autodl.models._weighted_quantiles import weighted_quantiles
from autodl.models.base import ABSOLUTE_METRICS, CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe
from autodl.watch import Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features


ROUNDS = 60.0
"""Rounds times learning rate at which the progress of training is 1."""
_SAMPLED_ROWS = 50
"""With fewer, CatBoost may refuse to draw a part of them."""


class CatBoostConfig(FamilyConfig):
    """Names as in CatBoost, see https://catboost.ai/docs/en/references/training-parameters."""

    n_estimators: int = Field(2000, ge=1)
    """Boosting rounds at most; early stopping on validation rows usually ends sooner."""
    learning_rate: float = Field(0.1, gt=0, le=1)
    depth: int = Field(6, ge=1, le=12)
    grow_policy: Literal["SymmetricTree", "Depthwise", "Lossguide"] = "SymmetricTree"
    l2_leaf_reg: float = Field(3.0, ge=0)
    random_strength: float = Field(1.0, ge=0)
    bootstrap_type: Literal["Bayesian", "Bernoulli", "MVS"] = "MVS"
    """How rows are drawn for each tree: random weights, a random part, or a part that favours large gradients."""
    bagging_temperature: float = Field(1.0, ge=0)
    """Of ``Bayesian``: 0 gives all rows the same weight."""
    subsample: float = Field(0.8, gt=0, le=1)
    """Part of the rows of ``Bernoulli`` and ``MVS``."""
    colsample_bylevel: float = Field(1.0, gt=0, le=1)
    border_count: int = Field(128, ge=1)
    max_ctr_complexity: int = Field(1, ge=1, le=4)
    """How many categorical columns are combined into one."""
    one_hot_max_size: int = Field(2, ge=2, le=255)
    min_data_in_leaf: int = Field(1, ge=1)
    leaf_estimation_iterations: int = Field(1, ge=1, le=20)
    objective: Literal["auto", "poisson", "tweedie"] = "auto"
    """Of regression: ``auto`` follows the metric; the others have a logarithmic link and need targets from 0 on."""
    patience: int = Field(0, ge=0)
    """Rounds without progress before stopping; 0 means 5 / learning_rate, within 30 to 100."""


class CatBoostEstimator(ArrayEstimator):
    """One model.

    Args:
        config: Hyperparameters.
        meta: About the task.
    """

    _centre: float = 0.0
    _unit: float = 1.0
    """The trees have learnt (target - centre) / unit; those of earlier versions the target as it was."""

    def __init__(self, config: CatBoostConfig, meta: Meta) -> None:
        super().__init__(meta)
        self.config = config
        self.raw_target = config.objective != "auto"
        self._mean = 1.0
        self._model: Any = None
        self._stored = b""
        self._answer: NDArray[np.float64] = np.empty(0)

    def __getstate__(self) -> dict[str, Any]:
        """The model travels as the bytes of CatBoost's own file format."""
        stored = self._stored if self._model is None else _file_bytes(self._model)
        return {**self.__dict__, "_model": None, "_stored": stored}

    @property
    def _by_factors(self) -> bool:
        """Whether it predicts the logarithm of a number."""
        return not self.is_classifier and not self.meta.quantiles and self.config.objective != "auto"

    def _loss(self) -> tuple[str, str]:
        """Loss and the metric of early stopping, CatBoost's names."""
        if self.n_present == 2:
            # Also for AUC: on few validation rows AUC jumps about, stops too early and spoils the probabilities.
            return "Logloss", "Logloss"
        if self.is_classifier:
            return "MultiClass", "MultiClass"
        if self.meta.quantiles:
            kind = "MultiQuantile" if len(self.meta.quantiles) > 1 else "Quantile"
            name = f"{kind}:alpha={','.join(f'{level:.6g}' for level in self.meta.quantiles)}"
            return name, name
        if self._by_factors:
            name = "Poisson" if self.config.objective == "poisson" else "Tweedie:variance_power=1.5"
            return name, name
        return ("MAE", "MAE") if self.meta.metric in ABSOLUTE_METRICS else ("RMSE", "RMSE")

    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        from catboost import CatBoost

        c = self.config
        if y.min() == y.max() or not _varies(X):
            # CatBoost refuses constant targets and tables without a varying column.
            shares = np.bincount(y, weights=weight, minlength=self.n_present) if self.is_classifier else None
            self._answer = np.array([np.average(y, weights=weight)]) if shares is None else shares / shares.sum()
            if self.meta.quantiles:
                mass = np.ones(len(y)) if weight is None else weight
                self._answer = weighted_quantiles(y, mass, self.meta.quantiles)
            return
        loss, metric = self._loss()
        if self._by_factors:
            # Boosting begins at exp(0): the mean, in units of itself.
            self._mean = float(np.average(y, weights=weight)) or 1.0
            y, y_val = y / self._mean, None if y_val is None else y_val / self._mean
        elif not self.is_classifier:
            self._centre, self._unit = centre_and_unit(y, weight)
            y = (y - self._centre) / self._unit
            y_val = None if y_val is None else (y_val - self._centre) / self._unit
        params: dict[str, Any] = c.model_dump(exclude={"n_estimators", "patience", "max_ctr_complexity", "objective"})
        if c.grow_policy == "SymmetricTree":
            del params["min_data_in_leaf"]
        if len(y) < _SAMPLED_ROWS and c.bootstrap_type != "Bayesian":
            params["bootstrap_type"] = "No"
            del params["subsample"], params["bagging_temperature"]
        else:
            del params["subsample" if c.bootstrap_type == "Bayesian" else "bagging_temperature"]
        if X.n_categorical:
            params["max_ctr_complexity"] = c.max_ctr_complexity
        params |= {
            "iterations": c.n_estimators, "loss_function": loss, "eval_metric": metric, "random_seed": self.meta.seed,
            "thread_count": self.meta.threads, "allow_writing_files": False, "verbose": False,
        }  # fmt: skip
        valid = None
        if X_val is not None and y_val is not None and len(np.unique(y_val)) > 1:
            valid = _pool(X_val, y_val, self.weight_val)
            params["use_best_model"] = True
            params["od_type"], params["od_wait"] = "Iter", _patience(c)
        elif X_val is not None:  # validation rows that tell nothing of when to stop
            params["iterations"] = min(c.n_estimators, round(self._length()))
            self.refit = {"n_estimators": params["iterations"]}
        stop = _StopAt(deadline, self._length(), None if valid is None else self.watch, self._unit)
        model = CatBoost(params)
        model.fit(_pool(X, y, weight), eval_set=valid, callbacks=[stop])
        self._model = model
        if valid is not None:
            results = model.get_evals_result()
            train = _only(results["learn"], self._unit) if results.get("learn") else None
            self.curve = thin_curve(_only(results["validation"], self._unit), train, length=self._length())
            self.refit = {"n_estimators": max(1, int(model.tree_count_))}

    def _length(self) -> float:
        """Rounds after which hardly a booster with this learning rate still learns."""
        return ROUNDS / self.config.learning_rate

    def _raw(self, X: Features) -> NDArray[Any]:
        if self._model is None and self._stored:
            from catboost import CatBoost

            self._model = CatBoost().load_model(blob=self._stored)
        if self._model is None:
            rows = np.tile(self._answer, (len(X), 1))
            return rows if self.is_classifier or self.meta.quantiles else rows[:, 0]
        kind = "Probability" if self.is_classifier else "RawFormulaVal"
        raw = np.asarray(self._model.predict(_pool(X), prediction_type=kind, thread_count=self.meta.threads))
        if self.is_classifier:
            return raw
        return np.exp(raw) * self._mean if self._by_factors else raw * self._unit + self._centre


def _patience(config: CatBoostConfig) -> int:
    """Rounds without progress before stopping."""
    return config.patience or int(min(100, max(30, round(5.0 / config.learning_rate))))


def _usual_rounds(config: CatBoostConfig, shape: Shape) -> float:
    """Rounds to the best one: more rows carry more of them; two classes are learnt soonest, many classes slowly.

    Through the middle of what fifteen tables of 140 to 13,000 rows showed, where single ones differ by a factor of 2.
    """
    thousands = shape.rows / 1_000
    if shape.classes == 2:
        length = min(60.0, max(8.0, 18.0 * thousands**0.4))
    elif shape.classes:
        length = min(100.0, max(35.0, 55.0 * thousands**0.25))
    else:
        length = min(120.0, max(25.0, 45.0 * thousands**0.4))
    return float(length / config.learning_rate)


def _file_bytes(model: Any) -> bytes:
    with tempfile.TemporaryDirectory(prefix="autodl-") as folder:
        path = Path(folder) / "model.cbm"
        model.save_model(str(path), format="cbm")
        return path.read_bytes()


class _StopAt:
    """Ends training after the round in which the deadline passes or the watch says so."""

    def __init__(self, deadline: Deadline, length: float, watch: Watch | None, unit: float) -> None:
        self.deadline, self.length, self.watch, self.unit = deadline, length, watch, unit

    def after_iteration(self, info: Any) -> bool:
        """Whether to go on."""
        if self.watch is not None:
            losses = _only(info.metrics["validation"], self.unit)
            if self.watch(min(1.0, len(losses) / self.length), losses[-1]):
                return False
        return not self.deadline.passed()


def _only(losses: dict[str, list[float]], unit: float) -> list[float]:
    """The history of the one metric: CatBoost writes its name anew, with levels such as 0.9999 rounded to 1."""
    (values,) = losses.values()
    return values if unit == 1.0 else [unit * v for v in values]


def _varies(X: Features) -> bool:
    """Whether any column has two values."""
    if X.is_sparse:
        return bool(X.numeric.nnz)
    filled = np.nan_to_num(X.numeric, nan=np.inf)
    if X.n_numeric and (filled != filled[:1]).any():
        return True
    return bool(X.n_categorical and (X.categorical != X.categorical[:1]).any())


def _pool(X: Features, y: NDArray[Any] | None = None, weight: NDArray[Any] | None = None) -> Any:
    """CatBoost's data set: numeric columns, then codes as categories."""
    import pandas as pd
    from catboost import Pool

    if X.n_categorical == 0:
        return Pool(X.numeric, label=y, weight=weight)
    p = X.n_numeric
    columns: dict[int, Any] = dict(enumerate(X.dense().T))
    frame = pd.DataFrame(columns | {p + j: codes for j, codes in enumerate(X.categorical.T)})
    return Pool(frame, label=y, weight=weight, cat_features=list(range(p, p + X.n_categorical)))


class CatBoostFamily(Family):
    """Symmetric trees and ordered target statistics."""

    key = "catboost"
    name = "CatBoost"
    summary = "Hundreds of small decision trees, each correcting the ones before it; very good with categories."
    paper = "Prokhorenkova et al. 2018, CatBoost: unbiased boosting with categorical features, NeurIPS"
    recipe = Recipe(impute="none", categories="codes", text="svd", text_components=16, text_terms=32)
    config = CatBoostConfig
    complexity = 5
    quantiles = True
    haste = ("learning_rate", 0.3)
    order = 4

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """Rounds times the rows and columns scanned at each level."""
        assert isinstance(config, CatBoostConfig)
        columns = shape.numeric + 60 * shape.text
        c, n = config, shape.rows
        used = columns * c.colsample_bylevel
        # The rows of each column are scanned a level, and the bins of each leaf, twice where leaves are split one by
        # one. Statistics of categories cost twice a number, their combinations three times as much again.
        rows = 3.5e-9 * n * used * c.depth
        bins = 5.0e-9 * used * min(c.border_count, n) * 2.0**c.depth
        bins *= 1.0 if c.grow_policy == "SymmetricTree" else 2.0
        words = 8.0e-9 * n * shape.categorical * 3.0 ** (c.max_ctr_complexity - 1) * c.depth
        one = 2.0e-4 + rows + bins + words + 2.0e-8 * n * c.leaf_estimation_iterations
        outputs = max(shape.classes, shape.quantiles)
        one *= max(1.0, 0.42 * outputs) if outputs > 2 else 1.0
        rounds = min(c.n_estimators, _usual_rounds(c, shape) + _patience(c))
        speed = shape.speed * shape.threads**0.8
        size = shape.rows * (columns + 20.0 * shape.categorical) * 4.0
        statistics = 12.0 * columns * min(254, shape.rows) * 2.0**config.depth
        return CostEstimate(seconds=0.02 + rounds * one / speed, bytes=size + statistics + 5.0e7)

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An untrained model."""
        assert isinstance(config, CatBoostConfig)
        return CatBoostEstimator(config, meta)
