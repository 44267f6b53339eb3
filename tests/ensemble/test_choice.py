from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autodl.clock import Deadline
from autodl.ensemble import combine, select
from autodl.ensemble.answers import judging
from autodl.ensemble.nested import whole_blocks
from autodl.ensemble.objective import MetricLoss, blend_loss, picking_loss
from autodl.evaluate.base import metrics
from autodl.records import Ensemble, Member, TrialResult, TrialSpec, TrialStatus


def trials(*ids, family=lambda i: i):
    return [TrialResult(spec=TrialSpec(id=i, family=family(i)), status=TrialStatus.OK, loss=0.0) for i in ids]


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)


def classes(n=2000, k=2, models=5, seed=0, noise=1.0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, k)) * 1.5
    y = (rng.random((n, 1)) > softmax(z).cumsum(axis=1)).sum(axis=1).clip(0, k - 1)
    return y, {f"m{i}": softmax(z + noise * rng.normal(size=z.shape)).astype(np.float32) for i in range(models)}


def numbers(n=2000, models=5, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n) * 3
    return y, {f"m{i}": y + rng.normal(size=n) for i in range(models)}


@pytest.mark.parametrize("key", ["roc_auc", "log_loss", "accuracy", "brier", "f1", "mcc"])
@pytest.mark.parametrize("k", [2, 4])
def test_independent_errors_average_out(key, k):
    y, predictions = classes(k=k)
    got = select(trials(*predictions), predictions, y, metrics[key], n_classes=k, seed=0)
    assert got.method != "single" and len(got.members) >= 3
    assert sum(m.weight for m in got.members) == pytest.approx(1.0)
    best = min(predictions.values(), key=lambda p: judging(metrics[key], k).loss(y, p.astype(float), k))
    assert got.loss < got.single_loss == metrics[key].loss(y, best.astype(float), k)
    # Held out, so a little worse than on the rows that the weights were fitted on.
    fitted = metrics[key].loss(y, combine(got, predictions), k)
    assert fitted - 0.005 < got.loss < fitted + 0.04


@pytest.mark.parametrize("key", ["rmse", "mae", "r2", "median_ae"])
def test_regression_gains_what_theory_says(key):
    y, predictions = numbers(n=4000)
    got = select(trials(*predictions), predictions, y, metrics[key], seed=0)
    assert len(got.members) == 5
    if key == "rmse":
        # Five independent errors of the same size: 1 / sqrt(5), and a little less for shrinking towards the mean.
        assert got.loss / got.single_loss == pytest.approx(5**-0.5, rel=0.05)
        assert all(m.weight == pytest.approx(0.2, abs=0.06) for m in got.members)


