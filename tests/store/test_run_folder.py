from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autodl.errors import DiskError, RunError
from autodl.records import (
    BudgetUse,
    Cost,
    RunRecord,
    Task,
    TrialResult,
    TrialSpec,
    TrialStatus,
)
from autodl.store import RunFolder, list_runs, write_atomic


def record(**changes):
    base = {
        "status": "done",
        "task": Task.REGRESSION,
        "target": "price",
        "metric": "rmse",
        "budget": BudgetUse(given_s=60, used_s=59.5),
        "started": "2026-01-01T00:00:00+00:00",
    }
    return RunRecord(**{**base, **changes})


def trial(number=1, loss=0.5, **changes):
    return TrialResult(
        spec=TrialSpec(id=f"t{number:04d}", family="linear", config={"alpha": float("inf")}),
        status=TrialStatus.OK,
        loss=loss,
        cost=Cost(fit_s=1.0),
        **changes,
    )


def test_records_survive_the_disk_exactly(tmp_path):
    folder = RunFolder(tmp_path)
    for loss in (0.1, float("nan"), float("inf"), None):
        stored = folder.write_trial(trial(loss=loss), None, None, [])
        read = folder.trials()[0]
        assert read.model_dump_json() == stored.model_dump_json()
        assert read.spec.config["alpha"] == "Infinity" or np.isinf(read.spec.config["alpha"])


@given(hnp.arrays(np.float32, hnp.array_shapes(max_dims=2, max_side=6), elements=st.floats(width=32)))
def test_arrays_survive_the_disk_exactly(tmp_path_factory, array):
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    ref = folder.write_array("a/b.npy", array)
    np.testing.assert_array_equal(folder.read_array(ref), array)
    assert ref.shape == array.shape


def test_changed_bytes_are_noticed(tmp_path):
    folder = RunFolder(tmp_path)
    ref = folder.write_array("x.npy", np.arange(5))
    (tmp_path / "x.npy").write_bytes(b"something else")
    with pytest.raises(RunError, match="damaged"):
        folder.read_array(ref)
    (tmp_path / "x.npy").unlink()
    with pytest.raises(RunError, match="cannot read"):
        folder.read_array(ref)


def test_a_trial_counts_only_when_whole(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_trial(trial(1), np.zeros(3), None, [b"model"])
    (tmp_path / "trials" / "t0002").mkdir()
    write_atomic(tmp_path / "trials" / "t0002" / "oof.npy", b"half a trial: no result.json")
    assert [r.spec.id for r in folder.trials()] == ["t0001"]
    assert folder.has_models(folder.trials()[0])
    folder.drop_models("t0001")
    assert not folder.has_models(folder.trials()[0])


def test_failed_write_leaves_the_old_file_and_no_debris(tmp_path, monkeypatch):
    target = tmp_path / "run.json"
    write_atomic(target, b"old")
    monkeypatch.setattr("os.fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DiskError, match="the disk is full"):
        write_atomic(target, b"new")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_run_record_errors_say_what_to_do(tmp_path):
    with pytest.raises(RunError, match="there is no run folder"):
        RunFolder(tmp_path / "nowhere").read_run()
    with pytest.raises(RunError, match="is not a run folder"):
        RunFolder(tmp_path).read_run()
    (tmp_path / "run.json").write_text("{broken")
    with pytest.raises(RunError, match="damaged: it is not whole JSON"):
        RunFolder(tmp_path).read_run()
    newer = json.loads(record().model_dump_json()) | {"schema_version": 99}
    (tmp_path / "run.json").write_text(json.dumps(newer))
    with pytest.raises(RunError, match="version 99"):
        RunFolder(tmp_path).read_run()
    (tmp_path / "run.json").write_text(json.dumps(json.loads(record().model_dump_json()) | {"surprise": 1}))
    with pytest.raises(RunError, match="surprise"):
        RunFolder(tmp_path).read_run()


def test_list_runs_newest_first_and_skips_what_is_damaged(tmp_path):
    for name, started in (("old", "2026-01-01"), ("new", "2026-02-02")):
        RunFolder(tmp_path / name).write_run(record(started=started))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("x")
    told = []
    assert [path.name for path, _ in list_runs(tmp_path, told.append)] == ["new", "old"]
    assert len(told) == 1 and "broken" in told[0] and "--resume" in told[0]


def test_swap_model_replaces_whole_folders(tmp_path):
    folder = RunFolder(tmp_path)
    for content in ("first", "second"):
        staged = tmp_path / ".model.new"
        staged.mkdir()
        (staged / content).write_text(content)
        folder.swap_model(staged)
    assert [p.name for p in (tmp_path / "model").iterdir()] == ["second"]
    assert not (tmp_path / ".model.old").exists()
