"""Greedy ensemble selection with replacement (Caruana et al., ICML 2004) on out-of-fold predictions.

Notation: m candidates, n rows, K classes. Weights are shares of the picks; the blend is the weighted mean.
Guards against the optimism of choosing weights on the rows that score them: start from the best models (sorted
initialization), stop when nothing improves, and keep the blend only if weights chosen on one half of the rows beat
the best single model on the other half, both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.ensemble.constraints import SHARES, Allowed
from autodl.ensemble.objective import BlendLoss, blend_loss
from autodl.evaluate.base import Metric
from autodl.evaluate.influence import influence, standard_error
from autodl.records import Ensemble, Member, TrialResult

Array = NDArray[Any]
MAX_ROWS = 15_000
MAX_CELLS = 4_000_000
"""Prediction values (m x n x K) looked at while choosing; rows are sampled above it."""
GAIN = 1e-5
"""Least relative improvement for another pick."""


@dataclass(frozen=True)
class _Pool:
    """Candidates sorted by loss: ids, losses (m,), predictions (m, n[, K]) on rows where all of them predict."""

    ids: tuple[str, ...]
    losses: Array
    predictions: Array
    y: Array


def select(
    trials: Sequence[TrialResult],
    predictions: Mapping[str, Array],
    y: Array,
    metric: Metric,
    *,
    n_classes: int = 0,
    seed: int = 0,
    max_candidates: int = 25,
    max_steps: int = 25,
    noise_se: float = 0.0,
    deadline: Deadline = NEVER,
    allowed: Allowed | None = None,
) -> Ensemble:
    """Choose models and weights.

    Args:
        trials: The finished trials, for their families: the best of each is always a candidate.
        predictions: Trial id -> (n, K) or (n,) out-of-fold predictions; NaN rows are left out.
        y: (n,) targets.
        metric: To be optimized.
        n_classes: K; 0 for regression.
        seed: Of the row sample and the halves.
        max_candidates: Models considered, the best by loss.
        max_steps: Picks, repeats included.
        noise_se: The blend must beat the best single model on held-out halves by so many standard errors.
        deadline: Picking stops there.
        allowed: Limits on what the models may take together; models that exceed them alone are no candidates.

    Raises:
        ValueError: If there is no candidate with predictions, or none common to all.
    """
    n_known = len(predictions)
    if allowed is not None:
        predictions = {i: p for i, p in predictions.items() if allowed.fits([i])}
    rng = np.random.default_rng(seed)
    families = {t.spec.id: t.spec.family for t in trials if t.spec.id in predictions}
    pool = _pool(predictions, y, metric, n_classes, families, rng, max_candidates)
    single = Ensemble(
        members=(Member(trial_id=pool.ids[0], family=families[pool.ids[0]], weight=1.0),),
        method="single", loss=float(pool.losses[0]), single_loss=float(pool.losses[0]),
        why="Only one model is available." if n_known == 1 else "Only one model is within the limits.",
    )  # fmt: skip
    if len(pool.ids) == 1:
        return single
    weights = _weights(pool, np.arange(len(pool.y)), metric, n_classes, max_steps, deadline, allowed)
    used = np.flatnonzero(weights)
    loss = metric.loss(pool.y, _blend(pool.predictions, weights), n_classes)
    if len(used) == 1 or not loss < pool.losses[0]:
        return single.model_copy(update={"why": "No combination of models improves on the best single one."})
    gain, spread = _held_out_gain(pool, metric, n_classes, max_steps, rng, deadline, allowed)
    if gain <= noise_se * spread:
        why = (
            f"Combining models does not beat the best single one by more than noise: on rows not used for the "
            f"weights, {metric.name} changes by {gain:+.2g} (standard error {spread:.2g}; positive is better)."
        )
        return single.model_copy(update={"why": why})
    order = used[np.argsort(-weights[used], kind="stable")]
    members = tuple(
        Member(trial_id=pool.ids[i], family=families[pool.ids[i]], weight=float(weights[i])) for i in order
    )
    why = (
        f"{len(members)} models together beat the best single one: on rows not used for the weights, {metric.name} "
        f"improves by {gain:.2g} (standard error {spread:.2g})."
    )
    return Ensemble(members=members, method="greedy", loss=loss, single_loss=float(pool.losses[0]), why=why)


def combine(ensemble: Ensemble, predictions: Mapping[str, Array]) -> Array:
    """The weighted mean of the members' predictions, as float64.

    Args:
        ensemble: What to combine.
        predictions: Trial id -> (n, K) or (n,) for at least its members.

    Raises:
        KeyError: If the predictions of a member are missing.
    """
    total = sum(np.asarray(predictions[m.trial_id], dtype=np.float64) * m.weight for m in ensemble.members)
    return np.asarray(total / sum(m.weight for m in ensemble.members))


def _pool(
    predictions: Mapping[str, Array], y: Array, metric: Metric, k: int, families: Mapping[str, str],
    rng: np.random.Generator, most: int,
) -> _Pool:  # fmt: skip
    present = {i: np.isfinite(predictions[i]).reshape(len(y), -1).all(axis=1) for i in families}
    present = {i: rows for i, rows in present.items() if rows.any()}
    if not present:
        raise ValueError("no model has out-of-fold predictions")
    # A model that covers far fewer rows than the best covered would shrink the common ground for all.
    widest = max(int(rows.sum()) for rows in present.values())
    ids = [i for i, rows in present.items() if rows.sum() >= 0.9 * widest]
    common = np.logical_and.reduce([present[i] for i in ids])
    if not common.any():
        raise ValueError("no row has out-of-fold predictions of all models")
    rows = np.flatnonzero(common)
    target = np.asarray(y)[rows]
    loss = {i: metric.loss(target, _wide(predictions[i][rows]), k) for i in ids}
    ranked = sorted((i for i in ids if np.isfinite(loss[i])), key=lambda i: (loss[i], i)) or ids[:1]
    first = {families[i]: i for i in reversed(ranked)}
    chosen = [i for n, i in enumerate(ranked) if n < most or first[families[i]] == i]
    cells = len(chosen) * max(1, k)
    limit = max(2_000, min(MAX_ROWS, MAX_CELLS // cells))
    if len(rows) > limit:
        pick = np.sort(rng.choice(len(rows), size=limit, replace=False))
        rows, target = rows[pick], target[pick]
        loss = {i: metric.loss(target, _wide(predictions[i][rows]), k) for i in chosen}
        chosen.sort(key=lambda i: (loss[i], i))
    stacked = np.stack([np.asarray(predictions[i][rows], dtype=np.float32 if k else np.float64) for i in chosen])
    return _Pool(tuple(chosen), np.array([loss[i] for i in chosen]), stacked, target)


def _wide(prediction: Array) -> Array:
    """As float64 like the blends: metrics clip by the precision of the type, and would favour float32."""
    return np.asarray(prediction, dtype=np.float64)


def _blend(predictions: Array, weights: Array) -> Array:
    used = np.flatnonzero(weights)
    return np.asarray(np.tensordot(weights[used], predictions[used].astype(np.float64), axes=1))


def _weights(
    pool: _Pool, rows: Array, metric: Metric, k: int, max_steps: int, deadline: Deadline, allowed: Allowed | None
) -> Array:
    """(m,) weights chosen on these rows; under limits the best of several tries.

    The best model may take so much that no other fits beside it, where two or three small ones together do better.
    """
    whole = len(rows) == len(pool.y)
    predictions = pool.predictions if whole else pool.predictions[:, rows]
    objective = blend_loss(metric, predictions, pool.y[rows], k)
    if allowed is None:
        return _greedy(objective, max_steps, deadline)[1]
    tries = []
    for share in SHARES:
        small = np.array([allowed.fits([i], share) for i in pool.ids])

        def may(picks: Sequence[int], small: Array = small) -> Array:
            chosen = [pool.ids[i] for i in picks]
            return np.array([s and allowed.fits([*chosen, i]) for i, s in zip(pool.ids, small, strict=True)])

        if small.any():
            tries.append(_greedy(objective, max_steps, deadline, may))
    return min(tries, key=lambda t: t[0])[1]


def _greedy(
    objective: BlendLoss, max_steps: int, deadline: Deadline, may: Callable[[Sequence[int]], Array] | None = None
) -> tuple[float, Array]:
    """Loss and (m,) weights. Starts from the one to three best models, whichever number does best.

    Args:
        objective: Losses of blends.
        max_steps: Picks. deadline: Picking stops there.
        may: Given the picks so far, (m,) which models may follow; all if None.
    """
    m = len(objective.predictions)
    picks: list[int] = []
    best_picks: list[int] = []
    best = np.inf
    total = np.zeros(objective.predictions.shape[1:])
    first = objective.losses(total, 0)
    sorted_start = [int(i) for i in np.argsort(first, kind="stable")[:3]] if may is None else []
    for step in range(max_steps):
        if deadline.passed() and best_picks:
            break
        losses = first if step == 0 else objective.losses(total, step)
        if may is not None:
            losses = np.where(may(picks), losses, np.inf)
        pick = sorted_start[step] if step < len(sorted_start) else int(np.nanargmin(losses))
        if step and step < len(sorted_start) and losses[pick] >= best * (1 - GAIN):
            pick = int(np.nanargmin(losses))
        total = total + objective.predictions[pick]
        picks.append(pick)
        if losses[pick] < best * (1 - GAIN):
            best, best_picks = float(losses[pick]), list(picks)
        elif len(picks) - len(best_picks) >= 5:
            break
    return best, np.bincount(best_picks, minlength=m) / len(best_picks)


def _held_out_gain(
    pool: _Pool,
    metric: Metric,
    k: int,
    max_steps: int,
    rng: np.random.Generator,
    deadline: Deadline,
    allowed: Allowed | None,
) -> tuple[float, float]:
    """Improvement over the best single model on halves not used for weights or choice, and its standard error."""
    side = np.zeros(len(pool.y), dtype=bool)
    order = rng.permutation(len(pool.y))
    if k:
        order = order[np.argsort(pool.y[order], kind="stable")]
    side[order[::2]] = True
    gains, variances, sizes = [], [], []
    for fit, check in ((side, ~side), (~side, side)):
        fit_rows, rows = np.flatnonzero(fit), np.flatnonzero(check)
        if len(rows) < 2:
            return 0.0, 0.0
        weights = _weights(pool, fit_rows, metric, k, max_steps, deadline, allowed)
        own = [metric.loss(pool.y[fit_rows], _wide(p[fit_rows]), k) for p in pool.predictions[:5]]
        y, together = pool.y[rows], _blend(pool.predictions[:, rows], weights)
        alone = _wide(pool.predictions[int(np.argmin(own)), rows])
        gains.append(metric.loss(y, alone, k) - metric.loss(y, together, k))
        phi_a, phi_b = influence(metric, y, together, k), influence(metric, y, alone, k)
        variances.append(standard_error(phi_a - phi_b) ** 2 if phi_a is not None and phi_b is not None else 0.0)
        sizes.append(len(rows))
    return float(np.average(gains, weights=sizes)), float(np.sqrt(sum(variances)) / 2)
