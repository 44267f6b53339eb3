"""Extrapolation of learning curves: known ends, honest probabilities, few winners lost."""

from __future__ import annotations

import numpy as np
import pytest

from autodl.search.curves import Curve
from autodl.search.extrapolation import forecast
from autodl.search.schedulers.base import Verdict, schedulers
from autodl.search.watching import TrainingWatch

STEPS = np.arange(1, 51) / 50


def power(rng: np.random.Generator) -> np.ndarray:
    """A power law that falls to its end."""
    return rng.normal(1.0, 0.1) + 0.3 * abs(rng.normal(0.5, 0.2)) * (STEPS ** -rng.uniform(0.3, 1.2) - 1.0)


def annealed(rng: np.random.Generator) -> np.ndarray:
    """Falls fast, stands still, and falls again when the rate is lowered: no power law foresees that."""
    drop = 0.15 * rng.uniform(0.6, 1.4) / (1.0 + np.exp(-(STEPS - 0.8) * 20.0))
    return rng.normal(1.0, 0.1) + abs(rng.normal(0.5, 0.2)) * np.exp(-8.0 * STEPS) - drop


KINDS = {"power": power, "annealed": annealed}


def trained(values: np.ndarray) -> Curve:
    return Curve.of(zip(STEPS.tolist(), values.tolist(), strict=True), ended=True, loss=float(values.min()))


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_end_of_a_curve_without_noise(kind):
    """What is left to gain is foreseen for the most part."""
    rng = np.random.default_rng(0)
    known = [trained(KINDS[kind](rng)) for _ in range(16)]
    errors, gains = [], []
    for _ in range(30):
        curve = trained(KINDS[kind](rng))
        errors.append(forecast(curve, known, 0.4).mean - curve.best)
        gains.append(curve.at(0.4) - curve.best)
    assert np.median(np.abs(errors)) < (0.2 if kind == "power" else 0.5) * np.median(gains)


def test_nothing_after_the_present_is_looked_at():
    rng = np.random.default_rng(1)
    known = [trained(power(rng)) for _ in range(6)]
    whole = power(rng)
    cut = Curve.of(zip(STEPS[:20].tolist(), whole[:20].tolist(), strict=True))
    assert forecast(cut, known, 0.4).mean == forecast(trained(whole), known, 0.4).mean


def test_the_unit_of_the_loss_plays_no_part():
    rng = np.random.default_rng(2)
    paths = [power(rng) for _ in range(9)]
    one = forecast(trained(paths[0]), [trained(p) for p in paths[1:]], 0.3)
    other = forecast(trained(1e4 * paths[0] + 7), [trained(1e4 * p + 7) for p in paths[1:]], 0.3)
    assert other.mean == pytest.approx(1e4 * one.mean + 7, rel=1e-6)
    assert other.below(1e4 * 1.0 + 7) == pytest.approx(one.below(1.0), abs=1e-6)


def test_equal_and_flat_curves_are_no_trouble():
    flat = trained(np.ones(50))
    seen = forecast(trained(np.full(50, 2.0)), [flat] * 5, 0.5)
    assert np.isfinite(seen.mean)
    assert seen.below(1.0) < 0.05
    assert forecast(Curve.of([]), [flat] * 5, 0.5) is None
    assert forecast(flat, [flat], 0.5) is None


@pytest.mark.parametrize("noise", [0.005, 0.02])
@pytest.mark.parametrize("kind", list(KINDS))
def test_probabilities_are_honest(kind, noise):
    """Of what is said to happen with a probability of about p, about a share p happens."""
    rng = np.random.default_rng(3)
    said, happened = [], []
    for _ in range(40):
        known = [trained(KINDS[kind](rng) + noise * rng.normal(size=50)) for _ in range(12)]
        for _ in range(5):
            curve = trained(KINDS[kind](rng) + noise * rng.normal(size=50))
            target = float(rng.choice([k.best for k in known]))
            said.append(forecast(curve, known, float(rng.uniform(0.15, 0.7))).below(target))
            happened.append(curve.best < target)
    said, happened = np.array(said), np.array(happened)
    low, high = said < 0.05, said > 0.95
    assert min(low.sum(), high.sum()) > 15
    assert happened[low].mean() <= 0.08
    assert happened[high].mean() >= 0.92
    assert abs(said.mean() - happened.mean()) < 0.08


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_search_stops_most_and_few_winners(kind):
    stopped = won = trials = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        rivals: list[Curve] = []
        for number in range(25):
            values = KINDS[kind](rng) + 0.01 * rng.normal(size=50)
            watch = TrainingWatch(schedulers["extrapolate"](), rivals, number)
            told = next((k for k, v in enumerate(values, 1) if watch(float(STEPS[k - 1]), float(v))), 50)
            if watch.stopped:
                won += values.min() < min(r.best for r in rivals if r.ended)
                stopped += 1
                rivals = [*rivals, Curve.of(zip(STEPS[:told].tolist(), values[:told].tolist(), strict=True))]
            else:
                rivals = [*rivals, trained(values)]
            trials += 1
    assert stopped > 0.5 * trials
    assert won <= 0.06 * stopped


