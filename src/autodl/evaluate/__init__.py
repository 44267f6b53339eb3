"""Honest scores: metrics, intervals that cover, paired tests, and where the model is wrong.

The registry of metrics is ``autodl.evaluate.base.metrics``; here that name is the package of their files.
"""

from autodl.evaluate.base import Metric
from autodl.evaluate.choose import default_metric, metrics_for, resolve_metric
from autodl.evaluate.evaluate import evaluate
from autodl.evaluate.inputs import Candidate, EvaluationInputs
from autodl.evaluate.intervals import interval
from autodl.evaluate.tests import PairedTest, paired_test

__all__ = [
    "Candidate", "EvaluationInputs", "Metric", "PairedTest", "default_metric", "evaluate", "interval", "metrics_for",
    "paired_test", "resolve_metric",
]  # fmt: skip
