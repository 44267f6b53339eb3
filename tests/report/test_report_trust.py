"""What the report claims of a run, and where it must not claim anything."""

from __future__ import annotations

import re
import shlex

import numpy as np
import pytest
from report_records import Records, make_records

from autodl.evaluate.coverage import quantile_check
from autodl.profiling.checks.base import NO_TIME
from autodl.records import ColumnKind, Evaluation, Finding, Interval, LeaderboardRow, Mistake, Severity, TrialStatus
from autodl.report.facts import Facts, gather
from autodl.report.sections.advice import next_steps
from autodl.report.sections.closing import closing
from autodl.report.sections.curves import curves
from autodl.report.sections.drives import class_spoken_of, drives
from autodl.report.sections.health import health
from autodl.report.sections.trust import statements
from autodl.report.sections.verdict import verdict
from autodl.report.sections.wrong import MAX_CLASSES, wrong
from autodl.report.text import html, plain
from autodl.report.view import Confusion


def facts(records: Records) -> Facts:
    return gather(**records.kwargs())


def having(records: Records, **changes: object) -> Records:
    assert records.evaluation is not None
    return records.but(evaluation=records.evaluation.model_copy(update=changes))


def told(records: Records) -> str:
    return " | ".join(plain(f"{s.word} {s.lead} {s.body}") for s in statements(facts(records)))


def warned(records: Records, *codes: str, severity: Severity = Severity.WARNS, message: str = "So it is.") -> Records:
    found = tuple(
        Finding(code=c, title=f"Title {c}", severity=severity, column=f"c{i}", message=message)
        for i, c in enumerate(codes)
    )
    return records.but(profile=records.profile.model_copy(update={"findings": found}))


@pytest.mark.parametrize("value", [0.0, 0.03])
def test_probabilities_are_honest_only_where_the_rows_could_have_shown_otherwise(value: float) -> None:
    def said(high: float, n: int) -> str:
        error = Interval(value=value, low=0.0, high=high, n=n)
        return told(having(make_records("binary"), calibration_error=error, n_test=n))

    assert "Yes Its probabilities are honest" in said(0.08, 179)
    assert "Open Are its probabilities honest? too few rows to tell" in said(0.31, 25)
    assert "by up to 31 in 100 on average (n = 25)" in said(0.31, 25)
    assert "probabilities" not in said(0.31, 8)


def test_the_most_urgent_warnings_are_told_in_full_whatever_their_words() -> None:
    records = warned(make_records("binary"), "AD001", "AD017", "AD014", "AD013", "AD011")
    text = told(records)
    assert "Look Title AD011 in c4: So it is." in text and "Look Title AD013 in c3: So it is." in text
    assert "3 more data warnings: title AD014 in c2, title AD017 in c1 and title AD001 in c0." in text


def test_only_a_column_that_may_leak_is_asked_about() -> None:
    asked = [plain(s.lead) for s in next_steps(facts(warned(make_records("binary"), "AD014", "AD011")))]
    assert asked[0] == "Ask when c1 is known."
    leads = [s.lead for s in next_steps(facts(warned(make_records("binary"), "AD014", message="after a leak")))]
    assert not any("Ask when" in lead for lead in leads)


def test_a_column_to_be_dropped_is_named_in_full() -> None:
    name = f"{'seconds of the call ' * 6}with the customer's consent"
    records = warned(make_records("binary"), "AD011")
    one = records.profile.findings[0].model_copy(update={"column": name})
    more = one.model_copy(update={"column": None, "evidence": {"word": "call", "columns": 3, "first": name}})
    for finding in (one, more):
        found = records.but(profile=records.profile.model_copy(update={"findings": (finding,)}))
        body = plain(next_steps(facts(found))[0].body)
        assert shlex.split(body.split("(")[1].split(" and so on")[0].removesuffix(").")) == ["--drop", name]


def test_what_ran_out_of_time_is_not_called_an_error() -> None:
    records = make_records("binary")

    def ended(status: TrialStatus) -> str:
        trials = tuple(t.model_copy(update={"status": status, "error": "as it was"}) for t in records.trials)
        return " | ".join(plain(f"{s.lead} {s.body}") for s in next_steps(facts(records.but(trials=trials))))

    assert "See why models failed. 40 of 40 trials ended in an error." in ended(TrialStatus.FAILED)
    assert "failed" not in ended(TrialStatus.TIMEOUT) and "failed" not in ended(TrialStatus.STOPPED)


