"""The planner on profiles with known properties."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.data import apply_schema, infer_schema, read_table
from autodl.data.splits import make_folds
from autodl.defaults import SEARCH
from autodl.errors import ConfigError, MissingDependencyError
from autodl.evaluate.base import metrics
from autodl.machine import Machine
from autodl.models.base import CostEstimate, families
from autodl.options import FitOptions
from autodl.planning import make_plan, own_spaces
from autodl.planning.candidates import choose_families, first_wave_s
from autodl.planning.costs import Setting
from autodl.planning.facts import Facts
from autodl.planning.runner import choose_runner
from autodl.planning.validation import choose_validation
from autodl.pretrained.offers import Offer
from autodl.profiling import choose_task, encode_target, profile_table
from autodl.records import (
    ColumnKind,
    Decision,
    Modality,
    Plan,
    Profile,
    ReadInfo,
    TableSchema,
    TargetInfo,
    Task,
    Validation,
)
from autodl.search.memory import Rows
from autodl.search.strategies.base import strategies

MACHINE = Machine(cores=2, memory_bytes=8_000_000_000)
MINUTE = FitOptions(time_budget_s=60.0)


def profile_of(table: pd.DataFrame, options: FitOptions = MINUTE, target: str = "y") -> Profile:
    schema = infer_schema(table, target=target)
    frame = apply_schema(table, schema)
    task, why, guessed = choose_task(schema[target], options.task)
    y, classes = encode_target(frame[target], schema[target], task)
    info = TargetInfo(
        name=target, why="You asked for it.", guessed=False, task=task, task_why=why, task_guessed=guessed,
        classes=classes,
        class_counts=tuple(int(c) for c in np.bincount(y)) if classes else (),
        numeric=schema[target].numeric if task is Task.REGRESSION else None,
    )  # fmt: skip
    return profile_table(frame, schema, ReadInfo(path="t.csv", format="csv"), target=info, options=options)


def table(n: int = 1000, kind: str = "binary", seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.normal(size=n)
    y: object = rng.choice(["no", "yes"], n)
    if kind == "multi":
        y = rng.choice(["red", "green", "blue"], n)
    if kind == "number":
        y = a + rng.normal(size=n)
    return pd.DataFrame({"a": a, "b": rng.normal(size=n), "c": rng.choice(["u", "v", "w"], n), "y": y})


def plan_of(
    data: pd.DataFrame, options: FitOptions = MINUTE, machine: Machine = MACHINE, test_file: bool = False
) -> Plan:
    return make_plan(profile_of(data, options), options, machine=machine, has_test_file=test_file)


def enlarged(profile: Profile, n: int) -> Profile:
    """The same profile as if the table had n rows; planning looks at nothing else of its size."""
    counts = tuple(round(c * n / profile.n_rows) for c in profile.target.class_counts)
    return with_counts(profile, *counts).model_copy(update={"n_rows": n})


def with_counts(profile: Profile, *counts: int) -> Profile:
    """The same profile as if the classes had so many rows."""
    target = profile.target.model_copy(update={"class_counts": counts})
    return profile.model_copy(update={"n_rows": sum(counts), "target": target})


def decision(plan: Plan, topic: str) -> Decision:
    (found,) = [d for d in plan.decisions if d.topic == topic]
    return found


@pytest.mark.parametrize(("kind", "metric"), [("binary", "roc_auc"), ("multi", "log_loss"), ("number", "rmse")])
def test_default_metric(kind: str, metric: str) -> None:
    plan = plan_of(table(kind=kind))
    assert plan.metric == metric
    assert decision(plan, "Metric").why


@pytest.mark.parametrize(
    ("asked", "key"),
    [("AUC", "roc_auc"), ("neg log loss", "log_loss"), ("log-loss", "log_loss"), ("F1", "f1"), ("acc", "accuracy")],
)
def test_metric_aliases(asked: str, key: str) -> None:
    assert plan_of(table(), FitOptions(time_budget_s=60.0, metric=asked)).metric == key


@pytest.mark.parametrize(
    ("metric", "match"),
    [("rmes", "unknown metric 'rmes'.*Did you mean 'rmse'"), ("rmse", "is for regression.*--task regression")],
)
def test_bad_metric(metric: str, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        plan_of(table(), FitOptions(metric=metric))


@pytest.mark.parametrize(
    ("n", "budget", "folds"),
    [
        (1_000, 60.0, 5),
        (1_000, 600.0, 8),
        (200_000, 60.0, 1),
        (200_000, 3600.0, 1),
        (40_000, 60.0, 1),
        (15_000, 3600.0, 5),
    ],
)
def test_folds_by_rows_and_budget(n: int, budget: float, folds: int) -> None:
    options = FitOptions(time_budget_s=budget)
    plan = make_plan(enlarged(profile_of(table(), options), n), options, machine=MACHINE, has_test_file=False)
    assert plan.validation.n_folds == folds
    assert plan.validation.kind == "stratified"


@pytest.mark.parametrize(
    ("n", "budget", "more", "splits"),
    [
        (1_000, 60.0, {}, 5),
        (1_000, 20.0, {}, 1),
        (8_000, 600.0, {}, 3),
        (30_000, 600.0, {}, 1),
        (1_000, 60.0, {"time_column": "day"}, 1),
        (1_000, 60.0, {"group_column": "person"}, 5),
        (1_000, 60.0, {"group_column": "ward"}, 1),
    ],
)
def test_leaders_are_repeated_on_few_rows_and_the_plan_says_so(
    n: int, budget: float, more: dict[str, str], splits: int
) -> None:
    data = table().assign(
        person=[f"p{i % 60}" for i in range(1000)], ward=[f"w{i % 9}" for i in range(1000)],
        day=pd.date_range("2024-01-01", periods=1000, freq="h"),
    )  # fmt: skip
    options = FitOptions(time_budget_s=budget, **more)
    plan = make_plan(enlarged(profile_of(data, options), n), options, machine=MACHINE, has_test_file=False)
    assert plan.validation.repeats == splits
    told = next(d for d in plan.decisions if d.topic == "Validation")
    assert told.evidence["splits"] == splits
    assert ("drawn anew up to" in told.choice) == (splits > 1)


def test_folds_give_way_to_cost() -> None:
    """Where five folds leave no time for one trial of each family, there are fewer; never on few rows."""
    profile = profile_of(table())
    slow = Machine(cores=1, memory_bytes=8_000_000_000, speed=0.2)
    many = make_plan(enlarged(profile, 20_000), MINUTE, machine=slow, has_test_file=False)
    quick = Machine(cores=2, memory_bytes=8_000_000_000, speed=1e3)
    assert many.validation.n_folds < 5
    assert make_plan(enlarged(profile, 20_000), MINUTE, machine=quick, has_test_file=False).validation.n_folds == 5
    assert make_plan(profile, MINUTE, machine=slow, has_test_file=False).validation.n_folds == 5


def test_one_step_fewer_where_all_folds_do_not_fit() -> None:
    facts = Facts(BASE, FitOptions(time_budget_s=600.0))

    def folds(core: float) -> int:
        return choose_validation(facts, False, lambda v: (core, core))[0].n_folds

    assert [folds(core) for core in (37.0, 38.0, 60.0, 61.0)] == [8, 5, 5, 3]


@pytest.mark.parametrize("rows", [1_000, 8_000])
def test_a_family_on_request_takes_no_part_and_no_folds_unless_it_is_named(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One fold of AutoGluon would fit the budget, but not as many as there would be without it."""

    def planned(installed: bool, *named: str) -> Plan:
        missing = () if installed else ("autogluon.tabular",)
        monkeypatch.setattr(families["autogluon"], "missing", classmethod(lambda cls: missing))
        options = FitOptions(time_budget_s=150.0, families=named)
        machine = Machine(cores=2, memory_bytes=64_000_000_000, speed=1e3)
        return make_plan(enlarged(BASE, rows), options, machine=machine, has_test_file=False)

    monkeypatch.setattr(families["autogluon"], "estimate_cost", lambda *_: CostEstimate(seconds=22.0, bytes=1e9))
    usual, without = planned(installed=True), planned(installed=False)
    assert usual.families == without.families
    assert usual.validation.n_folds == without.validation.n_folds == 5
    left_out = {s.what: s.why for s in usual.skipped}
    assert {s.what: s.why for s in without.skipped}["AutoGluon"].endswith("name it: --families default,autogluon")
    assert "--trust" in left_out["AutoGluon"] and "--families default,autogluon" in left_out["AutoGluon"]
    beside = planned(True, "default", "autogluon")
    assert {f.key for f in beside.families} == {f.key for f in usual.families} | {"autogluon"}
    alone = planned(True, "linear", "autogluon")
    assert {f.key for f in alone.families} == {"dummy", "linear", "autogluon"} and alone.validation.n_folds == 3


