"""Of models that the rows cannot tell apart, the simplest is taken, not the luckiest."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.ensemble import select
from autodl.ensemble.nested import noise
from autodl.evaluate.base import metrics
from autodl.records import TrialResult, TrialSpec, TrialStatus


def trials(**families):
    return [TrialResult(spec=TrialSpec(id=i, family=f), status=TrialStatus.OK, loss=0.0) for i, f in families.items()]


def both(p):
    return np.column_stack([1 - p, p])


def separated(n, seed=0):
    """Classes, and probabilities that separate them without an error."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return y, np.where(y == 1, rng.uniform(0.6, 0.9, n), rng.uniform(0.1, 0.4, n))


def test_among_models_without_an_error_the_simplest_is_taken():
    y, p = separated(40)
    slip = p.copy()
    slip[[0, 1]] = 0.55, 0.5  # one pair of 400 in the wrong order
    predictions = {"a": both(p), "b": both(p**2), "c": both(slip)}
    families = {"a": "transformer", "b": "mlp", "c": "linear"}
    got = select(trials(**families), predictions, y, metrics["roc_auc"], n_classes=2)
    assert [m.trial_id for m in got.members] == ["c"] and got.method == "single"
    assert "cannot be told apart" in got.why
    (chosen,) = [c for c in got.compared if c.chosen]
    assert chosen.way == "simplest"


def test_so_it_is_where_the_rows_are_too_few_to_judge_combinations():
    y, p = separated(20)
    slip = p.copy()
    slip[[0, 1]] = 0.55, 0.5
    got = select(trials(a="mlp", b="linear"), {"a": both(p), "b": both(slip)}, y, metrics["roc_auc"], n_classes=2)
    assert [m.trial_id for m in got.members] == ["b"] and got.loss == pytest.approx(0.01)
    assert "too few rows" in got.why and "simplest" in got.why
    cut = select(trials(a="mlp", b="linear"), {"a": both(p), "b": both(p)}, y, metrics["f1"], n_classes=2)
    assert [m.trial_id for m in cut.members] == ["b"] and cut.loss == cut.single_loss == 0.0


def test_among_equally_simple_ones_the_first_that_was_tried_is_taken():
    y, p = separated(40)
    slip = p.copy()
    slip[[0, 1]] = 0.55, 0.5
    predictions = {"t0900": both(slip), "t1000": both(p), "t10000": both(p**2)}
    got = select(trials(**dict.fromkeys(predictions, "linear")), predictions, y, metrics["roc_auc"], n_classes=2)
    assert [m.trial_id for m in got.members] == ["t0900"]


@pytest.mark.parametrize("n", [*range(30, 80), 216, 1000])
def test_a_single_row_tells_nothing_of_two_models(n):
    """Its share of the rows is exactly the standard error, whatever the number of rows."""
    y, p = separated(n)
    slip = p.copy()
    slip[0] = 1 - p[0]
    got = select(trials(a="mlp", b="linear"), {"a": both(p), "b": both(slip)}, y, metrics["accuracy"], n_classes=2)
    assert [m.trial_id for m in got.members] == ["b"]


def test_a_simple_model_that_is_plainly_worse_is_not_taken():
    y, p = separated(400)
    rng = np.random.default_rng(1)
    weak = np.where(rng.random(400) < 0.8, p, 1 - p)
    got = select(trials(a="mlp", b="linear"), {"a": both(p), "b": both(weak)}, y, metrics["roc_auc"], n_classes=2)
    assert [m.trial_id for m in got.members] == ["a"]


def test_models_that_help_each_other_are_combined_as_before():
    rng = np.random.default_rng(0)
    y = rng.normal(size=2_000)
    predictions = {k: y + rng.normal(size=2_000) for k in ("linear", "mlp", "forest")}
    got = select(trials(**{k: k for k in predictions}), predictions, y, metrics["rmse"])
    assert len(got.members) == 3


def test_without_a_measure_of_noise_only_equal_losses_tie():
    y = np.linspace(0.0, 1.0, 60)
    off = y + 0.2
    near = off.copy()
    near[::2] += 1e-6
    predictions = {"a": off, "b": near, "c": off}
    families = {"a": "mlp", "b": "linear", "c": "forest"}
    got = select(trials(**families), predictions, y, metrics["median_ae"])
    assert [m.trial_id for m in got.members] == ["c"]
    assert metrics["median_ae"].influence is None


def test_groups_are_drawn_together():
    """Forty rows of ten groups: what differs in one group alone is noise, though many of its rows differ."""
    y, p = separated(400)
    group = np.repeat(np.arange(10), 40)
    slip = p.copy()
    slip[:40] = 1 - slip[:40]
    arguments = trials(a="mlp", b="linear"), {"a": both(p), "b": both(slip)}, y, metrics["log_loss"]
    free = select(*arguments, n_classes=2)
    held = select(*arguments, n_classes=2, block=group)
    assert [m.trial_id for m in free.members] == ["a"]
    assert [m.trial_id for m in held.members] == ["b"]


def test_two_groups_are_too_few_to_prove_anything():
    """The influences of two groups with the same gap cancel: the noise of the rows counts then."""
    phi = np.array([1.0, -1.0] * 50)
    assert noise(phi, np.repeat([0, 1], 50)) == noise(phi, None) > 0
    apart = np.repeat([1.0, -1.0], 50)
    assert noise(apart, np.repeat([0, 1], 50)) > noise(apart, None)
