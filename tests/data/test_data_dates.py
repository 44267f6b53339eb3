"""Which century years of two digits are in, and which texts and numbers are no dates, or are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.data import apply_schema, infer_schema
from autodl.data.dates import learn_date_numbers, learn_date_rule, parse_dates
from autodl.records import ColumnKind, ParseRule, TableSchema


def years(texts: list[str]) -> list[int]:
    learnt = learn_date_rule(texts, this_year=2026)
    assert learnt is not None
    return (parse_dates(texts, learnt[0]).astype("datetime64[Y]").astype(int) + 1970).tolist()


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["25-07-65", "31-12-45", "01-02-99", "03-04-05"], [1965, 1945, 1999, 2005]),
        (["Jan-62", "Feb-55", "Mar-85"], [1962, 1955, 1985]),
        (["29-Feb-48", "20-Apr-90"], [1948, 1990]),
        (["15-Mar-27", "20-Apr-35"], [2027, 2035]),  # what is due lies ahead
        (["01-Jan-20", "15-Mar-35", "20-Apr-56"], [1920, 1935, 1956]),  # whatever the century, it tears nothing apart
        ([f"25-08-{y:02d}" for y in (30, 68, 99, 0, 26)], [1930, 1968, 1999, 2000, 2026]),
    ],
)
def test_the_century_is_learnt(texts: list[str], expected: list[int]) -> None:
    assert years(texts) == expected


def test_the_century_is_kept_for_new_dates() -> None:
    births = [f"{d:%d-%m-%y}" for d in pd.date_range("1945-01-31", periods=60, freq="300D")]
    frame = pd.DataFrame({"dob": births, "x": np.arange(60) * 0.37})
    schema = TableSchema.model_validate_json(infer_schema(frame).model_dump_json())
    assert "years of two digits" in schema["dob"].why

    def read(*texts: str) -> list[str]:
        new = pd.DataFrame({"dob": pd.Series(texts, dtype=object), "x": 0.5})
        return [f"{d:%Y}" for d in apply_schema(new, schema)["dob"]]

    assert read("25-07-31", "25-07-05") == ["1931", "2005"]
    assert read("25-Jul-31", "25-Jul-05") == ["1931", "2005"], "another form, the same century"
    assert read("25-07-2031") == ["2031"], "four digits say it themselves"


def test_rules_of_earlier_versions_and_new_data_without_a_rule_are_read_as_before() -> None:
    texts = ["25-07-65", "31-12-75"]
    old = ParseRule.model_validate({"date_format": "%d-%m-%y", "dayfirst": True})
    learnt = learn_date_rule(texts)
    assert learnt is not None
    for rule in (old, learnt[0]):
        assert parse_dates(texts, rule).astype("datetime64[Y]").astype(str).tolist() == ["2065", "1975"]


@pytest.mark.parametrize("texts", [["1.2.3", "2.10.4", "3.1.4"], ["3.1.4", "10.12.14"], ["3-2-1", "12-4-5"]])
def test_versions_and_sections_are_no_dates(texts: list[str]) -> None:
    assert learn_date_rule(texts) is None


@pytest.mark.parametrize("name", ["created_at", "createdAt", "created_utc", "date", "deadline", "unixReviewTime"])
def test_seconds_since_1970_under_usual_names(name: str) -> None:
    seconds = np.arange(1_400_000_000, 1_500_000_000, 1e6)
    for scale, form in ((1, "epoch:s"), (1000, "epoch:ms")):
        rule = learn_date_numbers(name, seconds * scale)
        assert rule is not None
        assert rule.date_format == form
    assert learn_date_numbers(name, np.append(seconds, 17.0)) is None
    frame = pd.DataFrame({name: seconds, "x": np.arange(100) * 0.37})
    assert infer_schema(frame)[name].kind is ColumnKind.DATETIME
