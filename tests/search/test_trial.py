from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autodl.model import raw_predict
from autodl.records import Recipe, TrialSpec, TrialStatus
from autodl.search.curves import Curve
from autodl.search.prepared import PreparedFolds
from autodl.search.rivals import measure_of
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


def test_what_another_trial_has_prepared_counts_in_a_refit_but_not_as_time_spent(toys, linear_data):
    cache = PreparedFolds(linear_data)
    first, second = (run_trial(job({"shrink": s}), linear_data, cache).result.cost for s in (0.3, 0.4))
    assert first.cached_s == 0.0
    kept = sum(cache.get(linear_data.recipes["toy"], fold).seconds for fold in range(3))
    assert 0.5 * kept < second.cached_s <= kept < second.fit_s
    assert second.spent_s == pytest.approx(second.fit_s + second.predict_s - second.cached_s)


@pytest.mark.parametrize(("before", "now"), [("standard", "none"), ("none", "standard")])
def test_what_goes_on_learning_has_the_target_of_the_model_that_it_goes_on_from(toys, linear_data, before, now):
    """Preparations are shared by trials that transform the target differently."""
    spec, ready = job().spec, PreparedFolds(linear_data).get(linear_data.recipes["toy"], 0)
    rows = (ready.preparer, ready.train), linear_data.y[ready.rows], None, linear_data
    first = fit_model(spec, Recipe(target=before), *rows, seed=0)
    assert fit_model(spec, Recipe(target=now), *rows, seed=0, start=first).target is first.target
    assert (first.target is None) == (before == "none")


@pytest.mark.parametrize("negative", [False, True])
def test_no_answer_is_negative_where_no_target_was(toys, linear_data, negative):
    y = np.maximum(linear_data.y, -1e-6 if negative else 0.0)  # half of them
    data = replace(linear_data, y=y)
    cut, whole = (run_trial(job({"shrink": 0.0}), d, PreparedFolds(d)) for d in (data, replace(data, y=y - 1e-6)))
    assert (cut.oof.min() < 0) == (cut.test.min() < 0) == negative
    assert whole.oof.min() < -0.1 and (cut.result.loss < whole.result.loss - 0.01) == (not negative)
    read = [load(m) if is_safe_format(m) else load_pickle(m) for m in cut.models]
    np.testing.assert_allclose(cut.test, np.mean([m.predict(data.test_frame) for m in read], axis=0), atol=1e-5)


def test_answers_may_be_negative_where_only_rows_set_apart_for_the_test_were(toys, linear_data):
    """The final model learns from these as well."""
    spec, ready = job().spec, PreparedFolds(linear_data).get(linear_data.recipes["toy"], 0)
    y = linear_data.y[ready.rows]
    rows = (ready.preparer, ready.train), y, None, replace(linear_data, y=abs(linear_data.y))
    for target in ("none", "standard"):
        model = fit_model(spec, Recipe(target=target), *rows, seed=0)
        assert raw_predict(model, ready.train).min() < 0 > y.min()


def test_numbers_far_from_zero_are_not_rounded(toys, linear_data):
    """Moments in seconds are 128 apart as float32."""
    far = replace(linear_data, y=1.7e9 + linear_data.y)
    near, moved = (run_trial(job({"shrink": 0.3}), d, PreparedFolds(d)) for d in (linear_data, far))
    np.testing.assert_allclose(moved.oof - 1.7e9, near.oof, atol=1e-4)
    np.testing.assert_allclose(moved.test - 1.7e9, near.test, atol=1e-4)


def test_rmsle_has_the_logarithm_that_it_counts_and_other_metrics_that_of_the_unit(toys, linear_data):
    spec, ready = job().spec, PreparedFolds(linear_data).get(linear_data.recipes["toy"], 0)
    data = replace(linear_data, y=1e-4 * np.exp(linear_data.y))
    rows = (ready.preparer, ready.train), data.y[ready.rows], None
    for metric, unit in (("rmsle", 1.0), ("mae", np.median(data.y[ready.rows]))):
        target = fit_model(spec, Recipe(target="log"), *rows, replace(data, metric=metric), seed=0).target
        inner = np.log1p(data.y / unit)
        np.testing.assert_allclose(np.corrcoef(target.forward(data.y), inner)[0, 1], 1.0, rtol=1e-12)


