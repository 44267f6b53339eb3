"""Whether more time would help, in words."""

from __future__ import annotations

from typing import Any

import pytest
from report_records import make_records

from autodl.records import MoreTime, Severity
from autodl.report.facts import gather
from autodl.report.more_time import ENDED, NO, YES, judged
from autodl.report.sections.verdict import verdict as verdict_of
from autodl.report.text import plain


def more(verdict: Any, gain: float, error: float, **changes: Any) -> MoreTime:
    return MoreTime(verdict=verdict, gain=gain, error=error, trials=60, seconds=126.0, **changes)


def test_the_evidence_is_a_gain_with_its_error_trials_and_time() -> None:
    told = judged(more("no", 0.00031, 0.0011, ended=True))
    assert told is not None
    assert told[0] == ENDED
    assert told[1] == (
        "The best score has not improved by more than noise (0.0003 ± 0.0011 in validation) in the last 60 tries / "
        "2 min 6 s; the search ended before its time was up."
    )
    same = judged(more("no", 0.0, 0.0))
    assert same is not None
    assert same[0] == NO
    assert "(0 ± 0 in validation)" in same[1]
    assert same[1].endswith("2 min 6 s.")


def test_a_search_that_was_improving_says_by_how_much() -> None:
    told = judged(more("yes", 812.3, 150.0))
    assert told is not None
    assert told == (
        YES,
        "It was still improving at the end: by 810 ± 150 in validation in the last 60 tries / 2 min 6 s.",
    )


@pytest.mark.parametrize("unknown", [None, more("unclear", 0.1, 0.08)])
def test_nothing_is_said_where_nothing_is_known(unknown: MoreTime | None) -> None:
    assert judged(unknown) is None


@pytest.mark.parametrize(
    ("verdict", "ended", "lead"),
    [("no", True, ENDED), ("no", False, NO), ("yes", False, YES), ("unclear", False, "")],
)
def test_the_next_steps_follow_what_the_run_has_measured(verdict: str, ended: bool, lead: str) -> None:
    records = make_records("regression", n_trials=20)
    clean = tuple(f for f in records.profile.findings if f.severity is not Severity.WARNS)
    assert records.evaluation is not None
    e = records.evaluation.model_copy(update={"recommended": "Ensemble"})
    run = records.run.model_copy(update={"more_time": more(verdict, 0.1, 0.2, ended=ended)})
    told = records.but(profile=records.profile.model_copy(update={"findings": clean}), evaluation=e, run=run)
    leads = [plain(s.lead) for s in verdict_of(gather(**told.kwargs())).next_steps]
    assert [t for t in leads if t.startswith("More time")] == ([lead] if lead else [])
