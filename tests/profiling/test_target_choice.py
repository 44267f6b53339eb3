from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.data import infer_schema
from autodl.dataset import load
from autodl.errors import DataError
from autodl.options import FitOptions
from autodl.pipeline import run_plan
from autodl.profiling import choose_target, choose_task, encode_target
from autodl.profiling.encoding import natural_key
from autodl.profiling.task import check_enough_known
from autodl.records import Task


def frame(**columns: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    base = {"a": rng.normal(size=100), "b": rng.normal(size=100)}
    return pd.DataFrame(base | columns)


def coin(n: int = 100) -> np.ndarray:
    return np.where(np.random.default_rng(1).random(n) < 0.5, "x", "w")


def test_unknown_target_suggests_the_nearest() -> None:
    with pytest.raises(DataError, match=r"'pric' is not in cars.csv.*Did you mean 'price'"):
        choose_target(infer_schema(frame(price=np.arange(100.0))), "pric", "cars.csv")


def test_capitals_and_spaces_are_forgiven() -> None:
    assert choose_target(infer_schema(frame(Price=np.arange(100.0))), " price", "t")[0] == "Price"


@pytest.mark.parametrize(
    "name", ["target", "Label", "CLASS", "Zielgröße", "标签", "étiquette", "目的変数", "is_target"]
)
def test_guess_by_name_wherever_it_stands(name: str) -> None:
    table = pd.DataFrame({name: coin(), **frame().to_dict("list")})[["a", name, "b"]]
    chosen, why, guessed = choose_target(infer_schema(table), None, "t")
    assert (chosen, guessed) == (name, True)
    assert "name" in why


def test_guess_last_without_any_hint() -> None:
    assert choose_target(infer_schema(frame(zz=coin())), None, "t")[0] == "zz"


def test_y_beside_z_is_a_coordinate() -> None:
    table = frame()[["a"]].assign(
        x=1.5 * np.arange(100), y=np.arange(100) * 0.7, z=np.arange(100) ** 1.5, depth=coin()
    )
    assert choose_target(infer_schema(table), None, "t")[0] == "depth"


def test_ids_dates_and_text_are_never_guessed() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "kind": coin(),
            "note": [f"some long remark number {i} about the weather today" for i in rng.permutation(100)],
            "day": pd.date_range("2024-01-01", periods=100),
            "id": np.arange(100),
        }
    )
    assert choose_target(infer_schema(table), None, "t")[0] == "kind"
    with pytest.raises(DataError, match="--target"):
        choose_target(infer_schema(table.drop(columns="kind")), None, "t")


@pytest.mark.parametrize(("n_times", "chosen"), [(200, "age"), (3, "finish_time")])
def test_times_are_guessed_only_where_they_are_few_classes(n_times: int, chosen: str) -> None:
    rng = np.random.default_rng(0)
    times = [f"03:{i % n_times % 60:02d}:{i % n_times // 4:02d}" for i in range(200)]
    table = pd.DataFrame({"age": rng.normal(40, 9, 200), "sex": coin(200), "finish_time": times})
    assert choose_target(infer_schema(table), None, "t")[0] == chosen
    assert load(table, FitOptions()).target.name == chosen


# What stands in front of a colon: the target that people choose. Letters: words, numbers with decimals or whole ones,
# 2 words, the numbers 0 and 1, keys.
HEADERS = [
    "price: id/k date/d price/i bedrooms/i bathrooms/f floors/i waterfront/b condition/i grade/i yr_built/i lat/f",
    "selling_price: name/w year/i selling_price/i km_driven/i fuel/w seller_type/w transmission/2 owner/w",
    "loan_status: loan_amnt/i term/2 int_rate/f grade/w sub_grade/w loan_status/w purpose/w application_type/2",
    "price: Make/w Vehicle_Class/w Engine_Size/f price/i Transmission/w mileage/i",
    "CO2: Make/w Vehicle_Class/w Fuel_Type/w Engine_Size/f CO2/i",
    "Machine failure: UDI/k Type/w Air_temp/f Torque/f Machine failure/b TWF/b",
    "is_canceled: hotel/2 is_canceled/b lead_time/i meal/w deposit_type/w customer_type/w reservation_status/w adr/f",
    "booking_status: room_type_reserved/w lead_time/i market_segment_type/w avg_price_per_room/f booking_status/2",
    "Attrition_Flag: CLIENTNUM/k Attrition_Flag/2 Gender/2 Income_Category/w Card_Category/w Credit_Limit/f",
    "Item_Outlet_Sales: Item_Weight/f Item_Type/w Item_MRP/f Outlet_Size/w Outlet_Type/w Item_Outlet_Sales/f",
    "price: airline/w source_city/w stops/w class/2 duration/f days_left/i price/i",
    "Survived: PassengerId/k Survived/b Pclass/i Sex/2 Age/f Fare/f Embarked/w",
    "Churn: gender/2 tenure/i Contract/w PaymentMethod/w MonthlyCharges/f Churn/2",
    "class: class/w cap_shape/w odor/w gill_size/2 habitat/w",
    "class: buying/w maint/w doors/w persons/w safety/w class/w",
    "type: type/2 length/f capitals/i",
    "status: name/k Fo/f Fhi/f status/b RPDE/f PPE/f",
    "Status: ID/k N_Days/i Status/w Drug/2 Age/i Sex/2 Stage/i",
    "class: id/k class/2 x/f mean_value/f",
    "AveragePrice: Date/d AveragePrice/f Total_Volume/f type/2 year/i region/w",
    "Mpg: Brand/w Type/w Horsepower/i Doors/i Weight/f Mpg/f",
    "thickness: id/k category/w length/f width/f thickness/f",
]