def test_rare_rows_keep_their_folds_where_the_models_that_count_fit() -> None:
    rare = Facts(with_counts(BASE, 69_650, 350), MINUTE)
    common = Facts(with_counts(BASE, 35_000, 35_000), MINUTE)
    few = Facts(with_counts(BASE, 12_350, 150), MINUTE)

    def folds(facts: Facts, every: float, core: float) -> int:
        return choose_validation(facts, False, lambda v: (every, core))[0].n_folds

    assert [folds(rare, 50.0, core) for core in (10.0, 10.1)] == [3, 1]
    assert [folds(rare, every, 20.0) for every in (14.0, 14.1)] == [3, 1]
    assert folds(common, 1.0, 1.0) == 1
    assert [folds(few, every, 20.0) for every in (8.4, 8.5)] == [5, 3]


def test_many_cores_do_not_shorten_the_longest_trial() -> None:
    many = Machine(cores=64, memory_bytes=64_000_000_000, speed=0.5)
    facts = Facts(enlarged(BASE, 20_000), MINUTE)
    setting = Setting(facts, metrics["roc_auc"], Validation(kind="stratified", n_folds=1, test_size=0.2), many, 2)
    seconds = [p.est_seconds for p in choose_families(setting)[0]]
    assert sum(seconds) / 32 < max(seconds)
    assert first_wave_s(setting, 32)[0] == max(seconds)
    assert first_wave_s(setting)[0] == pytest.approx(sum(seconds))
    slow = Machine(cores=64, memory_bytes=64_000_000_000, speed=0.2)
    plan = make_plan(facts.profile, MINUTE, machine=slow, has_test_file=False)
    assert plan.validation.n_folds == 1


