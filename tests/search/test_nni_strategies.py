from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from autodl.errors import ConfigError, MissingDependencyError
from autodl.search import optimize
from autodl.search.history import Observation
from autodl.search.nni.library import require
from autodl.search.space import parse_space
from autodl.search.strategies.base import strategies

needed = ("nni", "hyperopt", "tianshou", "gym")
missing = [name for name in needed if importlib.util.find_spec(name) is None]
needs_nni = pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)} (extra 'nni')")
EVALS = {
    "nni-tpe": 60,
    "nni-anneal": 60,
    "nni-gp": 30,
    "nni-evolution": 80,
    "nni-nas-evolution": 80,
    "nni-nas-tpe": 60,
}
KEYS = [key for key in strategies if key.startswith("nni-")]

NUMBERS = parse_space(
    {
        "x": {"type": "float", "low": -5, "high": 5},
        "rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
        "k": {"type": "int", "low": 1, "high": 40},
    }
)
CHOICES = parse_space({f"o{i}": {"type": "choice", "values": list("abcde")} for i in range(6)})
NESTED = parse_space(
    {
        "kind": {"type": "choice", "values": ["flat", "deep"]},
        "depth": {"type": "int", "low": 2, "high": 9, "when": {"kind": ["deep"]}},
        "fixed": {"type": "choice", "values": ["only"]},
        "width": {"type": "choice", "values": [16, 32, 64, 128]},
    }
)


def bowl(config, fidelity):
    return (config["x"] - 2) ** 2 + abs(np.log10(config["rate"]) + 2) + abs(config["k"] - 17) / 10


def letters(config, fidelity):
    return float(sum("abcde".index(v) for v in config.values()))


def mean_best(key, objective, space, evals, seeds=3):
    return np.mean(
        [optimize(objective, space, strategy=key, max_evals=evals, seed=s).best_loss for s in range(seeds)]
    )


def test_all_of_them_are_there():
    assert {
        "nni-tpe",
        "nni-evolution",
        "nni-anneal",
        "nni-gp",
        "nni-nas-evolution",
        "nni-nas-rl",
        "nni-nas-tpe",
        "nni-nas-random",
    } == set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_without_nni_one_line_names_the_package_and_the_extra(monkeypatch, key):
    for name in [*sys.modules]:
        if name.partition(".")[0] == "nni":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nni", None)
    space = {"x": {"type": "int", "low": 0, "high": 9}}
    with pytest.raises(MissingDependencyError, match=rf"'{key}' needs the package nni\b.*autodl\[nni\]"):
        optimize(lambda c, f: c["x"], space, strategy=key, max_evals=2)


@needs_nni
@pytest.mark.parametrize("package", ["tianshou", "gym"])
def test_reinforcement_learning_names_what_it_lacks(monkeypatch, package):
    require("nni-nas-rl")  # as NNI looks for them only once
    for name in [*sys.modules]:
        if name.partition(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=f"'nni-nas-rl' needs the package {package}"):
        strategies["nni-nas-rl"](0).check(CHOICES)


@needs_nni
@pytest.mark.parametrize(
    ("key", "space", "message"),
    [
        ("nni-gp", CHOICES, r"'nni-gp' cannot search choices.*'o0', 'o1', 'o2' and 3 more.*Use 'gp'"),
        ("nni-nas-rl", NUMBERS, r"'nni-nas-rl' cannot search numbers with more than 64 values: 'x', 'rate'.*`step`"),
        ("nni-nas-tpe", NUMBERS, r"'nni-nas-tpe' cannot search numbers.*'nni-nas-evolution'"),
    ],
)
def test_a_space_that_it_cannot_search_is_refused(key, space, message):
    with pytest.raises(ConfigError, match=message):
        strategies[key](0).check(space)


@needs_nni
@pytest.mark.parametrize("key", ["nni-tpe", "nni-gp"])
def test_models_keep_clear_of_what_fails_though_the_best_lies_beside_it(key):
    space, rng = parse_space({"x": {"type": "float", "low": 0, "high": 1}}), np.random.default_rng(0)
    drawn = rng.random(60).tolist()
    history = [Observation({"x": x}, *(("failed",) if x > 0.5 else ("ok", -x))) for x in drawn]
    asked = strategies[key](0).ask(space, history, 10, rng)
    assert sum(config["x"] > 0.5 for config in asked) < 5


@needs_nni
@pytest.mark.parametrize("key", ["nni-tpe", "nni-anneal", "nni-gp"])
def test_better_than_random_points_on_a_bowl(key):
    assert mean_best(key, bowl, NUMBERS, EVALS[key]) < 0.6 * mean_best("random", bowl, NUMBERS, EVALS[key])


@needs_nni
@pytest.mark.parametrize("key", ["nni-tpe", "nni-evolution", "nni-nas-evolution", "nni-nas-tpe"])
def test_better_than_random_choices(key):
    assert mean_best(key, letters, CHOICES, EVALS[key]) < mean_best("random", letters, CHOICES, EVALS[key]) - 1


