"""Ratios, differences, sums and products of two numeric columns, where they say what neither column says alone.

Notation: n rows, p columns, c candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.preprocess.scaling import column_quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLE = 4_000
"""Rows from which the choice is made at most."""
COLUMNS = 12
"""Columns that are paired at most: those that say most about the target."""
JUDGED = 200
"""Columns at most whose bins are judged for that; of more, those most correlated with the target."""
BINS = 16
CHANCE = 0.01
"""Probability of any candidate being taken where none says anything."""
WORTH = 1e-3
"""Share of the variance of the target that a combination must explain."""
ALIKE = 0.97
"""Candidates correlated more than this with one already taken are left out."""
Operation = Literal["/", "\\", "-", "+", "*"]
OPERATIONS: tuple[Operation, ...] = ("/", "\\", "-", "+", "*")


def combine(operation: Operation, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) a / b, b / a, a - b, a + b or a * b; NaN where it is undefined or a value is missing."""
    with np.errstate(all="ignore"):
        if operation == "/":
            out = a / b
        elif operation == "\\":
            out = b / a
        elif operation == "-":
            out = a - b
        elif operation == "+":
            out = a + b
        else:
            out = a * b
    return np.where(np.isfinite(out), out, np.nan)


class Crosses:
    """At most ``most`` combinations of two columns, chosen by what they explain of a simple model's errors.

    A small model of the columns is cross-fitted; a combination is worth something if the mean of the errors differs
    between its quantile bins more than chance allows (F test, corrected for the number of candidates), and more than
    between the bins of both its columns. The idea of judging candidates by the errors of a model is that of OpenFE
    (Zhang et al. 2023). Everything is learnt from the training rows.

    Args:
        most: How many combinations.
        additive: Whether the models that read them add columns up; the small model then is linear, else it is trees.
        seed: For the rows sampled.
    """

    def __init__(self, most: int, additive: bool, seed: int) -> None:
        self.most, self.additive, self.seed = most, additive, seed
        self.chosen: tuple[tuple[str, int, int], ...] = ()
        """Operation and positions of the two columns."""

    def fit(self, x: NDArray[np.float64], targets: Sequence[NDArray[np.float64]]) -> Crosses:
        """Choose.

        Args:
            x: (n, p) training rows, NaN where missing.
            targets: Numbers to be explained, each (n,).
        """
        self.chosen = ()
        rng = np.random.default_rng(self.seed)
        rows = rng.permutation(len(x))[:SAMPLE]
        if len(rows) < 4 * BINS or self.most < 1:
            return self
        x, wanted = x[rows], np.column_stack(targets)[rows]
        columns = _telling(x, wanted)
        if len(columns) < 2:
            return self
        errors = self._errors(x, wanted)
        least = WORTH * wanted.var(axis=0) / np.maximum(errors.var(axis=0), 1e-300)
        bins = {j: _gain(x[:, j], errors) for j in columns}
        found = list(_candidates(x, columns))
        limit = CHANCE / max(1, len(found))
        judged = []
        for operation, i, j, values in found:
            gain = _gain(values, errors)
            telling = (gain > least).any() and gain.max() > 1.5 * max(bins[i].max(), bins[j].max())
            if telling and _chance(gain, len(rows), errors.shape[1]) < limit:
                judged.append((float(gain.max()), operation, i, j, values))
        judged.sort(key=lambda entry: -entry[0])
        taken: list[NDArray[np.float64]] = []
        chosen: list[tuple[str, int, int]] = []
        for _, operation, i, j, values in judged:
            if len(chosen) == self.most:
                break
            ranks = _ranks(values)
            if all(abs(float(np.mean(ranks * other))) < ALIKE for other in taken):
                taken.append(ranks)
                chosen.append((operation, i, j))
        self.chosen = tuple(chosen)
        return self

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, c) combinations of (n, p) rows."""
        out = np.empty((len(x), len(self.chosen)))
        for k, (operation, i, j) in enumerate(self.chosen):
            out[:, k] = combine(operation, x[:, i], x[:, j])  # type: ignore[arg-type]
        return out

    def names(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Names such as ``income / age``."""
        return tuple(
            f"{columns[j]} / {columns[i]}" if o == "\\" else f"{columns[i]} {o} {columns[j]}"
            for o, i, j in self.chosen
        )

    def _errors(self, x: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, k) of a model fitted on other rows."""
        from sklearn.model_selection import KFold
        from threadpoolctl import threadpool_limits

        x = np.where(np.isnan(x), _medians(x), x)
        spread = x.std(axis=0)
        x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        out = np.empty(wanted.shape)
        with threadpool_limits(1):  # the rows are few, and other trials may run
            for train, test in KFold(3, shuffle=True, random_state=self.seed).split(x):
                for k in range(wanted.shape[1]):
                    model = self._model().fit(x[train], wanted[train, k])
                    out[test, k] = wanted[test, k] - model.predict(x[test])
        return out

    def _model(self) -> Any:
        if self.additive:
            from sklearn.linear_model import Ridge

            return Ridge()
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            max_iter=60, learning_rate=0.15, max_leaf_nodes=15, early_stopping=False, random_state=self.seed
        )


def _medians(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(p,) medians; 0 for a column without values."""
    return np.asarray(np.nan_to_num(column_quantiles(x, (0.5,))[0]))


