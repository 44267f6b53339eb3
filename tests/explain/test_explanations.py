from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.inspection import partial_dependence as sklearn_pd
from sklearn.inspection import permutation_importance as sklearn_permutation

from autodl.clock import NEVER, Deadline
from autodl.evaluate.base import metrics
from autodl.explain import explain
from autodl.explain.effects import direction, grid, partial_dependence
from autodl.explain.order import likely_order
from autodl.explain.permutation import permutation_importance, shuffled_copies
from autodl.records import ColumnInfo, ColumnKind, EffectPoint, Explanation, ParseRule, SeriesRule, TableSchema

K = ColumnKind
BETA = {"d": 4.0, "b": 2.0, "a": 1.0, "c": 0.0}


def schema(**kinds):
    return TableSchema(
        columns=tuple(ColumnInfo(name=n, kind=k, n=1, n_missing=0, n_unique=1) for n, k in kinds.items())
    )


def linear(frame):
    return sum(beta * frame[c].to_numpy() for c, beta in BETA.items())


def linear_problem(n=2000, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({c: rng.normal(size=n) for c in sorted(BETA)})
    return frame, linear(frame) + rng.normal(size=n)


SCHEMA = schema(**dict.fromkeys(sorted(BETA), K.NUMERIC))


def run(predict=linear, frame=None, y=None, **given):
    if frame is None:
        frame, y = linear_problem()
    options = {"metric": metrics["rmse"], "schema": SCHEMA, "model_name": "Linear", "seed": 0} | given
    return explain(predict, frame, y, **options)


def test_a_linear_model_gives_the_known_order_and_sizes():
    got = run()
    assert [i.column for i in got.importances] == ["d", "b", "a", "c"]
    # Shuffling x_j adds 2 beta_j^2 var(x_j) to the squared error, which is 1 to begin with.
    for i in got.importances:
        expected = np.sqrt(1 + 2 * BETA[i.column] ** 2) - 1
        assert i.drop == pytest.approx(expected, rel=0.06, abs=1e-9)
        assert i.low <= i.drop <= i.high
    assert got.importances[0].direction == "higher d: a higher prediction"
    assert got.importances[3].direction == ""
    assert Explanation.model_validate_json(got.model_dump_json()) == got


def test_agrees_with_scikit_learn():
    frame, y = linear_problem(600)
    forest = RandomForestRegressor(30, random_state=0).fit(frame[:300], y[:300])
    held, target = frame[300:].reset_index(drop=True), y[300:]
    ours = permutation_importance(
        forest.predict, held, target, metrics["rmse"],
        n_repeats=30, rng=np.random.default_rng(0), deadline=NEVER,
    )  # fmt: skip
    theirs = sklearn_permutation(
        forest, held, target, scoring="neg_root_mean_squared_error", n_repeats=30, random_state=1
    )
    for column, mean in zip(held.columns, theirs.importances_mean, strict=True):
        assert ours.by_column[column][0] == pytest.approx(mean, rel=0.05, abs=0.01)
    ours_pd = partial_dependence(forest.predict, held, "d", K.NUMERIC, None)
    values = np.array([p.number for p in ours_pd])
    reference = sklearn_pd(forest, held, ["d"], custom_values={"d": values}, method="brute")
    assert [p.prediction for p in ours_pd] == pytest.approx(reference["average"][0])


def test_intervals_cover_the_true_importance():
    """True importance of a known linear model: sqrt(1 + 2 beta^2) - 1."""
    truth, covered = np.sqrt(1 + 2 * BETA["b"] ** 2) - 1, 0
    for seed in range(200):
        frame, y = linear_problem(150, seed)
        got = permutation_importance(
            linear, frame, y, metrics["rmse"], n_repeats=5, rng=np.random.default_rng(seed), deadline=NEVER
        )
        covered += got.by_column["b"][1] <= truth <= got.by_column["b"][2]
    assert 182 <= covered <= 198


def weak_problem(n, rng):
    """Two classes: a matters most, b a little, d the model uses to no avail, e it ignores."""
    frame = pd.DataFrame(rng.normal(size=(n, 4)), columns=list("abde"))
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * frame["a"] - 0.8 * frame["b"]))).astype(int)
    return frame, y.to_numpy()


def weak_model(frame):
    p = 1 / (1 + np.exp(-2 * frame["a"] - 0.8 * frame["b"] - 0.2 * frame["d"]).to_numpy())
    return np.column_stack([1 - p, p])


