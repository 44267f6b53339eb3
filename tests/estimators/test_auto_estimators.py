"""The estimators inside scikit-learn: pipelines, searches, cross-validation, labels and inputs of all kinds."""

from __future__ import annotations

import inspect
import pickle
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_is_fitted

import autodl
from autodl import AutoClassifier, AutoRegressor
from autodl.errors import AutodlError, ConfigError, DataError
from autodl.estimators import inputs
from autodl.estimators.base import resolve_seed
from autodl.machine import Machine
from autodl.media.place import process_place
from autodl.records import ColumnKind

CHEAP: dict[str, Any] = {"max_trials": 2, "families": ("linear",)}


def table(n: int = 90, seed: int = 0) -> tuple[pd.DataFrame, pd.Series]:
    """Mixed columns with gaps, and a rule that a linear model finds."""
    rng = np.random.default_rng(seed)
    size, colour = rng.normal(size=n), rng.choice(["red", "green", "blue"], n)
    X = pd.DataFrame({"size": size, "colour": colour, "visits": rng.integers(0, 9, n), "noise": rng.normal(size=n)})
    X.loc[::11, "size"] = np.nan
    y = pd.Series(np.where(2 * size + (colour == "red") > 0.3, "yes", "no"), name="bought")
    return X, y


X, Y = table()
NEW, _ = table(20, seed=1)


@pytest.fixture(scope="module")
def fitted() -> AutoClassifier:
    return AutoClassifier(**CHEAP).fit(X, Y)


def test_parameters_are_those_of_fit() -> None:
    own = set(inspect.signature(AutoClassifier.__init__).parameters) - {"self", "random_state"}
    assert own < set(inspect.signature(autodl.fit).parameters)
    assert set(AutoRegressor().get_params()) == own | {"random_state", "quantiles"}


def test_in_a_pipeline_with_pandas_output() -> None:
    columns = ColumnTransformer(
        [("words", OneHotEncoder(sparse_output=False), ["colour"]), ("numbers", StandardScaler(), ["size", "visits"])]
    ).set_output(transform="pandas")
    pipe = make_pipeline(columns, AutoClassifier(**CHEAP)).fit(X, Y)
    names = pipe[-1].feature_names_in_.tolist()
    assert names == [
        "words__colour_blue",
        "words__colour_green",
        "words__colour_red",
        "numbers__size",
        "numbers__visits",
    ]
    assert pipe.score(X, Y) > 0.8
    assert pipe.predict(NEW).tolist() == pipe[-1].predict(columns.transform(NEW)).tolist()


def test_with_a_sparse_transformer_in_front() -> None:
    pipe = make_pipeline(OneHotEncoder(sparse_output=True), AutoClassifier(**CHEAP)).fit(X[["colour", "visits"]], Y)
    assert pipe.predict(X[["colour", "visits"]]).shape == (len(X),)


def test_cross_validation_and_grid_search() -> None:
    assert cross_val_score(AutoClassifier(**CHEAP), X, Y, cv=2, error_score="raise").mean() > 0.75
    answers = cross_val_predict(AutoClassifier(**CHEAP), X, Y, cv=2, method="predict_proba")
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    grid = GridSearchCV(
        AutoClassifier(**CHEAP),
        {"families": [("dummy",), ("linear",)], "preset": ["fast"]},
        cv=2,
        error_score="raise",
    ).fit(X, Y)
    assert grid.best_params_ == {"families": ("linear",), "preset": "fast"}
    assert grid.predict(NEW).shape == (20,)


YES = (Y == "yes").to_numpy()


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (YES, [False, True]),
        (YES.tolist(), [False, True]),
        (YES.astype(int), [0, 1]),
        (np.where(YES, 1.5, -1.0) * 2, [-2.0, 3.0]),
        (np.where(YES, "yes", "no"), ["no", "yes"]),
        (np.where(YES, "NA", "").astype(object), ["", "NA"]),
        (Y, ["no", "yes"]),
        (Y.astype("category"), ["no", "yes"]),
        (Y.astype("string"), ["no", "yes"]),
        (pd.Series(YES).astype("boolean"), [False, True]),
        (pd.Series(YES.astype(int)).astype("Int64"), [0, 1]),
        (pl.Series(Y.tolist()), ["no", "yes"]),
        (pa.array(Y.tolist()), ["no", "yes"]),
    ],
    ids=lambda v: f"{type(v).__name__}-{getattr(v, 'dtype', '')}" if not isinstance(v, list) else "",
)
def test_labels_come_back_as_they_were(y: Any, classes: list[Any]) -> None:
    model = AutoClassifier(**CHEAP).fit(X, y)
    assert model.classes_.tolist() == classes
    answers = model.predict(X)
    assert answers.dtype == model.classes_.dtype
    # The order of the probabilities is that of the classes, whatever their names look like.
    agree = (answers == np.where(YES, classes[1], classes[0])).mean()
    assert agree > 0.75
    assert ((model.predict_proba(X)[:, 1] > 0.5) == YES).mean() > 0.75


