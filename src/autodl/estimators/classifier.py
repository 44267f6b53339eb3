"""The scikit-learn classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight

from autodl.errors import DataError
from autodl.estimators.base import AutoEstimator, target_values
from autodl.records import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABEL_LENGTH = 60


class AutoClassifier(ClassifierMixin, AutoEstimator):  # type: ignore[misc]
    """The best classifier found inside a budget.

    Args:
        time_budget: Seconds of one fit, or words like ``5m``. If not given: 60 seconds, or no clock where
            ``max_trials`` is given.
        max_trials: Number of trials, further splits included; without a clock the result repeats exactly.
        metric: What to optimize, e.g. ``roc_auc``; a sensible one if not given.
        families: Only these model families; with ``default`` among them, these beside the usual ones.
        preset: ``fast``, ``balanced`` or ``best``.
        search: The strategy that chooses what to try, e.g. ``auto``, ``tpe`` or ``evolution``.
        scheduler: What ends hopeless trials early, e.g. ``median`` or ``none``; chosen if not given.
        nas: How architectures of networks are searched: ``joint`` with everything else, ``none``, ``supernet``, or a
            strategy of their own.
        space: A YAML file with search spaces of your own.
        pretrained: Network that others have trained, to read images or texts: ``auto`` takes one that is installed
            where the time allows it, ``none`` takes none; or the folder of one, or its name on the Hugging Face hub.
        max_latency: Longest time that predicting one row may take: seconds, or words like ``5ms``.
        max_size: Largest size of the model on disk: bytes, or words like ``2MB``.
        max_memory: Most memory that loading the model and predicting may take: bytes, or words like ``500MB``.
        workers: Trials at a time.
        out: A folder in which each fit leaves a run folder of its own, with the report; nothing is kept if not given.
        random_state: Seed of everything random.

    Attributes:
        classes_: (K,) class labels.
        n_features_in_: p.
        feature_names_in_: (p,) names of the columns, if X had any.
        record_: The run's summary: test scores, leaderboard, findings.
        run_: The run with its report, if ``out`` is given.
        model_: The delivered model.

    Examples:
        >>> from sklearn.datasets import load_iris
        >>> from autodl import AutoClassifier
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> AutoClassifier(max_trials=2, families="linear").fit(X, y).score(X, y) > 0.9
        True
    """

    _task = Task.CLASSIFICATION

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Search and train.

        Args:
            X: (n, p) frame of any library, array or sparse matrix; missing values and text are fine.
            y: (n,) labels of any kind.
            sample_weight: (n,) non-negative numbers: how much each row counts in learning and in scores; 0 leaves it
                out. All alike if None.

        Raises:
            ValueError: Bad data or parameters, with what is wrong and what to do.
        """
        labels = target_values(y, self)
        check_classification_targets(labels)
        counted = labels if sample_weight is None else self._counted(labels, sample_weight)
        classes = np.unique(counted)
        if len(classes) < 2:
            raise DataError(
                f"y must hold at least 2 classes, but it has 1 class: {str(classes[0])[:LABEL_LENGTH]!r}"
                if len(classes)
                else "Found array with 0 sample(s) in y while a minimum of 2 is required"
            )
        self.classes_ = classes
        # The labels' order is kept by a number in front, whatever they are made of.
        width = len(str(len(classes) - 1))
        names = [f"class {i:0{width}d}: {' '.join(str(c).split())[:LABEL_LENGTH]}" for i, c in enumerate(classes)]
        # Labels that only rows of weight 0 have are left out with these rows; what stands there does not matter.
        codes = np.searchsorted(classes, labels).clip(0, len(classes) - 1)
        return self._fit(X, y, np.array(names, dtype=object)[codes], sample_weight)

    @staticmethod
    def _counted(labels: NDArray[Any], sample_weight: Any) -> NDArray[Any]:
        """The labels of the rows that count; all if none does, which is refused with the weights."""
        weight = _check_sample_weight(sample_weight, labels, dtype=np.float64)
        return labels[weight > 0] if (weight > 0).any() else labels

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """(n, K) probabilities in the order of ``classes_``; 0 for those of which a sample of the rows held none."""
        raw, known = self._raw(X), self._known
        if len(known) == len(self.classes_):
            return raw
        wide = np.zeros((len(raw), len(self.classes_)), raw.dtype)
        wide[:, known] = raw
        return wide

    def predict(self, X: Any) -> NDArray[Any]:
        """(n,) labels: the most probable ones, or by the cut of the run where its metric counts decisions."""
        raw = self._raw(X)
        labels: NDArray[Any] = self.classes_[self._known[self.model_.answers(raw)]]
        return labels

    @property
    def _known(self) -> NDArray[np.intp]:
        """Places in ``classes_`` of the model's classes: of very many rows a part is learnt from, perhaps not all."""
        return np.array([int(name.split()[1].rstrip(":")) for name in self.model_.manifest.classes], np.intp)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = True
        return tags
