"""The terms of one kind that texts are made of, and their weights in new texts.

Learning is scikit-learn's (``TfidfVectorizer``); this finds the same weights in new texts quicker, since the pieces
of a word are looked up once however often the word occurs, and is stored as a plain list of terms.

Notation: n rows, v terms.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from autodl.preprocess.older import completed
from autodl.text_words import word_pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

Analyzer = Literal["word", "char", "char_wb"]
_SPACES = re.compile(r"\s\s+")


class Vocabulary:
    """Terms with sublinear frequency and inverse document frequency, rows of length 1.

    Args:
        analyzer: ``word``: words and their neighbours; ``char``: characters; ``char_wb``: characters within words.
        lengths: Least and most words or characters of a term.
        terms: (v,) in the order of the columns.
        idf: (v,) float32 inverse document frequencies.
        marks: Whether words hold combining marks; those of earlier versions end before them.
    """

    def __init__(
        self,
        analyzer: Analyzer,
        lengths: tuple[int, int],
        terms: list[str],
        idf: NDArray[np.float32],
        marks: bool = True,
    ) -> None:
        self.analyzer, self.lengths, self.terms, self.idf, self.marks = analyzer, lengths, terms, idf, marks
        self._places = {term: j for j, term in enumerate(terms)}

    @classmethod
    def of(cls, vectorizer: Any) -> Vocabulary:
        """What a fitted ``TfidfVectorizer`` has learnt."""
        terms = [str(term) for term in vectorizer.get_feature_names_out()]
        low, high = vectorizer.ngram_range
        return cls(vectorizer.analyzer, (int(low), int(high)), terms, np.asarray(vectorizer.idf_, dtype=np.float32))

    def __eq__(self, other: object) -> bool:
        """Whether both give every text the same weights."""
        if not isinstance(other, Vocabulary):
            return NotImplemented
        same = (self.analyzer, self.lengths, self.marks) == (other.analyzer, other.lengths, other.marks)
        same = same and self.terms == other.terms
        return same and np.array_equal(self.idf, other.idf)

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_places"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(completed(state, {"marks": False}))
        self._places = {term: j for j, term in enumerate(self.terms)}

    def transform(self, texts: Sequence[str]) -> Any:
        """(n, v) float32 CSR of weights."""
        from scipy import sparse
        from sklearn.preprocessing import normalize

        found = array("i")
        ends = np.zeros(len(texts) + 1, dtype=np.int32)
        known: dict[str, array[int]] = {}
        for i, text in enumerate(texts):
            lower = text.lower()
            if self.analyzer == "char_wb":
                for word in lower.split():
                    places = known.get(word)
                    if places is None:
                        places = known[word] = self._looked_up(_pieces(f" {word} ", self.lengths))
                    found.extend(places)
            else:
                found.extend(self._looked_up(self._cut(lower)))
            ends[i + 1] = len(found)
        columns = np.frombuffer(found, dtype=np.intc) if len(found) else np.empty(0, dtype=np.intc)
        ones = np.ones(len(columns), dtype=np.float32)
        # A copy, for the buffer must not be changed: equal terms of a row are added up in place.
        out = sparse.csr_matrix((ones, columns.copy(), ends), shape=(len(texts), len(self.terms)), dtype=np.float32)
        out.sum_duplicates()
        out.data = (np.log(out.data) + np.float32(1)) * self.idf[out.indices]
        return normalize(out, norm="l2", copy=False)

    def _cut(self, text: str) -> list[str]:
        """The terms of a text in lower case, known or not."""
        low, high = self.lengths
        if self.analyzer == "char":
            text = _SPACES.sub(" ", text)
            return [text[i : i + k] for k in range(low, high + 1) for i in range(len(text) - k + 1)]
        words = word_pattern(self.marks).findall(text)
        return [
            words[i] if k == 1 else " ".join(words[i : i + k])
            for k in range(low, high + 1)
            for i in range(len(words) - k + 1)
        ]

    def _looked_up(self, terms: list[str]) -> array[int]:
        """Places of those that are known."""
        places = self._places
        return array("i", [places[term] for term in terms if term in places])


def _pieces(word: str, lengths: tuple[int, int]) -> list[str]:
    """Neighbouring characters of a word with its spaces; a word that is shorter than a piece counts once."""
    out = []
    for k in range(lengths[0], lengths[1] + 1):
        if len(word) <= k:
            out.append(word)
            break
        out += [word[i : i + k] for i in range(len(word) - k + 1)]
    return out
