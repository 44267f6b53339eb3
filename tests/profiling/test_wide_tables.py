"""Tables with thousands of columns: the same answers, and an end in time."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
from profiling_tables import READ, clean_table, target_info

from autodl.clock import Deadline
from autodl.data import apply_schema, infer_schema
from autodl.options import FitOptions
from autodl.profiling import profile_table
from autodl.profiling.features import repeated_columns
from autodl.records import Profile, Severity


def test_repeated_columns_are_those_of_a_comparison_pair_by_pair():
    rng = np.random.default_rng(0)
    # Alike in their first rows, so that only the rest tells them apart.
    columns = {f"c{i}": np.r_[np.zeros(250), rng.integers(0, 2, 3).astype(float)] for i in range(12)}
    columns |= {f"m{i}": np.r_[np.zeros(250), rng.choice([0.0, np.nan], 3)] for i in range(12)}
    frame = pd.DataFrame(columns)
    frame["word"], frame["again"] = "a", "a"
    expected: dict[str, str] = {}
    for first, second in itertools.combinations(frame.columns, 2):
        if first not in expected and second not in expected and frame[first].equals(frame[second].rename(first)):
            expected[second] = first
    assert len(expected) > 5
    assert repeated_columns(frame, list(frame.columns)) == expected


def profiled(deadline: Deadline) -> Profile:
    frame = clean_table(200)
    frame["leak"] = (frame.y == "yes") * 1.0 + np.arange(200) * 1e-6
    info = target_info(frame)
    schema = infer_schema(frame, target="y")
    options = FitOptions()
    return profile_table(
        apply_schema(frame, schema), schema, READ, target=info, options=options, deadline=deadline
    )  # fmt: skip


def test_checks_after_the_deadline_say_that_they_did_not_look():
    late, whole = profiled(Deadline.after(-1.0)), profiled(Deadline())
    assert {f.severity for f in late.findings} == {Severity.NOT_APPLICABLE}
    assert {f.code for f in late.findings} == {f.code for f in whole.findings}
    assert any(f.code == "AD010" and f.severity is Severity.WARNS for f in whole.findings)
    assert late.features == whole.features
