"""A battery over every registered strategy, and what is special to some."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autodl.search.history import Observation
from autodl.search.space import parse_space
from autodl.search.strategies.base import strategies

MIXED = parse_space(
    {
        "params": {
            "x": {"type": "float", "low": -5, "high": 10},
            "y": {"type": "float", "low": 0, "high": 15},
            "kind": {"type": "choice", "values": ["good", "bad"], "default": "bad"},
            "penalty": {"type": "int", "low": 0, "high": 5, "when": {"kind": ["bad"]}},
        },
        "portfolio": [{}, {"x": 1.0}, {"kind": "good"}],
    }
)


def branin(x: float, y: float) -> float:
    """Branin-Hoo; global minimum 0.397887 (Surjanovic and Bingham, Virtual Library of Simulation Experiments)."""
    a, b, c = 1.0, 5.1 / (4 * math.pi**2), 5 / math.pi
    return a * (y - b * x**2 + c * x - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def objective(config):
    return branin(config["x"], config["y"]) + (5 + config["penalty"] if config["kind"] == "bad" else 0)


def minimize(key, n, seed):
    rng = np.random.default_rng(seed)
    history = []
    for _ in range(n):
        for config in strategies[key]().ask(MIXED, history, 1, rng):
            history.append(Observation(config, "ok", objective(config)))
    return history


def test_registry_is_not_empty():
    assert {"random", "tpe", "portfolio"} <= set(strategies)


def test_branin_is_branin():
    assert branin(math.pi, 2.275) == pytest.approx(0.397887, abs=1e-5)


@pytest.mark.parametrize("key", list(strategies))
class TestEveryStrategy:
    def test_configs_are_complete_and_valid(self, key):
        for seen in minimize(key, 12, seed=1):
            assert MIXED.complete(seen.config) == seen.config
            assert ("penalty" in seen.config) == (seen.config["kind"] == "bad")

    def test_is_a_pure_function(self, key):
        history = minimize(key, 9, seed=2)[:8]
        asks = [strategies[key]().ask(MIXED, history, 2, np.random.default_rng(5)) for _ in range(2)]
        assert asks[0] == asks[1]

    def test_copes_with_failed_stopped_and_running(self, key):
        rng = np.random.default_rng(3)
        history = [
            Observation(MIXED.sample(rng), "failed"),
            Observation(MIXED.sample(rng), "running"),
            Observation(MIXED.sample(rng), "stopped", 3.0),
            Observation(MIXED.sample(rng), "ok", float("nan")),
            *[Observation(c := MIXED.sample(rng), "ok", objective(c)) for _ in range(8)],
        ]
        assert strategies[key]().ask(MIXED, history, 1, rng)

    def test_empty_space(self, key):
        assert strategies[key]().ask(parse_space({"params": {}}), [], 1, np.random.default_rng(0)) in ([], [{}])


def test_portfolio_ends():
    history = minimize("portfolio", 10, seed=0)
    assert [o.config for o in history] == MIXED.starts()


def test_tpe_beats_random_on_a_mixed_problem():
    def regret(key):
        return np.mean([min(o.loss for o in minimize(key, 45, seed)) - 0.397887 for seed in range(8)])

    assert regret("tpe") < 0.7 * regret("random")
