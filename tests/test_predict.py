"""Predictions for data that are not quite like those of the training."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autodl.data
from autodl import predict
from autodl.errors import DataError

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

    def in_parts(data: str, *, as_text: tuple[str, ...]) -> Iterator[pd.DataFrame]:
        raw, _ = autodl.data.read_table(data, as_text=as_text)
        for at in range(0, len(raw), 7):
            yield raw.iloc[at : at + 7].reset_index(drop=True)

    monkeypatch.setattr(predict, "BATCHED_BYTES", 0)
    monkeypatch.setattr(autodl.data, "read_batches", in_parts)
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
