"""The losses and learning curves that a new trial is compared with, and when two curves compare."""

from __future__ import annotations

from collections.abc import Sequence

from autodl.records import Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.curves import SPACING, Curve

MIN_RIVALS = 4
"""With fewer trials that came to their end, nothing is stopped."""
MOST = 64
"""Curves that travel with a job: a quarter of them the best, the others the latest."""


def measure_of(spec: TrialSpec, recipe: Recipe, fold: int) -> str:
    """Names what the validation losses of a training measure; they compare only with those of the same name.

    A transformed target and another balance of classes (probabilities are off, the ranking is not) change the losses;
    other validation rows do as well, and other training rows change the scale by which networks divide the target.
    """
    rows = 1.0 if spec.fidelity is None else spec.fidelity
    begun = "" if spec.parent is None else " going on"
    if (objective := spec.config.get("objective", "auto")) != "auto":
        begun = f" objective={objective}{begun}"
    place = f"{fold}" if spec.split == 0 else f"{spec.split}.{fold}"
    return f"{spec.family}: target={recipe.target} balance={recipe.balance} fold={place} rows={rows:.6g}{begun}"


def rival_folds(finished: Sequence[TrialResult]) -> tuple[tuple[float, ...], ...]:
    """Losses of the folds of trials, those stopped between two folds among them; nothing while few are whole.

    Survivors alone would be the better part of what has come so far. Where training itself was cut short, not even
    the first fold was seen to its end.
    """
    if sum(r.ok for r in finished) < MIN_RIVALS:
        return ()
    return tuple(r.fold_losses for r in finished if r.ok or (r.status is TrialStatus.STOPPED and r.reached >= 1.0))


def rival_curves(finished: Sequence[TrialResult], family: str) -> tuple[Curve, ...]:
    """The first fold's curves of a family's trials, in the order in which they ended."""
    own = [r for r in finished if r.spec.family == family and r.measure and r.spec.split == 0]
    own = [r for r in own if r.status in (TrialStatus.OK, TrialStatus.STOPPED)]
    if len(own) > MOST:
        best = {r.spec.id for r in sorted(own, key=_whole_loss)[: MOST // 4]}
        late = {r.spec.id for r in [r for r in own if r.spec.id not in best][-(MOST - len(best)) :]}
        own = [r for r in own if r.spec.id in best or r.spec.id in late]
    return tuple(curve for r in own if (curve := curve_of(r)).points)


def curve_of(result: TrialResult) -> Curve:
    """The learning curve of a trial's first fold."""
    ended = len(result.fold_losses) > 1 or result.reached >= 1.0
    return Curve.of(
        ((p.progress, p.valid) for p in result.curve if p.progress is not None and p.valid is not None),
        ended=ended,
        loss=_whole_loss(result),
        folds=result.fold_losses if result.ok else (),
        measure=result.measure,
        spacing=SPACING,
    )


def _whole_loss(result: TrialResult) -> float:
    return result.loss if result.ok and result.loss is not None else float("inf")
