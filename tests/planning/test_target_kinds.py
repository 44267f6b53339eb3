"""What the plan makes of counts, amounts with a long tail, ordered classes, and quantiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.records import FamilyPlan, Recipe
from autodl.search.fitting import problem_space
from autodl.search.space import family_space

RNG = np.random.default_rng(0)
N = 300
COUNTS = RNG.negative_binomial(1, 0.2, N)
LEVELS = RNG.choice([3, 4, 5, 6, 7], N, p=[0.02, 0.1, 0.4, 0.4, 0.08])
AMOUNTS = RNG.lognormal(3, 1, N)


def plan(y, **options):
    frame = pd.DataFrame({"a": RNG.normal(size=N), "b": RNG.normal(size=N), "y": y})
    return autodl.plan(frame, "y", max_trials=3, **{"task": "regression", **options}).plan


def objectives(found):
    return {f.objectives for f in found.families}


def decision(found, topic):
    return next((d for d in found.decisions if d.topic == topic), None)


@pytest.mark.parametrize(
    ("y", "expected"),
    [
        (COUNTS, ("poisson", "tweedie")),
        (AMOUNTS, ("poisson", "tweedie", "gamma")),
        (LEVELS, ()),  # grades spread far less than counts do
        (RNG.normal(50, 3, N), ()),  # never negative, but without a tail
        (AMOUNTS - 5, ()),
    ],
)
def test_losses_are_offered_where_the_target_allows(y, expected):
    found = plan(y)
    assert objectives(found) == {expected}
    assert (decision(found, "Loss of the models") is not None) == bool(expected)


def test_whole_numbers_are_not_called_counts():
    why = decision(plan(100.0 * COUNTS), "Loss of the models").why
    assert why.startswith("The target holds whole numbers, never negative, that spread at least as much as counts do")


@pytest.mark.parametrize("options", [{"metric": "mae"}, {"quantiles": (0.1, 0.9)}])
def test_medians_and_quantiles_ask_for_no_mean(options):
    assert objectives(plan(COUNTS, **options)) == {()}


RECIPE = Recipe(text_encoder="any", text_once=True, text_ratios=True, series="rocket")
"""With a pretrained network and random kernels, so that all that could vary does and no two starts are one."""


def family(key, offered):
    return FamilyPlan(key=key, name=key, why="", est_seconds=1, est_bytes=1, recipe=RECIPE, objectives=offered)


@pytest.mark.parametrize("key", ["lightgbm", "catboost", "linear", "mlp", "transformer"])
def test_the_search_has_the_losses_that_the_plan_offers(key):
    known = family_space(key).params["objective"].values
    space = problem_space(family(key, ("poisson",)), [])
    assert space.params["objective"].values == ("auto", "poisson")
    none = problem_space(family(key, ()), [])
    assert "objective" not in none.params and all("objective" not in start for start in none.starts())
    assert len(none.starts()) == len([c for c in family_space(key).portfolio if c.get("objective", "auto") == "auto"])
    assert "auto" in known and none.params.keys() | {"objective"} == family_space(key).params.keys()


def test_an_order_is_used_by_metrics_that_count_on_it():
    used = decision(plan(LEVELS, task="classification", metric="qwk"), "Order of the classes")
    assert used.choice == "5 ordered levels" and used.evidence["levels"] == 5
    told = decision(plan(LEVELS, task="classification"), "Order of the classes")
    assert told.choice == "not used" and "qwk" in told.why
    assert decision(plan(RNG.choice(["a", "b", "c"], N), task="classification"), "Order of the classes") is None
    assert decision(plan(LEVELS), "Order of the classes") is None
    words = decision(
        plan(RNG.choice(["low", "high", "mid"], N), task="classification", metric="qwk"), "Order of the classes"
    )
    assert words.choice == "high < low < mid, taken from the alphabet"


def test_families_without_quantiles_are_left_out_with_the_reason():
    found = plan(AMOUNTS, quantiles=(0.1, 0.9))
    reasons = {s.what: s.why for s in found.skipped}
    assert "It cannot predict quantiles." in reasons.values()
    assert decision(found, "Metric").choice == "Pinball loss"
    assert {f.recipe.target for f in found.families if f.key == "linear"} == {"log"}  # it passes quantiles unharmed
