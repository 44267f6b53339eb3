"""What scikit-learn's ``check_estimator`` asks and these estimators do not do, with the reasons."""

from __future__ import annotations

_WEIGHTS = {
    f"check_sample_weight_equivalence_on_{kind}_data": "Rows are drawn for the test and for folds: a row of weight 2 "
    "falls into one of them, two equal rows may not. The models themselves take a weight for a number of rows."
    for kind in ("dense", "sparse")
}
EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {"AutoClassifier": _WEIGHTS, "AutoRegressor": _WEIGHTS}
"""Estimator -> check -> why it fails; pass an entry to ``check_estimator`` as ``expected_failed_checks``."""