def test_weights_follow_precision():
    """The best weights are proportional to 1 / variance."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=20_000)
    predictions = {"good": y + rng.normal(size=20_000), "poor": y + 2 * rng.normal(size=20_000)}
    got = select(trials("good", "poor"), predictions, y, metrics["rmse"], seed=0)
    assert {m.trial_id: m.weight for m in got.members} == pytest.approx({"good": 0.8, "poor": 0.2}, abs=0.04)


def test_a_useless_model_leaves_the_single_best():
    rng = np.random.default_rng(0)
    y = rng.normal(size=500)
    predictions = {"good": y + 0.1 * rng.normal(size=500), "noise": rng.normal(size=500) * 5}
    got = select(trials("good", "noise"), predictions, y, metrics["rmse"], seed=0)
    assert got.method == "single"
    assert got.members == (Member(trial_id="good", family="good", weight=1.0),)
    assert got.why


@pytest.mark.parametrize(
    ("key", "bias", "words"), [("mae", 0.3, "a constant bias"), ("rmse", 0.3, "a straight line")]
)
def test_one_model_is_not_compared_with_itself(key, bias, words):
    """Where every way comes down to one model there is no gain of exactly 0 to tell; what was corrected is told."""
    alone = 0
    for seed in (2, 3):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=500) + 5
        good = y + 0.1 * rng.normal(size=500) + bias * (seed == 3)
        predictions = {"good": good, "noise": rng.normal(size=500) * 5}
        got = select(trials("good", "noise"), predictions, y, metrics[key], seed=0)
        assert got.method == "single"
        assert "(standard error 0;" not in got.why
        if {c.n_models for c in got.compared} == {1}:
            alone += 1
            assert "every way to combine models comes down to one model" in got.why
        assert (got.calibration is not None) == (words in got.why) == (seed == 3)
    assert alone


def test_copies_of_one_model_leave_it_single():
    y, predictions = classes(models=1)
    predictions = {f"m{i}": predictions["m0"] for i in range(4)}
    assert select(trials(*predictions), predictions, y, metrics["log_loss"], n_classes=2, seed=0).method == "single"


def one_honest_model(n, rng):
    """Classes, and 16 models: ``m0`` knows the true probabilities, the others see little more than noise."""
    z = rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-z))).astype(int)
    scores = [z] + [0.3 * z + 3 * rng.normal(size=n) for _ in range(15)]
    two = [1 / (1 + np.exp(-s)) for s in scores]
    return y, {f"m{i}": np.column_stack([1 - p, p]) for i, p in enumerate(two)}


@pytest.mark.slow
def test_noise_among_the_candidates_does_little_harm():
    """A greedy selection is kept; on new rows it is hardly worse than the honest model."""
    harm = []
    for seed in range(10):
        y, predictions = one_honest_model(1000, np.random.default_rng(seed))
        got = select(trials(*predictions), predictions, y, metrics["roc_auc"], n_classes=2, seed=seed)
        fresh, others = one_honest_model(10_000, np.random.default_rng(1000 + seed))
        best = metrics["roc_auc"].loss(fresh, others["m0"], 2)
        harm.append(metrics["roc_auc"].loss(fresh, combine(got, others), 2) / best - 1)
    assert np.mean(harm) < 0.02


def test_rows_without_predictions_are_left_out():
    y, predictions = classes()
    holed = {i: p.copy() for i, p in predictions.items()}
    for p in holed.values():
        p[:300] = np.nan
    got = select(trials(*holed), holed, y, metrics["log_loss"], n_classes=2, seed=0)
    rest = {i: p[300:] for i, p in predictions.items()}
    assert got == select(trials(*rest), rest, y[300:], metrics["log_loss"], n_classes=2, seed=0)


def test_a_model_on_few_rows_does_not_shrink_the_ground_of_all():
    y, predictions = classes()
    predictions["m1"][100:] = np.nan
    got = select(trials(*predictions), predictions, y, metrics["log_loss"], n_classes=2, seed=0)
    assert "m1" not in {m.trial_id for m in got.members}
    assert got.method != "single"


def test_nothing_to_choose_from_is_an_error():
    with pytest.raises(ValueError, match="no model has out-of-fold predictions"):
        select(trials("a"), {"a": np.full(5, np.nan)}, np.zeros(5), metrics["rmse"], seed=0)


def test_one_model_is_single():
    y, predictions = numbers(models=1)
    assert select(trials("m0"), predictions, y, metrics["rmse"], seed=0).method == "single"


def test_the_best_of_each_family_is_always_considered():
    rng = np.random.default_rng(0)
    y, shared = rng.normal(size=3000), rng.normal(size=3000)
    predictions = {f"a{i}": y + shared + 0.01 * rng.normal(size=3000) for i in range(30)}
    predictions["other"] = y + 1.3 * rng.normal(size=3000)
    got = select(
        trials(*predictions, family=lambda i: i[0]), predictions, y, metrics["rmse"], seed=0, max_candidates=5
    )
    assert "other" in {m.trial_id for m in got.members}


def test_a_passed_deadline_still_gives_an_answer():
    y, predictions = classes()
    got = select(trials(*predictions), predictions, y, metrics["log_loss"], n_classes=2, deadline=Deadline(0.0))
    assert got.members
    assert "no time" in got.why


def test_the_seed_settles_everything():
    y, predictions = classes(n=16_000, models=3)
    one, two = (select(trials(*predictions), predictions, y, metrics["roc_auc"], n_classes=2, seed=5) for _ in "ab")
    assert one == two


def test_the_reported_loss_is_that_of_new_rows():
    """Fitted weights flatter themselves on their rows; the reported loss is what other rows show."""
    gaps = []
    for seed in range(8):
        y, predictions = numbers(n=4200, models=30, seed=seed)
        few = {i: p[:200] for i, p in predictions.items()}
        got = select(trials(*few), few, y[:200], metrics["rmse"], seed=seed, max_candidates=30)
        gaps.append(metrics["rmse"].loss(y[200:], combine(got, predictions)[200:]) / got.loss - 1)
    assert abs(np.mean(gaps)) < 0.05


def test_what_was_compared_is_told():
    y, predictions = classes()
    got = select(trials(*predictions), predictions, y, metrics["log_loss"], n_classes=2, seed=0)
    ways = [c.way for c in got.compared if not c.calibrated]
    assert ways[:2] == ["single", "greedy"] and len(set(ways)) == len(ways) >= 3
    assert min(c.worse for c in got.compared) == 0.0
    chosen = [c for c in got.compared if c.way == got.method and c.calibrated == (got.calibration is not None)]
    assert [c.loss for c in chosen] == [got.loss]
    assert all(c.worse == pytest.approx(c.loss - min(o.loss for o in got.compared)) for c in got.compared)


def test_one_of_those_compared_is_marked_as_chosen_even_where_losses_are_equal():
    y, predictions = classes(models=2)
    got = select(trials(*predictions), predictions, y, metrics["roc_auc"], n_classes=2, seed=0)
    marked = [c for c in got.compared if c.chosen]
    assert [(c.way, c.loss) for c in marked] == [(got.method, got.loss)]
    assert select(trials("m0"), {"m0": predictions["m0"]}, y, metrics["roc_auc"], n_classes=2).compared[0].chosen


def test_a_win_is_told_only_where_it_is_more_than_noise():
    """Greedy selections among one good model and noise often lose a little on held-out rows: that is no win."""
    lost = 0
    for seed in range(12):
        y, predictions = one_honest_model(300, np.random.default_rng(seed))
        got = select(trials(*predictions), predictions, y, metrics["log_loss"], n_classes=2, seed=seed)
        single, chosen = got.compared[0], next(c for c in got.compared if c.chosen)
        if len(got.members) > 1 and chosen.loss > single.loss:
            assert "beat the best single" not in got.why and "usually helps" in got.why
            lost += 1
    assert lost
    y, predictions = classes()
    got = select(trials(*predictions), predictions, y, metrics["log_loss"], n_classes=2, seed=0)
    assert "models together beat the best single one" in got.why


def test_other_ways_are_counted_without_the_chosen_one():
    y, predictions = numbers(models=4)
    got = select(trials(*predictions), predictions, y, metrics["mae"], seed=0)
    assert {c.way for c in got.compared} == {"single", "greedy", "bagged"}
    assert "The other way to combine them does not beat a greedy selection" in got.why


def test_rows_of_a_block_are_judged_together():
    """Models that guess each group by chance: weights fitted on a part of a group seem good on its rest."""
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(20), 50)
    y = rng.normal(size=1000) + 3 * rng.normal(size=20)[group]
    predictions = {f"m{i}": 2 * rng.normal(size=20)[group] for i in range(25)}
    torn, whole = (
        select(trials(*predictions), predictions, y, metrics["rmse"], seed=0, block=block) for block in (None, group)
    )
    seemed, held_out = (next(c.loss for c in e.compared if c.way == "greedy") for e in (torn, whole))
    assert held_out > seemed + 0.4
    assert len(torn.members) > 1 and whole.method == "single"


@pytest.mark.parametrize(("n_parts", "sizes"), [(5, [7] * 20), (3, [50, 1, 1, 40, 30, 9]), (5, [3, 4])])
def test_blocks_are_dealt_out_whole_and_evenly(n_parts, sizes):
    part = whole_blocks(np.array(sizes), n_parts)
    filled = np.bincount(part, weights=sizes)
    assert len(filled) == min(n_parts, len(sizes)) and filled.min() > 0
    assert filled.max() - filled.min() <= max(sizes)


def test_the_simplest_of_those_that_tie_is_chosen():
    """Models that differ by noise alone: no way of weighting them is better than a plain greedy selection."""
    chosen = []
    for seed in range(10):
        y, predictions = numbers(n=300, models=4, seed=seed)
        chosen.append(select(trials(*predictions), predictions, y, metrics["rmse"], seed=seed).method)
    assert chosen.count("greedy") >= 8


def test_weights_of_rows_decide_what_is_good():
    """The second half of the rows counts nothing: the model that is right there only is not used."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=1000)
    first = np.arange(1000) < 500
    predictions = {
        "first": np.where(first, y, 0) + 0.1 * rng.normal(size=1000),
        "second": np.where(first, 0, y) + 0.1 * rng.normal(size=1000),
    }
    got = select(trials(*predictions), predictions, y, metrics["rmse"], seed=0, weight=first.astype(float))
    assert [m.trial_id for m in got.members] == ["first"]
    again = select(trials(*predictions), predictions, y, metrics["rmse"], seed=0, weight=np.where(first, 0.0, 2.0))
    assert [m.trial_id for m in again.members] == ["second"]


