"""Ranks of columns mapped to a normal distribution. Notation: n rows, p columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

KNOTS = 1000
"""Values of a column that are remembered at most."""


class NormalRanks:
    """Maps a value to where a normal distribution has as much below it as the training rows have below the value.

    Rows with equal values lie in the middle of their ranks: half of them count as below. (scikit-learn's
    ``QuantileTransformer`` has the smallest and the largest value at -5.2 and 5.2 however many rows share them: a
    flag, or a column that mostly is 0, becomes one of far-off values. TabM's code adds a little noise against it.)

    Args:
        values: Of each column, some of its values, ascending.
        shares: Of each column, the share of the rows below each of these values.
    """

    def __init__(self, values: Sequence[NDArray[np.float64]], shares: Sequence[NDArray[np.float64]]) -> None:
        self._values, self._shares = list(values), list(shares)

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, p) places of the values; NaN stays."""
        from scipy.special import ndtri

        share = np.empty(x.shape)
        for j, (values, shares) in enumerate(zip(self._values, self._shares, strict=True)):
            share[:, j] = np.interp(x[:, j], values, shares)
        return np.asarray(ndtri(share))

    def inverse_transform(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, p) values at these places, within those of the training rows."""
        from scipy.special import ndtr

        out, share = np.empty(z.shape), ndtr(z)
        for j, (values, shares) in enumerate(zip(self._values, self._shares, strict=True)):
            out[:, j] = np.interp(share[:, j], shares, values)
        return out


def normal_ranks(
    x: NDArray[np.float64], seed: int, weight: NDArray[Any] | None = None, most: int = 10_000
) -> NormalRanks:
    """Learnt from (n, p) values.

    Args:
        x: The values. seed: Of the rows sampled.
        weight: (n,) how much each row counts; all alike if None.
        most: Rows learnt from at most, where all count alike.
    """
    if weight is None and len(x) > most:
        x = x[np.random.default_rng(seed).choice(len(x), most, replace=False)]
    w = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=np.float64)
    learnt = [_knots(column, w) for column in x.T]
    return NormalRanks([values for values, _ in learnt], [shares for _, shares in learnt])


def _knots(column: NDArray[np.float64], w: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distinct values of a column, and the share of the weight below each, half of its own included."""
    present = ~np.isnan(column) & (w > 0)
    if not present.any():
        return np.zeros(1), np.full(1, 0.5)
    values, place = np.unique(column[present], return_inverse=True)
    mass = np.bincount(place, weights=w[present])
    shares = (np.cumsum(mass) - mass / 2) / mass.sum()
    if len(values) > KNOTS:
        kept = np.unique(np.searchsorted(shares, np.linspace(shares[0], shares[-1], KNOTS)))
        values, shares = values[kept], shares[kept]
    return values, shares
