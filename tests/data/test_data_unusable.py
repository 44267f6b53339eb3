from __future__ import annotations

import pandas as pd

from autodl.data import apply_schema, count_misfits, infer_schema, merge_misfits, misfits


def test_only_values_that_cannot_be_used_are_told():
    train = pd.DataFrame(
        {
            "age": list(range(20, 60)),
            "smoker": ["yes", "no"] * 20,
            "colour": ["red", "green", "blue", "red"] * 10,
            "when": pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d"),
        }
    )
    schema = infer_schema(train)
    assert misfits(train, apply_schema(train, schema), schema) == []
    new = pd.DataFrame(
        {
            "age": ["30", "nineteen", None, "n/a", "31"],
            "smoker": ["yes", "no", "xyz", None, "no"],
            "colour": ["red", "pink", "green", None, "pink"],
            "when": ["2024-02-01", "2024-02-30", "2024-02-03", "2024-02-04", "2024-02-05"],
        }
    )
    told = [str(m) for m in misfits(new, apply_schema(new, schema), schema)]
    assert told == [
        "'age': 1 of 3 values are no numbers and count as missing ('nineteen')",
        "'smoker': 1 of 4 values are neither yes nor no and count as missing ('xyz')",
        "'colour': 2 of 4 values were never seen in training ('pink')",
        "'when': 1 of 5 values are no dates and count as missing ('2024-02-30')",
    ]


def test_infinite_numbers_are_told_apart_from_words():
    train = pd.DataFrame({"x": [i / 3 for i in range(40)], "y": [i * 1.5 for i in range(40)]})
    schema = infer_schema(train)
    new = pd.DataFrame({"x": ["1", "INF", "-inf", "wide"], "y": [1.0, float("inf"), None, 2.0]})
    assert [str(m) for m in misfits(new, apply_schema(new, schema), schema)] == [
        "'x': 2 of 4 values are infinite and count as missing ('INF', '-inf')",
        "'x': 1 of 4 values are no numbers and count as missing ('wide')",
        "'y': 1 of 3 values are infinite and count as missing ('inf')",
    ]
    assert misfits(new, apply_schema(new, schema), schema, skip={"x", "y"}) == []


def test_parts_of_a_table_are_told_as_one():
    train = pd.DataFrame({"x": [i / 3 for i in range(40)], "y": [i * 1.5 for i in range(40)]})
    schema = infer_schema(train)
    new = pd.DataFrame({"x": ["1", "wide", "2", "broad", "3", "wide"], "y": ["1", "2", "3", "4", "5", "none of it"]})
    whole = misfits(new, apply_schema(new, schema), schema)
    parts = [new.iloc[at : at + 2].reset_index(drop=True) for at in (0, 2, 4)]
    merged = merge_misfits(m for part in parts for m in count_misfits(part, apply_schema(part, schema), schema))
    assert [str(m) for m in merged] == [str(m) for m in whole]


def test_dotted_dates_have_the_day_first_also_among_other_forms():
    frame = pd.DataFrame({"when": ["2024-03-01", "01.02.2024", "02.02.2024", "2024-03-05", "03.02.2024"] * 5})
    read = apply_schema(frame, infer_schema(frame))["when"]
    assert read.dt.month.tolist() == [3, 2, 2, 3, 2] * 5


def test_a_column_without_misfits_counts_its_values_all_the_same():
    raw = pd.DataFrame({"a": ["1", "", "3", "4.5"]})
    schema = infer_schema(raw)
    found = count_misfits(raw, apply_schema(raw, schema), schema)
    assert [(m.n, m.of) for m in found] == [(0, 3), (0, 3)]
    assert merge_misfits(found) == []


def test_long_categories_are_known_again():
    frame = pd.DataFrame({"a": ["x" * 250, "b", "c"] * 20})
    schema = infer_schema(frame)
    assert misfits(frame, apply_schema(frame, schema), schema) == []
    new = pd.DataFrame({"a": ["x" * 250, "d"]})
    (told,) = misfits(new, apply_schema(new, schema), schema)
    assert (told.n, told.of, told.examples) == (1, 2, ("d",))


def test_mostly_new_words_are_told_among_many_categories():
    train = pd.DataFrame({"town": [f"town {i % 50}" for i in range(200)]})
    schema = infer_schema(train)
    for new, n in ([*["town 1"] * 6, *["elsewhere"] * 4], 0), ([*["town 1"] * 4, *["elsewhere"] * 6], 6):
        frame = pd.DataFrame({"town": new})
        told = misfits(frame, apply_schema(frame, schema), schema)
        assert [m.n for m in told] == ([n] if n else [])


def test_an_order_of_days_that_nothing_tells_is_told():
    train = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d")})
    schema = infer_schema(train)
    assert misfits(train, apply_schema(train, schema), schema) == []
    new = pd.DataFrame({"day": ["03/04/2024", "05/04/2024", "01/02/2024"]})
    (told,) = misfits(new, apply_schema(new, schema), schema)
    assert str(told) == (
        "'day': 3 of 3 values are dates whose day and month cannot be told apart and were read with the month first"
    )
    plain = pd.DataFrame({"day": ["13/04/2024", "05/04/2024", "01/02/2024"]})
    assert misfits(plain, apply_schema(plain, schema), schema) == []
