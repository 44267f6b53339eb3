"""The file for optuna-dashboard, read by Optuna itself and by the server of the dashboard."""

import io
import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from autodl import api
from autodl.errors import ConfigError, SearchError
from autodl.evaluate.base import metrics
from autodl.records import Cost, CurvePoint, TrialResult, TrialSpec, TrialStatus
from autodl.search import optimize
from autodl.search.evaluation_study import NAME
from autodl.search.space import parse_space
from autodl.search.study import ALL, FILE, StudyWriter, distribution, internal
from autodl.store import RunFolder

optuna = pytest.importorskip("optuna")
STARTED = "2026-01-02T03:04:05+00:00"
TREES = parse_space(
    {
        "params": {
            "rate": {"type": "float", "low": 1e-3, "high": 0.3, "log": True},
            "leaves": {"type": "int", "low": 4, "high": 64, "log": True},
            "kind": {"type": "choice", "values": ["plain", "dart"]},
            "drop": {"type": "float", "low": 0.0, "high": 0.5, "step": 0.1, "when": {"kind": ["dart"]}},
            "flag": {"type": "choice", "values": [1, True, None]},
        }
    }
)
SPACES = {"trees": TREES, "net": parse_space({"width": {"type": "int", "low": 8, "high": 64, "step": 8}})}
SPACES["guess"] = parse_space({"params": {}})


def result(number, family="trees", config=None, status=TrialStatus.OK, loss=0.2, **more):
    config = {"rate": 0.01, "leaves": 8, "kind": "plain", "flag": True} if config is None else config
    return TrialResult(
        spec=TrialSpec(
            id=f"t{number:04d}", family=family, config=config, origin="tpe", fidelity=more.pop("share", None)
        ),
        status=status,
        loss=loss,
        fold_losses=() if loss is None else (loss - 0.1, loss + 0.1),
        cost=Cost(fit_s=1.5, size_bytes=10),
        started_s=float(number),
        finished_s=number + 2.0,
        **more,
    )


RESULTS = [
    result(1, "guess", {}, loss=0.5),
    result(2),
    result(3, config={"rate": 0.3, "leaves": 64, "kind": "dart", "drop": 0.3, "flag": 1}, loss=0.1),
    result(4, status=TrialStatus.STOPPED, loss=0.4),
    result(5, status=TrialStatus.FAILED, loss=None, error="ValueError: no"),
    result(6, "net", {"width": 16}, loss=0.15, curve=tuple(CurvePoint(step=i, valid=1 / i) for i in range(1, 301))),
    result(7, "net", {"width": 1000}, loss=0.3),
    result(8, "net", {"width": 24}, loss=0.01, share=0.1),
]


def writer(path, results=()):
    return StudyWriter(path, SPACES, metrics["roc_auc"], STARTED, results)


def storage(path):
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    return JournalStorage(JournalFileBackend(str(path)))


def load(path, name):
    return optuna.load_study(study_name=name, storage=storage(path))


@pytest.fixture
def path(tmp_path):
    return tmp_path / FILE


@pytest.fixture
def written(path):
    file = writer(path)
    for r in RESULTS:
        file.add(r)
    return path


def test_all_trials_with_their_scores_and_states(written):
    study = load(written, ALL)
    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
    assert study.metric_names == ["ROC AUC"]
    assert [t.user_attrs["trial"] for t in study.trials] == [r.spec.id for r in RESULTS]
    states = ["COMPLETE", "COMPLETE", "COMPLETE", "PRUNED", "FAIL", "COMPLETE", "COMPLETE", "PRUNED"]
    assert [t.state.name for t in study.trials] == states
    assert study.best_trial.user_attrs["trial"] == "t0003"
    assert study.best_value == pytest.approx(0.9)
    assert study.trials[1].intermediate_values == pytest.approx({0: 0.9, 1: 0.7})
    assert study.trials[4].user_attrs["error"] == "ValueError: no"
    assert [t.duration.total_seconds() for t in study.trials] == [2.0] * 8


def test_a_family_has_its_own_study_with_the_parameters_that_are_active(written):
    study = load(written, "trees")
    assert [t.params for t in study.trials] == [r.spec.config for r in RESULTS if r.spec.family == "trees"]
    assert [type(t.params["flag"]) for t in study.trials[:2]] == [bool, int]
    assert set(study.trials[0].distributions) == {"rate", "leaves", "kind", "flag"}
    with pytest.raises(KeyError):
        load(written, "guess")  # nothing to search


def test_long_curves_are_thinned_and_keep_their_end(written):
    values = load(written, "net").trials[0].intermediate_values
    assert len(values) <= 100
    assert values[300] == pytest.approx(1 / 300)


