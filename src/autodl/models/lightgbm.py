"""Gradient-boosted trees grown leaf by leaf (LightGBM)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.models._arrays import ArrayEstimator, as_matrix, centre_and_unit, thin_curve
from autodl.models.base import ABSOLUTE_METRICS, CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe
from autodl.watch import Watch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_THREADED_CELLS = 50_000
"""Rows times columns below which waking other threads costs more than they give."""


class LightGBMConfig(FamilyConfig):
    """Names as in LightGBM, see https://lightgbm.readthedocs.io/en/latest/Parameters.html."""

    n_estimators: int = Field(10_000, ge=1)
    """Boosting rounds at most; early stopping on validation rows or the deadline ends sooner."""
    learning_rate: float = Field(0.04, gt=0, le=1)
    num_leaves: int = Field(24, ge=2)
    max_depth: int = -1
    min_data_in_leaf: int = Field(30, ge=1)
    feature_fraction: float = Field(0.7, gt=0, le=1)
    bagging_fraction: float = Field(0.95, gt=0, le=1)
    lambda_l1: float = Field(1e-4, ge=0)
    lambda_l2: float = Field(0.01, ge=0)
    min_gain_to_split: float = Field(0.0, ge=0)
    extra_trees: bool = False
    max_bin: int = Field(255, ge=3)
    cat_smooth: float = Field(10.0, ge=0)
    cat_l2: float = Field(10.0, ge=0)
    min_data_per_group: int = Field(100, ge=1)
    max_cat_to_onehot: int = Field(4, ge=1)
    max_categories: int = Field(255, ge=2)
    """Columns with more codes are split as if the codes were numbers."""
    objective: Literal["auto", "poisson", "tweedie", "gamma"] = "auto"
    """Of regression: ``auto`` follows the metric; the others have a logarithmic link and need targets from 0 on."""
    patience: int = Field(0, ge=0)
    """Rounds without progress before stopping; 0 means 3 / learning_rate, within 30 to 200."""


