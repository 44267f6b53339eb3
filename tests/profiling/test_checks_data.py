"""Findings on real tables that people know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from profiling_tables import clean_table, profile, raised
from sklearn.metrics import roc_auc_score

from autodl.data import read_table
from autodl.options import FitOptions
from autodl.profiling.checks.after_the_fact import suspicious_phrase
from autodl.records import Profile, Severity, Task


def load(folder: Path, name: str) -> pd.DataFrame:
    return read_table(str(folder / f"{name}.csv"))[0]


@pytest.mark.parametrize(
    ("name", "target", "task"),
    [
        ("adult", "class", Task.CLASSIFICATION),
        ("bank_churn", "Exited", Task.CLASSIFICATION),
        ("bank_marketing", "y", Task.CLASSIFICATION),
        ("telco_churn", "churn", Task.CLASSIFICATION),
        ("titanic", "Survived", Task.CLASSIFICATION),
        ("cells", "Class", Task.CLASSIFICATION),
        ("letter", "lettr", Task.CLASSIFICATION),
        ("wine_quality", "quality", Task.REGRESSION),
        ("california_housing", "median_house_value", Task.REGRESSION),
        ("diamonds", "price", Task.REGRESSION),
        ("abalone", "rings", Task.REGRESSION),
        ("insurance", "charges", Task.REGRESSION),
        ("concrete", "strength", Task.REGRESSION),
        ("sms_spam", "type", Task.CLASSIFICATION),
        ("movie_reviews", "sentiment", Task.CLASSIFICATION),
    ],
)
def test_target_and_task_are_guessed(shared_data: Path, name: str, target: str, task: Task) -> None:
    found = profile(load(shared_data, name).head(4000), None)
    assert (found.target.name, found.target.task, found.target.guessed) == (target, task, True)
    assert "--target" in found.target.why


@pytest.fixture(scope="module")
def titanic(shared_data: Path) -> Profile:
    return profile(load(shared_data, "titanic"), "Survived")


def test_titanic(titanic: Profile) -> None:
    assert titanic.target.classes == ("0", "1")
    assert titanic.target.class_counts == (549, 342)
    missing = {f.column: (f.severity, f.evidence["rows"]) for f in raised(titanic, "AD001")}
    assert missing == {
        "Cabin": (Severity.WARNS, 687),
        "Age": (Severity.FIXED, 177),
        "Embarked": (Severity.FIXED, 2),
    }
    assert "PassengerId" in titanic.dropped
    assert "PassengerId" not in titanic.features
    assert {f.column for f in raised(titanic, "AD005")} == {"PassengerId"}


def test_bank_churn_ids(shared_data: Path) -> None:
    found = profile(load(shared_data, "bank_churn"), "Exited")
    assert {"RowNumber", "CustomerId"} <= set(found.dropped)
    assert any(f.column == "Surname" for f in raised(found, "AD007"))


def test_bank_marketing_duration_and_999(shared_data: Path) -> None:
    found = profile(load(shared_data, "bank_marketing"), "y")
    assert [f.column for f in raised(found, "AD011")] == ["duration"], "poutcome and previous speak of earlier calls"
    pdays = next(f for f in raised(found, "AD019") if f.column == "pdays")
    assert pdays.evidence["value"] == 999
    assert raised(found, "AD008") and raised(found, "AD014")


def test_california_cap(shared_data: Path) -> None:
    table = load(shared_data, "california_housing")
    (cap,) = raised(profile(table, "median_house_value"), "AD017")
    assert cap.evidence["value"] == 500001
    assert cap.evidence["rows"] == int((table["median_house_value"] == 500001).sum())


def test_wine_duplicates_and_ambiguous_task(shared_data: Path) -> None:
    table = load(shared_data, "wine_quality")
    found = profile(table, "quality")
    (copies,) = raised(found, "AD003")
    assert copies.evidence["rows"] == int(table.duplicated().sum())
    assert found.target.task_guessed and "--task classification" in found.target.task_why
    classes = profile(table, "quality", task=Task.CLASSIFICATION)
    assert classes.target.classes == ("3", "4", "5", "6", "7", "8", "9")
    (rare,) = raised(classes, "AD009")
    assert rare.evidence["smallest"] == 5


def test_adult_is_binary_with_words(shared_data: Path) -> None:
    found = profile(load(shared_data, "adult"), "class")
    assert found.target.classes == ("<=50K", ">50K")
    assert not raised(found, "AD010")


def test_leak_score_is_an_auc() -> None:
    """On one noisy numeric column the score comes near the AUC of the column itself."""
    rng = np.random.default_rng(0)
    n = 5000
    y = rng.integers(0, 2, n)
    table = pd.DataFrame({"x": y * 2 + rng.normal(size=n), "z": rng.normal(size=n), "y": np.where(y, "b", "a")})
    from autodl.profiling.checks.target_leak import TargetLeak

    (finding,) = [f for f in profile(table).findings if f.code == TargetLeak.code]
    assert finding.evidence["column"] == "x"
    assert finding.evidence["score"] == pytest.approx(roc_auc_score(y, table["x"]), abs=0.02)


def test_high_cardinality_noise_is_no_leak() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "k": [f"v{i}" for i in rng.integers(0, 1500, 3000)],
            "x": rng.normal(size=3000),
            "y": rng.choice(["a", "b"], 3000),
        }
    )
    assert not raised(profile(table), "AD010"), "in-sample means would score near 1; out of fold they must not"


def test_missingness_leak() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(["a", "b"], 1000)
    table = pd.DataFrame({"x": np.where(y == "a", np.nan, rng.normal(size=1000)), "z": rng.normal(size=1000), "y": y})
    assert [f.column for f in raised(profile(table), "AD010")] == ["x"]


def test_names_with_the_same_word_make_one_question() -> None:
    table = clean_table(200)
    rng = np.random.default_rng(5)
    names = ["duration_call", "duration_ring", "closed_at", "duration_talk", "duration wait", "duration_hold"]

    def asked(n: int) -> list[tuple[str | None, str, str]]:
        new = {name: rng.normal(size=200) for name in names[:n]}
        return [(f.column, f.message, f.action) for f in raised(profile(table.assign(**new), "y"), "AD011")]

    first, second = asked(3)
    assert first[0] is None and second[0] == "closed_at"
    assert first[1].startswith("Are 'duration_call' and 'duration_ring' known when you predict? Their names ('dur")
    assert first[2].endswith("--drop duration_call --drop duration_ring")
    assert asked(4)[0][1].startswith("Are 'duration_call', 'duration_ring' and 'duration_talk' known when")
    many = asked(6)
    assert len(many) == 2 and "'duration_talk' and 2 more known when" in many[0][1]
    assert many[0][2].endswith("--drop duration_talk and so on")


@pytest.mark.parametrize(
    ("name", "suspicious"),
    [
        ("duration", True),
        ("callDuration", True),
        ("closed_at", True),
        ("total_paid", True),
        ("Churn Reason", True),
        ("结束时间", True),
        ("poutcome", False),
        ("previous_outcome", False),
        ("postcode", False),
        ("post_code", False),
        ("Post Code", False),
        ("post_type", False),
        ("postId", False),
        ("post_treatment_score", True),
        ("score_post", True),
        ("post_code_after", True),
        ("afternoon", False),
        ("expected_duration", False),
        ("age", False),
    ],
)
def test_names_that_speak_of_afterwards(name: str, suspicious: bool) -> None:
    assert bool(suspicious_phrase(name)) is suspicious


def test_rows_of_other_days_are_no_copies() -> None:
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=300), "load": np.arange(300) % 7 * 1.5})
    frame["y"] = frame["load"] * 2.0
    found = profile(frame, "y", options=FitOptions(time_column="day"))
    assert not any("repeat" in f.message or "equal another" in f.message for f in found.findings if f.code == "AD003")
    timeless = profile(frame.drop(columns="day"), "y")
    assert any("293 rows" in f.message for f in timeless.findings if f.code == "AD003")


def test_rows_of_other_weights_are_no_copies_and_equal_weights_are_no_finding() -> None:
    frame = pd.DataFrame({"load": np.arange(300) % 7 * 1.5, "w": 1 + np.arange(300) / 300.5})
    frame["y"] = frame["load"] * 2.0
    found = profile(frame, "y", options=FitOptions(weight_column="w"))
    assert not any("repeat" in f.message for f in found.findings if f.code == "AD003")
    frame["w"] = 2.5
    same = profile(frame, "y", options=FitOptions(weight_column="w"))
    assert any("293 rows" in f.message for f in same.findings if f.code == "AD003")
    assert not raised(same, "AD004")


def test_levels_of_quantiles_need_rows_beyond_them() -> None:
    frame = clean_table(800, regression=True)

    def told(*levels: float) -> list[str]:
        found = raised(profile(frame, options=FitOptions(quantiles=levels)), "AD021")
        return [f.message for f in found]

    assert told(0.01, 0.5, 0.99) == told() == []
    (message,) = told(0.0001, 0.5, 0.999)
    assert message == "800 rows are too few to know the quantiles 0.0001, 0.999: fewer than 5 rows lie beyond."
