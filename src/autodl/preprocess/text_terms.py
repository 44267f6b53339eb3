"""Texts as tf-idf weights of words, word pairs and pieces of words. Notation: n rows, v terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.preprocess.vocabulary import Analyzer, Vocabulary
from autodl.text_words import UNSPACED, word

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_UNSPACED = re.compile(f"[{UNSPACED}]")
PIECES = (2, 4)
"""Characters of a piece of a word, least and most."""
ONCE_FACTOR = 5
"""More words and pairs are kept where those of one text count."""
PIECE_CHARACTERS = 4_000_000
"""Tables with more characters are read by words alone: pieces take about 1.5 seconds a million characters."""

Kind = tuple[Analyzer, tuple[int, int], int, int]
"""Of terms: what they are, how long, in how many texts they stand at least, and how many are kept."""
Remembered = Callable[[Kind, Callable[[], tuple[Vocabulary | None, Any]]], tuple[Vocabulary | None, Any]]


def cells_of(frame: pd.DataFrame, column: str) -> list[str]:
    """The texts of a column; missing ones are empty."""
    return [value if isinstance(value, str) else "" for value in frame[column]]


class TermWeights:
    """The vocabulary of a text column: lower case, sublinear frequency, rows of length 1 (Salton & Buckley 1988).

    The terms are words and pairs of words; for columns written without spaces (judged on 200 rows), one to three
    characters. ``pieces`` adds two to four neighbouring characters within words, which see through endings,
    misspellings and glued words, and know digits and punctuation (McNamee & Mayfield 2004).

    Args:
        max_features: Most frequent words and pairs kept, and as many pieces.
        pieces: Whether to add pieces of words; not done where the training rows have very many characters.
        once: Whether words and pairs that stand in one text only are kept, and ``ONCE_FACTOR`` times as many.
    """

    def __init__(self, max_features: int, pieces: bool, once: bool = False) -> None:
        self.max_features, self.pieces, self.once = max_features, pieces, once
        self.vocabularies: list[Vocabulary] = []

    @property
    def names(self) -> list[str]:
        """v terms."""
        return [term for vocabulary in self.vocabularies for term in vocabulary.terms]

    def __eq__(self, other: object) -> bool:
        """Whether both give every text the same weights."""
        if not isinstance(other, TermWeights):
            return NotImplemented
        return self.vocabularies == other.vocabularies

    __hash__ = None  # type: ignore[assignment]

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if (old := state.pop("_vectorizers", None)) is not None:  # models of the first versions
            state["vocabularies"] = [Vocabulary.of(vectorizer) for vectorizer in old]
        self.__dict__.update(state)

    def fit_transform(self, texts: Sequence[str], remembered: Remembered | None = None) -> Any:
        """(n, v) float32 CSR of the training rows; ``remembered`` gives what was learnt before, or learns it."""
        probe = "".join(texts[:: max(1, len(texts) // 200)])
        unspaced = len(_UNSPACED.findall(probe)) > 0.3 * max(1, len(probe))
        rare = 1 if self.once or len(texts) < 100 else 2
        most = self.max_features * (ONCE_FACTOR if self.once else 1)
        wanted: list[Kind] = [("char", (1, 3), rare, most) if unspaced else ("word", (1, 2), rare, most)]
        if self.pieces and not unspaced and sum(map(len, texts)) <= PIECE_CHARACTERS:
            wanted.append(("char_wb", PIECES, 2 if len(texts) >= 100 else 1, self.max_features))
        get = remembered or (lambda _, make: make())
        parts = [get(kind, partial(_learnt, kind, texts)) for kind in wanted]
        self.vocabularies = [vocabulary for vocabulary, _ in parts if vocabulary is not None]
        return beside([matrix for vocabulary, matrix in parts if vocabulary is not None], len(texts))

    def transform(self, texts: Sequence[str]) -> Any:
        """(n, v) float32 CSR in the vocabulary of the training rows."""
        return beside([vocabulary.transform(texts) for vocabulary in self.vocabularies], len(texts))


def _learnt(kind: Kind, texts: Sequence[str]) -> tuple[Vocabulary | None, Any]:
    """A vocabulary and the (n, v) weights of the training rows; None and no columns where no term is left."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    analyzer, lengths, rare, most = kind
    vectorizer = TfidfVectorizer(
        analyzer=analyzer,
        ngram_range=lengths,
        token_pattern=word() if analyzer == "word" else None,
        min_df=rare,
        max_features=most,
        sublinear_tf=True,
        dtype=np.float32,
    )
    try:
        matrix = vectorizer.fit_transform(texts)
    except ValueError:  # all texts are empty, or no term occurs often enough
        return None, beside([], len(texts))
    return Vocabulary.of(vectorizer), matrix


def informative(
    terms: Any, targets: Sequence[NDArray[np.float64]], most: int, weight: NDArray[Any] | None = None
) -> NDArray[np.int_]:
    """Positions of the terms that say most about the target, in their order.

    The score of a term is the largest squared correlation of its weights with a target (Yang & Pedersen 1997 for
    the use of chi-squared, which this is for 0/1 weights).

    Args:
        terms: (n, v) CSR.
        targets: Each (n,).
        most: How many positions at most.
        weight: (n,) how much each row counts; all alike if None.
    """
    n = terms.shape[0]
    share = np.full(n, 1.0 / max(1, n)) if weight is None else np.asarray(weight / np.sum(weight), dtype=np.float64)
    means = np.asarray(terms.T @ share).ravel()
    squares = np.asarray(terms.multiply(terms).T @ share).ravel()
    spread = np.sqrt(np.maximum(squares - means**2, 1e-12))
    best = np.zeros(terms.shape[1])
    for target in targets:
        centred = target - share @ target
        centred = centred / (np.sqrt(share @ centred**2) or 1.0)
        covariance = np.asarray(terms.T @ (share * centred)).ravel()
        best = np.maximum(best, np.abs(covariance) / spread)
    return np.sort(np.argsort(-best, kind="stable")[:most])


def beside(parts: list[Any], n: int) -> Any:
    """(n, v) float32 CSR of matrices side by side."""
    from scipy import sparse

    if not parts:
        return sparse.csr_matrix(np.empty((n, 0), dtype=np.float32))
    return parts[0] if len(parts) == 1 else sparse.hstack(parts, format="csr", dtype=np.float32)