@pytest.mark.parametrize("header", HEADERS)
def test_guess_of_usual_headers(header: str) -> None:
    wanted, _, listed = header.partition(": ")
    rng, n = np.random.default_rng(0), 200
    make = {
        "w": lambda: rng.choice(["ash", "birch", "cedar", "elm"], n),
        "2": lambda: coin(n),
        "b": lambda: rng.integers(0, 2, n),
        "f": lambda: rng.normal(size=n),
        "i": lambda: rng.integers(0, 5000, n),
        "k": lambda: rng.permutation(n) + 1000,
        "d": lambda: pd.date_range("2024-01-01", periods=n),
    }
    columns = [entry.rsplit("/", 1) for entry in re.findall(r"\S.*?/\w", listed)]
    table = pd.DataFrame({name: make[kind]() for name, kind in columns})
    assert choose_target(infer_schema(table), None, "t")[0] == wanted


def test_columns_with_another_role_are_not_guessed() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"activity": coin(), "acc": rng.normal(size=100), "subject": [f"s{i % 9}" for i in range(100)]}
    )
    assert load(table, FitOptions(group_column="subject")).target.name == "activity"
    assert load(table, FitOptions(drop=("subject",))).target.name == "activity"
    assert load(table[["acc", "subject"]], FitOptions(group_column="subject")).target.name == "acc"
    years = pd.DataFrame({"spend": rng.normal(size=100), "year": rng.integers(2000, 2020, 100)})
    assert load(years, FitOptions(time_column="year")).target.name == "spend"
    with pytest.raises(DataError, match="or have another role"):
        choose_target(infer_schema(years), None, "t", {"spend", "year"})


def test_a_lone_column_is_refused() -> None:
    with pytest.raises(DataError, match="at least one column"):
        choose_target(infer_schema(frame()[["a"]]), None, "t")


def task_of(values: object, asked: Task | None = None, name: str = "t") -> tuple[Task, str, bool]:
    return choose_task(infer_schema(pd.DataFrame({name: values}), target=name)[name], asked)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "values", "task", "guessed"),
    [
        ("t", RNG.choice(["a", "b", "c"], 200), Task.CLASSIFICATION, False),
        ("t", RNG.integers(0, 2, 200), Task.CLASSIFICATION, False),
        ("t", RNG.normal(size=200), Task.REGRESSION, False),
        ("t", RNG.integers(0, 3, 200), Task.CLASSIFICATION, True),
        ("t", RNG.integers(0, 10, 2000), Task.CLASSIFICATION, True),
        ("quality", RNG.integers(3, 10, 2000), Task.REGRESSION, True),
        ("t", RNG.poisson(1.5, 2000), Task.REGRESSION, True),
        (
            "children",
            RNG.choice([0, 1, 2, 3, 4, 5], 2000, p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01]),
            Task.REGRESSION,
            True,
        ),
        ("class", RNG.integers(1, 31, 2000), Task.CLASSIFICATION, True),
        ("t", RNG.integers(0, 500, 2000), Task.REGRESSION, False),
        ("class_size", RNG.integers(5, 35, 2000), Task.REGRESSION, False),
        ("lines_of_code", RNG.integers(5, 65, 2000), Task.REGRESSION, False),
        ("segment_length", RNG.integers(5, 20, 2000), Task.REGRESSION, True),
        ("class_number", RNG.integers(5, 35, 2000), Task.CLASSIFICATION, True),
        ("age_class", RNG.integers(5, 35, 2000), Task.CLASSIFICATION, True),
        ("t", [f"€{v / 10}M" if v % 2 else f"€{v}K" for v in range(1, 200)], Task.REGRESSION, False),
    ],
)
def test_task_from_values(name: str, values: np.ndarray, task: Task, guessed: bool) -> None:
    chosen, why, was_guessed = task_of(values, name=name)
    assert (chosen, was_guessed) == (task, guessed), why
    if guessed:
        assert "--task" in why


