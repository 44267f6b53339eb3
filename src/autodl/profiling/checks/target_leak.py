"""AD010: one column that alone predicts nearly everything.

Each column is cut into bins; the out-of-fold mean target of a row's bin is its prediction (a one-column regression
tree); for numbers also its rank correlation with the target. Cf. the predictive power score (Wetschoreck 2020).
Notation: n rows, k bins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.profiling.checks.base import NO_TIME, Check, Context
from autodl.profiling.stats import auc, ranks
from autodl.records import ColumnKind, Finding, Severity

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUSPICIOUS = 0.98
"""AUC, or R2 of target ranks, from which one column alone is too good to be true."""
MIN_ROWS = 50
FOLDS = 5
MAX_SCORED_CLASSES = 20


class TargetLeak(Check):
    """Cross-validated score of each column alone."""

    key = "target_leak"
    code = "AD010"
    title = "Target leak"

    def run(self, ctx: Context) -> list[Finding]:
        """One warning for each column that is too good to be true."""
        names = ctx.of_kind(ColumnKind.NUMERIC, ColumnKind.BOOLEAN, ColumnKind.CATEGORICAL, ColumnKind.DATETIME)
        if ctx.n < MIN_ROWS or not names:
            return self.not_applicable(f"Fewer than {MIN_ROWS} rows, or no column to look at.")
        scores = single_column_scores(ctx, names)
        if not scores:
            return self.not_applicable(NO_TIME)
        part = f" among the first {len(scores):,} of {len(names):,}" if len(scores) < len(names) else ""
        best = max(scores, key=scores.__getitem__)
        measure = "AUC" if ctx.classification else "R2 of ranks"
        found = [
            self.finding(
                Severity.WARNS,
                f"'{name}' alone predicts '{ctx.target.name}' almost perfectly ({measure} {score:.3f} where 1 is "
                "perfect). That is often a sign that it was written down after the outcome was known, or computed "
                "from it.",
                action=f"Ask whether '{name}' is known at the time of prediction; if not, leave it out with --drop.",
                column=name,
                evidence={"score": score, "measure": measure, "rows": len(ctx.sample)},
            )
            for name, score in sorted(scores.items(), key=lambda s: -s[1])
            if score >= SUSPICIOUS
        ]
        if found:
            return self.capped(found, "predict the target almost perfectly")
        return self.passed(
            f"No single column{part} gives the answer away; the strongest is '{best}' ({measure} "
            f"{scores[best]:.2f}).",
            {"column": best, "score": scores[best], "measure": measure, "rows": len(ctx.sample)},
        )


def single_column_scores(ctx: Context, names: tuple[str, ...]) -> dict[str, float]:
    """How well each column alone predicts the target, out of fold, on the sample of rows.

    Returns:
        Column -> AUC for classes (mean of one against the rest over at most MAX_SCORED_CLASSES classes, weighted by
        their sizes), R2 of target ranks for numbers; at least 0.5 and 0. Columns after the deadline are left out.
    """
    out = {}
    draws = [_draw(ctx, ctx.sample)]
    _, first = np.unique(ctx.row_hash[ctx.sample], return_index=True)
    if len(first) < len(ctx.sample):
        # A key finds the copies of its row on the other side of the fold: it is judged by one row of each.
        draws.append(_draw(ctx, ctx.sample[np.sort(first)]))
    for name in names:
        if ctx.deadline.passed():
            break
        rows, fold, targets = draws[-1] if 2 * ctx.column[name].n_unique > len(first) else draws[0]
        codes = _bins(ctx, name, rows)
        predicted = _out_of_fold_means(codes, fold, targets)
        if ctx.classification:
            weights = targets.mean(axis=0)
            areas = [auc(targets[:, j] > 0.5, predicted[:, j]) for j in range(targets.shape[1])]
            out[name] = max(0.5, float(np.average(areas, weights=weights)))
        else:
            residual = ((targets - predicted) ** 2).sum()
            total = ((targets - targets.mean()) ** 2).sum()
            out[name] = (
                max(_monotone(ctx, name, rows, targets[:, 0]), float(1 - residual / total)) if total > 0 else 0.0
            )
    return out


def _monotone(ctx: Context, name: str, rows: NDArray[np.int_], target: NDArray[np.float64]) -> float:
    """Squared rank correlation (Spearman) with a column of numbers; 0 for words.

    The bins of a small table are too coarse for a score near 1, even of a column equal to the target.
    """
    if ctx.column[name].kind is ColumnKind.CATEGORICAL:
        return 0.0
    values = ctx.numbers(name, rows)
    known = ~np.isnan(values)
    place = np.full(len(values), float(known.sum() + 1) / 2)  # Missing values stand in the middle.
    place[known] = ranks(values[known])
    return float(np.corrcoef(place, target)[0, 1] ** 2) if np.ptp(place) > 0 else 0.0


def _draw(ctx: Context, rows: NDArray[np.int_]) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64]]:
    """Rows, their folds, and their targets."""
    return rows, np.random.default_rng(ctx.seed).permutation(len(rows)) % FOLDS, _targets(ctx, rows)


def _targets(ctx: Context, rows: NDArray[np.int_]) -> NDArray[np.float64]:
    """(n, K) one-hot classes (one column for two classes), or (n, 1) ranks in [0, 1]."""
    y = ctx.y[rows]
    if not ctx.classification:
        return ranks(y)[:, None] / len(y)
    present, counts = np.unique(y, return_counts=True)
    if len(present) == 2:
        frequent = present[-1:]
    else:
        frequent = present[np.argsort(-counts)][:MAX_SCORED_CLASSES]
    one_hot: NDArray[np.float64] = np.equal(y[:, None], frequent[None, :]).astype(np.float64)
    return one_hot


def _bins(ctx: Context, name: str, rows: NDArray[np.int_]) -> NDArray[np.int_]:
    """(n,) bin of each row; missing values have a bin of their own."""
    if ctx.column[name].kind is ColumnKind.CATEGORICAL:
        return ctx.codes(name)[rows] + 1
    values = ctx.numbers(name, rows)
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros(len(rows), dtype=np.int_)
    k = int(np.clip(len(rows) // 20, 8, 250))
    distinct = np.unique(present)
    edges = distinct if len(distinct) <= k else np.unique(np.quantile(present, np.linspace(0, 1, k + 1)[1:-1]))
    bins: NDArray[np.int_] = np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, side="left"))
    return bins


def _out_of_fold_means(codes: NDArray[np.int_], fold: NDArray[np.int_], targets: NDArray[np.float64]) -> NDArray[Any]:
    """(n, K) mean target of the row's bin over the other folds, shrunk to the mean of all by one row."""
    k = int(codes.max()) + 1
    cell = codes * FOLDS + fold
    n_cell = np.bincount(cell, minlength=k * FOLDS).reshape(k, FOLDS)
    n_out = n_cell.sum(axis=1, keepdims=True) - n_cell
    predicted = np.empty_like(targets)
    for j in range(targets.shape[1]):
        s_cell = np.bincount(cell, weights=targets[:, j], minlength=k * FOLDS).reshape(k, FOLDS)
        s_out = s_cell.sum(axis=1, keepdims=True) - s_cell
        # Outer rows only, the mean of all of them included: else the prior itself would give the fold away.
        prior = s_out.sum(axis=0) / np.maximum(1, n_out.sum(axis=0))
        mean = (s_out + prior[None, :]) / (n_out + 1)
        predicted[:, j] = mean[codes, fold]
    return predicted