def test_what_reading_takes_is_not_there_for_folds() -> None:
    words = np.random.default_rng(0).choice([f"word{i}" for i in range(400)], (1000, 30))
    data = table().assign(review=[" ".join(row) for row in words])
    options = FitOptions(time_budget_s=60.0, families=("linear",))
    profile = enlarged(profile_of(data, options), 8_000)

    def folds(loading: float) -> int:
        offer = Offer("minilm_l6", "Mini", (64,), 1e-6, "You asked for it.", asked=True, loading=loading)
        plan = make_plan(profile, options, machine=MACHINE, has_test_file=False, offers={Modality.TEXT: offer})
        assert decision(plan, "Sentences").evidence["size"] == 64
        return plan.validation.n_folds

    assert (folds(1.0), folds(35.0)) == (5, 3)


def test_windows_of_time_train_on_half_of_the_rows_and_give_way_to_cost() -> None:
    data = table().assign(day=pd.date_range("2024-01-01", periods=1000, freq="h"))
    options = FitOptions(time_budget_s=60.0, time_column="day")
    profile = profile_of(data, options)
    validation = Validation(kind="time", n_folds=3, test_size=0.2, time_column="day")
    setting = Setting(Facts(enlarged(profile, 50_000), options), metrics["roc_auc"], validation, MACHINE, 1)
    assert setting.rows() == Rows(20_000, 10_000, 10_000)
    assert setting.largest_rows() == Rows(30_000, 10_000, 10_000)
    folds = make_folds(40_000, validation=validation, strata=None, groups=None, times=np.arange(40_000), seed=0)
    assert np.mean([len(train) for train, _ in folds]) == setting.rows().train
    assert max(len(train) for train, _ in folds) == setting.largest_rows().train
    assert {len(held_out) for _, held_out in folds} == {setting.rows().valid}

    few = Facts(enlarged(profile, 15_000), options)
    for seconds, n_folds in ((10.0, 3), (12.0, 1)):
        found, _ = choose_validation(few, False, lambda v, s=seconds: (s, s))  # type: ignore[misc]
        assert found.n_folds == n_folds

    def planned(rows: int, speed: float) -> int:
        machine = Machine(cores=2, memory_bytes=64_000_000_000, speed=speed)
        return make_plan(enlarged(profile, rows), options, machine=machine, has_test_file=False).validation.n_folds

    assert (planned(50_000, 0.1), planned(50_000, 1e3), planned(9_000, 0.1)) == (1, 3, 3)


def test_memory_is_that_of_the_largest_window() -> None:
    data = table().assign(day=pd.date_range("2024-01-01", periods=1000, freq="h"))
    options = FitOptions(time_budget_s=None, max_trials=5, time_column="day")
    facts = Facts(enlarged(profile_of(data, options), 50_000), options)

    def most_bytes(kind: str, n_folds: int) -> dict[str, float]:
        validation = Validation(kind=kind, n_folds=n_folds, test_size=0.2)  # type: ignore[arg-type]
        setting = Setting(facts, metrics["roc_auc"], validation, MACHINE, 1)
        return {p.key: p.est_bytes for p in choose_families(setting)[0]}

    windows, folds = most_bytes("time", 3), most_bytes("stratified", 4)
    assert windows.keys() == folds.keys()
    assert windows == pytest.approx(folds)  # both hold three quarters of the rows at most