def test_many_classes_keep_their_order() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(12) * 10 - 30, 12)  # -30, -20, ..., 80: as words they would sort otherwise
    rows = 5.0 * (y[:, None] == np.unique(y)) + rng.normal(size=(len(y), 12))
    model = AutoClassifier(**CHEAP).fit(rows, y)
    assert model.classes_.tolist() == sorted(set(y.tolist()))
    assert model.score(rows, y) > 0.8


@pytest.mark.parametrize("kind", [pl.from_pandas, pa.Table.from_pandas, lambda f: pl.from_pandas(f).lazy()])
def test_frames_of_other_libraries_predict_as_pandas_does(fitted: AutoClassifier, kind: Any) -> None:
    np.testing.assert_allclose(fitted.predict_proba(kind(NEW)), fitted.predict_proba(NEW))
    again = AutoClassifier(**CHEAP).fit(kind(X), Y)
    assert again.feature_names_in_.tolist() == list(X.columns)
    np.testing.assert_allclose(again.predict_proba(NEW), fitted.predict_proba(NEW), atol=1e-6)


def test_dtypes_of_pandas_do_not_change_the_answers(fitted: AutoClassifier) -> None:
    other = NEW.astype({"colour": "category", "visits": "Int64"}).convert_dtypes()
    np.testing.assert_allclose(fitted.predict_proba(other), fitted.predict_proba(NEW))
    repeated = NEW.set_axis(np.zeros(len(NEW), dtype=int), axis=0)
    np.testing.assert_allclose(fitted.predict_proba(repeated), fitted.predict_proba(NEW))


def test_sparse_rows_are_read_like_full_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    full = np.where(rng.random((80, 6)) < 0.6, 0.0, rng.normal(size=(80, 6)))
    y = full @ np.arange(6.0)
    model = AutoRegressor(**CHEAP).fit(sparse.csr_matrix(full), y)
    np.testing.assert_allclose(model.predict(sparse.coo_array(full)), model.predict(full))
    monkeypatch.setattr("autodl.machine.this_machine", lambda: Machine(cores=1, memory_bytes=8_000.0, speed=1.0))
    with pytest.raises(DataError, match="TruncatedSVD"):
        model.predict(sparse.csr_matrix(full))
    assert full.nbytes > inputs.DENSE_SHARE * 8_000


def test_predictions_leave_no_series_among_the_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.cumsum(np.random.default_rng(0).normal(size=(60, 30)), axis=1)
    wide = pd.DataFrame(values, columns=[f"t{k}" for k in range(30)])
    model = AutoClassifier(**CHEAP).fit(wide, values[:, 20] > 0)
    assert "t0 to t29" in model.model_.manifest.features.names
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    process_place.cache_clear()
    assert len(model.predict(wide)) == 60
    assert not list(tmp_path.iterdir())


def test_the_given_data_stay_as_they_are() -> None:
    before_X, before_y = X.copy(deep=True), Y.copy(deep=True)
    AutoClassifier(**CHEAP).fit(X, Y).predict(X)
    pd.testing.assert_frame_equal(X, before_X)
    pd.testing.assert_series_equal(Y, before_y)


@pytest.mark.parametrize("family", ["linear", "lightgbm", pytest.param("mlp", marks=pytest.mark.slow)])
def test_a_pickled_estimator_needs_no_folder(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = AutoClassifier(max_trials=2, families=family).fit(X[:50], Y[:50])
    assert list(tmp_path.glob("autodl-*")) == [], "the temporary folder is gone"
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(NEW), model.predict_proba(NEW))
    check_is_fitted(loaded)
    assert not hasattr(clone(loaded), "model_")


def test_the_same_seed_gives_the_same_model() -> None:
    def proba(seed: Any) -> np.ndarray:
        model = AutoClassifier(max_trials=2, families=("lightgbm",), random_state=seed)
        return model.fit(X, Y).predict_proba(NEW)

    np.testing.assert_array_equal(proba(3), proba(3))
    assert not np.array_equal(proba(3), proba(4))


