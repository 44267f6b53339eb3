"""Examples of series with the effects of their parts, by the delivered models."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from autodl.media.array import MediaArray
from autodl.media.memory import SeriesList
from autodl.records import ColumnInfo, ColumnKind, TableSchema
from autodl.records.column import ParseRule, SeriesRule
from autodl.records.examples import ShownExample
from autodl.stages.showing_steps import with_step_effects


def given(rule: SeriesRule | None = None):
    """Four series of 40 steps and of 5, a problem around them, and two examples."""
    store = SeriesList([np.arange(float(n), dtype=np.float32)[:, None] for n in (40, 5, 40, 40)])
    parse = ParseRule() if rule is None else ParseRule(series=rule)
    info = ColumnInfo(name="s", kind=ColumnKind.SERIES, n=4, n_missing=0, n_unique=4, parse=parse)
    data = SimpleNamespace(
        test_frame=pd.DataFrame({"s": MediaArray.whole(store)}), schema=TableSchema(columns=(info,))
    )
    setup = SimpleNamespace(data=data, plan=SimpleNamespace(quantiles=()))
    shown = [
        ShownExample(row=i, column="s", kind="series", right=True, true="1", predicted="1", steps=n)
        for i, n in ((0, 40), (1, 5))
    ]
    return SimpleNamespace(setup=setup, delivery=SimpleNamespace(folder=None)), shown


@pytest.fixture
def first_step(monkeypatch):
    """A model that answers class 1 the surer, the lower the first step."""

    def predict(rows: pd.DataFrame) -> np.ndarray:
        sure = np.array([1.0 / (1.0 + c[0, 0]) for c in rows["s"].array])
        return np.stack([1 - sure, sure], axis=1)

    monkeypatch.setattr("autodl.scoring.one_fold_predictor", lambda *_: predict)


def test_each_example_gets_the_effects_of_its_own_parts(first_step) -> None:
    problem, shown = given()
    found, note = with_step_effects(problem, None, {}, np.array([1, 1, 0, 0]), shown, [0, 1], rows=1e6)
    assert note == "" and [len(e.moved) for e in found] == [24, 5]
    assert found[0].moved[0] > 0.5 and not any(found[0].moved[3:])
    against, _ = with_step_effects(problem, None, {}, np.array([0, 0, 0, 0]), shown, [0, 1], rows=1e6)
    assert against[0].moved[0] == pytest.approx(-found[0].moved[0])


def test_without_time_that_is_said(first_step) -> None:
    problem, shown = given()
    found, note = with_step_effects(problem, None, {}, np.ones(4, int), shown, [0, 1], rows=5)
    assert found == shown and "no time was left" in note


def test_steps_that_are_also_columns_are_left_alone(first_step) -> None:
    problem, shown = given(SeriesRule(channels=1, columns=tuple(f"t{i}" for i in range(40))))
    assert with_step_effects(problem, None, {}, np.ones(4, int), shown, [0, 1], rows=1e6) == (shown, "")
