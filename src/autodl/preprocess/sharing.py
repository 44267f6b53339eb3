"""Preparers that are equal prepare once: the models of an ensemble often share their preparation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from autodl.preprocess.term_memo import TermMemo
from autodl.preprocess.text import TextBlock
from autodl.serialize import UnsupportedValueError, dump

if TYPE_CHECKING:
    from autodl.preprocess.preparer import Preparer
    from autodl.preprocess.vocabulary import Vocabulary


class SharedPreparers:
    """Of equal preparers the first one, and in different ones the first of equal vocabularies.

    What was learnt must not change any more, for several models use it then.
    """

    def __init__(self) -> None:
        self._preparers: dict[bytes, Preparer] = {}
        self._vocabularies: list[Vocabulary] = []

    def first(self, preparer: Preparer) -> Preparer:
        """The one that is kept for all equal ones; itself if it cannot be compared."""
        try:
            key = hashlib.sha256(dump(preparer)).digest()
        except UnsupportedValueError:
            return preparer
        if key in self._preparers:
            return self._preparers[key]
        for column in (c for block in preparer.blocks if isinstance(block, TextBlock) for c in block.learnt):
            column.terms.vocabularies = [self._first_of(v) for v in column.terms.vocabularies]
        self._preparers[key] = preparer
        return preparer

    def _first_of(self, vocabulary: Vocabulary) -> Vocabulary:
        for known in self._vocabularies:
            if known == vocabulary:
                return known
        self._vocabularies.append(vocabulary)
        return vocabulary


@contextmanager
def terms_shared(preparers: Sequence[Preparer]) -> Iterator[None]:
    """Texts are cut into terms once for all these preparers; what was kept for it is dropped at the end."""
    memo = TermMemo()
    texts = [p for p in preparers if any(isinstance(block, TextBlock) for block in p.blocks)]
    if len(texts) < 2:
        yield
        return
    for preparer in texts:
        preparer.remember(memo)
    try:
        yield
    finally:
        for preparer in texts:
            preparer.remember(None)
