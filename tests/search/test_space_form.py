"""Templates, nested choices and comparisons: what they stand for, and what is said where they are wrong."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.search import optimize
from autodl.search.encoding import Encoding
from autodl.search.space import SearchSpace, parse_space

NESTED = """
params:
  op:
    type: choice
    values:
      conv:
        kernel: {type: choice, values: [3, 5], default: 5}
        norm: &norm {type: choice, values: {batch: {momentum: {type: float, low: 0, high: 1}}, none: }}
      dense: {norm: *norm, units: {type: int, low: 8, high: 16, when: {norm: [batch]}}}
      3: {}
      true: {}
portfolio:
  - {op: conv, kernel: 3}
nas: [op, kernel]
"""
STAGES = """
params:
  stages: {type: int, low: 1, high: 3, default: 2}
  width_{1..3}: {type: choice, values: [16, 32, 64], when: {stages: ">= {i}"}}
  depth_{1..3}: {type: int, low: 1, high: 2, when: {stages: ">= {i}"}}
  op_{1..3}_{1..2}: {type: choice, values: [conv, pool], when: {stages: ">= {i}", "depth_{i}": ">= {j}"}}
  skip_{2..3}: {type: choice, values: [false, true], when: {"op_{i-1}_1": conv, stages: ">= {i}"}}
portfolio:
  - {"width_{1..3}": 64, stages: 3}