def test_the_seed_follows_scikit_learns_conventions() -> None:
    assert resolve_seed(3) == 3
    assert resolve_seed(np.random.RandomState(3)) == resolve_seed(np.random.RandomState(3))
    assert resolve_seed(np.random.RandomState(3)) != resolve_seed(np.random.RandomState(4))
    np.random.seed(0)
    first, second = resolve_seed(None), resolve_seed(None)
    assert first != second, "None draws from numpy's state"
    np.random.seed(0)
    assert resolve_seed(None) == first


def test_a_clock_makes_it_non_deterministic_and_a_trial_count_does_not() -> None:
    assert AutoClassifier().__sklearn_tags__().non_deterministic
    assert AutoClassifier(max_trials=3, time_budget=90).__sklearn_tags__().non_deterministic
    assert not AutoClassifier(max_trials=3).__sklearn_tags__().non_deterministic
    tags = AutoRegressor().__sklearn_tags__().input_tags
    assert (tags.allow_nan, tags.sparse, tags.string, tags.categorical) == (True, True, True, True)


def test_out_keeps_a_run_with_its_report_for_each_fit(tmp_path: Path) -> None:
    model = AutoClassifier(**CHEAP, out=tmp_path / "kept").fit(X, Y)
    first = model.run_
    assert first is not None
    text = first.report_path.read_text("utf-8")
    assert "bought" in text
    assert "yes" in text
    model.fit(X, Y)
    assert model.run_ is not None
    assert model.run_.folder != first.folder
    assert {p.name for p in (tmp_path / "kept").iterdir()} == {first.folder.name, model.run_.folder.name}


def test_without_out_nothing_is_explained_or_drawn(fitted: AutoClassifier) -> None:
    assert fitted.run_ is None
    assert {s.name for s in fitted.record_.stages} >= {"search", "refit"}
    assert not {s.name for s in fitted.record_.stages} & {"explain", "report"}
    assert fitted.record_.options["report"] is False
    assert fitted.record_.target == "bought"
    assert set(fitted.record_.test), "the test rows are scored all the same"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"time_budget": -1}, "time_budget '-1.0' must be above zero"),
        ({"time_budget": "soon"}, "is not a duration"),
        ({"max_trials": 0}, "max_trials must be at least 1, but got 0"),
        ({"families": ("liner",)}, "Did you mean 'linear'?"),
        ({"metric": "acuracy"}, "Did you mean 'accuracy'?"),
        ({"metric": "rmse"}, "rmse"),
        ({"preset": "quick"}, "unknown preset 'quick'"),
        ({"random_state": "x"}, "seed must be a whole number, but got 'x'"),
        ({"random_state": -1}, "seed must lie between 0"),
    ],
)
def test_bad_parameters_are_told_by_fit_not_by_init(changed: dict[str, Any], said: str) -> None:
    model = AutoClassifier(**{**CHEAP, **changed})
    assert model.get_params().items() >= changed.items()
    with pytest.raises(ConfigError, match=said) as told:
        model.fit(X, Y)
    assert isinstance(told.value, ValueError)


