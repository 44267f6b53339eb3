"""Strategies, limits and search spaces of one's own that cannot be."""

from __future__ import annotations

from bad_case import Build, Case, both, shop, write

LR = "lr: {type: float, low: 0.001, high: 0.1, log: true}"


def space(name: str, wrong: str, content: str, *says: str, options: str = "--families mlp") -> Case:
    """A file of search spaces that is refused."""
    build: Build = both(shop(), write("my.yaml", content))
    command = f"autodl fit shop.csv --target bought {options} --space my.yaml".replace("  ", " ")
    return Case(name, wrong, command, ("my.yaml" if "line" in says[0] else says[0], *says), build)


def fit(name: str, wrong: str, options: str, *says: str) -> Case:
    """An option of the search that is refused."""
    return Case(name, wrong, f"autodl fit shop.csv --target bought {options}", says, shop())


STRATEGIES = (
    fit("strategy", "An unknown strategy", "--search bayse", "search strategy", "'bayse'", "Known"),
    fit("strategy_slip", "A strategy with a slip of the pen", "--search evoltion", "Did you mean 'evolution'?"),
    fit("scheduler", "An unknown scheduler", "--scheduler hyperbnad", "scheduler", "Did you mean 'hyperband'?"),
    fit("nas", "An unknown architecture search", "--nas suprenet", "architecture search", "Did you mean 'supernet'?"),
    fit(
        "grid_shipped", "A grid over continuous settings", "--families linear --search grid", "'grid'", "'C'",
        "'linear'", "step", "--space",
    ),
    fit(
        "cmaes_shipped", "CMA-ES over choices", "--families linear --search cmaes", "'cmaes'", "choices", "'linear'",
        "auto", "--space",
    ),
    fit("latency_unit", "--max-latency 5 ms written as a size", "--max-latency 5MB", "--max-latency", "5MB", "5ms"),
    fit("latency_zero", "--max-latency 0", "--max-latency 0ms", "--max-latency", "above zero"),
    fit("size_unit", "--max-size without a unit that is known", "--max-size 2XB", "--max-size", "2XB", "2MB"),
    fit("memory_word", "--max-memory in words", "--max-memory little", "--max-memory", "'little'", "2MB"),
    fit("memory_least", "--max-memory below what Python takes", "--max-memory 1MB", "--max-memory '1MB'", "100MB"),
    fit("latency_bare", "--max-latency without a unit", "--max-latency 5", "--max-latency", "no unit", "5ms"),
)  # fmt: skip

SPACES = (
    fit("no_space_file", "A file that does not exist", "--families mlp --space my.yaml", "my.yaml", "No such file"),
    space("no_yaml", "It is no YAML", "depth: {type: int\n", "my.yaml", "not valid YAML"),
    space("empty_space", "It is empty", "\n", "my.yaml", "no search space"),
    space("low_above_high", "A low end above the high one", "depth: {type: int, low: 5, high: 2}\n", "line 1",
          "depth", "`low <= high`", "low=5, high=2"),
    space("unknown_type", "An unknown type", "depth:\n  type: integer\n  low: 1\n  high: 3\n", "line 2", "depth",
          "'integer'", "Did you mean 'int'?"),
    space("cycle", "Conditions in a circle",
          "depth: {type: int, low: 1, high: 3, when: {width: [64]}}\n"
          "width: {type: choice, values: [64, 128], when: {depth: [1]}}\n", "line 1", "depth, width", "cycle"),
    space("empty_choice", "A choice of nothing", f"{LR}\nwidth: {{type: choice, values: []}}\n", "line 2", "width",
          "at least one"),
    space("default_outside", "A default outside its range", "depth: {type: int, low: 1, high: 3, default: 9}\n",
          "line 1", "depth", "`default`", "[1, 3]", "9"),
    space("key_twice", "A key that stands twice", f"{LR}\n{LR}\n", "line 2", "'lr'", "twice"),
    space("unknown_setting", "A setting that the model does not have", "dept: {type: int, low: 1, high: 3}\n",
          "line 1", "'mlp'", "'dept'", "Did you mean 'depth'?"),
    space("unknown_preparation", "A step of preparation that does not exist",
          "prep.scales: {type: choice, values: [none]}\n", "line 1", "'prep.scales'", "Did you mean 'prep.scale'?"),
    space("value_of_model", "A value that the model does not take", "depth: {type: int, low: 0, high: 3}\n", "line 1",
          "'depth'", "cannot be 0", "greater than or equal to 1"),
    space("value_of_choice", "An entry that the model does not take",
          f"{LR}\nactivation: {{type: choice, values: [relu, rleu]}}\n", "line 2", "'activation'",
          "'rleu'", "'relu'"),
    space("listed_unknown", "A listed configuration with an unknown setting", "mlp:\n  portfolio:\n  - {dpth: 3}\n",
          "line 3", "'dpth'", "Did you mean 'depth'?", options=""),
    space("family_of_space", "A model family that does not exist", f"mlpp:\n  {LR}\n", "line 1", "'mlpp'",
          "Did you mean 'mlp'?", options=""),
    space("family_unsaid", "The settings of one model, but of which?", f"{LR}\n", "my.yaml", "model family",
          "--families", options=""),
    space("grid_own", "A grid over a continuous setting", f"{LR}\n", "'grid'", "'lr'", "step",
          options="--families mlp --search grid"),
    space("cmaes_own", "CMA-ES over a choice", "width: {type: choice, values: [64, 128]}\n", "'cmaes'", "'width'",
          "auto", options="--families mlp --search cmaes"),
)  # fmt: skip