def test_by_time_the_last_fold_speaks_for_all(toys, linear_data, monkeypatch):
    """Earlier ones have learnt from the oldest rows alone: their models and their lengths of training count less."""
    import autodl.search.cross_validation as crossing

    whole = crossing.fit_model

    def fitted(spec, recipe, prepared, y, *args, **more):
        model = whole(spec, recipe, prepared, y, *args, **more)
        model.estimator.refit = {"n": len(y)}
        return model

    monkeypatch.setattr(crossing, "fit_model", fitted)
    folds = tuple((np.arange(n), np.arange(n, n + 15)) for n in (15, 30, 45))
    by_time = replace(linear_data, folds=folds, by_time=True)
    outcome = run_trial(job({"shrink": 0.3}), by_time, PreparedFolds(by_time))
    last = outcome.models[-1]
    model = load(last) if is_safe_format(last) else load_pickle(last)
    np.testing.assert_allclose(outcome.test, model.predict(by_time.test_frame), rtol=1e-5)
    assert outcome.result.refit == {"n": 45}


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


@pytest.mark.parametrize("row_ms", [0.5, 5.0])
def test_what_calls_cost_is_not_counted_for_the_rows(toys, linear_data, monkeypatch, row_ms):
    """By a clock that only predictions move: 2 ms a call, and so much a row; slow rows are not asked again."""
    now = [0.0]

    def predicted(model, features):
        now[0] += 0.002 + 0.001 * row_ms * len(features)
        return raw_predict(model, features)

    few = replace(linear_data, folds=tuple((train, valid[:8]) for train, valid in linear_data.folds))
    monkeypatch.setattr("autodl.search.cross_validation.raw_predict", predicted)
    monkeypatch.setattr("autodl.search.cross_validation.time.perf_counter", lambda: now[0])
    cost = run_trial(job(), few, PreparedFolds(few)).result.cost
    assert cost.n_predicted == 24 + 3 * len(few.test_frame)
    plain = 0.002 * 6 + 0.001 * row_ms * cost.n_predicted
    assert cost.predict_s == pytest.approx(plain)
    expected = row_ms if row_ms < 1 else 1000 * plain / cost.n_predicted
    assert cost.predict_ms_per_row == pytest.approx(expected)
    assert now[0] < plain + 4 * 0.05  # a few calls of at most so many seconds


def test_rows_that_take_nothing_against_a_call_still_take_something(toys, linear_data, monkeypatch):
    now = [0.0]

    def predicted(model, features):
        now[0] += 0.002
        return raw_predict(model, features)

    few = replace(linear_data, folds=tuple((train, valid[:8]) for train, valid in linear_data.folds))
    monkeypatch.setattr("autodl.search.cross_validation.raw_predict", predicted)
    monkeypatch.setattr("autodl.search.cross_validation.time.perf_counter", lambda: now[0])
    assert 0 < run_trial(job(), few, PreparedFolds(few)).result.cost.predict_ms_per_row < 0.01


@pytest.mark.parametrize("fidelity", [None, 0.5])
def test_models_are_told_how_many_rows_they_will_predict(toys, linear_data, monkeypatch, fidelity):
    told, asked = [], []

    def fit(*args, answers, **kwargs):
        told.append(answers)
        asked.append(0)
        return fit_model(*args, answers=answers, **kwargs)

    def predict(model, features):
        asked[-1] += len(features)
        return raw_predict(model, features)

    monkeypatch.setattr("autodl.search.cross_validation.fit_model", fit)
    monkeypatch.setattr("autodl.search.cross_validation.raw_predict", predict)
    monkeypatch.setattr("autodl.search.cross_validation._bulk_row_seconds", lambda *_: None)
    spec = TrialSpec(id="t0001", family="toy", fidelity=fidelity)
    outcome = run_trial(Job(spec, seconds=60.0), linear_data, PreparedFolds(linear_data))
    assert told == asked and told[0] >= len(linear_data.folds[0][1])
    assert (told[0] > len(linear_data.folds[0][1])) == (fidelity is None)
    stored = [(load if is_safe_format(m) else load_pickle)(m) for m in outcome.models]
    assert all("answers" not in vars(model.estimator) for model in stored)  # no part of what is stored


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


