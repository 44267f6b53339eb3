"""Treatments of imbalanced classes, on training rows only. Notation: n rows, K classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.errors import ConfigError
from autodl.features import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

Balance = Literal["none", "class_weight", "smote", "oversample", "undersample"]

_NEIGHBORS = 5


def balanced_weights(y: NDArray[Any], weight: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """(n,) weights n / (K * count of the row's class): every class weighs the same, the mean weight is 1.

    Args:
        y: (n,) class codes.
        weight: (n,) how much each row counts anyway: it is multiplied, classes weigh the same all told, and the sum
            of the weights stays what it was.
    """
    _, inverse = np.unique(y, return_inverse=True)
    own = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)
    totals = np.bincount(inverse, weights=own)
    return np.asarray(own * (own.sum() / (np.count_nonzero(totals) * np.maximum(totals[inverse], 1e-300))))


def resample(
    X: Features, y: NDArray[Any], how: Balance, seed: int = 0, weight: NDArray[Any] | None = None
) -> tuple[Features, NDArray[Any], NDArray[np.float64] | None]:
    """Balance the classes by weights, by repeating or dropping rows, or by synthetic rows.

    ``smote`` puts new rows of the smaller classes between neighbours (Chawla et al. 2002; with categories SMOTE-NC).
    A class with few rows uses fewer neighbours; one with a single row is repeated instead. Sparse numbers stay
    sparse; categories beside them then come from the nearer of the two rows that a new row lies between.

    ``oversample`` and ``smote`` let no class grow beyond twice its even share, ceil(2 n / K) rows, nor beyond the
    largest class: with many classes the rows would otherwise become up to K times as many.

    Args:
        X: (n,) training rows. y: (n,) class codes.
        how: The treatment; ``none`` gives the rows back.
        seed: For the drawing of rows.
        weight: (n,) how much each row counts; rows keep it when they are drawn, synthetic ones get the mean of their
            class.

    Returns:
        Rows, targets, and weights or None.

    Raises:
        ConfigError: If ``smote`` meets missing numbers, images or series.
    """
    if how == "none" or len(np.unique(y)) < 2:
        return X, y, weight
    if how == "class_weight":
        return X, y, balanced_weights(y, weight)
    if how == "smote":
        return _smote(X, y, seed, weight)
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(y == k) for k in np.unique(y)]
    sizes = [len(rows) for rows in groups]
    if how == "oversample":
        size = _target_size(sizes)
        rows = np.concatenate([np.concatenate([g, rng.choice(g, max(0, size - len(g)))]) for g in groups])
    else:
        size = min(sizes)
        rows = np.concatenate([rng.choice(g, size, replace=False) for g in groups])
    rng.shuffle(rows)
    return X.take(rows), y[rows], None if weight is None else weight[rows]


def _target_size(sizes: Sequence[int]) -> int:
    """Rows that smaller classes grow to: as many as the largest has, at most twice the even share."""
    return min(max(sizes), math.ceil(2 * sum(sizes) / len(sizes)))


def _smote(
    X: Features, y: NDArray[Any], seed: int, weight: NDArray[Any] | None
) -> tuple[Features, NDArray[Any], NDArray[np.float64] | None]:
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    if np.isnan(X.numeric.data if X.is_sparse else X.numeric).any():
        raise ConfigError(
            "SMOTE needs complete numbers, but the recipe leaves missing ones",
            "Choose an imputation other than 'none'",
        )
    if X.media:
        raise ConfigError(
            "SMOTE makes rows between others, but there is nothing between two images or series",
            "Choose class weights or oversampling instead",
        )
    p, q = X.n_numeric, X.n_categorical
    if p == 0 and q == 0:
        raise ConfigError("SMOTE needs at least one feature, but there is none", "Choose another balance")
    classes, counts = np.unique(y, return_counts=True)
    size = _target_size(counts.tolist())
    # A class with one row has no neighbour to mix with: repeat it once.
    lone = [int(np.flatnonzero(y == k)[0]) for k in classes[counts == 1]]
    rows = np.concatenate([np.arange(len(y)), np.array(lone, dtype=np.intp)])
    X, y = X.take(rows), y[rows]
    known, known_weight = y, None if weight is None else weight[rows]
    counts = np.maximum(counts, 2)
    wanted = {int(k): size for k, count in zip(classes, counts, strict=True) if count < size}
    shared: dict[str, Any] = {
        "sampling_strategy": wanted,
        "k_neighbors": min(_NEIGHBORS, int(counts.min()) - 1),
        "random_state": seed,
    }
    if p == 0:
        codes, y = SMOTEN(**shared).fit_resample(X.categorical, y)
        numeric: Any = np.empty((len(y), 0), dtype=np.float32)
    elif q == 0:
        numeric, y = SMOTE(**shared).fit_resample(X.numeric, y)
        codes = np.empty((len(y), 0), dtype=np.int32)
    elif X.is_sparse:
        # SMOTE-NC would make dense arrays of the rows of each class.
        both, y = SMOTE(**shared).fit_resample(_with_indicators(X), y)
        numeric, codes = both[:, :p], _codes_of_indicators(both[:, p:], X.cardinalities)
    else:
        sampler = SMOTENC(categorical_features=list(range(p, p + q)), **shared)
        both, y = sampler.fit_resample(np.hstack([X.numeric, X.categorical.astype(np.float32)]), y)
        numeric, codes = both[:, :p], both[:, p:]
    new = Features(
        numeric.astype(np.float32, copy=False), np.asarray(codes, dtype=np.int32), X.cardinalities,
        X.numeric_names, X.categorical_names,
    )  # fmt: skip
    return new, y, None if known_weight is None else _with_class_means(known, known_weight, y)


def _with_class_means(known: NDArray[Any], weight: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """(m,) weights of the given rows, which come first, then the mean of its class for each synthetic row."""
    totals = np.bincount(known, weights=weight)
    means = totals / np.maximum(1, np.bincount(known))
    return np.concatenate([weight, means[y[len(known) :]]])


def _with_indicators(X: Features) -> Any:
    """(n, p + sum of cardinalities) CSR: the numbers, then 0.5 where a column has a category.

    Two rows that differ in one category are then sqrt(0.5) apart, half the squared distance of two one-hot rows.
    """
    from scipy import sparse

    n, q = X.categorical.shape
    starts = np.concatenate([[0], np.cumsum(X.cardinalities)])
    columns = (X.categorical + starts[:-1]).ravel()
    ones = np.full(n * q, 0.5, dtype=np.float32)
    indicators = sparse.csr_matrix((ones, columns, np.arange(0, n * q + 1, q)), shape=(n, int(starts[-1])))
    return sparse.hstack([X.numeric, indicators], format="csr")


def _codes_of_indicators(indicators: Any, cardinalities: tuple[int, ...]) -> NDArray[np.int32]:
    """(n, q) codes of the highest indicator of each column."""
    stops = np.cumsum(cardinalities)
    blocks = [indicators[:, stop - size : stop] for stop, size in zip(stops, cardinalities, strict=True)]
    return np.column_stack([np.asarray(b.argmax(axis=1)).ravel() for b in blocks]).astype(np.int32)
