"""Term weights of texts, kept for recipes that differ in what they make of them only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from autodl.preprocess.text_terms import TermWeights

MEMO_BYTES = 100_000_000


class TermMemo:
    """The last vocabularies and matrices: finding the terms of a text takes longer than all that follows.

    Args:
        limit: Bytes of matrices kept at most.
    """

    def __init__(self, limit: int = MEMO_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[Any, ...], tuple[TermWeights, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def fit(self, max_features: int, pieces: bool, texts: Sequence[str]) -> tuple[TermWeights, Any]:
        """The vocabulary of these training rows and their (n, v) weights."""
        key = (max_features, pieces, len(texts), hash(tuple(texts)))

        def make() -> tuple[TermWeights, Any]:
            weights = TermWeights(max_features, pieces)
            return weights, weights.fit_transform(texts)

        return self._get(key, make)

    def transform(self, weights: TermWeights, texts: Sequence[str]) -> Any:
        """(n, v) weights of other rows."""
        # The vocabulary is kept with the matrix, so that no other can have its number.
        key = (id(weights), len(texts), hash(tuple(texts)))
        return self._get(key, lambda: (weights, weights.transform(texts)))[1]

    def _get(self, key: tuple[Any, ...], make: Callable[[], tuple[TermWeights, Any]]) -> tuple[TermWeights, Any]:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > 1 and sum(matrix.nnz for _, matrix in self._kept.values()) * 8 > self._limit:
                self._kept.popitem(last=False)
        return made
