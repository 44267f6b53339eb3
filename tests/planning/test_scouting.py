"""First passes on a part of the rows: only on very many rows, with a clock and a single split."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_make_plan import MACHINE, decision, enlarged, profile_of, table

from autodl.data.allowance import SCOUTED_ROWS, Allowance
from autodl.options import FitOptions
from autodl.planning import make_plan
from autodl.planning.scouting import FROM_ROWS, LEAST_ROWS, MOST_SHARE
from autodl.records import Plan


def plan_of(n: int, test_file: bool = False, **asked: object) -> Plan:
    options = FitOptions.model_validate({"time_budget_s": 60.0, **asked})
    return make_plan(enlarged(profile_of(table(), options), n), options, machine=MACHINE, has_test_file=test_file)


def training_rows(plan: Plan, n: int) -> float:
    return n * (1 - plan.validation.test_size) * (1 - plan.validation.holdout)


@pytest.mark.parametrize("n", [1_000, 60_000, 100_000, 129_000])
def test_up_to_a_hundred_thousand_rows_nothing_changes(n: int) -> None:
    plan = plan_of(n)
    assert plan.scout is None
    assert "First passes" not in [d.topic for d in plan.decisions]


@pytest.mark.parametrize("n", [200_000, 1_000_000, 5_000_000])
def test_on_more_rows_first_passes_get_a_part(n: int) -> None:
    plan = plan_of(n)
    assert plan.scout is not None
    rows = plan.scout * training_rows(plan, n)
    assert 0.9 * LEAST_ROWS <= rows <= MOST_SHARE * n
    told = decision(plan, "First passes")
    assert f"{told.evidence['rows']:,} rows" in told.choice
    assert told.evidence["rows"] == pytest.approx(rows, rel=0.01)


def test_families_that_all_rows_would_rule_out_take_part() -> None:
    n = 3_000_000
    scouted, whole = plan_of(n), plan_of(n, scheduler="asha")
    assert scouted.scout is not None and whole.scout is None
    kept, fewer = ({f.key: f for f in p.families} for p in (scouted, whole))
    assert {"lightgbm", "catboost"} <= kept.keys()
    assert fewer.keys() < kept.keys()
    assert all(kept[key].est_seconds <= fewer[key].est_seconds for key in fewer)


@pytest.mark.parametrize(
    "asked", [{"time_budget_s": None, "max_trials": 9}, {"scheduler": "hyperband"}, {"nas": "supernet"}]
)
def test_what_compares_models_in_another_way_gets_all_rows(asked: dict[str, object]) -> None:
    assert plan_of(400_000, **asked).scout is None


def test_rows_by_time_hold_out_their_latest_stretch_alone_where_they_are_many() -> None:
    options = FitOptions(time_budget_s=60.0)
    profile = profile_of(table(), options).model_copy(update={"time_column": "a"})
    quick = replace(MACHINE, speed=1e3)  # time for several stretches
    few, many = (
        make_plan(enlarged(profile, n), options, machine=quick, has_test_file=False) for n in (50_000, 500_000)
    )
    assert (few.validation.n_folds, few.scout) == (3, None)
    assert many.validation.n_folds == 1
    assert many.scout is not None
    assert many.validation.holdout * 480_000 == pytest.approx(20_000)


def test_tables_are_kept_beyond_what_every_model_could_learn_from() -> None:
    minute = Allowance(seconds=60.0, cores=2)
    rows, _ = minute.limit(20, 0.0)
    assert rows == 600_000
    assert replace(minute, seconds=3600.0).limit(20, 0.0)[0] == 4_320_000  # more time still gives more rows
    # Tables so wide that they have fewer rows are cut as before, and so is everything in a few seconds.
    wide, _ = minute.limit(100, 0.0)
    assert wide == 50_000 < SCOUTED_ROWS
    assert replace(minute, seconds=10.0).limit(20, 0.0)[0] == 100_000
    assert FROM_ROWS < SCOUTED_ROWS - 20_000


@pytest.mark.parametrize("columns", [1, 5, 20, 60, 200])
def test_more_time_never_keeps_fewer_rows(columns: int) -> None:
    kept = [Allowance(seconds=float(s), cores=2).limit(columns, 0.0)[0] or 0 for s in (5, 10, 20, 60, 120, 600, 3600)]
    assert kept == sorted(kept)
