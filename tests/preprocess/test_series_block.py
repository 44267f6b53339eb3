"""Series as columns: what is missing, how they are scaled, that they are stored, and that folds do not leak."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.media.array import MediaArray
from autodl.media.writing import write_series
from autodl.preprocess import Preparer, series_values
from autodl.preprocess.series_block import SeriesBlock, convolved_lengths, series_width
from autodl.preprocess.series_rocket import MiniRocket
from autodl.preprocess.series_summary import summary_names
from autodl.records import ColumnInfo, ColumnKind, ParseRule, Recipe, SeriesRule, TableSchema, Task
from autodl.serialize import dump, load

N = 40
Y = np.arange(N) % 2


def schema() -> TableSchema:
    series = ColumnInfo(name="walk", kind=ColumnKind.SERIES, n=N, n_missing=0, n_unique=N)
    age = ColumnInfo(name="age", kind=ColumnKind.NUMERIC, n=N, n_missing=0, n_unique=N)
    return TableSchema(columns=(series, age))


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    """Two channels of unequal lengths, in other units."""
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(int(t), 2)).cumsum(axis=0) * [1.0, 1000.0] for t in rng.integers(10, 30, N)]
    store = write_series(tmp_path / "store", series, 2)
    return pd.DataFrame({"walk": MediaArray.whole(store), "age": np.arange(float(N))})


def prepared(recipe: Recipe, frame: pd.DataFrame) -> tuple[Preparer, np.ndarray]:
    preparer = Preparer(recipe, schema(), Task.CLASSIFICATION)
    return preparer, preparer.fit_transform(frame, Y[: len(frame)]).dense()


@pytest.mark.parametrize("kind", ["summary", "rocket", "both"])
def test_scaled_columns_have_mean_zero_and_spread_one(frame: pd.DataFrame, kind: str) -> None:
    recipe = Recipe(series=kind, series_features=200, scale="standard")
    preparer = Preparer(recipe, schema().only(["walk"]), Task.CLASSIFICATION)
    found = preparer.fit_transform(frame, Y).dense()
    assert found.shape[1] == series_width(recipe, 20, 2)
    spread = found.std(axis=0)
    np.testing.assert_allclose(found.mean(axis=0), 0.0, atol=1e-3)
    np.testing.assert_allclose(spread[spread > 0], 1.0, atol=1e-2)
    again = preparer.transform(frame)
    np.testing.assert_array_equal(again.dense(), found)
    assert len(again.numeric_names) == found.shape[1]
    expected = {"summary": "walk:steps", "rocket": "walk:convolution 1", "both": "walk:steps"}[kind]
    assert again.numeric_names[0] == expected


def columns(kind: ColumnKind, *names: str, steps: tuple[str, ...] = ()) -> list[ColumnInfo]:
    rule = ParseRule(series=SeriesRule(channels=1, columns=steps)) if steps else ParseRule()
    return [ColumnInfo(name=name, kind=kind, n=N, n_missing=0, n_unique=N, parse=rule) for name in names]


STEPS = tuple(f"t{k}" for k in range(36))
WALK, TWO = columns(ColumnKind.SERIES, "walk"), columns(ColumnKind.SERIES, "walk", "run")
AGE, SAME = columns(ColumnKind.NUMERIC, "age"), columns(ColumnKind.CONSTANT, "same")
WIDE = columns(ColumnKind.NUMERIC, *STEPS) + columns(ColumnKind.SERIES, "t0 to t35", steps=STEPS)


@pytest.mark.parametrize(
    ("known", "classes", "numbers"),
    [
        (WALK, (0.0,), (3.0,)),
        (WALK + SAME, (0.0,), (3.0,)),
        (WALK + AGE, (3.0,), (3.0,)),
        (TWO + AGE, (3.0 / 2**0.5,) * 2, (3.0 / 2**0.5,) * 2),
        (WIDE, (0.0,), (0.0,)),
        (WIDE + AGE, (6.0,), (6.0,)),
        (WIDE[-1:] + AGE, (3.0,), (3.0,)),
    ],
    ids=["alone", "constant", "number", "two", "wide", "wide and number", "steps left out"],
)
def test_convolutions_weigh_as_much_as_what_stands_beside_them(
    known: list[ColumnInfo], classes: tuple[float, ...], numbers: tuple[float, ...]
) -> None:
    table = TableSchema(columns=tuple(known))
    assert convolved_lengths(table, Task.CLASSIFICATION) == pytest.approx(classes)
    assert convolved_lengths(table, Task.REGRESSION) == pytest.approx(numbers)


@pytest.mark.parametrize(("names", "task"), [(["walk", "age"], Task.CLASSIFICATION), (["walk"], Task.REGRESSION)])
def test_thousands_of_columns_do_not_drown_others(frame: pd.DataFrame, names: list[str], task: Task) -> None:
    preparer = Preparer(Recipe(series="rocket", series_features=840, scale="standard"), schema().only(names), task)
    found = preparer.fit_transform(frame, Y).dense()
    convolved = found[:, ["convolution" in name for name in preparer.transform(frame).numeric_names]]
    assert np.square(convolved).sum(axis=1).mean() ** 0.5 == pytest.approx(3.0, rel=1e-3)
    spread = convolved.std(axis=0)
    np.testing.assert_allclose(spread[spread > 0], spread.max(), rtol=1e-2)


def test_none_leaves_the_series_out(frame: pd.DataFrame) -> None:
    assert prepared(Recipe(series="none"), frame)[1].shape == (N, 1)


@pytest.mark.parametrize("kind", ["summary", "rocket"])
def test_a_missing_series_is_the_mean_one_and_told(frame: pd.DataFrame, kind: str) -> None:
    some = frame.copy()
    some["walk"] = some["walk"].array.take(np.array([-1, *range(1, N)]), allow_fill=True)
    preparer, found = prepared(Recipe(series=kind, series_features=84, scale="standard"), some)
    assert np.isfinite(found).all()
    assert found[:, -1].tolist() == [1.0] + [0.0] * (N - 1)
    np.testing.assert_allclose(found[0, 1:-1], 0.0, atol=1e-5)
    gone = preparer.transform(some.iloc[:1]).dense()
    np.testing.assert_array_equal(gone, found[:1])
    nowhere = Preparer(Recipe(series=kind), schema(), Task.CLASSIFICATION)
    empty = some.iloc[[0, 0]].reset_index(drop=True)
    assert np.isfinite(nowhere.fit_transform(empty, Y[:2]).dense()).all()
    assert nowhere.transform(frame).dense().shape == (N, 2)


def test_trees_see_gaps_as_gaps(frame: pd.DataFrame) -> None:
    some = frame.copy()
    some["walk"] = some["walk"].array.take(np.array([-1, *range(1, N)]), allow_fill=True)
    _, found = prepared(Recipe(series="summary", impute="none"), some)
    assert np.isnan(found[0, 1 : 1 + len(summary_names(2))]).all()


def test_a_gap_that_no_training_row_has_is_filled_for_trees_too(frame: pd.DataFrame) -> None:
    some = frame.copy()
    some["walk"] = some["walk"].array.take(np.array([-1, *range(1, N)]), allow_fill=True)
    preparer, found = prepared(Recipe(series="both", series_features=84, impute="none"), frame)
    gone = preparer.transform(some).dense()
    np.testing.assert_allclose(gone[0, 1:], found[:, 1:].mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(gone[1:], found[1:])


def test_rows_outside_the_training_teach_nothing(frame: pd.DataFrame) -> None:
    """The learnt state is a function of the training rows alone."""
    recipe = Recipe(series="both", series_features=84, scale="standard")
    train = frame.iloc[:20].reset_index(drop=True)
    one, _ = prepared(recipe, train)
    other = Preparer(recipe, schema(), Task.CLASSIFICATION)
    other.fit_transform(frame.iloc[:20], Y[:20])
    np.testing.assert_array_equal(one.transform(frame).dense(), other.transform(frame).dense())
    np.testing.assert_array_equal(one.transform(frame.iloc[30:31]).dense()[0], one.transform(frame).dense()[30])


@pytest.mark.parametrize("kind", ["summary", "rocket"])
def test_what_is_learnt_is_stored(frame: pd.DataFrame, kind: str) -> None:
    preparer, found = prepared(Recipe(series=kind, series_features=84, scale="standard"), frame)
    for kept in (load(dump(preparer)), pickle.loads(pickle.dumps(preparer))):
        np.testing.assert_array_equal(kept.transform(frame).dense(), found)


def test_where_a_series_ends_is_seen(tmp_path: Path) -> None:
    """The same wave, cut off early or late: shares of what is there alone would be alike."""
    series = [np.sin(np.arange(10 if one else 30) * 1.3 + k)[:, None] for k, one in enumerate(Y)]
    some = pd.DataFrame({"walk": MediaArray.whole(write_series(tmp_path / "ends", series, 1))})
    block = SeriesBlock(("walk",), Recipe(series="rocket", series_features=84, scale="none"), 0)
    found = block.fit_transform(some, Y)
    assert block.learnt[0].length == 30
    gap = np.abs(found[Y == 1].mean(axis=0) - found[Y == 0].mean(axis=0))
    assert gap.max() > 0.2
    longer = MediaArray.whole(write_series(tmp_path / "longer", [np.ones((90, 1)), np.ones((5, 1))], 1))
    alone = block.transform(pd.DataFrame({"walk": longer[1:]}))
    np.testing.assert_array_equal(block.transform(pd.DataFrame({"walk": longer}))[1], alone[0])


@pytest.mark.parametrize("cells", [1 << 24, 600])
def test_what_is_held_at_a_time_does_not_follow_the_longest_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: int
) -> None:
    rng = np.random.default_rng(0)
    series = [rng.normal(size=(30, 1)) for _ in range(N - 1)]
    some = pd.DataFrame({"walk": MediaArray.whole(write_series(tmp_path, [*series, rng.normal(size=(9_000, 1))], 1))})
    seen: list[tuple[int, ...]] = []
    learn = MiniRocket.fit
    monkeypatch.setattr(MiniRocket, "fit", lambda self, v: (seen.append(v.values.shape), learn(self, v))[1])
    monkeypatch.setattr(series_values, "PART_CELLS", cells)
    block = SeriesBlock(("walk",), Recipe(series="rocket", series_features=84), 0)
    assert np.isfinite(block.fit_transform(some, Y)).all()
    assert block.learnt[0].length == 120
    assert seen == [(120, min(N - 1, cells // 120), 1)]
    # Short series at prediction are filled up, too.
    sizes = [rows.stop - rows.start for rows, _ in series_values.parts(some["walk"].array[:9].batch, 1, 120)]
    assert max(sizes) == min(9, cells // 120)


def test_channels_count_alike_whatever_their_units(frame: pd.DataFrame) -> None:
    block = SeriesBlock(("walk",), Recipe(series="rocket", series_features=84), 0)
    block.fit_transform(frame, Y)
    learnt = block.learnt[0]
    assert isinstance(learnt.rocket, MiniRocket)
    assert learnt.factor[0] / learnt.factor[1] == pytest.approx(1000, rel=0.6)
    assert block.transform(frame.iloc[:0]).shape == (0, 84)
