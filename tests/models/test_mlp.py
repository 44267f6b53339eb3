"""The MLP family: its space fits its config, every kind of architecture trains, ensembles have k outputs."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.features import Features
from autodl.models.base import Meta
from autodl.models.mlp import Mlp
from autodl.models.nn.inputs import InputPlan
from autodl.models.nn.mlp_config import MlpConfig
from autodl.records import Task
from autodl.search.space import family_space

SPACE = family_space("mlp")


def family_part(config: dict) -> dict:
    return {k: v for k, v in config.items() if not k.startswith("prep.")}


def table(n: int = 120) -> tuple[Features, np.ndarray]:
    rng = np.random.default_rng(0)
    X = Features(rng.normal(size=(n, 3)).astype(np.float32), rng.integers(0, 12, (n, 2)).astype(np.int32), (12, 12))
    return X, (X.numeric[:, 0] > 0).astype(np.int64)


def test_defaults_of_space_and_config_agree():
    start = family_part(SPACE.complete({}))
    assert start == {k: MlpConfig().model_dump()[k] for k in start}


def test_every_sample_is_a_valid_config():
    rng = np.random.default_rng(0)
    for _ in range(300):
        drawn = family_part(SPACE.sample(rng))
        kept = MlpConfig(**drawn).model_dump()
        assert {k: kept[k] for k in drawn} == drawn


@pytest.mark.parametrize("config", SPACE.starts())
def test_the_portfolio_trains(config):
    X, y = table()
    model = Mlp().build(MlpConfig(**{**family_part(config), "epochs": 2}), Meta(Task.CLASSIFICATION, 2))
    model.fit(X, y, X, y)
    assert np.allclose(model.predict_proba(X).sum(1), 1)


@pytest.mark.parametrize("optimizer", SPACE.params["optimizer"].values)
def test_every_optimizer_learns_at_the_default_rate(optimizer):
    X, y = table(400)
    model = Mlp().build(MlpConfig(optimizer=optimizer, epochs=25, width=32, depth=2), Meta(Task.CLASSIFICATION, 2))
    model.fit(X.take(np.arange(300)), y[:300])
    assert (model.predict(X.take(np.arange(300, 400))) == y[300:]).mean() > 0.85


@pytest.mark.parametrize("gate", ["none", "reglu"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("ensemble", ["none", "tabm", "tabm_mini"])
def test_all_architectures_build_and_ensembles_have_one_output_a_member(gate, norm, residual, ensemble):
    import torch

    X, _ = table()
    plan = InputPlan.learn(X)
    tensors = plan.tensors(X)
    config = MlpConfig(
        gate=gate, norm=norm, residual=residual, ensemble=ensemble, members=4, width=16, depth=2, embedding="plr"
    )
    model = Mlp().build(config, Meta(Task.CLASSIFICATION, 3))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = model.make_module(plan, tensors[1], 3)
        model.prepare(module, tensors, seed=0)
        output = module(*tensors)
    assert output.shape == ((120, 3) if ensemble == "none" else (120, 4, 3))
    assert bool(torch.isfinite(output).all())
    if ensemble != "none":
        assert float(output.detach().std(1).min()) > 0  # members differ from the start


def test_very_wide_tables_are_not_embedded():
    rng = np.random.default_rng(0)
    X = Features(rng.normal(size=(30, 3000)).astype(np.float32), np.zeros((30, 0), np.int32))
    model = Mlp().build(MlpConfig(epochs=1), Meta(Task.CLASSIFICATION, 2))
    model.fit(X, np.arange(30) % 2)
    assert model._module.embedding is None


@pytest.mark.slow
def test_predicts_house_values_far_better_than_a_linear_model(shared_data):
    import pandas as pd
    from sklearn.linear_model import Ridge

    frame = (
        pd.read_csv(shared_data / "california_housing.csv")
        .select_dtypes("number")
        .dropna()
        .sample(4000, random_state=0)
    )
    y = frame.pop("median_house_value").to_numpy(float)
    x = frame.to_numpy()
    x = ((x - x[:3000].mean(0)) / x[:3000].std(0)).astype(np.float32)
    X = Features(x, np.zeros((4000, 0), np.int32))
    first, valid, test = np.arange(2400), np.arange(2400, 3000), np.arange(3000, 4000)
    model = Mlp().build(MlpConfig(epochs=25), Meta(Task.REGRESSION))
    model.fit(X.take(first), y[first], X.take(valid), y[valid])
    linear = Ridge().fit(x[:3000], y[:3000])

    def rmse(prediction: np.ndarray) -> float:
        return float(np.sqrt(np.mean((prediction - y[test]) ** 2)))

    assert rmse(model.predict(X.take(test))) < 0.85 * rmse(linear.predict(x[test]))
