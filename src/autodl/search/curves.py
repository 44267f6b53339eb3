"""Learning curves as schedulers compare them: the best validation loss so far against the progress of training."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

SPACING = 1 / 64
"""Progress between two points of a curve that travels with a job."""


@dataclass(frozen=True)
class Curve:
    """One training of a configuration.

    Attributes:
        points: (progress, best loss so far), progress rising from above 0 to at most 1.
        ended: Whether the training came to its own end: its best loss is then that of any later progress, too.
        loss: What the whole trial reached in the metric of the search; infinite if it was stopped.
        measure: What the losses of the points measure; only curves of equal measure compare.
        folds: Losses of the whole trial on each fold, in the metric of the search; empty if it was stopped.
    """

    points: tuple[tuple[float, float], ...]
    ended: bool = False
    loss: float = float("inf")
    measure: str = ""
    folds: tuple[float, ...] = ()

    @classmethod
    def of(
        cls,
        points: Iterable[tuple[float, float]],
        *,
        ended: bool = False,
        loss: float = float("inf"),
        measure: str = "",
        folds: tuple[float, ...] = (),
        spacing: float = 0.0,
    ) -> Curve:
        """From losses as they were measured, in the order of progress.

        Args:
            points: (progress, loss).
            ended: See above. loss: see above. measure: see above. folds: see above.
            spacing: Points nearer than this to the one before are put together with the next.
        """
        kept: list[tuple[float, float]] = []
        best, last = float("inf"), None
        for progress, loss_here in points:
            best, last = min(best, loss_here), progress
            if not kept or progress - kept[-1][0] >= spacing:
                kept.append((progress, best))
        if last is not None and kept[-1] != (last, best):
            kept.append((last, best))
        return cls(tuple(kept), ended, loss, measure, folds)

    @cached_property
    def _progress(self) -> list[float]:
        return [p for p, _ in self.points]

    @property
    def reached(self) -> float:
        """The progress of the last point; 0 without any."""
        return self.points[-1][0] if self.points else 0.0

    @property
    def best(self) -> float:
        """The lowest loss so far."""
        return self.points[-1][1] if self.points else float("inf")

    def at(self, progress: float) -> float | None:
        """The best loss up to this progress; None before the first point, or after the last of a stopped training."""
        place = bisect_right(self._progress, progress + 1e-12)
        if place == 0 or (progress > self.reached + 1e-12 and not self.ended):
            return None
        return self.points[place - 1][1]
