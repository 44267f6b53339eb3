"""The transformer family: its space fits its config, its portfolio trains."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.features import Features
from autodl.models.base import Meta
from autodl.models.transformer import Transformer, TransformerConfig
from autodl.records import Task
from autodl.search.space import family_space

SPACE = family_space("transformer")


def family_part(config: dict) -> dict:
    return {k: v for k, v in config.items() if not k.startswith("prep.")}


def test_defaults_of_space_and_config_agree():
    start = family_part(SPACE.complete({}))
    assert start == {k: TransformerConfig().model_dump()[k] for k in start}


def test_every_sample_is_a_valid_config():
    rng = np.random.default_rng(0)
    for _ in range(300):
        drawn = family_part(SPACE.sample(rng))
        kept = TransformerConfig(**drawn).model_dump()
        assert {k: kept[k] for k in drawn} == drawn


@pytest.mark.parametrize("config", SPACE.starts())
def test_the_portfolio_trains(config):
    rng = np.random.default_rng(0)
    X = Features(rng.normal(size=(90, 3)).astype(np.float32), rng.integers(0, 5, (90, 2)).astype(np.int32), (5, 5))
    y = X.numeric[:, 0].astype(float)
    model = Transformer().build(TransformerConfig(**{**family_part(config), "epochs": 2}), Meta(Task.REGRESSION))
    model.fit(X, y, X, y)
    assert np.isfinite(model.predict(X)).all() and len(model.curve) == 2
