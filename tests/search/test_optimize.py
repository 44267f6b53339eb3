"""What ``optimize`` finds and returns."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from optimize_problems import SMALL, SPACE, branin, median_best

from autodl.search import SearchResult, optimize


def test_result_holds_the_best_and_every_call():
    result = optimize(branin, SPACE, strategy="random", max_evals=12, seed=3)
    assert isinstance(result, SearchResult)
    assert len(result.history) == 12
    assert result.best_loss == min(e.loss for e in result.history)
    assert branin(result.best_config) == result.best_loss
    assert result.spent == 12
    assert "12 evaluations" in result.ended


@pytest.mark.parametrize("strategy", ["auto", "tpe", "evolution", "sobol", "cmaes"])
def test_the_same_seed_gives_the_same_search(strategy):
    first, second, other = (
        [e.config for e in optimize(branin, SPACE, strategy=strategy, max_evals=14, seed=s).history]
        for s in (1, 1, 2)
    )
    assert first == second
    assert first != other


@pytest.mark.slow
def test_auto_finds_the_minimum_of_branin():
    """Random search needs thousands of evaluations for this; the known minimum is 0.397887."""
    assert median_best("auto", n=35, seeds=3) < 0.397887 + 0.05
    assert median_best("random", n=35) > 0.397887 + 0.2


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["tpe", "cmaes", "evolution"])
def test_model_based_strategies_beat_random(strategy):
    n = 60 if strategy != "tpe" else 40
    assert median_best(strategy, n=n) < median_best("random", n=n)


@pytest.mark.slow
def test_auto_beats_random_on_choices():
    """Six choices of five: a sum with two interactions; the best of 15,625 is known by construction."""
    space = {f"c{i}": {"type": "choice", "values": list("abcde")} for i in range(6)}
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(6, 5))

    def loss(config, fidelity):
        codes = ["abcde".index(config[f"c{i}"]) for i in range(6)]
        return (
            sum(weight[i, c] for i, c in enumerate(codes))
            + 2.0 * (codes[0] == codes[1])
            - 1.0 * (codes[2] != codes[5])
        )

    def best(strategy, seed):
        return optimize(loss, space, strategy=strategy, max_evals=45, seed=seed).best_loss

    assert np.mean([best("auto", s) for s in range(2)]) < min(best("random", s) for s in range(6))


def test_grid_tries_everything_once_and_ends():
    result = optimize(lambda c, f: c["b"], SMALL, strategy="grid", max_evals=99)
    assert len(result.history) == 6
    assert len({json.dumps(e.config) for e in result.history}) == 6
    assert "nothing more to try" in result.ended


def test_auto_exhausts_a_small_space_without_repeats_first():
    result = optimize(lambda c, f: c["b"], SMALL, max_evals=6, seed=1)
    assert len({json.dumps(e.config) for e in result.history}) == 6
    assert result.why


@pytest.mark.parametrize("strategy", ["auto", "gp", "mfgp"])
@pytest.mark.parametrize("fidelity", [None, (1, 9)])
@pytest.mark.parametrize("values", [["u"], ["u", "v"]])
def test_nothing_is_tried_twice_in_a_space_of_few_configurations(strategy, fidelity, values):
    space = {"a": {"type": "choice", "values": values}}
    result = optimize(
        lambda c, f: (c["a"] == "u") + 1 / (f or 1), space, strategy=strategy, fidelity=fidelity, max_evals=20
    )
    calls = [(e.config["a"], e.fidelity) for e in result.history]
    assert len(calls) == len(set(calls))
    assert {a for a, f in calls if f == (fidelity and 9)} == set(values)
    assert "nothing more to try" in result.ended


class TestSeveralLosses:
    def test_the_front_holds_what_nothing_beats(self):
        def two(config, fidelity):
            return [(config["x"] - 1) ** 2, (config["x"] - 3) ** 2 + config["y"]]

        result = optimize(two, SPACE, strategy="nsga2", max_evals=150, seed=1)
        assert len(result.front) >= 5
        for a in result.front:
            assert not any(
                all(v <= w for v, w in zip(b.losses, a.losses, strict=True)) and b.losses != a.losses
                for b in result.history
            )
        # The true front is x in [1, 3], y = 0.
        inside = np.mean([0.5 <= e.config["x"] <= 3.5 for e in result.front])
        assert inside > 0.8


def test_several_workers_never_try_the_same_at_once():
    result = optimize(branin, SPACE, max_evals=16, workers=4)
    assert len({json.dumps(e.config) for e in result.history}) == 16


def test_import_is_light():
    heavy = ("torch", "ray", "optuna", "sklearn", "scipy")
    code = f"import sys, autodl.search; autodl.search.SearchSpace; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
