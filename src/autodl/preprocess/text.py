"""Free text as numbers: tf-idf weights of words and word pairs, or their leading components.

Notation: n rows, v vocabulary size, c components.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

_UNSPACED = re.compile("[\\u0e00-\\u0e7f\\u3040-\\u30ff\\u3400-\\u9fff\\uf900-\\ufaff]")
"""Thai, Japanese and Chinese characters: languages written without spaces between words."""


class TextBlock:
    """One vocabulary for each text column; lower case, sublinear term frequency, rows of length 1.

    Words and word pairs are the terms; for columns written without spaces (judged on 200 rows), one to three
    characters. Under ``svd`` each column also gives its number of characters and words, and the components are
    divided by their common deviation (latent semantic analysis, Deerwester et al. 1990; randomized SVD, Halko et
    al. 2011).

    Args:
        columns: Names of object columns of ``str`` and ``None``.
        mode: ``tfidf`` (CSR, v columns) or ``svd`` (dense, c + 2 columns).
        max_features: Most frequent terms kept.
        n_components: c.
        seed: For the SVD.
    """

    def __init__(
        self, columns: tuple[str, ...], mode: Literal["tfidf", "svd"], max_features: int, n_components: int, seed: int
    ) -> None:
        self.columns, self.mode, self.seed = columns, mode, seed
        self.max_features, self.n_components = max_features, n_components
        self._vectorizers: list[Any] = []
        self._svds: list[Any] = []
        self._scales: list[NDArray[np.float64]] = []
        self.names: tuple[str, ...] = ()

    def fit_transform(self, frame: pd.DataFrame, y: NDArray[Any]) -> Any:
        """(n, k) float32 training rows, CSR under ``tfidf``; ``y`` is not used."""
        names: list[str] = []
        parts = []
        for column in self.columns:
            texts = _texts(frame, column)
            vectorizer, terms = self._vectorize(texts)
            self._vectorizers.append(vectorizer)
            if self.mode == "tfidf":
                parts.append(terms)
                vocabulary = [] if vectorizer is None else vectorizer.get_feature_names_out()
                names += [f"{column}:{term}" for term in vocabulary]
                continue
            parts.append(self._fit_dense(texts, terms))
            width = parts[-1].shape[1] - 2
            names += [*(f"{column}:topic {k + 1}" for k in range(width)), f"{column}:length", f"{column}:words"]
        self.names = tuple(names)
        return self._join(parts)

    def transform(self, frame: pd.DataFrame) -> Any:
        """(n, k) float32 rows in the vocabulary of the training rows."""
        parts = []
        for j, column in enumerate(self.columns):
            texts = _texts(frame, column)
            terms = _terms(self._vectorizers[j], texts)
            if self.mode == "tfidf":
                parts.append(terms)
            else:
                raw = _with_counts(self._svds[j], terms, texts)
                parts.append((raw / self._scales[j]).astype(np.float32))
        return self._join(parts)

    def _vectorize(self, texts: list[str]) -> tuple[Any, Any]:
        from sklearn.feature_extraction.text import TfidfVectorizer

        probe = "".join(texts[:: max(1, len(texts) // 200)])
        unspaced = len(_UNSPACED.findall(probe)) > 0.3 * max(1, len(probe))
        vectorizer = TfidfVectorizer(
            analyzer="char" if unspaced else "word",
            ngram_range=(1, 3) if unspaced else (1, 2),
            token_pattern=r"(?u)\b\w+\b",
            min_df=2 if len(texts) >= 100 else 1,
            max_features=self.max_features,
            sublinear_tf=True,
            dtype=np.float32,
        )
        try:
            return vectorizer, vectorizer.fit_transform(texts)
        except ValueError:  # No term is left: all texts are empty, or none occurs twice.
            return None, _terms(None, texts)

    def _fit_dense(self, texts: list[str], terms: Any) -> NDArray[np.float32]:
        from sklearn.decomposition import TruncatedSVD

        rank = min(self.n_components, terms.shape[1] - 1, terms.shape[0] - 1)
        svd = None
        if rank >= 1:
            svd = TruncatedSVD(rank, algorithm="randomized", n_iter=3, random_state=self.seed).fit(terms)
        self._svds.append(svd)
        raw = _with_counts(svd, terms, texts)
        deviations = raw.std(axis=0)
        # One factor for all components keeps their order of importance.
        deviations[:-2] = np.sqrt(np.mean(deviations[:-2] ** 2)) if rank >= 1 else 1.0
        self._scales.append(np.where(deviations > 0, deviations, 1.0))
        return (raw / self._scales[-1]).astype(np.float32)

    def _join(self, parts: list[Any]) -> Any:
        if self.mode == "svd":
            return np.hstack(parts)
        from scipy import sparse

        return sparse.hstack(parts, format="csr", dtype=np.float32)


def _texts(frame: pd.DataFrame, column: str) -> list[str]:
    return [value if isinstance(value, str) else "" for value in frame[column]]


def _terms(vectorizer: Any, texts: list[str]) -> Any:
    if vectorizer is None:
        from scipy import sparse

        return sparse.csr_matrix(np.empty((len(texts), 0), dtype=np.float32))
    return vectorizer.transform(texts)


def _with_counts(svd: Any, terms: Any, texts: list[str]) -> NDArray[np.float64]:
    counts = np.log1p([[len(text), text.count(" ") + (text != "")] for text in texts]).reshape(len(texts), 2)
    topics = np.empty((len(texts), 0)) if svd is None else svd.transform(terms)
    return np.hstack([topics, counts]).astype(np.float64)
