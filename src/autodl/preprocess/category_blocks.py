"""Categories as numeric columns: one-hot, target-encoded or ranked by frequency. Notation: n rows, q columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.codes import CategoryCoder
from autodl.preprocess.cross_fitting import crossed_parts, shown_targets
from autodl.preprocess.scaling import NumericScaler, ScaleKind
from autodl.preprocess.weighted_means import WeightedMeans
from autodl.records import Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


MAX_TARGETS = 10
"""Classes whose share in a category becomes a column: with more, width and time would grow with their number."""


def shown_classes(n_classes: int) -> int:
    """Columns of target means that one column of categories becomes.

    Args:
        n_classes: K, 0 for regression.
    """
    return 1 if n_classes <= 2 else min(n_classes, MAX_TARGETS)


class OneHotBlock:
    """A 0/1 column for each category, and for "missing" where training rows miss it.

    Unseen values are all 0, or count as rare where the coder has such a group.

    Args:
        coder: A fitted coder of the columns.
        sparse: Give CSR instead of a dense array.
    """

    def __init__(self, coder: CategoryCoder, sparse: bool) -> None:
        self.coder, self.sparse = coder, sparse
        self._encoder: Any = None
        self.names: tuple[str, ...] = ()

    def fit_transform(self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[Any] | None = None) -> Any:
        """(n, k) float32 training rows; ``y`` and ``weight`` are not used."""
        from sklearn.preprocessing import OneHotEncoder

        codes = self.coder.transform(frame)
        self._encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=self.sparse, dtype=np.float32)
        out = self._encoder.fit_transform(codes)
        self.names = tuple(
            f"{column}={self.coder.name_of(j, code)}"
            for j, column in enumerate(self.coder.columns)
            for code in self._encoder.categories_[j]
        )
        return out

    def transform(self, frame: pd.DataFrame) -> Any:
        """(n, k) float32, dense or CSR."""
        return self._encoder.transform(self.coder.transform(frame))


class TargetBlock:
    """The smoothed mean target of each category, cross-fitted on the training rows.

    A training row is encoded by a fit on the other folds, so that neither its own target nor those of its group leak
    into its features; small categories are drawn towards the mean of all rows (``WeightedMeans``). More than two
    classes give one column for each class, or for each of the ten most frequent ones. Unseen categories get the mean
    of all rows, as those do that the other folds do not have.

    Args:
        coder: A fitted coder of the columns.
        task: What the target is.
        scale: Scaling of the encoded columns.
        seed: For the cross-fitting folds.
    """

    def __init__(self, coder: CategoryCoder, task: Task, scale: ScaleKind, seed: int) -> None:
        self.coder, self.task, self.seed = coder, task, seed
        self._encoders: list[Any] = []  # scikit-learn's ``TargetEncoder`` in models of earlier versions
        self._scaler = NumericScaler(scale, seed)
        self.names: tuple[str, ...] = ()

    def fit_transform(
        self,
        frame: pd.DataFrame,
        y: NDArray[Any],
        weight: NDArray[Any] | None = None,
        groups: NDArray[np.int_] | None = None,
    ) -> NDArray[np.float32]:
        """(n, k) cross-fitted training rows.

        Args:
            frame: The rows. y: (n,) class codes or values. weight: (n,) of the rows.
            groups: (n,) as for ``crossed_parts``.
        """
        codes = self.coder.transform(frame)
        targets = shown_targets(y, self.task, MAX_TARGETS)
        self._encoders = [_encoder(codes, target, weight) for target in targets]
        tails = [f"[{k}]" for k in range(len(targets))] if len(targets) > 1 else [""]
        self.names = tuple(f"{column}:mean target{tail}" for tail in tails for column in self.coder.columns)
        # The scaler learns from the encoding that new rows get.
        final = self._encode(codes)
        self._scaler.fit(final, weight)
        crossed = final if len(y) < 2 else self._cross_fit(codes, y, targets, weight, groups)
        return self._scaler.transform(crossed).astype(np.float32)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """(n, k) rows encoded by the fit on all training rows."""
        return self._scaler.transform(self._encode(self.coder.transform(frame))).astype(np.float32)

    def _encode(self, codes: NDArray[np.int32]) -> NDArray[np.float64]:
        return np.hstack([encoder.transform(codes) for encoder in self._encoders])

    def _cross_fit(
        self,
        codes: NDArray[np.int32],
        y: NDArray[Any],
        targets: list[NDArray[np.float64]],
        weight: NDArray[Any] | None,
        groups: NDArray[np.int_] | None,
    ) -> NDArray[np.float64]:
        out = np.empty((len(y), len(targets) * codes.shape[1]))
        for train, test in crossed_parts(y, self.task, self.seed, groups):
            w = None if weight is None else weight[train]
            encoded = [_encoder(codes[train], t[train], w).transform(codes[test]) for t in targets]
            out[test] = np.hstack(encoded)
        return out


def _encoder(codes: NDArray[np.int32], target: NDArray[np.float64], weight: NDArray[Any] | None) -> WeightedMeans:
    """A fitted encoder of (n, q) codes by the mean of (n,) targets."""
    return WeightedMeans().fit(codes, target, np.ones(len(target)) if weight is None else weight)


class FrequencyBlock:
    """How many training rows have the category, as a logarithm; 0 for values never seen and for missing ones."""

    def __init__(self, coder: CategoryCoder, scale: ScaleKind, seed: int) -> None:
        self.coder = coder
        self._scaler = NumericScaler(scale, seed)
        self._counts: list[NDArray[np.float64]] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns."""
        return tuple(f"{column}:frequency" for column in self.coder.columns)

    def fit_transform(
        self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """(n, q) training rows; ``y`` is not used, ``weight`` (n,) of the rows."""
        codes = self.coder.transform(frame)
        # The mean weight is that of one row, so that a count does not depend on the unit of the weights.
        shares = None if weight is None else weight / np.mean(weight)
        self._counts = []
        for j, size in enumerate(self.coder.cardinalities):
            counts = np.log1p(np.bincount(codes[:, j], weights=shares, minlength=size))
            counts[[0, self.coder.missing[j]]] = 0.0
            self._counts.append(counts)
        raw = self._raw(codes)
        return self._scaler.fit(raw, weight).transform(raw).astype(np.float32)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """(n, q) logarithms of one more than the count."""
        return self._scaler.transform(self._raw(self.coder.transform(frame))).astype(np.float32)

    def _raw(self, codes: NDArray[np.int32]) -> NDArray[np.float64]:
        return np.column_stack([counts[codes[:, j]] for j, counts in enumerate(self._counts)])


class FrequencyRankBlock:
    """The rank of each category by frequency (1 is the most frequent); 0 where training rows are missing it.

    Unseen values come after the least frequent one, or have the rank of the rare ones where the coder groups them.
    """

    def __init__(self, coder: CategoryCoder, scale: ScaleKind, seed: int) -> None:
        self.coder = coder
        self._scaler = NumericScaler(scale, seed)
        self._ranks: list[NDArray[np.float64]] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns."""
        return tuple(f"{column}:rank" for column in self.coder.columns)

    def fit_transform(
        self, frame: pd.DataFrame, y: NDArray[Any], weight: NDArray[Any] | None = None
    ) -> NDArray[np.float32]:
        """(n, q) training rows; ``y`` is not used, ``weight`` (n,) of the rows."""
        codes = self.coder.transform(frame)
        self._ranks = []
        for j, size in enumerate(self.coder.cardinalities):
            n_known = len(self.coder.labels[j])
            counts = np.bincount(codes[:, j], weights=weight, minlength=size)[1 : 1 + n_known]
            ranks = np.zeros(size)
            ranks[0] = 1 + n_known if n_known else 0
            ranks[1 + np.argsort(-counts, kind="stable")] = np.arange(1, 1 + n_known)
            self._ranks.append(ranks)
        raw = self._raw(codes)
        return self._scaler.fit(raw, weight).transform(raw).astype(np.float32)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float32]:
        """(n, q) ranks."""
        return self._scaler.transform(self._raw(self.coder.transform(frame))).astype(np.float32)

    def _raw(self, codes: NDArray[np.int32]) -> NDArray[np.float64]:
        return np.column_stack([ranks[codes[:, j]] for j, ranks in enumerate(self._ranks)])