def test_long_names_that_differ_in_the_middle_stay_different() -> None:
    classes = tuple(f"{'class of ' * 6}{k}{' and others' * 6}" for k in range(3))
    columns = tuple(f"{'sum of the ' * 6}{k}{' per month' * 6}" for k in range(4))
    records = make_records("multiclass", classes=classes, columns=columns)
    assert records.evaluation is not None
    segment = records.evaluation.segments[0]
    segments = tuple(segment.model_copy(update={"column": c, "value": c}) for c in columns)
    given = facts(having(records, segments=segments))
    section, drawn, moved = wrong(given), curves(given), drives(given)
    assert section is not None and section.segments is not None and section.confusion is not None
    assert section.confusion.frequent is not None and drawn is not None and moved is not None and moved.table
    for shown, n in (
        ([row[0] for row in section.segments.rows], 4), ([row[1] for row in section.segments.rows], 4),
        (section.confusion.classes, 3), ([row[0] for row in section.confusion.frequent.rows], 3),
        ([row[0] for row in drawn.figures[0].table.rows], 3), ([bar.name for bar in moved.bars], 4),
        ([row[0] for row in moved.table.rows], 4), ([figure.title for figure in moved.effects], 4),
    ):  # fmt: skip
        assert len(set(map(plain, shown))) == n
    beside = {text for text in re.findall(r"<text[^>]*>([^<]*)</text>", drawn.figures[0].svg) if "…" in text}
    assert len(beside) == 3
    assert f'<span title="{columns[0]}">' in html(moved.bars[0].name)
    assert records.explanation is not None
    said = {
        class_spoken_of(facts(records.but(explanation=records.explanation.model_copy(update={"positive_class": c}))))
        for c in classes
    }
    assert len(set(map(plain, said))) == 3


def test_several_columns_that_may_leak_are_asked_about_at_once() -> None:
    records = warned(make_records("binary"), "AD011")
    several = tuple(
        f.model_copy(update={"column": None, "evidence": {"word": "duration", "columns": 3, "first": "duration_a"}})
        if f.code == "AD011" else f
        for f in records.profile.findings
    )  # fmt: skip
    records = records.but(profile=records.profile.model_copy(update={"findings": several}))
    step = next_steps(facts(records))[0]
    assert plain(step.lead) == "Ask when duration_a and 2 more columns are known."
    assert "--drop duration_a and so on" in plain(step.body)
    assert "Look Title AD011 in 3 columns: So it is." in told(records)


def test_a_guess_alone_says_why_and_blames_no_columns() -> None:
    records = make_records("binary")
    assert records.evaluation is not None
    base = records.evaluation.baseline
    alone = having(records, leader=base, models=tuple(m for m in records.evaluation.models if m.name == base))
    text = told(alone)
    assert "No Nothing but a guess: No other model was scored" in text and "columns" not in text.split(" | ")[0]
    row = LeaderboardRow(
        name=base,
        family=alone.evaluation.models[0].family,
        validation=0.5,
        test=0.5,
        fit_s=0.0,
        predict_ms_per_row=0.0,
    )
    late = alone.but(run=records.run.model_copy(update={"leaderboard": (row,)}))
    assert "No model was trained in the time; give more with --time-budget." in told(late)


def sure_of(records: Records, n: int) -> Records:
    some = tuple(Mistake(row=i, true="a", predicted="b", confidence=0.99) for i in range(n))
    return having(warned(records), mistakes=some)


def test_sure_mistakes_are_counted_whether_listed_or_not() -> None:
    records = sure_of(make_records("binary"), 10)

    def body(**changes: object) -> str:
        return plain(next_steps(facts(having(records, **changes)))[0].body)

    assert body(n_sure_mistakes=73).startswith("On 73 rows the model is at least 95 in 100 sure")
    assert body().startswith("On at least 10 rows the model is")  # a record from before they were counted


def test_rows_are_lines_only_where_the_reader_says_so() -> None:
    records = sure_of(make_records("binary"), 4)
    assert "rows 0, 1 and 2 of the file, counted from 0" in plain(next_steps(facts(records))[0].body)
    split = records.plan.validation.model_copy(update={"test_size": 0.0})
    apart = records.but(plan=records.plan.model_copy(update={"validation": split}))
    assert "the test file says otherwise (for example rows 0, 1 and 2 of the test file" in plain(
        next_steps(facts(having(apart, n_sure_mistakes=4)))[0].body
    )
    lines = records.profile.read.model_copy(update={"by_line": True})
    by_line = records.but(profile=records.profile.model_copy(update={"read": lines}))
    assert "lines 2, 3 and 4 of the file, the header being line 1" in plain(next_steps(facts(by_line))[0].body)


