"""Seconds of trials to come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodl.models.base import Shape, families
from autodl.records import Cost, CurvePoint, TrialResult, TrialSpec, TrialStatus
from autodl.search.costs import CostModel
from autodl.search.space import family_space

N_FOLDS = 5
KEYS = ["linear", "lightgbm", "catboost", "forest", "extra_trees", "neighbors", "mlp"]


def model(rows=1_000, **more):
    return CostModel(Shape(rows=rows, numeric=8, categorical=3, levels=20, classes=2, threads=2, **more), N_FOLDS)


def trial(number, family, seconds, *, config=None, status=TrialStatus.OK, folds=N_FOLDS, **more):
    spec = TrialSpec(id=f"t{number:04d}", family=family, config=config or {})
    losses = (0.5,) * (0 if status is TrialStatus.TIMEOUT else folds)
    done = status is TrialStatus.OK
    return TrialResult(
        spec=spec, status=status, loss=0.5 if done else None, fold_losses=losses, cost=Cost(fit_s=seconds), **more
    )


def spec(family, **config):
    return TrialSpec(id="t9999", family=family, config=config)


@pytest.mark.parametrize("key", KEYS)
@given(rows=st.integers(50, 200_000), factor=st.floats(1.3, 10))
def test_more_rows_never_take_less_time_on_one_thread(key, rows, factor):
    start = spec(key, **family_space(key).starts()[0])
    few, many = (CostModel(replace(model().shape, rows=r, threads=1), N_FOLDS) for r in (rows, int(rows * factor)))
    history = [trial(1, key, 3.0, config=start.config)]
    # Networks on more rows train for fewer epochs.
    slack = 1.5 if families[key].deep else 1.0
    assert few.raw(start) <= slack * many.raw(start) + 1e-9
    part = start.model_copy(update={"fidelity": 0.5, "id": "t9998"})
    assert many.estimate(part, history) <= slack * many.estimate(start, history) + 1e-9


def test_a_slow_machine_is_known_by_the_trials_of_other_families():
    costs = model()
    slow = [trial(1, "lightgbm", 4 * costs.raw(spec("lightgbm"))), trial(2, "forest", 4 * costs.raw(spec("forest")))]
    ratio = costs.estimate(spec("extra_trees"), slow) / costs.raw(spec("extra_trees"))
    assert 1.5 < ratio < 4.0  # taken over in part: families differ


def test_the_own_trials_count_most_and_the_own_configuration_more():
    costs = model()
    other = {"num_leaves": 63}
    seen = [trial(1, "lightgbm", 3 * costs.raw(spec("lightgbm"))), trial(2, "forest", costs.raw(spec("forest")))]
    same = costs.estimate(spec("lightgbm"), seen) / costs.raw(spec("lightgbm"))
    cousin = costs.estimate(spec("lightgbm", **other), seen) / costs.raw(spec("lightgbm", **other))
    stranger = costs.estimate(spec("catboost"), seen) / costs.raw(spec("catboost"))
    assert 3.0 > same > cousin > stranger > 1.0


@pytest.mark.parametrize("begun", [1 / N_FOLDS, 3 / N_FOLDS, 1.0])
def test_after_one_timeout_a_quicker_configuration_is_still_thought_possible(begun):
    costs = model()
    listed = [spec("mlp", **c) for c in family_space("mlp").starts()]
    first, quickest = listed[0], min(listed, key=costs.raw)
    seconds, timeout = 1.5 * begun * costs.raw(first), TrialStatus.TIMEOUT
    late = trial(1, "mlp", seconds, config=first.config, status=timeout, reached=begun)
    again = costs.estimate(first, [late])
    assert again > 1.5 * costs.raw(first)  # it is known to take longer than that
    assert costs.estimate(quickest, [late]) < again
    assert costs.estimate(quickest, [late]) < 2.5 * costs.raw(quickest)


def test_folds_that_were_done_before_the_time_was_up_tell_more():
    costs = model()
    raw = costs.raw(spec("lightgbm"))
    seconds = 2.0 * raw
    early = trial(1, "lightgbm", seconds, status=TrialStatus.TIMEOUT, reached=1 / N_FOLDS)
    late = trial(1, "lightgbm", seconds, status=TrialStatus.TIMEOUT, reached=1.0)
    assert costs.estimate(spec("lightgbm"), [early]) > costs.estimate(spec("lightgbm"), [late])


def test_stopped_trials_count_by_their_folds_and_failed_ones_not_at_all():
    costs = model()
    raw = costs.raw(spec("forest"))
    whole = trial(1, "forest", 2.0 * raw)
    two = trial(1, "forest", 2.0 * raw * 2 / N_FOLDS, status=TrialStatus.STOPPED, folds=2)
    failed = trial(2, "forest", 50.0 * raw, status=TrialStatus.FAILED)
    assert costs.estimate(spec("forest"), [two]) == pytest.approx(costs.estimate(spec("forest"), [whole]), rel=0.05)
    assert costs.estimate(spec("forest"), [whole, failed]) == pytest.approx(costs.estimate(spec("forest"), [whole]))


def test_preparation_that_another_trial_has_paid_for_is_not_expected_again():
    costs = CostModel(model().shape, N_FOLDS, lambda spec: 5.0)
    first, new = spec("lightgbm", num_leaves=9), spec("lightgbm", num_leaves=11)
    whole = costs.raw(first)
    training, prepared = whole - N_FOLDS * 5.0, N_FOLDS * 5.0
    assert training < 0.2 * prepared
    paid = trial(1, "lightgbm", whole, config=first.config)
    spared = trial(2, "lightgbm", whole, config={"num_leaves": 10})
    spared = spared.model_copy(update={"cost": Cost(fit_s=whole, cached_s=prepared)})
    assert costs.estimate(new, [paid]) == pytest.approx(whole, rel=0.1)
    expected = costs.estimate(new, [paid, spared])
    assert expected == pytest.approx(training, rel=0.3)
    assert costs.estimate(new, [spared, paid]) == pytest.approx(whole, rel=0.1)  # it was gone again
    # One fold was kept, as the trial before had ended after it.
    one = spared.model_copy(update={"cost": Cost(fit_s=whole, cached_s=prepared / N_FOLDS)})
    assert expected < costs.estimate(new, [paid, one]) < 0.95 * whole
    # What needs another preparation pays for it, and so does a training on all rows.
    more = [{"config": {**new.config, "prep.rare": 3}}, {"split": 1}, {"fidelity": 0.5}]
    for change in more:
        assert costs.estimate(new.model_copy(update=change), [paid, spared]) > 0.9 * prepared
    assert costs.refit(spared, 1.25) == costs.refit(paid, 1.25)


def test_a_refit_alone_uses_the_threads_that_trials_shared():
    shape = Shape(rows=20_000, numeric=8, categorical=3, levels=20, classes=2, threads=1)
    done = trial(1, "lightgbm", 10.0)
    shared, alone = CostModel(shape, N_FOLDS), CostModel(shape, N_FOLDS, refit_threads=4)
    assert shared.refit(done, 1.25) == pytest.approx(1.25 * 10.0 / N_FOLDS)
    assert shared.refit(done, 1.25) / 4 < alone.refit(done, 1.25) < shared.refit(done, 1.25) / 2
    # Preparation gains nothing.
    prepared = CostModel(shape, N_FOLDS, lambda spec: 1_000.0, refit_threads=4)
    assert prepared.refit(done, 1.25) == pytest.approx(shared.refit(done, 1.25), rel=0.01)


def test_a_refit_stops_at_the_best_round_of_a_fold():
    """The rounds that early stopping waits for are not trained again; what is prepared before them is."""
    shape = Shape(rows=20_000, numeric=8, categorical=3, levels=20, classes=2, threads=1)
    falling, best = CostModel(shape, N_FOLDS), 0.25
    losses = [3.0, 2.0, 1.0, 2.0, 2.5, float("nan"), 2.6, 2.7, 2.8, 2.9, 3.0, 3.1]
    curve = tuple(CurvePoint(step=i + 1, valid=loss) for i, loss in enumerate(losses))
    whole = trial(1, "lightgbm", 10.0)
    early = whole.model_copy(update={"curve": curve, "refit": {"n_estimators": 3}})
    assert falling.refit(early, 1.25) == pytest.approx(best * falling.refit(whole, 1.25))
    assert falling.refit(whole.model_copy(update={"curve": curve}), 1.25) == falling.refit(whole, 1.25)
    prepared = CostModel(shape, N_FOLDS, lambda spec: 1.0)
    assert prepared.refit(early, 1.0) == pytest.approx(1.0 + best * (10.0 / N_FOLDS - 1.0))


def test_going_on_takes_a_part_of_a_training_and_only_networks_over_images_with_one_fold_do_it():
    shape = Shape(rows=4_000, numeric=0, images=1, image_side=32, classes=10, threads=1)
    costs = CostModel(shape, 1, refit_threads=2)
    config = family_space("cnn").starts()[1]
    done = trial(1, "cnn", 100.0, config=config, folds=1)
    whole, part = costs.refit(done, 1.25), costs.further(done, 1.25)
    assert 0.2 * whole < part < 0.5 * whole
    assert costs.further(done, 2.5) > part
    assert costs.further(trial(1, "cnn", 100.0, config=config, folds=2), 1.25) is None
    assert costs.further(trial(1, "lightgbm", 100.0, folds=1), 1.25) is None
    # What itself went on was a part of a training already.
    bred = done.model_copy(update={"spec": done.spec.model_copy(update={"parent": "t0001"})})
    assert costs.further(bred, 1.25) > 2.0 * part
