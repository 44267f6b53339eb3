from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, Step, comparable
from autodl.search.schedulers.base import Verdict, schedulers
from autodl.search.schedulers.hyperband import bracket_size


@pytest.mark.parametrize("key", list(schedulers))
def test_every_scheduler_lets_the_first_trials_run(key):
    assert schedulers[key]().decide([1.0], []) is Verdict.CONTINUE
    assert schedulers[key]().decide([], [(1.0, 2.0)] * 9) is Verdict.CONTINUE


def test_median_rule():
    rivals = [(1.0, 1.0, 1.0), (2.0, 2.0, 2.0), (3.0, 3.0, 3.0), (4.0, 4.0, 4.0), (9.0,)]
    median = schedulers["median"]()
    assert median.decide([2.9], rivals) is Verdict.CONTINUE  # median of 1, 2, 3, 4, 9 is 3
    assert median.decide([3.1], rivals) is Verdict.STOP
    assert median.decide([2.0, 3.1], rivals) is Verdict.STOP  # mean 2.55 against the median of 1, 2, 3, 4
    assert median.decide([2.0, 2.8], rivals) is Verdict.CONTINUE
    assert median.decide([99.0], rivals[:3]) is Verdict.CONTINUE  # too few rivals to judge


def test_hyperband_judges_folds_by_brackets_and_others_after_each():
    judged = {n: [k for k in range(1, 10) if schedulers["hyperband"]().judges_after(k, n)] for n in range(6)}
    assert judged == {0: [1, 3], 1: [3], 2: [], 3: [1, 3], 4: [3], 5: []}
    others = [schedulers[key]() for key in schedulers if key != "hyperband"]
    assert all(scheduler.judges_after(k, 1) for scheduler in others for k in (1, 2, 3))


def test_registry_is_not_empty():
    assert {"none", "median"} <= set(schedulers)


def trial(*losses, status="stopped", rungs=(1.0, 3.0, 9.0)):
    curve = tuple(zip(rungs, losses, strict=False))
    return Observation({"x": 0.0}, status, losses[-1] if losses else None, curve=curve)


class TestNext:
    span = Fidelity(1, 9, whole=True)

    def test_asha_promotes_the_best_third(self):
        asha = schedulers["asha"]()
        trials = [trial(3.0), trial(1.0)]
        assert asha.next(trials, self.span, 99) == Step(1.0)
        assert asha.next([*trials, trial(2.0)], self.span, 99) == Step(3.0, trial=1)
        # What runs or failed is not promoted; the next best does not take its place.
        assert asha.next([trial(3.0), trial(1.0, status="running"), trial(2.0)], self.span, 99) == Step(1.0)
        top = [trial(1.0, 0.5), trial(1.1, 0.6), trial(1.2, 0.4)] + [trial(9.0)] * 6
        assert asha.next(top, self.span, 99) == Step(9.0, trial=2)
        assert asha.next(top, self.span, 2) == Step(1.0)  # 9 does not fit any more
        assert asha.next(top, self.span, 0.5) is None

    def test_hyperband_brackets_are_those_of_the_paper(self):
        """Table 1 of Li et al., R = 81, eta = 3: the brackets begin with 81, 34, 15, 8, 5 configurations."""
        assert [bracket_size(5, s, 3) for s in (4, 3, 2, 1, 0)] == [81, 34, 15, 8, 5]

    def test_hyperband_fills_then_halves(self):
        band = schedulers["hyperband"]()
        assert band.next([trial(float(i)) for i in range(8)], self.span, 99) == Step(1.0)
        full = [trial(float(i)) for i in range(9)]
        assert band.next(full, self.span, 99) == Step(3.0, trial=0)
        halved = [trial(float(i), float(3 - i)) for i in range(3)] + full[3:]
        assert band.next(halved, self.span, 99) == Step(9.0, trial=2)
        done = [*halved[:2], trial(2.0, 1.0, 0.5, status="ok"), *halved[3:]]
        assert band.next(done, self.span, 99) == Step(3.0)  # the next bracket begins a rung higher

    @pytest.mark.parametrize("key", ["asha", "hyperband"])
    def test_without_new_configurations_there_is_halved_what_there_is(self, key):
        finish = schedulers[key]().finish
        trials = [trial(float(i)) for i in range(6)]
        assert finish(trials, self.span, 99) == Step(3.0, trial=0)
        trials[0] = trial(0.0, 2.0)
        assert finish(trials, self.span, 99) == Step(3.0, trial=1)
        going = replace(trial(1.0, status="running"), fidelity=3.0)
        assert finish([trials[0], going, *trials[2:]], self.span, 99) is None  # it may become the best there
        trials[1] = trial(1.0, 1.0)
        assert finish(trials, self.span, 99) == Step(9.0, trial=1)
        assert finish(trials, self.span, 8) is None
        failed = replace(trials[1], status="failed", loss=None)
        assert finish([trials[0], failed, *trials[2:]], self.span, 99) == Step(9.0, trial=0)  # it takes its place
        trials[1] = trial(1.0, 1.0, 0.5, status="ok")
        assert finish(trials, self.span, 99) is None

    @pytest.mark.parametrize("key", list(schedulers))
    def test_every_scheduler_ends_within_what_is_left(self, key):
        trials, left = [], 60.0
        rng = np.random.default_rng(0)
        while (step := schedulers[key]().next(trials, self.span, left)) is not None:
            assert step.fidelity <= left
            left -= step.fidelity
            old = trials[step.trial].curve if step.trial is not None else ()
            new = (*old, (step.fidelity, float(rng.random())))
            seen = Observation({}, "ok" if step.fidelity == 9 else "stopped", new[-1][1], curve=new)
            trials = (
                [*trials, seen] if step.trial is None else [*trials[: step.trial], seen, *trials[step.trial + 1 :]]
            )
        assert left < 9
        assert any(t.reached == 9 for t in trials)


def test_comparable_takes_the_highest_fidelity_with_enough():
    trials = [trial(3.0, 2.0), trial(1.0, 4.0), trial(5.0), trial(6.0, status="failed")]
    assert [o.loss for o in comparable(trials, enough=2)] == [2.0, 4.0, None, 6.0]
    assert [o.loss for o in comparable(trials, enough=4)][:3] == [3.0, 1.0, 5.0]


def test_rungs():
    assert Fidelity.of((1, 52)).rungs() == (2.0, 6.0, 17.0, 52.0)
    assert Fidelity.of((1.0, 27)).rungs() == (1.0, 3.0, 9.0, 27.0)
    assert Fidelity.of((5, 5)).rungs() == (5.0,)