@needs_nni
def test_a_policy_learns_what_is_rewarded():
    """After many results in which 'a' was good, it writes more 'a' than at first."""
    rng = np.random.default_rng(0)
    seen = [Observation(c := CHOICES.sample(rng), "ok", letters(c, None)) for _ in range(80)]
    policy = strategies["nni-nas-rl"](0)
    before = np.mean([letters(c, None) for c in policy.ask(CHOICES, [], 20, np.random.default_rng(1))])
    after = np.mean([letters(c, None) for c in policy.ask(CHOICES, seen, 20, np.random.default_rng(1))])
    assert after < before - 1


@needs_nni
def test_a_policy_is_the_same_taught_at_once_or_step_by_step():
    rng = np.random.default_rng(0)
    seen = [Observation(c := CHOICES.sample(rng), "ok", letters(c, None)) for _ in range(45)]
    kept = strategies["nni-nas-rl"](3)
    for end in (10, 25, 45):
        stepwise = kept.ask(CHOICES, seen[:end], 3, np.random.default_rng(7))
    assert stepwise == strategies["nni-nas-rl"](3).ask(CHOICES, seen, 3, np.random.default_rng(7))


@needs_nni
@pytest.mark.parametrize("key", [k for k in KEYS if k != "nni-gp"])
def test_small_nested_spaces_end_without_repeats(key):
    """36 configurations in all; what does not exist in one is not in it."""
    result = optimize(lambda c, f: c.get("depth", 5) + c["width"], NESTED, strategy=key, max_evals=30, seed=1)
    configs = [e.config for e in result.history]
    assert len(configs) >= 20
    assert all(c == NESTED.complete(c) and ("depth" in c) == (c["kind"] == "deep") for c in configs)
    assert all(a != b for i, a in enumerate(configs) for b in configs[:i])


@needs_nni
@pytest.mark.parametrize("key", ["nni-evolution", "nni-nas-evolution", "nni-nas-tpe", "nni-nas-rl"])
def test_global_random_states_and_threads_are_left_alone(key):
    import torch

    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.random.get_rng_state().tolist())
    threads = set(threading.enumerate())
    optimize(letters, CHOICES, strategy=key, max_evals=25)
    assert (random.getstate(), np.random.get_state()[1].tolist(), torch.random.get_rng_state().tolist()) == before
    assert set(threading.enumerate()) == threads


@needs_nni
@pytest.mark.parametrize("key", ["nni-tpe", "nni-nas-evolution"])
def test_a_loss_that_hangs_costs_its_trial_alone(key):
    stuck = threading.Event()

    def sometimes(config, fidelity):
        if config["o0"] == "a":
            stuck.wait(20)
        return letters(config, fidelity)

    try:
        result = optimize(sometimes, CHOICES, strategy=key, max_evals=8, call_timeout=0.3, seed=2)
    finally:
        stuck.set()
    assert len(result.history) == 8
    assert all(("given up" in (e.error or "")) == (e.config["o0"] == "a") for e in result.history)


@needs_nni
@pytest.mark.slow
def test_nothing_is_printed_and_nothing_is_written(tmp_path):
    program = (
        "from autodl.search import optimize\n"
        "space = {'a': {'type': 'choice', 'values': [0, 1, 2]}, 'k': {'type': 'int', 'low': 0, 'high': 9}}\n"
        "for key in ('nni-tpe', 'nni-evolution', 'nni-anneal', 'nni-nas-evolution', 'nni-nas-tpe', 'nni-nas-rl'):\n"
        "    optimize(lambda c, f: c['a'] + c['k'], space, strategy=key, max_evals=22)\n"
        "numbers = {'k': {'type': 'int', 'low': 0, 'high': 9}}\n"
        "optimize(lambda c, f: c['k'], numbers, strategy='nni-gp', max_evals=14)\n"
    )
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    package = str(Path(sys.modules["autodl"].__file__).parents[1])
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": package}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=here, env=environment, capture_output=True, text=True, timeout=240
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(here.iterdir())
    assert not (home / "nni-experiments").exists()


@needs_nni
@pytest.mark.slow
def test_the_log_of_someone_who_uses_nni_is_not_silenced():
    program = (
        "import logging, nni\n"
        "from autodl.search.nni.library import require\n"
        "require('nni-nas-random')\n"
        "assert logging.getLogger('nni').level == logging.INFO\n"
        "assert nni.get_default_framework() == 'pytorch'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


@needs_nni
@pytest.mark.parametrize("key", ["nni-evolution", "nni-anneal", "nni-nas-tpe", "nni-nas-rl"])
def test_a_search_cut_short_goes_on_as_if_it_had_not_been(tmp_path, key):
    whole = optimize(letters, CHOICES, strategy=key, max_evals=42, seed=4)
    journal = tmp_path / "search.jsonl"
    optimize(letters, CHOICES, strategy=key, max_evals=23, seed=4, journal=journal)
    rest = optimize(letters, CHOICES, strategy=key, max_evals=42, seed=4, journal=journal)
    assert [e.config for e in rest.history] == [e.config for e in whole.history]
