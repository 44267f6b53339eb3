"""Networks over images are planned where there are images, and get the time for a long training."""

from __future__ import annotations

from autodl.evaluate.base import metrics
from autodl.machine import Machine
from autodl.models.base import families
from autodl.options import FitOptions
from autodl.planning.candidates import Setting, choose_families, first_wave_s
from autodl.planning.encoding import Encoding
from autodl.planning.facts import Facts
from autodl.planning.validation import choose_validation
from autodl.records import (
    ColumnInfo,
    ColumnKind,
    Modality,
    ParseRule,
    Profile,
    TableSchema,
    TargetInfo,
    Task,
    Validation,
)  # fmt: skip

MACHINE = Machine(cores=2, memory_bytes=8_000_000_000)
NETWORKS = {k for k, f in families.items() if f.modalities == {Modality.IMAGE}}


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
    assert NETWORKS
    planned = {p.key: p for p in choose_families(setting(facts(ColumnKind.IMAGE)))[0]}
    assert planned.keys() >= NETWORKS
    for key in NETWORKS:
        assert (planned[key].recipe.images, planned[key].recipe.media) == ("none", "pass")
    kept, skipped, _ = choose_families(setting(facts(ColumnKind.TEXT)))
    assert not NETWORKS & {p.key for p in kept} and families["cnn"].name not in {s.what for s in skipped}


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
    assert folds(facts(ColumnKind.IMAGE), read) > 1