def test_a_value_outside_the_space_is_an_attribute(written):
    strange = load(written, "net").trials[1]
    assert strange.params == {}
    assert strange.user_attrs["width"] == 1000


@pytest.mark.parametrize("name", list(TREES.params))
def test_distributions_are_those_that_optuna_writes(name):
    from optuna.distributions import distribution_to_json, json_to_distribution

    from autodl.search.strategies.tpe import distribution as by_optuna

    param = TREES.params[name]
    ours = json_to_distribution(json.dumps(distribution(param)))
    assert ours == by_optuna(param)
    assert json.loads(distribution_to_json(ours)) == distribution(param)
    value = param.start()
    assert ours.to_external_repr(internal(param, value)) == value


def test_written_at_once_or_one_by_one_it_is_the_same_file(written, tmp_path):
    writer(tmp_path / "at-once", RESULTS)
    assert (tmp_path / "at-once").read_bytes() == written.read_bytes()


def test_a_file_cut_anywhere_can_be_read_and_is_completed(written, tmp_path):
    whole = written.read_bytes()
    cut_file = tmp_path / "cut"
    for cut in [0, 1, *range(7, len(whole), 211), len(whole) - 1, len(whole)]:
        cut_file.write_bytes(whole[:cut])
        storage(cut_file).get_all_studies()  # a killed writer's file opens
        writer(cut_file, RESULTS)
        assert cut_file.read_bytes() == whole


def test_a_file_of_other_trials_is_written_anew(written):
    fewer = [RESULTS[0], *RESULTS[2:]]  # a damaged trial was set aside
    writer(written, fewer)
    assert [t.user_attrs["trial"] for t in load(written, ALL).trials] == [r.spec.id for r in fewer]


def test_what_the_dashboard_writes_into_the_file_stays(written):
    load(written, ALL).set_user_attr("note", "looked at")
    file = writer(written, RESULTS)
    file.add(result(9, loss=0.05))
    study = load(written, ALL)
    assert study.user_attrs["note"] == "looked at"
    assert study.best_trial.user_attrs["trial"] == "t0009"


def test_a_disk_that_refuses_costs_the_rest_of_the_file_alone(path):
    file = writer(path)
    path.rename(path.with_name("kept"))
    path.mkdir()
    file.add(RESULTS[0])
    path.rmdir()
    path.with_name("kept").rename(path)
    file.add(RESULTS[1])  # a gap would be a lie
    assert load(path, ALL).trials == []


def test_a_folder_in_the_way_is_no_fault_of_the_run(tmp_path):
    (tmp_path / FILE).mkdir()
    writer(tmp_path / FILE).add(RESULTS[0])


def test_losses_that_are_no_numbers(path):
    writer(path, [result(1, loss=math.inf), result(2, loss=None, status=TrialStatus.TIMEOUT)])
    assert [t.state.name for t in load(path, ALL).trials] == ["PRUNED", "FAIL"]


def test_the_dashboard_shows_it(written):
    dashboard = pytest.importorskip("optuna_dashboard")
    app = dashboard.wsgi(str(written))  # what `optuna-dashboard FILE` serves

    def get(address):
        place, _, query = address.partition("?")
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": place, "QUERY_STRING": query, "SERVER_NAME": "x",
            "SERVER_PORT": "80", "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
        }  # fmt: skip
        return json.loads(b"".join(app(environ, lambda *_: None)))

    listed = {s["study_name"]: s["study_id"] for s in get("/api/studies")["study_summaries"]}
    assert list(listed) == [ALL, "trees", "net"]
    shown = get(f"/api/studies/{listed['trees']}?after=0")
    assert len(shown["trials"]) == 4
    assert {p["name"] for p in shown["union_search_space"]} == set(TREES.params)
    assert shown["objective_names"] == ["ROC AUC"]


