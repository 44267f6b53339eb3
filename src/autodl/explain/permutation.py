"""Permutation importance on raw columns (Breiman 2001; Fisher, Rudin and Dominici 2019).

Notation: n rows, p columns, R repeats, L loss. Importance of a column is the mean over repeats of
``L(column shuffled) - L(as it is)``. It is a two-sample U statistic, so its interval comes from the influence of each
row in both of its parts, averaged over the repeats; what the shuffles add by chance is in it too, but not the noise
of the loss itself: the interval of a column that the model ignores has no width. Where rows were drawn in groups the
influences are summed over them, with t limits. For scores without an influence function the interval is that of the
mean over repeats.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import Deadline
from autodl.evaluate.base import Metric
from autodl.evaluate.grouped import group_numbers
from autodl.evaluate.influence import influence, standard_error

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
BATCH_ROWS = 20_000
"""Rows of one predict call: several shuffled copies at once save its overhead."""
ROUNDING = 1e-5
"""Share of their spread by which predictions may differ between batches although their rows are the same."""
TYPICAL = (0.1, 0.9)
"""Levels between which numbers are spread where a few enormous ones do not count."""
SURELY = 0.8
"""What would take this share of the time that is left is done at once."""


@dataclass
class _Column:
    """What the repeats so far say of one column."""

    drops: list[float] = field(default_factory=list)
    influence: Array | None = None

    def add(self, drop: float, phi: Array | None) -> None:
        self.drops.append(drop)
        if phi is not None:
            self.influence = phi if self.influence is None else self.influence + phi

    def bounds(self, level: float, group: Array | None = None) -> tuple[float, float, float]:
        """Mean, low, high; ``group`` as ``group_numbers`` gives it."""
        from scipy.special import stdtrit

        r, mean = len(self.drops), float(np.mean(self.drops))
        if self.influence is not None:
            se, freedom = standard_error(self.influence / r, group), 1e9 if group is None else int(group.max())
        else:
            se = float(np.std(self.drops, ddof=1)) / math.sqrt(r) if r > 1 else 0.0
            freedom = max(1, r - 1)
        half = float(stdtrit(freedom, 0.5 + level / 2)) * se
        return mean, mean - half, mean + half


@dataclass(frozen=True)
class Importances:
    """Column -> (mean, low, high) added loss; repeats finished for every column; whether time ran out."""

    by_column: dict[str, tuple[float, float, float]]
    n_repeats: int
    cut: bool


def shuffled_copies(
    frame: pd.DataFrame,
    moves: list[tuple[str, Array]],
    together: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Copies of the frame under each other, one a move, each with one column's rows in another order.

    Args:
        frame: (n rows). moves: (column, (n,) row order) of each copy. together: Column -> others that go with it.
    """
    import pandas as pd

    def moves_too(name: str, moved: str) -> bool:
        return moved == name or name in together.get(moved, ())

    n = len(frame)
    straight = np.tile(np.arange(n), len(moves))
    columns = {}
    for name in frame.columns:
        rows = straight
        if any(moves_too(name, moved) for moved, _ in moves):
            rows = straight.copy()
            for i, (moved, order) in enumerate(moves):
                if moves_too(name, moved):
                    rows[i * n : (i + 1) * n] = order
        columns[name] = frame[name].array.take(rows)
    return pd.DataFrame(columns)


def shuffled_alone(columns: Sequence[str], together: Mapping[str, Collection[str]]) -> list[str]:
    """The columns without those that are shuffled together with another one."""
    led = {name for others in together.values() for name in others}
    return [c for c in columns if c not in led]


def _slope(own: Array, base: Array) -> float:
    """Of the regression of one (n,) influence of mean zero on another: exactly 1 where they are the same."""
    square = float(base @ base)
    return float(own @ base) / square if square > 0 else 0.0


def permutation_importance(
    predict: Callable[[pd.DataFrame], Array],
    frame: pd.DataFrame,
    y: Array,
    metric: Metric,
    n_classes: int = 0,
    *,
    n_repeats: int,
    rng: np.random.Generator,
    deadline: Deadline,
    level: float = 0.95,
    weight: Array | None = None,
    group: Array | None = None,
    first: Sequence[str] = (),
    together: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Importances:
    """Loss added by shuffling each column, repeat by repeat over all columns so that it can stop at any time.

    Args:
        predict: Frame of n rows -> (n, K) or (n,).
        frame: (n rows) raw columns, not used in training. y: (n,) targets.
        metric: Its loss is measured.
        n_classes: K; 0 for regression.
        n_repeats: Shuffles of each column.
        rng: Of the shuffles.
        deadline: No batch that would pass it is begun, except the first, of one copy if time is short.
        level: Of the intervals.
        weight: (n,) how much each row counts; all alike if None.
        group: (n,) rows of the same number were drawn together; each for itself if None. The shuffles mix all rows.
        first: All columns, those first that matter most if time is short; as they stand if empty.
        together: Column -> others that say the same: they are shuffled with it, and not alone.
    """
    n = len(frame)
    started = time.monotonic()
    base = predict(frame)
    copy_s = time.monotonic() - started
    base_loss = metric.loss(y, base, n_classes, weight)
    base_phi = influence(metric, y, base, n_classes, weight)
    sign = -1.0 if metric.greater_is_better else 1.0
    near = ROUNDING * float(np.std(base) if base.ndim > 1 else np.ptp(np.quantile(base, TYPICAL)))
    names = shuffled_alone(first or list(frame.columns), together)
    found = {str(c): _Column() for c in names}
    # Orders are drawn when their batch is built, since all at once fill the memory for many columns; each depends
    # on its column and repeat alone, whatever the size of the batches.
    root, total = int(rng.integers(2**63)), n_repeats * len(names)
    cut, done = False, 0
    while done < total:
        affordable = int(deadline.left() / max(copy_s, 1e-6)) if math.isfinite(deadline.at) else total
        if done and affordable < 1:
            cut = True
            break
        # A quarter of what is left at most, so that a wrong first guess of the speed does no harm; once copies were
        # timed, all that surely fits, for many small calls take longer than a large one.
        surely = done > 0 and total - done <= SURELY * affordable
        size = max(1, min(BATCH_ROWS // max(1, n), total - done if surely else affordable // 4))
        moves = [
            (names[i % len(names)], np.random.default_rng([root, *divmod(i, len(names))]).permutation(n))
            for i in range(done, min(done + size, total))
        ]
        began = time.monotonic()
        predicted = predict(shuffled_copies(frame, moves, together))
        for i, (column, order) in enumerate(moves):
            part = predicted[i * n : (i + 1) * n]
            # A network's last digits depend on the batch: they are no effect of a column that it does not look at.
            if np.allclose(part, base, rtol=0.0, atol=near):
                part = base
            phi = None
            own = influence(metric, y, part, n_classes, weight)
            if base_phi is not None and own is not None:
                # A row takes part twice: with its own target, and by lending its value to another row. What that
                # one's loss owes to its own row says nothing of the lender: a regression takes it out as noise.
                lent = np.empty(n)
                lent[order] = own - _slope(own, base_phi) * base_phi
                phi = sign * (own - base_phi + lent)
            found[str(column)].add(metric.loss(y, part, n_classes, weight) - base_loss, phi)
        copy_s = (time.monotonic() - began) / len(moves)
        done += len(moves)
    block = group_numbers(group)
    measured = {c: v.bounds(level, block) for c, v in found.items() if v.drops}
    ordered = dict(sorted(measured.items(), key=lambda kv: (-kv[1][0], kv[0])))
    return Importances(ordered, min((len(v.drops) for v in found.values()), default=0), cut)
