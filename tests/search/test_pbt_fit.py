"""Population based training in a fit: networks that go on from the weights of others."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from autodl import api
from autodl.clock import NEVER
from autodl.features import Features
from autodl.models.base import Meta, families
from autodl.records import Task, TrialResult, TrialSpec, TrialStatus
from autodl.search.breeding import FOUNDERS, Breeding, inherited
from autodl.search.space import parse_space
from autodl.search.strategies.pbt import PBT
from autodl.store import RunFolder

SPACE = """
params:
  lr: {type: float, low: 0.001, high: 0.01, log: true, default: 0.003}
  dropout: {type: float, low: 0.0, high: 0.3, default: 0.1}
  optimizer: {type: choice, values: [adamw, adam], default: adamw}
  width: {type: choice, values: [16, 32, 64], default: 16}
  epochs: {type: int, low: 10, high: 10, default: 10}
portfolio: [{}, {lr: 0.006}, {width: 32}, {dropout: 0.2}]
nas: [width]
"""


def features(n=200, seed=0):
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 4)).astype(np.float32)
    return Features(numbers, np.empty((n, 0), np.int64), ()), (numbers[:, 0] * numbers[:, 1] > 0).astype(np.int64)


def network(**config):
    family = families["mlp"]()
    meta = Meta(Task.CLASSIFICATION, 2, seed=1, threads=1, metric="log_loss")
    return family.build(family.config(**{"epochs": 20, "width": 32, **config}), meta)


@pytest.fixture(scope="module")
def parent():
    X, y = features()
    model = network()
    model.fit(X, y, *features(100, 1), deadline=NEVER)
    return model


class TestNetworks:
    def test_it_begins_where_the_parent_ended(self, parent):
        X, y = features()
        child = network(lr=1e-8)  # so small a rate leaves the weights as they are
        child.start = parent
        child.fit(X, y, *features(100, 1))
        np.testing.assert_allclose(child.predict_proba(X), parent.predict_proba(X), atol=1e-3)
        assert len(child.curve) <= 6  # 30 % of 20 epochs

    def test_the_parent_is_left_as_it_was(self, parent):
        X, y = features()
        before = parent.predict_proba(X)
        child = network(lr=0.05)
        child.start = parent
        child.fit(X, y, *features(100, 1))
        assert not np.allclose(child.predict_proba(X), before, atol=1e-2)
        np.testing.assert_array_equal(parent.predict_proba(X), before)

    def test_another_shape_is_one_clear_line(self, parent):
        X, y = features()
        child = network(width=48)
        child.start = parent
        with pytest.raises(ValueError, match="has another shape"):
            child.fit(X, y)


def result(number, loss, config, parent=None, family="mlp", status=TrialStatus.OK):
    spec = TrialSpec(id=f"t{number:04d}", family=family, config=config, parent=parent)
    return TrialResult(spec=spec, status=status, loss=loss)


class TestBreeding:
    space = parse_space(
        {
            "params": {
                "lr": {"type": "float", "low": 1e-4, "high": 0.1, "log": True},
                "optimizer": {"type": "choice", "values": ["adamw", "sgd"]},
                "width": {"type": "choice", "values": [16, 32, 64]},
                "prep.scale": {"type": "choice", "values": ["standard", "quantile", "robust"]},
            },
            "nas": ["width"],
        }
    )

    def population(self, n, **more):
        rng = np.random.default_rng(0)
        return [result(i + 1, float(i), self.space.sample(rng), **more) for i in range(n)]

    def children(self, finished, has_models=lambda r: True, n=40):
        breeding = Breeding(PBT(), has_models)
        asked = [breeding.child(self.space, finished, [], np.random.default_rng(s)) for s in range(n)]
        return [c for c in asked if c is not None]

    def test_nobody_has_children_before_there_is_a_population(self):
        assert not self.children(self.population(FOUNDERS - 1))
        assert self.children(self.population(FOUNDERS))

    def test_children_of_the_best_change_the_training_alone(self):
        finished = self.population(20)
        by_id = {r.spec.id: r.spec.config for r in finished}
        children = self.children(finished)
        assert 0.5 * 40 < len(children) < 40  # some begin anew
        assert {parent for _, parent in children} <= {"t0001", "t0002"}
        for config, parent in children:
            changed = {k for k in config if config[k] != by_id[parent][k]}
            assert changed == {"lr"}

    def test_only_networks_whose_models_are_there(self):
        finished = self.population(20)
        kept = self.children(finished, lambda r: r.spec.id > "t0005")
        assert {parent for _, parent in kept} <= {"t0006", "t0007"}
        assert not self.children(self.population(20, family="linear"))
        assert not self.children(self.population(20, status=TrialStatus.STOPPED))

    def test_after_failed_children_a_family_begins_anew(self):
        finished = self.population(20)
        bad = [result(21 + i, None, {}, parent=f"t000{1 + i}", status=TrialStatus.FAILED) for i in range(2)]
        assert not self.children([*finished, *bad])
        good = result(23, 0.5, self.space.sample(np.random.default_rng(9)), parent="t0003")
        assert self.children([*finished, *bad, good])

    def test_whose_child_failed_is_no_parent_again(self):
        failed = result(21, None, {}, parent="t0001", status=TrialStatus.FAILED)
        children = self.children([*self.population(20), failed])
        assert {parent for _, parent in children} == {"t0002", "t0003"}

    def test_sizes_are_taken_over_though_nothing_is_called_architecture(self):
        space = parse_space(
            {
                "params": {
                    "lr": {"type": "float", "low": 1e-4, "high": 0.1, "log": True},
                    "dropout": {"type": "choice", "values": [0.0, 0.1, 0.2]},
                    "width": {"type": "int", "low": 16, "high": 64},
                    "members": {"type": "int", "low": 2, "high": 8},
                    "batch_size": {"type": "choice", "values": [32, 64, 128]},
                }
            }
        )
        assert inherited("mlp", space) == {"width", "members"}
        factor = {"params": {"hidden_factor": {"type": "float", "low": 1.0, "high": 2.0}}}
        assert inherited("transformer", parse_space(factor)) == {"hidden_factor"}

    def test_what_a_child_takes_over(self):
        assert inherited("mlp", self.space) == {"optimizer", "width", "prep.scale"}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(160, 3)), columns=list("abc"))
    return frame.assign(target=np.where(frame["a"] * frame["b"] > 0, "y", "n"))


def fitted(table, folder, trials, **more):
    space = folder / "space.yaml"
    space.write_text(SPACE)
    return api.fit(
        table, "target", out=folder / "run", max_trials=trials, search="pbt", space=space, families=["mlp"],
        workers=1, seed=3, report=False, **more,
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pbt")
    fitted(table, folder, 12)
    return folder / "run"


@pytest.mark.slow
class TestFit:
    def test_children_are_trained_and_compete_with_all_others(self, run):
        trials = {r.spec.id: r for r in RunFolder(run).trials()}
        children = [r for r in trials.values() if r.spec.parent is not None]
        assert len(children) >= 3
        assert any(child.ok for child in children)
        for child in children:
            parent = trials[child.spec.parent]
            assert child.status in (TrialStatus.OK, TrialStatus.STOPPED)
            assert child.spec.origin == "pbt"
            assert child.spec.config["width"] == parent.spec.config["width"]
            assert len(child.curve) <= 3 < len(parent.curve) or parent.spec.parent is not None
            assert not child.ok or len(child.fold_losses) == len(parent.fold_losses)

    def test_interrupted_and_resumed_it_goes_on_as_if_nothing_had_been(self, run, table, tmp_path):
        fitted(table, tmp_path, 8)
        fitted(table, tmp_path, 12, resume=True)
        resumed, before = RunFolder(tmp_path / "run").trials(), RunFolder(run).trials()
        assert [r.spec for r in resumed] == [r.spec for r in before]
        assert [r.loss for r in resumed] == pytest.approx([r.loss for r in before])

    def test_what_goes_on_from_fold_models_is_delivered_as_they_are(self, run):
        folder = RunFolder(run)
        trials = {r.spec.id: r for r in folder.trials()}
        manifest = json.loads((folder.path / "model" / "manifest.json").read_text())
        for member in manifest["members"]:
            if trials[member["trial_id"]].spec.parent is not None:
                assert member["trained_on"] == "folds"

    def test_a_parent_whose_models_are_damaged_costs_its_child_alone(self, table, tmp_path, monkeypatch):
        monkeypatch.setattr(RunFolder, "fold_models", lambda self, result: ())
        fitted(table, tmp_path, 10)
        lost = [r for r in RunFolder(tmp_path / "run").trials() if r.spec.parent is not None]
        assert lost
        assert all(r.status is TrialStatus.FAILED and "are gone" in str(r.error) for r in lost)
        assert (tmp_path / "run" / "model").exists()