def _candidates(
    x: NDArray[np.float64], columns: Sequence[int]
) -> Iterator[tuple[Operation, int, int, NDArray[np.float64]]]:
    for i, j in combinations(columns, 2):
        for operation in OPERATIONS:
            values = combine(operation, x[:, i], x[:, j])
            if np.isfinite(values).mean() > 0.5:
                yield operation, i, j, values


def _telling(x: NDArray[np.float64], wanted: NDArray[np.float64]) -> list[int]:
    """Positions of columns with more than two values, at most COLUMNS, those that say most first."""
    many = [j for j in range(x.shape[1]) if len(np.unique(x[~np.isnan(x[:, j]), j][:500])) > 2]
    centred = wanted - wanted.mean(axis=0)
    if len(many) > JUDGED:
        alike = _correlation(x[:, many], centred)
        many = sorted(many[j] for j in np.argsort(-alike, kind="stable")[:JUDGED])
    return sorted(sorted(many, key=lambda j: -_gain(x[:, j], centred).max())[:COLUMNS])


def _correlation(x: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """(p,) largest absolute correlation of a column with one of (n, k) centred targets; gaps count as its mean.

    Or of its distance from its mean, whichever is larger: what two columns say by their difference or product, each
    alone may say by how far off it is.
    """
    best = np.zeros(x.shape[1])
    with np.errstate(all="ignore"):  # squares of enormous numbers
        away = np.nan_to_num(x - np.nanmean(x, axis=0))
        for part in (away, np.abs(away) - np.abs(away).mean(axis=0)):
            sizes = np.linalg.norm(part, axis=0)[:, None] * np.linalg.norm(wanted, axis=0)
            found = np.divide(part.T @ wanted, sizes, out=np.zeros_like(sizes), where=sizes > 0)
            best = np.maximum(best, np.abs(np.nan_to_num(found)).max(axis=1))
    return best


def _gain(values: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(k,) share of the variance of the errors that lies between quantile bins, less what chance gives."""
    n = len(values)
    present = ~np.isnan(values)
    edges = np.unique(np.quantile(values[present], np.linspace(0, 1, BINS + 1)[1:-1])) if present.any() else ()
    codes = np.where(present, np.searchsorted(edges, values, side="right"), len(edges) + 1)
    counts = np.bincount(codes)
    used = counts > 0
    total = np.sum((errors - errors.mean(axis=0)) ** 2, axis=0)
    between = np.zeros(errors.shape[1])
    for k in range(errors.shape[1]):
        sums = np.bincount(codes, weights=errors[:, k])[used]
        between[k] = np.sum(sums**2 / counts[used]) - n * errors[:, k].mean() ** 2
    freedom = max(1, int(used.sum()) - 1)
    share = np.divide(between, total, out=np.zeros_like(between), where=total > 0)
    return np.asarray(share - freedom / max(1, n - 1))


def _chance(gain: NDArray[np.float64], n: int, k: int) -> float:
    """Probability that some of k errors that depend on nothing has such a gain between BINS bins."""
    from scipy import stats

    freedom = BINS - 1
    share = min(1.0 - 1e-12, float(gain.max()) + freedom / max(1, n - 1))
    f = (share / freedom) / ((1.0 - share) / max(1, n - freedom - 1))
    return float(min(1.0, k * stats.f.sf(f, freedom, max(1, n - freedom - 1))))


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) standardized ranks; missing values in the middle."""
    from scipy.stats import rankdata

    ranks = rankdata(np.nan_to_num(values, nan=float(np.nanmedian(values))))
    centred = ranks - ranks.mean()
    return np.asarray(centred / (centred.std() or 1.0))
