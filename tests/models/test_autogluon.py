"""AutoGluon as a family."""

import pickle
import sys

import numpy as np
import pytest

from autodl.clock import Deadline
from autodl.errors import MissingDependencyError
from autodl.models.autogluon import AutoGluon, AutoGluonConfig, AutoGluonEstimator
from autodl.models.base import Meta
from autodl.records import Task
from autodl.testing import easy_problem

installed = not AutoGluon.missing()


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "autogluon.tabular", None)
    problem = easy_problem(2)
    with pytest.raises(MissingDependencyError, match=r"autogluon\.tabular.*autodl\[autogluon\]"):
        AutoGluon().build(AutoGluonConfig(), problem.meta).fit(problem.X, problem.y)


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [("mae", "mean_absolute_error"), ("mape", "mean_absolute_error"), ("median_ae", "mean_absolute_error"),
     ("rmse", "root_mean_squared_error"), ("r2", "root_mean_squared_error")],
)  # fmt: skip
def test_it_minimizes_absolute_errors_where_the_metric_asks_for_the_middle(metric: str, theirs: str) -> None:
    assert AutoGluonEstimator(AutoGluonConfig(), Meta(Task.REGRESSION, metric=metric))._metric() == theirs


def test_too_little_time_is_refused() -> None:
    if not installed:
        pytest.skip("needs autogluon.tabular (extra 'autogluon')")
    problem = easy_problem(2)
    with pytest.raises(TimeoutError, match="AutoGluon needs"):
        AutoGluon().build(AutoGluonConfig(), problem.meta).fit(problem.X, problem.y, deadline=Deadline.after(0.5))


@pytest.mark.slow
@pytest.mark.skipif(not installed, reason="needs autogluon.tabular (extra 'autogluon')")
def test_trains_pickles_and_beats_guessing() -> None:
    problem = easy_problem(4, rows=300)
    model = AutoGluon().build(AutoGluonConfig(time_limit=8.0), problem.meta)
    model.fit(problem.X, problem.y)
    proba = model.predict_proba(problem.X_val)
    assert np.mean(proba.argmax(axis=1) == problem.y_val) > 0.5
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(copy.predict_proba(problem.X_val), proba, atol=1e-6)
