"""Prepared features of the folds, kept between trials: trials often share a recipe."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autodl.clock import NEVER, Deadline
from autodl.features import Features
from autodl.records import Recipe, Task
from autodl.search.row_share import part_of_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from autodl.preprocess import Preparer
    from autodl.preprocess.term_memo import TermMemo
    from autodl.search.job import TrialData

CACHE_BYTES = 600_000_000
"""Prepared features that a worker keeps at most; see ``cache_limit``."""
CACHE_SHARE = 0.1
"""Share of a worker's memory that prepared features may fill."""


BENT = ("log", "power", "quantile")
"""Transforms of the target that change more than its unit."""


def preparation_key(recipe: Recipe) -> str:
    """Equal for recipes that prepare columns alike: balancing, and the unit of the target, act after that."""
    target = recipe.target if recipe.target in BENT else "none"
    return recipe.model_copy(update={"target": target, "balance": "none"}).model_dump_json()


def learnt_target(
    recipe: Recipe, task: Task, y: NDArray[Any], weight: NDArray[np.float64] | None = None
) -> NDArray[Any]:
    """(n,) what columns made of targets are made of: the logarithm, say, where models learn the logarithm.

    Means of the values themselves would follow a few huge ones.

    Args:
        recipe: How the columns are prepared. task: What the target is.
        y: (n,) training targets. weight: (n,) of the rows; all alike if None.
    """
    from autodl.preprocess import TargetTransform

    if task is not Task.REGRESSION or recipe.target not in BENT:
        return y
    return TargetTransform(recipe.target, y, weight).forward(y)


@dataclass(frozen=True)
class PreparedFold:
    """Prepared features of one fold, the positions of its training rows, and the seconds that preparing took."""

    preparer: Preparer
    train: Features
    valid: Features
    test: Features | None
    rows: NDArray[np.int_]
    seconds: float


def cache_limit(memory: float) -> int:
    """Bytes of prepared features that a worker keeps.

    Args:
        memory: Bytes that it may hold in all.
    """
    return int(min(CACHE_BYTES, CACHE_SHARE * memory))


class PreparedFolds:
    """Prepared features of recent recipes and folds, kept up to ``CACHE_BYTES``: trials often share a recipe."""

    def __init__(self, data: TrialData, limit: int = CACHE_BYTES) -> None:
        self._data, self._limit = data, limit
        self._kept: OrderedDict[tuple[str, int, int, float | None, int], PreparedFold] = OrderedDict()
        self._memo: TermMemo | None = None
        self._lock = threading.Lock()
        data.make_known()

    def get(
        self,
        recipe: Recipe,
        fold: int,
        deadline: Deadline = NEVER,
        *,
        part: float | None = None,
        seed: int = 0,
        split: int = 0,
    ) -> PreparedFold:
        """The fold's rows prepared by a preparer that was fitted on its training rows.

        Args:
            recipe: How. fold: number of the fold.
            deadline: When preparation must end.
            part: Share of the training rows to use; None means all.
            seed: Seed of the choice of that part.
            split: Number of the split into folds.

        Raises:
            TimeoutError: If the deadline passes between two steps.
        """
        # A part differs by seed; all rows do not.
        key = (preparation_key(recipe), split, fold, part, seed if part is not None else 0)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        from autodl.preprocess import Preparer

        begun = time.perf_counter()
        data = self._data
        train, valid = data.folds_of(split)[fold]
        if part is not None:
            train = part_of_rows(train, data.y[train], part, seed, data.task is Task.CLASSIFICATION)
        preparer = Preparer(recipe, data.schema, data.task)
        preparer.remember(self._terms())
        weight = data.weight_of(train)
        y = learnt_target(recipe, data.task, data.y[train], weight)
        x_train = preparer.fit_transform(data.frame.iloc[train], y, deadline, weight, data.groups_of(train))
        _in_time(deadline)
        x_valid = preparer.transform(data.frame.iloc[valid])
        _in_time(deadline)
        x_test = preparer.transform(data.test_frame) if len(data.test_frame) else None
        preparer.remember(None)
        made = PreparedFold(preparer, x_train, x_valid, x_test, train, time.perf_counter() - begun)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > 1 and self._bytes() > self._limit:
                self._kept.popitem(last=False)
        return made

    def _terms(self) -> TermMemo:
        """Term weights of texts, which recipes share."""
        from autodl.preprocess.term_memo import MEMO_BYTES, TermMemo

        with self._lock:
            if self._memo is None:
                self._memo = TermMemo(min(MEMO_BYTES, self._limit // 3))
            return self._memo

    def _bytes(self) -> int:
        return sum(f.nbytes() for p in self._kept.values() for f in (p.train, p.valid, p.test) if f is not None)


def _in_time(deadline: Deadline) -> None:
    if deadline.passed():
        raise TimeoutError("time ran out while the columns were prepared")
