"""Which parts of a series its answer rests on, found by drawing a straight line in their place.

Works for any model: the effect of a part is how much the answer changes when its steps are replaced by a line between
its neighbours (occlusion; for series e.g. Mujkanovic et al. 2020, "timeXplain"). Notation: k series, p parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

MOST_PARTS, LEAST_PARTS = 24, 8
"""Parts of equal length of each series; with fewer than the least they are too coarse to show anything."""
REACH = 1
"""Parts on either side that are replaced together with one: shapes do not end where parts do."""


def parts_in_time(rows: float, k: int) -> int:
    """Parts for which k series can be asked, if so many rows can be predicted; 0: too few."""
    possible = min(MOST_PARTS, int(rows / max(1, k)) - 1)
    return possible if possible >= LEAST_PARTS else 0


def step_effects(
    predict: Callable[[pd.DataFrame], NDArray[Any]],
    frame: pd.DataFrame,
    column: str,
    places: Sequence[int],
    outputs: Sequence[int] | None,
    parts: int = MOST_PARTS,
) -> NDArray[np.float64]:
    """(k, p) changes of the answers that parts of the series make; 0 where a series has fewer steps than parts.

    Positive: the answer is more probable, or the number higher, with the part than without. p is ``parts``; a series
    of fewer steps has as many parts as steps, and zeros behind.

    Args:
        predict: Frame of n rows -> (n, K) probabilities or (n,) values.
        frame: Canonical columns. column: series.
        places: (k,) positions of rows whose cells are not empty. outputs: which class of each; None for numbers.
        parts: p.
    """
    from autodl.media.array import MediaArray
    from autodl.media.memory import SeriesList

    originals = [np.asarray(frame[column].array[place], np.float64) for place in places]
    counts = [min(parts, len(values)) for values in originals]
    changed = [v.astype(np.float32) for v in originals]
    for values, n in zip(originals, counts, strict=True):
        changed += [without_part(values, j, n).astype(np.float32) for j in range(n)]
    asked = frame.iloc[[*places, *np.repeat(places, counts)]].reset_index(drop=True)
    asked[column] = MediaArray.whole(SeriesList(changed))
    answers = np.asarray(predict(asked), np.float64)
    if outputs is not None:
        answers = answers[np.arange(len(answers)), [*outputs, *np.repeat(outputs, counts)]]
    k = len(places)
    effects, at = np.zeros((k, parts)), k
    for i, n in enumerate(counts):
        change = answers[i] - answers[at : at + n]
        # What a part is worth: the mean over all lines that replace it.
        for j in range(n):
            effects[i, j] = change[max(0, j - REACH) : j + REACH + 1].mean()
        at += n
    return effects


def without_part(values: NDArray[np.float64], j: int, parts: int) -> NDArray[np.float64]:
    """The series with a line in the place of part j and its neighbours; at an end the nearest kept value goes on.

    Args:
        values: (t, c), NaN where a step is missing. j: below ``parts``, which is at most t.
    """
    edges = np.linspace(0, len(values), parts + 1).round().astype(int)
    low, high = edges[max(0, j - REACH)], edges[min(parts, j + REACH + 1)]
    kept = np.ones(len(values), dtype=bool)
    kept[low:high] = False
    out = values.copy()
    if not kept.any():
        out[:] = np.nanmean(values, axis=0) if np.isfinite(values).any() else 0.0
        return out
    steps = np.arange(len(values))
    for channel in range(values.shape[1]):
        known = kept & np.isfinite(values[:, channel])
        if known.any():
            out[low:high, channel] = np.interp(steps[low:high], steps[known], values[known, channel])
    return out
