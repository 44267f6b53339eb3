"""Every check fires on a planted fault and is quiet on a clean table."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from profiling_tables import clean_table, profile, raised

from autodl.options import FitOptions
from autodl.profiling.checks.base import checks
from autodl.records import Severity, Task

_FOLDER = tempfile.TemporaryDirectory()


@dataclass(frozen=True)
class Plant:
    """A fault in a table: how to put it in, where it must show, and by which severity."""

    make: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]
    severity: Severity = Severity.WARNS
    column: str | None = None
    regression: bool = False
    n: int = 800
    options: FitOptions = field(default_factory=FitOptions)
    test: Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame] | None = None


def _copies(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return pd.concat([t, t.iloc[:80]], ignore_index=True).sample(frac=1, random_state=0).reset_index(drop=True)


def _blank_photos(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    files = [Path(_FOLDER.name) / f"{i}.png" for i in range(len(t))]
    for i, file in enumerate(files):
        pixels = rng.integers(0, 256, (8, 8, 3)) if i % 4 else np.full((8, 8, 3), 200)
        Image.fromarray(pixels.astype(np.uint8)).save(file)
    return t.assign(photo=[str(f) for f in files])


def _rare(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    t["y"] = t["y"].astype(object)
    t.loc[[5, 300], "y"] = "odd"
    return t


def _imbalanced(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    yes = np.flatnonzero(t["y"] == "yes")
    t.loc[yes[40:], "y"] = "no"
    return t


def _with_code(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return t.assign(code=[f"k{v}" for v in rng.integers(0, 200, len(t))])


def _pile(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return t.assign(y=np.minimum(t["y"], np.quantile(t["y"], 0.9)))


def _target_gaps(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    t["y"] = t["y"].astype(object)
    t.loc[rng.choice(len(t), 120, replace=False), "y"] = None
    return t


def _mixed(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    words = rng.choice([*(str(i) for i in range(40)), "low", "high", "3 to 4", "about 7"], size=len(t))
    return t.assign(amount=words)


def _totals(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    last = {"size": t["size"].sum(), "weight": t["weight"].sum(), "y": "yes"}
    return pd.concat([t, pd.DataFrame([last])], ignore_index=True)


def _far(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    t.loc[17, "y"] = 1e9
    return t


def _spellings(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return t.assign(color=np.where(rng.random(len(t)) < 0.2, t["color"].str.title(), t["color"]))


def _both_orders(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    days = pd.date_range("2020-01-01", periods=len(t))
    return t.assign(day=[f"{d:%m/%d/%Y}" if i < 600 else f"{d:%d/%m/%Y}" for i, d in enumerate(days)])


def _wide(t: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return t.assign(**{f"x{i}": rng.normal(size=len(t)) for i in range(60)})


FIXED = Severity.FIXED
PLANTS: dict[str, Plant] = {
    "missing_values": Plant(
        lambda t, r: t.assign(weight=t["weight"].where(r.random(len(t)) > 0.3)), FIXED, column="weight"
    ),
    "outliers": Plant(lambda t, r: t.assign(weight=t["weight"].mask(r.random(len(t)) < 0.01, 1e4)), FIXED, "weight"),
    "duplicate_rows": Plant(_copies),
    "constant_columns": Plant(lambda t, r: t.assign(country="FR"), FIXED, "country"),
    "id_columns": Plant(lambda t, r: t.assign(row_id=np.arange(len(t))), FIXED, "row_id"),
    "duplicate_columns": Plant(lambda t, r: t.assign(weight2=t["weight"]), FIXED, "weight2"),
    "high_cardinality": Plant(_with_code, FIXED, "code"),
    "class_imbalance": Plant(_imbalanced, FIXED),
    "rare_classes": Plant(_rare),
    "target_leak": Plant(lambda t, r: t.assign(sum=(t["y"] == "yes") + r.normal(0, 0.05, len(t))), column="sum"),
    "after_the_fact": Plant(lambda t, r: t.assign(closed_at=r.normal(size=len(t))), column="closed_at"),
    "test_duplicates": Plant(lambda t, r: t, test=lambda t, r: t.iloc[:200]),
    "test_drift": Plant(lambda t, r: t, test=lambda t, r: clean_table(400, 9).assign(size=r.normal(3, 1, 400))),
    "row_order_drift": Plant(lambda t, r: t.assign(weight=t["weight"] + np.linspace(0, 20, len(t)))),
    "sorted_file": Plant(lambda t, r: t.sort_values("y", ignore_index=True), FIXED),
    "skewed_target": Plant(lambda t, r: t.assign(y=np.exp(t["y"])), FIXED, regression=True),
    "capped_target": Plant(_pile, column="y", regression=True),
    "mixed_types": Plant(_mixed, column="amount"),
    "placeholder_values": Plant(
        lambda t, r: t.assign(weight=t["weight"].round(1).mask(r.random(len(t)) < 0.1, 999.0)), column="weight"
    ),
    "correlated_columns": Plant(
        lambda t, r: t.assign(weight_lb=t["weight"] * 2.2 + r.normal(0, 0.01, len(t))), Severity.PASSED
    ),
    "few_rows": Plant(_wide, n=300),
    "missing_target": Plant(_target_gaps, column="y"),
    "time_order": Plant(
        lambda t, r: t.assign(day=pd.Timestamp("2024-01-01") + pd.to_timedelta(r.integers(0, 700, len(t)), "D")),
        column="day",
    ),
    "repeated_entities": Plant(
        lambda t, r: t.assign(customer_id=[f"c{v}" for v in r.integers(0, 100, len(t))]), column="customer_id"
    ),
    "totals_row": Plant(_totals),
    "far_target": Plant(_far, column="y", regression=True),
    "twin_words": Plant(_spellings, column="color"),
    "unusual_images": Plant(_blank_photos, n=60, column="photo"),
    "doubtful_dates": Plant(_both_orders, column="day"),
}


def test_registry_and_plants_match() -> None:
    assert len(checks) >= 28
    assert set(PLANTS) == set(checks), "every check needs a planted fault, and every plant a check"


def test_codes_and_titles_are_unique() -> None:
    codes = [c.code for c in checks.values()]
    assert len(set(codes)) == len(codes)
    assert all(c.startswith("AD") and len(c) == 5 and c[2:].isdigit() for c in codes)
    assert len({c.title for c in checks.values()}) == len(codes)


@pytest.mark.parametrize("key", sorted(PLANTS))
def test_fires_on_planted_fault(key: str) -> None:
    plant, check = PLANTS[key], checks[key]
    rng = np.random.default_rng(1)
    table = plant.make(clean_table(plant.n, regression=plant.regression), rng)
    test = None if plant.test is None else plant.test(table, rng)
    findings = [f for f in profile(table, options=plant.options, test=test).findings if f.code == check.code]
    hits = [f for f in findings if f.severity is plant.severity and f.evidence]
    assert hits, [f.message for f in findings]
    if plant.column is not None:
        assert plant.column in {f.column for f in hits}
    assert all(f.action and f.message.endswith((".", "?")) for f in hits)


@pytest.mark.parametrize("regression", [False, True])
@pytest.mark.parametrize("with_test", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_quiet_on_clean_table(regression: bool, with_test: bool, seed: int) -> None:
    table = clean_table(seed=seed, regression=regression)
    test = clean_table(300, seed=100 + seed, regression=regression) if with_test else None
    found = profile(table, test=test)
    loud = [(f.code, f.message) for f in found.findings if f.severity in (Severity.WARNS, Severity.FIXED)]
    assert not loud
    assert {f.code for f in found.findings} == {c.code for c in checks.values()}, "each check says something"
    assert found.target.task is (Task.REGRESSION if regression else Task.CLASSIFICATION)


def test_findings_per_column_are_capped() -> None:
    rng = np.random.default_rng(0)
    table = clean_table()
    for i in range(40):
        table[f"g{i}"] = np.where(rng.random(len(table)) < 0.2, np.nan, rng.normal(size=len(table)))
    found = raised(profile(table), "AD001")
    assert len(found) == 11
    assert found[-1].evidence["columns"] == 30
