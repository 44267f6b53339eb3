"""Training the members of an ensemble again on all rows: in which order, how often, and what comes of it.

Every member is trained once first, the heaviest before the others. What time is left goes into further seeds, whose
mean varies less: the mean of k models has 1/k of a single one's variance, so that one more is worth the square of the
weight times (1/k - 1/(k+1)), per second. More models answer more slowly, which is limited.

Where there is no time to train a network anew, that of the only fold goes on learning from all rows.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.clock import Deadline
from autodl.models.base import families
from autodl.records import Member, Recipe, TrialResult
from autodl.search.blas import blas_threads
from autodl.search.prepared import learnt_target, preparation_key
from autodl.search.reserve import LEAST_FURTHER
from autodl.search.trial import TrialData, fit_model, trial_recipe
from autodl.serialize.pickled import vouch
from autodl.train.config import SLICE

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.features import Features
    from autodl.model import FittedModel
    from autodl.preprocess import Preparer

MAX_SEEDS = 5
"""Refits of one configuration with different seeds; averaging them lowers the variance of the delivered model."""
BULK_MS, ROW_MS = 0.1, 40.0
"""Milliseconds a row that the further seeds may bring the whole model to: among many rows, and for one alone."""
MOST_MODELS = 24
"""What the whole model may hold after further seeds where no clock is looked at."""
SAFETY = 1.3
"""A refit is begun if this many times its estimate fits."""
SHORT = 0.1
"""A refit that takes less than this part of the time that is left has its time kept by longer ones before it."""
USUAL_S = 1.0
"""Seconds of estimates that count as kept: before so much was trained, a late refit says little of the next."""


@dataclass(frozen=True)
class Refits:
    """What all refits of a run share.

    Attributes:
        data: The search's data, for task, recipes and threads; its weights and blocks are those of the rows.
        frame: (n,) all rows that may be used. y: (n,) their targets.
        deadline: When the last one must end.
        seconds: Estimated seconds of one refit, by trial id.
        further: Estimated seconds of letting a fold's model go on instead, by trial id; only those that can.
        start: The fold's model of a trial; None if it is gone.
        stopped: Whether the user wants no more; what is trained by then is kept.
        gone_on: Ids of trials whose fold's model went on learning; ``train`` fills it.
    """

    data: TrialData
    frame: pd.DataFrame
    y: NDArray[Any]
    deadline: Deadline
    seconds: Mapping[str, float]
    further: Mapping[str, float] = field(default_factory=dict)
    start: Callable[[TrialResult], FittedModel | None] = lambda result: None
    stopped: Callable[[], bool] = lambda: False
    gone_on: set[str] = field(default_factory=set)

    @property
    def timed(self) -> bool:
        """Whether there is a clock; without one nothing may depend on measured times."""
        return not math.isinf(self.deadline.left())

    def train(
        self,
        members: Sequence[Member],
        results: Mapping[str, TrialResult],
        too_large: Collection[str] = (),
        most: int | None = None,
        beside: int = 0,
        others: Mapping[str, int] | None = None,
    ) -> dict[str, list[bytes]]:
        """Models trained on all rows, stored, by trial id; none where there was no time or no memory.

        Args:
            members: Of the ensemble. results: Finished trials by id.
            too_large: Ids of trials whose refit does not fit into the memory.
            most: Models of each member at most; None: no limit but what is worth it.
            beside: Fold models of each member that are delivered with them.
            others: Numbers of models of members that an earlier run has trained, by trial id: they answer as well.
        """
        fitted: dict[str, list[bytes]] = {m.trial_id: [] for m in members}
        fitting = [m for m in members if m.trial_id not in too_large]
        # The weights that a trial went on from are those of the folds.
        able = [m for m in fitting if results[m.trial_id].spec.parent is None]
        prepared: dict[str, tuple[Any, Any]] = {}
        spent: dict[str, float] = dict(self.seconds)
        took = expected = USUAL_S
        order = sorted(fitting, key=lambda m: -m.weight)
        for place, member in enumerate(order):
            if self.stopped():
                return fitted
            # What was trained a moment ago says whether estimates of the search still hold.
            slower = max(1.0, took / expected)
            if member not in able or self.deadline.left() < SAFETY * slower * self.seconds[member.trial_id]:
                seconds = self._share(member, order[place + 1 :], able, slower)
                fitted[member.trial_id] += self._gone_on(results[member.trial_id], seconds)
                continue
            begun = self.deadline.left()
            self._add(member, results, 0, fitted, prepared)
            spent[member.trial_id] = max(1e-3, begun - self.deadline.left()) if self.timed else 1.0
            took, expected = took + spent[member.trial_id], expected + self.seconds[member.trial_id]
        while not self.stopped():
            if (best := self._next(able, results, fitted, spent, most, beside, others or {})) is None:
                break
            before = len(fitted[best.trial_id])
            self._add(best, results, before, fitted, prepared)
            if len(fitted[best.trial_id]) == before:
                break
        return fitted

    def _add(
        self,
        member: Member,
        results: Mapping[str, TrialResult],
        seed: int,
        fitted: dict[str, list[bytes]],
        prepared: dict[str, tuple[Any, Any]],
    ) -> None:
        model = self._one(results[member.trial_id], seed, prepared)
        if model is not None:
            fitted[member.trial_id].append(model.to_bytes())
            vouch(fitted[member.trial_id][-1])

    def _share(self, member: Member, later: Sequence[Member], able: Sequence[Member], slower: float) -> float:
        """Seconds for which a member's model may go on; 0 if that is too little to begin.

        Quick refits of later members keep their time. What is left is shared by all whose models go on, by what each
        usually takes; where it does not suffice for all, the heavier ones come first.

        Args:
            member: Whose turn it is. later: Those that follow. able: Those that may be trained anew.
            slower: Factor of estimates.
        """
        own = slower * self.further.get(member.trial_id, math.inf)
        if math.isinf(own) or not self.timed:
            return 0.0 if math.isinf(own) else math.inf
        left = self.deadline.left()
        quick = [m for m in later if m in able and self.seconds[m.trial_id] < SHORT * left]
        left -= sum(SAFETY * slower * self.seconds[m.trial_id] for m in quick)
        going = own + sum(slower * self.further.get(m.trial_id, 0.0) for m in later if m not in quick)
        seconds = left * own / going if going <= left else min(left, own)
        return seconds if seconds >= LEAST_FURTHER * own else 0.0

    def _gone_on(self, result: TrialResult, seconds: float) -> list[bytes]:
        """The fold's model, having learnt from all rows for so many seconds, stored; nothing for 0.

        Against a clock it learns for up to a whole training; without one for a usual part.
        """
        if not seconds > 0:
            return []
        deadline = Deadline.after(seconds).earlier(self.deadline) if self.timed else self.deadline
        part = 1.0 if self.timed else SLICE
        try:
            start = self.start(result)
            if start is None or start.preparer.saw_answers:
                return []
            # Its weights know the rows as its own preparation gives them.
            prepared = start.preparer, start.preparer.transform(self.frame)
            recipe = trial_recipe(result.spec, self.data, start.preparer.recipe)
            model = self._fit(result, recipe, prepared, deadline, start=start, part=part)
        except Exception:  # as in ``_one``
            logging.getLogger("autodl").exception("training %s further failed", result.spec.id)
            return []
        if model is None:
            return []
        stored = model.to_bytes()
        vouch(stored)
        self.gone_on.add(result.spec.id)
        return [stored]

    def _next(
        self,
        able: Sequence[Member],
        results: Mapping[str, TrialResult],
        fitted: Mapping[str, list[bytes]],
        spent: Mapping[str, float],
        most: int | None,
        beside: int,
        others: Mapping[str, int],
    ) -> Member | None:
        """The member of which a further model is worth most a second, if one fits the time and answers quickly."""
        worth: list[tuple[float, Member]] = []
        for m in able:
            result, k = results[m.trial_id], len(fitted[m.trial_id])
            if not 0 < k < min(MAX_SEEDS, most or MAX_SEEDS) or not families[result.spec.family].random:
                continue
            # Members that were not trained again answer by their fold models.
            counts = {
                i: len(models) + beside + (i == m.trial_id) if models else len(results[i].models[:most])
                for i, models in fitted.items()
            }
            counts |= others
            if self.deadline.left() < SAFETY * spent[m.trial_id] or not quick(counts, results, timed=self.timed):
                continue
            worth.append((m.weight**2 / (k * (k + 1)) / max(1e-3, spent[m.trial_id]), m))
        return max(worth, key=lambda w: w[0])[1] if worth else None

    def _one(self, result: TrialResult, seed: int, prepared: dict[str, tuple[Any, Any]]) -> FittedModel | None:
        """The model trained on all rows, or None if it did not come out whole: its fold models are delivered then."""
        from autodl.preprocess import Preparer

        data = self.data
        try:
            if (recipe := self._recipe(result)) is None:
                return None
            key = preparation_key(recipe)
            if key not in prepared:
                prepared.clear()  # one prepared table at a time is enough to hold in memory
                preparer = Preparer(recipe, data.schema, data.task)
                y = learnt_target(recipe, data.task, self.y, data.weight)
                rows = preparer.fit_transform(self.frame, y, self.deadline, data.weight, data.groups)
                prepared[key] = (preparer, rows)
            return self._fit(result, recipe, prepared[key], self.deadline, seed=seed)
        except Exception:  # the family may raise anything, and the run has a model already
            logging.getLogger("autodl").exception("training %s on all rows failed", result.spec.id)
            return None

    def _recipe(self, result: TrialResult) -> Recipe | None:
        """A trial's; if its family takes part no more, by what the fold's model knows; None if that is gone."""
        if result.spec.family in self.data.recipes:
            return trial_recipe(result.spec, self.data)
        start = self.start(result)
        return None if start is None else trial_recipe(result.spec, self.data, start.preparer.recipe)

    def _fit(
        self,
        result: TrialResult,
        recipe: Recipe,
        prepared: tuple[Preparer, Features],
        deadline: Deadline,
        *,
        seed: int = 0,
        start: FittedModel | None = None,
        part: float = SLICE,
    ) -> FittedModel | None:
        """A model of all rows, anew or from what a fold's has learnt; None if the time did not suffice."""
        if deadline.passed():
            return None
        with blas_threads(self.data.threads):
            model = fit_model(
                result.spec, recipe, prepared, self.y, None, self.data,
                seed=result.spec.seed + 1000 * seed, extra=result.refit if start is None else None,
                deadline=deadline, start=start, start_part=part, weight=self.data.weight,
            )  # fmt: skip
        sound = np.isfinite(model.predict(self.frame.iloc[:100])).all()
        # Cut off by the clock it may be a stub of the model that was tested.
        whole = not model.estimator.cut_short and not self.deadline.passed()
        return model if sound and whole else None


def quick(counts: Mapping[str, int], results: Mapping[str, TrialResult], *, timed: bool = True) -> bool:
    """Whether so many models of each trial answer quickly together.

    Args:
        counts: By trial id. results: Finished trials by id.
        timed: Whether measured times may decide; without a clock the number of models does, so that runs repeat.
    """
    if not timed:
        return sum(counts.values()) <= MOST_MODELS
    costs = [(count, results[i].cost) for i, count in counts.items()]
    bulk = sum(count * c.predict_ms_per_row for count, c in costs if c is not None)
    row = sum(count * 1000.0 * (c.row_s or 0.0) for count, c in costs if c is not None)
    return bulk <= BULK_MS and row <= ROW_MS
