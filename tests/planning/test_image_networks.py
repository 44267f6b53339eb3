"""Networks over images are planned where there are images, and get the time for a long training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autodl.errors import ConfigError
from autodl.evaluate.base import metrics
from autodl.machine import Machine
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.planning.candidates import choose_families, first_wave_s
from autodl.planning.costs import Setting
from autodl.planning.encoding import Encoding, without_tuned
from autodl.planning.facts import Facts
from autodl.planning.validation import choose_validation
from autodl.pretrained.efficientnet_lite0 import EfficientNetLite0
from autodl.records import (
    ColumnInfo,
    ColumnKind,
    Decision,
    FamilyPlan,
    Modality,
    ParseRule,
    Plan,
    Profile,
    TableSchema,
    TargetInfo,
    Task,
    Validation,
)  # fmt: skip
from autodl.search.fitting import planned_space

MACHINE = Machine(cores=2, memory_bytes=8_000_000_000)
NETWORKS = {k for k, f in families.items() if f.modalities == {Modality.IMAGE}}
FRESH = {k for k in NETWORKS if families[k].tunes is None}


def facts(kind: ColumnKind, rows: int = 5_000, side: int | None = 32) -> Facts:
    column = ColumnInfo(
        name="c", kind=kind, n=rows, n_missing=0, n_unique=rows, parse=ParseRule(side=side), mean_length=20.0
    )
    target = TargetInfo(
        name="y", why="", guessed=False, task=Task.CLASSIFICATION, task_why="", task_guessed=False,
        classes=("a", "b"), class_counts=(rows // 2, rows // 2),
    )  # fmt: skip
    profile = Profile.model_construct(
        n_rows=rows, columns=TableSchema(columns=(column,)), features=("c",), target=target, dropped={},
        group_column=None, time_column=None,
    )  # fmt: skip
    return Facts(profile, FitOptions(time_budget_s=300.0))


def setting(told: Facts, n_folds: int = 1, encodings=None) -> Setting:
    validation = Validation(kind="stratified", n_folds=n_folds, test_size=0.0)
    return Setting(told, metrics["log_loss"], validation, MACHINE, 1, encodings=encodings or {})


def test_they_take_part_where_there_are_images() -> None:
    assert FRESH
    planned = {p.key: p for p in choose_families(setting(facts(ColumnKind.IMAGE)))[0]}
    assert planned.keys() >= FRESH
    for key in FRESH:
        assert (planned[key].recipe.images, planned[key].recipe.media) == ("none", "pass")
    kept, skipped, _ = choose_families(setting(facts(ColumnKind.TEXT)))
    assert not NETWORKS & {p.key for p in kept} and families["cnn"].name not in {s.what for s in skipped}


@pytest.mark.skipif(bool(EfficientNetLite0.missing()), reason="needs the extra 'vision'")
def test_a_pretrained_network_is_trained_further_where_one_takes_part_that_can_be() -> None:
    tuned = NETWORKS - FRESH
    assert tuned

    def planned(lite: Encoding | None, rows: int = 5_000) -> dict[str, FamilyPlan]:
        encodings = {} if lite is None else {Modality.IMAGE: lite}
        kept, skipped, _ = choose_families(setting(facts(ColumnKind.IMAGE, rows), 1, encodings))
        why.update({s.what: s.why for s in skipped})
        return {p.key: p for p in kept if p.key in tuned}

    why: dict[str, str] = {}
    found = planned(Encoding("efficientnet_lite0", "Lite", 96, 10.0, tunable=True))
    assert found.keys() == tuned
    for plan in found.values():
        assert plan.encoder == "efficientnet_lite0"
        assert {c["encoder"] for c in planned_space(plan).starts()} == {"efficientnet_lite0"}
        left = without_tuned(Plan.model_construct(families=(plan,)), "efficientnet_lite0")
        assert left.families == () and without_tuned(left, "other") is left
    reasons = []
    for lite, rows in ((None, 5_000), (Encoding("efficientnet_lite0", "Lite", 96, 10.0), 5_000),
                       (Encoding("efficientnet_lite0", "Lite", 96, 10.0, tunable=True), 100)):  # fmt: skip
        assert not planned(lite, rows)
        reasons += [why[families[key].name] for key in tuned]
    assert "none takes part" in reasons[0] and "only be used as it is" in reasons[1] and "little from" in reasons[2]


def test_a_family_that_was_asked_for_does_not_vanish_where_it_has_nothing_to_go_on_from() -> None:
    told = facts(ColumnKind.IMAGE)
    asked = Facts(told.profile, FitOptions(time_budget_s=300.0, families=("finetuned_cnn",)))
    no = Decision(topic="Images", choice="", why="You asked for no pretrained network.")
    with pytest.raises(ConfigError, match=r"'finetuned_cnn' trains .* asked for no .* leave it out of --families"):
        choose_families(replace(setting(asked), reading=(no,)))
    lite = Encoding("efficientnet_lite0", "Lite", 96, 10.0)
    with pytest.raises(ConfigError, match="can only be used as it is"):
        choose_families(replace(setting(asked, 1, {Modality.IMAGE: lite}), reading=(no,)))


def test_transformers_wait_for_thousands_of_images() -> None:
    few, many = (choose_families(setting(facts(ColumnKind.IMAGE, rows))) for rows in (500, 5_000))
    assert "vit" not in {p.key for p in few[0]} and "vit" in {p.key for p in many[0]}
    assert "takes part from 2,000 on" in {s.what: s.why for s in few[1]}[families["vit"].name]


def test_larger_images_cost_more_up_to_what_networks_see() -> None:
    shapes = [setting(facts(ColumnKind.IMAGE, side=side)).shape() for side in (32, 64, 224)]
    assert [(s.images, s.image_side) for s in shapes] == [(1, 32), (1, 64), (1, 224)]


def folds(told: Facts, encodings=None) -> int:
    def wave(validation: Validation) -> tuple[float, float]:
        return first_wave_s(setting(told, validation.n_folds, encodings))

    return choose_validation(told, True, wave)[0].n_folds


def test_one_split_leaves_time_for_a_long_training() -> None:
    assert folds(facts(ColumnKind.IMAGE)) == 1
    assert folds(facts(ColumnKind.IMAGE, rows=500)) > 1
    read = {Modality.IMAGE: Encoding("efficientnet_lite0", "Lite", 224, 10.0)}
    assert folds(facts(ColumnKind.IMAGE, rows=4_000)) == 1 < folds(facts(ColumnKind.IMAGE, rows=4_000), read)


def test_a_network_alone_has_one_split_unless_its_longer_trainings_fit_more() -> None:
    def alone(seconds: float) -> Facts:
        told = facts(ColumnKind.IMAGE)
        return Facts(told.profile, FitOptions(time_budget_s=seconds, families=("cnn",)))

    assert folds(alone(300.0)) == 1
    assert folds(alone(36_000.0)) == 5


def test_convolutions_lead_where_no_pretrained_network_reads_the_images() -> None:
    def leading(told: Facts, encodings=None) -> list[str]:
        return [p.key for p in choose_families(setting(told, 1, encodings))[0] if p.lead]

    plans = choose_families(setting(facts(ColumnKind.IMAGE)))[0]
    assert [p.key for p in plans[:3]] == ["dummy", "linear", "cnn"] and [p.key for p in plans if p.lead] == ["cnn"]
    assert leading(facts(ColumnKind.TEXT)) == []
    read = {Modality.IMAGE: Encoding("efficientnet_lite0", "Lite", 224, 10.0)}
    assert leading(facts(ColumnKind.IMAGE), read) == []
    assert choose_families(setting(facts(ColumnKind.IMAGE), 1, read))[0][-1].key == "cnn"
    trained_further = {Modality.IMAGE: Encoding("efficientnet_lite0", "Lite", 224, 10.0, tunable=True)}
    assert leading(facts(ColumnKind.IMAGE), trained_further) == ["finetuned_cnn"]
