from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from simulated import binary, numbers, three_classes
from sklearn.metrics import roc_auc_score

from autodl.clock import Deadline
from autodl.evaluate import Candidate, EvaluationInputs, evaluate
from autodl.evaluate.base import metrics
from autodl.evaluate.evaluate import optimism
from autodl.evaluate.where_wrong import MAX_TEST_ROWS
from autodl.records import Evaluation, Interval, Task


def problem(kind="binary", n=400, seed=0, **changes):
    rng = np.random.default_rng(seed)
    draw, k = {"binary": (binary, 2), "three": (three_classes, 3), "numbers": (numbers("normal"), 0)}[kind]
    y, a, b = draw(rng, n)
    if k:
        shares = np.bincount(y, minlength=k) / n
        guess = np.tile(shares, (n, 1))
        poor = 0.15 * a + 0.85 * np.roll(a, 1, axis=0)
    else:
        guess, poor = np.full(n, y.mean()), y + 3 * (a - y)
    candidates = (
        Candidate("Guess", "dummy", guess, complexity=0, validation=0.5),
        Candidate("Simple", "linear", b, complexity=2, validation=0.79, trial_id="t1", fit_s=1.0),
        Candidate("Big", "trees", a, complexity=8, validation=0.8, trial_id="t2", weight=1.0),
        Candidate("Poor", "nearest", poor, complexity=4, validation=0.6),
    )
    given = {
        "task": Task.CLASSIFICATION if k else Task.REGRESSION,
        "metric": {2: "roc_auc", 3: "log_loss", 0: "rmse"}[k],
        "y_train": y,
        "y_test": y,
        "candidates": candidates,
        "leader": "Big",
        "baseline": "Guess",
        "classes": tuple(["no", "yes", "maybe"][:k]),
        "test_frame": pd.DataFrame({"x": rng.normal(size=n), "c": rng.choice(["u", "v"], n).astype(object)}),
        "row_numbers": np.arange(n) + 1000,
    }
    return EvaluationInputs(**(given | changes))


@pytest.mark.parametrize("kind", ["binary", "three", "numbers"])
def test_the_record_is_complete_and_survives_json(kind):
    inputs = problem(kind)
    got = evaluate(inputs)
    assert Evaluation.model_validate_json(got.model_dump_json()) == got
    assert got.models[0].name == got.leader == "Big"
    assert {m.name for m in got.models} == {"Guess", "Simple", "Big", "Poor"}
    assert {c.b for c in got.comparisons} == {"Guess", "Simple", "Poor"}
    sign = 1 if metrics[got.metric].greater_is_better else -1
    tests = [sign * m.test.value for m in got.models[1:]]
    assert tests == sorted(tests, reverse=True)
    assert got.models[0].metrics[got.metric] == got.models[0].test
    assert len(got.models[0].metrics) >= 4
    assert got.n_test == 400
    if kind == "numbers":
        assert got.residuals is not None and not got.confusion
    else:
        assert sum(map(sum, got.confusion)) == 400
        assert len(got.roc) == len(got.pr) == (1 if kind == "binary" else 3)
        assert got.calibration and got.calibration_error is not None
    assert all(1000 <= m.row < 1400 for m in got.mistakes)


def test_verdicts_ties_and_the_simpler_model():
    got = evaluate(problem())
    verdict = {c.b: c.verdict for c in got.comparisons}
    assert verdict == {"Guess": "better", "Poor": "better", "Simple": "tie"}
    assert {m.name for m in got.models if m.tied_with_leader} == {"Big", "Simple"}
    assert got.recommended == "Simple"
    assert "simpler than Big" in got.recommended_why


