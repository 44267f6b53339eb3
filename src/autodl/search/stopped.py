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

    Never below that of the family's best whole trial, which the scheduler found them unable to beat. Trials on parts
    of the rows, and those of families without any whole trial, stay as they are.

    Args:
        finished: All finished trials, with the losses that they measured.
    """
    whole: dict[str, list[TrialResult]] = {}
    for r in finished:
        if r.ok and r.spec.fidelity is None:
            whole.setdefault(r.spec.family, []).append(r)
    curves = {key: [(curve_of(r), r) for r in results if r.measure] for key, results in whole.items()}
    out = []
    for r in finished:
        cut_off = r.status is TrialStatus.STOPPED and r.spec.fidelity is None and r.loss is not None and r.fold_losses
        if cut_off and r.spec.family in whole:
            r = r.model_copy(update={"loss": _estimate(r, whole[r.spec.family], curves[r.spec.family])})
        out.append(r)
    return out


def _estimate(
    stopped: TrialResult, whole: Sequence[TrialResult], curves: Sequence[tuple[Curve, TrialResult]]
) -> float:
    assert stopped.loss is not None
    best = min(_loss(r) for r in whole)
    if stopped.reached < 1.0:
        mine = curve_of(stopped)
        pairs = [(at, r) for c, r in curves if c.measure == mine.measure and (at := c.at(mine.reached)) is not None]
        if mine.points and len(pairs) > 1:
            # Its place among the whole trials at equal progress, as the losses of trainings and of trials may
            # measure different things.
            places, losses = sorted(at for at, _ in pairs), sorted(_loss(r) for _, r in pairs)
            return float(np.interp(mine.best, places, losses))
    k = len(stopped.fold_losses)
    # How much harder than these folds all of them are, by the whole trials.
    rest = [_loss(r) - statistics.fmean(r.fold_losses[:k]) for r in whole if len(r.fold_losses) >= k]
    harder = statistics.median(rest) if rest else 0.0
    return max(best, statistics.fmean(stopped.fold_losses) + harder)


def _loss(result: TrialResult) -> float:
    assert result.loss is not None
    return result.loss
