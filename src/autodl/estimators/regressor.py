"""The scikit-learn regressor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from autodl.defaults import NAS, PRETRAINED, SEARCH
from autodl.errors import ConfigError, DataError
from autodl.estimators.base import AutoEstimator, target_values
from autodl.option_checks import OptionCheck
from autodl.options import FitOptions
from autodl.records import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray


class AutoRegressor(RegressorMixin, AutoEstimator):  # type: ignore[misc]
    """The best regressor found inside a budget.

    Args:
        time_budget: Seconds of one fit, or words like ``5m``. If not given: 60 seconds, or no clock where
            ``max_trials`` is given.
        max_trials: Number of trials, further splits included; without a clock the result repeats exactly.
        metric: What to optimize, e.g. ``mae``; RMSE if not given.
        families: Only these model families; with ``default`` among them, these beside the usual ones.
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
        out: A folder in which each fit leaves a run folder of its own, with the report; nothing is kept if not given.
        random_state: Seed of everything random.
        quantiles: Levels such as ``(0.1, 0.5, 0.9)`` to predict instead of the mean; see ``predict_quantiles``.

    Attributes:
        n_features_in_: p.
        feature_names_in_: (p,) names of the columns, if X had any.
        record_: The run's summary: test scores, leaderboard, findings.
        run_: The run with its report, if ``out`` is given.
        model_: The delivered model.
    """

    _task = Task.REGRESSION

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
        quantiles: Sequence[float] | float | str = (),
    ) -> None:
        super().__init__(
            time_budget, max_trials, metric, families, preset, search, scheduler, nas, space, pretrained,
            max_latency, max_size, max_memory, workers, out, random_state,
        )  # fmt: skip
        self.quantiles = quantiles

    def _options(self) -> FitOptions:
        levels = OptionCheck(str).levels("quantiles", self.quantiles)
        return super()._options().model_copy(update={"quantiles": levels})

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Search and train.

        Args:
            X: (n, p) frame of any library, array or sparse matrix; missing values and text are fine.
            y: (n,) numbers.
            sample_weight: (n,) non-negative numbers: how much each row counts in learning and in scores; 0 leaves it
                out. All alike if None.

        Raises:
            ValueError: Bad data or parameters, with what is wrong and what to do.
        """
        values = target_values(y, self)
        try:
            target = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"y must hold numbers, but {error}", "For labels use AutoClassifier.") from error
        return self._fit(X, y, target, sample_weight)

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) values."""
        raw = self._raw(X)
        values: NDArray[Any] = self.model_.values(raw)
        return values

    def predict_quantiles(self, X: Any) -> NDArray[Any]:
        """(n, Q) quantiles as floats, by level in ascending order; ``predict`` gives the middle one.

        Raises:
            ConfigError: If no quantiles were asked for.
        """
        raw = self._raw(X)
        if not self.model_.manifest.quantiles:
            raise ConfigError(
                "this AutoRegressor predicts one number for a row", "Make it with quantiles=(0.1, 0.5, 0.9)."
            )
        return raw
