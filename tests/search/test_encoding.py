from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.search.encoding import Encoding, is_ordered, listed
from autodl.search.space import family_space, parse_space
from autodl.testing.strategies import CHOICES, MIXED, NUMBERS

STEPPED = parse_space(
    {
        "s": {"type": "float", "low": 0, "high": 1, "step": 0.25},
        "i": {"type": "int", "low": 10, "high": 50, "step": 10},
        "one": {"type": "int", "low": 3, "high": 3},
        "off": {"type": "choice", "values": [0, False, "0"]},
    }
)


@pytest.mark.parametrize("space", [MIXED, NUMBERS, CHOICES, STEPPED, family_space("mlp")])
def test_there_and_back(space):
    rng = np.random.default_rng(0)
    encoding = Encoding(space)
    configs = [space.sample(rng) for _ in range(60)]
    rows = encoding.encode(configs)
    for config, row in zip(configs, rows, strict=True):
        back = encoding.decode(row)
        assert back.keys() == config.keys()
        for name, value in config.items():
            assert back[name] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value)
            assert type(back[name]) is type(value)
    np.testing.assert_allclose(encoding.snap(rows), rows, atol=1e-9)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**31), scale=st.floats(0.001, 1.0))
def test_mutations_are_valid_and_change_something(seed, scale):
    rng = np.random.default_rng(seed)
    encoding = Encoding(MIXED)
    X = encoding.random(20, rng)
    Y = encoding.mutate(X, rng, scale)
    np.testing.assert_allclose(encoding.snap(Y), Y, atol=1e-12)
    for x, y in zip(X, Y, strict=True):
        config = encoding.decode(y)
        assert MIXED.complete(config) == config
        assert config != encoding.decode(x)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "int", "low": 1, "high": 200, "log": True},
        {"type": "int", "low": 10, "high": 50, "step": 10},
        {"type": "float", "low": 0, "high": 1, "step": 0.25},
        {"type": "choice", "values": [16, 24, 96, 512]},
    ],
)
def test_a_move_too_small_for_the_grid_goes_to_a_neighbour(body):
    space = parse_space({"n": body})
    encoding, listed_values = Encoding(space), listed(space.params["n"])
    X = encoding.random(200, np.random.default_rng(0))
    Y = encoding.mutate(X, np.random.default_rng(1), scale=1e-9)
    places = [[listed_values.index(encoding.decode(row)["n"]) for row in rows] for rows in (X, Y)]
    assert set(np.abs(np.diff(places, axis=0))[0]) == {1}


def test_the_end_of_an_axis_is_the_last_step():
    space = parse_space({"x": {"type": "float", "low": 0, "high": 1, "step": 0.35}})
    assert Encoding(space).decode(np.array([1.0]))["x"] == 0.7
    assert listed(space.params["x"]) == [0.0, 0.35, 0.7]


def test_mutations_change_every_parameter_and_wake_what_was_absent():
    encoding = Encoding(MIXED)
    X = np.repeat(encoding.encode([MIXED.complete({"kind": "good"})]), 400, axis=0)
    Y = encoding.mutate(X, np.random.default_rng(0))
    there = encoding.exists(Y)
    changed = {name: bool((X[:, j] != Y[:, j]).any()) for j, name in enumerate(encoding.names)}
    assert all(changed.values())
    j = encoding.names.index("penalty")
    assert len(np.unique(Y[there[:, j], j])) == 6  # all of 0 to 5 when it comes into being
    assert (Y[~there[:, j], j] == 0.5).all()


def test_random_rows_are_as_uniform_as_samples():
    encoding = Encoding(NUMBERS)
    units = [encoding.decode(r)["units"] for r in encoding.random(4000, np.random.default_rng(0))]
    assert abs(np.mean(np.array(units) < 90.5) - 0.5) < 0.04  # the geometric middle of 16 and 512


def test_numbers_in_a_choice_are_ordered_words_are_not():
    params = parse_space(
        {
            "w": {"type": "choice", "values": [16, 64, 256]},
            "b": {"type": "choice", "values": [True, False]},
            "m": {"type": "choice", "values": [1, 3, 2]},
            "s": {"type": "choice", "values": ["a", "b", "c"]},
        }
    ).params
    assert {n: is_ordered(p) for n, p in params.items()} == {"w": True, "b": False, "m": False, "s": False}


def test_size():
    assert Encoding(CHOICES).size == 27
    assert Encoding(NUMBERS).size == np.inf
    assert Encoding(STEPPED).size == 5 * 5 * 1 * 3
