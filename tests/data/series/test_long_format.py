"""Long tables: a row for each step."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from autodl.data.series.long_format import gather, gather_again
from autodl.errors import DataError


def long_table(seed: int = 0) -> pd.DataFrame:
    """Five series of 3 to 7 steps with two channels; ``kind`` and ``age`` are constant in each."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(5):
        t = k + 3
        parts.append(
            pd.DataFrame(
                {
                    "who": f"p{k}", "day": pd.date_range("2024-01-28", periods=t), "x": rng.normal(size=t),
                    "steps": rng.integers(0, 9, t), "kind": "ab"[k % 2], "age": 20.0 + k,
                }
            )
        )  # fmt: skip
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(day=frame["day"].dt.strftime("%d.%m.%Y").astype(object))


def test_each_id_becomes_a_row() -> None:
    raw = long_table()
    found = gather(raw, "who", "day", ["kind"])
    assert list(found.frame.columns) == ["kind", "age", "series"]
    assert found.rule.columns == ("x", "steps")
    assert [len(cell) for cell in found.frame["series"].array] == [3, 4, 5, 6, 7]
    assert found.frame["age"].tolist() == [20.0, 21.0, 22.0, 23.0, 24.0]
    assert found.rows.tolist() == [0, 3, 7, 12, 18]
    expected = raw.loc[raw["who"] == "p2", ["x", "steps"]].to_numpy()
    np.testing.assert_allclose(found.frame["series"].array[2], expected, rtol=1e-6)


def test_an_answer_that_stands_in_the_last_row_only_is_found() -> None:
    raw = long_table()
    last = raw.groupby("who").cumcount(ascending=False) == 0
    late = raw.assign(kind=raw["kind"].where(last))
    found, usual = gather(late, "who", "day", ["kind"]), gather(raw, "who", "day", ["kind"])
    assert found.frame["kind"].tolist() == usual.frame["kind"].tolist()
    late.loc[0, "kind"] = "another"
    with pytest.raises(DataError, match="'kind' changes within a series"):
        gather(late, "who", "day", ["kind"])


def test_events_that_come_up_later_stay_channels() -> None:
    raw = long_table()
    raw["alarm"] = np.where(raw.groupby("who").cumcount() == 1, 1.0, np.nan)
    found = gather(raw, "who", "day", ["kind"])
    assert found.rule.columns == ("x", "steps", "alarm")
    np.testing.assert_array_equal(found.frame["series"].array[0][:, 2], [np.nan, 1.0, np.nan])


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_rows_does_not_matter_where_a_column_gives_it(seed: int) -> None:
    raw = long_table()
    mixed = raw.sample(frac=1, random_state=seed, ignore_index=True)
    found, usual = gather(mixed, "who", "day").frame, gather(raw, "who", "day").frame
    by_age = np.argsort(found["age"].to_numpy())
    for place, row in enumerate(by_age):
        np.testing.assert_array_equal(found["series"].array[int(row)], usual["series"].array[place])


def test_new_rows_are_made_alike() -> None:
    raw = long_table()
    found = gather(raw, "who", "day", ["kind"])
    again = gather_again(raw.drop(columns="kind"), found.rule, found.name, "new.csv")
    assert list(again.columns) == ["who", "age", "series"]
    assert again["who"].tolist() == [f"p{k}" for k in range(5)]
    for ours, other in zip(again["series"].array, found.frame["series"].array, strict=True):
        np.testing.assert_array_equal(ours, other)
    with pytest.raises(DataError, match=r"new.csv lacks 'x'"):
        gather_again(raw.drop(columns="x"), found.rule, found.name, "new.csv")


def test_dates_of_new_rows_are_read_as_the_trainings() -> None:
    raw = long_table().assign(day=[f"{k:02d}/03/2024" for k in range(1, 26)])
    rule = gather(raw, "who", "day", ["kind"]).rule
    new = pd.DataFrame({"who": "p9", "day": ["01/03/2024", "02/04/2024", "03/02/2024"], "x": [1.0, 2.0, 3.0]})
    new = new.assign(steps=[1, 2, 3])
    told = {
        order: gather_again(new, rule.model_copy(update={"order": order}), "s", "") for order in (rule.order, None)
    }
    assert told[rule.order]["s"].array[0][:, 0].tolist() == [3, 1, 2]
    assert told[None]["s"].array[0][:, 0].tolist() == [1, 2, 3]  # these alone look as if the month came first
    counted = gather_again(new.assign(day=[3, 1, 2]), rule, "s", "")
    assert counted["s"].array[0][:, 0].tolist() == [2, 3, 1]
    with pytest.raises(DataError, match="1 rows have no 'day'"):
        gather_again(new.assign(day=[None, "01/03/2024", "02/04/2024"]), rule, "s", "")


def test_words_that_change_are_left_out_and_told() -> None:
    raw = long_table()
    raw["mood"] = [f"mood {k % 7}" for k in range(len(raw))]
    found = gather(raw, "who", "day")
    assert "'mood'" in found.notes[-1]
    assert "mood" not in found.frame.columns
    assert found.notes[0] == "The 25 rows are the steps of 5 series, one for each 'who'."


@pytest.mark.parametrize(
    ("change", "ask", "said"),
    [
        ({}, ("whom", "day"), "column 'whom' is not in the table"),
        ({}, ("who", "whenever"), "column 'whenever' is not in the table"),
        ({}, ("who", "who"), "Name two columns"),
        ({}, ("who", "kind"), "neither numbers nor dates"),
        ({"who": None}, ("who", "day"), "25 rows have no 'who'"),
        ({"day": ["01.02.2024"] * 24 + [None]}, ("who", "day"), "1 rows have no 'day'"),
        ({"kind": list("ab") * 12 + ["a"]}, ("who", "day"), "'kind' changes within a series"),
        ({"x": 1.0, "steps": 2.0}, ("who", "day"), "no column of numbers changes"),
    ],
)
def test_what_makes_no_series_is_told_in_one_line(change: dict[str, object], ask: tuple[str, str], said: str) -> None:
    raw = long_table().assign(**change)
    with pytest.raises(DataError, match=said) as caught:
        gather(raw, *ask, ["kind"])
    assert len(str(caught.value).splitlines()) == 1
