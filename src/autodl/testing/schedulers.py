"""What every scheduler must do. ``check_scheduler("mine")`` raises an ``AssertionError`` with the rule."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autodl.search.curves import Curve
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation
from autodl.search.rivals import MIN_RIVALS
from autodl.search.schedulers.base import Verdict, schedulers
from autodl.search.watching import TrainingWatch


def curve(level: float, *, speed: float = 6.0, until: float = 1.0) -> Curve:
    """A training that falls from ``level + 1`` to ``level``; it came to its end if nothing is left out."""
    steps = np.linspace(0.02, until, round(50 * until))
    points = [(float(t), float(level + np.exp(-speed * t) - np.exp(-speed))) for t in steps]
    return Curve.of(points, ended=until == 1.0, loss=level if until == 1.0 else float("inf"))


def watched(key: str, rivals: list[Curve], level: float, number: int = 0) -> float:
    """The progress at which a scheduler ended the training of ``curve(level)``; 1 if it did not."""
    watch = TrainingWatch(schedulers[key](), rivals, number)
    return next((progress for progress, loss in curve(level).points if watch(progress, loss)), 1.0)


def moments_rise(key: str) -> None:
    """Moments lie between 0 and 1 and rise, whatever the number of the trial."""
    for number in range(7):
        moments = schedulers[key]().moments(number)
        assert all(0.0 < m < 1.0 for m in moments), f"moments {moments} do not all lie between 0 and 1"
        assert list(moments) == sorted(set(moments)), f"moments {moments} do not rise"


def the_first_run_to_their_end(key: str) -> None:
    """Nothing is stopped while fewer than ``MIN_RIVALS`` rivals have come to their end."""
    for number in range(4):
        rivals = [curve(0.1 * i) for i in range(MIN_RIVALS - 1)]
        assert watched(key, rivals, 99.0, number) == 1.0, "stopped with too few rivals"
    scheduler = schedulers[key]()
    assert scheduler.decide([1.0], []) is Verdict.CONTINUE, "stopped between folds without rivals"
    assert scheduler.decide([], [(1.0, 2.0)] * 9) is Verdict.CONTINUE, "stopped before the first fold"


def the_best_runs_to_its_end(key: str) -> None:
    """A training that is ahead of all others at any time is not stopped; neither is a trial that wins every fold."""
    rivals = [curve(1.0 + 0.1 * i) for i in range(9)] + [curve(3.0, until=0.4)]
    for number in range(4):
        assert watched(key, rivals, 0.5, number) == 1.0, "the best training was stopped"
    folds = [(1.0 + 0.1 * i, 1.1 + 0.1 * i, 0.9 + 0.1 * i) for i in range(9)]
    for done in (1, 2):
        assert schedulers[key]().decide([0.5, 0.6][:done], folds) is Verdict.CONTINUE, "the best trial was stopped"


def decisions_repeat(key: str) -> None:
    """The same curves give the same verdicts."""
    rng = np.random.default_rng(0)
    rivals = [curve(float(level)) for level in rng.random(12)]
    for level in rng.random(6):
        assert watched(key, rivals, float(level)) == watched(key, rivals, float(level))


def next_ends_within_what_is_left(key: str) -> None:
    """``next`` never spends more than there is, and brings at least one configuration to all of the resource."""
    span, left = Fidelity(1, 9, whole=True), 60.0
    trials: list[Observation] = []
    rng = np.random.default_rng(0)
    while (step := schedulers[key]().next(trials, span, left)) is not None:
        assert step.fidelity <= left, f"{step.fidelity:g} is more than the {left:g} that are left"
        left -= step.fidelity
        before = trials[step.trial].curve if step.trial is not None else ()
        after = (*before, (step.fidelity, float(rng.random())))
        seen = Observation({}, "ok" if step.fidelity == 9 else "stopped", after[-1][1], curve=after)
        if step.trial is None:
            trials = [*trials, seen]
        else:
            trials[step.trial] = seen
    assert left < 9, f"ended with {left:g} left"
    assert any(t.reached == 9 for t in trials), "nothing reached the whole resource"


RULES: tuple[Callable[[str], None], ...] = (
    moments_rise,
    the_first_run_to_their_end,
    the_best_runs_to_its_end,
    decisions_repeat,
    next_ends_within_what_is_left,
)
"""Each takes the key of a scheduler."""


def check_scheduler(key: str) -> None:
    """Check every rule.

    Args:
        key: The scheduler.

    Raises:
        AssertionError: Naming the rule that does not hold.
    """
    for rule in RULES:
        rule(key)
