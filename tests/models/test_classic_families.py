"""The classic families against scikit-learn and against what they promise."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from autodl.clock import Deadline
from autodl.models import _trees
from autodl.models._arrays import as_matrix, thin_curve
from autodl.models.base import Estimator, Meta, Shape, families
from autodl.records import Task
from autodl.serialize import dump, load
from autodl.testing import Problem, easy_problem


def train(key: str, problem: Problem, meta: Meta | None = None, **config) -> Estimator:
    family = families[key]
    model = family().build(family.config(**config), meta or problem.meta)
    model.fit(problem.X, problem.y, problem.X_val, problem.y_val)
    return model


def test_dummy_gives_shares_mean_and_median() -> None:
    problem = easy_problem(4)
    shares = np.bincount(problem.y, minlength=4) / len(problem.y)
    np.testing.assert_allclose(train("dummy", problem).predict_proba(problem.X_val)[5], shares)
    numbers = easy_problem(0)
    assert train("dummy", numbers).predict(numbers.X_val)[0] == pytest.approx(numbers.y.mean())
    absolute = Meta(Task.REGRESSION, metric="mae")
    assert train("dummy", numbers, absolute).predict(numbers.X_val)[0] == pytest.approx(np.median(numbers.y))


@pytest.mark.parametrize("classes", [2, 4])
def test_linear_is_logistic_regression(classes: int) -> None:
    problem = easy_problem(classes)
    ours = train("linear", problem, C=0.3).predict_proba(problem.X_val)
    reference = LogisticRegression(C=0.3, tol=1e-8, max_iter=5000).fit(as_matrix(problem.X), problem.y)
    np.testing.assert_allclose(ours, reference.predict_proba(as_matrix(problem.X_val)), atol=2e-3)


def test_linear_is_ridge_regression() -> None:
    problem = easy_problem(0)
    ours = train("linear", problem, C=0.1).predict(problem.X_val)
    reference = Ridge(alpha=10.0).fit(as_matrix(problem.X), problem.y)
    np.testing.assert_allclose(ours, reference.predict(as_matrix(problem.X_val)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("classes", [0, 2, 4])
def test_absolute_penalty_removes_useless_columns(classes: int) -> None:
    problem = easy_problem(classes, rows=400, numeric=12, categorical=0)
    model = train("linear", problem, penalty="l1", C=0.02)
    useful = np.abs(np.atleast_2d(model._model.coef_)).max(axis=0)
    assert useful[:2].min() > 10 * useful[2:].mean()
    assert (useful[2:] < 1e-3).mean() > 0.5


def test_a_strong_absolute_penalty_leaves_the_share_of_a_rare_class() -> None:
    problem = easy_problem(2, rows=300, numeric=4, categorical=0)
    y = (np.arange(len(problem.y)) % 14 == 0).astype(int)
    model = train("linear", replace(problem, y=y), penalty="l1", C=0.02)
    assert model.predict_proba(problem.X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.01)


def test_weighted_lasso_has_the_gram_matrix_and_counts_rows_by_weight() -> None:
    from sklearn.linear_model import ElasticNet

    problem = easy_problem(0, rows=200, numeric=6, categorical=0)
    weight = np.random.default_rng(0).integers(1, 4, len(problem.y)).astype(float)
    family = families["linear"]
    model = family().build(family.config(penalty="l1", C=0.02), problem.meta)
    model.fit(problem.X, problem.y, sample_weight=weight)
    assert model._model.precompute is True
    rows = np.repeat(np.arange(len(weight)), weight.astype(int))
    x, y = as_matrix(problem.X)[rows].astype(float), np.asarray(problem.y)[rows]
    z = (y - y.mean()) / y.std()
    plain = ElasticNet(alpha=1 / (2 * len(rows) * 0.02), l1_ratio=1.0, tol=1e-8, precompute=False).fit(x, z)
    np.testing.assert_allclose(model._model.coef_, plain.coef_, atol=2e-3)


@pytest.mark.parametrize(("weights", "p"), [("uniform", 2), ("distance", 1)])
def test_neighbors_vote_as_in_scikit_learn(weights: str, p: int) -> None:
    problem, numbers = easy_problem(4, categorical=0), easy_problem(0, categorical=0)
    ours = train("neighbors", problem, n_neighbors=7, weights=weights, p=p).predict_proba(problem.X_val)
    reference = KNeighborsClassifier(7, weights=weights, p=p).fit(problem.X.numeric, problem.y)
    shares = np.bincount(problem.y) / len(problem.y)  # the vote of one more neighbour
    expected = (7 * reference.predict_proba(problem.X_val.numeric) + shares) / 8
    np.testing.assert_allclose(ours, expected, atol=1e-4)
    value = train("neighbors", numbers, n_neighbors=7, weights=weights, p=p).predict(numbers.X_val)
    regressor = KNeighborsRegressor(7, weights=weights, p=p).fit(numbers.X.numeric, numbers.y)
    np.testing.assert_allclose(value, regressor.predict(numbers.X_val.numeric), atol=1e-4)


@pytest.mark.parametrize("key", ["forest", "extra_trees"])
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_a_forest_answers_few_rows_as_scikit_learn_does(key: str, classes: int) -> None:
    problem = easy_problem(classes)
    model = train(key, problem, n_estimators=30)
    rows = problem.X_val.take(np.arange(7))
    reference = model._model.predict_proba if classes else model._model.predict
    np.testing.assert_allclose(model._raw(rows), reference(as_matrix(rows)), rtol=1e-12)


def test_svm_draws_a_circle_where_a_line_fails() -> None:
    problem = easy_problem(2, rows=300, numeric=2, categorical=0)
    inside = (np.linalg.norm(problem.X.numeric, axis=1) < 1.2).astype(np.int64)
    inside_val = (np.linalg.norm(problem.X_val.numeric, axis=1) < 1.2).astype(np.int64)
    circle = Problem(problem.X, inside, problem.X_val, inside_val, problem.meta)
    proba = train("svm", circle).predict_proba(circle.X_val)[:, 1]
    assert np.mean((proba > 0.5) == inside_val) > 0.9
    assert np.mean(train("linear", circle).predict(circle.X_val) == inside_val) < 0.75
    # Calibrated: the mean probability is near the share.
    assert abs(proba.mean() - inside_val.mean()) < 0.08


def test_a_single_row_of_a_class_leaves_the_others_their_probabilities() -> None:
    """Nothing can be calibrated on class 1 of 0 to 2: it has half a row's share and the others all the rest."""
    problem = easy_problem(2, rows=200, numeric=4, categorical=0)
    train_y, valid_y = 2 * problem.y, 2 * problem.y_val
    lone = train_y.copy()
    lone[0] = 1
    weight = np.where(lone == 1, 50.0, 1.0)
    model = families["svm"]().build(families["svm"].config(), Meta(Task.CLASSIFICATION, n_classes=3))
    for given in (None, weight):
        model.fit(problem.X, lone, sample_weight=given)
        proba = model.predict_proba(problem.X_val)
        np.testing.assert_allclose(proba.sum(axis=1), 1.0)
        np.testing.assert_allclose(proba[:, 1], 0.5 / (len(lone) - 1 + 1.5))
        rest = problem.X.take(np.arange(1, len(lone)))
        plain = families["svm"]().build(families["svm"].config(), Meta(Task.CLASSIFICATION, n_classes=3))
        plain.fit(rest, lone[1:])
        expected = plain.predict_proba(problem.X_val)[:, [0, 2]] * (1 - proba[0, 1])
        np.testing.assert_allclose(proba[:, [0, 2]], expected)
    right = proba[np.arange(len(valid_y)), valid_y]
    assert -np.log(right).mean() < 0.6 * np.log(2)
    model.fit(problem.X, train_y)
    assert (model.predict_proba(problem.X_val)[:, 1] == 0).all(), "an earlier fit leaves nothing behind"


