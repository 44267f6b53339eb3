"""What next: the one or two things that would help most, each by evidence."""

from __future__ import annotations

import math
import shlex

from autodl.records import TrialStatus
from autodl.records.evaluation import SURE
from autodl.records.origins import LISTED, PROMOTED, SUPERNET
from autodl.report import format as fmt
from autodl.report.elements import Statement
from autodl.report.facts import BASELINE_ORIGIN, Facts
from autodl.report.more_time import judged
from autodl.report.sections.trust import counted, warnings
from autodl.report.text import code, command
from autodl.report.urgency import LEAKS

LIMIT = 2
UNTUNED = (*LISTED, SUPERNET, PROMOTED)
"""Origins of trials that nobody chose by what was seen before."""


def next_steps(facts: Facts) -> tuple[Statement, ...]:
    """At most two steps, the most useful first."""
    options = [
        _finish(facts),
        _useless(facts),
        _failed(facts),
        _leak(facts),
        _labels(facts),
        _simpler(facts),
        _rows(facts),
        _time(facts),
    ]
    return tuple([s for s in options if s is not None][:LIMIT])


def _step(lead: str, body: str, href: str) -> Statement:
    return Statement("note", "Next", lead, body, href)


def _finish(facts: Facts) -> Statement | None:
    if facts.evaluation is not None:
        return None
    options = command(f"--resume --out {shlex.quote(facts.folder)}") if facts.folder else (
        f"{code('--resume')} and the run folder as {code('--out')}"
    )  # fmt: skip
    return _step(
        "Finish the run.", f"Start the same command again with {options}: finished trials are kept.", "#reproduce"
    )


def _useless(facts: Facts) -> Statement | None:
    """Where the held-back rows say that guessing is better than the model."""
    e = facts.evaluation
    if e is None or not e.worse_than_guessing:
        return None
    time = facts.profile.time_column
    why = (
        f"The rows held back are the latest by {code(time)}: what held before seems to hold no longer. See which "
        "columns and whether the target change over time; try only recent rows, or a column that follows the level "
        "of the target, such as its last known value."
        if time
        else "What the training rows show does not hold on the rows held back. See whether both come from the same "
        "source and time."
    )
    return _step("Do not use this model yet.", f"It is worse than {e.baseline} there. {why}", "#health")


def _failed(facts: Facts) -> Statement | None:
    # What ran out of time or was stopped has a reason too, but nothing in it went wrong.
    failed = sum(t.status is TrialStatus.FAILED for t in facts.trials)
    if not facts.trials or failed < max(3, len(facts.trials) / 2):
        return None
    return _step(
        "See why models failed.", f"{fmt.count(failed)} of {fmt.plural(len(facts.trials), 'trial')} ended in an "
                                  "error.",
        "#search",
    )  # fmt: skip


def _leak(facts: Facts) -> Statement | None:
    for f in warnings(facts):
        if f.code not in LEAKS:
            continue
        if f.column:
            return _step(
                f"Ask when {code(f.column)} is known.",
                "If it is filled in only after the outcome, the score is an illusion: run again without it "
                f"(--drop {command(shlex.quote(f.column))}).", "#health",
            )  # fmt: skip
        if count := counted(f):
            first = str(f.evidence["first"])
            return _step(
                f"Ask when {code(first)} and {fmt.plural(count - 1, 'more column')} are known.",
                "If they are filled in only after the outcome, the score is an illusion: run again without them "
                f"(--drop {command(shlex.quote(first))} and so on).", "#health",
            )  # fmt: skip
    return None


def _labels(facts: Facts) -> Statement | None:
    if facts.evaluation is None or not facts.classification:
        return None
    sure = [m for m in facts.evaluation.mistakes if m.confidence is not None and m.confidence >= SURE]
    if len(sure) < 3:
        return None
    # Older records do not know how many there are beside those that they list.
    known = facts.evaluation.n_sure_mistakes
    least = "at least " if known is None and len(sure) == len(facts.evaluation.mistakes) else ""
    total = len(sure) if known is None else known
    rows = fmt.words([fmt.count(m.row + 2 * facts.by_line) for m in sure[:3]])
    some = "for example " if total > 3 else ""
    where = f"{some}lines {rows} of the file, the header being line 1" if facts.by_line else (
        f"{some}rows {rows} of {facts.tested_file}, counted from 0"
    )  # fmt: skip
    return _step(
        "Check some labels.",
        f"On {least}{fmt.plural(total, 'row')} the model is at least {round(100 * SURE)} in 100 sure and "
        f"{facts.tested_file} says otherwise ({where}): either the file or the model misses something there.",
        "#wrong",
    )  # fmt: skip


def _simpler(facts: Facts) -> Statement | None:
    e = facts.evaluation
    if e is None or e.recommended in (e.leader, e.baseline):
        return None
    why = fmt.without_exponents(e.recommended_why.rstrip("."))
    return _step(
        f"Consider {e.recommended}.", f"{why}." if why else "It is simpler and as good on these rows.", "#versus"
    )


def _rows(facts: Facts) -> Statement | None:
    counts = facts.accuracy()
    if counts is not None:
        _, n, acc = counts
        half = (acc.high - acc.low) / 2
        if half < 0.02:
            return None
        return _step(
            "Gather more rows.",
            f"With {fmt.plural(n, 'row')} held back the score is known to about ±{fmt.number(100 * half, 1)} in 100; "
            "four times the rows would halve that, and models learn from them too.", "#leaderboard",
        )  # fmt: skip
    if facts.evaluation and facts.evaluation.n_test < 500:
        return _step(
            "Gather more rows.",
            f"{fmt.plural(facts.evaluation.n_test, 'row')} held back leave a wide interval; four times as many would "
            "halve it.", "#leaderboard",
        )  # fmt: skip
    return None


def _time(facts: Facts) -> Statement | None:
    if facts.run.more_time is not None:
        known = judged(facts.run.more_time)
        return None if known is None else _step(*known, "#search")
    done = [t for t in facts.done if t.spec.origin != BASELINE_ORIGIN and t.loss is not None]
    if len(done) < 5:
        return None
    best, winner = math.inf, done[0]
    for t in done:
        if t.loss is not None and t.loss < best:
            best, winner = t.loss, t
    after = len(done) - 1 - done.index(winner)
    total = done[-1].finished_s
    # A first try that other families' first tries do not beat says nothing of more time: it must have been tuned.
    tuned = [
        t for t in done[len(done) - after :] if t.spec.family == winner.spec.family and t.spec.origin not in UNTUNED
    ]
    if after >= max(8, len(done) // 3) and len(tuned) >= 3:
        return _step(
            "More time would hardly help.",
            f"The best single model was found after {fmt.seconds(winner.finished_s)}; "
            f"{fmt.plural(after, 'later try', 'later tries')} "
            f"until {fmt.seconds(total)} brought nothing better.", "#search",
        )  # fmt: skip
    if after <= 1:
        return _step(
            "More time may help.",
            "The search was still finding better models at its end (the best after "
            f"{fmt.seconds(winner.finished_s)} of "
            f"{fmt.seconds(total)}).", "#search",
        )  # fmt: skip
    return None
