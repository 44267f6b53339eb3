"""What held-out mirror images say decides how image networks begin to mirror, and the plan tells why."""

from __future__ import annotations

import pytest

from autodl.models.base import families
from autodl.planning.mirroring import PARAMETER, TOPIC, mirrors, with_mirroring
from autodl.preprocess.image_mirrors import Lost, Mirrored
from autodl.records import Decision, FamilyPlan, Modality, Plan, Recipe, Task, Validation
from autodl.search.fitting import planned_space
from autodl.search.space import family_space

NETWORKS = sorted(k for k, f in families.items() if PARAMETER in family_space(k).params)


def family(key: str, **more: object) -> FamilyPlan:
    return FamilyPlan(key=key, name=key, why="", est_seconds=1.0, est_bytes=1.0, recipe=Recipe(), **more)


def plan(*planned: FamilyPlan) -> Plan:
    return Plan(
        task=Task.CLASSIFICATION, target="y", metric="log_loss", features=("x",), families=planned,
        validation=Validation(kind="stratified", n_folds=1, test_size=0.2),
        decisions=tuple(Decision(topic=t, choice="", why="") for t in ("Target", "Models", "Search")),
    )  # fmt: skip


def told(sides: float, upside_down: float, error: float = 0.01) -> Mirrored:
    return Mirrored(Lost(sides, error), Lost(upside_down, error), 0.5, 600)


def test_networks_over_images_are_the_ones_that_mirror() -> None:
    assert {k for k, f in families.items() if f.modalities == {Modality.IMAGE}} == set(NETWORKS)
    assert not mirrors(family("linear"))


@pytest.mark.parametrize(
    ("found", "flip", "words"),
    [
        (told(1.2, 1.3), "none", "100 % of what it knows"),
        (told(0.3, 0.3, 0.1), "horizontal", "30 % (95 % interval 10 to 50)"),  # may be little
        (told(0.02, 1.0), "horizontal", "2 % (95 % interval 0 to 4)"),
        (told(0.02, 0.01), "both", "no right way up"),
        (told(0.02, 0.01, 0.1), "horizontal", "interval 0 to 22"),  # too few to be sure
        (None, "horizontal", "too little"),
    ],
)
@pytest.mark.parametrize("key", NETWORKS)
def test_what_they_begin_with(key: str, found: Mirrored | None, flip: str, words: str) -> None:
    after = with_mirroring(plan(family("linear"), family(key)), found)
    assert [d.topic for d in after.decisions] == ["Target", TOPIC, "Models", "Search"]
    assert words in after.decisions[1].why
    assert after.families[0] == family("linear")
    space = planned_space(after.families[1])
    assert space.starts()[0][PARAMETER] == flip
    # The search may find otherwise.
    assert space.params[PARAMETER].values == family_space(key).params[PARAMETER].values


def test_a_space_of_the_users_own_stays_as_it_is() -> None:
    own = family("cnn", space=family_space("cnn").model_dump(mode="json"))
    assert not mirrors(own)
    after = with_mirroring(plan(own, family("vit")), told(1.0, 1.0))
    assert after.families[0] == own
    assert planned_space(after.families[1]).starts()[0][PARAMETER] == "none"
