"""What a search over any function found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from autodl.errors import SearchError
from autodl.search.drive import OVER, TIME_OVER
from autodl.search.ledger import Evaluation, Ledger
from autodl.search.space import Config
from autodl.search.steering import Steering

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        best_config: The configuration with the lowest loss (at the highest fidelity that was evaluated).
        best_loss: Its loss there.
        history: Every call of the objective in the order of starts.
        strategy: Key of the strategy.
        why: Why it searched as it did, in a sentence.
        ended: What ended it, in words.
        seconds: Wall clock.
        spent: Sum of fidelities (the number of calls where there is none).
        front: With several losses: the evaluations that no other beats in all; else the best one alone.
    """

    best_config: Config
    best_loss: float
    history: tuple[Evaluation, ...]
    strategy: str
    why: str
    ended: str
    seconds: float
    spent: float
    front: tuple[Evaluation, ...]

    def __repr__(self) -> str:
        """In one line, without the history."""
        return (
            f"SearchResult(best_loss={self.best_loss:.6g}, best_config={self.best_config}, "
            f"{len(self.history)} calls by {self.strategy!r} in {self.seconds:.1f} s)"
        )

    def to_frame(self) -> pd.DataFrame:
        """The history as a table: a row a call, the configuration in columns ``config.NAME``."""
        from autodl.search.frame import history_frame

        return history_frame(self.history)


def result_of(ledger: Ledger, steering: Steering, why: str, ended: str, seconds: float) -> SearchResult:
    """The result of a search that has ended.

    Args:
        ledger: All evaluations. steering: What proposed them. why: Why it searched as it did.
        ended: What ended it, in words. seconds: Wall clock.

    Raises:
        SearchError: No call returned a finite loss.
    """
    best = ledger.best()
    if best is None or best.loss is None:
        first = next((e.error for e in ledger.evaluations if e.error), "")
        count = len(ledger.evaluations)
        longer = "Raise `time_budget`."
        if not count:
            timely = ended != TIME_OVER
            why = f"{ended}" if timely else OVER
            raise SearchError(f"{why} before the first evaluation", "Allow for one at least." if timely else longer)
        if all(e.error.startswith(OVER) for e in ledger.evaluations):
            raise SearchError(f"{OVER} before the first of {count} evaluations ended", longer)
        raise SearchError(
            f"none of {count} evaluations gave a finite loss"
            + (f"; the first failed with: {first}" if first else ""),
            "Call the objective once by hand with a configuration of the space.",
        )
    return SearchResult(
        dict(best.config),
        best.loss,
        tuple(ledger.evaluations),
        steering.strategy.key,
        why,
        ended,
        seconds,
        ledger.spent(),
        _front(ledger, best),
    )


def _front(ledger: Ledger, best: Evaluation) -> tuple[Evaluation, ...]:
    if len(best.losses) < 2:
        return (best,)
    import numpy as np

    from autodl.search.strategies.nsga2 import fronts

    rivals = [e for e in ledger.evaluations if len(e.losses) == len(best.losses) and e.fidelity == best.fidelity]
    ranks = fronts(np.array([e.losses for e in rivals]))
    return tuple(e for e, r in zip(rivals, ranks, strict=True) if r == 0)
