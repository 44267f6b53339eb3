"""Which columns of test rows a person can look at, and how long picking examples of them takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from autodl.data.word_kinds import count_words
from autodl.explain.speed import Speed
from autodl.explain.step_effects import MOST_PARTS
from autodl.explain.word_effects import MAX_TERMS, MAX_TEXTS, TEXTS_OF_A_TERM
from autodl.records import ColumnKind
from autodl.stages.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

MOST_OF_EACH = {ColumnKind.IMAGE: 12, ColumnKind.SERIES: 8, ColumnKind.TEXT: 6}
"""Rows answered rightly, and mistakes."""
READ_WORDS = 6.0
"""Words that the texts of a column have on average before they are shown: shorter ones are names, not texts."""
BACKWARD = 3.0
"""A pass there and back through a network takes so many times as long as a prediction."""


def columns_shown(problem: Problem) -> list[tuple[str, ColumnKind]]:
    """The first column of images, of series and of texts that are worth reading."""
    schema, frame = problem.setup.data.schema, problem.setup.data.test_frame
    found = []
    for kind in MOST_OF_EACH:
        names = [n for n in schema.of_kind(kind) if n in frame.columns]
        if kind is ColumnKind.TEXT:
            names = [n for n in names if _mean_words(frame[n]) >= READ_WORDS]
        found += [(n, kind) for n in names[:1]]
    return found


def _mean_words(column: pd.Series) -> float:
    texts = column.dropna().iloc[:200].astype(str)
    return float(np.mean([count_words(t) for t in texts])) if len(texts) else 0.0


def shown_seconds(problem: Problem, speed: Speed) -> float:
    """Seconds of finding out where a network looks, and which parts of series and which words decide.

    The rest of the examples takes no time.

    Args:
        problem: With the test rows. speed: Of the predictions of all models together.
    """
    kinds = {kind for _, kind in columns_shown(problem)} if len(problem.y_test) else set()
    seconds = looks_seconds(speed) if ColumnKind.IMAGE in kinds else 0.0
    seconds += steps_seconds(speed) if ColumnKind.SERIES in kinds else 0.0
    return seconds + (words_seconds(speed, len(problem.y_test)) if ColumnKind.TEXT in kinds else 0.0)


def looks_seconds(speed: Speed) -> float:
    """Seconds of finding out where a network looks, at most: as if one network were all models."""
    return speed.seconds(BACKWARD * 2 * MOST_OF_EACH[ColumnKind.IMAGE])


def steps_seconds(speed: Speed) -> float:
    """Seconds of finding out which parts of the series shown decide."""
    return speed.seconds(2 * MOST_OF_EACH[ColumnKind.SERIES] * (1 + MOST_PARTS))


def words_seconds(speed: Speed, n: int) -> float:
    """Seconds of finding the words that decide in n texts."""
    return speed.seconds(min(MAX_TEXTS, n) + MAX_TERMS * TEXTS_OF_A_TERM, calls=1 + MAX_TERMS)
