from __future__ import annotations

import numpy as np
import pytest

from autodl.records import TrialSpec, TrialStatus
from autodl.search.prepared import PreparedFolds
from autodl.search.trial import Job, fit_model, merge_refits, run_trial
from autodl.serialize import is_safe_format, load
from autodl.serialize.pickled import load_pickle


def job(config=None, family="toy", **kwargs):
    return Job(TrialSpec(id="t0001", family=family, config=config or {}, seed=3), **kwargs)


def test_out_of_fold_predictions_equal_cross_val_predict(toys, linear_data):
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_predict

    outcome = run_trial(job(), linear_data, PreparedFolds(linear_data))
    assert outcome.result.status is TrialStatus.OK
    reference = cross_val_predict(
        LinearRegression(), linear_data.frame.to_numpy(), linear_data.y, cv=list(linear_data.folds)
    )
    np.testing.assert_allclose(outcome.oof, reference, rtol=1e-3, atol=1e-4)
    rmse = np.sqrt(np.mean((reference - linear_data.y) ** 2))
    assert outcome.result.loss == pytest.approx(rmse, rel=1e-3)
    assert outcome.result.score == pytest.approx(rmse, rel=1e-3)
    assert len(outcome.result.fold_losses) == 3


def test_test_prediction_is_the_mean_of_the_fold_models(toys, linear_data):
    outcome = run_trial(job({"shrink": 0.3}), linear_data, PreparedFolds(linear_data))
    models = [load(m) if is_safe_format(m) else load_pickle(m) for m in outcome.models]
    mean = np.mean([m.predict(linear_data.test_frame) for m in models], axis=0)
    np.testing.assert_allclose(outcome.test, mean, rtol=1e-5)


def test_failure_costs_the_trial_alone(toys, linear_data):
    result = run_trial(job({"fail": True}), linear_data, PreparedFolds(linear_data)).result
    assert result.status is TrialStatus.FAILED
    assert result.error == "ValueError: this family always fails"  # one line
    assert result.loss is None


def test_deadline(toys, linear_data):
    result = run_trial(job({"sleep": 30.0}, seconds=0.3), linear_data, PreparedFolds(linear_data)).result
    assert result.status is TrialStatus.TIMEOUT
    assert result.cost.fit_s < 5


def test_training_leaves_time_to_predict(toys, linear_data, monkeypatch):
    given = []

    def fit(*args, deadline, **kwargs):
        given.append(deadline.left())
        return fit_model(*args, deadline=deadline, **kwargs)

    monkeypatch.setattr("autodl.search.cross_validation.fit_model", fit)
    assert run_trial(job(seconds=60.0), linear_data, PreparedFolds(linear_data)).result.ok
    assert [round(g / 60.0, 1) for g in given] == [0.3, 0.4, 0.8]  # 0.85 of a third, of half the rest, of the rest


def test_scheduler_stops_after_a_bad_fold(toys, linear_data):
    stopped = run_trial(
        job({"shrink": 1.0}, scheduler="median", rivals=((0.1, 0.1, 0.1),) * 5),
        linear_data,
        PreparedFolds(linear_data),
    )
    assert stopped.result.status is TrialStatus.STOPPED
    assert len(stopped.result.fold_losses) == 1
    assert stopped.oof is None
    assert not stopped.result.ok


def test_prepared_folds_are_shared_and_bounded(toys, linear_data):
    cache = PreparedFolds(linear_data)
    recipe = linear_data.recipes["toy"]
    first = cache.get(recipe, 0)
    assert cache.get(recipe.model_copy(update={"target": "log", "balance": "smote"}), 0) is first
    assert cache.get(recipe.model_copy(update={"scale": "standard"}), 0) is not first
    tight = PreparedFolds(linear_data, limit=1)
    first = tight.get(recipe, 0)
    tight.get(recipe, 1)
    assert tight.get(recipe, 0) is not first


def test_merge_refits():
    folds = [{"n": 100, "lr": 0.1, "k": "a"}, {"n": 201, "lr": 0.3, "k": "b"}]
    assert merge_refits(folds) == {"n": 150, "lr": pytest.approx(0.2), "k": "a"}
    assert merge_refits([]) == {}
    assert merge_refits([{"n": 0}, {"n": 0}]) == {"n": 1}


def test_merge_refits_where_the_first_fold_learnt_nothing():
    assert merge_refits([{}, {"n": 10}, {"n": 20, "k": "a"}]) == {"n": 15, "k": "a"}


def test_a_network_without_any_limit_of_time(linear_data):
    result = run_trial(job({"epochs": 8, "width": 16}, family="mlp"), linear_data, PreparedFolds(linear_data)).result
    assert result.error is None
    assert result.status is TrialStatus.OK
    assert set(result.refit) == {"epochs", "stop_epoch"}
