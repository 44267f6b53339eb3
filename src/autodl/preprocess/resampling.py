"""Treatments of imbalanced classes, on training rows only. Notation: n rows, K classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.errors import ConfigError
from autodl.features import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

Balance = Literal["none", "class_weight", "smote", "oversample", "undersample"]

_NEIGHBORS = 5


def balanced_weights(y: NDArray[Any]) -> NDArray[np.float64]:
    """(n,) weights n / (K * count of the row's class): every class weighs the same, the mean weight is 1."""
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    return np.asarray(len(y) / (len(counts) * counts[inverse]), dtype=np.float64)


def resample(
    X: Features, y: NDArray[Any], how: Balance, seed: int = 0
) -> tuple[Features, NDArray[Any], NDArray[np.float64] | None]:
    """Balance the classes by weights, by repeating or dropping rows, or by synthetic rows.

    ``smote`` puts new rows of the smaller classes between neighbours (Chawla et al. 2002; with categories SMOTE-NC).
    A class with few rows uses fewer neighbours; one with a single row is repeated instead.

    Args:
        X: (n,) training rows. y: (n,) class codes.
        how: The treatment; ``none`` gives the rows back.
        seed: For the drawing of rows.

    Returns:
        Rows, targets, and weights or None.

    Raises:
        ConfigError: If ``smote`` meets missing numbers.
    """
    if how == "none" or len(np.unique(y)) < 2:
        return X, y, None
    if how == "class_weight":
        return X, y, balanced_weights(y)
    if how == "smote":
        return _smote(X, y, seed)
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(y == k) for k in np.unique(y)]
    sizes = [len(rows) for rows in groups]
    if how == "oversample":
        size = max(sizes)
        rows = np.concatenate([np.concatenate([g, rng.choice(g, size - len(g))]) for g in groups])
    else:
        size = min(sizes)
        rows = np.concatenate([rng.choice(g, size, replace=False) for g in groups])
    rng.shuffle(rows)
    return X.take(rows), y[rows], None


def _smote(X: Features, y: NDArray[Any], seed: int) -> tuple[Features, NDArray[Any], None]:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    numeric = X.dense()
    if np.isnan(numeric).any():
        raise ConfigError(
            "SMOTE needs complete numbers, but the recipe leaves missing ones",
            "Choose an imputation other than 'none'",
        )
    # A class with one row has no neighbour to mix with: repeat it once.
    classes, counts = np.unique(y, return_counts=True)
    lone = [int(np.flatnonzero(y == k)[0]) for k in classes[counts == 1]]
    rows = np.concatenate([np.arange(len(y)), np.array(lone, dtype=np.intp)])
    numeric, codes, y = numeric[rows], X.categorical[rows], y[rows]
    smallest = int(np.unique(y, return_counts=True)[1].min())
    p, q = X.n_numeric, X.n_categorical
    neighbors = min(_NEIGHBORS, smallest - 1)
    if p == 0 and q == 0:
        raise ConfigError("SMOTE needs at least one feature, but there is none", "Choose another balance")
    if q == 0:
        numeric, y = SMOTE(k_neighbors=neighbors, random_state=seed).fit_resample(numeric, y)
        codes = np.empty((len(y), 0), dtype=np.int32)
    elif p == 0:
        codes, y = SMOTEN(k_neighbors=neighbors, random_state=seed).fit_resample(codes, y)
    else:
        sampler = SMOTENC(categorical_features=list(range(p, p + q)), k_neighbors=neighbors, random_state=seed)
        both, y = sampler.fit_resample(np.hstack([numeric, codes.astype(np.float32)]), y)
        numeric, codes = both[:, :p], both[:, p:]
    if p == 0:
        numeric = np.empty((len(y), 0), dtype=np.float32)
    new = Features(
        np.asarray(numeric, dtype=np.float32), np.asarray(codes, dtype=np.int32), X.cardinalities,
        X.numeric_names, X.categorical_names,
    )  # fmt: skip
    return new, y, None
