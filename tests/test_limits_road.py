"""Limits on what a model may take, down the whole road: search, ensemble, delivery, run.json, report, resume."""

from __future__ import annotations

import html
import json
import re

import numpy as np
import pandas as pd
import pytest

import autodl
from autodl import AutoRegressor
from autodl.delivery import Delivery
from autodl.errors import ConfigError, RunError
from autodl.evaluate.pareto import undominated
from autodl.footprint import folder_bytes, library_bytes, measure_fresh
from autodl.model import DeliveredModel
from autodl.pipeline import rebuild_report
from autodl.records import Ensemble, Footprint, Front, Limits
from autodl.report.limits import verdict
from autodl.stages import measuring
from autodl.store import RunFolder

SMALL = {"max_trials": 6, "families": ("linear", "lightgbm"), "workers": 1}


def make_table(n=220, seed=0):
    """A step function plus a line: trees and lines both have something to learn, and do best together."""
    rng = np.random.default_rng(seed)
    size, depth, colour = rng.normal(size=n), rng.normal(size=n), rng.choice(["red", "green"], n)
    price = 3 * size + 4 * (depth > 0) * (colour == "red") + rng.normal(size=n)
    return pd.DataFrame({"size": size, "depth": depth, "colour": colour, "price": price})


TABLE = make_table()


