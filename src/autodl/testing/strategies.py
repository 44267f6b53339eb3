"""What every search strategy must do. ``check_strategy("mine")`` raises an ``AssertionError`` with the rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from autodl.errors import ConfigError
from autodl.search.calling import Answer
from autodl.search.fidelity import Fidelity
from autodl.search.history import Observation
from autodl.search.ledger import Ledger
from autodl.search.space import Config, SearchSpace, parse_space
from autodl.search.steering import Steering
from autodl.search.strategies.base import Strategy, strategies

MIXED = parse_space(
    {
        "params": {
            "x": {"type": "float", "low": -5, "high": 10},
            "rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
            "kind": {"type": "choice", "values": ["good", "bad"], "default": "bad"},
            "penalty": {"type": "int", "low": 0, "high": 5, "when": {"kind": ["bad"]}},
            "part": {"type": "choice", "values": ["a", "b", "c"], "when": {"penalty": [0, 1, 2]}},
            "units_{1..3}": {"type": "int", "low": 4, "high": 9, "when": {"penalty": ">= {i}"}},
            "cell": {"type": "choice", "values": {"lstm": {"bias": {"type": "int", "low": 0, "high": 2}}, "gru": {}}},
            "slow": {"type": "choice", "values": [True, False, 1], "when": {"rate": "< 0.01"}},
            "slower": {"type": "choice", "values": [0, 1], "when": {"slow": [True]}},
            "width": {"type": "choice", "values": [16, 32, 64]},
        },
        "portfolio": [{}, {"x": 1.0}, {"kind": "good"}],
    }
)
NUMBERS = parse_space(
    {
        "x": {"type": "float", "low": -5, "high": 10},
        "rate": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
        "units": {"type": "int", "low": 16, "high": 512, "log": True},
    }
)
CHOICES = parse_space({name: {"type": "choice", "values": [0, "one", True]} for name in ("p", "q", "r")})
STEPPED = parse_space(
    {
        "share": {"type": "float", "low": 0, "high": 1, "step": 0.25},
        "units": {"type": "int", "low": 8, "high": 64, "step": 8},
    }
)
"""Numbers of few values."""
SQUARE = parse_space({name: {"type": "float", "low": 0, "high": 1} for name in ("x", "y", "z")})
"""A space of which one half may fail."""
LISTED = ("portfolio",)
"""Strategies that end by themselves."""
FAILING = 12
"""Calls that fail at first: more than models need to begin, fewer than the spaces have configurations."""
AMONG_FAILING = 48
"""Proposals of which few enough must fail: several times as many as models need to begin."""


def suited(key: str, *more: SearchSpace) -> list[SearchSpace]:
    """The spaces of the battery, and of ``more``, that a strategy says it can search; at least one."""
    out = []
    for space in (MIXED, NUMBERS, CHOICES, *more):
        try:
            _made(key).check(space)
        except ConfigError:
            continue
        out.append(space)
    assert out, f"'{key}' can search none of the battery's spaces"
    return out


def loss_of(config: Config) -> float:
    """A smooth loss with its minimum inside; choices add to it."""
    total = 0.0
    for value in config.values():
        if isinstance(value, str | bool):
            total += {"bad": 3.0, "b": 1.0, "one": 0.5}.get(str(value), 0.0)
        elif value is not None:
            total += abs(np.log1p(abs(float(value))) - 1.0)
    return float(total)


def grown(key: str, space: SearchSpace, n: int, seed: int = 0) -> list[Observation]:
    """A history of ``n`` trials, each proposed by the strategy itself."""
    history: list[Observation] = []
    for i in range(n):
        asked = _made(key, seed).ask(space, history, 1, np.random.default_rng([seed, i]))
        history += [Observation(c, "ok", loss_of(c)) for c in asked[:1]]
    return history


def check_valid(key: str) -> None:
    """Configurations are complete, inside their ranges and on their steps, and conditions hold."""
    for space in suited(key, STEPPED):
        for seen in grown(key, space, 24, seed=1):
            assert space.complete(seen.config) == seen.config, f"not complete: {seen.config}"
            for name, value in seen.config.items():
                assert space.params[name].allows(value), f"{name}={value!r} is not allowed"


def check_pure(key: str) -> None:
    """The same history and random state give the same proposals, and the history is left as it was."""
    for space in suited(key):
        history = grown(key, space, 14, seed=2)
        before = list(history)
        asks = [_made(key).ask(space, history, 2, np.random.default_rng(5)) for _ in range(2)]
        assert asks[0] == asks[1], "two asks with the same arguments differ"
        assert history == before, "the history was changed"


def check_count(key: str) -> None:
    """At most as many as wanted, and they differ from each other and from what was tried."""
    for space in suited(key):
        history = grown(key, space, 10, seed=3)
        asked = _made(key).ask(space, history, 4, np.random.default_rng(1))
        assert len(asked) <= 4
        assert key in LISTED or asked, "nothing was proposed"
        assert not any(a == b for i, a in enumerate(asked) for b in asked[:i]) or key == "random", (
            "repeats in one ask"
        )


def check_running(key: str) -> None:
    """What runs is not proposed again where there are other configurations."""
    if key == "random":  # independent draws by definition
        return
    for space in suited(key):
        history = grown(key, space, 12, seed=4)
        rng = np.random.default_rng(6)
        for _ in range(3):
            asked = _made(key).ask(space, history, 1, rng)
            if not asked:
                break
            assert asked[0] not in [o.config for o in history if o.status == "running"], "a running one again"
            history.append(Observation(asked[0], "running"))


def check_faults(key: str) -> None:
    """Failed, stopped and running trials, and losses that are not finite, do no harm."""
    for space in suited(key):
        rng = np.random.default_rng(3)
        odd: list[Observation] = [
            Observation(space.sample(rng), "failed"),
            Observation(space.sample(rng), "running"),
            Observation(space.sample(rng), "stopped", 3.0),
            Observation(space.sample(rng), "ok", float("nan")),
        ]
        only_failed = [Observation(space.sample(rng), "failed") for _ in range(20)]
        flat = [Observation(space.sample(rng), "ok", 1.0) for _ in range(20)]
        mixed = [*odd, *(Observation(c := space.sample(rng), "ok", loss_of(c)) for _ in range(20))]
        for history in (odd, only_failed, flat, mixed):
            asked = _made(key).ask(space, history, 1, rng)
            assert asked or key in LISTED, f"nothing proposed after {[o.status for o in history][:4]}"


def check_failing_region(key: str) -> None:
    """Where one half of the space fails, and the best lies beside it, most proposals do not fail all the same."""
    try:
        _made(key).check(SQUARE)
    except ConfigError:
        return
    history: list[Observation] = []
    for i in range(AMONG_FAILING):
        for config in _made(key).ask(SQUARE, history, 1, np.random.default_rng([0, i])):
            total = float(config["x"] or 0.0) + float(config["y"] or 0.0)
            history.append(Observation(config, "failed") if total > 1 else Observation(config, "ok", -total))
    failed = sum(o.status == "failed" for o in history)
    assert failed < 2 / 3 * AMONG_FAILING, f"{failed} of {AMONG_FAILING} proposals failed"


def check_failing_start(key: str) -> None:
    """A search with a fidelity goes on where all calls so far have failed, and after the first that works."""
    space = min(suited(key), key=lambda s: len(s.params))  # so that models begin early
    fidelity = Fidelity(1, 9, whole=True)
    steering, ledger, rng = (
        Steering.of(space, key, None, fidelity, 0),
        Ledger(fidelity.high),
        np.random.default_rng(0),
    )
    for _ in range(FAILING):
        ledger.end(ledger.begin(space.sample(rng), 1.0, None).number, Answer(error="fails at first"))
    for number in range(FAILING, FAILING + 4):
        step = steering.next(ledger.observations(), number, math.inf)
        if step is None:
            assert key in LISTED, f"it ended after {number} evaluations"
            break
        config = step.config if step.trial is None else ledger.observations()[step.trial].config
        assert config is not None
        entry = ledger.begin(config, step.fidelity, step.trial, step.parent)
        ledger.end(entry.number, Answer((loss_of(config),)))


def check_empty_space(key: str) -> None:
    """A space without parameters has one configuration at most."""
    empty = parse_space({"params": {}})
    assert _made(key).ask(empty, [], 1, np.random.default_rng(0)) in ([], [{}])


STRATEGY_CHECKS: Sequence[Callable[[str], None]] = (
    check_valid,
    check_pure,
    check_count,
    check_running,
    check_faults,
    check_failing_region,
    check_failing_start,
    check_empty_space,
)
"""All checks, to be run one by one."""


def check_strategy(key: str) -> None:
    """Run the whole battery on one registered strategy."""
    for check in STRATEGY_CHECKS:
        check(key)


def _made(key: str, seed: int = 0) -> Strategy:
    return strategies[key](seed)
