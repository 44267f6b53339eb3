"""Column kinds, parse rules, profile statistics, and schemas applied to new data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from autodl.data import apply_schema, infer_schema, labels, read_table
from autodl.data.numbers import learn_number_rule, parse_numbers
from autodl.data.words import is_id_name
from autodl.errors import DataError
from autodl.records import ColumnInfo, ColumnKind, TableSchema

N = 60
RNG = np.random.default_rng(0)


def info(values: object, name: str = "col", target: str | None = None) -> ColumnInfo:
    frame, _ = read_table(pd.DataFrame({name: values, "other": np.arange(len(values)) * 0.37}))  # type: ignore[arg-type]
    return infer_schema(frame, target=target)[name]


def column(values: object, name: str = "col") -> pd.Series:
    frame, _ = read_table(pd.DataFrame({name: values}))
    return apply_schema(frame, infer_schema(frame))[name]


def repeat(words: list[str | None], n: int = N) -> list[str | None]:
    return [words[i % len(words)] for i in range(n)]


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["1", "2.5", "-3"], [1, 2.5, -3]),
        (["1,5", "2,25", "-0,125"], [1.5, 2.25, -0.125]),
        (["1.234,50", "12,75", "3"], [1234.5, 12.75, 3]),
        (["1,234.50", "12.75", "3"], [1234.5, 12.75, 3]),
        (["1,234", "12,345", "999"], [1234, 12345, 999]),
        (["1,234,567", "12,345", "7"], [1234567, 12345, 7]),
        (["1.234.567", "12.345", "7"], [1234567, 12345, 7]),
        (["12,34,567", "1,234", "99"], [1234567, 1234, 99]),
        (["1 234,5", "12\u00a0345,6", "7,25"], [1234.5, 12345.6, 7.25]),
        (["1'234.5", "12'345.6", "7.25"], [1234.5, 12345.6, 7.25]),
        (["$1,200", "$15", "-$3.50"], [1200, 15, -3.5]),
        (["1.200,00 €", "15,50 €", "3,25 €"], [1200, 15.5, 3.25]),
        (["USD 12.5", "USD 3", "USD 7"], [12.5, 3, 7]),
        (["12.5%", "3%", "-7 %"], [0.125, 0.03, -0.07]),
        (["12,5 %", "3,25 %", "7 %"], [0.125, 0.0325, 0.07]),
        (["(1,200.50)", "15", "3"], [-1200.5, 15, 3]),
        (["12 kg", "3.5 kg", "7 kg"], [12, 3.5, 7]),
        ([" 36 months", " 60 months", "7 months"], [36, 60, 7]),
        (["Rs.500", "Rs 20", "rs. 1,500"], [500, 20, 1500]),
        (["kr.500", "20 kr", "7,50 kr."], [500, 20, 7.5]),
        (["€1.2M", "€600K", "€0"], [1.2e6, 6e5, 0]),
        (["19M", "201k", "8.7M"], [19e6, 201e3, 8.7e6]),
        (["8.7m", "779.3k", "1.2m"], [8.7e6, 779.3e3, 1.2e6]),
        (["29.0b", "958.4m", "3m"], [29e9, 958.4e6, 3e6]),
        (["1.5m", "2m", "0.7m"], [1.5, 2, 0.7]),
        (["1e3", "2.5E-2", "\u22123"], [1000, 0.025, -3]),
        (["?", "12", "unknown"], [np.nan, 12, np.nan]),
    ],
)
def test_numbers_in_words(words: list[str], numbers: list[float]) -> None:
    values = repeat(list(words))
    assert info(values).kind is ColumnKind.NUMERIC, info(values).why
    np.testing.assert_allclose(column(values)[:3], numbers)


@pytest.mark.parametrize(
    "words",
    [["3B", "4M", "2K"], ["297.1K", "301.2K", "280K"], ["800m", "1.5k", "400m"], ["1,200m", "1.5k", "400m"],
     ["007", "012", "100"], ["A12", "B7", "A3"], ["12A", "3B", "4C"], ["5", "1-2", "x"], ["10-20", "20-30", "30-40"],
     ["1.2.3", "1.2.4", "2.0.0"], ["Q1", "Q2", "Q3"], ["10+ years", "2 years", "<1 year"], ["red", "green", "blue"]],
)  # fmt: skip
def test_codes_are_no_numbers(words: list[str]) -> None:
    assert info(repeat(list(words))).kind is ColumnKind.CATEGORICAL
    assert set(column(repeat(list(words)))) == set(words)


def test_other_columns_settle_the_decimal_comma() -> None:
    frame = pd.DataFrame(
        {"a": repeat(["1,5", "2,75"]), "b": repeat(["1,234", "5,678"]), "c": repeat(["1.234", "5.678"])}
    )
    values = apply_schema(frame, infer_schema(frame))
    assert values["b"].tolist()[:2] == [1.234, 5.678]
    assert values["c"].tolist()[:2] == [1234, 5678]


@given(
    numbers=st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=2, max_size=20),
    marks=st.sampled_from([(".", ","), (",", "."), (".", ""), (",", ""), (",", " "), (".", "'")]),
    prefix=st.sampled_from(["", "$", "€"]),
    suffix=st.sampled_from(["", " kg", "%"]),
)
@settings(max_examples=150, deadline=None)
def test_formatted_numbers_are_read_back(
    numbers: list[object], marks: tuple[str, str], prefix: str, suffix: str
) -> None:
    decimal, thousands = marks
    if prefix:
        suffix = ""
    plain = [f"{abs(v):,.2f}" for v in numbers]  # type: ignore[arg-type]
    words = [
        ("-" if v < 0 else "") + prefix + w.replace(",", "T").replace(".", decimal).replace("T", thousands) + suffix  # type: ignore[operator]
        for v, w in zip(numbers, plain, strict=True)
    ]
    rule = learn_number_rule(words)
    assert rule is not None
    expected = np.array([float(v) for v in numbers]) / (100 if suffix == "%" else 1)  # type: ignore[arg-type]
    np.testing.assert_allclose(parse_numbers(words, rule), expected, rtol=1e-12)


DAYS = pd.date_range("2020-01-27", periods=N, freq="D")


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%m/%Y %H:%M",
     "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d-%b-%y", "%Y/%m/%d", "%Y%m%d", "%m/%d/%y", "%m/%d/%Y %I:%M %p",
     "%a, %d %b %Y"],
)  # fmt: skip
def test_dates(form: str) -> None:
    words = [d.strftime(form) for d in DAYS]
    found = info(words)
    assert found.kind is ColumnKind.DATETIME, found.why
    np.testing.assert_array_equal(column(words), DAYS)
    assert (found.first, found.last) == (DAYS[0].isoformat(), DAYS[-1].isoformat())


def test_other_forms_of_dates() -> None:
    months = pd.date_range("2018-01-01", periods=24, freq="MS")
    for form in ("%Y-%m", "%b %Y", "%m/%Y"):
        np.testing.assert_array_equal(column([d.strftime(form) for d in months]), months)
    mixed = [d.strftime("%Y-%m-%d" if i % 2 else "%d %B %Y") for i, d in enumerate(DAYS)]
    np.testing.assert_array_equal(column(mixed), DAYS)
    zoned = ["2020-01-01T10:00:00+02:00", "2020-06-01T10:00:00Z"] * 10
    assert column(zoned)[0] == pd.Timestamp("2020-01-01 08:00")
    seconds = DAYS.astype("int64") // 10**9
    assert info(seconds, "event_timestamp").kind is ColumnKind.DATETIME
    np.testing.assert_array_equal(column(seconds, "event_timestamp"), DAYS)
    assert info(seconds * 3, "revenue").kind is ColumnKind.NUMERIC
    whole = [int(d.strftime("%Y%m%d")) for d in DAYS]
    np.testing.assert_array_equal(column(whole, "date"), DAYS)
    assert info([*[d.strftime("%Y-%m-%d") for d in DAYS], "n/a", "?"]).n_missing == 2


def test_ambiguous_dates_say_so() -> None:
    words = repeat(["01/02/2020", "05/03/2020", "03/04/2020", "02/01/2020"])
    assert "cannot be told apart" in info(words).why
    assert info([*words, "25/12/2020"]).parse.dayfirst
    assert not info([*words, "12/25/2020"]).parse.dayfirst


@pytest.mark.parametrize(
    ("true", "false"), [("yes", "no"), ("Yes", "No"), ("TRUE", "FALSE"), ("y", "n"), ("T", "F"), ("ja", "nein")]
)
def test_booleans(true: str, false: str) -> None:
    words = repeat([true, false, None, "NA", true])
    found = info(words)
    assert found.kind is ColumnKind.BOOLEAN
    np.testing.assert_array_equal(column(words)[:5], [1, 0, np.nan, np.nan, 1])
    assert info(words, "col", target="col").kind is ColumnKind.CATEGORICAL
    assert found.top[0] == (true, 24)


def test_two_words_that_are_not_true_and_false_stay_categories() -> None:
    for pair in (["male", "female"], ["no", "unknown"], ["good", "bad"], ["+", "-"], ["none", "some"]):
        found = info(repeat(list(pair)))
        assert (found.kind, found.n_unique, found.n_missing) == (ColumnKind.CATEGORICAL, 2, 0)


def test_missing_words() -> None:
    words = repeat(["a", "b", "c", "d", None, "NA", "n/a", "?", "-", "null", "NaN", " ", "#N/A", "--", "unknown"])
    found = info(words)
    assert (found.n_unique, found.n_missing) == (5, 4 * 10)
    assert info(["none", *repeat(["a", "b", "c"])]).n_missing == 1
    assert info(repeat(["NA", "a", "none", "-"]), target="col").n_unique == 3


def test_ids() -> None:
    ids = {
        "customer_id": RNG.permutation(10**6)[:N],
        "RowNumber": np.arange(1, N + 1),
        "k": np.arange(1000, 1000 + N),
        "uuid": [f"{i:08x}-89ab-4def-8123-0123456789ab" for i in RNG.permutation(10**6)[:N]],
        "email": [f"user{i}@example.org" for i in range(N)],
        "code": [f"AX{i:05d}" for i in RNG.permutation(10**5)[:N]],
    }
    for name, values in ids.items():
        assert info(values, name).kind is ColumnKind.ID, name
        assert info(values, name, target=name).kind is not ColumnKind.ID, name
    others = {
        "price": RNG.permutation(10**6)[:N],
        "day": np.arange(N),
        "weight_id": RNG.normal(size=N),
        "width": np.arange(N)[::-1] * 2,
    }
    for name, values in others.items():
        assert info(values, name).kind is ColumnKind.NUMERIC, name
    assert info(np.arange(N) % 7, "store_id").kind is ColumnKind.CATEGORICAL
    assert info([f"user{i % 30}@x.org" for i in range(N)], "email").kind is ColumnKind.CATEGORICAL


def test_a_lone_counter_is_kept() -> None:
    frame = pd.DataFrame({"k": np.arange(N), "y": np.arange(N) * 2.0})
    assert infer_schema(frame, target="y")["k"].kind is ColumnKind.NUMERIC


@pytest.mark.parametrize("form", ["aB{0}x{1}", "https://site{0}.com/{1}", "Ann{1}{0}"])
def test_a_lone_column_of_words_of_their_own_is_text(form: str) -> None:
    words = [form.format(i * 7919 % 1000, "qwe"[i % 3]) for i in range(N)]
    frame = pd.DataFrame({"word": words, "y": [i % 3 for i in range(N)]})
    assert infer_schema(frame, target="y")["word"].kind is ColumnKind.TEXT
    assert infer_schema(frame.rename(columns={"word": "user_id"}), target="y")["user_id"].kind is ColumnKind.ID
    assert infer_schema(frame.assign(z=np.arange(N) * 0.37), target="y")["word"].kind is ColumnKind.ID


@pytest.mark.parametrize("first", [True, False])
def test_a_counter_beside_words_of_their_own_is_kept(first: bool) -> None:
    """It may be a dose, which the words say nothing of; the order of the rows is told by its reason."""
    frame = pd.DataFrame({"k": np.arange(N), "word": [f"aB{i * 7919 % 1000}x" for i in range(N)], "y": np.arange(N)})
    schema = infer_schema(frame if first else frame[["word", "k", "y"]], target="y")
    assert (schema["word"].kind, schema["k"].kind) == (ColumnKind.TEXT, ColumnKind.NUMERIC)
    assert "no other column tells more" in schema["word"].why and "no other column tells more" in schema["k"].why


@pytest.mark.parametrize("form", ["{}.npz", "photos/{}.jpg"])
def test_a_lone_column_of_files_that_are_not_there_is_no_text(form: str) -> None:
    frame = pd.DataFrame({"file": [form.format(i) for i in range(N)], "y": [i % 3 for i in range(N)]})
    assert infer_schema(frame, target="y")["file"].kind is ColumnKind.ID


@pytest.mark.parametrize("slip", ["12,,5", "1,2,5"])
def test_a_mistyped_cell_leaves_decimal_commas_alone(slip: str) -> None:
    found = info([*(f"{i},5" for i in range(N)), slip])
    assert (found.kind, found.parse.decimal, found.n_missing) == (ColumnKind.NUMERIC, ",", 1)


def test_few_numbers_of_millions_show_what_commas_part() -> None:
    words = [f"{v:,}" for v in [*range(1234, 9000, 100), 1_234_567]]
    assert column(words).tolist()[-1] == 1_234_567
    frame = pd.DataFrame({"a": words, "b": [f"{i},5" for i in range(len(words))]})
    assert infer_schema(frame)["a"].parse.thousands == ","


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_slip_beside_numbers_of_millions_makes_no_decimal_comma(tmp_path: Path, delimiter: str) -> None:
    words = [*(f"{v:,}" for v in range(842_267, 942_267, 500)), "1,234,567", "2,000,111", "12,34"]
    path = tmp_path / "t.csv"
    path.write_text(f"a{delimiter}b\n" + "".join(f'"{w}"{delimiter}"{w[:3]},125"\n' for w in words[:200]))
    with path.open("a") as file:
        file.writelines(f'"{w}"{delimiter}"7,250"\n' for w in words[200:])
    frame, read = read_table(path)
    values = apply_schema(frame, infer_schema(frame, commas_part=delimiter == ","))
    assert values["a"].tolist()[-4:-1] == [941_767, 1_234_567, 2_000_111]
    assert np.isnan(values["a"].iloc[-1])
    assert values["b"].tolist()[::202] == [842_125, 7_250]
    assert not any("decimal comma" in note for note in read.notes)


@pytest.mark.parametrize(("word", "number"), [("010,831", 10831), ("003,114", 3114), ("000,012", 12)])
def test_thousands_of_a_fixed_width(word: str, number: int) -> None:
    words = [f"{v // 1000:03d},{v % 1000:03d}" for v in range(0, 60_000, 997)]
    assert info([*words, word]).kind is ColumnKind.NUMERIC
    assert column([*words, word]).iloc[-1] == number


def test_several_choices_in_a_cell_are_no_numbers() -> None:
    assert info(repeat(["1,2", "1,3", "2", "1,2,5"])).kind is ColumnKind.CATEGORICAL
    frame = pd.DataFrame({"likes": repeat(["1,2", "2", "1,2,5"]), "amount": repeat(["1,234", "950", "12,500"])})
    assert infer_schema(frame)["amount"].top[0][0] in ("1234", "950", "12500")


@pytest.mark.parametrize(
    "name", ["id", "ID", "customer_id", "CustomerId", "userID", "Unnamed: 0", "uuid", "row_number", "index"]
)
def test_names_of_keys(name: str) -> None:
    assert is_id_name(name)


@pytest.mark.parametrize(
    "name", ["paid", "width", "humid", "grid", "valid", "price", "age", "monkey", "acid", "Madrid"]
)
def test_names_that_only_end_like_keys(name: str) -> None:
    assert not is_id_name(name)


def test_text_and_names() -> None:
    words = [w * 3 for w in ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]]
    sentences = [" ".join(RNG.choice(words, 8)) for _ in range(N)]
    assert info(sentences).kind is ColumnKind.TEXT
    assert (
        info([f"{a.title()} {b.title()}{i}" for i, (a, b) in enumerate(RNG.choice(words, (N, 2)))]).kind
        is ColumnKind.TEXT
    )
    chinese = ["".join(RNG.choice(list("我们今天去看电影非常好喜欢这部片子"), 15)) for _ in range(N)]
    assert info(chinese).kind is ColumnKind.TEXT
    payment = [
        "Bank transfer (automatic, every month)",
        "Credit card by mail or phone",
        "Check sent in by mail each month",
    ]
    assert info(repeat(list(payment))).kind is ColumnKind.CATEGORICAL


def test_constants() -> None:
    assert info(["x"] * N).kind is ColumnKind.CONSTANT
    assert info([3] * N).kind is ColumnKind.CONSTANT
    assert info([None] * N).kind is ColumnKind.CONSTANT
    assert info(["x", None] * N).kind is ColumnKind.CATEGORICAL
    assert info([3.0, np.nan] * N).kind is ColumnKind.NUMERIC
    assert info([3] * N, target="col").kind is ColumnKind.NUMERIC


def test_a_few_words_among_numbers_are_missing_and_said() -> None:
    found = info(["broken", *[str(i * 1.5) for i in range(N)]])
    assert (found.kind, found.n_missing) == (ColumnKind.NUMERIC, 1)
    assert "broken" in found.why
    assert info(repeat(["1", "2", "broken"])).kind is ColumnKind.CATEGORICAL


def test_statistics_agree_with_scipy() -> None:
    values = np.append(RNG.lognormal(size=500), [np.nan, np.inf, 1000.0])
    found = info(values)
    present = values[np.isfinite(values)]
    assert found.numeric is not None
    assert (found.n, found.n_missing, found.n_unique) == (503, 2, len(set(present)))
    assert "infinite" in found.why
    s = found.numeric
    np.testing.assert_allclose(
        [s.mean, s.std, s.skew, s.minimum, s.maximum],
        [present.mean(), present.std(ddof=1), stats.skew(present), present.min(), present.max()],
    )
    quartiles = np.quantile(present, [0.01, 0.25, 0.5, 0.75, 0.99])
    np.testing.assert_allclose([s.q01, s.q25, s.median, s.q75, s.q99], quartiles)
    spread = 3 * stats.iqr(present)
    assert s.n_outliers == ((present < quartiles[1] - spread) | (present > quartiles[3] + spread)).sum() > 0
    assert not s.integers


def test_top_and_length() -> None:
    found = info(["aa"] * 30 + ["b"] * 20 + [f"c{i % 15}" for i in range(60)])
    assert found.top[:2] == (("aa", 30), ("b", 20))
    assert len(found.top) == 10
    assert found.mean_length == pytest.approx((60 + 20 + sum(len(f"c{i % 15}") for i in range(60))) / 110)


def test_schema_survives_json() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None], "c": ["yes", "no"], "d": ["2020-01-01", "2020-01-02"]})
    schema = infer_schema(frame)
    assert TableSchema.model_validate_json(schema.model_dump_json()) == schema


def test_apply_keeps_the_promised_dtypes() -> None:
    frame = pd.DataFrame(
        {
            "n": ["1,5", None] * 20, "b": ["yes", "no"] * 20, "t": ["2020-01-01", "2021-01-01"] * 20,
            "c": ["u", None] * 20, "k": ["z"] * 40, "id": np.arange(40), "store_id": np.arange(40) % 5,
        }
    )  # fmt: skip
    schema = infer_schema(frame)
    out = apply_schema(frame, schema)
    assert [str(d) for d in out.dtypes] == ["float64", "float64", "datetime64[ns]"] + ["object"] * 4
    assert out["c"].tolist()[:2] == ["u", None]
    assert out["store_id"].tolist()[:2] == ["0", "1"]
    assert out["id"].tolist()[:2] == ["0", "1"]


def test_apply_to_other_data() -> None:
    train = pd.DataFrame(
        {
            "age": [31.0, 42.0] * 20,
            "paid": ["yes", "no"] * 20,
            "day": ["2020-01-31", "2020-02-01"] * 20,
            "code": ["1", "x"] * 20,
        }
    )
    schema = infer_schema(train)
    new = pd.DataFrame(
        {
            "extra": [1, 2, 3],
            "code": [1.0, 2.0, np.nan],
            "day": ["31/01/2020", "28/02/2020", "n/a"],
            "paid": [1, 0, 5],
            "age": ["31,5", "n/a", "7,25"],
        },
        index=[9, 8, 7],
    )
    out = apply_schema(new, schema)
    assert out.columns.tolist() == ["age", "paid", "day", "code"]
    np.testing.assert_array_equal(out["age"], [31.5, np.nan, 7.25])
    np.testing.assert_array_equal(out["paid"], [1, 0, np.nan])
    assert out["day"].tolist()[:2] == [pd.Timestamp("2020-01-31"), pd.Timestamp("2020-02-28")]
    assert pd.isna(out["day"][2])
    assert out["code"].tolist() == ["1", "2", None]
    one = apply_schema(pd.DataFrame({"age": ["junk"], "paid": ["maybe"], "day": [3], "code": ["never seen"]}), schema)
    assert one.iloc[0, :3].isna().all()
    assert one["code"][0] == "never seen"


def test_apply_names_missing_columns() -> None:
    schema = infer_schema(pd.DataFrame({"age": [1.5, 2.5], "city": ["a", "b"]}))
    with pytest.raises(DataError, match=r"new.csv lacks the column 'age'. Did you mean 'Age'\?"):
        apply_schema(pd.DataFrame({"Age": [1], "city": ["a"]}), schema, where="new.csv")
    with pytest.raises(DataError, match="lacks the columns 'age', 'city'"):
        apply_schema(pd.DataFrame({"z": [1]}), schema)
    with pytest.raises(DataError, match="Did you mean 'city'"):
        infer_schema(pd.DataFrame({"city": ["a"]}), target="citi")


def test_labels_are_the_words_of_the_data() -> None:
    frame = pd.DataFrame({"y": ["Yes", "No", None] * 10, "z": [0, 1, 2] * 10, "f": [True, False, True] * 10})
    schema = infer_schema(frame)
    out = apply_schema(frame, schema)
    assert labels(out["y"], schema["y"]).tolist()[:3] == ["Yes", "No", None]
    assert labels(out["z"], schema["z"]).tolist()[:3] == ["0", "1", "2"]
    assert labels(out["f"], schema["f"]).tolist()[:3] == ["True", "False", "True"]


CELLS = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.integers(-100, 100).map(str),
    st.sampled_from(["NA", "?", "yes", "no", "1,5"]),
)


@settings(max_examples=150, deadline=None)
@given(cells=st.lists(CELLS, min_size=1, max_size=30), target=st.booleans())
def test_any_text_column_has_a_kind_and_applies_alike(cells: list[str | None], target: bool) -> None:
    frame = pd.DataFrame({"c": pd.Series(cells, dtype=object)})
    schema = infer_schema(frame, target="c" if target else None)
    found = schema["c"]
    out = apply_schema(frame, schema)["c"]
    assert (found.n, found.n_missing, found.n_unique) == (len(cells), out.isna().sum(), out.nunique())
    if target:
        assert found.kind in (ColumnKind.NUMERIC, ColumnKind.CATEGORICAL, ColumnKind.DATETIME)
    again = apply_schema(frame.iloc[::-1], schema)["c"][::-1].reset_index(drop=True)
    pd.testing.assert_series_equal(out, again)


NUM, CAT, TEXT, ID, BOOL, DATE = (
    ColumnKind.NUMERIC, ColumnKind.CATEGORICAL, ColumnKind.TEXT, ColumnKind.ID, ColumnKind.BOOLEAN,
    ColumnKind.DATETIME,
)  # fmt: skip
REAL = {
    "titanic": {"PassengerId": ID, "Name": TEXT, "Ticket": CAT, "Cabin": CAT, "Pclass": NUM, "SibSp": NUM,
                "Age": NUM, "Sex": CAT},
    "bank_churn": {"RowNumber": ID, "CustomerId": ID, "Surname": CAT, "Geography": CAT, "Balance": NUM},
    "bank_marketing": {"default": CAT, "housing": CAT, "y": BOOL, "pdays": NUM, "month": CAT},
    "insurance": {"smoker": BOOL, "children": NUM, "charges": NUM},
    "ett_h1": {"date": DATE, "OT": NUM},
    "sms_spam": {"text": TEXT, "type": CAT},
    "movie_reviews": {"text": TEXT, "sentiment": CAT},
    "adult": {"workclass": CAT, "education_num": NUM, "fnlwgt": NUM},
    "telco_churn": {"total_charges": NUM, "payment_method": CAT},
}  # fmt: skip
NO_IDS = ("diamonds", "california_housing", "letter", "wine_quality", "abalone", "concrete", "cells")


@pytest.mark.parametrize("name", sorted(REAL))
def test_kinds_of_real_tables(shared_data: Path, name: str) -> None:
    frame, _ = read_table(shared_data / f"{name}.csv")
    schema = infer_schema(frame)
    assert {c: schema[c].kind for c in REAL[name]} == REAL[name]


@pytest.mark.parametrize("name", NO_IDS)
def test_real_tables_without_keys(shared_data: Path, name: str) -> None:
    schema = infer_schema(read_table(shared_data / f"{name}.csv")[0])
    assert {c.kind for c in schema.columns} <= {NUM, CAT}


def test_a_few_words_leave_numbers_numbers() -> None:
    rng = np.random.default_rng(0)
    numbers = [f"{v:.2f}" for v in rng.uniform(15, 50, 1000)]
    for words in (["kg/m2"], ["n. k.", "low", "high", "about 7", "see note"]):
        schema = infer_schema(
            pd.DataFrame(
                {"bmi": [*words, *numbers], "y": ["a", "b"] * ((1000 + len(words)) // 2) + ["a"] * (len(words) % 2)}
            )
        )
        assert schema["bmi"].kind is ColumnKind.NUMERIC
        assert schema["bmi"].n_missing == len(words)
        assert f"{words[0]!r}" in schema["bmi"].why


@pytest.mark.parametrize("unit", [" kg/m2", " km²", "kg", " m3"])
def test_units_with_a_power(unit: str) -> None:
    schema = infer_schema(pd.DataFrame({"size": [f"{i}.5{unit}" for i in range(40)], "y": ["a", "b"] * 20}))
    assert schema["size"].kind is ColumnKind.NUMERIC


def test_long_running_numbers_are_keys() -> None:
    keys = [str(12345678901234567890 + i) for i in range(60)]
    assert info(keys).kind is ColumnKind.ID
    assert info([str(10**16 * (i % 20) + i % 20) for i in range(300)]).kind is ColumnKind.NUMERIC, "they repeat"
    assert info([f"{i}.12345678901234567{i}" for i in range(60)]).kind is ColumnKind.NUMERIC
