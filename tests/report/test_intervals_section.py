"""What the report says of prediction intervals: held, too narrow, wider than needed, and a single level."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.evaluate.coverage import quantile_check
from autodl.records import Evaluation
from autodl.report.figures.intervals import interval_figure
from autodl.report.sections.intervals import interval_sentence, interval_statement, name, percent

N = 400


def evaluated(held, levels=(0.1, 0.5, 0.9)):
    """An evaluation in which ``held`` of the rows lie inside their interval."""
    y = np.where(np.arange(N) < held, 0.5, 2.0)
    q = np.tile(np.linspace(0.0, 1.0, len(levels)), (N, 1))
    check = quantile_check(y, q, levels, np.linspace(0, 10, 50), seed=0)
    return Evaluation(
        metric="pinball", n_train=50, n_test=N, leader="a", baseline="a", models=(), recommended="a", quantiles=check
    )


@pytest.mark.parametrize(
    ("held", "kind", "lead"),
    [(320, "holds", "hold what they promise"), (250, "care", "too narrow"), (390, "note", "wider than needed")],
)
def test_the_verdict_follows_the_confidence_interval(held, kind, lead):
    said = interval_statement(evaluated(held))
    assert said.mark == kind and lead in said.lead
    assert f"{100 * held / N:.1f} %" in said.body


def test_a_handful_of_rows_tells_nothing_of_promises():
    y = np.array([0.5] * 5 + [2.0])
    check = quantile_check(y, np.tile([0.0, 0.5, 1.0], (6, 1)), (0.1, 0.5, 0.9), np.linspace(0, 10, 50), seed=0)
    few = evaluated(320).model_copy(update={"n_test": 6, "quantiles": check})
    for said in (interval_statement(few), interval_statement(evaluated(320), few=True)):
        assert said.mark == "unknown" and said.body.startswith("too few rows to tell:")


def test_the_sentence_has_share_interval_rows_and_width():
    found = evaluated(320).quantiles.intervals[0]
    text = interval_sentence(found, N)
    assert text.startswith("the 80 % interval held 80.0 % [75.8, 83.6] of 400 held-back rows")  # Wilson by hand
    assert "mean width is 1" in text and "against 8" in text


def test_a_single_level_has_no_interval_and_no_verdict():
    alone = evaluated(320, levels=(0.9,))
    assert alone.quantiles.intervals == () and interval_statement(alone) is None


def test_levels_are_named_as_people_say_them():
    assert [name(v) for v in (0.5, 0.1, 0.975)] == ["median", "10 % quantile", "97.5 % quantile"]
    assert percent(0.95 - 0.05) == "90 %"


def test_the_figure_counts_the_rows_outside():
    figure = interval_figure(evaluated(320).quantiles, "y")
    assert "<svg" in figure.svg and figure.table.rows
    assert " lie outside their bar" in figure.alt
