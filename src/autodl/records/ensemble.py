"""The chosen combination of models."""

from __future__ import annotations

from typing import Literal

from autodl.records.base import Record, StageRecord
from autodl.records.front import Footprint

Pooling = Literal["mean", "log"]
Method = Literal["single", "simplest", "greedy", "bagged", "weighted", "pooled"]


class Member(Record):
    """One model of the ensemble."""

    trial_id: str
    family: str
    weight: float


class Calibration(Record):
    """A map of the combined predictions to better ones, learnt on out-of-fold predictions.

    ``linear``: ``a + b x`` for numbers, coefficients ``(a, b)``. ``beta``: two classes, log-odds ``c + a log p - b
    log(1 - p)``, coefficients ``(a, b, c)``, a and b not negative. ``temperature``: probabilities to the power of
    ``coefficients[0]``, rescaled to sum to 1. ``isotonic``: two classes, the probability of the second by
    straight lines between the points ``(x, y)``. ``quantiles``: one shift a level, in ``coefficients``.
    """

    kind: Literal["linear", "beta", "temperature", "isotonic", "quantiles"]
    coefficients: tuple[float, ...] = ()
    x: tuple[float, ...] = ()
    """Ascending."""
    y: tuple[float, ...] = ()
    """Not descending."""
    minimum: float | None = None
    """Numbers are not moved below it: 0 where no target was negative."""


class Compared(Record):
    """One way of combining the models, judged on rows that neither its weights nor its calibration saw."""

    way: Method
    calibrated: bool = False
    chosen: bool = False
    """Whether this is the one that is delivered."""
    n_models: int
    """Models with weight, fitted on all rows."""
    loss: float
    """Held-out out-of-fold loss: each part of the rows is predicted by weights from the others."""
    worse: float
    """By how much this loss exceeds the least one of the comparison."""
    worse_se: float | None = None
    """Standard error of that difference, paired by rows; None if the metric has none."""


class Ensemble(StageRecord):
    """Weights sum to 1. ``pooling`` says how the members' predictions become one, ``calibration`` what follows."""

    members: tuple[Member, ...]
    method: Method
    """``greedy``: greedy selection. ``bagged``: its mean over random subsets of the models. ``weighted``: best
    weights of a mean. ``pooled``: best weights of a mean of log-probabilities."""
    loss: float
    """Out-of-fold loss on rows that weights, calibration, cuts and shifts were not learnt on. In runs of earlier
    versions, on those that they were learnt on."""
    single_loss: float
    """Out-of-fold loss of the best single model, without calibration; the most probable class is its answer."""
    why: str = ""
    factors: tuple[float, ...] = ()
    """For more than two classes: what their probabilities are multiplied by before the largest wins; for ordered ones
    the cuts on the expected level, one fewer than classes; empty for none."""
    threshold: float = 0.5
    """For two classes: the answer is the second one from this probability on. Chosen out of fold like the weights."""
    pooling: Pooling = "mean"
    """``mean``: weighted mean. ``log``: weighted mean of the logarithms of probabilities, rescaled to sum to 1."""
    calibration: Calibration | None = None
    compared: tuple[Compared, ...] = ()
    """Ways that were compared, simplest first."""
    takes: Footprint | None = None
    """What one model of each member was found to take together; None without limits."""
    compared_by: str = ""
    """Key of the metric that they were compared by, where it is not that of the run."""
