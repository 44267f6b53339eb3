"""What strategies are told of stopped trials: comparable with whole ones, whatever the first folds are like."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.records import CurvePoint, FamilyPlan, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.allocation import Allocation
from autodl.search.schedulers.base import Verdict, schedulers
from autodl.search.space import parse_space
from autodl.search.stopped import comparable_losses
from autodl.search.strategies.base import strategies

HARD = np.array([-0.05, 0.02, 0.0, 0.03, 0.0])
"""How much harder than the mean each fold is; the first is easy."""
LINE = {"params": {"x": {"type": "float", "low": 0.0, "high": 1.0}}, "portfolio": [{"x": x} for x in (0.9, 0.5, 0.1)]}


def whole(number, losses, *, family="a", x=0.0, ends=None, **more):
    """A trial on all folds; ``ends`` are the losses of its training at progress 0.5 and 1."""
    points = () if ends is None else tuple(
        CurvePoint(step=i, valid=v, progress=p) for i, (p, v) in enumerate(zip((0.5, 1.0), ends, strict=True))
    )  # fmt: skip
    return TrialResult(
        spec=TrialSpec(id=f"t{number:04d}", family=family, config={"x": x}, **more),
        status=TrialStatus.OK,
        loss=float(np.mean(losses)),
        fold_losses=tuple(float(v) for v in losses),
        curve=points,
        measure="" if ends is None else "m",
    )


def stopped(number, losses, *, reached=1.0, **more):
    found = whole(number, losses, **more)
    curve = tuple(p for p in found.curve if p.progress <= reached)
    return found.model_copy(update={"status": TrialStatus.STOPPED, "reached": reached, "curve": curve})


def told(*results):
    return [r.loss for r in comparable_losses(results)]


def test_an_easy_first_fold_does_not_make_a_stopped_trial_the_best():
    done = [whole(i, level + HARD) for i, level in enumerate((0.12, 0.20, 0.30), 1)]
    cut = stopped(4, (0.16 + HARD)[:1])
    assert cut.loss < min(r.loss for r in done)  # as it was measured
    assert told(*done, cut) == pytest.approx([0.12, 0.20, 0.30, 0.16])
    assert told(*done, stopped(4, (0.16 + HARD)[:3]))[-1] == pytest.approx(0.16)


def test_none_is_better_than_the_best_whole_trial():
    done = [whole(i, level + HARD) for i, level in enumerate((0.12, 0.20, 0.30), 1)]
    assert told(*done, stopped(4, (0.05 + HARD)[:1]))[-1] == pytest.approx(0.12)


def test_a_training_cut_short_is_compared_at_equal_progress():
    """The training's own losses have another unit; the place among the others is what counts."""
    done = [whole(i, (0.1 * i,) * 3, ends=(50.0 * i, 10.0 * i)) for i in (1, 2, 3)]
    for mine, loss in ((50.0, 0.1), (125.0, 0.25), (150.0, 0.3), (999.0, 0.3), (1.0, 0.1)):
        cut = stopped(4, (0.01,), ends=(mine, 0.0), reached=0.5)
        assert told(*done, cut)[-1] == pytest.approx(loss)


def test_others_stay_as_they_are():
    done = [whole(1, 0.2 + HARD), whole(2, 0.3 + HARD)]
    failed = TrialResult(spec=TrialSpec(id="t0003", family="a"), status=TrialStatus.FAILED)
    partial = stopped(4, (0.01,), fidelity=0.1)
    alone = stopped(5, (0.01,), family="b")
    assert comparable_losses([*done, failed, partial, alone]) == [*done, failed, partial, alone]


def test_the_search_is_not_drawn_to_what_was_stopped():
    """The best is at x = 0.1; what is hopeless is stopped after the first fold, which is easier than all others."""
    scheduler, finished, asked = schedulers["extrapolate"](), [], []
    rng = np.random.default_rng(0)
    allocation = Allocation(
        (FamilyPlan(key="a", name="A", why="", est_seconds=1, est_bytes=1, recipe=Recipe()),),
        {"a": parse_space(LINE)},
        strategies["gp"](),
        seed=1,
    )
    easy = np.array([-1.0, 0.25, 0.25, 0.25, 0.25])
    for number in range(1, 41):
        spec = allocation.next(finished, [], lambda s: True)
        x = spec.config["x"]
        losses = abs(x - 0.1) + easy + 0.01 * rng.normal(size=5)
        rivals = [r.fold_losses for r in finished if r.ok]
        listed = spec.origin in ("default", "portfolio")
        first = not listed and scheduler.decide(list(losses[:1]), rivals) is Verdict.STOP
        make = stopped if first else whole
        finished.append(make(number, losses[:1] if first else losses, x=x))
        if not listed:
            asked.append(x)
    assert any(r.status is TrialStatus.STOPPED for r in finished)
    late = asked[len(asked) // 2 :]
    assert np.median(np.abs(np.array(late) - 0.1)) < 0.1
