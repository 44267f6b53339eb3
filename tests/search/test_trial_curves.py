from __future__ import annotations

import pytest

from autodl.records import CurvePoint, Recipe, TrialResult, TrialSpec, TrialStatus
from autodl.search.curves import Curve
from autodl.search.rivals import MOST, measure_of, rival_curves


def test_a_curve_is_the_best_so_far():
    curve = Curve.of([(0.1, 5.0), (0.2, 3.0), (0.3, 4.0), (0.4, 2.0)])
    assert [curve.at(t) for t in (0.05, 0.1, 0.25, 0.3, 0.4)] == [None, 5.0, 3.0, 3.0, 2.0]
    assert curve.at(0.5) is None  # it was stopped: nobody knows
    ended = Curve.of([(0.1, 5.0), (0.2, 3.0)], ended=True)
    assert ended.at(0.9) == 3.0
    assert (curve.best, curve.reached) == (2.0, 0.4)
    assert Curve.of([]).at(0.5) is None


def test_thinning_loses_neither_the_best_nor_the_end():
    points = [(i / 1000, 1.0 / i) for i in range(1, 1001)]
    thin = Curve.of(points, ended=True, spacing=1 / 64)
    assert len(thin.points) <= 66
    assert thin.points[-1] == (1.0, 1.0 / 1000)
    for progress, loss in thin.points:
        assert loss == min(value for t, value in points if t <= progress)


def result(number, status=TrialStatus.OK, *, family="mlp", reached=1.0, loss=1.0, measure="m"):
    curve = (CurvePoint(step=1, valid=2.0, progress=0.5), CurvePoint(step=2, valid=loss, progress=1.0))
    return TrialResult(
        spec=TrialSpec(id=f"t{number:04d}", family=family),
        status=status,
        loss=loss,
        fold_losses=(loss,),
        curve=curve[: 1 if reached < 1 else 2],
        measure=measure,
        reached=reached,
    )


def test_rivals_are_trainings_of_the_same_family():
    results = [
        result(1),
        result(2, TrialStatus.STOPPED, reached=0.5),
        result(3, family="lightgbm"),
        result(4, TrialStatus.FAILED),
        result(5, measure=""),
    ]
    curves = rival_curves(results, "mlp")
    assert [(c.ended, c.loss) for c in curves] == [(True, 1.0), (False, float("inf"))]
    assert curves[0].at(0.7) == 2.0


def test_rivals_are_bounded_and_the_best_stay():
    results = [result(i, loss=float(i)) for i in range(1, 200)]
    curves = rival_curves(results, "mlp")
    assert len(curves) == MOST
    assert [c.loss for c in curves][: MOST // 4] == [float(i) for i in range(1, MOST // 4 + 1)]
    assert curves[-1].loss == 199.0


@pytest.mark.parametrize(
    ("spec", "recipe", "fold"),
    [({"fidelity": 0.5}, {}, 0), ({}, {"target": "log"}, 0), ({}, {"balance": "oversample"}, 0), ({}, {}, 1)],
)
def test_what_changes_the_losses_changes_the_measure(spec, recipe, fold):
    plain = measure_of(TrialSpec(id="t0001", family="mlp"), Recipe(), 0)
    assert plain == measure_of(TrialSpec(id="t0002", family="mlp", config={"width": 9}), Recipe(scale="standard"), 0)
    assert plain != measure_of(TrialSpec(id="t0001", family="mlp", **spec), Recipe(**recipe), fold)
