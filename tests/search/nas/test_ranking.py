"""The job of weight sharing, carried out as a runner does."""

import numpy as np
import pandas as pd
import pytest

from autodl.models.base import families
from autodl.records import ColumnInfo, ColumnKind, Recipe, TableSchema, Task, TrialResult, TrialSpec, TrialStatus
from autodl.records.origins import SUPERNET
from autodl.search.job import Job, TrialData
from autodl.search.nas.ranking import BEST, MIDDLING
from autodl.search.prepared import PreparedFolds
from autodl.search.trial import run_trial

FAMILY = next(key for key in families if families[key].shares)
CHOICES = {
    "depth": (1, 2), "width": (8, 16), "activation": ("relu",), "gate": ("none", "reglu"),
    "norm": ("batch",), "residual": (False, True),
}  # fmt: skip
COMMON = {"epochs": 8, "embedding": "none", "prep.scale": "standard"}


@pytest.fixture(params=[Task.CLASSIFICATION, Task.REGRESSION])
def data(request: pytest.FixtureRequest) -> TrialData:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(240, 3)), columns=["a", "b", "c"])
    signal = (frame["a"] + frame["b"] ** 2).to_numpy()
    classes = request.param is Task.CLASSIFICATION
    return TrialData(
        frame=frame,
        y=(signal > 1).astype(np.int64) if classes else signal,
        test_frame=frame.iloc[:5],
        folds=((np.arange(160), np.arange(160, 240)), (np.arange(80, 240), np.arange(80))),
        schema=TableSchema(
            columns=tuple(
                ColumnInfo(name=n, kind=ColumnKind.NUMERIC, n=240, n_missing=0, n_unique=240, why="") for n in "abc"
            )
        ),
        task=request.param,
        n_classes=2 if classes else 0,
        metric="log_loss" if classes else "rmse",
        recipes={FAMILY: Recipe()},
    )


def job(seconds: float = 600.0) -> Job:
    spec = TrialSpec(id="t0003", family=FAMILY, config=COMMON, origin=SUPERNET)
    return Job(spec, seconds, choices=CHOICES)


def test_a_job_with_choices_proposes_configurations_that_the_family_takes(data: TrialData) -> None:
    outcome = run_trial(job(), data, PreparedFolds(data))
    result = outcome.result
    assert result.error is None
    assert result.status is TrialStatus.STOPPED
    assert not result.ok  # no model of its own: nothing for the ensemble
    assert outcome.models == []
    assert len(result.proposals) == BEST + len(MIDDLING)
    ranked = [p.loss for p in result.proposals]
    assert ranked[0] == min(ranked)
    for proposal in result.proposals:
        assert proposal.config.items() >= COMMON.items()
        assert all(proposal.config[name] in values for name, values in CHOICES.items())
        families[FAMILY].config(**{k: v for k, v in proposal.config.items() if not k.startswith("prep.")})
    assert TrialResult.model_validate_json(result.model_dump_json()) == result


def test_the_same_seed_gives_the_same_proposals(data: TrialData) -> None:
    first, second = (run_trial(job(), data, PreparedFolds(data)).result.proposals for _ in range(2))
    assert first == second


def test_without_time_it_is_a_timeout_like_any_trial(data: TrialData) -> None:
    result = run_trial(job(0.0), data, PreparedFolds(data)).result
    assert result.status is TrialStatus.TIMEOUT
    assert result.proposals == ()
