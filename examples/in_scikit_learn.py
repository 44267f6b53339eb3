"""autodl inside scikit-learn: an estimator like any other.

Run it with ``python examples/in_scikit_learn.py [SECONDS]``.
"""

from __future__ import annotations

import sys

from sklearn.datasets import load_breast_cancer
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from autodl import AutoClassifier


def main(seconds: float) -> float:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)
    model = AutoClassifier(time_budget=seconds, random_state=0).fit(X_train, y_train)
    score = float(roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]))
    print(f"ROC AUC on {len(y_test)} rows kept aside: {score:.3f}")
    return score


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 30.0)
