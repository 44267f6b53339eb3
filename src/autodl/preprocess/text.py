"""Free text as numbers: weights of its terms, or a few columns made of them.

Notation: n rows, v vocabulary size, c components.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autodl.errors import OlderModelError
from autodl.preprocess.category_blocks import MAX_TARGETS
from autodl.preprocess.cross_fitting import crossed_parts, shown_targets
from autodl.preprocess.older import completed
from autodl.preprocess.scaling import NumericScaler
from autodl.preprocess.term_memo import TermMemo
from autodl.preprocess.text_ratios import class_ratios, weighted
from autodl.preprocess.text_score import TextScore
from autodl.preprocess.text_statistics import STATISTICS, text_statistics
from autodl.preprocess.text_terms import TermWeights, cells_of, informative
from autodl.records import Task

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from autodl.records import Recipe


@dataclass
class TextColumn:
    """What was learnt of one column.

    Attributes:
        terms: Its vocabulary. svd: its components, or None. top: positions of the terms that became columns.
        ratios: Factors of the terms, or None. score: The linear score, or None.
        scaler: Of topics, statistics and score. names: of the output columns.
    """

    terms: TermWeights
    svd: Any = None
    top: NDArray[np.int_] = field(default_factory=lambda: np.empty(0, dtype=np.int_))
    ratios: NDArray[np.float32] | None = None
    score: TextScore | None = None
    spread: float = 1.0
    scaler: NumericScaler = field(default_factory=lambda: NumericScaler("standard"))
    names: tuple[str, ...] = ()


TERM_FACTOR = 3.0
"""Of term weights beside columns of unit spread: rows of length 1 would be held down by a penalty meant for those."""


class TextBlock:
    """The columns of free text.

    Under ``tfidf`` the weights of all terms times ``TERM_FACTOR`` (CSR), see ``TermWeights``; with ``text_ratios``
    also times what they tell of the classes, see ``class_ratios``. Under ``svd``, dense: their leading components
    (latent semantic analysis, Deerwester et al. 1990; randomized SVD, Halko et al. 2011), divided by their common
    deviation, the ``text_terms`` most informative terms, and the cross-fitted answer of a linear model on all terms.
    Both may add statistics such as the share of capitals.

    Args:
        columns: Names of object columns of ``str`` and ``None``.
        recipe: Uses the fields ``text*``.
        task: What the target is.
        seed: For the SVD and the cross-fitting.
        memo: Term weights of other recipes; no part of what is stored.
    """

    def __init__(
        self, columns: tuple[str, ...], recipe: Recipe, task: Task, seed: int, memo: TermMemo | None = None
    ) -> None:
        self.columns, self.recipe, self.task, self.seed = columns, recipe, task, seed
        self.memo = memo
        self._learnt: list[TextColumn] = []

    @property
    def learnt(self) -> tuple[TextColumn, ...]:
        """What was learnt of each column."""
        return tuple(self._learnt)

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "_learnt" not in state:
            raise OlderModelError("its texts were prepared in another way")
        self.__dict__.update(completed(state, {"memo": None}))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns, e.g. ``review:topic 1``."""
        return tuple(name for learnt in self._learnt for name in learnt.names)

    def fit_transform(
        self,
        frame: pd.DataFrame,
        y: NDArray[Any],
        weight: NDArray[Any] | None = None,
        groups: NDArray[np.int_] | None = None,
    ) -> Any:
        """(n, k) float32 training rows, CSR under ``tfidf``.

        Args:
            frame: The rows. y: (n,) class codes or values. weight: (n,) of the rows.
            groups: (n,) as for ``crossed_parts``.
        """
        self._learnt = []
        parts = []
        for column in self.columns:
            texts = cells_of(frame, column)
            memo = self.memo if self.memo is not None else TermMemo()
            r = self.recipe
            weights, terms = memo.fit(r.text_features, r.text_pieces, texts, once=r.text_once)
            learnt = TextColumn(weights)
            self._learnt.append(learnt)
            if self.recipe.text == "tfidf":
                parts.append(self._fit_sparse(column, learnt, texts, terms, y, weight))
            else:
                parts.append(self._fit_dense(column, learnt, texts, terms, y, weight, groups))
        return self._join(parts)

    def transform(self, frame: pd.DataFrame) -> Any:
        """(n, k) float32 rows in the vocabulary of the training rows."""
        parts, memo = [], self.memo  # read once: another thread may end it
        for column, learnt in zip(self.columns, self._learnt, strict=True):
            texts = cells_of(frame, column)
            terms = learnt.terms.transform(texts) if memo is None else memo.transform(learnt.terms, texts)
            counts = text_statistics(texts) if self.recipe.text_statistics else np.empty((len(texts), 0))
            if self.recipe.text == "tfidf":
                parts.append(_sparse(learnt, terms, counts))
                continue
            scores = np.empty((len(texts), 0)) if learnt.score is None else learnt.score.transform(terms)
            parts.append(_dense(learnt, terms, np.hstack([counts, scores])))
        return self._join(parts)

    def _fit_sparse(
        self,
        column: str,
        learnt: TextColumn,
        texts: list[str],
        terms: Any,
        y: NDArray[Any],
        weight: NDArray[Any] | None,
    ) -> Any:
        if self.recipe.text_ratios:
            learnt.ratios = class_ratios(terms, shown_targets(y, self.task, MAX_TARGETS), weight)
        vocabulary = learnt.terms.names
        counts = text_statistics(texts) if self.recipe.text_statistics else np.empty((len(texts), 0))
        shown = STATISTICS if self.recipe.text_statistics else ()
        learnt.names = tuple(f"{column}:{name}" for name in (*vocabulary, *shown))
        learnt.scaler.fit(counts, weight)
        return _sparse(learnt, terms, counts)

    def _fit_dense(
        self,
        column: str,
        learnt: TextColumn,
        texts: list[str],
        terms: Any,
        y: NDArray[Any],
        weight: NDArray[Any] | None,
        groups: NDArray[np.int_] | None,
    ) -> Any:
        recipe = self.recipe
        counts = text_statistics(texts) if recipe.text_statistics else np.empty((len(texts), 0))
        targets = shown_targets(y, self.task, MAX_TARGETS)
        crossed = scores = np.empty((len(texts), 0))
        if recipe.text_score:
            learnt.score = TextScore()
            parts = crossed_parts(y, self.task, self.seed, groups) if len(y) >= 2 else []
            crossed = learnt.score.fit_transform(terms, targets, parts, weight)
            scores = learnt.score.transform(terms)
        if recipe.text_terms:
            learnt.top = informative(terms, targets, recipe.text_terms, weight)
        self._fit_topics(learnt, terms)
        # The scaler learns from the scores that new rows get.
        learnt.scaler.fit(np.hstack([counts, scores]), weight)
        topics = 0 if learnt.svd is None else learnt.svd.components_.shape[0]
        tails = [f" {k + 1}" for k in range(len(targets))] if len(targets) > 1 else [""]
        vocabulary = learnt.terms.names if len(learnt.top) else []
        learnt.names = tuple(
            f"{column}:{name}"
            for name in (
                *(f"topic {k + 1}" for k in range(topics)),
                *(vocabulary[j] for j in learnt.top),
                *(STATISTICS if recipe.text_statistics else ()),
                *(f"score{tail}" for tail in tails if recipe.text_score),
            )
        )
        return _dense(learnt, terms, np.hstack([counts, crossed]))

    def _fit_topics(self, learnt: TextColumn, terms: Any) -> None:
        from sklearn.decomposition import TruncatedSVD

        rank = min(self.recipe.text_components, terms.shape[1] - 1, terms.shape[0] - 1)
        if rank < 1:
            return
        with np.errstate(invalid="ignore"):  # Equal texts have no variance to be explained.
            learnt.svd = TruncatedSVD(rank, algorithm="randomized", n_iter=3, random_state=self.seed).fit(terms)
        # One factor for all components keeps their order of importance.
        learnt.spread = float(np.sqrt(np.mean(learnt.svd.transform(terms).var(axis=0)))) or 1.0

    def _join(self, parts: list[Any]) -> Any:
        if self.recipe.text == "svd":
            return np.hstack(parts)
        from scipy import sparse

        return sparse.hstack(parts, format="csr", dtype=np.float32)


def _sparse(learnt: TextColumn, terms: Any, counts: NDArray[np.float64]) -> Any:
    terms = terms if learnt.ratios is None else weighted(terms, learnt.ratios)
    return _beside(TERM_FACTOR * terms, learnt.scaler.transform(counts))


def _beside(terms: Any, counts: NDArray[np.float64]) -> Any:
    if counts.shape[1] == 0:
        return terms
    from scipy import sparse

    return sparse.hstack([terms, sparse.csr_matrix(counts.astype(np.float32))], format="csr", dtype=np.float32)


def _dense(learnt: TextColumn, terms: Any, rest: NDArray[np.float64]) -> NDArray[np.float32]:
    """Topics, informative terms, then statistics and scores."""
    n = terms.shape[0]
    topics = np.empty((n, 0)) if learnt.svd is None else learnt.svd.transform(terms) / learnt.spread
    top = terms[:, learnt.top].toarray() if len(learnt.top) else np.empty((n, 0))
    return np.hstack([topics, top, learnt.scaler.transform(rest)]).astype(np.float32)