@pytest.mark.parametrize("key", ["log_loss", "roc_auc", "accuracy"])
@pytest.mark.parametrize("given", ["alone", "weighted", "grouped"])
def test_a_column_that_the_model_ignores_has_no_importance_for_certain(key, given):
    frame, y = weak_problem(200, np.random.default_rng(0))
    options = {
        "alone": {}, "weighted": {"weight": np.linspace(0.5, 3.0, 200)}, "grouped": {"group": np.arange(200) // 4}
    }  # fmt: skip
    got = permutation_importance(
        weak_model, frame, y, metrics[key], 2,
        n_repeats=2, rng=np.random.default_rng(1), deadline=NEVER, **options[given],
    )  # fmt: skip
    assert got.by_column["e"] == (0.0, 0.0, 0.0)
    assert got.by_column["b"][1] < got.by_column["b"][0]


def test_the_noise_of_the_loss_is_not_taken_for_that_of_an_importance():
    """One shuffle finds what is there, and what is not there no more often than the level says."""
    found = dict.fromkeys("bd", 0)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        frame, y = weak_problem(200, rng)
        got = permutation_importance(
            weak_model, frame, y, metrics["log_loss"], 2, n_repeats=1, rng=rng, deadline=NEVER
        )
        for column in found:
            found[column] += got.by_column[column][1] > 0
    assert found["b"] >= 30 and found["d"] <= 4


def test_effects_count_however_far_the_predictions_lie_from_zero_or_a_few_from_the_others():
    """Numbers as of coordinates and times, and ordinary rows beside a few enormous ones."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(400, 2)), columns=["a", "b"])
    for shift, huge in ((4_864_850.0, 0.0), (0.0, 1e9)):

        def model(rows, shift=shift, huge=huge):
            return shift + 2 * rows["a"].to_numpy() + rows["b"].to_numpy() + huge * (rows["a"].to_numpy() > 2.5)

        y = model(frame) + rng.normal(size=400)
        got = permutation_importance(
            model, frame, y, metrics["mae"], n_repeats=2, rng=np.random.default_rng(1), deadline=NEVER
        )
        drop, low, _ = got.by_column["b"]
        assert low > 0
        assert drop == pytest.approx((3**0.5 - 1) * (2 / np.pi) ** 0.5, abs=0.1)


def test_the_last_digits_of_a_batch_are_no_effect():
    """Networks answer in single precision, which differs between batches of other sizes."""
    frame, y = weak_problem(200, np.random.default_rng(0))

    def network(f):
        return weak_model(f) + (1e-7 if len(f) == 200 else 0.0)

    got = permutation_importance(
        network, frame, y, metrics["log_loss"], 2, n_repeats=2, rng=np.random.default_rng(1), deadline=NEVER
    )
    assert got.by_column["e"] == (0.0, 0.0, 0.0) and got.by_column["b"][1] > 0


def test_copies_shuffle_one_column_each_and_keep_dtypes():
    frame = pd.DataFrame(
        {"x": [1.0, 2.0, 3.0], "c": ["a", None, "b"], "t": pd.to_datetime(["2020-01-01", None, "2021-01-01"])}
    )
    order = np.array([2, 0, 1])
    both = shuffled_copies(frame, [("x", order), ("c", order)])
    assert list(both.dtypes) == list(frame.dtypes)
    assert both["x"].tolist() == [3.0, 1.0, 2.0, 1.0, 2.0, 3.0]
    assert both["c"].tolist() == ["a", None, "b", "b", "a", None]
    pd.testing.assert_series_equal(both["t"][:3], frame["t"])


def mixed(n=1500):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 10, n),
            "sex": rng.choice(["f", "m", "x"], n).astype(object),
            "old": rng.integers(0, 2, n).astype(float),
            "when": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 600, n), unit="D"),
            "words": rng.choice(["some text", "other text"], n).astype(object),
            "hump": rng.normal(size=n),
        }
    )
    frame.loc[:20, ["age", "sex"]] = [np.nan, None]
    frame["sex"] = frame["sex"].astype(object).where(frame["sex"].notna(), None)
    kinds = schema(
        age=K.NUMERIC, sex=K.CATEGORICAL, old=K.BOOLEAN, when=K.DATETIME, words=K.TEXT, hump=K.NUMERIC
    )  # fmt: skip
    return frame, kinds


def mixed_model(frame):
    days = (frame["when"] - pd.Timestamp("2020-01-01")).dt.days.to_numpy()
    score = -0.1 * (frame["age"].fillna(40).to_numpy() - 40) + 1.5 * (frame["sex"] == "f").to_numpy()
    score = score - (frame["sex"] == "x").to_numpy() + frame["old"].to_numpy() + 0.003 * days
    score = score + 1.5 * (frame["words"] == "some text").to_numpy() - 1.5 * frame["hump"].to_numpy() ** 2
    p = 1 / (1 + np.exp(-score))
    return np.column_stack([1 - p, p])


def test_directions_in_words_for_every_kind():
    frame, kinds = mixed()
    y = (np.random.default_rng(1).random(len(frame)) < mixed_model(frame)[:, 1]).astype(int)
    got = run(mixed_model, frame, y, metric=metrics["log_loss"], schema=kinds, classes=("lived", "died"))
    words = {i.column: i.direction for i in got.importances}
    assert words["age"] == "higher age: less likely 'died'"
    assert words["sex"] == "most likely 'died' for 'f', least likely for 'x'"
    assert words["old"] == "old = yes: more likely 'died'"
    assert words["when"] == "later when: more likely 'died'"
    assert words["words"] == words["hump"] == ""
    by_name = {i.column: i for i in got.importances}
    assert by_name["words"].effect == () and by_name["words"].low > 0
    assert len(by_name["age"].effect) == 10 and by_name["age"].effect[0].number is not None
    assert [p.value for p in by_name["old"].effect] == ["no", "yes"]
    assert by_name["when"].effect[0].value.startswith("2020-")
    assert got.positive_class == "died"


def test_several_classes_speak_of_the_most_frequent():
    frame, y = linear_problem(300)
    codes = np.digitize(y, [-1.0, 6.0])
    three = lambda f: np.eye(3)[np.digitize(linear(f), [-1.0, 6.0])] * 0.8 + 0.2 / 3  # noqa: E731
    got = run(three, frame, codes, metric=metrics["log_loss"], classes=("low", "mid", "high"))
    assert got.positive_class == ("low", "mid", "high")[np.bincount(codes).argmax()]
    assert got.importances[0].column == "d"


def test_the_class_spoken_of_is_that_of_all_rows_by_their_weights():
    """The report names the usual class of all test rows: a sample of few, or unweighted ones, may have another."""
    frame, _ = linear_problem(1000)
    codes = np.repeat([0, 1, 2], [300, 340, 360])
    even = lambda f: np.full((len(f), 3), 1 / 3)  # noqa: E731
    given = {"metric": metrics["log_loss"], "classes": ("low", "mid", "high"), "max_rows": 20}
    said = {run(even, frame, codes, seed=seed, **given).positive_class for seed in range(8)}
    assert said == {"high"}
    assert run(even, frame, codes, weight=np.where(codes == 0, 5.0, 1.0), **given).positive_class == "low"


def test_at_most_six_effects_and_ten_points():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 9)), columns=[f"x{i}" for i in range(9)])
    weights = np.arange(9.0)
    predict = lambda f: f.to_numpy() @ weights  # noqa: E731
    got = run(predict, frame, predict(frame), schema=schema(**dict.fromkeys(frame, K.NUMERIC)))
    drawn = [i for i in got.importances if i.effect]
    assert [i.column for i in drawn] == ["x8", "x7", "x6", "x5", "x4", "x3"]
    assert all(len(i.effect) <= 10 for i in drawn)


def test_rows_are_sampled_and_the_seed_settles_them():
    frame, y = linear_problem(3000)
    one, two = run(frame=frame, y=y, max_rows=500), run(frame=frame, y=y, max_rows=500)
    assert one == two and one.n_rows == 500
    assert run(frame=frame, y=y, max_rows=500, seed=1) != one


def test_the_deadline_cuts_and_says_so():
    frame, y = linear_problem(500)

    def slow(f):
        time.sleep(len(f) / 5000)
        return linear(f)

    got = run(slow, frame, y, n_repeats=50, deadline=Deadline.after(1.5))
    assert got.importances and got.n_repeats < 50
    assert "time" in got.note
    assert run(slow, frame, y, deadline=Deadline(0.0)) is None


def test_direction_needs_a_trend():
    def points(*heights):
        return tuple(EffectPoint(value=str(i), number=i, prediction=h) for i, h in enumerate(heights))

    assert direction("x", K.NUMERIC, points(1, 2, 3, 4), None) == "higher x: a higher prediction"
    assert direction("x", K.NUMERIC, points(4, 3, 2, 1), "yes") == "higher x: less likely 'yes'"
    assert direction("x", K.NUMERIC, points(1, 4, 1, 4, 1), None) == ""
    assert direction("x", K.NUMERIC, points(2, 2, 2), None) == ""
    assert direction("x", K.NUMERIC, points(2), None) == ""


def test_long_names_are_shortened_in_a_direction_and_stay_apart():
    values = [f"{'v' * 40}{k}{'w' * 40}" for k in range(2)]
    effect = tuple(EffectPoint(value=v, prediction=h) for v, h in zip(values, (1.0, 2.0), strict=True))
    words = direction("c" * 500, K.CATEGORICAL, effect, "o" * 500)
    top, bottom = words.split("' for '")[1].split("', least likely for '")
    assert len(words) < 150 and top != bottom.rstrip("'")
    steps = tuple(EffectPoint(value=str(k), number=k, prediction=k) for k in range(3))
    assert len(direction("c" * 500, K.NUMERIC, steps, "o" * 500)) < 100


@pytest.mark.parametrize(
    ("heights", "words"),
    [
        ([5, 5, 5, 5, 5, 6, 5, 5, 5, 5], ""),
        ([5, 5, 5, 5, 5, 4, 5, 5, 5, 5], ""),
        ([6] * 5 + [5] * 5, "higher x: a lower prediction"),
        ([5] * 9 + [6], "higher x: a higher prediction"),
        ([3, 3, 3, 2, 2, 2, 1, 1, 1, 1], "higher x: a lower prediction"),
        ([5, 5, 5 + 1e-12, 5, 6, 6, 6, 6, 6, 6], "higher x: a higher prediction"),
    ],
)
def test_the_steps_of_trees_have_a_direction_and_a_bump_has_none(heights, words):
    effect = tuple(EffectPoint(value=str(i), number=i, prediction=h) for i, h in enumerate(heights))
    assert direction("x", K.NUMERIC, effect, None) == words


@pytest.mark.parametrize("key", ["median_ae", "r2", "mae"])
def test_other_metrics_point_the_same_way(key):
    got = run(metric=metrics[key], max_rows=400)
    assert [i.column for i in got.importances][:3] == ["d", "b", "a"]
    assert got.importances[0].low > 0


def test_no_heavy_library_is_imported():
    heavy = "{'torch', 'sklearn', 'pandas', 'scipy'}"
    code = f"import sys, autodl.explain, autodl.ensemble; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "set()\n"


def test_shuffles_do_not_depend_on_the_size_of_the_batches(monkeypatch):
    frame, y = linear_problem(300)
    found = []
    for rows in (300, 20_000):
        monkeypatch.setattr("autodl.explain.permutation.BATCH_ROWS", rows)
        found.append(
            permutation_importance(
                linear, frame, y, metrics["rmse"], n_repeats=3, rng=np.random.default_rng(0), deadline=NEVER
            )
        )
    assert found[0] == found[1]


def test_row_orders_not_yet_needed_take_no_memory():
    n, p, repeats = 200, 100, 2000
    frame = pd.DataFrame(np.zeros((n, p)))
    tracemalloc.start()
    try:
        got = permutation_importance(
            lambda f: np.zeros(len(f)), frame, np.zeros(n), metrics["mae"],
            n_repeats=repeats, rng=np.random.default_rng(0), deadline=Deadline.after(0.0),
        )  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got.cut
    assert peak < n * p * repeats * 8 / 10


def test_where_time_is_short_the_columns_that_matter_come_first():
    rng = np.random.default_rng(0)
    n = 400
    frame = pd.DataFrame({f"x{i}": rng.normal(size=n) for i in range(8)})
    frame["key"] = [f"k{i}" for i in rng.permutation(n)]
    frame["kind"] = rng.choice(["a", "b", "c"], n)
    frame.loc[::7, "x7"] = np.nan
    y = 3 * frame["x7"].fillna(0).to_numpy() + 2 * (frame["kind"] == "b").to_numpy() + rng.normal(size=n)
    order = likely_order(frame, y, 0, seed=0)
    assert set(order[:2]) == {"x7", "kind"} and sorted(order) == sorted(frame.columns)
    assert likely_order(frame, (y > 1).astype(int), 2, seed=0)[0] in {"x7", "kind"}
    got = permutation_importance(
        lambda f: np.zeros(len(f)), frame, y, metrics["mae"],
        n_repeats=1, rng=rng, deadline=Deadline.after(0.0), first=order,
    )  # fmt: skip
    assert got.cut and set(got.by_column) == {order[0]}


def test_importances_of_alike_rows_are_less_certain():
    """Each row stands 20 times: 2,000 rows tell no more than 100."""
    once, y = linear_problem(100)
    group = np.repeat(np.arange(100), 20)
    often, target = once.loc[group].reset_index(drop=True), y[group]
    widths = {}
    for name, given in {"alone": None, "grouped": group}.items():
        got = run(frame=often, y=target, group=given, max_rows=1_000)
        widths[name] = got.importances[0].high - got.importances[0].low
    assert widths["grouped"] > 1.5 * widths["alone"]


def test_moments_of_one_day_are_other_points():
    times = pd.Series(pd.date_range("2024-05-01", periods=500, freq="min"))
    points = grid(times, K.DATETIME)
    assert len({p.value for p in points}) == len(points) == 10
    assert [pd.Timestamp(p.value) for p in points] == sorted(pd.Timestamp(p.value) for p in points)
    assert grid(times.dt.floor("D"), K.DATETIME)[0].value == "2024-05-01"


def test_large_numbers_are_named_in_full():
    assert [p.value for p in grid(pd.Series([1_234_567.0, 1_234_568.0]), K.NUMERIC)] == ["1234567", "1234568"]


def test_series_and_their_steps_are_shuffled_as_one():
    """A model may read the series or its steps: shuffled alone, each would look as if it did nothing."""
    from autodl.data.series.cells import series_cells

    rng = np.random.default_rng(0)
    n, steps = 400, tuple(f"t{i}" for i in range(24))
    values = rng.normal(size=(n, 1)) + 0.1 * rng.normal(size=(n, 24))
    frame = pd.DataFrame(values, columns=list(steps)).assign(x=rng.normal(size=n))
    frame["t0 to t23"] = series_cells(list(values.astype(np.float32)))
    rule = ParseRule(series=SeriesRule(channels=1, columns=steps))
    kinds = schema(**dict.fromkeys((*steps, "x"), K.NUMERIC))
    series = ColumnInfo(name="t0 to t23", kind=K.SERIES, n=n, n_missing=0, n_unique=n, parse=rule)
    kinds = TableSchema(columns=(*kinds.columns, series))

    def both(f):
        return np.array([cell.mean() for cell in f["t0 to t23"].array]) + f[list(steps)].to_numpy().mean(axis=1)

    y = both(frame) + 0.5 * rng.normal(size=n)
    got = run(both, frame, y, schema=kinds)
    assert [i.column for i in got.importances] == ["t0 to t23", "x"] and got.n_columns == 2
    # All of y but its noise is lost: the error grows from 0.5 to sqrt(0.25 + 2 * 4 * 1).
    assert got.importances[0].drop == pytest.approx(np.sqrt(8.25) - 0.5, rel=0.1)
    assert "together with the columns that are its steps" in got.note and "ran out" not in got.note
    timed = run(both, frame, y, schema=kinds, deadline=Deadline.after(20.0))
    assert {i.column for i in timed.importances} == {"t0 to t23", "x"}


def test_what_may_have_no_effect_gets_no_words_and_no_chart():
    frame, y = linear_problem()
    got = run(lambda f: linear(f) + 1e-3 * f["c"].to_numpy(), frame, y)
    last = got.importances[-1]
    assert last.column == "c" and last.low <= 0 <= last.high
    assert last.direction == "" and last.effect == () and len(got.importances[0].effect) == 10
    idle = run(lambda f: 1e-3 * f["c"].to_numpy(), frame[["c"]].assign(e=frame["d"]), y)
    assert idle.importances[0].low <= 0
    assert [len(i.effect) for i in idle.importances] == [10, 0] and idle.importances[0].direction == ""


def test_columns_of_mostly_one_value_have_points_for_the_others():
    column = pd.Series([0.0] * 970 + list(range(1, 31)))
    values = [p.number for p in grid(column, K.NUMERIC)]
    assert values[0] == 0.0 and len(values) == 10 and values == sorted(set(values)) and values[-1] >= 28
    days = pd.Series([pd.Timestamp("2024-01-01")] * 970 + list(pd.date_range("2024-02-01", periods=30)))
    assert len(grid(days, K.DATETIME)) == 10
