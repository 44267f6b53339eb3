"""Predictions for data that are not quite like those of the training."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

import autodl.data
from autodl import predict
from autodl.data import arrow_blocks, delimited, learn_table, reading, write_table
from autodl.data.series.long_format import gather
from autodl.data.series.road import learnt_series
from autodl.errors import DataError
from autodl.media.place import process_place
from autodl.records import Task

KINDS = ("size", "colour", "remark", "day", "member")
"""A column of numbers, of categories, of free text, of dates, of yes and no."""


def table(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    words = ["came back for more", "left early and sad", "asked for the owner", "paid in small coins today"]
    frame = pd.DataFrame(
        {
            "size": rng.normal(50, 12, n).round(2),
            "colour": rng.choice(["red", "green", "blue"], n),
            "remark": [f"{rng.choice(words)} and {rng.choice(words)} {i}" for i in range(n)],
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 600, n), unit="D"),
            "member": rng.choice(["yes", "no"], n),
        }
    )
    frame["bought"] = (frame["size"] + 15 * (frame["colour"] == "red") + 9 * (frame["member"] == "yes")) > 60
    return frame


@pytest.fixture(scope="module", params=["linear", "lightgbm"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    table(240, 0).to_csv(folder / "shop.csv", index=False)
    options = {"target": "bought", "families": [request.param], "max_trials": 2, "out": folder / "run"}
    return Path(autodl.fit(str(folder / "shop.csv"), **options).folder)


@pytest.fixture
def new() -> pd.DataFrame:
    return table(40, 1).drop(columns="bought")


def answers(run: Path, frame: pd.DataFrame, folder: Path, **given: bool) -> tuple[pd.DataFrame, list[str]]:
    frame.to_csv(folder / "new.csv", index=False)
    told: list[str] = []
    return predict.predict_file(run, str(folder / "new.csv"), proba=True, tell=told.append, **given), told


def test_a_target_of_true_and_false_comes_back_as_such(run: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    out, told = answers(run, new, tmp_path)
    assert out["prediction"].dtype == bool
    assert (out["prediction"] == (out["proba_True"] >= out["proba_False"])).mean() > 0.8
    assert told == []


@pytest.mark.parametrize("name", KINDS)
def test_a_missing_column_is_refused_or_taken_as_unknown(
    run: Path, new: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    with pytest.raises(DataError, match=f"new.csv lacks the column '{name}', which the model needs. Add it, or"):
        answers(run, new.drop(columns=name), tmp_path)
    out, told = answers(run, new.drop(columns=name), tmp_path, allow_missing=True)
    empty, _ = answers(run, new.assign(**{name: ""}), tmp_path)
    pd.testing.assert_frame_equal(out, empty)
    assert len(told) == 1
    assert told[0].startswith(f"'{name}': 40 of 40 values are missing")


def test_the_nearest_name_is_offered(run: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"lacks the columns 'colour', 'day'.*Did you mean 'color'"):
        answers(run, new.rename(columns={"colour": "color", "day": "when"}), tmp_path)


def test_the_order_of_columns_and_further_ones_change_nothing(run: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    plain, _ = answers(run, new, tmp_path)
    other, told = answers(run, new[list(KINDS[::-1])].assign(town="Bern", bought=True), tmp_path)
    pd.testing.assert_frame_equal(plain, other)
    assert told == ["new.csv has columns that the training data did not have; they are not used: 'town'"]


def in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as large and is read a few rows at a time."""
    monkeypatch.setattr(reading, "LARGE_BYTES", 1)
    monkeypatch.setattr(reading, "PACKED_BYTES", 1)
    monkeypatch.setattr(delimited, "PARSED_BYTES", 300)
    monkeypatch.setattr(delimited, "HEAD_BYTES", 600)