def test_a_tie_for_want_of_rows_does_not_recommend_a_poor_model():
    """With 20 rows nearly everything ties; a model that loses most of the gain is not recommended all the same."""
    rng = np.random.default_rng(3)
    y = np.arange(20) % 2
    good = np.clip(y * 0.6 + rng.uniform(0, 0.4, 20), 0.01, 0.99)
    poor = np.clip(0.5 + (y - 0.5) * 0.2 + rng.normal(0, 0.3, 20), 0.01, 0.99)
    two = lambda p: np.column_stack([1 - p, p])  # noqa: E731
    inputs = problem(
        y_test=y,
        test_frame=None,
        row_numbers=None,
        candidates=(
            Candidate("Guess", "dummy", np.full((20, 2), 0.5), complexity=0),
            Candidate("Big", "trees", two(good), complexity=8),
            Candidate("Poor", "linear", two(poor), complexity=1),
        ),
        metric="accuracy",
    )
    got = evaluate(inputs)
    assert roc_auc_score(y, poor) < roc_auc_score(y, good)
    assert got.recommended == "Big"
    assert any("20 test rows" in n for n in got.notes)


def test_a_leader_that_does_not_beat_guessing_is_said_so():
    inputs = problem()
    y = inputs.y_test
    backwards = np.column_stack([y * 0.6 + 0.2, 0.8 - y * 0.6])
    changed = tuple(
        Candidate("Big", "trees", backwards, complexity=8) if c.name == "Big" else c for c in inputs.candidates
    )
    got = evaluate(problem(candidates=changed))
    assert got.leader == got.recommended == "Big"
    assert "do not rely" in got.recommended_why


def test_a_model_as_complex_is_recommended_only_where_it_is_much_quicker():
    given = problem()
    big = given.candidate("Big")

    def why(ms):
        twin = replace(given.candidate("Simple"), complexity=big.complexity, predict_ms_per_row=ms)
        rest = [replace(c, predict_ms_per_row=1.0) for c in given.candidates if c.name != "Simple"]
        got = evaluate(problem(candidates=(*rest, twin)))
        return got.recommended, got.recommended_why

    assert why(0.99)[0] == "Big", "a hundredth less is chance"
    assert why(0.5)[0] == "Simple" and "quicker than Big" in why(0.5)[1]


def test_a_guess_alone_needs_no_recommendation():
    given = problem()
    got = evaluate(problem(candidates=(given.candidate("Guess"),), leader="Guess"))
    assert (got.recommended, got.recommended_why) == ("Guess", "")


def test_absent_and_rare_classes_are_noted():
    inputs = problem("three")
    y = inputs.y_test.copy()
    y[y == 2] = 0
    y[:3] = 1
    got = evaluate(problem("three", y_test=y))
    assert any("'maybe'" in n and "nothing is known" in n for n in got.notes)
    y[y == 1] = 0
    y[:3] = 1
    assert any("Fewer than 5 test rows belong to 'yes'" in n for n in evaluate(problem("three", y_test=y)).notes)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", ["binary", "three", "numbers"])
def test_a_handful_of_rows_is_no_failure(kind, n):
    got = evaluate(problem(kind, n=n))
    assert got.n_test == n and got.notes
    assert Evaluation.model_validate_json(got.model_dump_json()).leader == "Big"


def test_a_passed_deadline_leaves_the_essentials():
    got = evaluate(problem(deadline=Deadline(0.0)))
    assert len(got.models[0].metrics) > 4
    assert all(m.test is not None for m in got.models)
    assert any("time ran out" in n for n in got.notes)


def test_the_same_inputs_give_the_same_record():
    assert evaluate(problem()) == evaluate(problem())


def test_groups_of_a_sample_are_told_to_be_of_a_sample():
    told = "drawn at random: the rows and scores told of groups are those of the sample."
    many = evaluate(problem("numbers", n=MAX_TEST_ROWS + 500))
    assert any(n.endswith(told) and "15,000 of the 15,500" in n for n in many.notes)
    assert not any(n.endswith(told) for n in evaluate(problem("numbers")).notes)