def test_test_rows() -> None:
    profile = profile_of(table())
    assert make_plan(profile, MINUTE, machine=MACHINE, has_test_file=False).validation.test_size == 0.2
    assert make_plan(profile, MINUTE, machine=MACHINE, has_test_file=True).validation.test_size == 0
    million = make_plan(enlarged(profile, 1_000_000), MINUTE, machine=MACHINE, has_test_file=False).validation
    assert million.test_size * 1_000_000 == pytest.approx(20_000)
    assert million.holdout * 980_000 == pytest.approx(10_000)
    asked = FitOptions(time_budget_s=60.0, test_size=0.35)
    assert plan_of(table(), asked).validation.test_size == 0.35
    with pytest.raises(ConfigError, match="0 < test size < 1"):
        plan_of(table(), FitOptions(test_size=1.5))


def test_group_and_time_splits() -> None:
    data = table().assign(
        person=[f"p{i % 60}" for i in range(1000)], day=pd.date_range("2024-01-01", periods=1000, freq="h")
    )
    group = plan_of(data, FitOptions(time_budget_s=60.0, group_column="person"))
    assert (group.validation.kind, group.validation.group_column) == ("group", "person")
    assert "person" not in group.features
    time = plan_of(data, FitOptions(time_budget_s=60.0, time_column="day"))
    assert (time.validation.kind, time.validation.time_column) == ("time", "day")
    assert "day" not in time.features
    with pytest.raises(ConfigError, match="cannot be combined"):
        plan_of(data, FitOptions(group_column="person", time_column="day"))
    with pytest.raises(ConfigError, match="at least 3"):
        plan_of(data.assign(person=np.where(np.arange(1000) % 2, "a", "b")), FitOptions(group_column="person"))


def test_candidates_start_simple_and_name_their_cost() -> None:
    plan = plan_of(table(), FitOptions(time_budget_s=600.0))
    assert families[plan.families[0].key].complexity == 0, "the baseline comes first"
    orders = [families[f.key].order for f in plan.families]
    assert orders == sorted(orders)
    assert all(f.est_seconds > 0 and f.why for f in plan.families)
    named = {f.name for f in plan.families} | {s.what for s in plan.skipped}
    tabular = {f.name for f in families.values() if Modality.TABLE in f.modalities}
    assert named == tabular, "each family takes part or is left out with a reason; those for images are not spoken of"
    assert all(s.why for s in plan.skipped)


def test_big_data_leaves_out_what_grows_with_the_square() -> None:
    plan = make_plan(enlarged(profile_of(table()), 500_000), MINUTE, machine=MACHINE, has_test_file=False)
    kept = {f.key for f in plan.families}
    limited = {k for k, f in families.items() if f.max_rows is not None and f.max_rows < 300_000}
    assert limited and not kept & limited
    assert any(families[k].complexity > 0 for k in kept), "something besides the baseline is always tried"


def test_tiny_budget_keeps_something() -> None:
    slow = Machine(cores=1, memory_bytes=8_000_000_000, speed=1e-4)
    plan = make_plan(profile_of(table()), FitOptions(time_budget_s=5.0), machine=slow, has_test_file=False)
    assert sum(families[f.key].complexity > 0 for f in plan.families) == 1


def test_little_memory_leaves_out_the_large() -> None:
    small = Machine(cores=2, memory_bytes=20_000_000)
    plan = make_plan(enlarged(profile_of(table()), 50_000), MINUTE, machine=small, has_test_file=False)
    assert any("memory" in s.why for s in plan.skipped)
    assert all(f.est_bytes <= 0.6 * small.memory_bytes for f in plan.families)


def test_families_asked_for() -> None:
    key = next(k for k, f in families.items() if f.complexity > 0 and not f.requires and f.max_rows is None)
    plan = plan_of(table(), FitOptions(time_budget_s=60.0, families=(key,)))
    assert {f.key for f in plan.families if families[f.key].complexity > 0} == {key}
    assert any(families[f.key].complexity == 0 for f in plan.families), "the baseline stays for comparison"
    typo = key[:-1] + "zz"
    with pytest.raises(ConfigError, match=f"unknown model family '{typo}'.*Did you mean '{key}'"):
        plan_of(table(), FitOptions(families=(typo,)))