class TestOptimize:
    space = {
        "x": {"type": "float", "low": 0.0, "high": 1.0},
        "kind": {"type": "choice", "values": ["a", "b"]},
    }

    def searched(self, objective, path, **more):
        return optimize(objective, self.space, storage=path, **{"strategy": "random", **more})

    def test_every_call_is_a_trial(self, path):
        def loss(config, fidelity):
            return config["x"] if config["kind"] == "a" else 1 / 0

        result = self.searched(loss, path, max_evals=12, seed=1)
        trials = load(path, NAME).trials
        assert [t.params for t in trials] == [e.config for e in result.history]
        assert [t.value for t in trials] == [e.loss for e in result.history]
        assert {t.state.name for t in trials} == {"COMPLETE", "FAIL"}
        assert "ZeroDivisionError" in next(t for t in trials if t.state.name == "FAIL").user_attrs["error"]

    def test_fidelities_are_intermediate_values_and_what_ended_early_is_pruned(self, path):
        result = self.searched(
            lambda c, f: c["x"] + 1 / f, path, fidelity=(1, 9), scheduler="asha", max_fidelity_total=60
        )
        study = load(path, NAME)
        for number, t in enumerate(study.trials):
            calls = [e for e in result.history if e.trial == number]
            assert t.intermediate_values == {int(e.fidelity): e.loss for e in calls}
            assert t.state.name == ("COMPLETE" if calls[-1].fidelity == 9 else "PRUNED")
        assert study.best_value == result.best_loss

    def test_several_losses(self, path):
        result = self.searched(lambda c, f: [c["x"], 1 - c["x"]], path, max_evals=8)
        assert [t.values for t in load(path, NAME).trials] == [list(e.losses) for e in result.history]

    def test_it_can_be_read_while_the_search_runs(self, path):
        seen = []

        def loss(config, fidelity):
            seen.append(len(load(path, NAME).trials) if seen else 0)
            return config["x"]

        self.searched(loss, path, max_evals=5)
        assert seen == [0, 1, 2, 3, 4]

    def test_a_search_without_any_loss_and_one_that_is_repeated(self, path):
        with pytest.raises(SearchError):
            self.searched(lambda c, f: None, path, max_evals=3)
        assert [t.state.name for t in load(path, NAME).trials] == ["FAIL"] * 3
        self.searched(lambda c, f: 1.0, path, max_evals=2)
        assert len(load(path, NAME).trials) == 2

    def test_a_folder_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(ConfigError, match="cannot write the storage"):
            self.searched(lambda c, f: 1.0, tmp_path / "no" / "file", max_evals=1)

    def test_it_replaces_only_what_a_search_wrote(self, path, tmp_path):
        self.searched(lambda c, f: c["x"], path, max_evals=3)
        self.searched(lambda c, f: c["x"], path, max_evals=2)
        assert len(load(path, NAME).trials) == 2
        mine = tmp_path / "mydata.csv"
        mine.write_text("a,b\n1,2\n")
        with pytest.raises(ConfigError, match="was not written by a search"):
            self.searched(lambda c, f: c["x"], mine, max_evals=2)
        assert mine.read_text() == "a,b\n1,2\n"

    def test_it_is_not_the_journal(self, tmp_path):
        journal = tmp_path / "search.jsonl"
        self.searched(lambda c, f: c["x"], tmp_path / "a.log", max_evals=2, journal=journal)
        before = journal.read_bytes()
        for storage in (journal, tmp_path / "." / "search.jsonl"):
            with pytest.raises(ConfigError, match="journal and storage at once"):
                self.searched(lambda c, f: c["x"], storage, max_evals=2, journal=journal)
        with pytest.raises(ConfigError, match="was not written by a search"):
            self.searched(lambda c, f: c["x"], journal, max_evals=2)
        assert journal.read_bytes() == before


def test_a_run_writes_it_and_a_resumed_one_completes_it(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.normal(size=120)})
    table["bought"] = np.where(table["size"] + rng.normal(size=120) > 0, "y", "n")

    def fit(trials, **more):
        api.fit(
            table, "bought", max_trials=trials, families=["dummy", "linear"], workers=1, report=False,
            out=tmp_path / "run", **more,
        )  # fmt: skip
        trials = RunFolder(tmp_path / "run").trials()
        shown = load(tmp_path / "run" / FILE, ALL).trials
        assert [t.user_attrs["trial"] for t in shown] == [r.spec.id for r in trials]
        assert [t.value for t in shown] == pytest.approx([r.score for r in trials])
        return load(tmp_path / "run" / FILE, "linear").trials

    assert len(fit(3)) == 2
    whole = (tmp_path / "run" / FILE).read_bytes()
    (tmp_path / "run" / FILE).write_bytes(whole[: len(whole) // 2])  # as a kill may leave it
    assert len(fit(4, resume=True)) == 3


def test_writing_it_needs_no_optuna(tmp_path):
    """Its import would take a good part of a second from a short run."""
    code = (
        "import sys; from pathlib import Path; from autodl.search.study import StudyWriter;"
        "from autodl.evaluate.base import metrics;"
        f"StudyWriter(Path({str(tmp_path / FILE)!r}), {{}}, metrics['roc_auc'], {STARTED!r});"
        "assert 'optuna' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert load(tmp_path / FILE, ALL).trials == []
