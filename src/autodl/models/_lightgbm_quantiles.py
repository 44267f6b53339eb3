"""One LightGBM booster for each quantile, grown side by side so that one stopping rule serves all.

Notation: Q levels. The validation loss is the mean of the levels' pinball losses, the measure of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodl.clock import Deadline
from autodl.watch import Watch


@dataclass(frozen=True)
class Grown:
    """The boosters as text, the rounds they keep, and the validation loss after each round."""

    models: list[str]
    rounds: int
    history: list[float]


def grow(
    params: Mapping[str, Any],
    data: Any,
    valid: Any | None,
    levels: Sequence[float],
    *,
    rounds: int,
    patience: int,
    length: float,
    watch: Watch | None,
    deadline: Deadline,
    unit: float = 1.0,
) -> Grown:
    """Train all boosters, one round each in turn.

    Args:
        params: LightGBM's; objective and metric are set here.
        data: Training ``lightgbm.Dataset``. valid: that of the validation rows, or None to train for ``rounds``.
        levels: Q levels.
        rounds: Rounds at most.
        patience: Rounds without progress after which training ends.
        length: Rounds at which the progress told to ``watch`` is 1.
        watch: May end the training.
        deadline: Checked after each round.
        unit: Of the targets: losses are told in it.
    """
    import lightgbm

    if valid is not None:
        valid.construct()  # while the training rows still have the parameters that it shares with them
    boosters = []
    for level in levels:
        booster = lightgbm.Booster({**params, "objective": "quantile", "metric": "quantile", "alpha": level}, data)
        if valid is not None:
            booster.add_valid(valid, "valid")
        boosters.append(booster)
    history: list[float] = []
    done = 0
    while done < rounds:
        grown = [not booster.update() for booster in boosters]
        done += 1
        if valid is not None:
            history.append(unit * float(np.mean([booster.eval_valid()[0][2] for booster in boosters])))
            late = done - 1 - int(np.argmin(history)) >= patience
            if late or (watch is not None and watch(min(1.0, done / length), history[-1])):
                break
        if not any(grown) or deadline.passed():
            break
    best = 1 + int(np.argmin(history)) if history else done
    return Grown([booster.model_to_string(num_iteration=best) for booster in boosters], best, history)
