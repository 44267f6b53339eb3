"""Series from a file to predictions in another process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.dataset import load
from autodl.errors import ConfigError, DataError
from autodl.options import FitOptions
from autodl.records import TableSchema

ASKED = {"max_trials": 2, "families": "linear", "report": False}


def long_table(n: int = 40, seed: int = 0) -> pd.DataFrame:
    """Waves of two speeds; ``who`` names each, ``when`` orders its steps, ``kind`` is the speed."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(n):
        t = int(rng.integers(20, 40))
        wave = np.sin(np.arange(t) * (0.4 if k % 2 else 1.2)) + 0.2 * rng.normal(size=t)
        parts.append(pd.DataFrame({"who": f"p{k}", "when": np.arange(t), "x": wave, "z": rng.normal(size=t)}))
        parts[-1]["kind"] = "slow" if k % 2 else "quick"
    return pd.concat(parts, ignore_index=True)


def test_a_long_table_is_learnt_and_predicted_in_a_new_process(tmp_path: Path) -> None:
    long_table().to_csv(tmp_path / "train.csv", index=False)
    run = autodl.fit(
        tmp_path / "train.csv", "kind", series_id="who", order_column="when", out=tmp_path / "run", **ASKED
    )
    assert run.record.status == "done"
    new = long_table(10, seed=1)
    kinds = new.groupby("who", sort=False)["kind"].first()
    new.drop(columns="kind").sample(frac=1, random_state=0).sort_values("who", kind="stable").to_csv(
        tmp_path / "new.csv", index=False
    )
    done = subprocess.run(
        [sys.executable, "-m", "autodl", "predict", str(run.folder), str(tmp_path / "new.csv"),
         "--out", str(tmp_path / "out.csv"), "--keep", "who"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = pd.read_csv(tmp_path / "out.csv")
    assert len(out) == 10
    assert (out["prediction"].to_numpy() == kinds[out["who"]].to_numpy()).mean() >= 0.9
    assert "not used" not in done.stderr
    same = run.predict(new)
    assert len(same) == 10
    assert same.index.tolist() == list(range(10)), "a row a series has the index of no row"


def test_ts_files_with_a_test_file(tmp_path: Path) -> None:
    def write(name: str, n: int, seed: int) -> Path:
        rng = np.random.default_rng(seed)
        lines = ["@classLabel true u v", "@data"]
        for k in range(n):
            wave = np.sin(np.arange(30) * (0.4 if k % 2 else 1.2)) + 0.2 * rng.normal(size=30)
            lines.append(",".join(f"{v:.4f}" for v in wave) + (":u" if k % 2 else ":v"))
        (tmp_path / name).write_text("\n".join(lines))
        return tmp_path / name

    run = autodl.fit(
        write("a.ts", 40, 0), test=write("b.ts", 20, 1), out=tmp_path / "run", metric="accuracy", **ASKED
    )
    assert run.record.test["accuracy"].n == 20
    assert run.record.test["accuracy"].value >= 0.9
    assert len(run.predict(write("c.ts", 6, 2))) == 6


def test_a_run_of_a_version_without_series_goes_on_with_the_columns_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.cumsum(np.random.default_rng(0).normal(size=(60, 30)), axis=1)
    frame = pd.DataFrame(values, columns=[f"t{k}" for k in range(30)]).assign(y=values[:, 20] > 0)
    asked = {"target": "y", "families": "linear", "report": False, "out": tmp_path / "run"}
    with monkeypatch.context() as patch:
        patch.setattr("autodl.data.series.road.find_wide", lambda *_: [])
        autodl.fit(frame, max_trials=1, **asked)
    run = autodl.fit(frame, max_trials=2, resume=True, **asked)
    assert len(run.record.leaderboard) >= 2 and len(run.predict(frame.drop(columns="y"))) == 60


def test_a_resumed_run_has_the_channels_and_the_order_that_it_began_with() -> None:
    """Those of a version that left no channel out and knew no times, and read the order by its own rule."""
    frame = long_table(20)
    frame["start_time"] = [f"0{i % 7}:{i * 7 % 60:02d}:{i % 60:02d}" for i in range(len(frame))]
    options = FitOptions(target="kind", series_id="who", order_column="when", drop=("z",))
    now = load(frame, options).schema
    columns = tuple(c for c in now.columns if c.parse.series is None)
    (series,) = (c for c in now.columns if c.parse.series is not None)
    made = series.parse.series
    assert made is not None and made.columns == ("x", "start_time")
    plain = made.rules[0]
    rule = made.model_copy(update={"columns": ("x", "z"), "rules": (plain, plain)})
    before = series.model_copy(update={"parse": series.parse.model_copy(update={"series": rule})})
    again = load(frame, options, columns=TableSchema(columns=(*columns, before)))
    assert again.schema["series"].parse.series == rule
    np.testing.assert_allclose(again.frame["series"].array[0], frame.loc[frame["who"] == "p0", ["x", "z"]], rtol=1e-6)
    told = [note for note in again.read.notes if note.startswith("Not used")]
    assert len(told) == 1 and "'start_time'" in told[0]
    changed = load(frame.drop(columns="z"), options.model_copy(update={"drop": ()}), columns=again.schema)
    assert changed.schema["series"].parse.series == made, "other data are told as such later"


def test_options_that_do_not_fit_are_refused() -> None:
    frame = long_table(4)
    with pytest.raises(ConfigError, match="order_column orders the steps of series, but series_id is not given"):
        autodl.plan(frame, "kind", order_column="when")
    with pytest.raises(ConfigError, match="name the same column"):
        autodl.plan(frame, "kind", series_id="who", order_column="who")
    with pytest.raises(ConfigError, match="series_id names the target column"):
        autodl.plan(frame, "kind", series_id="kind")
    with pytest.raises(DataError, match="'x' changes within a series of 'who'"):
        autodl.plan(frame, "x", series_id="who")


def test_series_are_measured_before_the_columns_beside_them() -> None:
    from autodl.data.series.cells import series_cells
    from autodl.explain.order import likely_order

    frame = pd.DataFrame({"x": np.arange(30.0), "s": series_cells([np.ones(4)] * 30), "z": np.arange(30.0) % 7})
    assert likely_order(frame, np.arange(30.0), 0, 0) == ("s", "x", "z")
    assert likely_order(frame[["s"]], np.arange(30) % 2, 2, 0) == ("s",)
    told = frame.assign(t=pd.Series(["good film"] * 30, dtype=object))
    assert likely_order(told, np.arange(30.0), 0, 0, ("t",)) == ("s", "t", "x", "z")


def test_rows_without_a_series_stay_and_are_answered_by_what_their_absence_says(tmp_path: Path) -> None:
    """All that is known of them is that the series is missing; the others are answered as well as without them."""

    def waves(n: int, seed: int) -> tuple[list[np.ndarray | None], np.ndarray]:
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 2, n)
        return [np.sin(np.arange(30) * (0.4 if k else 1.2)) + 0.2 * rng.normal(size=30) for k in y], y

    series, y = waves(120, 0)
    for i in range(40):
        series[i], y[i] = (None, 1) if i % 5 else (np.full(30, np.nan), 0)  # four fifths are slow
    frame = pd.DataFrame({"s": series, "kind": np.where(y, "slow", "quick")})
    run = autodl.fit(frame, "kind", out=tmp_path / "run", metric="log_loss", **ASKED)
    assert run.record.status == "done" and run.record.test["log_loss"].n >= 20
    assert autodl.plan(frame, "kind").profile.columns["s"].n_missing == 40
    new, truth = waves(20, 1)
    answers = run.predict(pd.DataFrame({"s": [*new, None]}), proba=True)
    assert ((answers["proba_slow"] > 0.5).to_numpy()[:20] == truth).mean() >= 0.9
    assert 0.6 < answers["proba_slow"].iloc[20] < 0.95


def test_a_channel_and_a_column_beside_the_series_may_be_left_out() -> None:
    frame = long_table(20)
    frame["town"] = frame["who"].str[-1]
    data = load(frame, FitOptions(target="kind", series_id="who", order_column="when", drop=("z", "town", "who")))
    (series,) = (c.parse.series for c in data.schema.columns if c.parse.series is not None)
    assert series.columns == ("x",)
    assert data.schema.names == ("kind", "town", "series")
    found = autodl.plan(frame, "kind", series_id="who", order_column="when", drop=("z", "town", "who"))
    assert found.plan.features == ("series",)
    with pytest.raises(DataError, match="the column to drop 'nothing' is not in the data"):
        autodl.plan(frame, "kind", series_id="who", order_column="when", drop="nothing")