@pytest.mark.parametrize(
    ("values", "asked", "match"),
    [
        (np.ones(50), None, "same value"),
        (["a"] * 50, None, "same value"),
        (np.full(50, np.nan), None, "empty"),
        (pd.date_range("2024-01-01", periods=50), None, "date"),
        ([f"name{i}" for i in range(50)], None, "different in each"),
        ([f"{v / 10}K" for v in range(10, 90)] * 5, None, r"amounts such as '1\.[0-9]K'"),
        (RNG.normal(size=2000), Task.CLASSIFICATION, "--task regression"),
        (RNG.choice(["a", "b"], 50), Task.REGRESSION, "--task classification"),
        (RNG.choice(["yes", "no"], 50), Task.REGRESSION, "--task classification"),
    ],
)
def test_unusable_targets(values: object, asked: Task | None, match: str) -> None:
    with pytest.raises(DataError, match=match) as error:
        task_of(values, asked)
    assert "\n" not in str(error.value)


def test_asked_task_is_taken() -> None:
    assert task_of(RNG.integers(0, 10, 2000), Task.REGRESSION)[0] is Task.REGRESSION
    assert task_of(RNG.integers(3, 10, 2000), Task.CLASSIFICATION)[0] is Task.CLASSIFICATION


def encoded(values: object, task: Task = Task.CLASSIFICATION) -> tuple[np.ndarray, tuple[str, ...]]:
    from autodl.data import apply_schema

    raw = pd.DataFrame({"t": values})
    schema = infer_schema(raw, target="t")
    return encode_target(apply_schema(raw, schema)["t"], schema["t"], task)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1, 1, 0], ("0", "1")),
        ([3.0, 5.0, 4.0, 3.0], ("3", "4", "5")),
        ([10, 9, 2, 10], ("2", "9", "10")),
        (["yes", "no", "yes", "no"], ("no", "yes")),
        (["True", "False", "True"], ("False", "True")),
        ([True, False, True], ("False", "True")),
        (["g10", "g9", "g10"], ("g9", "g10")),
        ([0.5, 1.5, 0.5], ("0.5", "1.5")),
        (["<=50K", ">50K"], ("<=50K", ">50K")),
    ],
)
def test_class_names_stand_as_in_the_file(values: list[object], classes: tuple[str, ...]) -> None:
    y, found = encoded(values)
    assert found == classes
    assert y.dtype == np.int64
    assert [found[c] for c in y] == [
        str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in values
    ]


def test_known_classes_of_another_table() -> None:
    raw = pd.DataFrame({"t": ["b", "c", "a", "b"]})
    column = infer_schema(raw, target="t")["t"]
    y, classes = encode_target(raw["t"], column, Task.CLASSIFICATION, ("a", "b"))
    assert classes == ("a", "b")
    assert y.tolist() == [1, -1, 0, 1]


def test_missing_target_is_refused() -> None:
    raw = pd.DataFrame({"t": ["b", None, "a"]})
    with pytest.raises(DataError, match="missing in 1 rows"):
        encode_target(raw["t"], infer_schema(raw, target="t")["t"], Task.CLASSIFICATION)


@given(st.lists(st.integers(-999, 999), min_size=1))
def test_natural_order_sorts_numbers_by_size(values: list[int]) -> None:
    assert [int(v) for v in sorted(map(str, values), key=natural_key)] == sorted(values)


@given(st.lists(st.text(max_size=8), min_size=1))
def test_natural_key_orders_any_text(values: list[str]) -> None:
    once = sorted(values, key=natural_key)
    backwards = list(reversed(once))
    assert sorted(backwards, key=natural_key) == once


@pytest.mark.parametrize("n", [1, 3, 9])
def test_too_few_rows_say_how_many_are_needed(n: int) -> None:
    with pytest.raises(DataError, match=rf"t\.csv has {n} rows?, but at least 10 are needed"):
        choose_target(infer_schema(frame(a=np.arange(n) / 3, b=(["x", "y"] * n)[:n])), None, "t.csv")


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ((100, 1), "has more than 1 row"),
        ((2, 100, 1), r"has more than 2 rows \(such as 'a'\)"),
        ((3, 100), None),
        ((5, 1, 6), None),
        ((4, 4), "known in 8 rows only"),
    ],
)
def test_two_classes_need_rows_for_learning_validation_and_test(counts: tuple[int, ...], told: str | None) -> None:
    given_ = ("t", ("a", "b", "c")[: len(counts)], counts, sum(counts))
    if told is None:
        check_enough_known(*given_)
        return
    with pytest.raises(DataError, match=told):
        check_enough_known(*given_)


def test_a_target_whose_squares_overflow_is_refused() -> None:
    frame = pd.DataFrame({"x": range(40), "y": [1e200, 3.5] * 20})
    with pytest.raises(DataError, match=r"'y'.*1\.0e\+200.*squares.*logarithm"):
        run_plan(frame, FitOptions(target="y", task=Task.REGRESSION))
    run_plan(frame.assign(y=[1e100, 3.5] * 20), FitOptions(target="y", task=Task.REGRESSION))
