"""Every file of a finished run, damaged in every way: one line that names it, or it is coped with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from autodl.errors import AutodlError, RunError
from autodl.events import Note, TrialStarted
from autodl.options import FitOptions
from autodl.pipeline import rebuild_report, run_fit
from autodl.predict import predict_file
from autodl.records import Ensemble
from autodl.stages import concluding
from autodl.store import RunFolder, list_runs

OPTIONS = FitOptions(
    target="bought", time_budget_s=None, max_trials=3, families=("dummy", "linear"), workers=1, report=False
)


def half(data):
    return data[: len(data) // 2]


def newer(data):
    return json.dumps({**json.loads(data), "schema_version": 99}).encode()


def fewer(data):
    facts = json.loads(data)
    return json.dumps({k: v for k, v in facts.items() if k not in list(facts)[1:3]}).encode()


def more(data):
    return json.dumps({**json.loads(data), "surprise": 1}).encode()


BYTES = {
    "half": half,
    "empty": lambda data: b"",
    "zeros": lambda data: bytes(len(data)),
    "garbage": lambda data: bytes((7 * i + 13) % 256 for i in range(len(data))),
    "flipped": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
    "deep": lambda data: b"[" * 100_000,
    "gone": None,
}
JSON = {"newer": newer, "fewer": fewer, "more": more, "list": lambda data: b"[1, 2]", "null": lambda data: b"null"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run and its data."""
    place = tmp_path_factory.mktemp("finished")
    rng = np.random.default_rng(0)
    size = rng.normal(size=160)
    pd.DataFrame(
        {"size": size, "noise": rng.normal(size=160), "bought": np.where(size + rng.normal(size=160) > 0, "y", "n")}
    ).to_csv(place / "shop.csv", index=False)
    run_fit(str(place / "shop.csv"), OPTIONS, place / "run")
    return place


def files(run):
    return sorted(str(p.relative_to(run)) for p in run.rglob("*") if p.is_file() and not p.name.startswith("."))


def damaged(run, name, change, place):
    """A copy of the run with one file spoilt."""
    copy = place / "run"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run, copy)
    path = copy / name
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    return copy


def outcome(action):
    """None if it worked, else the one line that it ended with."""
    try:
        action()
    except AutodlError as error:
        return " ".join(str(error).split())
    return None


def ways(name):
    return {**BYTES, **JSON} if name.endswith(".json") else BYTES


def test_the_battery_sees_all_kinds_of_files(finished):
    kinds = {Path(f).parts[0] for f in files(finished / "run")}
    assert {"run.json", "model", "records", "trials"} <= kinds
    assert len(files(finished / "run")) > 12


@pytest.mark.slow
def test_reading_a_damaged_run_is_one_line_or_works(finished, tmp_path):
    data = str(finished / "shop.csv")
    for name in files(finished / "run"):
        for change in ways(name).values():
            run = damaged(finished / "run", name, change, tmp_path)
            readers = {"leaderboard": lambda run=run: RunFolder(run).read_run()}
            if name.startswith("model/") or name == "run.json":
                readers["predict"] = lambda run=run: predict_file(run, data)
            if name.endswith("result.json") or name.startswith("records/"):
                readers["report"] = lambda run=run: rebuild_report(run)
            told = []
            list_runs(tmp_path, told.append)
            for command, action in readers.items():
                said = outcome(action)
                if said is not None:
                    assert Path(name).name in said or str(run) in said, (name, command, said)
                    assert len(said) < 400
                if command == "predict" and not name.startswith("model/"):
                    assert said is None, (name, said)  # prediction needs the model alone
                if command == "predict" and name.startswith("model/") and change is not JSON.get("fewer"):
                    assert said is not None, name
                if command != "predict" and name == "run.json" and change is not BYTES["flipped"]:
                    assert said is not None
            if name == "run.json" and change not in (None, BYTES["flipped"]):
                assert len(told) == 1


