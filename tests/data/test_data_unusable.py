from __future__ import annotations

import pandas as pd

from autodl.data import apply_schema, infer_schema, misfits


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
    told = misfits(new, apply_schema(new, schema), schema)
    assert told == [
        "'age': 1 of 3 values are no numbers and count as missing ('nineteen')",
        "'smoker': 1 of 4 values are neither yes nor no and count as missing ('xyz')",
        "'colour': 2 of 4 values were never seen in training ('pink')",
        "'when': 1 of 5 values are no dates and count as missing ('2024-02-30')",
    ]


def test_dotted_dates_have_the_day_first_also_among_other_forms():
    frame = pd.DataFrame({"when": ["2024-03-01", "01.02.2024", "02.02.2024", "2024-03-05", "03.02.2024"] * 5})
    read = apply_schema(frame, infer_schema(frame))["when"]
    assert read.dt.month.tolist() == [3, 2, 2, 3, 2] * 5
