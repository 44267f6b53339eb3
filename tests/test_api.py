"""``autodl.fit``, ``plan``, ``runs`` and ``Run`` on frames of all kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import autodl
from autodl.errors import AutodlError, ConfigError, DataError

CHEAP: dict[str, Any] = {"max_trials": 2, "families": "linear", "report": False}


def table(n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "w": rng.choice(["a", "b"], n), "y": x + 0.3 * rng.normal(size=n) > 0})


TABLE = table()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def as_words(values: pd.Series) -> pd.Series:
    return values.map({True: "yes", False: "no"})


@pytest.mark.parametrize(
    ("frame", "dtype", "values"),
    [
        (TABLE, "bool", {True, False}),
        (pl.from_pandas(TABLE), "bool", {True, False}),
        (pa.Table.from_pandas(TABLE), "bool", {True, False}),
        (TABLE.astype({"y": "boolean"}), "bool", {True, False}),
        (TABLE.astype({"y": "category"}), "bool", {True, False}),
        (TABLE.astype({"y": int}), "int64", {0, 1}),
        (TABLE.astype({"y": int}).astype({"y": "Int8"}), "int64", {0, 1}),
        (TABLE.assign(y=as_words(TABLE["y"])).astype({"y": "string"}), "object", {"yes", "no"}),
    ],
    ids=["bool", "polars", "arrow", "boolean", "category", "int", "Int8", "string"],
)
def test_predictions_are_of_the_kind_of_the_target(frame: Any, dtype: str, values: set[Any], tmp_path: Path) -> None:
    run = autodl.fit(frame, "y", out=tmp_path / "run", **CHEAP)
    answers = run.predict(frame)["prediction"]
    assert str(answers.dtype) == dtype
    assert set(answers) == values
    assert ((answers.isin([True, 1, "yes"])) == TABLE["y"]).mean() > 0.85


def test_a_run_and_its_new_folder(here: Path) -> None:
    run = autodl.fit(TABLE, "y", **CHEAP)
    assert run.folder.parent == Path("autodl-runs")
    assert [r.folder for r in autodl.runs()] == [run.folder]
    assert run.leaderboard()["family"].tolist() == ["linear", "dummy"]
    assert run.record.command == "autodl.fit(frame, target='y', max_trials=2, families=['linear'], report=False)"
    assert "test roc_auc" in repr(run)
    assert "\n" not in repr(run)
    again = autodl.Run(run.folder).predict(TABLE.drop(columns="y"), proba=True, keep="w")
    assert again.columns.tolist() == ["w", "prediction", "proba_False", "proba_True"]
    pd.testing.assert_series_equal(again["prediction"], run.predict(TABLE)["prediction"])
    TABLE.to_csv("new.csv", index=False)
    pd.testing.assert_frame_equal(run.predict("new.csv"), run.predict(Path("new.csv")))
    pd.testing.assert_frame_equal(run.predict("new.csv"), run.predict(TABLE))


def test_the_report_can_be_made_later(tmp_path: Path) -> None:
    run = autodl.fit(TABLE, "y", out=tmp_path / "run", **CHEAP)
    assert not run.report_path.exists()
    assert not (run.folder / "records" / "explanation.json").exists()
    assert run.write_report() == run.report_path
    assert "Predicting y" in run.report_path.read_text("utf-8")
    more = autodl.fit(TABLE, "y", out=tmp_path / "run", resume=True, **{**CHEAP, "report": True, "max_trials": 3})
    assert (more.folder / "records" / "explanation.json").is_file(), "a resumed run may be given a report"


def test_a_failure_leaves_no_new_folder_behind(here: Path) -> None:
    for bad in ("nothing.csv", TABLE[["x"]].iloc[:0], TABLE.assign(y=True)):
        with pytest.raises(DataError):
            autodl.fit(bad, "y", **CHEAP)
        assert list(here.iterdir()) == []
    with pytest.raises(ConfigError, match="resume needs the run folder"):
        autodl.fit(TABLE, "y", resume=True)
    with pytest.raises(ConfigError, match="out must be the path of a folder"):
        autodl.fit(TABLE, "y", out=3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="listener must be a function"):
        autodl.fit(TABLE, "y", listener="print")  # type: ignore[arg-type]
    assert autodl.runs() == []


def test_kept_columns_of_a_frame_are_copied(tmp_path: Path) -> None:
    run = autodl.fit(TABLE.set_axis([0, 1, "y"], axis=1), "y", out=tmp_path / "run", **CHEAP)
    new = TABLE[["x", "w"]].set_axis([0, 1], axis=1).head(3).set_axis(["p", "q", "r"])
    new["id"] = pd.array([2**60 + 1, None, 7], "Int64")
    new["when"] = pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin")
    new["lasted"] = pd.to_timedelta([1, 2, 3], unit="h")
    new["kind"] = pd.Categorical(["a", "b", "a"])
    out = run.predict(new, keep=[0, "id", "when", "lasted", "kind"])
    pd.testing.assert_frame_equal(out.drop(columns="prediction"), new.drop(columns=1).rename(columns={0: "0"}))
    assert run.predict(new, keep=0).columns.tolist() == ["0", "prediction"]


def test_columns_that_are_numbers_or_nested(tmp_path: Path) -> None:
    run = autodl.fit(TABLE.set_axis([0, 1, 2], axis=1), 2, out=tmp_path / "a", **CHEAP)
    assert run.record.target == "2"
    assert run.predict(TABLE[["x", "w"]].set_axis([0, 1], axis=1)).shape == (len(TABLE), 1)
    with pytest.raises(AutodlError, match="the group column 'nobody' is not in the data"):
        autodl.fit(TABLE, "y", group_column="nobody", out=tmp_path / "b", **CHEAP)
    assert not (tmp_path / "b").exists()


def test_plan_says_what_fit_would_do(here: Path) -> None:
    planned = autodl.plan(pl.from_pandas(TABLE), "y", drop="w", metric="accuracy")
    assert planned.plan.metric == "accuracy"
    assert planned.plan.features == ("x",)
    assert planned.profile.n_rows == len(TABLE)
    assert list(here.iterdir()) == []


def test_predictions_stand_at_the_index_of_their_rows(tmp_path: Path) -> None:
    run = autodl.fit(TABLE, "y", out=tmp_path / "run", **CHEAP)
    mixed = TABLE.sample(frac=1, random_state=0)
    there = run.predict(mixed, proba=True)
    assert there.index.tolist() == mixed.index.tolist() != TABLE.index.tolist()
    pd.testing.assert_frame_equal(there.loc[TABLE.index], run.predict(TABLE, proba=True))
    named = run.predict(TABLE.head(3).set_axis(["p", "q", "r"]))
    assert named.index.tolist() == ["p", "q", "r"]
