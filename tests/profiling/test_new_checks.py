"""What the checks on spellings, totals, far-out targets and dates take for a fault, and what they leave alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from profiling_tables import clean_table, profile, raised

from autodl.options import FitOptions
from autodl.profiling.checks.base import MAX_FINDINGS, Check, Context
from autodl.profiling.checks.twin_words import twins
from autodl.records import Finding, Severity, Task


@pytest.mark.parametrize(
    ("counts", "groups"),
    [
        ({"No": 90, "no": 5, "Yes": 40, "yess": 0}, [["No", "no"]]),
        ({"Yes": 900, "yess": 5, "No": 800}, [["Yes", "yess"]]),
        ({"New York": 9, "new-york": 3, "Newark": 5}, [["New York", "new-york"]]),
        ({"TRUE": 9, "Y": 8, "0": 7, "no": 6, "1": 5}, [["TRUE", "Y", "1"], ["0", "no"]]),
        ({"yes": 9, "no": 8}, []),
        ({"A+": 5, "A-": 4, "A": 9}, []),
        ({"+": 5, "-": 4}, []),
        ({"1-0": 5, "10": 4}, []),
        ({"male": 500, "female": 4}, []),
        ({"h1n1": 500, "h1n2": 4}, []),
        ({"cat": 50, "car": 40}, []),
    ],
)
def test_spellings(counts: dict[str, int], groups: list[list[str]]) -> None:
    counts = {word: n for word, n in counts.items() if n}
    assert twins(counts) == groups


def test_classes_in_several_spellings_are_told_first() -> None:
    table = clean_table()
    table["y"] = np.where(np.arange(len(table)) % 9 == 0, table["y"].str.upper(), table["y"])
    (found,) = raised(profile(table), "AD027")
    assert found.column == "y"
    assert "a class of its own" in found.message
    assert "'YES'" in found.message


def test_a_word_for_totals_beside_empty_cells() -> None:
    table = clean_table()
    last = pd.DataFrame([{"color": "Grand total", "y": "yes"}])
    assert raised(profile(pd.concat([table, last], ignore_index=True)), "AD025")
    last = pd.DataFrame([{"color": "total black", "size": 0.1, "weight": 2.0, "y": "yes"}])
    assert not raised(profile(pd.concat([table, last], ignore_index=True)), "AD025")


def test_numbers_without_a_finite_sum_are_no_totals() -> None:
    table = clean_table().assign(a=1e308, b=1e308)
    table.loc[::2, ["a", "b"]] = 0.9e308
    assert not raised(profile(table), "AD025")


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_long_tails_are_no_slips(sigma: float) -> None:
    for seed in range(10):
        table = clean_table(regression=True)
        table["y"] = np.exp(sigma * np.random.default_rng(seed).normal(size=len(table)))
        assert not raised(profile(table), "AD026"), seed


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y"])
def test_dates_of_one_order_are_not_doubted(form: str) -> None:
    table = clean_table()
    table["day"] = pd.date_range("2020-01-01", periods=len(table)).strftime(form)
    assert not raised(profile(table), "AD028")


def test_a_century_that_was_guessed_is_told() -> None:
    table = clean_table()
    table["DOB"] = pd.date_range("1940-01-01", periods=len(table), freq="25D").strftime("%d-%b-%y")
    (found,) = raised(profile(table), "AD028")
    assert found.column == "DOB"
    assert "years of two digits" in found.message
    assert found.evidence["first"] == "1940-01-01T00:00:00"


def test_a_date_of_birth_does_not_order_the_rows() -> None:
    table = clean_table()
    table["DateOfBirth"] = pd.date_range("1940-01-01", periods=len(table), freq="25D")
    assert not raised(profile(table), "AD023")
    table["seen"] = pd.date_range("2020-01-01", periods=len(table))
    (found,) = raised(profile(table), "AD023")
    assert found.column == "seen"
    assert "DateOfBirth" not in found.message


@pytest.mark.parametrize(
    "name", ["patient_nbr", "Patient Number", "unit_nr", "engine_no", "RespondentNo", "customer_no"]
)
def test_names_of_those_who_return(name: str) -> None:
    table = clean_table().assign(**{name: np.arange(800) * 7 % 90 + 1000})
    assert [f.column for f in raised(profile(table), "AD024")] == [name]


@pytest.mark.parametrize("name", ["Customer_Age", "store_size", "number", "unit_price", "engine", "unit"])
def test_names_that_tie_no_rows(name: str) -> None:
    table = clean_table().assign(**{name: np.arange(800) * 7 % 90 + 1000})
    assert not raised(profile(table), "AD024")


def test_measures_are_no_keys() -> None:
    table = clean_table().assign(engine=[f"{998 + 7 * (i % 90)} cc" for i in range(800)])
    assert not raised(profile(table), "AD024")


def test_no_advice_that_the_options_exclude() -> None:
    table = clean_table()
    table["day"] = pd.date_range("2020-01-01", periods=800)
    table["customer"] = [f"c{i % 50}" for i in range(800)]
    table["size"] += np.linspace(0, 20, 800)
    by_time = profile(table, options=FitOptions(time_column="day"))
    assert not raised(by_time, "AD024")
    assert any("'customer' are on both sides" in f.message for f in by_time.findings if f.code == "AD024")
    by_group = profile(table, options=FitOptions(group_column="customer"))
    (dates,), (drift,) = raised(by_group, "AD023"), raised(by_group, "AD014")
    assert "--time-column day instead of --group-column" in dates.action
    assert "--time-column instead of --group-column" in drift.action


def test_amounts_in_several_units_are_told_of_a_target_too() -> None:
    table, rng = clean_table(), np.random.default_rng(0)
    table["y"] = [f"€{v}/{rng.choice(['kg', 'lb'])}" for v in rng.integers(1, 30, 800)]
    (found,) = raised(profile(table, task=Task.CLASSIFICATION), "AD018")
    assert found.column == "y"
    assert "'/kg'" in found.message


def test_different_units_are_told() -> None:
    table, rng = clean_table(), np.random.default_rng(0)
    table["length"] = [f"{v:.2f} m" if rng.random() < 0.5 else f"{100 * v:.0f}cm" for v in rng.uniform(0.5, 2, 800)]
    (found,) = raised(profile(table), "AD018")
    assert found.column == "length"
    assert "'m'" in found.message
    assert "'cm'" in found.message
    table["length"] = [f"{v}{'ABC'[v % 3]}" for v in rng.integers(0, 4, len(table))]
    assert not raised(profile(table), "AD018")


def test_two_placeholders_do_not_hide_each_other() -> None:
    table, rng = clean_table(), np.random.default_rng(0)
    table["q"] = rng.choice([1, 2, 3, 4, 5, 6, 999, -99], size=len(table))
    found = raised(profile(table), "AD019")
    assert {f.evidence["value"] for f in found} == {999.0, -99.0}
    assert all("lie between 1 and 6" in f.message for f in found)


def test_copies_make_no_leak_of_a_key() -> None:
    table = clean_table(300)
    table["number"] = np.arange(300) * 7 % 300
    thrice = pd.concat([table] * 3, ignore_index=True)
    assert raised(profile(thrice), "AD003")
    assert not raised(profile(thrice), "AD010")
    thrice["sum"] = (thrice["y"] == "yes") + 0.001 * thrice["number"]
    assert [f.column for f in raised(profile(thrice), "AD010")] == ["sum"]


def test_days_are_shown_without_midnight() -> None:
    table = clean_table()
    table["day"] = pd.date_range("2020-01-01", periods=len(table))
    (found,) = raised(profile(table), "AD023")
    assert "(2020-01-01 to 2022-03-10)" in found.message


@pytest.mark.parametrize("n", [60, 100, 150])
def test_a_number_that_orders_the_target_leaks_in_a_small_table(n: int) -> None:
    table = clean_table(n, regression=True)
    assert not raised(profile(table), "AD010")
    table["same"] = np.exp(table["y"])
    assert [f.column for f in raised(profile(table), "AD010")] == ["same"]
    table["same"] = table["same"].where(np.arange(n) % 3 > 0)
    assert not raised(profile(table), "AD010"), "where a third is unknown the column does not give the target away"


def survey(n: int, seed: int) -> pd.DataFrame:
    answers = np.random.default_rng(seed).integers(1, 6, size=(n, 4))
    frame = pd.DataFrame({f"q{i}": [f"level {v}" for v in answers[:, i]] for i in range(4)})
    frame["y"] = np.random.default_rng(seed + 1).choice(["no", "yes"], n)
    return frame


def test_answers_of_few_levels_repeat_in_a_test_file_by_nature() -> None:
    train, test = survey(2_000, 0), survey(500, 10)
    (found,) = [f for f in profile(train, test=test).findings if f.code == "AD012"]
    assert found.severity is Severity.PASSED and found.evidence["share"] > 0.5
    train["at"], test["at"] = (np.random.default_rng(len(f)).normal(size=len(f)) for f in (train, test))
    test.loc[:99] = train.loc[:99].to_numpy()
    test["at"] = test["at"].astype(float)
    (found,) = raised(profile(train, test=test), "AD012")
    assert found.evidence["rows"] == 100


def test_test_rows_of_other_days_are_no_copies() -> None:
    def days(start: str, n: int) -> pd.DataFrame:
        frame = clean_table(300).head(n)
        return frame.assign(day=pd.date_range(start, periods=n))

    train, later = days("2024-01-01", 300), days("2025-01-01", 60)
    assert raised(profile(train.drop(columns="day"), test=later.drop(columns="day")), "AD012")
    assert not raised(profile(train, test=later, options=FitOptions(time_column="day")), "AD012")


def test_order_is_that_of_the_time_column_where_there_is_one() -> None:
    table = clean_table(regression=True)
    table["day"] = pd.date_range("2020-01-01", periods=len(table))
    options = FitOptions(time_column="day")
    assert not raised(profile(table.sort_values("y"), options=options), "AD015"), "the file may be in any order"
    trend = table.assign(y=np.arange(len(table)) + table["y"]).sample(frac=1, random_state=0)
    (found,) = raised(profile(trend, options=options), "AD015")
    assert "Over 'day' the values of 'y' are nearly in order" in found.message
    assert not raised(profile(trend), "AD015")


def test_equal_shares_of_classes_are_promised_only_where_the_split_keeps_them() -> None:
    table = clean_table(1_000).assign(day=pd.date_range("2020-01-01", periods=1_000))
    table["y"] = np.where(np.arange(1_000) % 20 == 0, "yes", "no")

    def action(options: FitOptions | None = None, test: pd.DataFrame | None = None) -> str:
        (found,) = raised(profile(table, options=options, test=test), "AD008")
        return found.action

    assert action().startswith("Rows are split so that each part has its share")
    assert "share of each class" not in action(FitOptions(time_column="day"))
    assert action(test=table.head(100)).startswith("Validation rows are drawn so that")


def test_a_single_column_more_is_named_and_several_are_counted() -> None:
    class Names(Check):
        key, code, title = "names", "AD999", "Names"

        def run(self, ctx: Context) -> list[Finding]:
            return []

    found = [Names().finding(Severity.WARNS, "So it is.", column=f"c{i}") for i in range(MAX_FINDINGS + 2)]
    assert Names().capped(found[:-1], "have names") == found[:-1]
    assert Names().capped(found, "have names")[-1].message == "2 more columns have names, less strongly."


def test_several_currencies_are_told() -> None:
    table, rng = clean_table(), np.random.default_rng(0)
    amounts = rng.uniform(5, 90, len(table))
    table["price"] = [f"{'€' if rng.random() < 0.5 else 'GBP '}{v:.2f}" for v in amounts]
    (found,) = raised(profile(table), "AD018")
    assert found.column == "price"
    assert "several currencies: 'GBP' and '€'" in found.message
    table["price"] = [f"{'€' if rng.random() < 0.5 else 'EUR '}{v:.2f}" for v in amounts]
    assert not raised(profile(table), "AD018")
