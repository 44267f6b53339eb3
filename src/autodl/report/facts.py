"""The records of a run side by side, with the look-ups that several sections need."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autodl.records import (
    Comparison,
    Ensemble,
    Evaluation,
    Examples,
    Explanation,
    Front,
    Interval,
    ModelScore,
    Plan,
    Profile,
    RunRecord,
    Task,
    TrialResult,
    TrialSpec,
)
from autodl.records.origins import INHERITED, LISTED, PROMOTED, SUPERNET
from autodl.report import format as fmt

if TYPE_CHECKING:
    from numpy.typing import NDArray

BASELINE_ORIGIN = "baseline"


@dataclass(frozen=True)
class MetricWords:
    """A metric as the report speaks of it."""

    key: str
    name: str
    greater_is_better: bool
    summary: str
    perfect: float = math.nan
    """The best score there is; NaN if not known."""

    def within(self, low: float, high: float) -> tuple[float, float]:
        """Ends of an axis that does not go beyond what is possible."""
        if math.isnan(self.perfect):
            return low, high
        return (low, min(high, self.perfect)) if self.greater_is_better else (max(low, self.perfect), high)


def metric_words(key: str, greater_if_unknown: bool = True) -> MetricWords:
    """Name, direction and summary of a metric; the key itself where it is not installed any more."""
    from autodl.errors import ConfigError
    from autodl.evaluate.base import metrics

    try:
        metric = metrics[key]
    except ConfigError:
        return MetricWords(key, key, greater_if_unknown, "")
    return MetricWords(key, metric.name, metric.greater_is_better, metric.summary, metric.best)


@dataclass(frozen=True)
class Facts:
    """Everything the report is made of."""

    run: RunRecord
    profile: Profile
    plan: Plan
    trials: tuple[TrialResult, ...]
    ensemble: Ensemble | None
    evaluation: Evaluation | None
    explanation: Explanation | None
    names: Mapping[str, str]
    folder: str = ""
    """The run folder as the user named it."""
    front: Front | None = None
    examples: Examples | None = None
    pictures: NDArray[Any] | None = None
    heats: NDArray[Any] | None = None

    @property
    def threshold(self) -> float:
        """Probability from which on the second of two classes is answered."""
        return self.ensemble.threshold if self.ensemble else 0.5

    @property
    def classification(self) -> bool:
        """Whether classes are predicted."""
        return self.plan.task is Task.CLASSIFICATION

    @property
    def objects(self) -> str:
        """``image``, ``text`` or ``series`` where every column that is learnt from is of this kind; else empty."""
        return self.profile.columns.only(self.plan.features).objects

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the codes."""
        return (
            (self.evaluation.classes if self.evaluation else ()) or self.plan.classes or self.profile.target.classes
        )

    @property
    def positive(self) -> str:
        """The class that probabilities of a two-class problem speak of: the last."""
        return self.classes[-1] if self.classes else ""

    @cached_property
    def metric(self) -> MetricWords:
        """The metric the search optimized."""
        return metric_words(self.plan.metric, self._direction())

    def _direction(self) -> bool:
        """Direction as the trials show it: scores rise where losses fall."""
        done = [(t.loss, t.score) for t in self.trials if t.loss is not None and t.score is not None]
        if len(done) < 2:
            return True
        best, worst = min(done), max(done)
        return best[1] >= worst[1]

    def trial_name(self, spec: TrialSpec) -> str:
        """Readable name of a trial."""
        return self.names.get(spec.id, f"{self.family_name(spec.family)} {spec.id}")

    def family_name(self, key: str) -> str:
        """Readable name of a family."""
        return next((f.name for f in self.plan.families if f.key == key), key)

    @cached_property
    def leader(self) -> ModelScore | None:
        """The model chosen by validation."""
        return self.model(self.evaluation.leader) if self.evaluation else None

    @cached_property
    def baseline(self) -> ModelScore | None:
        """The guess that any model must beat."""
        return self.model(self.evaluation.baseline) if self.evaluation else None

    def model(self, name: str) -> ModelScore | None:
        """A row of the leaderboard by name."""
        models = self.evaluation.models if self.evaluation else ()
        return next((m for m in models if m.name == name), None)

    def versus(self, other: str) -> Comparison | None:
        """The leader against ``other``, turned so that a positive difference favours the leader."""
        if self.evaluation is None:
            return None
        for c in self.evaluation.comparisons:
            if c.a == self.evaluation.leader and c.b == other:
                return c
            if c.b == self.evaluation.leader and c.a == other:
                return turned(c)
        return None

    @cached_property
    def versus_baseline(self) -> Comparison | None:
        """The leader against the guess."""
        return self.versus(self.evaluation.baseline) if self.evaluation else None

    @cached_property
    def done(self) -> tuple[TrialResult, ...]:
        """Trials with a full score, in the order in which they finished."""
        return tuple(sorted((t for t in self.trials if t.ok), key=lambda t: (t.finished_s, t.spec.id)))

    @property
    def proposed(self) -> int:
        """Trials that a strategy proposed, not the fixed starts, nor the comparisons of networks."""
        return sum(t.spec.origin not in (*LISTED, SUPERNET, PROMOTED) for t in self.trials)

    @property
    def proposers(self) -> str:
        """Who proposed them: the strategies, another one for architectures if there was, and shared weights."""
        origins = {t.spec.origin for t in self.trials} - {*LISTED, SUPERNET, PROMOTED}
        own = sorted(origins & {self.plan.nas} - {self.plan.strategy})
        keys = sorted(origins - {INHERITED, *own})
        quoted = fmt.words([f"'{key}'" for key in keys])
        parts = [f"the {'strategies' if len(keys) > 1 else 'strategy'} {quoted}"] if keys else []
        parts += [f"for architectures the strategy '{n}'" for n in own]
        parts += ["the ranking of networks by shared weights"] if INHERITED in origins else []
        return fmt.words(parts)

    @property
    def by_line(self) -> bool:
        """Whether a row's place can be told as a line of one text file, whose first line is the header."""
        return self.profile.read.by_line and self.plan.validation.test_size > 0

    @property
    def tested_file(self) -> str:
        """The file that the held-back rows are from, and their numbers count in."""
        return "the file" if self.plan.validation.test_size > 0 else "the test file"

    @property
    def majority(self) -> str:
        """The most frequent class: of the test rows, where they were looked at, or of the data."""
        if self.evaluation and self.evaluation.usual:
            return self.evaluation.usual
        counts = self.profile.target.class_counts
        classes = self.profile.target.classes
        return classes[max(range(len(counts)), key=counts.__getitem__)] if counts and classes else ""

    @property
    def solid_rows(self) -> float:
        """Test rows; with weights as many of equal weight as tell as much."""
        if self.evaluation is None:
            return 0.0
        return self.evaluation.n_test if self.evaluation.worth is None else self.evaluation.worth

    @property
    def weights_told(self) -> str:
        """What the weights make of the test rows, for a bracket; empty without weights."""
        if self.evaluation is None or self.evaluation.worth is None:
            return ""
        worth = fmt.plural(round(self.evaluation.worth), "row")
        return f" (weighted: they tell about as much as {worth} of equal weight)"

    def accuracy(self) -> tuple[int, int, Interval] | None:
        """(right, tested, share right with its interval) of the leader, or None for other tasks."""
        if self.evaluation is None or not self.evaluation.confusion:
            return None
        matrix = self.evaluation.confusion
        n = sum(map(sum, matrix))
        hits = sum(row[i] for i, row in enumerate(matrix) if i < len(row))
        if n == 0:
            return None
        known = self.leader.metrics.get("accuracy") if self.leader else None
        low, high = (known.low, known.high) if known else fmt.wilson(hits, n)
        # The confusion table counts each row once; a weighted score does not.
        value = known.value if known and self.evaluation.worth is not None else hits / n
        return hits, n, Interval(value=value, low=low, high=high, n=n, method=known.method if known else "Wilson")

    def guess_accuracy(self) -> float | None:
        """Share right of always answering the most frequent class, on the same rows."""
        if self.evaluation and self.evaluation.usual_share is not None:
            return self.evaluation.usual_share
        if self.baseline and (known := self.baseline.metrics.get("accuracy")):
            return known.value
        if self.evaluation and self.evaluation.confusion and self.majority in self.classes:
            totals = [sum(row) for row in self.evaluation.confusion]
            return totals[self.classes.index(self.majority)] / max(1, sum(totals))
        return None


def turned(c: Comparison) -> Comparison:
    """The same comparison seen from the other side."""
    back = {"better": "worse", "worse": "better", "tie": "tie"}
    return c.model_copy(
        update={
            "a": c.b,
            "b": c.a,
            "difference": -c.difference,
            "low": -c.high,
            "high": -c.low,
            "effect": -c.effect,
            "verdict": back[c.verdict],
        }
    )


def gather(
    run: RunRecord,
    profile: Profile,
    plan: Plan,
    trials: Sequence[TrialResult],
    ensemble: Ensemble | None,
    evaluation: Evaluation | None,
    explanation: Explanation | None,
    names: Mapping[str, str],
    folder: str = "",
    front: Front | None = None,
) -> Facts:
    """Bundle the records."""
    return Facts(run, profile, plan, tuple(trials), ensemble, evaluation, explanation, dict(names), folder, front)