def test_to_name_only_what_cannot_learn_from_so_many_rows_is_refused() -> None:
    key, limit = next((k, f.max_rows) for k, f in families.items() if f.max_rows is not None)
    large = enlarged(profile_of(table()), 4 * limit)

    def planned(*keys: str) -> None:
        options = FitOptions(time_budget_s=60.0, families=keys)
        make_plan(large, options, machine=MACHINE, has_test_file=False)

    with pytest.raises(ConfigError, match=f"none of the kinds of models that you named.*{key}: Too slow on"):
        planned(key)
    planned(key, "linear")
    planned("dummy")


def test_a_family_for_images_cannot_be_asked_for_without_images() -> None:
    key = next(k for k, f in families.items() if f.modalities == {Modality.IMAGE})
    with pytest.raises(ConfigError, match=f"the model family '{key}' is for images, and the data have none"):
        plan_of(table(), FitOptions(families=(key,)))


@pytest.mark.parametrize("modality", [Modality.IMAGE, Modality.TEXT])
def test_who_asks_for_a_family_that_has_no_network_to_go_on_from_is_told_why(
    modality: Modality, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = next(k for k, f in families.items() if f.tunes is modality)
    monkeypatch.setattr(families[key], "requires", ())
    rng = np.random.default_rng(0)
    notes = [" ".join(rng.choice(["good", "bad", "food", "was", "here", "very"], 12)) for _ in range(1000)]
    profile = profile_of(table().assign(a=notes))
    assert profile.columns["a"].kind is ColumnKind.TEXT
    kind = ColumnKind.IMAGE if modality is Modality.IMAGE else ColumnKind.TEXT
    columns = [c.model_copy(update={"kind": kind}) if c.name == "a" else c for c in profile.columns.columns]
    profile = profile.model_copy(update={"columns": TableSchema(columns=tuple(columns))})
    options = FitOptions(time_budget_s=60.0, families=(key,))
    with pytest.raises(ConfigError, match=f"'{key}' trains .* You asked for none. Give another --pretrained"):
        make_plan(
            profile,
            options,
            machine=MACHINE,
            has_test_file=False,
            offers={modality: Offer(why="You asked for none.")},
        )


def test_missing_extra_is_skipped_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    key = next(k for k, f in families.items() if f.complexity > 0)
    monkeypatch.setattr(families[key], "requires", ("no_such_package_here",))
    plan = plan_of(table())
    (reason,) = [s.why for s in plan.skipped if s.what == families[key].name]
    assert "no_such_package_here" in reason and "pip install" in reason
    with pytest.raises(MissingDependencyError, match="pip install"):
        plan_of(table(), FitOptions(families=(key,)))


@pytest.mark.parametrize(
    ("options", "runner", "workers", "threads"),
    [
        (FitOptions(time_budget_s=10.0), "inline", 1, 4),
        (FitOptions(time_budget_s=60.0), "process", 4, 1),
        (FitOptions(time_budget_s=600.0), "ray", 4, 1),
        (FitOptions(time_budget_s=600.0, workers=2), "ray", 2, 2),
        (FitOptions(time_budget_s=60.0, workers=2), "process", 2, 2),
        (FitOptions(time_budget_s=600.0, workers=1), "process", 1, 4),
        (FitOptions(time_budget_s=60.0, address="ray://host:1"), "ray", 32, 1),
        (FitOptions(time_budget_s=60.0, address="ray://host:1", workers=2), "ray", 2, 2),
        (FitOptions(time_budget_s=None, max_trials=5), "inline", 1, 4),
    ],
)
def test_runner(options: FitOptions, runner: str, workers: int, threads: int) -> None:
    plan = plan_of(table(), options, Machine(cores=4, memory_bytes=64_000_000_000))
    assert (plan.runner, plan.workers, plan.threads) == (runner, workers, threads)


def test_many_cores_are_shared_by_trials_of_two_threads() -> None:
    assert choose_runner(MINUTE, Machine(cores=16, memory_bytes=64 * 2**30))[:3] == ("process", 8, 2)
    assert choose_runner(MINUTE, Machine(cores=1, memory_bytes=64 * 2**30))[:3] == ("process", 1, 1)


def test_memory_decides_on_processes_and_how_many() -> None:
    machine = Machine(cores=4, memory_bytes=8 * 2**30)
    counted = FitOptions(time_budget_s=None, max_trials=5)
    assert choose_runner(counted, machine, 1 * 2**30)[0] == "inline"
    runner, _, _, decision = choose_runner(counted, machine, 4 * 2**30)
    assert runner == "process"
    assert "needs about 4.0 GiB" in decision.why
    runner, workers, _, decision = choose_runner(FitOptions(time_budget_s=600.0), machine, 2 * 2**30)
    assert (runner, workers) == ("ray", 2)
    assert "Memory allows 2 at a time: the largest needs about 2.0 GiB." in decision.why


def test_what_needs_too_much_memory_is_left_out_with_the_figures() -> None:
    plan = plan_of(table(), MINUTE, Machine(cores=2, memory_bytes=300 * 2**20))
    reasons = [s.why for s in plan.skipped if "of memory" in s.why]
    assert reasons
    told = r"It would need about .* [GM]iB of memory, and one model may take 0.2 GiB of the 0.3 GiB that are free\."
    assert all(re.fullmatch(told, r) for r in reasons)


def test_unknown_strategy_is_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'tpe'"):
        plan_of(table(), FitOptions(search="tpee"))


def test_no_workers_is_refused() -> None:
    with pytest.raises(ConfigError, match="workers >= 1"):
        plan_of(table(), FitOptions(workers=0))


def test_recipes_follow_the_data() -> None:
    rng = np.random.default_rng(0)
    data = table().assign(town=[f"t{i}" for i in rng.integers(0, 300, 1000)])
    data.loc[rng.random(1000) < 0.3, "a"] = np.nan
    wide, clean = plan_of(data), plan_of(table())
    assert any(f.recipe.indicator for f in wide.families)
    assert not any(f.recipe.indicator for f in clean.families), "without gaps there is nothing to flag"
    onehot = [f.recipe for f in wide.families if f.recipe.categories == "onehot"]
    assert onehot and all(r.rare > 0 for r in onehot)
    assert all(f.recipe.text == "none" and not f.recipe.dates for f in wide.families)
    assert all(f.recipe.target == "none" for f in wide.families), "classes are not transformed"
    assert "median" in decision(wide, "Missing values").choice
    assert decision(clean, "Missing values").choice == "nothing to fill"


def test_text_and_dates_reach_the_recipes() -> None:
    rng = np.random.default_rng(0)
    words = np.array(
        ["the", "film", "was", "a", "long", "and", "slow", "but", "very", "moving", "story", "about", "people"]
    )
    data = table().assign(
        review=[" ".join(rng.choice(words, 9)) + f" {i}" for i in range(1000)],
        day=pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500, 1000), "D"),
    )
    plan = plan_of(data)
    real = [f.recipe for f in plan.families if families[f.key].complexity > 0]
    assert all(r.text != "none" for r in real) and any(r.dates for r in real)
    assert "review" in decision(plan, "Text").why and "day" in decision(plan, "Dates").why


