"""What strategies are told of trials that were stopped: a loss that compares with those of whole trials.

A stopped trial has a loss on its first folds only, perhaps of a training cut short. Folds differ more than trials do:
told as it is, the loss of an easy fold looks better than that of any whole trial and draws the search to what was
stopped for being hopeless.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

from autodl.records import TrialResult, TrialStatus
from autodl.search.curves import Curve
from autodl.search.rivals import curve_of


def comparable_losses(finished: Sequence[TrialResult]) -> list[TrialResult]:
    """The trials, the stopped ones with the loss that all folds would probably have given.

    Never below that of the family's best whole trial, which the scheduler found them unable to beat. Compared are
    whole trials on as many rows; where there are none, they stay as they are.

    Args:
        finished: All finished trials, with the losses that they measured.
    """
    whole: dict[tuple[str, float | None], list[TrialResult]] = {}
    for r in finished:
        if r.ok and r.spec.split == 0:
            whole.setdefault((r.spec.family, r.spec.fidelity), []).append(r)
    field = {key: _Field(results) for key, results in whole.items()}
    out = []
    for r in finished:
        cut_off = r.status is TrialStatus.STOPPED and r.loss is not None and r.fold_losses
        if cut_off and (like := (r.spec.family, r.spec.fidelity)) in field:
            r = r.model_copy(update={"loss": field[like].estimate(r)})
        out.append(r)
    return out


class _Field:
    """The whole trials of a family."""

    def __init__(self, whole: Sequence[TrialResult]) -> None:
        self.whole = whole
        self.best = min(_loss(r) for r in whole)
        self._curves: list[tuple[Curve, float]] | None = None
        self._places: dict[tuple[str, float], tuple[list[float], list[float]]] = {}
        self._harder: dict[int, float] = {}

    def estimate(self, stopped: TrialResult) -> float:
        """The loss that a stopped trial would probably have had."""
        if stopped.reached < 1.0:
            mine = [p.valid for p in stopped.curve if p.valid is not None]
            places, losses = self.standing(stopped.measure, stopped.reached)
            if mine and len(places) > 1:
                # Its place among the whole trials at equal progress, as the losses of trainings and of trials may
                # measure different things.
                return float(np.interp(min(mine), places, losses))
        return max(self.best, statistics.fmean(stopped.fold_losses) + self.harder(len(stopped.fold_losses)))

    def standing(self, measure: str, progress: float) -> tuple[list[float], list[float]]:
        """Best losses of the trainings up to that progress, and losses of the trials, both sorted."""
        if (measure, progress) not in self._places:
            if self._curves is None:
                self._curves = [(curve_of(r), _loss(r)) for r in self.whole if r.measure]
            own = [
                (at, loss) for c, loss in self._curves if c.measure == measure and (at := c.at(progress)) is not None
            ]
            self._places[measure, progress] = sorted(at for at, _ in own), sorted(loss for _, loss in own)
        return self._places[measure, progress]

    def harder(self, k: int) -> float:
        """How much harder than the first k folds all of them are, by the median of the whole trials."""
        if k not in self._harder:
            rest = [_loss(r) - statistics.fmean(r.fold_losses[:k]) for r in self.whole if len(r.fold_losses) >= k]
            self._harder[k] = statistics.median(rest) if rest else 0.0
        return self._harder[k]


def _loss(result: TrialResult) -> float:
    assert result.loss is not None
    return result.loss