def test_between_folds_the_best_rival_is_the_measure():
    extrapolate = schedulers["extrapolate"]()
    rng = np.random.default_rng(5)
    hard = rng.normal(size=5)  # folds differ more than trials do
    rivals = [tuple(level + hard + 0.02 * rng.normal(size=5)) for level in (1.0, 1.2, 1.3, 1.5, 1.6)]
    bad, near = 1.4 + hard, 1.0 + hard + 0.02 * rng.normal(size=5)
    assert extrapolate.decide(list(bad[:1]), rivals) is Verdict.STOP
    assert extrapolate.decide(list(near[:1]), rivals) is Verdict.CONTINUE
    assert extrapolate.decide(list(bad[:1]), rivals[:3]) is Verdict.CONTINUE  # too few to judge
    assert extrapolate.decide(list(bad), rivals) is Verdict.CONTINUE  # nothing is left to save
    # What was stopped after easy folds is no measure, however low its mean.
    easy = tuple((0.9 + np.sort(hard))[:2])
    assert extrapolate.decide(list(near[:1]), [*rivals, easy]) is Verdict.CONTINUE
    assert extrapolate.decide(list(bad[:1]), [*rivals, easy]) is Verdict.STOP


def folded(end: float, folds: tuple[float, ...]) -> Curve:
    """A training that falls to its end on the first fold, of a trial with these losses on all of them."""
    values = end + 0.3 * (STEPS**-0.7 - 1.0)
    points = zip(STEPS.tolist(), values.tolist(), strict=True)
    return Curve.of(points, ended=True, loss=float(np.mean(folds)) if folds else np.inf, folds=folds)


def test_a_lead_on_the_first_fold_counts_as_much_as_folds_allow():
    """The same curve is hopeless where trials differ alike on all folds, and not where folds change their order."""
    extrapolate = schedulers["extrapolate"]()
    levels = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
    behind = 1.15 + 0.3 * (STEPS**-0.7 - 1.0)
    curve = Curve.of(zip(STEPS[:30].tolist(), behind[:30].tolist(), strict=True))
    rng = np.random.default_rng(0)
    alike = [folded(v, tuple(v + 0.005 * rng.normal(size=5))) for v in levels]
    single = [folded(v, (v,)) for v in levels]
    mixed = [folded(v, (v, *(v + 0.3 * rng.normal(size=4)))) for v in levels]
    assert extrapolate.during(curve, 0.6, single) is Verdict.STOP
    assert extrapolate.during(curve, 0.6, alike) is Verdict.STOP
    assert extrapolate.during(curve, 0.6, mixed) is Verdict.CONTINUE
    # Trials that were stopped after the first fold are no measure.
    assert extrapolate.during(curve, 0.6, [*mixed, folded(0.1, ())]) is Verdict.CONTINUE
    few = [*alike[:3], *(folded(v, ()) for v in levels[3:])]
    assert extrapolate.during(curve, 0.6, few) is Verdict.CONTINUE


def test_the_unit_of_the_curves_does_not_matter_between_folds():
    extrapolate = schedulers["extrapolate"]()
    rng = np.random.default_rng(3)
    best, *others = [folded(v, tuple(v + 0.05 * rng.normal(size=5))) for v in (1.0, 1.1, 1.2, 1.3, 1.4)]
    error = extrapolate._first_fold_error([best, *others], best)

    def scaled(c: Curve) -> Curve:
        return Curve.of([(p, 9 * v) for p, v in c.points], ended=True, loss=c.loss, folds=c.folds)

    best, *others = [scaled(c) for c in (best, *others)]
    assert extrapolate._first_fold_error([best, *others], best) == pytest.approx(9 * error)


def test_equal_rivals_say_nothing_of_folds():
    rivals = [(1.0, 2.0, 3.0)] * 6
    assert schedulers["extrapolate"]().decide([1.001], rivals) is Verdict.CONTINUE


def test_an_ask_judges_a_few_unfinished_configurations_only(monkeypatch):
    from autodl.search.fidelity import Fidelity
    from autodl.search.history import Observation, Step
    from autodl.search.schedulers import extrapolate as module

    judged = []
    monkeypatch.setattr(
        module, "forecast", lambda curve, known, now: judged.append(now) or forecast(curve, known, now)
    )
    done = [
        Observation(
            {"x": i}, "ok", 0.1 + 0.01 * i, curve=tuple((float(f), 0.1 + 0.01 * i + 1 / f) for f in (1, 2, 4, 8))
        )
        for i in range(6)
    ]
    hopeless = [Observation({"x": i}, "stopped", 9.0, curve=((1.0, 9.5), (2.0, 9.0))) for i in range(100)]
    step = schedulers["extrapolate"]().next([*done, *hopeless], Fidelity(1.0, 8.0), 99.0)
    assert step == Step(1.0)
    assert 0 < len(judged) <= module.Extrapolate.looked