@pytest.mark.parametrize(
    ("metric", "rare", "weighted"),
    [
        ("roc_auc", 60, False),  # ranks, which weights would distort
        ("balanced_accuracy", 60, True),  # a cut cannot be told from so few
        ("f1", 60, True),
        ("f1", 240, False),  # a cut does the same on probabilities that hold
        ("mcc", 240, False),
        ("recall", 240, True),  # its cut is never moved: it would say yes to all
        ("precision", 60, False),  # weights would only add false alarms
    ],
)
def test_rare_classes_weigh_more_only_where_no_cut_can_do_the_same(metric: str, rare: int, weighted: bool) -> None:
    data = table(2000)
    data["y"] = np.where(np.random.default_rng(0).permutation(2000) < rare, "yes", "no")
    plan = plan_of(data, FitOptions(time_budget_s=60.0, metric=metric))
    real = [f for f in plan.families if f.key != "dummy"]
    assert {f.recipe.balance == "class_weight" for f in real} == {weighted}
    assert ("would bend the probabilities" in decision(plan, "Imbalance").why) == (
        metric in ("f1", "mcc") and not weighted
    )
    assert ("only make more rows be said to be rare" in decision(plan, "Imbalance").why) == (metric == "precision")


@pytest.mark.parametrize(
    ("counts", "metric", "weighted"),
    [
        ((284_315, 492), "f1", False),  # the sample grows for their sake: 138 of them are looked at
        ((399_800, 200), "f1", True),
        ((600, 400, 1), "f1", False),  # it would weigh as much as a third of all
        ((600, 300, 60), "f1", True),
        ((600, 300, 60), "precision", True),  # of three classes it is macro precision
        ((600, 300, 60), "precision_macro", True),
    ],
)
def test_classes_are_rare_by_the_rows_that_are_looked_at(
    counts: tuple[int, ...], metric: str, weighted: bool
) -> None:
    asked = FitOptions(time_budget_s=600.0, metric=metric)
    plan = make_plan(with_counts(profile_of(table()), *counts), asked, machine=MACHINE, has_test_file=False)
    assert {f.recipe.balance == "class_weight" for f in plan.families if f.key != "dummy"} == {weighted}