@pytest.mark.parametrize("packed", [False, True])
def test_kept_columns_are_the_same_in_parts(
    run: Path, new: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Whether a column is one of numbers, all its cells tell, not those of one part."""
    path = tmp_path / ("new.csv.gz" if packed else "new.csv")
    kept = {
        "plain": range(40), "gap": [None, *range(39)], "late": [*range(39), "1.50x"],
        "code": [f"{i:03}" for i in range(40)],
        "fraction": [*range(39), 0.5],
    }  # fmt: skip
    new.assign(**kept).to_csv(path, index=False)
    names = (*kept, "size", "colour")
    whole = predict.predict_file(run, str(path), keep=names, tell=str)
    assert [str(whole[n].dtype) for n in names] == [
        "int64",
        "float64",
        "object",
        "object",
        "float64",
        "float64",
        "object",
    ]
    assert whole["late"].tolist()[:2] == ["0", "1"]
    without = predict.predict_file(run, str(path), tell=str)
    pd.testing.assert_frame_equal(whole[without.columns], without)
    in_small_parts(monkeypatch)
    counted: list[int] = []
    answer = predict._predict_rows
    monkeypatch.setattr(predict, "_predict_rows", lambda *args: counted.append(1) or answer(*args))
    pd.testing.assert_frame_equal(predict.predict_file(run, str(path), keep=names, tell=str), whole)
    assert len(counted) > 5


def test_kept_columns_of_a_text_file_are_written_as_they_stand(run: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    cells = {
        "gap": ["7", "8", ""], "version": ["1.10", "1.20", ""], "power": ["12e4", "5", "6"], "sign": ["+5", "6", "7"],
        "small": ["0.00001", "0.5", ""], "large": ["9007199254740993", "", "7"], "code": ["007", "8", "9"],
        "plain": ["7.0", "7.5", ""],
    }  # fmt: skip
    new.head(3).assign(**cells).to_csv(tmp_path / "new.csv", index=False)
    out = predict.predict_file(run, str(tmp_path / "new.csv"), keep=tuple(cells), tell=str)
    assert (str(out["gap"].dtype), str(out["plain"].dtype)) == ("Int64", "float64")
    write_table(out, tmp_path / "out.csv")
    again = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert again[list(cells)].to_dict("list") == cells


@pytest.mark.parametrize("suffix", ["parquet", "feather", "xlsx"])
@pytest.mark.parametrize("parts", [False, True])
def test_kept_columns_with_types_of_their_own_keep_them(
    run: Path, new: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, parts: bool
) -> None:
    """Whole numbers beside gaps, also those that no float holds; times with a zone; durations."""
    kept = pd.DataFrame({"id": pd.array([None, *range(39)], "Int64")})
    if suffix != "xlsx":
        kept["large"] = pd.array([*(2**60 + i for i in range(1, 40)), None], "Int64")
        kept["when"] = pd.date_range("2024-01-01", periods=40, tz="Europe/Berlin")
        kept["lasted"] = pd.to_timedelta(range(40), unit="h")
    path = tmp_path / f"new.{suffix}"
    both = pd.concat([new, kept], axis=1)
    if suffix == "feather":
        pa.feather.write_feather(pa.Table.from_pandas(both), path, chunksize=7)
    else:
        both.to_parquet(path, row_group_size=7) if suffix == "parquet" else both.to_excel(path, index=False)
    if parts:
        in_small_parts(monkeypatch)
        monkeypatch.setattr(reading, "LARGE_CELLS", 1)
        monkeypatch.setattr(arrow_blocks, "BLOCK_ROWS", 7)
    out = predict.predict_file(run, str(path), keep=tuple(kept), tell=str)
    pd.testing.assert_frame_equal(out[list(kept)], kept)
    write_table(out, tmp_path / "out.xlsx")
    back = pd.read_excel(tmp_path / "out.xlsx", dtype=object)
    if suffix != "xlsx":
        assert back["when"][0] == "2024-01-01 00:00:00+01:00"
        assert back["lasted"][1] == "0 days 01:00:00"


def test_points_part_thousands_in_a_file_of_decimal_commas(run: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    """As trained on plain numbers; the comma shows in a column that the model does not know."""
    new = new.head(3).assign(size=["5.000", "12.345", "99.000"], height="1,5")
    new.to_csv(tmp_path / "german.csv", index=False, sep=";")
    told: list[str] = []
    predict.predict_file(run, str(tmp_path / "german.csv"), tell=told.append)
    assert any(note.startswith("'size': 3 of 3 values lie far outside") and "'12345'" in note for note in told)


def test_a_damaged_profile_costs_no_prediction(run: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "run")
    (copy / "records" / "profile.json").write_text("{")
    out, told = answers(copy, new.assign(town="Bern"), tmp_path)
    pd.testing.assert_frame_equal(out, answers(run, new, tmp_path)[0])
    assert told == []


def test_hundreds_of_classes_are_answered_without_a_warning(new: pd.DataFrame) -> None:
    features = autodl.data.infer_schema(autodl.data.read_table(new)[0])
    classes = tuple(f"class{i}" for i in range(300))
    manifest = SimpleNamespace(features=features, classes=classes, task=Task.CLASSIFICATION, quantiles=())
    chances = np.random.default_rng(0).dirichlet(np.ones(300), len(new))
    model = SimpleNamespace(
        manifest=manifest, predict_raw=lambda frame: chances, answers=lambda prediction: prediction.argmax(1)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = predict.predict_frame(model, new, proba=True)  # type: ignore[arg-type]
    assert out.columns.tolist() == ["prediction", *(f"proba_{c}" for c in classes)]
    np.testing.assert_array_equal(out.iloc[:, 1:], chances)


@pytest.mark.parametrize("shards", [1, 2])
def test_how_the_table_was_read_is_told(
    run: Path, new: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    lines = new.assign(day=new["day"].dt.strftime("%Y-%m-%d")).to_csv(index=False).splitlines()
    folder = tmp_path / "new"
    folder.mkdir()
    for i in range(shards):
        (folder / f"{i}.csv").write_text("\n".join([*lines[: 20 + i], lines[30].split(",")[0]]) + "\n")
    told: dict[bool, list[str]] = {False: [], True: []}
    for streamed in told:
        if streamed:
            in_small_parts(monkeypatch)
        predict.predict_file(run, str(folder), tell=told[streamed].append)
    assert sum("1 of 20 rows has too few cells" in note for note in told[False]) == 1
    assert told[True] == told[False]


def test_a_table_read_in_parts_is_answered_as_one(
    run: Path, new: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new.loc[[3, 20, 39], "colour"] = "violet"
    frame = new.astype({"size": object})
    frame.loc[[5, 21], "size"] = "large"
    whole, told = answers(run, frame, tmp_path)
    assert told == [
        "'size': 2 of 40 values are no numbers and count as missing ('large')",
        "'colour': 3 of 40 values were never seen in training ('violet')",
    ]

    in_small_parts(monkeypatch)
    parts, told_of_parts = answers(run, frame, tmp_path)
    pd.testing.assert_frame_equal(parts, whole)
    assert sorted(told_of_parts) == sorted(told)


def test_no_row_is_skipped(run: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    pd.concat([new] * 10).to_csv(tmp_path / "long.csv", index=False)
    with (tmp_path / "long.csv").open("a") as file:
        file.write("1,red,a,2024-01-01,yes,too,much\n")
    assert len(autodl.data.read_table(tmp_path / "long.csv")[0]) == 400  # learning may skip one in a hundred
    with pytest.raises(DataError, match=r"long\.csv: row 402 has 7 cells, but 5 are expected"):
        predict.predict_file(run, str(tmp_path / "long.csv"))


@pytest.mark.parametrize("parts", [False, True])
def test_more_rows_than_the_output_holds_are_refused_before_they_are_predicted(
    run: Path, new: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: bool
) -> None:
    new.to_csv(tmp_path / "new.csv", index=False)
    rows: list[int] = []
    answer = predict._predict_rows
    monkeypatch.setattr(
        predict, "_predict_rows", lambda model, raw, *args: rows.append(len(raw)) or answer(model, raw, *args)
    )
    assert len(predict.predict_file(run, str(tmp_path / "new.csv"), max_rows=40)) == sum(rows) == 40
    rows.clear()
    if parts:
        in_small_parts(monkeypatch)
    with pytest.raises(DataError, match=r"new\.csv has more than 39 rows.*\.csv or \.parquet"):
        predict.predict_file(run, str(tmp_path / "new.csv"), max_rows=39)
    assert (0 < sum(rows) < 40) == parts


@pytest.mark.parametrize("keep", [(), ("who",)])
def test_a_series_in_two_parts_of_a_long_table_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: tuple[str, ...]
) -> None:
    """One part holds IDs that look like numbers, another one that does not."""
    frame = pd.DataFrame({"who": np.repeat(["09998", "10037", "10041"], 40), "x": np.arange(120) / 7})
    long = gather(frame, "who", None)
    schema, rows = learn_table(long.frame.assign(y=[1.0, 2.0, 3.0]), target="y")
    features = learnt_series(schema, rows, long, {"y"}, process_place())[0].only([long.name])
    frame.to_csv(tmp_path / "new.csv", index=False)
    in_small_parts(monkeypatch)
    given: list[pd.DataFrame] = []
    monkeypatch.setattr(
        predict, "_predict_rows", lambda model, raw, *_: (given.append(raw) or raw[["who"]].copy(), [])
    )
    monkeypatch.setattr(predict, "ignored_columns", lambda *_: "")
    model = SimpleNamespace(manifest=SimpleNamespace(features=features))
    out = predict.predict_file(tmp_path, str(tmp_path / "new.csv"), keep=keep, model=model)  # type: ignore[arg-type]
    assert out["who"].tolist() == ["09998", "10037", "10041"]
    assert [len(cell) for cell in given[0][long.name].array] == [40, 40, 40]
