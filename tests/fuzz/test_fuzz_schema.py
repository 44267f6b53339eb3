"""Learning and applying a schema: the same every time, no row lost or moved, new data used or refused."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pandas as pd
from fuzz_cells import KINDS, column
from fuzz_frames import FrameSpec, frame_specs
from fuzz_runs import judge_call
from fuzz_tables import ColumnSpec, column_specs
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from autodl.data import apply_schema, infer_schema, misfits
from autodl.data.columns import normalise
from autodl.errors import DataError
from autodl.records import ColumnKind, TableSchema

STEADY = settings(
    derandomize=True, deadline=None, database=None, print_blob=False, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


def text_frame(columns: tuple[ColumnSpec, ...], n: int, seed: int) -> pd.DataFrame:
    """A raw frame of text, as the reader gives it where nothing is plainly a number."""
    rng = random.Random(seed)
    cells = [column(c.kind, n, rng, missing=c.missing, noise=c.noise) for c in columns]
    return pd.DataFrame({f"c{i}": pd.Series([w or None for w in c], dtype=object) for i, c in enumerate(cells)})


def check(raw: pd.DataFrame, seed: int) -> tuple[TableSchema, pd.DataFrame]:
    """All that holds for any raw frame."""
    target = raw.columns[0] if seed % 2 else None
    schema = infer_schema(raw, target=target)
    assert schema == infer_schema(raw.copy(), target=target)
    frame = apply_schema(raw, schema)
    pd.testing.assert_frame_equal(frame, apply_schema(raw, schema))
    assert frame.columns.tolist() == raw.columns.tolist()
    assert len(frame) == len(raw)
    for info in schema.columns:
        assert info.n == len(raw)
        assert info.n_missing == int(frame[info.name].isna().sum())
        if info.kind is ColumnKind.NUMERIC:
            assert not np.isinf(frame[info.name]).any()
    again = apply_schema(frame, schema)
    pd.testing.assert_frame_equal(again, frame, check_dtype=False)
    order = np.random.default_rng(seed).permutation(len(raw))
    moved = apply_schema(raw.iloc[order].reset_index(drop=True), schema)
    pd.testing.assert_frame_equal(moved, frame.iloc[order].reset_index(drop=True))
    return schema, frame


@settings(STEADY, max_examples=70)
@given(
    columns=st.lists(column_specs(), min_size=1, max_size=8).map(tuple),
    n=st.sampled_from((25, 100, 3, 1)),
    seed=st.integers(0, 10**6),
)
def test_text_of_any_kind(columns: tuple[ColumnSpec, ...], n: int, seed: int) -> None:
    check(text_frame(columns, n, seed), seed)


@settings(STEADY, max_examples=50)
@given(spec=frame_specs())
def test_frames_of_any_values(spec: FrameSpec) -> None:
    assume(spec.kinds and spec.rows)
    try:
        raw, _ = normalise(spec.frame(), "the frame")
    except DataError:
        assume(False)
    # What no target can be is refused; the columns are judged all the same.
    check(raw, spec.seed - spec.seed % 2 if isinstance(raw.iloc[0, 0], np.ndarray) else spec.seed)


@settings(STEADY, max_examples=60)
@given(
    columns=st.lists(column_specs(), min_size=2, max_size=6).map(tuple),
    change=st.sampled_from(("fewer", "more", "reversed", "retyped", "numbers", "empty", "one row", "dates", "lists")),
    seed=st.integers(0, 10**6),
)
def test_changed_data_are_used_or_refused(columns: tuple[ColumnSpec, ...], change: str, seed: int) -> None:
    rng = random.Random(seed)
    schema = infer_schema(text_frame(columns, 60, seed))
    new = text_frame(columns, 40, seed + 1)
    if change == "fewer":
        new = new.drop(columns=rng.choice(new.columns.tolist()))
    elif change == "more":
        new.insert(0, "c0 extra", "x")
    elif change == "reversed":
        new = new[new.columns[::-1]]
    elif change == "retyped":
        new["c1"] = pd.Series(column(rng.choice(sorted(KINDS)), 40, rng), dtype=object)
    elif change == "numbers":
        new["c1"] = np.arange(40.0) * rng.choice((1.0, 1e308, np.inf, np.nan))
    elif change == "empty":
        new["c1"] = pd.Series([None] * 40, dtype=object)
    elif change == "one row":
        new = new.head(1)
    elif change == "dates":
        new["c1"] = pd.date_range("1700-01-01", periods=40, freq="1000D")
    elif change == "lists":
        new["c1"] = [[1, 2]] * 40
        new, _ = normalise(new, "the frame")
    if change == "fewer":
        outcome = judge_call(lambda: apply_schema(new, schema))
        assert outcome.kind == "refused", outcome.detail
        return
    frame = apply_schema(new, schema)
    assert frame.columns.tolist() == list(schema.names)
    assert len(frame) == len(new)
    assert all("'" in str(found) for found in misfits(new, frame, schema))
    if change in ("more", "reversed"):
        same = apply_schema(text_frame(columns, 40, seed + 1), schema)
        pd.testing.assert_frame_equal(frame, same)


def test_the_same_file_gives_the_same_schema_in_any_column_order(tmp_path: Path) -> None:
    columns = tuple(ColumnSpec(kind) for kind in sorted(KINDS) if kind != "comma_float")
    raw = text_frame(columns, 50, 3)
    forward, backward = infer_schema(raw), infer_schema(raw[raw.columns[::-1]])
    assert {c.name: c for c in forward.columns} == {c.name: c for c in backward.columns}
