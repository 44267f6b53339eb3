"""Which columns probably matter most, so that they are measured first where time may not reach for all."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

ROWS = 500
TREES = 30


def likely_order(
    frame: pd.DataFrame, y: NDArray[Any], n_classes: int, seed: int, texts: Collection[str] = ()
) -> tuple[str, ...]:
    """All columns by their importance in a few small random trees, the largest first.

    A guess for the order only: it takes some hundredths of a second and says nothing in the report.

    Args:
        frame: (n,) raw columns. y: (n,) class codes or values.
        n_classes: K; 0 for regression.
        seed: Of the trees and of the rows that they see.
        texts: Columns of whole texts.
    """
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    from autodl.media.array import MediaDtype

    if len(frame) > ROWS:
        pick = np.random.default_rng(seed).choice(len(frame), size=ROWS, replace=False)
        frame, y = frame.iloc[pick], y[pick]
    # Images, series and texts come first: they are most of what is known of a row, and no single number stands for
    # them.
    whole = [str(c) for c in frame.columns if isinstance(frame[c].dtype, MediaDtype) or str(c) in texts]
    frame = frame.drop(columns=whole)
    if frame.shape[1] == 0:
        return tuple(whole)
    X = np.column_stack([_numbers(frame[c]) for c in frame.columns])
    kind = ExtraTreesClassifier if n_classes else ExtraTreesRegressor
    # Leaves of several rows, so that columns of many different values are not preferred.
    trees = kind(n_estimators=TREES, min_samples_leaf=max(2, len(frame) // 50), random_state=seed, n_jobs=1)
    gains = trees.fit(X, y).feature_importances_
    place = np.argsort(-gains, kind="stable")
    return (*whole, *(str(frame.columns[i]) for i in place))


def _numbers(column: pd.Series[Any]) -> NDArray[np.float32]:
    """(n,) the values, or codes of the values; missing ones below all others."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        finite = values[np.isfinite(values)]
        filled = np.where(np.isfinite(values), values, finite.min() - 1.0 if len(finite) else 0.0)
        # Ranks: trees split by order alone, and single precision must hold every value.
        return np.unique(filled, return_inverse=True)[1].astype(np.float32)
    return pd.factorize(column, sort=False)[0].astype(np.float32)
