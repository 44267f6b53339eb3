"""The imports of the first network are no part of a fold."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from autodl.records import TrialResult, TrialSpec, TrialStatus
from autodl.search import trial
from autodl.search.budget import Pace
from autodl.search.first_training import LOAD_S, Loading
from autodl.search.trial import Job, TrialOutcome, run_trial

PROGRAM = """
    import sys
    sys.path.insert(0, {folder!r})
    from dataclasses import replace
    from toy_families import make_linear_data
    from autodl.records import Recipe, TrialSpec
    from autodl.search.cross_validation import CrossValidation
    from autodl.search.prepared import PreparedFolds
    from autodl.search.trial import Job, run_trial

    data = replace(make_linear_data(), recipes={{"mlp": Recipe(scale="robust", impute="median")}})
    loaded, run = ["torch" in sys.modules], CrossValidation.run

    def seen(self):
        loaded.append("torch._dynamo" in sys.modules)  # what the first step of an optimizer imports
        return run(self)

    CrossValidation.run = seen
    for key in ("linear", "mlp", "mlp"):
        job = Job(TrialSpec(id="t0001", family=key, config={{"epochs": 3}} if key == "mlp" else {{}}), seconds=300.0)
        outcome = run_trial(job, data, PreparedFolds(data))
        assert outcome.result.ok, outcome.result.error
        loaded.append(outcome.result.loss)
    print(loaded[:2], loaded[3], loaded[5], loaded[4] == loaded[6])
"""


@pytest.mark.slow
def test_what_a_first_network_imports_is_there_before_its_first_fold(request):
    code = textwrap.dedent(PROGRAM.format(folder=str(request.path.parent)))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[False, False] True True True"


def tried(family, status=TrialStatus.OK):
    return TrialResult(spec=TrialSpec(id="t0001", family=family), status=status, loss=0.1)


def test_each_process_loads_networks_for_itself_and_again_after_a_resume():
    spec = TrialSpec(id="t0009", family="mlp")
    loading = Loading(Pace(2.0), workers=2, earlier=3)
    finished = [tried("mlp")] * 3
    assert loading.seconds(spec, finished) == 2.0 * LOAD_S
    finished += [tried("linear"), tried("mlp", TrialStatus.TIMEOUT), tried("mlp")]
    assert loading.seconds(spec, finished) == 2.0 * LOAD_S
    assert loading.seconds(spec, [*finished, tried("mlp")]) == 0.0
    assert loading.seconds(TrialSpec(id="t0009", family="linear"), []) == 0.0


@pytest.mark.parametrize(("loaded", "seconds"), [(False, 104.0), (True, 100.0)])
def test_a_process_that_has_loaded_networks_has_no_further_seconds_for_it(monkeypatch, linear_data, loaded, seconds):
    given = []

    class Seen:
        def __init__(self, job, data, cache, deadline, tell):
            given.append(deadline.left())

        def run(self):
            return TrialOutcome(tried("mlp"))

    monkeypatch.setattr(trial, "networks_loaded", lambda: loaded)
    monkeypatch.setattr(trial, "load_networks", lambda *args: None)
    monkeypatch.setattr(trial, "CrossValidation", Seen)
    run_trial(Job(TrialSpec(id="t0001", family="mlp"), seconds=104.0, loading=4.0), linear_data, None)
    assert given == [pytest.approx(seconds, abs=2.0)]