@pytest.mark.slow
def test_a_damaged_run_is_resumed_or_refused_in_one_line(finished, tmp_path):
    """Each file in turn, with the ways of damage going round."""
    data, names = str(finished / "shop.csv"), files(finished / "run")
    whole = {t.spec.id: t for t in RunFolder(finished / "run").trials()}
    for number, name in enumerate(names):
        way = list(ways(name))[number % len(ways(name))]
        run = damaged(finished / "run", name, ways(name)[way], tmp_path)
        events = []
        said = outcome(
            lambda run=run, events=events: run_fit(data, OPTIONS, run, resume=True, listener=events.append)
        )
        if said is not None:
            assert Path(name).name in said or str(run) in said, (name, way, said)
            continue
        assert way != "newer" or not name.startswith(("records/", "trials/")), name
        started = [e.spec.id for e in events if isinstance(e, TrialStarted)]
        # A trial without a result is one that a crash cut off: it is tried again under its number.
        unfinished = {Path(name).parent.name} if way == "gone" and name.endswith("/result.json") else set()
        assert not set(started) & (set(whole) - unfinished), (name, way, started)
        folder = RunFolder(run)
        assert folder.read_run().status == "done"
        kept = {t.spec.id: t for t in folder.trials()}
        for trial in set(whole) - {Path(name).parent.name}:
            assert kept[trial] == whole[trial], (name, way)
        assert len(predict_file(run, data)) == 160
        notes = [e.text for e in events if isinstance(e, Note)]
        if name.startswith("trials/") and way not in ("gone", "flipped") and "fold" not in name:
            assert any(Path(name).name in n for n in notes), (name, way, notes)


def test_an_ensemble_of_damaged_models_is_chosen_again(finished, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(finished / "run", run)
    shutil.rmtree(run / "model")
    members = json.loads((run / "records" / "ensemble.json").read_text())["members"]
    if len(members) == 3:
        pytest.skip("all trials are in the ensemble")
    for member in members:
        for path in (run / "trials" / member["trial_id"]).glob("fold*"):
            path.write_bytes(b"torn" * 100)
    events = []
    run_fit(str(finished / "shop.csv"), OPTIONS, run, resume=True, listener=events.append)
    assert any("damaged" in e.text for e in events if isinstance(e, Note))
    assert len(predict_file(run, str(finished / "shop.csv"))) == 160


def test_a_copy_predicts_and_resumes_without_its_origin(finished, tmp_path):
    place = tmp_path / "origin"
    shutil.copytree(finished, place)
    shutil.copytree(place / "run", tmp_path / "else" / "where")
    (tmp_path / "new").mkdir()
    (place / "shop.csv").rename(tmp_path / "new" / "renamed.csv")
    shutil.rmtree(place)
    moved = tmp_path / "else" / "where"
    for path in moved.rglob("*"):  # prediction writes nothing: a folder that can only be read will do
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {p: p.stat().st_mtime_ns for p in moved.rglob("*")}
    assert len(predict_file(moved, str(tmp_path / "new" / "renamed.csv"))) == 160
    assert RunFolder(moved).read_run().status == "done"
    assert {p: p.stat().st_mtime_ns for p in moved.rglob("*")} == before
    for path in [moved, *moved.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    options = OPTIONS.model_copy(update={"max_trials": 4})
    record = run_fit(str(tmp_path / "new" / "renamed.csv"), options, moved, resume=True)
    assert (record.status, record.n_trials) == ("done", 4)


def test_a_choice_whose_models_are_gone_is_made_anew_once(finished, tmp_path, monkeypatch):
    run, asked = tmp_path / "run", []
    shutil.copytree(finished / "run", run)
    shutil.rmtree(run / "model")
    chosen = RunFolder(run).read("ensemble", Ensemble)
    for member in chosen.members:
        for path in (run / "trials" / member.trial_id).glob("fold*"):
            path.unlink()
    assert any(RunFolder(run).has_models(r) for r in RunFolder(run).trials())  # others could be delivered

    def choose(*_):
        asked.append(1)
        assert len(asked) < 5, "the same choice for ever"
        return chosen

    monkeypatch.setattr(concluding, "choose", choose)
    with pytest.raises(RunError, match=r"models of the finished trials in .* are gone"):
        run_fit(str(finished / "shop.csv"), OPTIONS, run, resume=True)
    assert len(asked) == 1  # the stored choice, then a new one