def test_rare_rows_of_a_huge_table_are_too_few_in_the_sample_for_a_cut() -> None:
    rare = with_counts(profile_of(table()), 399_800, 200)
    asked = FitOptions(time_budget_s=600.0, metric="balanced_accuracy")
    plan = make_plan(rare, asked, machine=MACHINE, has_test_file=False)
    assert {f.recipe.balance for f in plan.families if f.key != "dummy"} == {"class_weight"}


def test_rare_rows_decide_on_the_size_of_the_parts() -> None:
    """Card fraud: 492 of 284,807 rows. The usual 10,000 rows of a split would hold 17 of them."""
    profile = profile_of(table())
    rare = with_counts(profile, 284_315, 492)
    plan = make_plan(rare, FitOptions(time_budget_s=7200.0), machine=MACHINE, has_test_file=False)
    assert plan.validation.test_size == 0.2
    assert plan.validation.n_folds == 5
    hurried = make_plan(rare, FitOptions(time_budget_s=30.0), machine=MACHINE, has_test_file=False).validation
    assert hurried.n_folds > 1 or hurried.holdout == 0.2
    common = make_plan(enlarged(profile, 284_807), MINUTE, machine=MACHINE, has_test_file=False).validation
    assert (common.n_folds, round(common.test_size * 284_807)) == (1, 20_000)


def test_errors_of_logarithms_are_learnt_by_all_models() -> None:
    data = table(kind="number").assign(y=lambda t: np.exp(t["y"]))
    plan = plan_of(data, FitOptions(time_budget_s=60.0, metric="rmsle"))
    assert all(f.recipe.target == "log" for f in plan.families)
    assert "all models learn" in decision(plan, "Target transform").why
    assert not any(d.topic == "Loss of the models" for d in plan.decisions)


def test_log_target_where_the_metric_allows() -> None:
    data = table(kind="number").assign(y=lambda t: np.exp(t["y"]))
    assert not any(f.recipe.target == "log" for f in plan_of(data).families)
    relative = plan_of(data, FitOptions(time_budget_s=60.0, metric="mae"))
    assert any(f.recipe.target == "log" for f in relative.families)
    negative = plan_of(data.assign(y=lambda t: t["y"] - 1), FitOptions(time_budget_s=60.0, metric="mae"))
    assert not any(f.recipe.target == "log" for f in negative.families)


@pytest.mark.parametrize("kind", ["binary", "multi", "number"])
def test_decisions_are_complete_sentences(kind: str) -> None:
    plan = plan_of(table(kind=kind))
    topics = [d.topic for d in plan.decisions]
    assert len(set(topics)) == len(topics)
    assert {"Target", "Task", "Metric", "Test rows", "Validation", "Columns", "Missing values", "Outliers", "Scaling",
            "Categories", "Models", "Computing"} <= set(topics)  # fmt: skip
    assert all(d.choice and d.why.endswith((".", "?")) for d in plan.decisions), [d.why for d in plan.decisions]


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(20, 3_000_000),
    budget=st.one_of(st.none(), st.floats(5, 7200)),
    cores=st.integers(1, 64),
    preset=st.sampled_from(["fast", "balanced", "best"]),
)
def test_any_size_gives_a_plan(n: int, budget: float | None, cores: int, preset: str) -> None:
    options = FitOptions(time_budget_s=budget, preset=preset)  # type: ignore[arg-type]
    plan = make_plan(enlarged(BASE, n), options, machine=Machine(cores, 4_000_000_000), has_test_file=False)
    v = plan.validation
    assert 0 < v.test_size <= 0.2 and 0 < v.holdout <= 0.2 and 1 <= v.n_folds <= 8
    assert v.test_size * n <= 20_000.5
    assert plan.workers * plan.threads <= max(cores, plan.workers)
    assert len(plan.families) >= 2
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


BASE = profile_of(table())


