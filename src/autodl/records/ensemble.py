"""The chosen combination of models."""

from __future__ import annotations

from typing import Literal

from autodl.records.base import Record, StageRecord


class Member(Record):
    """One model of the ensemble."""

    trial_id: str
    family: str
    weight: float


class Ensemble(StageRecord):
    """Weights sum to 1. Predictions are the weighted mean of the members' predictions."""

    members: tuple[Member, ...]
    method: Literal["single", "greedy"]
    loss: float
    """Out-of-fold loss of the combination, on the rows its weights were fitted on (optimistic)."""
    single_loss: float
    """Out-of-fold loss of the best single model."""
    why: str = ""
    threshold: float = 0.5
    """For two classes: the answer is the second one from this probability on. Chosen out of fold like the weights."""
