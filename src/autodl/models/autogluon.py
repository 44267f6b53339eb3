"""AutoGluon as one candidate among others, under the same budget (extra ``autogluon``)."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from autodl.errors import MissingDependencyError
from autodl.models._arrays import ArrayEstimator
from autodl.models.base import ABSOLUTE_METRICS, CostEstimate, Estimator, Family, FamilyConfig, Meta, Shape
from autodl.records import Recipe

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.clock import Deadline
    from autodl.features import Features

_LABEL = "target"
_WEIGHT = "weight"
_SHORTEST_S = 5.0
"""AutoGluon needs about this long to train its first model."""


class AutoGluonConfig(FamilyConfig):
    """What AutoGluon may do."""

    presets: Literal["medium_quality", "good_quality", "high_quality", "best_quality"] = "medium_quality"
    time_limit: float = Field(60.0, gt=0)
    """Seconds at most; the deadline may be earlier."""


class AutoGluonEstimator(ArrayEstimator):
    """A ``TabularPredictor``; its folder, which holds pickles, travels inside the pickle.

    Args:
        config: Presets and time.
        meta: About the task.
    """

    needs_pickle = True

    def __init__(self, config: AutoGluonConfig, meta: Meta) -> None:
        super().__init__(meta)
        self.config = config
        self._archive = b""
        self._predictor: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """The folder as an archive; the live predictor stays behind."""
        return {**self.__dict__, "_predictor": None}

    def _train(
        self,
        X: Features,
        y: NDArray[Any],
        X_val: Features | None,
        y_val: NDArray[Any] | None,
        weight: NDArray[Any] | None,
        deadline: Deadline,
    ) -> None:
        if deadline.left() < _SHORTEST_S:
            raise TimeoutError(f"AutoGluon needs about {_SHORTEST_S:g} s, {deadline.left():.1f} s are left")
        predictor_class = _predictor_class()
        folder = self._new_folder()
        kind = "regression" if not self.is_classifier else "binary" if self.n_present == 2 else "multiclass"
        predictor = predictor_class(
            label=_LABEL, problem_type=kind, eval_metric=self._metric(), path=folder, verbosity=0,
            sample_weight=None if weight is None else _WEIGHT, weight_evaluation=weight is not None,
        )  # fmt: skip
        predictor.fit(
            _frame(X, y, weight),
            time_limit=min(self.config.time_limit, deadline.left()),
            presets=self.config.presets,
            num_cpus=self.meta.threads,
            num_gpus=0,
            ds_args={"enable_ray_logging": False},
        )
        if not predictor.model_names():
            raise TimeoutError("AutoGluon trained no model in the time it had")
        self._predictor = predictor
        self._archive = _pack(Path(folder))

    def _new_folder(self) -> str:
        """A temporary folder that goes with this object."""
        folder = tempfile.mkdtemp(prefix="autodl-autogluon-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _metric(self) -> str:
        if self.is_classifier:
            return "roc_auc" if self.meta.metric == "roc_auc" and self.n_present == 2 else "log_loss"
        return "mean_absolute_error" if self.meta.metric in ABSOLUTE_METRICS else "root_mean_squared_error"

    def _raw(self, X: Features) -> NDArray[Any]:
        if self._predictor is None:
            folder = self._new_folder()
            with tarfile.open(fileobj=io.BytesIO(self._archive)) as archive:
                archive.extractall(folder, filter="data")
            self._predictor = _predictor_class().load(folder, verbosity=0)
        frame = _frame(X)
        if not self.is_classifier:
            return np.asarray(self._predictor.predict(frame, as_pandas=False), dtype=np.float64)
        proba = self._predictor.predict_proba(frame, as_multiclass=True)
        out = np.zeros((len(X), self.n_present))
        for column in proba.columns:  # AutoGluon drops classes that are too rare for it.
            out[:, int(column)] = proba[column].to_numpy()
        return out


def _predictor_class() -> Any:
    try:
        from autogluon.tabular import TabularPredictor
    except ImportError as error:
        raise MissingDependencyError(
            "the family 'autogluon' needs the package autogluon.tabular",
            "Install it with: pip install 'autodl[autogluon]'",
        ) from error
    return TabularPredictor


def _frame(X: Features, y: NDArray[Any] | None = None, weight: NDArray[Any] | None = None) -> pd.DataFrame:
    """Numbers as they are, codes as pandas categories."""
    import pandas as pd

    columns: dict[str, Any] = {f"n{j}": values for j, values in enumerate(X.dense().T)}
    for j, size in enumerate(X.cardinalities):
        columns[f"c{j}"] = pd.Categorical.from_codes(X.categorical[:, j], categories=pd.Index(range(size)))
    if not columns:
        columns["n0"] = np.zeros(len(X))
    if y is not None:
        columns[_LABEL] = y
    if weight is not None:
        columns[_WEIGHT] = weight
    return pd.DataFrame(columns)


def _pack(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(folder, arcname=".")
    return buffer.getvalue()


class AutoGluon(Family):
    """A whole AutoML system as one model."""

    key = "autogluon"
    name = "AutoGluon"
    summary = "Another AutoML tool, run inside this one: it trains and stacks several models by itself."
    paper = (
        "Erickson et al. 2020, AutoGluon-Tabular: Robust and Accurate AutoML for Structured Data (arXiv:2003.06505)"
    )
    recipe = Recipe(impute="none", categories="codes", text="svd")
    config = AutoGluonConfig
    requires = ("autogluon.tabular",)
    extra = "autogluon"
    on_request = "Its models are pickles, which `autodl predict` opens only with --trust."
    complexity = 10
    order = 90

    def estimate_cost(self, shape: Shape, config: FamilyConfig) -> CostEstimate:
        """It uses what time it is given; loading it takes some seconds more."""
        assert isinstance(config, AutoGluonConfig)
        needed = 12.0 + 1.0e-4 * shape.rows * shape.columns
        return CostEstimate(
            seconds=min(config.time_limit + 10.0, needed), bytes=1.0e9 + 40.0 * shape.rows * shape.columns
        )

    def build(self, config: FamilyConfig, meta: Meta) -> Estimator:
        """An untrained predictor.

        Raises:
            MissingDependencyError: If AutoGluon is not installed.
        """
        assert isinstance(config, AutoGluonConfig)
        if self.missing():
            _predictor_class()
        return AutoGluonEstimator(config, meta)
