"""What is special to single strategies; what all must do is in the battery."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation, comparable, failed_as_worst
from autodl.search.space import parse_space
from autodl.search.strategies import grid
from autodl.search.strategies.base import strategies
from autodl.search.strategies.nsga2 import crowding, fronts
from autodl.testing.strategies import MIXED, NUMBERS, grown


def test_portfolio_ends():
    assert [o.config for o in grown("portfolio", MIXED, 10)] == MIXED.starts()


def test_listed_configurations_come_first():
    for key in ("gp", "auto"):
        assert [o.config for o in grown(key, MIXED, 3)] == MIXED.starts()


def test_sobol_fills_evenly():
    """A scrambled Sobol sequence puts one of 16 points into each sixteenth of every axis."""
    space = parse_space({n: {"type": "float", "low": 0, "high": 1} for n in "abc"})
    points = [o.config for o in grown("sobol", space, 16, seed=5)]
    for name in "abc":
        assert sorted(int(16 * float(c[name])) for c in points) == list(range(16))


def test_grid_refuses_what_never_ends():
    with pytest.raises(ConfigError, match="more than 100,000 combinations"):
        strategies["grid"]().check(parse_space({f"n{i}": {"type": "int", "low": 1, "high": 50} for i in range(4)}))


def test_grid_lists_the_combinations_of_a_space_once(monkeypatch):
    listed = []
    real = grid._combinations
    monkeypatch.setattr(grid, "_combinations", lambda space: (listed.append(space), real(space))[1])
    search, rng = strategies["grid"](0), np.random.default_rng(0)
    numbers, words = ({"a": {"type": "choice", "values": values}} for values in ([0, 1], [False, True]))
    search.check(parse_space(numbers))
    for _ in range(2):
        (first,) = search.ask(parse_space(numbers), [], 1, rng)
        first.clear()  # whoever changes what was handed out does not change the list
    assert len(listed) == 1
    assert [type(c["a"]) for c in search.ask(parse_space(words), [], 2, rng)] == [bool, bool]
    assert len(listed) == 2


def test_what_failed_counts_as_the_worst_finite_loss():
    seen = [
        Observation({"x": 0}, "ok", 2.0),
        Observation({"x": 1}, "failed"),
        Observation({"x": 2}, "ok", float("inf")),
        Observation({"x": 3}, "running"),
        Observation({"x": 4}, "stopped", 3.0),
    ]
    told = failed_as_worst(seen)
    assert [(o.status, o.loss) for o in told] == [
        ("ok", 2.0), ("ok", 3.0), ("ok", 3.0), ("running", None), ("stopped", 3.0)
    ]  # fmt: skip
    assert [o.config for o in told] == [o.config for o in seen]
    assert failed_as_worst(seen[1:4]) == seen[1:4]


@pytest.mark.parametrize("key", ["tpe", "bohb", "gp", "random", "evolution"])
def test_steps_are_kept_also_where_they_do_not_reach_the_end(key):
    space = parse_space(
        {
            "log": {"type": "int", "low": 16, "high": 512, "log": True, "step": 16, "default": 100},
            "int": {"type": "int", "low": 1, "high": 10, "step": 4, "default": 9},
            "third": {"type": "float", "low": 0, "high": 0.3, "step": 0.1, "default": 0.3},  # 3 * 0.1 is above 0.3
            "short": {"type": "float", "low": 0, "high": 0.35, "step": 0.1},
            "wide": {"type": "float", "low": 0, "high": 1, "step": 0.35},
        }
    )
    rng = np.random.default_rng(0)
    drawn = [space.complete({}), *(space.sample(rng) for _ in range(30))]
    assert {c["short"] for c in drawn} >= {3 * 0.1} and {c["third"] for c in drawn} >= {0.3}
    history = [Observation(c, "ok", float(i)) for i, c in enumerate(drawn)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asked = strategies[key](0).ask(space, history, 6, rng)
    assert len(asked) == 6
    assert all(space.params[name].allows(value) for c in (*drawn, *asked) for name, value in c.items())


@pytest.mark.parametrize("key", ["tpe", "bohb"])
def test_losses_at_other_fidelities_do_not_drive_away_from_good_configurations(key):
    rng = np.random.default_rng(0)
    part = [Observation(c := NUMBERS.sample(rng), curve=((0.1, float(sum(c.values()))),)) for _ in range(20)]
    best = min(part, key=lambda o: o.at(0.1)).config
    whole = [Observation(best, "ok", curve=((1.0, 0.0),))]
    seen = comparable([*part, *whole], enough=5)
    assert [o.status for o in seen] == [*["ok"] * 20, "running"]

    def asked(history):
        return strategies[key](0).ask(NUMBERS, history, 6, np.random.default_rng(1))

    assert asked(seen) == asked(comparable(part, enough=5))
    assert asked([*seen, Observation(best, "running")]) != asked(seen)  # what runs is kept clear of


def test_evolution_changes_one_part_of_a_good_parent():
    space = parse_space({f"c{i}": {"type": "choice", "values": list("abcd")} for i in range(5)})
    rng = np.random.default_rng(0)
    history = [Observation(c := space.sample(rng), "ok", float(sum(v == "a" for v in c.values()))) for _ in range(40)]
    young = history[-20:]
    for _ in range(10):
        child = strategies["evolution"]().ask(space, history, 1, rng)[0]
        assert min(sum(child[k] != o.config[k] for k in child) for o in young) == 1


def test_cmaes_narrows_down():
    def spread(history):
        return np.std([np.log(float(o.config["rate"])) for o in history])

    history = grown("cmaes", NUMBERS, 120)
    assert spread(history[-20:]) < 0.5 * spread(history[:20])


def test_cmaes_begins_again_where_it_has_converged():
    space = parse_space({name: {"type": "float", "low": -5.0, "high": 5.0} for name in "ab"})
    history: list[Observation] = []
    for i in range(400):
        (config,) = strategies["cmaes"](3).ask(space, history, 1, np.random.default_rng([3, i]))
        history.append(Observation(config, "ok", sum((float(v or 0.0) - 1.0) ** 2 for v in config.values())))
    far = [i for i, o in enumerate(history) if (o.loss or 0.0) > 1.0]
    near = next(i for i in range(400) if not any(i <= j < i + 40 for j in far))
    assert near < 200, "it never converged"
    restart = next(i for i in far if i > near)
    assert restart > near + 40

    def centre(seed: int) -> float:
        asked = strategies["cmaes"](3).ask(space, history[:restart], 60, np.random.default_rng(seed))
        return float(np.mean([float(c["a"] or 0.0) for c in asked]))

    assert np.ptp([centre(seed) for seed in range(3)]) < 1.0, "each ask begins at another place"


def test_cmaes_does_not_begin_again_while_it_gains():
    space = parse_space({name: {"type": "float", "low": -1e4, "high": 1e4} for name in "ab"})
    history: list[Observation] = []
    for i in range(300):
        (config,) = strategies["cmaes"](0).ask(space, history, 1, np.random.default_rng([0, i]))
        a, b = (float(v or 0.0) for v in config.values())
        history.append(Observation(config, "ok", (a - 3.0) ** 2 + 100.0 * (b - 5.0) ** 2))
    assert min(float(o.loss or 0.0) for o in history) < 0.01


def test_fronts_and_crowding_by_hand():
    F = np.array([[1.0, 4.0], [2.0, 2.0], [4.0, 1.0], [3.0, 3.0], [4.0, 4.0], [1.0, 4.0]])
    assert fronts(F).tolist() == [0, 0, 0, 1, 2, 0]
    assert crowding(F[:3]).tolist() == [np.inf, 2.0, np.inf]


def test_auto_says_why():
    auto = strategies["auto"]()
    assert "3 numbers" in auto.why(NUMBERS, None, 50)
    assert "cheap evaluations" in auto.why(NUMBERS, Fidelity(1, 9), 5)
    assert "all of the resource" in auto.why(NUMBERS, Fidelity(1, 9), 50)
    assert "evolution" in auto.why(NUMBERS, None, 5000)


def test_every_tenth_configuration_is_drawn_whatever_the_losses_say():
    rng = np.random.default_rng(0)
    configs = [NUMBERS.sample(rng) for _ in range(31)]

    def asked(n: int, sign: float) -> dict:
        losses = np.random.default_rng(1).normal(size=n)
        history = [Observation(c, "ok", sign * float(v)) for c, v in zip(configs, losses, strict=False)]
        return strategies["gp"]().ask(NUMBERS, history, 1, np.random.default_rng(2))[0]

    alike = [n for n in range(20, 31) if asked(n, 1.0) == asked(n, -1.0)]
    assert alike == [29]


def test_long_histories_go_on():
    rng = np.random.default_rng(0)
    configs = [NUMBERS.sample(rng) for _ in range(1100)]
    history = [Observation(c, "ok", float(c["x"])) for c in configs]
    assert strategies["auto"]().ask(NUMBERS, history, 1, rng)
    assert strategies["gp"]().ask(NUMBERS, history[:600], 1, rng)