def test_a_ranking_is_left_as_it_is_by_calibration():
    """Bold probabilities: calibrated for those who read them, while the AUC stays what it was."""
    y, predictions = classes(models=1)
    p = predictions["m0"].astype(float)
    bold = p**4 / (p**4).sum(axis=1, keepdims=True)
    got = select(trials("m0"), {"m0": bold}, y, metrics["roc_auc"], n_classes=2)
    assert got.calibration is not None
    after = combine(got, {"m0": bold})
    assert metrics["roc_auc"].score(y, after, 2) == pytest.approx(metrics["roc_auc"].score(y, bold, 2), abs=1e-12)
    assert metrics["log_loss"].loss(y, after, 2) < 0.9 * metrics["log_loss"].loss(y, bold, 2)


def test_the_calibration_is_that_of_the_combination():
    """It undoes the boldness of probabilities whose power is known, and new rows gain what the held-out ones did."""
    y, predictions = classes(n=6000, models=1, noise=0.0)
    p = predictions["m0"].astype(float)
    bold = p**3 / (p**3).sum(axis=1, keepdims=True)
    got = select(trials("m0"), {"m0": bold[:3000]}, y[:3000], metrics["log_loss"], n_classes=2)
    after = metrics["log_loss"].loss(y[3000:], combine(got, {"m0": bold[3000:]}), 2)
    assert after == pytest.approx(metrics["log_loss"].loss(y[3000:], p[3000:], 2), rel=0.02)
    assert got.loss == pytest.approx(after, rel=0.1)


