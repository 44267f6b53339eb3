"""What a combination of models would take when it is used, held against the limits of the user.

All models of a combination are asked for each row, so seconds and bytes add up. Memory is counted by family: most of
it is the family's library, which is loaded once however many models need it. The seconds of a network that turns
images or texts into vectors count once as well: all models share the vectors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autodl.records import Footprint, Limits, TrialResult

SHARES = (1.0, 1 / 2, 1 / 3)
"""Combinations are also sought among models that take at most this share of a limit, so that two or three fit."""


@dataclass(frozen=True)
class Allowed:
    """The limits, and what each model takes.

    Attributes:
        limits: Of the user.
        needs: What one model of each trial takes, by trial id.
        families: Trial id -> family.
        base: What every combination takes besides its models.
        libraries: Bytes of memory that a model of a family adds to ``base``, by family.
        vectors: What the vectors take that the models of a trial need, by trial id and kind of vector.
    """

    limits: Limits
    needs: Mapping[str, Footprint]
    families: Mapping[str, str] = field(default_factory=dict)
    base: Footprint = field(default_factory=Footprint)
    libraries: Mapping[str, int] = field(default_factory=dict)
    vectors: Mapping[str, Mapping[str, Footprint]] = field(default_factory=dict)

    @classmethod
    def of_trials(
        cls,
        limits: Limits,
        results: Sequence[TrialResult],
        base: Footprint,
        libraries: Mapping[str, int] | None = None,
    ) -> Allowed:
        """With what was measured in these trials."""
        return cls(
            limits,
            {r.spec.id: r.need for r in results},
            {r.spec.id: r.spec.family for r in results},
            base,
            libraries or {},
            {r.spec.id: r.cost.vectors for r in results if r.cost is not None and r.cost.vectors},
        )

    def together(self, ids: Iterable[str], copies: int = 1) -> Footprint:
        """What these models take together.

        Args:
            ids: Trials; repeats count once.
            copies: Models of each: folds, or seeds of a refit.
        """
        chosen = sorted(set(ids))
        total = self._shared(chosen)
        for key in chosen * copies:
            total = total.plus(self.needs.get(key, Footprint()))
        libraries = sum(self.libraries.get(f, 0) for f in {self.families.get(key, key) for key in chosen})
        return total.plus(Footprint(memory_bytes=libraries)) if self.base.memory_bytes is not None else total

    def _shared(self, ids: Iterable[str]) -> Footprint:
        """The base, and the vectors that these models need, each kind once."""
        kinds = {kind: takes for key in sorted(ids) for kind, takes in self.vectors.get(key, {}).items()}
        total = self.base
        for kind in sorted(kinds):
            total = total.plus(kinds[kind])
        return total

    def violation(self, ids: Iterable[str]) -> float:
        """0 where one model of each keeps the limits together, else how far they exceed them."""
        return self.limits.violation(self.together(ids))

    def fits(self, ids: Iterable[str], share: float = 1.0) -> bool:
        """Whether one model of each keeps the limits together.

        Args:
            ids: Trials.
            share: And takes at most this share of each limit besides what all have in common.
        """
        if self.violation(ids) > 0:
            return False
        if share >= 1.0:
            return True
        ids = sorted(set(ids))
        limits, base, need = self.limits.model_dump(), self._shared(ids).model_dump(), self.together(ids).model_dump()
        return all(
            need[k] is None or limits[k] is None or need[k] - (base[k] or 0) <= share * (limits[k] - (base[k] or 0))
            for k in limits
            if k != "memory_bytes"
        )

    def copies(self, ids: Sequence[str], most: int) -> int:
        """How many models of each trial keep the limits together; at least one, and no more where memory is limited.

        What a further model adds to the memory is not known before it is loaded.
        """
        if self.limits.memory_bytes is not None:
            return 1
        return next((n for n in range(most, 1, -1) if not self.limits.broken(self.together(ids, n))), 1)

    def nearest(self, losses: Mapping[str, float], guess: float) -> str:
        """Where no model keeps the limits, the one that exceeds them least, of those that are worth it.

        Worth it are models with at least half of what the best one gains over the guess: a model that takes little
        but has learnt next to nothing is of no use.

        Args:
            losses: By trial id; not empty.
            guess: Loss of the answer without looking at any column; infinite or NaN if not known.
        """
        best = min(losses.values())
        enough = best + 0.5 * (guess - best) if math.isfinite(guess) and guess > best else math.inf
        return min(
            (key for key, loss in losses.items() if loss <= enough),
            key=lambda key: (self.violation([key]), losses[key], key),
        )

    def corrected(self, ids: Iterable[str], measured: Footprint) -> Allowed:
        """With the needs of all models, and of the vectors of ``ids``, stretched so that these come out as measured.

        Only upwards: a combination that took less than expected is no reason to doubt the others.
        """
        ids = sorted(set(ids))
        expected, base, now = self.together(ids).model_dump(), self.base.model_dump(), measured.model_dump()

        def stretch(key: str) -> float:
            own = (expected[key] or 0) - (base[key] or 0)
            return max(1.0, (now[key] - (base[key] or 0)) / own) if own > 0 and now[key] is not None else 1.0

        rows, sizes = stretch("row_s"), stretch("size_bytes")
        needs = {
            key: n.model_copy(
                update={
                    "row_s": None if n.row_s is None else n.row_s * rows,
                    "size_bytes": None if n.size_bytes is None else math.ceil(n.size_bytes * sizes),
                }
            )
            for key, n in self.needs.items()
        }
        kinds = {kind for key in ids for kind in self.vectors.get(key, {})}
        vectors = {
            key: {
                kind: v.model_copy(update={"row_s": v.row_s * rows}) if kind in kinds and v.row_s is not None else v
                for kind, v in own.items()
            }
            for key, own in self.vectors.items()
        }
        more = max(0, (measured.memory_bytes or 0) - (expected["memory_bytes"] or 0))
        memory = None if self.base.memory_bytes is None else self.base.memory_bytes + more
        base_now = self.base.model_copy(update={"memory_bytes": memory})
        return replace(self, needs=needs, vectors=vectors, base=base_now)
