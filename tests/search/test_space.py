from __future__ import annotations

import os
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.errors import ConfigError
from autodl.search.encoding import Encoding
from autodl.search.space import SearchSpace, load_file, parse_space

CONDITIONAL = {
    "params": {
        "kernel": {"type": "choice", "values": [3, 5], "default": 3, "when": {"op": ["conv"]}},
        "op": {"type": "choice", "values": ["conv", "pool"], "default": "pool"},
        "lr": {"type": "float", "low": 1e-4, "high": 0.1, "log": True},
        "units": {"type": "int", "low": 16, "high": 64, "step": 16},
    },
    "portfolio": [{}, {"op": "conv", "kernel": 5}, {"op": "pool"}],
    "nas": ["op", "kernel"],
}


def test_defaults_and_conditions():
    space = parse_space(CONDITIONAL)
    assert space.order().index("op") < space.order().index("kernel")
    assert space.complete({}) == {"op": "pool", "lr": pytest.approx(10**-2.5), "units": 48}
    assert space.complete({"op": "conv"})["kernel"] == 3
    # The third entry equals the first once completed: the portfolio has no repeats.
    assert [c["op"] for c in space.starts()] == ["pool", "conv"]


def test_samples_stay_inside():
    space = parse_space(CONDITIONAL)
    rng = np.random.default_rng(0)
    samples = [space.sample(rng) for _ in range(400)]
    assert all(1e-4 <= s["lr"] <= 0.1 for s in samples)
    assert {s["units"] for s in samples} == {16, 32, 48, 64}
    assert all(("kernel" in s) == (s["op"] == "conv") for s in samples)
    # Log-uniform: half of the draws lie below the geometric middle.
    below = np.mean([s["lr"] < 10**-2.5 for s in samples])
    assert abs(below - 0.5) < 0.1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"x": {"type": "float", "low": 3, "high": 1}}, "`low <= high` must hold, but got low=3, high=1"),
        ({"x": {"type": "int", "low": 0, "high": 8, "log": True}}, "a log scale needs `low > 0`"),
        ({"x": {"type": "choice", "values": []}}, "at least one entry"),
        ({"x": {"type": "choice", "values": [1, 2], "default": 3}}, "`default` must be one of"),
        ({"x": {"type": "float", "low": 0, "high": 1, "default": 2}}, "`default` must lie in [0, 1]"),
        (
            {"x": {"type": "int", "low": 16, "high": 512, "step": 32, "default": 120}},
            "x: `default` must be `low` plus whole steps (112 is nearest), but got 120",
        ),
        (
            {"params": {"x": {"type": "float", "low": 0, "high": 1, "step": 0.1}}, "portfolio": [{"x": 0.25}]},
            "'x' never takes the value 0.25",
        ),
        ({"x": {"type": "choice", "values": [float("nan"), 1]}}, "must not hold .nan"),
        ({"x": {"type": "int", "low": 0, "high": 1e30}}, "must lie within +-2^53"),
        ({"x": {"type": "float", "low": -1e308, "high": 1e308}}, "`high - low` must be finite"),
        ({"x": {"type": "float", "low": 0, "high": 1, "step": 1e-300}}, "`step` must leave at most 2^53 values"),
        ({"x": {"type": "floot", "low": 0, "high": 1}}, "x.type: unknown type 'floot'"),
        ({"x": {"type": "float", "low": 0, "high": 1, "hihg": 2}}, "hihg"),
        ({"x": {"type": "float", "low": 0, "high": 1, "when": {"y": [1]}}}, "no parameter 'y'"),
        (
            {
                "x": {"type": "choice", "values": [1], "when": {"y": [1]}},
                "y": {"type": "choice", "values": [1], "when": {"x": [1]}},
            },
            "form a cycle",
        ),
        ({"params": {}, "portfolio": [{"z": 1}]}, "no parameter 'z'"),
    ],
)
def test_bad_spaces_name_the_rule(body, message):
    with pytest.raises(ConfigError) as caught:
        parse_space(body, "my.yaml")
    assert "my.yaml" in str(caught.value)
    assert message in str(caught.value)


def test_file_errors_name_the_file(tmp_path):
    path = tmp_path / "space.yaml"
    with pytest.raises(ConfigError, match="cannot read the search space"):
        parse_space(path)
    path.write_text("params: [1, 2")
    with pytest.raises(ConfigError, match=r"space.yaml(, line \d+)?: not valid YAML"):
        parse_space(path)
    path.write_text("lr: {type: float, low: 0.0001, high: 0.1, log: true}")
    assert parse_space(path).params["lr"].log