def test_svm_does_not_start_what_it_cannot_finish() -> None:
    problem = easy_problem(2, rows=5000, numeric=30)
    model = families["svm"]().build(families["svm"].config(), problem.meta)
    with pytest.raises(TimeoutError, match="are needed"):
        model.fit(problem.X, problem.y, deadline=Deadline.after(0.02))


@pytest.mark.parametrize("key", ["forest", "extra_trees"])
def test_trees_stop_at_the_deadline_and_at_the_size_limit(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = easy_problem(4, rows=3000)
    family = families[key]
    hurried = family().build(family.config(n_estimators=5000), problem.meta)
    hurried.fit(problem.X, problem.y, deadline=Deadline.after(0.3))
    assert 1 <= len(hurried._model.estimators_) < 5000 and hurried.cut_short
    monkeypatch.setattr(_trees, "_MAX_BYTES", 2e6)
    small = train(key, problem, n_estimators=2000)
    trees = small._model.estimators_
    assert len(trees) < 2000 and not small.cut_short
    assert sum(tree.tree_.__sizeof__() + tree.tree_.node_count * 96 for tree in trees) < 6e6


@pytest.mark.parametrize(("threads", "seconds", "trees"), [(1, 7.5, 7), (1, 0.5, 1), (2, 3.5, 6), (1, 1e9, 30)])
def test_trees_grow_as_many_as_fit_the_deadline(
    threads: int, seconds: float, trees: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("autodl.clock.time", clock)
    monkeypatch.setattr(_trees, "time", clock)
    plain_fit = RandomForestClassifier.fit

    def fit(self, *args, **kwargs):
        before = len(getattr(self, "estimators_", ()))
        plain_fit(self, *args, **kwargs)
        now[0] += math.ceil((len(self.estimators_) - before) / threads)  # one second a tree and thread

    monkeypatch.setattr(RandomForestClassifier, "fit", fit)
    problem = easy_problem(2, rows=60)
    family = families["forest"]
    model = family().build(family.config(n_estimators=30), replace(problem.meta, threads=threads))
    model.fit(problem.X, problem.y, deadline=Deadline.after(seconds))
    assert len(model._model.estimators_) == trees and model.cut_short == (trees < 30)


@pytest.mark.parametrize("key", ["lightgbm", "catboost"])
@pytest.mark.parametrize("classes", [0, 2, 4])
def test_boosting_stops_early_and_says_where(key: str, classes: int) -> None:
    problem = easy_problem(classes, rows=400)
    flipped = Problem(problem.X, problem.y, problem.X_val, problem.y_val, problem.meta)
    model = train(key, flipped, n_estimators=1500, learning_rate=0.3)
    best = model.refit["n_estimators"]
    assert 1 <= best < 1500
    assert 1 < len(model.curve) <= 100
    losses = {point.step: point.valid for point in model.curve}
    # The last steps were tried and were no better than the best.
    assert min(losses.values()) < losses[1]
    assert max(losses) > best or max(losses) == 1500
    # Training again for that many rounds gives the same model.
    again = families[key]().build(families[key].config(n_estimators=best, learning_rate=0.3), problem.meta)
    again.fit(problem.X, problem.y)
    if classes:
        np.testing.assert_allclose(again.predict_proba(problem.X_val), model.predict_proba(problem.X_val), atol=0.02)
    else:
        np.testing.assert_allclose(again.predict(problem.X_val), model.predict(problem.X_val), atol=0.05)


@pytest.mark.parametrize("key", ["lightgbm", "catboost"])
def test_boosting_keeps_what_it_has_at_the_deadline(key: str) -> None:
    problem = easy_problem(2, rows=3000, numeric=30)
    family = families[key]
    model = family().build(family.config(n_estimators=100_000, learning_rate=1e-4, patience=100_000), problem.meta)
    model.fit(problem.X, problem.y, problem.X_val, problem.y_val, deadline=Deadline.after(0.7))
    assert 1 <= model.refit["n_estimators"] < 100_000
    assert np.mean(model.predict(problem.X_val) == problem.y_val) > 0.6


@pytest.mark.parametrize("key", ["lightgbm", "catboost"])
def test_boosting_minimizes_absolute_errors_when_asked(key: str) -> None:
    # Skewed noise: the mean and the median differ.
    problem = easy_problem(0, rows=1500)
    rng = np.random.default_rng(0)
    skewed = Problem(
        problem.X,
        problem.y + rng.exponential(10, len(problem.y)),
        problem.X_val,
        problem.y_val + rng.exponential(10, len(problem.y_val)),
        problem.meta,
    )

    def bias(metric: str) -> float:
        model = train(key, skewed, Meta(Task.REGRESSION, metric=metric), n_estimators=200)
        return float(np.mean(model.predict(skewed.X_val) - skewed.y_val))

    assert bias("mae") < -1.0 < bias("rmse")


def test_boosting_learns_from_categories_alone() -> None:
    rng = np.random.default_rng(0)
    problem = easy_problem(2, rows=2000, numeric=1, categorical=1)
    codes = rng.integers(1, 200, size=(2000, 1)).astype(np.int32)
    y = (codes[:, 0] % 2).astype(np.int64)
    X = type(problem.X)(problem.X.numeric, codes, (200,), problem.X.numeric_names, ("c",))
    for key in ("lightgbm", "catboost"):
        part = Problem(X.take(np.arange(1500)), y[:1500], X.take(np.arange(1500, 2000)), y[1500:], problem.meta)
        model = train(key, part, **({"min_data_per_group": 5, "cat_smooth": 1.0} if key == "lightgbm" else {}))
        assert np.mean(model.predict(part.X_val) == part.y_val) > 0.85, key


def moved(problem: Problem, unit: float, centre: float) -> Problem:
    return replace(problem, y=problem.y * unit + centre, y_val=problem.y_val * unit + centre)


@pytest.mark.parametrize("levels", [(), (0.1, 0.5, 0.9)])
@pytest.mark.parametrize("key", ["lightgbm", "catboost", "forest"])
def test_trees_learn_small_targets_and_such_far_from_zero_as_well(key: str, levels: tuple[float, ...]) -> None:
    """Moments of 2023 are 128 seconds apart as float32; penalties and least impurities are in units of the target."""
    problem = easy_problem(0, rows=500)
    config = {"n_estimators": 30, **({"lambda_l1": 0.3, "learning_rate": 0.2} if key == "lightgbm" else {})}
    meta = replace(problem.meta, quantiles=levels)
    whole = train(key, problem, meta, **config)
    expected, spread = whole.predict(problem.X_val), problem.y.std()
    assert spread >= 1 and (whole._centre, whole._unit) == (0.0, 1.0), "as in earlier versions"
    rough = np.std(expected - problem.y_val)
    assert rough < 0.8 * np.std(problem.y_val)
    for unit, centre in ((1e-9, 0.0), (1.0, 1.7e9)):
        case = moved(problem, unit, centre)
        model = train(key, case, meta, **config)
        error = np.std((model.predict(case.X_val) - case.y_val) / unit)
        assert error < 1.1 * rough + 0.01, (unit, centre)
        if model.curve and not centre:
            assert model.curve[-1].valid == pytest.approx(whole.curve[-1].valid * unit, rel=0.3)
        np.testing.assert_array_equal(load(dump(model)).predict(case.X_val), model.predict(case.X_val))


@pytest.mark.parametrize("key", ["lightgbm", "catboost", "forest"])
def test_trees_of_earlier_versions_have_learnt_the_target_as_it_was(key: str) -> None:
    problem = easy_problem(0, rows=120)
    model = train(key, problem, n_estimators=5)
    expected = model.predict(problem.X_val)
    for name in ("_centre", "_unit"):
        del vars(model)[name]
    np.testing.assert_array_equal(load(dump(model)).predict(problem.X_val), expected)


@pytest.mark.parametrize(("whole", "unit"), [(True, 1.0), (False, 1e-6)])
def test_amounts_in_small_units_are_learnt_by_factors_and_counts_keep_theirs(whole: bool, unit: float) -> None:
    """Curvatures of the Poisson loss are means, of which LightGBM asks 0.001 in a leaf."""
    rng = np.random.default_rng(0)
    problem = easy_problem(0, rows=600)
    rate = np.exp(problem.X.numeric[:, 0] - 0.5)
    y = rng.poisson(rate).astype(float) if whole else unit * rate * rng.gamma(5.0, 0.2, len(rate))
    case = replace(problem, y=y, X_val=problem.X, y_val=y)
    model = train("lightgbm", case, objective="poisson", learning_rate=0.2, n_estimators=30)
    assert model._unit == (1.0 if whole else pytest.approx(y.mean()))
    assert np.corrcoef(model.predict(problem.X), rate)[0, 1] > 0.8


def test_thin_curves_keep_both_ends() -> None:
    curve = thin_curve([float(k) for k in range(1000)])
    assert len(curve) == 100
    assert (curve[0].step, curve[-1].step, curve[-1].valid) == (1, 1000, 999.0)
    assert thin_curve([]) == []


@pytest.mark.parametrize("key", ["neighbors", "svm"])
def test_costs_of_pairwise_methods_grow_with_the_square(key: str) -> None:
    family = families[key]
    small, large = (
        family().estimate_cost(Shape(rows=n, numeric=10, classes=2), family.config()).seconds
        for n in (20_000, 200_000)
    )
    assert large > 50 * small


@pytest.mark.parametrize("levels", [(0.0001, 0.9999), (0.123456, 0.5), (0.00001,)])
def test_catboost_takes_levels_whose_name_it_writes_otherwise(levels: tuple[float, ...]) -> None:
    problem = easy_problem(0, rows=90)
    model = train("catboost", problem, replace(problem.meta, quantiles=levels), n_estimators=5)
    assert np.size(model._raw(problem.X_val)) == len(problem.X_val) * len(levels)
    assert model.curve
