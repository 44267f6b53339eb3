"""What the planner says and does where columns are series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl.models.base import families
from autodl.records import Modality


def waves(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    series = [np.sin(np.arange(40) * (0.3 + 0.2 * k)) + 0.1 * rng.normal(size=40) for k in y]
    return pd.DataFrame({"s": series, "y": np.where(y, "yes", "no")})


@pytest.fixture(scope="module")
def planned() -> autodl.Planned:
    return autodl.plan(waves(60), "y", time_budget="60s")


def test_each_family_has_its_own_way(planned: autodl.Planned) -> None:
    ways = {p.key: p.recipe.series for p in planned.plan.families}
    assert ways["linear"] == "rocket"
    assert ways["lightgbm"] == "summary"
    assert all(families[key] for key in ways)


def test_networks_read_the_steps_themselves(planned: autodl.Planned) -> None:
    networks = {f.name: k for k, f in families.items() if f.modalities == {Modality.SERIES}}
    assert networks
    known = {p.name for p in planned.plan.families} | {s.what for s in planned.plan.skipped}
    assert networks.keys() <= known
    for plan in planned.plan.families:
        if plan.name in networks:
            assert (plan.recipe.series, plan.recipe.media) == ("none", "pass")


def test_networks_that_need_many_series_wait_for_them_unless_they_are_named(planned: autodl.Planned) -> None:
    patient = {k for k, f in families.items() if f.modalities == {Modality.SERIES} and f.min_rows}
    assert patient
    why = {s.what: s.why for s in planned.plan.skipped}
    for key in patient:
        assert f"it takes part from {families[key].min_rows} on" in why[families[key].name]
    named = autodl.plan(waves(60), "y", families=",".join(patient)).plan
    assert patient <= {p.key for p in named.families}
    many = autodl.plan(waves(400), "y", time_budget="1h").plan
    places = [p.key for p in many.families]
    others = [k for k in places if k not in patient and not families[k].extra]
    assert patient <= set(places) and min(map(places.index, patient)) > places.index(others[-1])


def test_it_is_said(planned: autodl.Planned) -> None:
    said = next(d for d in planned.plan.decisions if d.topic == "Series")
    assert "MiniRocket" in said.choice
    assert "'s' has 40 steps" in said.why
    assert "The search tries other ways too" in said.why


def test_the_report_shows_how_long_they_are(planned: autodl.Planned) -> None:
    from autodl.report.sections.health import _values

    column = planned.profile.columns["s"]
    assert _values(column) == "40 steps"
    assert column.series is not None
    uneven = column.series.model_copy(update={"channels": 3, "length": (5, 20, 40)})
    assert _values(column.model_copy(update={"series": uneven})) == "5 to 40 steps, middle 20, 3 numbers each"


def test_tables_without_series_hear_nothing_of_them() -> None:
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=60), "y": list("ab") * 30})
    plan = autodl.plan(frame, "y", time_budget="60s").plan
    assert {p.recipe.series for p in plan.families} <= {"none"}
    assert not [d for d in plan.decisions if "eries" in d.topic]


def test_wide_columns_are_a_series_beside_the_columns() -> None:
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.normal(size=(80, 30)), axis=1)
    frame = pd.DataFrame(walks, columns=[f"t{k}" for k in range(30)]).assign(y=rng.choice(list("ab"), 80))
    found = autodl.plan(frame, "y", time_budget="60s")
    assert "t0 to t29" in found.plan.features
    assert "t7" in found.plan.features
    said = next(d for d in found.plan.decisions if d.topic == "Columns that are a series")
    assert "neighbours correlate by 0.9" in said.why
    without = autodl.plan(frame, "y", time_budget="60s", drop=["t0 to t29"]).plan
    assert "t0 to t29" not in without.features
    assert not [d for d in without.decisions if d.topic == "Columns that are a series"]
