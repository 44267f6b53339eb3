"""Fits of other kinds: groups, times, test files, plans only, from Python."""

from __future__ import annotations

import numpy as np
import pytest

import autodl
from autodl.errors import AutodlError, ConfigError, RunError
from autodl.options import FitOptions
from autodl.pipeline import run_fit, run_plan
from autodl.predict import predict_file
from autodl.store import RunFolder
from shop_table import OPTIONS, make_table


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "shop.csv"
    make_table().to_csv(path, index=False)
    return path


def test_groups_and_times_are_respected(tmp_path):
    from autodl import stages
    from autodl.records import Evaluation, Plan
    from autodl.splitting import split

    rng = np.random.default_rng(0)
    table = make_table(300).assign(customer=rng.integers(0, 40, 300).astype(str))
    table.to_csv(tmp_path / "t.csv", index=False)
    for change in ({"group_column": "customer", "metric": "f1"}, {"time_column": "when"}):
        options = OPTIONS.model_copy(update={**change, "families": ("linear",), "max_trials": 2})
        folder = tmp_path / next(iter(change))
        run_fit(str(tmp_path / "t.csv"), options, folder)
        plan = RunFolder(folder).read("plan", Plan)
        data = stages.read(str(tmp_path / "t.csv"), options)
        rows = split(data, plan.validation, plan.seed)
        column = data.frame[next(iter(change.values()))]
        search, test = column.iloc[rows.search], column.iloc[rows.test]
        told = " ".join(RunFolder(folder).read("evaluation", Evaluation).notes)
        assert (f"come from {test.nunique()} groups" in told) == ("group_column" in change)
        if "group_column" in change:
            assert not set(search) & set(test)
            for train, valid in rows.folds:
                assert not set(search.iloc[train]) & set(search.iloc[valid])
        else:
            assert search.max() < test.min()
            assert all(search.iloc[train].max() < search.iloc[valid].min() for train, valid in rows.folds)


def test_by_time_the_score_is_that_of_the_model_that_knows_the_latest_rows(tmp_path, monkeypatch):
    """What is delivered where there is no time for a model of all rows is what was tested: the last fold's."""
    from autodl.delivery import Delivery
    from autodl.model import DeliveredModel

    monkeypatch.setattr(Delivery, "refit", lambda *args: None)
    table = make_table(300)
    later = table["when"].rank(pct=True) > 0.8
    table[~later].to_csv(tmp_path / "train.csv", index=False)
    table[later].to_csv(tmp_path / "test.csv", index=False)
    more = {"time_column": "when", "metric": "log_loss", "families": ("linear",), "max_trials": 2, "report": False}
    run = autodl.fit(
        tmp_path / "train.csv", "bought", test=tmp_path / "test.csv", out=tmp_path / "run", time_budget=None, **more
    )
    folder = RunFolder(run.folder)
    assert all(len(t.models) > 1 for t in folder.trials() if t.ok)
    manifest = DeliveredModel(folder).manifest
    assert [len(m.files) for m in manifest.members] == [1] * len(manifest.members)
    assert "last validation fold" in manifest.delivered
    answers = run.predict(tmp_path / "test.csv", proba=True)
    said = np.where(table["bought"][later] == "yes", answers["proba_yes"], answers["proba_no"])
    assert -np.log(said).mean() == pytest.approx(run.record.test["log_loss"].value, rel=1e-4)


def test_regression_with_test_file(tmp_path):
    table = make_table(300, task="regression")
    table.iloc[:240].to_csv(tmp_path / "train.csv", index=False)
    table.iloc[240:].to_csv(tmp_path / "test.csv", index=False)
    options = FitOptions(
        target="price",
        test=str(tmp_path / "test.csv"),
        time_budget_s=None,
        max_trials=3,
        families=("dummy", "linear", "lightgbm"),
        workers=1,
    )
    record = run_fit(str(tmp_path / "train.csv"), options, tmp_path / "run")
    assert record.test["rmse"].n == 60
    assert record.test["r2"].value > 0.8
    out = predict_file(tmp_path / "run", str(tmp_path / "test.csv"))
    rmse = np.sqrt(np.mean((out["prediction"] - table["price"].iloc[240:].to_numpy()) ** 2))
    # A test file is never trained on: the delivered model does about as well as was promised.
    assert rmse == pytest.approx(record.test["rmse"].value, rel=0.35)


def test_plan_trains_nothing(csv, tmp_path):
    profile, plan = run_plan(str(csv), FitOptions(target="bought"))
    assert plan.metric == "roc_auc"
    assert {d.topic for d in plan.decisions}
    assert profile.n_rows == 240


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "buoght"}, "Did you mean 'bought'"),
        ({"metric": "acuracy"}, "accuracy"),
        ({"families": ("lightgmb",)}, "Did you mean 'lightgbm'"),
        ({"drop": ("colr",)}, "colour"),
        ({"group_column": "nobody"}, "nobody"),
        ({"metric": "rmse"}, "rmse"),
    ],
)
def test_bad_options_leave_nothing_behind(csv, tmp_path, change, message):
    with pytest.raises(AutodlError, match=message):
        run_fit(str(csv), OPTIONS.model_copy(update=change), tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()
    assert not (tmp_path / "run").exists()


def test_bad_python_options(csv):
    with pytest.raises(ConfigError, match="unknown task"):
        autodl.fit(csv, task="clasification")
    with pytest.raises(ConfigError, match="unknown preset"):
        autodl.fit(csv, preset="turbo")


def test_python_interface(tmp_path):
    run = autodl.fit(
        make_table(160), "bought", max_trials=2, time_budget=None, families=["dummy", "linear"], out=tmp_path / "r"
    )
    assert run.report_path.is_file()
    assert list(run.leaderboard()["family"])[-1] == "dummy"
    assert len(run.predict(make_table(20, seed=3))) == 20
    assert "roc_auc" in repr(run)


class TestEstimators:
    def test_classifier(self):
        from sklearn.model_selection import cross_val_score

        table = make_table(200)
        model = autodl.AutoClassifier(time_budget=None, max_trials=2, families=("dummy", "linear"))
        X, y = table.drop(columns="bought"), table["bought"]
        scores = cross_val_score(model, X, y, cv=2, error_score="raise")
        assert scores.mean() > 0.75
        model.fit(X, (y == "yes").to_numpy())
        assert model.classes_.tolist() == [False, True]
        assert model.predict(X).dtype == bool
        np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, atol=1e-6)

    def test_regressor(self):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(150, 3))
        y = X @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=150)
        model = autodl.AutoRegressor(time_budget=None, max_trials=2, families=("dummy", "linear")).fit(X, y)
        assert model.score(X, y) > 0.95
        with pytest.raises(ValueError, match="is expecting 3 features"):
            model.predict(X[:, :2])


def test_resume_refuses_other_data(csv, tmp_path):
    options = OPTIONS.model_copy(update={"max_trials": 1, "families": ("linear",)})
    run_fit(str(csv), options, tmp_path / "run")
    other = tmp_path / "other.csv"
    make_table(seed=9).to_csv(other, index=False)
    with pytest.raises(RunError, match="not those that the run"):
        run_fit(str(other), options, tmp_path / "run", resume=True)