nas: [stages, "width_{1..3}", "op_{1..3}_{1..2}"]
"""


def written(tmp_path, text: str) -> SearchSpace:
    path = tmp_path / "space.yaml"
    path.write_text(text)
    return parse_space(path)


def test_parameters_of_a_value_exist_while_it_is_chosen(tmp_path):
    space = written(tmp_path, NESTED)
    assert list(space.params) == ["op", "kernel", "norm", "momentum", "units"]
    assert space.params["op"].values == ("conv", "dense", 3, True)
    assert space.params["norm"].when == {"op": ("conv", "dense")}  # one parameter of two values
    assert space.starts() == [{"op": "conv", "kernel": 3, "norm": "batch", "momentum": 0.5}]
    rng = np.random.default_rng(0)
    for _ in range(200):
        config = space.sample(rng)
        assert ("kernel" in config) == (config["op"] == "conv")
        assert ("norm" in config) == (config["op"] in ("conv", "dense"))
        assert ("momentum" in config) == (config.get("norm") == "batch")
        assert ("units" in config) == (config["op"] == "dense" and config["norm"] == "batch")


def test_templates_are_written_out(tmp_path):
    space = written(tmp_path, STAGES)
    blocks = [f"op_{i}_{j}" for i, j in itertools.product((1, 2, 3), (1, 2))]
    assert [n for n in space.params if n.startswith("op_")] == blocks
    assert space.params["op_3_2"].when == {"stages": ">= 3", "depth_3": ">= 2"}
    assert space.params["skip_3"].when == {"op_2_1": ("conv",), "stages": ">= 3"}
    assert space.nas == ("stages", "width_1", "width_2", "width_3", *blocks)
    assert [space.starts()[0][f"width_{i}"] for i in (1, 2, 3)] == [64, 64, 64]
    rng = np.random.default_rng(0)
    for _ in range(200):
        config = space.sample(rng)
        n = config["stages"]
        assert {k for k in config if k.startswith("width_")} == {f"width_{i}" for i in range(1, n + 1)}
        expected = {f"op_{i}_{j}" for i in range(1, n + 1) for j in range(1, config[f"depth_{i}"] + 1)}
        assert {k for k in config if k.startswith("op_")} == expected


@pytest.mark.parametrize("text", [NESTED, STAGES])
def test_rows_of_numbers_keep_to_the_conditions(tmp_path, text):
    space = written(tmp_path, text)
    encoding, rng = Encoding(space), np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(100)]
    X = encoding.encode(drawn)
    assert [encoding.decode(row) for row in encoding.snap(X)] == [pytest.approx(c) for c in drawn]
    there = encoding.exists(encoding.random(100, rng))
    for row, exists in zip(encoding.mutate(X, rng), encoding.exists(encoding.mutate(X, rng)), strict=True):
        assert space.complete(encoding.decode(row)) == encoding.decode(row)
        assert len(exists) == there.shape[1]


def test_comparisons_with_numbers_of_any_kind():
    space = parse_space(
        {
            "x": {"type": "float", "low": 1e-4, "high": 1.0, "log": True},
            "n": {"type": "int", "low": 1, "high": 100_000, "log": True},
            "k": {"type": "choice", "values": [1, 3, 5]},
            "a": {"type": "choice", "values": [0], "when": {"x": "<= 1e-2"}},
            "b": {"type": "choice", "values": [0], "when": {"n": "> 300"}},
            "c": {"type": "choice", "values": [0], "when": {"k": "< 5"}},
            "d": {"type": "choice", "values": [0], "when": {"k": "!= 3"}},
            "e": {"type": "choice", "values": [0], "when": {"k": "== 3", "x": "> 0.5"}},
        }
    )
    rules = {
        "a": lambda c: c["x"] <= 0.01,
        "b": lambda c: c["n"] > 300,
        "c": lambda c: c["k"] < 5,
        "d": lambda c: c["k"] != 3,
        "e": lambda c: c["k"] == 3 and c["x"] > 0.5,
    }
    encoding, rng = Encoding(space), np.random.default_rng(0)
    decoded = [encoding.decode(row) for row in encoding.random(300, rng)]
    for config in [*(space.sample(rng) for _ in range(300)), *decoded]:
        assert {name: name in config for name in rules} == {name: rule(config) for name, rule in rules.items()}


def test_one_is_not_true():
    space = parse_space(
        {
            "flag": {"type": "choice", "values": [True, 1, 0, False]},
            "a": {"type": "choice", "values": [5], "when": {"flag": [1]}},
            "b": {"type": "choice", "values": [5], "when": {"flag": True}},
        }
    )
    assert "a" not in space.complete({"flag": True}) and "b" in space.complete({"flag": True})
    assert "a" in space.complete({"flag": 1}) and "b" not in space.complete({"flag": 1})
    encoding = Encoding(space)
    for value in (True, 1, 0, False):
        config = space.complete({"flag": value})
        back = encoding.decode(encoding.snap(encoding.encode([config]))[0])
        assert back == config and type(back["flag"]) is type(value)
    with pytest.raises(ConfigError, match=r"`default` must be one of \[0, 1\]"):
        parse_space({"x": {"type": "choice", "values": [0, 1], "default": True}})


@pytest.mark.parametrize("strategy", ["auto", "tpe", "evolution", "sobol"])
def test_searched_by_every_kind_of_strategy(tmp_path, strategy):
    path = tmp_path / "space.yaml"
    path.write_text(STAGES)

    def loss(config, fidelity):
        return abs(config["stages"] - 3) + sum(v == "pool" for k, v in config.items() if k.startswith("op_"))

    result = optimize(loss, path, strategy=strategy, max_evals=12, seed=1)
    assert all(parse_space(path).complete(o.config) == o.config for o in result.history)
    assert result.best_loss <= min(o.loss for o in result.history[:4])


def test_numbers_as_people_write_them(tmp_path):
    space = written(tmp_path, "a: {type: float, low: 1e-4, high: 1E+2, log: true, default: 1e-3}\n"
                              "b: {type: choice, values: [1e-4, 1.5e3, '1e-4', 1e5x]}\n"
                              "c: {type: int, low: '1', high: 9, when: {a: '>= 1e-3'}}\n")  # fmt: skip
    assert (space.params["a"].low, space.params["a"].high, space.params["a"].default) == (1e-4, 100.0, 1e-3)
    assert space.params["b"].values == (1e-4, 1500.0, "1e-4", "1e5x")
    assert space.params["c"].low == 1
    by_mapping = parse_space({"a": {"type": "float", "low": "1e-4", "high": "0.1", "default": "1e-3"}})
    assert by_mapping.params["a"].start() == 1e-3


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a:\n  type: choice\n  values:\n    x: {b: {type: float, low: 3, high: 1}}\n", 4, "a.values.x.b: `low <="),
        ("a:\n  type: choice\n  values: {}\n", 1, "at least one entry"),
        ("a: {type: choice, values: {x: 3}}\n", 1, "the parameters of a value are a mapping, but got 3"),
        ("a: {type: choice, values: [x, {y: {}}]}\n", 1, "are written as a mapping"),
        ("a:\n  type: choice\n  values:\n    x:\n      b: {type: int, low: 1, high: 2}\n    y:\n"
         "      b: {type: int, low: 1, high: 3}\n", 7, "'b' stands twice"),
        ("a_{1..2}:\n  type: int\n  low: 1\n  high: 2\na_2: {type: int, low: 1, high: 2}\n", 5, "'a_2' stands twice"),
        ("a_{1..3}:\n  type: int\n  low: 1\n  high: 2\n  when:\n    b: '>= {j}'\n", 6, "'{j}' has no range"),
        ("a_{3..1}: {type: int, low: 1, high: 2}\n", 1, "a range rises, but got 3..1"),
        ("a_{1-3}: {type: int, low: 1, high: 2}\n", 1, "NAME_{1..4}"),
        ("a_{1..99999}: {type: int, low: 1, high: 2}\n", 1, "at most 1000 numbers"),
        ("a_{1..90}_{1..90}: {type: int, low: 1, high: 2}\n", 1, "more than 1000 parameters"),
        ("n: {type: int, low: 1, high: 4}\na: {type: int, low: 1, high: 2, when: {n: '>= 5'}}\n", 2,
         "a.when.n: 'n' never is >= 5"),
        ("n: {type: int, low: 1, high: 4}\na: {type: int, low: 1, high: 2, when: {n: [5]}}\n", 2,
         "'n' never takes the value 5"),
        ("n: {type: choice, values: [x, y]}\na: {type: int, low: 1, high: 2, when: {n: '> 1'}}\n", 2,
         "'>' compares numbers, but the values are ['x', 'y']"),
        ("n: {type: int, low: 1, high: 4}\na: {type: int, low: 1, high: 2, when: {n: '> few'}}\n", 2,
         "'>' needs a number after it, but got 'few'"),
        ("a: {type: int, low: 1, high: 2, when: [b]}\n", 1, "must be a mapping such as"),
        ("a: {type: int, low: 1, high: 2, defualt: 1}\n", 1, "unknown key 'defualt'. Did you mean 'default'?"),
        ("a: {type: integer, low: 1, high: 2}\n", 1, "unknown type 'integer'. Did you mean 'int'?"),
        ("a: {low: 1, high: 2}\n", 1, "`type` is missing"),
        ("params:\n  a: 3\n", 2, "params.a: a parameter is a mapping such as"),
        ("a: {type: choice, values: conv}\n", 1, "must be a list such as [3, 5], but got 'conv'"),
        ("a: {type: choice, values: [1, 2, 1]}\n", 1, "`values` has 1 twice"),
        ("a: {type: choice, values: [1, 2], low: 1}\n", 1, "a choice has `values`, not `low`"),
        ("a: {type: int, low: 1, high: 4, default: 2.5}\n", 1, "`default` must be a whole number"),
        ("a: {type: float, low: true, high: 4}\n", 1, "must be a number, but got True"),
        ("a: {type: float, low: 0, high: .inf}\n", 1, "must be finite"),
        ("params: {}\nportfolios: []\n", 2, "unknown key 'portfolios'. Did you mean 'portfolio'?"),
        ("params: [a, b]\n", 1, "must be a mapping of names to parameters"),
        ("params: {}\nportfolio: {a: 1}\n", 2, "must be a list of configurations"),
        ("params:\n  a: {type: int, low: 1, high: 4}\nportfolio:\n  - {}\n  - {a: 9}\n", 5,
         "portfolio.1.a: 'a' never takes the value 9"),
        ("params:\n  a: {type: int, low: 1, high: 4}\nportfolio:\n  - {a: [1, 2]}\n", 4, "must be one value"),
        ("params:\n  lr: {type: int, low: 1, high: 4}\nnas: [rl]\n", 3, "no parameter 'rl'. Known: lr."),
    ],
)  # fmt: skip
def test_errors_name_the_line_and_the_rule(tmp_path, text, line, message):
    with pytest.raises(ConfigError) as caught:
        written(tmp_path, text)
    assert f"space.yaml, line {line}: " in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "a_{1..2}: &a {type: choice, values: {x: {b: *a}}}\n",
        "a: &a {type: choice, values: {x: {b: &b {type: choice, values: {y: {c: *b}}}}}}\n",
    ],
)
def test_a_file_that_contains_itself_is_an_error(tmp_path, text):
    with pytest.raises(ConfigError, match=r"contains itself|stands twice"):
        written(tmp_path, text)


def test_spaces_are_stored_and_read_back(tmp_path):
    for text in (NESTED, STAGES):
        space = written(tmp_path, text)
        assert SearchSpace.model_validate_json(space.model_dump_json()) == space


def test_lines_of_parameters_that_templates_and_nested_choices_give():
    from autodl.search.space_place import line_of

    assert line_of(STAGES, ["params", "width_3"]) == 4
    assert line_of(STAGES, ["params", "op_3_2", "when"]) == 6
    assert line_of(NESTED, ["params", "momentum"]) == 8
    assert line_of(NESTED, ["params", "units", "low"]) == 9
    assert line_of(NESTED, ["params", "unheard"]) == 2
