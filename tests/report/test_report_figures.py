"""What charts and their tables show."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
from report_records import make_records

from autodl.records import ColumnKind, EffectPoint, Residuals
from autodl.report.elements import Figure
from autodl.report.facts import gather
from autodl.report.figures.residuals import residual_figures
from autodl.report.sections.drives import drives


def effect_figure(kind: ColumnKind, points: tuple[EffectPoint, ...]) -> Figure:
    """The chart of the first column as one of this kind."""
    records = make_records("binary")
    explanation, columns = records.explanation, records.profile.columns
    assert explanation is not None
    first = explanation.importances[0].model_copy(update={"effect": points})
    turned = (c.model_copy(update={"kind": kind}) if c.name == first.column else c for c in columns.columns)
    profile = records.profile.model_copy(update={"columns": columns.model_copy(update={"columns": tuple(turned)})})
    changed = explanation.model_copy(update={"importances": (first,)})
    section = drives(gather(**records.but(profile=profile, explanation=changed).kwargs()))
    assert section is not None
    return section.effects[0]


def ticks(figure: Figure) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", figure.svg)


def test_dates_stand_where_they_are_in_time_with_their_months() -> None:
    days = ("2013-02-15", "2013-02-20", "2013-02-25", "2013-09-01", "2013-12-28")
    points = tuple(EffectPoint(value=d, prediction=0.1 * n) for n, d in enumerate(days))
    figure = effect_figure(ColumnKind.DATETIME, points)
    assert len([t for t in ticks(figure) if re.fullmatch(r"2013-\d\d(-\d\d)?", t)]) >= 2
    line = re.search(r'<path d="([^"]*)" clip-path', figure.svg)
    assert line is not None
    xs = [float(x) for x in re.findall(r"[ML] ([\d.]+) ", line[1])]
    steps = [b - a for a, b in pairwise(xs)]
    assert steps[2] > 20 * steps[0] > 0


def test_yes_and_no_are_no_numbers() -> None:
    points = (
        EffectPoint(value="no", number=0.0, prediction=0.2),
        EffectPoint(value="yes", number=1.0, prediction=0.4),
    )
    assert {"no", "yes"} <= set(ticks(effect_figure(ColumnKind.BOOLEAN, points)))


def residuals(true: tuple[float, ...], predicted: tuple[float, ...]) -> tuple[Figure, ...]:
    typical = make_records("regression").evaluation.residuals.typical  # type: ignore[union-attr]
    return residual_figures(Residuals(true=true, predicted=predicted, typical=typical, typical_guess=1.0), "price")


def test_large_numbers_on_an_axis_are_short_and_differ() -> None:
    for low, high, unit in ((2e6, 9e6, "M"), (1.5e6, 1.5001e6, "M"), (1e9, 4e12, "tn")):
        true = tuple(np.linspace(low, high, 50))
        points = tuple(EffectPoint(value=str(x), number=x, prediction=0.1) for x in true[::10])
        for figure in (*residuals(true, true[::-1]), effect_figure(ColumnKind.NUMERIC, points)):
            large = [t for t in ticks(figure) if t.endswith(unit)]
            assert len(large) >= 3 and len(set(large)) >= 3 and max(map(len, large)) <= 9
            assert not [t for t in ticks(figure) if t.count(",") > 1]


def test_a_few_huge_values_make_the_axes_logarithmic() -> None:
    skewed = tuple(10.0 ** (k / 100) for k in range(600))
    figure = residuals(skewed, skewed)[0]
    assert {"100", "10,000"} <= set(ticks(figure)) and "logarithmic" in figure.caption
    line = re.search(r'<path d="M ([\d.]+) ([\d.]+) L ([\d.]+) ([\d.]+) " clip-path', figure.svg)
    dots = [(float(x), float(y)) for x, y in re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', figure.svg)]
    assert line is not None and len(dots) > 400
    middle = sum(x < (float(line[1]) + float(line[3])) / 2 for x, _ in dots) / len(dots)
    assert 0.4 < middle < 0.6  # on plain axes nearly all would lie on the left
    for plain_one in ((skewed[:150], skewed[:150]), (skewed, (-1.0, *skewed[1:]))):
        assert "logarithmic" not in residuals(*plain_one)[0].caption


def test_each_table_of_errors_is_by_what_its_chart_shows() -> None:
    true, predicted = tuple(map(float, range(100))), tuple(50 + v / 10 for v in range(100))
    by_true, by_prediction = residuals(true, predicted)
    assert (by_true.table.rows[0][0], by_true.table.columns[0].label) == ("0 to 11", "True value")
    assert by_prediction.table.rows[0][0] == "50 to 51.1"
    assert by_prediction.table.columns[0].label == "Prediction"
    assert "by size of the prediction" in by_prediction.table.caption
    assert "where the prediction is 50 to 51.1" in by_prediction.alt
