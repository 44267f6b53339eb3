"""A run that is stopped, that fails, or whose disk refuses: the status is true, what was finished is kept."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import threading

import numpy as np
import pandas as pd
import pytest

from autodl import stages
from autodl.errors import ConfigError, DiskError, RunError, StoppedError
from autodl.events import Note, StageStarted, TrialFinished, TrialStarted
from autodl.options import FitOptions
from autodl.pipeline import run_fit
from autodl.predict import predict_file
from autodl.stages import searching
from autodl.store import RunFolder
from autodl.store.atomic import write_atomic
from autodl.store.disk import disk_trouble

OPTIONS = FitOptions(
    target="bought", time_budget_s=None, max_trials=4, families=("dummy", "linear"), workers=1, report=False
)


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    rng = np.random.default_rng(0)
    size = rng.normal(size=160)
    table = pd.DataFrame({"size": size, "bought": np.where(size + rng.normal(size=160) > 0, "y", "n")})
    path = tmp_path_factory.mktemp("data") / "shop.csv"
    table.to_csv(path, index=False)
    return str(path)


def after(number, act):
    """A listener that acts when the given number of trials is finished."""
    seen = []

    def listen(event):
        seen.extend([event] if isinstance(event, TrialFinished) else [])
        if isinstance(event, TrialFinished) and len(seen) == number:
            act()

    return listen


def resumed(csv, run, kept):
    """Resume; the trials of before are as they were, and none is run again."""
    before = {t.spec.id: t for t in RunFolder(run).trials()}
    assert len(before) == kept
    events = []
    record = run_fit(csv, OPTIONS, run, resume=True, listener=events.append)
    assert not {e.spec.id for e in events if isinstance(e, TrialStarted)} & set(before)
    after = RunFolder(run).trials()
    assert {t.spec.id: t for t in after if t.spec.id in before} == before
    tried = [(t.spec.family, tuple(sorted(t.spec.config.items()))) for t in after]
    assert len(set(tried)) == len(tried)
    assert (record.status, record.n_trials) == ("done", 4)
    assert len(predict_file(run, csv)) == 160


def full_from(patch, trial_id):
    """A disk that takes nothing more once this trial is to be written."""
    from autodl.store import folder as module

    full = []

    def refuse(path, data, **given):
        full.extend([1] if trial_id in path.parts else [])
        with disk_trouble(path):
            if full:
                raise OSError(28, os.strerror(28))
        write_atomic(path, data, **given)

    patch.setattr(module, "write_atomic", refuse)


def test_a_disk_that_fills_up_ends_the_search_and_keeps_what_is_there(csv, tmp_path):
    run, events = tmp_path / "run", []
    with pytest.MonkeyPatch.context() as patch:
        full_from(patch, "t0003")
        with pytest.raises(DiskError) as caught:
            run_fit(csv, OPTIONS, run, listener=events.append)
    line = str(caught.value)
    assert "t0003" in line and "disk is full" in line and "--resume" in line
    assert any("search failed" in e.text for e in events if isinstance(e, Note))
    assert RunFolder(run).read_run().status == "interrupted"  # "failed" could not be written; the lock is free
    assert not (run / "trials" / "t0003").exists()
    assert len(predict_file(run, csv)) == 160
    resumed(csv, run, kept=2)


def test_a_trial_too_large_for_the_disk_leaves_a_failed_run_with_its_reason(csv, tmp_path):
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        from autodl.store import folder as module

        def refuse(path, data, **given):
            with disk_trouble(path):
                if "t0003" in path.parts:
                    raise OSError(28, os.strerror(28))
            write_atomic(path, data, **given)

        patch.setattr(module, "write_atomic", refuse)
        with pytest.raises(DiskError, match="disk is full"):
            run_fit(csv, OPTIONS.model_copy(update={"report": True}), run)
    record = RunFolder(run).read_run()
    assert record.status == "failed"
    assert "disk is full" in record.error and "t0003" in record.error
    assert record.test["roc_auc"].n == 32  # the best so far was tested ...
    assert (run / "report.html").is_file()  # ... and reported
    record = run_fit(csv, OPTIONS.model_copy(update={"report": True}), run, resume=True)
    assert (record.status, record.error, record.n_trials) == ("done", None, 4)


def test_a_small_disk_really_filled(csv, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("only root can mount a small disk")
    try:

        def fill():
            with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))

        with pytest.raises(DiskError, match="disk is full"):
            run_fit(csv, OPTIONS, disk / "run", listener=after(2, fill))
        assert RunFolder(disk / "run").read_run().status in ("failed", "interrupted")
        assert len(predict_file(disk / "run", csv)) == 160
        with pytest.raises(DiskError, match=r"only 0\.0 MB are free"):
            run_fit(csv, OPTIONS, disk / "other")
        assert not (disk / "other").exists()
        (disk / "ballast").unlink()
        resumed(csv, disk / "run", kept=2)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert len(predict_file(disk / "run", csv)) == 160
        with pytest.raises(DiskError, match=r"other.*read-only.*--out"):
            run_fit(csv, OPTIONS, disk / "other")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_folder_deleted_meanwhile_is_told_and_does_not_come_back(csv, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(DiskError, match="deleted or moved"):
        run_fit(csv, OPTIONS, run, listener=after(2, lambda: shutil.rmtree(run)))
    assert not run.exists()


def test_an_error_leaves_a_failed_run_that_can_be_resumed(csv, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "ensemble", lambda *a: (_ for _ in ()).throw(ZeroDivisionError("the wrong house")))
        with pytest.raises(ZeroDivisionError):
            run_fit(csv, OPTIONS, run)
    record = RunFolder(run).read_run()
    assert (record.status, record.error, record.n_trials) == ("failed", "the wrong house", 4)
    resumed(csv, run, kept=4)


def test_a_fault_in_the_search_keeps_what_was_found_and_fails_the_run(csv, tmp_path):
    def break_down():
        raise ZeroDivisionError("the wrong house")

    run, events = tmp_path / "run", []
    told = after(2, break_down)
    with pytest.raises(ZeroDivisionError):
        run_fit(csv, OPTIONS, run, listener=lambda e: (events.append(e), told(e)))
    assert any("search failed" in e.text and "the wrong house" in e.text for e in events if isinstance(e, Note))
    record = RunFolder(run).read_run()
    assert (record.status, record.error, record.n_trials) == ("failed", "the wrong house", 2)
    assert record.test["roc_auc"].n == 32
    assert "trained again on all 160 rows" in record.delivered
    assert len(predict_file(run, csv)) == 160
    resumed(csv, run, kept=2)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("the wrong house"), ConfigError("no cluster there", "Start it.")]
)
def test_a_search_that_fails_before_a_model_ends_with_its_own_error(csv, tmp_path, monkeypatch, error):
    def fail(*args, **given):
        raise error

    monkeypatch.setattr(searching, "run_search", fail)
    events = []
    with pytest.raises(type(error)) as caught:
        run_fit(csv, OPTIONS, tmp_path / "run", listener=events.append)
    assert caught.value is error
    assert not any("failed" in e.text for e in events if isinstance(e, Note))  # it is not told twice
    assert RunFolder(tmp_path / "run").read_run().status == "failed"


class Killed(BaseException):
    """Stands for the end of the process: nothing holds it up."""


def conclusions(run):
    return {p.stem for p in (run / "records").iterdir()} & {"ensemble", "evaluation", "explanation", "front"}


@pytest.mark.parametrize("kill_at", [1, 2, 3, 4, "first new trial"])
def test_a_resumed_run_killed_early_leaves_no_conclusion_of_fewer_trials(csv, tmp_path, kill_at):
    run = tmp_path / "run"
    run_fit(csv, OPTIONS.model_copy(update={"max_trials": 2, "report": True}), run)
    assert conclusions(run) == {"ensemble", "evaluation", "explanation", "front"}
    removed = []

    def kill(*args):
        raise Killed

    def remove(self, name):
        there = name in conclusions(run)
        real(self, name)
        removed.extend([name] * there)  # a table has no examples to show
        if len(removed) == kill_at:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        real = RunFolder.remove
        patch.setattr(RunFolder, "remove", remove)
        with pytest.raises(Killed):
            run_fit(csv, OPTIONS, run, resume=True, listener=after(1, kill))
    left = conclusions(run)
    assert len(left) == (0 if kill_at == "first new trial" else 4 - kill_at)
    if left:
        assert "ensemble" in left  # no evaluation of an ensemble that is gone
        assert len(RunFolder(run).trials()) == 2
    resumed(csv, run, kept=3 if kill_at == "first new trial" else 2)


def test_a_damaged_ensemble_takes_its_evaluation_along(csv, tmp_path, monkeypatch):
    run, real, tested = tmp_path / "run", stages.evaluate, []
    run_fit(csv, OPTIONS, run)
    (run / "records" / "ensemble.json").write_bytes(b"{")

    def evaluate(*args):
        tested.append(args)
        return real(*args)

    monkeypatch.setattr(stages, "evaluate", evaluate)
    run_fit(csv, OPTIONS, run, resume=True)
    assert len(tested) == 1


@pytest.mark.parametrize("stage", ["read", "profile"])
def test_a_stop_before_the_search_leaves_nothing(csv, tmp_path, stage):
    stop = threading.Event()

    def listen(event):
        if isinstance(event, StageStarted) and event.stage == stage:
            stop.set()

    with pytest.raises(StoppedError) as caught:
        run_fit(csv, OPTIONS, tmp_path / "run", listener=listen, stop=stop)
    assert caught.value.exit_code == 130
    assert not (tmp_path / "run").exists()


def test_a_second_fit_is_refused_and_prediction_works_meanwhile(csv, tmp_path):
    run, said = tmp_path / "run", []

    def meddle():
        for resume in (True, False):
            try:
                run_fit(csv, OPTIONS, run, resume=resume)
            except RunError as error:
                said.append(str(error))
        assert len(predict_file(run, csv)) == 160
        assert RunFolder(run).read_run().status == "running"

    record = run_fit(csv, OPTIONS, run, listener=after(3, meddle))
    assert record.status == "done"
    assert f"process {os.getpid()}" in said[0]
    assert "already holds a run" in said[1]


def test_resume_of_a_start_that_was_killed_begins_anew(csv, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / ".lock").touch()
    (run / "records").mkdir()
    (run / "records" / "rows.json").write_text("{")
    events = []
    record = run_fit(csv, OPTIONS, run, resume=True, listener=events.append)
    assert record.status == "done"
    assert any("starts from the beginning" in e.text for e in events if isinstance(e, Note))
    with pytest.raises(RunError, match="no run to resume"):
        run_fit(csv, OPTIONS, tmp_path / "other", resume=True)


def test_ids_of_trials_set_aside_are_not_used_again(csv, tmp_path):
    run = tmp_path / "run"
    run_fit(csv, OPTIONS.model_copy(update={"max_trials": 3}), run)
    (run / "trials" / "t0003" / "result.json").write_bytes(b"")
    events = []
    run_fit(csv, OPTIONS, run, resume=True, listener=events.append)
    assert any("set aside" in e.text for e in events if isinstance(e, Note))
    assert [e.spec.id for e in events if isinstance(e, TrialStarted)] == ["t0004", "t0005"]
    assert sorted(p.name for p in (run / "trials").iterdir()) == ["t0001", "t0002", "t0004", "t0005"]


def test_a_resumed_run_keeps_its_final_model_until_there_is_another_final_one(csv, tmp_path, monkeypatch):
    interim: list[str] = []
    deliver = searching._deliver_interim

    def delivered(problem, results, stored):
        interim.append(stored.spec.id)
        deliver(problem, results, stored)

    monkeypatch.setattr(searching, "_deliver_interim", delivered)
    run_fit(csv, OPTIONS, tmp_path / "run")
    assert len(interim) == 4
    run_fit(csv, OPTIONS.model_copy(update={"max_trials": 6}), tmp_path / "run", resume=True)
    assert len(interim) == 4 and len(RunFolder(tmp_path / "run").trials()) == 6


def test_a_resumed_run_tells_of_the_model_in_place_until_there_is_another(csv, tmp_path):
    run, facts = tmp_path / "run", ("test", "leaderboard", "front", "takes", "delivered", "command")
    first = run_fit(csv, OPTIONS.model_copy(update={"max_trials": 3}), run, command="autodl fit shop.csv")
    assert first.test and first.front and first.delivered

    def kill():
        raise Killed

    with pytest.raises(Killed):
        run_fit(csv, OPTIONS, run, resume=True, listener=after(1, kill), command="autodl fit shop.csv --resume")
    between = RunFolder(run).read_run()
    assert (between.status, between.n_trials) == ("interrupted", 4)
    assert [getattr(between, name) for name in facts] == [getattr(first, name) for name in facts]


def test_nothing_is_told_of_a_model_that_is_gone(csv, tmp_path, monkeypatch):
    run, more = tmp_path / "run", OPTIONS.model_copy(update={"max_trials": 6})
    before = run_fit(csv, OPTIONS, run).delivered

    def kill(*args):
        raise Killed

    def another(ctx, problem, ensemble, results):
        return problem.delivery.first_of_each()

    monkeypatch.setattr(stages, "deliver_bag", another)
    monkeypatch.setattr(stages, "evaluate", kill)
    with pytest.raises(Killed):
        run_fit(csv, more, run, resume=True)
    between = RunFolder(run).read_run()
    assert (between.test, between.front) == ({}, ())
    assert between.delivered not in ("", before)


def killed_at(stage, csv, run, **more):
    """What is told of a run that is ended at once when this stage is to begin."""

    def kill(*args):
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, stage, kill)
        with pytest.raises(Killed):
            run_fit(csv, OPTIONS, run, **more)
    return RunFolder(run).read_run()


def test_a_run_killed_while_it_trains_on_all_rows_tells_of_the_test_and_of_the_model(csv, tmp_path):
    run = tmp_path / "run"
    before = killed_at("deliver_refit", csv, run)
    assert before.test and before.leaderboard[0].test is not None and "validation folds" in before.delivered
    after = killed_at("measure", csv, run, resume=True)
    assert after.test == before.test and "trained again on all" in after.delivered


def test_the_same_model_written_again_is_no_other(csv, tmp_path):
    """Where it was never trained on all rows, a resumed run begins with delivering its fold models again."""
    run = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "deliver_refit", lambda *args: None)
        first = run_fit(csv, OPTIONS, run)
    assert first.front and first.takes is not None
    manifest = run / "model" / "manifest.json"
    place = manifest.stat().st_ino, manifest.stat().st_mtime_ns
    between = killed_at("deliver_refit", csv, run, resume=True)
    assert (manifest.stat().st_ino, manifest.stat().st_mtime_ns) != place
    facts = ("test", "leaderboard", "front", "takes", "delivered")
    assert [getattr(between, name) for name in facts] == [getattr(first, name) for name in facts]


def test_commands_that_went_on_by_other_options_are_kept_in_their_order(csv, tmp_path):
    run = tmp_path / "run"
    told = []
    for n, command in enumerate(["begun", "again", "more", "more again", "most"]):
        options = OPTIONS.model_copy(update={"max_trials": [1, 1, 2, 2, 3][n], "report": n > 2})
        record = run_fit(csv, options, run, resume=n > 0, command=command)
        told.append((record.command, record.resumed_with))
    assert told == [("begun", more) for more in ((), (), ("more",), ("more",), ("more", "most"))]
    page = (run / "report.html").read_text()
    assert "resumed with <code>more</code>, then with <code>most</code>" in page
    assert "the same command gives" not in page


def test_a_stop_of_a_resumed_run_says_how_to_go_on(csv, tmp_path):
    run, stop = tmp_path / "my run", threading.Event()
    run_fit(csv, OPTIONS, run)
    stop.set()
    with pytest.raises(StoppedError, match=r"stopped before anything new was finished.*--resume --out") as told:
        run_fit(csv, OPTIONS, run, resume=True, stop=stop)
    assert f"--out '{run}'" in str(told.value)  # can be pasted
