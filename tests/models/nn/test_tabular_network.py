"""Both tabular networks: they learn, repeat themselves, survive pickling, odd tables, and deadlines."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from autodl.clock import Deadline
from autodl.evaluate.base import metrics
from autodl.features import Features
from autodl.models.base import Meta, Shape
from autodl.models.mlp import Mlp
from autodl.models.nn import network
from autodl.models.nn.inputs import InputPlan
from autodl.models.transformer import Transformer
from autodl.records import Task

CLASSIFY = Meta(Task.CLASSIFICATION, n_classes=2)
REGRESS = Meta(Task.REGRESSION)
BOTH = pytest.mark.parametrize("family", [Mlp, Transformer])


def quick(family, epochs: int = 3, **changes):
    small = {"width": 32} if family is Mlp else {"layers": 1, "heads": 2, "head_size": 4}
    return family.config(**{"epochs": epochs, **small, **changes})


def table(n: int = 200, seed: int = 0, numeric: int = 3, categorical: int = 2) -> Features:
    rng = np.random.default_rng(seed)
    return Features(
        rng.normal(size=(n, numeric)).astype(np.float32),
        rng.integers(0, 4, size=(n, categorical)).astype(np.int32),
        (4,) * categorical,
    )


def checkerboard(n: int, seed: int) -> tuple[Features, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=(n, 2)).astype(np.float32)
    return Features(x, np.zeros((n, 0), np.int32)), ((np.floor(x).sum(1) % 2) == 0).astype(np.int64)


def test_mlp_learns_a_checkerboard_that_no_linear_model_can():
    from sklearn.linear_model import LogisticRegression

    (X, y), (X_val, y_val), (X_test, y_test) = (checkerboard(n, s) for n, s in ((2000, 0), (500, 1), (1000, 2)))
    model = Mlp().build(Mlp.config(epochs=40, width=64), CLASSIFY)
    model.fit(X, y, X_val, y_val)
    linear = LogisticRegression().fit(X.numeric, y).score(X_test.numeric, y_test)
    assert (model.predict(X_test) == y_test).mean() > 0.85 > 0.6 > linear


def test_transformer_learns_xor_of_categories():
    X = table(600, numeric=1)
    y = ((X.categorical[:, 0] > 1) ^ (X.categorical[:, 1] > 1)).astype(np.int64)
    model = Transformer().build(quick(Transformer, 30, layers=2, lr=0.005), CLASSIFY)
    model.fit(X, y)
    new = table(300, seed=1, numeric=1)
    truth = (new.categorical[:, 0] > 1) ^ (new.categorical[:, 1] > 1)
    assert (model.predict(new) == truth).mean() > 0.95


@BOTH
def test_wide_rows_go_through_the_network_in_small_parts(family, monkeypatch):
    X, X_val, X_new = (table(n, seed, numeric=20) for seed, n in enumerate((200, 150, 130)))
    y, y_val = ((part.numeric[:, 0] > 0).astype(np.int64) for part in (X, X_val))
    model = family().build(quick(family, 1, embedding="piecewise", bins=32, batch_size=20), CLASSIFY)
    make, seen = model.new_module, []

    def watched(*args):
        module = make(*args)
        module.register_forward_pre_hook(lambda _, rows: seen.append((torch.is_grad_enabled(), len(rows[0]))))
        return module

    monkeypatch.setattr(model, "new_module", watched)
    monkeypatch.setattr(network, "PASS_FLOATS", 50 * 20 * 32)
    model.fit(X, y, X_val, y_val)
    found = model.predict_proba(X_new)
    assert max(n for trained, n in seen if not trained) == model.pass_rows <= 50
    monkeypatch.undo()
    assert model.pass_rows == model.predict_batch == 8192
    np.testing.assert_allclose(model.predict_proba(X_new), found, rtol=1e-4, atol=1e-6)


def test_what_a_wide_row_makes():
    assert Mlp.config().floats_per_row(500, 0) == 500 * 48
    assert Mlp.config().floats_per_row(5000, 0) == 5000  # so many are not embedded
    assert Mlp.config(ensemble="tabm", members=32, width=512).floats_per_row(10, 2) == 32 * 512


@BOTH
def test_regression_is_on_the_scale_of_the_target_and_within_its_range(family):
    X = table(400)
    y = 1e6 + 1e4 * X.numeric[:, 0].astype(np.float64)
    model = family().build(quick(family, 40, lr=0.01), REGRESS)
    model.fit(X, y)
    prediction = model.predict(X)
    assert np.sqrt(np.mean((prediction - y) ** 2)) < 0.4 * y.std()
    wild = replace(X, numeric=X.numeric * 1000)
    margin = 0.1001 * (y.max() - y.min())
    assert model.predict(wild).min() >= y.min() - margin and model.predict(wild).max() <= y.max() + margin


@BOTH
def test_validation_rows_of_classes_absent_in_training_have_no_say(family):
    X, X_val = table(), table(60, seed=1)
    y, y_val = (X.numeric[:, 0] > 0).astype(np.int64), (X_val.numeric[:, 0] > 0).astype(np.int64)
    y_val[::3] = 2
    known = np.flatnonzero(y_val < 2)
    meta = Meta(Task.CLASSIFICATION, n_classes=3)
    mixed, clean, alone = (family().build(quick(family), meta) for _ in range(3))
    mixed.fit(X, y, X_val, y_val)
    clean.fit(X, y, X_val.take(known), y_val[known])
    assert mixed.curve == clean.curve and mixed.refit == clean.refit
    alone.fit(X, y, X_val, np.full(60, 2))
    assert alone.refit == {} and all(point.valid is None for point in alone.curve)


@pytest.mark.parametrize(
    ("metric", "kind"), [("mae", "absolute"), ("mape", "absolute"), ("median_ae", "absolute"), ("rmse", "squared")]
)
def test_absolute_metrics_are_known_and_train_with_absolute_errors(metric, kind):
    assert metric in metrics
    objective = Mlp().build(quick(Mlp), replace(REGRESS, metric=metric)).objective()
    assert objective.kind == kind


@BOTH
def test_pickle_keeps_predictions_and_holds_no_torch_object(family):
    X = table()
    y = (X.numeric[:, 0] > 0).astype(np.int64)
    model = family().build(quick(family, embedding="piecewise"), CLASSIFY)
    model.fit(X, y)
    data = pickle.dumps(model)
    assert b"torch" not in data.replace(b"torch_", b"")
    again = pickle.loads(data)
    assert np.array_equal(model.predict_proba(X), again.predict_proba(X))
    assert np.array_equal(pickle.loads(pickle.dumps(again)).predict_proba(X), model.predict_proba(X))


@BOTH
def test_same_seed_same_model_and_the_callers_randomness_is_left_alone(family):
    import torch

    X = table()
    y = (X.numeric[:, 0] > 0).astype(np.int64)

    def probabilities(seed: int) -> np.ndarray:
        model = family().build(quick(family), replace(CLASSIFY, seed=seed))
        model.fit(X, y)
        return model.predict_proba(X)

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = probabilities(1)
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(first, probabilities(1)) and not np.array_equal(first, probabilities(2))


@BOTH
def test_refit_repeats_what_validation_chose(family):
    X, X_val = table(), table(100, seed=1)
    y, y_val = (np.asarray(t.numeric[:, 0] + t.numeric[:, 1] > 0, np.int64) for t in (X, X_val))
    config = quick(family, 12, lr=0.02)
    model = family().build(config, CLASSIFY)
    model.fit(X, y, X_val, y_val)
    assert model.refit["epochs"] == 12 and 1 <= model.refit["stop_epoch"] <= 12
    assert [p.step for p in model.curve] == list(range(1, len(model.curve) + 1))
    again = family().build(family.config(**{**config.model_dump(), **model.refit}), CLASSIFY)
    again.fit(X, y)
    assert np.allclose(again.predict_proba(X), model.predict_proba(X)) and again.refit == {}


@BOTH
@pytest.mark.parametrize(
    "X",
    [
        table(2),
        table(1),
        table(60, numeric=0),
        table(60, categorical=0),
        table(60, numeric=0, categorical=0),
        Features(np.full((60, 2), 7.0, np.float32), np.zeros((60, 1), np.int32), (1,)),
        Features(np.array([[np.nan, np.inf], [1e30, -np.inf]] * 30, np.float32), np.zeros((60, 0), np.int32)),
    ],
    ids=["two rows", "one row", "categories only", "numbers only", "no columns", "constant", "not finite"],
)
@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.REGRESSION])
def test_odd_tables_give_finite_predictions(family, X, task):
    n = len(X)
    if task is Task.CLASSIFICATION:
        model = family().build(quick(family, 2), Meta(task, n_classes=3))
        y = np.arange(n, dtype=np.int64) % 2  # class 2 never occurs
        model.fit(X, y, X, y)
        P = model.predict_proba(X)
        assert P.shape == (n, 3) and np.allclose(P.sum(1), 1) and np.isfinite(P).all()
        assert P.dtype == np.float64 and model.predict(X).dtype == np.int64
    else:
        model = family().build(quick(family, 2), REGRESS)
        model.fit(X, np.arange(n, dtype=float), X, np.arange(n, dtype=float))
        assert model.predict(X).shape == (n,) and np.isfinite(model.predict(X)).all()


@BOTH
def test_unseen_categories_and_no_rows_are_predicted(family):
    X = table()
    model = family().build(quick(family), CLASSIFY)
    model.fit(X, (X.numeric[:, 0] > 0).astype(np.int64))
    strange = replace(X, categorical=np.full_like(X.categorical, 99))
    zero = replace(X, categorical=np.zeros_like(X.categorical))
    assert np.array_equal(model.predict_proba(strange), model.predict_proba(zero))
    assert model.predict_proba(X.take(np.arange(0))).shape == (0, 2)


@BOTH
def test_rows_are_predicted_alike_alone_and_in_bulk(family):
    X = table()
    model = family().build(quick(family), CLASSIFY)
    model.fit(X, (X.numeric[:, 0] > 0).astype(np.int64))
    assert np.allclose(model.predict_proba(X)[7:8], model.predict_proba(X.take(np.array([7]))), atol=1e-6)


@BOTH
def test_a_passed_deadline_is_a_timeout(family):
    X = table()
    with pytest.raises(TimeoutError):
        family().build(quick(family), CLASSIFY).fit(X, np.zeros(200, np.int64), deadline=Deadline.after(-1))


@BOTH
def test_cost_grows_with_rows_and_size_and_falls_with_speed(family):
    shape, config = Shape(rows=10_000, numeric=8, categorical=4, levels=40, classes=2), family.config(epochs=20)
    seconds = family().estimate_cost(shape, config).seconds
    assert 0.1 < seconds < 1000
    more = (replace(shape, rows=40_000), replace(shape, numeric=80), replace(shape, speed=0.5))
    assert all(family().estimate_cost(s, config).seconds > seconds for s in more)
    big = family.config(epochs=20, **({"width": 1024} if family is Mlp else {"head_size": 64}))
    big_seconds = family().estimate_cost(shape, big).seconds
    assert big_seconds > seconds
    assert family().estimate_cost(replace(shape, threads=2), big).seconds < big_seconds


def test_columns_of_wild_scale_are_standardized_and_others_left_alone():
    numeric = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32) * [1, 1e5] + [0, 1e6]
    X = Features(numeric.astype(np.float32), np.zeros((500, 0), np.int32))
    plan = InputPlan.learn(X)
    _, smooth, _ = plan.tensors(X)
    assert np.array_equal(smooth[:, 0].numpy(), X.numeric[:, 0])
    assert abs(float(smooth[:, 1].mean())) < 0.01 and float(smooth[:, 1].std()) == pytest.approx(1, abs=0.01)


def test_families_import_without_torch():
    import subprocess
    import sys

    code = "import sys, autodl.models.mlp, autodl.models.transformer; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
