from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from profiling_tables import clean_table, profile, raised

from autodl.errors import AutodlError, ConfigError, DataError
from autodl.options import FitOptions
from autodl.profiling.checks.base import hash_rows
from autodl.records import Profile


def test_reasons_for_each_column_left_out() -> None:
    table = clean_table().assign(
        row_id=np.arange(800), same=1, copy=lambda t: t["color"], extra=1.5,
        person=[f"p{i % 90}" for i in range(800)],
        day=pd.date_range("2024-01-01", periods=800),
    )  # fmt: skip
    options = FitOptions(drop=("weight",), group_column="person", time_column="day")
    found = profile(table, options=options)
    assert found.features == ("size", "color")
    assert set(found.dropped) == {"row_id", "same", "copy", "extra", "person", "day", "weight"}
    assert found.dropped["copy"] == "It repeats 'color'."
    assert "asked" in found.dropped["weight"]
    assert (found.group_column, found.time_column) == ("person", "day")


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (FitOptions(drop=("colour",)), DataError, "Did you mean 'color'"),
        (FitOptions(group_column="persn"), DataError, "the group column 'persn' is not in the data"),
        (FitOptions(time_column="color"), DataError, "neither dates nor numbers"),
        (FitOptions(drop=("y",)), ConfigError, "target"),
        (FitOptions(drop=("size", "weight", "color")), DataError, "no column is left"),
    ],
)
def test_bad_options(options: FitOptions, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        profile(clean_table(), options=options)


def test_rows_without_target_are_counted_and_left_out() -> None:
    table = clean_table()
    table["y"] = table["y"].astype(object)
    table.loc[:9, "y"] = None
    found = profile(table)
    assert (found.n_rows, found.target.n_missing) == (790, 10)
    assert raised(found, "AD022")


def test_test_file_must_have_the_columns() -> None:
    from profiling_tables import READ, target_info

    from autodl.data import apply_schema, infer_schema
    from autodl.profiling import profile_table

    table = clean_table()
    schema = infer_schema(table, target="y")
    frame = apply_schema(table, schema)
    with pytest.raises(DataError, match="lacks the column 'weight'"):
        profile_table(
            frame,
            schema,
            READ,
            target=target_info(table),
            options=FitOptions(),
            test_frame=frame.drop(columns="weight"),
        )


def test_profile_survives_json() -> None:
    found = profile(clean_table())
    assert Profile.model_validate_json(found.model_dump_json()) == found


def test_row_hashes_agree_across_tables() -> None:
    table = pd.DataFrame({"a": [1.0, np.nan, 2.0, 1.0], "b": ["x", None, "y", "x"]}).astype({"b": object})
    whole = hash_rows(table, ("a", "b"))
    assert whole[0] == whole[3]
    assert len(set(whole.tolist())) == 3
    assert np.array_equal(hash_rows(table.iloc[2:], ("a", "b")), whole[2:])


def test_same_seed_same_profile() -> None:
    table = clean_table(6000)
    assert profile(table) == profile(table)


VALUES = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-5, 5),
    st.sampled_from(["a", "b", "", "7", "é"]),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    columns=st.lists(st.lists(VALUES, min_size=6, max_size=6), min_size=2, max_size=5),
    repeat=st.sampled_from([1, 3, 40]),
    guess=st.booleans(),
)
def test_any_table_is_profiled_or_refused_in_words(columns: list[list[object]], repeat: int, guess: bool) -> None:
    from autodl.data import read_table

    raw = pd.DataFrame({f"c{i}": pd.Series(v * repeat, dtype=object) for i, v in enumerate(columns)})
    try:
        table, _ = read_table(raw)
        found = profile(table, None if guess else "c0")
    except AutodlError as error:
        message = str(error)
        found = None
    if found is None:
        assert "\n" not in message and len(message) > 20
    else:
        assert found.n_rows >= 2 and found.features
