"""What the report says of the ways to combine models."""

from __future__ import annotations

import re

import pytest
from report_records import make_records

from autodl.records import Calibration, Compared
from autodl.report.facts import gather
from autodl.report.sections import combining


def facts_of(kind="binary", **changes):
    r = make_records(kind)
    ensemble = r.ensemble.model_copy(update=changes)
    return gather(r.run, r.profile, r.plan, r.trials, ensemble, r.evaluation, r.explanation, r.names, "", None)


WAYS = (
    Compared(way="single", n_models=1, loss=0.13, worse=0.01, worse_se=0.004),
    Compared(way="greedy", chosen=True, n_models=3, loss=0.121, worse=0.001, worse_se=0.002),
    Compared(way="weighted", calibrated=True, n_models=4, loss=0.12, worse=0.0, worse_se=0.0),
)


def test_scores_stand_in_the_metrics_own_direction_and_the_chosen_one_is_marked():
    table = combining.compared(facts_of(compared=WAYS))
    assert table is not None
    assert [row[:3] for row in table.rows] == [
        ("The best single model", "", "1"),
        ("Greedy selection", "chosen", "3"),
        ("Mean with the best weights, calibrated", "", "4"),
    ]
    assert [float(row[3]) for row in table.rows] == pytest.approx([0.87, 0.879, 0.88])
    assert [row[4] for row in table.rows] == ["0.01 ± 0.004", "0.001 ± 0.002", "best"]


def test_one_way_is_marked_whatever_the_losses():
    """Answers are scored with their cut, ways without, and two ways may come to the same loss."""
    same = tuple(c.model_copy(update={"loss": 0.12}) for c in WAYS)
    for loss in (0.12, 0.3):
        table = combining.compared(facts_of(compared=same, loss=loss))
        assert [row[0] for row in table.rows if row[1] == "chosen"] == ["Greedy selection"]


def test_ways_compared_by_another_metric_say_so():
    table = combining.compared(facts_of(compared=WAYS, compared_by="log_loss"))
    assert table.columns[3].label == "Log loss on held-out rows"
    assert [float(row[3]) for row in table.rows] == pytest.approx([0.13, 0.121, 0.12])


def test_nothing_to_compare_is_no_table():
    assert combining.compared(facts_of()) is None
    assert combining.compared(facts_of(compared=WAYS[:1])) is None


@pytest.mark.parametrize("method", ["greedy", "bagged", "weighted", "pooled"])
def test_the_method_names_its_source(method):
    found = combining.method(facts_of(method=method).ensemble)
    assert found is not None and found.startswith("The models were combined by")
    assert re.search(r"(19|20)\d\d\)", found)


def test_the_calibration_is_part_of_the_method():
    beta = Calibration(kind="beta", coefficients=(1.0, 1.0, 0.0))
    facts = facts_of(calibration=beta)
    assert "beta calibration" in combining.method(facts.ensemble)
    alone = facts.ensemble.model_copy(update={"method": "single", "members": facts.ensemble.members[:1]})
    assert combining.method(alone).startswith("The predictions were corrected by beta calibration")
    assert combining.method(alone.model_copy(update={"calibration": None})) is None


def test_a_pool_is_no_plain_mean():
    assert "log-probabilities" in combining.kind(facts_of(pooling="log").ensemble)
    assert "log" not in combining.kind(facts_of().ensemble)
