"""The Pareto front against its definition, and the stop watch against known durations."""

from __future__ import annotations

import math
import time

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from autodl.evaluate.latency import ENOUGH, REPEATS, batch_milliseconds, one_thread, row_seconds
from autodl.evaluate.pareto import undominated

coordinates = st.integers(0, 6).map(float)
points = st.integers(1, 3).flatmap(lambda k: st.lists(st.tuples(*[coordinates] * k), max_size=25))


def beats(p, q):
    return all(a <= b for a, b in zip(p, q, strict=True)) and any(a < b for a, b in zip(p, q, strict=True))


@given(points)
def test_front_is_all_and_only_what_nothing_beats(found):
    assert undominated(found) == [not any(beats(q, p) for q in found) for p in found]


@given(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=25))
def test_everything_off_the_front_is_beaten_by_something_on_it(found):
    marks = undominated(found)
    front = [p for p, m in zip(found, marks, strict=True) if m]
    assert front
    assert all(m or any(beats(q, p) for q in front) for p, m in zip(found, marks, strict=True))


def test_what_is_not_known_is_neither_on_the_front_nor_beats_anything():
    assert undominated([(math.nan, 0.0), (1.0, 1.0), (0.5, math.nan), (math.inf, 0.5)]) == [False, True, False, True]


def test_one_row_is_asked_at_a_time_and_the_first_call_is_not_counted(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    lengths, costs = [], iter([9.0, 0.009, 0.002, 0.001, 0.003, 0.005, 0.006, 0.004, 0.008, 0.007])

    def predict(frame):
        lengths.append(len(frame))
        clock[0] += next(costs)

    got = row_seconds(predict, pd.DataFrame({"a": range(4)}))
    assert set(lengths) == {1} and len(lengths) == 1 + REPEATS
    assert math.isclose(got, 0.005, rel_tol=1e-6)


def test_a_slow_model_is_asked_less_often(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(time, "process_time", lambda: clock[0])
    calls = []

    def predict(frame):
        calls.append(len(frame))
        clock[0] += 2.0 * len(frame)

    assert math.isclose(row_seconds(predict, pd.DataFrame({"a": [1]})), 2.0)
    assert len(calls) == 1 + 2 < 1 + ENOUGH
    calls.clear()
    assert math.isclose(batch_milliseconds(predict, pd.DataFrame({"a": [1]})), 2_000_000.0)
    assert calls == [100]
    assert math.isclose(batch_milliseconds(predict, pd.DataFrame({"a": [1]}), first=10), 2_000_000.0)
    assert calls == [100, 10]


def test_of_a_small_first_batch_less_time_is_little(monkeypatch):
    """At 2 ms a row ten rows take 20 ms, but a thousand two seconds."""
    clock, calls = [0.0], []
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(time, "process_time", lambda: clock[0])

    def predict(frame):
        calls.append(len(frame))
        clock[0] += 0.002 * len(frame)

    assert math.isclose(batch_milliseconds(predict, pd.DataFrame({"a": [1]}), first=10), 2_000.0)
    assert calls == [10]


def test_what_other_programs_take_is_not_the_models(monkeypatch):
    """Clock time passes three times as fast as the process works."""
    worked = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: 3 * worked[0])
    monkeypatch.setattr(time, "process_time", lambda: worked[0])

    def predict(frame):
        worked[0] += 0.01

    assert math.isclose(row_seconds(predict, pd.DataFrame({"a": [1]})), 0.01)


def test_threads_are_limited_inside_and_given_back():
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