@pytest.mark.parametrize(
    ("name", "target", "metric", "folds"),
    [("titanic", "Survived", "roc_auc", 5), ("adult", "class", "roc_auc", 1), ("insurance", "charges", "rmse", 5)],
)
def test_known_tables(shared_data: Path, name: str, target: str, metric: str, folds: int) -> None:
    data, _ = read_table(str(shared_data / f"{name}.csv"))
    plan = make_plan(profile_of(data, target=target), MINUTE, machine=MACHINE, has_test_file=False)
    assert (plan.metric, plan.validation.n_folds, plan.runner) == (metric, folds, "process")
    assert len(plan.families) >= 5


@pytest.mark.parametrize(
    ("names", "anew"),
    [(("mlp",), "networks that begin anew"), (("mlp", "linear"), "networks that begin anew and of Linear model")],
)
def test_a_population_is_of_networks_and_the_usual_search_has_the_rest(names: tuple[str, ...], anew: str) -> None:
    plan = plan_of(table(), MINUTE.model_copy(update={"search": "pbt", "families": names}))
    assert plan.strategy == "pbt"
    assert decision(plan, "Search").choice == (
        "Population based training chooses the settings of Neural network (MLP), after each model's listed ones; "
        f"those of {anew} are chosen by {strategies[SEARCH].name}"
    )


def test_a_population_without_networks_is_none() -> None:
    plan = plan_of(table(), MINUTE.model_copy(update={"search": "pbt", "families": ("lightgbm",)}))
    found = decision(plan, "Search")
    assert found.choice.startswith(f"{strategies[SEARCH].name} chooses")
    assert "Population based training, which you asked for, is for neural networks, and none takes part." in found.why
    assert "You asked for it" not in found.why


def test_a_family_of_the_file_that_takes_no_part_is_told(tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("linear: {portfolio: [{}]}\nmlp: {portfolio: [{}]}\nlightgbm: {portfolio: [{}]}\n")
    options = MINUTE.model_copy(update={"space": str(file), "families": ("linear",)})
    data = table()
    plan = make_plan(
        profile_of(data, options), options, machine=MACHINE, has_test_file=False, spaces=own_spaces(options)
    )
    why = decision(plan, "Search").why
    assert f"Neural network (MLP) and LightGBM take no part, so their settings in {file} are not used." in why
    one = options.model_copy(update={"families": ("linear", "mlp")})
    plan = make_plan(profile_of(data, one), one, machine=MACHINE, has_test_file=False, spaces=own_spaces(one))
    assert "LightGBM takes no part, so its settings" in decision(plan, "Search").why


@pytest.mark.parametrize(("levels", "told"), [(50, False), (51, True)])
def test_categories_too_many_for_the_model_itself_are_told(levels: int, told: bool) -> None:
    data = table().assign(c=lambda t: [f"v{i % levels}" for i in range(len(t))])
    plan = plan_of(data, MINUTE.model_copy(update={"families": ("lightgbm", "catboost")}))
    found = decision(plan, "Categories")
    assert found.choice == "by the model itself"
    assert ("Beyond 50 values the mean target is used for LightGBM too." in found.why) == told


def test_texts_alone_are_not_told_about_in_the_words_of_tables() -> None:
    rng = np.random.default_rng(0)
    words = np.array(
        ["red", "green", "house", "tree", "river", "stone", "cloud", "dog", "cat", "sings", "runs", "today"]
    )
    told = [" ".join(rng.choice(words, 12)) for _ in range(400)]
    profile = profile_of(pd.DataFrame({"review": told, "y": rng.choice(["no", "yes"], 400)}))
    messages = {f.code: f.message for f in profile.findings}
    assert messages["AD001"] == "No text is missing."
    assert messages["AD021"] == "400 texts."
    assert messages["AD011"] == "The name 'review' does not say that it is known only afterwards."
    plan = make_plan(profile, MINUTE, machine=MACHINE, has_test_file=False)
    assert not {"Missing values", "Outliers", "Categories"} & {d.topic for d in plan.decisions}
    assert decision(plan, "Columns").choice == "1 of 1 column is used"
    assert "do well on texts, or on the numbers that these are turned into" in decision(plan, "Models").why


def test_words_of_one_column_are_singular() -> None:
    told = profile_of(table(400)[["a", "y"]])
    assert {f.code: f.message for f in told.findings}["AD001"] == "No value is missing in 1 column."
    gaps = table(400)
    gaps.loc[:50, "a"] = np.nan
    assert decision(plan_of(gaps), "Missing values").why.startswith("1 numeric column has gaps, 'a' the most")
    assert "usually win on tables" in decision(plan_of(table(400)), "Models").why
