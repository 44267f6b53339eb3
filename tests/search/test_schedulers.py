from __future__ import annotations

import pytest

from autodl.search.schedulers.base import Verdict, schedulers


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


def test_registry_is_not_empty():
    assert {"none", "median"} <= set(schedulers)
