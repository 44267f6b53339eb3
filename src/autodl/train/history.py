"""What happened in a training: its curve, its best epoch, why it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from autodl.records import CurvePoint, JsonScalar

StopReason = Literal["epochs", "stop_epoch", "patience", "deadline", "divergence", "watch"]


@dataclass
class History:
    """What happened in a training.

    Attributes:
        curve: One point an epoch: error measure on the training batches (with dropout) and on validation rows, each
            weighted if they are.
        lowered: Epochs after which ``plateau`` lowered the rate.
        best_epoch: Epoch (from 1) whose weights the module now has.
        best_error: Its validation error; None without validation rows.
        epochs: Length of the schedule in epochs, shortened where a deadline did so.
        stopped_by: Why it ended.
        measure: Name of the error measure.
        steps: Number of updates.
        seconds: Wall time.
    """

    curve: list[CurvePoint] = field(default_factory=list)
    lowered: list[int] = field(default_factory=list)
    best_epoch: int = 0
    best_error: float | None = None
    epochs: int = 0
    stopped_by: StopReason = "epochs"
    measure: str = ""
    steps: int = 0
    seconds: float = 0.0

    def again(self) -> dict[str, JsonScalar]:
        """Settings under which a training without validation rows takes the same course up to the best epoch."""
        length: dict[str, JsonScalar] = {"epochs": self.epochs, "stop_epoch": self.best_epoch}
        falls = ",".join(str(epoch) for epoch in self.lowered if epoch < self.best_epoch)
        return {**length, "lowered": falls} if self.lowered else length