@given(
    low=st.integers(1, 50),
    width=st.integers(0, 200),
    log=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_int_samples_in_range(low, width, log, seed):
    space = SearchSpace.model_validate(
        {"params": {"n": {"type": "int", "low": low, "high": low + width, "log": log}}}
    )
    drawn = space.sample(np.random.default_rng(seed))["n"]
    assert isinstance(drawn, int)
    assert low <= drawn <= low + width


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("lr:\n  type: float\n  low: 3\n  high: 1\n", 1, "`low <= high` must hold"),
        ("params:\n  a: {type: choice, values: [1]}\n  b: {type: floot}\n", 3, "params.b.type: unknown type 'floot'"),
        ("params:\n  a: {type: choice, values: []}\n", 2, "at least one entry"),
        (
            "a: {type: choice, values: [1], when: {b: [1]}}\nb: {type: choice, values: [1], when: {a: [1]}}\n",
            1,
            "cycle",
        ),
        ("a: {type: choice, values: [1]}\na: {type: choice, values: [2]}\n", 2, "'a' stands twice"),
        (
            "params:\n  a:\n    type: float\n    low: few\n    high: 1\n",
            4,
            "params.a.low: must be a number, but got 'few'",
        ),
    ],
)
def test_file_errors_name_line_and_key(tmp_path, text, line, message):
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        parse_space(path)
    assert f"{path}, line {line}" in str(caught.value)
    assert message in str(caught.value)


def test_nni_spaces_are_read():
    """The example of NNI's documentation, every type that it names, and a nested choice."""
    space = parse_space(
        {
            "dropout_rate": {"_type": "uniform", "_value": [0.1, 0.5]},
            "conv_size": {"_type": "choice", "_value": [2, 3, 5, 7]},
            "hidden_size": {"_type": "randint", "_value": [100, 500]},
            "learning_rate": {"_type": "loguniform", "_value": [0.0001, 0.1]},
            "batch": {"_type": "quniform", "_value": [16, 64, 16]},
            "layer": {
                "_type": "choice",
                "_value": [{"_name": "Empty"}, {"_name": "Conv", "kernel": {"_type": "choice", "_value": [1, 3]}}],
            },
        }
    )
    assert space.params["hidden_size"].high == 499  # NNI's upper end is excluded
    assert space.params["learning_rate"].log
    rng = np.random.default_rng(0)
    samples = [space.sample(rng) for _ in range(60)]
    assert all(("layer.Conv.kernel" in s) == (s["layer"] == "Conv") for s in samples)
    with pytest.raises(ConfigError, match="x: unknown `_type` 'unifrom'"):
        parse_space({"x": {"_type": "unifrom", "_value": [0, 1]}})
    with pytest.raises(ConfigError, match="x: `_value` of uniform must be 2 numbers"):
        parse_space({"x": {"_type": "uniform", "_value": [0]}})


def test_numbers_take_the_form_that_the_space_has():
    """1.0 is the entry 1, everywhere that a configuration can come from."""
    space = parse_space(
        {
            "params": {
                "x": {"type": "choice", "values": [1, 2], "default": 1.0},
                "depth": {"type": "int", "low": 1, "high": 9},
                "flag": {"type": "choice", "values": [True, 1], "default": 1.0},
                "y": {"type": "choice", "values": [0, 1], "when": {"x": [2.0]}},
            },
            "portfolio": [{}, {"x": 2.0, "depth": 8.0}],
        }
    )
    starts = [{k: (type(v), v) for k, v in c.items()} for c in space.starts()]
    assert starts[0] == {"x": (int, 1), "depth": (int, 5), "flag": (int, 1)}
    assert starts[1] == {"x": (int, 2), "depth": (int, 8), "flag": (int, 1), "y": (int, 0)}
    encoding = Encoding(space)
    assert [encoding.decode(row) for row in encoding.encode(space.starts())] == space.starts()


def test_a_pipe_is_read_once_and_known_from_then_on(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("x: {type: int, low: 1, high: 3}\n"))
    writer.start()
    first, second = load_file(pipe), load_file(pipe)
    writer.join()
    assert first == second and first[0]["x"]["high"] == 3


def test_what_is_no_yaml_is_told_by_file_line_and_hint(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text("a: {type: int, low: 1, high: 2}\nb: {type: int\n")
    with pytest.raises(ConfigError) as caught:
        load_file(path)
    assert "space.yaml, line 3: not valid YAML" in str(caught.value) and "quotes" in str(caught.value)
    assert "unicode string" not in str(caught.value) and "^" not in str(caught.value)