@pytest.mark.parametrize("k", [2, 3])
def test_answers_are_left_as_they_are_by_calibration(k):
    y, predictions = classes(models=1, k=k)
    p = predictions["m0"].astype(float)
    bold = p**4 / (p**4).sum(axis=1, keepdims=True)
    got = select(trials("m0"), {"m0": bold}, y, metrics["accuracy"], n_classes=k)
    assert got.calibration is not None and got.calibration.kind == "temperature"
    assert (combine(got, {"m0": bold}).argmax(axis=1) == bold.argmax(axis=1)).all()


def test_true_probabilities_are_not_calibrated():
    """What needs no calibration seldom gets one."""
    changed = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        p = rng.beta(1, 2, size=600)
        y = (rng.random(600) < p).astype(int)
        predictions = {"m": np.column_stack([1 - p, p])}
        changed += select(trials("m"), predictions, y, metrics["log_loss"], n_classes=2).calibration is not None
    assert changed <= 2


def test_too_few_rows_take_the_best_single_model():
    y, predictions = numbers(n=20)
    assert select(trials(*predictions), predictions, y, metrics["rmse"]).method == "single"


def test_combine_is_the_weighted_mean():
    ensemble = Ensemble(
        members=(Member(trial_id="a", family="f", weight=0.75), Member(trial_id="b", family="g", weight=0.25)),
        method="greedy", loss=0.0, single_loss=0.0,
    )  # fmt: skip
    got = combine(ensemble, {"a": np.array([1.0, 2.0]), "b": np.array([5.0, 6.0]), "c": np.zeros(2)})
    assert got == pytest.approx([2.0, 3.0])
    with pytest.raises(KeyError):
        combine(ensemble, {"a": np.zeros(2)})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["rmse", "log_loss", "roc_auc"]), st.integers(0, 6))
