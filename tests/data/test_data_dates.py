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
        (["01-Jan-20", "15-Mar-35", "20-Apr-56"], [2020, 2035, 2056]),  # and may do so by more where it begins by now
        (["01-Jan-98", "15-Mar-20", "20-Apr-47"], [1998, 2020, 2047]),
        ([f"25-08-{y:02d}" for y in (30, 68, 99, 0, 26)], [1930, 1968, 1999, 2000, 2026]),
    ],
)
def test_the_century_is_learnt(texts: list[str], expected: list[int]) -> None:
    assert years(texts) == expected


def test_births_never_lie_ahead() -> None:
    texts = ["01-Jan-20", "15-Mar-35", "20-Apr-46"]
    for name, first in (("patient_birth_date", 1920), ("due", 2020)):
        learnt = learn_date_rule([*texts, "20-Apr-56"], this_year=2026, name=name)
        assert learnt is not None
        assert int(str(parse_dates(texts, learnt[0]).astype("datetime64[Y]")[0])) == first


def test_one_slip_leaves_the_others_in_their_century() -> None:
    texts = [f"{d:%d-%b-%y}" for d in pd.date_range("2015-01-01", periods=400, freq="10D")]
    assert years([*texts, "15-Mar-62"]) == [*years(texts), 1962]
    assert years(texts)[0] == 2015


def test_one_slip_among_dates_in_two_forms_leaves_them_dates() -> None:
    days = pd.date_range("2015-01-13", periods=200, freq="D")
    texts = [f"{d:%d/%m/%Y}" if i % 2 else f"{d:%b %d, %Y}" for i, d in enumerate(days)]
    assert learn_date_rule([*texts, "12/5/2"]) is not None


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("date", [2016010100 + 100 * day + 6 * hour for day in range(20) for hour in range(4)]),
        ("date", [1601010000 + 10000 * day + 100 * hour for day in range(20) for hour in range(12)]),
        *(
            (name, [6e8 + 1e7 * i for i in range(100)])
            for name in ("consolidated_assets", "Datenvolumen", "update_bytes", "update_id", "GDP_outdated")
        ),
    ],
)
def test_numbers_that_are_spelt_moments_or_amounts_are_no_seconds_since_1970(name: str, numbers: list[float]) -> None:
    assert learn_date_numbers(name, np.array(numbers, dtype=float)) is None


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


@pytest.mark.parametrize(
    "name",
    [
        "created_at", "createdAt", "created_utc", "date", "deadline", "unixReviewTime", "startdate", "ORDERDATE",
        "dateCreated", "lastUpdated", "Date(UTC)",
    ],
)  # fmt: skip
def test_seconds_since_1970_under_usual_names(name: str) -> None:
    seconds = np.arange(1_400_000_000, 1_500_000_000, 1e6)
    for scale, form in ((1, "epoch:s"), (1000, "epoch:ms")):
        rule = learn_date_numbers(name, seconds * scale)
        assert rule is not None
        assert rule.date_format == form
    assert learn_date_numbers(name, np.append(seconds, 17.0)) is None
    frame = pd.DataFrame({name: seconds, "x": np.arange(100) * 0.37})
    assert infer_schema(frame)[name].kind is ColumnKind.DATETIME


@pytest.mark.parametrize(
    ("first", "last"), [(1925, 1970), (1922, 1970), (1926, 1975), (1998, 2048), (1998, 2047), (2019, 2066)]
)
def test_years_of_two_digits_are_not_torn_apart(first: int, last: int) -> None:
    dates = pd.date_range(f"{first}-01-05", f"{last}-12-20", freq="9D")
    texts = [f"{d:%d-%m-%y}" for d in dates]
    found = learn_date_rule(texts, this_year=2026)
    assert found is not None
    assert (parse_dates(texts, found[0]) == dates.to_numpy("datetime64[D]")).all()


def test_a_few_that_are_due_long_after_most_are_no_slips() -> None:
    rng = np.random.default_rng(0)
    due = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.minimum(rng.exponential(6 * 365, 3000), 42 * 365), "D")
    texts = [f"{d:%d-%m-%y}" for d in due]
    found = learn_date_rule(texts, this_year=2026)
    assert found is not None
    assert parse_dates(texts, found[0]).min() >= np.datetime64("2026-01-05")


def test_a_few_that_are_long_past_are_no_due_dates() -> None:
    rng = np.random.default_rng(0)
    ages = pd.to_timedelta(np.minimum(rng.exponential(18 * 365, 3000), 78 * 365), "D")
    begun = pd.Timestamp("2026-01-05") - ages
    texts = [f"{d:%d-%m-%y}" for d in begun]
    found = learn_date_rule(texts, this_year=2026)
    assert found is not None
    assert parse_dates(texts, found[0]).max() <= np.datetime64("2026-01-05")
