"""How a network is trained: names, types and valid values. Knows no torch, so that families import quickly."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field

OptimizerName = Literal["adamw", "adam", "sgd", "rmsprop", "radam", "nadam", "lion"]
ScheduleName = Literal["constant", "cosine", "flat_cosine", "step", "plateau", "one_cycle", "coslog4"]


SLICE = 0.3
"""Share of the usual epochs of a training that goes on from trained weights."""


class OptimizerScale(NamedTuple):
    """What turns AdamW's learning rate and weight decay into those of another optimizer."""

    lr: float = 1.0
    decay: float = 1.0


OPTIMIZER_SCALES: dict[OptimizerName, OptimizerScale] = {
    "adamw": OptimizerScale(),
    "radam": OptimizerScale(),
    "nadam": OptimizerScale(),
    # The L2 gradient goes through Adam's normalization, so the same strength would drown the loss.
    "adam": OptimizerScale(decay=1e-3),
    # A momentum of 0.9 adds up ten of its normalized steps.
    "rmsprop": OptimizerScale(lr=0.1, decay=1e-3),
    # Without normalization by the gradient's size; rate times decay stays that of AdamW.
    "sgd": OptimizerScale(lr=30.0, decay=1 / 300),
    # Chen et al. 2023, section 5: a rate 3 to 10 times smaller, a decay as much larger.
    "lion": OptimizerScale(lr=0.2, decay=5.0),
}
"""So that one range of ``lr`` and ``weight_decay`` is sane for every optimizer of a search space."""


class TrainConfig(BaseModel):
    """Training choices that every torch family shares; a family's config derives from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objective: Literal["auto", "poisson"] = "auto"
    """Of regression: ``auto`` follows the metric; ``poisson`` has a logarithmic link and needs targets from 0 on."""
    optimizer: OptimizerName = "adamw"
    lr: float = Field(0.002, gt=0, le=10)
    """As for AdamW; other optimizers multiply it by their ``OPTIMIZER_SCALES``."""
    beta2: float = Field(0.999, ge=0.5, lt=1)
    """Decay of Adam's squared gradients; RealMLP uses 0.95."""
    momentum: float = Field(0.9, ge=0, lt=1)
    """Of SGD and RMSprop; beta1 of the others."""
    weight_decay: float = Field(0.0, ge=0)
    """Decoupled (AdamW, Lion, NAdam, RAdam) or as L2 gradient (SGD, Adam, RMSprop); scaled like ``lr``."""
    l1: float = Field(0.0, ge=0)
    """Weight of the sum of absolute weights in the loss, of what ``weight_decay`` is for: no biases, no norms."""
    schedule: ScheduleName = "cosine"
    warmup: float = Field(0.0, ge=0, le=0.5)
    """Share of the training in which the rate rises linearly from 0."""
    lr_decay: float = Field(0.1, gt=0, le=1)
    """Factor of the ``step`` and ``plateau`` schedules."""
    decay_every: float = Field(1 / 3, gt=0, le=1)
    """Share of the training between two steps of ``step``; ``plateau`` waits this share of the patience."""
    anneal_regularization: bool = False
    """Lower dropout and weight decay to 0 over the second half of the training (RealMLP's flat_cos)."""
    epochs: int = Field(0, ge=0)
    """Length of the training and of the schedule; 0: by the number of rows, times ``epoch_factor``."""
    epoch_factor: float = Field(1.0, gt=0, le=10)
    """Longer or shorter than usual for the number of rows; below 1 for a quick first answer."""
    stop_epoch: int = Field(0, ge=0)
    """Stop after this epoch of the same schedule; 0: never. What a refit on all rows uses."""
    lowered: str = ""
    """Epochs after which ``plateau`` lowers the rate where no validation rows tell, such as ``9,14``; of a refit."""
    batch_size: int = Field(0, ge=0)
    """Rows of one step; 0: by the number of rows."""
    patience: int = Field(0, ge=0)
    """Epochs without improvement on the validation rows before training stops; 0: see ``patience_share``. With
    ``flat_cosine`` they count once the rate falls; with ``coslog4`` training stops only at the end of a cycle."""
    patience_share: float = Field(0.0, ge=0, le=1)
    """The patience as a share of all epochs, at least 4 of them; 0: train to the end."""
    grad_clip: float = Field(0.0, ge=0)
    """Largest Euclidean norm of the gradient; 0: no limit."""
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    ema_decay: float = Field(0.0, ge=0, lt=1)
    """Use an exponential moving average of the weights with this decay; 0: the weights themselves."""
    precision: Literal["auto", "full", "mixed"] = "auto"
    """``auto``: mixed on CUDA, and for convolutions on CPUs that have instructions for it."""

    def n_epochs(self, rows: int) -> int:
        """Planned epochs on this many training rows."""
        return self.epochs or max(1, round(self.epoch_factor * auto_epochs(rows)))

    def n_batch(self, rows: int) -> int:
        """Rows of one step, where there are this many training rows."""
        return self.batch_size or auto_batch_size(rows)

    @property
    def epochs_lowered(self) -> tuple[int, ...]:
        """``lowered`` as numbers."""
        return tuple(int(epoch) for epoch in self.lowered.split(",") if epoch)

    def sliced(self, rows: int, part: float = SLICE) -> Self:
        """The same for a training that goes on from trained weights: a part of the epochs, a schedule of its own."""
        return self.model_copy(update={"epochs": max(1, round(part * self.n_epochs(rows)))})

    def scale(self) -> OptimizerScale:
        """Factors of ``lr`` and ``weight_decay`` for the chosen optimizer."""
        return OPTIMIZER_SCALES[self.optimizer]


def auto_batch_size(rows: int) -> int:
    """Power of two with about 80 steps an epoch, at most 512; small tables: 5 steps, from 32 to 128 rows.

    >>> auto_batch_size(100), auto_batch_size(1_000), auto_batch_size(20_000)
    (32, 128, 256)
    """
    steps_80 = 2 ** round(math.log2(max(rows, 1) / 80))
    steps_5 = 2 ** math.floor(math.log2(max(rows, 1) / 5))
    return int(min(512, max(steps_80, min(128, max(32, steps_5)))))


def annealed_epochs(rows: int) -> float:
    """Epochs of a training whose rate falls once to its end: 50 at 1,000 rows, falling with their fourth root to 10.

    >>> annealed_epochs(1_000), annealed_epochs(16_000), annealed_epochs(10_000_000)
    (50.0, 25.0, 10.0)
    """
    return min(100.0, max(10.0, 50 * math.pow(1_000 / max(rows, 1), 0.25)))


def auto_epochs(rows: int) -> int:
    """Epochs that fall with the square root of the rows: 200 at 1,000 rows, 64 at 10,000, never below 20.

    >>> auto_epochs(1_000), auto_epochs(10_000), auto_epochs(1_000_000)
    (200, 64, 20)
    """
    return int(min(200, max(20, round(64 * math.sqrt(10_000 / max(rows, 1))))))
