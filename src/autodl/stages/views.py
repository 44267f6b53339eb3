"""Out-of-fold predictions of trials, one view for each split into folds.

A configuration that was tried on V splits has V predictions for each row. Their mean averages V times as many models
as will be delivered, so it is better than these, by most for the models that vary most: who was repeated would look
better than who was not by that alone. So the rows stand V times, once for each split, in blocks that are never torn
apart, and a configuration is judged by the predictions of one split at a time; who has fewer splits repeats its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import NEVER, Deadline
from autodl.records import ArtifactRef, TrialResult
from autodl.search.repeats import first_split
from autodl.stages.problem import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from autodl.ensemble import KnownRows

MOST = 60
"""Trials that are looked at where there are several views, the best ones and the best of each family: the others
would only take memory."""


@dataclass(frozen=True)
class Views:
    """Predictions for rows that the models had not seen, and these rows.

    Attributes:
        predictions: Trial id -> (V n, K) or (V n,).
        rows: (V n) rows; with several views in blocks.
    """

    predictions: dict[str, NDArray[Any]]
    rows: KnownRows


def views(
    problem: Problem,
    results: Sequence[TrialResult],
    deadline: Deadline = NEVER,
    known: dict[str, NDArray[Any]] | None = None,
) -> Views:
    """The views of these trials.

    Args:
        problem: With the rows and the folder.
        results: Finished trials, ``merged``; those without predictions are left out.
        deadline: Of what the rows are used for.
        known: Arrays that were read before, by their files; added to.
    """
    refs = {r.spec.id: _splits(r.oof) for r in results if r.oof is not None}
    rows = problem.known_rows(deadline)
    v = max(map(len, refs.values()), default=1)
    if v > 1:
        kept = _leaders(problem, results)
        refs = {key: files for key, files in refs.items() if key in kept}
        v = max(map(len, refs.values()), default=1)
    read = {key: [_read(problem, ref, known) for ref in files] for key, files in refs.items()}
    if v == 1:
        return Views({key: arrays[0] for key, arrays in read.items()}, rows)
    predictions = {key: np.concatenate([arrays[k % len(arrays)] for k in range(v)]) for key, arrays in read.items()}
    return Views(predictions, _repeated(rows, v))


def _splits(ref: ArtifactRef) -> tuple[ArtifactRef, ...]:
    return (first_split(ref), *ref.others)


def _read(problem: Problem, ref: ArtifactRef, known: dict[str, NDArray[Any]] | None) -> NDArray[Any]:
    if known is not None and ref.path in known:
        return known[ref.path]
    array = problem.delivery.folder.read_array(ref)
    if known is not None:
        known[ref.path] = array
    return array


def _leaders(problem: Problem, results: Sequence[TrialResult]) -> set[str]:
    """Ids of the best trials, and of the best of each family."""
    ranked = sorted(results, key=problem.setup.feasibility.order)
    best = {r.spec.family: r.spec.id for r in reversed(ranked)}
    return {r.spec.id for r in ranked[:MOST]} | set(best.values())


def _repeated(rows: KnownRows, v: int) -> KnownRows:
    block = np.arange(len(rows)) if rows.block is None else rows.block
    return replace(
        rows,
        y=np.tile(rows.y, v),
        weight=None if rows.weight is None else np.tile(rows.weight, v),
        block=np.tile(block, v),
    )
