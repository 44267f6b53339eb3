"""Wide tables whose user says which columns are the steps of a series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.data import learn_table
from autodl.data.series.wide import find_wide, learn_wide, named_runs
from autodl.errors import ConfigError, DataError
from autodl.options import build_options
from autodl.records import ColumnKind


def waves(n: int = 120, seed: int = 0) -> pd.DataFrame:
    """Waves that begin anywhere: of one length or another, which no single column tells."""
    rng = np.random.default_rng(seed)
    fast = rng.integers(0, 2, n)
    steps = np.arange(40)
    values = np.sin(steps / np.where(fast, 1.6, 2.4)[:, None] + rng.uniform(0, 6.3, n)[:, None])
    values += 0.2 * rng.normal(size=values.shape)
    frame = pd.DataFrame(values.round(4), columns=[f"t{k}" for k in steps])
    return frame.assign(shop=rng.choice(["a", "b"], n), kind=np.where(fast, "fast", "slow"))


def test_columns_are_meant_by_their_ends_or_a_pattern() -> None:
    schema, frame = learn_table(waves(), target="kind")
    assert find_wide(schema, frame, {"kind"}) == []  # the data alone do not show it
    (run,) = named_runs(schema, ["t3 to t39"])
    assert run.columns == tuple(f"t{k}" for k in range(3, 40))
    assert named_runs(schema, ["t39 to t3"]) == [run]
    both = named_runs(schema, ["t?", "t??"])
    assert [len(r.columns) for r in both] == [10, 30]
    assert named_runs(schema, ["t*"], leave_out={"t5"})[0].columns[5] == "t6"


@pytest.mark.parametrize(
    ("text", "said"),
    [("x*", "names no column"), ("t7", "names only 't7'"), ("*", "names 'shop', which holds no plain numbers"),
     ("t0 to t99", "names no column")],
)  # fmt: skip
def test_what_cannot_be_steps_is_told(text: str, said: str) -> None:
    schema, _ = learn_table(waves(), target="kind")
    with pytest.raises(DataError, match=said) as caught:
        named_runs(schema, [text])
    assert len(str(caught.value).splitlines()) == 1


def test_one_word_in_every_row_is_told() -> None:
    schema, frame = learn_table(waves().assign(t3="off"), target="kind")
    with pytest.raises(DataError, match="names 't3', which holds no plain numbers"):
        named_runs(schema, ["t*"])
    with_number, frame = learn_table(waves().assign(t3=1.0), target="kind")
    rows = learn_wide(with_number, frame, named_runs(with_number, ["t*"]))[1]
    np.testing.assert_array_equal([cell[3, 0] for cell in rows["t0 to t39"].array], 1.0)


def test_rows_for_steps_and_columns_for_steps_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="exclude each other"):
        build_options(series_id="who", series_steps="t*")


def test_what_was_named_is_learnt_from_and_read_again(tmp_path: Path) -> None:
    waves().to_csv(tmp_path / "train.csv", index=False)
    asked = {"max_trials": 2, "families": ("linear",), "workers": 1, "report": False}
    run = autodl.fit(tmp_path / "train.csv", "kind", series_steps="t0 to t39", out=tmp_path / "run", **asked)
    series = run.model.manifest.features.of_kind(ColumnKind.SERIES)
    assert series == ("t0 to t39",)
    new = waves(400, seed=1)
    new.drop(columns="kind").to_csv(tmp_path / "new.csv", index=False)
    assert np.mean(run.predict(tmp_path / "new.csv")["prediction"] == new["kind"]) > 0.95
    with pytest.raises(DataError, match="lacks 't7', a step of the series"):
        run.predict(new.drop(columns=["kind", "t7"]))