def test_quick_objectives_order_like_the_metric(seed, key, size):
    """Each fast path against the plain metric of the same blends."""
    k = 0 if key == "rmse" else 2
    y, predictions = numbers(n=80, seed=seed) if key == "rmse" else classes(n=80, seed=seed)
    y[:2] = [0, 1]
    stacked = np.stack(list(predictions.values()))
    fast, plain = blend_loss(metrics[key], stacked, y, k), MetricLoss(stacked, y, metrics[key], k)
    picks = np.random.default_rng(seed).integers(5, size=size)
    fast_total = fast.predictions[picks].sum(axis=0) if size else np.zeros(fast.predictions.shape[1:])
    total = stacked[picks].sum(axis=0) if size else np.zeros(stacked.shape[1:])
    expected = plain.losses(total, size)
    got = fast.losses(fast_total, size)
    assert (np.sqrt(got) if key == "rmse" else got) == pytest.approx(expected, abs=2e-3 if key == "roc_auc" else 1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_labels_are_judged_with_a_little_of_the_log_loss(weighted):
    """Against scikit-learn's errors and log loss of the same blends."""
    from sklearn.metrics import accuracy_score
    from sklearn.metrics import log_loss as sklearn_log_loss

    y, predictions = classes(n=60, k=3)
    stacked = np.stack(list(predictions.values()))
    weight = np.random.default_rng(0).random(60) if weighted else None
    got = blend_loss(metrics["accuracy"], stacked, y, 3, weight).losses(stacked[[0, 1]].sum(axis=0), 2)
    for loss, prediction in zip(got, stacked, strict=True):
        blend = np.asarray(stacked[0] + stacked[1] + prediction, dtype=np.float64) / 3
        errors = 1 - accuracy_score(y, blend.argmax(axis=1), sample_weight=weight)
        proper = sklearn_log_loss(y, blend / blend.sum(axis=1, keepdims=True), labels=range(3), sample_weight=weight)
        assert loss == pytest.approx(errors + 0.1 * proper, abs=1e-5)


@pytest.mark.parametrize("key", ["accuracy", "precision", "log_loss", "brier"])
def test_members_leave_by_the_loss_that_they_were_chosen_by(key):
    """And only shares of errors are smoothed: of other metrics of labels the scale is not known."""
    y, predictions = classes(n=120)
    stacked = np.stack(list(predictions.values())).astype(np.float64)
    chosen = blend_loss(metrics[key], stacked, y, 2).losses(
        stacked[0] if key != "log_loss" else stacked[0][np.arange(120), y], 1
    )
    left = [picking_loss(metrics[key], (stacked[0] + p) / 2, y, 2) for p in stacked]
    assert chosen == pytest.approx(left, abs=1e-6)
    plain = [metrics[key].loss(y, (stacked[0] + p) / 2, 2) for p in stacked]
    assert (left == pytest.approx(plain)) == (key != "accuracy")


def test_of_blends_with_the_same_errors_the_surer_one_is_taken():
    """No model errs, so no blend has fewer errors; the noise of two that are unsure goes when they are combined."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    sure = {f"m{i}": np.where(y == 1, 1, -1) * rng.uniform(0.02, 0.4, size=60) + 0.5 for i in range(4)}
    predictions = {i: np.column_stack([1 - p, p]) for i, p in sure.items()}
    got = select(trials(*predictions), predictions, y, metrics["accuracy"], n_classes=2)
    assert got.loss == got.single_loss == 0
    assert len(got.members) > 1


def test_single_models_and_blends_are_clipped_alike():
    """A certain mistake costs as much alone as it does in a blend, whatever the type of the stored predictions."""
    y, predictions = classes(n=400, models=1)
    sure = predictions["m0"].copy()
    sure[0] = np.eye(2, dtype=np.float32)[1 - y[0]]
    got = select(trials("m0"), {"m0": sure}, y, metrics["log_loss"], n_classes=2)
    plain = got.model_copy(update={"calibration": None})
    assert got.single_loss == metrics["log_loss"].loss(y, combine(plain, {"m0": sure}), 2)


@pytest.mark.parametrize("key", ["roc_auc", "log_loss", "f1", "accuracy", "balanced_accuracy"])
@pytest.mark.parametrize("k", [2, 3])
def test_a_class_with_one_row_breaks_nothing(key, k):
    """Parts without that class, models that are sure or say nothing, weights of rows."""
    rng = np.random.default_rng(0)
    y = np.zeros(60, dtype=int)
    y[0], y[1 : 20 * (k - 2) + 1] = 1, 2
    predictions = {f"m{i}": rng.dirichlet(np.ones(k), size=60) for i in range(3)}
    predictions |= {"sure": np.eye(k)[y], "same": np.full((60, k), 1 / k)}
    for weight in (None, rng.random(60)):
        got = select(trials(*predictions), predictions, y, metrics[key], n_classes=k, weight=weight)
        assert np.isfinite(combine(got, predictions)).all()
