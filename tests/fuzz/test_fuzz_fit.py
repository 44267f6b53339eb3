"""Whole fits of odd tables: a model that predicts, or one line of error; what can be planned can be fitted."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz_runs import call
from fuzz_tables import TableSpec, render, sound_specs, target_of
from hypothesis import HealthCheck, Phase, given, settings

STEADY = settings(
    derandomize=True, deadline=None, database=None, print_blob=False, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
FIT_LIMIT_S = 200.0


@pytest.mark.slow
@settings(STEADY, max_examples=12)
@given(spec=sound_specs(("csv", "csv", "parquet", "jsonl", "csv.gz")))
def test_what_can_be_planned_can_be_fitted_and_predicts(
    spec: TableSpec, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("fit")
    name, content = render(spec)
    data, run = folder / name, folder / "run"
    data.write_bytes(content)
    target = target_of(spec)
    wanted = [*(["--target", target] if target else []), "--task", spec.task]
    planned, _, _, _ = call(["plan", str(data), *wanted])
    code, out, err, _ = call(
        ["fit", str(data), *wanted, "--max-trials", "2", "--families", "dummy,linear", "--workers", "1", "--quiet",
         "--out", str(run)],
        FIT_LIMIT_S,
    )  # fmt: skip
    assert code in (0, 2), f"{out}\n{err}"
    if code == 2:
        assert len(err.splitlines()) == 1, err
        assert planned == 2, f"planned, but not fitted: {err}"
        assert not run.exists(), "something half-made was left behind"
        return
    assert planned == 0
    assert (run / "report.html").is_file()
    code, _, err, _ = call(["predict", str(run), str(data), "--out", str(folder / "out.csv")])
    assert code == 0, err
