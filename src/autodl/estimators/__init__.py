"""autodl as scikit-learn estimators."""

from autodl.estimators.checks import EXPECTED_FAILED_CHECKS
from autodl.estimators.classifier import AutoClassifier
from autodl.estimators.regressor import AutoRegressor

__all__ = ["EXPECTED_FAILED_CHECKS", "AutoClassifier", "AutoRegressor"]
