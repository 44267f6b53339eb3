"""The imports of the first network are no part of a fold."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

PROGRAM = """
    import sys
    sys.path.insert(0, {folder!r})
    from dataclasses import replace
    from conftest import linear_data
    from autodl.records import Recipe, TrialSpec
    from autodl.search.cross_validation import CrossValidation
    from autodl.search.prepared import PreparedFolds
    from autodl.search.trial import Job, run_trial

    data = replace(linear_data.__wrapped__(), recipes={{"mlp": Recipe(scale="robust", impute="median")}})
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
