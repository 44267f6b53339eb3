"""Objectives that fail, hang or are interrupted."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import time

import pytest
from optimize_problems import SMALL, SPACE, branin

from autodl.errors import SearchError
from autodl.search import optimize
from autodl.search.call_limits import Limits
from autodl.search.calling import Answer
from autodl.search.drive import Drive
from autodl.search.ledger import Ledger


class Answers:
    """Calls whose answers are there at once."""

    def __init__(self, *answers):
        self.answers = list(enumerate(answers))

    def wait(self, seconds):
        return self.answers.pop(0)


class TestFaults:
    def test_raising_and_nan_cost_their_trial_alone(self):
        calls = iter(range(1000))

        def moody(config, fidelity):
            n = next(calls)
            if n % 4 == 0:
                raise RuntimeError("no such\nluck")
            if n % 4 == 1:
                return float("nan")
            if n % 4 == 2:
                return "seven"
            return branin(config)

        result = optimize(moody, SPACE, max_evals=24)
        failed = [e for e in result.history if e.status == "failed"]
        assert len(failed) == 18
        assert {e.error.split(",")[0] for e in failed} == {
            "RuntimeError: no such luck",
            "the objective returned nan",
            "the objective must return a number",
        }
        assert math.isfinite(result.best_loss)

    def test_nothing_finite_is_one_clear_line(self):
        with pytest.raises(
            SearchError, match="none of 5 evaluations gave a finite loss; the first failed with: KeyError"
        ):
            optimize(lambda c, f: c["typo"], SPACE, max_evals=5)

    def test_a_hang_costs_its_trial_alone(self):
        def sticky(config, fidelity):
            if config["x"] > 4:
                time.sleep(60)
            return branin(config)

        began = time.monotonic()
        result = optimize(sticky, SPACE, strategy="sobol", max_evals=4, call_timeout=0.3)
        assert time.monotonic() - began < 30
        late = [e for e in result.history if e.config["x"] > 4]
        assert late
        assert all("given up" in e.error for e in late)
        assert result.best_config["x"] <= 4

    def test_a_hang_ends_with_the_time_budget(self):
        began = time.monotonic()
        with pytest.raises(SearchError, match=r"given up after .*; `call_timeout` lets calls take longer"):
            optimize(lambda c, f: time.sleep(60), SPACE, strategy="random", time_budget=1.0)
        assert time.monotonic() - began < 30

    def test_calls_that_take_much_of_the_budget_are_waited_for_until_one_has_given_a_loss(self):
        def patience(*answers):
            ledger = Ledger()
            drive = Drive(None, ledger, Answers(*answers), Limits(seconds=100.0), 1, began=0.0)
            for _ in answers:
                drive.running[ledger.begin({}, None, None).number] = 0.0
                drive._collect()
            again = Drive(None, ledger, Answers(), Limits(seconds=100.0), 1, began=0.0)
            assert again._deadline(0.0) == drive._deadline(0.0), "a search that goes on knows what calls took"
            return drive._deadline(0.0)

        failed, worked = Answer(seconds=0.1, error="it broke"), Answer((1.0,), seconds=0.1)
        assert patience() == patience(failed) == 50.0
        assert patience(worked) == patience(failed, worked) == 25.0
        assert patience(Answer((1.0,), seconds=6.0), worked) == 60.0

    def test_no_time_for_anything_is_told_as_that(self):
        with pytest.raises(SearchError, match=r"the time was over before the first evaluation.*Raise `time_budget`"):
            optimize(branin, SPACE, time_budget=1e-9)
        with pytest.raises(SearchError, match="the time was over before the first of 1 evaluations ended"):
            optimize(lambda c, f: time.sleep(60), SPACE, time_budget=0.3, call_timeout=50)

    def test_another_number_of_losses_costs_its_trial_alone(self):
        calls = []

        def forgetful(config, fidelity):
            calls.append(config)
            return [config["x"], config["y"]] if len(calls) % 3 else config["x"]

        result = optimize(forgetful, SPACE, strategy="nsga2", max_evals=40)
        assert len(result.history) == 40
        failed = [e for e in result.history if e.status == "failed"]
        assert len(failed) == 13
        assert {e.error for e in failed} == {"the objective returned 1 losses, but 2 before"}
        assert {len(e.losses) for e in result.history} == {0, 2}

    @pytest.mark.skipif(sys.platform == "win32", reason="no process groups")
    def test_what_the_objective_started_is_ended_with_it(self, tmp_path):
        import psutil

        note = tmp_path / "pid"

        def starts(config, fidelity):
            child = subprocess.Popen(["sleep", "300"])
            note.write_text(str(child.pid))
            time.sleep(300)

        with pytest.raises(SearchError):
            optimize(starts, SMALL, strategy="random", max_evals=1, runner="process", call_timeout=6)
        left = psutil.Process(int(note.read_text())) if psutil.pid_exists(int(note.read_text())) else None
        if left is not None and left.status() != psutil.STATUS_ZOMBIE:
            left.wait(10)

    @pytest.mark.skipif(sys.platform == "win32", reason="no signals")
    def test_a_search_that_is_ended_takes_its_calls_with_it(self, tmp_path):
        import psutil

        note = tmp_path / "pid"
        program = (
            "import os, time\n"
            "from pathlib import Path\n"
            "from autodl.search import optimize\n"
            "def waits(config, fidelity):\n"
            f"    Path({str(note)!r}).write_text(str(os.getpid()))\n"
            "    time.sleep(300)\n"
            f"optimize(waits, {SMALL!r}, strategy='random', max_evals=1, runner='process')\n"
        )
        search = subprocess.Popen([sys.executable, "-c", program])
        try:
            soon = time.monotonic() + 60
            while not (note.exists() and note.read_text()) and time.monotonic() < soon:
                time.sleep(0.05)
            call = psutil.Process(int(note.read_text()))
        finally:
            search.terminate()
            search.wait()
        try:
            call.wait(10)
        finally:
            with contextlib.suppress(psutil.NoSuchProcess):
                call.kill()

    def test_own_processes_are_ended_and_crashes_survived(self):
        def wild(config, fidelity):
            import os

            if config["a"] == "u" and config["b"] == 1:
                os._exit(7)
            if config["a"] == "u" and config["b"] == 2:
                time.sleep(60)
            print("noise on the output")
            return config["b"]

        # Starting a process takes longer than a call, and its time counts.
        result = optimize(wild, SMALL, strategy="grid", max_evals=6, runner="process", call_timeout=8, workers=2)
        errors = sorted(e.error.split(" s ")[0][:20] for e in result.history if e.status == "failed")
        assert len(errors) == 2
        assert errors[0].startswith("given up")
        assert errors[1].startswith("the process of the o")
        assert result.best_loss == 1

    def test_ctrl_c_passes(self):
        def stop(config, fidelity):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            optimize(stop, SPACE, max_evals=3)