def test_a_level_on_one_side_is_told_by_the_share_below_it() -> None:
    records = make_records("regression", n_test=400)
    y, q = list(range(400)), [[360.0]] * 400

    def score(levels: tuple[float, ...]) -> str:
        wide = np.repeat(np.array(q), len(levels), axis=1)
        check = quantile_check(np.array(y, dtype=float), wide, levels, np.arange(50.0), seed=0)
        return plain(verdict(facts(having(records, quantiles=check))).score)

    assert score((0.9,)).startswith("90.2 % [")
    assert score((0.9,)).endswith("of 400 held-back rows lie at or below the 90 % quantile; it should be 90 %.")
    assert "typically off by" in score((0.1, 0.9))


def test_checks_without_time_did_not_run_and_two_findings_are_one_check() -> None:
    records = warned(make_records("binary"), "AD011", "AD011")
    unseen = Finding(code="AD010", title="Target leak", severity=Severity.NOT_APPLICABLE, message=NO_TIME)
    absent = Finding(code="AD023", title="Rows in time", severity=Severity.NOT_APPLICABLE, message="No dates.")
    findings = (*records.profile.findings, unseen, absent)
    section = health(facts(records.but(profile=records.profile.model_copy(update={"findings": findings}))))
    assert "1 check ran; 2 findings ask for your eyes." in section.intro
    shown = {heading: [row[0] for row in table.rows] for heading, _, table in section.groups}
    assert shown == {"To look at": ["AD011", "AD011"], "Not applicable": ["AD023"], "Not looked at": ["AD010"]}


def test_the_method_tells_windows_over_time_and_small_shares() -> None:
    records = make_records("binary")

    def method(**changes: object) -> str:
        split = records.plan.validation.model_copy(update=changes)
        return closing(facts(records.but(plan=records.plan.model_copy(update={"validation": split})))).method

    assert "compared by 5-fold cross-validation on the rest" in method()
    timely = method(kind="time", n_folds=3)
    assert "cross-validation" not in timely and "training on 3 ever longer pasts" in timely
    tiny = method(test_size=0.004, n_folds=1, holdout=0.002)
    assert "0.4 % of the rows were set apart" in tiny and "a single hold-out of 0.2 %" in tiny


def test_shares_below_one_in_a_hundred_are_not_told_as_never() -> None:
    records = make_records("binary")
    e = records.evaluation
    assert isinstance(e, Evaluation)
    roc = e.roc[0].model_copy(update={"x": (0.0, 0.004, 1.0), "y": (0.0, 0.96, 1.0)})
    rare = having(records, roc=(roc,), confusion=((9_860, 40), (4, 96)), n_test=10_000)
    section = curves(facts(rare))
    assert section is not None and section.threshold is not None
    assert section.threshold.rows[0][1] == "4 in 1,000"
    found = wrong(facts(rare))
    assert (
        found is not None and found.confusion is not None and found.confusion.recalls == ("996 in 1,000", "96 in 100")
    )
    columns = rare.profile.columns
    known = columns.columns[0].model_copy(
        update={"kind": ColumnKind.CATEGORICAL, "numeric": None, "n": 1000, "n_missing": 1, "top": (("x", 3),)}
    )
    profile = rare.profile.model_copy(update={"columns": columns.model_copy(update={"columns": (known,)})})
    shown = health(facts(rare.but(profile=profile))).columns.rows[0]
    assert shown[3] == "1 in 1,000" and plain(shown[5]) == "x 3 in 1,000"


def test_many_classes_are_listed_and_make_no_matrix() -> None:
    def shown(k: int) -> Confusion:
        records = make_records("multiclass", classes=tuple(f"c{i}" for i in range(k)))
        found = wrong(facts(records))
        assert found is not None and found.confusion is not None and found.confusion.frequent is not None
        assert ("framed diagonal" in found.intro) == bool(found.confusion.rows)
        return found.confusion

    few, many = shown(MAX_CLASSES), shown(MAX_CLASSES + 1)
    assert len(few.rows) == MAX_CLASSES and few.by_class is None
    assert many.rows == () and many.by_class is not None
    assert [plain(row[0]) for row in many.by_class.rows] == [f"c{i}" for i in range(MAX_CLASSES + 1)]
    counts = [int(row[2].replace(",", "")) for row in many.frequent.rows] if many.frequent else []
    assert len(counts) == 10 and counts == sorted(counts, reverse=True)


def test_the_curves_say_whose_probabilities_they_are() -> None:
    several, two = (curves(facts(make_records(kind))) for kind in ("multiclass", "binary"))
    assert several is not None and two is not None
    assert plain(several.intro).startswith(
        "How well the probabilities of each class against all others sort (the hardest first), and how honest they"
    )
    assert plain(two.intro).startswith("How well the probabilities of survived sort and how honest they are")
