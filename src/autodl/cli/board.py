"""What is known of a run while it goes on: events in, facts to show out. No drawing here."""

from __future__ import annotations

from dataclasses import dataclass, field

from autodl.cli.words import plural
from autodl.events import Event, Note, PlanReady, RunFinished, StageStarted, TrialFinished, TrialStarted
from autodl.records import Plan, Profile, RunRecord, TrialResult, TrialSpec

STAGES = {
    "read": "reading the data",
    "profile": "looking at the data",
    "plan": "planning",
    "encode": "turning images and texts into numbers",
    "mirror": "looking whether mirror images are like the images",
    "search": "searching",
    "ensemble": "combining the best models",
    "evaluate": "testing on rows never seen",
    "refit": "training the final model on all rows",
    "measure": "measuring what the model takes",
    "explain": "finding out what drives the predictions",
    "report": "writing the report",
}
"""What goes on in each stage, for people."""


@dataclass(frozen=True)
class Row:
    """The best configuration of one family so far.

    Attributes:
        name: Readable name. score: in the metric's direction. loss: lower is better, 0 is perfect.
        tried: Configurations of this family that finished. fit_s: seconds of training.
    """

    name: str
    score: float
    loss: float
    tried: int
    fit_s: float


@dataclass
class Board:
    """The state that the displays draw."""

    stage: str = ""
    profile: Profile | None = None
    plan: Plan | None = None
    training: dict[str, tuple[str, float]] = field(default_factory=dict)
    """Running trials: id -> (name, second of its start)."""
    best: dict[str, tuple[str, TrialResult]] = field(default_factory=dict)
    """Family -> (name, best result)."""
    tried: dict[str, int] = field(default_factory=dict)
    baseline: tuple[str, TrialResult] | None = None
    n_trials: int = 0
    """All that ended, further splits of the leaders among them, as ``--max-trials`` counts them."""
    n_finished: int = 0
    n_failed: int = 0
    n_timeouts: int = 0
    stopping: bool = False
    """The user asked to stop: what is being trained will not be waited for."""
    notes: list[tuple[float, str]] = field(default_factory=list)
    record: RunRecord | None = None

    def take(self, event: Event) -> None:
        """Bring the facts up to date."""
        match event:
            case StageStarted():
                self.stage = event.stage
                if event.stage != "search":
                    self.training.clear()
            case PlanReady():
                self.profile, self.plan = event.profile, event.plan
                for kept in event.kept:
                    self._finished(kept)
            case TrialStarted() if not self.stopping:
                self.training[event.spec.id] = (event.name, event.elapsed_s)
            case TrialFinished():
                self._finished(event)
            case Note():
                self.notes.append((event.elapsed_s, event.text))
            case RunFinished():
                self.record = event.record

    def stop(self) -> None:
        """The user asked to stop."""
        self.stopping = True
        self.training.clear()

    def _finished(self, event: TrialFinished) -> None:
        result, family = event.result, event.result.spec.family
        self.training.pop(result.spec.id, None)
        self.n_trials += 1
        if result.spec.repeats is not None:
            return  # no further model, and one split alone says less of the configuration than what is shown
        self.n_finished += 1
        if not result.ok or result.loss is None:
            self.n_failed += result.status.value == "failed"
            self.n_timeouts += result.status.value == "timeout"
            return
        self.tried[family] = self.tried.get(family, 0) + 1
        if _is_baseline(result.spec):
            self.baseline = (event.name, result)
            return
        known = self.best.get(family)
        if known is None or known[1].loss is None or result.loss < known[1].loss:
            self.best[family] = (event.name, result)

    def rows(self, most: int = 8) -> list[Row]:
        """The best of each family, best first; the baseline is not among them."""
        rows = [self._row(name, result) for name, result in self.best.values()]
        return sorted(rows, key=lambda r: r.loss)[:most]

    def baseline_row(self) -> Row | None:
        """The dummy baseline, once scored."""
        return self._row(*self.baseline) if self.baseline else None

    def skill(self, loss: float) -> float | None:
        """Share of the baseline's loss that is gone: 0 is guessing, 1 is perfect; None while it is unknown."""
        base = self.baseline[1].loss if self.baseline else None
        if base is None or base <= 0:
            return None
        return 1.0 - loss / base

    def _row(self, name: str, result: TrialResult) -> Row:
        loss = result.loss if result.loss is not None else float("nan")
        return Row(
            name=name,
            score=result.score if result.score is not None else loss,
            loss=loss,
            tried=self.tried.get(result.spec.family, 0),
            fit_s=result.cost.fit_s if result.cost else 0.0,
        )


def _is_baseline(spec: TrialSpec) -> bool:
    """Whether this is what all others are held against: it says so itself, or its family has nothing to learn."""
    from autodl.models.base import families

    return spec.origin == "baseline" or (spec.family in families and families[spec.family].complexity == 0)


def metric_name(key: str) -> str:
    """The metric's name for people; the key itself where it is not installed."""
    from autodl.errors import ConfigError
    from autodl.evaluate.base import metrics

    try:
        return metrics[key].name
    except ConfigError:
        return key


def plan_sentence(profile: Profile, plan: Plan) -> str:
    """What is about to be learnt from what, in one sentence."""
    kind = f"{plan.task.value}, {len(plan.classes)} classes" if plan.classes else plan.task.value
    size = f"{plural(len(plan.features), 'column')} and {plural(profile.n_rows, 'row')}"
    return f"predicting '{plan.target}' ({kind}) from {size}; scored by {metric_name(plan.metric)}"


def guesses(profile: Profile) -> list[str]:
    """What was taken without being told, and the option that changes it."""
    target, said = profile.target, []
    if target.guessed:
        said.append(_taken(f"took '{target.name}' as the target", target.why, "--target"))
    if target.task_guessed:
        said.append(_taken(f"took the task as {target.task.value}", target.task_why, "--task"))
    return said


def _taken(what: str, why: str, option: str) -> str:
    reason = why.strip().rstrip(".") or "by its values"
    reason = reason[0].lower() + reason[1:] if reason[:2].istitle() else reason
    return f"{what}: {reason}" if option in reason else f"{what}: {reason} (change it with {option})"
