"""Term weights of texts, kept for recipes that differ in what they make of them only."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from autodl.preprocess.text_terms import TermWeights, beside
from autodl.preprocess.vocabulary import Vocabulary

MEMO_BYTES = 100_000_000


class TermMemo:
    """The last vocabularies and matrices: finding the terms of a text takes longer than all that follows.

    Words and pieces of words are kept apart, so that recipes that differ in one of them share the other.

    Args:
        limit: Bytes of matrices kept at most.
    """

    def __init__(self, limit: int = MEMO_BYTES) -> None:
        self._limit = limit
        self._kept: OrderedDict[tuple[Hashable, ...], tuple[Vocabulary | None, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def fit(
        self, max_features: int, pieces: bool, texts: Sequence[str], *, once: bool = False
    ) -> tuple[TermWeights, Any]:
        """The vocabularies of these training rows and their (n, v) weights."""
        weights, same = TermWeights(max_features, pieces, once), (len(texts), hash(tuple(texts)))
        return weights, weights.fit_transform(texts, lambda kind, make: self._get((*kind, *same), make))

    def transform(self, weights: TermWeights, texts: Sequence[str]) -> Any:
        """(n, v) weights of other rows."""
        same = (len(texts), hash(tuple(texts)))
        # A vocabulary is kept with its matrix, so that no other can have its number.
        made = [self._get((id(v), *same), lambda v=v: (v, v.transform(texts))) for v in weights.vocabularies]  # type: ignore[misc]
        return beside([matrix for _, matrix in made], len(texts))

    def _get(
        self, key: tuple[Hashable, ...], make: Callable[[], tuple[Vocabulary | None, Any]]
    ) -> tuple[Vocabulary | None, Any]:
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
