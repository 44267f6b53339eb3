from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from autodl.errors import ConfigError
from autodl.evaluate import default_metric, metrics_for, resolve_metric
from autodl.records import Task

C, R = Task.CLASSIFICATION, Task.REGRESSION


@pytest.mark.parametrize(
    ("name", "task", "k", "key"),
    [
        ("AUC", C, 2, "roc_auc"), ("log-loss", C, 9, "log_loss"), ("RMSE", R, 0, "rmse"), ("R2", R, 0, "r2"),
        (None, C, 2, "roc_auc"), (None, C, 3, "log_loss"), (None, R, 0, "rmse"), (" F1 score ", C, 2, "f1"),
        ("neg_log_loss", C, 3, "log_loss"), ("Mean absolute error", R, 0, "mae"),
    ],
)  # fmt: skip
def test_names_and_aliases(name, task, k, key):
    assert resolve_metric(name, task, k).key == key


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ConfigError, match=r"unknown metric 'acuracy'\. Did you mean 'accuracy'\?.*roc_auc"):
        resolve_metric("acuracy", C, 2)


def test_a_metric_of_the_other_task_lists_those_that_fit():
    with pytest.raises(ConfigError, match=r"'rmse' is for regression, not for classification.*accuracy"):
        resolve_metric("rmse", C, 2)
    with pytest.raises(ConfigError, match=r"pass --task regression"):
        resolve_metric("rmse", C, 2)


def test_a_name_that_is_near_a_metric_of_the_other_task_is_recognized():
    with pytest.raises(ConfigError, match=r"Did you mean 'rmse'\? Metrics for classification: accuracy"):
        resolve_metric("rmes", C, 2)


def test_percentage_error_is_left_out_near_zero():
    far, near = np.array([5.0, 6.0, 7.0]), np.array([0.0, 6.0, 7.0])
    assert "mape" in [m.key for m in metrics_for(R, 0, far)]
    assert "mape" not in [m.key for m in metrics_for(R, 0, near)]


def test_the_default_is_among_those_shown():
    for task, k in ((C, 2), (C, 5), (R, 0)):
        assert default_metric(task, k) in metrics_for(task, k)


def test_metrics_import_without_heavy_libraries():
    heavy = "{'sklearn', 'scipy', 'pandas', 'torch', 'statsmodels'}"
    load = "import sys, autodl.evaluate; from autodl.evaluate.base import metrics; len(metrics)"
    code = f"{load}; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