@pytest.mark.parametrize(
    ("rows", "y", "said"),
    [
        (X, Y.where(Y == "yes"), "NaN|missing|unknown"),
        (X, np.ones(len(X)), "1 class"),
        (X, None, "requires y"),
        (X[:50], Y, "inconsistent numbers of samples"),
        (X.assign(z=1j), Y, "complex"),
        (np.ones((len(X), 2)) * 1j, Y, "Complex data"),
        (X.set_axis(["a", "b", "a", "c"], axis=1), Y, "'a'"),
        (X[:1], Y[:1], "1 class|1 sample"),
        (X["size"], Y, "2-dimensional|2D"),
    ],
)
def test_bad_data_are_value_errors_of_one_line(rows: Any, y: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AutoClassifier(**CHEAP).fit(rows, y)


def test_bad_targets_of_a_regressor() -> None:
    numbers = X[["size"]].fillna(0)
    for y, said in ((["a"] * len(X), "AutoClassifier"), (np.r_[np.inf, np.ones(len(X) - 1)], "infinity")):
        with pytest.raises(ValueError, match=said):
            AutoRegressor(**CHEAP).fit(numbers, y)
    with pytest.raises(AutodlError):
        AutoRegressor(**CHEAP).fit(numbers, np.ones(len(X)))


def test_columns_must_be_those_of_fit(fitted: AutoClassifier) -> None:
    with pytest.raises(ValueError, match="expecting 4 features"), pytest.warns(UserWarning, match="valid feature"):
        fitted.predict(NEW.to_numpy()[:, :2])
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(NEW[["colour", "size", "visits", "noise"]])
    with pytest.warns(UserWarning, match="valid feature names"):
        by_place = fitted.predict(NEW.to_numpy())
    assert by_place.tolist() == fitted.predict(NEW).tolist()


def test_odd_column_names() -> None:
    rows = X.set_axis([0, 1, 2, 3], axis=1)
    model = AutoClassifier(**CHEAP).fit(rows, Y)
    assert not hasattr(model, "feature_names_in_")
    assert model.score(rows, Y) > 0.75
    nested = X.set_axis(pd.MultiIndex.from_product([["a", "b"], ["c", "d"]]), axis=1)
    assert AutoClassifier(**CHEAP).fit(nested, Y).score(nested, Y) > 0.75
    taken = X.rename(columns={"noise": "bought"})  # a feature that is called like the target
    model = AutoClassifier(**CHEAP).fit(taken, Y)
    assert model.record_.target == "bought_"
    assert model.score(taken, Y) > 0.75


def missing(kind: str) -> Any:
    """The labels, of which the first is missing."""
    if kind == "None":
        return [None, *Y[1:]]
    if kind == "NaT":
        return pd.to_datetime(pd.Series([None, *np.where(YES, "2024-01-01", "2025-01-01")[1:]]))
    return pd.Series([None, *Y[1:]], dtype=kind)


@pytest.mark.parametrize("kind", ["None", "NaT", "string", "category"])
def test_missing_labels_of_any_kind_are_refused(kind: str) -> None:
    with pytest.raises(DataError, match=r"Input y contains NaN\. Leave out the rows in which y is missing\."):
        AutoClassifier(**CHEAP).fit(X, missing(kind))


@pytest.mark.parametrize("y", [[None, *range(len(X) - 1)], pd.Series([None, *["1"] * (len(X) - 1)], dtype="string")])
def test_missing_numbers_of_any_kind_are_refused(y: Any) -> None:
    with pytest.raises(DataError, match="Input y contains NaN"):
        AutoRegressor(**CHEAP).fit(X, y)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_values_that_the_model_cannot_use_are_warned_of(fitted: AutoClassifier, method: str) -> None:
    new = NEW.assign(size=[*NEW["size"][:18].astype(str), "large", "huge"], noise=[*NEW["noise"][1:], 1e9])
    with pytest.warns(UserWarning, match="values") as told:
        getattr(fitted, method)(new)
    assert [str(w.message) for w in told] == [
        "'size': 2 of 18 values are no numbers and count as missing ('large', 'huge')",
        next(str(w.message) for w in told if "'noise': 1 of 20 values lie far outside" in str(w.message)),
    ]
    assert {w.filename for w in told} == {__file__}  # where the user stands
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(NEW.assign(colour="violet"))


def test_the_steps_of_a_series_are_read_before_values_are_warned_of() -> None:
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(60, 30)).cumsum(axis=1)
    rows = pd.DataFrame(steps, columns=[f"t{i}" for i in range(30)])
    model = AutoClassifier(**CHEAP).fit(rows, np.where(steps[:, -1] > 0, "up", "down"))
    assert model.model_.manifest.features.of_kind(ColumnKind.SERIES), "the test is about series"
    with pytest.warns(UserWarning, match="values") as told:
        model.predict(rows.assign(t0="none of it"))
    assert any(str(w.message).startswith("'t0': 60 of 60 values are no numbers") for w in told)


def test_no_warning_is_given_on_good_data() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        AutoClassifier(**CHEAP).fit(X, Y).predict(NEW)


@pytest.mark.parametrize("estimator", [AutoClassifier, AutoRegressor])
def test_a_guess_alone_is_warned_of_as_by_fit(estimator: type, tmp_path: Path) -> None:
    y = Y if estimator is AutoClassifier else X["visits"] + 0.5 * X["noise"]
    for out in (None, tmp_path):
        with pytest.warns(UserWarning, match="only trial allowed is the guess; allow more with `max_trials`") as told:
            estimator(max_trials=1, out=out).fit(X, y)
        assert {w.filename for w in told if "guess" in str(w.message)} == {__file__}  # where the user stands
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator(**CHEAP).fit(X, y)


def test_the_run_folder_may_be_named_from_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    def search(frame, options, parent):
        raise RuntimeError(str(parent))

    monkeypatch.setattr("autodl.estimators.base._search", search)
    with pytest.raises(RuntimeError, match=str(tmp_path / "runs")):
        AutoClassifier(out="~/runs").fit(np.zeros((4, 1)), [0, 1, 0, 1])
