"""Stages that fail cost as little as they can, and say so."""

from __future__ import annotations

import threading
import time

import pytest

from autodl import pipeline
from autodl.errors import DiskError
from autodl.events import Note
from autodl.models.base import families
from autodl.pipeline import run_fit
from autodl.predict import predict_file
from autodl.records import TrialStatus
from autodl.run_context import RunContext
from autodl.search.budget import Budget
from autodl.search.loop import Refused
from autodl.stages import searching
from autodl.store import RunFolder
from shop_table import OPTIONS, make_table


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "shop.csv"
    make_table().to_csv(path, index=False)
    return path


@pytest.mark.parametrize("stage", ["evaluate", "deliver_refit", "explain"])
def test_a_failing_late_stage_loses_nothing(csv, tmp_path, monkeypatch, stage):
    from autodl import stages
    from autodl.events import Note

    def fail(*args, **kwargs):
        raise ZeroDivisionError("the moon is in the wrong house")

    monkeypatch.setattr(stages, stage, fail)
    events = []
    options = OPTIONS.model_copy(update={"families": ("linear",), "max_trials": 2})
    record = run_fit(str(csv), options, tmp_path / "run", listener=events.append)
    assert record.status == "done"
    assert any(isinstance(e, Note) and "the moon is in the wrong house" in e.text for e in events)
    assert (tmp_path / "run" / "report.html").is_file()
    assert len(predict_file(tmp_path / "run", str(csv))) == 240


def test_a_broken_refit_keeps_the_fold_models(csv, tmp_path, monkeypatch):
    from autodl import refitting
    from autodl.model import DeliveredModel

    def fail(*args, **kwargs):
        raise FloatingPointError("diverged")

    monkeypatch.setattr(refitting, "fit_model", fail)
    options = OPTIONS.model_copy(update={"families": ("linear",), "max_trials": 2})
    run_fit(str(csv), options, tmp_path / "run")
    members = DeliveredModel(RunFolder(tmp_path / "run")).manifest.members
    assert {m.trained_on for m in members} == {"folds"}


def test_a_family_that_raises_costs_its_own_trial_alone(csv, tmp_path, monkeypatch):
    class Broken(families["lightgbm"]):
        key = "broken"
        name = "Broken"

        def build(self, config, meta):
            raise RuntimeError("out of order")

    monkeypatch.setitem(families._entries, "broken", Broken)
    options = OPTIONS.model_copy(update={"families": ("linear", "broken"), "max_trials": 3})
    record = run_fit(str(csv), options, tmp_path / "run")
    assert record.n_failed >= 1
    failed = [r for r in RunFolder(tmp_path / "run").trials() if r.status is TrialStatus.FAILED]
    assert failed[0].error == "RuntimeError: out of order"
    report = (tmp_path / "run" / "report.html").read_text()
    assert "RuntimeError: out of order" in report


def test_what_has_no_room_in_memory_is_not_trained_again(csv, tmp_path, monkeypatch):
    monkeypatch.setattr("autodl.stages.concluding.available_memory", lambda: 0)
    notes = []
    options = OPTIONS.model_copy(update={"max_trials": 2, "families": ("linear",)})
    record = run_fit(str(csv), options, tmp_path / "run", listener=notes.append)
    assert record.status == "done"
    assert "trained again" not in record.delivered
    (told,) = [n.text for n in notes if isinstance(n, Note) and "was not trained again" in n.text]
    assert "it needs about" in told
    assert len(predict_file(tmp_path / "run", str(csv))) == 240


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("lib.so: failed to map segment from shared object"), "memory"),
        (ZeroDivisionError("the moon is in the wrong house"), "the moon"),
    ],
)
def test_a_failing_report_costs_the_report_only(csv, tmp_path, monkeypatch, error, words):
    def fail(folder):
        raise error

    monkeypatch.setattr("autodl.pipeline.write_report", fail)
    notes = []
    options = OPTIONS.model_copy(update={"max_trials": 2, "families": ("linear",)})
    record = run_fit(str(csv), options, tmp_path / "run", listener=notes.append)
    assert record.status == "done"
    (told,) = [n.text for n in notes if isinstance(n, Note) and "The report failed" in n.text]
    assert words in told
    assert len(predict_file(tmp_path / "run", str(csv))) == 240


def test_a_full_disk_is_told_once_and_in_words(tmp_path):
    notes = []
    ctx = RunContext(RunFolder(tmp_path), OPTIONS, Budget(60.0, time.time()), notes.append, threading.Event(), "")
    for part in ("The test", "The explanation", "The report"):
        with ctx.guard(part):
            raise DiskError("cannot write x: the disk is full", "Free some space.")
    assert [n.text for n in notes] == [
        "The test failed and is left out (cannot write x: the disk is full. Free some space)."
    ]
    assert isinstance(ctx.trouble, DiskError)


def test_a_resumed_run_says_what_its_budget_went_for():
    now = time.time()
    going = pipeline._going_on(3, 18.0, Budget(25.0, now - 23.0))
    assert "3 trials are kept" in going and "18 s were used before and 5.0 s now" in going
    assert "2.0 s are left" in going
    spent = pipeline._going_on(1, 36.0, Budget(10.0, now - 37.0))
    assert "1 trial is kept. The budget of 10 s is spent: the run had used 36 s before" in spent
    assert "--time-budget" in spent
    assert pipeline._going_on(2, 5.0, Budget(float("inf"), now)) == "Going on: 2 trials are kept."


def test_what_there_was_no_time_for_is_told_in_one_sentence():
    slow = {"lightgbm": Refused(2.13, 2.12, 7.0), "neighbors": Refused(0.01, -1.0, 6.0)}
    told = searching._too_slow(slow)
    said = "Not tried for lack of time: LightGBM (2.2 s, 2.1 s left), Nearest neighbours (100 ms, none left)."
    assert told.startswith(said)
    assert "a margin of a quarter" in told and "7.0 s were kept" in told and "limited" not in told
    assert "measuring what is limited" in searching._too_slow(slow, checks=True)
