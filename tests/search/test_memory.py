"""Memory estimates: of the right size beside measured peaks, and learning from them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd
import pytest
from toy_families import make_loop

from autodl.machine import reset_peak
from autodl.models.base import Shape
from autodl.records import (
    ColumnInfo,
    ColumnKind,
    Cost,
    Recipe,
    SeriesStats,
    TableSchema,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
)
from autodl.search.budget import Budget
from autodl.search.loop import SearchState
from autodl.search.memory import WORKER_BYTES, MemoryModel, Rows, allowance, preparation_cost, room
from autodl.search.prepared import PreparedFolds
from autodl.search.runners.inline import InlineRunner
from autodl.search.trial import Job, TrialData, run_trial


def column(name, kind, unique=5, missing=0, length=None):
    return ColumnInfo(name=name, kind=kind, n=100, n_missing=missing, n_unique=unique, mean_length=length)


def spec(number=1, family="toy", **config):
    return TrialSpec(id=f"t{number:04d}", family=family, config=config)


def wide_preparation(recipe):
    """Measured and estimated bytes for a wide table."""
    rng = np.random.default_rng(0)
    n, p = 4_000, 900
    frame = pd.DataFrame(rng.normal(size=(n, p)), columns=[f"n{i}" for i in range(p)])
    schema = TableSchema(columns=tuple(column(c, ColumnKind.NUMERIC) for c in frame))
    folds = ((np.arange(2_600), np.arange(2_600, 3_200)),)
    y = rng.normal(size=3_200)
    data = TrialData(frame[:3_200], y, frame[3_200:], folds, schema, Task.REGRESSION, 0, "rmse", {"dummy": recipe})
    measured = run_trial(Job(spec(family="dummy")), data, PreparedFolds(data)).result.cost.peak_bytes
    return measured, preparation_cost(recipe, schema.columns, Rows(2_600, 600, 800), 0).bytes


@pytest.mark.skipif(not reset_peak(), reason="the system tells no peaks")
@pytest.mark.parametrize("recipe", [Recipe(), Recipe(scale="standard"), Recipe(scale="quantile", impute="mean")])
def test_preparation_beside_a_measured_peak(recipe):
    # In a process of its own: what other tests freed would be used again, without a peak.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as fresh:
        measured, estimated = fresh.submit(wide_preparation, recipe).result()
    assert measured / 2 < estimated < 3 * measured


def test_series_take_what_is_held_of_them_at_a_time():
    def extra(n, longest, kind="rocket"):
        stats = SeriesStats(channels=2, length=(10, 100, longest))
        walk = ColumnInfo(name="s", kind=ColumnKind.SERIES, n=100, n_missing=0, n_unique=100, series=stats)
        rows = Rows(n, 0, 0)
        without = preparation_cost(Recipe(series=kind), [walk.model_copy(update={"series": None})], rows, 2).bytes
        return preparation_cost(Recipe(series=kind), [walk], rows, 2).bytes - without

    assert extra(10, 1_000_000, "none") == 0
    assert extra(10, 1_000_000) - extra(10, 100) == pytest.approx(16 * 2 * (8 * 1_000_000 - 10 * 100))
    assert extra(10, 100_000_000) > 16 * 2 * 100_000_000  # one at a time


def test_categories_and_classes():
    words = [column(f"c{i}", ColumnKind.CATEGORICAL, unique=20) for i in range(10)]
    many = [column("id", ColumnKind.CATEGORICAL, unique=100_000)]
    rows = Rows(10_000, 2_000, 2_000)

    def width(recipe, columns, classes):
        return preparation_cost(recipe, columns, rows, classes).bytes

    onehot, target = Recipe(categories="onehot"), Recipe(categories="target")
    assert width(onehot, words, 2) > 5 * width(target, words, 2)
    # A column of many categories never becomes as many columns; many classes never as many target means.
    assert width(onehot, many, 2) < width(onehot, words, 2)
    assert width(target, words, 26) == width(target, words, 200)
    assert width(target, words, 26) > 5 * width(target, words, 2)


def test_long_texts_cost_more_memory_and_time():
    short = column("t", ColumnKind.TEXT, length=11.0)
    long = column("t", ColumnKind.TEXT, length=1_100.0)
    rows = Rows(10_000, 2_000, 2_000)
    words = Recipe(text="tfidf", text_pieces=False, text_statistics=False)
    costs = [preparation_cost(words, [c], rows, 2) for c in (short, long)]
    assert costs[1].bytes == pytest.approx(100 * costs[0].bytes, rel=0.05)
    assert costs[1].seconds == pytest.approx(100 * costs[0].seconds)
    assert preparation_cost(Recipe(text="none"), [long], rows, 2).seconds == 0
    # Pieces of words cost more, and very long texts are read by words alone.
    pieces = words.model_copy(update={"text_pieces": True})
    assert preparation_cost(pieces, [short], rows, 2).seconds > 1.5 * costs[0].seconds
    assert preparation_cost(pieces, [long], rows, 2) == costs[1]


def finished(model, ratio, number=1, status=TrialStatus.OK):
    one = spec(number)
    peak = int(ratio * model.raw(one))
    loss = 1.0 if status is TrialStatus.OK else None
    return TrialResult(spec=one, status=status, loss=loss, cost=Cost(fit_s=1.0, peak_bytes=peak))


def test_the_largest_ratio_of_the_family_counts(toys, linear_data):
    model = MemoryModel(Shape(rows=40, numeric=3), linear_data)
    raw = model.raw(spec())
    assert raw > 1e6  # the toy's own estimate, and the preparation on top
    assert model.estimate(spec(9), []) == raw
    history = [finished(model, 0.5), finished(model, 2.0, 2), finished(model, 1.0, 3)]
    assert model.estimate(spec(9), history) == pytest.approx(2.0 * raw, rel=1e-3)
    assert model.estimate(spec(9, family="stubborn"), history) == pytest.approx(raw, rel=0.01)
    # One that was ended would have taken more than it had.
    ended = [finished(model, 2.0, status=TrialStatus.FAILED)]
    assert model.estimate(spec(9), ended) > 2.0 * raw


def test_what_does_not_fit_is_not_started_and_told(toys, linear_data):
    loop = make_loop(Budget(float("inf"), time.time()), keys=("dummy", "toy"), max_trials=4)
    model = MemoryModel(Shape(rows=40, numeric=3), linear_data, allowed=5e5)
    tight = type(loop)(**{**vars(loop), "memory": model})
    state = tight.run(InlineRunner(linear_data), SearchState(), threading.Event())
    assert {r.spec.family for r in state.finished} == {"dummy"}
    assert state.too_large["toy"] == model.raw(spec())
    assert state.memory_left == 5e5


def test_trials_side_by_side_in_one_process_have_no_memory_of_their_own(toys, linear_data):
    for slots, measured in ((1, True), (2, False)):
        runner = InlineRunner(linear_data, slots=slots)
        runner.submit(Job(spec(family="lightgbm")))
        while not (found := runner.wait(1.0)):
            pass
        assert (found[0].result.cost.peak_bytes > 0) == measured


def test_workers_that_memory_has_room_for():
    assert room(64e9) > 100
    assert room(0.9e9) == 1
    assert room(8e9, 2e9) == 3
    assert all(allowance(free, room(free)) >= WORKER_BYTES for free in (0.9e9, 2e9, 8e9, 64e9))


def test_light_trials_are_far_below_what_is_free(toys, linear_data):
    need = MemoryModel(Shape(rows=40, numeric=3), linear_data).raw(spec())
    for allowed, light in ((20 * need, True), (5 * need, False)):
        assert MemoryModel(Shape(rows=40, numeric=3), linear_data, allowed).light(spec(), []) == light
