"""Dear configurations of the leader wait for cheap ones of families that are nearly as good."""

from __future__ import annotations

import math

import pytest

from autodl.records import FamilyPlan, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.allocation import Allocation
from autodl.search.listed import CHEAPER, NEAR, next_listed
from autodl.search.space import family_space
from autodl.search.strategies.base import strategies

KEYS = ("lightgbm", "mlp", "linear")
SECONDS = {"lightgbm": 20.0, "mlp": 5.0, "linear": 1.0}
LOSSES = {"lightgbm": 0.144, "mlp": 0.155, "linear": 0.41}


def spec(family: str) -> TrialSpec:
    return TrialSpec(id="t0001", family=family, config={}, seed=0, origin="portfolio")


def chosen(best: dict[str, float], seconds: dict[str, float] | None, quick_s: float = 7.0) -> str:
    told = None if seconds is None else lambda s: seconds[s.family]
    found = next_listed([spec(k) for k in KEYS], best, told, quick_s)
    assert found is not None
    return found.family


def test_nearly_as_good_and_far_cheaper_goes_first() -> None:
    assert chosen(LOSSES, SECONDS) == "mlp"


@pytest.mark.parametrize(
    ("seconds", "taken"),
    [
        ((20.0, 8.0, 8.0, 8.0), 1),  # the most promising of those that cost the same
        ((20.0, 8.0, 5.0, 1.0), 3),  # place 4 for 1 s, before place 2 for 8 s and place 3 for 5 s
        ((20.0, 8.0, 5.5, 4.5), 1),
    ],
)
def test_of_several_cheap_ones_place_and_cost_decide(seconds: tuple[float, ...], taken: int) -> None:
    listed = [spec("lightgbm" if i == 0 else "mlp").model_copy(update={"id": f"t{i:04d}"}) for i in range(4)]
    found = next_listed(listed, LOSSES, lambda s: seconds[int(s.id[1:])], 7.0)
    assert found is listed[taken]


@pytest.mark.parametrize(
    ("best", "seconds", "quick_s"),
    [
        (LOSSES, None, 7.0),  # without a clock
        (LOSSES, SECONDS, 20.0),  # the leader's is quick
        (LOSSES | {"mlp": 0.144 * NEAR * 1.01}, SECONDS, 7.0),  # the other is far behind
        (LOSSES, SECONDS | {"mlp": 20 / CHEAPER * 1.01, "linear": 19.0}, 7.0),  # the other is hardly cheaper
        ({}, SECONDS, 7.0),  # nothing has finished
        ({"lightgbm": -0.5, "mlp": -0.45}, SECONDS, 7.0),  # losses whose ratio says nothing
    ],
)
def test_else_the_leader_goes_first(best: dict[str, float], seconds: dict[str, float] | None, quick_s: float) -> None:
    assert chosen(best, seconds, quick_s) == "lightgbm"


def test_nothing_listed() -> None:
    assert next_listed([], LOSSES, lambda s: 1.0, 7.0) is None


@pytest.mark.parametrize(("dear_s", "family"), [(20.0, "mlp"), (6.0, "lightgbm")])
def test_a_search_sees_it(dear_s: float, family: str) -> None:
    plans = tuple(FamilyPlan(key=k, name=k, why="", est_seconds=1.0, est_bytes=1.0, recipe=Recipe()) for k in KEYS)
    finished = [
        TrialResult(
            spec=TrialSpec(
                id=f"t000{i}", family=k, config=family_space(k).starts()[0], seed=0, origin="default"
            ),
            status=TrialStatus.OK, loss=LOSSES[k], score=-LOSSES[k], fold_losses=(LOSSES[k],),
        )
        for i, k in enumerate(KEYS, start=1)
    ]  # fmt: skip
    seconds = SECONDS | {"lightgbm": dear_s}
    search = Allocation(
        plans, {k: family_space(k) for k in KEYS}, strategies["random"](0), 0,
        seconds=lambda s, _: seconds[s.family], quick_s=7.0,
    )  # fmt: skip
    asked = search.next(finished, [], lambda s: True)
    assert asked is not None
    assert asked.family == family
    assert asked.origin == "portfolio"
    assert math.isfinite(seconds[asked.family])