class LightGBMEstimator(ArrayEstimator):
    """One booster.

    Args:
        config: Hyperparameters.
        meta: About the task.
    """

    _centre: float = 0.0
    _unit: float = 1.0
    """The booster has learnt (target - centre) / unit; those of earlier versions the target as it was."""

    def __init__(self, config: LightGBMConfig, meta: Meta) -> None:
        super().__init__(meta)
        self.config = config
        self.raw_target = config.objective != "auto"
        self._model = ""
        self._models: list[str] = []
        self._booster: Any = None
        self._boosters: list[Any] = []

    def __getstate__(self) -> dict[str, Any]:
        """The booster, or one for each quantile, travels as its text form."""
        return {**self.__dict__, "_booster": None, "_boosters": []}

    def _objective(self) -> tuple[str, str]:
        """Objective and the metric of early stopping, LightGBM's names."""
        if self.n_present == 2:
            # Also for AUC: on few validation rows AUC jumps about, stops too early and spoils the probabilities.
            return "binary", "binary_logloss"
        if self.is_classifier:
            return "multiclass", "multi_logloss"
        objective, metric = ("l1", "l1") if self.meta.metric in ABSOLUTE_METRICS else ("l2", "rmse")
        return objective if self.config.objective == "auto" else self.config.objective, metric

    def _params(self, n: int, cells: int) -> dict[str, Any]:
        c = self.config
        objective, metric = self._objective()
        params = c.model_dump(exclude={"n_estimators", "max_categories", "objective", "patience"})
        # Small data: LightGBM's own minimum leaf would forbid every split.
        params["min_data_in_leaf"] = max(1, min(c.min_data_in_leaf, n // 8))
        params["min_data_per_group"] = max(1, min(c.min_data_per_group, n // 10))
        return {
            **params, "objective": objective, "metric": metric, "verbosity": -1, "seed": self.meta.seed,
            "num_threads": self.meta.threads if cells > _THREADED_CELLS else 1,
            "deterministic": True, "force_row_wise": True,
            "bagging_freq": 1 if c.bagging_fraction < 1 else 0, "feature_pre_filter": False,
            **({"num_class": self.n_present} if objective == "multiclass" else {}),
        }  # fmt: skip

    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        import lightgbm

        params = self._params(len(X), len(X) * (X.n_numeric + X.n_categorical))
        if self.raw_target and not self.is_classifier and not np.any(y):
            params["objective"] = "l2"  # the losses with a logarithmic link refuse targets that are all 0
        if not self.is_classifier:
            self._centre, self._unit = self._scale(y, weight)
            y = (y - self._centre) / self._unit
            y_val = None if y_val is None else (y_val - self._centre) / self._unit
        categorical = [X.n_numeric + j for j, k in enumerate(X.cardinalities) if k <= self.config.max_categories]
        data = lightgbm.Dataset(
            as_matrix(X), y, weight=weight, categorical_feature=categorical, params=params, free_raw_data=True
        )
        history: list[float] = []
        trees = self.n_present if params["objective"] == "multiclass" else 1
        stop = _StopAt(deadline, trees * tree_answer_seconds(self.config.num_leaves, self.answers or 0))
        callbacks: list[Any] = [stop]
        valid = []
        record = None
        patience = _patience(self.config)
        if X_val is not None:
            valid = [data.create_valid(as_matrix(X_val), y_val, weight=self.weight_val, params=params)]
        if self.meta.quantiles:
            self._train_quantiles(params, data, valid, patience, deadline)
            return
        if valid:
            record = _Record(history, self._length(), self.watch, self._unit)
            callbacks += [record, lightgbm.early_stopping(patience, verbose=False)]
        booster = lightgbm.train(
            params, data, num_boost_round=self.config.n_estimators, valid_sets=valid, callbacks=callbacks
        )
        self.cut_short = stop.ended and booster.current_iteration() < self.config.n_estimators
        best = booster.best_iteration if booster.best_iteration > 0 else booster.current_iteration()
        if history and best > len(history):
            best = len(history)
        if history and (stop.ended or (record is not None and record.ended)):
            best = 1 + int(np.argmin(history))
        self._model = booster.model_to_string(num_iteration=best)
        self._booster = None
        self.curve = thin_curve(history, length=self._length())
        self.refit = {"n_estimators": int(best)} if valid else {}

    def _train_quantiles(
        self, params: dict[str, Any], data: Any, valid: list[Any], patience: int, deadline: Deadline
    ) -> None:
        from autodl.models._lightgbm_quantiles import grow

        grown = grow(
            params,
            data,
            valid[0] if valid else None,
            self.meta.quantiles,
            rounds=self.config.n_estimators,
            patience=patience,
            length=self._length(),
            watch=self.watch,
            deadline=deadline,
            unit=self._unit,
        )
        self._models, self._boosters = grown.models, []
        self.curve = thin_curve(grown.history, length=self._length())
        self.refit = {"n_estimators": grown.rounds} if valid else {}

    def _scale(self, y: NDArray[Any], weight: NDArray[Any] | None) -> tuple[float, float]:
        """Centre and unit of what the booster learns.

        Its penalties, and the least a split must gain, are sums of residuals in the unit of the target: one whose
        values differ by hundredths would hardly be learnt. So the spread is 1 at least; it may be larger, as it was
        when the settings that are tried first were measured. Where the loss has a logarithmic link the mean is 1 at
        least, except for whole numbers: penalties count their events.
        """
        if self.config.objective == "auto" or self.meta.quantiles:
            return centre_and_unit(y, weight, small=1.0)
        if (y == np.round(y)).all():
            return 0.0, 1.0
        return 0.0, min(1.0, float(np.average(y, weights=weight)) or 1.0)

    def _length(self) -> float:
        """Rounds after which hardly a booster with this learning rate still learns."""
        return (30.0 if self.is_classifier else 60.0) / self.config.learning_rate

    def _raw(self, X: Features) -> NDArray[Any]:
        import lightgbm

        threads = self.meta.threads if len(X) > 2_000 else 1
        if self.meta.quantiles:
            if not self._boosters:
                self._boosters = [lightgbm.Booster(model_str=text) for text in self._models]
            rows = as_matrix(X)
            levels = [b.predict(rows, num_threads=threads) for b in self._boosters]
            return np.column_stack(levels) * self._unit + self._centre
        if self._booster is None:
            self._booster = lightgbm.Booster(model_str=self._model)
        raw = np.asarray(self._booster.predict(as_matrix(X), num_threads=threads))
        return raw if self.is_classifier else raw * self._unit + self._centre


def tree_answer_seconds(leaves: int, rows: int) -> float:
    """Seconds that a tree takes after training: to be stored, read again and asked for so many rows.

    Fitted to measurements at 8, 31 and 127 leaves. It decides with many classes, whose trees are thousands.
    """
    return 3.5e-5 + 2.9e-6 * leaves + 2.0e-8 * rows * math.log2(max(2, leaves))


class _StopAt:
    """Ends training after the round in which the deadline passes, or leaves just the time to predict.

    Args:
        deadline: Of training and prediction. behind: Seconds that each round costs after training.
    """

    def __init__(self, deadline: Deadline, behind: float = 0.0) -> None:
        self.order = 40  # after the record; LightGBM looks for it in the object, not in its class
        self.deadline, self.behind = deadline, behind
        self.ended = False

    def __call__(self, env: Any) -> None:
        from lightgbm.callback import EarlyStopException

        if self.deadline.left() <= self.behind * (env.iteration + 1):
            self.ended = True
            raise EarlyStopException(env.iteration, env.evaluation_result_list or [])


class _Record:
    """Keeps the validation loss of each round in the unit of the target; ends training where the watch says so."""

    def __init__(self, history: list[float], length: float, watch: Watch | None, unit: float) -> None:
        self.order = 10
        self.history, self.length, self.watch, self.unit = history, length, watch, unit
        self.ended = False

    def __call__(self, env: Any) -> None:
        from lightgbm.callback import EarlyStopException

        self.history.append(self.unit * env.evaluation_result_list[0][2])
        if self.watch is not None and self.watch(min(1.0, len(self.history) / self.length), self.history[-1]):
            self.ended = True
            raise EarlyStopException(env.iteration, env.evaluation_result_list)


def _patience(config: LightGBMConfig) -> int:
    """Rounds without progress before stopping."""
    return config.patience or int(min(200, max(30, 3.0 / config.learning_rate)))


def _usual_rounds(config: LightGBMConfig, classifies: bool, rows: float) -> float:
    """Rounds to early stopping, of which all learning rates need about as many times their inverse.

    On eight tables of 430 to 16,000 training rows the middle trials trained 6, 7, 12, 23 and 31 rounds over the
    learning rate for classes, 19, 33 and 78 for numbers: more rows teach more rounds. On made tables of one size the
    number of classes, 2 to 26, hardly mattered. Far larger tables were not measured; the increase is not continued.
    """
    if classifies:
        rate: float = min(30.0, 10.0 * (rows / 2_500) ** 0.45)
    else:
        rate = min(60.0, 33.0 * (rows / 2_500) ** 0.25)
    return max(4.0, rate) / config.learning_rate + max(0.0, _patience(config) - 3.0 / config.learning_rate)


class LightGBM(Family):
    """Leaf-wise boosting with histograms."""

    key = "lightgbm"
    other_names = ("lgbm", "lgb", "xgboost", "xgb", "gbm", "gbdt", "gradient_boosting", "boosting")
    name = "LightGBM"
    summary = "Hundreds of small decision trees, each correcting the ones before it; fast and strong on tables."
    paper = "Ke et al. 2017, LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS"
    recipe = Recipe(
        impute="none", categories="codes", max_codes=50, code_parts=True,
        text="svd", text_components=16, text_terms=32,
    )  # fmt: skip
    config = LightGBMConfig
    complexity = 5
    quantiles = True
    haste = ("learning_rate", 0.2)
    order = 2

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """Rounds to early stopping, times trees a round, times rows and columns scanned a tree."""
        assert isinstance(config, LightGBMConfig)
        rounds = min(config.n_estimators, _usual_rounds(config, shape.classes > 0, shape.rows))
        columns = shape.columns + 60 * shape.text
        cells = shape.rows * columns * config.bagging_fraction * config.feature_fraction
        trees = shape.classes if shape.classes > 2 else max(1, shape.quantiles)
        # Few rows make few leaves. The rows are scanned, and then the bins of each leaf.
        smallest = max(1.0, min(config.min_data_in_leaf, shape.rows / 8))
        leaves = max(2.0, min(config.num_leaves, 5.0 * shape.rows / smallest))
        scanned = 3.0e-9 * cells * np.log2(leaves)
        bins = 2.0e-9 * leaves * columns * config.feature_fraction * min(config.max_bin, shape.rows)
        one = 7.0e-5 + 1.0e-6 * leaves + scanned + bins
        speed = shape.speed * (shape.threads**0.8 if cells > _THREADED_CELLS else 1.0)
        nodes = rounds * trees * config.num_leaves * 100.0
        # A histogram of at most 255 bins for each column and leaf.
        histograms = 16.0 * config.num_leaves * columns * min(255.0, 0.5 * shape.rows)
        return CostEstimate(
            seconds=float(0.02 + rounds * trees * one / speed),
            bytes=2.0 * shape.rows * columns + nodes + histograms + 1.0e7,
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An untrained booster."""
        assert isinstance(config, LightGBMConfig)
        return LightGBMEstimator(config, meta)