@pytest.mark.parametrize(("number", "folds"), [(3, 1), (1, 3), (2, 3), (6, 1)])
def test_hyperband_stops_trials_between_folds_by_their_bracket(toys, linear_data, number, folds):
    """The first fold is judged in every third trial alone; after the third of three nothing is left to stop."""
    hopeless = Job(
        TrialSpec(id=f"t{number:04d}", family="toy", config={"shrink": 1.0}),
        seconds=60.0,
        scheduler="hyperband",
        rivals=((0.1, 0.1, 0.1),) * 5,
    )
    result = run_trial(hopeless, linear_data, PreparedFolds(linear_data)).result
    assert len(result.fold_losses) == folds
    assert result.ok == (folds == 3)


def test_prepared_folds_are_shared_and_bounded(toys, linear_data):
    cache = PreparedFolds(linear_data)
    recipe = linear_data.recipes["toy"]
    first = cache.get(recipe, 0)
    assert cache.get(recipe.model_copy(update={"target": "standard", "balance": "smote"}), 0) is first
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


def test_falls_of_the_rate_stay_with_the_training_that_they_belong_to():
    folds = [
        {"epochs": 40, "stop_epoch": 15, "lowered": "9,14"},
        {"epochs": 40, "stop_epoch": 38},
        {"epochs": 44, "stop_epoch": 30, "lowered": ""},
    ]
    assert merge_refits(folds) == folds[2]
    assert merge_refits([folds[1], folds[1]]) == folds[1]


def test_a_refit_takes_the_course_of_one_fold():
    # Lows of a rate that falls in cycles, after 4, 12, 28 and 60 epochs: their mean is none.
    folds = [{"epochs": 60, "stop_epoch": e} for e in (60, 28, 12)]
    assert merge_refits(folds) == folds[1]
    # A fold that was cut short had another schedule.
    cut = [{"epochs": 30, "stop_epoch": 14}, {"epochs": 60, "stop_epoch": 60}, {"epochs": 60, "stop_epoch": 28}]
    assert merge_refits(cut) == cut[2]


def test_merge_refits_where_the_first_fold_learnt_nothing():
    assert merge_refits([{}, {"n": 10}, {"n": 20, "k": "a"}]) == {"n": 15, "k": "a"}
    folds = [{"epochs": 60, "stop_epoch": e} for e in (60, 28, 12)]
    assert merge_refits([{}, {}, *folds]) == folds[1]


def test_a_network_without_any_limit_of_time(linear_data):
    result = run_trial(job({"epochs": 8, "width": 16}, family="mlp"), linear_data, PreparedFolds(linear_data)).result
    assert result.error is None
    assert result.status is TrialStatus.OK
    assert set(result.refit) == {"epochs", "stop_epoch"}


def out_of_reach(family, recipe):
    """Trainings that no other keeps up with: their losses are next to 0 from the beginning."""
    name = measure_of(TrialSpec(id="t0001", family=family), recipe, 0)
    return tuple(
        Curve.of([(0.01, 0.002 * i), (1.0, 0.001 * i)], ended=True, loss=0.001 * i, measure=name) for i in range(1, 7)
    )


NETWORK = {"epochs": 60, "width": 16}
BOOSTER = {"n_estimators": 300, "learning_rate": 0.3, "min_data_in_leaf": 2}


