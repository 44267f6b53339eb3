"""Predicted quantiles: what an interval means, how often it held, how wide it is."""

from __future__ import annotations

from autodl import quantiles
from autodl.records import Evaluation, IntervalCheck, LevelCheck
from autodl.report import format as fmt
from autodl.report.elements import Column, Statement, Table
from autodl.report.facts import Facts
from autodl.report.figures.intervals import interval_figure
from autodl.report.text import code, term
from autodl.report.view import Intervals

UNSURE = 0.1
"""How far below its promise an interval may lie at most, as the rows have it, for it to be called kept."""


def intervals(facts: Facts) -> Intervals | None:
    """The section, or None where no quantiles were asked for."""
    e = facts.evaluation
    if e is None or e.quantiles is None:
        return None
    check, target = e.quantiles, code(facts.plan.target)
    if not check.intervals:
        intro = level_sentence(check.levels[0], e.n_test)
        meaning = f"{target} stays below a {term('quantile', 'quantile')} in the share of rows that its name says."
    else:
        sentence = interval_sentence(check.intervals[0], e.n_test)
        intro = sentence[:1].upper() + sentence[1:]
        share = percent(check.intervals[0].high - check.intervals[0].low)
        named = term("prediction-interval", "range")
        meaning = (
            f"For each row the model gives a {named}. Of many such ranges about {share} hold the true {target}; a "
            "single one may miss it. A wide range means that the columns say little about that row, and there the "
            "range is more honest than one number. The ranges were widened or narrowed by what the model had missed "
            f"in {term('validation', 'validation')}, so that they keep their share on rows like these; on rows of "
            "another kind they need not."
        )
    figure = interval_figure(check, facts.plan.target) if check.rows is not None else None
    return Intervals(intro, meaning, figure, _interval_table(check.intervals), _level_table(e))


def interval_statement(e: Evaluation, few: bool = False) -> Statement | None:
    """Whether the widest interval held what it promises, for the first screen.

    Args:
        e: With or without quantiles. few: The rows are too few to conclude anything.
    """
    if e.quantiles is None or not e.quantiles.intervals:
        return None
    widest = e.quantiles.intervals[0]
    wanted, held = widest.high - widest.low, widest.held
    body = interval_sentence(widest, e.n_test)
    if few or (held.low < wanted - UNSURE and wanted <= held.high):
        # A handful of rows agrees with any promise.
        asked = "Do its intervals hold what they promise?"
        return Statement("unknown", "Open", asked, f"too few rows to tell: {body}", "#intervals")
    if held.low <= wanted + 1e-12 and wanted - 1e-12 <= held.high:
        return Statement("holds", "Yes", "Its intervals hold what they promise:", body, "#intervals")
    if held.high < wanted:
        return Statement("care", "Careful", "Its intervals are too narrow:", body, "#intervals")
    return Statement("note", "Note", "Its intervals are wider than needed:", body, "#intervals")


def interval_sentence(i: IntervalCheck, n: int) -> str:
    """``the 80 % interval held 79.1 % [76.8, 81.3] of 1,200 test rows, mean width 3.1``."""
    width, guess = fmt.estimate(i.width), fmt.number(i.guess_width)
    return (
        f"the {percent(i.high - i.low)} interval held {held_sentence(i.held.value, i.held.low, i.held.high)} of "
        f"{fmt.plural(n, 'held-back row')}; its mean width is {width.value} (95 % interval {width.low} to "
        f"{width.high}), against {guess} without looking at any column."
    )


def level_sentence(level: LevelCheck, n: int) -> str:
    """``89.1 % [86.0, 91.8] of 400 held-back rows lie at or below the 90 % quantile; it should be 90 %.``"""
    return (
        f"{held_sentence(level.below.value, level.below.low, level.below.high)} of {fmt.plural(n, 'held-back row')} "
        f"lie at or below the {name(level.level)}; it should be {percent(level.level)}."
    )


def one_sided(e: Evaluation) -> LevelCheck | None:
    """The first level where all lie above or all below one half, so that there is no typical answer; else None."""
    levels = () if e.quantiles is None else e.quantiles.levels
    return levels[0] if quantiles.one_sided([c.level for c in levels]) else None


def held_sentence(value: float, low: float, high: float) -> str:
    """``79.1 % [76.8, 81.3]``."""
    return f"{fmt.fixed(100 * value, 1)} % [{fmt.fixed(100 * low, 1)}, {fmt.fixed(100 * high, 1)}]"


def percent(share: float) -> str:
    """``80 %``, ``97.5 %``."""
    return f"{round(100 * share, 6):g} %"


def name(level: float) -> str:
    """``median`` or ``90 % quantile``."""
    return "median" if level == 0.5 else f"{percent(level)} quantile"


def _interval_table(found: tuple[IntervalCheck, ...]) -> Table | None:
    if not found:
        return None
    rows = tuple(
        (
            percent(i.high - i.low),
            f"{name(i.low)} to {name(i.high)}",
            held_sentence(i.held.value, i.held.low, i.held.high),
            str(fmt.estimate(i.width)),
            fmt.number(i.guess_width),
        )
        for i in found
    )
    columns = (
        Column("Should hold"), Column("From and to"), Column("Held [95 % interval]", True),
        Column("Mean width", True), Column("Width of a guess", True),
    )  # fmt: skip
    return Table("Prediction intervals on held-back rows", columns, rows)


def _level_table(e: Evaluation) -> Table:
    assert e.quantiles is not None
    rows = tuple(
        (name(c.level), percent(c.level), held_sentence(c.below.value, c.below.low, c.below.high))
        for c in e.quantiles.levels
    )
    columns = (Column("Quantile"), Column("Should lie below", True), Column("Lie at or below [95 % interval]", True))
    return Table("Quantiles on held-back rows", columns, rows)
