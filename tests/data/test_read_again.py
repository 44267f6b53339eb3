"""A file is read when predicting as the same cells were read when learning, however a program wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodl
from autodl.api import Run
from autodl.data import Batches, apply_schema, infer_schema, read_rows, read_table, reading
from autodl.data.number_words import number_word
from autodl.data.series.long_format import gather, gather_again
from autodl.records import ColumnKind, TableSchema

RNG = np.random.default_rng(0)
STORES = RNG.integers(1, 9, 200)
EFFECT = np.array([5.0, -3.0, 8.0, 0.0, -7.0, 2.0, 9.0, -4.0, 1.0])[STORES]


def write(path: Path, cells: list[str], name: str = "store_id", separator: str = ",") -> Path:
    y = [f"{v:.3f}" for v in EFFECT[: len(cells)]]
    lines = [separator.join((name, "y")), *(separator.join(pair) for pair in zip(cells, y, strict=True))]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def learnt(path: Path) -> TableSchema:
    frame, _ = read_table(path)
    return infer_schema(frame, target="y")


def read_again(path: Path, schema: TableSchema) -> pd.DataFrame:
    raw = read_rows(path, as_text=schema.word_columns, marked=schema.marked_columns).frame
    return apply_schema(raw, schema, where=path.name)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("keys")
    train = write(folder / "train.csv", [str(s) for s in STORES])
    return autodl.fit(
        train, "y", task="regression", time_budget=None, max_trials=2, families=("extra_trees",), workers=1,
        report=False, out=folder / "run",
    )  # fmt: skip


def test_keys_with_gaps_are_the_keys_without(run: Run, tmp_path: Path) -> None:
    """As pandas writes whole numbers beside a gap: 12.0 for 12."""
    assert run.model.manifest.features["store_id"].kind is ColumnKind.CATEGORICAL
    plain = write(tmp_path / "plain.csv", [str(s) for s in STORES[:50]])
    gaps = write(tmp_path / "gaps.csv", [*(f"{s}.0" for s in STORES[:49]), ""])
    frame = pd.DataFrame({"store_id": STORES[:50].astype(float)})
    expected = run.predict(plain)["prediction"].to_numpy()
    assert np.ptp(expected) > 5
    np.testing.assert_array_equal(run.predict(gaps)["prediction"].to_numpy()[:49], expected[:49])
    np.testing.assert_array_equal(run.predict(frame)["prediction"].to_numpy(), expected)


@pytest.mark.parametrize(
    ("cells", "new", "expected"),
    [
        (["€1.2M", "€600K"], ["€3B", "50"], [3e9, 50]),
        (["1200000", "600000"], ["1.2M", "600K"], [1.2e6, 6e5]),
        (["1.5 m", "2 m"], ["1.5M", "20K"], [np.nan, np.nan]),  # metres and no millions
    ],
)
def test_thousands_and_millions_in_letters(cells: list[str], new: list[str], expected: list[float]) -> None:
    schema = infer_schema(pd.DataFrame({"a": cells * 30, "b": np.arange(60) * 0.37}))
    assert schema["a"].kind is ColumnKind.NUMERIC
    found = apply_schema(pd.DataFrame({"a": new, "b": 0.5}), schema)["a"]
    np.testing.assert_allclose(found, expected)


@given(st.lists(st.integers(-(10**17), 10**17) | st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=8))
def test_numbers_as_words_are_the_words_of_the_numbers(values: list[float]) -> None:
    from autodl.data.parsing import canonical
    from autodl.records import ParseRule

    cells = [repr(v) for v in values]
    found = canonical(pd.Series(cells, dtype=object), ColumnKind.CATEGORICAL, ParseRule(numbers=True))
    plain = ["e" not in c and c != "-0.0" for c in cells]
    assert [w for w, p in zip(found, plain, strict=True) if p] == [
        number_word(v) for v, p in zip(values, plain, strict=True) if p
    ]


def test_codes_with_zeros_in_front_are_no_numbers() -> None:
    from autodl.data.parsing import canonical
    from autodl.records import ParseRule

    cells = pd.Series(["007", "7.0", "7", "7a", "-0.50", "+7"], dtype=object)
    found = canonical(cells, ColumnKind.CATEGORICAL, ParseRule(numbers=True))
    assert found.tolist() == ["007", "7", "7", "7a", "-0.5", "+7"]


@pytest.mark.parametrize("cells", [["12.345", "850.000"], ["12.345"], ["1.234.567", "999"]])
def test_points_that_part_thousands_stay_so(tmp_path: Path, cells: list[str]) -> None:
    many = [f"{v:,}".replace(",", ".") for v in RNG.integers(1_000, 5_000_000, 200)]
    schema = learnt(write(tmp_path / "train.csv", many, "population", ";"))
    assert schema["population"].parse.thousands == "."
    found = read_again(write(tmp_path / "new.csv", cells, "population", ";"), schema)
    assert found["population"].tolist() == [float(c.replace(".", "")) for c in cells]


@pytest.mark.parametrize(
    ("cells", "values"), [(["12.345"], [12345.0]), (["3,5", "12.345"], [3.5, 12345.0]), (["3"], [3.0])]
)
def test_a_file_of_one_row_has_the_marks_of_the_training(
    tmp_path: Path, cells: list[str], values: list[float]
) -> None:
    many = [f"{v:,.1f}".translate(str.maketrans(",.", ".,")) for v in RNG.uniform(1, 50_000, 200)]
    schema = learnt(write(tmp_path / "train.csv", many, "price", ";"))
    found = read_again(write(tmp_path / "new.csv", cells, "price", ";"), schema)
    assert found["price"].tolist() == values


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_file_in_the_english_way_is_read_so(tmp_path: Path, separator: str) -> None:
    """Learnt from a German table, asked with an English one: no comma, and points that part no thousands."""
    many = [f"{v:,.1f}".translate(str.maketrans(",.", ".,")) for v in RNG.uniform(1, 50_000, 200)]
    schema = learnt(write(tmp_path / "train.csv", many, "price", ";"))
    assert schema["price"].parse.thousands == "."
    cells = ["12.125", "7.25", "13.625", "999.875", "5.125"]
    found = read_again(write(tmp_path / "new.csv", cells, "price", separator), schema)
    assert found["price"].tolist() == [float(c) for c in cells]
    comma = learnt(write(tmp_path / "comma.csv", [f"{v:.1f}".replace(".", ",") for v in range(200)], "price", ";"))
    found = read_again(write(tmp_path / "new.csv", ["1", "2", "3.5", "4"], "price", separator), comma)
    assert found["price"].tolist() == [1.0, 2.0, 3.5, 4.0]


def test_a_note_among_the_cells_moves_no_points(tmp_path: Path) -> None:
    many = [f"{v:,}".replace(",", ".") for v in RNG.integers(1_000, 5_000_000, 200)]
    schema = learnt(write(tmp_path / "train.csv", many, "population", ";"))
    new = write(tmp_path / "new.csv", ["12.345", "850.000", "ca. 3.5", "7.001"], "population", ";")
    found = read_again(new, schema)["population"]
    assert found[[0, 1, 3]].tolist() == [12345.0, 850000.0, 7001.0]
    assert np.isnan(found[2])


def test_commas_between_cells_leave_points_to_decimals(tmp_path: Path) -> None:
    many = [f"{v:,}".replace(",", ".") for v in RNG.integers(1_000, 5_000_000, 200)]
    schema = learnt(write(tmp_path / "train.csv", many, "population", ";"))
    found = read_again(write(tmp_path / "new.csv", ["12.125", "999.875"], "population", ","), schema)
    assert found["population"].tolist() == [12.125, 999.875]


def test_large_files_are_read_by_the_same_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"{v:,}".replace(",", ".") for v in RNG.integers(1_000, 5_000_000, 200)]
    schema = learnt(write(tmp_path / "train.csv", many, "population", ";"))
    monkeypatch.setattr(reading, "LARGE_BYTES", 1)
    monkeypatch.setattr(reading, "PACKED_BYTES", 1)
    for separator, expected in ((";", 12345.0), (",", 12.345)):
        new = write(tmp_path / "new.csv", ["12.345"] * 30, "population", separator)
        batches = Batches(new, as_text=schema.word_columns, marked=schema.marked_columns)
        frames = [apply_schema(raw, schema.only(["population"]), where="new.csv") for raw in batches]
        assert {v for frame in frames for v in frame["population"]} == {expected}


def test_another_unit_is_no_number_of_this_column(tmp_path: Path) -> None:
    schema = learnt(write(tmp_path / "train.csv", [f"{v} kg" for v in RNG.integers(40, 120, 200)], "weight"))
    assert schema["weight"].kind is ColumnKind.NUMERIC
    assert read_again(write(tmp_path / "b.csv", ["154 lb", "120 lb"], "weight"), schema)["weight"].isna().all()
    assert read_again(write(tmp_path / "c.csv", ["70", "71 kg"], "weight"), schema)["weight"].tolist() == [70.0, 71.0]


def test_channels_of_series_are_read_by_their_rules() -> None:
    valve = RNG.choice(["on", "off"], 60)
    level = [f"{v:.1f}".replace(".", ",").removesuffix(",0") for v in RNG.integers(0, 20, 60) / 2]
    frame = pd.DataFrame(
        {"who": np.repeat([f"p{k}" for k in range(6)], 10), "valve": valve, "level": np.array(level, dtype=object)}
    )
    long = gather(frame, "who", None)
    again = gather_again(frame.iloc[:20], long.rule, long.name, "new.csv")
    for ours, theirs in zip(again[long.name].array, list(long.frame[long.name].array)[:2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert np.isfinite(again[long.name].array[0]).all()
    assert set(long.rule.columns) == {"valve", "level"}


def test_percent_signs_in_a_channel_that_had_none_are_shares() -> None:
    """Nothing is kept of the range of a channel."""
    frame = pd.DataFrame({"who": np.repeat(["a", "b", "c"], 4), "share": np.linspace(0.1, 0.9, 12)})
    long = gather(frame, "who", None)
    new = pd.DataFrame({"who": ["d"] * 3, "share": pd.Series(["12%", "30%", "45%"], dtype=object)})
    (steps,) = gather_again(new, long.rule, long.name, "new.csv")[long.name].array
    np.testing.assert_allclose(steps[:, 0], [0.12, 0.3, 0.45])


@pytest.mark.parametrize(
    ("form", "few"),
    [("%d.%m.%Y", False), ("%d.%m.%Y", True), ("%d/%m/%Y", False), ("%m/%d/%Y", False), ("%Y-%m-%d", True)],
)
def test_dates_learnt_as_such_are_read_from_text(tmp_path: Path, form: str, few: bool) -> None:
    """The days up to the twelfth are dates with the month first, too, but not those of this file."""
    days = pd.date_range("2024-03-01", periods=3 if few else 31)
    learnt_from = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=60), "y": np.arange(60.0)})
    schema = infer_schema(read_table(learnt_from)[0], target="y")
    found = read_again(write(tmp_path / "new.csv", [d.strftime(form) for d in days], "day"), schema)
    assert found["day"].tolist() == days.tolist()


def test_days_first_stay_first_where_several_forms_were_learnt(tmp_path: Path) -> None:
    words = [
        d.strftime("%d/%m/%Y" if i % 2 else "%d %B %Y") for i, d in enumerate(pd.date_range("2024-03-01", periods=60))
    ]
    schema = learnt(write(tmp_path / "train.csv", words, "day"))
    assert schema["day"].parse.date_format is None
    assert schema["day"].last == "2024-04-29T00:00:00"
    found = read_again(write(tmp_path / "new.csv", ["05/03/2024", "06/03/2024"], "day"), schema)
    assert found["day"].tolist() == [pd.Timestamp("2024-03-05"), pd.Timestamp("2024-03-06")]


@pytest.mark.parametrize("order", [1, -1])
def test_months_first_stay_first_where_several_forms_were_learnt(tmp_path: Path, order: int) -> None:
    dates = pd.date_range("2024-03-01", periods=60)
    words = [d.strftime("%m/%d/%Y" if i % 2 else "%B %d %Y") for i, d in enumerate(dates)]
    schema = learnt(write(tmp_path / "train.csv", words, "day"))
    days = [("04/03/2024", pd.Timestamp("2024-04-03")), ("03/04/2024", pd.Timestamp("2024-03-04"))][::order]
    found = read_again(write(tmp_path / "new.csv", [text for text, _ in days], "day"), schema)
    assert found["day"].tolist() == [day for _, day in days]


def test_no_date_is_lost_beside_many_of_another_form(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=60), "y": RNG.normal(size=60)})
    schema = infer_schema(read_table(frame)[0], target="y").only(["day"])
    words = [*pd.date_range("2024-05-01", periods=40).strftime("%Y-%m-%d"), "3/30/2024"]
    found = read_again(write(tmp_path / "new.csv", words, "day"), schema)
    assert found["day"].iloc[-2:].tolist() == [pd.Timestamp("2024-06-09"), pd.Timestamp("2024-03-30")]


def test_a_decimal_comma_of_the_file_goes_for_numbers_that_do_not_tell(tmp_path: Path) -> None:
    frame = pd.DataFrame({"price": RNG.normal(size=60), "size": RNG.normal(size=60), "y": RNG.normal(size=60)})
    schema = infer_schema(read_table(frame)[0], target="y")
    (tmp_path / "new.csv").write_text("price;size;y\n12,345;1,5;0,5\n13,125;2,25;0,75\n")
    assert read_again(tmp_path / "new.csv", schema)["price"].tolist() == [12.345, 13.125]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["5.000", "12.345", "99.000"], [5000.0, 12345.0, 99000.0]),
        (["5.000", "1.212.345", ""], [5000.0, 1212345.0, np.nan]),
        (["5.000", "12.345,5", "unknown"], [5000.0, 12345.5, np.nan]),
        (["5.000"], [5000.0]),
        (["5000", "12", "7"], [5000.0, 12.0, 7.0]),
        (["5.000", "12.345", "0.123"], [5.0, 12.345, 0.123]),
        (["5.000", "12.345", "12.5"], [5.0, 12.345, 12.5]),
    ],
)
@pytest.mark.parametrize("form", ["file", "other column", "frame"])
def test_points_part_thousands_in_a_file_of_decimal_commas(
    tmp_path: Path, cells: list[str], expected: list[float], form: str
) -> None:
    """Learnt as plain numbers; ``other column``: one that the model does not know shows the comma."""
    commas, name = ["1,5", "2,25", "3,75"][: len(cells)], "a" if form != "other column" else "b"
    new = pd.DataFrame({name: commas, "n": cells})
    frame = pd.DataFrame({"a": RNG.normal(size=60), "n": RNG.integers(1000, 99_999, 60), "y": RNG.normal(size=60)})
    schema = infer_schema(read_table(frame)[0], target="y").only(["n"] if form == "other column" else ["a", "n"])
    if form != "frame":
        new.to_csv(tmp_path / "new.csv", sep=";", index=False)
    raw, info = read_table(new if form == "frame" else tmp_path / "new.csv", as_text=schema.word_columns)
    found = apply_schema(raw, schema, decimal=info.decimal)
    np.testing.assert_array_equal(found["n"], expected)
    if form != "other column":
        assert found["a"].tolist() == [float(c.replace(",", ".")) for c in commas]


def test_the_decimal_mark_of_each_part_is_known(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a;n\n1,5;5.000\n")
    batches = Batches(tmp_path / "new.csv")
    assert [batches.decimal for _ in batches] == [","]


@pytest.mark.parametrize("large", [False, True])
def test_points_far_down_in_a_file_of_decimal_commas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """The first thousands of cells have none, being small numbers."""
    for name in ("LARGE_BYTES", "PACKED_BYTES") if large else ():
        monkeypatch.setattr(reading, name, 1)
    path = tmp_path / "train.csv"
    rows = "".join(f"{i % 900 + 1};0,5\n" for i in range(2500)) + "12.345;0,5\n" * 20
    path.write_text("n;y\n" + rows)
    frame, info = read_table(path)
    assert info.decimal == ","
    numeric = infer_schema(frame, target="y")["n"].numeric
    assert numeric is not None
    assert numeric.maximum == 12345.0


def test_several_choices_in_a_cell_are_no_decimal_commas(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("choices;n\n" + "".join(f"{'1,2' if i % 2 else '1,2,5'};{i}.125\n" for i in range(30)))
    frame, info = read_table(path)
    assert info.decimal == "."
    assert frame["n"].iloc[1] == 1.125


@pytest.mark.parametrize("gap", [False, True])
def test_true_and_false_are_one_and_zero_in_a_column_of_numbers(gap: bool) -> None:
    frame = pd.DataFrame({"paid": [0, 1, 1] * 20, "x": RNG.normal(size=60), "y": RNG.normal(size=60)})
    schema = infer_schema(read_table(frame)[0], target="y").only(["paid"])
    assert schema["paid"].kind is ColumnKind.NUMERIC
    new = pd.DataFrame({"paid": [True, False, None if gap else True]})
    found = apply_schema(read_table(new)[0], schema)["paid"]
    np.testing.assert_array_equal(found, [1.0, 0.0, np.nan if gap else 1.0])


@pytest.mark.parametrize(("unit", "other"), [("m", "mm"), ("g", "mg"), ("l", "ml")])
def test_a_unit_that_ends_like_the_learnt_one_is_another(tmp_path: Path, unit: str, other: str) -> None:
    schema = learnt(write(tmp_path / "train.csv", [f"{v} {unit}" for v in RNG.integers(1, 90, 200)], "size"))
    new = write(tmp_path / "new.csv", [f"5 {unit}", f"-6{unit}", "7", f"5000 {other}", f"8000{other}"], "size")
    np.testing.assert_array_equal(read_again(new, schema)["size"], [5.0, -6.0, 7.0, np.nan, np.nan])


def written_again(cells: Sequence[object], again: Sequence[str]) -> list[Any]:
    """The values of new cells of a column that was learnt from a frame."""
    schema = infer_schema(read_table(pd.DataFrame({"x": cells, "y": np.arange(len(cells))}))[0], target="y")
    raw = read_table(pd.DataFrame({"x": pd.Series(again, dtype=object), "y": 1.5}))[0]
    return list(apply_schema(raw, schema)["x"])


@pytest.mark.parametrize(
    ("span", "again", "expected"),
    [
        ((8.9, 80.0), ["12.5%", "3 %"], [12.5, 3.0]),
        ((0.09, 0.8), ["12.5%", "3 %"], [0.125, 0.03]),
        ((-0.3, 1.4), ["30%", "-5 %"], [0.3, -0.05]),
        ((-0.3, 1.4), ["150%"], [1.5]),
        ((0.3, 80.0), ["90%"], [90.0]),
        ((0.05, 8.0), ["9%"], [9.0]),
        ((-20.0, 80.0), ["50%", "20%", "130%"], [50.0, 20.0, 130.0]),
        ((-0.3, 1.4), ["-90%", "260%"], [-0.9, 2.6]),
    ],
)
def test_percent_signs_met_first_when_predicting(
    span: tuple[float, float], again: list[str], expected: list[float]
) -> None:
    assert written_again(list(np.linspace(*span, 60)), again) == expected


@pytest.mark.parametrize(
    ("form", "other"), [("%d/%m/%Y", "%d/%m/%Y %H:%M"), ("%d/%m/%Y", "%d-%m-%Y"), ("%m.%d.%Y", "%m.%d.%Y %H:%M")]
)
def test_the_learnt_order_of_day_and_month_stays_in_other_forms(form: str, other: str) -> None:
    dates = pd.date_range("2024-01-01", periods=60)
    again = [pd.Timestamp("2024-04-03"), pd.Timestamp("2024-02-05"), pd.Timestamp("2024-06-04")]
    assert written_again(list(dates.strftime(form)), [d.strftime(other) for d in again]) == again


def test_a_file_to_predict_has_the_column_of_the_model(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("store_id\n4|a|b\n5|c|d\n")
    with pytest.warns(UserWarning, match="2 of 2 values were never seen in training"):
        assert len(run.predict(path)) == 2


@pytest.mark.parametrize("new", [[1, 12, 3], [1.0, None, 3.0], ["1", "12", "3"]])
def test_codes_keep_their_zeros_in_front(new: list[object]) -> None:
    schema = infer_schema(pd.DataFrame({"code": [f"{i % 12 + 1:02d}" for i in range(60)]}))
    raw = read_table(pd.DataFrame({"code": new}))[0]
    words = apply_schema(raw, schema)["code"].tolist()
    assert words == ["01", None if new[1] is None else "12", "03"]
    old = schema["code"].model_copy(update={"parse": schema["code"].parse.model_copy(update={"digits": 0})})
    assert apply_schema(raw, TableSchema(columns=(old,)))["code"].tolist()[0] == "1"


@pytest.mark.parametrize(
    ("cells", "again", "expected"),
    [
        ([f"${i}.50" for i in range(60)], ["$5", "$7.25", "$1,250.00"], [5.0, 7.25, 1250.0]),
        ([f"{i} kg" for i in range(60)], ["5", "7 kg", "1,250 kg"], [5.0, 7.0, 1250.0]),
        ([i * 3 for i in range(60)], ["5", "7", "1 250"], [5.0, 7.0, 1250.0]),
        ([f"{i},5" for i in range(60)], ["5,5", "7,25", "1.250,5"], [5.5, 7.25, 1250.5]),
        ([i * 3 for i in range(60)], ["5", "7", "8", "1,5", "1,250"], [5.0, 7.0, 8.0, np.nan, np.nan]),
        ([i * 3 for i in range(60)], ["5", "7", "8", "9", "0,125"], [5.0, 7.0, 8.0, 9.0, np.nan]),
        ([f"{i},5" for i in range(60)], ["5,5", "7,25", "0.125"], [5.5, 7.25, np.nan]),
        ([f"{i * 99:,}" for i in range(60)], ["5", "1,250", "0,125"], [5.0, 1250.0, np.nan]),
    ],
)
def test_thousands_met_first_when_predicting(cells: list[object], again: list[str], expected: list[float]) -> None:
    np.testing.assert_array_equal(written_again(cells, again), expected)


def test_units_in_other_capitals() -> None:
    assert written_again([f"{i} kg" for i in range(60)], ["5 KG", "7kg", "Kg 4"]) == [5.0, 7.0, 4.0]
    assert np.isnan(written_again([f"{i} kg" for i in range(60)], ["5 LB"])).all()


@pytest.mark.parametrize("again", [["5 m", "6m", "7 M"], ["5 M", "7M"]])
def test_a_letter_in_another_capital_is_another_unit(again: list[str]) -> None:
    expected = [float(w[0]) if w.endswith("m") else np.nan for w in again]
    np.testing.assert_array_equal(written_again([f"{i} m" for i in range(60)], again), expected)


def test_numbers_of_days_with_a_fraction_are_days() -> None:
    days = [int(f"{d:%Y%m%d}") for d in pd.date_range("2024-01-01", periods=60)]
    assert written_again(list(days), ["20240131.0", "20240102."]) == [
        pd.Timestamp("2024-01-31"),
        pd.Timestamp("2024-01-02"),
    ]
