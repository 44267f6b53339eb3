"""Filling missing numbers. Notation: n rows, p columns."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.preprocess import weighted_statistics as weighted
from autodl.preprocess.older import completed
from autodl.preprocess.scaling import NumericScaler, column_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

ImputeKind = Literal["none", "mean", "median", "most_frequent", "knn", "iterative"]

_DONORS = 2_000
"""Rows from which k-NN and iterative imputation learn at most."""
_FEWEST_DONORS = 100
_DISTANCE_TERMS = 1e8
"""Rows to fill times donors times columns that k-NN may cost, about two seconds; more rows get fewer donors."""


class NumericImputer:
    """Fills NaN; a column without any value in the training rows is filled with 0.

    ``knn`` takes the weighted mean of the 5 nearest rows (Troyanskaya et al. 2001); ``iterative`` predicts each
    column from the others by Bayesian ridge regression (van Buuren & Groothuis-Oudshoorn 2011). Both see
    standardized columns and learn from at most 2,000 rows; ``knn`` from as few as 100 where so many rows have gaps
    that their distances to 2,000 would take longer than a couple of seconds.

    ``none`` is for models that learn from the gaps themselves: NaN stays where the training rows had gaps. Where they
    had none, no model has learnt what a gap means (LightGBM takes it as 0, CatBoost as the smallest number): it is
    filled with the median.

    Args:
        kind: How to fill.
        seed: For the choice of rows and the order of columns.
    """

    def __init__(self, kind: ImputeKind, seed: int = 0) -> None:
        self.kind, self.seed = kind, seed
        self._scaler: NumericScaler | None = None
        self._mean: NDArray[np.float64] = np.empty(0)
        self._imputer: Any = None
        # Under ``none``: what a column without gaps is filled with, NaN for the others.
        self._unknown: NDArray[np.float64] = np.empty(0)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Older versions left all gaps to the model.
        self.__dict__.update(completed(state, {"_unknown": np.empty(0)}))

    def fit(self, x: NDArray[np.float64], weight: NDArray[Any] | None = None) -> NumericImputer:
        """Learn from (n, p) values with NaN where missing.

        Args:
            x: The values.
            weight: (n,) how much each row counts, all alike if None; ``knn`` and ``iterative`` do not look at it.
        """
        if x.shape[1] == 0:
            return self
        if self.kind == "none":
            whole = ~np.isnan(x).any(axis=0)
            self._unknown = np.full(x.shape[1], np.nan)
            self._unknown[whole] = column_quantiles(x[:, whole], (0.5,), weight)[0]
            return self
        if self.kind in ("mean", "median", "most_frequent"):
            from sklearn.impute import SimpleImputer

            self._imputer = SimpleImputer(strategy=self.kind, keep_empty_features=True).fit(x)
            if weight is not None:
                self._imputer.statistics_ = np.nan_to_num(self._typical(x, weight))
            return self
        donors = self._donors(x)
        if len(x) > donors:
            x = x[np.random.default_rng(self.seed).choice(len(x), donors, replace=False)]
        self._scaler = NumericScaler("standard").fit(x)
        with warnings.catch_warnings():
            # Five rounds are enough for filling; scikit-learn warns that more would change the last digits.
            warnings.filterwarnings("ignore", message=".*Early stopping criterion not reached")
            self._imputer = self._multivariate().fit(self._scaler.transform(x))
        self._mean = np.nansum(x, axis=0) / np.maximum(1, np.sum(~np.isnan(x), axis=0))
        return self

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, p) values; present ones unchanged, no NaN unless ``kind`` is ``none``."""
        missing = np.isnan(x)
        if self._imputer is None:
            return np.where(missing, self._unknown, x) if len(self._unknown) and missing.any() else x
        if self._scaler is None:
            return np.asarray(self._imputer.transform(x)) if missing.any() else x
        rows = np.flatnonzero(missing.any(axis=1))
        if len(rows) == 0:
            return x
        standard = np.asarray(self._imputer.transform(self._scaler.transform(x[rows])))
        filled = x.copy()
        factor = self._scaler.factor
        widths = np.divide(1.0, factor, out=np.zeros_like(factor), where=factor > 0)
        filled[rows] = np.where(missing[rows], self._mean + standard * widths, x[rows])
        return filled

    def _typical(self, x: NDArray[np.float64], weight: NDArray[Any]) -> NDArray[np.float64]:
        """(p,) what missing numbers are filled with; scikit-learn's imputer takes no weights."""
        if self.kind == "mean":
            return weighted.mean_and_spread(x, weight)[0]
        if self.kind == "most_frequent":
            return weighted.most_frequent(x, weight)
        return np.asarray(weighted.quantiles(x, (0.5,), weight)[0])

    def _donors(self, x: NDArray[np.float64]) -> int:
        """How many rows to learn from."""
        if self.kind != "knn":
            return _DONORS
        gaps = max(1, int(np.isnan(x).any(axis=1).sum()))
        return int(min(_DONORS, max(_FEWEST_DONORS, _DISTANCE_TERMS / (gaps * x.shape[1]))))

    def _multivariate(self) -> Any:
        if self.kind == "knn":
            from sklearn.impute import KNNImputer

            return KNNImputer(n_neighbors=5, weights=_closeness, keep_empty_features=True)
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer

        return IterativeImputer(
            max_iter=5, n_nearest_features=20, keep_empty_features=True, random_state=self.seed, tol=1e-2
        )


def _closeness(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of donors. Unlike 1 / distance it does not jump where rounding makes a distance 0 or not."""
    return np.asarray(1.0 / (0.1 + distance))
