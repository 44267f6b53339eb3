"""How a trial is scored: by the metric, at a cut of its own where the metric needs one.

A row is answered with the cut that rows of other folds have taught, so that no cut flatters its model.

Notation: n search rows, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.evaluate.base import metrics
from autodl.search.job import TrialData

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.ensemble.known_rows import KnownRows


class TrialScores:
    """Losses of a trial's predictions, in forms that compare between trials.

    Args:
        data: Targets, weights and blocks of the rows.
        learns: Whether the model looks at columns. A guess keeps the most probable class: with a cut it would answer
            yes to everybody, which some metrics reward.
    """

    def __init__(self, data: TrialData, *, learns: bool = True) -> None:
        self.data, self.metric, self._learns = data, metrics[data.metric], learns

    @cached_property
    def cut(self) -> bool:
        """Whether losses are those of cuts of the model's own."""
        if not self._learns or self.metric.needs != "label":
            return False
        from autodl.ensemble.answers import needs_cut

        return needs_cut(self.metric, self.data.n_classes)

    def plain(self, rows: NDArray[np.int_], predicted: NDArray[Any]) -> float:
        """Loss of predictions for some rows; the most probable class is the answer."""
        data = self.data
        return self.metric.loss(data.y[rows], predicted, data.n_classes, data.weight_of(rows))

    def fold(
        self,
        rows: NDArray[np.int_],
        predicted: NDArray[Any],
        before: NDArray[np.int_] | None = None,
        known: NDArray[Any] | None = None,
    ) -> float:
        """Loss of one fold while later ones are not known, with a cut from the folds before it.

        The first fold has none before it: its halves teach each other.

        Args:
            rows: (m,) rows of the fold. predicted: For them.
            before: Rows of the folds before it. known: Predictions for these.
        """
        if not self.cut:
            return self.plain(rows, predicted)
        if before is None or known is None or not len(before):
            return self._answered(rows, predicted, self._halves(rows))
        from autodl.decision import decided
        from autodl.ensemble.quick_answers import quick_cut

        cut = quick_cut(known, self._known(before))
        return self.plain(rows, decided(predicted, *cut))

    def whole(self, folds: Sequence[NDArray[np.int_]], predictions: NDArray[Any]) -> float:
        """Loss of all folds together, each with the cut that the others ask for; of one fold as ``fold``.

        Args:
            folds: Rows of each. predictions: (n, ...) of all search rows, known for these.
        """
        rows = np.concatenate(list(folds))
        predicted = predictions[rows].astype(float)
        if not self.cut:
            return self.plain(rows, predicted)
        part = np.repeat(np.arange(len(folds)), [len(f) for f in folds])
        return self._answered(rows, predicted, part if len(folds) > 1 else self._halves(rows))

    def _answered(self, rows: NDArray[np.int_], predicted: NDArray[Any], part: NDArray[Any]) -> float:
        from autodl.ensemble.quick_answers import quick_answers

        return self.plain(rows, quick_answers(predicted, self._known(rows), part))

    def _known(self, rows: NDArray[np.int_]) -> KnownRows:
        from autodl.ensemble.known_rows import KnownRows

        return KnownRows(self.data.y[rows], self.metric, self.data.weight_of(rows))

    def _halves(self, rows: NDArray[np.int_]) -> NDArray[Any]:
        """(m,) halves of the rows, the same for all trials; blocks stay whole."""
        from autodl.ensemble.halves import random_half

        block = None if self.data.blocks is None else self.data.blocks[rows]
        return random_half(self.data.y[rows], np.random.default_rng(0), block).astype(np.int64)
