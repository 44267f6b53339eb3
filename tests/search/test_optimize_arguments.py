"""What ``optimize`` is given: arguments, spaces and kinds of objective."""

from __future__ import annotations

import pytest
from optimize_problems import SMALL, SPACE, branin

from autodl.errors import ConfigError
from autodl.search import optimize
from autodl.search.calling import takes_config_only


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "the search needs an end"),
        ({"max_evals": 0}, "`max_evals` must be a whole number above 0, but got 0"),
        ({"max_evals": 2.5}, "`max_evals` must be a whole number"),
        ({"max_evals": 5, "strategy": "rondom"}, "Did you mean 'random'?"),
        ({"max_evals": 5, "runner": "clowd"}, "unknown runner 'clowd'"),
        ({"max_evals": 5, "scheduler": "asha"}, "needs a `fidelity`"),
        ({"max_evals": 5, "scheduler": "ahsa", "fidelity": (1, 9)}, "Did you mean 'asha'?"),
        ({"max_evals": 5, "fidelity": (9, 1)}, "0 < low <= high must hold, but got low=9, high=1"),
        ({"max_evals": 5, "fidelity": 9}, "`fidelity` must be two numbers"),
        ({"max_fidelity_total": 50}, "`max_fidelity_total` needs a `fidelity`"),
        ({"max_fidelity_total": 2, "fidelity": (3, 9)}, "less than one evaluation at the lowest fidelity"),
        ({"time_budget": "soon"}, "is not a duration"),
        (
            {"max_evals": 5, "strategy": "grid"},
            "'grid' cannot search continuous parameters: 'x', 'y'. Give each a `step`",
        ),
    ],
)
def test_bad_arguments_are_one_clear_line(arguments, message):
    with pytest.raises(ConfigError) as caught:
        optimize(branin, SPACE, **arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_space_without_parameters_is_refused():
    with pytest.raises(ConfigError, match="no parameters"):
        optimize(branin, {"params": {}}, max_evals=2)


def test_cmaes_over_choices_names_the_remedy():
    with pytest.raises(ConfigError, match=r"'cmaes' cannot search choices: 'a'\. Use 'auto'"):
        optimize(branin, SMALL, strategy="cmaes", max_evals=3)


class OneArgument:
    def __call__(self, config):
        return float(config["x"])


@pytest.mark.parametrize("objective", [lambda config: float(config["x"]), OneArgument()])
def test_a_function_of_the_configuration_alone_will_do(objective):
    found = optimize(objective, {"x": {"type": "float", "low": 0, "high": 1}}, strategy="random", max_evals=4)
    assert [e.loss for e in found.history] == [e.config["x"] for e in found.history]
    assert len(repr(found)) < 200 and "history" not in repr(found)
    with pytest.raises(ConfigError, match="the configuration alone, but the search has a fidelity"):
        optimize(objective, {"x": {"type": "float", "low": 0, "high": 1}}, max_fidelity_total=9, fidelity=(1, 3))


@pytest.mark.parametrize(
    ("function", "alone"),
    [(lambda c: 0, True), (lambda c, f=None: 0, False), (lambda *a: 0, False), (lambda c, *, k=1: 0, True),
     (lambda c, f: 0, False), (max, False)],
)  # fmt: skip
def test_it_is_told_only_for_certain(function, alone):
    assert takes_config_only(function) is alone
