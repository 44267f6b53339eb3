"""Whether losses with inherited weights rank networks as trainings of their own do: measured in the run itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autodl.records.trial import TrialResult

ENOUGH = 5
"""Proposals trained on their own before the correlation is looked at."""
POOR = 0.3
"""Spearman's rank correlation below which inherited losses are of no use."""


@dataclass(frozen=True)
class Trust:
    """What a run has shown.

    Attributes:
        pairs: Inherited and own loss of each proposal that was trained.
        correlation: Spearman's; None while there are fewer than ``ENOUGH`` pairs.
    """

    pairs: tuple[tuple[float, float], ...] = ()
    correlation: float | None = None

    @property
    def poor(self) -> bool:
        """Whether the rest of the proposals is not worth a trial."""
        return self.correlation is not None and self.correlation < POOR


def trust(family: str, finished: Sequence[TrialResult]) -> Trust:
    """The rank correlation of inherited with own losses, over a family's proposals that were trained from scratch.

    The first ``ENOUGH`` proposals hold middling ones beside the best (``ranking.in_order``): among the best alone, a
    good ranking shows no correlation.

    Args:
        family: A key. finished: All trials of the run so far.
    """
    from scipy.stats import spearmanr

    own = [r for r in finished if r.spec.family == family]
    losses = [(p.config, p.loss) for r in own for p in r.proposals]
    pairs = tuple(
        (inherited, r.loss)
        for config, inherited in losses
        for r in own
        if r.ok and r.loss is not None and r.spec.config == config and not (r.proposals or r.spec.parent)
    )
    if len(pairs) < ENOUGH:
        return Trust(pairs)
    inherited, own_losses = zip(*pairs, strict=True)
    if len(set(inherited)) == 1 or len(set(own_losses)) == 1:
        return Trust(pairs, 0.0)  # ties tell nothing
    return Trust(pairs, float(spearmanr(inherited, own_losses).statistic))


def sentence(name: str, seen: Trust) -> str:
    """What a run's user is told.

    Args:
        name: Of the family, for people. seen: What the run has shown.
    """
    if seen.correlation is None:
        return ""
    figure = f"{seen.correlation:.2f} over {len(seen.pairs)} networks"
    if seen.poor:
        return (
            f"{name}: shared weights ranked networks unlike trainings of their own (rank correlation {figure}), so "
            "the rest of their proposals was dropped and the search went on without them."
        )
    return f"{name}: shared weights ranked networks like trainings of their own (rank correlation {figure})."