def test_calibration_is_told_by_weights():
    inputs = problem(n=2000)
    p = inputs.candidate("Big").prediction[:, 1]
    weight = np.where(np.arange(2000) % 2, 1.0, 5.0)
    # The weighty rows are far too sure, the others are as they were.
    sure = np.where(weight > 1, p**3 / (p**3 + (1 - p) ** 3), p)
    big = replace(inputs.candidate("Big"), prediction=np.column_stack([1 - sure, sure]))
    others = tuple(c for c in inputs.candidates if c.name != "Big")
    plain, weighted = (evaluate(replace(inputs, candidates=(*others, big), weight=w)) for w in (None, weight))
    assert weighted.calibration_error.value > plain.calibration_error.value + 0.02
    assert weighted.calibration != plain.calibration
    assert any("how honest the probabilities are" in n for n in weighted.notes)


def test_bad_inputs_are_named():
    with pytest.raises(ValueError, match="no candidate 'None of these'"):
        evaluate(problem(leader="None of these"))
    with pytest.raises(ValueError, match=r"predictions of 'Guess' must have the shape \(399, 2\)"):
        evaluate(problem(y_test=np.zeros(399, dtype=int)))
    bad = Candidate("Guess", "dummy", np.full((400, 2), np.nan))
    with pytest.raises(ValueError, match="must be finite"):
        evaluate(problem(candidates=(bad, *problem().candidates[1:])))


def test_optimism_turns_with_the_metric():
    test = Interval(value=0.7, low=0.6, high=0.75, n=100)
    up = optimism(metrics["accuracy"], 0.8, test, 300)
    assert up.value == pytest.approx(0.1)
    widen = np.sqrt(1 + 100 / 300)
    assert (up.low, up.high) == pytest.approx((0.1 - 0.05 * widen, 0.1 + 0.1 * widen))
    down = optimism(metrics["rmse"], 0.8, test, 300)
    assert (down.value, down.low, down.high) == pytest.approx((-0.1, -0.1 - 0.1 * widen, -0.1 + 0.05 * widen))
    assert optimism(metrics["rmse"], None, test, 300) is None


def test_a_cut_moves_the_answers_and_leaves_the_probabilities():
    from dataclasses import replace

    from sklearn.metrics import confusion_matrix, f1_score

    inputs = problem(metric="f1")
    cut = tuple(replace(c, threshold=0.3) if c.name == "Big" else c for c in inputs.candidates)
    plain, got = evaluate(inputs), evaluate(replace(inputs, candidates=cut))
    y, p = inputs.y_test, inputs.candidate("Big").prediction[:, 1]
    assert got.models[0].test.value == pytest.approx(f1_score(y, p >= 0.3))
    assert got.confusion == tuple(map(tuple, confusion_matrix(y, p >= 0.3).tolist()))
    assert got.models[0].metrics["accuracy"].value == pytest.approx(np.mean((p >= 0.3) == y))
    assert got.models[0].metrics["roc_auc"] == plain.models[0].metrics["roc_auc"]
    assert (got.roc, got.calibration) == (plain.roc, plain.calibration)
    simple = f1_score(y, inputs.candidate("Simple").prediction.argmax(axis=1))
    versus = next(c for c in got.comparisons if c.b == "Simple")
    assert versus.difference == pytest.approx(f1_score(y, p >= 0.3) - simple)
    for m in got.mistakes:
        row = m.row - 1000
        assert m.predicted == ("yes" if p[row] >= 0.3 else "no")
        assert m.true != m.predicted


def test_early_stopping_on_the_validation_rows_is_disclosed():
    inputs = problem()
    stopped = tuple(replace(c, early_stopped=c.name == "Big") for c in inputs.candidates)
    assert any("same validation rows" in n for n in evaluate(replace(inputs, candidates=stopped)).notes)
    assert not any("same validation rows" in n for n in evaluate(inputs).notes)


def test_the_usual_class_is_counted_by_weight_and_not_by_what_the_baseline_answers():
    plain = problem("three")
    counts = np.bincount(plain.y_test, minlength=3)
    assert evaluate(plain).usual_share == pytest.approx(counts.max() / counts.sum())
    rare = int(counts.argmin())
    weight = np.where(plain.y_test == rare, 50.0, 1.0)
    got = evaluate(replace(plain, weight=weight))
    assert got.usual == plain.classes[rare]
    assert got.usual_share == pytest.approx(weight[plain.y_test == rare].sum() / weight.sum())
