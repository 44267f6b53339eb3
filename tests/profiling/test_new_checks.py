"""What the checks on spellings, totals, far-out targets and dates take for a fault, and what they leave alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from profiling_tables import clean_table, profile, raised

from autodl.profiling.checks.twin_words import twins


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
