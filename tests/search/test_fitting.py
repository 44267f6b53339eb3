"""Search spaces cut to one problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from autodl.models.base import families
from autodl.records import ColumnInfo, ColumnKind, FamilyPlan, NumericStats, Recipe, TableSchema, Task
from autodl.search.fitting import fitted_space, idle_fields, nearly_balanced, possible_objectives, problem_space
from autodl.search.space import SearchSpace, family_space, parse_space

STATS = NumericStats(
    mean=0, std=1, minimum=-1, q01=-1, q25=-1, median=0, q75=1, q99=1, maximum=1, skew=0, n_outliers=0, integers=False
)


def column(kind: ColumnKind = ColumnKind.NUMERIC, missing: int = 0, outliers: int = 0) -> ColumnInfo:
    stats = STATS.model_copy(update={"n_outliers": outliers}) if kind is ColumnKind.NUMERIC else None
    return ColumnInfo(name="x", kind=kind, n=100, n_missing=missing, n_unique=9, numeric=stats)


def plan(key: str = "linear", **recipe) -> FamilyPlan:
    made = families[key].recipe.model_copy(update=recipe)
    return FamilyPlan(key=key, name=key, why="", est_seconds=1.0, est_bytes=1.0, recipe=made)


@pytest.mark.parametrize(
    ("columns", "task", "counts", "idle", "searched"),
    [
        ([column()], Task.REGRESSION, (), {"impute", "outliers", "categories", "balance"}, {"target"}),
        ([column(missing=1)], Task.REGRESSION, (), {"outliers"}, {"impute"}),
        ([column(ColumnKind.DATETIME, missing=1)], Task.REGRESSION, (), {"outliers"}, {"impute"}),
        ([column(ColumnKind.CATEGORICAL, missing=1)], Task.REGRESSION, (), {"impute"}, {"categories", "rare"}),
        ([column(outliers=2)], Task.CLASSIFICATION, (50, 50), {"impute", "target", "balance"}, {"outliers"}),
        ([column()], Task.CLASSIFICATION, (90, 10), {"target"}, {"balance"}),
    ],
)
def test_what_has_no_meaning(columns, task, counts, idle, searched) -> None:
    found = idle_fields(columns, task, counts)
    assert idle <= found
    assert not searched & found


@pytest.mark.parametrize(
    ("counts", "balanced"),
    [((20, 80), True), ((19, 81), False), ((10, 10, 7), True), ((13, 87, 0), False), ((5,), True)],
)
def test_nearly_balanced_from_two_fifths_of_an_even_share(counts, balanced) -> None:
    assert nearly_balanced(counts) is balanced


def test_summaries_of_series_are_tried_early_where_there_are_series() -> None:
    listed, without = (
        problem_space(plan(), idle_fields([column(kind)], Task.REGRESSION, ())).starts()
        for kind in (ColumnKind.SERIES, ColumnKind.NUMERIC)
    )
    assert [config["prep.series"] for config in listed[:3]] == ["rocket", "summary", "rocket"]
    assert len(without) == len(listed) - 1 and not any("prep.series" in config for config in without)


def test_a_space_is_cut_to_the_data(linear_data) -> None:
    space = fitted_space(plan(), linear_data)
    assert {"prep.target", "prep.scale", "C"} <= set(space.params)
    assert not {"prep.impute", "prep.outliers", "prep.balance", "prep.max_onehot"} & set(space.params)
    gap = TableSchema(columns=tuple(c.model_copy(update={"n_missing": 3}) for c in linear_data.schema.columns))
    assert "prep.impute" in fitted_space(plan(), replace(linear_data, schema=gap)).params


@pytest.mark.parametrize(
    ("task", "quantiles", "least", "kept"),
    [
        (Task.CLASSIFICATION, (), 0.0, ()),
        (Task.REGRESSION, (0.1, 0.9), 1.0, ()),
        (Task.REGRESSION, (), -1.0, ()),
        (Task.REGRESSION, (), 0.0, ("auto", "poisson", "tweedie")),
        (Task.REGRESSION, (), 0.5, ("auto", "poisson", "tweedie", "gamma")),
    ],
)
def test_a_users_space_loses_the_losses_that_do_nothing_or_fail(task, quantiles, least, kept) -> None:
    own = plan("lightgbm").model_copy(update={"space": family_space("lightgbm").model_dump(mode="json")})
    space = problem_space(own, (), possible_objectives(task, quantiles, least))
    assert (space.params["objective"].values if kept else ()) == kept
    assert ("objective" in space.params) == bool(kept)
    assert all(start.get("objective", "auto") in ("auto", *kept) for start in space.starts())


def test_a_loss_that_other_parameters_depend_on_stays() -> None:
    params = {
        "objective": {"type": "choice", "values": ["auto", "poisson"]},
        "learning_rate": {"type": "float", "low": 0.01, "high": 0.1, "when": {"objective": "poisson"}},
    }
    own = plan("lightgbm").model_copy(update={"space": {"params": params}})
    assert "objective" in problem_space(own, (), ("auto",)).params


@pytest.mark.parametrize(
    ("body", "portfolio", "kept", "starts"),
    [
        # Without a default the first value is it.
        ({"values": ["auto", "poisson"]}, [{}], ("auto", "poisson"), ["auto"]),
        ({"values": ["gamma", "auto", "poisson"]}, [{}], ("auto", "poisson"), ["auto"]),
        ({"values": ["auto", "gamma", "poisson"], "default": "gamma"}, [{}], ("auto", "poisson"), ["auto"]),
        # What is left of the portfolio is not empty: its other settings are tried with a loss that is possible.
        ({"values": ["auto", "gamma"]}, [{"objective": "gamma", "num_leaves": 7}], (), [None]),
        ({"values": ["gamma"]}, [{"num_leaves": 7}], (), [None]),
        # A single loss that is not the usual one is what was asked for.
        ({"values": ["gamma", "poisson"]}, [{}], ("poisson",), ["poisson"]),
        ({"values": ["poisson"]}, [{"objective": "poisson"}], ("poisson",), ["poisson"]),
    ],
)
def test_a_users_space_always_has_something_to_try_first(body, portfolio, kept, starts) -> None:
    params = {"objective": {"type": "choice", **body}, "num_leaves": {"type": "int", "low": 3, "high": 31}}
    own = plan("lightgbm").model_copy(update={"space": {"params": params, "portfolio": portfolio}})
    space = problem_space(own, (), possible_objectives(Task.REGRESSION, (), 0.0))
    assert (space.params["objective"].values if "objective" in space.params else ()) == kept
    assert [start.get("objective") for start in space.starts()] == starts
    named = [entry["num_leaves"] for entry in portfolio if "num_leaves" in entry]
    assert [start["num_leaves"] for start in space.starts()] == (named or [17])
    SearchSpace.model_validate(space.model_dump(mode="json"))


@pytest.mark.parametrize(("impute", "there"), [("mean", True), ("median", False)])
def test_what_depends_on_preparation_that_is_not_searched_follows_the_recipe(impute, there, linear_data) -> None:
    nested = {"prep.segments": {"type": "choice", "values": [0, 4], "default": 4}}
    params = {
        "prep.impute": {"type": "choice", "values": {"mean": nested, "median": {}}},
        "C": {"type": "float", "low": 0.1, "high": 1.0, "when": {"prep.segments": "> 0"}},
        "fit_intercept": {"type": "choice", "values": [True, False]},
    }
    space = parse_space({"params": params, "portfolio": [{"prep.impute": "mean", "C": 0.5}], "nas": ["C"]})
    own = plan(impute=impute).model_copy(update={"space": space.model_dump(mode="json")})
    cut = fitted_space(own, linear_data)  # without gaps
    assert set(cut.params) == {"fit_intercept", *(("prep.segments", "C") if there else ())}
    assert [set(start) for start in cut.starts()] == [set(cut.params)]
    assert cut.nas == (("C",) if there else ())
    if there:
        assert cut.params["prep.segments"].when == {} and cut.params["C"].when == {"prep.segments": "> 0"}


def test_rare_classes_may_be_balanced(linear_data) -> None:
    y = (np.arange(60) < 6).astype(np.int64)
    data = replace(linear_data, y=y, task=Task.CLASSIFICATION, n_classes=2)
    assert "prep.balance" in fitted_space(plan(), data).params
    even = replace(data, y=(np.arange(60) < 25).astype(np.int64))
    assert "prep.balance" not in fitted_space(plan(), even).params


def test_the_planned_recipe_is_tried_first(linear_data) -> None:
    y = (np.arange(60) < 6).astype(np.int64)
    data = replace(linear_data, y=y, task=Task.CLASSIFICATION, n_classes=2)
    first = fitted_space(plan(balance="class_weight"), data).starts()[0]
    assert first["prep.balance"] == "class_weight"
    assert fitted_space(plan(target="log"), linear_data).starts()[0]["prep.target"] == "log"


@pytest.mark.parametrize("key", [k for k in families if not families[k].missing()])
def test_the_first_configuration_is_the_familys_own_recipe(key) -> None:
    """So that a longer list of choices does not change what is tried first."""
    own = families[key].recipe.model_dump()
    first = family_space(key).starts()[0]
    prep = {name.removeprefix("prep."): value for name, value in first.items() if name.startswith("prep.")}
    assert prep == {name: own[name] for name in prep}
    assert Recipe.model_validate({**own, **prep}) == families[key].recipe
