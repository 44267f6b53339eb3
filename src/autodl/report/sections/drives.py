"""What drives the predictions: importance of columns and their effects."""

from __future__ import annotations

import math

from autodl.records import Importance
from autodl.report import format as fmt
from autodl.report.elements import Column, Driver, Table
from autodl.report.facts import Facts, metric_words
from autodl.report.figures.effects import effect_figures
from autodl.report.text import clean, code, shorten_apart
from autodl.report.view import Drives

SHOWN = 20


def bars(facts: Facts, limit: int) -> tuple[Driver, ...]:
    """Bars of the columns whose importance is above zero with its whole interval; all columns when ``limit`` > 5."""
    if facts.explanation is None:
        return ()
    every = [i for i in facts.explanation.importances if math.isfinite(i.drop)]
    chosen = every if limit > 5 else [i for i in every if i.drop > 0 and i.low > 0]
    chosen = chosen[:limit]
    names = shorten_apart([i.column for i in every], 32)
    top = max([max(i.high, i.drop) for i in chosen], default=0.0)
    if top <= 0:
        top = 1.0
    spoken = _spoken(facts)
    return tuple(_bar(i, top, names[clean(i.column)], spoken) for i in chosen)


def _percent(value: float, top: float) -> float:
    return round(min(100.0, max(0.0, 100 * value / top)), 2)


def _bar(i: Importance, top: float, name: str, spoken: str) -> Driver:
    places = fmt.decimals(i.low, i.high)
    return Driver(
        name=code(i.column, short=name),
        width=_percent(i.drop, top),
        low=_percent(i.low, top),
        high=_percent(i.high, top),
        amount=f"{fmt.fixed(i.drop, places)} ({fmt.fixed(i.low, places)} to {fmt.fixed(i.high, places)})",
        direction=_told(i, spoken),
    )


def direction(i: Importance, spoken: str = "") -> str:
    """The direction in words; where there is no simple one, the values with the highest and the lowest prediction.

    Args:
        i: Of one column. spoken: The class that its effect speaks of; empty for numbers.
    """
    if i.direction:
        return clean(i.direction)
    if len(i.effect) < 2:
        return ""
    top, bottom = max(i.effect, key=lambda p: p.prediction), min(i.effect, key=lambda p: p.prediction)
    if top.prediction == bottom.prediction:
        return ""
    values = shorten_apart([p.value for p in i.effect], 20)
    high, low = values[clean(top.value)], values[clean(bottom.value)]
    if not spoken:
        return f"highest at {high}, lowest at {low}"
    return f"most likely '{spoken}' at {high}, least likely at {low}"


def _spoken(facts: Facts) -> str:
    """The class that effects speak of, shortened so that no other one reads like it; empty for numbers."""
    known = clean(facts.explanation.positive_class) if facts.explanation and facts.explanation.positive_class else ""
    return shorten_apart((*facts.classes, known), 24)[known]


def class_spoken_of(facts: Facts) -> str:
    """Of which class the directions speak, where there are more than two; else empty."""
    e = facts.explanation
    if e is None or len(facts.classes) <= 2 or not e.positive_class:
        return ""
    usual = ", the most frequent class" if e.positive_class == facts.majority else ""
    return f"Directions speak of how likely {code(e.positive_class, short=_spoken(facts))} is{usual}."


def _told(i: Importance, spoken: str) -> str:
    """The direction in words, or that there is no simple one; nothing where it was not looked for.

    Effects are measured of the leading columns only, and never of images, texts and series. A direction of what may
    be no effect at all would be read into chance.
    """
    if i.low <= 0 <= i.high:
        return "no measurable effect"
    if i.high < 0:
        return ""
    return direction(i, spoken) or ("no simple direction" if len(i.effect) > 1 else "")


def columns_measured(facts: Facts) -> str:
    """Which share of the columns there was time for; empty where it was all of them."""
    e = facts.explanation
    if e is None or not 0 < len(e.importances) < e.n_columns:
        return ""
    return f"Measured for {len(e.importances)} of {fmt.plural(e.n_columns, 'column')}, then time was up."


def drives(facts: Facts) -> Drives | None:
    """The section, or None when nothing was measured."""
    e = facts.explanation
    if e is None:
        return None
    metric = metric_words(e.metric, facts.metric.greater_is_better)
    shown, spoken = bars(facts, limit=SHOWN), _spoken(facts)
    names = shorten_apart(i.column for i in e.importances)
    rows = tuple(
        (
            code(i.column, short=names[clean(i.column)]), fmt.number(i.drop), fmt.number(i.low), fmt.number(i.high),
            _told(i, spoken),
        )
        for i in e.importances
    )  # fmt: skip
    # Where time was up before all columns had their turn, no round was finished.
    times = "once" if e.n_repeats <= 1 else fmt.plural(e.n_repeats, "time")
    some = columns_measured(facts)
    which = (
        f"Each of the {fmt.plural(len(e.importances), 'column')} that there was time for" if some else "Each column"
    )
    intro = (
        f"{which} in turn was shuffled {times} on {fmt.plural(e.n_rows, 'row')} that the model was not trained "
        "on; "
        f"the bar is how much worse {metric.name} of {e.model} became, the line its 95 % interval. Columns that "
        "say the "
        "same thing share their importance, and importance is no proof of cause."
    )
    what = code(e.positive_class) if e.positive_class else code(facts.plan.target)
    return Drives(
        intro=intro,
        note=" ".join(filter(None, (class_spoken_of(facts), clean(e.note)))),
        bars=shown,
        table=Table(
            f"Loss in {metric.name} when the column is shuffled ({e.method})",
            (Column("Column"), Column("Loss", True), Column("from", True), Column("to", True), Column("Direction")),
            rows,
        ),
        effects_intro=f"The mean prediction ({'probability of ' if facts.classification else ''}{what}) when all "
        "rows "
        "are given the value on the axis and everything else stays as it is.",
        effects=effect_figures(e, facts.profile.columns, facts.classification, facts.plan.target),
    )