@pytest.fixture(scope="module")
def free(tmp_path_factory):
    return autodl.fit(TABLE, "price", out=tmp_path_factory.mktemp("free") / "run", **SMALL)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The limit lies between a linear model, of some 20 kB, and the boosted trees."""
    out = tmp_path_factory.mktemp("small") / "run"
    return autodl.fit(TABLE, "price", out=out, max_size="75kB", max_latency="10s", **SMALL)


def front_of(run):
    front = RunFolder(run.folder).read("front", Front)
    assert front is not None
    return front


def test_the_front_of_a_run_without_limits(free):
    front = front_of(free)
    trials = RunFolder(free.folder).trials()
    assert {p.trial_id for p in front.points if p.kind == "trial"} == {
        t.spec.id for t in trials if t.spec.family != "dummy"
    }
    assert [p.best for p in front.points] == undominated([(p.loss, p.need.row_s) for p in front.points])
    assert [p.need.row_s for p in front.points] == sorted(p.need.row_s for p in front.points)
    by_id = {t.spec.id: t for t in trials}
    for p in front.points:
        if p.kind == "trial":
            assert p.loss == by_id[p.trial_id].loss
            assert p.need.row_s > by_id[p.trial_id].cost.row_s > 0  # reading the columns comes on top
    assert front.delivered.size_bytes == folder_bytes(free.folder / "model")
    assert front.kept is None and free.record.within_limits is None and not free.record.limits.any


def test_run_json_holds_the_front(free):
    told = json.loads((free.folder / "run.json").read_text("utf-8"))
    front = front_of(free)
    wanted = [p.name for p in front.points if p.best or p.kind == "delivered"]
    assert [row["name"] for row in told["front"]] == wanted
    assert told["takes"]["row_s"] == front.delivered.row_s and told["takes"]["size_bytes"] > 0


def test_the_delivered_model_keeps_a_limit_of_size(free, small):
    taken = folder_bytes(small.folder / "model")
    assert taken <= 75_000 < folder_bytes(free.folder / "model")
    assert small.record.takes.size_bytes == taken
    assert small.record.within_limits is True
    assert front_of(small).limits.size_bytes == 75_000
    assert len(small.predict(TABLE.head(3))) == 3


def test_trees_beyond_the_limit_are_marked_and_not_recommended(small):
    board = RunFolder(small.folder).read("front", Front)
    assert {p.within for p in board.points if p.need.size_bytes > 75_000} <= {False}
    assert {p.within for p in board.points if p.need.size_bytes <= 75_000} == {True}


def test_what_was_measured_of_the_chosen_models_is_kept(small, free):
    assert 0 < RunFolder(small.folder).read("ensemble", Ensemble).takes.size_bytes <= 75_000
    assert RunFolder(free.folder).read("ensemble", Ensemble).takes is None


def test_the_report_tells(small, free):
    page = small.report_path.read_text("utf-8")
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
    assert 'id="front"' in page and "Pareto front" in text
    assert "The model keeps the limits" in text
    assert "keeps the limits" not in free.report_path.read_text("utf-8")


def test_resume_of_a_finished_run_measures_nothing_again(small):
    before = (small.folder / "records" / "front.json").read_bytes()
    again = autodl.fit(TABLE, "price", out=small.folder, resume=True, max_size="75kB", max_latency="10s", **SMALL)
    assert (small.folder / "records" / "front.json").read_bytes() == before
    assert again.record.within_limits is True
    assert again.record.front == small.record.front


def test_a_run_has_one_set_of_limits(small):
    with pytest.raises(RunError, match="began with `max_size='75kB'`, but now 1MB is asked"):
        autodl.fit(TABLE, "price", out=small.folder, resume=True, max_size="1MB", max_latency="10s", **SMALL)


def test_what_nothing_keeps_is_said_and_the_nearest_is_delivered(tmp_path):
    run = autodl.fit(TABLE, "price", out=tmp_path / "run", max_size="1kB", **SMALL)
    assert run.record.status == "done" and run.record.within_limits is False
    ensemble = RunFolder(run.folder).read("ensemble", Ensemble)
    assert len(ensemble.members) == 1
    assert "No model keeps the limits" in ensemble.why
    trials = [t for t in RunFolder(run.folder).trials() if t.ok]
    guess = next(t.loss for t in trials if t.spec.family == "dummy")
    best = min(t.loss for t in trials)
    useful = [t for t in trials if t.loss <= (best + guess) / 2]
    smallest = min(useful, key=lambda t: t.need.size_bytes)
    assert ensemble.members[0].trial_id == smallest.spec.id
    page = rebuild_report(run.folder).read_text("utf-8")
    assert "does not keep the limits" in page
    assert len(run.predict(TABLE.head(2))) == 2


TREES = {"max_trials": 3, "families": ("lightgbm",), "workers": 1}


def test_a_model_of_all_rows_is_not_given_up_for_folds_that_exceed_the_limits_as_well(tmp_path):
    run = autodl.fit(TABLE, "price", out=tmp_path / "run", max_size="20kB", **TREES)
    assert run.record.within_limits is False
    assert {m.trained_on for m in DeliveredModel(RunFolder(run.folder)).manifest.members} == {"all rows"}
    assert not front_of(run).kept_folds


def test_fold_models_that_alone_keep_the_limits_are_delivered_tested_and_not_trained_again(tmp_path, monkeypatch):
    def sized(folder):
        heavy = "all rows" in (folder / "manifest.json").read_text("utf-8")
        return folder_bytes(folder) + (1_000_000 if heavy else 0)

    monkeypatch.setattr(measuring, "folder_bytes", sized)
    held_out = make_table(60, seed=1)
    held_out.to_csv(tmp_path / "test.csv", index=False)
    asked = {"out": tmp_path / "run", "max_size": "300kB", "test": tmp_path / "test.csv", **TREES}
    run = autodl.fit(TABLE, "price", **asked)
    (member,) = DeliveredModel(RunFolder(run.folder)).manifest.members
    assert member.trained_on == "folds" and front_of(run).kept_folds and run.record.within_limits
    trial = next(t for t in RunFolder(run.folder).trials() if t.spec.id == member.trial_id)
    assert len(member.files) < len(trial.models)  # more of them would exceed the limit
    # What is delivered has the score that is told, not that of the mean of all fold models.
    errors = run.predict(held_out.drop(columns="price")).to_numpy(dtype=float).ravel() - held_out["price"].to_numpy()
    assert run.record.test["rmse"].value == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-5)

    before = (run.folder / "model" / "manifest.json").read_bytes()
    monkeypatch.setattr(Delivery, "refit", lambda *args, **kwargs: pytest.fail("trained again"))
    again = autodl.fit(TABLE, "price", resume=True, **asked)
    assert again.record.within_limits is True
    assert (run.folder / "model" / "manifest.json").read_bytes() == before


def test_what_every_model_takes_is_measured_once_and_told_where_it_is_too_much(tmp_path):
    notes = []
    asked = {"out": tmp_path / "run", "max_latency": "1us", "report": False, **SMALL, "families": ("linear",)}
    autodl.fit(TABLE, "price", listener=lambda e: notes.append(getattr(e, "text", "")), **asked)
    assert any(n.startswith("No model can keep the limit of") for n in notes)
    before = (tmp_path / "run" / "records" / "base.json").read_bytes()
    autodl.fit(TABLE, "price", resume=True, **asked)
    assert (tmp_path / "run" / "records" / "base.json").read_bytes() == before


def test_without_time_what_is_quickly_known_is_held_against_the_limits(tmp_path, monkeypatch):
    monkeypatch.setattr("autodl.stages.measuring.LEAST_S", 1e9)
    asked = {**SMALL, "families": ("linear",), "time_budget": "60s", "report": False}
    run = autodl.fit(
        TABLE, "price", out=tmp_path / "run", max_latency="1us", max_size="10B", max_memory="8GB", **asked
    )
    takes, limits = run.record.takes, run.record.limits
    assert takes.size_bytes == folder_bytes(run.folder / "model") and takes.row_s > 1e-6
    assert takes.memory_bytes is None and run.record.within_limits is False
    said = verdict(limits, takes)
    assert "does not keep the limits" in said and said.endswith("Not measured: the limit of 8.0 GB of memory.")


def test_estimators_take_limits():
    model = AutoRegressor(max_size="75kB", **SMALL)
    model.fit(TABLE.drop(columns="price"), TABLE["price"])
    assert model.record_.within_limits is True
    assert model.predict(TABLE.drop(columns="price")).shape == (len(TABLE),)


@pytest.mark.parametrize("bad", [{"max_size": "0kB"}, {"max_latency": "-5ms"}, {"max_memory": "much"}])
def test_bad_limits_are_told_before_any_work(tmp_path, bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        autodl.fit(TABLE, "price", out=tmp_path / "run", **bad, **SMALL)
    assert not (tmp_path / "run").exists()


def test_a_fresh_process_measures_the_memory(free):
    need = measure_fresh(free.folder / "model", TABLE, timeout_s=300)
    assert need is not None
    assert need.size_bytes == folder_bytes(free.folder / "model")
    assert need.row_s > 0 and need.ms_per_1000 > 0
    # Python with pandas takes tens of megabytes at least; this model no gigabyte.
    assert 3e7 < need.memory_bytes < 1e9


def test_a_limit_that_was_not_measured_is_not_called_kept():
    limits = Limits(row_s=0.01, memory_bytes=100)
    known = Footprint(row_s=0.005)
    assert Front(metric="rmse", limits=limits, delivered=known).kept is None
    assert Front(metric="rmse", limits=limits, delivered=known.plus(Footprint(memory_bytes=100))).kept is True
    assert Front(metric="rmse", limits=limits, delivered=Footprint(row_s=0.02)).kept is False
    assert Front(metric="rmse", limits=Limits(row_s=0.01), delivered=known).kept is True


def test_what_hangs_or_fails_is_not_measured(free, tmp_path, caplog):
    assert measure_fresh(free.folder / "model", TABLE, timeout_s=0.01) is None
    assert library_bytes({"a": tmp_path / "model"}, TABLE, timeout_s=300) is None
    assert caplog.text.count("could not be measured") == 2
