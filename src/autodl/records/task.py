"""The kinds of task and of data."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """What is to be learnt. Binary is a classification with two classes."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Modality(StrEnum):
    """What a row is made of."""

    TABLE = "table"
    TEXT = "text"
    IMAGE = "image"
    SERIES = "series"
