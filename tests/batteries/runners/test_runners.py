"""What every runner must keep: the same scores, and a broken trial that costs itself alone and says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runner_cases import job, outcome_of

from autodl.records import TrialStatus
from autodl.search.curves import Curve
from autodl.search.prepared import PreparedFolds
from autodl.search.rivals import measure_of
from autodl.search.runners.base import Runner
from autodl.search.trial import TrialData, run_trial, trial_recipe

OWN_PROCESS = ("ProcessRunner", "RayRunner")


def apart(runner: Runner) -> None:
    """Skip where trials share the process of the test."""
    if type(runner).__name__ not in OWN_PROCESS:
        pytest.skip("in one process this would end the tests")


def goes_on(runner: Runner) -> None:
    """The next trial must be as good as ever."""
    result = outcome_of(runner, job(99, "linear")).result
    assert result.ok, result.error
    assert runner.running() == []


@pytest.mark.parametrize("family", ["dummy", "linear", "lightgbm"])
def test_same_scores_as_in_this_process(runner: Runner, data: TrialData, family: str) -> None:
    work = job(1, family)
    there, here = outcome_of(runner, work), run_trial(work, data, PreparedFolds(data))
    assert there.result.fold_losses == here.result.fold_losses
    assert there.oof is not None and here.oof is not None
    np.testing.assert_array_equal(there.oof, here.oof)
    np.testing.assert_array_equal(there.test, here.test)
    assert len(there.models) == len(data.folds)


def test_a_training_is_stopped_alike_everywhere(runner: Runner, data: TrialData) -> None:
    """The rivals travel with the job, so that no runner has to ask anybody."""
    recipe = trial_recipe(job(1, "lightgbm").spec, data)
    name = measure_of(job(1, "lightgbm").spec, recipe, 0)
    rivals = tuple(
        Curve.of([(0.01, 0.1), (1.0, 0.01 * i)], ended=True, loss=0.01 * i, measure=name) for i in range(6)
    )
    work = replace(job(1, "lightgbm", learning_rate=0.3), scheduler="extrapolate", curves=rivals)
    there, here = outcome_of(runner, work), run_trial(work, data, PreparedFolds(data))
    assert there.result.status is TrialStatus.STOPPED
    assert there.result.reached == here.result.reached < 1.0
    assert there.result.fold_losses == here.result.fold_losses
    assert there.result.curve == here.result.curve
    assert (there.oof, there.models) == (None, [])


def test_the_slot_is_taken_and_given_back(runner: Runner) -> None:
    free = runner.free()
    work = job(2, "linear")
    runner.submit(work)
    assert [j.spec.id for j in runner.running()] == ["t0002"]
    assert runner.free() == free - 1
    while not (found := runner.wait(1.0)):
        pass
    assert found[0].result.ok
    assert runner.free() == free
    assert runner.wait(0.0) == []


def test_an_error_is_told_in_one_line(runner: Runner) -> None:
    result = outcome_of(runner, job(3, how="raise")).result
    assert (result.status, result.error) == (TrialStatus.FAILED, "ValueError: this family always fails")
    goes_on(runner)


def test_what_trials_print_is_told_once(runner: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    apart(runner)
    for number in (31, 32):
        assert outcome_of(runner, job(number, how="talk")).result.ok
    told = capfd.readouterr()
    assert told.out == ""
    for line in ("a word of the trial", "a warning of a library"):
        assert told.err.count(line) == 1  # of three folds in two trials
    assert outcome_of(runner, job(33, how="raise")).result.status is TrialStatus.FAILED
    assert "trial t0033 (faulty) failed" in capfd.readouterr().err


def test_a_family_that_wants_to_end_the_program(runner: Runner) -> None:
    result = outcome_of(runner, job(4, how="leave")).result
    assert (result.status, result.error) == (TrialStatus.FAILED, "SystemExit: 3")
    goes_on(runner)


def test_an_allocation_that_cannot_be(runner: Runner) -> None:
    result = outcome_of(runner, job(5, how="allocate")).result
    assert result.status is TrialStatus.FAILED
    assert result.error is not None and result.error.startswith("ran out of memory (")
    goes_on(runner)


def test_an_allocation_that_the_system_refuses(runner: Runner) -> None:
    apart(runner)
    result = outcome_of(runner, job(6, how="limited")).result
    assert result.status is TrialStatus.FAILED
    assert result.error is not None and result.error.startswith("ran out of memory (")
    goes_on(runner)


def test_deaf_to_its_deadline(runner: Runner) -> None:
    result = outcome_of(runner, job(7, how="sleep", seconds=1.0)).result
    assert result.status is TrialStatus.TIMEOUT
    assert result.error is not None and "did not stop at its deadline of 1.0 s" in result.error
    goes_on(runner)


@pytest.mark.slow
def test_a_crash_is_tried_again_once(runner: Runner) -> None:
    apart(runner)
    result = outcome_of(runner, job(8, how="segfault")).result
    assert result.status is TrialStatus.FAILED
    assert result.error is not None and result.error.endswith("; tried 2 times")
    goes_on(runner)


@pytest.mark.slow
def test_killed_from_outside_and_well_at_the_second_try(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart(runner)
    # Where the kernel says that it ended nothing for lack of memory, another try makes sense.
    monkeypatch.setattr("autodl.search.runners.worker_process.oom_kills", lambda: 0)
    first = outcome_of(runner, job(9, how="die_once", marker=str(tmp_path / "tried")))
    assert first.result.ok, first.result.error
    assert (tmp_path / "tried").exists()
    goes_on(runner)