@pytest.mark.parametrize(
    ("family", "config"), [("mlp", NETWORK), ("lightgbm", BOOSTER), ("catboost", {**BOOSTER, "min_data_in_leaf": 1})]
)
@pytest.mark.parametrize("scheduler", ["median", "asha", "extrapolate"])
def test_a_hopeless_training_ends_early(linear_data, family, config, scheduler):
    cache = PreparedFolds(linear_data)
    whole = run_trial(job(config, family), linear_data, cache)
    curves = out_of_reach(family, Recipe())
    outcome = run_trial(job(config, family, scheduler=scheduler, curves=curves), linear_data, cache)
    stopped = outcome.result
    assert stopped.status is TrialStatus.STOPPED
    assert not stopped.ok
    assert 0 < stopped.reached < 0.5
    assert stopped.loss > 0
    assert len(stopped.fold_losses) == 1
    assert (outcome.oof, outcome.test, outcome.models) == (None, None, [])
    assert stopped.need.size_bytes > 0 and stopped.need.row_s > 0  # limits hold for what is compared with others
    assert stopped.curve[-1].step < whole.result.curve[-1].step
    # Up to its end it is the training that it would have been.
    seen = {p.step: p.valid for p in whole.result.curve}
    both = [(p.valid, seen[p.step]) for p in stopped.curve if p.step in seen]
    assert both
    assert all(a == pytest.approx(b) for a, b in both)


def test_curves_of_another_measure_do_not_count(linear_data):
    curves = out_of_reach("mlp", Recipe(target="log"))
    outcome = run_trial(
        job(NETWORK, "mlp", scheduler="extrapolate", curves=curves), linear_data, PreparedFolds(linear_data)
    )
    assert outcome.result.status is TrialStatus.OK
    assert outcome.result.reached == 1.0


def test_the_watch_is_no_part_of_the_model(linear_data):
    outcome = run_trial(job(NETWORK, "mlp"), linear_data, PreparedFolds(linear_data))
    model = load(outcome.models[0])
    assert model.estimator.watch is None
    assert "watch" not in vars(model.estimator)


def test_a_part_of_the_rows_is_no_result(toys, linear_data):
    part = Job(TrialSpec(id="t0001", family="toy", fidelity=0.5, seed=3))
    outcome = run_trial(part, linear_data, PreparedFolds(linear_data))
    assert outcome.result.status is TrialStatus.STOPPED
    assert not outcome.result.ok
    assert len(outcome.result.fold_losses) == 3
    assert (outcome.oof, outcome.test, outcome.models) == (None, None, [])
    whole = run_trial(job(), linear_data, PreparedFolds(linear_data))
    assert outcome.result.loss != whole.result.loss
    assert outcome.result.loss == pytest.approx(whole.result.loss, rel=0.5)  # the same validation rows


def test_folds_that_are_done_make_a_result_where_there_is_no_other_model(toys, linear_data, monkeypatch):
    from autodl.search.cross_validation import CrossValidation

    fit = CrossValidation._fit

    def late(self, done, fold):
        if done == 2:
            raise TimeoutError("2 of 3 folds done")
        return fit(self, done, fold)

    monkeypatch.setattr(CrossValidation, "_fit", late)
    cache = PreparedFolds(linear_data)
    lost = run_trial(job(seconds=60.0), linear_data, cache)
    assert lost.result.status is TrialStatus.TIMEOUT
    assert lost.result.reached == 1.0 and lost.models == []
    kept = run_trial(job(seconds=60.0, partial=True), linear_data, cache)
    assert kept.result.ok
    assert len(kept.models) == len(kept.result.fold_losses) == 2
    assert np.isnan(kept.oof).sum() == len(linear_data.folds[2][1])
    assert np.isfinite(kept.test).all()


def test_the_share_of_folds_that_were_begun_is_told_when_time_runs_out(toys, linear_data):
    late = run_trial(job({"sleep": 30.0}, seconds=0.3), linear_data, PreparedFolds(linear_data))
    assert late.result.status is TrialStatus.TIMEOUT
    assert late.result.reached == pytest.approx(1 / 3)
