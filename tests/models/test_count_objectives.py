"""Losses with a logarithmic link: against scikit-learn, on simulated counts, and where they are offered."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor, TweedieRegressor
from sklearn.metrics import mean_poisson_deviance
from told_time import Clock, ToldDeadline

from autodl.features import Features
from autodl.models import linear
from autodl.models._rounds import rounds
from autodl.models.base import Meta, families
from autodl.records import Task
from autodl.serialize import dump, load

META = Meta(Task.REGRESSION, metric="rmse")


def features(x):
    return Features(np.asarray(x, dtype=np.float32), np.zeros((len(x), 0), dtype=np.int32))


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 4))
    mean = np.exp(0.3 + 0.9 * x[:, 0] - 0.5 * x[:, 1])
    y = rng.negative_binomial(2, 2 / (2 + mean)).astype(float)
    return features(x[:800]), y[:800], features(x[800:]), y[800:]


def fitted(family, data, **config):
    X, y, X_val, y_val = data
    model = families[family]().build(families[family].config(**config), META)
    model.fit(X, y, X_val, y_val)
    return model


def test_the_generalized_linear_model_is_scikit_learns(counts):
    X, y, X_val, _ = counts
    own = fitted("linear", counts, objective="poisson", C=5.0).predict(X_val)
    # Targets in units of their mean are the same model with a shifted intercept and another weight of the penalty.
    theirs = PoissonRegressor(alpha=1 / (5 * len(y)), solver="newton-cholesky", max_iter=300)
    theirs.fit(X.numeric.astype(float), y / y.mean())
    np.testing.assert_allclose(own, theirs.predict(X_val.numeric.astype(float)) * y.mean(), rtol=1e-3)


@pytest.mark.parametrize(("objective", "power"), [("tweedie", 1.5), ("gamma", 2.0)])
def test_other_powers_are_scikit_learns(counts, objective, power):
    X, y, X_val, y_val = counts
    positive = (X, y + 1.0, X_val, y_val + 1.0)
    own = fitted("linear", positive, objective=objective, C=5.0).predict(X_val)
    theirs = TweedieRegressor(power=power, link="log", alpha=1 / (5 * len(y)), max_iter=1000, tol=1e-8)
    theirs.fit(X.numeric.astype(float), (y + 1.0) / (y + 1.0).mean())
    np.testing.assert_allclose(own, theirs.predict(X_val.numeric.astype(float)) * (y + 1.0).mean(), rtol=1e-3)


@pytest.mark.parametrize(
    ("family", "objective"),
    [(f, o) for f in ("linear", "lightgbm", "catboost") for o in ("poisson", "tweedie")] + [("mlp", "poisson")],
)
def test_counts_are_learnt_and_never_negative(counts, family, objective):
    _, y, X_val, y_val = counts
    config = {"linear": {}, "mlp": {"epochs": 20}}.get(family, {"learning_rate": 0.1})
    model = fitted(family, counts, objective=objective, **config)
    guess = model.predict(X_val)
    assert model.raw_target and (guess >= 0).all()
    constant = mean_poisson_deviance(y_val, np.full(len(y_val), y.mean()))
    assert mean_poisson_deviance(y_val, np.maximum(guess, 1e-6)) < 0.85 * constant
    np.testing.assert_array_equal(load(dump(model)).predict(X_val), guess)


@pytest.mark.parametrize("family", ["lightgbm", "catboost"])
def test_the_unit_of_the_target_does_not_matter(counts, family):
    X, y, X_val, y_val = counts
    config = {"objective": "poisson", "learning_rate": 0.1}
    large = fitted(family, (X, 1e4 * y, X_val, 1e4 * y_val), **config).predict(X_val)
    small = fitted(family, counts, **config).predict(X_val)
    assert np.corrcoef(large, small)[0, 1] > 0.97
    assert large.mean() / 1e4 == pytest.approx(small.mean(), rel=0.1)


def test_a_line_in_logarithms_does_not_run_away(counts):
    _, y, _, _ = counts
    far = features(np.full((1, 4), 50.0) * [1, -1, 0, 0])
    assert fitted("linear", counts, objective="poisson").predict(far)[0] <= 10 * y.max() * (1 + 1e-9)


@pytest.mark.parametrize("family", ["linear", "lightgbm", "catboost", "mlp"])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_fold_without_any_count_is_no_error(counts, family):
    X, y, X_val, y_val = counts
    config = {"mlp": {"epochs": 2}}.get(family, {})
    model = fitted(family, (X, np.zeros_like(y), X_val, y_val), objective="poisson", **config)
    np.testing.assert_allclose(model.predict(X_val), 0.0, atol=1e-2)


def test_linear_quantiles_of_a_single_value_are_that_value(counts):
    X, y, X_val, _ = counts
    meta = Meta(Task.REGRESSION, metric="pinball", quantiles=(0.1, 0.5, 0.9))
    model = families["linear"]().build(families["linear"].config(), meta)
    model.fit(X, np.full_like(y, 0.1))
    np.testing.assert_array_equal(model.predict_quantiles(X_val), 0.1)


def test_a_generalized_linear_model_ends_before_the_deadline_and_goes_on_where_it_was(counts, monkeypatch):
    """A second a step; each round is at most as long as nine tenths of the time that is left."""
    _, y, _, _ = counts
    fits, clock = [], Clock()
    plain_fit = TweedieRegressor.fit

    def fit(self, *args, **more):
        fits.append(self.max_iter)
        clock.now += self.max_iter
        return plain_fit(self, *args, **more)

    monkeypatch.setattr(TweedieRegressor, "fit", fit)
    monkeypatch.setattr(linear, "rounds", lambda first, most, deadline: rounds(first, most, deadline, clock))
    many = features(np.random.default_rng(1).normal(size=(len(y), 700)))  # too many columns for Newton's method
    for seconds, expected in ((26.0, [25]), (81.0, [25, 50, 5])):
        fits.clear()
        clock.now = 0.0
        model = families["linear"]().build(families["linear"].config(objective="poisson", C=1e6), META)
        model.fit(many, y, deadline=ToldDeadline(seconds, clock))
        assert fits == expected


def test_the_loss_of_networks_is_torchs_and_its_measure_scikit_learns():
    import torch

    from autodl.train.losses import PoissonLog

    rng = np.random.default_rng(0)
    z, t = torch.tensor(rng.normal(size=(50, 1))), torch.tensor(rng.poisson(1.0, 50).astype(float))
    expected = torch.nn.functional.poisson_nll_loss(z[:, 0], t, log_input=True, reduction="none")
    torch.testing.assert_close(PoissonLog().row_losses(z, t), expected)
    deviance = float(PoissonLog().row_errors(z, t).mean())
    assert deviance == pytest.approx(mean_poisson_deviance(t, z.exp()[:, 0]))
    members = torch.tensor(rng.normal(size=(50, 4, 1)))
    torch.testing.assert_close(PoissonLog().predict(members), members.exp().mean(1)[:, 0])


def test_the_loss_of_quantiles_is_scikit_learns():
    import torch
    from sklearn.metrics import mean_pinball_loss

    from autodl.train.losses import Pinball

    rng = np.random.default_rng(0)
    q, t = torch.tensor(rng.normal(size=(60, 3, 2))), torch.tensor(rng.normal(size=60))
    loss = Pinball((0.2, 0.9))
    expected = np.mean(
        [mean_pinball_loss(t, q[:, m, j], alpha=a) for m in range(3) for j, a in enumerate((0.2, 0.9))]
    )
    assert float(loss.row_losses(q, t).mean()) == pytest.approx(expected)
    middle = np.mean([mean_pinball_loss(t, q[:, :, j].mean(1), alpha=a) for j, a in enumerate((0.2, 0.9))])
    assert float(loss.row_errors(q, t).mean()) == pytest.approx(middle)
