"""Which words of a text column move the predictions, found by leaving them out.

Works for any model: a word's effect is the mean change of the prediction between texts that hold it and the same
texts without it (occlusion, e.g. Li et al. 2016, "Understanding Neural Networks through Representation Erasure").
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autodl.clock import NEVER, Deadline
from autodl.explain.text_terms import share_letters, shown_terms, without_term
from autodl.records.examples import TermEffect, WordEffects

if TYPE_CHECKING:
    import pandas as pd

MAX_TEXTS = 500
MAX_TERMS = 30
TEXTS_OF_A_TERM = 20
LEAST_TEXTS = 4
"""Texts that must hold a word for it to be looked at: fewer say nothing of other texts."""
SAME_TEXTS = 0.8
"""Of the texts of a group of characters, the share that another one explains."""


def word_effects(
    predict: Callable[[pd.DataFrame], NDArray[Any]],
    frame: pd.DataFrame,
    column: str,
    output: int | None,
    outcome: str,
    *,
    seed: int,
    deadline: Deadline = NEVER,
    most: int = MAX_TEXTS,
) -> WordEffects | None:
    """The strongest words of a column; None where no word is in enough texts, or time is up before the first.

    Args:
        predict: Frame of n rows -> (n, K) probabilities or (n,) values.
        frame: (n rows) canonical columns.
        column: Texts.
        output: Which class; None for numbers. outcome: Its name.
        seed: Of the rows looked at.
        deadline: Words that are not measured by then are left out, the likely ones come first.
        most: Texts that are looked at.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    if len(frame) > most:
        pick = np.random.default_rng(seed).choice(len(frame), size=most, replace=False)
        frame = frame.iloc[np.sort(pick)]
    texts = frame[column].astype("string").fillna("").tolist()
    counter = CountVectorizer(binary=True, min_df=LEAST_TEXTS, analyzer=shown_terms, max_features=5000)
    try:
        held = counter.fit_transform(texts).tocsc()
    except ValueError:  # no word is left
        return None

    def asked(rows: pd.DataFrame) -> NDArray[np.float64]:
        answer = np.asarray(predict(rows), np.float64)
        return answer if output is None else answer[:, output]

    usual = asked(frame)
    n_with = np.asarray(held.sum(0)).ravel()
    with_it = np.asarray(held.T @ usual).ravel() / np.maximum(n_with, 1)
    # How far the predictions of texts with the word are from the rest, in standard errors: for the order only.
    distance = np.abs(with_it - usual.mean()) * np.sqrt(n_with)
    names = counter.get_feature_names_out()
    found: list[TermEffect] = []
    for j in _looked_at(distance, names, held):
        if deadline.passed() or n_with[j] == len(texts):
            continue
        places = held.indices[held.indptr[j] : held.indptr[j + 1]][:TEXTS_OF_A_TERM]
        changed = frame.iloc[places].copy()
        without = [without_term(str(names[j]), texts[i]) for i in places]
        changed[column] = np.array(without, dtype=object)
        changed[column] = changed[column].astype(frame[column].dtype)
        effect = float((usual[places] - asked(changed)).mean())
        found.append(TermEffect(term=str(names[j]), effect=effect, n_texts=int(n_with[j])))
    if not found:
        return None
    # Of equal ones, what more texts hold stands further out.
    found.sort(key=lambda t: (-round(t.effect, 9), -t.n_texts if t.effect > 0 else t.n_texts))
    return WordEffects(column=column, outcome=outcome, n_texts=len(texts), terms=tuple(found))


def _looked_at(distance: NDArray[np.float64], names: NDArray[Any], held: Any) -> list[int]:
    """Terms by their distance, without groups of characters that only tell where a better one stands.

    Args:
        distance: (v,) of the terms. names: (v,) terms. held: (n, v) CSC which text holds which.
    """
    # Of equal ones the longest, which says most.
    order = np.lexsort((-np.array([len(name) for name in names]), -distance.round(9)))
    chosen: dict[int, set[int]] = {}
    for j in order:
        texts = set(held.indices[held.indptr[j] : held.indptr[j + 1]].tolist())
        if any(
            len(texts & others) >= SAME_TEXTS * len(texts) and share_letters(str(names[j]), str(names[k]))
            for k, others in chosen.items()
        ):
            continue
        chosen[int(j)] = texts
        if len(chosen) == MAX_TERMS:
            break
    return list(chosen)
